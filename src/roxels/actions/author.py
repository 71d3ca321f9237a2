"""Author templates: write one, change it, publish a version. What is written is kept as written."""

from typing import Any

from roxels.domain import output_rules, soundness
from roxels.domain.errors import Conflict, Invalid, NotFound
from roxels.domain.ids import Ids
from roxels.domain.soundness import Fault
from roxels.storage import secrets, templates
from roxels.storage.templates import StoredTemplate
from roxels.storage.transaction import Reading, Writing

#: What an answer adds to a template as written; sent back with it, it says nothing.
ADDED = frozenset({"id", "version", "status", "warnings", "created_at", "updated_at"})
STATUSES = ("active", "archived")


class Faulty(Invalid):
    """The template cannot be used as it is written."""

    def __init__(self, faults: list[Fault]) -> None:
        listed = "; ".join(f"`{fault.path}` {fault.message}" if fault.path else fault.message for fault in faults)
        super().__init__(f"The template has {len(faults)} fault(s): {listed}.", field=faults[0].path or None)
        self.faults = faults


def create(tx: Writing, raw: dict[str, Any], ids: Ids) -> StoredTemplate:
    """Keep a new template, its first version published. Raises `Faulty`, with all faults at once."""
    status, written = _written(raw)
    _check(written)
    template_id = templates.create(tx, written, ids)
    if status is not None:
        templates.set_status(tx, template_id, status)
    return current(tx, template_id)


def change(
    tx: Writing, template_id: str, changes: dict[str, Any], *, publish: bool = True, expected: int | None = None
) -> StoredTemplate:
    """Replace the top-level keys that are named, beginning from the published version; keep it as a new version.

    `expected`: the version that the caller read; `Conflict` when another is published by now. Answers the version
    that was made, published or (`publish=False`) a draft. Nothing named: nothing is made.
    """
    kept = _held(tx, template_id, expected)
    status, written = _written(changes)
    if status is not None:
        templates.set_status(tx, template_id, status)
    if not written:
        return current(tx, template_id)
    return _revised(tx, template_id, kept.raw | written, publish=publish)


def rewrite(tx: Writing, template_id: str, raw: dict[str, Any], *, publish: bool, expected: int) -> StoredTemplate:
    """Keep the whole template anew: a key that is not in `raw` is gone. Else as `change`."""
    _held(tx, template_id, expected)
    return _revised(tx, template_id, _written(raw)[1], publish=publish)


def publish(tx: Writing, template_id: str, number: int, *, expected: int | None = None) -> StoredTemplate:
    """Make this version the one that new conversations begin with. `expected`: as in `change`."""
    _held(tx, template_id, expected)
    kept = version(tx, template_id, number)
    templates.activate(tx, template_id, number, kept.raw)
    return current(tx, template_id)


def current(tx: Reading, template_id: str) -> StoredTemplate:
    """The template as new conversations begin with it. Raises `NotFound`."""
    kept = templates.active(tx, template_id)
    if kept is None:
        raise NotFound("There is no template with this id in this environment.")
    return kept


def version(tx: Reading, template_id: str, number: int) -> StoredTemplate:
    """One version of a template of this environment. Raises `NotFound`."""
    current(tx, template_id)
    return _version(tx, template_id, number)


def missing_secrets(tx: Reading, kept: StoredTemplate) -> set[str]:
    """Those of the secrets it names that this environment does not have."""
    named = output_rules.secrets_of(kept.raw)
    return named - set(secrets.sealed(tx, tx.environment, named))


def _held(tx: Writing, template_id: str, expected: int | None) -> StoredTemplate:
    """The published version, which nobody else changes meanwhile; `Conflict` where it is not the expected one."""
    templates.hold(tx, template_id)
    kept = current(tx, template_id)
    if expected is not None and expected != kept.version:
        message = f"Version {kept.version} is published by now, not {expected}. Read it and decide anew."
        raise Conflict(message, field="If-Match")
    return kept


def _revised(tx: Writing, template_id: str, raw: dict[str, Any], *, publish: bool) -> StoredTemplate:
    _check(raw)
    return _version(tx, template_id, templates.revise(tx, template_id, raw, publish=publish))


def _version(tx: Reading, template_id: str, number: int) -> StoredTemplate:
    kept = templates.version(tx, template_id, number)
    if kept is None:
        raise NotFound("This template has no version of that number.")
    return kept


def _written(raw: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The status, where one is given, and what else was written by the customer's own hand."""
    status = raw.get("status")
    if "status" in raw and status not in STATUSES:
        raise Faulty([Fault("status", f"must be one of {', '.join(STATUSES)}")])
    return status, {key: value for key, value in raw.items() if key not in ADDED}


def _check(raw: dict[str, Any]) -> None:
    faults = soundness.faults(raw)
    if faults:
        raise Faulty(faults)
