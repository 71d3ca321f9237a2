"""What a listener's frames do: the one table between a link and its room, for both transports."""

from typing import assert_never

from roxels.domain.errors import RoxelsError, Unauthorized
from roxels.storage.sessions import Visit
from roxels.wire.link import Link
from roxels.wire.protocol import Ack, ClientFrame, Correct, Deed, Heard, Hello, Leave, Say
from roxels.wire.room import Room
from roxels.wire.rooms import Rooms


class Attendance:
    """One connection: a link, and once it is in, its visit and its room."""

    def __init__(self, rooms: Rooms, link: Link, address: str = "") -> None:
        self.link = link
        self.room: Room | None = None
        self.visit: Visit | None = None
        #: A message is being acted upon: what was begun is brought to its end, also where the sender is gone.
        self.is_acting = False
        self._rooms = rooms
        self._address = address

    async def receive(self, text: str | bytes) -> None:
        """Act upon one message. What it does not accept it answers; it never raises for the sender's faults."""
        frame = self.link.receive(text)
        if frame is None:
            return
        self.is_acting = True
        try:
            await self._act(frame, len(text))
        except RoxelsError as fault:
            self.link.refuse(fault, fatal=self.room is None or isinstance(fault, Unauthorized))
        finally:
            self.is_acting = False

    async def enter(self, visit: Visit, hello: Hello) -> None:
        """Let the listener in."""
        self.visit = visit
        self.room = await self._rooms.enter(self.link, visit, after=hello.after, rendered=hello.rendered)

    async def leave(self) -> None:
        """The connection is gone. Leaving never ends a conversation."""
        self.link.state = "closed"
        if self.room is not None:
            await self._rooms.leave(self.link, self.room)

    async def _act(self, frame: ClientFrame, size: int) -> None:
        if isinstance(frame, Hello):
            await self.enter(await self._rooms.visit_of(frame.token), frame)
            return
        if self.room is None or self.visit is None:
            raise AssertionError("a link that is open has a room")
        self._rooms.count(self.visit, frame, self._address, size)
        ack = await act(self._rooms, self.room, self.visit, frame)
        if ack is not None:
            self.link.send(ack)
        if isinstance(frame, Leave):
            self.link.close(1000)


async def act(rooms: Rooms, room: Room, visit: Visit, frame: Deed) -> Ack | None:
    """Do what a participant's frame asks for. Words are acknowledged."""
    match frame:
        case Say():
            return Ack(id=frame.id, seq=await room.hear(visit, frame.id, frame.text))
        case Correct():
            await room.correct(visit, frame.goal_id, frame.field, frame.value)
        case Heard():
            await room.mark_heard(visit, frame.utterance_id, frame.chars)
        case Leave():
            await rooms.hang_up(visit)
        case _:
            assert_never(frame)
    return None
