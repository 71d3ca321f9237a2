"""What wins over what, and what is said when a setting cannot be used."""

from pathlib import Path

import pytest

from roxels import settings
from roxels.settings import BadSettings, Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*map(settings.variable, Settings.model_fields), settings.CONFIG_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def config(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    """Let ROXELS_CONFIG name a file with this text."""
    (folder / "roxels.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("ROXELS_CONFIG", str(folder / "roxels.toml"))


def test_command_line_wins_over_environment_over_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings.read().port == 8000
    config(monkeypatch, tmp_path, 'port = 8001\nscripted_cps = 0\nhost = "::1"')
    assert settings.read().port == 8001
    monkeypatch.setenv("ROXELS_PORT", "8002")
    assert settings.read().port == 8002
    found = settings.read(port=8003)
    assert (found.port, found.scripted_cps, found.host) == (8003, 0, "::1")


def test_switches_read_on_and_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROXELS_LIMITS", "off")
    monkeypatch.setenv("ROXELS_ALLOW_PRIVATE_TARGETS", "on")
    found = settings.read()
    assert (found.limits, found.allow_private_targets) == (False, True)


def test_an_empty_variable_is_as_if_it_were_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROXELS_PORT", "")
    assert settings.read().port == 8000


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.read().port = 1


def test_every_fault_is_named_by_its_variable_and_no_value_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROXELS_PORT", "eighty")
    monkeypatch.setenv("ROXELS_PUBLIC_URL", "s3cret")
    with pytest.raises(BadSettings) as caught:
        settings.read()
    said = str(caught.value)
    assert "ROXELS_PORT" in said
    assert "ROXELS_PUBLIC_URL" in said
    assert "eighty" not in said
    assert "s3cret" not in said


def test_an_unknown_name_in_the_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config(monkeypatch, tmp_path, "prot = 8001")
    with pytest.raises(BadSettings, match="no setting called prot"):
        settings.read()


def test_a_file_that_is_not_there_or_not_toml_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config(monkeypatch, tmp_path, "port 8001")
    with pytest.raises(BadSettings, match="not TOML"):
        settings.read()
    monkeypatch.setenv("ROXELS_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(BadSettings, match="not there"):
        settings.read()
