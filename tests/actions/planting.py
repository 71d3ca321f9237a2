"""People who said and own a lot, in every column that can hold something of them; and a search for what is left.

What is planted is written down from the schema, so that a new table or column is planted and searched for by itself.
"""

import base64
import contextlib
import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import JSON, Column, Integer, LargeBinary, Table, UniqueConstraint, insert, update

from roxels.actions.open import Opened, VisitRequest, open_visit
from roxels.domain.conversation import EMPTY, Conversation
from roxels.domain.events import AgentSaid, AgentStarted, FieldCaptured, PersonSaid
from roxels.domain.ids import Kind
from roxels.domain.proof import Proof
from roxels.storage import conversations, log
from roxels.storage.log import Append, Piece
from roxels.storage.roads import ROADS
from roxels.storage.schema import PERSON, UtcDateTime, persons
from roxels.storage.store import Store
from roxels.storage.transaction import Writing
from roxels.testing import CountedIds

T = TypeVar("T")

LATIN, GREEK = "abcdefghijklmnopqrstuvwxyz", "αβγδεζηθικλμνξοπρστυφχψω"
#: In the folder, but not the database's: the demo's own keys, and what a receiver got.
NOT_OURS = {"demo.json", "sink.jsonl"}
#: Planted by acting, not row by row.
ACTED = {"persons", "conversations", "events"}


class Chance:
    """Mixed numbers, the same in every run."""

    def __init__(self, seed: int) -> None:
        self._hash = hashlib.sha256(seed.to_bytes(8, "big"))

    def number(self, bits: int) -> int:
        """A number of up to 256 bits."""
        self._hash.update(b".")
        return int.from_bytes(self._hash.digest(), "big") >> (256 - bits)

    def below(self, end: int) -> int:
        """A number from 0 on, less than `end`."""
        return self.number(64) % end

    def word(self, letters: str) -> str:
        """16 letters."""
        return "".join(letters[self.below(len(letters))] for _ in range(16))

    def mixed(self, items: Iterable[T]) -> list[T]:
        """The same in another order."""
        return [item for _, item in sorted(((self.number(64), item) for item in items), key=itemgetter(0))]


#: Tables whose rows go with a conversation; the others lead to a person only.
OF_CONVERSATIONS = frozenset(road.table for road in ROADS["interview"])


class Planted(msgspec.Struct, kw_only=True):
    """One conversation of a person, and two canaries: words that stand nowhere else, of Latin and of Greek letters."""

    external_id: str
    latin: str
    greek: str
    #: The person's first: fills her own columns too.
    is_first: bool = True
    opened: Opened | None = None
    state: Conversation = EMPTY

    @property
    def visit(self) -> Opened:
        """The visit that was opened."""
        assert self.opened is not None
        return self.opened

    @property
    def words(self) -> str:
        """The canaries among other words, as they are and as they are often written."""
        text = f"I am {self.latin}, also written {self.greek}."
        return " ".join([text, json.dumps(text), base64.b64encode(text.encode()).decode()])

    @property
    def conversation_needles(self) -> list[str]:
        """What must be gone with the conversation."""
        return [self.latin, self.greek, self.visit.conversation_id, self.visit.session_id]

    @property
    def needles(self) -> list[str]:
        """What must be gone with the person."""
        return [*self.conversation_needles, self.external_id, self.visit.person.id]


class MixedIds(CountedIds):
    """Ids in no order, as real ones are, so that rows move between pages; the same in every run."""

    def __init__(self, chance: Chance) -> None:
        super().__init__()
        self._chance = chance

    def new(self, kind: Kind) -> str:
        """`<kind>_` and 32 digits."""
        return f"{kind}_{self._chance.number(128):032x}"


def planted(chance: Chance, external_id: str | None = None) -> Planted:
    """A conversation to be planted, of somebody new or one more of this person."""
    return Planted(
        external_id=external_id or f"user_{chance.word(LATIN)}",
        latin=chance.word(LATIN),
        greek=chance.word(GREEK),
        is_first=external_id is None,
    )


async def plant(store: Store, template_id: str, people: Sequence[Planted], chance: Chance, turns: int) -> None:
    """Let them all talk at once, two messages a turn, and fill every other table that leads to them."""
    ids = MixedIds(chance)
    for person in people:
        await store.write("test", _open, person, template_id, ids)
    for turn in range(turns):
        await store.write("test", _talk, chance.mixed(people), turn, chance)
        if turn % 10 == 0:
            await store.write("test", _own, people, template_id, chance)


def _open(tx: Writing, person: Planted, template_id: str, ids: CountedIds) -> None:
    wish = VisitRequest(
        template_id=template_id,
        external_id=person.external_id,
        name=person.words if person.is_first else None,
        source="server",
        proof=Proof.claimed,
        method="external_id",
        context={"plan": person.words},
        resume=False,
    )
    person.opened = open_visit(tx, wish, ids)
    person.state = person.opened.state
    if not person.is_first:
        return
    about = {each.name: _value(each, person, 0, {}) for each in persons.c if each.info["about"] == PERSON}
    kept = {name: value for name, value in about.items() if name not in ("id", "external_id", "conversation_count")}
    tx.run(update(persons).where(persons.c.id == person.opened.person.id).values(kept))


def _talk(tx: Writing, people: Iterable[Planted], turn: int, chance: Chance) -> None:
    for person in people:
        words = " ".join([person.words] * (1 + chance.below(6)))
        utterance = f"utt_{person.latin}_{turn}"
        said = PersonSaid(id=f"m{turn}_{person.latin}", text=words)
        captured = FieldCaptured(goal_id="g1", field="company", value=words, said_id=said.id)
        _add(tx, person, said, captured, AgentStarted(utterance_id=utterance, plan=words))
        for start in range(0, len(words), 200):
            piece = Piece(utterance, start, words[start : start + 200])
            id = person.visit.conversation_id
            log.keep(tx, Append(conversation_id=id, expected_seq=person.state.head, piece=piece))
        if turn % 7:  # else the answer stays under way until the next message, and its pieces stay
            _add(tx, person, AgentSaid(utterance_id=utterance, text=words), ended=utterance)
        else:
            _add(tx, person, AgentSaid(utterance_id=utterance, text=words))


def _add(tx: Writing, person: Planted, *events: Any, ended: str | None = None) -> None:
    visit = person.visit
    person.state = conversations.add(
        tx, visit.conversation_id, person.state, visit.session_id, events, ended_utterance=ended
    )


def _own(tx: Writing, people: Sequence[Planted], template_id: str, chance: Chance) -> None:
    """A row of every table that leads to them, parents before children."""
    tables = list(dict.fromkeys(road.table for road in reversed(ROADS["person"]) if road.table.name not in ACTED))
    for person in chance.mixed(people):
        parents: dict[str, Any] = {
            "templates": template_id,
            "persons": person.visit.person.id,
            "conversations": person.visit.conversation_id,
        }
        for table in tables:
            if not person.is_first and table not in OF_CONVERSATIONS:
                continue  # like the person's own row, it outlives a conversation
            row = _row(table, person, chance.number(60), parents)
            tx.run(insert(table).values(row))
            parents[table.name] = row[next(iter(table.primary_key.columns)).name]


def _row(table: Table, person: Planted, number: int, parents: dict[str, Any]) -> dict[str, Any]:
    return {column.name: _value(column, person, number, parents) for column in table.columns}


def _value(column: Column[Any], person: Planted, number: int, parents: dict[str, Any]) -> Any:
    for key in column.foreign_keys:
        return parents[key.column.table.name]
    if column.name == "environment":
        return "test"
    words = person.words if column.info["about"] == PERSON else "nothing"
    if isinstance(column.type, UtcDateTime):
        return person.visit.expires_at
    if isinstance(column.type, JSON):
        return {words: [words]}
    if isinstance(column.type, LargeBinary):
        return words.encode()
    if isinstance(column.type, Integer):
        return number % 2**31
    return f"{number:015x} {words}" if column.primary_key or _is_unique(column) else words


def _is_unique(column: Column[Any]) -> bool:
    """Whether no two rows may have the same here, alone or together with other columns."""
    constraints = column.table.constraints
    return bool(column.unique) or any(
        isinstance(each, UniqueConstraint) and column in each.columns.values() for each in constraints
    )


def found(folder: Path, needles: Iterable[str]) -> dict[str, list[str]]:
    """Which of these words stand in which file of the folder, in any of the ways to write them."""
    files = {path.name: inflated(path) for path in folder.rglob("*") if path.is_file() and path.name not in NOT_OURS}
    return {
        needle: there
        for needle in needles
        if (there := [name for name, content in files.items() if any(way in content for way in ways(needle))])
    }


def inflated(path: Path) -> bytes:
    """The bytes of a file, followed by those of every zip, zlib and gzip stream in it."""
    content = path.read_bytes()
    inner = [content]
    if content.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            inner += [archive.read(name) for name in archive.namelist()]
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", content):
        stream = zlib.decompressobj(wbits=47)  # either kind, as its head says
        with contextlib.suppress(zlib.error):
            inner.append(stream.decompress(content[match.start() : match.start() + (1 << 20)]))
    return b"\n".join(inner)


def ways(needle: str) -> list[bytes]:
    """How a word may stand in a file: as UTF-8 or UTF-16, as JSON escapes it, within base64."""
    raw = needle.encode()
    ways = [raw, needle.encode("utf-16-le"), needle.encode("utf-16-be"), json.dumps(needle)[1:-1].encode()]
    for shift in range(3):  # where it begins within a group of three bytes
        whole = base64.b64encode(b"\0" * shift + raw)
        ways.append(whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6])
    return ways
