"""Starts are counted by key and address, by device, and by who is claimed; who is proven has a share of her own."""

from pathlib import Path

import pytest

from roxels.testing import FakeClock
from roxels.wire.limits import Allowance, By, Rate
from tests.api.conftest import Door, opened, told
from tests.api.test_browser import SESSION
from tests.api.test_devices import Browser
from tests.api.test_identity_tokens import Backend, new_secret


@pytest.mark.parametrize("by", ["key", "device", "person"])
async def test_too_many_starts_are_refused(tmp_path: Path, clock: FakeClock, by: By) -> None:
    limits = Allowance(clock, rates={("starts", by): Rate(0.1, 2)})
    async with opened(tmp_path, clock, limits) as door:
        browser = Browser(door, door.embed_key)
        await browser.start("ada")
        await browser.start("ada")
        refused = await browser.post(SESSION, external_id="ada")
        told(refused, 429, "rate_limited")
        assert refused.headers["retry-after"] == "10"
        other = Browser(door, door.embed_key)
        answer = await other.post(SESSION, external_id="bob")
        assert answer.status_code == (429 if by == "key" else 201)
        clock.advance(10)
        assert (await browser.post(SESSION, external_id="ada")).status_code == 201


async def test_nobody_is_kept_out_by_claims_in_her_name(tmp_path: Path, clock: FakeClock) -> None:
    limits = Allowance(clock, rates={("starts", "person"): Rate(0.1, 1)})
    async with opened(tmp_path, clock, limits) as door:
        backend = await backend_of(door)
        await Browser(door, door.embed_key).start("ada")
        told(await Browser(door, door.embed_key).post(SESSION, external_id="ada"), 429, "rate_limited")
        answer = await Browser(door, door.embed_key).post(SESSION, identity_token=backend.sign())
        assert answer.status_code == 201


async def backend_of(door: Door) -> Backend:
    made = await new_secret(door, door.secret)
    return Backend(door, made["kid"], made["value"], "HS256")
