"""What browsers load: the embed script, the frame and its files. Served from memory as they lie in `embed/`.

`/embed.js` is always current (a short cache and an ETag); the frame's files stand under a folder named after their
contents, cached for good. The frame may be framed by the domains of its key and by nobody else; without a key it may be
framed by anyone, since nothing starts there without a session's id. The page behind a join link is framed by our own
origin alone: the dashboard, where a template is tried out.
"""

import hashlib
import mimetypes
from collections.abc import Mapping, Set
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from roxels.domain.domains import frame_ancestors
from roxels.storage import keys
from roxels.storage.store import Store

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
FOR_GOOD = "public, max-age=31536000, immutable"
SHORTLY = "public, max-age=300, must-revalidate"
#: The name under which `embed.js`, which is served as it lies, asks for its own parts.
CURRENT = "v"
#: A module that another site's page imports needs this.
ANY_PAGE = {"Access-Control-Allow-Origin": "*"}


class Files:
    """The files of a folder, in memory, and a name for their contents."""

    def __init__(self, folder: Path) -> None:
        self.contents = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
        }
        digest = hashlib.sha256()
        for name, content in self.contents.items():
            digest.update(name.encode() + b"\0" + content + b"\0")
        self.version = digest.hexdigest()[:16]

    def answer(self, request: Request, name: str, headers: Mapping[str, str]) -> Response:
        """The file of that name, or 404; 304 where the browser has it."""
        content = self.contents.get(name)
        if content is None:
            return PlainTextResponse("There is nothing here.", status_code=404)
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"ETag": etag, "X-Content-Type-Options": "nosniff", **headers}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(content, media_type=kind, headers=headers)


def page_routes(store: Store, files: Files, origin: str) -> list[Route]:
    """The addresses of the embed; `origin` is where browsers reach this server."""
    frame_html = files.contents["frame.html"].replace(b"{{ v }}", files.version.encode())

    # The page behind a join link is the same app; another module opens it.
    join_html = frame_html.replace(b"/frame.js", b"/join.js")

    async def script(request: Request) -> Response:
        return files.answer(request, "embed.js", {"Cache-Control": SHORTLY, **ANY_PAGE})

    async def frame(request: Request) -> Response:
        key = request.query_params.get("key")
        ancestors = "*" if key is None else await _ancestors(store, key)
        return _page(request, origin, frame_html, ancestors)

    async def join(request: Request) -> Response:
        return _page(request, origin, join_html, "'self'")

    async def static(request: Request) -> Response:
        version, name = request.path_params["version"], request.path_params["name"]
        if version not in (files.version, CURRENT) or name.startswith("demo/"):
            return PlainTextResponse("There is nothing here.", status_code=404)
        return files.answer(request, name, {"Cache-Control": SHORTLY if version == CURRENT else FOR_GOOD, **ANY_PAGE})

    return [
        Route("/embed.js", script),
        Route("/embed/frame", frame),
        Route("/join/i/{interview_id}", join),
        Route("/embed/static/{version}/{name:path}", static),
    ]


def _page(request: Request, origin: str, html: bytes, ancestors: str) -> Response:
    headers = {
        "Content-Security-Policy": _policy({origin, f"{request.url.scheme}://{request.url.netloc}"}, ancestors),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(html, media_type=TYPES[".html"], headers=headers)


async def _ancestors(store: Store, key: str) -> str:
    """Who may frame it, as CSP says it: the domains of this key; any for a key without; none for an unknown one."""
    found = await store.read_across(keys.embed_key_by_value, key)
    return "'none'" if found is None else frame_ancestors(found.allowed_domains)


def _policy(origins: Set[str], ancestors: str) -> str:
    """`origins`: those that sockets may be opened to; behind a proxy, a request does not tell the browser's."""
    sockets = " ".join(sorted(origin.replace("http", "ws", 1) for origin in origins))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; "
        f"connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
