"""Operators: who may look into the dashboard, and their sessions in it. They belong to no environment.

A password is kept as Argon2id with the parameters that OWASP names (19 MiB, 2 passes, 1 lane): about 25 ms of work, so
it is checked on a thread, never on the event loop. A session's token is kept as a hash, like every other token.
"""

from datetime import datetime, timedelta

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, insert, select, update

from roxels.domain.errors import Invalid
from roxels.domain.ids import Ids, hashed
from roxels.storage.schema import operator_sessions, operators
from roxels.storage.transaction import AcrossWriting, View, Writing

SESSION_LIFE = timedelta(hours=12)
MIN_PASSWORD = 10
#: Longer ones would only cost time.
MAX_PASSWORD = 1000

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

#: The hash of a password that was thrown away: what is checked where no such operator is, so that it takes as long.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$upzWqMxe8YYFnVLt7XM69g$Kc2K4w9GIZzCSUGsiA6b/ihGgILkcYsoDo+4+t91nfs"


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may look into the dashboard."""

    id: str
    email: str


def create(tx: Writing | AcrossWriting, email: str, password: str, ids: Ids) -> Operator:
    """Keep an operator; where one of this e-mail stands, set the password and end all sessions. Raises `Invalid`."""
    email = cleaned(email)
    if "@" not in email:
        raise Invalid("An operator's `email` must be an e-mail address.", field="email")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Invalid(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.", field="password")
    known = by_email(tx, email)
    if known is not None:
        _set_password(tx, known[0], password)
        return known[0]
    operator = Operator(id=ids.new("op"), email=email)
    tx.run(
        insert(operators).values(id=operator.id, email=email, password_hash=_hasher.hash(password), created_at=tx.now)
    )
    return operator


def by_email(view: View, email: str) -> tuple[Operator, str] | None:
    """The operator of this e-mail with the hash of the password."""
    row = view.first(select(operators).where(operators.c.email == cleaned(email)))
    return None if row is None else (Operator(id=row.id, email=row.email), row.password_hash)


def cleaned(email: str) -> str:
    """An e-mail as it is compared: without spaces around, in lower case."""
    return email.strip().lower()


def fits(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one; None, where there is no such operator, takes as long and never fits.

    Slow on purpose: call it on a thread.
    """
    try:
        _hasher.verify(password_hash or NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def count(view: View) -> int:
    """How many operators there are."""
    return int(view.value(select(func.count()).select_from(operators)))


# Sessions -----------------------------------------------------------------------------------------------------------


def open_session(tx: AcrossWriting, operator_id: str, token: str) -> datetime:
    """Keep a session for 12 hours, say until when; what is over is swept on the way."""
    expires_at = tx.now + SESSION_LIFE
    tx.run(delete(operator_sessions).where(operator_sessions.c.expires_at <= tx.now))
    tx.run(
        insert(operator_sessions).values(
            token_hash=hashed(token), operator_id=operator_id, created_at=tx.now, expires_at=expires_at
        )
    )
    return expires_at


def by_token(view: View, token: str) -> Operator | None:
    """Whose session this token opens, while it holds."""
    query = (
        select(operators.c.id, operators.c.email)
        .join(operator_sessions, operator_sessions.c.operator_id == operators.c.id)
        .where(operator_sessions.c.token_hash == hashed(token), operator_sessions.c.expires_at > view.now)
    )
    row = view.first(query)
    return None if row is None else Operator(id=row.id, email=row.email)


def end_session(tx: AcrossWriting, token: str) -> None:
    """The token opens nothing any more."""
    tx.run(delete(operator_sessions).where(operator_sessions.c.token_hash == hashed(token)))


def _set_password(tx: Writing | AcrossWriting, operator: Operator, password: str) -> None:
    tx.run(update(operators).where(operators.c.id == operator.id).values(password_hash=_hasher.hash(password)))
    tx.run(delete(operator_sessions).where(operator_sessions.c.operator_id == operator.id))
