"""Which addresses an outgoing request may reach: the open internet, and nothing that only we can reach.

Whoever writes a webhook's URL makes this server call it, from inside its network. So a target is judged by the address
that is really connected to, never by its name or by how the URL looks:

    host in the URL                        is
    1.2.3.4 (four plain decimal numbers)   an address, judged as it stands
    [2606:4700::1] (without zone)          an address, judged as it stands
    a name                                 resolved, every address of the answer judged; one bad one refuses them all
    127.1, 0x7f.1, 2130706433, 0177.0.0.1  refused: old spellings of an address that programs read differently

An address is good when it is global unicast and in none of the ranges below (IANA special-purpose registries, plus
metadata services that sit on public addresses). For IPv6 the table is the other way round: only 2000::/3 is global,
so loopback, link-local, private, mapped (::ffff:0:0/96), NAT64 and compatible addresses fall out by themselves, and
those that carry an IPv4 address inside 2000::/3 (6to4, Teredo) are named.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Literal

from yarl import URL

#: Says whether an address (as text) may be connected to.
Permits = Callable[[str], bool]

_CLOSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier NAT, and a metadata service (100.100.100.200)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host service, on a public address
        "169.254.0.0/16",  # link-local, and most metadata services (169.254.169.254)
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, and a metadata service (192.0.0.192)
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_PLAIN_V4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?", re.IGNORECASE | re.ASCII)
_NUMBER_AT_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE | re.ASCII)
_NOT_PRINTED = re.compile(r"[\x00-\x20\x7f]")


def is_public(address: str) -> bool:
    """May this address be connected to? What is no plain address may not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _CLOSED_V4)
    if parsed.scope_id is not None or parsed not in _GLOBAL_V6:
        return False
    return not any(parsed in network for network in _CLOSED_V6)


def anywhere(_address: str) -> bool:
    """The switch for development: every address is good."""
    return True


def kind_of(host: str) -> Literal["address", "name", "odd"]:
    """How the host of a URL (without brackets) is to be read; `odd` is refused."""
    if ":" in host or _PLAIN_V4.fullmatch(host):
        return "address" if "%" not in host and _is_address(host) else "odd"
    if not _NAME.fullmatch(host) or len(host) > 254 or _NUMBER_AT_END.fullmatch(host):
        return "odd"
    return "name"


def target(url: str) -> URL | None:
    """The URL as it will be called, or None where it cannot be: another scheme, credentials in it, an odd host."""
    if _NOT_PRINTED.search(url):
        return None
    try:
        parsed = URL(url)
        host, readable = parsed.raw_host, parsed.host
    except ValueError:
        return None
    if parsed.scheme not in ("http", "https") or parsed.user is not None or parsed.password is not None:
        return None
    return parsed if host and readable and kind_of(host) != "odd" else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
