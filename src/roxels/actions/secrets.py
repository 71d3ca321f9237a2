"""Keep what templates may name and nobody may read: made, renamed, given another value, forgotten."""

import logging
import re

import msgspec

from roxels.actions.manage import Sealer
from roxels.domain.errors import Conflict, Invalid, NotFound
from roxels.domain.ids import Ids
from roxels.storage import secrets
from roxels.storage.secrets import Secret
from roxels.storage.transaction import Reading, Writing
from roxels.storage.vault import CannotOpen, Vault

logger = logging.getLogger(__name__)

MAX_NAME = 200


def create(tx: Writing, name: str, value: str, description: str, ids: Ids, sealer: Sealer) -> Secret:
    """Keep a secret under a name of its own. Raises `Invalid`, and `Conflict` where the name is taken."""
    secret = Secret(
        id=ids.new("sec"),
        environment=tx.environment,
        name=_checked(name),
        description=description,
        created_at=tx.now,
        updated_at=tx.now,
    )
    if not secrets.create(tx, secret, sealer.seal(value, environment=tx.environment, id=secret.id)):
        message = "There is a secret of this name already; give it another value, or take another name."
        raise Conflict(message, field="name")
    return secret


def get(tx: Reading, secret_id: str) -> Secret:
    """The secret of that id or name, without its value. Raises `NotFound`."""
    secret = secrets.get(tx, secret_id)
    if secret is None:
        raise NotFound
    return secret


def change(tx: Writing, secret_id: str, name: str | None, description: str | None) -> Secret:
    """Give it another name or description; None leaves it. Raises `NotFound`, `Invalid`, `Conflict`."""
    secret = get(tx, secret_id)
    if name is not None and name != secret.name:
        _refuse_where_used(tx, {secret.name}, "renamed")
        taken = secrets.get(tx, _checked(name))
        if taken is not None and taken.id != secret.id:
            raise Conflict("There is a secret of this name already; take another name.", field="name")
        secret = msgspec.structs.replace(secret, name=name)
    if description is not None:
        secret = msgspec.structs.replace(secret, description=description)
    secrets.save(tx, secret)
    return get(tx, secret.id)


def set_value(tx: Writing, secret_id: str, value: str, sealer: Sealer) -> Secret:
    """Give it another value: whatever is sent from now on has it. Raises `NotFound`."""
    secret = get(tx, secret_id)
    secrets.set_value(tx, secret.id, sealer.seal(value, environment=tx.environment, id=secret.id))
    return get(tx, secret.id)


def remove(tx: Writing, secret_id: str) -> Secret:
    """Forget it. Raises `NotFound`, and `Conflict` naming the templates that use it."""
    secret = get(tx, secret_id)
    _refuse_where_used(tx, {secret.name, secret.id}, "deleted")
    secrets.remove(tx, secret.id)
    return secret


def reveal(tx: Reading, name: str, vault: Vault) -> str | None:
    """The value behind a name or id, for a request that is made now; None where it is not there or does not open."""
    found = secrets.sealed(tx, tx.environment, {name}).get(name)
    if found is None:
        return None
    secret_id, sealed = found
    try:
        return vault.open(sealed, environment=tx.environment, id=secret_id)
    except CannotOpen as fault:
        fields = {"action": "reveal", "secret_id": secret_id, "code": fault.code}
        logger.error("A secret that a template names does not open; set its value again.", extra=fields)
        return None


def _refuse_where_used(tx: Reading, names: set[str], done: str) -> None:
    users = secrets.users(tx, names)
    if users:
        raise Conflict(
            f"This secret cannot be {done}: these templates name it, in a version that conversations may stand on: "
            f"{', '.join(users)}."
        )


def _checked(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+", name) or len(name) > MAX_NAME or name.startswith("sec_"):
        raise Invalid(
            "`name` must be letters, digits, `-`, `_` and `.`, at most 200, and not begin with `sec_`, as ids do.",
            field="name",
        )
    return name
