"""A real API on a real database (an SQLite file, unless a test says otherwise): `door` has a template with resumption,
a secret key and an embed key of `test`.

Every JSON answer that a client of it gets is held to the API's own description.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import msgspec
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from roxels.actions import author, manage
from roxels.actions.eraser import Eraser
from roxels.actions.jobs import Jobs
from roxels.api.app import build_api, document
from roxels.api.services import Services
from roxels.domain.conversation import fold
from roxels.domain.events import AnyEvent
from roxels.outbound import guard
from roxels.outbound.http import Caller
from roxels.outbound.rehearsing import Rehearser
from roxels.storage import conversations, log
from roxels.storage.files import Exports
from roxels.storage.keys import EmbedKey
from roxels.storage.log import Append
from roxels.storage.schema import ERASING
from roxels.storage.schema import conversations as rows
from roxels.storage.store import Store
from roxels.storage.transaction import Environment, Reading, Writing
from roxels.storage.vault import Keyring
from roxels.testing import CountedIds, FakeClock
from roxels.wire.limits import Allowance
from tests.cluster import open_in

ORIGIN = "http://127.0.0.1:8000"

TEMPLATE: dict[str, Any] = {
    "name": "Onboarding",
    "goals": [
        {
            "id": "company",
            "type": "structured",
            "prompt": "Learn about the company",
            "schema": {
                "type": "object",
                "properties": {"company": {"type": "string", "description": "What is your company called?"}},
                "required": ["company"],
            },
            "commit_policy": "auto",
        },
        {"id": "team", "schema": {"size": {"type": "integer", "description": "How many are you?"}}},
    ],
    "settings": {"greeting": "Hello!", "embedded": {"resumption": True}},
}


class Door:
    """The API, its store and two keys."""

    def __init__(self, app: FastAPI, services: Services, clock: FakeClock, drain: Callable[[], None]) -> None:
        self.app = app
        self.services = services
        self.store: Store = services.store
        self.clock = clock
        self.drain = drain
        self.checker = Checker(document())
        self.template_id = ""
        self.secret = ""
        self.embed_key = ""

    def client(self, key: str = "", **headers: str) -> httpx2.AsyncClient:
        """Somebody who presents this key."""
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app, raise_app_exceptions=False),
            base_url=ORIGIN,
            headers={**({"authorization": f"Bearer {key}"} if key else {}), **headers},
            event_hooks={"response": [self.checker]},
        )

    async def record(self, conversation_id: str, *events: AnyEvent, session_id: str | None = None) -> None:
        """Put facts into a conversation, as a room does."""
        stored = await self.store.read("test", log.read, conversation_id)
        facts = conversations.numbered(stored.state, events, at=self.clock.now(), session_id=session_id)
        state = fold(facts, stored.state)
        append = Append(conversation_id=conversation_id, expected_seq=stored.state.head, facts=facts, state=state)
        await self.store.append(append)

    async def say_piece(self, conversation_id: str, utterance_id: str, text: str) -> None:
        """Show some of an answer."""
        head = (await self.store.read("test", log.read, conversation_id)).state.head
        piece = log.Piece(utterance_id, 0, text)
        await self.store.append(Append(conversation_id=conversation_id, expected_seq=head, piece=piece))

    async def count(self, query: Callable[[Reading], int]) -> int:
        """A number from the database."""
        return await self.store.read("test", query)


class Checker:
    """Holds answers to the description, and to what is true of every answer."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    async def __call__(self, response: httpx2.Response) -> None:
        """Called with every answer."""
        await response.aread()
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-credentials" not in response.headers
        operation = self._operation(response)
        if response.headers["content-type"] != "application/json":
            return
        if response.status_code >= 400:
            self._check(response.json(), {"$ref": "#/components/schemas/Error"})
        elif operation is not None:
            described = operation["responses"][str(response.status_code)]
            self._check(response.json(), described["content"]["application/json"]["schema"])

    def _operation(self, response: httpx2.Response) -> dict[str, Any] | None:
        path = response.request.url.path
        for template, methods in self.document["paths"].items():
            parts = zip(template.split("/"), path.split("/"), strict=False)
            if len(template.split("/")) == len(path.split("/")) and all(a == b or a[:1] == "{" for a, b in parts):
                found: dict[str, Any] | None = methods.get(response.request.method.lower())
                if found is not None:
                    return found
        return None

    def _check(self, body: Any, schema: dict[str, Any]) -> None:
        jsonschema.validate(body, {**schema, "components": self.document["components"]})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def door(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Door]:
    async with opened(tmp_path, clock) as made:
        yield made


def opened(folder: Path, clock: FakeClock, limits: Allowance | None = None) -> "_Opened":
    """A door on a new database in this folder."""
    return _Opened(folder, clock, limits)


#: The application is put together once: that takes a while, and it keeps nothing but its services.
REGISTRY = CollectorRegistry()
APPS: list[FastAPI] = []


def _app(services: Services) -> FastAPI:
    if not APPS:
        APPS.append(build_api(services))
    APPS[0].state.services = services
    return APPS[0]


class _Opened:
    def __init__(self, folder: Path, clock: FakeClock, limits: Allowance | None) -> None:
        database = open_in(folder)
        draining: list[bool] = []
        ids = CountedIds()
        store = Store(database, clock)
        keyring = Keyring.load(folder / "keys", ids.key)
        exports = Exports(folder / "exports")
        self.caller = Caller(permits=guard.anywhere, monotonic=clock.monotonic)
        eraser = Eraser(store, ids, keyring, clock, exports=exports)
        services = Services(
            store=store,
            ids=ids,
            clock=clock,
            origin=ORIGIN,
            sealer=keyring.vault,
            eraser=eraser,
            jobs=Jobs(store, ids, clock, eraser, exports, keyring.vault),
            rehearser=Rehearser(call=self.caller.call, vault=keyring.vault, clock=clock),
            limits=limits,
            registry=REGISTRY,
            is_draining=lambda: bool(draining),
        )
        self.door = Door(_app(services), services, clock, drain=lambda: draining.append(True))

    async def __aenter__(self) -> Door:
        door = self.door
        await self.caller.__aenter__()
        door.template_id, door.secret, door.embed_key = await make(door, "test")
        return door

    async def __aexit__(self, *_: object) -> None:
        await self.caller.__aexit__(None, None, None)
        await self.door.services.jobs.close()
        await self.door.services.eraser.close()
        await asyncio.to_thread(self.door.store.close)


async def make(door: Door, environment: Environment, raw: dict[str, Any] = TEMPLATE) -> tuple[str, str, str]:
    """A template, a secret key and an embed key in this environment."""

    def work(tx: Writing) -> tuple[str, str, EmbedKey]:
        ids = door.services.ids
        template_id = author.create(tx, raw, ids).id
        _, secret = manage.create_api_key(tx, "test", ids)
        return template_id, secret, manage.create_embed_key(tx, template_id, ["app.example.com"], ids)

    template_id, secret, embed_key = await door.store.write(environment, work)
    return template_id, secret, embed_key.key


@pytest.fixture
async def server(door: Door) -> AsyncIterator[httpx2.AsyncClient]:
    """A customer's server: it holds the secret key."""
    async with door.client(door.secret) as client:
        yield client


@pytest.fixture
async def browser(door: Door) -> AsyncIterator[httpx2.AsyncClient]:
    """A web page's frame: it holds the embed key."""
    async with door.client(door.embed_key) as client:
        yield client


@pytest.fixture
async def stranger(door: Door) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody without any key."""
    async with door.client() as client:
        yield client


def told(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The error of a refusal of this kind."""
    assert response.status_code == status, response.text
    error: dict[str, Any] = json.loads(response.text)["error"]
    assert error["code"] == code
    return error


def plain(value: object) -> Any:
    """A value as JSON has it."""
    return json.loads(msgspec.json.encode(value))


async def fence(door: Door, conversation_id: str) -> None:
    """Erasing this conversation has begun; its rows still stand."""

    def work(tx: Writing) -> None:
        tx.run(update(rows).where(rows.c.id == conversation_id).values(epoch=ERASING))

    await door.store.write("test", work)
