"""Which text can be kept: any without NUL, which PostgreSQL has no place for, and without halves of surrogate pairs,
which no UTF-8 can write. What becomes of the rest, on every database:

    whose it is                             then
    a caller's                              refused, with the field and the way out (`check`)
    a model's; a receiver's, to be shown    U+FFFD stands in its place, and the rest stays as it is (`mended`)
    a value captured of a receiver's answer left out and named as unknown: a mended id would be another's (`outputs`)

Values are gone through by `domain.strict_json`, which knows the path to each text in them.
"""

from typing import Any

from roxels.domain.errors import Invalid

_NUL = "\0"
_INSTEAD = "\ufffd"
#: Half of a pair whose other half may follow.
_FIRST_HALVES = ("\ud800", "\udbff")


def can_be_kept(text: str) -> bool:
    """Whether every database keeps it."""
    return _fault(text) is None


def check(text: str, where: str, field: str | None = None) -> None:
    """Raises `Invalid` for what cannot be kept; `where` begins the sentence, e.g. with the field's name."""
    fault = _fault(text)
    if fault is not None:
        raise Invalid(f"{where} contains {fault}", field=field)


def mended(value: Any) -> Any:
    """The same value, where each text in it can be kept. Halves that belong together become one character."""
    match value:
        case str() if not can_be_kept(value):
            whole = value.replace(_NUL, _INSTEAD).encode("utf-16-le", "surrogatepass")
            return whole.decode("utf-16-le", "replace")
        case list():
            return [mended(each) for each in value]
        case dict():
            return {mended(key): mended(each) for key, each in value.items()}
        case _:
            return value


class Mender:
    """Mends a text that comes in pieces: the two halves of a pair may come in two."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """The next piece; what of it is whole."""
        text, self._held = self._held + piece, ""
        if _FIRST_HALVES[0] <= text[-1:] <= _FIRST_HALVES[1]:
            text, self._held = text[:-1], text[-1]
        return str(mended(text))

    def end(self) -> str:
        """What was held back, now that no other half came."""
        held, self._held = self._held, ""
        return _INSTEAD if held else ""


def _fault(text: str) -> str | None:
    if _NUL in text:
        return "a NUL character; remove it."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair; send valid Unicode."
    return None
