"""Admit a browser to a visit: open one with an embed key, or exchange what a server opened. Both answer alike."""

from datetime import datetime

import msgspec

from roxels.actions.identify import identify
from roxels.actions.manage import Sealer
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.domain import domains
from roxels.domain.conversation import Conversation
from roxels.domain.errors import NotFound, Unauthorized
from roxels.domain.ids import Ids
from roxels.domain.proof import Proof
from roxels.domain.resumption import Reason, Report, report
from roxels.storage import devices, keys, log, sessions, templates
from roxels.storage.sessions import Holder, Visit
from roxels.storage.transaction import Reading, Writing

#: The one answer to everybody who is not let in.
CLOSED = "This visit cannot be entered: it is unknown, over, or was entered before. Open a new one."


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that a browser holds. `token` is shown once, here."""

    session_id: str
    token: str
    expires_at: datetime
    report: Report


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser brings to be let in: an opened visit, and where it asks from."""

    visit: Visit
    #: The origins that were named, e.g. by the browser and by the page around the frame.
    origins: tuple[str, ...] = ()
    own_origin: str
    timezone: str | None = None
    locale: str | None = None
    #: The browser, by the hash of its device secret, the host of the page around the frame, and the mark of its tab.
    browser: str | None = None
    host: str | None = None
    tab: str | None = None


def admit(tx: Writing, wish: VisitRequest, ids: Ids) -> Admitted:
    """Open a visit and hand it to the browser that asks. Raises `NotFound` when the template is gone."""
    return handed(tx, open_visit(tx, wish, ids))


def handed(tx: Reading, opened: Opened) -> Admitted:
    """An opened visit, as the browser gets it that asked."""
    if opened.token is None:
        raise Unauthorized
    return Admitted(
        session_id=opened.session_id,
        token=opened.token,
        expires_at=opened.expires_at,
        report=_report(tx, opened.conversation_id, opened.state, reason=opened.reason, proof=opened.proof),
    )


def admit_by_token(tx: Writing, wish: VisitRequest, token: str, sealer: Sealer, ids: Ids) -> Admitted:
    """The same for whom an identity token names. Raises what `identify` raises."""
    return admit(tx, identify(tx, wish, token, sealer), ids)


def exchange(tx: Writing, asked: Exchange, ids: Ids) -> Admitted:
    """Hand a waiting visit to the first browser that comes, and to the same one again (its page was loaded anew).

    Raises `Unauthorized`, the same for every reason.
    """
    visit, token = asked.visit, ids.secret("st")
    allowed = visit.allowed_domains if visit.allowed_domains is not None else _domains(tx, visit)
    if not all(domains.permits(allowed, origin, asked.own_origin) for origin in asked.origins):
        raise Unauthorized(CLOSED)
    holder = Holder(browser=asked.browser, tab=asked.tab, timezone=asked.timezone, locale=asked.locale)
    if not visit.may_stay or not sessions.exchange(tx, visit.session_id, token, holder):
        raise Unauthorized(CLOSED)
    if asked.browser is not None:
        is_verified = visit.proof is Proof.verified
        devices.see(tx, visit.person_id, asked.browser, asked.host, verified=is_verified, ids=ids)
    state = log.read(tx, visit.conversation_id).state
    reason: Reason = msgspec.convert(visit.reason, Reason)
    return Admitted(
        session_id=visit.session_id,
        token=token,
        expires_at=visit.expires_at,
        report=_report(tx, visit.conversation_id, state, reason=reason, proof=visit.proof),
    )


def _domains(tx: Reading, visit: Visit) -> tuple[str, ...]:
    """Where the keys of the conversation's template let it be shown."""
    return keys.domains_of(tx, log.read(tx, visit.conversation_id).state.template_id)


def _report(tx: Reading, conversation_id: str, state: Conversation, *, reason: Reason, proof: Proof) -> Report:
    kept = templates.version(tx, state.template_id, state.template_version)
    if kept is None:
        raise NotFound
    said = log.read_said(tx, conversation_id, state.unfinished.utterance_id) if state.unfinished else ""
    return report(kept.read(), state, reason=reason, proof=proof.name, said=len(said))
