"""Every fault that a caller can be told of. The docstring is the message, `code` is the name on the wire.

    RoxelsError
      Invalid            400 validation_error     the caller sent something that cannot be meant
        TooLarge         413 validation_error     more at once than is read
      Unauthorized       401 unauthorized         no credential, or one that does not hold
      Forbidden          403 forbidden            a good credential without this right
      NotFound           404 not_found            nothing there, or nothing that this caller may know of
      Conflict           409 conflict             the state moved on
      RateLimited        429 rate_limited         too often
      Unavailable        503 unavailable          draining, or not ready
      Internal           500 internal_error       ours

Each door (REST, wire, command line) maps the same table; a test finds the unmapped.
"""

from typing import ClassVar


class RoxelsError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        self.message = message or (self.__doc__ or "").strip()
        self.field = field
        super().__init__(self.message)


class Invalid(RoxelsError):
    """The request is not valid."""

    code = "validation_error"
    status = 400


class TooLarge(Invalid):
    """The body is larger than 1 MB. Send less at once."""

    status = 413


class Unauthorized(RoxelsError):
    """The credential is missing, expired or not valid. Send a valid one as `Authorization: Bearer <key>`."""

    code = "unauthorized"
    status = 401


class Forbidden(RoxelsError):
    """This credential does not permit that."""

    code = "forbidden"
    status = 403


class NotFound(RoxelsError):
    """There is nothing at this address that this credential can see."""

    code = "not_found"
    status = 404


class Conflict(RoxelsError):
    """The resource is not in a state that allows this. Read it again and decide anew."""

    code = "conflict"
    status = 409


class RateLimited(RoxelsError):
    """Too many requests. Wait for the seconds named in `Retry-After`, then try again."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(RoxelsError):
    """The server is starting or stopping. Try again in a moment."""

    code = "unavailable"
    status = 503


class Internal(RoxelsError):
    """The server made a mistake. Nothing that was acknowledged is lost; try again, and report it if it stays."""
