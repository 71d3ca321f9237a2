"""The outgoing client against receivers that behave, misbehave, and lie about where they are."""

import asyncio
import ssl
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID

from roxels.outbound import guard
from roxels.outbound.attempt import Fault, Outcome
from roxels.outbound.http import EXCERPT, USER_AGENT, Caller, Request
from tests.outbound.receiver import Names, Receiver, answering, endless, receiving, saying

#: As long as a test ever waits for a receiver that means no good.
BRIEF = 0.3
OK = b"HTTP/1.1 200 OK\r\n"


def only_first(address: str) -> bool:
    """A stand-in for "public": of the loopback addresses, 127.0.0.1 alone. So pinning is tested on real connections."""
    return address == "127.0.0.1"


def caller(*, permits: guard.Permits = guard.anywhere, names: Names | None = None, time_limit: float = BRIEF) -> Caller:
    return Caller(permits=permits, monotonic=time.monotonic, resolver=names, time_limit=time_limit)


async def posted(receiver: Receiver, *, time_limit: float = BRIEF) -> Outcome:
    request = Request(url=f"http://127.0.0.1:{receiver.port}/hook", body=b"{}")
    async with caller(time_limit=time_limit) as call:
        return await call.call(request)


async def test_what_is_sent_is_what_was_asked_for() -> None:
    async with receiving(answering(200, b"thanks")) as receiver, caller(time_limit=5) as client:
        outcome = await client.call(
            Request(
                method="PUT",
                url=f"http://127.0.0.1:{receiver.port}/a%20b?x=1%262",
                headers={"Content-Type": "application/json", "Idempotency-Key": "commit_1", "X-Name": "Zoë"},
                body='{"name": "Zoë"}'.encode(),
            )
        )
    (got,) = receiver.received
    assert got.line == "PUT /a%20b?x=1%262 HTTP/1.1"
    assert got.body == '{"name": "Zoë"}'.encode()
    assert got.headers["idempotency-key"] == "commit_1"
    assert set(got.headers) == {
        *("host", "accept", "accept-encoding", "user-agent", "content-length"),
        *("content-type", "idempotency-key", "x-name"),
    }
    assert (got.headers["user-agent"], got.headers["accept-encoding"]) == (USER_AGENT, "identity")
    assert (outcome.status_code, outcome.error, outcome.response_excerpt) == (200, None, "thanks")
    assert 0 <= outcome.duration_ms < 5000


async def test_no_body_means_none() -> None:
    async with receiving(answering(204)) as receiver, caller() as client:
        outcome = await client.call(Request(method="GET", url=f"http://127.0.0.1:{receiver.port}/"))
    assert outcome.status_code == 204
    assert "content-length" not in receiver.received[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_an_order(status: int) -> None:
    async with receiving(answering(200)) as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/"
        async with receiving(answering(status, Location=location)) as receiver:
            outcome = await posted(receiver)
    assert (outcome.status_code, outcome.error) == (status, None)
    assert elsewhere.connections == 0


async def test_retry_after_is_handed_on() -> None:
    async with receiving(answering(429, Retry_After="17")) as receiver:
        outcome = await posted(receiver)
    assert (outcome.status_code, outcome.retry_after) == (429, "17")


async def test_a_huge_answer_is_read_up_to_the_cap_and_its_beginning_kept() -> None:
    size = 512 * 1024 * 1024
    head = OK + f"Content-Length: {size}\r\n\r\n".encode()
    async with receiving(endless(head, b"x" * 65536)) as receiver:
        outcome = await posted(receiver, time_limit=5)
    assert (outcome.status_code, outcome.error) == (200, None)
    assert outcome.response_excerpt == "x" * EXCERPT


async def test_an_endless_answer_ends_at_the_cap() -> None:
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    async with receiving(endless(chunked, b"400\r\n" + b"y" * 1024 + b"\r\n")) as receiver:
        outcome = await posted(receiver, time_limit=5)
    assert (outcome.status_code, outcome.error, outcome.response_excerpt) == (200, None, "y" * EXCERPT)


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async with receiving(answering(200, b"\x1f\x8b\x08\0bomb", Content_Encoding="gzip")) as receiver:
        outcome = await posted(receiver)
    assert outcome.status_code == 200
    assert outcome.response_excerpt.endswith("bomb")
    assert "\0" not in outcome.response_excerpt


@pytest.mark.parametrize(
    ("head", "chunk", "status"),
    [
        (b"", b"", None),
        (b"", b"H", None),
        (OK, b"X-Slow: 1\r\n", None),
        (OK + b"Content-Length: 1000000\r\n\r\n", b"z", 200),
        (OK + b"\r\n", b"z", 200),
    ],
    ids=["silence", "no status", "headers", "sized body", "unsized body"],
)
async def test_a_slow_drip_ends_at_the_time_limit(head: bytes, chunk: bytes, status: int | None) -> None:
    async with receiving(endless(head, chunk, pause=0.02)) as receiver:
        outcome = await posted(receiver)
    assert outcome.status_code == status
    assert outcome.error in ({"timeout", "not_http"} if chunk == b"H" else {"timeout"})
    assert outcome.duration_ms < BRIEF * 1000 * 3


@pytest.mark.parametrize(
    "flood",
    [b"X-Flood: " + b"f" * 4000 + b"\r\n", b"X-Flood: " + b"f" * 60000, b"\r\n", b"a:b\r\n"],
    ids=["many", "one long", "blank", "tiny"],
)
async def test_endless_headers_are_bounded(flood: bytes) -> None:
    async with receiving(endless(OK if flood != b"\r\n" else b"", flood)) as receiver:
        outcome = await posted(receiver, time_limit=2)
    assert outcome.error in {"not_http", "cut_off", "timeout"}
    assert outcome.duration_ms < 3000


async def test_endless_early_answers_are_bounded() -> None:
    async with receiving(endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")) as receiver:
        outcome = await posted(receiver)
    assert (outcome.status_code, outcome.error) == (None, "timeout")


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"", None, "cut_off"),
        (b"HTTP/1.1 200", None, "cut_off"),
        (OK + b"X-Half: ", None, "cut_off"),
        (OK + b"Content-Length: 100\r\n\r\nhalf", 200, "cut_off"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n10\r\nhalf", 200, "cut_off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, "not_http"),
        (b"HTTP/1.1 abc OK\r\n\r\n", None, "not_http"),
        (OK + b"Content-Length: -5\r\n\r\n", None, "not_http"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", None, "not_http"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw", 101, None),
        (b"HTTP/1.0 200 OK\r\n\r\nhalf", 200, None),
        (b"\0" * 200, None, "not_http"),
    ],
)
async def test_a_broken_answer_is_an_outcome(answer: bytes, status: int | None, error: Fault) -> None:
    async with receiving(saying(answer)) as receiver:
        outcome = await posted(receiver)
    assert (outcome.status_code, outcome.error) == (status, error)
    assert outcome.response_excerpt in ("", "half")


async def test_a_refused_connection_is_an_outcome() -> None:
    async with receiving(answering(200)) as receiver:
        pass
    outcome = await posted(receiver)
    assert (outcome.status_code, outcome.error) == (None, "connect")


@pytest.mark.parametrize("names", [Names({}), Names({"nowhere.example": [[]]})], ids=["no name", "no address"])
async def test_a_name_that_is_nowhere_is_an_outcome(names: Names) -> None:
    async with caller(names=names) as client:
        outcome = await client.call(Request(url="http://nowhere.example/"))
    assert outcome.error == "name"


async def test_a_certificate_that_nobody_vouches_for_is_an_outcome(tmp_path: Path) -> None:
    async with receiving(answering(200), tls=own_certificate(tmp_path)) as receiver, caller(time_limit=5) as client:
        outcome = await client.call(Request(url=f"https://127.0.0.1:{receiver.port}/"))
        plain = await client.call(Request(url=f"http://127.0.0.1:{receiver.port}/"))
    assert outcome.error == "tls"
    assert plain.status_code is None
    assert receiver.received == []


async def test_cookies_are_not_kept() -> None:
    async with receiving(answering(200, Set_Cookie="seen=1")) as receiver, caller() as client:
        for _ in range(2):
            await client.call(Request(url=f"http://127.0.0.1:{receiver.port}/"))
    assert [one.headers.get("cookie") for one in receiver.received] == [None, None]


async def test_a_secret_that_comes_back_is_not_kept() -> None:
    secret = 'p@ss "wörd"/1'
    echo = "\n".join(
        [secret, "p%40ss%20%22w%C3%B6rd%22%2F1", "p%40ss+%22w%C3%B6rd%22%2F1", 'p@ss \\"w\\u00f6rd\\"/1', "kept"]
    )
    async with receiving(answering(400, echo.encode())) as receiver, caller() as client:
        outcome = await client.call(Request(url=f"http://127.0.0.1:{receiver.port}/", secrets=(secret, "")))
    assert outcome.response_excerpt == "\n".join(["[secret]"] * 4 + ["kept"])


async def test_a_secret_across_the_end_of_the_excerpt_is_not_kept() -> None:
    secret = "s3cret-value"
    body = b"x" * (EXCERPT - 6) + secret.encode()
    async with receiving(answering(200, body)) as receiver, caller() as client:
        outcome = await client.call(Request(url=f"http://127.0.0.1:{receiver.port}/", secrets=(secret,)))
    assert "s3c" not in outcome.response_excerpt


async def test_the_excerpt_ends_on_a_whole_character() -> None:
    async with receiving(answering(200, b"x" + "ö".encode() * EXCERPT)) as receiver:
        outcome = await posted(receiver)
    assert outcome.response_excerpt == "x" + "ö" * (EXCERPT // 2 - 1)


@pytest.mark.parametrize(
    "request_",
    [
        Request(url="http://127.0.0.1:1/", headers={"X-Name": "Ada\r\nX-Admin: 1"}),
        Request(url="http://127.0.0.1:1/", headers={"X-Name: 1\r\nX-Admin": "1"}),
        Request(url="http://127.0.0.1:1/", headers={"": "1"}),
        Request(url="http://127.0.0.1:1/", headers={"X-Name": "\0"}),
        Request(url="http://127.0.0.1:1/", headers={"X-Name": "\ud800"}),
        Request(url="http://127.0.0.1:1/", headers={"Host": "elsewhere.example"}),
        Request(url="http://127.0.0.1:1/", headers={"Transfer-Encoding": "chunked"}),
        Request(url="http://127.0.0.1:1/", headers={"content-length": "5"}),
        Request(url="http://127.0.0.1:1/", headers={"Proxy-Authorization": "x"}),
        Request(url="http://127.0.0.1:1/", method="CONNECT"),
        Request(url="http://127.0.0.1:1/", method="GET / HTTP/1.1\r\nX: y"),
    ],
)
async def test_what_would_smuggle_is_not_sent(request_: Request) -> None:
    async with caller() as client:
        assert (await client.call(request_)).error == "request"


async def test_a_cancelled_call_is_cancelled() -> None:
    async with receiving(endless(b"", b"", pause=0.02)) as receiver, caller(time_limit=60) as client:
        task = asyncio.create_task(client.call(Request(url=f"http://127.0.0.1:{receiver.port}/")))
        while not receiver.received:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_caller_needs_its_block() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await caller().call(Request(url="http://127.0.0.1:1/"))


# Where it may go.


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "[fd00:ec2::254]"]
)
async def test_a_private_address_is_not_called(host: str) -> None:
    async with receiving(answering(200)) as receiver, caller(permits=guard.is_public) as client:
        outcome = await client.call(Request(url=f"http://{host}:{receiver.port}/"))
    assert (outcome.error, receiver.connections) == ("target", 0)


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["169.254.169.254"], ["93.184.216.34", "127.0.0.1"], ["fe80::1%lo"], ["::ffff:127.0.0.1"]],
)
async def test_a_name_that_points_inside_is_not_called(addresses: list[str]) -> None:
    names = Names({"inside.example": [addresses]})
    async with receiving(answering(200)) as receiver, caller(permits=guard.is_public, names=names) as client:
        outcome = await client.call(Request(url=f"http://inside.example:{receiver.port}/"))
    assert (outcome.error, receiver.connections) == ("target", 0)


async def test_localhost_is_not_called() -> None:
    async with receiving(answering(200)) as receiver, caller(permits=guard.is_public) as client:
        outcome = await client.call(Request(url=f"http://localhost:{receiver.port}/"))
    assert (outcome.error, receiver.connections) == ("target", 0)


async def test_the_name_is_asked_once_and_the_judged_address_is_the_one_connected_to() -> None:
    names = Names({"turning.example": [["127.0.0.1"], ["127.0.0.2"]]})
    async with (
        receiving(answering(200, b"outside")) as outside,
        receiving(answering(200, b"inside"), host="127.0.0.2", port=outside.port) as inside,
        caller(permits=only_first, names=names) as client,
    ):
        url = f"http://turning.example:{outside.port}/"
        first = await client.call(Request(url=url))
        assert (first.response_excerpt, names.asked) == ("outside", ["turning.example"])
        assert outside.received[0].headers["host"] == f"turning.example:{outside.port}"
        second = await client.call(Request(url=url))
    assert second.error == "target"
    assert (outside.connections, inside.connections) == (1, 0)


async def test_one_bad_address_among_good_ones_refuses_them_all() -> None:
    names = Names({"both.example": [["127.0.0.1", "127.0.0.2"]]})
    async with receiving(answering(200)) as receiver, caller(permits=only_first, names=names) as client:
        outcome = await client.call(Request(url=f"http://both.example:{receiver.port}/"))
    assert (outcome.error, receiver.connections) == ("target", 0)


async def test_a_proxy_of_the_environment_is_not_used() -> None:
    program = (
        "import asyncio, sys, time\n"
        "from roxels.outbound import guard\n"
        "from roxels.outbound.http import Caller, Request\n"
        "async def main():\n"
        "    async with Caller(permits=guard.anywhere, monotonic=time.monotonic) as client:\n"
        "        print((await client.call(Request(url=sys.argv[1]))).response_excerpt)\n"
        "asyncio.run(main())\n"
    )
    async with receiving(answering(200, b"direct")) as receiver, receiving(answering(200, b"proxy")) as proxy:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, f"http://127.0.0.1:{receiver.port}/"),
            env={"http_proxy": f"http://127.0.0.1:{proxy.port}", "PYTHONPATH": ":".join(sys.path)},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
    assert printed.strip() == b"direct"
    assert proxy.connections == 0


async def test_the_switch_for_development_opens_private_targets_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    names = Names({"inside.example": [["127.0.0.1"]]})
    async with receiving(answering(200)) as receiver, caller(names=names) as client:
        outcome = await client.call(Request(url=f"http://inside.example:{receiver.port}/"))
    assert outcome.status_code == 200
    assert [record.message for record in caplog.records] == ["outgoing requests may reach private addresses"]


def own_certificate(folder: Path) -> ssl.SSLContext:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), day, day + timedelta(36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
