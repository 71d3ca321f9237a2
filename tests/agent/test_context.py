"""Whose word counts: what a browser gives as context takes no place of the server's, in prompts, outputs and calls."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from roxels.agent import prompt
from roxels.agent.ports import Scene
from roxels.domain import templates
from roxels.domain.conversation import EMPTY, Conversation, fold
from roxels.domain.events import AnyEvent, ContextAdded, ConversationOpened, Fact
from roxels.domain.occasions import Subject
from roxels.domain.outputs import owed_at_end
from roxels.domain.rendering import Frozen
from roxels.testing import FakeClock

NOW = FakeClock().now()
CRM, MAIL = "https://crm.example.com/new", "https://mail.example.com/{{context.crm_id}}"
TEMPLATE = templates.read(
    "tpl_1",
    1,
    {
        "name": "Onboarding",
        "goals": [{"id": "g"}],
        "settings": {
            "outputs": [
                {"type": "webhook", "config": {"url": CRM, "response_capture": {"crm_id": "id"}}},
                {"type": "webhook", "config": {"url": MAIL, "body_template": {"plan": "{{context.plan}}"}}},
            ]
        },
    },
)
SUBJECT = Subject(conversation_id="iv_1", person_id="person_1", external_id="ada")
KEYS = st.dictionaries(st.sampled_from(["plan", "crm_id", "page", "external_id"]), st.sampled_from(["mine", "eve"]))


def state(server: dict[str, Any], browser: dict[str, Any]) -> Conversation:
    """A conversation to which both gave context, in whatever order."""
    events: list[AnyEvent] = [
        ConversationOpened(template_id="tpl_1", template_version=1),
        ContextAdded(context=server, source="server"),
        ContextAdded(context=browser, source="browser"),
    ]
    return fold([Fact(seq=n, at=NOW, session_id=None, event=each) for n, each in enumerate(events, 1)], EMPTY)


def chained(talk: Conversation, captured: dict[str, Any]) -> Frozen:
    """The second call, once the first one's receiver has answered so."""
    _, second = owed_at_end(TEMPLATE, talk, SUBJECT, NOW)
    return second.made if isinstance(second.made, Frozen) else second.made.freeze(captured)


@given(browser=KEYS)
def test_no_browser_stands_in_for_a_server(browser: dict[str, Any]) -> None:
    talk = state({"plan": "gold"}, browser)
    first, _ = owed_at_end(TEMPLATE, talk, SUBJECT, NOW)
    body = json.loads(first.made.body or "") if isinstance(first.made, Frozen) else {}
    assert (body["context"]["plan"], body["context"]["external_id"]) == ("gold", "ada")
    assert body["context_from_browser"] == sorted({"crm_id", "page"} & set(browser))
    call = chained(talk, {"crm_id": "c1"})
    assert (call.url, json.loads(call.body or "")) == ("https://mail.example.com/c1", {"plan": "gold"})
    unanswered = chained(talk, {})
    assert unanswered.url == "https://mail.example.com/", "what the answer did not give, the page does not give either"
    told = "".join(str(each["content"]) for each in prompt.messages(scene_of(talk)))
    assert '{"plan": "gold"}' in told
    assert '"plan": "mine"' not in told
    assert '"plan": "eve"' not in told


def scene_of(talk: Conversation) -> Scene:
    """The scene in which the agent speaks."""
    return Scene(
        environment="test", template=TEMPLATE, state=talk, session_id=None, external_id="ada", person_name=None, now=NOW
    )
