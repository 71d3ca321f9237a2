"""Values, moments and spans of time as a person would say them."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from roxels.agent.dialogue.phrases import Book
from roxels.domain.fields import Field

#: Longer answers are not said back; whoever wrote them knows them.
SHORT = 60
#: Fields whose numbers are amounts of money, by their name or description.
_MONEY = re.compile(
    r"budget|price|cost|revenue|amount|salary|turnover|fee\b|spend|\bmoney\b|dollar|euro|pound", re.IGNORECASE
)


def spoken(field: Field, value: Any, book: Book, zone: tzinfo) -> str:
    """The value inside a sentence: `Tuesday, 3 March 2027`, `red, green and blue`, `yes`."""
    match value:
        case bool():
            return book.yes if value else book.no
        case int() | float():
            return _number(field, value)
        case str():
            return _text(field, value, book, zone)
        case list():
            item = field.items or Field(name=field.name)
            return listed([spoken(item, each, book, zone) for each in value], book.both) or book.nothing
        case dict():
            plain = Field(name=field.name)
            return ", ".join(f"{key}: {spoken(plain, each, book, zone)}" for key, each in value.items()) or book.nothing
        case _:
            return str(value)


def listed(parts: Iterable[str], joint: str) -> str:
    """`red, green and blue`."""
    *most, last = list(parts) or [""]
    return f"{', '.join(most)} {joint} {last}" if most else last


def shortened(text: str, limit: int) -> str:
    """The text on one line, cut between words where it is longer than `limit` code points."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0].rstrip(",.;:") + "…"


def quoted(text: str, limit: int) -> str:
    """The text as it stands between quotation marks at the end of a sentence."""
    return shortened(text, limit).rstrip(".")


def day(moment: date, book: Book) -> str:
    """`Tuesday, 3 March 2027`."""
    return book.date.format(
        weekday=book.weekdays[moment.weekday()], day=moment.day, month=book.months[moment.month - 1], year=moment.year
    )


def when(then: datetime, now: datetime, book: Book, zone: tzinfo) -> str:
    """How one refers to an earlier day: `Earlier today`, `Yesterday`, `On 3 March`."""
    then, now = then.astimezone(zone), now.astimezone(zone)
    if then.date() == now.date():
        return book.today
    if then.date() == now.date() - timedelta(days=1):
        return book.yesterday
    pattern = book.day if then.year == now.year else book.day_of_year
    spoken_day = pattern.format(day=then.day, month=book.months[then.month - 1], year=then.year)
    return book.on_day.format(day=spoken_day)


def lasting(time: timedelta, book: Book) -> str:
    """About how long: `an hour`, `3 days`, `2 months`."""
    units = (
        (timedelta(days=60), timedelta(days=30), book.month),
        (timedelta(days=1), timedelta(days=1), book.days),
        (timedelta(hours=1), timedelta(hours=1), book.hour),
    )
    for least, unit, names in units:
        if time >= least:
            return _counted(round(time / unit), names)
    return _counted(max(1, round(time / timedelta(minutes=1))), book.minute)


def _counted(count: int, names: tuple[str, str]) -> str:
    one, many = names
    return one if count == 1 else many.format(n=count)


def _number(field: Field, value: int | float) -> str:
    if _MONEY.search(f"{field.name} {field.description}"):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".removesuffix(".00")
    return f"{value:,}" if abs(value) >= 10_000 else str(value)


def _text(field: Field, value: str, book: Book, zone: tzinfo) -> str:
    moment = _moment(field, value)
    if isinstance(moment, datetime):
        local = moment.astimezone(zone)
        return book.date_and_time.format(date=day(local, book), time=f"{local:%H:%M}")
    if moment is not None:
        return day(moment, book)
    if field.enum is not None:
        value = value.replace("_", " ")
    return shortened("; ".join(value.splitlines()), 4 * SHORT).rstrip(".")


def _moment(field: Field, value: str) -> date | datetime | None:
    try:
        if field.format == "date":
            return date.fromisoformat(value)
        if field.format == "date-time":
            return datetime.fromisoformat(value)
    except ValueError:
        return None
    return None
