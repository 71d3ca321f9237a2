"""P5: what a prompt holds of the past does not grow with the past."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, Scale, median, ms
from roxels.agent import prompt
from roxels.agent.ports import Scene
from roxels.domain import templates
from roxels.domain.conversation import Conversation, fold
from roxels.domain.events import AnyEvent, ConversationOpened, Fact, FieldCaptured, PersonSaid, SessionStarted
from roxels.domain.memory import Memory, remember

RAW = {"name": "Bench", "goals": [{"id": "g1", "schema": {"note": "string"}}]}
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = 50


def share(scale: Scale) -> Sequence[Figure]:
    """P5."""
    (few, few_size), (many, many_size) = (_built(_past(count)) for count in (10, scale.past))
    began = time.perf_counter()
    _past(scale.past)
    first = time.perf_counter() - began
    return [
        Figure(
            id="P5",
            what=f"the memory share of a prompt, {scale.past:,} past conversations against 10",
            goal="≤ 1.2 × the time after the first build, same size ± 5 %",
            measured=f"{many / few:.2f} × ({ms(many)}), size {many_size / few_size - 1:+.1%} "
            f"(folding them once: {ms(first)})",
            holds=many <= 1.2 * few and abs(many_size / few_size - 1) <= 0.05,
        )
    ]


def _built(memory: Memory) -> tuple[float, int]:
    """Seconds to build the prompt, and its code points."""
    template = templates.read("tpl_1", 1, RAW)
    scene = Scene(
        environment="test",
        template=template,
        state=Conversation(),
        session_id=None,
        external_id="ada",
        person_name="Ada",
        memory=memory,
        now=SINCE,
    )
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        chat = prompt.messages(scene)
        took.append(time.perf_counter() - began)
    return median(took), sum(len(str(message["content"])) for message in chat)


def _past(count: int) -> Memory:
    return remember([(f"iv_{number}", _conversation(number)) for number in range(count)])


def _conversation(number: int) -> Conversation:
    """Ten sentences and ten fields, long enough that ten conversations fill the budget."""
    at = SINCE + timedelta(days=number)
    events: list[AnyEvent] = [
        ConversationOpened(template_id="tpl_1", template_version=1),
        SessionStarted(proof="claimed", reason="new_person", method="external_id"),
    ]
    said = [
        PersonSaid(id=f"m{n}", text=f"Sentence {n} of talk {number}, with a few words more in it") for n in range(10)
    ]
    kept = [FieldCaptured(goal_id="g1", field=f"field_{number}_{n}", value=f"value {n} of {number}") for n in range(10)]
    facts = [Fact(seq=n, at=at, session_id="s", event=event) for n, event in enumerate([*events, *said, *kept], 1)]
    return fold(facts)
