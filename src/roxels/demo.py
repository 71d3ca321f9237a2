"""What `roxels demo` adds to a server: a customer's page on another site, a webhook receiver, and the first keys.

None of it is part of the product: a customer brings their own page and receiver. The receiver (`Sink`) keeps what it
got in a file of its own, which erasing does not touch, since a customer's own database is not ours to erase.
"""

import asyncio
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from roxels.actions import author, manage
from roxels.api.pages import Files
from roxels.domain.clock import Clock
from roxels.domain.ids import Ids
from roxels.server import House
from roxels.storage import operators, sessions
from roxels.storage.store import Store
from roxels.storage.transaction import Writing

TEMPLATE = Path(__file__).parent / "demo_template.json"

#: Keys and passwords of the demo, kept beside the database, which has only their hashes.
MEMO = "demo.json"
#: A strict policy, as a careful customer has it: these lines are all that the embed needs of a page.
POLICY = (
    "default-src 'self'; img-src 'self' data:; "
    "script-src 'self' {origin}; frame-src {origin}; connect-src 'self' {origin}"
)
LOGIN = "operator@roxels.example"


class Sink:
    """A webhook receiver that stores everything, whatever it answers, before it answers."""

    def __init__(self, file: Path, clock: Clock, ids: Ids) -> None:
        self._file = file
        self._clock = clock
        self._ids = ids
        self._failed: Counter[str] = Counter()
        self._lock = asyncio.Lock()

    async def receive(self, request: Request) -> Response:
        """Any method and path: keep it, then answer; `?status=500&times=2` fails twice per full URL.

        `GET` of the sink itself lists what came, oldest first; `DELETE` of it empties the list and the counts.
        """
        if not request.path_params.get("below"):
            if request.method == "GET":
                return JSONResponse({"items": await asyncio.to_thread(self.items)})
            if request.method == "DELETE":
                return await self._empty()
        body = (await request.body()).decode("utf-8", "replace")
        kept = {
            "id": self._ids.new("msg"),
            "received_at": self._clock.now().isoformat().replace("+00:00", "Z"),
            "method": request.method,
            "path": request.url.path,
            "headers": dict(request.headers),
            "body": body,
        }
        async with self._lock:
            await asyncio.to_thread(self._keep, json.dumps(kept, ensure_ascii=False))
        return self._answer(request)

    def items(self) -> list[dict[str, Any]]:
        """What came, oldest first."""
        if not self._file.exists():
            return []
        lines = self._file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def _keep(self, line: str) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _answer(self, request: Request) -> Response:
        status, times = request.query_params.get("status", "200"), request.query_params.get("times", "1000000")
        url = str(request.url)
        if status.isdecimal() and times.isdecimal() and self._failed[url] < int(times) and status != "200":
            self._failed[url] += 1
            return JSONResponse({"ok": False}, status_code=int(status))
        return JSONResponse({"ok": True})

    async def _empty(self) -> Response:
        async with self._lock:
            self._failed.clear()
            await asyncio.to_thread(self._file.unlink, missing_ok=True)
        return JSONResponse({"items": []})


async def prepare(house: House, origin: str) -> dict[str, Any]:
    """The demo's template, keys and login: made at the first start, the same at every later one.

    `origin`: where this start listens; the port may differ from the last one.
    """
    memo = house.settings.data / MEMO
    known: dict[str, Any] = json.loads(memo.read_text(encoding="utf-8")) if memo.exists() else {}
    addresses = _addresses(origin)
    if not known:
        known = await _first_start(house, addresses["sink_url"])
    elif known["sink_url"] != addresses["sink_url"]:
        raw = _template(addresses["sink_url"])
        await house.store.write("test", author.change, known["template_id"], {"goals": raw["goals"]})
    known |= addresses
    _write_privately(memo, json.dumps(known, indent=1))
    return known


async def _first_start(house: House, sink_url: str) -> dict[str, Any]:
    password = house.ids.secret("st").removeprefix("st_")[:16]

    def make(tx: Writing) -> dict[str, Any]:
        template = author.create(tx, _template(sink_url), house.ids)
        _, secret_key = manage.create_api_key(tx, "demo", house.ids)
        _, webhook_secret = manage.create_webhook_secret(tx, "demo", house.ids, house.keyring.vault)
        embed_key = manage.create_embed_key(tx, template.id, [], house.ids)
        operators.create(tx, LOGIN, password, house.ids)
        return {
            "environment": "test",
            "secret_key": secret_key,
            "embed_key": embed_key.key,
            "webhook_secret": webhook_secret,
            "template_id": template.id,
            "dashboard_login": {"email": LOGIN, "password": password},
        }

    return await house.store.write("test", make)


def _addresses(origin: str) -> dict[str, str]:
    """Where everything is; the page on `localhost`, which is another site than `127.0.0.1`."""
    port = origin.rpartition(":")[2]
    return {
        "url": origin,
        "demo_url": f"http://localhost:{port}/demo/",
        "dashboard_url": f"{origin}/dashboard/",
        "docs_url": f"{origin}/docs",
        "sink_url": f"{origin}/demo/sink",
    }


def _template(sink_url: str) -> dict[str, Any]:
    """The demo's template, every goal of which is delivered to the sink."""
    raw: dict[str, Any] = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    for goal in raw["goals"]:
        goal["outputs"] = [{"type": "webhook", "config": {"url": sink_url}}]
    return raw


def _write_privately(file: Path, text: str) -> None:
    beside = file.with_suffix(".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
    beside.replace(file)


def demo_routes(files: Files, sink: Sink, config: dict[str, Any], store: Store) -> list[Route]:
    """The customer's page (to be opened at `localhost`, another site than `127.0.0.1`) and the receiver."""

    policy = POLICY.format(origin=config["url"])

    async def home(_request: Request) -> Response:
        return RedirectResponse(config["demo_url"])

    async def page(request: Request) -> Response:
        name = request.path_params["name"] or "index.html"
        return files.answer(request, f"demo/{name}", {"Cache-Control": "no-cache", "Content-Security-Policy": policy})

    async def settings(_request: Request) -> Response:
        shown = {"origin": config["url"], "embed_key": config["embed_key"], "template_id": config["template_id"]}
        return JSONResponse(shown, headers={"Cache-Control": "no-store"})

    async def deliveries(request: Request) -> Response:
        """What came of the conversation of `session`, and of no other. A session's id cannot be guessed."""
        visit = await store.read_across(sessions.by_id, request.query_params.get("session", ""))
        items = await asyncio.to_thread(sink.items) if visit else []
        about = visit.conversation_id if visit else ""
        shown = [_shown(each, body) for each in items if (body := _of(each["body"], about)) is not None]
        return JSONResponse({"items": shown[-50:]}, headers={"Cache-Control": "no-store"})

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [
        Route("/", home),
        Route("/demo", home),
        Route("/demo/config.json", settings),
        Route("/demo/deliveries.json", deliveries),
        Route("/demo/sink", sink.receive, methods=methods),
        Route("/demo/sink/{below:path}", sink.receive, methods=methods),
        Route("/demo/{name:path}", page),
    ]


def _of(body: str, conversation_id: str) -> dict[str, Any] | None:
    """A delivery's body, if it is one of this conversation."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) and value.get("interview_id") == conversation_id else None


def _shown(item: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """A delivery as the page may show it: our own id of the person stays with the receiver."""
    telling = ("idempotency-key", "x-roxels-signature", "webhook-id")
    return {
        "received_at": item["received_at"],
        "headers": {name: item["headers"][name] for name in telling if name in item["headers"]},
        "body": json.dumps({name: value for name, value in body.items() if name != "person_id"}, ensure_ascii=False),
    }
