"""Templates as files: pulled from one server, pushed to another, and never over somebody else's change."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from roxels.cli import app
from tests.processes import Demo

TEMPLATE: dict[str, Any] = {
    "name": "Onboarding",
    "goals": [{"id": "g1", "schema": {"company": {"type": "string", "required_before_commit": True}}}],
    "settings": {"greeting": "Hello!", "of_a_newer_version": [1, {"two": None}]},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("moving") / "data") as demo:
        yield demo


def roxels(demo: Demo, *words: str, ends: int = 0, key: str = "") -> str:
    """What the command says."""
    known = ["--url", demo.config["url"], "--key", key or demo.config["secret_key"]]
    result = CliRunner().invoke(app, ["template", *words, *known])
    assert result.exit_code == ends, result.output
    return result.stdout if ends == 0 else result.output


def file_of(folder: Path, template: dict[str, Any]) -> str:
    """A file with this template."""
    file = folder / "template.json"
    file.write_text(json.dumps(template))
    return str(file)


def pushed(demo: Demo, folder: Path, template: dict[str, Any]) -> dict[str, Any]:
    """Push it and pull it again."""
    made = json.loads(roxels(demo, "push", file_of(folder, template), "--json"))
    pulled: dict[str, Any] = json.loads(roxels(demo, "pull", made["id"]))
    assert {"id": made["id"], "version": made["version"]}.items() <= pulled.items()
    return pulled


def test_it_goes_and_comes_back_as_it_was(demo: Demo, tmp_path: Path) -> None:
    pulled = pushed(demo, tmp_path, TEMPLATE)
    assert {name: pulled[name] for name in TEMPLATE} == TEMPLATE
    assert set(pulled) == {*TEMPLATE, "id", "version"}
    changed = {**pulled, "name": "Welcome"}
    del changed["settings"]
    again = pushed(demo, tmp_path, changed)
    assert (again["id"], again["version"], again["name"]) == (pulled["id"], 2, "Welcome")
    assert again.get("settings") is None, "what was taken out of the file is gone"


def test_what_somebody_else_published_is_not_overwritten(demo: Demo, tmp_path: Path) -> None:
    old = pushed(demo, tmp_path, TEMPLATE)
    pushed(demo, tmp_path, {**old, "name": "Theirs"})
    said = roxels(demo, "push", file_of(tmp_path, {**old, "name": "Mine"}), ends=2)
    assert "Version 2 is published by now, not 1." in said


def test_faults_are_named_with_their_paths(demo: Demo, tmp_path: Path) -> None:
    said = roxels(demo, "push", file_of(tmp_path, {"name": "", "goals": [{"id": "g", "type": "x"}]}), ends=2)
    assert "name: must be a non-empty string" in said
    assert "goals[0].type: must be one of" in said


def test_each_thing_that_goes_wrong_is_one_sentence(demo: Demo, tmp_path: Path) -> None:
    assert "There is no template tpl_nope" in roxels(demo, "pull", "tpl_nope", ends=2)
    assert "cannot be read" in roxels(demo, "push", str(tmp_path / "none.json"), ends=2)
    (tmp_path / "no.json").write_text("{")
    assert "is not JSON" in roxels(demo, "push", str(tmp_path / "no.json"), ends=2)
    assert "not valid" in roxels(demo, "pull", "tpl_nope", ends=2, key="sk_test_wrong")
    nowhere = CliRunner().invoke(app, ["template", "pull", "x", "--url", "http://127.0.0.1:9", "--key", "k"])
    assert nowhere.exit_code == 2
    assert "cannot be reached" in nowhere.output
