"""Adopt a conversation: say that it is somebody's after all. A link, never a rewrite: the log stays and gains one fact.

    adopt    whose it is          its first person is linked    vouched for, on verified grounds (`domain.proof`)
    undo     the first person's   the adopter stays linked, where words of hers stand in it; her visits in it end

While it is adopted, visits of its first person are not let in (`sessions.Visit.may_stay`): they would hear what the
adopter says, and speak in her past.

    What is not adopted                                                    because
    a conversation in which somebody was verified                          two verified persons never merge
    one that is adopted already                                            that is undone first
    one in which words of another stand, whose adoption was undone         she would lose them

Both who are linked have a claim to be forgotten: it is erased, and exported, with either.
"""

from roxels.actions.finish import end_visit
from roxels.domain.errors import Conflict, NotFound
from roxels.domain.events import AdoptionUndone, ConversationAdopted
from roxels.domain.proof import Proof
from roxels.storage import conversations, jobs, log, persons, sessions
from roxels.storage.log import Stored
from roxels.storage.transaction import Writing


def adopt(
    tx: Writing, conversation_id: str, person_id: str, *, proof: Proof = Proof.verified, session_id: str | None = None
) -> None:
    """This conversation is this person's from here on. A second time changes nothing. Raises `NotFound`, `Conflict`.

    `proof`: on what grounds; an operator's or a server's word is as good as `verified`. `session_id`: the visit that
    was at it, where one was.
    """
    stored = log.own(tx, conversation_id)
    if persons.get(tx, person_id) is None:
        raise NotFound("There is no person with this id in this environment.", field="person_id")
    _check_not_erased(tx, stored.person_id)
    state = stored.state
    if state.adopted_at is not None and stored.person_id == person_id:
        return
    _check(stored, person_id, conversations.linked_person(tx, conversation_id))
    _drop_exports(tx, stored.person_id, person_id)
    first = None if stored.person_id == person_id else stored.person_id
    linked = first or conversations.linked_person(tx, conversation_id)
    conversations.add(tx, conversation_id, state, session_id, [ConversationAdopted(proof=proof.name)])
    conversations.link(tx, conversation_id, person_id=person_id, linked=linked)
    conversations.touch(tx, stored.person_id, person_id)


def undo(tx: Writing, conversation_id: str) -> None:
    """The whole conversation is its first person's again. Raises `NotFound`, `Conflict` where it is not adopted."""
    stored = log.own(tx, conversation_id)
    state, adopter = stored.state, stored.person_id
    if state.adopted_at is None:
        raise Conflict("This conversation is not adopted, so there is nothing to undo.")
    first = conversations.linked_person(tx, conversation_id) or adopter
    _check_not_erased(tx, first, adopter)
    hers = [id for id, whose in sessions.persons_of(tx, conversation_id).items() if whose == adopter != first]
    for session_id in hers:
        state = end_visit(tx, conversation_id, session_id, "revoked")
    _drop_exports(tx, first, adopter)
    conversations.add(tx, conversation_id, state, None, [AdoptionUndone()])
    conversations.link(tx, conversation_id, person_id=first, linked=adopter if hers else None)
    conversations.touch(tx, first, adopter)


def _check(stored: Stored, person_id: str, linked: str | None) -> None:
    if stored.state.adopted_at is not None:
        raise Conflict(
            "This conversation is adopted by somebody else; undo that first: DELETE /v1/interviews/{id}/adopt."
        )
    if stored.state.top_proof is Proof.verified:
        if stored.person_id == person_id:
            raise Conflict("Somebody was verified as this person in this conversation; it needs no adoption.")
        raise Conflict(
            "Somebody else was verified in this conversation. Two verified persons are never merged: adopt only talks "
            "that are anonymous or unproven."
        )
    if linked not in (None, person_id):
        raise Conflict("Words of somebody who had adopted this conversation stand in it; only she can adopt it again.")


def _check_not_erased(tx: Writing, *person_ids: str) -> None:
    """What is theirs goes with them, and does not become another's meanwhile. Raises `NotFound`."""
    if any(persons.get(tx, each) is None for each in person_ids):
        raise NotFound("There is no such conversation in this environment.")


def _drop_exports(tx: Writing, *person_ids: str) -> None:
    """What they hold is not what belongs to these persons any more."""
    for person_id in person_ids:
        jobs.drop_exports(tx, person_id)
