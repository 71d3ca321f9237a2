"""One line for people, one object for machines; both say the sentence, what was done, and the fields."""

import json
import logging
from io import StringIO

import pytest

from roxels import logs

#: What an exception may have been given.
SAID = "I am ill"


def record(**extra: object) -> logging.LogRecord:
    """A log record as `log.info("visit opened", extra=…)` makes it, in 2030."""
    made = logging.makeLogRecord({"name": "roxels.wire", "levelname": "INFO", "msg": "visit opened", **extra})
    made.created = 1893456000.5
    return made


def test_a_line_for_people() -> None:
    line = logs.TextLines().format(record(action="open", reason="new person"))
    assert line == '00:00:00 INFO roxels.wire: visit opened action=open reason="new person"'


def test_a_line_for_machines() -> None:
    line = logs.JsonLines().format(record(action="open", turns=3))
    assert json.loads(line) == {
        "at": "2030-01-01T00:00:00.500Z",
        "level": "info",
        "logger": "roxels.wire",
        "message": "visit opened",
        "action": "open",
        "turns": 3,
    }


def test_a_field_cannot_forge_a_line() -> None:
    for form in (logs.TextLines(), logs.JsonLines()):
        line = form.format(record(action="open", origin="x\n00:00:00 INFO roxels: forged"))
        assert len(line.splitlines()) == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_installed_writes_from_the_level_on(form: logs.LogFormat) -> None:
    before = logging.root.handlers[:], logging.root.level
    stream = StringIO()
    try:
        logs.install("warning", form, stream)
        log = logging.getLogger("roxels.test")
        log.info("unheard", extra={"action": "test"})
        try:
            try:
                raise ValueError(SAID)
            except ValueError:
                raise FileNotFoundError(2, SAID, f"/{SAID}") from None
        except OSError:
            log.exception("went wrong", extra={"action": "test"})
        try:
            try:
                raise ValueError(SAID)
            except ValueError as fault:
                raise ExceptionGroup(SAID, [fault, KeyError(SAID)]) from fault
        except ExceptionGroup:
            log.exception("went wrong again", extra={"action": "test"})
    finally:
        logging.root.handlers[:], logging.root.level = before
    assert "unheard" not in stream.getvalue()
    assert "went wrong" in stream.getvalue()
    assert SAID not in stream.getvalue()
    for kind in ("FileNotFoundError: No such file or directory", "ValueError", "KeyError", "ExceptionGroup"):
        assert kind in stream.getvalue()
    assert "in test_what_is_installed" in stream.getvalue()
