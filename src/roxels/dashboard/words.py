"""What the pages call things: statuses, proofs, reasons, times and values, in words for people."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from roxels.actions.browse import Origin
from roxels.api.shapes import Attempt, Delivery
from roxels.domain.errors import RoxelsError
from roxels.domain.lifecycle import TYPE, EventName
from roxels.domain.persons import Person
from roxels.domain.proof import Proof
from roxels.domain.templates import Template
from roxels.outbound.attempt import FAULTS

NAMELESS = "Anonymous visitor"

#: Status → word, and the tone it is shown in (`live`, `calm`, `good`, `bad`).
STATUSES: dict[str, tuple[str, str]] = {
    "created": ("not started", "calm"),
    "joined": ("open", "live"),
    "processing": ("closing", "live"),
    "completed": ("completed", "good"),
    "failed": ("failed", "bad"),
    "expired": ("nobody came", "calm"),
}
DELIVERIES: dict[str, tuple[str, str]] = {
    "waiting": ("waiting", "calm"),
    "due": ("on its way", "live"),
    "delivered": ("delivered", "good"),
    "failed": ("failed", "bad"),
}
GOALS: dict[str, tuple[str, str]] = {
    "open": ("open", "calm"),
    "active": ("in progress", "live"),
    "proposed": ("to be confirmed", "live"),
    "committed": ("committed", "good"),
}
PROOFS: dict[str, str] = {
    "anonymous": "Nobody was named.",
    "claimed": "The browser named this person; nothing proves it.",
    "device": "The browser named this person, and it is one that talked as them before.",
    "verified": "Your server says who this is.",
}
REASONS: dict[str, str] = {
    "new_person": "new: a first conversation",
    "resumed": "resumed: an open conversation was recent enough",
    "asked_new": "new: a fresh start was asked for",
    "resumption_off": "new: this template does not resume",
    "window_over": "new: the last one was left too long ago",
    "ended": "new: the last one had ended",
    "none_open": "new: none was left open",
    "proof_needed": "new: this visit could not prove enough to see the past",
}
#: The same of a verified visit that finds only what it may not go on with.
UNPROVEN_BEFORE = "new: what was said before is unproven"
#: How a visit's browser is told, beside those of the visits before it.
BROWSERS: dict[str, str] = {
    "same": "on the same device",
    "earlier": "on a device of an earlier visit",
    "another": "on another device",
    "untold": "",
}
#: On what grounds a conversation was adopted.
ADOPTED: dict[str, str] = {
    "verified": "by an operator, your server, or a verified visit",
    "device": "by a visit from their device",
    "claimed": "by a visit that named them",
}
ENDED_BY: dict[str, str] = {
    "agent": "the agent, who was done",
    "api": "your server, or an operator",
    "participant": "the participant",
    "time": "the time limit",
    "abandoned": "time: nobody came back",
}
#: Why a language model did not answer; see `agent.speakers.engine`.
MODEL_FAULTS: dict[str, str] = {
    "timed_out": "it took too long",
    "unreachable": "it could not be reached",
    "target": "its address may not be reached",
    "no_key": "the secret that is its key is not there",
    "rate_limited": "it was asked too often",
    "server_error": "it has a fault of its own",
    "rejected": "it did not take the request",
    "broken_off": "it broke off",
    "too_long": "it did not stop",
    "refusal": "it refused to answer",
    "no_words": "it said nothing",
}
LEFT: dict[str, str] = {
    "left": "Left",
    "hung_up": "Hung up",
    "time": "The visit's time was up",
    "revoked": "The visit was revoked",
}

#: What each lifecycle event tells of.
EVENTS: dict[EventName, str] = {
    "conversation.completed": "one came to its end",
    "conversation.abandoned": "it ended because nobody came back",
    "conversation.failed": "it ended, and could not be completed",
    "delivery.failed": "one was refused, or is out of attempts",
    "person.erased": "the receipt stands",
}
#: Why something was erased.
ERASED_BY: dict[str, str] = {
    "api": "asked by API",
    "dashboard": "from the dashboard",
    "command": "by a command",
    "retention": "too old",
    "restore": "again, after a restore",
}
#: Who did something, by kind.
ACTORS: dict[str, str] = {
    "key": "An API key",
    "operator": "An operator",
    "command": "A command on the server",
    "job": "A job",
    "system": "Roxels itself",
    "browser": "A browser",
}

_UNITS = (("year", 365 * 86400), ("month", 30 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def is_of(fault: RoxelsError | None, field: str) -> bool:
    """Whether it is a fault of that field, or of one value of the list in it (`allowed_domains[1]`)."""
    return fault is not None and (fault.field or "").partition("[")[0] == field


def is_of_any(fault: RoxelsError, fields: Iterable[str]) -> bool:
    """Whether it is a fault of one of these."""
    return any(is_of(fault, field) for field in fields)


def said_of(fault: RoxelsError, field: str, label: str) -> str:
    """What it says, with the field called as its label reads: whoever fills in a form sees no names of the API."""

    def called(named: re.Match[str]) -> str:
        return f"“{label}”" + (f", number {int(named[1]) + 1}," if named[1] else "")

    return re.sub(rf"`{re.escape(field)}(?:\[(\d+)\])?`", called, fault.message)


def called(person: Person) -> str:
    """What to call somebody on a page."""
    return person.name or person.external_id or NAMELESS


def initials(person: Person) -> str:
    """One or two letters to know somebody by at a glance; nothing for the anonymous."""
    words = [word for word in (person.name or person.external_id or "").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def span(length: timedelta) -> str:
    """How long, in its largest unit: `4 days`."""
    seconds = int(length.total_seconds())
    for name, size in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {name}{'' if seconds // size == 1 else 's'}"
    return "a moment"


def ago(now: datetime, at: datetime) -> str:
    """How long since: `4 days ago`."""
    return "just now" if now - at < timedelta(minutes=1) else f"{span(now - at)} ago"


def exact(at: datetime) -> str:
    """The time to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def boundary(away: timedelta | None, method: str, browser: str) -> str:
    """What happened at the beginning of a visit. `away`: for how long nothing had happened; None at the first."""
    if away is None:
        return "First visit"
    match method:
        case "link":
            return f"After {span(away)} a fresh link was made"
        case "secret_key":
            return f"Left for {span(away)}; your server opened another visit"
        case _:
            return f"Left for {span(away)}, came back {BROWSERS[browser]}".rstrip()


def reason(name: str, proof: str, *, is_later: bool, is_trial: bool) -> str:
    """Why a visit resumed, or why it did not, in a few words. `is_later`: this person had talked before; `is_trial`:
    it stands in one."""
    if is_trial and name != "resumed":
        return "new: a version was tried out"
    return UNPROVEN_BEFORE if _is_behind(name, proof, is_later) else REASONS.get(name, name)


def _is_behind(reason: str, proof: str, is_later: bool) -> bool:
    """Whether what was said before stands behind the proof: a verified visit is told nothing of what is unproven."""
    return is_later and reason == "new_person" and proof == "verified"


def why(reason: str, proof: str, template: Template, *, is_later: bool = False, is_trial: bool = False) -> str:
    """Why a visit resumed, or why it did not, as a sentence. `is_trial`: it stands in one."""
    match reason:
        case _ if is_trial and reason != "resumed":
            return f"Begun to try out version {template.version} of this template. No later visit goes on with it."
        case "new_person" if _is_behind(reason, proof, is_later):
            return (
                "Not resumed: what was said before is unproven. "
                "A verified visit is told nothing of it, unless it is adopted."
            )
        case "resumed":
            return "Resumed: the conversation was still open, and recent enough."
        case "new_person":
            return "Begun: there was nothing earlier to go on with."
        case "asked_new":
            return "Not resumed: a fresh start was asked for."
        case "resumption_off":
            return "Not resumed: this template begins anew at every visit (settings.embedded.resumption)."
        case "window_over":
            window = span(template.resumption.window)
            return (
                f"Not resumed: the earlier one was left more than {window} ago, and this template goes no further back."
            )
        case "ended":
            return "Not resumed: the earlier one had ended."
        case "none_open":
            return "Not resumed: no earlier one was left open."
        case "proof_needed":
            asked = template.history_requires.name
            if Proof[proof] < template.history_requires:
                return f"Not resumed: this visit was {proof}; the template asks for {asked} (history_requires)."
            return f"Not resumed: this visit was {proof}, and what was said in verified ones never opens to less."
        case _:
            return reason


def value(given: Any) -> str:
    """A captured value as people write it."""
    match given:
        case None:
            return "–"
        case bool():
            return "yes" if given else "no"
        case str():
            return given
        case list() if all(isinstance(each, str | int | float) for each in given):
            return ", ".join(value(each) for each in given)
        case _:
            return json.dumps(given, ensure_ascii=False)


def as_json(given: Any) -> str:
    """JSON to be read by people."""
    return msgspec.json.format(msgspec.json.encode(given), indent=2).decode()


def standing(delivery: Delivery) -> tuple[str, str]:
    """How a delivery stands, and its colour: one that was tried in vain does not merely wait."""
    if delivery["status"] == "waiting" and delivery["attempts"]:
        return "tried again later", "bad"
    return DELIVERIES[delivery["status"]]


def may_be_sent(delivery: Delivery) -> str:
    """What the button says that makes it due at once; nothing where there is nothing to hurry."""
    if delivery["status"] == "waiting":
        return "Send now" if delivery["attempts"] else ""
    return "Send again" if delivery["status"] in ("delivered", "failed") else ""


def owed_by(delivery: Delivery, origin: Origin | None = None) -> str:
    """What owes a delivery: a goal (by its label, where its template is at hand), a lifecycle event, or the end of the
    conversation."""
    label = origin.label_of(delivery["goal_id"]) if origin else ""
    return label or plain(delivery["goal_id"] or "") or ("lifecycle event" if delivery["type"] == TYPE else "the end")


def outcome(attempts: Sequence[Attempt]) -> str:
    """What the latest attempt came to, and how many there were."""
    if not attempts:
        return "not tried yet"
    last = attempts[-1]
    came = f"answered {last['status_code']}" if last["status_code"] else fault(last["error"]).lower().rstrip(".")
    return came if len(attempts) == 1 else f"{came}, {len(attempts)} attempts"


def fault(name: str | None) -> str:
    """What went wrong at an attempt, as a sentence."""
    return next((each.sentence for known, each in FAULTS.items() if known == name), name or "No answer.")


def given(filters: Mapping[str, str]) -> dict[str, str]:
    """The filters that were filled in."""
    return {name: value for name, value in filters.items() if value}


def plain(name: str) -> str:
    """A key in words: `team_size` as `team size`."""
    return name.replace("_", " ")
