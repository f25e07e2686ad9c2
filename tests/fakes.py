"""Working stand-ins for what lies outside, and a node built on them."""

import hashlib
import io
import random
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from sqlalchemy import text, update
from starlette.types import ASGIApp

from core.adapters.sql.tables import ArtifactRow, Base, ConsentRow
from core.audio.wav import inspect
from core.bootstrap import Outside, System, build
from core.domain.consent import Mode
from core.domain.custody import LEDGER_PREFIX
from core.domain.work import Job
from core.errors import Unavailable
from core.ports.outside import ByteStore
from core.ports.work import QueueDepth
from core.services.intake import Kept, Offering
from core.settings import Settings
from memory_ui.app import Background, no_background, plain_app
from tests import wavs

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BASE_URL = "http://localhost"
SHORT_TAKE = wavs.take(0.25, sample_rate_hz=8000)
OTHER_TAKE = wavs.take(0.25, sample_rate_hz=8000, frequency_hz=523.0)


class Given(Settings):
    """Settings as they are given: nothing else is looked at, which takes a while."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, and the profile."""
        return super().settings_customise_sources(settings_cls, named["init_settings"])


class FrozenClock:
    """Stands still until it is told to go on."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Aware UTC."""
        return self._now

    def earlier(self) -> datetime:
        """The same: by itself it is never in doubt."""
        return self._now

    def doubt(self) -> None:
        """None."""

    def advance(self, **by: float) -> None:
        """Go on (or back) by a timedelta's arguments."""
        self._now += timedelta(**by)


@dataclass(kw_only=True)
class FixedDisk:
    """A disk as full as a test needs it."""

    free: int = 500_000_000_000
    total: int = 1_000_000_000_000

    def free_bytes(self) -> int:
        """What is left."""
        return self.free

    def total_bytes(self) -> int:
        """The whole disk."""
        return self.total


@dataclass(kw_only=True)
class FixedDrift:
    """A clock that has been moved as far as a test says, in a process that began long ago unless it says otherwise."""

    moved: float = 0.0
    up: float = 86_400.0

    def moved_s(self) -> float:
        """How far."""
        return self.moved

    def up_s(self) -> float:
        """How long ago."""
        return self.up


@dataclass(kw_only=True)
class FixedTimeSource:
    """Somebody who keeps the clock right, unless a test says otherwise: tests move it by months."""

    right: bool = True

    def synchronised(self) -> bool:
        """Whether somebody does."""
        return self.right


class MoodyStore:
    """A byte store that refuses, hangs or loses what it is told to, around one that works.

    `refuses` names operations (put, open, size, delete, check) that answer `Unavailable`; `loses` names those (put,
    delete) that claim to have done what they have not; `before[operation]` is called with the key first, and may
    wait for an event or turn the clock; `calls` remembers what was asked.
    """

    def __init__(self, store: ByteStore) -> None:
        self.inner = store
        self.refuses: set[str] = set()
        self.loses: set[str] = set()
        self.before: dict[str, Callable[[str], None]] = {}
        self.calls: list[tuple[str, str]] = []

    def put(self, key: str, stream: BinaryIO, size_bytes: int) -> None:
        """Store, unless told otherwise."""
        self._ask("put", key)
        if "put" not in self.loses:
            self.inner.put(key, stream, size_bytes)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """A stream, unless told otherwise."""
        self._ask("open", key)
        return self.inner.open(key, start=start, length=length)

    def size(self, key: str) -> int | None:
        """The size, unless told otherwise."""
        self._ask("size", key)
        return self.inner.size(key)

    def delete(self, key: str) -> None:
        """Delete, unless told otherwise."""
        self._ask("delete", key)
        if "delete" not in self.loses:
            self.inner.delete(key)

    def check(self) -> None:
        """Whether it answers, unless told otherwise."""
        self._ask("check", "")
        self.inner.check()

    def keys(self, prefix: str = "", *, whole: bool = False) -> Iterator[str]:
        """What really is there, whatever the mood."""
        return self.inner.keys(prefix, whole=whole)

    def _ask(self, operation: str, key: str) -> None:
        self.calls.append((operation, key))
        if operation in self.before:
            self.before[operation](key)
        if operation in self.refuses:
            raise Unavailable("The store of this room does not answer right now.")


@dataclass(kw_only=True)
class StillQueue:
    """A queue nobody works on: remembers what was kicked, is as full as it is told to be, and may be away."""

    kicked: list[tuple[Job, tuple[Any, ...]]] = field(default_factory=list)
    waiting: int = 0
    away: bool = False

    @asynccontextmanager
    async def background(self, system: System) -> AsyncIterator[None]:
        """Serve as an application's background."""
        system.effects.kick_with(self._kick, self._depth)
        yield
        system.effects.kick_with(None, None)

    async def _kick(self, job: Job, args: tuple[Any, ...]) -> None:
        self.kicked.append((job, args))

    async def _depth(self) -> QueueDepth:
        if self.away:
            raise Unavailable("The queue of this node does not answer right now.")
        return QueueDepth(waiting=self.waiting, running=0, oldest_waiting_s=0.0)


@dataclass(kw_only=True)
class Node:
    """A built system with hands on what lies outside of it."""

    system: System
    clock: FrozenClock
    store: MoodyStore
    disk: FixedDisk
    drift: FixedDrift
    source: FixedTimeSource
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def keep(self, mode: Mode = Mode.ROOM, data: bytes = SHORT_TAKE, **said: Any) -> Kept:
        """Keep a take by the service; the answer is `{"secret": ...}`."""
        return self.system.intake.keep(offering(mode, data, **said), lambda _artifact, secret: {"secret": secret})

    def rows(self, sql: str, **params: Any) -> list[Any]:
        """What a query finds."""
        with self.system.outside.engine.connect() as connection:
            return list(connection.execute(text(sql), params))

    def table(self, name: str) -> list[Any]:
        """Every row of a table, in the order of its key, with values of the types the product has."""
        table = Base.metadata.tables[name]
        with self.system.outside.engine.connect() as connection:
            return list(connection.execute(table.select().order_by(*table.primary_key.columns)))

    def row(self, artifact_id: int) -> Any:
        """The artifact's row, whatever is left of it."""
        table = Base.metadata.tables["artifact"]
        with self.system.outside.engine.connect() as connection:
            return connection.execute(table.select().where(table.c.id == artifact_id)).one()

    def change(self, artifact_id: int, **values: Any) -> None:
        """Give an artifact's row other values, as time would."""
        with self.system.outside.engine.begin() as connection:
            connection.execute(update(ArtifactRow).where(ArtifactRow.id == artifact_id).values(**values))

    def change_consent(self, consent_id: int, **values: Any) -> None:
        """The same for a promise."""
        with self.system.outside.engine.begin() as connection:
            connection.execute(update(ConsentRow).where(ConsentRow.id == consent_id).values(**values))

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return {name: self.rows(f"SELECT count(*) FROM {name}")[0][0] for name in Base.metadata.tables}

    def stored(self) -> list[str]:
        """Every key with bytes below it."""
        return sorted(key for key in self.store.keys("") if not key.startswith(LEDGER_PREFIX))

    def files(self) -> list[str]:
        """Everything that may hold a voice: what is stored, and every file below the folders where takes lie."""
        folder = self.system.outside.data_dir
        found = [path for name in ("sounds", "incoming") for path in (folder / name).rglob("*") if path.is_file()]
        paths = {str(path.relative_to(folder)) for path in found}
        return sorted({*self.stored(), *(path for path in paths if not path.startswith(f"sounds/{LEDGER_PREFIX}"))})

    def written(self) -> bytes:
        """Everything the database holds, readable or not."""
        said = repr([self.table(name) for name in Base.metadata.tables]).encode()
        self.system.outside.engine.dispose()
        paths = self.system.outside.data_dir.glob("memory.db*")
        return said + b"".join(path.read_bytes() for path in paths)

    def close(self) -> None:
        """Release the database."""
        self.system.close()


def offering(mode: Mode = Mode.ROOM, data: bytes = SHORT_TAKE, **said: Any) -> Offering:
    """An upload as the service gets it."""
    return Offering(
        stream=io.BytesIO(data), size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), mode=mode, **said
    )


def new_node(
    data_dir: Path,
    *,
    clock: FrozenClock | None = None,
    disk: FixedDisk | None = None,
    synchronised: bool = True,
    wrap: Callable[[Outside], Outside] = lambda outside: outside,
    **settings: Any,
) -> Node:
    """A node on a data folder and what its settings name; building a second one on the same is a restart."""
    clock, disk, drift = clock or FrozenClock(), disk or FixedDisk(), FixedDrift()
    source = FixedTimeSource(right=synchronised)
    stores: list[MoodyStore] = []

    def put_in(outside: Outside) -> Outside:
        stores.append(MoodyStore(outside.store))
        return wrap(replace(outside, clock=clock, disk=disk, drift=drift, source=source, store=stores[0]))

    system = build(Given(MEMORY_DATA_DIR=data_dir, **settings), wrap=put_in)
    return Node(system=system, clock=clock, store=stores[0], disk=disk, drift=drift, source=source)


class Client:
    """A browser or a kiosk, as far as HTTP shows: keeps cookies, does not follow redirects; callable from threads."""

    def __init__(self, portal: BlockingPortal, http: httpx.AsyncClient) -> None:
        self._portal = portal
        self._http = http

    @property
    def cookies(self) -> httpx.Cookies:
        """What it was given to keep."""
        return self._http.cookies

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One request and its whole answer; arguments are httpx's."""
        return self._portal.call(partial(self._http.request, method, path, **given))

    def get(self, path: str, **given: Any) -> httpx.Response:
        """A GET."""
        return self.request("GET", path, **given)

    def head(self, path: str, **given: Any) -> httpx.Response:
        """A HEAD."""
        return self.request("HEAD", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        """A POST."""
        return self.request("POST", path, **given)

    def leave(self, mode: str = "ROOM", data: bytes = SHORT_TAKE, *, key: str = "", **fields: str) -> httpx.Response:
        """Send a take as the kiosk does."""
        headers = {"Idempotency-Key": key} if key else {}
        upload = {"file": ("take.wav", data, "audio/wav")}
        if mode == "NOSAVE":
            return self.post("/api/v1/ephemeral/audio", files=upload, data=fields, headers=headers)
        form = {"consent_mode": mode, **fields}
        return self.post("/api/v1/artifacts/audio", files=upload, data=form, headers=headers)


class Visits:
    """Clients of one running application, each at an address of its own."""

    def __init__(self, app: Any, portal: BlockingPortal) -> None:
        self._app = app
        self._portal = portal
        self._stack = ExitStack()

    def client(self, *, address: str = "203.0.113.5", base_url: str = BASE_URL, **options: Any) -> Client:
        """A new client without cookies."""
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=(address, 50_000))
        http = httpx.AsyncClient(transport=transport, base_url=base_url, **options)
        self._stack.callback(self._portal.call, http.aclose)
        return Client(self._portal, http)

    def close(self) -> None:
        """Close every client."""
        self._stack.close()


@contextmanager
def visits_to(node: Node, background: Background = no_background) -> Iterator[Visits]:
    """The node's API and plain pages, running in this process; without jobs in the background unless they are given."""
    app = plain_app(node.system, background)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        visits = Visits(app, portal)
        with closing(visits):
            yield visits


@contextmanager
def served(app: ASGIApp, **options: Any) -> Iterator[int]:
    """The port of a real server around `app`, in a thread of its own; options are uvicorn's."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2, **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


def wait_for(condition: Callable[[], Any], *, most_s: float = 8.0) -> Any:
    """What `condition` gives once it is true; an assertion where it does not come true in time."""
    until = time.monotonic() + most_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < until, "this did not come true in time"
        time.sleep(0.01)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Results of several calls begun together in threads, in their order; an exception is a result too."""
    gate = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(index: int, action: Callable[[], Any]) -> None:
        gate.wait()
        try:
            results[index] = action()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[index] = error

    threads = [threading.Thread(target=run, args=(index, action)) for index, action in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def length_ms(data: bytes) -> int:
    """How long a take is, by our own reading of it."""
    return inspect(io.BytesIO(data), size_bytes=len(data), max_duration_s=300, max_rate_hz=96_000).duration_ms
