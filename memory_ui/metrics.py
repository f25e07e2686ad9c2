"""Prometheus text at `/metrics`: what this process counted, and what the node knows when it is asked.

Names and labels are fixed; nothing of a participant can be in them.
"""

from collections.abc import Iterable

from fastapi import APIRouter, Response
from nicegui import Client
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from core.bootstrap import System
from core.domain.sensor import Subject
from core.errors import MemoryEngineError, NotFound
from core.ports.work import QueueDepth
from memory_ui.api.answers import refusals
from memory_ui.web import SystemOf, in_thread

router = APIRouter()

OWN = CollectorRegistry()
REQUESTS = Counter("memory_engine_requests", "Requests answered.", ("method", "address", "status"), registry=OWN)
LATENCY = Histogram(
    "memory_engine_request_seconds",
    "Seconds from a request's first byte to its answer's last.",
    ("address",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
    registry=OWN,
)
INTAKE = Counter("memory_engine_intake", "Takes offered, by what became of them.", ("mode", "result"), registry=OWN)
SELECTIONS = Counter("memory_engine_selections", "Choices of the pool.", ("result",), registry=OWN)
HEARD = Counter("memory_engine_heard", "Acknowledged playbacks.", ("result",), registry=OWN)

_TEXT = {"description": "Text for Prometheus.", "content": {"text/plain": {"schema": {"type": "string"}}}}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(method: str, address: str, status: int, seconds: float) -> None:
    """One request, answered; `address` holds words of our own addresses only."""
    REQUESTS.labels(method if method in _METHODS else "other", address, str(status)).inc()
    LATENCY.labels(address).observe(seconds)


@router.get("/metrics", response_class=Response, responses={200: _TEXT, **refusals(404)})
async def metrics(system: SystemOf) -> Response:
    """What this process counted and what the node knows, for Prometheus; off unless a setting turns it on."""
    if not system.settings.METRICS:
        raise NotFound("There is nothing at this address.")
    try:
        queue = await system.effects.depth()
    except MemoryEngineError:
        queue = None
    node = CollectorRegistry()
    node.register(_Node(system, queue))
    body = generate_latest(OWN) + await in_thread(generate_latest, node)
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


class _Node:
    """What the node knows, read once for one answer."""

    def __init__(self, system: System, queue: QueueDepth | None) -> None:
        self._system = system
        self._queue = queue

    def collect(self) -> Iterable[Metric]:
        """Gauges and counters of the whole node."""
        system = self._system
        now, certain = system.clock.now(), system.clock.earlier()
        try:
            with system.work.read() as tx:
                tombstones = tx.tombstones.counts(certain)
                playable = tx.artifacts.count_playable(now)
                counts = tx.job_runs.counts()
                people = tx.steward.state().at(now).sensed.word(Subject.OCCUPANCY)
        except MemoryEngineError:
            yield GaugeMetricFamily("memory_engine_database_up", "Whether the database answers.", value=0)
            return
        yield GaugeMetricFamily("memory_engine_database_up", "Whether the database answers.", value=1)
        oldest_s = (certain - tombstones.oldest_due_at).total_seconds() if tombstones.oldest_due_at is not None else 0.0
        yield _gauge("playable", "Artifacts the room may choose from.", playable)
        yield _gauge("tombstones_due", "Keys whose deletion is due.", tombstones.due)
        yield _gauge("tombstones_failing", "Keys the store has refused to delete.", tombstones.failing)
        yield _gauge("tombstones_oldest_seconds", "Age of the oldest due deletion.", oldest_s)
        yield _gauge("disk_free_bytes", "Free on the disk of the data folder.", system.outside.disk.free_bytes())
        yield _gauge("disk_total_bytes", "Size of that disk.", system.outside.disk.total_bytes())
        yield _gauge("clock_doubted", "Whether the clock is in doubt.", float(system.clock.doubt() is not None))
        if people is not None:
            yield _gauge("occupancy", "People in the room, by the last word of a sensor.", people.value)
        yield _gauge("open_pages", "Pages open on this process.", len(Client.instances))
        if self._queue is not None:
            yield _gauge("queue_waiting", "Jobs no worker has read yet.", self._queue.waiting)
            yield _gauge("queue_running", "Jobs in a worker's hands.", self._queue.running)
            yield _gauge("queue_oldest_seconds", "Age of the oldest waiting job.", self._queue.oldest_waiting_s)
        ended = CounterMetricFamily("memory_engine_jobs", "Jobs ended.", labels=("job", "result"))
        for count in counts:
            ended.add_metric((count.job, "done"), count.done)
            ended.add_metric((count.job, "failed"), count.failures)
        yield ended


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"memory_engine_{name}", text, value=value)
