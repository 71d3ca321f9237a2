"""Keep the addresses that are told of lifecycle events."""

from collections.abc import Sequence

import msgspec

from roxels.domain import output_rules
from roxels.domain.errors import Conflict, Invalid, NotFound
from roxels.domain.ids import Ids
from roxels.domain.lifecycle import EventName
from roxels.storage import lifecycle
from roxels.storage.lifecycle import Hook
from roxels.storage.transaction import Reading, Writing

#: Addresses that one environment may have.
MOST = 20


def create(tx: Writing, url: str, events: Sequence[EventName], ids: Ids) -> Hook:
    """Tell this address of these events from now on. Raises `Invalid`, `Conflict`."""
    if lifecycle.count(tx) >= MOST:
        raise Conflict(f"There are {MOST} lifecycle webhooks already; remove one, or change one.")
    hook = Hook(
        id=ids.new("lwh"),
        environment=tx.environment,
        url=_checked(url),
        events=_once_each(events),
        created_at=tx.now,
        updated_at=tx.now,
    )
    lifecycle.create(tx, hook)
    return hook


def get(tx: Reading, hook_id: str) -> Hook:
    """The one of that id. Raises `NotFound`."""
    hook = lifecycle.get(tx, hook_id)
    if hook is None:
        raise NotFound
    return hook


def change(tx: Writing, hook_id: str, url: str | None, events: Sequence[EventName] | None) -> Hook:
    """Give it another address or other events; None leaves it. Raises `NotFound`, `Invalid`."""
    hook = get(tx, hook_id)
    changed = msgspec.structs.replace(
        hook,
        url=hook.url if url is None else _checked(url),
        events=hook.events if events is None else _once_each(events),
        updated_at=tx.now,
    )
    lifecycle.save(tx, changed)
    return changed


def remove(tx: Writing, hook_id: str) -> Hook:
    """Tell it nothing more. What is owed to it already still goes there. Raises `NotFound`."""
    hook = get(tx, hook_id)
    lifecycle.remove(tx, hook.id)
    return hook


def _once_each(events: Sequence[EventName]) -> tuple[EventName, ...]:
    return tuple(dict.fromkeys(events))


def _checked(url: str) -> str:
    if "{{" in url:
        raise Invalid("`url` is called as it stands: no placeholders here.", field="url")
    for _, message in output_rules.faults({"url": url}, ()):
        raise Invalid(f"`url` {message}.", field="url")
    return url
