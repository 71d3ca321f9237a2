"""Finding persons by how their name, a word of it, their external id or their e-mail begins.

Each of these stands in `person_words`, folded, with the rest of the name behind it: "Ada Maria Lovelace" is found under
`ada maria lovelace`, `maria lovelace` and `lovelace`. A search is then a range of one index, in either database:

    few match     their ids are read, and these persons sorted
    many match    the persons are read as they are listed, the latest seen first, and each is looked up

so a rare name costs as much as it has bearers, and a single letter as much as a page.
"""

import unicodedata
from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, delete, select

from roxels.domain.persons import Person
from roxels.storage.schema import person_words, persons
from roxels.storage.transaction import Reading, Writing

#: So many matches are sorted; of more the newest are looked for.
FEW = 300
#: Longer beginnings tell nobody apart, and an index wants short keys.
LONGEST_KEY = 100
#: No person is found by more than so many words of a name.
MOST_WORDS = 12
_BEHIND_ALL = "\U0010ffff"


def key_of(text: str) -> str:
    """A text as it is compared: in any case of letters, however its accents are written."""
    folded = unicodedata.normalize("NFKC", text).casefold().encode("utf-8", "replace").decode()
    return folded.strip()[:LONGEST_KEY]


def keys_of(external_id: str | None, name: str | None, email: str | None) -> frozenset[str]:
    """What a person is found by."""
    texts = [external_id or "", email or "", *_tails(name or "")]
    return frozenset(key for text in texts if (key := key_of(text)))


def _tails(name: str) -> Iterator[str]:
    words = name.split()
    for start in range(min(len(words), MOST_WORDS)):
        yield " ".join(words[start:])


def write(tx: Writing, person: Person) -> None:
    """Let her be found by what is known now, and by nothing else."""
    forget(tx, person.id)
    add(tx, person.id, keys_of(person.external_id, person.name, person.email))


def add(tx: Writing, person_id: str, keys: Collection[str]) -> None:
    """Let her be found by these too. It costs the same whether she was already."""
    for word in sorted(keys):
        tx.insert_if_absent(person_words, {"person_id": person_id, "environment": tx.environment, "word": word})


def forget(tx: Writing, person_id: str) -> int:
    """Nobody finds her any more; says how many words led to her."""
    hers = (person_words.c.environment == tx.environment, person_words.c.person_id == person_id)
    return tx.run(delete(person_words).where(*hers))


def found(tx: Reading, words: str, few: int = FEW) -> ColumnElement[bool]:
    """Whether a row of `persons` is one that these words begin."""
    key = key_of(words)
    begins = (
        person_words.c.environment == tx.environment,
        person_words.c.word >= key,
        person_words.c.word < key + _BEHIND_ALL,
    )
    first = tx.all(select(person_words.c.person_id).where(*begins).limit(few + 1))
    if len(first) <= few:
        return persons.c.id.in_({row.person_id for row in first})
    hers = (person_words.c.person_id == persons.c.id, *begins)
    return select(person_words.c.person_id).where(*hers).exists()
