"""Where things meet: `build` opens what is kept, introduces the rooms to each other, and returns the application.

Nothing here decides anything. Whatever a test wants to be different (time, ids, speaker) is an argument.
"""

import logging
from pathlib import Path

import msgspec
from fastapi import FastAPI

from roxels.storage.leases import Processes
from roxels.storage.store import Store
from roxels.storage.vault import Keyring
from roxels.wire.rooms import Rooms

logger = logging.getLogger(__name__)

EMBED = Path(__file__).parent / "embed"


class House(msgspec.Struct, frozen=True):
    """One server and what it is made of."""

    app: FastAPI
    store: Store
    rooms: Rooms
    keyring: Keyring
    processes: Processes
