"""An answer before it is bytes, and the one place where it becomes them."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is answered. Times in `body` are aware UTC and become RFC 3339 with `Z`."""

    body: Mapping[str, Any]
    status: int = 200
    headers: dict[str, str] = {}
    #: Whom it is about, so that a kept answer is found when they are erased.
    person_id: str | None = None
    conversation_id: str | None = None
    #: The id of the resource whose secret is shown; such an answer is never kept.
    shows_secret_of: str | None = None


def reply(answer: Answer) -> Response:
    """The answer as JSON."""
    return Response(_encoder.encode(answer.body), answer.status, answer.headers, media_type="application/json")


def encoded(body: Mapping[str, Any]) -> str:
    """A body as it is sent."""
    return _encoder.encode(body).decode()
