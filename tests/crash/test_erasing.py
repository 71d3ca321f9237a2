"""`kill -9` in the middle of erasing many, once early and once late: the next start finishes it, to the last byte."""

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from roxels.domain.receipts import Receipt, broken
from roxels.storage.vault import Signer, verifiers
from tests.actions.planting import Chance, found, planted
from tests.journeys.http_person import HttpPerson
from tests.processes import Demo

COUNT = 30


async def told(http: aiohttp.ClientSession, demo: Demo, method: str, path: str, body: Any = None) -> Any:
    """What the API answers."""
    headers = {"Authorization": f"Bearer {demo.config['secret_key']}"}
    async with http.request(method, f"{demo.config['url']}{path}", json=body, headers=headers) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def when(http: aiohttp.ClientSession, demo: Demo, job_id: str, done: int) -> dict[str, Any]:
    """The job, once so many are settled."""
    deadline = time.monotonic() + 30
    while True:
        job: dict[str, Any] = await told(http, demo, "GET", f"/v1/jobs/{job_id}")
        assert time.monotonic() < deadline, job
        if sum(item["status"] != "waiting" for item in job["items"]) >= done:
            return job
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("at", [5, COUNT])
async def test_erasing_many_survives(tmp_path: Path, at: int) -> None:
    """The kill falls when so many items have begun: among the rows, or in the sweep and the receipts."""
    people = [planted(Chance(at + n)) for n in range(COUNT + 1)]
    with Demo(tmp_path / "data", limits="off") as demo:
        async with aiohttp.ClientSession() as http:
            for person in people:
                who = {"external_id": person.external_id, "name": person.latin}
                body = {"template_id": demo.config["template_id"], "persons": [who]}
                await told(http, demo, "POST", "/v1/interviews", body)
            *gone, kept = people
            body = {"external_ids": [person.external_id for person in gone]}
            job = (await told(http, demo, "POST", "/v1/persons/erase", body))["job"]
            await when(http, demo, job["id"], at)
            demo.kill()
            await asyncio.to_thread(demo.start)
            job = await ended(http, demo, job["id"])
            assert [item["status"] for item in job["items"]] == ["erased"] * COUNT
            page = await told(http, demo, "GET", "/v1/receipts?limit=200")
            chain = [msgspec.convert(each, Receipt) for each in reversed(page["items"])]
            assert len(chain) == COUNT
            assert broken(chain, verifiers(Signer.load(tmp_path / "data").public_keys)) is None
            assert {item["receipt_id"] for item in job["items"]} == {receipt.id for receipt in chain}
            left = (await told(http, demo, "GET", "/v1/persons"))["items"]
            assert [person["external_id"] for person in left] == [kept.external_id]
        demo.stop()
    words = [word for person in gone for word in (person.external_id, person.latin)]
    assert found(tmp_path / "data", words) == {}
    assert set(found(tmp_path / "data", [kept.external_id, kept.latin])) == {kept.external_id, kept.latin}


async def ended(http: aiohttp.ClientSession, demo: Demo, job_id: str) -> dict[str, Any]:
    """The job, once it is done."""
    async with asyncio.timeout(60):
        while True:
            job: dict[str, Any] = await told(http, demo, "GET", f"/v1/jobs/{job_id}")
            if job["status"] == "done":
                return job
            await asyncio.sleep(0.05)


async def test_who_talks_for_long_is_told_why_it_ends(tmp_path: Path) -> None:
    """Twenty turns over a real server, an answer under way: the stream ends with the reason, the token is dead."""
    with Demo(tmp_path / "data", scripted_cps="4000", limits="off") as demo:
        async with aiohttp.ClientSession() as http:
            ada = HttpPerson(http, demo.config, "ada")
            await ada.open(person_name="Ada Lovelace")
            await ada.listen(lambda view: view.messages and view.writing is None)
            for _ in range(20):
                await ada.answer("What do you mean?")
            listening = asyncio.create_task(ada.listen(lambda view: False))
            await ada.say("What do you mean?")
            headers = {"Authorization": f"Bearer {demo.config['secret_key']}"}
            url = f"{demo.config['url']}/v1/persons"
            async with http.delete(url, params={"external_id": "ada"}, headers=headers) as answer:
                erased = await answer.json()
            assert erased["receipt"]["counts"]["events"] > 60
            with pytest.raises(AssertionError, match="the stream ended"):
                await listening
            last = ada.frames[-1]
            assert (last["frame"], last["code"], last["fatal"]) == ("error", "not_found", True)
            assert last["message"]
            token = {"Authorization": f"Bearer {ada.opened['token']}"}
            async with http.post(
                f"{demo.config['url']}/v1/wire/say", json={"id": "x", "text": "x"}, headers=token
            ) as answer:
                assert answer.status == 401
            assert (await ada.open())["reason"] == "new_person"
