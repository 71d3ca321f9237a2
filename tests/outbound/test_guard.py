"""Which addresses and notations lead to the open internet, and which do not."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roxels.outbound.guard import anywhere, is_public, kind_of, target

PRIVATE = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b:1::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001::1"),
    *("2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "4000::1", "2606:4700::1%eth0", "fe80::1%lo"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.0.1.1"]
PUBLIC_V6 = ["2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_on_the_open_internet_is_closed(address: str) -> None:
    assert not is_public(address)
    assert anywhere(address)


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_V6])
def test_what_is_on_the_open_internet_is_open(address: str) -> None:
    assert is_public(address)


@given(address=st.ip_addresses())
def test_nothing_that_python_calls_private_or_special_is_open(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    closed = (
        *(address.is_private, address.is_loopback, address.is_link_local),
        *(address.is_multicast, address.is_reserved, address.is_unspecified),
    )
    assert not (is_public(str(address)) and any(closed))


@given(v4=st.ip_addresses(v=4))
def test_no_ipv6_address_that_carries_an_ipv4_address_is_open(v4: ipaddress.IPv4Address) -> None:
    low = int(v4)
    carriers = [low, 0xFFFF << 32 | low, 0x64FF9B << 96 | low, 0x2002 << 112 | low << 80, 0x20010000 << 96 | low]
    assert not any(is_public(str(ipaddress.IPv6Address(one))) for one in carriers)


@given(text=st.text(max_size=30))
def test_what_is_no_address_is_closed(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert not is_public(text)


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        *[(host, "address") for host in ("1.2.3.4", "127.0.0.1", "::1", "2606:4700::1", "::ffff:7f00:1")],
        *[(host, "name") for host in ("example.com", "localhost", "a_b.example", "7.example", "xn--bcher-kva.de")],
        *[(host, "name") for host in ("example.com.", "0x7f.example", "1.2.3.4.example", "cafe", "a-b")],
        *[(host, "odd") for host in ("127.1", "1.2.3", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0")],
        *[(host, "odd") for host in ("0177.0.0.1", "127.0.0.01", "127.0.0.0x1", "1.2.3.4.", "256.1.1.1", "1.2.3.4.5")],
        *[
            (host, "odd")
            for host in ("fe80::1%lo", "::1%25lo", "a..b", ".a", "a b", "%31", "x" * 64, "a." * 127 + "ab")
        ],
        *[(host, "odd") for host in ("", ".", "0x", "a.0x", "1:2", "١٢٧.0.0.1")],
    ],
)
def test_how_a_host_is_read(host: str, kind: str) -> None:
    assert kind_of(host) == kind


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.com", "example.com"),
        ("HTTPS://EXAMPLE.com:8443/a?b=c#d", "example.com"),
        ("https://bücher.de/ü?q=ü", "xn--bcher-kva.de"),
        ("http://[2606:4700::1]:80/", "2606:4700::1"),
        ("http://good.example#@127.0.0.1/", "good.example"),
        ("http://good.example/@127.0.0.1", "good.example"),
        ("http://①②⑦.⓪.⓪.①/", "127.0.0.1"),
        ("http://127。0。0。1/", "127.0.0.1"),
    ],
)
def test_a_url_that_can_be_called(url: str, host: str) -> None:
    parsed = target(url)
    assert parsed is not None
    assert parsed.raw_host == host


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "/path", "//example.com/", "http://", "http:///path", "http:example.com", "about:blank"),
        *("ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1/", "unix:///socket", "ws://example.com/"),
        *("http://user@example.com/", "http://user:word@example.com/", "http://good.example:80@127.0.0.1/"),
        *("http://exa\nmple.com/", "http://example.com/a\r\nX: 1", " http://example.com/", "http://example.com/a b"),
        *("http://good.example\\@127.0.0.1/", "http://%31%32%37.0.0.1/", "http://2130706433/", "http://0x7f.1/"),
        *("http://example.com:99999/", "http://example.com:-1/", "http://[::1/", "http://[::1%25lo]/", "http://xn--a/"),
    ],
)
def test_a_url_that_cannot_be_called(url: str) -> None:
    assert target(url) is None


@given(url=st.text(max_size=60) | st.builds("http://{}/".format, st.text(max_size=40)))
def test_no_text_breaks_the_reading(url: str) -> None:
    parsed = target(url)
    assert parsed is None or (parsed.raw_host and kind_of(parsed.raw_host) != "odd")
