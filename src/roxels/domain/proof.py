"""How sure we are who is there, and what that opens.

`anonymous < claimed < device < verified`. What a session may see of a person's past is one value, `Sight`, and only
`sight_of` makes it: storage's readers of a past take a `Sight`, so nothing can read one without having asked here.

Until the policies `device` and `verified` are in force, every template behaves as `history_requires: claimed` and
every identified session sees all of the person's conversations; an anonymous one sees nothing earlier.
"""

from enum import IntEnum
from typing import Literal

import msgspec

from roxels.domain.errors import Internal


class Proof(IntEnum):
    """How a session's person is known; ordered, so that `max` is the highest."""

    anonymous = 0
    claimed = 1
    device = 2
    verified = 3


#: How a session was opened.
Method = Literal["none", "external_id", "secret_key"]

_MAKER = object()


class Sight(msgspec.Struct, frozen=True):
    """What one session may see of one person's past. Made by `sight_of` only."""

    person_id: str
    sees_past: bool
    maker: object = None

    def __post_init__(self) -> None:
        if self.maker is not _MAKER:
            raise Internal("a Sight is made by domain.proof.sight_of alone")


def sight_of(person_id: str, proof: Proof) -> Sight:
    """What a session with this proof sees of this person's past conversations."""
    return Sight(person_id=person_id, sees_past=proof > Proof.anonymous, maker=_MAKER)
