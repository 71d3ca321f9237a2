"""Processes to measure: a Roxels server with a speaker of no latency, and a bare server that does almost nothing.

    python -m bench.serving roxels --data DIR --pieces 200 --pause 0.02
    python -m bench.serving bare --pieces 200 --pause 0.02

Each prints one line of JSON when it answers, and runs on the first core.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bench.speaking import PIECE, PiecesSpeaker
from roxels import server
from roxels.actions import author, manage
from roxels.ambient import RandomIds, SystemClock
from roxels.settings import Settings
from roxels.storage.transaction import Writing

TEMPLATE = {
    "name": "Bench",
    "goals": [{"id": "g1", "schema": {"note": {"type": "string", "description": "What is it?"}}}],
    "settings": {"embedded": {"resumption": True, "launcher": {"enabled": True}}},
}


class Served(msgspec.Struct, frozen=True):
    """A running process and what it said at its start."""

    pid: int
    config: dict[str, Any]

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident(self) -> int:
        """Bytes of memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def served(kind: str, *arguments: object) -> Iterator[Served]:
    """Start a process, wait until it answers, end it afterwards."""
    command = [sys.executable, "-m", "bench.serving", kind, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Served(process.pid, json.loads(process.stdout.readline()))
        finally:
            process.kill()


def on_core(number: int) -> None:
    """Stay on this core, where there is more than one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[number % len(cores)]})


async def _roxels(data: Path, pieces: int, pause: float, template_id: str | None) -> None:
    given = Settings(data=data, port=0, limits=False, log_level="error", allow_private_targets=True)
    listener = server.listen(given)
    given = given.model_copy(update={"port": listener.getsockname()[1]})
    house = server.build(given, clock=SystemClock(), ids=RandomIds(), speaker=PiecesSpeaker(pieces, pause))

    def prepare(tx: Writing) -> dict[str, str]:
        served_id = template_id or author.create(tx, TEMPLATE, house.ids).id
        key = manage.create_embed_key(tx, served_id, [], house.ids)
        _, secret = manage.create_api_key(tx, "bench", house.ids)
        return {"embed_key": key.key, "secret_key": secret, "template_id": served_id}

    config = await house.store.write("test", prepare)
    config["url"] = server.origin_of(given)

    def ready() -> None:
        print(json.dumps(config), flush=True)

    await server.Server(house, on_ready=ready).serve(sockets=[listener])


async def _bare(pieces: int, pause: float) -> None:
    """One frame in, so many out; nothing is kept, nothing is checked."""
    words = [json.dumps({"frame": "piece", "from": n * len(PIECE), "text": PIECE}) for n in range(pieces)]

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                await socket.receive_text()
                for word in words:
                    await socket.send_text(word)
                    if pause:
                        await asyncio.sleep(pause)
                await socket.send_text('{"frame":"event","type":"agent.said"}')
        except WebSocketDisconnect:
            return

    listener = server.listen(Settings(port=0))
    app = Starlette(routes=[WebSocketRoute("/", talk)])
    config = uvicorn.Config(app, ws="websockets-sansio", ws_per_message_deflate=False, log_config=None, lifespan="off")
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("roxels", "bare"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--template", help="serve this one of the data folder instead of a new one")
    parser.add_argument("--pieces", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.0)
    given = parser.parse_args()
    on_core(0)
    if given.kind == "roxels":
        server.run(_roxels(given.data, given.pieces, given.pause, given.template))
    else:
        server.run(_bare(given.pieces, given.pause))


if __name__ == "__main__":
    main()
