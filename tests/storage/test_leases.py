"""Who speaks: one living process at a time; what a dead one held is free at once."""

import subprocess
import sys
from pathlib import Path

from roxels.storage import leases
from roxels.storage.leases import Processes
from roxels.storage.store import Store
from roxels.testing import CountedIds
from tests.storage.test_log import opened

HOLD = """
import sys, time
from pathlib import Path
from roxels.storage.leases import Processes
Processes(Path(sys.argv[1]), "other")
print("held", flush=True)
time.sleep(60)
"""


async def test_a_living_speaker_is_not_robbed(store: Store, template_id: str, ids: CountedIds, tmp_path: Path) -> None:
    visit = await opened(store, template_id, ids)
    ours, theirs = Processes(tmp_path / "processes", "ours"), Processes(tmp_path / "processes", "theirs")
    assert await store.write("test", leases.take, visit.conversation_id, ours) == 1
    assert await store.write("test", leases.take, visit.conversation_id, theirs) is None
    await store.write("test", leases.release, visit.conversation_id, 1)
    assert await store.write("test", leases.take, visit.conversation_id, theirs) == 2
    assert ours.others() == ["theirs"]
    ours.close()
    theirs.close()


async def test_what_a_killed_process_held_is_free_at_once(
    store: Store, template_id: str, ids: CountedIds, tmp_path: Path
) -> None:
    visit = await opened(store, template_id, ids)
    folder = tmp_path / "processes"
    ours = Processes(folder, "ours")
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert ours.is_alive("other")
        other.kill()
        other.wait()
    assert not ours.is_alive("other")
    assert await store.write("test", leases.take, visit.conversation_id, ours) == 1
    ours.close()
