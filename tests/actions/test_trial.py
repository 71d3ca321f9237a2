"""A version tried out: it begins anew on just that version, and nothing goes on with it. On both databases."""

from typing import Any

import msgspec
import pytest

from roxels.actions import admit, author
from roxels.actions.admit import Exchange
from roxels.actions.browse import progress
from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.domain.errors import NotFound
from roxels.domain.proof import Proof
from roxels.storage import conversations, log, persons, sessions
from roxels.storage.conversations import ConversationFilter
from roxels.storage.pages import Span
from roxels.storage.store import Store
from roxels.testing import CountedIds, FakeClock

DRAFT = 2


class Desk:
    """A template with a draft, and somebody who opens visits of `ada`, as a server does."""

    def __init__(self, store: Store, ids: CountedIds, clock: FakeClock, template_id: str) -> None:
        self.store, self.ids, self.clock, self.template_id = store, ids, clock, template_id

    async def open(self, version: int | None = None, who: str | None = "ada", **more: Any) -> Opened:
        """A visit some time later; with a version to try out, or as it is published."""
        wish = VisitRequest(
            template_id=self.template_id,
            external_id=who,
            name=None,
            source="server",
            proof=Proof.verified if who else Proof.anonymous,
            method="secret_key",
            context={},
            template_version=version,
        )
        self.clock.advance(60)
        return await self.store.write("test", open_visit, msgspec.structs.replace(wish, **more), self.ids)

    async def version_of(self, opened: Opened) -> int:
        """Which version the conversation stands on."""
        return (await self.store.read("test", log.read, opened.conversation_id)).state.template_version


@pytest.fixture
async def desk(store: Store, ids: CountedIds, clock: FakeClock, template_id: str) -> Desk:
    await store.write("test", author.change, template_id, {"name": "A draft"}, publish=False)
    return Desk(store, ids, clock, template_id)


async def test_it_stands_on_the_version_that_is_named(desk: Desk) -> None:
    trial = await desk.open(DRAFT)
    assert (trial.reason, trial.judged, trial.resumed) == ("new_person", "new_person", False)
    await desk.store.write("test", author.change, desk.template_id, {"name": "A second draft"}, publish=False)
    await desk.store.write("test", author.publish, desk.template_id, 3)
    assert await desk.version_of(trial) == DRAFT
    assert await desk.version_of(await desk.open()) == 3


async def test_it_goes_on_with_nothing_and_nothing_goes_on_with_it(desk: Desk) -> None:
    hers = await desk.open()
    first, second = await desk.open(DRAFT), await desk.open(DRAFT)
    assert len({hers.conversation_id, first.conversation_id, second.conversation_id}) == 3
    back = await desk.open()
    assert (back.reason, back.conversation_id) == ("resumed", hers.conversation_id), "though it is the oldest"


@pytest.mark.parametrize("version", [1, DRAFT])
async def test_nothing_goes_on_with_it_once_it_is_published_either(desk: Desk, version: int) -> None:
    trial = await desk.open(version)
    await desk.store.write("test", author.publish, desk.template_id, version)
    back = await desk.open()
    assert (back.reason, back.judged) == ("new_person", "new_person"), "as if nobody had talked"
    assert back.conversation_id != trial.conversation_id
    later = await desk.open()
    assert later.conversation_id == back.conversation_id
    assert not (await desk.store.read("test", progress, back.conversation_id)).is_later


async def test_a_claim_is_not_judged_by_it(desk: Desk) -> None:
    await desk.open(DRAFT)
    claim = await desk.open(source="browser", proof=Proof.claimed, method="external_id", wants_token=True)
    assert (claim.reason, claim.judged) == ("new_person", "new_person")


async def test_the_tab_of_an_anonymous_one_begins_anew(desk: Desk) -> None:
    """The same browser and tab, at a page that has the template too."""
    place: dict[str, Any] = {"browser": "b1", "tab": "t1", "wants_token": True, "source": "browser", "method": "none"}
    trial = await desk.open(DRAFT, who=None, wants_token=False)
    visit = await desk.store.read_across(sessions.by_id, trial.session_id)
    assert visit is not None
    asked = Exchange(visit=visit, own_origin="http://127.0.0.1", browser="b1", tab="t1")
    await desk.store.write("test", admit.exchange, asked, desk.ids)
    first = await desk.open(who=None, **place)
    assert (first.reason, first.conversation_id != trial.conversation_id) == ("new_person", True)
    again = await desk.open(who=None, **place)
    assert again.conversation_id == first.conversation_id
    tried = await desk.open(DRAFT, who=None, **place)
    assert await desk.version_of(tried) == DRAFT


async def test_a_version_that_is_not_there_leaves_nothing_behind(desk: Desk) -> None:
    with pytest.raises(NotFound) as refused:
        await desk.open(9, who="grace")
    assert refused.value.field == "template_version"
    assert await desk.store.read("test", persons.find, "grace") is None
    assert not (await desk.store.read("test", conversations.listed, ConversationFilter(), Span(limit=9))).items
