"""Every address and frame there is, with every credential that is wrong for it, and with somebody else's things.

The table (`tests.attack.table`) says what each address takes. It is compared with the API's own description, the frames
of the protocol and the routes of the running server: whatever is added without a row there fails.

    a credential that holds nowhere             401, one body for all of them
    a good key of the other kind                403
    a good credential, a stranger's thing       what a thing that does not exist is answered, byte for byte
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from starlette.routing import Route, WebSocketRoute

from roxels.api.app import RESOURCES, document
from roxels.api.middleware import Sockets
from roxels.dashboard.gate import ENVIRONMENT
from roxels.dashboard.gate import SESSION as OPERATOR
from roxels.wire.protocol import UNAUTHORIZED, ClientFrame
from tests.attack.credentials import Things, Wrong, bearer, like, made, settled, wrong
from tests.attack.ground import ORIGIN, Ground, ground_in, time_passing
from tests.attack.table import FRAMES, TABLE, Row, filled, ids_of, missing, names_things
from tests.attack.wire import Line, scope_of

#: Ids in an answer that are made anew each time.
NEW = re.compile(r"\b(job|person|iv|sess|tpl|ek|key|whk|idk|sec|lwh)_[\w-]{16,}")


class Asked:
    """The ground with its wrong credentials."""

    def __init__(self, ground: Ground, credentials: list[Wrong]) -> None:
        self.ground = ground
        self.credentials = credentials

    async def ask(self, line: str, row: Row, ids: dict[str, str], headers: dict[str, str]) -> httpx2.Response:
        """Ask by a line of the table about these things."""
        method, _, path = line.partition(" ")
        path = re.sub(r"\{(\w+)(?::path)?\}", lambda found: ids[row.names.get(found[1], found[1])], path)
        async with self.ground.client(**headers) as client:
            return await client.request(method, path, params=filled(row.query, ids), json=filled(row.body, ids))


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with ground_in(tmp_path) as ground:
        yield Asked(ground, await wrong(ground))


# The table is whole ------------------------------------------------------------------------------------------------


def described() -> set[str]:
    """What the API says that it has."""
    return {f"{method.upper()} {path}" for path, methods in document()["paths"].items() for method in methods}


async def test_every_address_has_its_row(asked: Asked) -> None:
    assert described() <= set(TABLE), "say in the table what it takes"
    served = {
        f"{method} {route.path}"
        for route in asked.ground.app.router.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    own = {line for line in served if " /dashboard" not in line}
    assert described() | own == {line for line in TABLE if " /dashboard" not in line}
    assert {line for line in TABLE if " /dashboard" in line} <= served
    routed = {route.path for route in asked.ground.app.router.routes if isinstance(route, WebSocketRoute)}
    let_out = {each.kwargs["path"] for each in asked.ground.app.user_middleware if each.cls is Sockets}
    assert routed | let_out == {"/v1/wire"}


def test_nothing_is_served_that_is_not_described() -> None:
    for prefix, router, _ in RESOURCES:
        for route in router.routes:
            assert isinstance(route, Route)
            path = (prefix + route.path).replace("/v1/conversations", "/v1/interviews")
            assert {f"{method} {path}" for method in route.methods or ()} <= described(), "the newer name aside"


def test_the_description_says_what_each_takes() -> None:
    schemes = {"secret_key": "secret", "embed_key": "embed", "session_token": "session"}
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            told = [schemes[name] for scheme in operation.get("security", ()) for name in scheme] or ["anyone"]
            assert told == [TABLE[f"{method.upper()} {path}"].takes], path


def test_every_frame_has_its_row() -> None:
    assert set(FRAMES) == {str(frame.__struct_config__.tag) for frame in get_args(ClientFrame)}


# The table holds ---------------------------------------------------------------------------------------------------


async def test_what_is_wrong_is_refused_everywhere(asked: Asked) -> None:
    things = await made(asked.ground, "test", "ada")
    before = await heads(asked.ground, things)
    refusals: dict[str, set[bytes]] = {}
    for line, row in TABLE.items():
        if row.takes == "anyone":
            continue
        for credential in asked.credentials:
            if credential.opens == row.takes:
                continue
            answer = await asked.ask(line, row, ids_of(things), credential.headers)
            is_other_key = {credential.opens, row.takes} == {"secret", "embed"}
            expected = (403, "forbidden") if is_other_key else (401, "unauthorized")
            where = f"{line} with {credential.name}"
            assert (answer.status_code, answer.json()["error"]["code"]) == expected, where
            assert set(answer.json()["error"]) == {"code", "message"}, where
            if expected[0] == 401 and "authorization" in credential.headers:
                refusals.setdefault(row.takes, set()).add(answer.content)
    said = {takes: len(bodies) for takes, bodies in refusals.items()}
    # An event stream says it in other words where there is no token at all.
    assert said["secret"] == said["embed"] == 1
    assert said["session"] <= 2
    assert await heads(asked.ground, things) == before, "nothing happened meanwhile"


async def test_what_takes_no_key_is_the_same_with_any(asked: Asked) -> None:
    things = await made(asked.ground, "test", "ada")
    for line, row in TABLE.items():
        if row.takes != "anyone":
            continue
        shown = set()
        for credential in asked.credentials:
            if credential.opens == "operator":
                continue
            answer = await asked.ask(line, row, ids_of(things), credential.headers)
            assert not any(f'"{thing}"' in answer.text for thing in things.ids.values() if "_" in thing), line
            # The numbers of `/metrics` move, and each sign-in form is bound to its own browser.
            moves = line == "GET /metrics" or line.endswith(("/dashboard/login", "/dashboard/welcome"))
            shown.add((answer.status_code, b"" if moves else answer.content))
        assert len(shown) == 1, line


async def test_a_good_key_gets_what_it_asks_for(asked: Asked) -> None:
    """Else the rows would reach nothing, and being refused would prove nothing."""
    for number, (line, row) in enumerate(TABLE.items()):
        if row.takes != "secret":
            continue
        things = await made(asked.ground, "test", f"person {number}")
        async with time_passing(asked.ground.clock):
            answer = await asked.ask(line, row, ids_of(things), bearer(asked.ground.secrets["test"]))
        # Adopting back what was never adopted, or a file that is not ready: the thing is found, its state is another.
        found = (200, 201, 202, 409, *([400] if line.endswith("/test-output") else []))
        assert answer.status_code in found, (line, answer.text)


@pytest.mark.parametrize(("asker", "owner"), [("live", "test"), ("test", "live")])
async def test_a_stranger_s_thing_is_answered_like_a_missing_one(asked: Asked, asker: Any, owner: Any) -> None:
    things = await made(asked.ground, owner, "ada@example.com")
    before = await heads(asked.ground, things)
    theirs, jobs = ids_of(things), []
    for line, row in TABLE.items():
        if row.takes != "secret" or not names_things(line, row):
            continue
        shown = []
        # Upserting a person by her external id makes one here: the same string is somebody else on either side.
        for ids in (theirs, missing()):
            answer = await asked.ask(line, row, ids, bearer(asked.ground.secrets[asker]))
            assert "{" not in line or answer.status_code in (200, 404), (line, answer.text)
            jobs += [answer.json()["job"]["id"]] if answer.status_code == 202 else []
            told = answer.text
            for name, value in ids.items():
                told = told.replace(value, f"<{name}>") if name not in ("name", "number", "version") else told
            headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
            shown.append((answer.status_code, headers, NEW.sub(r"\1_", told)))
        assert shown[0] == shown[1], line
    for job in jobs:
        await settled(asked.ground, asker, job)
    assert await heads(asked.ground, things) == before, "hers are as they were"


async def test_another_session_s_token_reaches_its_own_talk_only(asked: Asked) -> None:
    hers, his = await made(asked.ground, "test", "ada"), await made(asked.ground, "test", "bob")
    before = await heads(asked.ground, hers)
    beside = {"session_id": hers.session_id, "interview_id": hers.ids["interview_id"], "token": hers.token}
    for name, fields in FRAMES.items():
        async with asked.ground.client(**bearer(his.token)) as client:
            within = await client.post(f"/v1/wire/{name}", json={**fields, **beside}, params=beside)
            assert within.status_code == (404 if name == "hello" else 400), (name, within.text)
            answer = await client.post(f"/v1/wire/{name}", json=fields, params=beside)
            assert answer.status_code == (404 if name == "hello" else 200), (name, answer.text)
    assert await heads(asked.ground, hers) == before


async def heads(ground: Ground, things: Things) -> list[Any]:
    """Her things, as her own server reads them."""
    shown = []
    async with ground.owner(things.environment) as owner:
        for path in (
            "persons/{person_id}", "interviews/{interview_id}", "deliveries/{delivery_id}", "templates/{template_id}",
            "lifecycle-webhooks/{webhook_id}", "secrets/{secret_id}", "persons/{person_id}/memory",
            "persons/{person_id}/devices", "receipts/{receipt_id}", "keys", "webhook-secrets", "identity-secrets",
            "embed/keys/{template_id}", "retention",
        ):  # fmt: skip
            answer = await owner.get("/v1/" + path.format(**things.ids))
            assert answer.status_code == 200, path
            shown.append(answer.json())
    return shown


# Frames ------------------------------------------------------------------------------------------------------------


async def spoken(ground: Ground, headers: dict[str, str], *frames: dict[str, Any]) -> Line:
    """A socket on which these frames were sent, once it is over."""
    line = Line(ground.app, scope_of("websocket", "/v1/wire", {"origin": ORIGIN, **headers}))
    for frame in frames:
        await line.send(frame)
    await line.until(f"'code': {UNAUTHORIZED}")
    await line.close()
    return line


async def test_no_frame_is_taken_from_whom_is_not_let_in(asked: Asked) -> None:
    things = await made(asked.ground, "test", "ada")
    before = await heads(asked.ground, things)
    sent = [(each, value) for each in asked.credentials for value in (each.headers or {"": ""}).values()]
    (own,) = [value for each, value in sent if each.opens == "session"]
    tokens = {re.sub(r"^\w+[ =]", "", value): each.name for each, value in sent}
    del tokens[own.removeprefix("Bearer ")]
    shown = set()
    for name, fields in FRAMES.items():
        for token, credential in tokens.items():
            frame = {"frame": name, **fields, **({"token": token} if name == "hello" else {})}
            line = await spoken(asked.ground, {}, frame)
            (text,) = [text for text in line.sent if '"error"' in text]
            error = json.loads(text)
            assert (error["code"], error["fatal"]) == ("unauthorized", True), (name, credential)
            assert f"'code': {UNAUTHORIZED}" in line.sent[-1], (name, credential)
            assert len(line.sent) == 3, "accepted, refused, closed"
            shown.add((name == "hello", text))
    assert len(shown) == 2, "one refusal whatever is wrong with a token, one for who says no hello"
    assert await heads(asked.ground, things) == before


async def test_a_token_counts_in_the_first_frame_only(asked: Asked) -> None:
    things = await made(asked.ground, "test", "ada")
    elsewhere = {**bearer(things.token), "cookie": f"token={things.token}", "sec-websocket-protocol": things.token}
    line = await spoken(asked.ground, elsewhere, {"frame": "hello", "v": 1, "token": ""})
    assert '"unauthorized"' in line.sent[1]
    line = await spoken(asked.ground, elsewhere, {"frame": "say", "id": "m1", "text": "Hello?"})
    assert '"unauthorized"' in line.sent[1]


# The dashboard -----------------------------------------------------------------------------------------------------


def pages(ground: Ground) -> list[tuple[str, str]]:
    """Every address of the dashboard that only operators may ask for."""
    return [
        (method, route.path)
        for route in ground.app.router.routes
        if isinstance(route, Route) and route.path.startswith("/dashboard")
        for method in sorted((route.methods or set()) - {"HEAD"})
        if f"{method} {route.path}" not in TABLE
    ]


async def test_no_page_is_shown_to_whom_is_not_signed_in(asked: Asked) -> None:
    things = await made(asked.ground, "test", "ada")
    before, found = await heads(asked.ground, things), pages(asked.ground)
    assert len(found) > 20
    for method, path in found:
        row = Row("operator", {} if method == "POST" else None)
        for credential in asked.credentials:
            if credential.opens == "operator":
                continue
            answer = await asked.ask(f"{method} {path}", row, page_ids(things), credential.headers)
            assert answer.status_code == 303, (method, path, credential.name)
            assert answer.headers["location"].startswith("/dashboard/login"), (method, path, credential.name)
            assert answer.content == b""
    assert await heads(asked.ground, things) == before


async def test_no_form_is_taken_without_its_mark(asked: Asked) -> None:
    things = await made(asked.ground, "test", "ada")
    before = await heads(asked.ground, things)
    (operator,) = [each for each in asked.credentials if each.opens == "operator"]
    for method, path in pages(asked.ground):
        if method == "POST":
            answer = await asked.ask(f"POST {path}", Row("operator", {}), page_ids(things), operator.headers)
            assert answer.status_code == 403, path
    assert await heads(asked.ground, things) == before


@pytest.mark.parametrize(("shown", "owner"), [("live", "test"), ("test", "live")])
async def test_a_page_about_the_other_environment_is_like_a_missing_one(asked: Asked, shown: Any, owner: Any) -> None:
    things = await made(asked.ground, owner, "ada@example.com")
    (operator,) = [each for each in asked.credentials if each.opens == "operator"]
    headers = {"cookie": f"{operator.headers['cookie']}; {ENVIRONMENT}={shown}"}
    assert OPERATOR in headers["cookie"]
    for method, path in pages(asked.ground):
        if method == "GET" and "{" in path:
            answers = []
            for ids in (
                page_ids(things),
                missing() | {"conversation_id": like(things.ids["interview_id"]), "nothing": "x"},
            ):
                answer = await asked.ask(f"GET {path}", Row("operator"), ids, headers)
                text = answer.text
                for name, value in ids.items():
                    text = (
                        text.replace(value, f"<{name}>")
                        if name not in ("name", "number", "version", "nothing")
                        else text
                    )
                answers.append((answer.status_code, text))
            assert answers[0] == answers[1], path
            assert answers[0][0] == 404, path


def page_ids(things: Things) -> dict[str, str]:
    """What the names in the dashboard's addresses stand for."""
    embed_key = things.ids["embed_key_id"]
    more = {"conversation_id": things.ids["interview_id"], "nothing": "x", "key_id": embed_key, "id": embed_key}
    return {**ids_of(things), **more}
