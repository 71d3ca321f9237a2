"""What a line of the audit log says, as a sentence: who, did what, with whom or what, and how it went.

A line holds ids, and of whom it is about a salted hash. What still stands is called by its name; whom nobody can name
any more is "a person" or "a conversation", whose other lines are found by the hash.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from roxels.actions.audit import Action
from roxels.actions.identify import Why
from roxels.dashboard import words
from roxels.dashboard.viewer import Viewer
from roxels.domain.receipts import Kind
from roxels.storage import (
    conversations,
    identities,
    jobs,
    keys,
    lifecycle,
    operators,
    persons,
    receipts,
    secrets,
    templates,
)
from roxels.storage.audit import AuditEntry
from roxels.storage.conversations import ConversationFilter
from roxels.storage.pages import Span
from roxels.storage.transaction import Reading

#: Of those that were here last, so many are looked through for whom a line is about; others stay unnamed.
LATELY = 100
PLACE = "/dashboard/audit"

#: What each action is, behind the name of who did it.
DEEDS: dict[Action, str] = {
    "key.created": "made an API key",
    "key.revoked": "revoked an API key",
    "webhook_secret.created": "made a webhook secret",
    "webhook_secret.revoked": "revoked a webhook secret",
    "lifecycle_webhook.created": "had an address told of events",
    "lifecycle_webhook.changed": "changed an address that is told of events, or what it is told",
    "lifecycle_webhook.removed": "had an address told nothing more",
    "identity_secret.created": "made an identity secret",
    "identity_secret.revoked": "revoked an identity secret",
    "secret.created": "kept a secret for outputs",
    "secret.changed": "changed the name, description or value of a secret for outputs",
    "secret.deleted": "deleted a secret for outputs",
    "embed_key.created": "made an embed key",
    "embed_key.revoked": "revoked an embed key",
    "operator.signed_in": "signed in",
    "operator.refused": "was refused at the sign-in",
    "operator.signed_out": "signed out",
    "operator.signed_out_everywhere": "signed out everywhere",
    "operator.code_made": "showed a code that lets somebody choose an operator’s password",
    "operator.password_chosen": "chose a password with a code, which ended their sessions elsewhere",
    "transcript.viewed": "looked at {conversation}",
    "person.viewed": "looked at the page of {person}",
    "template.tried": "tried a template out as {person}",
    "identity.link_opened": "made a fresh link into {conversation}",
    "identity.adopted": "adopted {conversation} for its person",
    "identity.adoption_undone": "undid the adoption of {conversation}",
    "identity.token_refused": "brought an identity token that was refused",
    "memory.forgotten": "deleted a line of what is remembered of {person}",
    "device.revoked": "made a device a stranger to {person}",
    "device.reset": "signed itself out, and is a stranger to {person} now",
    "erase.asked": "asked for many to be erased",
    "erase.begun": "erased {either}",
    "export.asked": "asked for an export of {person}",
    "export.fetched": "fetched the export of {person}",
    "vault.rotated": "sealed all secrets with a new key",
    "retention.changed": "changed for how long what is kept",
    "retention.applied": "removed what was too old",
}
#: Whom a line is about, where nobody can name them.
WHOM = {"person": "a person", "conversation": "a conversation", "either": "a person or a conversation"}
SUBJECTS: dict[Kind, str] = {"person": WHOM["person"], "interview": WHOM["conversation"]}
#: What stands before the name of who did it, by kind.
NAMED = {"key": "The API key ", "operator": "", "browser": "A browser with the embed key of "}
#: Why an identity token was refused.
REFUSED: dict[Why, str] = {
    "malformed": "it is no token that can be read",
    "secret": "no identity secret that is in force signed it",
    "signature": "its signature did not hold",
    "times": "its times cannot be: none, too far ahead, or still to come",
    "audience": "it was made for somebody else (aud)",
    "subject": "it names nobody (sub)",
    "replayed": "it was used before",
    "expired": "it was over",
}
#: Of what a rule of retention speaks.
KEPT = {"transcripts": "conversations", "deliveries": "deliveries", "audit": "lines of the audit log"}


class Piece(msgspec.Struct, frozen=True):
    """Some words of a sentence. `path`: where what they name is looked at; a name is whatever somebody typed."""

    text: str
    path: str = ""
    is_name: bool = False


class Line(msgspec.Struct, frozen=True):
    """One line of the log."""

    at: datetime
    pieces: tuple[Piece, ...]
    is_everywhere: bool


#: What an id is called now, by id.
Names = Mapping[str, Piece]


def told(
    tx: Reading, entries: Sequence[AuditEntry], viewer: Viewer, hashes: Callable[[str], Collection[str]]
) -> list[Line]:
    """The lines as sentences, as this operator reads them. `hashes`: under which the log speaks of an id."""
    names, subjects = _names(tx, entries), _subjects(tx, entries, hashes)
    return [
        Line(each.at, tuple(_sentence(each, viewer, names, subjects)), each.environment is None) for each in entries
    ]


def choices() -> dict[str, str]:
    """What may be asked for, in words."""
    return {action: deed.format(**WHOM) for action, deed in DEEDS.items()}


def doers(tx: Reading) -> dict[str, str]:
    """Who may be asked for: operators and the newest API keys, by id."""
    people = {each.id: each.email for each in operators.everyone(tx)}
    return people | {each.id: f"API key {each.name}" for each in keys.api_keys_page(tx, Span(limit=LATELY)).items}


def _sentence(entry: AuditEntry, viewer: Viewer, names: Names, subjects: Mapping[str, Piece]) -> Iterator[Piece]:
    yield from _who(entry, viewer, names)
    deed = DEEDS[entry.action] if entry.action in DEEDS else words.plain(entry.action)
    for n, text in enumerate(re.split(r"\{\w+\}", f" {deed}")):
        if n:
            yield _whom(entry, subjects)
        yield Piece(text)
    if entry.action == "operator.refused" and entry.actor_id:
        # Whoever typed a wrong password is not known: only whose sign-in it was.
        yield Piece(" as ")
        yield _named(entry.actor_id, names)
    for n, (name, value) in enumerate(_details(entry)):
        yield Piece(", " if n else ": ")
        yield from _detail(name, value, names)


def _who(entry: AuditEntry, viewer: Viewer, names: Names) -> Iterator[Piece]:
    kind, id = entry.actor_kind, entry.actor_id
    others = _asked(actor=id) if id else ""
    if entry.action == "operator.refused":
        yield Piece("Somebody unknown")
    elif id == viewer.operator.id:
        yield Piece("You", others)
    elif id is not None and id in names and kind in NAMED:
        yield Piece(NAMED[kind])
        yield Piece(names[id].text, others, is_name=True)
    else:
        yield Piece(words.ACTORS.get(kind, kind), others)


def _whom(entry: AuditEntry, subjects: Mapping[str, Piece]) -> Piece:
    kind: Any = entry.subject_kind
    unnamed = Piece(SUBJECTS.get(kind, "somebody"), _asked(about=entry.subject) if entry.subject else "")
    return subjects.get(entry.subject or "", unnamed)


def _details(entry: AuditEntry) -> list[tuple[str, Any]]:
    """What a line says beyond its deed, what is looked at last; `by` and `command` are told by who did it."""
    said = [(name, value) for name, value in entry.detail.items() if name not in ("by", "command")]
    return sorted(said, key=lambda each: each[0].endswith("_id"))


def _detail(name: str, value: Any, names: Names) -> Iterator[Piece]:
    kept = KEPT.get(name.removesuffix("_days"))
    match name:
        case "id" | "receipt_id" | "job_id":
            yield _named(value, names)
        case "why":
            yield Piece(REFUSED.get(value, str(value)))
        case "reason":
            yield Piece(words.ERASED_BY.get(value, str(value)))
        case "count":
            yield Piece(f"{value} in all")
        case _ if kept and name in KEPT:
            yield Piece(f"{value} {kept}")
        case _ if kept:
            yield Piece(f"{kept} {f'for {value} days' if value else 'for ever'}")
        case _:
            yield Piece(f"{words.plain(name)} {words.value(value)}")


def _named(id: str, names: Names) -> Piece:
    return names.get(id, Piece(id, is_name=True))


def _asked(**wanted: str) -> str:
    return f"{PLACE}?{urlencode(wanted)}"


# Names --------------------------------------------------------------------------------------------------------------


def _names(tx: Reading, entries: Sequence[AuditEntry]) -> dict[str, Piece]:
    """What is named in these lines, and still stands."""
    people = {each.id: Piece(each.email, is_name=True) for each in operators.everyone(tx)}
    ids = {id for each in entries for id in (each.actor_id, *each.detail.values()) if isinstance(id, str)}
    found = {id: _name(tx, id) for id in ids}
    return people | {id: piece for id, piece in found.items() if piece is not None}


def _name(tx: Reading, id: str) -> Piece | None:
    """What that is called; None where it is gone. The beginning of an id says what it is the id of."""
    match id.partition("_")[0]:
        case "key":
            return _kept(keys.api_key(tx, id), "name", "keys")
        case "whk":
            return _kept(keys.webhook_secret(tx, id), "name", "webhook-secrets")
        case "idk":
            return _kept(identities.get(tx, id), "name", "identity-secrets")
        case "sec":
            return _kept(secrets.get(tx, id), "name", "secrets")
        case "lwh":
            return _kept(lifecycle.get(tx, id), "url", "settings#told")
        case "ek":
            key = keys.embed_key(tx, id)
            kept = templates.active(tx, key.template_id) if key else None
            return Piece(str(kept.raw["name"]), "/dashboard/embed", is_name=True) if kept else None
        case "rcpt":
            return Piece("see the receipt", f"/dashboard/receipts/{quote(id)}") if receipts.get(tx, id) else None
        case "job":
            return _job(tx, id)
        case _:
            return None


def _kept(found: object | None, name: str, place: str) -> Piece | None:
    return None if found is None else Piece(str(getattr(found, name)), f"/dashboard/{place}", is_name=True)


def _job(tx: Reading, id: str) -> Piece:
    match jobs.get(tx, id):
        case None:
            return Piece("its file is gone")
        case job if job.kind == "export_person":
            return Piece("see the export", f"/dashboard/exports/{quote(id)}")
        case _:
            return Piece("see what was erased", _asked(actor=id))


def _subjects(tx: Reading, entries: Sequence[AuditEntry], hashes: Callable[[str], Collection[str]]) -> dict[str, Piece]:
    """Whom these lines are about, by the hash under which the log speaks of them: of those that were here lately."""
    if not any(each.subject for each in entries):
        return {}
    people = persons.listed(tx, None, Span(limit=LATELY)).items
    talks = conversations.listed(tx, ConversationFilter(), Span(limit=LATELY)).items
    pieces = {
        each.id: Piece(words.called(each), f"/dashboard/people/{quote(each.id)}", is_name=True) for each in people
    }
    pieces |= {each.id: Piece(WHOM["conversation"], f"/dashboard/conversations/{quote(each.id)}") for each in talks}
    return {subject: piece for id, piece in pieces.items() for subject in hashes(id)}
