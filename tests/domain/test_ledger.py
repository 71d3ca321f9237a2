"""A check of receipts names the first wrong byte, or the broken link."""

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from roxels.domain.ledger import judge
from roxels.domain.receipts import Receipt, digest, sealed, subject_of
from roxels.domain.tampering import text_of
from tests.domain.test_receipts import verifier

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY_ID = "0123456789abcdef"
VERIFIERS = {KEY_ID: verifier(KEY.public_key())}


def chain(length: int) -> list[Receipt]:
    """Receipts as a server makes them."""
    made: list[Receipt] = []
    for n in range(length):
        receipt = Receipt(
            id=f"rcpt_{n:032x}",
            subject=subject_of(b"salt", "person", f"person_{n}"),
            counts={"conversations": 1, "events": 10 + n},
            erased_at=f"2026-03-01T12:00:0{n}Z",
            reason="api",
            prev=digest(made[-1]) if made else None,
            key_id=KEY_ID,
        )
        made.append(sealed(receipt, KEY.sign))
    return made


CHAIN = chain(3)
WRITTEN = b"".join(text_of(each) + b"\n" for each in CHAIN)


@pytest.mark.parametrize(
    "written",
    [
        WRITTEN,
        json.dumps([msgspec.to_builtins(each) for each in CHAIN]).encode(),
        json.dumps({"items": [msgspec.to_builtins(each) for each in CHAIN[::-1]], "has_more": False}).encode(),
        json.dumps({"items": [msgspec.to_builtins(each) for each in CHAIN[:0:-1]], "has_more": True}).encode(),
        text_of(CHAIN[1]),
        json.dumps({"deleted": True, "receipt": msgspec.to_builtins(CHAIN[2])}).encode(),
        b"",
        b"[]",
    ],
)
def test_what_holds(written: bytes) -> None:
    verdict = judge(written, VERIFIERS)
    assert verdict.valid, verdict


@settings(max_examples=12)
@given(data=st.data())
def test_any_one_wrong_character_is_named_with_its_byte(data: st.DataObject) -> None:
    """A letter or digit inside a value, put in the place of another."""
    at = data.draw(st.integers(0, len(WRITTEN) - 1).filter(lambda n: WRITTEN[n : n + 1] in b"0123456789abcdef"))
    other = data.draw(st.sampled_from(b"0123456789abcdef").filter(lambda letter: letter != WRITTEN[at]))
    altered = WRITTEN[:at] + bytes([other]) + WRITTEN[at + 1 :]
    verdict = judge(altered, VERIFIERS)
    assert not verdict.valid
    assert verdict.in_text
    if verdict.field is not None:  # the name of a field is no value: then the line itself cannot be read
        assert verdict.byte == at, (verdict, altered[at - 20 : at + 20])
        assert f"It was `{chr(WRITTEN[at])}`" in verdict.message


@given(at=st.integers(0, len(WRITTEN) - 1), byte=st.integers(128, 255))
def test_a_byte_that_is_no_text_is_named(at: int, byte: int) -> None:
    verdict = judge(WRITTEN[:at] + bytes([byte]) + WRITTEN[at + 1 :], VERIFIERS)
    assert not verdict.valid
    assert verdict.in_text


def test_another_way_to_write_it_is_named() -> None:
    at = WRITTEN.index(b',"id"')
    verdict = judge(WRITTEN[:at] + b" " + WRITTEN[at:], VERIFIERS)
    assert (verdict.valid, verdict.byte, verdict.in_text) == (False, at, True)


def test_a_capital_letter_is_named() -> None:
    at = next(n for n in range(WRITTEN.index(b'"subject"') + 12, len(WRITTEN)) if WRITTEN[n : n + 1] in b"abcdef")
    verdict = judge(WRITTEN[:at] + WRITTEN[at : at + 1].upper() + WRITTEN[at + 1 :], VERIFIERS)
    assert (verdict.valid, verdict.field, verdict.byte) == (False, "subject", at)


def test_a_broken_link_is_named() -> None:
    lines = WRITTEN.splitlines(keepends=True)
    verdict = judge(lines[0] + lines[2], VERIFIERS)
    assert (verdict.valid, verdict.index, verdict.id, verdict.field) == (False, 1, CHAIN[2].id, "prev")


def test_missing_ends_are_found_by_the_head() -> None:
    head = judge(WRITTEN, VERIFIERS).head
    verdict = judge(WRITTEN[: len(text_of(CHAIN[0])) + 1] + text_of(CHAIN[1]), VERIFIERS, head=head)
    assert (verdict.valid, verdict.field) == (False, "head")


@pytest.mark.parametrize("junk", [b"{", b"3", b'{"items": [3]}', b'{"id": 3}', b"\xff", b'[{"id": "x"}]', b'"x"'])
def test_junk_is_no_exception(junk: bytes) -> None:
    assert not judge(junk, VERIFIERS).valid


def test_much_alteration_names_the_receipt() -> None:
    values: dict[str, Any] = {"counts": {"events": 999}, "reason": "command"}
    altered = [CHAIN[0], msgspec.structs.replace(CHAIN[1], **values), CHAIN[2]]
    verdict = judge(b"".join(text_of(each) + b"\n" for each in altered), VERIFIERS)
    assert (verdict.index, verdict.field, verdict.byte) == (1, "signature", len(text_of(CHAIN[0])) + 1)
