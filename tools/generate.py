"""Writes the pages of `docs/` that are a list of something in the code.

`make docs` runs it, and a house test holds the pages to it. A page is a function from the code to text. To add one,
write the function and name it in PAGES.
"""

import importlib
import json
import pkgutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import msgspec
import typer
from pydantic_core import PydanticUndefined

import roxels
from roxels import cli
from roxels.actions.audit import ACTIONS
from roxels.api.app import document
from roxels.domain.errors import RoxelsError
from roxels.domain.events import AnyEvent
from roxels.settings import CONFIG_VARIABLE, Settings, variable
from roxels.storage import roads
from roxels.storage.schema import PERSON
from roxels.wire import protocol

ROOT = Path(__file__).resolve().parent.parent
#: Alembic runs these; they are no modules to import.
MIGRATIONS = "roxels.storage.migrations."
NOTICE = "<!-- Written by `make docs` from the code. Change it there. -->\n"


def settings_page() -> str:
    """Every setting: its variable, what it is by itself, what it is for."""
    rows = [
        (f"`{variable(name)}`", _kind(field.annotation), _value(field.default), _line(field.description))
        for name, field in Settings.model_fields.items()
    ]
    return f"""{NOTICE}
# Settings

Set them as environment variables, or in a TOML file that `{CONFIG_VARIABLE}` names; there they are called as here
without `ROXELS_`, in small letters (`port = 8123`). The environment wins over the file, and an option of the command
line over both. A setting that cannot be used stops the start with a sentence that names it.

{table(("variable", "kind", "by itself", "what it is for"), rows)}"""


def errors_page() -> str:
    """Every error that a caller can be told of: its code, status and sentence."""
    rows = [(f"`{e.code}`", str(e.status), _line(e.__doc__)) for e in error_classes()]
    return f"""{NOTICE}
# Errors

Every refusal is one object: `{{"error": {{"code", "message", "field"?}}}}`. `code` is one of these and stays as it is;
`message` is for people and may become clearer; `field` is the path of what was wrong in what you sent, e.g.
`persons[0].external_id`.

{table(("code", "status", "what it says, unless it can say something more exact"), rows)}"""


def cli_page() -> str:
    """Every command: what it does, an example, its options."""
    whole = typer.main.get_command(cli.app)
    sections = "\n".join(_command(name, command) for name, command in _commands(whole, "roxels"))
    return f"""{NOTICE}
# The command line

`make setup` installs it as `.venv/bin/roxels`. Every setting of [settings](settings.md) can also be given as an
environment variable; an option of the command line wins over both.

{sections}"""


def _commands(command: Any, path: str) -> Iterable[tuple[str, Any]]:
    for name, child in getattr(command, "commands", {}).items():
        if hasattr(child, "commands"):
            yield from _commands(child, f"{path} {name}")
        else:
            yield f"{path} {name}", child


def _command(name: str, command: Any) -> str:
    about, _, example = (command.help or "").partition("Example:")
    rows = [
        (", ".join(f"`{flag}`" for flag in option.opts), _line(option.help))
        for option in command.params
        if option.name != "help"
    ]
    shown = f"\n```bash\n{_line(example)}\n```\n" if example.strip() else ""
    options = f"\n{table(('option', 'what it is for'), rows)}" if rows else ""
    return f"## {name}\n\n{_line(about)}\n{shown}{options}"


def privacy_page() -> str:
    """What is kept of a person, and how it goes: the table is the one that erasing and exporting go by."""
    return f"""{NOTICE}
# Privacy

What Roxels keeps of a person, how it is handed over, and how it goes. The table is not a description of the code: it
*is* what erasing and exporting go by. Every column of the database says whether it can hold something of a person,
and one that says nothing cannot be written down.

## What is kept

{table(("table", "what can be of a person", "goes with a conversation"), _kept())}
Every row that leads to a person, along these tables, is removed when she is erased and stands in her export. A table
that can hold something of a person and leads to nobody fails a test.

Not in the table, because it empties itself: `erasures` and `job_items` name whom they are about only until her rows
are gone. Not in it, because it says nothing of anybody: receipts, the audit log and the erase list hold salted
hashes, numbers and words of ours.

## Forgetting

| you want | you call |
| --- | --- |
| a conversation gone | `DELETE /v1/interviews/{{id}}` |
| a person gone | `DELETE /v1/persons/{{id}}`, or `DELETE /v1/persons?external_id=…` |
| up to 1,000 gone | `POST /v1/persons/erase`, `POST /v1/interviews/erase`: a job, `GET /v1/jobs/{{id}}` |
| the same on the server itself | `roxels erase` |

1. In one transaction everything is out of reach: the conversations answer as if they were not there, the visits have
   ended, whoever listens is told and let go, nothing can be written any more, nothing is delivered.
2. The rows go, at most 500 a transaction, so that others are not held up.
3. A line on the erase list, and the files of exports go.
4. The database file is written anew and the write-ahead log is emptied. A test searches the raw files for what was
   planted in every column.
5. The receipt.

A crash at any point delays it; the next start goes on. A repeat within 24 hours is answered with the same receipt.
Whoever comes with the same `external_id` afterwards is a stranger: a new person, no history, no memory.

What reached your own systems by webhook is yours to delete.

## Receipts

A receipt counts the rows by table. It names its subject only as an HMAC under a salt that stays on your server:
whoever has the id and the salt can tell (`GET /v1/receipts?about=<id>`), nobody else. It is signed (Ed25519) and
names the receipt before it by its hash, so none can be altered, removed or put in unnoticed.

```bash
roxels receipt list --environment live > receipts.jsonl
roxels receipt verify receipts.jsonl --keys keys.json
```

`keys.json` is the answer of `GET /v1/receipts/key`, which needs no key. The check works offline. It names the first
wrong byte, or the link that is broken. Keep the `Head` that it tells: with `--head`, the next check also notices when
the newest are missing.

## Handing over

`POST /v1/persons/{{id}}/export` (or `roxels export`) makes one zip: `index.html` to read, `data/<table>.json` with
every row that leads to her, `manifest.json` with the SHA-256 of each file. It can be fetched for 24 hours. It lies in
`exports/` of the data folder, and goes at once when the person, or any conversation in it, is erased. Only a secret
key can ask for it.

## Keeping for a time

By itself everything is kept. `PUT /v1/retention` sets days for conversations, settled deliveries and the audit log,
per environment; `POST /v1/retention/preview` says beforehand what would go. It is applied once an hour. A
conversation that is too old goes like any other erasure, with a receipt.

## Backups

`roxels backup` copies the database while it is in use. A backup holds whoever was there when it was made; so beside
the database lies the erase list, `erased.jsonl`. `roxels restore` puts a backup back and erases from it again
whatever is on the list, before anybody is served; a database that was put back by hand is cleaned in the same way at
its next start. Without its list, with an older one or with another's, the server does not start.

Keep `erased.jsonl` and the key files apart from the backups, and always in their newest form.

## Audit log

`GET /v1/audit` lists, `GET /v1/audit/export` hands over all of it as JSON lines. Noted are:

{table(("action", "what happened"), [(f"`{name}`", text) for name, text in ACTIONS.items()])}"""


def _kept() -> Iterable[tuple[str, str, str]]:
    with_conversation = roads.tables("interview")
    for each in roads.tables("person"):
        about = ", ".join(f"`{column.name}`" for column in each.columns if column.info["about"] == PERSON)
        yield f"`{each.name}`", about, "yes" if each in with_conversation else "no"


def protocol_page() -> str:
    """The wire: every frame, both ways, and every event that a participant may see."""
    return f"""{NOTICE}
# The wire

A conversation is joined and followed over one connection: a WebSocket at `/v1/wire`, or its HTTP twin, server-sent
events at `GET /v1/wire?after=N&rendered=<utterance_id>:<chars>` with `POST /v1/wire/{{say|correct|heard|bye}}` and the
session's token as bearer. Both carry the same frames, version {protocol.VERSION}: one JSON object each, its name under
`frame`. In the event stream each frame is one `data:` line; facts carry `id: <seq>`, and `Last-Event-ID` counts as
`after`.

Joining is always the same: `hello` with the last `seq` you know (0 at first) and how much of an answer you show; then
comes `welcome`, everything after that place, and whatever happens from there on. Your view is a fold: facts in their
order, and the pieces of one utterance joined by `from` (code points). Whatever reaches you is kept already; whatever
you miss comes again. Send `say` again under the same `id` until it is acknowledged: it is said once.

New fields, frames and event types may be added within a version: ignore what you do not know.

## Client to server

{_frames(get_args(protocol.ClientFrame))}
## Server to client

{_frames(get_args(protocol.ServerFrame))}
## Events

The facts of a conversation; in an `event` frame their fields stand beside `seq`, `type` and `at`. What is marked
*not sent* stays on the server (the REST API's `/v1/interviews/{{id}}/events` shows those too, and all fields).

{_events()}
## Close codes

| code | means | come back |
| --- | --- | --- |
| 1000 | the visit is over | no |
| 1012 | the server restarts | yes |
| {protocol.UNAUTHORIZED} | the token opens nothing | not with this token |
| {protocol.SUPERSEDED} | another process speaks for the conversation now | at once |
| {protocol.DRAINING} | the server is stopping | at once |
"""


def _frames(kinds: tuple[type[msgspec.Struct], ...]) -> str:
    rows = [(f"`{kind.__struct_config__.tag}`", _fields(kind), _line(kind.__doc__)) for kind in kinds]
    return table(("frame", "fields", "what it says"), rows)


def _events() -> str:
    kinds: tuple[type[msgspec.Struct], ...] = get_args(AnyEvent)
    return table(
        ("type", "fields", "what happened"),
        [(f"`{kind.__struct_config__.tag}`", _sent(kind), _line(kind.__doc__)) for kind in kinds],
    )


def _sent(kind: type[msgspec.Struct]) -> str:
    names = protocol.VISIBLE.get(kind.__name__)
    if names is None:
        return "*not sent*"
    return ", ".join(f"`{name}`" for name in names) or "none"


def _fields(kind: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(kind)
    return ", ".join(f"`{field.encode_name}`" for field in fields) or "none"


def openapi_page() -> str:
    """The description of the REST API, as it is served."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def modules() -> list[ModuleType]:
    """Every module of the product, imported."""
    names = [module.name for module in pkgutil.walk_packages(roxels.__path__, "roxels.")]
    return [importlib.import_module(name) for name in names if not name.startswith(MIGRATIONS)]


def error_classes(of: type[RoxelsError] = RoxelsError) -> list[type[RoxelsError]]:
    """Every kind of error that a caller can be told of, in the order in which they stand in the code."""
    modules()
    return [kind for child in of.__subclasses__() for kind in (child, *error_classes(child))]


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _kind(annotation: object) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    names = {bool: "on or off", int: "whole number", float: "number", Path: "folder"}
    return next((name for kind, name in names.items() if annotation is kind), "text")


def _value(default: object) -> str:
    if default is None or default is PydanticUndefined:
        return "not set"
    if isinstance(default, bool):
        return "`on`" if default else "`off`"
    return f"`{default}`"


PAGES: dict[str, Callable[[], str]] = {
    "docs/cli.md": cli_page,
    "docs/errors.md": errors_page,
    "docs/openapi.json": openapi_page,
    "docs/privacy.md": privacy_page,
    "docs/protocol.md": protocol_page,
    "docs/settings.md": settings_page,
}


def main() -> int:
    """Write every page that is not as the code says, and name it."""
    for name, page in PAGES.items():
        path, text = ROOT / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
