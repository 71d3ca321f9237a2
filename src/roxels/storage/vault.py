"""The keys of this installation, and what they lock: secrets at rest, the signature of receipts, the salt of subjects.

The law:

    file (mode 600, in the data folder)             what it is for                                          rotates
    vault.keys      32 bytes a line, base64         AES-256-GCM of secrets; the last line seals,              yes
                                                    every line opens
    signing.keys    32 bytes a line, base64         Ed25519 of receipts; the last line signs,                 yes
                                                    every line verifies
    subjects.keys   32 bytes, base64                the salt that hides whom a receipt is about               no

A sealed secret is `<key id>.<base64 of nonce and ciphertext>`. It is bound to (environment, id): put under another row
or into another environment, it does not open. A key's id is a hash of it (of the public half for signing), so it need
not be written down and cannot be mixed up. To rotate, append a line (`roxels key rotate` does, and seals all again);
never remove one that something was sealed with. A process that meets a key which it does not know reads the file anew.
The keys of the vault may stand in a setting instead; then there is no file of them.

The files are made once, at the first start, complete and on disk before anything uses them: what a lost key had locked
is lost. Processes on several machines that share a database need the same files. They belong into a backup of their
own: with them, a stolen database can be read.
"""

import base64
import binascii
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_SIZE = 32
SIGNING = "signing.keys"
VAULT = "vault.keys"
_NONCE_SIZE = 12
#: So many random bytes.
Randomness = Callable[[int], bytes]


class KeyFileError(Exception):
    """A key file cannot be used. The server does not start without it, since what it locks would be out of reach."""

    code: ClassVar[str] = "key_file"


class CannotOpen(Exception):
    """A stored secret does not open: it was altered, or belongs to another id or environment. Set its value again."""

    code: ClassVar[str] = "cannot_open"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class UnknownKey(CannotOpen):
    """A stored secret was sealed with a key that is not in `vault.keys`. Put that key file back, or set it again."""

    code = "unknown_key"


class Vault:
    """Locks secrets. `keys`: oldest first; the last one seals. `again`: reads them anew, where they can be added to."""

    def __init__(
        self, keys: tuple[bytes, ...], randomness: Randomness, again: Callable[[], tuple[bytes, ...]] | None = None
    ) -> None:
        self._take(keys)
        self._randomness = randomness
        self._again = again

    def _take(self, keys: tuple[bytes, ...]) -> None:
        self._ciphers = {_key_id(b"vault", key): AESGCM(key) for key in keys}
        self._current = _key_id(b"vault", keys[-1])

    @property
    def count(self) -> int:
        """How many keys open something."""
        return len(self._ciphers)

    def seal(self, secret: str, *, environment: str, id: str) -> str:
        """The secret as it may be stored in the row `id` of `environment`."""
        nonce = self._randomness(_NONCE_SIZE)
        locked = self._ciphers[self._current].encrypt(nonce, secret.encode(), _place(environment, id))
        return f"{self._current}.{base64.b64encode(nonce + locked).decode()}"

    def open(self, sealed: str, *, environment: str, id: str) -> str:
        """The secret again. Raises `UnknownKey`, `CannotOpen`."""
        key_id, _, text = sealed.partition(".")
        if key_id not in self._ciphers and self._again is not None:
            self._take(self._again())
        if key_id not in self._ciphers:
            raise UnknownKey
        try:
            raw = base64.b64decode(text, validate=True)
            opened = self._ciphers[key_id].decrypt(raw[:_NONCE_SIZE], raw[_NONCE_SIZE:], _place(environment, id))
        except (InvalidTag, ValueError):
            raise CannotOpen from None
        return opened.decode()

    def is_current(self, sealed: str) -> bool:
        """Was it sealed with the newest key? If not, open it and seal it again when convenient."""
        return sealed.partition(".")[0] == self._current


class Signer:
    """Signs receipts. `keys`: oldest first; the last one signs."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        private = [Ed25519PrivateKey.from_private_bytes(key) for key in keys]
        self._current = private[-1]
        #: The public halves by key id, 32 raw bytes each: all that a check needs.
        self.public_keys: Mapping[str, bytes] = {_public_id(_raw(key)): _raw(key) for key in private}
        #: Which key signs.
        self.key_id = _public_id(_raw(self._current))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The keys of this folder, which stand already. Raises `KeyFileError`."""
        return cls(_read(folder / SIGNING))

    def sign(self, text: bytes) -> bytes:
        """64 bytes, Ed25519."""
        return self._current.sign(text)


class Keyring:
    """All keys of an installation, loaded once by the composition root."""

    def __init__(self, *, vault: Vault, signer: Signer, subject_salt: bytes) -> None:
        self.vault = vault
        self.signer = signer
        self.subject_salt = subject_salt

    @classmethod
    def load(cls, folder: Path, randomness: Randomness, vault_keys: str | None = None) -> Self:
        """Read the key files of `folder`; make the folder and those that are missing. Raises `KeyFileError`.

        `vault_keys`: those of the vault in place of their file, as base64, separated by commas, oldest first.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(
            vault=_vault(folder, randomness, vault_keys),
            signer=Signer(_keys(folder / SIGNING, randomness)),
            subject_salt=_keys(folder / "subjects.keys", randomness)[0],
        )


def _vault(folder: Path, randomness: Randomness, given: str | None) -> Vault:
    if given is not None:
        return Vault(_parsed(given.split(","), "ROXELS_VAULT_KEYS"), randomness)
    path = folder / VAULT
    return Vault(_keys(path, randomness), randomness, lambda: _read(path))


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Only one at a time adds a key."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / f"{VAULT}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _give(lock, folder)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def add_key(folder: Path, randomness: Randomness) -> None:
    """Add a key to the vault, from now on the one that seals. Whole and on disk, or not at all. Raises `KeyFileError`.

    Call it within `held`. The file stays its owner's, also where root does it.
    """
    path = folder / VAULT
    _keys(path, randomness)
    text = f"{path.read_text('ascii').rstrip()}\n{base64.b64encode(randomness(KEY_SIZE)).decode()}\n"
    draft = _drafted(path, text, randomness, like=path)
    draft.replace(path)
    _sync(path.parent)


def verifiers(public_keys: Mapping[str, bytes]) -> dict[str, Callable[[bytes, bytes], bool]]:
    """For each key id: (signature, text) → does it hold? As `domain.receipts.broken` takes them."""
    return {key_id: _verifier(raw) for key_id, raw in public_keys.items()}


def _verifier(raw: bytes) -> Callable[[bytes, bytes], bool]:
    key = Ed25519PublicKey.from_public_bytes(raw)

    def verify(signature: bytes, text: bytes) -> bool:
        try:
            key.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    return verify


def _keys(path: Path, randomness: Randomness) -> tuple[bytes, ...]:
    if not path.exists():
        _make(path, randomness)
    return _read(path)


def _read(path: Path) -> tuple[bytes, ...]:
    try:
        mode, text = path.stat().st_mode, path.read_text("ascii", "replace")
    except OSError as fault:
        raise KeyFileError(
            f"{path.name} cannot be read ({fault.strerror}). Run `chown` on it: it belongs to the server's user."
        ) from None
    if mode & 0o077:
        raise KeyFileError(
            f"{path.name} can be read by others than its owner. Run `chmod 600` on it and rotate the key."
        )
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return _parsed(lines, path.name)


def _parsed(lines: Sequence[str], where: str) -> tuple[bytes, ...]:
    try:
        keys = tuple(base64.b64decode(line, validate=True) for each in lines if (line := each.strip()))
    except (binascii.Error, ValueError):
        keys = ()
    if not keys or any(len(key) != KEY_SIZE for key in keys):
        raise KeyFileError(f"{where} must hold keys of 32 bytes each, as base64. Restore it from a backup.")
    return keys


def _make(path: Path, randomness: Randomness) -> None:
    """Write a new key, whole and on disk, under a name of its own; then give it its name, unless another was faster."""
    key = base64.b64encode(randomness(KEY_SIZE)).decode()
    text = f"# A key of this Roxels installation. Keep it secret, and keep a copy.\n{key}\n"
    draft = _drafted(path, text, randomness)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    _sync(path.parent)


def _drafted(path: Path, text: str, randomness: Randomness, like: Path | None = None) -> Path:
    """A file beside `path` with this text, on disk; it belongs to whom `like` belongs."""
    draft = path.with_name(f"{path.name}.{randomness(8).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        if like is not None:
            _give(handle, like)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _give(handle: int, like: Path) -> None:
    """Let the open file belong to whom `like` belongs; only root can, and only root need."""
    owner = like.stat()
    if os.geteuid() == 0 and owner.st_uid != os.fstat(handle).st_uid:
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _place(environment: str, id: str) -> bytes:
    return f"{environment}\0{id}".encode()


def _key_id(purpose: bytes, key: bytes) -> str:
    return hashlib.sha256(b"roxels " + purpose + b" key id\0" + key).hexdigest()[:16]


def _public_id(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]


def _raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
