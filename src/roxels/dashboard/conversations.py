"""The pages about one conversation: what was said and what became of it, live; ending and erasing it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from roxels.actions import browse, finish, inspect, open
from roxels.actions.browse import News, progress
from roxels.actions.inspect import WholeConversation
from roxels.actions.open import Opened
from roxels.api import views
from roxels.api.answers import Answer, reply
from roxels.dashboard import timeline, words
from roxels.dashboard.desk import Desk
from roxels.dashboard.erased import told
from roxels.dashboard.live import Watch, after_of
from roxels.dashboard.pages import HEADERS
from roxels.dashboard.viewer import Viewer
from roxels.domain.conversation import Conversation
from roxels.domain.errors import RoxelsError
from roxels.domain.events import Fact, FieldCaptured
from roxels.domain.templates import Template
from roxels.storage.conversations import Outline
from roxels.storage.transaction import Reading, Writing

#: Raw events on the page itself; all of them stand on a page of their own.
RAW_EVENTS = 40
EVENTS_OF_A_PAGE = 200
#: A stream that begins so soon after a view belongs to it. A later one, or one without a page, is a view of its own.
SAME_VIEW = timedelta(minutes=1)


class Conversations:
    """The pages about one conversation."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def one(self, viewer: Viewer, request: Request) -> Response:
        """The conversation as it stands; its page goes on by `live`."""
        return await self.shown(viewer, request)

    async def shown(
        self,
        viewer: Viewer,
        request: Request,
        *,
        fault: RoxelsError | None = None,
        typed: str = "",
        link: Opened | None = None,
    ) -> Response:
        """The same, after a form of it: with what is wrong with whose it is said to be, or with a fresh link."""
        conversation_id = request.path_params["conversation_id"]
        whole, made, before = await self._desk.services.store.read(viewer.environment, _all, conversation_id)
        await self._desk.note_view(viewer, "transcript.viewed", ("interview", whole.stored.id))
        return self._desk.pages.page(
            viewer,
            "conversation.html",
            status=fault.status if fault else 200,
            whole=whole,
            before=before,
            entries=timeline.entries(made.facts, whole.template, made.browsers, is_later=made.is_later),
            **panels(whole.template, made),
            csrf=viewer.csrf,
            fault=fault,
            typed=typed,
            link=views.link(link, self._desk.services.origin) if link else None,
        )

    async def live(self, viewer: Viewer, request: Request) -> Response:
        """What happens from now on, as an event stream for the page. Nobody becomes a listener by it."""
        whole, _ = await self._read(viewer, request)
        await self._desk.note_view(viewer, "transcript.viewed", ("interview", whole.stored.id), since=SAME_VIEW)
        watch = Watch(self._desk, viewer, whole, panels)
        headers = HEADERS | {"X-Accel-Buffering": "no"}
        return StreamingResponse(
            watch.stream(after_of(request)), headers=headers, media_type="text/event-stream; charset=utf-8"
        )

    async def events(self, viewer: Viewer, request: Request) -> Response:
        """The facts themselves."""
        given = request.query_params.get("after", "0")
        after = int(given) if given.isdecimal() and len(given) < 16 else 0
        conversation_id = request.path_params["conversation_id"]
        facts = await self._desk.services.store.read(
            viewer.environment, inspect.events, conversation_id, after=after, limit=EVENTS_OF_A_PAGE + 1
        )
        shown = facts[:EVENTS_OF_A_PAGE]
        await self._desk.note_view(viewer, "transcript.viewed", ("interview", conversation_id))
        return self._desk.pages.page(
            viewer,
            "events.html",
            conversation_id=conversation_id,
            events=[views.event(fact) for fact in shown],
            next_after=shown[-1].seq if len(facts) > len(shown) else None,
        )

    async def as_json(self, viewer: Viewer, request: Request) -> Response:
        """The conversation as the API shows it."""
        whole, _ = await self._read(viewer, request)
        await self._desk.note_view(viewer, "transcript.viewed", ("interview", whole.stored.id))
        response = reply(Answer(body=views.conversation(whole)))
        response.headers.update(HEADERS)
        return response

    async def link(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """A fresh link into it, told once: whoever opens it first is let in."""
        conversation_id, services = request.path_params["conversation_id"], self._desk.services

        def work(tx: Writing) -> Opened:
            opened = open.open_again(tx, conversation_id, services.ids)
            services.audit.note(tx, viewer.actor, "identity.link_opened", ("interview", conversation_id))
            return opened

        return await self.shown(viewer, request, link=await services.store.write(viewer.environment, work))

    async def end(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """Say nothing more in it."""
        conversation_id = request.path_params["conversation_id"]
        await self._desk.services.store.write(viewer.environment, finish.end_conversation, conversation_id, "api")
        return RedirectResponse(f"/dashboard/conversations/{quote(conversation_id)}", 303)

    async def ask_to_erase(self, viewer: Viewer, request: Request) -> Response:
        """What erasing it would mean, and the one button."""
        whole, made = await self._read(viewer, request)
        return self._desk.pages.page(viewer, "erase_conversation.html", whole=whole, state=made.stored.state)

    async def erase(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """Erase it."""
        conversation_id = request.path_params["conversation_id"]
        done = await self._desk.services.eraser.conversation(
            viewer.environment, conversation_id, "dashboard", viewer.actor
        )
        return told(self._desk.pages, viewer, request, done)

    async def _read(self, viewer: Viewer, request: Request) -> tuple[WholeConversation, News]:
        return await self._desk.services.store.read(viewer.environment, _both, request.path_params["conversation_id"])


class Datum(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a goal as the page shows it. `seq` is the place of the words it came from, `quote` those words."""

    name: str
    label: str
    is_required: bool
    is_known: bool
    is_skipped: bool
    value: Any = None
    seq: int | None = None
    quote: str | None = None


class GoalCard(msgspec.Struct, frozen=True, kw_only=True):
    """A goal as the page shows it."""

    id: str
    label: str
    status: str
    revision: int
    commit_id: str | None
    data: tuple[Datum, ...]


def panels(template: Template, made: News) -> dict[str, Any]:
    """What stands beside the transcript: status, goals, outputs, visits, the newest raw events."""
    state = made.stored.state
    return {
        "conversation_id": made.stored.id,
        "template": template,
        "state": state,
        "said": made.stored.said_so_far,
        "is_later": made.is_later,
        "goals": cards(template, state, made.facts),
        "deliveries": [views.delivery(each) for each in made.deliveries],
        "raw_events": [
            (each["seq"], each["type"], words.as_json(each)) for each in map(views.event, made.facts[-RAW_EVENTS:])
        ],
    }


def cards(template: Template, state: Conversation, facts: Sequence[Fact]) -> list[GoalCard]:
    """Every goal with its fields, each with the place of the words that it was understood from."""
    captured = {
        (fact.event.goal_id, fact.event.field): fact.event for fact in facts if isinstance(fact.event, FieldCaptured)
    }
    made = []
    for goal in template.goals:
        known = state.goal(goal.id)
        labels = {field.name: field.label for field in goal.fields}
        data = tuple(
            Datum(
                name=name,
                label=labels.get(name, ""),
                is_required=any(field.name == name and field.required for field in goal.fields),
                is_known=name in known.data,
                is_skipped=name in known.skipped,
                value=known.data.get(name),
                seq=state.said.get(captured[goal.id, name].said_id or "") if (goal.id, name) in captured else None,
                quote=captured[goal.id, name].quote if (goal.id, name) in captured else None,
            )
            for name in dict.fromkeys([*labels, *known.data])
        )
        made.append(
            GoalCard(
                id=goal.id,
                label=goal.label,
                status=state.goal_status(goal.id),
                revision=known.revision,
                commit_id=known.commit_id,
                data=data,
            )
        )
    return made


def _all(tx: Reading, conversation_id: str) -> tuple[WholeConversation, News, Outline | None]:
    whole, made = _both(tx, conversation_id)
    return whole, made, browse.before(tx, whole)


def _both(tx: Reading, conversation_id: str) -> tuple[WholeConversation, News]:
    return inspect.conversation(tx, conversation_id), progress(tx, conversation_id)
