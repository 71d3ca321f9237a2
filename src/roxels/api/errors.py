"""Every refusal is one object: `{"error": {"code", "message", "field"?}}`. This is the table that makes it.

raised                              answered
RoxelsError and its children        its status, code, sentence and field; `Retry-After` and `faults` where it has them
pydantic's refusal of a body        400 validation_error, the first field as `field`, all of them in the message
no such address                     404 not_found
no such method at this address      405 validation_error, `Allow` with all that there are
anything else                       500 internal_error; the log gets a fixed sentence and the place, never the text
"""

import logging
import re
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from roxels.actions.author import Faulty
from roxels.api.reading import Unreadable
from roxels.domain.errors import Internal, Invalid, NotFound, RateLimited, RoxelsError
from roxels.domain.strict_json import dotted

logger = logging.getLogger(__name__)

#: What an address looks like, and the methods that it takes.
Address = tuple[re.Pattern[str], frozenset[str]]

#: Faults of one body that are named in one answer.
NAMED = 10


class WrongMethod(Invalid):
    """This address does not take that method. `Allow` lists those that it takes."""

    status = 405


def envelope(error: RoxelsError) -> Response:
    """The answer to this error."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.field is not None:
        body["field"] = error.field
    if isinstance(error, Faulty):
        body["faults"] = [{"path": fault.path, "message": fault.message} for fault in error.faults]
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, RateLimited) else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode({"error": body}), error.status, headers, media_type="application/json")


def install(app: FastAPI, addresses: Sequence[Address]) -> None:
    """Answer every error of this application by the table. `addresses`: all of the API's, for `Allow`."""

    async def known(_request: Request, error: Exception) -> Response:
        return envelope(error if isinstance(error, RoxelsError) else Internal())

    async def refused(_request: Request, error: Exception) -> Response:
        return envelope(invalid(error.errors()) if isinstance(error, RequestValidationError) else Internal())

    async def http(request: Request, error: Exception) -> Response:
        return _of_http(error, request, addresses) if isinstance(error, HTTPException) else envelope(Internal())

    app.add_exception_handler(RoxelsError, known)
    app.add_exception_handler(RequestValidationError, refused)
    app.add_exception_handler(HTTPException, http)


def unexpected(error: BaseException) -> Response:
    """The answer to a fault of ours; the log learns its kind and place, not its text, which may quote somebody."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('roxels/')[2]}:{frames[-1].lineno}" if frames else ""
    logger.error("a request failed", extra={"action": "request", "kind": type(error).__name__, "place": place})
    return envelope(Internal())


def invalid(faults: Sequence[Mapping[str, Any]]) -> Invalid:
    """What pydantic found, as one refusal."""
    named = [(path_of(fault["loc"]), fault) for fault in faults[:NAMED]]
    return Invalid(" ".join(_sentence(path, fault) for path, fault in named), field=named[0][0] or None)


def path_of(loc: Sequence[str | int]) -> str:
    """`("body", "persons", 0, "name")` as `persons[0].name`."""
    path = ""
    for step in loc[1:]:
        path = dotted(path, step)
    return path


def _sentence(path: str, fault: Mapping[str, Any]) -> str:
    kind, where = str(fault["type"]), f"`{path}`"
    if not path:
        return "Send a JSON object as the body, with `Content-Type: application/json`."
    if kind == "extra_forbidden":
        return f"{where} is not a field that is known here; leave it out."
    if kind == "missing":
        return f"{where} is missing."
    return f"{where}: {fault['msg']}."


def _of_http(error: HTTPException, request: Request, addresses: Sequence[Address]) -> Response:
    if isinstance(error, Unreadable):
        return envelope(Invalid(error.message, field=error.field))
    if error.status_code == 404:
        return envelope(NotFound("There is nothing at this address."))
    if error.status_code == 405:
        answer = envelope(WrongMethod())
        answer.headers["Allow"] = ", ".join(_methods(request, addresses))
        return answer
    if error.status_code < 500:
        return envelope(Invalid("The body cannot be read."))
    return envelope(Internal())


def _methods(request: Request, addresses: Sequence[Address]) -> list[str]:
    path = request.scope["path"]
    found = {method for pattern, methods in addresses if pattern.match(path) for method in methods}
    for route in request.app.router.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)
