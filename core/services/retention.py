"""Ending rights when their time comes, and making the end true.

`expire` ends rights and names keys; `sweep` deletes named keys and proves their absence; `prune` forgets rows that
no promise needs. Each may run twice, anywhere, at any moment. All go by what has passed for certain: while the clock is
in doubt its earlier reading ends nothing too soon, and whatever has ended already is deleted all the same.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.artifact import Artifact, State
from core.domain.consent import SOUNDING
from core.domain.work import Job, Signal
from core.errors import MemoryEngineError, Unavailable
from core.ports.outside import ByteStore, NodeClock
from core.ports.work import Tombstone, TombstoneCounts, Transaction, UnitOfWork

log = logging.getLogger(__name__)
BATCH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionFigures:
    """Pacing of deletion, and how long husks of rows are kept."""

    claim_s: int
    retry_first_s: float
    retry_longest_s: float
    idempotency_h: float
    access_event_days: float
    husk_days: float
    job_run_days: float
    trail_days: float
    sample_days: float
    report_days: float
    device_h: float


class Retention:
    """Expiry, the tombstone sweep, pruning."""

    def __init__(self, work: UnitOfWork, store: ByteStore, clock: NodeClock, *, figures: RetentionFigures) -> None:
        self._work = work
        self._store = store
        self._clock = clock
        self._figures = figures

    def expire(self) -> int:
        """End every right that is over; how many artifacts were touched."""
        touched = 0
        while True:
            now = self._clock.earlier()
            with self._work.read() as tx:
                due = tx.artifacts.due(now, limit=BATCH)
            ended = sum(self._expire_one(artifact_id, now) for artifact_id in due)
            touched += ended
            if len(due) < BATCH or ended == 0:
                return touched

    def _expire_one(self, artifact_id: int, now: datetime) -> bool:
        with self._work.write() as tx:
            artifact = tx.artifacts.lock(artifact_id)
            if artifact is None or not artifact.state.held:
                return False
            until = _playable_until(tx, artifact, now)
            if until is None:
                state = State.REVOKED if artifact.state is State.EPHEMERAL else State.EXPIRED
                if not _over(artifact, now):
                    return False
                bury_all(tx, artifact, "expired", now)
                tx.artifacts.end(artifact.id, state, now)
                tx.signal(Signal.POOL, dropped=[artifact.id])
            else:
                if artifact.raw_key is None:
                    return False
                tx.tombstones.bury(artifact.raw_key, artifact_id=artifact.id, reason="raw expired", due_at=now)
                tx.artifacts.drop_raw(artifact.id, until)
            tx.want(Job.SWEEP_TOMBSTONES)
        return True

    def prune_derivatives(self) -> int:
        """Name the keys of derivatives whose own right is over; how many."""
        pruned = 0
        while True:
            now = self._clock.earlier()
            with self._work.read() as tx:
                due = tx.derivatives.due(now, limit=BATCH)
            ended = 0
            for derivative in due:
                with self._work.write() as tx:
                    tx.artifacts.lock(derivative.artifact_id)
                    if tx.derivatives.drop_one(derivative):
                        owner = derivative.artifact_id
                        tx.tombstones.bury(derivative.key, artifact_id=owner, reason="expired", due_at=now)
                        tx.want(Job.SWEEP_TOMBSTONES)
                        ended += 1
            pruned += ended
            if len(due) < BATCH or ended == 0:
                return pruned

    def sweep(self, *, keys: Sequence[str] | None = None, most_s: float | None = None) -> int:
        """Delete what is due, verify its absence, drop its tombstone; how many keys are gone.

        A key that refuses is counted and rests, longer each time; it is never given up. A store that hangs must not
        hang the sweep: what was claimed and not reached in time is given back.
        """
        gone = 0
        figures = self._figures
        ends_at = self._clock.earlier() + timedelta(seconds=figures.claim_s / 2 if most_s is None else most_s)
        while True:
            now = self._clock.earlier()
            until = now + timedelta(seconds=figures.claim_s)
            ahead_at = now + 2 * timedelta(seconds=max(figures.claim_s, figures.retry_longest_s))
            # Claimed and committed before anything is deleted: an adoption that comes later finds the claim.
            with self._work.write() as tx:
                claimed = tx.tombstones.claim(now, until=until, ahead_at=ahead_at, limit=BATCH, keys=keys)
            for reached, tombstone in enumerate(claimed, 1):
                gone += self._bury(tombstone)
                if self._clock.earlier() > ends_at:
                    with self._work.write() as tx:
                        tx.tombstones.release(claimed[reached:])
                    return gone
            if len(claimed) < BATCH:
                return gone

    def _bury(self, tombstone: Tombstone) -> bool:
        try:
            self._delete(tombstone.key)
        except MemoryEngineError as error:
            log.warning("tombstone.refused", extra={"reason": tombstone.reason, "attempts": tombstone.attempts + 1})
            rest_s = min(
                self._figures.retry_longest_s, self._figures.retry_first_s * 2.0 ** min(tombstone.attempts, 30)
            )
            again_at = self._clock.earlier() + timedelta(seconds=rest_s)
            with self._work.write() as tx:
                tx.tombstones.failed(tombstone.key, error.message, again_at=again_at)
            return False
        with self._work.write() as tx:
            if tombstone.artifact_id is not None:
                # Of two sweeps that clear the last two keys, neither would see that the other's is gone, too.
                tx.artifacts.lock(tombstone.artifact_id)
            artifact_id = tx.tombstones.clear(tombstone)
            if artifact_id is not None:
                tx.artifacts.stamp_gone(artifact_id, self._clock.now())
        return True

    def _delete(self, key: str) -> None:
        self._store.delete(key)
        if self._store.size(key) is not None:
            raise Unavailable("still there after its deletion")

    def waiting(self) -> TombstoneCounts:
        """Deletions that wait, and reservations."""
        with self._work.read() as tx:
            return tx.tombstones.counts(self._clock.earlier())

    def prune(self) -> int:
        """Forget rows that no promise needs any more."""
        now, figures = self._clock.earlier(), self._figures
        with self._work.write() as tx:
            forgotten = tx.idempotency.prune(now - timedelta(hours=figures.idempotency_h))
            forgotten += tx.take_keys.prune(now)
            forgotten += tx.events.prune(now - timedelta(days=figures.access_event_days))
            forgotten += tx.job_runs.prune(now - timedelta(days=figures.job_run_days))
            forgotten += tx.presences.prune(now - timedelta(days=figures.job_run_days))
            forgotten += tx.steward.prune(now - timedelta(days=figures.trail_days))
            forgotten += tx.samples.prune(now - timedelta(days=figures.sample_days))
            forgotten += tx.reports.prune(now - timedelta(days=figures.report_days))
            forgotten += tx.devices.prune(now - timedelta(hours=figures.device_h))
            forgotten += tx.sessions.prune(now)
            forgotten += tx.artifacts.prune_husks(now - timedelta(days=figures.husk_days), limit=BATCH)
        return forgotten


def keys_of(tx: Transaction, artifact: Artifact) -> list[str]:
    """Every key under which something of an artifact is stored."""
    return [*([artifact.raw_key] if artifact.raw_key else []), *(made.key for made in tx.derivatives.of(artifact.id))]


def bury_all(tx: Transaction, artifact: Artifact, reason: str, due_at: datetime) -> dict[str, int]:
    """Name every key of an artifact as due; how many of each kind."""
    deleted: dict[str, int] = {}
    if artifact.raw_key is not None:
        tx.tombstones.bury(artifact.raw_key, artifact_id=artifact.id, reason=reason, due_at=due_at)
        deleted["raw"] = 1
    for derivative in tx.derivatives.drop(artifact.id):
        tx.tombstones.bury(derivative.key, artifact_id=artifact.id, reason=reason, due_at=due_at)
        deleted[derivative.kind] = deleted.get(derivative.kind, 0) + 1
    return deleted


def _playable_until(tx: Transaction, artifact: Artifact, now: datetime) -> datetime | None:
    """Until when something of this artifact still sounds once its raw is over; None where nothing does."""
    return max(
        (
            derivative.until
            for derivative in tx.derivatives.of(artifact.id)
            if derivative.kind == SOUNDING and derivative.until > now
        ),
        default=None,
    )


def _over(artifact: Artifact, now: datetime) -> bool:
    return artifact.raw_until is None or artifact.raw_until <= now
