"""From within a session of his own, the attacker points at her conversation, and forges what only a server says."""

from typing import Any

from tests.attack.ground import ORIGIN
from tests.attack.people import Browser
from tests.attack.registry import technique
from tests.attack.victims import Victim


async def inside(attacker: Browser, victim: Victim, *frames: Any, hello: dict[str, Any] | None = None) -> None:
    """Join a session of my own under her id, then send these frames."""
    visit = await attacker.start(victim.place, external_id=victim.external_id)
    line = attacker.line({"origin": ORIGIN})
    first = {"frame": "hello", "v": 1, "token": visit["token"], "after": 0, "rendered": None} | (hello or {})
    await line.send(first)
    await line.until('"agent.said"', '"error"')
    for frame in frames:
        after = len(line.sent)
        await line.send(frame)
        await line.until('"error"', '"ack"', '"event"', after=after) if _is_answered(frame) else None
    await attacker.hang_up(line)
    for frame in frames:
        if isinstance(frame, dict):
            path = f"/v1/wire/{frame.get('frame', 'say')}"
            headers = {"authorization": f"Bearer {visit['token']}"}
            await attacker.ask("POST", path, headers=headers, json={k: v for k, v in frame.items() if k != "frame"})


def _is_answered(frame: Any) -> bool:
    """A `heard` that fits nothing is passed over in silence."""
    return not (isinstance(frame, dict) and frame.get("frame") == "heard")


@technique("T24")
async def point_a_frame_at_hers(attacker: Browser, victim: Victim) -> None:
    """Send words with the ids of her conversation, session and person beside them."""
    pointing = {"conversation_id": victim.conversation_ids[0], "session_id": victim.session_ids[0]}
    await inside(attacker, victim, {"frame": "say", "id": "x1", "text": "poisoned", **pointing})


@technique("T24")
async def correct_her_data(attacker: Browser, victim: Victim) -> None:
    """Correct a captured value of a goal, as if it were hers."""
    await inside(attacker, victim, {"frame": "correct", "goal_id": "account", "field": "pin", "value": "poisoned"})


@technique("T24")
async def correct_what_does_not_exist(attacker: Browser, victim: Victim) -> None:
    """Correct fields and goals that the template does not have."""
    places = [("context", "plan"), ("account", "__proto__"), ("account", "external_id"), (victim.person_id, "name")]
    frames = [{"frame": "correct", "goal_id": g, "field": f, "value": "poisoned"} for g, f in places]
    await inside(attacker, victim, *frames)


@technique("T24")
async def have_heard_her_answers(attacker: Browser, victim: Victim) -> None:
    """Say that I heard an answer of hers, far beyond its end."""
    frames = [
        {"frame": "heard", "utterance_id": name, "chars": 10**9} for name in ("utt_1", victim.conversation_ids[0])
    ]
    await inside(attacker, victim, *frames)


@technique("T24")
async def forge_facts(attacker: Browser, victim: Victim) -> None:
    """Send facts that only the server states: a commit, a confirmation, context, a session, an end."""
    names = ("event", "goal.committed", "goal_confirmed", "context.added", "session.started", "welcome", "piece")
    await inside(attacker, victim, *({"frame": name, "type": name, "seq": 1, "data": {}} for name in names))


@technique("T4")
async def ask_for_everything_before(attacker: Browser, victim: Victim) -> None:
    """Join with a place before the beginning and one far ahead."""
    for after in (-1, 10**12):
        await inside(attacker, victim, hello={"after": after})


@technique("T4")
async def show_an_answer_of_hers(attacker: Browser, victim: Victim) -> None:
    """Join saying that half of an answer of hers is shown, to be told the rest."""
    await inside(attacker, victim, hello={"rendered": {"utterance_id": victim.conversation_ids[0], "chars": 1}})


@technique("T4")
async def say_hello_again_as_her(attacker: Browser, victim: Victim) -> None:
    """Within an open connection, say hello again with her session id."""
    hello = {"frame": "hello", "v": 1, "token": victim.session_ids[0], "after": 0, "rendered": None}
    await inside(attacker, victim, hello)


@technique("T4")
async def talk_before_hello(attacker: Browser, victim: Victim) -> None:
    """Speak, correct and hang up without having said hello."""
    for frame in ({"frame": "say", "id": "a", "text": "x"}, {"frame": "bye"}, "junk", "[]", "{}", '{"frame": null}'):
        line = attacker.line({"origin": ORIGIN})
        await line.send(frame)
        await line.until('"error"')
        await attacker.hang_up(line)


@technique("T24")
async def send_her_message_id(attacker: Browser, victim: Victim) -> None:
    """Send words under a message id that she used: the id is her browser's own, and known within her talk only."""
    used = f"{victim.session_ids[0][-8:]}-0"
    await inside(attacker, victim, {"frame": "say", "id": used, "text": "poisoned"})


@technique("T24")
async def hang_up_for_her(attacker: Browser, victim: Victim) -> None:
    """Hang up in a session under her id, to end her conversation."""
    await inside(attacker, victim, {"frame": "bye", "conversation_id": victim.conversation_ids[0]})


@technique("T4")
async def ask_the_stream_from_the_start(attacker: Browser, victim: Victim) -> None:
    """Open my event stream with her place in the query and in `Last-Event-ID`."""
    visit = await attacker.start(victim.place, external_id=victim.external_id)
    headers = {"authorization": f"Bearer {visit['token']}", "last-event-id": "0"}
    query = f"after=0&rendered={victim.conversation_ids[0]}:0&session_id={victim.session_ids[0]}"
    stream = attacker.line(headers, "http", query)
    await stream.until('"agent.said"', '"error"')
    await attacker.hang_up(stream)
