"""What a person has said and been told, as one page of HTML that anybody can read: no script, no style from elsewhere.

All text from anyone is escaped; nothing in it becomes a tag.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any

import msgspec

from roxels.domain.conversation import Conversation
from roxels.domain.persons import Person

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1c1c22}"
    "h2{margin-top:2.5rem;border-top:1px solid #ccc;padding-top:1rem}dt{color:#666}dd{margin:0 0 .5rem}"
    "p.who{margin:1rem 0 0;color:#666;font-size:.85rem}p.said{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}"
)


class Told(msgspec.Struct, frozen=True):
    """One conversation, with what was said so far of an unfinished answer."""

    id: str
    state: Conversation
    said_so_far: str


def booklet(person: Person, told: Sequence[Told], exported_at: datetime) -> str:
    """The page. `told`: oldest first."""
    about = {
        "external_id": person.external_id,
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "metadata": person.metadata,
        "org_context": person.org_context,
        "first seen": _time(person.first_seen_at),
        "last seen": _time(person.last_seen_at),
    }
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Everything kept of one person</title>'
        f"<style>{STYLE}</style></head><body><h1>Everything kept of one person</h1>"
        f"<p>Exported {_time(exported_at)}. The folder data/ holds the same as JSON, and all else that leads to this "
        f"person; manifest.json lists every file with its hash.</p>{_facts(about)}"
        f"{''.join(_conversation(each) for each in told)}</body></html>\n"
    )


def _conversation(each: Told) -> str:
    state = each.state
    captured = {
        f"{goal_id}.{name}": value for goal_id, goal in state.goals.items() for name, value in goal.data.items()
    }
    context = {**state.browser_context, **state.server_context}
    parts = [
        f"<h2>Conversation {_text(each.id)}</h2>",
        _facts({"begun": _time(state.created_at), "status": state.status, "summary": state.summary}),
        _titled("Known beforehand", context),
        _titled("Captured", captured),
        "".join(_message(message.role, message.at, message.text) for message in state.transcript),
    ]
    if state.unfinished is not None:
        parts.append(_message("agent", state.unfinished.at, each.said_so_far))
    return "".join(parts)


def _message(role: str, at: datetime, text: str) -> str:
    who = "They" if role == "user" else "The agent"
    return f'<p class="who">{who}, {_time(at)}</p><p class="said">{_text(text)}</p>'


def _titled(title: str, facts: dict[str, Any]) -> str:
    return f"<h3>{title}</h3>{_facts(facts)}" if facts else ""


def _facts(facts: dict[str, Any]) -> str:
    return f"<dl>{''.join(_lines(facts.items()))}</dl>"


def _lines(facts: Iterable[tuple[str, Any]]) -> Iterable[str]:
    for name, value in facts:
        if value not in (None, {}, "", []):
            shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            yield f"<dt>{_text(name)}</dt><dd>{_text(shown)}</dd>"


def _time(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _text(text: str) -> str:
    return escape(text, quote=True)
