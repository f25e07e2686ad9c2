"""Starting lives of a server, asking them things, and judging what lies on disk after one has died."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from core.domain.custody import LEDGER_PREFIX

REPOSITORY = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = {
    "SWEEP_INTERVAL_SECONDS": 1,
    "LOG_LEVEL": "WARNING",
    "INGEST_PER_STATION_HOUR": 100_000,
    "INGEST_PER_ADDRESS_HOUR": 100_000,
    "REVOKE_PER_STATION_HOUR": 100_000,
    "REVOKE_PER_ADDRESS_HOUR": 100_000,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back of one request; status 0 where nothing did, not whole where the end is missing."""

    status: int
    body: bytes
    whole: bool

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """How one server is to live: which point kills it, what is taken out of it."""

    kill_at: int | None = None
    fine: bool = False
    scheduled: bool = False
    armed_from_birth: bool = False
    broken: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


class Nursery:
    """A process that has imported everything and forks servers; one at a time per user."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def ask(self, request: dict[str, Any]) -> dict[str, int]:
        """One request and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer

    @contextmanager
    def server(self, data_dir: Path, life: Life) -> Iterator["Server"]:
        """A server on a data folder; killed with -9 at the end, if it has not died before."""
        trace = data_dir.with_name("trace")
        trace.unlink(missing_ok=True)
        given = {
            "data_dir": str(data_dir),
            "log": str(data_dir.with_name("log")),
            "trace": str(trace),
            "kill_at": life.kill_at,
            "fine": life.fine,
            "scheduled": life.scheduled,
            "armed_from_birth": life.armed_from_birth,
            "broken": life.broken,
            "settings": {**SETTINGS, **life.settings},
        }
        born = self.ask({"start": given})
        client = httpx.Client(base_url=f"http://127.0.0.1:{born['port']}", timeout=30, trust_env=False, verify=False)
        server = Server(self, client, ("127.0.0.1", born["port"]), born["pid"], trace)
        try:
            yield server
        finally:
            client.close()
            server.end()

    def sweep_later(self, data_dir: Path, settings: dict[str, Any]) -> None:
        """Expire, sweep and prune as any process of the node would two hours from now."""
        self.ask({"sweep": {"data_dir": str(data_dir), "settings": {**SETTINGS, **settings}}})


class Server:
    """One living server, as its clients see it."""

    def __init__(self, nursery: Nursery, client: httpx.Client, address: tuple[str, int], pid: int, trace: Path) -> None:
        self._nursery = nursery
        self._client = client
        self.address = address
        self._pid = pid
        self._trace = trace
        self._ended = False

    def ask(self, method: str, path: str, **given: Any) -> Answer:
        """A request whose answer may break off anywhere."""
        status, body = 0, b""
        try:
            with self._client.stream(method, path, **given) as response:
                status = response.status_code
                for chunk in response.iter_raw():
                    body += chunk
        except httpx.TransportError:
            return Answer(status=status, body=body, whole=False)
        return Answer(status=status, body=body, whole=True)

    def kick(self, job: str) -> None:
        """Have a job done, and everything it leads to."""
        self.ask("POST", f"/_fault/kick?job={job}")
        self.calm()

    def calm(self) -> bool:
        """Wait until no job is on its way; False where the server has died instead."""
        return self.ask("POST", "/_fault/calm").whole

    def end(self, *, killed_itself: bool = False, politely: bool = False) -> None:
        """Kill it (or see that it has done so itself)."""
        if self._ended:
            return
        self._ended = True
        wanted = 0 if killed_itself else signal.SIGTERM if politely else signal.SIGKILL
        code = self._nursery.ask({"end": {"pid": self._pid, "signal": int(wanted)}})["code"]
        assert code in (-signal.SIGKILL, *([0, -signal.SIGTERM] if politely else [])), f"ended with {code}"

    @property
    def points(self) -> list[str]:
        """The points it has passed."""
        return self._trace.read_text().splitlines() if self._trace.exists() else []


def copied(data_dir: Path, to: Path) -> Path:
    """A copy of a prepared data folder in a fresh case folder."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    return Path(shutil.copytree(data_dir, to / "data"))


@contextmanager
def database(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """The database as it is, read past our own code."""
    with closing(sqlite3.connect(data_dir / "memory.db")) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows(data_dir: Path, sql: str) -> list[dict[str, Any]]:
    """Rows of one query."""
    with database(data_dir) as connection:
        return [dict(row) for row in connection.execute(sql)]


def stored_files(data_dir: Path) -> dict[str, str]:
    """Every file of the store, half-written ones too, with its SHA-256."""
    sounds = data_dir / "sounds"
    return {
        path.relative_to(sounds).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sounds.rglob("*")
        if path.is_file() and not path.relative_to(sounds).as_posix().startswith(LEDGER_PREFIX)
    }


def broken_custody(data_dir: Path) -> list[str]:
    """What is wrong with bytes and rows at rest, once sweeps have run; empty where every law holds."""
    wrong: list[str] = []
    held = rows(data_dir, "SELECT * FROM artifact WHERE state IN ('ACTIVE', 'EPHEMERAL')")
    left = {row["key"]: None for row in rows(data_dir, "SELECT key FROM derivative")}
    wanted = {row["raw_key"]: row["sha256"] for row in held if row["raw_key"]} | left
    found = stored_files(data_dir)
    wrong += [f"file without row: {key}" for key in found.keys() - wanted.keys()]
    wrong += [f"row without file: {key}" for key in wanted.keys() - found.keys()]
    wrong += [f"other bytes than promised: {key}" for key in wanted.keys() & found.keys()
              if wanted[key] not in (None, found[key])]  # fmt: skip
    wrong += [f"tombstone left: {dict(row)}" for row in rows(data_dir, "SELECT key, reason, error FROM tombstone")]
    wrong += [f"spooled: {path.name}" for path in (data_dir / "incoming").glob("*")]
    folders = [path for path in (data_dir / "sounds").glob("*/*") if path.is_dir()]
    wrong += [f"empty folder: {path.name}" for path in folders if not any(path.iterdir())]
    wrong += _broken_husks(data_dir)
    wrong += _broken_rows(data_dir)
    return wrong


def _broken_husks(data_dir: Path) -> list[str]:
    husks = rows(data_dir, "SELECT * FROM artifact WHERE state IN ('EXPIRED', 'REVOKED')")
    names = ("raw_key", "sha256", "outline", "once_hash", "playable_until", "loudness_lufs")
    wrong = [f"husk {row['id']} keeps {name}" for row in husks for name in names if row[name] is not None]
    wrong += [f"husk {row['id']} keeps its topic" for row in husks if row["topic"]]
    return wrong + [f"husk {row['id']} was never stamped gone" for row in husks if row["gone_at"] is None]


def _broken_rows(data_dir: Path) -> list[str]:
    integrity = [row["integrity_check"] for row in rows(data_dir, "PRAGMA integrity_check")]
    foreign = rows(data_dir, "PRAGMA foreign_key_check")
    lonely = rows(data_dir, "SELECT id FROM consent WHERE id NOT IN (SELECT consent_id FROM artifact)")
    dangling = rows(data_dir, "SELECT artifact_id FROM idempotency WHERE artifact_id NOT IN (SELECT id FROM artifact)")
    wrong = [] if integrity == ["ok"] else [f"integrity: {integrity}"]
    wrong += [f"foreign key: {row}" for row in foreign]
    wrong += [f"promise without a take: {row['id']}" for row in lonely]
    return wrong + [f"remembered answer without a take: {row['artifact_id']}" for row in dangling]
