"""Which endpoint a conversation's words come from, and what it is asked with.

    `settings.model` of the template    endpoint          key
    nothing, or a model's name          the operator's    the operator's
    a key                               the operator's    the template's
    a url                               the template's    the template's, or none

The operator's key never goes to an address that a template names. What connects there is made by `connect`, which
judges such an address as every one that somebody else wrote down (`Endpoint.is_foreign`).
"""

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

from roxels.agent.ports import Scene
from roxels.agent.speakers.engine import Endpoint, Engine, ModelFault
from roxels.domain.templates import ModelWish

#: So many connected endpoints are kept; the one that was not used for longest goes first.
KEPT = 50


class Connected(Engine, Protocol):
    """An engine that holds connections."""

    async def close(self) -> None:
        """Hang up."""
        ...


#: The value of a secret of an environment, or None where there is none, or it does not open.
Reveal = Callable[[Literal["test", "live"], str], Awaitable[str | None]]


class Endpoints:
    """An engine for each endpoint, connected when first asked. `own` None: the operator has set none."""

    def __init__(self, own: Endpoint | None, connect: Callable[[Endpoint], Connected], reveal: Reveal) -> None:
        self._own = own
        self._connect = connect
        self._reveal = reveal
        self._engines: dict[Endpoint, Connected] = {}

    def serves(self, wish: ModelWish) -> bool:
        """Whether there is an endpoint for a template that wishes so."""
        return wish.speaker == "model" and bool(wish.url or self._own)

    async def engine(self, scene: Scene) -> Engine:
        """What asks the endpoint of this scene's template. Raises `ModelFault` where its key is not there."""
        endpoint = await self._endpoint(scene)
        engine = self._engines.pop(endpoint, None) or self._connect(endpoint)
        self._engines[endpoint] = engine
        if len(self._engines) > KEPT:
            await self._engines.pop(next(iter(self._engines))).close()
        return engine

    async def close(self) -> None:
        """Hang up everywhere."""
        while self._engines:
            await self._engines.popitem()[1].close()

    async def _endpoint(self, scene: Scene) -> Endpoint:
        wish = scene.template.model
        if self._own is not None and not wish.url and not wish.secret:
            return self._own
        key = await self._reveal(scene.environment, wish.secret) if wish.secret else ""
        if key is None:
            raise ModelFault("no_key", retry=False)
        url = wish.url or (self._own.url if self._own else "")
        return Endpoint(url=url, key=key, is_foreign=bool(wish.url))
