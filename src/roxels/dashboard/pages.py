"""Drawing pages: templates with everything escaped, and the headers that keep a page to itself.

No inline script or style anywhere; the policy below would refuse it. Files stand under a folder named after their
contents, cached for good; pages are never stored.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from roxels.api.pages import FOR_GOOD, Files
from roxels.dashboard import navigation, words
from roxels.dashboard.viewer import Viewer
from roxels.domain.clock import Clock
from roxels.domain.errors import RateLimited, RoxelsError

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    # Not `no-referrer`: with it browsers send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TITLES = {400: "That did not work", 403: "That was refused", 404: "Nothing here", 409: "Not now", 429: "Too often"}


class Pages:
    """Draws the pages of the dashboard."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.files = Files(FOLDER / "static")
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "static": f"/dashboard/static/{self.files.version}",
            "words": words,
            "navigation": navigation.GROUPS,
            "path_of": navigation.path_of,
            "ago": lambda at: words.ago(self._clock.now(), at),
        }
        self._templates.filters |= {
            "called": words.called,
            "initials": words.initials,
            "exact": words.exact,
            "iso": _iso,
            "value": words.value,
            "as_json": words.as_json,
            "plain": words.plain,
            "span": words.span,
        }

    def page(self, viewer: Viewer | None, name: str, *, status: int = 200, **values: Any) -> Response:
        """A whole page. `viewer` None: nobody is signed in."""
        text = self._template(name).render(viewer=viewer, **values)
        return Response(text, status, HEADERS, media_type="text/html; charset=utf-8")

    def fresh(self, request: Request, viewer: Viewer, name: str, **values: Any) -> Response:
        """A page that its browser asks for again and again: 304 as long as nothing on it has changed."""
        response = self.page(viewer, name, **values)
        etag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=HEADERS | {"ETag": etag})
        response.headers["ETag"] = etag
        return response

    def part(self, name: str, **values: Any) -> str:
        """A piece of a page."""
        return self._template(name).render(**values)

    def fault(self, viewer: Viewer | None, fault: RoxelsError) -> Response:
        """What went wrong, as a page."""
        title = TITLES.get(fault.status, "Something went wrong")
        response = self.page(viewer, "fault.html", status=fault.status, title=title, message=fault.message)
        if isinstance(fault, RateLimited):
            response.headers["Retry-After"] = str(fault.retry_after)
        return response

    def fault_beside(self, viewer: Viewer, fault: RoxelsError) -> Response:
        """The same for a frame in a page of our own."""
        response = self.fault(viewer, fault)
        response.headers["Content-Security-Policy"] = POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    def routes(self) -> list[Route]:
        """The addresses of the files."""

        async def static(request: Request) -> Response:
            if request.path_params["version"] != self.files.version:
                return PlainTextResponse("There is nothing here.", status_code=404)
            return self.files.answer(request, request.path_params["name"], {"Cache-Control": FOR_GOOD})

        return [Route("/dashboard/static/{version}/{name:path}", static)]

    def _template(self, name: str) -> Template:
        return self._templates.get_template(name)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
