"""Bounds for a client that is not ours: each of its requests goes to an address that was judged, or not at all.

A library that makes requests by itself (the one for language models) takes a hook that sees each request before it is
sent. This one resolves the name, judges every address of the answer (`outbound.guard`), and puts the judged address in
the name's place. The `Host` header and the name that the certificate must carry stay as they were. So a name that
changes its mind between the judgement and the connection changes nothing.

Whoever hands such a client out also sees that it follows no redirects and uses no proxy of the environment, and keeps
one client for each host: connections are pooled by address.
"""

import socket
from typing import Any

from aiohttp.abc import AbstractResolver

from roxels.outbound import guard, names
from roxels.outbound.http import TargetNotAllowed


class Pin:
    """A hook for requests that have `url` and `extensions`, as those of httpx do. Raises `TargetNotAllowed`.

    `resolver`: where names are looked up; one of its own if None.
    """

    def __init__(self, permits: guard.Permits, resolver: AbstractResolver | None = None) -> None:
        self._permits = permits
        self._resolver = resolver or names.Resolver()

    async def __call__(self, request: Any) -> None:
        """Judge the request's target and pin it."""
        target = guard.target(str(request.url))
        if target is None or target.raw_host is None or target.port is None:
            raise TargetNotAllowed
        address = await self._judged(target.raw_host, target.port)
        request.extensions = {**request.extensions, "sni_hostname": target.raw_host}
        request.url = request.url.copy_with(host=address)

    async def _judged(self, host: str, port: int) -> str:
        addresses = [one["host"] for one in await self._resolver.resolve(host, port, socket.AF_UNSPEC)]
        if not addresses or not all(self._permits(address) for address in addresses):
            raise TargetNotAllowed
        return addresses[0]
