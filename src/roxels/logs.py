"""Log lines: a fixed sentence, what was done (`action`), and fields. What a person said never stands in one.

Nor does the text of an exception: a library may have put into it what it was given. A fault is told by its kind, by
what the system or SQLite says of it, and by the lines of code that it came through.

    logger = logging.getLogger(__name__)
    logger.info("conversation opened", extra={"action": "open", "interview_id": iv, "reason": reason})

`install` sends them to stderr, as text for people or as one JSON object per line for machines.
"""

import json
import logging
import os
import sqlite3
import sys
import traceback
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

LogFormat = Literal["text", "json"]

#: What every record carries by itself; anything else came with `extra`.
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given in `extra`, in its order."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}


def told(fault: BaseException) -> str:
    """What may be said of a fault and of those that led to it, the first one first: where, and of which kind."""
    before = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    earlier = [told(before)] if before is not None else []
    within = [told(each) for each in fault.exceptions] if isinstance(fault, BaseExceptionGroup) else []
    return "\n".join([*earlier, *within, "".join(traceback.format_tb(fault.__traceback__)) + _kind(fault)])


def _kind(fault: BaseException) -> str:
    name = f"{type(fault).__module__}.{type(fault).__qualname__}".removeprefix("builtins.")
    if isinstance(fault, sqlite3.Error):
        return f"{name}: {fault}"  # it names tables and columns, never values
    return f"{name}: {os.strerror(fault.errno)}" if isinstance(fault, OSError) and fault.errno else name


class TextLines(logging.Formatter):
    """`12:00:00 INFO roxels.wire: conversation opened action=open interview_id=iv_1`"""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it where there is one."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        given = "".join(f" {name}={_plain(value)}" for name, value in fields(record).items())
        line = f"{at} {record.levelname} {record.name}: {record.getMessage()}{given}"
        return f"{line}\n{told(record.exc_info[1])}" if record.exc_info and record.exc_info[1] else line


class JsonLines(logging.Formatter):
    """`{"at": "2030-01-01T12:00:00Z", "level": "info", "logger": …, "message": …, "action": …, …}`"""

    def format(self, record: logging.LogRecord) -> str:
        """One object on one line; a traceback stands under `exception`."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        line |= fields(record)
        if record.exc_info and record.exc_info[1]:
            line["exception"] = told(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


class Tally(logging.Handler):
    """Counts log lines by level, for `/metrics`."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.counts["log_lines", record.levelname.lower()] += 1


def install(level: str, form: LogFormat, stream: TextIO | None = None) -> None:
    """Send all log lines from `level` (debug, info, warning, error) on to `stream` (stderr), and nowhere else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # it names each of its parts at every start


def _plain(value: object) -> str:
    text = str(value)
    return text if text and text.isprintable() and " " not in text and '"' not in text else json.dumps(text)
