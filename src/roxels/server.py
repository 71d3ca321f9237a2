"""Where things meet: `build` opens what is kept, introduces the rooms to each other, and returns the application."""

import msgspec
from fastapi import FastAPI

from roxels.storage.leases import Processes
from roxels.storage.store import Store
from roxels.wire.rooms import Rooms


class House(msgspec.Struct, frozen=True):
    """What one running server is made of."""

    app: FastAPI
    store: Store
    rooms: Rooms
    processes: Processes

    def close(self) -> None:
        """Close what `build` opened."""
        self.processes.close()
        self.store.close()
