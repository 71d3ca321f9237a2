"""Operators: who may look into the dashboard, and their sessions in it. They belong to no environment.

A password is kept as Argon2id with the parameters that OWASP names (19 MiB, 2 passes, 1 lane): about 25 ms of work, so
it is checked on a thread, never on the event loop. A session's token is kept as a hash, like every other token.

Who becomes an operator is decided on the server itself: whoever can read its log, or run `roxels login` there, has a
code, and with it chooses a password. A code holds for a quarter of an hour and works once.

    code for        opens
    nobody yet      the first operator's e-mail and password, while there is no operator
    an e-mail       that operator's password, new or forgotten; all their sessions end
"""

import base64
from datetime import datetime, timedelta

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, insert, select, update

from roxels.domain.errors import Invalid
from roxels.domain.ids import Ids, hashed
from roxels.storage.schema import operator_codes, operator_sessions, operators
from roxels.storage.transaction import AcrossWriting, View, Writing

SESSION_LIFE = timedelta(hours=12)
CODE_LIFE = timedelta(minutes=15)
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
    check(email, password)
    return _keep(tx, cleaned(email), protected(password), ids)


def check(email: str, password: str) -> None:
    """Whether these can be an operator's. Raises `Invalid`."""
    if "@" not in cleaned(email).strip("@"):
        raise Invalid("An operator's `email` must be an e-mail address.", field="email")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Invalid(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.", field="password")


def protected(password: str) -> str:
    """What is kept of a password. Slow on purpose: call it on a thread."""
    return _hasher.hash(password)


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


def everyone(view: View) -> list[Operator]:
    """Who may sign in."""
    rows = view.all(select(operators.c.id, operators.c.email).order_by(operators.c.email))
    return [Operator(id=row.id, email=row.email) for row in rows]


def emails(view: View) -> list[str]:
    """Whose e-mails may sign in."""
    return [each.email for each in everyone(view)]


# Codes --------------------------------------------------------------------------------------------------------------


def new_code(ids: Ids) -> str:
    """A code that can be typed: 80 random bits in groups of four letters and digits."""
    written = base64.b32encode(ids.key(10)).decode()
    return "-".join(written[start : start + 4] for start in range(0, 16, 4))


def keep_code(tx: AcrossWriting, code: str, email: str | None) -> datetime:
    """Let this code open what it is for, and say until when; what is over is swept on the way."""
    expires_at = tx.now + CODE_LIFE
    tx.run(delete(operator_codes).where(operator_codes.c.expires_at <= tx.now))
    tx.run(
        insert(operator_codes).values(
            code_hash=_code_hash(code), email=None if email is None else cleaned(email), expires_at=expires_at
        )
    )
    return expires_at


def redeem(tx: AcrossWriting, code: str, email: str, password_hash: str, ids: Ids) -> Operator | None:
    """The operator whose password is set now; None where the code opens nothing for this e-mail. A code goes by it."""
    found = tx.first(
        select(operator_codes.c.email).where(
            operator_codes.c.code_hash == _code_hash(code), operator_codes.c.expires_at > tx.now
        )
    )
    fits_who = found is not None and (count(tx) == 0 if found.email is None else found.email == cleaned(email))
    # Whoever deletes it has it: of two at once the other one finds nothing left.
    if not fits_who or not tx.run(delete(operator_codes).where(operator_codes.c.code_hash == _code_hash(code))):
        return None
    return _keep(tx, cleaned(email), password_hash, ids)


def _code_hash(code: str) -> str:
    """However it was typed: in small letters, with or without its dashes."""
    return hashed("".join(code.split()).replace("-", "").upper())


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


def end_all_sessions(tx: Writing | AcrossWriting, operator_id: str) -> None:
    """Sign an operator out everywhere."""
    tx.run(delete(operator_sessions).where(operator_sessions.c.operator_id == operator_id))


def _keep(tx: Writing | AcrossWriting, email: str, password_hash: str, ids: Ids) -> Operator:
    known = by_email(tx, email)
    if known is not None:
        tx.run(update(operators).where(operators.c.id == known[0].id).values(password_hash=password_hash))
        end_all_sessions(tx, known[0].id)
        return known[0]
    operator = Operator(id=ids.new("op"), email=email)
    tx.run(insert(operators).values(id=operator.id, email=email, password_hash=password_hash, created_at=tx.now))
    return operator
