"""Starting: the same values on every start, quickly, and a clear sentence where it cannot."""

import json
import socket
import statistics
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROXELS, Demo

KEYS = {
    "url",
    "demo_url",
    "dashboard_url",
    "docs_url",
    "sink_url",
    "environment",
    "pid",
    "secret_key",
    "embed_key",
    "webhook_secret",
    "template_id",
    "dashboard_login",
}


@pytest.mark.alone
def test_later_starts_are_quick_and_say_the_same(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data").start()
    first = {**demo.config, "pid": 0}
    assert set(demo.config) == KEYS
    took = []
    for _ in range(5):
        demo.kill()
        demo.start()
        took.append(demo.took)
        assert {**demo.config, "pid": 0} == first
    assert demo.stop() in (0, -15)
    print(f"median of five starts: {statistics.median(took):.2f} s")
    assert statistics.median(took) <= 3.0
    memo = tmp_path / "data" / "demo.json"
    assert memo.stat().st_mode & 0o777 == 0o600
    assert json.loads(memo.read_text())["secret_key"] == first["secret_key"]


def test_the_secrets_stand_in_no_database(tmp_path: Path) -> None:
    with Demo(tmp_path / "data") as demo:
        raw = b"".join(file.read_bytes() for file in demo.data.glob("roxels.db*"))
        for secret in (
            demo.config["secret_key"],
            demo.config["webhook_secret"],
            demo.config["dashboard_login"]["password"],
        ):
            assert secret.encode() not in raw


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        command = [str(ROXELS), "demo", "--port", port, "--data", str(tmp_path / "data"), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"Port {port} is taken" in done.stderr
