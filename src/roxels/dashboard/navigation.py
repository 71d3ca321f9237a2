"""Where one can go: the places of the dashboard in their groups, as every page shows them."""

import msgspec


class Place(msgspec.Struct, frozen=True):
    """A page that stands in the navigation. Pages below it name it as theirs (`place`)."""

    name: str
    title: str
    path: str


class Group(msgspec.Struct, frozen=True):
    """Places that belong together."""

    name: str
    title: str
    places: tuple[Place, ...]


GROUPS = (
    Group(
        "talk",
        "Conversations",
        (
            Place("people", "People", "/dashboard/"),
            Place("templates", "Templates", "/dashboard/templates"),
            Place("embed", "Embed", "/dashboard/embed"),
        ),
    ),
    Group(
        "sent",
        "What is sent",
        (
            Place("deliveries", "Deliveries", "/dashboard/deliveries"),
            Place("secrets", "Secrets", "/dashboard/secrets"),
            Place("webhook-secrets", "Webhook secrets", "/dashboard/webhook-secrets"),
        ),
    ),
    Group(
        "access",
        "Who may call",
        (
            Place("keys", "API keys", "/dashboard/keys"),
            Place("identity-secrets", "Identity secrets", "/dashboard/identity-secrets"),
        ),
    ),
    Group(
        "record",
        "This installation",
        (
            Place("audit", "Audit log", "/dashboard/audit"),
            Place("receipts", "Receipts", "/dashboard/receipts"),
            Place("settings", "Settings", "/dashboard/settings"),
        ),
    ),
)


def path_of(place: str) -> str | None:
    """Where that place is; None for a page that stands below no place."""
    return next((each.path for group in GROUPS for each in group.places if each.name == place), None)
