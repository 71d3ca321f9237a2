"""A server with the dashboard on a real database (an SQLite file, unless a test says otherwise), and people in it who
talk; for tests of its pages."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from roxels.actions import author, manage
from roxels.actions.eraser import Eraser
from roxels.actions.jobs import Jobs
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.agent.ports import Speaker
from roxels.api.app import build_api
from roxels.api.services import Services
from roxels.dashboard.routes import dashboard_routes
from roxels.domain.clock import Clock
from roxels.domain.conversation import fold
from roxels.domain.events import AnyEvent
from roxels.domain.ids import Ids
from roxels.domain.occasions import Owed
from roxels.domain.proof import Method, Proof
from roxels.outbound import guard
from roxels.outbound.http import Caller
from roxels.outbound.rehearsing import Rehearser
from roxels.storage import conversations, log, operators, templates
from roxels.storage.files import Exports
from roxels.storage.leases import Processes
from roxels.storage.log import Append
from roxels.storage.owing import Due
from roxels.storage.store import Store
from roxels.storage.transaction import Environment
from roxels.storage.vault import Keyring
from roxels.testing import LineSpeaker
from roxels.wire.awake import Ports
from roxels.wire.rooms import Rooms
from roxels.wire.routes import wire_routes
from tests.cluster import open_in

ORIGIN = "http://127.0.0.1:8000"
EMAIL, PASSWORD = "ops@example.com", "a long password"

TEMPLATE: dict[str, Any] = {
    "name": "Getting started",
    "goals": [
        {
            "id": "your_team",
            "label": "Your team",
            "schema": {
                "type": "object",
                "properties": {
                    "company": {"type": "string", "description": "What is the name of your company?"},
                    "team_size": {"type": "integer", "description": "How many people work there?"},
                },
                "required": ["company", "team_size"],
            },
            "outputs": [{"type": "webhook", "config": {"url": "https://example.com/hook"}}],
        },
        {
            "id": "first_steps",
            "label": "First steps",
            "schema": {
                "type": "object",
                "properties": {"use_case": {"type": "string", "description": "What would you like to do first?"}},
            },
        },
    ],
    "settings": {"greeting": "Hello!", "embedded": {"resumption": True}},
}


class Office:
    """The server and its operator."""

    def __init__(
        self, folder: Path, clock: Clock, ids: Ids, *, origin: str = ORIGIN, speaker: Speaker | None = None
    ) -> None:
        database = open_in(folder)
        self.clock, self.ids, self.origin = clock, ids, origin
        self.store = Store(database, clock)
        self.processes = Processes(folder / "processes", "office")
        speaker = speaker or LineSpeaker(["Hello! What is the name of your company?"])
        self.rooms = Rooms(Ports(store=self.store, speaker=speaker, clock=clock, ids=ids), self.processes)
        keyring = Keyring.load(folder / "keys", ids.key)
        exports = Exports(folder / "exports")
        eraser = Eraser(self.store, ids, keyring, clock, exports=exports)
        #: Enter it to let outputs be tried out.
        self.caller = Caller(permits=guard.anywhere, monotonic=clock.monotonic)
        self.services = Services(
            store=self.store,
            ids=ids,
            clock=clock,
            origin=origin,
            sealer=keyring.vault,
            eraser=eraser,
            jobs=Jobs(self.store, ids, clock, eraser, exports, keyring.vault),
            rehearser=Rehearser(call=self.caller.call, vault=keyring.vault, clock=clock),
            limits=None,
            registry=CollectorRegistry(),
            is_draining=lambda: self.rooms.is_draining,
        )
        self.app: FastAPI = build_api(self.services)
        self.app.router.routes.extend([*dashboard_routes(self.services), *wire_routes(self.rooms)])
        self.template_id = ""

    async def open(self, *, with_template: bool = True) -> None:
        """Make the operator, and a template to talk about."""
        await self.store.write_across(operators.create, EMAIL, PASSWORD, self.ids)
        if with_template:
            self.template_id = await self.make_template()

    async def make_template(self, raw: dict[str, Any] = TEMPLATE, environment: Environment = "test") -> str:
        """A template; says its id."""
        kept = await self.store.write(environment, author.create, raw, self.ids)
        return kept.id

    async def make_key(self) -> str:
        """An embed key of the template."""
        key = await self.store.write("test", manage.create_embed_key, self.template_id, [], self.ids)
        return key.key

    async def visit(
        self,
        external_id: str | None = "ada",
        name: str | None = None,
        *,
        proof: Proof = Proof.claimed,
        method: Method = "external_id",
        resume: bool = True,
        version: int | None = None,
        context: dict[str, Any] | None = None,
        browser: str | None = None,
    ) -> Opened:
        """Somebody comes."""
        wish = VisitRequest(
            template_id=self.template_id,
            external_id=external_id,
            name=name,
            source="server" if proof is Proof.verified else "browser",
            proof=proof if external_id else Proof.anonymous,
            method=method,
            context=context or {},
            resume=resume,
            template_version=version,
            browser=browser,
            host=None if browser is None else "app.example.com",
        )
        return await self.store.write("test", open_visit, wish, self.ids)

    async def record(self, opened: Opened, *events: AnyEvent, due: Sequence[Owed] = ()) -> None:
        """Put facts into a conversation, as a room does."""
        stored = await self.store.read("test", log.read, opened.conversation_id)
        facts = conversations.numbered(stored.state, events, at=self.clock.now(), session_id=opened.session_id)
        unfinished = stored.state.unfinished
        after = fold(facts, stored.state)
        await self.store.append(
            Append(
                conversation_id=opened.conversation_id,
                expected_seq=stored.state.head,
                facts=facts,
                state=after,
                ended_utterance=unfinished.utterance_id if unfinished and after.unfinished is None else None,
                due=tuple(
                    Due(id=self.ids.new("del"), environment="test", person_id=opened.person.id, owed=owed)
                    for owed in due
                ),
            )
        )

    async def show(self, opened: Opened, utterance_id: str, start: int, text: str) -> None:
        """Show some words of an answer under way."""
        head = (await self.store.read("test", log.read, opened.conversation_id)).state.head
        piece = log.Piece(utterance_id, start, text)
        await self.store.append(Append(conversation_id=opened.conversation_id, expected_seq=head, piece=piece))

    async def template_name(self) -> str:
        """What the template is called now."""
        kept = await self.store.read("test", templates.active, self.template_id)
        assert kept is not None
        return str(kept.raw["name"])

    def client(self) -> httpx2.AsyncClient:
        """A browser that is not signed in."""
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=self.origin)

    async def close(self) -> None:
        """Close everything."""
        await self.rooms.drain()
        self.processes.close()
        await self.services.eraser.close()
        await asyncio.to_thread(self.store.close)


async def sign_in(client: httpx2.AsyncClient, password: str = PASSWORD, email: str = EMAIL) -> httpx2.Response:
    """Sign in as a browser would: load the form, fill it in, send it."""
    page = await client.get("/dashboard/login")
    form = {"csrf": csrf(page), "email": email, "password": password, "next": "/dashboard/"}
    return await client.post("/dashboard/login", data=form, headers={"origin": str(client.base_url).rstrip("/")})


def csrf(page: httpx2.Response) -> str:
    """What the forms of this page carry."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
    assert found, page.text
    return found.group(1)


def frames(text: str) -> list[dict[str, Any]]:
    """The JSON of an event stream's messages, in their order."""
    return [msgspec.json.decode(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
