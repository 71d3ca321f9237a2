"""`roxels doctor`: is this installation well? A list of probes, each with a name and one sentence.

    ok      as it should be
    note    works, but somebody should know
    fault   does not work, or loses something: the command ends with 1

A probe is a function of the `Patient` and changes nothing. What a probe builds on and is not there is told once, by the
probe whose matter it is; the others leave it out.
"""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from roxels.domain import templates
from roxels.domain.domains import keeps_secrets
from roxels.domain.errors import RoxelsError
from roxels.domain.proof import Proof
from roxels.outbound import guard
from roxels.server import database_of, origin_of
from roxels.settings import Settings
from roxels.storage import checkup, opening
from roxels.storage.checkup import Chart
from roxels.storage.database import newest_revision

Status = Literal["ok", "note", "fault"]
#: Addresses of a host's name; empty where it has none.
Resolve = Callable[[str], list[str]]

#: Files that only their owner may read, in the data folder.
PRIVATE = ("vault.keys", "signing.keys", "subjects.keys", "demo.json")
SCARCE = 500 * 1024 * 1024
#: Clocks of machines differ by less.
APART = timedelta(seconds=30)


class Finding(msgspec.Struct, frozen=True):
    """What one probe found."""

    name: str
    status: Status
    sentence: str


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """The installation as it stands."""

    settings: Settings
    now: datetime
    resolve: Resolve
    #: Why the database cannot be asked, or the migration it stands at.
    refusal: str | None
    revision: str | None
    chart: Chart | None


Probe = Callable[[Patient], tuple[Status, str] | None]


def examine(settings: Settings, now: datetime, resolve: Resolve | None = None) -> list[Finding]:
    """All findings, in the order of the table."""
    patient = _patient(settings, now, resolve or addresses)
    found = ((name, probe(patient)) for name, probe in PROBES.items())
    return [Finding(name, *answer) for name, answer in found if answer is not None]


def addresses(host: str) -> list[str]:
    """What this machine's resolver says."""
    try:
        return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError:
        return []


def _patient(settings: Settings, now: datetime, resolve: Resolve) -> Patient:
    refusal, revision, chart = None, None, None
    if settings.database_url is None and not (settings.data / "roxels.db").exists():
        refusal = "There is no database yet; the first start makes it."
    else:
        database = database_of(settings)
        try:
            revision = opening.revision(database)
            chart = checkup.examine(database, now) if revision == newest_revision() else None
        except opening.Unusable as fault:
            refusal = str(fault)
        except SQLAlchemyError as fault:
            refusal = f"The database cannot be read ({type(fault).__name__})."
        database.close()
    return Patient(settings=settings, now=now, resolve=resolve, refusal=refusal, revision=revision, chart=chart)


def _data(patient: Patient) -> tuple[Status, str]:
    folder = patient.settings.data
    if not folder.is_dir():
        return "fault", "The data folder is not there. Start once, or name another with ROXELS_DATA or --data."
    if not os.access(folder, os.W_OK | os.X_OK):
        return "fault", "The data folder cannot be written to by this user."
    if shutil.disk_usage(folder).free < SCARCE:
        return "note", "The disk of the data folder is nearly full; erasing needs as much space again as the database."
    return "ok", "The data folder can be written to."


def _database(patient: Patient) -> tuple[Status, str]:
    if patient.refusal is not None:
        return "fault", patient.refusal
    kind = "SQLite" if patient.settings.database_url is None else "PostgreSQL"
    return "ok", f"The database ({kind}) answers."


def _schema(patient: Patient) -> tuple[Status, str] | None:
    if patient.refusal is not None:
        return None
    stands, newest = patient.revision or "nothing", newest_revision()
    if patient.revision != newest:
        return "fault", f"The database stands at {stands}, this version needs {newest}. Run: roxels migrate"
    return "ok", f"The database is migrated ({newest})."


def _durable(patient: Patient) -> tuple[Status, str] | None:
    if patient.chart is None:
        return None
    if not patient.chart.durable:
        return "fault", "Commits do not wait for the disk (PostgreSQL's fsync or synchronous_commit is off)."
    return "ok", "Each commit is on disk before anybody is told."


def _public_url(patient: Patient) -> tuple[Status, str]:
    given = patient.settings.public_url
    if given is None:
        here = origin_of(patient.settings)
        return "note", f"ROXELS_PUBLIC_URL is not set: links lead to {here}, which browsers elsewhere cannot reach."
    if not keeps_secrets(given):
        return "fault", "ROXELS_PUBLIC_URL is not https: browsers keep no secure cookie, so no device is recognised."
    return "ok", "The public address is https, or loopback: browsers can be recognised again."


def _keys(patient: Patient) -> tuple[Status, str] | None:
    files = [patient.settings.data / name for name in PRIVATE]
    loose = [file.name for file in files if file.exists() and file.stat().st_mode & 0o077]
    if loose:
        return "fault", f"Others can read {', '.join(loose)}. Run chmod 600 on them, and rotate what they hold."
    needed = files[:3] if patient.settings.vault_keys is None else files[1:3]
    if not all(file.exists() for file in needed):
        return ("note", "There are no keys yet; the first start makes them.") if patient.refusal else _KEYS_LOST
    return "ok", "Keys can be read by their owner only. Keep a copy of them apart from the database's."


def _clock(patient: Patient) -> tuple[Status, str] | None:
    if patient.chart is None:
        return None
    newest = patient.chart.newest_activity
    if newest is not None and newest > patient.now + APART:
        return "fault", "The newest conversation lies in the future: a clock is wrong, or was."
    return "ok", "The clock stands behind nothing that is kept."


def _worker(patient: Patient) -> tuple[Status, str] | None:
    late = 0 if patient.chart is None else patient.chart.late_deliveries
    if late:
        return "fault", f"{late} deliveries have waited for minutes: nobody delivers. Run `roxels worker` too."
    if not patient.settings.worker:
        return "note", "This process does not deliver (ROXELS_WORKER); another one has to."
    return "ok", "Deliveries are sent by this process."


def _deliveries(patient: Patient) -> tuple[Status, str] | None:
    if patient.chart is None:
        return None
    if patient.chart.failed_deliveries:
        return "note", f"{patient.chart.failed_deliveries} deliveries were given up; the dashboard sends them again."
    return "ok", "No delivery was given up."


def _conversations(patient: Patient) -> tuple[Status, str] | None:
    if patient.chart is None:
        return None
    failed = patient.chart.failed_conversations
    if failed:
        return "note", f"{failed} conversations could not be completed: GET /v1/interviews?status=failed lists them."
    return "ok", "Every conversation that ended was completed."


def _targets(patient: Patient) -> tuple[Status, str]:
    if patient.settings.allow_private_targets:
        return "note", "Webhooks may go to private addresses (ROXELS_ALLOW_PRIVATE_TARGETS): for development only."
    return "ok", "Webhooks go to public addresses only."


def _limits(patient: Patient) -> tuple[Status, str]:
    if not patient.settings.limits:
        return "note", "Too many requests are not refused (ROXELS_LIMITS=off): for load tests only."
    return "ok", "Too many requests are refused."


def _outputs(patient: Patient) -> tuple[Status, str] | None:
    if patient.chart is None:
        return None
    wrong = sorted({fault for design in patient.chart.designs for fault in _unreachable(patient, design)})
    hooks = {_fault_of(patient, url) for url in patient.chart.lifecycle_urls}
    wrong += sorted(f"a lifecycle webhook ({fault})" for fault in hooks if fault is not None)
    if wrong:
        return "fault", f"{len(wrong)} outputs lead nowhere: {', '.join(wrong[:5])}."
    return "ok", "Every output of the templates and every lifecycle webhook leads to an address."


def _claims(patient: Patient) -> tuple[Status, str] | None:
    designs = [] if patient.chart is None else [each for each in patient.chart.designs if each.environment == "live"]
    open_ones = [each.id for each in designs if templates.history_requires(each.raw) is Proof.claimed]
    if open_ones:
        return (
            "note",
            f"In {len(open_ones)} live templates whoever sends somebody's external_id sees what was said under it"
            " without verification. Where that matters set settings.embedded.history_requires.",
        )
    return None


#: The probes, in the order in which they are told.
PROBES: dict[str, Probe] = {
    "data": _data,
    "database": _database,
    "schema": _schema,
    "durable": _durable,
    "keys": _keys,
    "clock": _clock,
    "public_url": _public_url,
    "worker": _worker,
    "deliveries": _deliveries,
    "conversations": _conversations,
    "targets": _targets,
    "outputs": _outputs,
    "limits": _limits,
    "claims": _claims,
}
_KEYS_LOST: tuple[Status, str] = (
    "fault",
    "Key files are missing beside a database that is in use: put back vault.keys, signing.keys and subjects.keys.",
)


def _unreachable(patient: Patient, design: checkup.Design) -> Iterator[str]:
    """Outputs of a template whose host has no address that may be called: template and host."""
    try:
        template = templates.read(design.id, 1, design.raw)
    except RoxelsError:
        yield f"{design.id} (cannot be read)"
        return
    on_goals = (output for goal in template.goals for output in goal.outputs)
    on_phases = (output for phase in template.phases for output in phase.outputs)
    for output in (*template.outputs, *on_goals, *on_phases):
        fault = _fault_of(patient, output.url)
        if fault is not None:
            yield f"{design.id} ({fault})"


def _fault_of(patient: Patient, url: str) -> str | None:
    """The host of an address that may not be called or is not there; None where all is well."""
    permits = guard.anywhere if patient.settings.allow_private_targets else guard.is_public
    target = guard.target(url.split("{{", 1)[0])
    host = None if target is None else target.host
    if host is None:
        return "an address that cannot be called"
    found = [host] if guard.kind_of(host) == "address" else patient.resolve(host)
    return None if found and all(permits(each) for each in found) else host
