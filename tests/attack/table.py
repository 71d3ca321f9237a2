"""What every address and every frame takes, and how it is asked.

`test_credentials` compares this with the API's own description, with the frames of the protocol and with the routes of
the running server: whatever is added without a row here fails.
"""

import json
from typing import Any

import msgspec

from tests.attack.credentials import Takes, Things, like


class Row(msgspec.Struct, frozen=True):
    """What an address takes, and how it is asked: `{names}` stand for the ids of `Things`."""

    takes: Takes
    body: dict[str, Any] | None = None
    query: dict[str, str] = {}
    #: Which of the things a name in the address stands for, where names of addresses are the same.
    names: dict[str, str] = {}


PERSON = {"external_id": "{external_id}"}
EMBED_KEY, WEBHOOK_SECRET = {"key_id": "embed_key_id"}, {"secret_id": "webhook_secret_id"}
HOOK = {"url": "https://example.com/ops"}
DESIGN = {"name": "x", "goals": [{"id": "g"}]}

TABLE: dict[str, Row] = {
    "POST /v1/interviews": Row("secret", {"template_id": "{template_id}"}),
    "GET /v1/interviews": Row("secret", query={"person_id": "{person_id}", "template_id": "{template_id}"}),
    "POST /v1/interviews/erase": Row("secret", {"ids": ["{interview_id}"]}),
    "GET /v1/interviews/{interview_id}": Row("secret"),
    "DELETE /v1/interviews/{interview_id}": Row("secret"),
    "GET /v1/interviews/{interview_id}/events": Row("secret"),
    "POST /v1/interviews/{interview_id}/sessions": Row("secret", {}),
    "POST /v1/interviews/{interview_id}/end": Row("secret", {}),
    "POST /v1/interviews/{interview_id}/adopt": Row("secret", {"person_id": "{person_id}"}),
    "DELETE /v1/interviews/{interview_id}/adopt": Row("secret"),
    "POST /v1/persons": Row("secret", {"external_id": "eve"}),
    "GET /v1/persons": Row("secret", query=PERSON),
    "DELETE /v1/persons": Row("secret", query=PERSON),
    "POST /v1/persons/erase": Row("secret", {"ids": ["{person_id}"], "external_ids": ["{external_id}"]}),
    "GET /v1/persons/{person_id}": Row("secret"),
    "PATCH /v1/persons/{person_id}": Row("secret", {"name": "Eve"}),
    "DELETE /v1/persons/{person_id}": Row("secret"),
    "POST /v1/persons/{person_id}/export": Row("secret", {}),
    "GET /v1/persons/{person_id}/conversations": Row("secret"),
    "GET /v1/persons/{person_id}/memory": Row("secret"),
    "DELETE /v1/persons/{person_id}/memory/{line_id}": Row("secret"),
    "GET /v1/persons/{person_id}/devices": Row("secret"),
    "DELETE /v1/persons/{person_id}/devices/{device_id}": Row("secret"),
    "GET /v1/jobs/{job_id}": Row("secret"),
    "GET /v1/jobs/{job_id}/file": Row("secret"),
    "GET /v1/audit": Row("secret", query={"about": "{person_id}"}),
    "GET /v1/audit/export": Row("secret", query={"about": "{person_id}"}),
    "GET /v1/retention": Row("secret"),
    "PUT /v1/retention": Row("secret", {}),
    "POST /v1/retention/preview": Row("secret", {}),
    "GET /v1/receipts": Row("secret", query={"about": "{person_id}"}),
    "GET /v1/receipts/key": Row("anyone"),
    "GET /v1/receipts/{receipt_id}": Row("secret"),
    "POST /v1/templates": Row("secret", DESIGN),
    "GET /v1/templates": Row("secret"),
    "GET /v1/templates/{template_id}": Row("secret"),
    "PATCH /v1/templates/{template_id}": Row("secret", {"name": "Eve's"}),
    "GET /v1/templates/{template_id}/versions": Row("secret"),
    "GET /v1/templates/{template_id}/versions/{number}": Row("secret"),
    "POST /v1/templates/{template_id}/versions/{number}/publish": Row("secret", {}),
    "POST /v1/templates/{template_id}/preview-output": Row("secret", {"goal_id": "account"}),
    # No output stands there: nothing is sent, and the refusal says that the template was found.
    "POST /v1/templates/{template_id}/test-output": Row("secret", {"goal_id": "wishes"}),
    "POST /v1/embed/keys/{template_id}": Row("secret", {"allowed_domains": ["app.example.com"]}),
    "GET /v1/embed/keys/{template_id}": Row("secret"),
    "DELETE /v1/embed/keys/{key_id}": Row("secret", names=EMBED_KEY),
    "POST /v1/embed/sessions": Row("embed", {"external_id": "{external_id}"}),
    "POST /v1/embed/sessions/exchange": Row("anyone", {"session_id": "{session_id}"}),
    "POST /v1/embed/sessions/identify": Row("session", {"external_id": "{external_id}"}),
    "POST /v1/embed/sessions/reset": Row("anyone", {}),
    "GET /v1/embed/launcher": Row("anyone", query={"key": "rk_test_nope"}),
    "GET /v1/deliveries": Row("secret", query={"interview_id": "{interview_id}"}),
    "GET /v1/deliveries/{delivery_id}": Row("secret"),
    "POST /v1/deliveries/send": Row("secret", {"destination": "https://example.com"}),
    "POST /v1/deliveries/{delivery_id}/send": Row("secret", {}),
    "POST /v1/lifecycle-webhooks": Row("secret", HOOK),
    "GET /v1/lifecycle-webhooks": Row("secret"),
    "GET /v1/lifecycle-webhooks/{webhook_id}": Row("secret"),
    "PATCH /v1/lifecycle-webhooks/{webhook_id}": Row("secret", HOOK),
    "DELETE /v1/lifecycle-webhooks/{webhook_id}": Row("secret"),
    "POST /v1/keys": Row("secret", {"name": "eve"}),
    "GET /v1/keys": Row("secret"),
    "DELETE /v1/keys/{key_id}": Row("secret"),
    "POST /v1/webhook-secrets": Row("secret", {"name": "eve"}),
    "GET /v1/webhook-secrets": Row("secret"),
    "DELETE /v1/webhook-secrets/{secret_id}": Row("secret", names=WEBHOOK_SECRET),
    "POST /v1/identity-secrets": Row("secret", {"name": "eve"}),
    "GET /v1/identity-secrets": Row("secret"),
    "DELETE /v1/identity-secrets/{secret_id}": Row("secret", names={"secret_id": "identity_secret_id"}),
    "POST /v1/secrets": Row("secret", {"name": "eve", "value": "x"}),
    "GET /v1/secrets": Row("secret"),
    "GET /v1/secrets/{secret_id}": Row("secret"),
    "PATCH /v1/secrets/{secret_id}": Row("secret", {"description": "Eve's"}),
    "DELETE /v1/secrets/{secret_id}": Row("secret"),
    "PUT /v1/secrets/{secret_id}/value": Row("secret", {"value": "x"}),
    "GET /v1/installation": Row("secret"),
    "GET /healthz": Row("anyone"),
    "GET /readyz": Row("anyone"),
    "GET /metrics": Row("anyone"),
    # What the description leaves to other pages: the wire, and what browsers load.
    "GET /v1/wire": Row("session"),
    "POST /v1/wire/{name}": Row("session", names={"name": "name"}),
    "GET /openapi.json": Row("anyone"),
    "GET /docs": Row("anyone"),
    "GET /docs/reference.css": Row("anyone"),
    "GET /embed.js": Row("anyone"),
    "GET /embed/frame": Row("anyone"),
    "GET /join/i/{interview_id}": Row("anyone"),
    "GET /embed/static/{version}/{name:path}": Row("anyone"),
    "GET /dashboard/static/{version}/{name:path}": Row("anyone"),
    "GET /dashboard/login": Row("anyone"),
    "POST /dashboard/login": Row("anyone", {}),
    "GET /dashboard/welcome": Row("anyone"),
    "POST /dashboard/welcome": Row("anyone", {}),
    "GET /dashboard": Row("anyone"),
}

#: The fields of each frame that a participant may send; `hello` carries the credential.
FRAMES: dict[str, dict[str, Any]] = {
    "hello": {"v": 1, "after": 0},
    "say": {"id": "m-eve", "text": "Hello?"},
    "correct": {"goal_id": "account", "field": "pin", "value": "0000"},
    "heard": {"utterance_id": "utt_1", "chars": 3},
    "bye": {},
}

#: What stands in addresses, bodies and queries for a thing, and the prefix of its id.
NAMES = {
    "person_id": "person", "external_id": "user", "interview_id": "iv", "line_id": "iv", "device_id": "dev",
    "delivery_id": "del", "template_id": "tpl", "key_id": "key", "embed_key_id": "ek", "job_id": "job",
    "receipt_id": "rcpt", "webhook_id": "lwh", "secret_id": "sec", "webhook_secret_id": "whk",
    "identity_secret_id": "idk", "session_id": "sess",
}  # fmt: skip


def filled(value: Any, ids: dict[str, str]) -> Any:
    """The value with the ids in their places."""
    if isinstance(value, dict):
        return {key: filled(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    return ids.get(value[1:-1], value) if isinstance(value, str) else value


def ids_of(things: Things) -> dict[str, str]:
    """What the names stand for."""
    more = {"external_id": things.external_id, "session_id": things.session_id, "name": "say", "version": "v"}
    return {**things.ids, **more}


def missing() -> dict[str, str]:
    """Ids of the right form that name nothing."""
    made_up = {name: like(f"{kind}_{'0' * 32}") for name, kind in NAMES.items()}
    return {**made_up, "number": "1", "name": "say", "version": "v"}


def names_things(line: str, row: Row) -> bool:
    """Whether this asks about something in particular."""
    return any(f"{{{name}" in line + json.dumps([row.body, row.query]) for name in NAMES)
