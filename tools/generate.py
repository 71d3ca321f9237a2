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
from jinja2 import Environment, StrictUndefined
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
    return _rendered(
        "privacy.md",
        kept=table(("table", "what can be of a person", "goes with a conversation"), _kept()),
        actions=table(("action", "what happened"), [(f"`{name}`", text) for name, text in ACTIONS.items()]),
    )


def _kept() -> Iterable[tuple[str, str, str]]:
    with_conversation = roads.tables("interview")
    for each in roads.tables("person"):
        about = ", ".join(f"`{column.name}`" for column in each.columns if column.info["about"] == PERSON)
        yield f"`{each.name}`", about, "yes" if each in with_conversation else "no"


def protocol_page() -> str:
    """The wire: every frame, both ways, and every event that a participant may see."""
    return _rendered(
        "protocol.md",
        version=protocol.VERSION,
        client=_frames(get_args(protocol.ClientFrame)),
        server=_frames(get_args(protocol.ServerFrame)),
        events=_events(),
        refused=protocol.REFUSED,
        too_large=protocol.TOO_LARGE,
        unauthorized=protocol.UNAUTHORIZED,
        superseded=protocol.SUPERSEDED,
        draining=protocol.DRAINING,
    )


def _rendered(name: str, **values: object) -> str:
    """A page whose prose stands beside this program, with its lists filled in."""
    prose = (ROOT / "tools" / "pages" / f"{name}.j2").read_text(encoding="utf-8")
    return (
        Environment(keep_trailing_newline=True, undefined=StrictUndefined)
        .from_string(prose)
        .render(notice=NOTICE, **values)
    )


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
