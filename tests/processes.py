"""Real servers in processes of their own, for tests that kill them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROXELS = Path(sys.executable).with_name("roxels")


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """`roxels demo` on a data folder; it can be killed and started again on the same port."""

    def __init__(self, data: Path, *, port: int | None = None, **settings: str) -> None:
        self.data = data
        self.port = port or free_port()
        self.config: dict[str, Any] = {}
        #: Seconds from exec to the first line of the latest start.
        self.took = 0.0
        #: What is run: `roxels`, or something around it.
        self.program: list[str] = [str(ROXELS)]
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Start it and wait for its first line."""
        began = time.monotonic()
        with (self.data.parent / f"{self.data.name}.log").open("a") as log:
            self._process = subprocess.Popen(
                [*self.program, "demo", "--port", str(self.port), "--data", str(self.data), "--json"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment(),
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the server did not start: {(self.data.parent / f'{self.data.name}.log').read_text()[-2000:]}"
        self.took = time.monotonic() - began
        self.config = json.loads(line)
        return self

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def dead(self) -> int:
        """Wait until it has ended by itself; says by which signal, negative."""
        process = self._process
        assert process is not None
        return process.wait(30)

    def stop(self) -> int:
        """SIGTERM, and what the process said at its end."""
        return self._end(signal.SIGTERM)

    def _environment(self) -> dict[str, str]:
        """Ours with its settings; compiled modules are kept, as `make run` does."""
        ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return ours | {f"ROXELS_{name.upper()}": value for name, value in self._settings.items()}

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        try:
            return process.wait(15)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
