"""`roxels key rotate`: a new key for the secrets at rest, and everything sealed with it.

    killed                            what stands then
    before the new file is in place   the old keys; nothing has happened
    after it, before or among rows    old and new keys; some rows sealed with each; all of them open
    after the last row                everything sealed with the new key

So it can be broken off anywhere, and is simply run again. Servers that run meanwhile find the new key in the file when
they meet something that it sealed.
"""

import asyncio
import json

import msgspec
import typer

from roxels import server
from roxels.ambient import RandomIds
from roxels.console import AsJson, Data, fail, read
from roxels.server import House
from roxels.settings import Settings
from roxels.storage import resealing, vault
from roxels.storage.audit import COMMAND
from roxels.storage.resealing import Progress


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """What was done."""

    keys: int
    sealed: int
    lost: tuple[str, ...]


def rotate(data: Data = None, as_json: AsJson = False) -> None:
    """Make a new key for the secrets at rest, and seal all of them with it. Servers may run meanwhile.

    The old key stays in vault.keys, since backups need it: copy the file anew to where you keep it. Broken off
    anywhere, it is simply run again.

    Example: roxels key rotate --data /var/lib/roxels
    """
    try:
        done = asyncio.run(_rotate(read(data=data)))
    except server.CANNOT_OPEN as fault:
        fail(str(fault))
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(done)))
        return
    typer.echo(f"{done.sealed} secrets and answers are sealed with the new key; there are {done.keys} keys now.")
    for each in done.lost:
        typer.echo(f"{each} does not open with any key: set it again.", err=True)


async def _rotate(given: Settings) -> Rotated:
    ids = RandomIds()
    with vault.held(given.data):
        if given.vault_keys is None:
            vault.add_key(given.data, ids.key)
        async with server.opened(given) as house:
            return await _seal_all(house)


async def _seal_all(house: House) -> Rotated:
    progress = Progress()
    while not progress.is_over:
        progress = await house.store.write_across(resealing.step, house.keyring.vault, progress)
    await house.store.write_across(house.eraser.auditor.note_entry, COMMAND, "vault.rotated")
    return Rotated(keys=house.keyring.vault.count, sealed=progress.sealed, lost=progress.lost)
