"""Which origins a domain covers: the table of `domain.domains`, row by row."""

import pytest

from roxels.domain.domains import cleaned, fits, frame_ancestors, keeps_secrets, permits
from roxels.domain.errors import Invalid

OWN = "https://talk.example.net"

FITS = [
    ("app.example.com", "https://app.example.com", True),
    ("app.example.com", "https://APP.example.com", True),
    ("app.example.com", "https://app.example.com:443", True),
    ("app.example.com:443", "https://app.example.com", True),
    ("app.example.com", "http://app.example.com", False),
    ("app.example.com", "https://app.example.com:8443", False),
    ("app.example.com:8443", "https://app.example.com:8443", True),
    ("app.example.com:8443", "https://app.example.com", False),
    ("app.example.com", "https://example.com", False),
    ("app.example.com", "https://x.app.example.com", False),
    ("app.example.com", "https://app.example.com.evil.test", False),
    ("app.example.com", "https://app.example.com.", False),
    ("app.example.com", "https://app.example.com/", False),
    ("app.example.com", "https://user@app.example.com", False),
    ("app.example.com", "https://app.example.com@evil.test", False),
    ("app.example.com", "https://appxexample.com", False),
    ("app.example.com", "null", False),
    ("app.example.com", "", False),
    ("app.example.com", "file://app.example.com", False),
    ("*.example.com", "https://app.example.com", True),
    ("*.example.com", "https://a.b.c.example.com", True),
    ("*.example.com", "https://example.com", False),
    ("*.example.com", "https://notexample.com", False),
    ("*.example.com", "https://app.example.com:8443", False),
    ("*.example.com:8443", "https://app.example.com:8443", True),
    ("localhost:3000", "http://localhost:3000", True),
    ("localhost:3000", "https://localhost:3000", True),
    ("localhost:3000", "http://localhost:3001", False),
    ("localhost", "http://localhost", True),
    ("localhost", "http://localhost:3000", False),
    ("localhost", "http://localhost.evil.test", False),
    ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
    ("[::1]:8000", "http://[::1]:8000", True),
    ("app.localhost:3000", "http://app.localhost:3000", True),
    ("*.localhost:3000", "http://app.localhost:3000", True),
    ("10.0.0.1", "http://10.0.0.1", False),
    ("10.0.0.1", "https://10.0.0.1", True),
]


@pytest.mark.parametrize(("domain", "origin", "expected"), FITS)
def test_fits(domain: str, origin: str, expected: bool) -> None:
    assert fits(domain, origin) is expected


@pytest.mark.parametrize(
    "domain",
    [
        "",
        " ",
        "*",
        "*.",
        "*.*.example.com",
        "a.*.example.com",
        "https://app.example.com",
        "app.example.com/",
        "app.example.com:0",
        "app.example.com:65536",
        "app.example.com:",
        "app.example.com.",
        ".example.com",
        "-app.example.com",
        "app example.com",
        "bücher.example",
        "*.[::1]",
        "a" * 300,
        "app.example.com; frame-ancestors *",
    ],
)
def test_what_is_no_domain_is_named_with_its_place(domain: str) -> None:
    with pytest.raises(Invalid) as refusal:
        cleaned(["app.example.com", domain])
    assert refusal.value.field == "allowed_domains[1]"


def test_domains_are_kept_small_and_once() -> None:
    assert cleaned(["App.Example.com", "app.example.com", "*.example.com"]) == ["app.example.com", "*.example.com"]


@pytest.mark.parametrize(
    ("domains", "origin", "expected"),
    [
        ([], "https://evil.test", True),
        (["app.example.com"], None, True),
        (["app.example.com"], OWN, True),
        (["app.example.com"], "https://evil.test", False),
        (["app.example.com", "evil.test"], "https://evil.test", True),
        (["app.example.com"], "null", False),
    ],
)
def test_permits(domains: list[str], origin: str | None, expected: bool) -> None:
    assert permits(domains, origin, OWN) is expected


def test_frame_ancestors_say_the_same() -> None:
    assert frame_ancestors([]) == "*"
    assert frame_ancestors(["*.example.com", "localhost:3000"]) == (
        "https://*.example.com https://localhost:3000 http://localhost:3000"
    )


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://talk.example.com", True),
        ("http://talk.example.com", False),
        ("http://localhost:8000", True),
        ("http://app.localhost", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]", True),
        ("http://[::1]:8000", True),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("ftp://localhost", False),
    ],
)
def test_where_browsers_keep_a_secret(origin: str, expected: bool) -> None:
    assert keeps_secrets(origin) is expected
