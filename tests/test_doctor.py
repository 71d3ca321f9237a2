"""The doctor: well where all is well, and each fault is planted once and named by its probe."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from roxels import doctor, server
from roxels.actions import author, lifecycle
from roxels.actions.open import open_visit
from roxels.ambient import RandomIds, SystemClock
from roxels.domain.events import AnyEvent, ConversationEnded, ConversationFailed
from roxels.domain.lifecycle import EVENTS
from roxels.settings import Settings
from roxels.storage import conversations
from roxels.storage.database import Database
from roxels.storage.transaction import Environment, Writing
from tests.test_keeping import wish

SOON = datetime(2100, 1, 1, tzinfo=UTC)
GOAL = {"id": "g1", "prompt": "Ask.", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}


def template(url: str) -> dict[str, Any]:
    """A template whose commits go to this address."""
    return {"name": "T", "goals": [{**GOAL, "outputs": [{"type": "webhook", "config": {"url": url}}]}]}


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(data=folder, **{"public_url": "https://talk.example.com", **more})


def used(folder: Path, *designs: dict[str, Any], environment: Environment = "test") -> None:
    """A data folder as a first start leaves it, with these templates."""

    async def start() -> None:
        house = server.build(Settings(data=folder), clock=SystemClock(), ids=RandomIds())
        for raw in designs:
            await house.store.write(environment, author.create, raw, house.ids)
        await house.close()

    asyncio.run(start())


def found(given: Settings, now: datetime = SOON) -> dict[str, str]:
    """Each probe and what it says of the status; names resolve to a public address, `nowhere.example.com` to none."""
    resolve = {"hooks.example.com": ["1.1.1.1"], "inside.example.com": ["10.0.0.7"]}
    return {each.name: each.status for each in doctor.examine(given, now, lambda host: resolve.get(host, []))}


def test_all_is_well(tmp_path: Path) -> None:
    used(tmp_path, template("https://hooks.example.com/a/{{conversation_id}}"), template("https://8.8.8.8/x"))
    assert set(found(settings(tmp_path)).values()) == {"ok"}


def test_before_the_first_start(tmp_path: Path) -> None:
    assert found(settings(tmp_path / "none"))["data"] == "fault"
    assert found(settings(tmp_path))["database"] == "fault"
    assert list(tmp_path.iterdir()) == [], "it only looks"


@pytest.mark.parametrize("url", ["https://nowhere.example.com/x", "http://inside.example.com", "http://127.0.0.1/"])
def test_an_output_that_leads_nowhere(tmp_path: Path, url: str) -> None:
    used(tmp_path, template(url))
    assert found(settings(tmp_path))["outputs"] == "fault"


def test_a_lifecycle_webhook_that_leads_nowhere_and_a_conversation_that_failed(tmp_path: Path) -> None:
    used(tmp_path)

    async def plant() -> None:
        house = server.build(Settings(data=tmp_path), clock=SystemClock(), ids=RandomIds())
        template = await house.store.write("test", author.create, {"name": "T", "goals": [GOAL]}, house.ids)
        opened = await house.store.write("test", open_visit, wish(template.id, "ada"), house.ids)
        await house.store.write("test", lifecycle.create, "https://nowhere.example.com/x", EVENTS, house.ids)

        def fail(tx: Writing) -> None:
            ended: list[AnyEvent] = [ConversationEnded(ended_by="api"), ConversationFailed(reason="planted")]
            conversations.add(tx, opened.conversation_id, opened.state, None, ended)

        await house.store.write("test", fail)
        await house.close()

    asyncio.run(plant())
    known = found(settings(tmp_path))
    assert (known["outputs"], known["conversations"]) == ("fault", "note")


def test_what_settings_open(tmp_path: Path) -> None:
    used(tmp_path)
    opened = found(settings(tmp_path, allow_private_targets=True, limits=False, worker=False, public_url=None))
    assert {opened[name] for name in ("targets", "limits", "worker", "public_url")} == {"note"}
    assert found(settings(tmp_path, public_url="http://talk.example.com"))["public_url"] == "fault"
    assert found(settings(tmp_path, public_url="http://localhost:8000"))["public_url"] == "ok"


def test_keys_that_others_can_read_or_that_are_lost(tmp_path: Path) -> None:
    used(tmp_path)
    (tmp_path / "signing.keys").chmod(0o644)
    assert found(settings(tmp_path))["keys"] == "fault"
    (tmp_path / "signing.keys").unlink()
    assert found(settings(tmp_path))["keys"] == "fault"


def test_a_schema_that_is_not_this_versions(tmp_path: Path) -> None:
    used(tmp_path)
    database = Database(tmp_path / "roxels.db")
    with database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    assert found(settings(tmp_path))["schema"] == "fault"


def test_live_templates_that_believe_a_claim(tmp_path: Path) -> None:
    used(tmp_path, {"name": "T", "goals": [GOAL]}, environment="live")
    assert found(settings(tmp_path))["claims"] == "note"


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    url = SecretStr(f"postgresql://roxels:secret@/nothing?host={tmp_path}")
    findings = doctor.examine(settings(tmp_path, database_url=url), SOON)
    [database] = [each for each in findings if each.name == "database"]
    assert database.status == "fault"
    assert "secret" not in database.sentence


def test_every_probe_has_a_sentence(tmp_path: Path) -> None:
    used(tmp_path)
    for each in doctor.examine(settings(tmp_path), SOON - timedelta(days=1)):
        assert each.sentence.endswith((".", "migrate"))
