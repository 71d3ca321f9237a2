"""Sign and verify webhooks: what Roxels sends, a receiver can prove. Standard library only; nothing of ours in it.

The law. A secret is `whsec_<base64>`; its decoded bytes are the key of two HMAC-SHA256, one each per valid secret:

    header                form                             what the HMAC is over
    X-Roxels-Signature    t=<unix>,v1=<hex>[,v1=<hex>]     <t> . <raw body>
    webhook-id            del_…
    webhook-timestamp     <unix>
    webhook-signature     v1,<base64>[ v1,<base64>]        <webhook-id> . <webhook-timestamp> . <raw body>

The last three are Standard Webhooks (https://www.standardwebhooks.com), and the only ones that sign the id. So whoever
drops repeats by `webhook-id` needs them. An id holds no dot and at least one character that is no digit: no text signed
for one scheme can then be read as a text of the other.

Verifying: every scheme that is present must hold, at least one must be; one matching secret is enough, which is how
secrets rotate; the signature is judged before the time, so `TooOld` and `TooNew` speak of genuine messages only.

    message = webhooks.verify(request.headers, raw_body, "whsec_…", now=datetime.now(UTC))
    if seen_before(message.id): return 200
"""

import base64
import binascii
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

PREFIX = "whsec_"
ROXELS_HEADER = "X-Roxels-Signature"
TOLERANCE = timedelta(minutes=5)


class WebhookError(Exception):
    """This webhook cannot be trusted. Answer 400 and do nothing with it."""

    code: ClassVar[str] = "webhook_error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class BadSecret(WebhookError):
    """The webhook secret is not `whsec_` and base64. Copy it again from where it was shown once."""

    code = "bad_secret"


class MissingHeader(WebhookError):
    """No complete signature. Pass on `X-Roxels-Signature`, or all of `webhook-id`, `-timestamp` and `-signature`."""

    code = "missing_header"


class MalformedHeader(WebhookError):
    """A signature header cannot be read. Pass the headers on exactly as they were received."""

    code = "malformed_header"


class WrongSignature(WebhookError):
    """No signature fits. Verify the raw body, byte for byte, with the secret of this environment."""

    code = "wrong_signature"


class TooOld(WebhookError):
    """The message is genuine but was signed too long ago. It may be a replay, or the clock here is ahead."""

    code = "too_old"


class TooNew(WebhookError):
    """The message is genuine but was signed in the future. The clock here is behind."""

    code = "too_new"


class NotACommit(WebhookError):
    """The webhook is genuine, but its body is not the default one. Read the body as the output describes it."""

    code = "not_a_commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A webhook that has proved where it comes from."""

    #: `webhook-id`, the same for every attempt at one delivery; None where only `X-Roxels-Signature` came.
    id: str | None
    #: When this attempt was signed: aware, UTC, whole seconds.
    signed_at: datetime
    #: The raw body, the bytes that were signed.
    body: bytes
    #: The `Idempotency-Key`: the commit's id, by which repeats are dropped. No signature covers it; `id` is covered.
    key: str | None = None

    def event(self) -> "Event | None":
        """What happened, where this is no commit: `understanding`, or a lifecycle event; None for any other body."""
        return _event(self.body)

    def commit(self) -> "Commit":
        """The default body, read. Raises `NotACommit` where the output has a body of its own; then read `body`."""
        return _commit(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What was committed, as the default body tells it."""

    commit_id: str
    #: None at the end of a conversation.
    goal_id: str | None
    revision: int
    #: Aware, UTC.
    committed_at: datetime
    #: The goal's fields; at the end of a phase or conversation {goal: fields}.
    data: dict[str, Any]
    context: dict[str, Any]
    #: Your own id for the person; None for an anonymous one.
    external_id: str | None
    person_id: str
    #: `anonymous`, `claimed`, `device` or `verified`.
    proof: str
    interview_id: str
    template_id: str
    session_id: str | None
    #: Somebody tried the output out: nobody said this.
    is_test: bool = False
    #: Which keys of `context` a browser gave: the participant's word, not your server's.
    context_from_browser: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened and is no commit."""

    #: `understanding`, `conversation.completed` ...
    name: str
    #: The same for every attempt.
    id: str
    #: Aware, UTC.
    created_at: datetime
    #: Your own id for the person; None for an anonymous one, and where nobody may be named.
    external_id: str | None
    #: All of it, with what each event says beside this.
    body: dict[str, Any]


class Seen:
    """Remembers which webhooks were done, in a file of SQLite, so that each is done once.

        with seen.once(message) as is_new:
            if is_new:
                ...

    The id is kept when the block ends without an exception. Others with the same id wait for that meanwhile, up to
    `patience` seconds; then `sqlite3.OperationalError` tells Roxels to come again. For several servers keep
    `message.id` in a database that they share.
    """

    def __init__(self, path: str | Path, *, patience: float = 5.0) -> None:
        self._path = str(path)
        self._patience = patience
        with closing(self._connection()) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY)")

    @contextmanager
    def once(self, message: Message) -> Iterator[bool]:
        """Whether this webhook is to be done now. Raises `MissingHeader` where it has no id that was signed."""
        if message.id is None:
            raise MissingHeader
        with closing(self._connection()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                found = connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", [message.id])
                yield found.rowcount == 1
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=self._patience, isolation_level=None)


def secret_from(key: bytes) -> str:
    """The written form of a key: `whsec_<base64>`. 24 to 64 random bytes, as Standard Webhooks has it."""
    return PREFIX + base64.b64encode(key).decode()


def sign(secrets: Sequence[str], *, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The four headers of one attempt. `timestamp` is that of the attempt, in unix seconds; `id` that of the delivery.

    Raises `BadSecret`; `ValueError` where `id` holds a dot or nothing but digits, or where there is no secret.
    """
    if not secrets:
        raise ValueError("a webhook is signed with at least one secret")
    if not _is_id(id):
        raise ValueError("a webhook id holds no dot and not only digits")
    keys = [_key(secret) for secret in secrets]
    own = [_own_signature(key, str(timestamp), body) for key in keys]
    standard = [_standard_signature(key, id, str(timestamp), body) for key in keys]
    return {
        ROXELS_HEADER: ",".join([f"t={timestamp}", *(f"v1={one}" for one in own)]),
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in standard),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secret: str | Sequence[str],
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Message:
    """Prove that `body` came from Roxels, or raise a `WebhookError` that says what is wrong.

    `headers` in any case; `body` as received, before any parsing; `secret` one or several (while rotating);
    `now` aware. A message is good up to and including `tolerance` before and after `now`.
    """
    keys = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    found = {name.lower(): value for name, value in headers.items()}
    id, stamps = None, []
    if any(name in found for name in ("webhook-id", "webhook-timestamp", "webhook-signature")):
        id, stamp = _proved_standard(found, body, keys)
        stamps.append(stamp)
    if ROXELS_HEADER.lower() in found:
        stamps.append(_proved_own(found[ROXELS_HEADER.lower()], body, keys))
    if not stamps:
        raise MissingHeader
    if min(stamps) < now - tolerance:
        raise TooOld
    if max(stamps) > now + tolerance:
        raise TooNew
    return Message(id=id, signed_at=min(stamps), body=body, key=found.get("idempotency-key"))


def _commit(body: bytes) -> Commit:
    try:
        told = json.loads(body)
        return Commit(
            commit_id=told["commit_id"],
            goal_id=told["goal_id"],
            revision=told["revision"],
            committed_at=datetime.fromisoformat(told["committed_at"]),
            data=told["data"],
            context=told["context"],
            external_id=told["external_id"],
            person_id=told["person_id"],
            proof=told["identity"]["proof"],
            interview_id=told["interview_id"],
            template_id=told["template_id"],
            session_id=told["session_id"],
            is_test=told.get("test") is True,
            context_from_browser=tuple(told.get("context_from_browser", ())),
        )
    except (ValueError, KeyError, TypeError):
        raise NotACommit from None


def _event(body: bytes) -> Event | None:
    try:
        told = json.loads(body)
        return Event(
            name=told["event"],
            id=told["event_id"],
            created_at=datetime.fromisoformat(told["created_at"]),
            external_id=told.get("external_id"),
            body=told,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _proved_standard(found: Mapping[str, str], body: bytes, keys: Iterable[bytes]) -> tuple[str, datetime]:
    try:
        id, stamp, given = (found[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature"))
    except KeyError:
        raise MissingHeader from None
    if not _is_id(id):
        raise MalformedHeader
    pairs = [one.partition(",") for one in given.split(" ")]
    signed_at = _moment(stamp)
    _require_match(
        [_standard_signature(key, id, stamp, body) for key in keys],
        [value for version, _, value in pairs if version == "v1"],
    )
    return id, signed_at


def _proved_own(header: str, body: bytes, keys: Iterable[bytes]) -> datetime:
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    if len(stamps) != 1:
        raise MalformedHeader
    signed_at = _moment(stamps[0])
    _require_match(
        [_own_signature(key, stamps[0], body) for key in keys],
        [value for name, _, value in pairs if name == "v1"],
    )
    return signed_at


def _require_match(expected: Sequence[str], given: Sequence[str]) -> None:
    """Compare each with each, without stopping early: the time taken tells nothing about which one fits."""
    hits = [
        hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogatepass"))
        for ours in expected
        for theirs in given
    ]
    if not any(hits):
        raise WrongSignature


def _own_signature(key: bytes, stamp: str, body: bytes) -> str:
    return hmac.new(key, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _standard_signature(key: bytes, id: str, stamp: str, body: bytes) -> str:
    text = f"{id}.{stamp}.".encode("utf-8", "surrogatepass") + body
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def _is_id(id: str) -> bool:
    return "." not in id and not id.isdigit() and id != ""


def _moment(stamp: str) -> datetime:
    """Unix seconds in plain digits; eleven of them reach the year 5138, and no further is needed."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        raise MalformedHeader
    return datetime.fromtimestamp(int(stamp), UTC)


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        raise BadSecret
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret from None
    if not key:
        raise BadSecret
    return key
