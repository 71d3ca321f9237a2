"""One output tried out: the request it would make, of sample data, without a conversation.

It is marked everywhere that a receiver may look, so that nobody takes it for a person's:

    header                X-Roxels-Test: true
    default body          "test": true
    ids                   commit_test_…, iv_sample, sess_sample, person_sample; `external_id` is `sample-person`
    values                `sample <field>`, example.com: see `domain.samples`

A body of the author's own (`body_template`, `raw_payload`) has the shape that the author gave it and no mark within.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from roxels.domain import occasions
from roxels.domain.conversation import Conversation
from roxels.domain.errors import Invalid
from roxels.domain.occasions import Occasion, Recipe, Subject, flat
from roxels.domain.rendering import Frozen
from roxels.domain.samples import samples
from roxels.domain.templates import Goal, Output, Template, goals_of

TEST_HEADER = "X-Roxels-Test"


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which output is meant: one of a goal, of a phase, or (neither given) of `settings`; counted from 0 as written."""

    index: int = 0
    goal_id: str | None = None
    phase: int | None = None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What is to stand in place of samples."""

    #: Fields by name.
    data: Mapping[str, Any] = {}
    context: Mapping[str, Any] = {}
    external_id: str | None = "sample-person"


def chosen(template: Template, raw: Mapping[str, Any], which: Which) -> Output:
    """The output that is meant. Raises `Invalid`."""
    written, read = _outputs(template, raw, which)
    if not 0 <= which.index < len(written):
        raise Invalid(
            f"`output_index` must be below {len(written)}: so many outputs stand there."
            if written
            else "No output stands there: name a goal (`goal_id`), a phase (`phase`), or neither for `settings`.",
            field="output_index",
        )
    if written[which.index].get("type") != "webhook":
        raise Invalid("This output is no webhook, so there is nothing to send.", field="output_index")
    earlier = [each for each in written[: which.index] if each.get("type") == "webhook"]
    return read[len(earlier)]


def rehearse(template: Template, output: Output, which: Which, given: Given, *, commit_id: str, at: datetime) -> Frozen:
    """The request that this output would make, with samples in place of what a person said."""
    goals = _goals(template, output, which)
    data = {goal.id: samples(goal.fields) for goal in goals}
    data = {goal_id: {**fields, **_known(given.data, fields)} for goal_id, fields in data.items()}
    if goals:
        data[goals[0].id] |= {name: value for name, value in given.data.items() if name not in flat(data)}
    one = which.goal_id or output.trigger_goal
    occasion = Occasion(
        goal_id=one or (goals[-1].id if which.phase is not None and goals else None),
        commit_id=commit_id,
        revision=1,
        at=at,
        session_id="sess_sample",
        proof="claimed" if given.external_id else "anonymous",
        data=data[one] if one else data,
        fields=data[one] if one else flat(data) | data,
        more={"test": True} if one or which.phase is not None else _ENDING | {"test": True},
    )
    state = Conversation(server_context=dict(given.context))
    subject = Subject(conversation_id="iv_sample", person_id="person_sample", external_id=given.external_id)
    (owed,) = occasions.made(template, [output], occasion, state, subject)
    made = owed.made.freeze({}) if isinstance(owed.made, Recipe) else owed.made
    return msgspec.structs.replace(made, headers=made.headers | {TEST_HEADER: "true"})


_ENDING = {"ended_by": "agent", "summary": "This is a test; nobody talked.", "findings": []}


def _outputs(
    template: Template, raw: Mapping[str, Any], which: Which
) -> tuple[list[dict[str, Any]], tuple[Output, ...]]:
    """The outputs of that place: as they were written, and as they were read."""
    if which.goal_id is not None:
        goal = template.goal(which.goal_id)
        written = next((each for _, each in goals_of(dict(raw)) if each.get("id") == which.goal_id), None)
        if goal is None or written is None:
            raise Invalid("`goal_id` names no goal of this template.", field="goal_id")
        return written.get("outputs") or [], goal.outputs
    if which.phase is not None:
        phases = raw.get("phases") or []
        if not 0 <= which.phase < len(phases):
            raise Invalid(f"`phase` must be below {len(phases)}: so many phases there are.", field="phase")
        return phases[which.phase].get("outputs") or [], template.phases[which.phase].outputs
    return (raw.get("settings") or {}).get("outputs") or [], template.outputs


def _goals(template: Template, output: Output, which: Which) -> list[Goal]:
    """The goals whose data the output tells."""
    one = which.goal_id or output.trigger_goal
    if one is not None:
        return [goal for goal in template.goals if goal.id == one]
    if which.phase is not None:
        wanted = template.phases[which.phase].goal_ids
        return [goal for goal in template.goals if goal.id in wanted]
    return list(template.goals)


def _known(given: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in fields}
