"""Whole conversations with the scripted speaker, and that each of its sentences is heard in one of them."""

import re
from typing import Any

import pytest

from roxels.agent.dialogue.phrases import ENGLISH, Book
from tests.agent.dialogues import SCRIPTS, Script, play

#: What is no sentence: names of days, units, and the cues of a participant's question.
WORDS = {"minute", "hour", "days", "month", "weekdays", "months", "asks_why", "asks_what", "asks_who"}


@pytest.fixture(scope="module")
def played() -> dict[str, list[tuple[str, str]]]:
    return {about: play(script) for about, script in SCRIPTS.items()}


@pytest.mark.parametrize("about", SCRIPTS)
def test_dialogue(about: str, played: dict[str, list[tuple[str, str]]]) -> None:
    script = SCRIPTS[about]
    for (does, says, awaited), (text, waits) in zip(script.turns, played[about], strict=True):
        assert waits == awaited, f"after {does!r} the agent said {text!r}"
        assert _fragments(says).search(text), f"after {does!r} the agent said {text!r}"
    assert _data(script) == script.data


def test_every_sentence_is_said_in_some_dialogue(played: dict[str, list[tuple[str, str]]]) -> None:
    heard = "\n".join(text for answers in played.values() for text, _ in answers)
    tables = {name: getattr(ENGLISH, name) for name in Book.__struct_fields__ if name not in WORDS}
    unheard = [
        name
        for name, variants in tables.items()
        if isinstance(variants, tuple) and not any(_filled(variant).search(heard) for variant in variants)
    ]
    assert unheard == []


def _data(script: Script) -> dict[str, Any]:
    return {name: value for data in script.talk.data.values() for name, value in data.items()}


def _fragments(says: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part.strip()) for part in says.split("…")), re.DOTALL)


def _filled(variant: str) -> re.Pattern[str]:
    return re.compile(r"(?:.|\n)+?".join(re.escape(part) for part in re.split(r"\{\w+\}", variant)), re.IGNORECASE)
