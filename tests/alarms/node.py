"""A running node to alarm, on either engine, and the steward who looks at it."""

import io
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, text, update

from core.adapters.sql.engine import open_engine, sqlite_url
from core.adapters.sql.tables import ArtifactRow
from core.adapters.stores.files import FileStore
from core.adapters.stores.s3 import S3Place, S3Store
from core.ports.outside import ByteStore
from tests.alarms.machine import Machine, unproven
from tests.chaos.stack import SHORT
from tests.engines import Engine
from tests.processes import LOOPBACK, Opened
from tests.proxy import FaultyProxy
from tests.servers import private_postgres, private_redis, private_s3
from tests.sinks import mail_sink, web_sink
from tests.wavs import take

LOOK_S = 0.1
START_S = 60.0
WEB, WORKER, SCHEDULER = "web-1", "worker-1", "scheduler-1"
BUCKET = "voices"
NO_ANSWER = "no answer"

FIGURES: dict[str, Any] = {
    **SHORT,
    "SWEEP_INTERVAL_SECONDS": 3,
    "EXPIRE_INTERVAL_SECONDS": 30,
    "PRUNE_INTERVAL_SECONDS": 60,
    "FIND_WORK_INTERVAL_SECONDS": 5,
    "HEARTBEAT_STALE_SECONDS": 6,
    "JOB_IDLE_SECONDS": 30,
    "WATCH_INTERVAL_SECONDS": 2,
    "TOMBSTONE_OVERDUE_SECONDS": 6,
    "QUEUE_WARNING": 20,
    "QUEUE_CRITICAL": 40,
    "POOL_LOW_PLAYABLE": 2,
    "WARN_QUIET_MINUTES": 0.05,
    "DISK_WARNING_GB": 0.003,
    "DISK_WARNING_SHARE": 0.0003,
    "DISK_CRITICAL_GB": 0.002,
    "DISK_CRITICAL_SHARE": 0.0002,
    "DISK_RESERVE_GB": 0.001,
    "DISK_RESERVE_SHARE": 0.0001,
}
"""Minutes brought down to seconds, gigabytes to what a test can fill; a clock may be off by the default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """A take that was left, as its participant knows it."""

    id: int
    code: str


class Node(Opened):
    """Machines, what they stand on, and a steward. Nothing is launched before `ready` is called."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        super().__init__()
        self.machines: dict[str, Machine] = {}

    def _start(self) -> None:
        self.webhook = self._open.enter_context(web_sink())
        self.mail = self._open.enter_context(mail_sink())
        self._settings = {
            **FIGURES,
            "OPS_SHARED_SECRET": secrets.token_hex(16),
            "WARN_WEBHOOK_URL": self.webhook.url(),
            "WARN_EMAIL_TO": "ana@example.org",
            "SMTP_HOST": LOOPBACK,
            "SMTP_PORT": self.mail.port,
            "SMTP_SECURITY": "none",
        }
        stacked = self.engine is Engine.STACK
        if stacked:
            self._settings |= self._servers()
        for name in (WEB, WORKER, SCHEDULER) if stacked else (WEB,):
            machine = self.machines[name] = Machine(name, self._settings)
            self._open.callback(machine.remove)
            self._open.callback(machine.kill)
        self.visitor = self._open.enter_context(httpx.Client(verify=unproven(), timeout=30))
        self.steward = self._open.enter_context(httpx.Client(verify=unproven(), timeout=30))

    def _servers(self) -> dict[str, Any]:
        self.postgres = self._open.enter_context(private_postgres())
        self.redis = self._open.enter_context(private_redis())
        self.s3 = self._open.enter_context(private_s3())
        self.proxy = self._open.enter_context(FaultyProxy(self.s3.port))
        return {
            "DATABASE_URL": self._open.enter_context(self.postgres.fresh_database(migrated=False)),
            "REDIS_URL": self.redis.url,
            "MINIO_ENDPOINT": f"http://{self.proxy.endpoint}",
            "MINIO_BUCKET": BUCKET,
            "MINIO_ACCESS_KEY": self.s3.access_key,
            "MINIO_SECRET_KEY": self.s3.secret_key,
            "CODE_KEY": secrets.token_hex(32),
            "TOKEN_KEY": secrets.token_hex(32),
        }

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{'https' if self.web.secured else 'http'}://{LOOPBACK}:{self.web.port}"

    @property
    def web(self) -> Machine:
        """The process that answers; of the embedded engine the only one."""
        return self.machines[WEB]

    @property
    def worker(self) -> Machine:
        """The stack's."""
        return self.machines[WORKER]

    @property
    def scheduler(self) -> Machine:
        """The stack's."""
        return self.machines[SCHEDULER]

    def configure(self, **settings: Any) -> None:
        """These beside its own, from the next `ready` on."""
        for machine in self.machines.values():
            machine.configure({**self._settings, **settings})

    def ready(self) -> None:
        """Every machine runs as it is configured, and the steward is signed in."""
        self.visitor.base_url = self.steward.base_url = self.url
        stale = [machine for machine in self.machines.values() if not machine.as_configured]
        for machine in stale:
            machine.stop()
            machine.launch()
        self.wait(lambda: self.web.running and self.web.answers(), START_S)
        if self.web in stale:
            self.sign_in()
        for machine in stale:
            if machine is not self.web:
                self.wait(lambda pid=machine.pid: self._heard_of(pid), START_S)

    def _heard_of(self, pid: int) -> bool:
        """Whether a process of the background has given a sign of life; its name holds its number."""
        return any(f"-{pid}-" in name for (name,) in self.rows("SELECT name FROM presence"))

    def sign_in(self) -> None:
        """Open a steward's session, whatever became of the last one."""
        self.steward.cookies.clear()
        answer = self.steward.post("/ops/", data={"secret": self._settings["OPS_SHARED_SECRET"]})
        if answer.status_code != 303:
            raise RuntimeError(f"signing in was answered with {answer.status_code}")

    def wait(self, condition: Callable[[], Any], most_s: float) -> None:
        """Until `condition` holds."""
        end = time.monotonic() + most_s
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"this did not come true in {most_s:g} s\n{self.ends_of_logs()}")
            time.sleep(LOOK_S)

    def standing(self) -> dict[str, dict[str, str]]:
        """What a steward is shown, by name; where there is no status, what health says is away."""
        with suppress(httpx.HTTPError):
            answer = self.steward.get("/api/v1/node/status")
            if answer.status_code == 200:
                return {one["name"]: one for one in answer.json()["warnings"]}
            health = self.visitor.get("/healthz")
            if (answer.status_code, health.status_code) == (503, 503):
                away = [name for name, state in health.json()["components"].items() if state == "down"]
                return {f"{name}_down": {"level": "critical", "title": ""} for name in away}
            return {f"status {answer.status_code}": {"level": "critical", "title": ""}}
        return {NO_ANSWER: {"level": "critical", "title": ""}}

    def leave(self, mode: str = "ROOM", seconds: float = 0.3) -> Left:
        """A visitor leaves a take."""
        upload = {"file": ("take.wav", take(seconds, sample_rate_hz=16_000), "audio/wav")}
        answer = self.visitor.post("/api/v1/artifacts/audio", files=upload, data={"consent_mode": mode})
        answer.raise_for_status()
        said = answer.json()
        return Left(id=said["artifact"]["id"], code=said["revocation_token"])

    def take_back(self, left: Sequence[Left]) -> None:
        """Their participants want them back."""
        for one in left:
            self.visitor.post("/api/v1/revoke", json={"token": one.code}).raise_for_status()

    def act(self, path: str, **said: Any) -> None:
        """A steward does something."""
        self.steward.post(f"/api/v1/operator/{path}", json=said).raise_for_status()

    def rows(self, sql: str, **params: Any) -> list[Any]:
        """What the database finds."""
        with self._database() as connection:
            return list(connection.execute(text(sql), params))

    def change(self, left: Left, **values: Any) -> None:
        """Give a take's row other values, as time would."""
        with self._database() as connection:
            connection.execute(update(ArtifactRow).where(ArtifactRow.id == left.id).values(**values))

    def overwrite(self, key: str, data: bytes) -> None:
        """Put other bytes under a key, past the node."""
        self._store().put(key, io.BytesIO(data), len(data))

    def remove(self, key: str) -> None:
        """Delete what lies under a key, past the node."""
        self._store().delete(key)

    def read(self, key: str) -> bytes:
        """What lies under a key."""
        with self._store().open(key) as stream:
            return stream.read()

    @property
    def sounds(self) -> Path:
        """The embedded engine's folder of bytes."""
        return self.web.disk / "data" / "sounds"

    def ends_of_logs(self, lines: int = 15) -> str:
        """For a person who has to find out why."""
        return "\n".join(
            "\n".join((f"== {name}", *machine.log_lines()[-lines:])) for name, machine in self.machines.items()
        )

    @contextmanager
    def _database(self) -> Iterator[Connection]:
        engine = open_engine(self._settings.get("DATABASE_URL") or sqlite_url(self.web.disk / "data"))
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def _store(self) -> ByteStore:
        if self.engine is Engine.EMBEDDED:
            return FileStore(self.sounds)
        keys = {"access_key": self.s3.access_key, "secret_key": self.s3.secret_key}
        return S3Store(S3Place(endpoint=self.s3.endpoint, bucket=BUCKET, secure=False, **keys))
