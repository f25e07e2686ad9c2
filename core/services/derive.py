"""What is made from a take: spectrogram and essence of a fossil, the loudness of every take.

A fresh key is reserved for every attempt; state and rights are read again under the artifact's lock before anything is
published, and where they have ended meanwhile, or someone else was faster, the attempt's own key comes due.
"""

import io
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from core.audio.wav import inspect
from core.domain.artifact import Artifact, derivative_key
from core.domain.consent import SOUNDING, Kind
from core.domain.work import Job, Signal
from core.errors import StoreMissing
from core.ports.outside import ByteStore, NodeClock
from core.ports.work import Derivative, Transaction, UnitOfWork
from core.services.reserve import Reserve

COPY_BYTES = 1 << 20
LONGEST_S = 86_400.0
HIGHEST_HZ = 1 << 30
"""What is stored was accepted, or made, here: bounds of intake that were lowered since do not concern it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loudness:
    """Integrated loudness in LUFS and true peak in dBTP; None where the take is silent."""

    lufs: float | None
    peak_dbtp: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Makers:
    """The pure functions of the audio layer; each takes a seekable WAV stream and its size in bytes.

    A derivative's also takes a seed, the take's digest, so that the same take gives the same bytes.
    """

    derivatives: dict[Kind, Callable[[BinaryIO, int, bytes], bytes]]
    loudness: Callable[[BinaryIO, int], Loudness]


@dataclass(frozen=True, kw_only=True, slots=True)
class DeriveFigures:
    """`grace_s`: how old a take must be before its missing work is looked for; `again_s`: how long work asked for may
    take before it is asked for again; `attempts_most`: after so many failures in a row it is left to a steward."""

    reservation_s: int
    grace_s: float
    again_s: float
    attempts_most: int


class Outcome(StrEnum):
    """What became of one attempt."""

    PUBLISHED = "published"
    NOT_WANTED = "not wanted"
    TOO_LATE = "too late"


class DeriveService:
    """Makes derivatives and measurements; every call may be repeated, anywhere, at any moment."""

    def __init__(
        self,
        work: UnitOfWork,
        store: ByteStore,
        clock: NodeClock,
        makers: Makers,
        *,
        figures: DeriveFigures,
        spool: Path,
        reserve: Reserve,
    ) -> None:
        self._work = work
        self._store = store
        self._clock = clock
        self._makers = makers
        self._figures = figures
        self._spool = spool
        self._reserve = reserve

    def derive(self, artifact_id: int, kind_name: str) -> Outcome:
        """Make one derivative where the promise grants it and nobody has yet."""
        kind = Kind(kind_name)
        with self._work.read() as tx:
            artifact = self._wanting(tx, artifact_id, kind)
        if artifact is None:
            return Outcome.NOT_WANTED
        try:
            with self._raw(artifact) as (stream, size_bytes):
                data = self._makers.derivatives[kind](stream, size_bytes, bytes.fromhex(artifact.sha256 or ""))
        except StoreMissing:
            return Outcome.TOO_LATE
        return self._put(artifact, kind, data)

    def measure(self, artifact_id: int) -> Outcome:
        """Measure a take's loudness, once."""
        with self._work.read() as tx:
            artifact = tx.artifacts.get(artifact_id)
        if artifact is None or artifact.measured or not self._raw_lasts(artifact):
            return Outcome.NOT_WANTED
        try:
            with self._raw(artifact) as (stream, size_bytes):
                loudness = self._makers.loudness(stream, size_bytes)
        except StoreMissing:
            return Outcome.TOO_LATE
        now = self._clock.now()
        with self._work.write() as tx:
            found = tx.artifacts.lock(artifact_id)
            if found is None or not found.lasts(now):
                return Outcome.TOO_LATE
            tx.artifacts.measured(artifact_id, lufs=loudness.lufs, peak_dbtp=loudness.peak_dbtp, now=now)
        return Outcome.PUBLISHED

    def find_work(self, *, limit: int = 200) -> int:
        """Ask again for work that is missing, whatever became of the job that should have done it; how much."""
        now, figures = self._clock.now(), self._figures
        with self._work.write() as tx:
            lacking = tx.artifacts.lacking(now, before=now - timedelta(seconds=figures.grace_s), limit=limit)
            wanted = 0
            for lack in lacking:
                job = Job.MEASURE if lack.kind is None else Job.DERIVE
                args = (lack.artifact_id,) if lack.kind is None else (lack.artifact_id, lack.kind.value)
                subject = ":".join(str(arg) for arg in args)
                again = now - timedelta(seconds=figures.again_s)
                if tx.job_runs.want(job, subject, now, unless_since=again, attempts_most=figures.attempts_most):
                    tx.want(job, *args)
                    wanted += 1
        return wanted

    def _wanting(self, tx: Transaction, artifact_id: int, kind: Kind) -> Artifact | None:
        """The artifact, where its promise grants this derivative, its raw lasts and the derivative is missing."""
        artifact = tx.artifacts.get(artifact_id)
        if artifact is None or not self._raw_lasts(artifact):
            return None
        granted = kind in tx.consents.manifest(artifact.consent_id).derivatives
        until = artifact.derivative_until
        made = any(derivative.kind == kind for derivative in tx.derivatives.of(artifact_id))
        return artifact if granted and until is not None and self._clock.now() < until and not made else None

    def _raw_lasts(self, artifact: Artifact) -> bool:
        now = self._clock.now()
        # Also while it is under review: what a fossil was promised to leave does not wait for a steward.
        return artifact.lasts(now) and artifact.raw_lasts(now)

    @contextmanager
    def _raw(self, artifact: Artifact) -> Iterator[tuple[BinaryIO, int]]:
        """The take as a seekable, nameless local file: the makers read it in parts, and nothing of it is left."""
        key = artifact.raw_key or ""
        self._reserve.spare(self._store.size(key) or 0)
        with tempfile.TemporaryFile(dir=self._spool) as local:
            source = self._store.open(key)
            try:
                shutil.copyfileobj(source, local, COPY_BYTES)
            finally:
                source.close()
            size_bytes = local.tell()
            local.seek(0)
            yield local, size_bytes

    def _put(self, artifact: Artifact, kind: Kind, data: bytes) -> Outcome:
        key = derivative_key(artifact.public_id, uuid.uuid4().hex, kind)
        with self._work.write() as tx:
            # Read again under the lock: a take that ended while this was being made may have been told gone by now.
            tx.artifacts.lock(artifact.id)
            if self._wanting(tx, artifact.id, kind) is None:
                return Outcome.TOO_LATE
            until = self._clock.now() + timedelta(seconds=self._figures.reservation_s)
            # Of this artifact: until it is settled, nobody is told that nothing of the voice is left.
            tx.tombstones.reserve(key, until=until, reason="reserved", artifact_id=artifact.id)
        # Whatever goes wrong from here on, the reservation comes due: a store that did not answer may take it yet.
        self._store.put(key, io.BytesIO(data), len(data))
        sound = self._sound(kind, data)
        published = self._publish(artifact.id, kind, key, sound)
        return Outcome.PUBLISHED if published else Outcome.TOO_LATE

    def _sound(self, kind: Kind, data: bytes) -> "_Sound":
        """How long a derivative sounds, and how loud; nothing for a picture."""
        if kind is not SOUNDING:
            return _Sound()
        wav = inspect(io.BytesIO(data), size_bytes=len(data), max_duration_s=LONGEST_S, max_rate_hz=HIGHEST_HZ)
        loudness = self._makers.loudness(io.BytesIO(data), len(data))
        return _Sound(duration_ms=wav.duration_ms, loudness_lufs=loudness.lufs, peak_dbtp=loudness.peak_dbtp)

    def _publish(self, artifact_id: int, kind: Kind, key: str, sound: "_Sound") -> bool:
        now = self._clock.now()
        with self._work.write() as tx:
            tx.artifacts.lock(artifact_id)
            artifact = self._wanting(tx, artifact_id, kind)
            if artifact is None or artifact.derivative_until is None or not tx.tombstones.adopt(key):
                tx.tombstones.bury(
                    key, artifact_id=artifact_id, reason="derived too late", due_at=self._clock.earlier()
                )
                tx.want(Job.SWEEP_TOMBSTONES)
                return False
            made = Derivative(
                artifact_id=artifact_id,
                kind=kind.value,
                key=key,
                until=artifact.derivative_until,
                duration_ms=sound.duration_ms,
                loudness_lufs=sound.loudness_lufs,
                peak_dbtp=sound.peak_dbtp,
            )
            tx.derivatives.add(made, publishable=tx.consents.manifest(artifact.consent_id).publishable, now=now)
            if kind is SOUNDING:
                tx.artifacts.extend(artifact_id, artifact.derivative_until)
            tx.signal(Signal.POOL, derived=artifact_id)
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sound:
    duration_ms: int | None = None
    loudness_lufs: float | None = None
    peak_dbtp: float | None = None
