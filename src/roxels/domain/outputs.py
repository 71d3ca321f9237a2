"""What a conversation owes to the outside: which requests, and the exact bytes of each.

    it stands on                        it fires                                     `data` in the default body
    a goal                              on each commit of the goal                   the goal's fields
    `settings`, with `trigger_goal`     the same                                     the same
    a phase                             on a commit after which all goals of the     all its goals: {goal: fields}
                                        phase are committed
    `settings`, without                 once, when the conversation is completed     all goals: {goal: fields}

A request is frozen here, in the transaction of the commit that causes it: every attempt sends the same bytes under the
same `Idempotency-Key`. One that uses what an earlier one's receiver will answer (`response_capture`) is kept as a
recipe, and frozen in the transaction in which that one is settled.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from roxels.domain.context import merged
from roxels.domain.conversation import Conversation
from roxels.domain.events import Fact, GoalCommitted
from roxels.domain.ids import derived
from roxels.domain.placeholders import Variable, placeholders, select
from roxels.domain.proof import Proof
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
        """The request, with what was captured for it."""
        ours = {"external_id": self.values["external_id"]}
        told = {key: value for key, value in captured.items() if key in self.needs}
        values = self.values | {"context": self.values["context"] | told | ours}
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


class _Occasion(msgspec.Struct, frozen=True, kw_only=True):
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


def owed(template: Template, facts: Sequence[Fact], state: Conversation, subject: Subject) -> list[Owed]:
    """What the commits among these facts make due, in their order; `state` is the conversation with all of them."""
    commits = [(fact, fact.event) for fact in facts if isinstance(fact.event, GoalCommitted)]
    found: list[Owed] = []
    for index, (fact, commit) in enumerate(commits):
        goal = template.goal(commit.goal_id)
        outputs = (*(goal.outputs if goal else ()), *_waiting_for(commit.goal_id, template))
        found += _made(template, outputs, _of_commit(fact, commit), state, subject)
        later = {each.goal_id for _, each in commits[index + 1 :]}
        for phase in template.phases:
            whole = commit.goal_id in phase.goal_ids and all(state.goal(each).revision for each in phase.goal_ids)
            if whole and phase.outputs and not later.intersection(phase.goal_ids):
                occasion = _of_phase(fact, commit, phase.goal_ids, state)
                found += _made(template, phase.outputs, occasion, state, subject)
    return found


def owed_at_end(template: Template, state: Conversation, subject: Subject, at: datetime) -> list[Owed]:
    """What the end of the conversation makes due; the commit id is its own, and the same however often it is asked."""
    outputs = tuple(output for output in template.outputs if output.trigger_goal is None)
    data = {goal_id: goal.data for goal_id, goal in state.goals.items() if goal.data}
    occasion = _Occasion(
        goal_id=None,
        commit_id=derived("commit", subject.conversation_id, "end"),
        revision=1,
        at=at,
        session_id=next(reversed(state.sessions), None),
        proof=max((Proof[each.proof] for each in state.sessions.values()), default=Proof.anonymous).name,
        data=data,
        fields=_flat(data) | data,
        more={"ended_by": state.ended_by, "summary": state.summary, "findings": list(state.findings)},
    )
    return _made(template, outputs, occasion, state, subject)


def captured(captures: Mapping[str, str], answer: str) -> dict[str, Any]:
    """What the selectors find in a receiver's answer; nothing where it is no JSON."""
    try:
        value = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        return {}
    found = {key: select(selector, value) for key, selector in captures.items()}
    return {key: each for key, each in found.items() if each is not msgspec.UNSET}


def _waiting_for(goal_id: str, template: Template) -> tuple[Output, ...]:
    return tuple(output for output in template.outputs if output.trigger_goal == goal_id)


def _of_commit(fact: Fact, commit: GoalCommitted) -> _Occasion:
    return _Occasion(
        goal_id=commit.goal_id,
        commit_id=commit.commit_id,
        revision=commit.revision,
        at=fact.at,
        session_id=fact.session_id,
        proof=commit.proof,
        data=commit.data,
        fields=commit.data,
    )


def _of_phase(fact: Fact, commit: GoalCommitted, goal_ids: Iterable[str], state: Conversation) -> _Occasion:
    data = {goal_id: state.goal(goal_id).committed_data or {} for goal_id in goal_ids}
    return msgspec.structs.replace(_of_commit(fact, commit), data=data, fields=_flat(data) | data)


def _bare(template: Template, occasion: _Occasion) -> Any:
    """The data alone, as `raw_payload` sends it; the list itself where the goal's schema is a list."""
    goal = template.goal(occasion.goal_id or "")
    return occasion.data.get(ITEMS, occasion.data) if goal is not None and goal.is_list else occasion.data


def _flat(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: value for fields in data.values() for name, value in fields.items()}


def _made(
    template: Template, outputs: Iterable[Output], occasion: _Occasion, state: Conversation, subject: Subject
) -> list[Owed]:
    context = merged(state.server_context, state.browser_context, subject.external_id)
    body = _body(template, occasion, subject, context)
    values = _values(template, occasion, subject, context)
    return [
        Owed(
            type=output.type,
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


def _values(template: Template, occasion: _Occasion, subject: Subject, context: dict[str, Any]) -> dict[str, Any]:
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


def _body(template: Template, occasion: _Occasion, subject: Subject, context: dict[str, Any]) -> dict[str, Any]:
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
