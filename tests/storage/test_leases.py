"""Who speaks: one living process at a time; what a dead one held is free at once."""

import asyncio
import fcntl
import os
import subprocess
import sys
from pathlib import Path

from roxels.storage import leases
from roxels.storage.database import Backend
from roxels.storage.store import Store
from roxels.testing import CountedIds
from tests.storage.test_log import opened

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from tests.cluster import open_in
lock = open_in(Path(sys.argv[1])).join("other")
print("held", flush=True)
time.sleep(60)
"""


async def test_a_living_speaker_is_not_robbed(
    store: Store, database: Backend, template_id: str, ids: CountedIds
) -> None:
    visit = await opened(store, template_id, ids)
    ours, theirs = database.join("ours"), database.join("theirs")
    assert await store.write("test", leases.take, visit.conversation_id, ours) == 1
    assert await store.write("test", leases.take, visit.conversation_id, theirs) is None
    await store.write("test", leases.release, visit.conversation_id, 1)
    assert await store.write("test", leases.take, visit.conversation_id, theirs) == 2
    assert ours.others() == ["theirs"]
    ours.close()
    theirs.close()


async def test_a_process_that_is_looked_at_while_it_starts_lives(tmp_path: Path) -> None:
    """Between making its file and locking it, another one takes it for dead, and removes it."""
    one = leases.Processes(tmp_path, "one")
    look = os.open(tmp_path / "two", os.O_CREAT | os.O_RDWR)
    fcntl.flock(look, fcntl.LOCK_EX)
    starting = asyncio.create_task(asyncio.to_thread(leases.Processes, tmp_path, "two"))
    await asyncio.sleep(0.05)
    (tmp_path / "two").unlink()
    os.close(look)
    two = await starting
    assert one.is_alive("two")
    assert one.others() == ["two"]
    two.close()
    assert one.others() == []
    one.close()


async def test_what_a_killed_process_held_is_free_at_once(
    store: Store, database: Backend, template_id: str, ids: CountedIds, tmp_path: Path
) -> None:
    visit = await opened(store, template_id, ids)
    ours = database.join("ours")
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert ours.is_alive("other")
        other.kill()
        other.wait()
    async with asyncio.timeout(2):  # its session ends when the server reads that its socket is closed
        while await store.run(lambda: ours.is_alive("other")):
            await asyncio.sleep(0.001)
    assert await store.write("test", leases.take, visit.conversation_id, ours) == 1
    ours.close()
