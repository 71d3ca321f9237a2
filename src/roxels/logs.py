"""Log lines: a fixed sentence, what was done (`action`), and fields. What a person said never stands in one.

    log = logging.getLogger(__name__)
    log.info("conversation opened", extra={"action": "open", "interview_id": iv, "reason": reason})

`install` sends them to stderr, as text for people or as one JSON object per line for machines.
"""

import json
import logging
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

LogFormat = Literal["text", "json"]

#: What every record carries by itself; anything else came with `extra`.
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given in `extra`, in its order."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}


class TextLines(logging.Formatter):
    """`12:00:00 INFO roxels.wire: conversation opened action=open interview_id=iv_1`"""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it where there is one."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        given = "".join(f" {name}={_plain(value)}" for name, value in fields(record).items())
        line = f"{at} {record.levelname} {record.name}: {record.getMessage()}{given}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """`{"at": "2030-01-01T12:00:00Z", "level": "info", "logger": …, "message": …, "action": …, …}`"""

    def format(self, record: logging.LogRecord) -> str:
        """One object on one line; a traceback stands under `exception`."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        line |= fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
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
