"""The page for whoever puts a conversation into a web page: embed keys by template, and what to paste."""

from collections.abc import Sequence

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from roxels.actions import manage
from roxels.dashboard.desk import Desk
from roxels.dashboard.gate import text_of
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import Conflict, Invalid, NotFound
from roxels.storage import keys, templates
from roxels.storage.keys import EmbedKey
from roxels.storage.pages import Span
from roxels.storage.transaction import Reading, Writing

#: Templates, and keys of each, that stand on the page.
AT_MOST = 100


class Snippets(msgspec.Struct, frozen=True, kw_only=True):
    """What to paste, with a key that holds."""

    script: str
    manual: str
    server: str
    python: str
    node: str
    page: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A template with its keys, newest first; snippets where one of them holds."""

    id: str
    name: str
    keys: Sequence[EmbedKey]
    snippets: Snippets | None


class Embeds:
    """The page about embed keys."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, viewer: Viewer, _request: Request) -> Response:
        """The keys of every template, and snippets."""
        return await self._page(viewer)

    async def create(self, viewer: Viewer, _request: Request, form: FormData) -> Response:
        """Make a key."""
        template_id = text_of(form, "template_id")
        domains = text_of(form, "domains").replace(",", " ").split()
        services = self._desk.services
        try:
            await services.store.write(viewer.environment, self._create, viewer, template_id, domains)
        except (Conflict, Invalid, NotFound) as fault:
            return await self._page(
                viewer, status=fault.status, fault=fault.message, template_id=template_id, domains=" ".join(domains)
            )
        return RedirectResponse("/dashboard/embed", 303)

    async def revoke(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """Revoke a key, at once."""
        await self._desk.services.store.write(viewer.environment, self._revoke, viewer, request.path_params["key_id"])
        return RedirectResponse("/dashboard/embed", 303)

    def _create(self, tx: Writing, viewer: Viewer, template_id: str, domains: Sequence[str]) -> None:
        services = self._desk.services
        made = manage.create_embed_key(tx, template_id, domains, services.ids)
        services.audit.note(tx, viewer.actor, "embed_key.created", id=made.id)

    def _revoke(self, tx: Writing, viewer: Viewer, key_id: str) -> None:
        manage.revoke_embed_key(tx, key_id)
        self._desk.services.audit.note(tx, viewer.actor, "embed_key.revoked", id=key_id)

    async def _page(
        self, viewer: Viewer, *, status: int = 200, fault: str = "", template_id: str = "", domains: str = ""
    ) -> Response:
        services = self._desk.services
        return self._desk.pages.page(
            viewer,
            "embed.html",
            status=status,
            rows=await services.store.read(viewer.environment, _rows, services.origin),
            fault=fault,
            fault_template_id=template_id,
            fault_domains=domains,
        )


def snippets(origin: str, key: str, template_id: str) -> Snippets:
    """What to paste for this key."""
    source = f"{origin}/embed.js"
    return Snippets(
        script=f"""<script
  src="{source}"
  data-template-key="{key}"
  data-external-id="user_123"
></script>""",
        manual=f"""<script src="{source}"></script>
<script>
  Roxels.init({{ templateKey: "{key}" }});

  // when somebody signs in
  Roxels.setPerson({{ name: "Ada Lovelace", externalId: "user_123" }});

  // when they want to talk
  Roxels.start({{ display: "modal" }});

  // when they sign out
  Roxels.setPerson(null);
</script>""",
        server=f"""curl -s {origin}/v1/interviews \\
  -H "Authorization: Bearer $ROXELS_SECRET_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "template_id": "{template_id}",
    "persons": [{{"external_id": "user_123", "name": "Ada Lovelace"}}],
    "context": {{"plan": "team"}}
  }}'""",
        python=f"""import json
import os
import urllib.request


def open_visit(user_id: str, name: str) -> str:
    # For whom your own sign-in knows, never for an id that the browser sent.
    person = {{"external_id": user_id, "name": name}}
    body = {{"template_id": "{template_id}", "persons": [person], "context": {{"plan": "team"}}}}
    headers = {{
        "Authorization": f"Bearer {{os.environ['ROXELS_SECRET_KEY']}}",
        "Content-Type": "application/json",
    }}
    request = urllib.request.Request("{origin}/v1/interviews", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["session_id"]""",
        node=f"""// For whom your own sign-in knows, never for an id that the browser sent.
export async function openVisit(userId, name) {{
  const answer = await fetch("{origin}/v1/interviews", {{
    method: "POST",
    headers: {{
      Authorization: `Bearer ${{process.env.ROXELS_SECRET_KEY}}`,
      "Content-Type": "application/json",
    }},
    body: JSON.stringify({{
      template_id: "{template_id}",
      persons: [{{ external_id: userId, name }}],
      context: {{ plan: "team" }},
    }}),
  }});
  if (!answer.ok) throw new Error(`Roxels answered ${{answer.status}}`);
  return (await answer.json()).session_id;
}}""",
        page="""// sessionId: what your server got, for this one visit
Roxels.start({ sessionId, display: "modal" });""",
    )


def _rows(tx: Reading, origin: str) -> list[Row]:
    span = Span(limit=AT_MOST)
    rows = []
    for kept in templates.listed(tx, span).items:
        found = keys.embed_keys_of(tx, kept.id, span).items
        newest = next((key for key in found if key.revoked_at is None), None)
        paste = snippets(origin, newest.key, kept.id) if newest else None
        rows.append(Row(id=kept.id, name=kept.raw["name"], keys=found, snippets=paste))
    return rows
