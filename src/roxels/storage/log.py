"""The log: the only place that touches `events` and `pieces`.

An append is a value, not a closure, so that the writer can put many into one transaction. Three things fence it:

    expected_seq   the log must stand where the caller's state stands, else `Behind`: read on, fold, decide again
    epoch          only the process that holds the conversation may speak, else `Superseded`: stop speaking
    existence      a conversation that was erased, or is being erased, answers `Gone`

A piece changes no fact, but it too is refused when the log moved on: the answer it belongs to may be over.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from roxels.domain.conversation import EMPTY, Conversation, fold
from roxels.domain.errors import Conflict, NotFound
from roxels.domain.events import Fact, decode, encode, name_of
from roxels.domain.occasions import Recipe
from roxels.storage.freezing import UNMADE, freeze_ready
from roxels.storage.lifecycle import tell_of_failures
from roxels.storage.owing import Due, owe, row_of
from roxels.storage.prepared import WANTED, Prepared, PreparedSelect
from roxels.storage.schema import ERASING, conversations, events, pieces
from roxels.storage.transaction import AcrossWriting, Reading, View, Writing

_standing = PreparedSelect(
    select(conversations.c.id, conversations.c.head, conversations.c.epoch)
    .where(conversations.c.id.in_(WANTED))
    .order_by(conversations.c.id)  # in one order: nobody waits in a circle
    .with_for_update(key_share=True)
)
_keep_facts = Prepared(insert(events), "conversation_id seq type at session_id body")
_keep_pieces = Prepared(insert(pieces), "conversation_id utterance_id start text")
_drop_pieces = Prepared(
    delete(pieces).where(pieces.c.conversation_id == bindparam("of"), pieces.c.utterance_id == bindparam("utterance")),
    "of utterance",
)
_row = update(conversations).where(conversations.c.id == bindparam("of"))
_move = Prepared(_row, "head last_activity_at of")
_project = Prepared(
    _row,
    "status ended_by top_proof is_proven adopted_at is_vouched head started_at ended_at last_activity_at of",
)
#: What the row of a conversation shows of its state, besides how far it got.
_shown = attrgetter("status", "ended_by", "sessions", "adopted_at", "is_vouched", "started_at", "ended_at")


class Behind(Conflict):
    """The conversation has moved on since it was read. Read it again and decide anew."""


class Superseded(Conflict):
    """Another process speaks for this conversation now."""


class Gone(NotFound):
    """There is no such conversation (any more)."""


class Piece(msgspec.Struct, frozen=True):
    """Words of an answer under way, from code point `start` on."""

    utterance_id: str
    start: int
    text: str


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """What to keep together. `facts` are numbered from `expected_seq + 1`; `state` is what they fold to."""

    conversation_id: str
    expected_seq: int
    #: What they were decided upon; where it is given, no more of the row is written than they change.
    before: Conversation | None = None
    #: The epoch under which the caller speaks; None where it does not speak.
    epoch: int | None = None
    facts: tuple[Fact, ...] = ()
    state: Conversation | None = None
    piece: Piece | None = None
    #: The answer that became a fact: its pieces go.
    ended_utterance: str | None = None
    due: tuple[Due, ...] = ()

    @property
    def head(self) -> int:
        """Where the log stands afterwards."""
        return self.expected_seq + len(self.facts)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as it lies in the database: folded facts, and what was shown of an unfinished answer."""

    id: str
    environment: str
    person_id: str
    #: What was read for it: all of them, or those after the state that was known already.
    facts: tuple[Fact, ...]
    state: Conversation
    said_so_far: str
    epoch: int
    speaker: str | None
    left_at: datetime | None
    memory_changed_at: datetime | None = None


def keep_facts(connection: Connection, facts: Iterable[tuple[str, Fact]]) -> None:
    """Write rows of `events`, each of a conversation."""
    rows = [
        (of, fact.seq, name_of(fact.event), fact.at, fact.session_id, encode(fact.event).decode()) for of, fact in facts
    ]
    _keep_facts.run(connection, rows)


def write(connection: Connection, batch: Sequence[Append]) -> list[Exception | None]:
    """Write what is not refused, with one statement per table; answers each append in its place."""
    heads = _heads(connection, {append.conversation_id for append in batch})
    answers: list[Exception | None] = []
    accepted: list[Append] = []
    for append in batch:
        refusal = _refusal(append, heads.get(append.conversation_id))
        answers.append(refusal)
        if refusal is None:
            accepted.append(append)
            heads[append.conversation_id] = (append.head, heads[append.conversation_id][1])
    _write_rows(connection, accepted)
    return answers


def keep(tx: Writing | AcrossWriting, append: Append) -> None:
    """Write one append inside an action's own transaction. Raises what refuses it."""
    refusal = write(tx.connection, [append])[0]
    if refusal is not None:
        raise refusal
    tx.touched.add(append.conversation_id)
    tx.counts.update(counted(append))
    tx.owes = tx.owes or bool(append.due)


def counted(append: Append) -> Iterable[tuple[str, str]]:
    """Its facts as `/metrics` counts them."""
    return [("events", name_of(fact.event)) for fact in append.facts]


def read_facts(view: View, conversation_id: str, *, after: int = 0, limit: int | None = None) -> list[Fact]:
    """The facts after that place, in order."""
    query = (
        select(events.c.seq, events.c.at, events.c.session_id, events.c.body)
        .where(events.c.conversation_id == conversation_id, events.c.seq > after)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [
        Fact(seq=seq, at=at, session_id=session_id, event=decode(body)) for seq, at, session_id, body in view.all(query)
    ]


def read_said(view: View, conversation_id: str, utterance_id: str) -> str:
    """What was shown so far of an unfinished answer."""
    query = (
        select(pieces.c.text)
        .where(pieces.c.conversation_id == conversation_id, pieces.c.utterance_id == utterance_id)
        .order_by(pieces.c.start)
    )
    return "".join(row.text for row in view.all(query))


def read(view: View, conversation_id: str, *, since: Conversation = EMPTY) -> Stored:
    """The conversation as it stands; `since` saves folding what is folded already. Raises `Gone`."""
    stored = find(view, conversation_id, since=since)
    if stored is None:
        raise Gone
    return stored


def own(tx: Reading, conversation_id: str, *, since: Conversation = EMPTY) -> Stored:
    """The conversation as it stands, of this environment. Raises `NotFound`."""
    stored = find(tx, conversation_id, since=since)
    if stored is None or stored.environment != tx.environment:
        raise NotFound("There is no such conversation in this environment.")
    return stored


def find(view: View, conversation_id: str, *, since: Conversation = EMPTY) -> Stored | None:
    """The conversation as it stands, or None."""
    row = view.first(view.held(select(conversations).where(conversations.c.id == conversation_id)))
    if row is None or row.epoch == ERASING:
        return None
    facts = read_facts(view, conversation_id, after=since.head)
    state = fold(facts, since)
    unfinished = state.unfinished
    return Stored(
        id=row.id,
        environment=row.environment,
        person_id=row.person_id,
        facts=tuple(facts),
        state=state,
        said_so_far=read_said(view, conversation_id, unfinished.utterance_id) if unfinished else "",
        epoch=row.epoch,
        speaker=row.speaker,
        left_at=row.left_at,
        memory_changed_at=row.memory_changed_at,
    )


def _heads(connection: Connection, ids: set[str]) -> dict[str, tuple[int, int]]:
    return {id: (head, epoch) for id, head, epoch in _standing.all(connection, sorted(ids))}


def _refusal(append: Append, standing: tuple[int, int] | None) -> Exception | None:
    if standing is None:
        return Gone()
    head, epoch = standing
    if epoch == ERASING:
        return Gone()
    if append.epoch is not None and append.epoch != epoch:
        return Superseded()
    if append.expected_seq != head:
        return Behind()
    return None


def _write_rows(connection: Connection, accepted: Sequence[Append]) -> None:
    said = [(append.conversation_id, append.piece) for append in accepted if append.piece is not None]
    ended = [(append.conversation_id, append.ended_utterance) for append in accepted if append.ended_utterance]
    keep_facts(connection, ((append.conversation_id, fact) for append in accepted for fact in append.facts))
    _keep_pieces.run(connection, [(of, piece.utterance_id, piece.start, piece.text) for of, piece in said])
    _drop_pieces.run(connection, ended)
    _write_projections(connection, [append for append in accepted if append.facts])
    due = [row_of(due, append.conversation_id, _at(append)) for append in accepted for due in append.due]
    if due:
        owe(connection, due)
        _freeze_ready(connection, accepted)


def _at(append: Append) -> datetime | None:
    return append.facts[-1].at if append.facts else None


def _freeze_ready(connection: Connection, accepted: Sequence[Append]) -> None:
    """What waits for answers that are in already is made at once."""
    for append in accepted:
        if append.facts and any(isinstance(due.owed.made, Recipe) for due in append.due):
            at = append.facts[-1].at
            unmade = freeze_ready(connection, [append.conversation_id], at)
            tell_of_failures(AcrossWriting(connection, at), {each.id: (None, UNMADE) for each in unmade})


def _write_projections(connection: Connection, accepted: Sequence[Append]) -> None:
    """The rows of conversations, once each: as they stand after the last append of it, and in full if one needs it."""
    last = {append.conversation_id: _state(append) for append in accepted}
    in_full = {append.conversation_id for append in accepted if not _is_same(append)}
    _move.run(connection, [(at.head, at.last_activity_at, of) for of, at in last.items() if of not in in_full])
    _project.run(connection, [_projection(of, last[of]) for of in last if of in in_full])


def _state(append: Append) -> Conversation:
    if append.state is None or append.state.head != append.head:
        raise ValueError("an append with facts carries the state that they fold to")
    return append.state


def _is_same(append: Append) -> bool:
    return append.before is not None and bool(_shown(append.before) == _shown(append.state))


def _projection(of: str, state: Conversation) -> tuple[Any, ...]:
    return (
        state.status,
        state.ended_by,
        int(state.top_proof),
        state.is_proven,
        state.adopted_at,
        state.is_vouched,
        state.head,
        state.started_at,
        state.ended_at,
        state.last_activity_at,
        of,
    )
