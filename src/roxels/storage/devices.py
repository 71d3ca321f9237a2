"""Devices: browsers in which somebody talked as a person. A row is one (browser, person); the browser's secret stands
in the frame's cookie, and only its hash here."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import and_, or_, select, update

from roxels.domain.ids import Ids
from roxels.domain.proof import Proof
from roxels.storage.schema import conversations, devices, identity_secrets, sessions
from roxels.storage.transaction import AnySelect, Reading, Rows, Writing


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A browser's standing with one person."""

    id: str
    person_id: str
    browser: str
    host: str | None
    created_at: datetime
    last_seen_at: datetime
    verified_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether it still proves that the same browser talks again."""
        return self.revoked_at is None

    @property
    def is_verified(self) -> bool:
        """Whether a verified session of this person was held by it."""
        return self.verified_at is not None and self.stands


class Live(msgspec.Struct, frozen=True):
    """A session that goes on, and where."""

    session_id: str
    conversation_id: str


def find(tx: Reading, person_id: str, browser: str) -> Device | None:
    """The standing of this browser with this person, revoked or not."""
    return _one(tx, _DEVICES.where(devices.c.person_id == person_id, devices.c.browser_hash == browser))


def get(tx: Reading, device_id: str) -> Device | None:
    """The device of that id."""
    return _one(tx, _DEVICES.where(devices.c.environment == tx.environment, devices.c.id == device_id))


def of_person(tx: Reading, person_id: str) -> list[Device]:
    """The devices of this person, the latest seen first."""
    query = _DEVICES.where(devices.c.environment == tx.environment, devices.c.person_id == person_id)
    return [_device(row) for row in tx.all(query.order_by(devices.c.last_seen_at.desc(), devices.c.id))]


def see(tx: Writing, person_id: str, browser: str, host: str | None, *, verified: bool, ids: Ids) -> None:
    """This browser talks as this person, with a verified session or not."""
    row = {
        "id": ids.new("dev"),
        "environment": tx.environment,
        "person_id": person_id,
        "browser_hash": browser,
        "host": host,
        "created_at": tx.now,
        "last_seen_at": tx.now,
        "verified_at": tx.now if verified else None,
    }
    if tx.insert_if_absent(devices, row):
        return
    own = (devices.c.person_id == person_id, devices.c.browser_hash == browser, devices.c.revoked_at.is_(None))
    tx.run(update(devices).where(*own).values(last_seen_at=tx.now))
    if verified:
        tx.run(update(devices).where(*own, devices.c.verified_at.is_(None)).values(verified_at=tx.now))


def is_spent(tx: Reading, browser: str) -> bool:
    """Whether a standing of this browser was revoked: then it starts over under another secret."""
    where = (devices.c.browser_hash == browser, devices.c.environment == tx.environment)
    return tx.first(select(devices.c.id).where(*where, devices.c.revoked_at.is_not(None)).limit(1)) is not None


def revoke(tx: Writing, device: Device) -> None:
    """From now on this browser is a stranger to this person."""
    tx.run(update(devices).where(devices.c.id == device.id, devices.c.revoked_at.is_(None)).values(revoked_at=tx.now))


def persons_of(tx: Reading, browser: str) -> list[str]:
    """Those whom this browser is known to."""
    query = select(devices.c.person_id).where(
        devices.c.environment == tx.environment, devices.c.browser_hash == browser, devices.c.revoked_at.is_(None)
    )
    return [row.person_id for row in tx.all(query.order_by(devices.c.created_at, devices.c.id))]


def revoke_browser(tx: Writing, browser: str) -> None:
    """From now on this browser is a stranger to everybody. One that nobody talked in yet has nothing to lose."""
    tx.run(
        update(devices)
        .where(
            devices.c.environment == tx.environment, devices.c.browser_hash == browser, devices.c.revoked_at.is_(None)
        )
        .values(revoked_at=tx.now)
    )


def unprove(tx: Writing, identity_secret_id: str) -> None:
    """Browsers that only this revoked secret proved were never verified. Those that another proof came to stay so."""
    verified = (sessions.c.environment == tx.environment, sessions.c.proof == int(Proof.verified))
    proven_by_it = (
        select(devices.c.id)
        .join(sessions, _SAME_BROWSER)
        .where(*verified, sessions.c.identity_secret_id == identity_secret_id)
    )
    in_force = select(identity_secrets.c.id).where(identity_secrets.c.revoked_at.is_(None))
    stays = or_(sessions.c.identity_secret_id.is_(None), sessions.c.identity_secret_id.in_(in_force))
    proven_else = select(sessions.c.id).where(*verified, _SAME_BROWSER, stays)
    tx.run(
        update(devices)
        .where(devices.c.id.in_(proven_by_it), ~proven_else.exists(), devices.c.verified_at.is_not(None))
        .values(verified_at=None)
    )


def live_sessions(tx: Reading, browser: str, person_id: str | None) -> Sequence[Live]:
    """The sessions that this browser holds: of this person, or of everybody (None)."""
    query = select(sessions.c.id, sessions.c.conversation_id).where(
        sessions.c.environment == tx.environment, sessions.c.browser_hash == browser, sessions.c.ended_at.is_(None)
    )
    if person_id is not None:
        query = query.where(sessions.c.person_id == person_id)
    return [Live(row.id, row.conversation_id) for row in tx.all(query)]


def anonymous_talk(tx: Reading, template_id: str, browser: str, tab_hash: str) -> Live | None:
    """The newest session of this very browser and tab in an anonymous conversation on this template; in no trial."""
    query = (
        select(sessions.c.id, sessions.c.conversation_id)
        .join(conversations, conversations.c.id == sessions.c.conversation_id)
        .where(
            sessions.c.environment == tx.environment,
            sessions.c.browser_hash == browser,
            sessions.c.tab_hash == tab_hash,
            sessions.c.proof == 0,
            sessions.c.person_id == conversations.c.person_id,
            conversations.c.template_id == template_id,
            conversations.c.top_proof == 0,
            conversations.c.epoch >= 0,
            ~conversations.c.is_trial,
        )
        .order_by(sessions.c.created_at.desc())
        .limit(1)
    )
    row = tx.first(query)
    return None if row is None else Live(row.id, row.conversation_id)


_SAME_BROWSER = and_(sessions.c.person_id == devices.c.person_id, sessions.c.browser_hash == devices.c.browser_hash)
_COLUMNS = [column for column in devices.c if column.name != "environment"]
_DEVICES: AnySelect = select(*_COLUMNS)


def _one(tx: Reading, query: AnySelect) -> Device | None:
    row = tx.first(query)
    return None if row is None else _device(row)


def _device(row: Rows) -> Device:
    values = dict(row._mapping)
    return Device(browser=values.pop("browser_hash"), **values)
