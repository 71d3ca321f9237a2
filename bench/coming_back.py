"""P2: a long conversation is whole again: from hello to the complete view."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import people, stock
from bench.figures import Figure, Scale, at, ms
from bench.serving import Served, served
from bench.wire import Socket
from roxels.storage.transaction import Writing

#: Coming back so often gives a p95.
TIMES = 100


def resume(scale: Scale) -> Sequence[Figure]:
    """P2."""
    few, many = (_times(scale, others) for others in (10, scale.others))
    p95, ratio = at(many, 0.95), at(many, 0.5) / at(few, 0.5)
    return [
        Figure(
            id="P2",
            what=f"resume of a {scale.messages}-message conversation, hello → complete view, with {scale.others:,} "
            "other conversations against 10",
            goal="p95 ≤ 15 ms; ≤ 1.2 ×",
            measured=f"p95 {ms(p95)} (p50 {ms(at(many, 0.5))}); {ratio:.2f} ×",
            holds=p95 <= 0.015 and ratio <= 1.2,
        )
    ]


def _times(scale: Scale, others: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        said = [f"Sentence number {number}" for number in range(scale.messages // 2)]

        def plant(tx: Writing, template_id: str) -> str:
            for number, person_id in enumerate(stock.persons(tx, others, prefix="other")):
                stock.conversation(tx, template_id, person_id, number, ["Something"] * 3)
            [person_id] = stock.persons(tx, 1, prefix="long")
            stock.conversation(tx, template_id, person_id, others, said)
            return template_id

        template_id = stock.stocked(Path(folder), plant)
        with served("roxels", "--data", folder, "--template", template_id) as process:
            return asyncio.run(_come_back(process, len(said)))


async def _come_back(process: Served, answers: int) -> list[float]:
    [opened] = await people.sessions(process, 1, name="long {}")
    assert opened["resumption"]["turns"] == 2 * answers, opened["resumption"]
    took = []
    for _ in range(TIMES):
        socket = await Socket.connect(process.config["url"], "/v1/wire")
        began = time.perf_counter()
        socket.send({"frame": "hello", "v": 1, "token": opened["token"], "after": 0, "rendered": None})
        for _ in range(answers):
            await socket.until(people.SAID)
        took.append(time.perf_counter() - began)
        socket.close()
        await asyncio.sleep(0.01)
    return took
