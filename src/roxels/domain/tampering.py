"""Where a receipt was tampered with: the first wrong byte, as far as it can be known.

A signature says only that something is wrong. But a receipt is short and each of its fields is written in few letters,
so a single wrong character is found by trying every other one in its place, some thousand signatures:

    what is wrong                        what is told
    not canonical JSON, an odd field     the first byte that is not as it has to be
    one character of one field           that byte, and what it was
    more                                 the field where its form or its neighbours tell, else the receipt
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from roxels.domain.receipts import Receipt, canonical

#: How each field is written, and with which letters. `counts` is an object of numbers.
FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "subject": ("[0-9a-f]{64}", "0123456789abcdef"),
    "prev": ("[0-9a-f]{64}", "0123456789abcdef"),
    "signature": ("[0-9a-f]{128}", "0123456789abcdef"),
    "key_id": ("[0-9a-f]{16}", "0123456789abcdef"),
    "id": ("rcpt_[0-9A-Za-z]+", "0123456789abcdef_rcptg"),
    "erased_at": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "0123456789-:.TZ"),
    "reason": ("[a-z]+", "abcdefghijklmnopqrstuvwxyz"),
}

#: Does the signature of this receipt hold?
Holds = Callable[[Receipt], bool]


class WrongByte(msgspec.Struct, frozen=True):
    """A wrong byte of a receipt that is written as canonical JSON, from 0; and what it was, where that is known."""

    field: str
    byte: int
    was: str | None


def text_of(receipt: Receipt) -> bytes:
    """A receipt as it is written down: one line of canonical JSON."""
    return canonical(msgspec.structs.asdict(receipt))


def first_difference(written: bytes, meant: bytes) -> int | None:
    """The first byte in which these differ, or None."""
    for position, (one, other) in enumerate(zip(written, meant, strict=False)):
        if one != other:
            return position
    return None if len(written) == len(meant) else min(len(written), len(meant))


def locate(receipt: Receipt, holds: Holds) -> WrongByte | None:
    """The first wrong byte of a receipt whose signature does not hold, or None where it cannot be told."""
    return _one_character(receipt, holds) or _one_digit(receipt, holds) or _odd(receipt)


def _odd(receipt: Receipt) -> WrongByte | None:
    """The first field that is not written as it has to be."""
    odd: list[WrongByte] = []
    for name, (form, letters) in FORMS.items():
        value = getattr(receipt, name)
        if value is not None and not re.fullmatch(form, value, re.ASCII):
            good = next((value[:n] for n, letter in enumerate(value) if letter not in letters), value)
            odd.append(
                WrongByte(name, _start(receipt, name) + len(canonical({"": good})) - len(canonical({"": ""})), None)
            )
    return min(odd, key=lambda place: place.byte, default=None)


def _one_character(receipt: Receipt, holds: Holds) -> WrongByte | None:
    for name, (_, letters) in FORMS.items():
        value = getattr(receipt, name)
        for n, letter in enumerate(value or ""):
            for other in letters:
                if other != letter and holds(
                    msgspec.structs.replace(receipt, **{name: value[:n] + other + value[n + 1 :]})
                ):
                    return WrongByte(name, _start(receipt, name) + n, other)
    return None


def _one_digit(receipt: Receipt, holds: Holds) -> WrongByte | None:
    start = _start(receipt, "counts") - 1
    text = canonical(receipt.counts).decode()
    for n, letter in enumerate(text):
        for other in "0123456789abcdefghijklmnopqrstuvwxyz_":
            changed = text[:n] + other + text[n + 1 :]
            if letter in '{}":,' or other == letter:
                continue
            try:
                counts = json.loads(changed)
            except ValueError:
                continue
            if holds(msgspec.structs.replace(receipt, counts=counts)):
                return WrongByte("counts", start + len(text[:n].encode()), other)
    return None


def _start(receipt: Receipt, name: str) -> int:
    """The byte at which a field's value begins, behind its quotation mark."""
    return text_of(receipt).index(f'"{name}":'.encode()) + len(name) + 4
