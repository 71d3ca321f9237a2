"""What the vault locks opens again, in its own place only; keys are made once, kept private, and rotate."""

import base64
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roxels.domain import receipts
from roxels.outbound.sending import opened
from roxels.storage.vault import CannotOpen, KeyFileError, Keyring, Signer, UnknownKey, Vault, add_key, held, verifiers

A, B = bytes(range(32)), bytes(range(32, 64))
FILES = ["signing.keys", "subjects.keys", "vault.keys"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def counted() -> Callable[[int], bytes]:
    """Randomness for tests: never the same twice, always the same order."""
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


def vault(*keys: bytes) -> Vault:
    return Vault(keys, counted())


def line(key: bytes) -> str:
    return base64.b64encode(key).decode() + "\n"


@given(secret=TEXTS, id=TEXTS)
def test_what_is_sealed_opens_again(secret: str, id: str) -> None:
    locked = vault(A)
    sealed = locked.seal(secret, environment="test", id=id)
    assert locked.open(sealed, environment="test", id=id) == secret
    assert sealed.isascii()


def test_the_same_secret_is_never_sealed_the_same_way() -> None:
    locked = vault(A)
    assert locked.seal("x", environment="test", id="i") != locked.seal("x", environment="test", id="i")


@pytest.mark.parametrize(("environment", "id"), [("live", "sec_1"), ("test", "sec_2"), ("tes", "t\0sec_1"), ("", "")])
def test_a_secret_opens_in_its_own_place_only(environment: str, id: str) -> None:
    locked = vault(A)
    sealed = locked.seal("word", environment="test", id="sec_1")
    with pytest.raises(CannotOpen):
        locked.open(sealed, environment=environment, id=id)


@given(data=st.data())
def test_an_altered_byte_does_not_open(data: st.DataObject) -> None:
    key_id, _, text = vault(A).seal("word", environment="test", id="sec_1").partition(".")
    raw = bytearray(base64.b64decode(text))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CannotOpen):
        vault(A).open(f"{key_id}.{base64.b64encode(raw).decode()}", environment="test", id="sec_1")


@given(text=st.text(max_size=40), known=st.booleans())
def test_any_other_text_does_not_open(text: str, known: bool) -> None:
    key_id = vault(A).seal("", environment="", id="").partition(".")[0]
    with pytest.raises(CannotOpen) as caught:
        vault(A).open(f"{key_id}.{text}" if known else text, environment="test", id="sec_1")
    assert str(caught.value) == type(caught.value).__doc__


def test_keys_rotate() -> None:
    old, both, new = vault(A), vault(A, B), vault(B)
    before = old.seal("word", environment="test", id="sec_1")
    assert both.open(before, environment="test", id="sec_1") == "word"
    assert not both.is_current(before)
    after = both.seal("word", environment="test", id="sec_1")
    assert both.is_current(after)
    assert new.open(after, environment="test", id="sec_1") == "word"
    with pytest.raises(UnknownKey):
        new.open(before, environment="test", id="sec_1")


def test_signing_keys_rotate_and_old_receipts_still_verify() -> None:
    old, new = Signer((A,)), Signer((A, B))
    check = verifiers(new.public_keys)
    assert check[old.key_id](old.sign(b"text"), b"text")
    assert check[new.key_id](new.sign(b"text"), b"text")
    assert old.key_id != new.key_id
    assert not check[new.key_id](old.sign(b"text"), b"text")
    assert not check[new.key_id](b"", b"text")


def test_the_signer_seals_receipts_that_the_domain_accepts() -> None:
    signer = Signer((A,))
    receipt = receipts.Receipt(
        id="rcpt_1",
        subject="s",
        counts={},
        erased_at="2026-03-01T12:00:00Z",
        reason="r",
        prev=None,
        key_id=signer.key_id,
    )
    sealed = receipts.sealed(receipt, signer.sign)
    assert receipts.broken([sealed], verifiers(signer.public_keys)) is None


def test_the_first_start_makes_the_files_and_the_next_ones_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "keys"
    first = Keyring.load(folder, counted())
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    sealed = first.vault.seal("word", environment="live", id="sec_1")
    again = Keyring.load(folder, counted())
    assert again.vault.open(sealed, environment="live", id="sec_1") == "word"
    assert (again.signer.key_id, again.subject_salt) == (first.signer.key_id, first.subject_salt)
    assert len({path.read_text() for path in folder.iterdir()}) == 3


def test_many_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: Keyring.load(tmp_path / "keys", os.urandom), range(16)))
    assert len({ring.signer.key_id for ring in rings}) == 1
    assert len({ring.subject_salt for ring in rings}) == 1
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == FILES


def test_a_line_appended_is_the_new_key(tmp_path: Path) -> None:
    before = Keyring.load(tmp_path, counted())
    sealed = before.vault.seal("word", environment="test", id="sec_1")
    for name in ("vault.keys", "signing.keys"):
        with (tmp_path / name).open("a", encoding="ascii") as file:
            file.write(line(B))
    after = Keyring.load(tmp_path, counted())
    assert after.vault.open(sealed, environment="test", id="sec_1") == "word"
    assert not after.vault.is_current(sealed)
    assert after.signer.key_id == Signer((B,)).key_id
    assert before.signer.key_id in after.signer.public_keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    Keyring.load(tmp_path, counted())
    (tmp_path / "vault.keys").chmod(mode)
    with pytest.raises(KeyFileError, match=r"vault\.keys.*chmod 600"):
        Keyring.load(tmp_path, counted())


@pytest.mark.parametrize("text", ["", "# only a remark\n", "not base64!\n", line(A[:31]), line(A) + line(A[:5]), "ü\n"])
def test_a_broken_key_file_is_refused_and_not_replaced(tmp_path: Path, text: str) -> None:
    Keyring.load(tmp_path, counted())
    (tmp_path / "signing.keys").write_text(text, encoding="utf-8")
    with pytest.raises(KeyFileError, match=r"signing\.keys") as caught:
        Keyring.load(tmp_path, counted())
    assert (tmp_path / "signing.keys").read_text(encoding="utf-8") == text
    assert line(A)[:20] not in str(caught.value)


def test_no_key_shows_in_print(tmp_path: Path) -> None:
    ring = Keyring.load(tmp_path, lambda size: b"K" * size if size == 32 else os.urandom(size))
    assert "KKKK" not in repr([ring, ring.vault, ring.signer, vars(ring.vault), vars(ring.signer)])


def unreadable(file: Path) -> None:
    """Nobody can read this file any more, not even root."""
    file.unlink()
    file.mkdir(mode=0o700)


@pytest.mark.parametrize("name", FILES)
def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    Keyring.load(tmp_path, counted())
    unreadable(tmp_path / name)
    with pytest.raises(KeyFileError, match=rf"{name} cannot be read"):
        Keyring.load(tmp_path, os.urandom)


def test_a_key_file_stays_its_owners_when_a_key_is_added(tmp_path: Path) -> None:
    Keyring.load(tmp_path, os.urandom)
    owner = 65534 if os.geteuid() == 0 else os.geteuid()  # root adds a key for the server's user
    for path in (tmp_path, *(tmp_path / name for name in FILES)):
        os.chown(path, owner, -1)
    with held(tmp_path):
        add_key(tmp_path, os.urandom)
    assert {path.name: path.stat().st_uid for path in tmp_path.iterdir()} == dict.fromkeys(
        [*FILES, "vault.keys.lock"], owner
    )
    assert (tmp_path / "vault.keys").stat().st_mode & 0o777 == 0o600
    assert Keyring.load(tmp_path, os.urandom).vault.count == 2


def test_a_delivery_meets_a_key_file_that_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    running = Keyring.load(tmp_path, os.urandom).vault
    old = running.seal("old", environment="test", id="whk_1")
    add_key(tmp_path, os.urandom)
    new = Keyring.load(tmp_path, os.urandom).vault.seal("new", environment="test", id="whk_2")
    unreadable(tmp_path / "vault.keys")
    keys = opened(running, "test", [("whk_1", old), ("whk_2", new)], {"crm": ("sec_1", new)})
    assert (keys.signing, keys.named) == (["old"], {})
    assert [vars(record)["code"] for record in caplog.records] == ["key_file", "key_file"]
