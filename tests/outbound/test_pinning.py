"""What a foreign client's requests reach: the judged address, under the name that the certificate has to carry."""

import ssl
from pathlib import Path

import httpx2
import pytest

from roxels.outbound import guard
from roxels.outbound.http import TargetNotAllowed
from roxels.outbound.pinning import Pin
from tests.outbound.receiver import answering, receiving
from tests.outbound.test_http import own_certificate


def client(permits: guard.Permits, verify: ssl.SSLContext | bool = True) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(event_hooks={"request": [Pin(permits)]}, trust_env=False, verify=verify)


async def test_the_name_stays_and_the_address_is_pinned() -> None:
    async with receiving(answering(200)) as receiver, client(guard.anywhere) as http:
        answer = await http.get(f"http://localhost:{receiver.port}/v1")
    assert answer.status_code == 200
    assert answer.request.url.host in ("127.0.0.1", "::1")
    assert receiver.received[0].headers["host"] == f"localhost:{receiver.port}"


@pytest.mark.parametrize(
    "url",
    ["http://localhost/", "http://127.1/", "http://u:p@example.com/", "http://[fe80::1%25lo]/", "http://10.0.0.1/"],
)
async def test_what_may_not_be_reached_is_refused_before_anything_is_sent(url: str) -> None:
    async with client(guard.is_public) as http:
        with pytest.raises(TargetNotAllowed):
            await http.get(url)


async def test_the_certificate_must_carry_the_name(tmp_path: Path) -> None:
    tls = own_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "server.pem"))
    async with receiving(answering(200), tls=tls) as receiver, client(guard.anywhere, verify=trusting) as http:
        assert (await http.get(f"https://127.0.0.1:{receiver.port}/")).status_code == 200
        with pytest.raises(httpx2.ConnectError):
            await http.get(f"https://localhost:{receiver.port}/")
