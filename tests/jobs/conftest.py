"""A Redis of the test's own, and workers in processes of their own that a test may kill."""

import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import redis

from core.settings import Settings
from jobs.broker import BrokerFigures, StreamBroker, make_broker
from jobs.worker import run_worker, stop_on_signals
from tests.fakes import FixedDrift, wait_for

FIGURES = BrokerFigures(
    idle_timeout_s=1.0, attempts_most=2, claim_every_s=0.2, block_s=0.1, retry_first_s=0.05, retry_longest_s=0.2
)


class RedisServer:
    """A server on a port it keeps; it writes nothing to disk, so that killing it empties it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._folder = folder
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.client = redis.Redis(port=self._port)

    def start(self) -> None:
        """Start, empty; returns when it answers."""
        options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self._folder))
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self._port), *options], stdout=subprocess.DEVNULL
        )
        wait_for(self._answers)

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._process.wait(10)

    def hang(self) -> None:
        """Take connections and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Stop hanging."""
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis."""
    started = RedisServer(tmp_path)
    started.start()
    yield started
    started.client.close()
    started.kill()


@pytest.fixture
def spawn(server: RedisServer, tmp_path: Path) -> Iterator[Callable[[], BaseProcess]]:
    """Starts workers in processes of their own; they leave notes in the test's folder."""
    context = multiprocessing.get_context("spawn")
    started: list[BaseProcess] = []

    def start() -> BaseProcess:
        process = context.Process(target=live, args=(server.url, tmp_path), daemon=True)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join(10)
        process.close()


def live(url: str, folder: Path) -> None:
    """The life of a worker process; never given up by it, for it may be the one to die."""
    asyncio.run(_live(with_notes(make_broker(url, figures=FIGURES), folder), folder))


async def _live(broker: StreamBroker, folder: Path) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    await run_worker(deadly_system(folder), broker, stop=stop, grace_s=5)


def with_notes(broker: StreamBroker, folder: Path) -> StreamBroker:
    """Give a broker the job `note(name, seconds)`: works that long and notes when it begins and when it has ended."""

    def note(name: str, seconds: float) -> None:
        _write(folder / "begun", f"{name} {os.getpid()}")
        time.sleep(seconds)
        _write(folder / "done", f"{name} {os.getpid()}")

    broker.register_task(note, task_name="note")
    return broker


def deadly_system(folder: Path) -> MagicMock:
    """A system whose measuring kills the process it runs in."""

    def die(*_: object) -> None:
        _write(folder / "died", str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)

    system = any_system()
    system.derive.measure = die
    return system


def any_system() -> MagicMock:
    """A system whose jobs do nothing and are counted nowhere."""
    system = MagicMock()
    system.jobs.run = lambda _job, args, function: function(*args)
    system.settings = Settings(_env_file=None)  # type: ignore[call-arg]
    system.outside.drift = FixedDrift()
    return system


def read(path: Path) -> list[list[str]]:
    """The words of every line noted so far."""
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def _write(path: Path, line: str) -> None:
    with path.open("a") as notes:
        notes.write(line + "\n")
