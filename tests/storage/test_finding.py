"""People are found by how they begin, by a range of one index, however many there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from roxels.actions import people
from roxels.domain.persons import Person
from roxels.storage import finding, persons
from roxels.storage.pages import Span
from roxels.storage.store import Store
from roxels.storage.transaction import Environment, Writing
from roxels.testing import CountedIds, FakeClock

ALL = Span(limit=200)


async def keep(store: Store, ids: CountedIds, external_id: str | None = None, **given: str) -> Person:
    """Somebody of whom this is known."""
    person, _ = await store.write("test", people.upsert, external_id, given, ids)
    return person


async def found(store: Store, words: str, environment: Environment = "test", span: Span = ALL) -> list[str | None]:
    """Whom these words find, the latest seen first."""
    page = await store.read(environment, persons.searched, words, span)
    return [person.external_id for person in page.items]


@contextmanager
def told(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements that go to the database meanwhile, with their parameters."""
    asked: list[tuple[str, Any]] = []

    def listener(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listener)
    yield asked
    event.remove(engine, "before_cursor_execute", listener)


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("Ada", True),
        ("ada maria", True),
        ("maria lo", True),
        ("LOVELACE", True),
        ("prod:u", True),
        ("PROD:USER_1", True),
        ("ada@ex", True),
        ("elace", False),
        ("user_1", False),
        ("example.com", False),
        ("%", False),
        ("_da", False),
        ("ada  ", True),
        ("ada\U0010ffff", False),
    ],
)
async def test_how_they_begin(store: Store, ids: CountedIds, words: str, is_found: bool) -> None:
    await keep(store, ids, "prod:user_1", name="Ada Maria Lovelace", email="Ada@Example.com")
    assert (await found(store, words) == ["prod:user_1"]) is is_found


@pytest.mark.parametrize("words", ["élo", "ÉLO", "E\u0301lodie", "ång", "STRASSE", "straße", "ﬁ"])
async def test_letters_are_folded(store: Store, ids: CountedIds, words: str) -> None:
    await keep(store, ids, "e", name="Élodie Ångström Straße Fischer")
    assert await found(store, words) == ["e"]


async def test_what_is_known_no_more_finds_nobody(store: Store, ids: CountedIds) -> None:
    person = await keep(store, ids, "ada", name="Ada King", email="ada@example.com")
    await store.write("test", people.patch, person.id, {"name": "Ada Lovelace", "email": None})
    assert await found(store, "king") == []
    assert await found(store, "ada@") == []
    assert await found(store, "lovelace") == ["ada"]


async def test_environments_find_their_own(store: Store, ids: CountedIds) -> None:
    await keep(store, ids, "ada", name="Ada")
    assert await found(store, "ada", "live") == []


async def test_of_many_the_latest_seen_come_first_page_by_page(store: Store, ids: CountedIds, clock: FakeClock) -> None:
    for number in range(10):
        clock.advance(1)
        await keep(store, ids, f"ada {number}", name="Ada")
        await keep(store, ids, f"bob {number}", name="Bob")
    for few in (finding.FEW, 3):  # the two ways
        seen: list[str | None] = []
        span = Span(limit=4)
        while True:
            page = await store.read("test", persons.searched, "ada", span, few)
            seen += [person.external_id for person in page.items]
            if page.next is None:
                break
            span = Span(limit=4, after=page.next)
        assert seen == [f"ada {number}" for number in reversed(range(10))]


@pytest.mark.parametrize("few", [300, 0])
async def test_no_search_reads_a_whole_table(store: Store, ids: CountedIds, few: int) -> None:
    await keep(store, ids, "ada", name="Ada")
    engine = store.database.readers
    with told(engine) as asked:
        page = await store.read("test", persons.searched, "ada", ALL, few)
    assert [person.external_id for person in page.items] == ["ada"]
    selects = [each for each in asked if each[0].startswith("SELECT")]
    assert len(selects) == 2
    with engine.connect() as connection:
        for statement, parameters in selects:
            if engine.dialect.name == "sqlite":
                steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            else:
                connection.exec_driver_sql("SET enable_seqscan = off")
                steps = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
            assert not [step for step in steps if step.startswith("SCAN") or "Seq Scan" in step], steps


async def test_known_and_unknown_cost_the_same_statements(store: Store, ids: CountedIds) -> None:
    """A claim must not learn from the time that it takes whether somebody was here before."""
    counts = []
    for _ in range(2):
        with told(store.database.writer) as asked:
            await store.write("test", _visited, ids)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def _visited(tx: Writing, ids: CountedIds) -> None:
    persons.seen(tx, persons.resolve(tx, "ada", ids), "Ada", "browser")


def test_keys_are_short_and_few() -> None:
    keys = finding.keys_of("x" * 255, " ".join(["word"] * 60), None)
    assert len(keys) <= finding.MOST_WORDS + 1
    assert max(map(len, keys)) <= finding.LONGEST_KEY
    assert finding.keys_of(None, "  ", None) == frozenset()
