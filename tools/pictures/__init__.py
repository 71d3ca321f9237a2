"""The pictures in docs/, taken again of what is there now."""
