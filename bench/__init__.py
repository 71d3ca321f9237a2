"""Measures what the documentation claims of speed: `make bench` (see `bench.__main__`).

Each figure is a module: it starts what it measures in a process of its own, puts a load on it from here, measures a
bare counterpart in the same run, and says what came out (`bench.figures`). The server has one core, the load the other.
"""
