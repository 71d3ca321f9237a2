"""Revoke what a browser or an identity secret stands for: the sessions end at once, and who listens is sent away."""

from contextlib import suppress

from roxels.actions.audit import Auditor
from roxels.actions.finish import end_visit
from roxels.domain.errors import NotFound
from roxels.storage import devices, sessions
from roxels.storage.audit import BROWSER
from roxels.storage.devices import Device
from roxels.storage.log import Gone
from roxels.storage.transaction import Writing


def revoke_device(tx: Writing, person_id: str, device_id: str) -> Device:
    """This browser is a stranger to this person from now on; a second time changes nothing. Raises `NotFound`."""
    device = devices.get(tx, device_id)
    if device is None or device.person_id != person_id:
        raise NotFound
    devices.revoke(tx, device)
    _end_sessions(tx, device.browser, person_id)
    return devices.get(tx, device_id) or device


def sign_out(tx: Writing, browser: str, auditor: Auditor) -> None:
    """This browser is a stranger to everybody from now on."""
    for person_id in devices.persons_of(tx, browser):
        auditor.note(tx, BROWSER, "device.reset", ("person", person_id))
    devices.revoke_browser(tx, browser)
    _end_sessions(tx, browser, None)


def withdraw_proof(tx: Writing, identity_secret_id: str) -> None:
    """The visits that this secret let in are over, and the browsers that it verified are not verified any more.

    Who listens is sent away, and comes back with a token that another secret signed, where their page has one.
    """
    for conversation_id, session_id in sessions.end_let_in_by(tx, identity_secret_id):
        end_session(tx, conversation_id, session_id)
    devices.unprove(tx, identity_secret_id)


def end_session(tx: Writing, conversation_id: str, session_id: str) -> None:
    """The session that a browser holds is over; where its conversation is being erased, it is already."""
    with suppress(Gone):
        end_visit(tx, conversation_id, session_id, "revoked")


def _end_sessions(tx: Writing, browser: str, person_id: str | None) -> None:
    for live in devices.live_sessions(tx, browser, person_id):
        end_visit(tx, live.conversation_id, live.session_id, "revoked")
