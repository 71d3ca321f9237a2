"""Where things meet: `build` opens what is kept, introduces the rooms to each other, and returns the house.

Nothing here decides anything. Whatever a test wants to be different (time, ids, speaker) is an argument.
"""

import asyncio
import errno
import gc
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from roxels import lazy, logs
from roxels.actions import secrets
from roxels.actions.eraser import Eraser
from roxels.actions.jobs import Jobs
from roxels.actions.retention import Keeper
from roxels.actions.sweep import Sweeper
from roxels.agent.ports import Speaker
from roxels.agent.speakers.endpoints import Endpoints
from roxels.agent.speakers.engine import Endpoint
from roxels.agent.speakers.fallback import FallbackSpeaker
from roxels.agent.speakers.model import ModelSpeaker, Patience
from roxels.agent.speakers.openai import Limits, OpenAIEngine
from roxels.agent.speakers.scripted import ScriptedSpeaker
from roxels.ambient import RandomIds, SystemClock
from roxels.api.app import build_api
from roxels.api.measures import Measures
from roxels.api.middleware import Sockets
from roxels.api.pages import Files, page_routes
from roxels.api.services import RunsWith, Services
from roxels.dashboard.routes import dashboard_routes
from roxels.domain.clock import Clock
from roxels.domain.ids import Ids
from roxels.outbound import guard
from roxels.outbound.http import Caller
from roxels.outbound.pinning import Pin
from roxels.outbound.rehearsing import Rehearser
from roxels.outbound.worker import Deps, Pace, Worker
from roxels.settings import Settings
from roxels.storage import opening
from roxels.storage.database import Backend, Database
from roxels.storage.erase_list import EraseList, EraseListMissing
from roxels.storage.files import Exports
from roxels.storage.leases import Peers
from roxels.storage.postgresql import PostgreSQL
from roxels.storage.store import Store
from roxels.storage.transaction import Environment
from roxels.storage.vault import KeyFileError, Keyring, Vault
from roxels.wire.awake import Ports
from roxels.wire.corked import Corked
from roxels.wire.framing import SEND_TIMEOUT, TOGETHER, framed
from roxels.wire.limits import Allowance
from roxels.wire.rooms import Rooms
from roxels.wire.routes import WIRE, wire_routes, wire_sockets

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds after which a busy thread lets another one go on.
SWITCH_AFTER = 0.001
#: The database's name in the data folder.
DATABASE = "roxels.db"
EMBED = Path(__file__).parent / "embed"


class House(msgspec.Struct, frozen=True, kw_only=True):
    """One server and what it is made of."""

    app: FastAPI
    store: Store
    rooms: Rooms
    keyring: Keyring
    eraser: Eraser
    jobs: Jobs
    processes: Peers
    files: Files
    #: Makes every outgoing request, while the house lives.
    caller: Caller
    settings: Settings
    clock: Clock
    ids: Ids
    endpoints: Endpoints

    def add(self, routes: Sequence[BaseRoute]) -> None:
        """Serve more addresses."""
        self.app.router.routes.extend(routes)

    async def close(self) -> None:
        """Say goodbye to everyone, then close what `build` opened."""
        await self.rooms.drain()
        await self.endpoints.close()
        await self.jobs.close()
        await self.eraser.close()
        await asyncio.to_thread(self.processes.close)
        await asyncio.to_thread(self.store.close)


def origin_of(settings: Settings) -> str:
    """Where browsers reach this server; one that listens on every address is reached on loopback."""
    return settings.public_url or f"http://{_reached_as(settings.host)}:{settings.port}"


def _reached_as(host: str) -> str:
    if not host:
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host  # a name
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"


def build(settings: Settings, *, clock: Clock, ids: Ids, speaker: Speaker | None = None) -> House:
    """Open the data folder of these settings and put a server together around it."""
    database = open_database(settings)
    try:
        erase_list = EraseList.of(settings.data, database, ids.key(16).hex())
    except EraseListMissing:
        database.close()
        raise
    store = Store(database, clock)
    vault_keys = settings.vault_keys.get_secret_value() if settings.vault_keys else None
    keyring = Keyring.load(settings.data, ids.key, vault_keys)
    processes = database.join(ids.new("proc"))
    permits = guard.anywhere if settings.allow_private_targets else guard.is_public
    endpoints = endpoints_for(settings, store, keyring.vault, permits)
    speaker = speaker or speaker_for(settings, clock, endpoints)
    limits = Allowance(clock, scale=settings.limits_scale) if settings.limits else None
    ports = Ports(store=store, speaker=speaker, clock=clock, ids=ids, nudge_after=settings.nudge_seconds, limits=limits)
    rooms = Rooms(ports, processes)
    exports = Exports(settings.data / "exports")
    eraser = Eraser(store, ids, keyring, clock, exports=exports, erase_list=erase_list)
    jobs = Jobs(store, ids, clock, eraser, exports, keyring.vault)
    caller = Caller(permits=permits, monotonic=clock.monotonic, time_limit=settings.webhook_timeout)
    services = Services(
        store=store,
        ids=ids,
        clock=clock,
        origin=origin_of(settings),
        sealer=keyring.vault,
        eraser=eraser,
        jobs=jobs,
        rehearser=Rehearser(call=caller.call, vault=keyring.vault, clock=clock),
        limits=limits,
        registry=CollectorRegistry(),
        is_draining=lambda: rooms.is_draining,
        runs_with=_told_of(settings),
    )
    tally = logs.Tally()
    services.registry.register(Measures(lambda: store.counts + tally.counts, lambda: rooms.counts))
    app = build_api(services)
    house = House(
        app=app,
        store=store,
        rooms=rooms,
        keyring=keyring,
        eraser=eraser,
        jobs=jobs,
        processes=processes,
        files=Files(EMBED),
        caller=caller,
        settings=settings,
        clock=clock,
        ids=ids,
        endpoints=endpoints,
    )
    house.add([*wire_routes(rooms), *page_routes(store, house.files, services.origin), *dashboard_routes(services)])
    app.add_middleware(Sockets, path=WIRE, serve=wire_sockets(rooms))
    app.router.lifespan_context = lambda _app: _living(house, tally)
    return house


def _told_of(settings: Settings) -> RunsWith:
    """Of the settings what operators and programs may know."""
    return RunsWith(
        database="SQLite" if settings.database_url is None else "PostgreSQL",
        model=settings.model if settings.model_url else None,
        has_public_url=settings.public_url is not None,
        worker=settings.worker,
        limits=settings.limits,
        private_targets=settings.allow_private_targets,
    )


def speaker_for(settings: Settings, clock: Clock, endpoints: Endpoints) -> Speaker:
    """Who talks: a language model where one is set, with the scripted speaker behind it."""
    scripted = ScriptedSpeaker(clock, settings.scripted_cps)
    return FallbackSpeaker(ModelSpeaker(endpoints, settings.model, clock, Patience()), scripted, clock)


def endpoints_for(settings: Settings, store: Store, vault: Vault, permits: guard.Permits) -> Endpoints:
    """What asks language models: where this server's settings say, and where templates do."""
    limits = Limits(first=settings.model_first_seconds, between=settings.model_pause_seconds)
    judge = Pin(permits)
    own = None
    if settings.model_url is not None:
        own = Endpoint(url=settings.model_url, key=settings.model_key.get_secret_value())

    def connect(endpoint: Endpoint) -> OpenAIEngine:
        return OpenAIEngine(lazy.openai, endpoint, limits, judge)

    async def reveal(environment: Environment, name: str) -> str | None:
        return await store.read(environment, secrets.reveal, name, vault)

    return Endpoints(own, connect, reveal)


def database_of(settings: Settings) -> Backend:
    """The database that these settings name, as it stands; nothing is asked of it yet."""
    if settings.database_url is not None:
        return PostgreSQL(settings.database_url.get_secret_value())
    return Database(settings.data / DATABASE)


def open_database(settings: Settings) -> Backend:
    """The database, brought to the schema that the code expects. Raises `storage.opening.Unusable`."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = database_of(settings)
    try:
        opening.bring_up_to_date(database)
    except opening.Unusable:
        database.close()
        raise
    return database


@asynccontextmanager
async def _living(house: House, tally: logs.Tally) -> AsyncIterator[None]:
    """What runs beside the requests: watching other processes, finishing erasures, delivering, sweeping."""
    settings = house.settings
    logging.getLogger().addHandler(tally)
    async with house.caller:
        worker = _worker(house)
        jobs = [asyncio.create_task(house.rooms.watch_others(), name="watch")]
        await house.eraser.replay()
        await house.eraser.resume_pending()
        house.jobs.wake()
        if settings.worker:
            house.store.wake.listen_due(worker.wake)
            worker.start()
            jobs.append(asyncio.create_task(_sweeper(house).run(), name="sweep"))
            keeper = Keeper(house.store, house.clock, house.eraser, house.jobs)
            jobs.append(asyncio.create_task(keeper.run(), name="keep"))
        yield
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        await worker.stop(within=min(2.0, settings.drain_seconds))
        await house.close()
    logging.getLogger().removeHandler(tally)


def _worker(house: House) -> Worker:
    deps = Deps(
        store=house.store,
        call=house.caller.call,
        vault=house.keyring.vault,
        clock=house.clock,
        ids=house.ids,
        process_id=house.processes.own_id,
        is_alive=house.processes.is_alive,
    )
    return Worker(deps, Pace(time_limit=house.settings.webhook_timeout, retry_scale=house.settings.retry_scale))


def _sweeper(house: House) -> Sweeper:
    abandoned_after = timedelta(minutes=house.settings.abandon_minutes)
    return Sweeper(house.store, house.clock, house.processes.is_alive, abandoned_after=abandoned_after)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a server's coroutine on the fastest event loop that this machine has.

    The thread that writes has a turn soon: by itself Python lets a busy thread keep the others waiting for 5 ms, and
    each answer waits for two commits.
    """
    sys.setswitchinterval(SWITCH_AFTER)
    factory = uvicorn.Config(app="", loop="auto", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


class TalkProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket, over a transport that sends together what is written together.

    It takes many texts at one go: a long conversation that is read again is many, and to hand on each was much work.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection stands."""
        super().connection_made(Corked(cast(asyncio.Transport, transport)))

    async def run_asgi(self) -> None:
        """Serve the connection; it is told what it may send."""
        self.scope["extensions"] = {**(self.scope.get("extensions") or {}), TOGETHER: {}}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Send what the application says."""
        texts = message.get(TOGETHER)
        if texts is None:
            await super().send(message)
            return
        if not self.writable.is_set():
            async with asyncio.timeout(SEND_TIMEOUT):
                await self.writable.wait()
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(framed(texts))


class Server(uvicorn.Server):
    """Uvicorn that says goodbye to listeners before it closes their connections."""

    def __init__(self, house: House, *, on_ready: Callable[[], None] = lambda: None) -> None:
        settings = house.settings
        super().__init__(
            uvicorn.Config(
                house.app,
                ws=TalkProtocol,
                ws_max_size=settings.max_frame_bytes,
                ws_per_message_deflate=False,
                ws_ping_interval=20,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=int(settings.drain_seconds),
                lifespan="on",
            )
        )
        self._house = house
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so.

        What stands now stays for good: the collector need not look through it again. Else each full collection holds
        everybody up for a tenth of a second.
        """
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._house.rooms.drain(), self._house.settings.drain_seconds)
        await asyncio.sleep(0.05)  # the goodbyes are written by the connections' own tasks
        await super().shutdown(sockets)


async def work(house: House, on_ready: Callable[[], None]) -> None:
    """What runs beside the requests, and no requests: until the process is told to stop, and then to its end.

    What is being sent may come to its end for a while, the rest is given back; another process goes on with it.
    """
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with house.app.router.lifespan_context(house.app):
        on_ready()
        await told.wait()


#: Why a data folder cannot be opened; each says what to do.
CANNOT_OPEN = (opening.Unusable, EraseListMissing, KeyFileError)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[House]:
    """The house for one command, closed afterwards. Raises those of `CANNOT_OPEN`."""
    house = build(settings, clock=SystemClock(), ids=RandomIds())
    try:
        yield house
    finally:
        await house.close()


class CannotListen(Exception):
    """This address cannot be listened on. Choose another with --host and --port."""

    code = "cannot_listen"


def listen(settings: Settings) -> socket.socket:
    """A listening socket for these settings. Raises `CannotListen`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named, or asyncio leaves Nagle's algorithm on for what is accepted, and small frames wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as fault:
        listener.close()
        if fault.errno == errno.EADDRINUSE:
            told = f"Port {settings.port} is taken. Stop what listens there, or choose another: --port."
        else:
            told = f"{settings.host} port {settings.port} cannot be listened on: {fault.strerror}. See --host, --port."
        raise CannotListen(told) from None
    listener.listen(2048)
    return listener
