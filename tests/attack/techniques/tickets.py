"""Ids lie about: in logs, screenshots, links. None of them opens anything."""

from tests.attack.ground import ORIGIN, SESSION
from tests.attack.people import FRAME, Browser
from tests.attack.registry import technique
from tests.attack.victims import Victim


async def knock(attacker: Browser, token: str) -> None:
    """Say hello with this in place of a token: over the socket, and over the event stream."""
    line = attacker.line({"origin": ORIGIN})
    await line.send({"frame": "hello", "v": 1, "token": token, "after": 0, "rendered": None})
    await line.until('"welcome"', '"error"')
    if any('"welcome"' in text for text in line.sent):
        await line.until('"agent.said"')
    await attacker.hang_up(line)
    stream = attacker.line({"authorization": f"Bearer {token}"}, "http")
    await stream.until('"agent.said"', '"error"')
    await attacker.hang_up(stream)


@technique("T4")
async def join_by_a_session_id(attacker: Browser, victim: Victim) -> None:
    """Join with the id of her session in place of its token."""
    for session_id in victim.session_ids:
        await knock(attacker, session_id)


@technique("T4")
async def join_by_a_conversation_id(attacker: Browser, victim: Victim) -> None:
    """Join with the id of her conversation in place of a token."""
    await knock(attacker, victim.conversation_ids[0])


@technique("T4")
async def join_by_the_persons_id(attacker: Browser, victim: Victim) -> None:
    """Join with her person id, and with her external id, in place of a token."""
    for name in (victim.person_id, victim.external_id):
        await knock(attacker, name)


@technique("T4")
async def exchange_a_spent_session(attacker: Browser, victim: Victim) -> None:
    """Exchange the id of a session that her browser has exchanged already."""
    for session_id in victim.session_ids:
        await attacker.converse(await attacker.exchange(session_id=session_id))


@technique("T4")
async def exchange_without_a_browser(attacker: Browser, victim: Victim) -> None:
    """Exchange it from no browser, as the null device might be taken for hers."""
    for session_id in victim.session_ids:
        await attacker.converse(await attacker.exchange(session_id=session_id, headers={}))


@technique("T4")
async def use_the_join_link_again(attacker: Browser, victim: Victim) -> None:
    """Open a join link that was used."""
    for secret in (*victim.join_secrets, "join_" + "A" * 43):
        for conversation_id in victim.conversation_ids:
            await attacker.converse(await attacker.exchange(interview_id=conversation_id, join_secret=secret))


@technique("T4")
async def guess_a_join_secret(attacker: Browser, victim: Victim) -> None:
    """Guess the secret part of a join link: empty, null, a pattern, the ids that are known."""
    for secret in ("", "join_", "%", victim.session_ids[0], victim.conversation_ids[0]):
        ticket = await attacker.exchange(interview_id=victim.conversation_ids[0], join_secret=secret)
        await attacker.converse(ticket)


@technique("T4")
async def mix_the_parts_of_two_tickets(attacker: Browser, victim: Victim) -> None:
    """Send the id of my session with the id of her conversation."""
    mine = await attacker.start(victim.place, external_id="mallory")
    body = {"session_id": mine["session_id"], "interview_id": victim.conversation_ids[0], "join_secret": "x"}
    await attacker.converse(await attacker.exchange(**body))


@technique("T4")
async def exchange_my_own_into_hers(attacker: Browser, victim: Victim) -> None:
    """Exchange my own session, saying that it belongs to her conversation."""
    mine = await attacker.start(victim.place, external_id="mallory")
    await attacker.exchange(session_id=mine["session_id"], external_id=victim.external_id)


@technique("T5")
async def plant_a_session(attacker: Browser, victim: Victim) -> None:
    """Start as her, and have her browser enter my session: it is refused, and I still hear nothing of her."""
    mine = await attacker.start(victim.place, external_id=victim.external_id)
    await victim.browser.exchange(session_id=mine["session_id"])
    await attacker.converse(mine, "Are you there?")


@technique("T4")
async def sign_her_out(attacker: Browser, victim: Victim) -> None:
    """Reset with her session ids, so that she comes back as a stranger."""
    for token in (*victim.session_ids, victim.external_id):
        await attacker.ask("POST", f"{SESSION}/reset", headers=FRAME, json={"token": token})


@technique("T4")
async def guess_a_token(attacker: Browser, victim: Victim) -> None:
    """Join with tokens of the right form and the wrong value."""
    for token in ("st_", "st_" + "A" * 43, "null", "undefined", victim.session_ids[0].replace("sess_", "st_")):
        await knock(attacker, token)
