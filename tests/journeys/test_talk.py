"""`roxels talk` in a real terminal: leave with Ctrl-C in the middle of an answer, come back, and it goes on."""

import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROXELS, Demo


class Terminal:
    """A program on a terminal of its own, and everything that it wrote."""

    def __init__(self, *command: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        os.set_blocking(self._master, False)
        self.written = ""

    def until(self, pattern: str, seconds: float = 20) -> str:
        """Read until the pattern stands in what it wrote."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.written, re.DOTALL):
            assert time.monotonic() < deadline, f"never wrote {pattern!r}:\n{self.written}"
            self._read()
        return self.written

    def type(self, text: str) -> None:
        os.write(self._master, text.encode() + b"\n")

    def interrupt(self) -> str:
        """Ctrl-C, and all that it wrote until its end."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait(10)
        self._read()
        os.close(self._master)
        return self.written

    def _read(self) -> None:
        try:
            self.written += os.read(self._master, 65536).decode(errors="replace").replace("\r\n", "\n")
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            time.sleep(0.02)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with Demo(tmp_path / "data", scripted_cps="60") as demo:
        yield demo


def test_left_in_mid_answer_it_goes_on_at_the_next_character(demo: Demo) -> None:
    command = [str(ROXELS), "talk", "--external-id", "ada", "--name", "Ada", "--data", str(demo.data)]
    first = Terminal(*command)
    first.until("green first\\?")
    first.type("The conservatory")
    first.until("conservatory.*(noted|Got it|Alright|Thank|Fine|Good)")
    left = first.interrupt()
    assert "Come back any time" in left
    assert "Traceback" not in left
    second = Terminal(*command)
    back = second.until("live there already\\?")
    assert "Going on where you left off" in back
    second.type("25")
    second.until("bright, medium or dim")
    second.interrupt()
    beginning = left.partition("The conservatory\n")[2].partition("\nCome back")[0].strip()
    whole = re.sub(r"\s+", " ", back)
    assert re.sub(r"\s+", " ", beginning)[:12] in whole
    assert whole.count("green first?") == 1


def test_without_a_server_it_says_what_to_do(tmp_path: Path) -> None:
    command = [str(ROXELS), "talk", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "make run" in done.stderr
