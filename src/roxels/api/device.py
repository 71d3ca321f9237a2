"""The browser that asks: a random secret in the frame's own cookie, and when it counts.

    a request                                          its cookie
    from Roxels' own origin (the frame itself)         counts; one is given where there is none, or where it was revoked
    from any other origin, or from none                does not count, and none is given

A page around the frame can fetch our addresses too, cookies and all, for they go by the site that is asked; but then
its own origin stands in `Origin`, which no page can forge. Sockets never look at cookies.

One per (browser, host of the page around the frame, environment): the cookie is partitioned, and for browsers that do
not know that, the host stands in its name. It needs https or loopback, as `ROXELS_PUBLIC_URL` says.
"""

import hashlib
import re
from urllib.parse import urlsplit

import msgspec
from fastapi import Request

from roxels.domain.domains import keeps_secrets
from roxels.domain.ids import Ids, hashed
from roxels.storage.transaction import Environment

#: 400 days, the longest that browsers keep one.
MAX_AGE = 400 * 24 * 3600
_SECRET = re.compile(r"dc_[A-Za-z0-9_-]{1,100}")


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request comes from, as its headers say."""

    origin: str | None
    fetch_site: str | None
    cookies: dict[str, str]
    own: str

    @property
    def is_frame(self) -> bool:
        """Whether our own document asks, in a browser and at an address where a secret is safe."""
        is_own = self.origin == self.own and self.fetch_site in (None, "same-origin")
        return is_own and keeps_secrets(self.own)


class Known(msgspec.Struct, frozen=True):
    """A browser as far as it is known: the secret it holds, the host around the frame, the name of the cookie."""

    secret: str
    host: str
    cookie: str

    @property
    def hash(self) -> str:
        """What is kept of it."""
        return hashed(self.secret)


def asking(request: Request, own: str) -> Asking:
    """What the headers of this request say."""
    return Asking(
        origin=request.headers.get("origin"),
        fetch_site=request.headers.get("sec-fetch-site"),
        cookies=request.cookies,
        own=own,
    )


def known(given: Asking, environment: Environment, host_origin: str | None) -> Known | None:
    """The browser that asks, where it counts and holds a secret already."""
    if not given.is_frame:
        return None
    host = host_of(host_origin or given.own)
    cookie = cookie_name(given.own, environment, host)
    secret = given.cookies.get(cookie, "")
    return Known(secret, host, cookie) if _SECRET.fullmatch(secret) else None


def begun(given: Asking, environment: Environment, host_origin: str | None, ids: Ids) -> Known | None:
    """The same browser under a new secret, where it counts."""
    if not given.is_frame:
        return None
    host = host_of(host_origin or given.own)
    return Known(ids.secret("dc"), host, cookie_name(given.own, environment, host))


def given_to(browser: Known) -> dict[str, str]:
    """The header that leaves the secret with the browser."""
    return {"Set-Cookie": _cookie(browser.cookie, browser.secret, MAX_AGE)}


def taken_from(browser: Known) -> dict[str, str]:
    """The header that takes it away."""
    return {"Set-Cookie": _cookie(browser.cookie, "", 0)}


def host_of(origin: str) -> str:
    """The host of an origin, in small letters."""
    return (urlsplit(origin).hostname or "").lower()


def cookie_name(own: str, environment: Environment, host: str) -> str:
    """Where the secret stands. With https no other page, of a sub-domain say, can plant one (`__Host-`)."""
    prefix = "__Host-" if own.startswith("https://") else ""
    return f"{prefix}roxels_{environment}_{hashlib.sha256(host.encode()).hexdigest()[:12]}"


def _cookie(name: str, value: str, max_age: int) -> str:
    return f"{name}={value}; Max-Age={max_age}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
