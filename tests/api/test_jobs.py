"""Long work over REST: erasing many with progress, exporting one, and files that go with whom they are about."""

import asyncio
import hashlib
import io
import json
import zipfile
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from roxels.actions import jobs as work
from roxels.actions.jobs import Jobs
from roxels.domain.events import AgentSaid, AgentStarted, FieldCaptured, PersonSaid
from roxels.domain.receipts import Receipt
from roxels.storage import jobs as kept_jobs
from roxels.storage.schema import job_items
from tests.api.conftest import Door, make, told

SAID = "My <b>secret</b> garden"


async def opened(door: Door, server: httpx2.AsyncClient, external_id: str) -> dict[str, Any]:
    """A conversation of somebody, in which something was said."""
    body = {"template_id": door.template_id, "persons": [{"external_id": external_id}], "resume": False}
    found: dict[str, Any] = (await server.post("/v1/interviews", json=body)).json()
    await door.record(
        found["id"],
        PersonSaid(id=f"m_{found['id']}", text=SAID),
        FieldCaptured(goal_id="company", field="company", value="Acme", said_id=f"m_{found['id']}"),
        AgentStarted(utterance_id=f"u_{found['id']}", plan="Fine."),
        AgentSaid(utterance_id=f"u_{found['id']}", text="Fine."),
        session_id=found["session_id"],
    )
    return found


async def done(door: Door, server: httpx2.AsyncClient, answer: httpx2.Response) -> dict[str, Any]:
    """The job that was accepted, once it has ended."""
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]
    assert (job["status"], job["done"]) == ("running", 0)
    assert job["url"].endswith(f"/v1/jobs/{job['id']}")
    await door.services.jobs.settle()
    ended: dict[str, Any] = (await server.get(f"/v1/jobs/{job['id']}")).json()
    assert ended["done"] == ended["total"] == job["total"]
    return ended


async def test_many_persons_are_erased_by_either_identifier(door: Door, server: httpx2.AsyncClient) -> None:
    ada, bob, _ = [await opened(door, server, name) for name in ("ada", "bob", "cleo")]
    body = {"ids": [ada["person"]["id"], "person_x"], "external_ids": ["bob", "nobody", "ada"]}
    job = await done(door, server, await server.post("/v1/persons/erase", json=body))
    assert (job["kind"], job["status"], job["total"]) == ("erase_persons", "done", 5)
    assert [item["status"] for item in job["items"]] == ["erased", "not_found", "erased", "not_found", "erased"]
    receipts = (await server.get("/v1/receipts")).json()["items"]
    assert {each["id"] for each in receipts} == {item["receipt_id"] for item in job["items"] if item["receipt_id"]}
    assert len(receipts) == 2
    left = (await server.get("/v1/persons")).json()["items"]
    assert [person["external_id"] for person in left] == ["cleo"]
    told(await server.get(f"/v1/interviews/{bob['id']}"), 404, "not_found")


async def test_many_conversations_are_erased(door: Door, server: httpx2.AsyncClient) -> None:
    first, second, third = [await opened(door, server, "ada") for _ in range(3)]
    body = {"ids": [first["id"], second["id"]]}
    job = await done(door, server, await server.post("/v1/interviews/erase", json=body))
    assert [item["status"] for item in job["items"]] == ["erased", "erased"]
    person = (await server.get("/v1/persons?external_id=ada")).json()["items"][0]
    assert person["conversation_count"] == 1
    assert (await server.get(f"/v1/interviews/{third['id']}")).status_code == 200


async def test_a_job_goes_on_where_a_dead_process_left_it(door: Door, server: httpx2.AsyncClient) -> None:
    for name in ("ada", "bob"):
        await opened(door, server, name)
    services = door.services
    targets: list[tuple[kept_jobs.NamedBy, str]] = [("external_id", "ada"), ("external_id", "bob")]
    job = await door.store.write("test", begin, targets, door)
    again = Jobs(door.store, services.ids, door.clock, services.eraser, services.jobs.exports, services.sealer)
    again.wake()
    await again.settle()
    ended = (await server.get(f"/v1/jobs/{job.id}")).json()
    assert (ended["status"], ended["done"]) == ("done", 2)
    assert (await server.get("/v1/persons")).json()["items"] == []


class Full(Jobs):
    """Its disk is full, for so many tries."""

    def __init__(self, *given: Any, tries: int, **more: Any) -> None:
        super().__init__(*given, **more)
        self.left = tries
        self.tried: list[float] = []

    async def _carry_out_one(self, job: Any) -> None:
        self.tried.append(self._clock.monotonic())
        self.left -= 1
        if self.left >= 0:
            raise OSError(28, "no space")
        await super()._carry_out_one(job)


async def test_a_job_that_fails_is_tried_less_and_less_often_until_it_works(
    door: Door, server: httpx2.AsyncClient
) -> None:
    await opened(door, server, "ada")
    services = door.services
    job = await door.store.write("test", begin, [("external_id", "ada")], door)
    exports, sealer = services.jobs.exports, services.sealer
    jobs = Full(door.store, services.ids, door.clock, services.eraser, exports, sealer, tries=5)
    jobs.wake()
    settled = asyncio.create_task(jobs.settle())
    async with asyncio.timeout(10):
        while not settled.done():
            door.clock.advance(1)
            await asyncio.sleep(0.005)
    assert len(jobs.tried) == 6
    waits = [round(after - before) for before, after in pairwise(jobs.tried)]
    assert waits == pytest.approx([1, 10, 60, 60, 60], abs=3)
    assert (await server.get(f"/v1/jobs/{job.id}")).json()["status"] == "done"


def begin(tx: Any, targets: Any, door: Door) -> Any:
    """Only the wish, as if the process ended then."""
    return work.begin_erasing(tx, targets, door.services.ids)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/persons/erase", {}, "ids"),
        ("/v1/persons/erase", {"ids": ["x"] * 600, "external_ids": ["x"] * 401}, "ids"),
        ("/v1/persons/erase", {"ids": ["x"] * 1001}, "ids"),
        ("/v1/persons/erase", {"external_ids": ["ada", "undefined"]}, "external_ids[1]"),
        ("/v1/persons/erase", {"external_ids": [""]}, "external_ids[0]"),
        ("/v1/interviews/erase", {"ids": []}, "ids"),
        ("/v1/interviews/erase", {}, "ids"),
    ],
)
async def test_what_cannot_be_meant(server: httpx2.AsyncClient, path: str, body: Any, field: str) -> None:
    assert told(await server.post(path, json=body), 400, "validation_error")["field"] == field


async def test_no_name_is_left_in_the_job(door: Door, server: httpx2.AsyncClient) -> None:
    await opened(door, server, "ada")
    await done(door, server, await server.post("/v1/persons/erase", json={"external_ids": ["ada", "stranger"]}))
    targets = await door.store.read("test", lambda tx: [row.target for row in tx.all(job_items.select())])
    assert targets == [None, None]


async def export(door: Door, server: httpx2.AsyncClient, person_id: str) -> tuple[dict[str, Any], zipfile.ZipFile]:
    """The job and the zip of a person."""
    job = await done(door, server, await server.post(f"/v1/persons/{person_id}/export"))
    assert job["status"] == "done"
    answer = await server.get(job["url"])
    assert answer.headers["content-type"] == "application/zip"
    assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (job["size"], job["sha256"])
    return job, zipfile.ZipFile(io.BytesIO(answer.content))


async def test_an_export_is_whole_and_readable(door: Door, server: httpx2.AsyncClient) -> None:
    ada = await opened(door, server, "ada")
    await opened(door, server, "bob")
    _, archive = await export(door, server, ada["person"]["id"])
    manifest = json.loads(archive.read("manifest.json"))
    assert {entry["path"] for entry in manifest["files"]} == set(archive.namelist()) - {"manifest.json"}
    for entry in manifest["files"]:
        content = archive.read(entry["path"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
    (person,) = json.loads(archive.read("data/persons.json"))
    assert (person["id"], person["external_id"]) == (ada["person"]["id"], "ada")
    events = json.loads(archive.read("data/events.json"))
    assert [event["body"]["text"] for event in events if event["type"] == "person.said"] == [SAID]
    page = archive.read("index.html").decode()
    assert "My &lt;b&gt;secret&lt;/b&gt; garden" in page
    assert "<b>" not in page
    assert "Acme" in page
    assert "bob" not in "".join(archive.read(name).decode() for name in archive.namelist())


async def test_an_export_goes_with_whom_it_is_about(door: Door, server: httpx2.AsyncClient) -> None:
    ada = await opened(door, server, "ada")
    job, _ = await export(door, server, ada["person"]["id"])
    folder = door.services.jobs.exports.folder
    assert [path.name for path in folder.iterdir()] == [f"{job['id']}.zip"]
    await server.delete("/v1/persons?external_id=ada")
    assert list(folder.iterdir()) == []
    told(await server.get(f"/v1/jobs/{job['id']}"), 404, "not_found")
    told(await server.get(job["url"]), 404, "not_found")


async def test_an_export_goes_with_any_conversation_in_it(door: Door, server: httpx2.AsyncClient) -> None:
    ada = await opened(door, server, "ada")
    job, _ = await export(door, server, ada["person"]["id"])
    receipt = (await server.delete(f"/v1/interviews/{ada['id']}")).json()["receipt"]
    assert set(receipt) == set(Receipt.__struct_fields__)
    assert list(door.services.jobs.exports.folder.iterdir()) == []
    told(await server.get(job["url"]), 404, "not_found")


async def test_an_export_is_kept_for_a_day(door: Door, server: httpx2.AsyncClient) -> None:
    ada = await opened(door, server, "ada")
    job, _ = await export(door, server, ada["person"]["id"])
    door.clock.advance(24 * 60 * 60 - 1)
    await door.services.jobs.tidy()
    assert (await server.get(job["url"])).status_code == 200
    door.clock.advance(2)
    await door.services.jobs.tidy()
    told(await server.get(job["url"]), 404, "not_found")
    assert list(door.services.jobs.exports.folder.iterdir()) == []


async def test_an_export_of_somebody_erased_meanwhile_leaves_no_file(door: Door, server: httpx2.AsyncClient) -> None:
    ada = await opened(door, server, "ada")
    await server.post(f"/v1/persons/{ada['person']['id']}/export")
    await server.delete("/v1/persons?external_id=ada")
    await door.services.jobs.settle()
    assert list(door.services.jobs.exports.folder.iterdir()) == []


async def test_who_may_ask(
    door: Door, server: httpx2.AsyncClient, browser: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    ada = await opened(door, server, "ada")
    job, _ = await export(door, server, ada["person"]["id"])
    _, live, _ = await make(door, "live")
    async with door.client(live) as other:
        for address in (f"/v1/jobs/{job['id']}", job["url"]):
            told(await other.get(address), 404, "not_found")
            told(await browser.get(address), 403, "forbidden")
            told(await stranger.get(address), 401, "unauthorized")
        told(await other.post(f"/v1/persons/{ada['person']['id']}/export"), 404, "not_found")
        erasing = await other.post("/v1/persons/erase", json={"external_ids": ["ada"]})
        await door.services.jobs.settle()
        items = (await other.get(f"/v1/jobs/{erasing.json()['job']['id']}")).json()["items"]
        assert items == [{"status": "not_found", "receipt_id": None}]
    told(await browser.post("/v1/persons/erase", json={"external_ids": ["ada"]}), 403, "forbidden")
    assert (await server.get("/v1/persons?external_id=ada")).json()["items"]
