"""What a field of a form holds, checked. A fault names its field, and stands beside it on the page."""

from starlette.datastructures import FormData

from roxels.dashboard.gate import text_of
from roxels.domain.errors import Invalid


def line(form: FormData, name: str, *, longest: int) -> str:
    """One line of text without the space around it; may be empty. Raises `Invalid`."""
    return whole(form, name, longest=longest).strip()


def whole(form: FormData, name: str, *, longest: int) -> str:
    """A text as it was typed. Raises `Invalid`."""
    given = text_of(form, name).replace("\r\n", "\n")
    if len(given) > longest:
        raise Invalid(f"This is {len(given)} characters long; {longest} is the most.", field=name)
    return given


def number(form: FormData, name: str, *, most: int) -> int | None:
    """A whole number from 1 on; None where nothing was typed. Raises `Invalid`."""
    given = line(form, name, longest=20)
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and 1 <= int(given) <= most):
        raise Invalid(f"Write a whole number from 1 to {most}, or nothing.", field=name)
    return int(given)
