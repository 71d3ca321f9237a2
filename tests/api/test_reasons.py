"""Why a visit resumed or not: all eight reasons, at each way in: in the report, in the API, in the dashboard's data."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, get_args

import pytest

from roxels.actions.finish import end_conversation
from roxels.domain.events import ConversationExpired
from roxels.domain.resumption import Reason
from roxels.storage import conversations
from roxels.storage.conversations import ConversationFilter
from roxels.storage.pages import Span
from tests.api.conftest import TEMPLATE, Door, make
from tests.api.test_browser import EXCHANGE
from tests.api.test_identity_tokens import Backend, new_secret
from tests.api.test_proof import Place

WAYS = ["claim", "token", "server"]


class Way(Place):
    """A template, and one way in to it."""

    backend: Backend

    async def ready(self, resumption: bool) -> "Way":
        embedded = {"resumption": resumption, "history_requires": self.policy}
        raw = {**TEMPLATE, "settings": {"embedded": embedded}}
        self.template_id, self.secret, self.embed_key = await make(self.door, "test", raw)
        made = await new_secret(self.door, self.secret)
        self.backend = Backend(self.door, made["kid"], made["value"], "HS256")
        return self

    async def enter(self, by: str, **more: Any) -> tuple[str, str]:
        """The reason that the visitor is told, and the session."""
        if by != "server":
            who: dict[str, Any] = {"identity_token": self.backend.sign()} if by == "token" else {"external_id": "ada"}
            async with self.door.client(self.embed_key) as browser:
                visit = (await browser.post("/v1/embed/sessions", json={**who, **more})).json()
            return visit["resumption"]["reason"], visit["session_id"]
        opened = await self.open("ada", **more)
        async with self.door.client() as browser:
            visit = (await browser.post(EXCHANGE, json={"session_id": opened["session_id"]})).json()
        assert visit["resumption"]["reason"] == opened["reason"]
        return opened["reason"], opened["session_id"]

    async def told_to_the_owner(self, session_id: str) -> set[str]:
        """The reason as the API and the dashboard's lists have it."""
        page = await self.door.store.read("test", conversations.listed, ConversationFilter(), Span(limit=50))
        found = {visit.reason for each in page.items for visit in each.visits if visit.id == session_id}
        async with self.door.client(self.secret) as server:
            for item in (await server.get("/v1/interviews")).json()["items"]:
                whole = (await server.get(f"/v1/interviews/{item['id']}")).json()
                for each in (item, whole):
                    found |= {visit["reason"] for visit in each["sessions"] if visit["id"] == session_id}
        return found

    async def newest(self) -> str:
        async with self.door.client(self.secret) as server:
            talk: str = (await server.get("/v1/interviews")).json()["items"][0]["id"]
        return talk


async def nothing(way: Way, by: str) -> None:
    """Nobody was here."""


async def talked(way: Way, by: str) -> None:
    await way.enter(by)


async def long_ago(way: Way, by: str) -> None:
    await way.enter(by)
    way.door.clock.advance(timedelta(hours=721).total_seconds())


async def ended(way: Way, by: str) -> None:
    await way.enter(by)
    await way.door.store.write("test", end_conversation, await way.newest(), "api")


async def expired(way: Way, by: str) -> None:
    await way.enter(by)
    await way.door.record(await way.newest(), ConversationExpired())


Before = Callable[[Way, str], Awaitable[None]]
ROWS: dict[Reason, tuple[Before, bool, dict[str, Any]]] = {
    "new_person": (nothing, True, {}),
    "asked_new": (talked, True, {"resume": False}),
    "resumption_off": (talked, False, {}),
    "resumed": (talked, True, {}),
    "window_over": (long_ago, True, {}),
    "ended": (ended, True, {}),
    "none_open": (expired, True, {}),
}


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("reason", ROWS)
async def test_each_reason_at_each_way_in(door: Door, reason: Reason, by: str) -> None:
    before, resumption, more = ROWS[reason]
    way = await Way(door, "claimed").ready(resumption)
    await before(way, by)
    told, session_id = await way.enter(by, **more)
    assert told == reason
    assert await way.told_to_the_owner(session_id) == {reason}


@pytest.mark.parametrize("policy", ["device", "verified"])
async def test_the_eighth_is_told_to_every_claimant_and_judged_for_the_owner(door: Door, policy: str) -> None:
    way = await Way(door, policy).ready(True)
    told, first = await way.enter("claim")
    assert (told, await way.told_to_the_owner(first)) == ("proof_needed", {"new_person"})
    told, second = await way.enter("claim")
    assert (told, await way.told_to_the_owner(second)) == ("proof_needed", {"proof_needed"})
    assert {*ROWS, "proof_needed"} == set(get_args(Reason))


async def test_only_a_server_can_try_a_version_out(door: Door) -> None:
    """A browser can name no version: drafts are not for whoever has the page's key."""
    way = await Way(door, "claimed").ready(True)
    await way.enter("server")
    told, session_id = await way.enter("server", template_version=1)
    assert (told, await way.told_to_the_owner(session_id)) == ("asked_new", {"asked_new"})
    async with door.client(way.embed_key) as browser:
        named = await browser.post("/v1/embed/sessions", json={"external_id": "ada", "template_version": 1})
    assert (named.status_code, named.json()["error"]["field"]) == (400, "template_version")
