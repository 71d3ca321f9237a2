"""The page of settings: for how long what is kept, who is told what happens, and what this installation runs with.

A rule that removes is looked at before it is kept: what goes does not come back.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import lifecycle as telling
from roxels.actions import retention as keeping
from roxels.actions.audit import Action
from roxels.actions.retention import MOST_DAYS
from roxels.api import outgoing, views
from roxels.dashboard import fields
from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import text_of, typed_of
from roxels.dashboard.viewer import Viewer
from roxels.domain.domains import keeps_secrets
from roxels.domain.errors import Invalid, NotFound, RoxelsError
from roxels.domain.lifecycle import EVENTS, EventName
from roxels.storage import lifecycle, retention
from roxels.storage.lifecycle import Hook
from roxels.storage.pages import Span
from roxels.storage.retention import Overdue, Rule
from roxels.storage.transaction import Reading, Writing

PLACE = "/dashboard/settings"
MAX_URL = 2048
DAYS = ("transcripts_days", "deliveries_days", "audit_days")


class RefusedForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was not taken: which (`retention`, `new`, or a webhook's id), what was typed, and why not."""

    form: str
    fault: RoxelsError
    typed: dict[str, Any]


class Installation:
    """The page of settings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, viewer: Viewer, request: Request) -> Response:
        """All of it."""
        return await self._page(viewer, saved=request.query_params.get("saved", ""))

    async def keep_for(self, viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Look at what another rule would remove; asked a second time, keep it, but only the one that was looked at."""
        typed = {name: typed_of(form, name) for name in DAYS}
        try:
            rule = _rule(form)
        except Invalid as fault:
            return await self._page(viewer, refused=RefusedForm(form="retention", fault=fault, typed=typed))
        is_wanted = text_of(form, "as") == "keep"
        if not is_wanted or _looked_at(form) != _days(rule):
            counts = await self._desk.services.store.read(viewer.environment, keeping.preview, rule)
            return await self._page(viewer, looked=(rule, counts), is_other=is_wanted)

        def work(tx: Writing) -> None:
            retention.put(tx, msgspec.structs.replace(rule, updated_at=tx.now))
            kept = {name: getattr(rule, name) for name in DAYS}
            self._desk.services.audit.note(tx, viewer.actor, "retention.changed", None, **kept)

        await self._desk.services.store.write(viewer.environment, work)
        return RedirectResponse(f"{PLACE}?saved=retention#retention", 303)

    async def tell(self, viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Have an address told of events from now on."""
        ids = self._desk.services.ids
        return await self._told(
            viewer,
            form,
            "new",
            "lifecycle_webhook.created",
            lambda tx: telling.create(tx, *_wanted(form), ids),
        )

    async def tell_other(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Give one another address or other events."""
        id = request.path_params["webhook_id"]
        return await self._told(
            viewer, form, id, "lifecycle_webhook.changed", lambda tx: telling.change(tx, id, *_wanted(form))
        )

    async def tell_no_more(self, viewer: Viewer, request: Request, form: FormData) -> Response:
        """Tell one nothing more."""
        id = request.path_params["webhook_id"]
        return await self._told(viewer, form, id, "lifecycle_webhook.removed", lambda tx: telling.remove(tx, id))

    async def _told(
        self, viewer: Viewer, form: FormData, which: str, action: Action, work: Callable[[Writing], Hook]
    ) -> Response:
        services = self._desk.services

        def noted(tx: Writing) -> None:
            services.audit.note(tx, viewer.actor, action, id=work(tx).id)

        try:
            await services.store.write(viewer.environment, noted)
        except NotFound:
            raise
        except RoxelsError as fault:
            typed = {"url": typed_of(form, "url"), "events": _events(form)}
            return await self._page(viewer, refused=RefusedForm(form=which, fault=fault, typed=typed))
        return RedirectResponse(f"{PLACE}#told", 303)

    async def _page(
        self,
        viewer: Viewer,
        *,
        saved: str = "",
        looked: tuple[Rule, Overdue] | None = None,
        is_other: bool = False,
        refused: RefusedForm | None = None,
    ) -> Response:
        services = self._desk.services
        rule, counts, hooks = await services.store.read(viewer.environment, _read)
        shown, would_go = looked or (rule, counts)
        days = _days(shown)
        return self._desk.pages.page(
            viewer,
            "settings.html",
            status=refused.fault.status if refused else 200,
            rule=views.retention(rule, counts),
            would_remove=would_go if looked else None,
            typed=refused.typed if refused and refused.form == "retention" else days,
            looked_at=days if looked else {},
            is_other=is_other,
            hooks=[outgoing.lifecycle_webhook(each) for each in hooks],
            events=EVENTS,
            runs=views.installation(services.runs_with, services.origin),
            is_recognisable=keeps_secrets(services.origin),
            refused=refused,
            saved=saved,
        )


def _read(tx: Reading) -> tuple[Rule, Overdue, list[Hook]]:
    rule = retention.get(tx)
    return rule, keeping.preview(tx, rule), lifecycle.listed(tx, Span(limit=telling.MOST)).items


def _days(rule: Rule) -> dict[str, str]:
    """A rule as it stands in the form."""
    return {name: str(getattr(rule, name) or "") for name in DAYS}


def _looked_at(form: FormData) -> dict[str, Any]:
    """The days whose removal the operator saw, as the form carries them along."""
    return {name: form.get(f"looked_{name}") for name in DAYS}


def _rule(form: FormData) -> Rule:
    transcripts, deliveries, audit = (fields.number(form, name, most=MOST_DAYS) for name in DAYS)
    return Rule(transcripts_days=transcripts, deliveries_days=deliveries, audit_days=audit)


def _wanted(form: FormData) -> tuple[str, list[EventName]]:
    url, events = fields.line(form, "url", longest=MAX_URL), _events(form)
    if not url:
        raise Invalid("Write the address that is to be told.", field="url")
    if not events:
        raise Invalid("Choose at least one event.", field="events")
    return url, events


def _events(form: FormData) -> list[EventName]:
    chosen = form.getlist("events")
    return [each for each in EVENTS if each in chosen]
