"""What goes in and what comes out of understanding: the moment of speaking, and the three readings of an answer."""

from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec


class Moment(msgspec.Struct, frozen=True):
    """When and where the words were said."""

    #: Aware, UTC.
    now: datetime
    #: IANA name of the person's time zone; an unknown name counts as UTC.
    timezone: str = "UTC"
    #: BCP 47; the region decides the order of day and month, and which country a phone number belongs to.
    locale: str = "en"

    @property
    def zone(self) -> tzinfo:
        """The person's time zone."""
        try:
            return ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            return ZoneInfo("UTC")

    @property
    def here(self) -> datetime:
        """Now, on the person's clock."""
        return self.now.astimezone(self.zone)


class Understood(msgspec.Struct, frozen=True):
    """A value, and where in the words it stands."""

    value: Any
    #: Start and end in code points: `words[start:end]` is what was read.
    span: tuple[int, int]
    #: False where a listener would ask "did you mean …?" (a misspelt choice, a guessed half of the day).
    sure: bool = True


class Unclear(msgspec.Struct, frozen=True):
    """No value can be told from the words; ask again."""

    #: One short sentence that may be said to the person, or nothing.
    hint: str = ""


class Declined(msgspec.Struct, frozen=True):
    """The person declined, or does not know."""


Reading = Understood | Unclear | Declined
