"""`Idempotency-Key`: a POST that is sent again is answered again, and done once.

    the key is ...                          then
    new, or older than 24 h                 do it, keep the answer in the same transaction
    known, for the same request             the kept answer, with `Idempotent-Replayed: true`
    known, for another request              409
    known, and the answer showed a secret   409 naming the resource: the secret was not kept

Same request: same method, path, query and body, byte for byte. Honoured where a secret key is presented.
"""

import hashlib
from collections.abc import Callable

import msgspec
from fastapi import Request

from roxels.actions.manage import Sealer
from roxels.api.answers import Answer, encoded
from roxels.domain.errors import Conflict, Invalid
from roxels.storage import idempotency
from roxels.storage.idempotency import Answered
from roxels.storage.transaction import Environment, Reading, Writing

HEADER = "Idempotency-Key"
MAX_KEY = 255


class Once(msgspec.Struct, frozen=True):
    """The key that came with a request, and a hash of the request."""

    key: str
    request_hash: str


async def once_of(request: Request) -> Once | None:
    """The `Idempotency-Key` of a POST, or None. Raises `Invalid`."""
    key = request.headers.get(HEADER)
    if request.method != "POST" or key is None:
        return None
    if not key.isascii() or not key.isprintable() or not 0 < len(key) <= MAX_KEY:
        raise Invalid(f"`{HEADER}` must be 1 to {MAX_KEY} printable ASCII characters.", field=HEADER)
    digest = hashlib.sha256()
    for part in (request.url.path.encode(), request.url.query.encode(), await request.body()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return Once(key, digest.hexdigest())


def kept(tx: Reading, once: Once | None, sealer: Sealer) -> Answer | None:
    """What this key was answered already, if it was. Raises `Conflict`; see the table above."""
    earlier = None if once is None else idempotency.find(tx, once.key)
    return None if once is None or earlier is None else _again(once, tx.environment, earlier, sealer)


def answered(tx: Writing, once: Once | None, work: Callable[[Writing], Answer], sealer: Sealer) -> Answer:
    """Do the work, unless this key was answered already; see the table above."""
    if once is None:
        return work(tx)
    earlier = kept(tx, once, sealer)
    if earlier is not None:
        return earlier
    answer = work(tx)
    text = answer.shows_secret_of or encoded(answer.body)
    idempotency.keep(
        tx,
        Answered(
            key=once.key,
            request_hash=once.request_hash,
            status_code=SHOWN_ONCE if answer.shows_secret_of else answer.status,
            body=sealer.seal(text, environment=tx.environment, id=idempotency.place(once.key)),
            person_id=answer.person_id,
            conversation_id=answer.conversation_id,
        ),
    )
    return answer


#: Kept instead of the status where the body is no answer but the id of what was made.
SHOWN_ONCE = 409


def _again(once: Once, environment: Environment, earlier: Answered, sealer: Sealer) -> Answer:
    if earlier.request_hash != once.request_hash:
        raise Conflict(f"This `{HEADER}` came with another request within 24 hours; use a new one.", field=HEADER)
    text = sealer.open(earlier.body, environment=environment, id=idempotency.place(once.key))
    if earlier.status_code == SHOWN_ONCE:
        raise Conflict(f"This request was done already and made {text}. Its secret was shown then, and is not kept.")
    return Answer(body=msgspec.json.decode(text), status=earlier.status_code, headers={"Idempotent-Replayed": "true"})
