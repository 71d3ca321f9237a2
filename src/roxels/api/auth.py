"""Who asks: the principal is a type in the signature of every route, and the only way to the store.

    SecretKey   `Authorization: Bearer sk_…`   a customer's server: everything in the key's environment
    EmbedKey    `Authorization: Bearer rk_…`   a web page: starts visits to the key's template, nothing else
    Attendee    `Authorization: Bearer st_…`   a browser that holds a running visit: says who it is with
    Anyone      nothing presented              what needs no key (a launcher's look, an exchange, the health of it all)

A key that is missing, unknown, revoked or malformed is answered by one and the same 401; a good key of the other kind
by 403.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import msgspec
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import Response

from roxels.actions.audit import Action
from roxels.api.answers import Answer, reply
from roxels.api.device import Asking, asking
from roxels.api.once import Once, answered, kept, once_of
from roxels.api.services import Services, services_of
from roxels.domain.errors import Forbidden, Unauthorized
from roxels.domain.receipts import Kind
from roxels.storage import keys, sessions
from roxels.storage.audit import Actor
from roxels.storage.sessions import Visit
from roxels.storage.transaction import Environment, Reading, Writing

P = ParamSpec("P")
T = TypeVar("T")

_secret_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="secret_key",
    description="`sk_test_…` or `sk_live_…`: for your server only. It decides the environment.",
)
_embed_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="embed_key",
    description="`rk_test_…` or `rk_live_…`: stands in your page. It starts visits to one template and nothing else.",
)
_session_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="session_token",
    description="The token of a running visit: stays in the frame that holds it.",
)
_Secret = Annotated[HTTPAuthorizationCredentials | None, Depends(_secret_scheme)]
_Embed = Annotated[HTTPAuthorizationCredentials | None, Depends(_embed_scheme)]
_Session = Annotated[HTTPAuthorizationCredentials | None, Depends(_session_scheme)]


class SecretKey(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's server."""

    services: Services
    environment: Environment
    id: str
    once: Once | None

    async def read(self, query: Callable[Concatenate[Reading, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read in the key's environment."""
        return await self.services.store.read(self.environment, query, *args, **kwargs)

    async def write(self, action: Callable[Concatenate[Writing, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an action in the key's environment."""
        return await self.services.store.write(self.environment, action, *args, **kwargs)

    def note(self, tx: Writing, action: Action, about: tuple[Kind, str] | None = None, **detail: Any) -> None:
        """Note in the audit log what this key does."""
        self.services.audit.note(tx, self.actor, action, about, **detail)

    @property
    def actor(self) -> Actor:
        """This key, as the audit log calls it."""
        return Actor("key", self.id)

    async def post(self, work: Callable[[Writing], Answer]) -> Response:
        """Answer a POST: at most once per `Idempotency-Key`."""
        return reply(await self.write(answered, self.once, work, self.services.sealer))

    async def post_after(self, work: Callable[[], Awaitable[Answer]]) -> Response:
        """The same where the work is no transaction: its answer is kept once it is done."""
        earlier = await self.read(kept, self.once, self.services.sealer)
        if earlier is not None:
            return reply(earlier)
        answer = await work()
        return await self.post(lambda _tx: answer)


class EmbedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A web page that carries a publishable key."""

    services: Services
    row: keys.EmbedKey
    #: Which page asks, where a browser says so, and from which address.
    asking: Asking
    address: str

    async def write(self, action: Callable[Concatenate[Writing, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an action in the key's environment."""
        return await self.services.store.write(self.row.environment, action, *args, **kwargs)


class Attendee(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that holds a running visit."""

    services: Services
    visit: Visit
    asking: Asking


class Anyone(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who presented nothing."""

    services: Services
    asking: Asking
    address: str


async def secret_key(request: Request, given: _Secret) -> SecretKey:
    """The secret key of this request. Raises `Unauthorized`, `Forbidden`."""
    services, value = services_of(request), _value(given)
    row = await services.store.read_across(keys.api_key_by_value, value)
    if row is None:
        await _refuse(request, value, keys.embed_key_by_value)
        raise Unauthorized
    _count(request, row.id)
    return SecretKey(services=services, environment=row.environment, id=row.id, once=await once_of(request))


async def embed_key(request: Request, given: _Embed) -> EmbedKey:
    """The embed key of this request. Raises `Unauthorized`, `Forbidden`."""
    services, value = services_of(request), _value(given)
    row = await services.store.read_across(keys.embed_key_by_value, value)
    if row is None:
        await _refuse(request, value, keys.api_key_by_value)
        raise Unauthorized
    _count(request, row.id)
    return EmbedKey(services=services, row=row, asking=asking(request, services.origin), address=address_of(request))


async def attendee(request: Request, given: _Session) -> Attendee:
    """The running visit of this request's token. Raises `Unauthorized`, the same for every reason."""
    services = services_of(request)
    _count(request, "")
    visit = await services.store.read_across(sessions.by_token, _value(given))
    if visit is None or not visit.is_live(services.clock.now()):
        raise Unauthorized("This session is over or was never opened; open a new one.")
    return Attendee(services=services, visit=visit, asking=asking(request, services.origin))


async def anyone(request: Request) -> Anyone:
    """Nobody in particular, counted by address."""
    _count(request, "")
    services = services_of(request)
    return Anyone(services=services, asking=asking(request, services.origin), address=address_of(request))


Secret = Annotated[SecretKey, Depends(secret_key)]
Embed = Annotated[EmbedKey, Depends(embed_key)]
Attending = Annotated[Attendee, Depends(attendee)]
Public = Annotated[Anyone, Depends(anyone)]


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the connection tells."""
    return request.client.host if request.client else ""


async def _refuse(request: Request, value: str, look_up: Callable[..., object]) -> None:
    """Refuse a key that does not hold here: one that is good for other things learns that much."""
    _count(request, "")
    if await services_of(request).store.read_across(look_up, value) is not None:
        raise Forbidden


def _value(given: HTTPAuthorizationCredentials | None) -> str:
    return "" if given is None else given.credentials.strip()


def _count(request: Request, key: str) -> None:
    limits = services_of(request).limits
    if limits is not None:
        limits.request(key, address_of(request))
