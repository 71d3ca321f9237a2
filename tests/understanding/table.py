"""The table of utterances, as values."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from roxels.domain.fields import Field
from roxels.understanding import Declined, Moment, Reading, Unclear, Understood, understand

TABLE = Path(__file__).parent / "utterances.toml"


class Utterance(msgspec.Struct, frozen=True):
    """One answer to one question, and what a listener makes of it."""

    about: str
    field: Field
    moment: Moment
    words: str
    #: "understood", "unclear" or "refused"
    kind: str
    value: Any = None

    @property
    def read(self) -> Reading:
        return understand(self.field, self.words, self.moment)

    @property
    def holds(self) -> bool:
        match self.read:
            case Understood(value=value):
                return self.kind == "understood" and type(value) is type(self.value) and bool(value == self.value)
            case Unclear():
                return self.kind == "unclear"
            case Declined():
                return self.kind == "refused"


@cache
def utterances() -> tuple[Utterance, ...]:
    """The whole table."""
    return tuple(_read(tomllib.loads(TABLE.read_text(encoding="utf-8"))))


def _read(table: dict[str, Any]) -> Iterator[Utterance]:
    for group in table["group"]:
        field = msgspec.convert(group["field"], Field)
        said = {**table, **group}
        now = datetime.fromisoformat(said["now"]).astimezone(UTC)
        moment = Moment(now=now, timezone=said["timezone"], locale=said["locale"])
        for words, value in group.get("understood", ()):
            yield Utterance(group["about"], field, moment, words, "understood", value)
        for kind in ("unclear", "refused"):
            for words in group.get(kind, ()):
                yield Utterance(group["about"], field, moment, words, kind)
