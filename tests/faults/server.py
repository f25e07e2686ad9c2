"""The process that dies. A nursery imports everything once and forks one whole server for each life.

Run as `python -m tests.faults.server`: one JSON request a line on standard input, one JSON answer a line back.
The listening socket is made before the fork, so that a client may connect at once and simply waits to be answered.
"""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
import tempfile
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import taskiq
import uvicorn
from fastapi import FastAPI

import jobs.inprocess
import jobs.signs
from core.bootstrap import Outside, System, build
from core.bootstrap.makers import makers
from core.domain.consent import Mode
from core.domain.pool.facts import Wish
from core.domain.work import Job
from core.services.intake import Offering
from core.settings import load_settings
from memory_ui.app import plain_app
from memory_ui.cli.logs import set_up
from tests.faults import points as numbered
from tests.faults.broken import VARIANTS
from tests.wavs import take

LATER = timedelta(hours=2)
"""Past every reservation (an hour), claim and retry, and within the retention of an ordinary take."""
CALM_LOOKS = 3
LOOK_S = 0.003


class _Broker(taskiq.InMemoryBroker):
    """The in-process broker, remembered, so that the harness can see when its work is done."""

    last: "_Broker"

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        _Broker.last = self


class _Silent(jobs.signs.Signs):
    """Gives no sign of life: what it would write comes when it comes, and numbered lives count every write."""

    def show(self) -> None:
        return


async def _keep_nothing(_system: System) -> None:
    """The ledger goes to the store when it goes; numbered lives leave it in its file."""


def nurse() -> None:
    """Answer requests until standard input ends; servers still alive then are killed."""
    _warm_up()
    alive: set[int] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            answer = _start(request["start"], alive)
        elif "sweep" in request:
            answer = _sweep_later(request["sweep"])
        else:
            answer = _bury(request["end"], alive)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _warm_up() -> None:
    """Import, read and compile once what every life needs: catalogs, migrations, statements, the protocol."""
    made, sound = makers(), take(0.5, sample_rate_hz=8000)
    for make in made.derivatives.values():
        make(BytesIO(sound), len(sound), b"warm")
    made.loudness(BytesIO(sound), len(sound))
    with tempfile.TemporaryDirectory() as folder:
        system = build(load_settings(MEMORY_DATA_DIR=Path(folder)))
        uvicorn.Config(plain_app(system), log_config=None).load()
        whole = take(0.1)
        offering = Offering(
            stream=BytesIO(whole),
            size_bytes=len(whole),
            sha256=sha256(whole).hexdigest(),
            mode=Mode.ROOM,
            client_key="a",
        )
        kept = system.intake.keep(offering, lambda artifact, _secret: {"id": artifact.id})
        system.pool.next(Wish(), system.vault.rng())
        system.revocation.revoke(kept.secret)
        system.close()
    gc.freeze()


class _LaterClock:
    def now(self) -> datetime:
        return datetime.now(UTC) + LATER


def _sweep_later(given: dict[str, Any]) -> dict[str, int]:
    """What any process of the node does two hours from now: end rights, delete what is due, forget."""
    settings = load_settings(MEMORY_DATA_DIR=Path(given["data_dir"]), **given["settings"])
    system = build(settings, wrap=lambda outside: replace(outside, clock=_LaterClock()))
    try:
        return {
            "expired": system.retention.expire(),
            "swept": system.retention.sweep(),
            "pruned": system.retention.prune(),
        }
    finally:
        system.close()


def _start(given: dict[str, Any], alive: set[int]) -> dict[str, int]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = listener.getsockname()[1]
    pid = os.fork()
    if pid == 0:
        _live(given, listener)
    listener.close()
    alive.add(pid)
    return {"pid": pid, "port": port}


def _bury(given: dict[str, Any], alive: set[int]) -> dict[str, int]:
    pid = given["pid"]
    if given["signal"]:
        os.kill(pid, given["signal"])
    _, status = os.waitpid(pid, 0)
    alive.discard(pid)
    return {"code": os.waitstatus_to_exitcode(status)}


def _live(given: dict[str, Any], listener: socket.socket) -> None:
    """One life of a server; leaves by os._exit, so that nothing of the nursery is unwound in it."""
    code = 1
    try:
        log = os.open(given["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _serve(given, listener)
        code = 0
    except Exception:  # noqa: BLE001 -- a forked life must not fall back into the nursery's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _serve(given: dict[str, Any], listener: socket.socket) -> None:
    points = numbered.Points(Path(given["trace"]), given["kill_at"], fine=given["fine"])
    settings = load_settings(MEMORY_DATA_DIR=Path(given["data_dir"]), **given["settings"])
    set_up(settings.LOG_LEVEL)
    numbered.around_disk(points)
    if given["armed_from_birth"]:
        numbered.around_every_engine(points)
        points.arm()

    def wrap(outside: Outside) -> Outside:
        return VARIANTS.get(given["broken"], lambda same: same)(numbered.around(outside, points))

    system = build(settings, wrap=wrap)
    numbered.around_every_commit(points)
    if not given["scheduled"]:
        # Numbered lives are given their jobs by the driver, so that the numbers are the same each time.
        system = replace(system, intervals_s={})
        jobs.inprocess.Signs = _Silent  # type: ignore[misc]
        jobs.inprocess.keep = _keep_nothing
    jobs.inprocess.InMemoryBroker = _Broker  # type: ignore[misc]
    app = plain_app(system, jobs.inprocess.running)
    pointed = numbered.PointedApp(app, points)
    _add_controls(app, system, pointed)
    config = uvicorn.Config(
        pointed,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _add_controls(app: FastAPI, system: System, pointed: numbered.PointedApp) -> None:
    """Two addresses for the driver: kick a job as a commit would, and wait until no answer and no job is on its way."""

    async def kick(job: Job) -> dict[str, bool]:
        system.effects.job(job, ())
        return {"ok": True}

    async def calm() -> dict[str, bool]:
        looks = 0
        while looks < CALM_LOOKS:
            await asyncio.sleep(LOOK_S)
            # An answer whose last byte has arrived may still have its end to commit.
            busy = (
                pointed.answering
                or system.effects._waiting
                or not system.effects._queue.empty()
                or _Broker.last._running_tasks
            )
            looks = 0 if busy else looks + 1
        return {"ok": True}

    app.router.add_api_route("/_fault/kick", kick, methods=["POST"])
    app.router.add_api_route("/_fault/calm", calm, methods=["POST"])


if __name__ == "__main__":
    nurse()
