"""Erase receipts: proof of a deletion that anybody can check offline and that says nothing about who was deleted.

A receipt is sealed by an Ed25519 signature over its canonical JSON without `signature`. It names the receipt before it
(of the same environment) by the hash of that one's canonical JSON, signature included. So:

    what was done to the receipts                    what is found
    any character of any field altered               signature (or key_id, where that was altered)
    one taken out, put in, or moved                  prev of the next one
    the first ones taken away                        prev of the first one left
    the last ones taken away                         only against a head that was kept elsewhere

Canonical JSON: UTF-8, keys sorted, no spaces, nothing escaped that need not be, integers only. For these fields that
is RFC 8785. Times are texts here: what is signed is what is shown, to the letter.

The subject is an HMAC of kind and id under a secret salt of the installation: who keeps the salt can show that a
receipt is about an id; nobody else can, however many ids are tried.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

Kind = Literal["person", "interview"]
#: Where the wish to erase came from.
Reason = Literal["api", "dashboard", "command", "retention", "restore"]
#: Signs a text: 64 bytes, Ed25519.
Sign = Callable[[bytes], bytes]
#: (signature, text): is it the signature of that text? Never raises.
Verify = Callable[[bytes, bytes], bool]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was erased, in the words of the contract. `signature` is empty until it is sealed."""

    id: str
    #: `subject_of` what was erased.
    subject: str
    #: Rows removed, by table.
    counts: dict[str, int]
    #: RFC 3339, UTC, `Z`.
    erased_at: str
    #: Why, in a word of ours; never free text, since that would outlive the erased.
    reason: str
    #: `digest` of the receipt before this one in its environment; None for the first.
    prev: str | None
    #: Which key signed.
    key_id: str
    #: 128 lower-case hexadecimal digits.
    signature: str = ""


class BrokenChain(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that is wrong in a chain of receipts."""

    #: Position in the chain, from 0; its length where receipts are missing at the end.
    index: int
    #: The receipt's id; empty where receipts are missing at the end.
    id: str
    field: Literal["key_id", "signature", "prev", "head"]
    message: str


def subject_of(salt: bytes, kind: Kind, id: str) -> str:
    """The name under which a receipt speaks of a person or conversation: 64 hexadecimal digits."""
    return hmac.new(salt, f"{kind}:{id}".encode(), hashlib.sha256).hexdigest()


def alias_of(salt: bytes, environment: str, external_id: str) -> str:
    """The name under which a repeated wish to erase an `external_id` is known again: 64 hexadecimal digits."""
    text = f"external_id:{environment}:{external_id}"
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one way to write a receipt's fields as bytes."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    # A lone surrogate can only stand in a receipt that was tampered with: it must fail as that, not as an exception.
    return text.encode("utf-8", "surrogatepass")


def digest(receipt: Receipt) -> str:
    """What the next receipt calls this one: SHA-256 of all its fields, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(msgspec.structs.asdict(receipt))).hexdigest()


def sealed(receipt: Receipt, sign: Sign) -> Receipt:
    """The receipt with its signature."""
    return msgspec.structs.replace(receipt, signature=sign(_signed(receipt)).hex())


def broken(
    receipts: Iterable[Receipt],
    verifiers: Mapping[str, Verify],
    *,
    after: str | None = None,
    head: str | None = None,
) -> BrokenChain | None:
    """The first receipt that does not hold, or None. `receipts` in the order of their chain, oldest first.

    `verifiers` by key id. `after`: digest of the receipt before the first one here (None: the chain begins here).
    `head`: digest of the last one, where it was kept elsewhere; without it nobody can tell that the last are missing.
    """
    count = 0
    for count, receipt in enumerate(receipts, start=1):
        fault = _fault(receipt, verifiers, after)
        if fault is not None:
            field, message = fault
            return BrokenChain(index=count - 1, id=receipt.id, field=field, message=message)
        after = digest(receipt)
    if head is not None and head != after:
        return BrokenChain(
            index=count, id="", field="head", message="The chain ends early: receipts are missing at its end."
        )
    return None


def holds(receipt: Receipt, verifiers: Mapping[str, Verify]) -> bool:
    """Whether a receipt is as it was sealed, wherever it stands."""
    return _fault(receipt, verifiers, receipt.prev) is None


def _fault(
    receipt: Receipt, verifiers: Mapping[str, Verify], after: str | None
) -> tuple[Literal["key_id", "signature", "prev"], str] | None:
    verify = verifiers.get(receipt.key_id)
    if verify is None:
        return "key_id", "This receipt names a key that is not known here, or its key_id was altered."
    if not verify(_signature(receipt), _signed(receipt)):
        return "signature", "The signature does not fit: the receipt was altered after it was sealed."
    if receipt.prev != after:
        return "prev", "This receipt does not follow the one before it: one was removed, added, moved or replaced."
    return None


def _signed(receipt: Receipt) -> bytes:
    fields = msgspec.structs.asdict(receipt)
    del fields["signature"]
    return canonical(fields)


def _signature(receipt: Receipt) -> bytes:
    """The signature's bytes, and none where it is not written in the one form (so that no two texts mean the same)."""
    try:
        raw = bytes.fromhex(receipt.signature)
    except ValueError:
        return b""
    return raw if raw.hex() == receipt.signature else b""
