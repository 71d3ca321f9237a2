"""The house as `server.build` puts it together: what it takes up at its start."""

import logging
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from roxels.actions import forget
from roxels.actions.forget import ErasureRequest
from roxels.actions.identify import TokenRefused, note_refusal
from roxels.actions.open import VisitRequest, open_visit
from roxels.ambient import RandomIds, SystemClock
from roxels.api.services import RunsWith
from roxels.domain.proof import Proof
from roxels.server import CannotListen, House, build, listen, origin_of
from roxels.settings import Settings
from roxels.storage import erasures, receipts, templates
from roxels.storage.audit import BROWSER
from tests.actions.planting import found
from tests.storage.conftest import TEMPLATE


def house_of(folder: Path) -> House:
    return build(Settings(data=folder), clock=SystemClock(), ids=RandomIds())


async def begin_to_erase(house: House, external_id: str) -> None:
    """Only the first transaction, as if the process was killed then."""
    template_id = await house.store.write("test", templates.create, TEMPLATE, house.ids)
    visit = VisitRequest(
        template_id=template_id,
        external_id=external_id,
        name=None,
        source="browser",
        proof=Proof.claimed,
        method="external_id",
        context={},
    )
    await house.store.write("test", open_visit, visit, house.ids)
    wish = ErasureRequest(by="external_id", id=external_id, reason="api", salt=house.keyring.subject_salt)
    await house.store.write("test", forget.forget, wish, house.ids)


async def test_what_was_being_erased_is_erased_after_the_next_start(tmp_path: Path) -> None:
    killed = house_of(tmp_path)
    await begin_to_erase(killed, "user_canary_adaadaada")
    await killed.close()
    house = house_of(tmp_path)
    async with house.app.router.lifespan_context(house.app):
        await house.eraser.settle()
        [link] = await house.store.read("test", receipts.newest, before=None, limit=10)
        assert link.receipt.counts["persons"] == 1
        assert await house.store.read_across(erasures.pending) == []
        assert found(tmp_path, ["user_canary_adaadaada"]) == {}


async def test_it_knows_what_it_runs_with_and_no_secret(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path,
        model_url="http://127.0.0.1:1/v1",
        model="small",
        model_key=SecretStr("hunter2"),
        public_url="https://talk.example.com",
        worker=False,
        limits=False,
        allow_private_targets=True,
    )
    house = build(settings, clock=SystemClock(), ids=RandomIds())
    assert house.app.state.services.runs_with == RunsWith(
        database="SQLite", model="small", has_public_url=True, worker=False, limits=False, private_targets=True
    )
    await house.close()


async def test_metrics_count_what_was_kept(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    transport = httpx2.ASGITransport(app=house.app)
    async with (
        house.app.router.lifespan_context(house.app),
        httpx2.AsyncClient(transport=transport, base_url="http://roxels.test") as client,
    ):
        await begin_to_erase(house, "ada")
        logging.getLogger("roxels.test").error("a fault")
        await house.store.write("test", note_refusal, house.eraser.auditor, BROWSER, TokenRefused(why="replayed"))
        told = (await client.get("/metrics")).text
    assert 'roxels_events_total{type="session.started"} 1.0' in told
    assert 'roxels_log_lines_total{level="error"} 1.0' in told
    assert 'roxels_identity_tokens_refused_total{reason="replayed"} 1.0' in told
    assert "roxels_listeners 0.0" in told
    assert "ada" not in told


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
        ("nowhere.invalid", "http://nowhere.invalid:8000"),
    ],
)
def test_where_browsers_reach_it(host: str, origin: str) -> None:
    assert origin_of(Settings(host=host, port=8000)) == origin
    assert origin_of(Settings(host=host, public_url="https://talk.example.com")) == "https://talk.example.com"


def test_an_address_that_cannot_be_listened_on_is_told_from_a_port_that_is_taken() -> None:
    with pytest.raises(CannotListen, match=r"203\.0\.113\.9 port 8000 cannot be listened on: "):
        listen(Settings(host="203.0.113.9", port=8000))
    taken = listen(Settings(port=0))
    with pytest.raises(CannotListen, match="is taken"):
        listen(Settings(port=taken.getsockname()[1]))
    taken.close()
