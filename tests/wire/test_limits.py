"""Too often is refused on the wire; what was refused is kept by who said it, and said once when it comes again."""

from pathlib import Path

import msgspec
import pytest

from roxels.domain.errors import RateLimited, Unauthorized
from roxels.domain.proof import Proof
from roxels.storage import sessions
from roxels.storage.sessions import Visit
from roxels.wire.limits import RATES, Allowance, By, Rate, What
from tests.wire.conftest import House
from tests.wire.test_rooms import finished
from tests.wire.test_visits import passes, scripted


def limited(house: House, rates: dict[tuple[What, By], Rate]) -> Allowance:
    limits = Allowance(house.clock, rates=rates)
    house.rooms.ports = msgspec.structs.replace(house.rooms.ports, limits=limits)
    return limits


async def visit_of(house: House, proof: Proof = Proof.claimed) -> Visit:
    opened = await house.open(browser="mine", proof=proof)
    assert opened.token is not None
    visit = await house.store.read_across(sessions.by_token, opened.token)
    assert visit is not None
    return visit


async def test_what_is_refused_is_said_once_when_it_comes_again(house: House) -> None:
    limited(house, {("messages", "person"): Rate(0.5, 2)})
    listener = await house.listen(await house.open())
    await listener.until(finished(1))
    for number in range(3):
        await listener.send(frame="say", id=f"m{number}", text=f"word {number}")
    frames = listener.pull()
    assert [frame["id"] for frame in frames if frame["frame"] == "ack"] == ["m0", "m1"]
    (refused,) = [frame for frame in frames if frame["frame"] == "error"]
    assert (refused["code"], refused["fatal"], refused["retry_ms"]) == ("rate_limited", False, 2000)
    house.clock.advance(2)
    await listener.send(frame="say", id="m2", text="word 2")
    assert [frame["id"] for frame in listener.pull() if frame["frame"] == "ack"] == ["m2"]


@pytest.mark.parametrize("kind", [kind for kind in RATES if kind[0] in ("messages", "bytes")])
async def test_each_line_of_the_table_refuses(tmp_path: Path, kind: tuple[What, By]) -> None:
    house = await scripted(tmp_path)
    visit = await visit_of(house)
    limits = limited(house, {kind: Rate(1, 10)})
    for _ in range(10):
        limits.message(visit, "10.0.0.1", 1)
    with pytest.raises(RateLimited) as refused:
        limits.message(visit, "10.0.0.1", 1)
    assert refused.value.retry_after == 1
    stranger = msgspec.structs.replace(visit, person_id="another", browser="another")
    limits.message(stranger, "10.0.0.2", 1)
    await house.close()


async def test_claims_use_up_nothing_of_a_verified_visit(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    claimed, verified = await visit_of(house), await visit_of(house, Proof.verified)
    assert claimed.person_id == verified.person_id
    limits = limited(house, {("messages", "person"): Rate(1, 1)})
    limits.message(claimed, "", 1)
    limits.message(verified, "", 1)
    for visit in (claimed, verified):
        with pytest.raises(RateLimited):
            limits.message(visit, "", 1)
    await house.close()


async def test_what_a_session_proved_runs_out_while_it_is_open(house: House) -> None:
    opened = await house.open()
    listener = await house.listen(opened)
    await listener.until(finished(1))
    house.clock.advance((opened.expires_at - house.clock.now()).total_seconds() - 1)
    await listener.send(frame="say", id="m1", text="in time")
    await listener.until(lambda view: "m1" in view.messages)
    house.clock.advance(1)
    await listener.send(frame="say", id="m2", text="too late")
    await listener.until(lambda view: listener.link.close_code == 4001)
    assert "m2" not in listener.view.messages
    with pytest.raises(Unauthorized):
        await house.rooms.visit_of(opened.token or "")
    again = await house.listen(await house.open())
    assert again.link.close_code is None, "proven anew, it goes on"
    assert "m1" in {frame.get("id") for frame in again.pull()}


async def test_it_runs_out_for_whoever_only_listens(tmp_path: Path) -> None:
    house = await scripted(tmp_path)
    opened = await house.open()
    listener = await house.listen(opened)
    await listener.until(finished(1))
    await passes(house, 46)
    await listener.until(finished(2))
    await passes(house, (opened.expires_at - house.clock.now()).total_seconds())
    await listener.until(lambda view: listener.link.close_code == 4001)
    await house.close()
