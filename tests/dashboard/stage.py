"""An office with a past: something to show on every page. For tests that look at all of them, and for the pictures."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from roxels.actions import identify, lifecycle, manage, secrets
from roxels.actions import people as keeping
from roxels.actions.eraser import Erased
from roxels.actions.open import Opened
from roxels.ambient import SystemClock
from roxels.domain.lifecycle import EVENTS
from roxels.domain.proof import Proof
from roxels.domain.rendering import Frozen
from roxels.storage.audit import Actor
from roxels.storage.deliveries import Attempt
from roxels.storage.transaction import Writing
from tests.dashboard import people
from tests.dashboard.office import TEMPLATE, Office

HOOK = "https://hooks.analytical.example/roxels"


class Past(SystemClock):
    """The machine's clock, as it was some time ago."""

    def __init__(self) -> None:
        self.back = timedelta(0)

    def now(self) -> datetime:
        """The time, that long ago."""
        return super().now() - self.back


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Who and what stands on the stage."""

    person: str
    #: Left for days, and resumed on another device.
    resumed: str
    #: Begun anew, since the visit proved too little.
    unproven: str
    #: Nobody was named in it.
    anonymous: str
    failed: str
    delivered: str
    receipt: str
    template: str

    def addresses(self) -> dict[str, str]:
        """Every page, by a name for it."""
        talk, person = "/dashboard/conversations", f"/dashboard/people/{self.person}"
        return {
            "people": "/dashboard/",
            "person": person,
            "erase-person": f"{person}/erase",
            "conversation": f"{talk}/{self.resumed}",
            "not-resumed": f"{talk}/{self.unproven}",
            "anonymous": f"{talk}/{self.anonymous}",
            "events": f"{talk}/{self.resumed}/events",
            "erase-conversation": f"{talk}/{self.resumed}/erase",
            "templates": "/dashboard/templates",
            "template": f"/dashboard/templates/{self.template}",
            "new-template": "/dashboard/templates/new",
            "embed": "/dashboard/embed",
            "deliveries": "/dashboard/deliveries",
            "delivery": f"/dashboard/deliveries/{self.failed}",
            "delivered": f"/dashboard/deliveries/{self.delivered}",
            "secrets": "/dashboard/secrets",
            "webhook-secrets": "/dashboard/webhook-secrets",
            "keys": "/dashboard/keys",
            "identity-secrets": "/dashboard/identity-secrets",
            "audit": "/dashboard/audit",
            "receipts": "/dashboard/receipts",
            "receipt": f"/dashboard/receipts/{self.receipt}",
            "settings": "/dashboard/settings",
            "nothing": "/dashboard/nowhere",
        }


async def fill(office: Office, clock: Past) -> Scene:
    """Ada with a long past, others with a short one, and what an operator keeps."""
    await _keep(office)
    clock.back = timedelta(days=9)
    gone = await office.visit("gone", "Somebody Else")
    erased = await office.services.eraser.person("test", gone.person.id, "dashboard", Actor("operator", "op_1"))
    assert isinstance(erased, Erased)
    ada = await _ada(office, clock)
    clock.back = timedelta(hours=3)
    claimed = await office.visit("ada", browser="b3")
    await people.talk(office, claimed, company="Somebody Else Ltd")
    clock.back = timedelta(minutes=50)
    nobody = await office.visit(None)
    await people.talk(office, nobody, company="Difference & Co")
    for minutes, external_id, name in ((40, "grace", "Grace Hopper"), (25, "user_4711", None), (4, "alan", "Alan")):
        clock.back = timedelta(minutes=minutes)
        await people.talk(office, await office.visit(external_id, name))
    clock.back = timedelta(0)
    failed, delivered = await _deliveries(office, ada)
    return Scene(
        person=ada.person.id,
        resumed=ada.conversation_id,
        unproven=claimed.conversation_id,
        anonymous=nobody.conversation_id,
        failed=failed,
        delivered=delivered,
        receipt=erased.receipt.id,
        template=office.template_id,
    )


async def _ada(office: Office, clock: Past) -> Opened:
    ada = await people.verified(office, "ada", "Ada Lovelace")
    await people.talk(office, ada)
    known = {"email": "ada@analytical.example", "metadata": {"tier": "gold"}, "org_context": {"seats": 40}}
    await office.store.write("test", keeping.patch, ada.person.id, known)
    for days, browser, context in ((5, "b1", {}), (1, "b2", {"plan": "team", "seats": 40})):
        clock.back = timedelta(days=days)
        method: Any = "identity_token"
        again = await office.visit("ada", proof=Proof.verified, method=method, browser=browser, context=context)
        await office.record(
            again,
            *people.said(f"u{days}", "Welcome back, Ada. You were about to say what you would like to do first."),
            *people.heard(f"m{days}", "Weave the punched cards", "use_case", "weave the punched cards", "first_steps"),
        )
    return ada


async def _deliveries(office: Office, opened: Opened) -> tuple[str, str]:
    body = '{"goal_id":"your_team","data":{"company":"Analytical Engines","team_size":12},"external_id":"ada"}'
    made = Frozen(url=HOOK, headers={"Authorization": "Bearer {{secret:crm}}"}, body=body)
    now = office.clock.now()
    attempts = [
        Attempt(
            n=n,
            at=now - timedelta(minutes=12 - n),
            status_code=status,
            duration_ms=31 * n,
            error=error,
            response_excerpt=answer,
        )
        for n, (status, error, answer) in enumerate(
            [(None, "connect", None), (503, None, "try later"), (404, None, '{"error": "no such hook"}')], 1
        )
    ]
    failed = await people.owe(office, opened, made, status="failed", attempts=attempts)
    done = Attempt(n=1, at=now, status_code=200, duration_ms=31, error=None, response_excerpt="thank you")
    return failed, await people.owe(office, opened, made, status="delivered", attempts=[done])


async def _keep(office: Office) -> None:
    """What an operator keeps: keys, secrets, an address that is told."""
    ids, sealer = office.services.ids, office.services.sealer

    def work(tx: Writing) -> None:
        manage.create_embed_key(tx, office.template_id, ["app.analytical.example"], ids)
        for name in ("production server", "nightly export"):
            manage.create_api_key(tx, name, ids)
        old, _ = manage.create_webhook_secret(tx, "until spring", ids, sealer)
        manage.create_webhook_secret(tx, "from spring on", ids, sealer)
        manage.revoke_webhook_secret(tx, old.id)
        identify.create_secret(tx, "login service", "HS256", None, ids, sealer)
        secrets.create(tx, "crm", "hunter2-and-more", "The token of the CRM", ids, sealer)
        secrets.create(tx, "slack-hook", "hunter3-and-more", "", ids, sealer)
        lifecycle.create(tx, "https://ops.analytical.example/roxels", EVENTS[2:], ids)

    await office.store.write("test", work)
    await office.make_template(TEMPLATE | {"name": "Yearly review"})
