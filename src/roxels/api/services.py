"""What the door works with. `server.build` makes one and hands it to `build_api`."""

from collections.abc import Callable
from typing import Literal

import msgspec
from fastapi import Request
from prometheus_client import CollectorRegistry

from roxels.actions.audit import Auditor
from roxels.actions.eraser import Eraser
from roxels.actions.jobs import Jobs
from roxels.actions.manage import Sealer
from roxels.domain.clock import Clock
from roxels.domain.ids import Ids
from roxels.outbound.rehearsing import Rehearser
from roxels.storage.store import Store
from roxels.wire.limits import Allowance


class RunsWith(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation was set up with, as far as it is no secret."""

    database: Literal["SQLite", "PostgreSQL"] = "SQLite"
    #: The language model that speaks; None: the scripted speaker.
    model: str | None = None
    #: Whether somebody said where browsers reach it (`ROXELS_PUBLIC_URL`).
    has_public_url: bool = False
    #: Whether this process delivers.
    worker: bool = True
    #: Whether requests are counted.
    limits: bool = True
    #: Whether outputs may reach private addresses.
    private_targets: bool = False


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The rooms below, as the door knows them."""

    store: Store
    ids: Ids
    clock: Clock
    #: Where browsers reach this server: scheme, host and port, no path, e.g. `https://talk.example.com`.
    origin: str
    sealer: Sealer
    eraser: Eraser
    jobs: Jobs
    #: Tries outputs out.
    rehearser: Rehearser
    #: None where requests are not counted (`ROXELS_LIMITS=off`).
    limits: Allowance | None
    #: What `/metrics` shows; other rooms may register their own numbers.
    registry: CollectorRegistry
    #: True once the server was told to stop.
    is_draining: Callable[[], bool]
    runs_with: RunsWith = RunsWith()

    @property
    def audit(self) -> Auditor:
        """What notes what was done."""
        return self.eraser.auditor


def services_of(request: Request) -> Services:
    """The services of the application that this request came to."""
    services: Services = request.app.state.services
    return services
