"""The main job, all six steps (docs/quickstart.md): once over HTTP alone, and in Chromium in `test_in_the_browser`."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from standardwebhooks import Webhook

from roxels import webhooks
from tests.cluster import BOTH, address, at_hand
from tests.journeys.http_person import HttpPerson
from tests.processes import Demo

ANSWERS = ["The conservatory", "25", "bright", "Something that blooms in winter", "2027-03-02", "ada@example.com"]
HOME = {"room": "The conservatory", "plant_count": 25, "light": "bright"}


async def sink_items(http: aiohttp.ClientSession, demo: Demo, count: int) -> list[dict[str, Any]]:
    """What reached the sink, once there are that many."""
    async with asyncio.timeout(20):
        while True:
            answer = await http.get(demo.config["sink_url"])
            items: list[dict[str, Any]] = (await answer.json())["items"]
            if len(items) >= count:
                return items
            await asyncio.sleep(0.1)


def check_delivery(item: dict[str, Any], demo: Demo, external_id: str) -> dict[str, Any]:
    """A delivery is signed twice, carries its commit's key and says whose it is."""
    headers, body = item["headers"], item["body"].encode()
    webhooks.verify(headers, body, demo.config["webhook_secret"], now=received_at(item))
    payload: dict[str, Any] = Webhook(demo.config["webhook_secret"]).verify(body, headers)
    assert headers["idempotency-key"] == payload["commit_id"]
    assert payload["external_id"] == external_id
    assert payload["identity"] == {"proof": "claimed"}
    return payload


def received_at(item: dict[str, Any]) -> Any:
    """When it was received."""
    return datetime.fromisoformat(item["received_at"].replace("Z", "+00:00"))


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a server keeps everything: in the data folder (nothing is set), then in PostgreSQL."""
    with at_hand(request, tmp_path, is_empty=True):
        yield address(tmp_path) or ""


async def test_the_main_job_over_http(tmp_path: Path, database_url: str) -> None:
    demo = Demo(tmp_path / "data", scripted_cps="200", database_url=database_url).start()
    try:
        async with aiohttp.ClientSession() as http:
            ada = HttpPerson(http, demo.config, "ada")
            await talk_is_cut(ada, demo)
            await talk_goes_on(ada, demo)
            payloads = [check_delivery(item, demo, "ada") for item in await sink_items(http, demo, 2)]
            assert payloads[0]["data"] == HOME
            await bob_sees_nothing(http, demo)
            await ada_is_found_and_erased(http, demo)
    finally:
        demo.kill()


async def talk_is_cut(ada: HttpPerson, demo: Demo) -> None:
    """Steps 1 and 2: the talk begins, and the server dies in the middle of a sentence."""
    assert (await ada.open(person_name="Ada Lovelace"))["reason"] == "new_person"
    await ada.listen(lambda view: view.messages and view.writing is None)
    assert "Ada" in ada.last
    await ada.answer(ANSWERS[0])
    await ada.say(ANSWERS[1])
    await ada.listen(lambda view: view.writing and len(view.messages[view.writing].text) > 10)
    demo.kill()
    await asyncio.to_thread(demo.start)


async def talk_goes_on(ada: HttpPerson, demo: Demo) -> None:
    """Step 3: the same transcript, data and goals, and the sentence goes on at the next character."""
    before, shown = ada.transcript, ada.view.rendered
    assert shown is not None
    report = await ada.open()
    assert (report["resumed"], report["reason"]) == (True, "resumed")
    assert report["unfinished"]["utterance_id"] == shown["utterance_id"]
    assert report["unfinished"]["chars"] >= shown["chars"]
    place = len(ada.frames)
    await ada.listen(lambda view: view.writing is None)
    assert next(frame["from"] for frame in ada.frames[place:] if frame["frame"] == "piece") == shown["chars"]
    assert ada.transcript[:-1] == before[:-1]
    assert ada.last.startswith(before[-1][1])
    assert ada.view.data["your_home"] == {"room": "The conservatory", "plant_count": 25}
    for words in ANSWERS[2:]:
        await ada.answer(words)
    assert ada.view.committed == {"your_home": 1, "your_care": 1}
    await ada.listen(lambda view: view.ended_by)
    assert ada.view.ended_by == "agent"
    assert (await ada.open())["reason"] == "ended"


async def bob_sees_nothing(http: aiohttp.ClientSession, demo: Demo) -> None:
    """Step 5: another person, nothing of Ada."""
    bob = HttpPerson(http, demo.config, "bob")
    assert (await bob.open())["reason"] == "new_person"
    await bob.listen(lambda view: view.messages and view.writing is None)
    assert "conservatory" not in str(bob.frames)
    assert "Ada" not in str(bob.frames)


async def ada_is_found_and_erased(http: aiohttp.ClientSession, demo: Demo) -> None:
    """Step 6: Ada, all her conversations; then nothing of her, a receipt, and a stranger."""
    url, headers = demo.config["url"], {"Authorization": f"Bearer {demo.config['secret_key']}"}
    found = await (await http.get(f"{url}/v1/persons", params={"external_id": "ada"}, headers=headers)).json()
    person = found["items"][0]
    assert (person["name"], person["conversation_count"]) == ("Ada Lovelace", 2)
    listed = await (await http.get(f"{url}/v1/interviews", params={"external_id": "ada"}, headers=headers)).json()
    assert {item["status"] for item in listed["items"]} == {"completed", "created"}
    answer = await http.delete(f"{url}/v1/persons/{person['id']}", headers=headers)
    erased = await answer.json()
    assert answer.status in (200, 202), erased
    assert erased["deleted"]
    assert erased["receipt"]["counts"]["conversations"] == 2
    async with http.get(f"{url}/v1/persons/{person['id']}", headers=headers) as gone:
        assert gone.status == 404
    again = HttpPerson(http, demo.config, "ada")
    assert (await again.open())["reason"] == "new_person"
    await again.listen(lambda view: view.messages and view.writing is None)
    assert "Ada" not in again.last
    assert "conservatory" not in str(again.frames)
