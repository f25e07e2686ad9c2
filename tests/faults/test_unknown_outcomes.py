"""Deaths are not the only way to lose track: answers of the database that get lost, puts that outlast their
reservation, budgets that run out midway, folders that forget a file at a power cut."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from core.adapters.vault import open_vault
from core.bootstrap import Outside, System, build
from core.domain.artifact import State
from core.domain.consent import Mode
from core.errors import MemoryEngineError, Unavailable
from core.services.intake import Kept, Offering
from core.settings import load_settings
from tests.faults.acts import TAKE, upload
from tests.faults.harness import Life, Nursery, broken_custody, rows

STEP = timedelta(hours=2)


class _Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class _Work:
    """A unit of work; the commit that `left` counts down to is done, and then not answered."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.left = 0

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self._inner.write() as tx:
            yield tx
        self.left -= 1
        if self.left == 0:
            raise Unavailable("the connection broke while the commit was being answered")

    @contextmanager
    def read(self) -> Iterator[Any]:
        with self._inner.read() as tx:
            yield tx


class _SlowStore:
    """A store whose first put is overtaken by something, and which tells when an absence has just been verified."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.meanwhile: Callable[[], None] = lambda: None
        self.absent: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def put(self, key: str, stream: BinaryIO, size_bytes: int) -> None:
        overtaken, self.meanwhile = self.meanwhile, lambda: None
        overtaken()
        self._inner.put(key, stream, size_bytes)

    def size(self, key: str) -> int | None:
        found: int | None = self._inner.size(key)
        if found is None:
            self.absent()
        return found


@contextmanager
def _system(data_dir: Path, wrap: Callable[[Outside], Outside]) -> Iterator[System]:
    system = build(load_settings(MEMORY_DATA_DIR=data_dir), wrap=wrap)
    try:
        yield system
    finally:
        system.close()


def _keep(system: System, key: str = "the same key") -> Kept:
    offering = Offering(
        stream=BytesIO(TAKE), size_bytes=len(TAKE), sha256=sha256(TAKE).hexdigest(), mode=Mode.ROOM, client_key=key
    )
    return system.intake.keep(offering, lambda artifact, _secret: {"id": artifact.id})


def test_a_take_whose_adoption_was_committed_but_not_answered_keeps_its_bytes(tmp_path: Path) -> None:
    clock = _Clock()
    works: list[_Work] = []

    def put_in(outside: Outside) -> Outside:
        works.append(_Work(outside.work))
        return replace(outside, work=works[0], clock=clock)

    with _system(tmp_path, put_in) as system:
        # The first commit reserves, the second adopts.
        works[0].left = 2
        with pytest.raises(MemoryEngineError):
            _keep(system)
        system.retention.sweep()
        assert _keep(system).artifact.state is State.ACTIVE
        clock.ahead = STEP
        system.retention.sweep()
    assert broken_custody(tmp_path) == []


def test_bytes_of_a_put_that_outlasted_its_reservation_are_not_forgotten(tmp_path: Path) -> None:
    clock = _Clock()
    slow: list[_SlowStore] = []

    def wrap(outside: Outside) -> Outside:
        slow.append(_SlowStore(outside.store))
        return replace(outside, store=slow[0], clock=clock)

    with _system(tmp_path, wrap) as system:

        def sweep_overtakes() -> None:
            # A machine that sleeps with its lid closed, say, in the middle of an upload.
            clock.ahead += STEP
            system.retention.sweep()

        slow[0].meanwhile = sweep_overtakes
        assert _keep(system).artifact.state is State.ACTIVE
        clock.ahead += STEP
        system.retention.sweep()
    assert broken_custody(tmp_path) == []


def test_bytes_that_land_between_a_verified_absence_and_the_end_of_its_tombstone_are_not_forgotten(
    tmp_path: Path,
) -> None:
    clock = _Clock()
    slow: list[_SlowStore] = []
    absent, started_over = threading.Event(), threading.Event()

    def wrap(outside: Outside) -> Outside:
        slow.append(_SlowStore(outside.store))
        return replace(outside, store=slow[0], clock=clock)

    with _system(tmp_path, wrap) as system:
        sweep = threading.Thread(target=system.retention.sweep)

        def wait_for_the_next_attempt() -> None:
            absent.set()
            started_over.wait(20)

        def end_the_sweep() -> None:
            started_over.set()
            sweep.join()

        def begin_the_sweep() -> None:
            clock.ahead += STEP
            sweep.start()
            absent.wait(20)
            slow[0].meanwhile = end_the_sweep

        slow[0].absent = wait_for_the_next_attempt
        slow[0].meanwhile = begin_the_sweep
        assert _keep(system).artifact.state is State.ACTIVE
        clock.ahead += STEP
        system.retention.sweep()
    assert broken_custody(tmp_path) == []


def test_a_take_refused_for_its_budget_is_not_kept_all_the_same(tmp_path: Path) -> None:
    data_dir = tmp_path / "node" / "data"
    data_dir.mkdir(parents=True)
    life = Life(settings={"INGEST_PER_STATION_HOUR": 1})
    with Nursery() as nursery, nursery.server(data_dir, life) as server:
        with socket.create_connection(server.address) as slow:
            body = _form_body()
            slow.sendall(_form_head(len(body)))
            _until_asked_for_more(slow)
            first = upload(server, "ROOM", "quick")
            slow.sendall(body)
            status = int(slow.recv(65_536).split()[1])
        assert first.status == 201
        assert status in (201, 429)
        assert len(rows(data_dir, "SELECT id FROM artifact")) == (2 if status == 201 else 1)


def _form_head(length: int) -> bytes:
    lines = (
        "POST /api/v1/artifacts/audio HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: multipart/form-data; boundary=edge",
        f"Content-Length: {length}",
        "Expect: 100-continue",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode()


def _form_body() -> bytes:
    mode = b'--edge\r\nContent-Disposition: form-data; name="consent_mode"\r\n\r\nROOM\r\n'
    file = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    return mode + file + TAKE + b"\r\n--edge--\r\n"


def _until_asked_for_more(connection: socket.socket) -> None:
    # The server asks for the body once it has looked at the budget.
    assert connection.recv(1024).startswith(b"HTTP/1.1 100")


def test_the_keys_of_a_node_survive_a_power_cut_right_after_they_were_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real_sync(descriptor)

    def rename(source: Any, target: Any) -> None:
        done.append(f"renamed to {target}")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    open_vault(tmp_path)
    renamed = done.index(f"renamed to {tmp_path / 'keys.json'}")
    assert str(tmp_path) in done[renamed:], "the folder that names the file was never synced"
