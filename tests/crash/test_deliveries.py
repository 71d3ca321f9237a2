"""`kill -9` of a real server at each named point of a delivery's life: none is lost, and who gets it twice can tell.

`tests.crash.dying` has the table of points; `send.received` is the one that only the receiver sees.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.cluster import Cluster
from tests.crash.test_erasing import told
from tests.journeys.http_person import HttpPerson
from tests.outbound.sink import Answer, Sink, sinking
from tests.processes import Demo

#: How often the receiver gets the delivery.
POINTS = {
    "plan.written": 1,
    "plan.kept": 1,
    "claim.written": 1,
    "claim.kept": 1,
    "send.connecting": 1,
    "send.received": 2,
    "settle.begun": 2,
    "settle.written": 2,
    "settle.kept": 1,
}


#: Tried every day; the others with all that kills.
EVERY_DAY = {("sqlite", "claim.kept"), ("sqlite", "settle.written")}
MARKS = {"sqlite": [], "postgresql": [pytest.mark.postgresql]}
CASES = [
    pytest.param(kind, point, marks=marks if (kind, point) in EVERY_DAY else [*marks, pytest.mark.long])
    for kind, marks in MARKS.items()
    for point in POINTS
]


@pytest.fixture
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The setting that names the database, if it is not the file in the data folder."""
    if request.param == "sqlite":
        return {}
    cluster: Cluster = request.getfixturevalue("cluster")
    return {"database_url": cluster.database(empty=True)}


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A receiver in this process, which outlives the server."""
    async with sinking() as made:
        yield made


def template(url: str) -> dict[str, Any]:
    """One goal that is told of, and one that is not."""
    company = {"type": "string", "description": "What is your company called?"}
    goal = {
        "id": "company",
        "schema": {"type": "object", "properties": {"company": company}, "required": ["company"]},
        "outputs": [{"type": "webhook", "config": {"url": f"{url}/hook"}}],
    }
    size = {"type": "integer", "description": "How many are you?"}
    more = {"id": "team", "schema": {"type": "object", "properties": {"size": size}, "required": ["size"]}}
    return {
        "name": "n",
        "goals": [goal, more],  # two, so that the conversation is not over with the first
        "settings": {"greeting": "Hello!", "embedded": {"resumption": True}},
    }


async def delivered(http: aiohttp.ClientSession, demo: Demo) -> dict[str, Any]:
    """The one delivery, once it is settled."""
    async with asyncio.timeout(60):
        while True:
            items = (await told(http, demo, "GET", "/v1/deliveries"))["items"]
            if items and all(each["status"] == "delivered" for each in items):
                (item,) = items
                found: dict[str, Any] = item
                return found
            await asyncio.sleep(0.05)


async def until_dead(demo: Demo) -> None:
    assert await asyncio.to_thread(demo.dead) == -9


async def talked(person: HttpPerson) -> None:
    """Say the company's name, and hear what can be heard of it before the server dies."""
    try:
        await person.listen(lambda view: len(view.messages) >= 1 and view.writing is None)
        await person.say("Acme")
        await person.listen(lambda view: len(view.messages) >= 3 and view.writing is None)
    except (aiohttp.ClientError, AssertionError, TimeoutError):
        return  # it died first


@pytest.mark.parametrize(("database", "point"), CASES, indirect=["database"])
async def test_it_arrives(tmp_path: Path, sink: Sink, database: dict[str, str], point: str) -> None:
    settings = {"limits": "off", "scripted_cps": "0"} | database
    demo = Demo(tmp_path / "data", port=None, **settings)
    whole = list(demo.program)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        with demo:
            made = await told(http, demo, "POST", "/v1/templates", template(sink.url))
            key = await told(http, demo, "POST", f"/v1/embed/keys/{made['id']}", {})
        if point != "send.received":
            demo.program = [sys.executable, "-m", "tests.crash.dying", point, str(urlsplit(sink.url).port)]
        demo.start()
        config = {"url": demo.config["url"], "embed_key": key["key"]}
        person = HttpPerson(http, config, "ada")
        await person.open()
        gate = asyncio.Event()
        if point == "send.received":
            sink.answering = lambda _got, _n: Answer(gate=gate)
            talk = asyncio.create_task(talked(person))
            await sink.until(1)
            demo.kill()
            gate.set()
            await talk
            sink.answering = lambda _got, _n: Answer()
        else:
            await asyncio.gather(talked(person), until_dead(demo))
            demo.kill()
        before = len(sink.got)
        demo.program = whole
        with demo:
            again = HttpPerson(http, config, "ada")
            report = await again.open()
            await again.listen(lambda view: len(view.messages) >= 3 and view.writing is None)
            found = await delivered(http, demo)
        assert report["resumed"]
    assert [text for role, text in again.transcript if role == "user"] == ["Acme"]
    assert len(sink.got) == POINTS[point], f"{before} before the kill"
    assert len({(got.body, got.headers["idempotency-key"], got.headers["webhook-id"]) for got in sink.got}) == 1
    body = json.loads(sink.got[0].body)
    assert (body["data"], body["external_id"]) == ({"company": "Acme"}, "ada")
    assert found["commit_id"] == body["commit_id"] == sink.got[0].headers["idempotency-key"]
