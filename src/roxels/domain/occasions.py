"""One occasion to call somebody, and the request that an output makes of it: the default body, the variables.

A commit, a change of what is known, the end of a conversation and a rehearsal are occasions; `domain.outputs` says
which outputs each one fires.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from roxels.domain.context import merged, unproven
from roxels.domain.conversation import Conversation
from roxels.domain.placeholders import Variable, placeholders
from roxels.domain.rendering import Frozen, freeze
from roxels.domain.templates import ITEMS, Output, Template


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose conversation it is, as deliveries name it."""

    conversation_id: str
    person_id: str
    external_id: str | None


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """All that a request is made of, but for what an earlier one's receiver answers."""

    output: Output
    values: dict[str, Any]
    body: Any
    #: The context keys that are captured from answers.
    needs: tuple[str, ...] = ()

    def freeze(self, captured: Mapping[str, Any]) -> Frozen:
        """The request, with what was captured for it. What an answer is to give, no browser gives in its place."""
        ours = {"external_id": self.values["external_id"]}
        told = {key: value for key, value in captured.items() if key in self.needs}
        guessed = set(self.needs).intersection(self.values.get("context_from_browser", ()))
        given = {key: value for key, value in self.values["context"].items() if key not in guessed}
        values = self.values | {"context": given | told | ours}
        return freeze(self.output, values, self.body)


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that became due: a request, or the recipe of one that has to wait for an answer."""

    type: str
    #: None at the end of the conversation.
    goal_id: str | None
    commit_id: str
    revision: int
    made: Frozen | Recipe
    #: Context key by selector.
    captures: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where it goes; of a recipe, with its placeholders."""
        return self.made.url if isinstance(self.made, Frozen) else self.made.output.url


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What caused a delivery, as the default body and the variables tell it."""

    goal_id: str | None
    commit_id: str
    revision: int
    at: datetime
    session_id: str | None
    proof: str
    #: What the default body says.
    data: dict[str, Any]
    #: The same by field, for `{{data.<field>}}`.
    fields: dict[str, Any]
    more: dict[str, Any] = {}
    #: Where it is no commit: what happened, and where in the log.
    event: str | None = None
    seq: int | None = None


PORTS = {"http": 80, "https": 443}


def destination(url: str) -> str:
    """Where a URL leads: scheme, host and port. What leads to one destination for one person arrives in order.

    Empty where the URL cannot be read (it fails at its first attempt).
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""


def flat(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The fields of all goals, by their own names; of two with one name, the later goal's."""
    return {name: value for fields in data.values() for name, value in fields.items()}


def made(
    template: Template, outputs: Iterable[Output], occasion: Occasion, state: Conversation, subject: Subject
) -> list[Owed]:
    """What these outputs make of the occasion, in their order; `state` is the conversation with it."""
    context = merged(state.server_context, state.browser_context, subject.external_id)
    marks = {"context_from_browser": unproven(state.server_context, state.browser_context)}
    body = _body(template, occasion, subject, context) | marks
    values = _values(template, occasion, subject, context) | marks
    return [
        Owed(
            type=occasion.event or output.type,
            goal_id=occasion.goal_id,
            commit_id=occasion.commit_id,
            revision=occasion.revision,
            made=_frozen_or_waiting(
                Recipe(
                    output=output,
                    values=values,
                    body=_bare(template, occasion) if output.raw_payload else body,
                    needs=_needs(output, template),
                )
            ),
            captures=output.response_capture,
        )
        for output in outputs
    ]


def _bare(template: Template, occasion: Occasion) -> Any:
    """The data alone, as `raw_payload` sends it; the list itself where the goal's schema is a list."""
    goal = template.goal(occasion.goal_id or "")
    return occasion.data.get(ITEMS, occasion.data) if goal is not None and goal.is_list else occasion.data


def _frozen_or_waiting(recipe: Recipe) -> Frozen | Recipe:
    return recipe if recipe.needs else recipe.freeze({})


def _needs(output: Output, template: Template) -> tuple[str, ...]:
    """The context keys that this output uses and another one captures."""
    on_goals = (each for goal in template.goals for each in goal.outputs)
    on_phases = (each for phase in template.phases for each in phase.outputs)
    others = [each for each in (*on_goals, *on_phases, *template.outputs) if each is not output]
    caught = {key for each in others for key in each.response_capture}
    if not caught:
        return ()
    templated = {"url": output.url, "headers": output.headers, "body_template": output.body_template}
    used = {part.path for _, part in placeholders(templated) if isinstance(part, Variable)}
    return tuple(sorted(key for key in caught if any(_begins_with(path, key) for path in used)))


def _begins_with(path: str, key: str) -> bool:
    rest = path.removeprefix(f"context.{key}")
    return rest != path and rest[:1] in ("", ".", "[")


def _values(template: Template, occasion: Occasion, subject: Subject, context: dict[str, Any]) -> dict[str, Any]:
    """What the variables stand for. In `context` stand the fields too, unless somebody gave that key."""
    return {
        "data": occasion.fields,
        "context": occasion.fields | context,
        "external_id": subject.external_id,
        "person_id": subject.person_id,
        "identity": {"proof": occasion.proof},
        "session": {"id": occasion.session_id},
        "interview": {"id": subject.conversation_id},
        "template": {"id": template.id},
        "goal": {"id": occasion.goal_id},
        "commit_id": occasion.commit_id,
        "committed_at": msgspec.to_builtins(occasion.at),
        "revision": occasion.revision,
    }


def _body(template: Template, occasion: Occasion, subject: Subject, context: dict[str, Any]) -> dict[str, Any]:
    if occasion.event is not None:
        return _event(template, occasion, subject, context)
    return {
        "session_id": occasion.session_id,
        "interview_id": subject.conversation_id,
        "template_id": template.id,
        "goal_id": occasion.goal_id,
        "commit_id": occasion.commit_id,
        "revision": occasion.revision,
        "committed_at": msgspec.to_builtins(occasion.at),
        "data": occasion.data,
        "context": context,
        "external_id": subject.external_id,
        "person_id": subject.person_id,
        "identity": {"proof": occasion.proof},
        **occasion.more,
    }


def _event(template: Template, occasion: Occasion, subject: Subject, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "event": occasion.event,
        "event_id": occasion.commit_id,
        "created_at": msgspec.to_builtins(occasion.at),
        "session_id": occasion.session_id,
        "interview_id": subject.conversation_id,
        "template_id": template.id,
        "goal_id": occasion.goal_id,
        "seq": occasion.seq,
        **occasion.more,
        "data": occasion.data,
        "context": context,
        "external_id": subject.external_id,
        "person_id": subject.person_id,
        "identity": {"proof": occasion.proof},
    }
