"""Keep what a participant says where another process speaks for the conversation."""

from roxels.domain import conversation as decide
from roxels.domain.conversation import Conversation
from roxels.domain.events import PersonSaid
from roxels.storage import conversations, log
from roxels.storage.transaction import Writing


def hear(tx: Writing, conversation_id: str, session_id: str, message: PersonSaid) -> Conversation:
    """Keep these words, once per id. An answer under way ends at its last kept character.

    How much of it is kept only this transaction knows: who speaks may be further than anybody else has read. What they
    add afterwards is refused, so that they read on and answer. Raises `NotFound`, and `Conflict` when it is over.
    """
    stored = log.own(tx, conversation_id)
    events = decide.hear(stored.state, message, stored.said_so_far)
    if not events:
        return stored.state
    unfinished = stored.state.unfinished
    return conversations.add(
        tx,
        conversation_id,
        stored.state,
        session_id,
        events,
        ended_utterance=unfinished.utterance_id if unfinished else None,
    )
