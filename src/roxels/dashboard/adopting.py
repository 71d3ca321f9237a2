"""Saying whose a conversation is after all, from its page or from the person's, and taking that back."""

from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import adopt
from roxels.dashboard import fields
from roxels.dashboard.conversations import Conversations
from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import text_of, typed_of
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import Invalid, RoxelsError
from roxels.storage import persons
from roxels.storage.pages import Span
from roxels.storage.transaction import Reading, Writing

MAX_ID = 300


class Adopting:
    """Adoption and its undo. An operator's word is as good as a verified visit."""

    def __init__(self, desk: Desk, conversations: Conversations) -> None:
        self._desk = desk
        self._conversations = conversations

    async def adopt(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """This conversation is hers: of whom the form names, by either identifier."""
        conversation_id, services = request.path_params["conversation_id"], self._desk.services
        typed = typed_of(form, "whose")

        def work(tx: Writing) -> None:
            person_id = _named(tx, fields.line(form, "whose", longest=MAX_ID))
            adopt.adopt(tx, conversation_id, person_id)
            services.audit.note(tx, viewer.actor, "identity.adopted", ("interview", conversation_id), by="operator")

        try:
            await services.store.write(viewer.environment, work)
        except RoxelsError as fault:
            if text_of(form, "from"):
                raise
            return await self._conversations.shown(viewer, request, fault=fault, typed=typed[:MAX_ID])
        return _back(form, conversation_id)

    async def undo(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """It is its first person's again."""
        conversation_id, services = request.path_params["conversation_id"], self._desk.services

        def work(tx: Writing) -> None:
            adopt.undo(tx, conversation_id)
            services.audit.note(tx, viewer.actor, "identity.adoption_undone", ("interview", conversation_id))

        await services.store.write(viewer.environment, work)
        return _back(form, conversation_id)


def _named(tx: Reading, typed: str) -> str:
    """The id of whom somebody names, by your own id or by ours. Raises `Invalid`."""
    if not typed:
        raise Invalid("Write whose it is: an external_id, or a person.id.", field="whose")
    found = persons.listed(tx, typed, Span(limit=1)).items
    person = found[0] if found else persons.get(tx, typed)
    if person is None:
        raise Invalid("Nobody in this environment has that external_id or person.id.", field="whose")
    return person.id


def _back(form: FormData, conversation_id: str) -> Response:
    person_id = text_of(form, "from")
    if person_id:
        return RedirectResponse(f"/dashboard/people/{quote(person_id, safe='')}", 303)
    return RedirectResponse(f"/dashboard/conversations/{quote(conversation_id, safe='')}", 303)
