"""The view is a fold: cut the wire after any frame, join again, and it ends as the same. And the retry table."""

from typing import Any

import pytest

from tests.browser.host import HostPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FACTS: list[dict[str, Any]] = [
    {"type": "session.started", "proof": "claimed", "at": "2026-01-01T10:00:00Z"},
    {"type": "goal.activated", "goal_id": "home"},
    {"type": "agent.started", "utterance_id": "u1"},
    {"type": "agent.said", "utterance_id": "u1", "text": "Hello 👋🏽 there", "interrupted": False},
    {"type": "person.said", "id": "p1", "text": "Kitchen"},
    {"type": "field.captured", "goal_id": "home", "field": "room", "value": "Kitchen"},
    {"type": "agent.started", "utterance_id": "u2"},
    {"type": "agent.said", "utterance_id": "u2", "text": "Good", "interrupted": True},
    {"type": "person.said", "id": "p2", "text": "Wait"},
    {"type": "somebody.invented", "anything": 1},
    {
        "type": "goal.committed",
        "goal_id": "home",
        "revision": 1,
        "commit_id": "c1",
        "data": {"room": "Kitchen", "extra": [1]},
    },
    {"type": "goal.activated", "goal_id": "later"},
    {"type": "field.captured", "goal_id": "later", "field": "day", "value": "Monday"},
    {"type": "goal.proposed", "goal_id": "later", "data": {"day": "Monday"}},
    {"type": "conversation.ended", "ended_by": "agent"},
]
SETTINGS = {"goals": [{"id": "home", "label": "Home", "fields": [{"name": "room", "label": "Room", "type": "string"}]}]}
FOLD = """async ({ facts, settings }) => {
  const { apply, EMPTY, uttering } = await import('/embed/static/v/view.js');
  const events = facts.map((fact, index) => ({ frame: 'event', seq: index + 1, ...fact }));
  const live = [];
  for (const event of events) {
    if (event.type === 'agent.said') {
      const points = [...event.text];
      const piece = (from) => ({ from, text: points.slice(from, from + 2).join('') });
      for (let at = 0; at < points.length; at += 2)
        live.push({ frame: 'piece', utterance_id: event.utterance_id, ...piece(at) });
    }
    live.push(event);
  }
  const welcome = (head) => ({ frame: 'welcome', head, external_id: 'ada', language: 'en', settings });
  const plain = ({ replayed, ...view }) => JSON.stringify(view);
  const unbroken = plain(live.reduce(apply, apply(EMPTY, welcome(0))));
  const differing = [];
  for (let cut = 0; cut <= live.length; cut++) {
    let view = live.slice(0, cut).reduce(apply, apply(EMPTY, welcome(0)));
    const said = uttering(view);
    // "After N, from the rendered character": the rest; some pieces come once more and overlap.
    const rest = live.filter((frame, index) => (frame.frame === 'event' ? frame.seq > view.head : index >= cut - 3));
    view = rest.reduce(apply, apply(view, welcome(events.length)));
    if (plain(view) !== unbroken) differing.push([cut, said?.text, plain(view)]);
  }
  return { differing, cuts: live.length + 1, unbroken: JSON.parse(unbroken) };
}"""


async def test_a_cut_after_any_frame_ends_in_the_same_view(host: HostPage) -> None:
    await host.page.goto(f"{host.server.origin}/embed/frame")
    result = await host.page.evaluate(FOLD, {"facts": FACTS, "settings": SETTINGS})
    assert result["differing"] == []
    assert result["cuts"] > 20
    view = result["unbroken"]
    assert [message["text"] for message in view["messages"]] == ["Hello 👋🏽 there", "Kitchen", "Good", "Wait"]
    assert [(goal["id"], goal["status"]) for goal in view["goals"]] == [("home", "committed"), ("later", "proposed")]
    assert [field["value"] for field in view["goals"][0]["fields"]] == ["Kitchen", [1]]
    assert view["ended"]


@pytest.mark.parametrize(
    ("code", "attempt", "lived", "expected"),
    [
        (1006, 0, True, [350, 500, 650]),
        (1006, 3, False, [2800, 4000, 5200]),
        (1012, 20, False, [21_000, 30_000, 39_000]),
        (4009, 0, True, [0, 0, 0]),
        (4010, 0, True, [0, 0, 0]),
        (4010, 1, False, [700, 1000, 1300]),
        (4001, 0, True, [None, None, None]),
        (1000, 0, True, [None, None, None]),
        (1009, 0, False, [None, None, None]),
    ],
)
async def test_the_retry_table(
    host: HostPage, code: int, attempt: int, lived: bool, expected: list[int | None]
) -> None:
    await host.page.goto(f"{host.server.origin}/embed/frame")
    script = """async ([code, attempt, lived]) => {
      const { delay } = await import('/embed/static/v/socket.js');
      return [0, 0.5, 1].map((random) => delay(code, attempt, lived, random));
    }"""
    waits = await host.page.evaluate(script, [code, attempt, lived])
    assert [wait if wait is None else round(wait) for wait in waits] == expected


@pytest.mark.parametrize(
    ("language", "text", "kind", "before", "expected"),
    [
        ("en", " 12 ", "integer", None, 12),
        ("en", "1,000", "integer", None, 1000),
        ("en", "1,234,567.5", "number", None, 1234567.5),
        ("en", "1,5", "number", None, 1.5),
        ("en", "0,125", "number", None, 0.125),
        ("en", "2.125", "number", None, 2.125),
        ("en", "1,00,0", "integer", None, "1,00,0"),
        ("de", "1.000", "integer", None, 1000),
        ("de", "1,000", "number", None, 1),
        ("de", "-1.234,5", "number", None, -1234.5),
        ("de", "2.5", "number", None, 2.5),
        ("not a language", "1,000", "integer", None, 1000),
        ("en", "a dozen", "integer", None, "a dozen"),
        ("en", "", "number", None, ""),
        ("en", "3, 4.5, ", "array", [1, 2], [3, 4.5]),
        ("en", "3, many", "array", [1, 2], [3, "many"]),
        ("en", "3, 4", "array", ["1"], ["3", "4"]),
        ("en", "3, 4", "array", [], ["3", "4"]),
        ("en", "3", "string", 1, "3"),
    ],
)
async def test_what_is_typed_is_read_as_its_field_asks(
    host: HostPage, language: str, text: str, kind: str, before: object, expected: object
) -> None:
    await host.page.goto(f"{host.server.origin}/embed/frame")
    script = """async ([language, text, type, before]) => {
      const { typed } = await import('/embed/static/v/panel.js');
      document.documentElement.lang = language;
      return typed(text, type, before);
    }"""
    assert await host.page.evaluate(script, [language, text, kind, before]) == expected


async def test_the_port_queues_asks_and_takes_a_new_line(host: HostPage) -> None:
    await host.page.goto(f"{host.server.origin}/embed/frame")
    script = """async () => {
      const { createPort } = await import('/embed/static/v/port.js');
      const here = createPort(), there = createPort(), heard = [];
      there.on('a', (value) => void heard.push(value));
      there.on('double', async (value) => value * 2);
      there.on('fail', () => { throw { error: 'no', message: 'No.' }; });
      here.tell('a', 1);
      const early = here.ask('double', 21);
      here.tell('a', 2);
      here.tell('unknown', 3);
      const lines = [new MessageChannel(), new MessageChannel()];
      here.connect(lines[0].port1); there.connect(lines[0].port2);
      const answers = [await early, await here.ask('fail').catch((fault) => fault.error), await here.ask('unknown')];
      here.connect(lines[1].port1); there.connect(lines[1].port2);
      answers.push(await here.ask('double', 4));
      here.close();
      here.tell('a', 9);
      return { heard, answers };
    }"""
    result = await host.page.evaluate(script)
    assert result == {"heard": [1, 2], "answers": [42, "no", None, 8]}
