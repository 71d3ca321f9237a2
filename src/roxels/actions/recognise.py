"""Recognise, while a talk runs, who it is with: what `Roxels.setPerson` asks for. One table:

    the running talk     who is named                                       outcome
    of nobody            nobody                                             renamed or unchanged
    of nobody            somebody, and the policy's proof is there          adopted: it goes on as hers, in a new visit
    of nobody            somebody, and it is not                            kept: it goes on as nobody's
    of somebody          the same, better proven than this visit            reopened: a new visit, by the opening rule
    of somebody          the same, no better proven                         renamed or unchanged
    of somebody          another, or nobody                                 detached: it stays open for its owner

Whoever rises gets a new token, and the old one opens nothing any more. An identity token is used up only where it lets
somebody in: after `kept` and `detached` the next start presents it again. Under `device` and `verified` a claim is kept
out whether its name is known or not.
"""

from typing import Literal

import msgspec

from roxels.actions import recollect
from roxels.actions.admit import Admitted, handed
from roxels.actions.adopt import adopt
from roxels.actions.finish import end_visit
from roxels.actions.identify import Vouched, vouch
from roxels.actions.manage import Sealer
from roxels.actions.open import VisitRequest, name, open_in, open_visit, weigh
from roxels.domain.conversation import Conversation
from roxels.domain.errors import NotFound
from roxels.domain.events import PersonNamed
from roxels.domain.ids import Ids
from roxels.domain.persons import Person
from roxels.domain.proof import Proof
from roxels.storage import conversations, log, persons, templates
from roxels.storage.sessions import Visit
from roxels.storage.transaction import Writing

Outcome = Literal["unchanged", "renamed", "adopted", "kept", "reopened", "detached"]


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `admitted`: the new visit, where there is one."""

    outcome: Outcome
    admitted: Admitted | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a running talk says that it is with. `browser` and `host`: as in a `VisitRequest`."""

    visit: Visit
    external_id: str | None
    person_name: str | None
    identity_token: str | None
    browser: str | None
    host: str | None


def recognise(tx: Writing, claim: Claim, sealer: Sealer, ids: Ids) -> Recognised:
    """Find the outcome, and bring it about. Raises what `identify` raises."""
    visit = claim.visit
    state = log.read(tx, visit.conversation_id).state
    wish = _wish(claim, state)
    vouched = None if claim.identity_token is None else vouch(tx, wish, claim.identity_token, sealer)
    wish = vouched.wish if vouched else wish
    if wish.external_id is None:
        return _renamed(tx, claim, state) if visit.external_id is None else Recognised(outcome="detached")
    if visit.external_id not in (None, wish.external_id):
        return Recognised(outcome="detached")
    kept = templates.active(tx, wish.template_id)
    if kept is None:
        raise NotFound
    if visit.external_id is None:
        return _adopted(tx, claim, wish, kept.read().history_requires, vouched, state, ids)
    if wish.proof <= visit.proof:
        return _renamed(tx, claim, state)
    if vouched:
        vouched.use_up(tx)
    end_visit(tx, visit.conversation_id, visit.session_id, "revoked")
    return Recognised(outcome="reopened", admitted=handed(tx, open_visit(tx, wish, ids)))


def _adopted(
    tx: Writing, claim: Claim, wish: VisitRequest, policy: Proof, vouched: Vouched | None, state: Conversation, ids: Ids
) -> Recognised:
    """A claim that is kept out leaves nothing behind: nobody is made for it, so time does not tell who was there."""
    visit = claim.visit
    sight = weigh(tx, wish, policy, _named_so(tx, wish, ids)).sight
    is_free = state.is_open and state.adopted_at is None and state.top_proof is Proof.anonymous
    if not (sight.meets_policy and is_free and (sight.proof is Proof.verified or not state.is_proven)):
        return Recognised(outcome="kept")
    if vouched:
        vouched.use_up(tx)
    named = name(tx, wish, policy, ids)
    adopt(tx, visit.conversation_id, named.person.id, proof=named.sight.proof, session_id=visit.session_id)
    end_visit(tx, visit.conversation_id, visit.session_id, "revoked")
    opened = open_in(tx, wish, named, visit.conversation_id, ids)
    return Recognised(outcome="adopted", admitted=handed(tx, opened))


def _named_so(tx: Writing, wish: VisitRequest, ids: Ids) -> Person:
    """Whom the customer calls that, or somebody new."""
    found = persons.find(tx, wish.external_id) if wish.external_id is not None else None
    return found or persons.blank(tx, wish.external_id, ids)


def _renamed(tx: Writing, claim: Claim, state: Conversation) -> Recognised:
    """A new name for whom it is with already. It is told in this talk; a server's name is never replaced by it, where
    the visit may know that there is one: else what comes of it would say who is known."""
    called, visit = claim.person_name, claim.visit
    person = persons.get(tx, visit.person_id)
    sight = recollect.sight(tx, visit.person_id, visit.proof, visit.browser, state.template_id)
    may_know = visit.external_id is None or sight.tells_attributes
    is_servers = may_know and person is not None and person.name_source == "server" and person.name is not None
    if called is None or person is None or called == state.person_name or is_servers or not state.is_open:
        return Recognised(outcome="unchanged")
    conversations.add(tx, visit.conversation_id, state, visit.session_id, [PersonNamed(name=called)])
    if visit.external_id is None:
        persons.seen(tx, person, called, "browser")
    return Recognised(outcome="renamed")


def _wish(claim: Claim, state: Conversation) -> VisitRequest:
    visit = claim.visit
    return VisitRequest(
        template_id=state.template_id,
        external_id=claim.external_id,
        name=claim.person_name,
        source="browser",
        proof=Proof.anonymous if claim.external_id is None else Proof.claimed,
        method="none" if claim.external_id is None else "external_id",
        context={},
        timezone=visit.timezone,
        locale=visit.locale,
        browser=claim.browser,
        host=claim.host,
    )
