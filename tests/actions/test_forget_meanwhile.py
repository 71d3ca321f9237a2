"""While a person's rows are going, transaction by transaction, she is gone for everybody: nothing is written of her,
and whoever comes with her `external_id` is the stranger who stays."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from roxels.actions import adopt, browse, forget, inspect, jobs, people
from roxels.actions.eraser import Eraser
from roxels.actions.open import Opened, open_again
from roxels.actions.recognise import Claim, recognise
from roxels.domain.conversation import EMPTY
from roxels.domain.errors import NotFound, RoxelsError
from roxels.domain.events import AnyEvent, ConversationAdopted, ConversationOpened
from roxels.storage import conversations, log, persons, schema, sessions
from roxels.storage.erasures import AT_ONCE, Erasure
from roxels.storage.pages import Span
from roxels.storage.store import Store
from roxels.storage.transaction import Reading, Writing
from roxels.storage.vault import Keyring
from roxels.testing import CountedIds
from tests.actions.test_forget import begin, say, visit


async def crowd(
    store: Store, person_id: str, template_id: str, ids: CountedIds, *events: AnyEvent, linked: str | None = None
) -> None:
    """So many conversations of hers, each with these facts, that one transaction does not take them and another."""

    def add(tx: Writing) -> None:
        for _ in range(AT_ONCE):
            id = ids.new("iv")
            conversations.begin(
                tx,
                id,
                person_id=person_id,
                template_id=template_id,
                template_version=1,
                is_trial=False,
                allowed_domains=None,
            )
            conversations.add(tx, id, EMPTY, None, events)
            conversations.link(tx, id, person_id=person_id, linked=linked)

    await store.write("test", add)


def unfenced(tx: Reading, person_id: str) -> str:
    """A conversation of hers that nobody took away yet."""
    hers = (schema.conversations.c.person_id == person_id, schema.conversations.c.epoch != schema.ERASING)
    found = tx.first(select(schema.conversations.c.id).where(*hers))
    assert found is not None
    return str(found.id)


class Meanwhile:
    """Ada's erasure has begun and most of her conversations are fenced; Bob is somebody else, the talk is nobody's."""

    def __init__(self, store: Store, keyring: Keyring, ids: CountedIds) -> None:
        self.store, self.keyring, self.ids = store, keyring, ids
        self.hers: list[Opened] = []
        self.talk: Opened
        self.bob: Opened
        self.erasure: Erasure
        #: One of her conversations that still stands by itself.
        self.unfenced = ""

    @property
    def ada(self) -> str:
        return self.hers[0].person.id

    async def refused(self, action: Callable[..., Any], *args: Any) -> None:
        """This is answered as it will be from now on."""
        with pytest.raises(NotFound):
            await self.store.write("test", action, *args)

    async def finish(self) -> None:
        """Remove the rest."""
        while self.erasure.state == "removing":
            self.erasure = await self.store.write("test", forget.take_step, self.erasure.id)


@pytest.fixture
async def meanwhile(store: Store, keyring: Keyring, ids: CountedIds, template_id: str) -> Meanwhile:
    made = Meanwhile(store, keyring, ids)
    made.hers = [await visit(store, template_id, ids)]
    await crowd(store, made.ada, template_id, ids)
    made.hers.append(await visit(store, template_id, ids, resume=False))
    made.talk = await visit(store, template_id, ids, None)
    made.bob = await visit(store, template_id, ids, "bob")
    for opened in (*made.hers, made.talk, made.bob):
        await say(store, opened, 3)
    made.erasure = await begin(store, keyring, ids, "person", made.ada)
    assert made.erasure.state == "removing"
    made.unfenced = await store.read("test", unfenced, made.ada)
    return made


async def left(store: Store) -> set[str]:
    """The persons whose rows stand."""

    def read(tx: Reading) -> set[str]:
        return {row.id for row in tx.all(select(schema.persons.c.id))}

    return await store.read("test", read)


async def test_nothing_is_written_of_her(meanwhile: Meanwhile) -> None:
    ids, ada = meanwhile.ids, meanwhile.ada
    await meanwhile.refused(people.patch, ada, {"name": "Ada", "org_context": {"plan": "gold"}})
    await meanwhile.refused(adopt.adopt, meanwhile.talk.conversation_id, ada)
    await meanwhile.refused(adopt.adopt, meanwhile.bob.conversation_id, ada)
    await meanwhile.refused(jobs.begin_export, ada, ids)
    steps = 0
    while meanwhile.erasure.state == "removing":  # also when all her conversations are fenced
        steps += 1
        await meanwhile.refused(people.patch, ada, {"name": "Ada"})
        await meanwhile.refused(adopt.adopt, meanwhile.talk.conversation_id, ada)
        meanwhile.erasure = await meanwhile.store.write("test", forget.take_step, meanwhile.erasure.id)
    assert steps > 1
    assert await left(meanwhile.store) == {meanwhile.talk.person.id, meanwhile.bob.person.id}
    for opened in (meanwhile.talk, meanwhile.bob):
        assert len((await meanwhile.store.read("test", log.read, opened.conversation_id)).state.transcript) == 3


async def test_nobody_finds_her(meanwhile: Meanwhile) -> None:
    store, ada, others = meanwhile.store, meanwhile.ada, {meanwhile.talk.person.id, meanwhile.bob.person.id}
    assert await store.read("test", persons.get, ada) is None
    listed, searched = (
        await store.read("test", persons.listed, None, Span()),
        await store.read("test", browse.people, "", Span()),
    )
    assert {each.id for each in listed.items} == {each.person.id for each in searched.items} == others
    assert await store.read("test", browse.place_of, ada) is None
    id = meanwhile.unfenced
    with pytest.raises(NotFound):
        await store.read("test", browse.portrait, ada, Span())
    with pytest.raises(NotFound):
        await store.read("test", inspect.conversation, id)
    with pytest.raises(NotFound):
        await store.read("test", conversations.subject, id)


async def test_her_conversations_lead_nowhere(meanwhile: Meanwhile) -> None:
    """Also those that are not fenced yet: nobody is let in, and they become nobody else's."""
    id = meanwhile.unfenced
    await meanwhile.refused(open_again, id, meanwhile.ids)
    await meanwhile.refused(adopt.adopt, id, meanwhile.bob.person.id)
    await meanwhile.finish()
    assert await left(meanwhile.store) == {meanwhile.talk.person.id, meanwhile.bob.person.id}


async def test_what_she_had_adopted_does_not_escape(
    store: Store, keyring: Keyring, ids: CountedIds, template_id: str
) -> None:
    ada, nobody = await visit(store, template_id, ids), await visit(store, template_id, ids, None)
    adopted: list[AnyEvent] = [
        ConversationOpened(template_id=template_id, template_version=1),
        ConversationAdopted(proof="verified"),
    ]
    await crowd(store, ada.person.id, template_id, ids, *adopted, linked=nobody.person.id)
    erasure = await begin(store, keyring, ids, "person", ada.person.id)
    id = await store.read("test", unfenced, ada.person.id)
    with pytest.raises(NotFound):
        await store.write("test", adopt.undo, id)
    while erasure.state == "removing":
        erasure = await store.write("test", forget.take_step, erasure.id)
    assert await store.read("test", log.find, id) is None
    assert await left(store) == {nobody.person.id}


async def test_who_comes_by_her_name_is_a_stranger_and_stays(meanwhile: Meanwhile, template_id: str) -> None:
    store, ids = meanwhile.store, meanwhile.ids
    known, is_new = await store.write("test", people.upsert, "ada", {"org_context": {"plan": "new"}}, ids)
    assert (is_new, known.org_context) == (True, {"plan": "new"})
    back = await visit(store, template_id, ids)
    assert (back.person.id, back.reason, back.resumed) == (known.id, "new_person", False)
    await store.write("test", adopt.adopt, meanwhile.talk.conversation_id, known.id)
    await say(store, back, 3)
    await meanwhile.finish()
    assert known.id in await left(store)
    kept = await store.read("test", persons.find, "ada")
    assert kept is not None
    assert (kept.id, kept.org_context, kept.conversation_count) == (known.id, {"plan": "new"}, 2)
    assert len((await store.read("test", log.read, back.conversation_id)).state.transcript) == 3


async def test_a_talk_under_way_leaves_no_name(meanwhile: Meanwhile) -> None:
    """Her browser says a name, and names her again, in a conversation that is not fenced yet."""
    store = meanwhile.store
    found = await store.read_across(sessions.by_token, meanwhile.hers[0].token or "")
    assert found is not None
    found = msgspec.structs.replace(found, conversation_id=meanwhile.unfenced)
    claim = Claim(visit=found, external_id=None, person_name="Canary", identity_token=None, browser=None, host=None)
    await store.write("test", recognise, claim, meanwhile.keyring.vault, meanwhile.ids)
    await meanwhile.finish()

    def words(tx: Reading) -> list[str]:
        return [row.word for row in tx.all(select(schema.person_words.c.word))]

    assert not [word for word in await store.read("test", words) if "canary" in word]


async def test_asked_again_it_is_the_same_erasure(meanwhile: Meanwhile, eraser: Eraser) -> None:
    wishes: list[tuple[forget.By, str]] = [("person", meanwhile.ada), ("external_id", "ada")]
    for by, name in wishes:
        again = await begin(meanwhile.store, meanwhile.keyring, meanwhile.ids, by, name)
        assert again.id == meanwhile.erasure.id


async def test_at_the_same_time(store: Store, keyring: Keyring, ids: CountedIds, template_id: str) -> None:
    """Whichever comes first: what is adopted before goes with her, what comes later is refused; nothing is half."""
    hers = [await visit(store, template_id, ids)]
    await crowd(store, hers[0].person.id, template_id, ids)
    talks = [await visit(store, template_id, ids, None) for _ in range(12)]

    async def adopted(talk: Opened) -> bool:
        try:
            await store.write("test", adopt.adopt, talk.conversation_id, hers[0].person.id)
            await store.write("test", people.patch, hers[0].person.id, {"org_context": {talk.session_id: "canary"}})
        except RoxelsError:
            return False
        return True

    async def erased() -> None:
        await asyncio.sleep(0)
        erasure = await begin(store, keyring, ids, "person", hers[0].person.id)
        while erasure.state == "removing":
            erasure = await store.write("test", forget.take_step, erasure.id)

    await asyncio.gather(*(adopted(talk) for talk in talks[:6]), erased(), *(adopted(talk) for talk in talks[6:]))
    assert hers[0].person.id not in await left(store)

    def of_her(tx: Reading) -> int:
        return len(tx.all(select(schema.conversations.c.id).where(schema.conversations.c.epoch == schema.ERASING)))

    assert await store.read("test", of_her) == 0
