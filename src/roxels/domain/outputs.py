"""What a conversation owes to the outside: which requests, and the exact bytes of each.

    it stands on                        it fires                                     `data` in the default body
    a goal                              on each commit of the goal                   the goal's fields
    `settings`, with `trigger_goal`     the same                                     the same
    a phase                             on a commit after which all goals of the     all its goals: {goal: fields}
                                        phase are committed
    `settings`, without                 once, when the conversation is completed     all goals: {goal: fields}
    any of these, with `streaming`      also on each change of what is known         the goal's fields so far

A request is frozen here, in the transaction of the commit that causes it: every attempt sends the same bytes under the
same `Idempotency-Key`. One that uses what an earlier one's receiver will answer (`response_capture`) is kept as a
recipe, and frozen in the transaction in which that one is settled.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from roxels.domain import texts
from roxels.domain.conversation import Conversation
from roxels.domain.events import Fact, FieldCaptured, GoalCommitted
from roxels.domain.ids import derived
from roxels.domain.occasions import Occasion, Owed, Subject, flat, made
from roxels.domain.placeholders import select
from roxels.domain.proof import Proof
from roxels.domain.templates import Output, Template

#: Levels of lists and objects in a value that is captured of an answer.
DEEPEST = 50


def owed(template: Template, facts: Sequence[Fact], state: Conversation, subject: Subject) -> list[Owed]:
    """What these facts make due, in their order; `state` is the conversation with all of them."""
    commits = [(fact, fact.event) for fact in facts if isinstance(fact.event, GoalCommitted)]
    found = _owed_of_changes(template, facts, state, subject)
    for index, (fact, commit) in enumerate(commits):
        goal = template.goal(commit.goal_id)
        outputs = (*(goal.outputs if goal else ()), *_waiting_for(commit.goal_id, template))
        found += made(template, outputs, _of_commit(fact, commit), state, subject)
        later = {each.goal_id for _, each in commits[index + 1 :]}
        for phase in template.phases:
            whole = commit.goal_id in phase.goal_ids and all(state.goal(each).revision for each in phase.goal_ids)
            if whole and phase.outputs and not later.intersection(phase.goal_ids):
                occasion = _of_phase(fact, commit, phase.goal_ids, state)
                found += made(template, phase.outputs, occasion, state, subject)
    return found


def _owed_of_changes(template: Template, facts: Sequence[Fact], state: Conversation, subject: Subject) -> list[Owed]:
    """What `streaming` outputs are told: once for each goal of which more, or something else, is known now."""
    captures = [(fact, fact.event) for fact in facts if isinstance(fact.event, FieldCaptured)]
    last = {captured.goal_id: fact for fact, captured in captures}
    found: list[Owed] = []
    for goal_id, fact in sorted(last.items(), key=lambda each: each[1].seq):
        changed = tuple(dict.fromkeys(each.field for _, each in captures if each.goal_id == goal_id))
        outputs = [_as_event(output) for output in _streaming(goal_id, template)]
        if outputs:
            found += made(template, outputs, _of_change(fact, goal_id, changed, state, subject), state, subject)
    return found


def _streaming(goal_id: str, template: Template) -> list[Output]:
    goal = template.goal(goal_id)
    of_phases = [output for phase in template.phases if goal_id in phase.goal_ids for output in phase.outputs]
    of_template = [output for output in template.outputs if output.trigger_goal in (None, goal_id)]
    return [output for output in (*(goal.outputs if goal else ()), *of_phases, *of_template) if output.streaming]


def _as_event(output: Output) -> Output:
    """The same receiver, told of an event: always by POST and as JSON, whatever its commits look like."""
    headers = {name: value for name, value in output.headers.items() if name.lower() != "content-type"}
    return Output(url=output.url, headers=headers)


def _of_change(fact: Fact, goal_id: str, changed: Sequence[str], state: Conversation, subject: Subject) -> Occasion:
    data = state.goal(goal_id).data
    return Occasion(
        event="understanding",
        seq=fact.seq,
        more={"changed": list(changed)},
        goal_id=goal_id,
        commit_id=derived("evt", subject.conversation_id, str(fact.seq)),
        revision=state.goal(goal_id).revision,
        at=fact.at,
        session_id=fact.session_id,
        proof=state.proof_of(fact.session_id),
        data=data,
        fields=data,
    )


def owed_at_end(template: Template, state: Conversation, subject: Subject, at: datetime) -> list[Owed]:
    """What the end of the conversation makes due; the commit id is its own, and the same however often it is asked."""
    outputs = tuple(output for output in template.outputs if output.trigger_goal is None)
    data = {goal_id: goal.data for goal_id, goal in state.goals.items() if goal.data}
    occasion = Occasion(
        goal_id=None,
        commit_id=derived("commit", subject.conversation_id, "end"),
        revision=1,
        at=at,
        session_id=next(reversed(state.sessions), None),
        proof=max((Proof[each.proof] for each in state.sessions.values()), default=Proof.anonymous).name,
        data=data,
        fields=flat(data) | data,
        more={"ended_by": state.ended_by, "summary": state.summary, "findings": list(state.findings)},
    )
    return made(template, outputs, occasion, state, subject)


def captured(captures: Mapping[str, str], answer: str) -> dict[str, Any]:
    """What the selectors find in a receiver's answer and can be kept; nothing where it is no JSON."""
    try:
        value = json.loads(answer)  # msgspec would refuse all of it for half a surrogate pair anywhere
    except (ValueError, RecursionError):
        return {}
    found = {key: select(selector, value) for key, selector in captures.items()}
    return {key: each for key, each in found.items() if each is not msgspec.UNSET and _can_be_kept(each)}


def _can_be_kept(value: Any, levels: int = DEEPEST) -> bool:
    """Whether it is kept as it is: an id that was mended would name something else. And not too deep for a request."""
    match value:
        case float():
            return math.isfinite(value)
        case str():
            return texts.can_be_kept(value)
        case dict():
            return levels > 0 and all(
                _can_be_kept(key, levels) and _can_be_kept(child, levels - 1) for key, child in value.items()
            )
        case list():
            return levels > 0 and all(_can_be_kept(child, levels - 1) for child in value)
        case _:
            return True


def _waiting_for(goal_id: str, template: Template) -> tuple[Output, ...]:
    return tuple(output for output in template.outputs if output.trigger_goal == goal_id)


def _of_commit(fact: Fact, commit: GoalCommitted) -> Occasion:
    return Occasion(
        goal_id=commit.goal_id,
        commit_id=commit.commit_id,
        revision=commit.revision,
        at=fact.at,
        session_id=fact.session_id,
        proof=commit.proof,
        data=commit.data,
        fields=commit.data,
    )


def _of_phase(fact: Fact, commit: GoalCommitted, goal_ids: Iterable[str], state: Conversation) -> Occasion:
    data = {goal_id: state.goal(goal_id).committed_data or {} for goal_id in goal_ids}
    return msgspec.structs.replace(_of_commit(fact, commit), data=data, fields=flat(data) | data)
