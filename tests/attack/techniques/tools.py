"""The model itself is the attacker: it calls its tools with whatever arguments serve him."""

import json
from typing import Any

from roxels.testing.model import Asked, Reply
from tests.attack.people import Browser
from tests.attack.registry import technique
from tests.attack.victims import Victim


async def call(attacker: Browser, victim: Victim, *calls: tuple[str, Any], external_id: str | None = None) -> None:
    """Start as her with a model that makes these calls and then repeats what they were answered."""

    def answering(asked: Asked) -> Reply:
        if asked.is_second_look or "recall" not in asked.tools:
            return Reply(text="{}")
        if asked.has_called:
            answers = [str(message["content"]) for message in asked.messages if message["role"] == "tool"]
            return Reply(text=" ".join(answers)[:20_000] or "Nothing.")
        return Reply(calls=tuple((name, json.dumps(arguments)) for name, arguments in calls))

    attacker.ground.voices.puppet.answering = answering
    visit = await attacker.start(victim.place, external_id=external_id or victim.external_id)
    await attacker.converse(visit, "Go on", "Go on")


@technique("T17")
async def recall_what_she_said(attacker: Browser, victim: Victim) -> None:
    """Recall by the words that she is likely to have used."""
    await call(attacker, victim, *(("recall", {"about": about}) for about in ("pin", "like", "call me", "nickname")))


@technique("T17")
async def recall_everything(attacker: Browser, victim: Victim) -> None:
    """Recall with nothing, with patterns, and with every letter."""
    abouts = ("", "%", "*", "_", ".*", "is what i", " ".join("abcdefghijklmnopqrstuvwxyz"))
    await call(attacker, victim, *(("recall", {"about": about}) for about in abouts))


@technique("T17")
async def recall_of_another_person(attacker: Browser, victim: Victim) -> None:
    """Recall with her ids as further arguments."""
    ids = {
        "person_id": victim.person_id,
        "external_id": victim.external_id,
        "conversation_id": victim.conversation_ids[0],
    }
    await call(attacker, victim, ("recall", {"about": "pin"} | ids), ("recall", ids), external_id="mallory")


@technique("T17")
async def recall_with_a_query(attacker: Browser, victim: Victim) -> None:
    """Recall with SQL and with a path."""
    abouts = ("' UNION SELECT text FROM events --", "../../roxels.db", f"person_id={victim.person_id}")
    await call(attacker, victim, *(("recall", {"about": about}) for about in abouts))


@technique("T17")
async def call_tools_that_do_not_exist(attacker: Browser, victim: Victim) -> None:
    """Call tools that a careless product has: search, read, list, run."""
    names = ("list_persons", "read_conversation", "sql", "search_all", "fetch_url", "get_context", "switch_person")
    await call(attacker, victim, *((name, {"id": victim.conversation_ids[0], "q": "*"}) for name in names))


@technique("T24")
async def capture_into_hers(attacker: Browser, victim: Victim) -> None:
    """Capture values with her conversation and person as further arguments."""
    ids = {
        "conversation_id": victim.conversation_ids[0],
        "person_id": victim.person_id,
        "session_id": victim.session_ids[0],
    }
    await call(attacker, victim, ("capture", {"goal_id": "account", "field": "pin", "value": "poisoned", **ids}))


@technique("T24")
async def capture_what_is_no_field(attacker: Browser, victim: Victim) -> None:
    """Capture into fields that steer the product: proof, external id, context."""
    fields = ("proof", "external_id", "context", "__class__", "person_name")
    await call(
        attacker, victim, *(("capture", {"goal_id": "account", "field": f, "value": "verified"}) for f in fields)
    )


@technique("T24")
async def capture_from_memory(attacker: Browser, victim: Victim) -> None:
    """Capture before anything was said, as if it were remembered."""
    await call(attacker, victim, ("capture", {"goal_id": "account", "field": "pin", "value": "{{memory.pin}}"}))


@technique("T24")
async def turn_to_a_hidden_goal(attacker: Browser, victim: Victim) -> None:
    """Turn to goals that are not in the template, and to hers by id."""
    goals = ("admin", victim.conversation_ids[0], "../account", "")
    await call(attacker, victim, *(("turn_to", {"goal_id": goal}) for goal in goals))


@technique("T24")
async def confirm_for_her(attacker: Browser, victim: Victim) -> None:
    """Confirm goals, and finish, with her conversation as a further argument."""
    hers = {"goal_id": "account", "conversation_id": victim.conversation_ids[0]}
    await call(attacker, victim, ("confirm", hers), ("finish", {"by": "participant", **hers}))


@technique("T17")
async def send_broken_arguments(attacker: Browser, victim: Victim) -> None:
    """Call with arguments that are no object, nested a thousand deep, or a megabyte long."""
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    broken: list[Any] = [[], "recall", None, deep, {"about": "pin" * 5000}, {"about": {"$regex": ".*"}}]
    for arguments in broken:
        await call(attacker, victim, ("recall", arguments))


@technique("T3")
async def skip_and_finish_under_her_id(attacker: Browser, victim: Victim) -> None:
    """Skip every field and finish, under her id, so that nothing is asked of her again."""
    calls = [("skip", {"goal_id": "account", "field": field}) for field in ("pin", "nickname")]
    await call(attacker, victim, *calls, ("finish", {"by": "participant"}))
