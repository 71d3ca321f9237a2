"""What `roxels demo` adds to a server: a customer's page on another site, a webhook receiver, and the first keys.

None of it is part of the product: a customer brings their own page and receiver. The receiver (`Sink`) keeps what it
got in a file of its own, which erasing does not touch, since a customer's own database is not ours to erase.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from roxels.api.pages import Files
from roxels.domain.clock import Clock
from roxels.domain.ids import Ids

TEMPLATE = Path(__file__).parent / "demo_template.json"

Ports = Callable[[Request], Awaitable[Response]]


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


def demo_routes(files: Files, sink: Sink, config: dict[str, str]) -> list[Route]:
    """The customer's page (to be opened at `localhost`, another site than `127.0.0.1`) and the receiver."""

    async def home(_request: Request) -> Response:
        return RedirectResponse(config["demo_url"])

    async def page(request: Request) -> Response:
        name = request.path_params["name"] or "index.html"
        return files.answer(request, f"demo/{name}", {"Cache-Control": "no-cache"})

    async def settings(_request: Request) -> Response:
        names = ("origin", "embed_key", "template_id")
        return JSONResponse({name: config[name] for name in names}, headers={"Cache-Control": "no-store"})

    async def deliveries(_request: Request) -> Response:
        items = await asyncio.to_thread(sink.items)
        shown = [
            {
                "received_at": each["received_at"],
                "headers": _telling(each["headers"]),
                "body": _without_ours(each["body"]),
            }
            for each in items[-50:]
        ]
        return JSONResponse({"items": shown}, headers={"Cache-Control": "no-store"})

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


def _telling(headers: dict[str, str]) -> dict[str, str]:
    names = ("idempotency-key", "x-roxels-signature", "webhook-id")
    return {name: headers[name] for name in names if name in headers}


def _without_ours(body: str) -> Any:
    """A delivery as the page may show it: our own id of the person stays with the receiver."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    if isinstance(value, dict):
        value.pop("person_id", None)
    return value
