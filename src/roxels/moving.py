"""`roxels template pull` and `push`: a template as a file beside your code, moved between environments and servers.

Both speak the REST API with a secret key, so they work from any machine. `push` is refused where somebody else
published in between: the file says which version it was made from.
"""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import aiohttp
import typer

from roxels.actions.author import ADDED
from roxels.console import AsJson, Data, fail, read
from roxels.demo import MEMO

#: What the server adds to a template; in a file only the first two mean something.
HEAD = ("id", "version")

Url = Annotated[str | None, typer.Option(help="The server; by itself the one that the demo started.")]
Key = Annotated[
    str | None, typer.Option(envvar="ROXELS_SECRET_KEY", help="A secret key (sk_...); by itself the demo's.")
]


class ServerRefused(Exception):
    """The server said no. The text is what it said."""

    code = "refused"


def install(app: typer.Typer) -> None:
    """Add these commands."""
    templates = typer.Typer(no_args_is_help=True, help="Templates as files.")
    templates.command("pull")(pull)
    templates.command("push")(push)
    app.add_typer(templates, name="template")


def pull(
    template_id: Annotated[str, typer.Argument(help="The template's id (tpl_...).")],
    url: Url = None,
    key: Key = None,
    data: Data = None,
) -> None:
    """Write a template as JSON, as it is published now.

    Example: roxels template pull tpl_123 --url https://talk.example.com --key sk_test_... > onboarding.json
    """
    template = _run(_Server.known(url, key, data).get(template_id))
    if template is None:
        fail(f"There is no template {template_id} in this environment.")
    head = {name: template[name] for name in HEAD}
    written = {name: value for name, value in template.items() if name not in ADDED}
    typer.echo(json.dumps(head | written, indent=2, ensure_ascii=False))


def push(
    file: Annotated[str, typer.Argument(help="The file; - for standard input.")],
    url: Url = None,
    key: Key = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Send a template to a server: a new one, or a new version of the one whose id stands in the file.

    Example: roxels template push onboarding.json --url https://talk.example.com --key sk_live_...
    """
    template = _read(file)
    pushed = _run(_push(_Server.known(url, key, data), template))
    if as_json:
        typer.echo(json.dumps({"id": pushed["id"], "version": pushed["version"], "warnings": pushed["warnings"]}))
        return
    typer.echo(f"{pushed['id']}, version {pushed['version']}")
    for warning in pushed["warnings"]:
        typer.echo(f"warning: {warning['field']}: {warning['message']}", err=True)


async def _push(server: "_Server", template: dict[str, Any]) -> dict[str, Any]:
    written = {name: value for name, value in template.items() if name not in ADDED}
    known = await server.get(template["id"]) if isinstance(template.get("id"), str) else None
    if known is None:
        return await server.call("POST", "/v1/templates", written)
    gone = {name: None for name in known if name not in written and name not in ADDED}
    version = {"If-Match": str(template["version"])} if "version" in template else {}
    return await server.call("PATCH", f"/v1/templates/{quote(known['id'], safe='')}", gone | written, version)


class _Server:
    """The REST API of one environment."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}

    @classmethod
    def known(cls, url: str | None, key: str | None, data: Path | None) -> "_Server":
        """The one that is named, else the demo's. Ends the program where there is neither."""
        memo = read(data=data).data / MEMO
        demo: dict[str, Any] = json.loads(memo.read_text(encoding="utf-8")) if memo.exists() else {}
        if not (url or demo) or not (key or demo):
            fail("Name a server with --url and its secret key with --key (or ROXELS_SECRET_KEY).")
        return cls(url or demo["url"], key or demo["secret_key"])

    async def get(self, template_id: str) -> dict[str, Any] | None:
        """The template, or None where this environment has none of this id."""
        with contextlib.suppress(_Unknown):
            return await self.call("GET", f"/v1/templates/{quote(template_id, safe='')}")
        return None

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask the server. Raises `ServerRefused`."""
        async with (
            aiohttp.ClientSession(headers=self._headers | (headers or {})) as http,
            http.request(method, f"{self._url}{path}", json=body) as answer,
        ):
            said = await answer.json(content_type=None)
            if answer.status == 404:
                raise _Unknown
            if answer.status >= 400:
                raise ServerRefused(_sentence(said))
            found: dict[str, Any] = said
            return found


class _Unknown(Exception):
    """There is nothing of this id."""

    code = "unknown"


def _sentence(said: Any) -> str:
    """What the server said, each fault of a template on a line of its own."""
    error = said.get("error") if isinstance(said, dict) else None
    if not isinstance(error, dict):
        return "The server answered with an error that is not Roxels'. Is --url right?"
    faults = [f"  {fault['path']}: {fault['message']}" for fault in error.get("faults") or ()]
    return "\n".join(["The template was refused:", *faults]) if faults else str(error.get("message"))


def _read(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        template = json.loads(text)
    except OSError as fault:
        fail(f"{file} cannot be read: {fault.strerror}.")
    except ValueError as fault:
        fail(f"{file} is not JSON: {fault}.")
    if not isinstance(template, dict):
        fail(f"{file} must hold one JSON object.")
    return template


def _run(work: Any) -> Any:
    try:
        return asyncio.run(work)
    except ServerRefused as fault:
        fail(str(fault))
    except (aiohttp.ClientError, OSError, ValueError) as fault:
        fail(f"The server cannot be reached: {type(fault).__name__}. Is --url right, and does it run?")
