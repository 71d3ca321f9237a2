"""The commands that forget, hand over and keep: erase, export, receipt, backup, restore.

They work on the data folder itself, also while a server runs on it, and end with what was done.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from roxels import server
from roxels.actions import export as exporting
from roxels.actions.eraser import Erased, Sweeping
from roxels.ambient import RandomIds
from roxels.console import AsJson, Data, check, environment_of, fail, read
from roxels.domain.errors import NotFound
from roxels.domain.ledger import Verdict, judge
from roxels.domain.persons import Person
from roxels.domain.receipts import Receipt, Verify
from roxels.domain.tampering import text_of
from roxels.server import House
from roxels.settings import Settings
from roxels.storage import backup as copying
from roxels.storage import persons, receipts
from roxels.storage.audit import COMMAND
from roxels.storage.erase_list import FILE, ID, EraseList, EraseListMissing
from roxels.storage.leases import Processes
from roxels.storage.receipts import ChainLink
from roxels.storage.transaction import Environment, Reading
from roxels.storage.vault import SIGNING, Signer, verifiers

T = TypeVar("T")

InEnvironment = Annotated[str, typer.Option("--environment", help="test or live")]
ExternalIds = Annotated[list[str] | None, typer.Option("--external-id", help="A person, as your system calls her.")]
Persons = Annotated[list[str] | None, typer.Option("--person", help="A person's id (person_...).")]
Interviews = Annotated[list[str] | None, typer.Option("--conversation", help="A conversation's id (iv_...).")]


def install(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("erase")(erase)
    app.command("export")(export)
    app.command("backup")(backup)
    app.command("restore")(restore)
    receipts = typer.Typer(no_args_is_help=True, help="Receipts of what was erased.")
    receipts.command("list")(receipt_list)
    receipts.command("verify")(receipt_verify)
    app.add_typer(receipts, name="receipt")


def erase(
    external_id: ExternalIds = None,
    person: Persons = None,
    conversation: Interviews = None,
    environment: InEnvironment = "test",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Erase persons or conversations with every trace, and show the receipts. Each option may be given many times.

    Example: roxels erase --external-id ada --environment live --data /var/lib/roxels
    """
    for option, given in (("--external-id", external_id), ("--person", person), ("--conversation", conversation)):
        check(option, *given or ())
    wanted = [
        *(("external_id", each) for each in external_id or []),
        *(("person", each) for each in person or []),
        *(("interview", each) for each in conversation or []),
    ]
    if not wanted:
        fail("Name somebody: --external-id, --person or --conversation.")
    within = environment_of(environment)
    erased = _run(read(data=data), lambda house: _erase(house, within, wanted))
    if as_json:
        typer.echo(json.dumps({"items": [_told(*each) for each in erased]}))
        return
    for _, name, receipt in erased:
        typer.echo(f"{name}: not found" if receipt is None else f"{name}: erased, receipt {receipt.id}")


def export(
    to: Annotated[Path, typer.Argument(help="The zip to write.")],
    external_id: Annotated[str | None, typer.Option(help="The person, as your system calls her.")] = None,
    person: Annotated[str | None, typer.Option(help="The person's id (person_...).")] = None,
    environment: InEnvironment = "test",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write everything that is kept of a person into one zip.

    Example: roxels export ada.zip --external-id ada --environment live --data /var/lib/roxels
    """
    if (external_id is None) == (person is None):
        fail("Name the person: either --external-id or --person.")
    check("--external-id", external_id)
    check("--person", person)
    if to.exists():
        fail(f"{to} is there already; choose another name.")
    within = environment_of(environment)
    to.touch(mode=0o600)
    written = _run(read(data=data), lambda house: _export(house, within, to, external_id, person))
    if written is None:
        to.unlink()
        fail("There is no such person in this environment.")
    shown = {"file": str(to), **msgspec.to_builtins(written)}
    typer.echo(json.dumps(shown) if as_json else f"{to}: {written.size} bytes, SHA-256 {written.sha256}")


def receipt_list(environment: InEnvironment = "test", data: Data = None) -> None:
    """Write all receipts, oldest first, one line of canonical JSON each: what `receipt verify` reads.

    Example: roxels receipt list --environment live --data /var/lib/roxels > receipts.jsonl
    """
    within = environment_of(environment)
    for link in _run(read(data=data), lambda house: _receipts(house, within)):
        typer.echo(text_of(link.receipt).decode())


def receipt_verify(
    file: Annotated[Path, typer.Argument(help="Receipts: of `receipt list`, of GET /v1/receipts, or a single one.")],
    keys: Annotated[
        Path | None, typer.Option(help="The answer of GET /v1/receipts/key; by itself the data folder's keys.")
    ] = None,
    after: Annotated[str | None, typer.Option(help="Digest of the receipt before the first one.")] = None,
    head: Annotated[str | None, typer.Option(help="Digest of the last one, as an earlier check told it.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Check receipts offline: every signature, every link. Names the first wrong byte or broken link, and ends with 1.

    Example: roxels receipt verify receipts.jsonl --keys keys.json
    """
    verdict = judge(_bytes(file), _verifiers(keys, data), after=after, head=head)
    typer.echo(json.dumps(msgspec.to_builtins(verdict)) if as_json else _sentence(verdict))
    if not verdict.valid:
        raise typer.Exit(1)


def backup(
    to: Annotated[Path, typer.Argument(help="The file to write.")], data: Data = None, as_json: AsJson = False
) -> None:
    """Copy the database into one file, also while the server runs.

    Keep two things apart from it, always in their newest form: erased.jsonl, without which no backup can be restored,
    and the key files.

    Example: roxels backup roxels-monday.db --data /var/lib/roxels
    """
    given = read(data=data)
    _check_sqlite(given)
    database = given.data / server.DATABASE
    if not database.exists():
        fail("There is no database in this data folder.")
    if to.exists():
        fail(f"{to} is there already; choose another name.")
    size = copying.backup(database, to)
    typer.echo(json.dumps({"file": str(to), "size": size}) if as_json else f"{to}: {size} bytes")


def restore(
    file: Annotated[Path, typer.Argument(help="What `roxels backup` wrote.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database, then erase from it again all that was erased since.

    The server must be stopped, and the data folder must hold erased.jsonl (its newest form) and the key files.

    Example: roxels restore roxels-monday.db --data /var/lib/roxels
    """
    given = read(data=data)
    _check_sqlite(given)
    _check_unused(given.data)
    if not (given.data / FILE).exists():
        fail(f"{FILE} is missing in the data folder. Without it people who were deleted would come back.")
    try:
        copying.check(file)
        if copying.fact(file, ID) != EraseList(given.data / FILE).id():
            fail(f"{FILE} in the data folder does not belong to this backup. Put the list of its installation there.")
        copying.restore(file, given.data / server.DATABASE)
    except (copying.CannotRestore, EraseListMissing) as fault:
        fail(str(fault))
    again = _run(given, lambda house: house.eraser.replay())
    told = f"Restored. {again} persons and conversations that were erased since were erased again."
    typer.echo(json.dumps({"restored": True, "erased_again": again}) if as_json else told)


def _check_sqlite(given: Settings) -> None:
    if given.database_url is not None:
        fail("The database is PostgreSQL: use pg_dump and pg_restore. The next start erases again what was erased.")


def _check_unused(folder: Path) -> None:
    processes = Processes(folder / "processes", RandomIds().new("proc"))
    others = processes.others()
    processes.close()
    if others:
        fail("A server runs on this data folder. Stop it first.")


async def _receipts(house: House, environment: Environment) -> list[ChainLink]:
    found: list[ChainLink] = []
    while more := await house.store.read(environment, receipts.oldest, after=found[-1].n if found else 0, limit=500):
        found += more
    return found


def _verifiers(keys: Path | None, data: Path | None) -> dict[str, Verify]:
    """The public keys of a file, or of the data folder, where nothing is made."""
    if keys is None:
        folder = read(data=data).data
        if not (folder / SIGNING).exists():
            fail("There are no keys in this data folder; name --keys or --data.")
        return dict(verifiers(Signer.load(folder).public_keys))
    try:
        known = msgspec.json.decode(_bytes(keys))["keys"]
        return dict(verifiers({key["key_id"]: base64.b64decode(key["public_key"], validate=True) for key in known}))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        fail(f"{keys} is not the answer of GET /v1/receipts/key.")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        fail(f"{file} cannot be read: {fault.strerror}.")


def _sentence(verdict: Verdict) -> str:
    if verdict.valid:
        return verdict.message if verdict.head is None else f"{verdict.message}\nHead: {verdict.head}"
    which = "" if verdict.index is None else f"Receipt {verdict.index + 1}{f' ({verdict.id})' if verdict.id else ''}: "
    where = "" if verdict.byte is None else f" Byte {verdict.byte} of {'the file' if verdict.in_text else 'its line'}."
    return f"{which}{verdict.message}{where}"


async def _erase(
    house: House, environment: Environment, wanted: list[tuple[str, str]]
) -> list[tuple[str, str, Receipt | None]]:
    eraser = house.eraser
    by = {"external_id": eraser.person_called, "person": eraser.person, "interview": eraser.conversation}

    async def once(kind: str, id: str) -> Receipt | Sweeping | None:
        try:
            answer = await by[kind](environment, id, "command", COMMAND)
        except NotFound:
            return None
        return answer.receipt if isinstance(answer, Erased) else answer

    answers = await asyncio.gather(*(once(kind, id) for kind, id in wanted))
    await eraser.settle()
    found: list[tuple[str, str, Receipt | None]] = []
    for (kind, id), answer in zip(wanted, answers, strict=True):
        settled = await once(kind, id) if isinstance(answer, Sweeping) else answer
        found.append((kind, id, settled if isinstance(settled, Receipt) else None))
    return found


def _told(kind: str, name: str, receipt: Receipt | None) -> dict[str, Any]:
    shown = None if receipt is None else msgspec.to_builtins(receipt)
    return {"by": kind, "id": name, "deleted": receipt is not None, "receipt": shown}


async def _export(
    house: House, environment: Environment, to: Path, external_id: str | None, person_id: str | None
) -> exporting.Written | None:
    def find(tx: Reading) -> Person | None:
        return persons.find(tx, external_id) if external_id is not None else persons.get(tx, person_id or "")

    found = await house.store.read(environment, find)
    if found is None:
        return None
    await house.store.write(
        environment, house.eraser.auditor.note, COMMAND, "export.asked", ("person", found.id), command=True
    )
    return await exporting.write(house.store, environment, found.id, to, house.keyring.vault, exporting.no_progress)


def _run(given: Settings, work: Callable[[House], Awaitable[T]]) -> T:
    """Do this with the data folder open."""

    async def run() -> T:
        async with server.opened(given) as house:
            return await work(house)

    try:
        return asyncio.run(run())
    except server.CANNOT_OPEN as fault:
        fail(str(fault))
