"""Receipts as they come to a check: read from text, put in their order, judged, with the byte where it goes wrong.

what is read                                                order
one receipt a line (`roxels receipt list`)                  oldest first, with the byte of the file
a page of GET /v1/receipts (`{"items": […]}`)               newest first
a JSON list, one receipt, the answer of a DELETE            as they stand
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from roxels.domain.receipts import Receipt, Verify, broken, digest, holds
from roxels.domain.tampering import first_difference, locate, text_of


class Read(msgspec.Struct, frozen=True):
    """A receipt and the byte of the text at which it begins; None where it is not written as one canonical line."""

    receipt: Receipt
    at: int | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. `byte` counts from 0: in the text, or, without `in_text`, in the receipt's canonical line."""

    valid: bool
    count: int
    #: Digest of the last receipt that holds; keep it, and the next check finds missing ends.
    head: str | None = None
    index: int | None = None
    id: str | None = None
    field: str | None = None
    byte: int | None = None
    in_text: bool = False
    message: str


class Ledger(msgspec.Struct, frozen=True):
    """What was read, oldest first, and whether it begins where its chain begins."""

    receipts: list[Read]
    is_from_start: bool


class NoReceipt(Exception):
    """This is no receipt, or not JSON any more."""

    code: ClassVar[str] = "no_receipt"

    def __init__(self, byte: int, message: str) -> None:
        self.byte = byte
        super().__init__(message)


def read(content: bytes) -> Ledger:
    """The receipts in a text. Raises `NoReceipt` at the first byte that cannot be read."""
    try:
        whole = json.loads(content)
    except ValueError:
        return Ledger(_lines(content), is_from_start=True)
    match whole:
        case {"items": list(items)}:
            read = [_one(each, None, 0) for each in reversed(items)]
            return Ledger(read, is_from_start=not whole.get("has_more") and len(items) != 1)
        case list():
            return Ledger([_one(each, None, 0) for each in whole], is_from_start=len(whole) != 1)
        case {"receipt": dict(receipt)}:
            return Ledger([_one(receipt, None, 0)], is_from_start=False)
    return Ledger(_lines(content) if b"\n" not in content.strip() else [_one(whole, None, 0)], is_from_start=False)


def judge(
    content: bytes, verifiers: Mapping[str, Verify], *, after: str | None = None, head: str | None = None
) -> Verdict:
    """Whether the receipts in this text hold; the first thing that is wrong, as exactly as it can be told.

    `after`, `head`: as `domain.receipts.broken` takes them.
    """
    try:
        ledger = read(content)
    except NoReceipt as unreadable:
        return Verdict(valid=False, count=0, byte=unreadable.byte, in_text=True, message=str(unreadable))
    found = ledger.receipts
    receipts = [each.receipt for each in found]
    if after is None and receipts and not ledger.is_from_start:
        after = receipts[0].prev
    fault = broken(receipts, verifiers, after=after, head=head)
    if fault is None:
        return Verdict(
            valid=True, count=len(receipts), head=digest_of(receipts), message=f"{len(receipts)} receipts hold."
        )
    verdict = Verdict(
        valid=False, count=len(receipts), index=fault.index, id=fault.id, field=fault.field, message=fault.message
    )
    return verdict if fault.index >= len(found) else _placed(verdict, found[fault.index], verifiers)


def digest_of(receipts: list[Receipt]) -> str | None:
    """The digest of the last one."""
    return digest(receipts[-1]) if receipts else None


def _placed(verdict: Verdict, read: Read, verifiers: Mapping[str, Verify]) -> Verdict:
    if verdict.field == "prev":
        return _at(verdict, read, text_of(read.receipt).index(b'"prev":'), "prev", verdict.message)
    place = locate(read.receipt, lambda receipt: holds(receipt, verifiers))
    if place is None:
        return _at(verdict, read, 0, verdict.field, f"{verdict.message} More than one character differs.")
    was = f" It was `{place.was}`." if place.was else ""
    return _at(verdict, read, place.byte, place.field, f"The field `{place.field}` was altered.{was}")


def _at(verdict: Verdict, read: Read, byte: int, field: str | None, message: str) -> Verdict:
    return msgspec.structs.replace(
        verdict, byte=byte + (read.at or 0), in_text=read.at is not None, field=field, message=message
    )


def _lines(content: bytes) -> list[Read]:
    found: list[Read] = []
    at = 0
    for line in content.splitlines(keepends=True):
        text = line.rstrip(b"\r\n")
        if text:
            found.append(_line(text, at))
        at += len(line)
    return found


def _line(text: bytes, at: int) -> Read:
    try:
        value = json.loads(text)
    except UnicodeDecodeError as fault:
        raise NoReceipt(at + fault.start, "This byte is not UTF-8.") from None
    except json.JSONDecodeError as fault:
        byte = at + len(fault.doc[: fault.pos].encode())
        raise NoReceipt(byte, f"This is not JSON: {fault.msg}.") from None
    read = _one(value, at, at)
    wrong = first_difference(text, text_of(read.receipt))
    if wrong is not None:
        raise NoReceipt(at + wrong, "From this byte on the receipt is not written as canonical JSON.")
    return read


def _one(value: Any, at: int | None, byte: int) -> Read:
    try:
        return Read(msgspec.convert(value, Receipt), at)
    except msgspec.ValidationError as fault:
        raise NoReceipt(byte, f"This is no receipt: {fault}") from None
