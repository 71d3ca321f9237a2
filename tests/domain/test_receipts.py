"""A chain of receipts holds, and nothing can be done to it unnoticed."""

import json
from collections.abc import Callable, Mapping

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from roxels.domain.receipts import Receipt, Verify, broken, digest, sealed, subject_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OLD_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SALT = b"salt" * 8
TEXTS = st.text(max_size=20) | st.just("\ud800")


def verifier(key: Ed25519PublicKey) -> Verify:
    def verify(signature: bytes, text: bytes) -> bool:
        try:
            key.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    return verify


VERIFIERS: Mapping[str, Verify] = {"new": verifier(KEY.public_key()), "old": verifier(OLD_KEY.public_key())}


def chain(length: int) -> list[Receipt]:
    """Receipts as they come about; the first two under a key that was rotated out since."""
    receipts: list[Receipt] = []
    for number in range(length):
        receipt = Receipt(
            id=f"rcpt_{number}",
            subject=subject_of(SALT, "person", f"person_{number}"),
            counts={"events": number, "conversations": 1, "Zeilen/ü": 2},
            erased_at="2026-03-01T12:00:00Z",
            reason="requested",
            prev=digest(receipts[-1]) if receipts else None,
            key_id="old" if number < 2 else "new",
        )
        receipts.append(sealed(receipt, (OLD_KEY if number < 2 else KEY).sign))
    return receipts


CHAIN = chain(6)


@pytest.mark.parametrize("length", [0, 1, 2, 6])
def test_a_chain_holds(length: int) -> None:
    head = digest(CHAIN[length - 1]) if length else None
    assert broken(CHAIN[:length], VERIFIERS, head=head) is None


def test_what_is_signed_can_be_written_down_by_anybody() -> None:
    receipt = sealed(
        Receipt(
            id="rcpt_ü",
            subject="s",
            counts={"b": 2, "a": 1},
            erased_at="2026-03-01T12:00:00Z",
            reason="requested",
            prev=None,
            key_id="new",
        ),
        KEY.sign,
    )
    text = (
        '{"counts":{"a":1,"b":2},"erased_at":"2026-03-01T12:00:00Z","id":"rcpt_ü","key_id":"new",'
        '"prev":null,"reason":"requested","subject":"s"}'
    )
    KEY.public_key().verify(bytes.fromhex(receipt.signature), text.encode())


def test_a_receipt_survives_json() -> None:
    again = [msgspec.json.decode(json.dumps(msgspec.to_builtins(one)), type=Receipt) for one in CHAIN]
    assert again == CHAIN
    assert broken(again, VERIFIERS) is None


@given(at=st.integers(0, 5), data=st.data())
def test_any_altered_byte_of_a_written_receipt_is_found(at: int, data: st.DataObject) -> None:
    written = bytearray(msgspec.json.encode(CHAIN[at]))
    position = data.draw(st.integers(0, len(written) - 1))
    written[position] ^= data.draw(st.integers(1, 255))
    try:
        altered = msgspec.json.decode(bytes(written), type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    found = broken([*CHAIN[:at], altered, *CHAIN[at + 1 :]], VERIFIERS)
    assert found is not None
    assert (found.index, found.id) == (at, altered.id)
    assert found.field in ("signature", "key_id")


@given(at=st.integers(0, 5), field=st.sampled_from(Receipt.__struct_fields__), data=st.data())
def test_any_other_value_of_any_field_is_found(at: int, field: str, data: st.DataObject) -> None:
    original = getattr(CHAIN[at], field)
    values = st.dictionaries(TEXTS, st.integers(0), max_size=3) if field == "counts" else TEXTS
    other = data.draw((values | st.none() if field == "prev" else values).filter(lambda value: value != original))
    altered = msgspec.structs.replace(CHAIN[at], **{field: other})
    found = broken([*CHAIN[:at], altered, *CHAIN[at + 1 :]], VERIFIERS)
    assert found is not None
    assert (found.index, found.field) == (at, "key_id" if field == "key_id" and other not in VERIFIERS else "signature")


@pytest.mark.parametrize("form", [str.upper, " {}".format, "{}\n".format, lambda text: text[:-2]])
def test_a_signature_is_written_in_one_way_only(form: Callable[[str], str]) -> None:
    altered = msgspec.structs.replace(CHAIN[0], signature=form(CHAIN[0].signature))
    found = broken([altered], VERIFIERS)
    assert found is not None
    assert found.field == "signature"


@given(gone=st.integers(0, 4))
def test_a_missing_receipt_is_found_at_the_next_one(gone: int) -> None:
    found = broken([*CHAIN[:gone], *CHAIN[gone + 1 :]], VERIFIERS)
    assert found is not None
    assert (found.index, found.id, found.field) == (gone, f"rcpt_{gone + 1}", "prev")


@given(order=st.permutations(range(6)))
def test_another_order_is_found(order: list[int]) -> None:
    found = broken([CHAIN[number] for number in order], VERIFIERS)
    assert (found is None) == (order == sorted(order))
    assert found is None or found.field == "prev"


def test_a_receipt_put_in_by_a_key_holder_breaks_the_next_link() -> None:
    forged = sealed(msgspec.structs.replace(CHAIN[3], id="rcpt_forged", signature=""), KEY.sign)
    found = broken([*CHAIN[:3], forged, *CHAIN[4:]], VERIFIERS)
    assert found is not None
    assert (found.index, found.field) == (4, "prev")


def test_missing_ends() -> None:
    head = digest(CHAIN[-1])
    beginning = broken(CHAIN[2:], VERIFIERS, head=head)
    assert beginning is not None
    assert (beginning.index, beginning.field) == (0, "prev")
    assert broken(CHAIN[2:], VERIFIERS, after=digest(CHAIN[1]), head=head) is None
    end = broken(CHAIN[:-1], VERIFIERS, head=head)
    assert end is not None
    assert (end.index, end.id, end.field) == (5, "", "head")
    assert broken([], VERIFIERS, head=head) is not None


def test_a_single_receipt_can_be_checked_alone() -> None:
    assert broken([CHAIN[3]], VERIFIERS, after=CHAIN[3].prev) is None


def test_a_subject_is_told_apart_by_kind_id_and_salt() -> None:
    subject = subject_of(SALT, "person", "x")
    assert len(subject) == 64
    assert subject == subject_of(SALT, "person", "x")
    others = {subject_of(SALT, "interview", "x"), subject_of(SALT, "person", "X"), subject_of(b"other", "person", "x")}
    assert len(others | {subject}) == 4
