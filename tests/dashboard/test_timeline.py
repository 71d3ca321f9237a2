"""Laws of the page of a conversation: every possible history can be drawn, and a page grows by appending."""

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from roxels.actions.browse import News
from roxels.api import views
from roxels.dashboard import timeline, words
from roxels.dashboard.conversations import panels
from roxels.dashboard.pages import Pages
from roxels.domain.conversation import fold
from roxels.domain.events import Fact
from roxels.domain.templates import Template, read
from roxels.storage.log import Stored
from roxels.testing import START, FakeClock
from tests.dashboard.markup import Markup
from tests.dashboard.office import TEMPLATE
from tests.domain.histories import histories

OURS: Template = read("tpl_1", 1, TEMPLATE)
BROWSERS = {"s1": "one", "s2": "two", "s3": None}
PAGES = Pages(FakeClock(START + timedelta(days=400)))


@given(histories())
def test_every_history_can_be_drawn(facts: list[Fact]) -> None:
    state = fold(facts)
    stored = Stored(
        facts=(),
        id="iv_1",
        environment="test",
        person_id="person_1",
        state=state,
        said_so_far="so far",
        epoch=1,
        speaker=None,
        left_at=None,
    )
    progress = News(facts=facts, stored=stored, deliveries=())
    Markup(PAGES.part("entries.html", entries=timeline.entries(facts, OURS, BROWSERS)))
    Markup(PAGES.part("panels.html", csrf="c", **panels(OURS, progress)))
    for fact in facts:
        assert msgspec.json.decode(words.as_json(views.event(fact)))["seq"] == fact.seq


@given(histories(), st.integers(0, 30))
def test_a_page_grows_by_appending(facts: list[Fact], after: int) -> None:
    whole = timeline.entries(facts, OURS, BROWSERS)
    assert whole == timeline.entries(facts[:after], OURS, BROWSERS) + timeline.entries(
        facts, OURS, BROWSERS, after=after
    )
    assert [entry.seq for entry in whole] == sorted({entry.seq for entry in whole})


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9), st.lists))
def test_every_value_has_words(value: Any) -> None:
    assert isinstance(words.value(value), str)
