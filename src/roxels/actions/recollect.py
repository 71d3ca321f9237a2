"""Recollect what a visit may use of a person's past."""

from roxels.domain.memory import Memory, remember
from roxels.domain.proof import Proof, sight_of
from roxels.storage import conversations
from roxels.storage.transaction import Reading


def recollect(tx: Reading, person_id: str, proof: Proof, conversation_id: str) -> Memory:
    """The memory of all other conversations that a visit with this proof may see."""
    return remember(conversations.earlier(tx, sight_of(person_id, proof), but=conversation_id))
