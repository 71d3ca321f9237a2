"""The command line. Every command has an example in its help; what answers data takes `--json`."""

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
from typing import Annotated, Any

import aiohttp
import msgspec
import typer

from roxels import demo as demonstration
from roxels import doctor, keeping, moving, rotating, server, settings
from roxels.actions import manage, welcome
from roxels.ambient import RandomIds, SystemClock, chance
from roxels.console import AsJson, Data, check, environment_of, fail, read
from roxels.dashboard.gate import WELCOME
from roxels.domain.errors import Invalid
from roxels.server import House, Server
from roxels.storage import opening
from roxels.storage.audit import COMMAND
from roxels.storage.keys import ApiKey
from roxels.storage.transaction import Environment, Writing
from roxels.talk import CannotTalk, talk

logger = logging.getLogger(__name__)

app = typer.Typer(
    name="roxels",
    help="Conversations that know who they talk to and carry on exactly where they left off.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(no_args_is_help=True, help="Secret keys of an environment, and the key that seals secrets.")
app.add_typer(keys, name="key")
keeping.install(app)
moving.install(app)

Port = Annotated[int | None, typer.Option(help="The port to listen on; 0 takes a free one.")]


@app.command()
def demo(port: Port = None, data: Data = None, as_json: AsJson = False) -> None:
    """Run everything at once, with a demo page, a webhook receiver and keys.

    Example: roxels demo --port 8123 --data ./demo-data
    """
    given = read(port=port, data=data, allow_private_targets=True)
    _run(_demo(given, as_json=as_json))


@app.command()
def serve(
    port: Port = None,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    worker: Annotated[
        bool | None,
        typer.Option("--worker/--no-worker", help="Whether it also does what `roxels worker` does; by itself it does."),
    ] = None,
) -> None:
    """Run the server.

    Example: ROXELS_PUBLIC_URL=https://talk.example.com roxels serve --port 8000 --data /var/lib/roxels
    """
    _run(_serve(read(port=port, data=data, host=host, worker=worker)))


@app.command("worker")
def worker_command(data: Data = None) -> None:
    """Deliver webhooks, end what was abandoned and erase what is kept no longer, beside servers with `--no-worker`.

    Example: ROXELS_DATABASE_URL=postgresql://roxels@localhost/roxels roxels worker --data /var/lib/roxels
    """
    _run(_work(read(data=data, worker=True)))


@app.command()
def migrate(data: Data = None, as_json: AsJson = False) -> None:
    """Bring the database to the schema of this version. `serve` and `demo` do so by themselves.

    Example: ROXELS_DATABASE_URL=postgresql://roxels@localhost/roxels roxels migrate
    """
    given = read(data=data)
    database = server.database_of(given)
    try:
        before = opening.revision(database)
        opening.bring_up_to_date(database)
    except opening.Unusable as fault:
        fail(str(fault))
    line = {"database": database.readers.dialect.name, "before": before, "revision": database.revision()}
    database.close()
    told = f"The database ({line['database']}) stands at revision {line['revision']}."
    typer.echo(json.dumps(line) if as_json else told)


@app.command("doctor")
def doctor_command(data: Data = None, as_json: AsJson = False) -> None:
    """Say whether this installation is well, probe by probe; ends with 1 where something is at fault.

    Example: roxels doctor --data /var/lib/roxels
    """
    findings = doctor.examine(read(data=data), SystemClock().now())
    if as_json:
        typer.echo(json.dumps({"findings": [msgspec.to_builtins(each) for each in findings]}))
    else:
        for each in findings:
            typer.echo(f"{each.status:5}  {each.name:10}  {each.sentence}")
    if any(each.status == "fault" for each in findings):
        raise typer.Exit(1)


@app.command("talk")
def talk_command(
    external_id: Annotated[str | None, typer.Option(help="Who talks, as your system calls them.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call them.")] = None,
    url: Annotated[str | None, typer.Option(help="The server; by itself the one that the demo started.")] = None,
    key: Annotated[str | None, typer.Option(help="An embed key (rk_...); by itself the demo's.")] = None,
    data: Data = None,
    new: Annotated[bool, typer.Option("--new", help="Start over instead of going on.")] = False,
) -> None:
    """Talk in the terminal, over the same wire as the browser. Leave with Ctrl-C, come back, and it goes on.

    Example: roxels talk --external-id ada
    """
    memo = read(data=data).data / demonstration.MEMO
    known: dict[str, Any] = json.loads(memo.read_text(encoding="utf-8")) if memo.exists() else {}
    if not (url or known) or not (key or known):
        fail("No demo has run in this data folder: start one with `make run`, or name --url and --key.")
    with contextlib.suppress(KeyboardInterrupt):
        _run(
            talk(
                url or known["url"],
                key or known["embed_key"],
                external_id=external_id,
                name=name,
                resume=not new,
                ids=RandomIds(),
                chance=chance,
            )
        )
    typer.echo("\nCome back any time: the conversation goes on where you left it.")


@app.command()
def login(
    email: Annotated[str | None, typer.Option(help="Whose; by itself the only operator's, or the first one's.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show a code with which an operator chooses a password: a first visit, one more operator, or a forgotten password.

    Example: roxels login --email ops@example.com --data /var/lib/roxels
    """
    check("--email", email)
    made = _run(_code(read(data=data), email))
    told = f"Open {made['address']}\nand enter the code {made['code']}\nIt works once, for a quarter of an hour."
    typer.echo(json.dumps(made) if as_json else told)


keys.command("rotate")(rotating.rotate)


@keys.command("create")
def create_key(
    environment: Annotated[str, typer.Option(help="test or live")] = "test",
    name: Annotated[str, typer.Option(help="What it is for.")] = "command line",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a secret key, shown once.

    Example: roxels key create --environment live --data /var/lib/roxels --json
    """
    check("--name", name)
    made = _run(_create_key(read(data=data), environment_of(environment), name))
    typer.echo(json.dumps(made) if as_json else f"{made['value']}\nKeep it now: it is not shown again.")


async def _demo(given: settings.Settings, *, as_json: bool) -> None:
    listener, given = _listening(given)
    house = server.build(given, clock=SystemClock(), ids=RandomIds())
    config = await demonstration.prepare(house, server.origin_of(given))
    sink = demonstration.Sink(given.data / "sink.jsonl", house.clock, house.ids)
    house.add(demonstration.demo_routes(house.files, sink, config, house.store))

    async def announce() -> None:
        await _until_ready(config["url"])
        line = {**config, "pid": os.getpid()}
        typer.echo(json.dumps(line) if as_json else _invitation(config))
        sys.stdout.flush()

    await _serve_house(house, listener, announce)


def _listening(given: settings.Settings) -> tuple[socket.socket, settings.Settings]:
    """A listening socket, and the settings with its port: 0 takes a free one."""
    listener = server.listen(given)
    return listener, given.model_copy(update={"port": listener.getsockname()[1]})


async def _serve(given: settings.Settings) -> None:
    listener, given = _listening(given)
    house = server.build(given, clock=SystemClock(), ids=RandomIds())

    async def announce() -> None:
        typer.echo(f"Roxels listens at {server.origin_of(given)}.", err=True)
        code = await house.store.write_across(welcome.show_first_code, house.ids, house.eraser.auditor)
        if code is not None:
            logger.warning(
                "Nobody can sign in to the dashboard yet. Open the address, enter the code and choose a password.",
                extra={"action": "first_login", "address": f"{server.origin_of(given)}{WELCOME}", "code": code},
            )

    await _serve_house(house, listener, announce)


async def _work(given: settings.Settings) -> None:
    house = server.build(given, clock=SystemClock(), ids=RandomIds())
    await server.work(house, lambda: typer.echo("Roxels delivers. It listens nowhere. Stop with Ctrl-C.", err=True))


async def _serve_house(house: House, listener: Any, announce: Any) -> None:
    announcements: list[asyncio.Task[None]] = []
    running = Server(house, on_ready=lambda: announcements.append(asyncio.create_task(announce())))
    await running.serve(sockets=[listener])


async def _until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        while True:
            async with http.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.05)


async def _create_key(given: settings.Settings, environment: Environment, name: str) -> dict[str, Any]:
    async with server.opened(given) as house:
        key, value = await house.store.write(environment, _make_key, name, house)
    return {
        "id": key.id,
        "name": key.name,
        "value": value,
        "created_at": key.created_at.isoformat(),
        "revoked_at": None,
    }


async def _code(given: settings.Settings, email: str | None) -> dict[str, str]:
    async with server.opened(given) as house:
        try:
            code = await house.store.write_across(welcome.show_code, email, house.ids, house.eraser.auditor)
        except Invalid as fault:
            fail(fault.message)
    return {"address": f"{server.origin_of(given)}{WELCOME}", "code": code}


def _make_key(tx: Writing, name: str, house: House) -> tuple[ApiKey, str]:
    key, value = manage.create_api_key(tx, name, house.ids)
    house.eraser.auditor.note(tx, COMMAND, "key.created", id=key.id)
    return key, value


def _invitation(config: dict[str, Any]) -> str:
    login = config["dashboard_login"]
    return (
        f"Roxels is running.\n\n"
        f"  Demo page    {config['demo_url']}\n"
        f"  Dashboard    {config['dashboard_url']}   ({login['email']}, password {login['password']})\n"
        f"  Reference    {config['docs_url']}\n"
        f"  Embed key    {config['embed_key']}   (may stand in a page)\n\n"
        f"Or talk in a second terminal: .venv/bin/roxels talk --external-id ada\nStop with Ctrl-C."
    )


def _run(work: Any) -> Any:
    try:
        return server.run(work)
    except (server.CannotListen, *server.CANNOT_OPEN, CannotTalk) as fault:
        fail(str(fault))


def main() -> None:
    """The command `roxels`."""
    app()
