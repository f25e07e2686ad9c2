"""The process that dies, without a web server: services on either engine, forked warm for every life.

Run as `python -m tests.faults.service`: one JSON request a line on standard input, one JSON answer a line back. A life
begins as the successor of the one before: it starts the node, judges what it finds, does its deeds, and dies at its
point, at its moment, or not at all. What it says goes straight to a file: no death takes it back.
"""

import gc
import hashlib
import io
import json
import logging
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import core.bootstrap
from core.adapters.archive import SCRATCH
from core.adapters.stores.s3 import S3Store
from core.bootstrap import Outside, System, build, engines
from core.bootstrap.makers import makers
from core.errors import MemoryEngineError
from core.services.derive import Makers
from core.settings import Settings
from tests.fakes import FixedTimeSource, MoodyStore
from tests.faults import points as numbered
from tests.faults.broken import VARIANTS
from tests.faults.deeds import BY_NAME, Hands, LateClock, LateDrift, wav
from tests.faults.judge import judge, settle
from tests.faults.promises import Event, Promises

LONGEST_S = 60


def nurse() -> None:
    """Answer requests until standard input ends."""
    core.bootstrap.makers = _remembering(makers())  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        _warm_up({"MEMORY_DATA_DIR": folder})
    warm = False
    for line in sys.stdin:
        given = json.loads(line)
        if not warm and "DATABASE_URL" in given["settings"]:
            _warm_up(given["settings"])
            warm = True
        sys.stdout.write(json.dumps(_life(given)) + "\n")
        sys.stdout.flush()


def _warm_up(settings: dict[str, Any]) -> None:
    """Import, read and compile once what every life needs. No connection is open when a life is forked."""
    for number in range(8):
        for make in core.bootstrap.makers().derivatives.values():  # type: ignore[operator]
            make(io.BytesIO(wav(number)), len(wav(number)), hashlib.sha256(wav(number)).digest())
    system = build(_settings(settings))
    system.audit.run()
    system.close()
    if isinstance(system.outside.store, S3Store):
        system.outside.store.close()
    gc.collect()
    gc.freeze()


def _remembering(made: Makers) -> Callable[[], Makers]:
    """The makers, which make the same of the same: of takes that come again, once."""
    known: dict[tuple[Any, ...], Any] = {}

    def once(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
        def remembered(stream: BinaryIO, size_bytes: int, *seed: bytes) -> Any:
            whole = stream.read()
            key = (name, whole, *seed)
            if key not in known:
                stream.seek(0)
                known[key] = make(stream, size_bytes, *seed)
            return known[key]

        return remembered

    remembering = Makers(
        derivatives={kind: once(kind.value, make) for kind, make in made.derivatives.items()},
        loudness=once("loudness", made.loudness),
    )
    return lambda: remembering


def _settings(given: dict[str, Any]) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


def _life(given: dict[str, Any]) -> dict[str, Any]:
    """Fork one life and wait for its end; `after_ms` counts from when it has begun what it may die in."""
    ready, begun = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ready)
        _live(given, begun)
    os.close(begun)
    if given["after_ms"] is not None:
        _kill_later(ready, pid, given["after_ms"] / 1000)
    _, status = os.waitpid(pid, 0)
    os.close(ready)
    return {"code": os.waitstatus_to_exitcode(status)}


def _kill_later(ready: int, pid: int, after_s: float) -> None:
    # Nothing to read but the end of the pipe: it has died before.
    if os.read(ready, 1):
        select.select([ready], [], [], after_s)
        os.kill(pid, signal.SIGKILL)


def _live(given: dict[str, Any], begun: int) -> NoReturn:
    """One life; leaves by os._exit, so that nothing of the nursery is unwound in it."""
    code = 1
    try:
        signal.alarm(LONGEST_S)
        log = os.open(given["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        logging.basicConfig(level=logging.ERROR)
        Life(given, begun).live()
        code = 0
    except Exception:  # noqa: BLE001 -- a forked life must not fall back into the nursery's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


@dataclass(kw_only=True, slots=True)
class _Armed:
    """Where points are counted from, and the pipe that says so."""

    points: numbered.Points
    begun: int

    def arm(self) -> None:
        self.points.arm()
        os.write(self.begun, b"x")


class Life:
    """One life, from its start to its end."""

    def __init__(self, given: dict[str, Any], begun: int) -> None:
        self._given = given
        self._promises = Promises.from_json(given["promises"])
        self._journal = os.open(given["journal"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._armed = _Armed(
            points=numbered.Points(Path(given["trace"]), given["kill_at"], fine=True, kill_on=given["kill_on"]),
            begun=begun,
        )
        self._stores: list[MoodyStore] = []
        # The node has been migrated: what every start would look up again is looked up once.
        migrate = engines.upgrade
        engines.upgrade = lambda engine: migrate(engine) if SCRATCH in str(engine.url) else None

    def live(self) -> None:
        """Start, judge, do."""
        given = self._given
        numbered.around_disk(self._armed.points)
        system = self._start()
        settled = settle(system, self._stores[-1].inner, self._promises)
        if settled is not None:
            self._say(settled)
        if given["judge"]:
            for sentence in judge(system, self._stores[-1].inner, self._promises):
                self._say({"e": "wrong", "what": sentence})
        self._say({"e": "judged"})
        hands = Hands(
            system=system,
            store=self._stores[-1],
            promises=self._promises,
            say=self._say,
            restart=lambda: self._again(hands),
            identity=given["identity"],
        )
        numbered.around_every_commit(self._armed.points)
        for name, number in given["before"]:
            deed = BY_NAME[name]
            deed.do(hands, deed.prepare(hands, number))
        self._die_in(hands)
        hands.system.close()

    def _die_in(self, hands: Hands) -> None:
        given = self._given
        deed = BY_NAME[given["deed"]]
        memo = deed.prepare(hands, given["number"])
        self._say({"e": "armed", "deed": deed.name})
        hands.store.refuses |= set(given["refuses"])
        hands.store.loses |= set(given["loses"])
        self._armed.arm()
        began = time.monotonic()
        with suppress(MemoryEngineError):
            deed.do(hands, memo)
        self._say({"e": "done", "deed": deed.name, "ms": round(1000 * (time.monotonic() - began), 1)})

    def _again(self, hands: Hands) -> System:
        hands.system.close()
        refuses, loses = hands.store.refuses, hands.store.loses
        system = self._start()
        hands.store = self._stores[-1]
        hands.store.refuses, hands.store.loses = refuses, loses
        return system

    def _start(self) -> System:
        given = self._given
        settings = dict(given["settings"])
        for name in [given["deed"], *(name for name, _ in given["before"])]:
            settings |= BY_NAME[name].settings
        return build(_settings(settings), wrap=self._wrapped)

    def _wrapped(self, outside: Outside) -> Outside:
        points = self._armed.points
        inner = outside.store
        self._stores.append(MoodyStore(inner))
        if isinstance(inner, S3Store):
            numbered.around_requests(inner, points)
        pointed = numbered.around(replace(outside, store=self._stores[-1]), points)
        numbered.around_ledger(outside.ledger, pointed.store, points)
        late = replace(
            pointed,
            clock=LateClock(outside.clock, self._promises),
            drift=LateDrift(self._promises),
            source=FixedTimeSource(right=False),
        )
        return VARIANTS.get(self._given["broken"], lambda same: same)(late)

    def _say(self, event: Event) -> None:
        os.write(self._journal, (json.dumps(event) + "\n").encode())
        self._promises.apply(event)


if __name__ == "__main__":
    nurse()
