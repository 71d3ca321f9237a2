"""What runs outside any transaction, and may take long: where several threads write, no change waits for it."""

import asyncio
import threading

from roxels.storage import installation
from roxels.storage.database import Backend
from roxels.storage.store import Store

#: More than there are threads that write, of whatever database.
CROWD = 12


async def test_changes_wait_for_it_only_where_one_thread_writes(store: Store) -> None:
    goes_on, has_begun = threading.Event(), threading.Event()

    def take_long(database: Backend) -> None:
        with database.writer.connect():  # as VACUUM does
            has_begun.set()
            goes_on.wait(20)

    async def change() -> None:
        await store.write_across(installation.answers)

    long = asyncio.create_task(store.alone(take_long))
    try:
        while not has_begun.is_set():
            await asyncio.sleep(0.001)
        crowd = [asyncio.create_task(change()) for _ in range(CROWD)]
        done, waiting = await asyncio.wait(crowd, timeout=0.3 if store.database.writers == 1 else 20)
    finally:
        goes_on.set()
    await asyncio.gather(long, *waiting)
    assert len(done) == (0 if store.database.writers == 1 else CROWD)
