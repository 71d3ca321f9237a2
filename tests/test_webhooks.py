"""What we sign, any receiver can prove; what was touched, nobody can. Oracle: the published `standardwebhooks`."""

import base64
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from roxels import webhooks

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
OLD = webhooks.secret_from(b"o" * 32)
NEW = webhooks.secret_from(b"n" * 32)
BODY = '{"external_id":"ada","data":{"name":"Zoë 🦊"}}'.encode()
HEADERS = webhooks.sign([NEW], id="del_1", timestamp=STAMP, body=BODY)
STANDARD = {name: value for name, value in HEADERS.items() if name.startswith("webhook-")}
OWN = {webhooks.ROXELS_HEADER: HEADERS[webhooks.ROXELS_HEADER]}

KEYS = st.binary(min_size=1, max_size=64)
IDS = st.from_regex(r"[a-z]{1,4}_[A-Za-z0-9]{1,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def test_the_exact_form_of_the_headers() -> None:
    # Both digests come from `openssl dgst -sha256 -mac HMAC -macopt hexkey:00010203`.
    headers = webhooks.sign(["whsec_AAECAw=="], id="del_1", timestamp=1716480000, body=b"{}")
    assert headers == {
        "X-Roxels-Signature": "t=1716480000,v1=2ef19c3eaa5c0963d459f6a528990b92eb6a9a493942b854539cfbebc4699f21",
        "webhook-id": "del_1",
        "webhook-timestamp": "1716480000",
        "webhook-signature": "v1,VDx4t5GPLuNeXPFGgO7h/18KV4s0Jn08joGmg0GRRSA=",
    }


@given(key=KEYS, id=IDS, stamp=st.integers(0, 4_000_000_000), text=TEXTS)
def test_our_signature_is_the_oracles_byte_for_byte(key: bytes, id: str, stamp: int, text: str) -> None:
    ours = webhooks.sign([webhooks.secret_from(key)], id=id, timestamp=stamp, body=text.encode())
    theirs = Webhook(webhooks.secret_from(key)).sign(id, datetime.fromtimestamp(stamp, UTC), text)
    assert ours["webhook-signature"] == theirs


@given(key=KEYS, id=IDS, stamp=st.integers(0, 4_000_000_000), text=TEXTS)
def test_what_the_oracle_signs_is_verified_here(key: bytes, id: str, stamp: int, text: str) -> None:
    moment = datetime.fromtimestamp(stamp, UTC)
    secret = webhooks.secret_from(key)
    headers = {
        "Webhook-Id": id,
        "Webhook-Timestamp": str(stamp),
        "Webhook-Signature": Webhook(secret).sign(id, moment, text),
    }
    message = webhooks.verify(headers, text.encode(), secret, now=moment)
    assert (message.id, message.signed_at, message.body) == (id, moment, text.encode())


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_the_oracle_verifies_what_we_sign_also_while_rotating(secret: str) -> None:
    # The oracle reads the machine's clock by itself, so this message must be of this moment.
    headers = webhooks.sign([OLD, NEW], id="del_1", timestamp=time.time_ns() // 10**9, body=BODY)
    assert Webhook(secret).verify(BODY, headers)["external_id"] == "ada"


@pytest.mark.parametrize("headers", [HEADERS, STANDARD, OWN])
@pytest.mark.parametrize("secret", [NEW, [NEW], [OLD, NEW]])
def test_each_scheme_is_enough_and_so_is_one_of_several_secrets(
    headers: dict[str, str], secret: str | list[str]
) -> None:
    message = webhooks.verify(headers, BODY, secret, now=NOW)
    assert message.signed_at == NOW
    assert message.id == (None if headers is OWN else "del_1")


@pytest.mark.parametrize("held", [OLD, NEW])
def test_while_rotating_a_receiver_may_hold_either_secret(held: str) -> None:
    headers = webhooks.sign([NEW, OLD], id="del_1", timestamp=STAMP, body=BODY)
    assert headers[webhooks.ROXELS_HEADER].count(",v1=") == 2
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert webhooks.verify(headers, BODY, held, now=NOW).id == "del_1"


@given(at=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255), own=st.booleans())
def test_one_altered_byte_is_found(at: int, flip: int, own: bool) -> None:
    altered = BODY[:at] + bytes([BODY[at] ^ flip]) + BODY[at + 1 :]
    with pytest.raises(webhooks.WrongSignature):
        webhooks.verify(OWN if own else STANDARD, altered, NEW, now=NOW)


@given(name=st.sampled_from(sorted(HEADERS)), data=st.data())
def test_one_altered_character_of_a_header_is_found(name: str, data: st.DataObject) -> None:
    value = HEADERS[name]
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda c: c != value[at]))
    with pytest.raises(webhooks.WebhookError):
        webhooks.verify({**HEADERS, name: value[:at] + other + value[at + 1 :]}, BODY, NEW, now=NOW)


@given(headers=st.dictionaries(st.sampled_from(sorted(HEADERS)), st.text(max_size=80)), body=st.binary(max_size=40))
def test_whatever_arrives_is_refused_with_a_webhook_error(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(webhooks.WebhookError):
        webhooks.verify(headers, body, NEW, now=NOW)


@pytest.mark.parametrize("headers", [STANDARD, OWN])
def test_the_window_is_five_minutes_on_both_sides_and_includes_its_ends(headers: dict[str, str]) -> None:
    edge, step = timedelta(minutes=5), timedelta(seconds=1)
    assert webhooks.verify(headers, BODY, NEW, now=NOW + edge)
    assert webhooks.verify(headers, BODY, NEW, now=NOW - edge)
    with pytest.raises(webhooks.TooOld):
        webhooks.verify(headers, BODY, NEW, now=NOW + edge + step)
    with pytest.raises(webhooks.TooNew):
        webhooks.verify(headers, BODY, NEW, now=NOW - edge - step)
    assert webhooks.verify(headers, BODY, NEW, now=NOW + timedelta(days=1), tolerance=timedelta(days=2))


@pytest.mark.parametrize("missing", sorted(STANDARD))
def test_half_a_standard_signature_is_none_even_beside_ours(missing: str) -> None:
    with pytest.raises(webhooks.MissingHeader):
        webhooks.verify({name: value for name, value in HEADERS.items() if name != missing}, BODY, NEW, now=NOW)


def test_no_signature_at_all() -> None:
    with pytest.raises(webhooks.MissingHeader):
        webhooks.verify({"Content-Type": "application/json"}, BODY, NEW, now=NOW)


def test_one_good_scheme_does_not_excuse_a_bad_one() -> None:
    mixed = {**HEADERS, "webhook-id": "del_2"}
    with pytest.raises(webhooks.WrongSignature):
        webhooks.verify(mixed, BODY, NEW, now=NOW)
    with pytest.raises(webhooks.WrongSignature):
        webhooks.verify(HEADERS, BODY, OLD, now=NOW)


def test_a_text_signed_for_one_scheme_is_none_of_the_other() -> None:
    # Signed as `t.body`, shown as `id.timestamp.body`: the id would be all digits.
    own = webhooks.sign([NEW], id="del_1", timestamp=STAMP, body=f"{STAMP}.x".encode())[webhooks.ROXELS_HEADER]
    digest = bytes.fromhex(own.split("v1=")[1])
    forged = {
        "webhook-id": str(STAMP),
        "webhook-timestamp": str(STAMP),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    with pytest.raises(webhooks.MalformedHeader):
        webhooks.verify(forged, b"x", NEW, now=NOW)


@pytest.mark.parametrize("id", ["", "1716480000", "del.1"])
def test_an_id_that_could_be_read_two_ways_is_never_signed(id: str) -> None:
    with pytest.raises(ValueError, match="no dot"):
        webhooks.sign([NEW], id=id, timestamp=STAMP, body=BODY)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_???", "whsec_a", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_é"]
)
def test_a_bad_secret_is_named_and_not_shown(secret: str) -> None:
    with pytest.raises(webhooks.BadSecret) as caught:
        webhooks.verify(HEADERS, BODY, secret, now=NOW)
    assert str(caught.value) == webhooks.BadSecret.__doc__
    with pytest.raises(webhooks.BadSecret):
        webhooks.sign([secret], id="del_1", timestamp=STAMP, body=BODY)


def test_nothing_is_signed_with_no_secret() -> None:
    with pytest.raises(ValueError, match="at least one"):
        webhooks.sign([], id="del_1", timestamp=STAMP, body=BODY)
