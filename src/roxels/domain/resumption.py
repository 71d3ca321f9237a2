"""Continue or begin: one function, and the reason it gives.

Judged over what the session may see, the first row that holds:

    reason           when                                                               then
    tried            a version of the template is named, to try it out                  begin, on that version
    proof_needed     somebody is named, and the template's policy is not met            begin
    new_person       nobody was named, or this person has no conversation here          begin
    asked_new        the caller wants a new one                                         begin
    resumption_off   the template does not resume                                       begin
    resumed          an open one lies inside the window                                 continue the newest
    window_over      an open one is too old                                             begin
    ended            the last one has ended                                             begin
    none_open        anything else                                                      begin

What began as `tried` is never among them, not even once its version is published: what is said to try a draft out does
not become what somebody really said.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from roxels.domain.conversation import Conversation
from roxels.domain.life import OPEN, Status
from roxels.domain.proof import Proof, Sight
from roxels.domain.templates import Resumption, Template

Reason = Literal[
    "new_person",
    "resumption_off",
    "none_open",
    "window_over",
    "proof_needed",
    "ended",
    "asked_new",
    "resumed",
    "tried",
]
TRIED: Reason = "tried"


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier conversation of this person on this template, as the choice sees it."""

    id: str
    status: Status
    last_activity_at: datetime


class Continue(msgspec.Struct, frozen=True):
    """Go on with that conversation."""

    conversation_id: str
    reason: Reason = "resumed"


class Begin(msgspec.Struct, frozen=True):
    """Begin a new one, and why."""

    reason: Reason


def choose(
    pasts: Sequence[Past],
    *,
    sight: Sight,
    resumption: Resumption,
    wanted: bool,
    now: datetime,
    names_version: bool = False,
) -> Continue | Begin:
    """Continue the newest open conversation or begin a new one.

    `pasts`: newest activity first, only what `sight` opens. `wanted`: False where the caller asked for a new one.
    `names_version`: the caller tries a version out.
    """
    if names_version:
        return Begin(TRIED)
    if sight.proof > Proof.anonymous and not sight.meets_policy:
        return Begin("proof_needed")
    if not pasts or sight.proof is Proof.anonymous:
        return Begin("new_person")
    if not wanted:
        return Begin("asked_new")
    if not resumption.enabled:
        return Begin("resumption_off")
    still_open = [past for past in pasts if past.status in OPEN]
    fresh = [past for past in still_open if now - past.last_activity_at <= resumption.window]
    if fresh:
        return Continue(fresh[0].id)
    if still_open:
        return Begin("window_over")
    return Begin("none_open" if pasts[0].status == "expired" else "ended")


def judged(told: Reason, sight: Sight, *, is_more: bool) -> Reason:
    """The reason as the owner of the conversation reads it; `is_more`: there are conversations behind the policy.

    A claimant is told `proof_needed` for a name that was never heard of too, so that nobody can ask who is known.
    """
    if sight.proof is Proof.verified or told not in ("proof_needed", "new_person"):
        return told
    return "proof_needed" if is_more and sight.proof > Proof.anonymous else "new_person"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a start honestly restored; shown to the browser and the host page at every start."""

    resumed: bool
    reason: Reason
    #: Finished messages restored.
    turns: int
    #: Goal id to status.
    goals: dict[str, str]
    proof: str
    #: The answer that was cut and how much of it was said: `{utterance_id, chars}`, or None.
    unfinished: dict[str, str | int] | None


def report(template: Template, state: Conversation, *, reason: Reason, proof: str, said: int) -> Report:
    """What a visit that starts in this state finds. `said`: code points shown of an unfinished answer."""
    unfinished = state.unfinished
    return Report(
        resumed=reason == "resumed",
        reason=reason,
        turns=len(state.transcript),
        goals={goal.id: state.goal_status(goal.id) for goal in template.goals},
        proof=proof,
        unfinished={"utterance_id": unfinished.utterance_id, "chars": said} if unfinished else None,
    )
