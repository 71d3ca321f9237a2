"""Which pages may hold a conversation: an origin against a list of domains. Pure.

    domain        fits the origins
    host          https://host                 (loopback: http://host too)
    host:port     https://host:port            (loopback: http://host:port too)
    *.host        any depth below host, never host itself
    *.host:port   the same on that port

Without a port the scheme's own is meant (443; 80 for http), as in CSP, so that the check here and the frame's
`frame-ancestors` say the same. Hygiene, not authentication: whoever is no browser sends no origin.
"""

import re
from collections.abc import Sequence

from roxels.domain.errors import Invalid

_HOST = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*"
_DOMAIN = re.compile(rf"(?P<below>\*\.)?(?P<host>{_HOST}|\[[0-9a-f:.]+\])(:(?P<port>[1-9][0-9]{{0,4}}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[^/:@?#\s\[\]]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?")
_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(\.[0-9]{1,3}){3}|\[::1\]")

MAX_DOMAINS = 100
MAX_LENGTH = 260


def cleaned(domains: Sequence[str], field: str = "allowed_domains") -> list[str]:
    """The domains in small letters, each once. Raises `Invalid` naming the one that is none and how to write it."""
    if len(domains) > MAX_DOMAINS:
        raise Invalid(f"`{field}` holds more than {MAX_DOMAINS} domains; use `*.host` for many.", field=field)
    kept: dict[str, None] = {}
    for index, domain in enumerate(domains):
        small = domain.lower()
        found = _DOMAIN.fullmatch(small) if len(small) <= MAX_LENGTH else None
        if found is None or int(found["port"] or 1) > 65535 or (found["below"] and found["host"].startswith("[")):
            raise Invalid(
                f"`{field}[{index}]` must be a host such as `app.example.com`, `localhost:3000` or `*.example.com`, "
                "without scheme or path; write letters beyond ASCII as browsers send them (`xn--…`).",
                field=f"{field}[{index}]",
            )
        kept[small] = None
    return list(kept)


def is_loopback(host: str) -> bool:
    """Whether this is a host of the machine itself."""
    return _LOOPBACK.fullmatch(host.lower()) is not None


def keeps_secrets(origin: str) -> bool:
    """Whether browsers keep a secret for a page of this origin: https, or the machine itself."""
    found = _ORIGIN.fullmatch(origin.lower())
    return found is not None and (found["scheme"] == "https" or is_loopback(found["host"]))


def permits(domains: Sequence[str], origin: str | None, own: str) -> bool:
    """Whether a page of this origin may: no list permits all, no origin at all passes, and so does our `own`."""
    if not domains or origin is None or origin == own:
        return True
    return any(fits(domain, origin) for domain in domains)


def fits(domain: str, origin: str) -> bool:
    """Whether this one domain covers the origin, e.g. `https://app.example.com`; see the table above."""
    wanted, given = _DOMAIN.fullmatch(domain.lower()), _ORIGIN.fullmatch(origin.lower())
    if wanted is None or given is None:
        return False
    if given["scheme"] == "http" and not _LOOPBACK.fullmatch(given["host"]):
        return False
    standard = 443 if given["scheme"] == "https" else 80
    if int(given["port"] or standard) != int(wanted["port"] or standard):
        return False
    if wanted["below"]:
        return given["host"].endswith("." + wanted["host"])
    return given["host"] == wanted["host"]


def frame_ancestors(domains: Sequence[str]) -> str:
    """The value of CSP's `frame-ancestors` that says the same as this list; no list lets every page frame it."""
    if not domains:
        return "*"
    sources: list[str] = []
    for domain in domains:
        found = _DOMAIN.fullmatch(domain.lower())
        if found is not None:
            sources.append(f"https://{domain}")
            sources += [f"http://{domain}"] if _LOOPBACK.fullmatch(found["host"]) else []
    return " ".join(sources)
