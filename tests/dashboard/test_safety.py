"""All text is text: whatever people, pages, servers and receivers write, no page gets an element or attribute of it."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from roxels.actions import jobs, manage
from roxels.actions import people as keeping
from roxels.domain.events import AgentSaid, AgentStarted, FieldCaptured, PersonSaid, SessionJoined
from roxels.domain.rendering import Frozen
from roxels.storage import identities, lifecycle, secrets, templates
from roxels.storage.audit import Actor
from roxels.storage.deliveries import Attempt
from roxels.storage.identities import IdentitySecret
from roxels.storage.lifecycle import Hook
from roxels.storage.secrets import Secret
from roxels.storage.transaction import Writing
from roxels.testing import CountedIds
from tests.dashboard import people, stage
from tests.dashboard.markup import Markup
from tests.dashboard.office import TEMPLATE, Office, csrf, sign_in
from tests.dashboard.stage import Past

CORPUS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</pre></p></li></ol></main><iframe src=javascript:alert(1)></iframe>",
    "javascript:alert(1)",
    "{{ 1234567 * 3 }}{% raw %}${1234567*3}<%= 1234567*3 %>",
    "<!-- --><![CDATA[<b>]]>&lt;b&gt;&amp;",
    '" autofocus onfocus=alert(1) x="',
    "</title></style></textarea><base href=//evil.example>",
    "\u2028\u2029</script><meta http-equiv=refresh content=0;url=//evil.example>",
]
PLAIN = "plain words"


def template_of(text: str) -> dict[str, Any]:
    """A template whose every text is this one."""
    return TEMPLATE | {
        "name": text,
        "goals": [
            {
                "id": f"goal {text}",
                "label": text,
                "schema": {"type": "object", "properties": {text: {"type": "string", "description": text}}},
                "outputs": [{"type": "webhook", "config": {"url": "https://example.com/hook"}}],
            }
        ],
    }


async def addresses_with(office: Office, text: str) -> list[str]:
    """Every page about somebody who, and whose every word, value and answer, is this text."""
    office.template_id = await office.store.write("test", templates.create, template_of(text), office.ids)
    key = await office.make_key()
    assert key
    opened = await office.visit(text, text, context={text: text})
    who = opened.session_id
    await office.record(
        opened,
        SessionJoined(),
        *people.said(f"utt_{text}", text, interrupted=True),
        PersonSaid(id=f"m{text}", text=text),
        FieldCaptured(goal_id=f"goal {text}", field=text, value=text, said_id=f"m{text}", quote=text),
        FieldCaptured(goal_id=f"goal {text}", field=f"list {text}", value=[text, {text: text}]),
        AgentStarted(utterance_id=f"utt_2{text}", plan=text),
    )
    await office.show(opened, f"utt_2{text}", 0, text)
    await people.talk(office, await office.visit(text, resume=False), company=text)
    values = {"email": text, "phone": text, "metadata": {text: text}, "org_context": {text: [text]}}
    await office.store.write("test", keeping.patch, opened.person.id, values)
    made = Frozen(url=f"https://example.com/{text}", headers={text: text}, body=text, unknown=(text,))
    tried = Attempt(n=1, at=office.clock.now(), status_code=500, duration_ms=1, error=text, response_excerpt=text)
    delivery_id = await people.owe(office, opened, made, status="failed", attempts=[tried])
    await office.store.write("test", manage.create_api_key, text[:200], office.ids)
    await office.store.write("test", manage.create_webhook_secret, text[:200], office.ids, office.services.sealer)
    await office.store.write("test", _identity_secret, text, office)
    await office.store.write("test", _output_secret, text, office)
    await office.store.write("test", _told, text, office)
    actor = Actor("key", text)
    await office.store.write("test", office.services.audit.note, actor, "key.created", ("person", text), id=text)
    job = await office.store.write("test", jobs.begin_export, opened.person.id, office.ids)
    person, conversation = f"/dashboard/people/{opened.person.id}", f"/dashboard/conversations/{opened.conversation_id}"
    assert who
    return [
        "/dashboard/",
        "/dashboard/embed",
        person,
        f"{person}/erase",
        f"/dashboard/exports/{job.id}",
        conversation,
        f"{conversation}/events",
        f"{conversation}/erase",
        "/dashboard/deliveries",
        f"/dashboard/deliveries/{delivery_id}",
        "/dashboard/keys",
        "/dashboard/webhook-secrets",
        "/dashboard/identity-secrets",
        "/dashboard/secrets",
        "/dashboard/settings",
        "/dashboard/audit",
    ]


def _identity_secret(tx: Writing, text: str, office: Office) -> None:
    """A way to sign of which everything is this text, the public key too."""
    secret = IdentitySecret(
        id=office.ids.new("idk"),
        environment="test",
        name=text,
        alg="EdDSA",
        sealed=None,
        public_key=text,
        created_at=tx.now,
    )
    identities.create(tx, secret)


def _told(tx: Writing, text: str, office: Office) -> None:
    """An address that is told what happens, and is this text."""
    hook = Hook(
        id=office.ids.new("lwh"),
        environment="test",
        url=text,
        events=("person.erased",),
        created_at=tx.now,
        updated_at=tx.now,
    )
    lifecycle.create(tx, hook)


def _output_secret(tx: Writing, text: str, office: Office) -> None:
    """A secret of which name and description are this text."""
    id = office.ids.new("sec")
    secret = Secret(id=id, environment="test", name=text, description=text, created_at=tx.now, updated_at=tx.now)
    secrets.create(tx, secret, "sealed")


@pytest.mark.parametrize("text", CORPUS)
async def test_no_page_takes_a_text_for_markup(office: Office, operator: httpx2.AsyncClient, text: str) -> None:
    for plain, hostile in zip(await addresses_with(office, PLAIN), await addresses_with(office, text), strict=True):
        innocent, page = Markup((await operator.get(plain)).text), Markup((await operator.get(hostile)).text)
        assert page.parts <= innocent.parts, hostile
        assert all(link.startswith(("/dashboard/", "/docs", "#", "?")) for link in page.links), hostile
        written = json.dumps(text, ensure_ascii=False)[1:-1] if hostile.endswith("/events") else text
        assert " ".join(written.split()) in page.text, hostile
        assert "3703701" not in page.text, hostile


@pytest.mark.parametrize("text", CORPUS)
async def test_nothing_that_is_sent_comes_back_as_markup(
    office: Office, operator: httpx2.AsyncClient, stranger: httpx2.AsyncClient, text: str
) -> None:
    innocent = Markup((await operator.get("/dashboard/?q=plain")).text).parts
    assert Markup((await operator.get("/dashboard/", params={"q": text})).text).parts <= innocent
    login = Markup((await sign_in(stranger, "wrong", PLAIN)).text).parts
    assert Markup((await sign_in(stranger, "wrong", text)).text).parts <= login
    assert Markup((await stranger.get("/dashboard/login", params={"next": text})).text).parts <= login
    token = csrf(await operator.get("/dashboard/embed"))
    form = {"csrf": token, "template_id": office.template_id, "allowed_domains": "https://example.com/path"}
    embed = Markup((await operator.post("/dashboard/embed", data=form)).text).parts
    refused = await operator.post("/dashboard/embed", data=form | {"allowed_domains": text})
    assert refused.status_code == 400
    assert Markup(refused.text).parts <= embed
    for place in ("keys", "webhook-secrets"):
        plain = Markup((await operator.post(f"/dashboard/{place}", data={"csrf": token, "name": "x"})).text).parts
        made = await operator.post(f"/dashboard/{place}", data={"csrf": token, "name": text[:200]})
        assert (made.status_code, Markup(made.text).parts <= plain) == (201, True)
    talk = f"/dashboard/conversations/{(await office.visit(None)).conversation_id}"
    plain = Markup((await operator.post(f"{talk}/adopt", data={"csrf": token, "whose": "x"})).text).parts
    refused = await operator.post(f"{talk}/adopt", data={"csrf": token, "whose": text})
    assert (refused.status_code, Markup(refused.text).parts <= plain) == (400, True)
    for address in ("audit", "receipts"):
        innocent = Markup((await operator.get(f"/dashboard/{address}?about=x&actor=x")).text).parts
        given = {"about": text, "actor": text, "action": text}
        assert Markup((await operator.get(f"/dashboard/{address}", params=given)).text).parts <= innocent
    for address in ("people", "conversations", "receipts", "deliveries"):
        missing = await operator.get(f"/dashboard/{address}/{text.replace('/', '')}")
        assert missing.status_code == 404
        assert "alert" not in missing.text


async def test_an_answer_that_was_said_is_text_too(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    text = "".join(CORPUS)
    await office.record(
        opened, SessionJoined(), AgentStarted(utterance_id="u", plan=text), AgentSaid(utterance_id="u", text=text)
    )
    page = await operator.get(f"/dashboard/conversations/{opened.conversation_id}")
    assert " ".join(text.split()) in Markup(page.text).text


async def test_no_page_shows_a_secret(office: Office, operator: httpx2.AsyncClient) -> None:
    opened = await office.visit()
    await people.talk(office, opened)
    token = operator.cookies["roxels_operator"]
    known = await office.store.read_across(lambda view: view.now)
    assert known
    for address in (
        "/dashboard/",
        "/dashboard/embed",
        f"/dashboard/people/{opened.person.id}",
        f"/dashboard/conversations/{opened.conversation_id}",
        f"/dashboard/conversations/{opened.conversation_id}/json",
        f"/dashboard/conversations/{opened.conversation_id}/events",
    ):
        text = (await operator.get(address)).text
        assert token not in text
        assert str(opened.token) not in text
        assert "argon2" not in text


async def test_no_page_of_all_shows_a_value_that_opens_something(tmp_path: Path) -> None:
    clock = Past()
    office = Office(tmp_path, clock, CountedIds())
    await office.open()
    scene = await stage.fill(office, clock)
    async with office.client() as client:
        await sign_in(client)
        for name, address in scene.addresses().items():
            text = (await client.get(address)).text
            assert not re.findall(
                r"\b(?:sk_test|sk_live|st|ops|join|is_test|whsec)_\w*secret\w*|whsec_|argon2|hunter\d", text
            ), name
            assert client.cookies["roxels_operator"] not in text, name
    await office.close()
