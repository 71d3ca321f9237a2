"""Ids and secrets: opaque strings with a prefix that says what they name.

Randomness is an argument. `Ids` is the port; `roxels.ambient` has the real source, `roxels.testing` a counted one.
"""

import hashlib
from typing import Literal, Protocol

Kind = Literal[
    "proc",
    "sec",
    "person",
    "iv",
    "sess",
    "tpl",
    "utt",
    "msg",
    "commit",
    "del",
    "ek",
    "key",
    "whk",
    "rcpt",
    "aud",
    "job",
    "op",
    "dev",
    "idk",
    "evt",
    "lwh",
]
SecretKind = Literal["sk_test", "sk_live", "rk_test", "rk_live", "st", "join", "ops", "dc"]


class Ids(Protocol):
    """Where new names come from."""

    def new(self, kind: Kind) -> str:
        """Make a name: `<kind>_<random>`, at least 128 random bits (a session id is exchanged like a ticket)."""
        ...

    def secret(self, kind: SecretKind) -> str:
        """Make a credential: `<kind>_<random>`, 256 random bits. Only its hash is ever stored."""
        ...

    def key(self, size: int) -> bytes:
        """Make raw key material of `size` bytes."""
        ...


def hashed(secret: str) -> str:
    """What is stored of a credential: SHA-256, enough for 256 random bits (no dictionary to try)."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def derived(kind: Kind, *seed: str) -> str:
    """A name that follows from others, so that whoever decides the same thing twice gives it the same name."""
    digest = hashlib.sha256("\0".join((kind, *seed)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}_{digest[:32]}"
