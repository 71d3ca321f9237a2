"""The ground of the attack: a whole server in this process, with its real rooms, database and doors.

Three templates, one for each policy, in `test`, and the same in `live`. A speaker that a technique may choose: the
scripted one, or the model speaker, whose model is a puppet that the attacker plays. What either is told is written
down, since words that reach a prompt of the attacker's have leaked.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from roxels import server
from roxels.actions import author, identify, manage
from roxels.agent import prompt
from roxels.agent.ports import Scene, SpeakerStep
from roxels.agent.speakers.endpoints import Endpoints
from roxels.agent.speakers.engine import Asking, CallPart, Delta, Endpoint, Stopped, Text
from roxels.agent.speakers.model import ModelSpeaker, Patience
from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.ambient import RandomIds
from roxels.domain.clock import Clock
from roxels.settings import Settings
from roxels.storage.identities import IdentitySecret
from roxels.storage.transaction import Environment, Writing
from roxels.testing import FakeClock
from roxels.testing.model import Answering, Interviewer, read

ORIGIN = "http://127.0.0.1:8000"
HOST = "https://app.example.com"
SESSION = "/v1/embed/sessions"
#: Where the embed keys may be used: in `test` anywhere.
DOMAINS: dict[Environment, list[str]] = {"test": [], "live": ["app.example.com"]}
POLICIES = ("claimed", "device", "verified")


def template_for(policy: str) -> dict[str, Any]:
    """A conversation that asks for something worth stealing."""
    return {
        "name": f"Onboarding ({policy})",
        "goals": [
            {
                "id": "account",
                "schema": {
                    "type": "object",
                    "properties": {
                        "pin": {"type": "string", "description": "What is your PIN?"},
                        "nickname": {"type": "string", "description": "What do your friends call you?"},
                    },
                    "required": ["pin", "nickname"],
                },
                "outputs": [
                    {
                        "type": "webhook",
                        "config": {
                            "url": "https://example.com/hook",
                            "payload_template": {"plan": "{{context.plan}}", "pin": "{{data.pin}}"},
                        },
                    }
                ],
            },
            {"id": "wishes", "schema": {"wish": {"type": "string", "description": "What do you wish for?"}}},
        ],
        "settings": {"greeting": "Hello!", "embedded": {"resumption": True, "history_requires": policy}},
    }


class Puppet:
    """A language model whose every answer is decided by `answering`; an engine without a network."""

    def __init__(self) -> None:
        self.answering: Answering = Interviewer()

    async def stream(self, asking: Asking) -> AsyncGenerator[Delta, None]:
        """The answer."""
        reply = self.answering(read({"messages": asking.messages, "tools": asking.tools}))
        if reply.text:
            yield Text(reply.text)
        for number, (name, arguments) in enumerate(reply.calls):
            yield CallPart(number=number, id=f"call_{number}", name=name, arguments=arguments)
        yield Stopped("tool_calls" if reply.calls else "stop")

    async def secret(self, _environment: str, _name: str) -> None:
        """It wants no key."""

    async def close(self) -> None:
        """There is nothing to hang up."""


class Voices:
    """Both speakers behind one door; `told` is what was told to whom, by session."""

    def __init__(self, clock: Clock) -> None:
        self.puppet = Puppet()
        self.is_scripted = False
        self.told: list[tuple[str | None, str]] = []
        self._scripted = ScriptedSpeaker(clock, 0)
        endpoints = Endpoints(Endpoint(url="puppet"), lambda _endpoint: self.puppet, self.puppet.secret)
        self._model = ModelSpeaker(endpoints, "puppet", clock, Patience())

    async def speak(self, scene: Scene) -> AsyncIterator[SpeakerStep]:
        """Answer by the one that was chosen."""
        self.told.append((scene.session_id, json.dumps(prompt.messages(scene), ensure_ascii=False)))
        speaker = self._scripted if self.is_scripted else self._model
        async for step in speaker.speak(scene):
            yield step


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A template of one policy in one environment, and what opens it."""

    environment: Environment
    policy: str
    template_id: str
    embed_key: str


class Ground:
    """The server, and the customer's own means: secret keys, identity secrets, places."""

    def __init__(self, house: server.House, voices: Voices, clock: FakeClock) -> None:
        self.house = house
        self.app: Any = house.app
        self.store = house.store
        self.clock = clock
        self.voices = voices
        self.places: dict[tuple[Environment, str], Place] = {}
        self.secrets: dict[Environment, str] = {}
        self.signing: dict[Environment, tuple[IdentitySecret, str]] = {}

    def client(self, **headers: str) -> httpx2.AsyncClient:
        """Somebody with these headers."""
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    def owner(self, environment: Environment = "test") -> httpx2.AsyncClient:
        """The customer's server."""
        return self.client(authorization=f"Bearer {self.secrets[environment]}")

    async def furnish(self, environment: Environment) -> None:
        """Templates, keys and an identity secret of this environment."""
        ids, sealer = self.house.ids, self.house.keyring.vault

        def work(tx: Writing) -> None:
            self.secrets[environment] = manage.create_api_key(tx, "server", ids)[1]
            secret, value = identify.create_secret(tx, "web", "HS256", None, ids, sealer)
            self.signing[environment] = (secret, value or "")
            for policy in POLICIES:
                template_id = author.create(tx, template_for(policy), ids).id
                key = manage.create_embed_key(tx, template_id, DOMAINS[environment], ids).key
                place = Place(environment=environment, policy=policy, template_id=template_id, embed_key=key)
                self.places[environment, policy] = place

        await self.store.write(environment, work)


@asynccontextmanager
async def time_passing(clock: FakeClock) -> AsyncIterator[None]:
    """Time goes on meanwhile, so that what waits for it (a sweep that rests after another) does not wait for ever."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.02)
            clock.advance(0.02)

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


@asynccontextmanager
async def ground_in(folder: Path, real_time: Clock | None = None) -> AsyncIterator[Ground]:
    """A server with its data in this folder; its time is the ground's `clock`, unless a real one is given."""
    settings = Settings(data=folder / "data", limits=False, worker=False, port=8000)
    clock = FakeClock()
    voices = Voices(clock)
    house = server.build(settings, clock=real_time or clock, ids=RandomIds(), speaker=voices)
    ground = Ground(house, voices, clock)
    for environment in ("test", "live"):
        await ground.furnish(environment)
    try:
        yield ground
    finally:
        await house.close()
