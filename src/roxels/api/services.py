"""What the door works with. `server.build` makes one and hands it to `build_api`."""

from collections.abc import Callable

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

    @property
    def audit(self) -> Auditor:
        """What notes what was done."""
        return self.eraser.auditor


def services_of(request: Request) -> Services:
    """The services of the application that this request came to."""
    services: Services = request.app.state.services
    return services
