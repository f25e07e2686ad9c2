"""Every alarm of a node, produced for real: processes, servers, disk and clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from core.domain.warnings import Name
from tests.alarms.case import CRITICAL, EMBEDDED, STACK, WARNING, Cases
from tests.alarms.machine import STEP_BYTES
from tests.alarms.node import SCHEDULER, WEB, WORKER, Left, Node
from tests.engines import Engine
from tests.proxy import Fault

FIRST, CASES = Cases(), Cases()
"""On a node nobody has left anything at; on one whose room is neither empty nor out of shape."""

AHEAD_S = 600
LONG_S = 8
"""Longer than a sign of life counts."""
BROKEN = b"This was a voice."
QUEUED = frozenset({Name.QUEUE_FILLING})
"""Periodic jobs alone fill a queue nobody works on."""
UNHEARD = frozenset({Name.WORKER_STALE, Name.SCHEDULER_STALE})
"""For the second until those that could not give a sign of life, or gave it by another clock, have given one."""
Act = Iterator[None]


@FIRST.add(
    (Name.POOL_EMPTY, WARNING),
    (Name.POOL_LOW, WARNING),
    cause="a fresh node, then one take",
    remedy="three more takes are left",
)
def pool(node: Node) -> Act:
    yield
    node.leave()
    yield
    for _ in range(3):
        node.leave()


def just_under_what_is_free(node: Node) -> dict[str, object]:
    """Thresholds that one, two and three steps of filling reach."""
    free = max(machine.free_bytes() for machine in node.machines.values())
    names = ("DISK_WARNING_GB", "DISK_CRITICAL_GB", "DISK_RESERVE_GB")
    return {name: (free - (step + 0.5) * STEP_BYTES) / 1e9 for step, name in enumerate(names)}


@CASES.add(
    (Name.DISK_LOW, WARNING),
    (Name.DISK_LOW, CRITICAL),
    (Name.DISK_RESERVE, CRITICAL),
    cause="100, 200 and 300 MB are written to the disk of the data folder, thresholds lie just under what was free",
    remedy="the files are deleted",
    settings=just_under_what_is_free,
)
def disk_fills(node: Node) -> Act:
    for _ in range(3):
        node.web.fill_disk()
        yield
    node.web.clear_disk()


@CASES.add(
    (Name.WORKER_STALE, CRITICAL),
    cause="the worker is frozen (SIGSTOP)",
    remedy="it goes on (SIGCONT)",
    engines=STACK,
    beside=QUEUED,
)
def worker_frozen(node: Node) -> Act:
    node.worker.freeze()
    yield
    node.worker.thaw()


@CASES.add(
    (Name.WORKER_STALE, CRITICAL),
    cause="the worker is killed (-9)",
    remedy="it is started",
    engines=STACK,
    beside=QUEUED,
)
def worker_killed(node: Node) -> Act:
    node.worker.kill()
    yield
    node.worker.launch()


@CASES.add(
    (Name.SCHEDULER_STALE, CRITICAL),
    cause="the scheduler is killed (-9)",
    remedy="it is started",
    engines=STACK,
)
def scheduler_killed(node: Node) -> Act:
    node.scheduler.kill()
    yield
    node.scheduler.launch()


@CASES.add(
    (Name.QUEUE_FILLING, WARNING),
    (Name.QUEUE_FILLING, CRITICAL),
    cause="the worker is frozen while fossils are left",
    remedy="it goes on and works the queue off",
    engines=STACK,
    beside=frozenset({Name.WORKER_STALE}),
)
def queue_fills(node: Node) -> Act:
    node.worker.freeze()
    left = [node.leave("FOSSIL") for _ in range(6)]
    yield
    left += [node.leave("FOSSIL") for _ in range(7)]
    node.take_back(left[:6])  # more would give the pool a shape
    yield
    node.worker.thaw()
    node.take_back(left[6:])


@CASES.add(
    (Name.QUEUE_FILLING, WARNING),
    (Name.QUEUE_FILLING, CRITICAL),
    cause="fossils of 20 s are left faster than they can be worked on",
    remedy="nothing is done: the number falls",
    engines=EMBEDDED,
    settings=lambda _node: {"QUEUE_WARNING": 6, "QUEUE_CRITICAL": 12},
    told=False,
)
def queue_fills_by_itself(node: Node) -> Act:
    left = [node.leave("FOSSIL", 20) for _ in range(3)]
    yield
    left += [node.leave("FOSSIL", 20) for _ in range(3)]
    yield
    node.take_back(left)


@CASES.add((Name.STORE_DOWN, CRITICAL), cause="the S3 server is stopped", remedy="it is started", engines=STACK)
def store_stopped(node: Node) -> Act:
    node.s3.stop()
    yield
    node.s3.start()


@CASES.add(
    (Name.STORE_DOWN, CRITICAL),
    cause="the folder of sounds is moved away, as a disk that is not mounted",
    remedy="it is put back",
    engines=EMBEDDED,
)
def store_folder_away(node: Node) -> Act:
    away = node.sounds.rename(node.sounds.with_name("away"))
    yield
    away.rename(node.sounds)


@CASES.add((Name.QUEUE_DOWN, CRITICAL), cause="Redis is killed (-9)", remedy="it is started", engines=STACK)
def redis_killed(node: Node) -> Act:
    node.redis.kill()
    yield
    node.redis.start()


@CASES.add(
    (Name.DATABASE_DOWN, CRITICAL),
    cause="PostgreSQL is killed (-9); seen at `/healthz`, the status itself is 503",
    remedy="it is started",
    engines=STACK,
    beside=UNHEARD,
)
def postgres_killed(node: Node) -> Act:
    node.postgres.kill()
    yield
    time.sleep(LONG_S)
    node.postgres.start()


@CASES.add(
    (Name.DELETIONS_REFUSED, WARNING),
    (Name.DELETIONS_OVERDUE, CRITICAL),
    cause="the store refuses deletions (embedded: a folder lies where the file should), a take is taken back",
    remedy="the store deletes again",
)
def deletions_refused(node: Node) -> Act:
    left = node.leave()
    with undeletable(node, left):
        node.take_back([left])
        yield
        yield


@contextmanager
def undeletable(node: Node, left: Left) -> Iterator[None]:
    """The store refuses to delete for the length of a block."""
    if node.engine is Engine.STACK:
        with node.proxy.fault(Fault.ERROR, "DELETE"):
            yield
        return
    path = node.sounds / key_of(node, left)
    path.unlink()
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()


def key_of(node: Node, left: Left) -> str:
    """Where the sound of a take lies."""
    return str(node.rows("SELECT raw_key FROM artifact WHERE id = :id", id=left.id)[0][0])


@CASES.add(
    (Name.JOBS_FAILED, WARNING),
    cause="the bytes of a fossil are overwritten before anything was made of it",
    remedy="they are put back, and a steward lets the jobs try again",
)
def job_fails(node: Node) -> Act:
    asleep = node.worker if node.engine is Engine.STACK else node.web
    if node.engine is Engine.STACK:
        asleep.kill()
    else:
        # Its worker is a thread of the same process, kept busy until that is killed.
        busy = [node.leave("FOSSIL", 60) for _ in range(2)]
    left = node.leave("FOSSIL")
    asleep.kill()
    key = key_of(node, left)
    sound = node.read(key)
    node.overwrite(key, BROKEN)
    node.ready()
    yield
    node.overwrite(key, sound)
    for job, subject in node.rows("SELECT job, subject FROM job_run WHERE failed_at IS NOT NULL"):
        node.act("jobs/retry", job=job, subject=subject)
    node.take_back(busy if node.engine is Engine.EMBEDDED else [])
    node.wait(lambda: made_of(node, left) == 2, 30)
    node.take_back([left])


def made_of(node: Node, left: Left) -> int:
    """How many derivatives a take has."""
    return int(node.rows("SELECT count(*) FROM derivative WHERE artifact_id = :id", id=left.id)[0][0])


@CASES.add(
    (Name.CLOCK_MOVED, CRITICAL),
    cause=f"the clock of the machine is set {AHEAD_S} s ahead",
    remedy="it is set right",
    moves_clock=(WEB,),
    beside=frozenset({Name.WORKER_CLOCK}),  # for the second until there is a sign of life of now
)
def clock_moved(node: Node) -> Act:
    node.web.set_clock(AHEAD_S)
    yield
    node.web.set_clock(0)


@CASES.add(
    (Name.CLOCK_MOVED, CRITICAL),
    cause=f"the clock of the machine is set {AHEAD_S} s back",
    remedy="it is set right",
    moves_clock=(WEB,),
    beside=UNHEARD,
)
def clock_moved_back(node: Node) -> Act:
    node.web.set_clock(-AHEAD_S)
    yield
    node.web.set_clock(0)


@CASES.add(
    (Name.CLOCK_MOVED, CRITICAL),
    cause=f"a machine starts {AHEAD_S} s late, as one without a battery does, and is set right while the node runs",
    remedy="the time is right now: the node is restarted",
    engines=EMBEDDED,
    moves_clock=(WEB,),
)
def clock_late_at_start(node: Node) -> Act:
    node.web.stop()
    node.web.set_clock(-AHEAD_S)
    node.web.launch()
    node.wait(node.web.answers, 30)
    node.web.set_clock(0)
    yield
    node.web.stop()
    node.web.launch()
    node.wait(node.web.answers, 30)


@CASES.add(
    (Name.WORKER_CLOCK, WARNING),
    cause=f"the clock of the worker's machine is set {AHEAD_S} s ahead",
    remedy="it is set right",
    engines=STACK,
    beside=frozenset({Name.CLOCK_MOVED}),  # when it is that worker who looks
    moves_clock=(WORKER,),
)
def worker_clock(node: Node) -> Act:
    node.worker.set_clock(AHEAD_S)
    yield
    node.worker.set_clock(0)


@CASES.add(
    (Name.WORKER_CLOCK, WARNING),
    cause=f"a worker is started whose clock is {AHEAD_S} s ahead",
    remedy="it is set right, and the worker started again",
    engines=STACK,
    moves_clock=(WORKER,),
)
def worker_of_another_time(node: Node) -> Act:
    node.worker.kill()
    node.worker.set_clock(AHEAD_S)
    node.worker.launch()
    yield
    node.worker.kill()
    node.worker.set_clock(0)
    node.worker.launch()


@CASES.add(
    (Name.WORKER_CLOCK, WARNING),
    cause=f"the clock of the scheduler's machine is set {AHEAD_S} s ahead",
    remedy="it is set right",
    engines=STACK,
    moves_clock=(SCHEDULER,),
)
def scheduler_clock(node: Node) -> Act:
    node.scheduler.set_clock(AHEAD_S)
    yield
    node.scheduler.set_clock(0)
