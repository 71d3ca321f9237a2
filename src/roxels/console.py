"""What every command needs: its options, its settings, and one way to fail: exit code 2 and one sentence."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from roxels import logs, settings
from roxels.domain.texts import can_be_kept
from roxels.storage.transaction import Environment

Data = Annotated[Path | None, typer.Option(help="The data folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one line of JSON.")]


def read(**given: Any) -> settings.Settings:
    """The settings, with what the command line gave over them. Ends the program where they cannot be used."""
    try:
        read = settings.read(**{name: value for name, value in given.items() if value is not None})
    except settings.BadSettings as fault:
        fail(str(fault))
    logs.install(read.log_level, read.log_format)
    return read


def environment_of(name: str) -> Environment:
    """The environment that `--environment` names. Ends the program where there is none of that name."""
    if name not in ("test", "live"):
        fail("--environment must be test or live.")
    return "live" if name == "live" else "test"


def check(option: str, *given: str | None) -> None:
    """Whether what this option names can be in a database: arguments may be any bytes. Else it ends the program."""
    for each in given:
        if each is not None and not can_be_kept(each):
            fail(f"{option} is no UTF-8. Write it in a terminal that is set to UTF-8.")


def fail(sentence: str, code: int = 2) -> NoReturn:
    """End the program with a sentence that says what to do."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)
