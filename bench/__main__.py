"""`make bench`: measure everything and write `docs/benchmarks.md`.

make bench                      all figures, about a quarter of an hour
make bench ARGS="--only P1b P2" some, printed and not written
make bench ARGS="--small"       in miniature: whether measuring works, not how fast it is
"""

import argparse
import sys

from bench import browsing, coming_back, crowds, deliveries, log, remembering, turns, weight
from bench.figures import SMALL, WHOLE, Figure, Measuring, write
from bench.serving import on_core

MEASURED: dict[str, Measuring] = {
    "P1": turns.own_share,
    "P1b": turns.throughput,
    "P1c": turns.together,
    "P2": coming_back.resume,
    "P3": crowds.persons_listed,
    "P4": crowds.idle,
    "P5": remembering.share,
    "P6": weight.embed,
    "P7": deliveries.delivered,
    "P8": log.durable,
    "E1": browsing.waiting,
}


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--only", nargs="+", choices=MEASURED, default=list(MEASURED))
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    on_core(1)
    figures: list[Figure] = []
    for name in given.only:
        for figure in MEASURED[name](SMALL if given.small else WHOLE):
            held = {True: "held", False: "NOT HELD", None: ""}[figure.holds]
            print(f"{figure.id:4} {figure.measured}   (goal: {figure.goal}) {held}", flush=True)
            figures.append(figure)
    if not given.small and list(given.only) == list(MEASURED):
        write(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
