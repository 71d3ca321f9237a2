"""Whatever can hold something of a person leads to one, so that erasing finds it; and finds it without reading all."""

from typing import get_args

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, String, Table

from roxels.domain.receipts import Kind
from roxels.storage.database import Backend
from roxels.storage.roads import ROADS, Road, roads
from roxels.storage.schema import NOTHING, PERSON, column, erasures, metadata

#: Empties itself: what it holds of a subject it gives up with the subject's last row (`storage.erasures`).
OWN = {erasures.name}


def uncovered(schema: MetaData) -> set[str]:
    """The tables that can hold something of a person and have no road to one."""
    about = {table.name for table in schema.tables.values() if any(holds_person(each) for each in table.columns)}
    return about - OWN - {road.table.name for kind in get_args(Kind) for road in roads(kind, schema)}


def holds_person(each: Column) -> bool:
    return bool(each.info["about"] == PERSON)


def schema_and(table: Table) -> MetaData:
    """The schema with one more table."""
    schema = MetaData(naming_convention=metadata.naming_convention)
    for each in (*metadata.tables.values(), table):
        each.to_metadata(schema)
    return schema


def notes(*more: Column) -> Table:
    """A table that somebody adds."""
    return Table("notes", MetaData(), column("id", String, primary_key=True, about=NOTHING), *more)


def test_every_table_about_a_person_is_covered() -> None:
    assert uncovered(metadata) == set()


def test_a_new_table_about_a_person_without_a_road_is_found() -> None:
    table = notes(column("person", String, about=PERSON), column("text", String, about=PERSON))
    assert uncovered(schema_and(table)) == {"notes"}


@pytest.mark.parametrize("parent", ["persons.id", "conversations.id", "sessions.id", "attempts.delivery_id"])
def test_a_new_table_with_a_road_is_erased_before_what_it_leads_to(parent: str) -> None:
    table = notes(column("of", String, ForeignKey(parent), about=PERSON))
    schema = schema_and(table)
    assert uncovered(schema) == set()
    names = [road.table.name for road in roads("person", schema)]
    assert names.index("notes") < names.index(parent.split(".")[0])


def test_what_leads_to_a_person_is_marked_so() -> None:
    for road in (*ROADS["person"], *ROADS["interview"]):
        assert all(holds_person(each) for each in road.columns), road


def test_children_go_before_parents() -> None:
    for kind in get_args(Kind):
        names = [road.table.name for road in ROADS[kind]]
        last = {name: position for position, name in enumerate(names)}
        for road in ROADS[kind]:
            for key in road.table.foreign_keys:
                parent = key.column.table.name
                assert parent not in names or last[road.table.name] < names.index(parent), (road, parent)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_subject_itself_goes_last(kind: Kind) -> None:
    assert ROADS[kind][-1].table.name == {"person": "persons", "interview": "conversations"}[kind]


@pytest.mark.parametrize(
    "road", [*ROADS["person"], *ROADS["interview"]], ids=lambda road: " to ".join(map(str, road.columns))
)
def test_no_road_reads_a_whole_table(database: Backend, road: Road) -> None:
    dialect = database.readers.dialect
    query = road.rows("test", "x", 500).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    with database.readers.connect() as connection:
        if dialect.name == "sqlite":
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
        else:  # of empty tables a scan is the cheapest; here it is what remains where no index leads
            connection.exec_driver_sql("SET enable_seqscan = off")
            plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {query}")]
    assert not [step for step in plan if step.startswith("SCAN") or "Seq Scan" in step], plan
