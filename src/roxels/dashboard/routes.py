"""Every address of the dashboard."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from roxels.api.issued import K
from roxels.api.services import Services
from roxels.dashboard.adopting import Adopting
from roxels.dashboard.audit import AuditLog
from roxels.dashboard.conversations import Conversations
from roxels.dashboard.deliveries import Deliveries
from roxels.dashboard.designs import Designs
from roxels.dashboard.desk import Desk
from roxels.dashboard.embeds import Embeds
from roxels.dashboard.entrance import Entrance
from roxels.dashboard.erased import Receipts
from roxels.dashboard.exports import Exporting
from roxels.dashboard.gate import WELCOME, Gate
from roxels.dashboard.installation import Installation
from roxels.dashboard.keys import IDENTITIES, KEYS, WEBHOOKS, Keys
from roxels.dashboard.pages import Pages
from roxels.dashboard.people import People, home
from roxels.dashboard.secrets import Secrets
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import NotFound


def dashboard_routes(services: Services) -> list[Route]:
    """The operator's pages, to be served beside the API."""
    desk = Desk(services=services, pages=Pages(services.clock))
    gate = Gate(desk)
    areas = (_entrance, _people, _conversations, _deliveries, _records, _installation, _designs, _secrets)
    return [
        *desk.pages.routes(),
        *(route for area in areas for route in area(desk, gate)),
        Route("/dashboard/{nothing:path}", gate.shows(_nothing), methods=["GET"]),
    ]


def _entrance(desk: Desk, gate: Gate) -> list[Route]:
    entrance, shows, changes = Entrance(desk, gate), gate.shows, gate.changes
    return [
        Route("/dashboard/login", entrance.page, methods=["GET"]),
        Route("/dashboard/login", entrance.sign_in, methods=["POST"]),
        Route(WELCOME, entrance.welcome_page, methods=["GET"]),
        Route(WELCOME, entrance.welcome, methods=["POST"]),
        Route("/dashboard/here", shows(entrance.here), methods=["GET"]),
        Route("/dashboard/logout", changes(entrance.sign_out), methods=["POST"]),
        Route("/dashboard/logout/everywhere", changes(entrance.sign_out_everywhere), methods=["POST"]),
        Route("/dashboard/environment", changes(entrance.choose), methods=["POST"]),
    ]


def _people(desk: Desk, gate: Gate) -> list[Route]:
    people, exporting, shows, changes = People(desk), Exporting(desk), gate.shows, gate.changes
    person = "/dashboard/people/{person_id}"
    return [
        Route("/dashboard", home, methods=["GET"]),
        Route("/dashboard/", shows(people.everyone), methods=["GET"]),
        Route(person, shows(people.one), methods=["GET"]),
        Route(f"{person}/memory", changes(people.forget_line), methods=["POST"]),
        Route(f"{person}/devices/{{device_id}}/revoke", changes(people.revoke_device), methods=["POST"]),
        Route(f"{person}/export", changes(exporting.begin), methods=["POST"]),
        Route("/dashboard/exports/{job_id}", shows(exporting.one), methods=["GET"]),
        Route("/dashboard/exports/{job_id}/file", shows(exporting.file), methods=["GET"]),
        Route(f"{person}/erase", shows(people.ask_to_erase), methods=["GET"]),
        Route(f"{person}/erase", changes(people.erase), methods=["POST"]),
    ]


def _conversations(desk: Desk, gate: Gate) -> list[Route]:
    conversations, shows, changes = Conversations(desk), gate.shows, gate.changes
    adopting = Adopting(desk, conversations)
    conversation = "/dashboard/conversations/{conversation_id}"
    return [
        Route(conversation, shows(conversations.one), methods=["GET"]),
        Route(f"{conversation}/live", shows(conversations.live), methods=["GET"]),
        Route(f"{conversation}/events", shows(conversations.events), methods=["GET"]),
        Route(f"{conversation}/json", shows(conversations.as_json), methods=["GET"]),
        Route(f"{conversation}/adopt", changes(adopting.adopt), methods=["POST"]),
        Route(f"{conversation}/adopt/undo", changes(adopting.undo), methods=["POST"]),
        Route(f"{conversation}/link", changes(conversations.link), methods=["POST"]),
        Route(f"{conversation}/end", changes(conversations.end), methods=["POST"]),
        Route(f"{conversation}/erase", shows(conversations.ask_to_erase), methods=["GET"]),
        Route(f"{conversation}/erase", changes(conversations.erase), methods=["POST"]),
    ]


def _deliveries(desk: Desk, gate: Gate) -> list[Route]:
    deliveries, shows, changes = Deliveries(desk), gate.shows, gate.changes
    return [
        Route("/dashboard/deliveries", shows(deliveries.all), methods=["GET"]),
        Route("/dashboard/deliveries/send", changes(deliveries.send_all_again), methods=["POST"]),
        Route("/dashboard/deliveries/{delivery_id}", shows(deliveries.one), methods=["GET"]),
        Route("/dashboard/deliveries/{delivery_id}/send", changes(deliveries.send_again), methods=["POST"]),
    ]


def _records(desk: Desk, gate: Gate) -> list[Route]:
    receipts, audit, shows = Receipts(desk), AuditLog(desk), gate.shows
    return [
        Route("/dashboard/receipts", shows(receipts.all), methods=["GET"]),
        Route("/dashboard/receipts/{receipt_id}", shows(receipts.one), methods=["GET"]),
        Route("/dashboard/receipts/{receipt_id}/file", shows(receipts.file), methods=["GET"]),
        Route("/dashboard/audit", shows(audit.all), methods=["GET"]),
    ]


def _installation(desk: Desk, gate: Gate) -> list[Route]:
    settings, changes = Installation(desk), gate.changes
    webhook = "/dashboard/settings/webhooks/{webhook_id}"
    return [
        Route("/dashboard/settings", gate.shows(settings.page), methods=["GET"]),
        Route("/dashboard/settings/retention", changes(settings.keep_for), methods=["POST"]),
        Route("/dashboard/settings/webhooks", changes(settings.tell), methods=["POST"]),
        Route(webhook, changes(settings.tell_other), methods=["POST"]),
        Route(f"{webhook}/remove", changes(settings.tell_no_more), methods=["POST"]),
    ]


def _designs(desk: Desk, gate: Gate) -> list[Route]:
    designs, embeds, shows, changes = Designs(desk), Embeds(desk), gate.shows, gate.changes
    template = "/dashboard/templates/{template_id}"
    return [
        Route("/dashboard/templates", shows(designs.all), methods=["GET"]),
        Route("/dashboard/templates/new", shows(designs.begin), methods=["GET"]),
        Route("/dashboard/templates/new", changes(designs.create), methods=["POST"]),
        Route(template, shows(designs.one), methods=["GET"]),
        Route(template, changes(designs.save), methods=["POST"]),
        Route(f"{template}/publish", changes(designs.publish), methods=["POST"]),
        Route(f"{template}/talk", changes(designs.talk), methods=["POST"]),
        Route("/dashboard/embed", shows(embeds.page), methods=["GET"]),
        Route("/dashboard/embed", changes(embeds.create), methods=["POST"]),
        Route("/dashboard/embed/{key_id}/revoke", changes(embeds.revoke), methods=["POST"]),
    ]


def _secrets(desk: Desk, gate: Gate) -> list[Route]:
    secrets, changes = Secrets(desk), gate.changes
    return [
        Route("/dashboard/secrets", gate.shows(secrets.all), methods=["GET"]),
        Route("/dashboard/secrets", changes(secrets.create), methods=["POST"]),
        Route("/dashboard/secrets/{secret_id}", changes(secrets.describe), methods=["POST"]),
        Route("/dashboard/secrets/{secret_id}/value", changes(secrets.set_value), methods=["POST"]),
        Route("/dashboard/secrets/{secret_id}/delete", changes(secrets.remove), methods=["POST"]),
        *_keys(Keys(desk, KEYS), gate, "/dashboard/keys"),
        *_keys(Keys(desk, WEBHOOKS), gate, "/dashboard/webhook-secrets"),
        *_keys(Keys(desk, IDENTITIES), gate, "/dashboard/identity-secrets"),
    ]


def _keys(keys: Keys[K], gate: Gate, path: str) -> list[Route]:
    return [
        Route(path, gate.shows(keys.all), methods=["GET"]),
        Route(path, gate.changes(keys.create), methods=["POST"]),
        Route(f"{path}/{{id}}/revoke", gate.changes(keys.revoke), methods=["POST"]),
    ]


async def _nothing(_viewer: Viewer, _request: Request) -> Response:
    raise NotFound("There is no page at this address.")
