"""Writes the pages of `docs/` that are a list of something in the code.

`make docs` runs it, and a house test holds the pages to it. A page is a function from the code to text. To add one,
write the function and name it in PAGES.
"""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Literal, get_args, get_origin

from pydantic_core import PydanticUndefined

import roxels
from roxels.domain.errors import RoxelsError
from roxels.settings import CONFIG_VARIABLE, Settings, variable

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
    "docs/errors.md": errors_page,
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
