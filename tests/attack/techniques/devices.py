"""Her browser carries a secret of hers; a hostile page in it, or one that guesses it, must get nothing from it."""

from tests.attack.ground import HOST, ORIGIN, SESSION
from tests.attack.people import FRAME, Browser
from tests.attack.registry import technique
from tests.attack.victims import Victim

EVIL = "https://evil.example"
ASKING = "What did I tell you about my PIN?"


async def start_with_her_cookies(attacker: Browser, victim: Victim, **headers: str) -> None:
    """A start from within her browser, by a page of mine that reads the answer."""
    sent = {"cookie": victim.browser.cookie, **headers}
    visit = await attacker.start(victim.place, external_id=victim.external_id, headers=sent)
    await attacker.converse(visit, ASKING)


@technique("T10")
async def ride_her_cookie(attacker: Browser, victim: Victim) -> None:
    """A hostile page in her browser starts as her; her cookie goes along."""
    await start_with_her_cookies(attacker, victim, origin=EVIL, **{"sec-fetch-site": "cross-site"})


@technique("T10")
async def ride_it_from_the_customers_page(attacker: Browser, victim: Victim) -> None:
    """A script in the customer's own page starts as her from outside the frame."""
    await start_with_her_cookies(attacker, victim, origin=HOST, **{"sec-fetch-site": "cross-site"})


@technique("T10")
async def ride_it_from_a_sandbox(attacker: Browser, victim: Victim) -> None:
    """A sandboxed document, whose origin is `null`, starts as her."""
    await start_with_her_cookies(attacker, victim, origin="null", **{"sec-fetch-site": "cross-site"})


@technique("T10")
async def ride_it_from_a_neighbour(attacker: Browser, victim: Victim) -> None:
    """A page of a neighbouring sub-domain starts as her."""
    await start_with_her_cookies(attacker, victim, origin=ORIGIN, **{"sec-fetch-site": "same-site"})


@technique("T10")
async def ride_it_with_a_port_off(attacker: Browser, victim: Victim) -> None:
    """A page of the same host and another port starts as her."""
    await start_with_her_cookies(attacker, victim, origin="http://127.0.0.1:9", **{"sec-fetch-site": "same-site"})


@technique("T10")
async def ride_it_without_an_origin(attacker: Browser, victim: Victim) -> None:
    """A request of her browser that names no origin, as a form of old might."""
    await start_with_her_cookies(attacker, victim)


@technique("T10")
async def open_a_socket_with_her_cookies(attacker: Browser, victim: Victim) -> None:
    """A hostile page opens the socket; her cookies go along with the handshake, and are not looked at."""
    line = attacker.line({"origin": EVIL, "cookie": victim.browser.cookie})
    for token in ("", victim.session_ids[0]):
        await line.send({"frame": "hello", "v": 1, "token": token, "after": 0, "rendered": None})
    await line.until('"error"', '"welcome"')
    await attacker.hang_up(line)


@technique("T10")
async def open_a_stream_with_her_cookies(attacker: Browser, victim: Victim) -> None:
    """A hostile page opens the event stream; her cookies go along."""
    stream = attacker.line({"origin": EVIL, "cookie": victim.browser.cookie}, "http")
    await stream.until('"error"', '"welcome"')
    await attacker.hang_up(stream)


@technique("T10")
async def exchange_from_a_hostile_page(attacker: Browser, victim: Victim) -> None:
    """A hostile page in her browser exchanges her session once more."""
    headers = {"origin": EVIL, "sec-fetch-site": "cross-site", "cookie": victim.browser.cookie}
    for session_id in victim.session_ids:
        await attacker.converse(await attacker.exchange(session_id=session_id, headers=headers))


@technique("T10")
async def reset_from_a_hostile_page(attacker: Browser, victim: Victim) -> None:
    """A hostile page signs her browser out, so that she is not known any more."""
    headers = {"origin": EVIL, "sec-fetch-site": "cross-site", "cookie": victim.browser.cookie}
    await attacker.ask("POST", f"{SESSION}/reset", headers=headers, json={"host_origin": HOST})


@technique("T10")
async def read_the_api_with_her_cookies(attacker: Browser, victim: Victim) -> None:
    """Ask the API for her conversation with nothing but her cookies."""
    for path in (f"/v1/interviews/{victim.conversation_ids[0]}", f"/v1/persons/{victim.person_id}"):
        await attacker.ask("GET", path, headers={"cookie": victim.browser.cookie})


@technique("T1")
async def guess_her_cookie(attacker: Browser, victim: Victim) -> None:
    """Put guessed secrets into the cookie of the frame."""
    await attacker.start(victim.place, external_id="mallory")
    name = next(iter(attacker.jar))
    for value in ("", "dc_", "dc_" + "A" * 43, victim.session_ids[0]):
        headers = FRAME | {"cookie": f"{name}={value}"}
        await attacker.converse(await attacker.start(victim.place, external_id=victim.external_id, headers=headers))


@technique("T1")
async def bring_my_own_device(attacker: Browser, victim: Victim) -> None:
    """Become a device under my own id, and then name hers."""
    for external_id in ("mallory", "mallory", victim.external_id, victim.external_id):
        await attacker.converse(await attacker.start(victim.place, external_id=external_id), ASKING)


@technique("T9")
async def say_to_stand_on_another_site(attacker: Browser, victim: Victim) -> None:
    """Say that the page around the frame is Roxels' own, the customer's, or nothing at all."""
    for host in (ORIGIN, HOST, "null", "", "https://"):
        visit = await attacker.start(victim.place, external_id=victim.external_id, host_origin=host)
        await attacker.converse(visit, ASKING)


@technique("T9")
async def come_from_a_foreign_site(attacker: Browser, victim: Victim) -> None:
    """Start as her from a site that is not the customer's."""
    headers = {"origin": EVIL, "sec-fetch-site": "cross-site"}
    visit = await attacker.start(victim.place, external_id=victim.external_id, headers=headers, host_origin=EVIL)
    await attacker.converse(visit, ASKING)
