"""A room for those who have no voices yet: generated sounds, marked, promised and removed like any take.

All of them are adopted in one transaction, so that a room holds the whole set or nothing of it; a kill on the way
leaves reserved keys that the sweep removes. Nobody holds a code for them: they end with their hour, or by `clear`.
"""

import hashlib
import io
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.audio import wav
from core.audio.outline import outline
from core.audio.voicelike import Samples, Speaker, VoiceFigures, voicelike
from core.domain.artifact import DRAW_BITS, NewArtifact, State, raw_key
from core.domain.consent import Mode, Notice, RetentionPolicy, promise
from core.domain.work import Job, Signal
from core.errors import MemoryEngineError, Unavailable
from core.ports.outside import ByteStore, NodeClock, Vault
from core.ports.work import Transaction, UnitOfWork
from core.services.retention import Retention, bury_all


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoTake:
    """One sound and the life it has supposedly had; hours count back from the moment of filling."""

    seed: int
    f0_hz: float
    throat: float
    syllables_per_s: float
    breath: float
    duration_s: float
    effect: str
    age_hours: float
    plays: int
    wear: float
    heard_hours_ago: float | None = None

    def __post_init__(self) -> None:
        if (self.heard_hours_ago is None) != (self.plays == 0):
            raise ValueError("heard_hours_ago goes with plays")
        if self.heard_hours_ago is not None and self.heard_hours_ago > self.age_hours:
            raise ValueError("heard_hours_ago is before the take was given")
        if not 0 <= self.wear <= 1 or not 0 <= self.breath <= 1 or self.plays < 0 or self.age_hours < 0:
            raise ValueError("wear and breath are shares; plays and age_hours are not negative")

    @property
    def speaker(self) -> Speaker:
        """Who murmurs."""
        return Speaker(f0_hz=self.f0_hz, throat=self.throat, syllables_per_s=self.syllables_per_s, breath=self.breath)


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoCatalog:
    """`assets/catalogs/demo.toml`."""

    most_of_promise: float
    voice: VoiceFigures
    takes: tuple[DemoTake, ...]

    def __post_init__(self) -> None:
        if not 0 < self.most_of_promise < 1 or not self.takes:
            raise ValueError("most_of_promise is a share, and there must be takes")


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """What is in the room now; `added` is False where it was there before and nothing was done."""

    added: bool
    takes: int
    duration_ms: int
    oldest_age: timedelta
    ends_by: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleared:
    """What was taken out; `waiting` keys could not be verified gone yet and are retried by every sweep."""

    takes: int
    keys: int
    waiting: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sound:
    take: DemoTake
    samples: Samples
    data: bytes
    public_id: str
    key: str


class DemoService:
    """Fills the room with demonstration sounds and takes them out again."""

    def __init__(
        self,
        work: UnitOfWork,
        store: ByteStore,
        vault: Vault,
        clock: NodeClock,
        retention: Retention,
        *,
        ready: Callable[[], None],
        catalog: DemoCatalog,
        policy: RetentionPolicy,
        notice: Notice,
        deployment: str,
        reservation_s: int,
    ) -> None:
        self._work = work
        self._store = store
        self._vault = vault
        self._clock = clock
        self._retention = retention
        self._ready = ready
        self._catalog = catalog
        self._policy = policy
        self._notice = notice
        self._deployment = deployment
        self._reservation_s = reservation_s

    def fill(self) -> Filled:
        """Add the whole set unless some of one still plays. Raises what intake raises, and has then added nothing."""
        with self._work.read() as tx:
            present = self._present(tx)
        if present is not None:
            return present
        self._ready()
        sounds = [self._sound(take) for take in self._catalog.takes]
        keys = [sound.key for sound in sounds]
        with self._work.write() as tx:
            until = self._clock.now() + timedelta(seconds=self._reservation_s)
            for key in keys:
                tx.tombstones.reserve(key, until=until, reason="reserved")
        try:
            for sound in sounds:
                self._store.put(sound.key, io.BytesIO(sound.data), len(sound.data))
            filled = self._adopt(sounds)
        except MemoryEngineError:
            self._abandon(keys)
            raise
        if not filled.added:
            self._abandon(keys)
        return filled

    def clear(self) -> Cleared:
        """Revoke every demonstration sound, delete its bytes and verify their absence. Harmless when repeated."""
        now = self._clock.now()
        with self._work.write() as tx:
            locked = [tx.artifacts.lock(artifact_id) for artifact_id in sorted(tx.artifacts.demo_ids())]
            held = [artifact for artifact in locked if artifact is not None and artifact.state.held]
            keys = [artifact.raw_key for artifact in held if artifact.raw_key is not None]
            for artifact in held:
                keys += [derivative.key for derivative in tx.derivatives.of(artifact.id)]
                bury_all(tx, artifact, "revoked", self._clock.earlier())
                tx.artifacts.end(artifact.id, State.REVOKED, now)
                tx.consents.withdraw(artifact.consent_id, now)
            if held:
                tx.signal(Signal.POOL, dropped=[artifact.id for artifact in held])
                tx.want(Job.SWEEP_TOMBSTONES)
        if keys:
            self._retention.sweep(keys=keys)
        with self._work.read() as tx:
            waiting = tx.tombstones.open_for([artifact.id for artifact in held])
        return Cleared(takes=len(held), keys=len(keys), waiting=waiting)

    def _present(self, tx: Transaction) -> Filled | None:
        now = self._clock.now()
        found = [tx.artifacts.get(artifact_id) for artifact_id in tx.artifacts.demo_ids()]
        # One whose hour is over is only waiting for its end, and no reason to leave the room empty.
        playing = [artifact for artifact in found if artifact is not None and artifact.playable(now)]
        if not playing:
            return None
        return Filled(
            added=False,
            takes=len(playing),
            duration_ms=sum(artifact.duration_ms for artifact in playing),
            oldest_age=now - min(artifact.created_at for artifact in playing),
            ends_by=max(artifact.playable_until or now for artifact in playing),
        )

    def _sound(self, take: DemoTake) -> _Sound:
        figures = self._catalog.voice
        samples = voicelike(take.speaker, take.duration_s, figures, np.random.default_rng(take.seed))
        public_id = uuid.uuid4().hex
        return _Sound(
            take=take,
            samples=samples,
            data=wav.write(samples, figures.sample_rate_hz),
            public_id=public_id,
            key=raw_key(public_id, ephemeral=False),
        )

    def _adopt(self, sounds: list[_Sound]) -> Filled:
        with self._work.write() as tx:
            # Asked again under the writers' lock: another fill may have come first.
            present = self._present(tx)
            if present is not None:
                return present
            if not all(tx.tombstones.adopt(sound.key) for sound in sounds):
                raise Unavailable("The demo sounds could not be stored in time. Please try again.")
            now = self._clock.now()
            ids = [self._insert(tx, sound, now) for sound in sounds]
            filled = self._present(tx)
            if filled is None:
                raise Unavailable("The demo sounds could not be read back. Please try again.")
            tx.signal(Signal.POOL, added=ids[-1])
        return Filled(
            added=True,
            takes=filled.takes,
            duration_ms=filled.duration_ms,
            oldest_age=filled.oldest_age,
            ends_by=filled.ends_by,
        )

    def _insert(self, tx: Transaction, sound: _Sound, now: datetime) -> int:
        take = sound.take
        hour = self._hour()
        manifest = promise(Mode.ROOM, self._policy, self._notice, now - take.age_hours * hour)
        rate_hz = self._catalog.voice.sample_rate_hz
        return tx.artifacts.add(
            NewArtifact(
                public_id=sound.public_id,
                consent_id=tx.consents.add(manifest, code_hash=None, key_id=""),
                state=State.ACTIVE,
                raw_key=sound.key,
                sha256=hashlib.sha256(sound.data).hexdigest(),
                duration_ms=round(sound.samples.size * 1000 / rate_hz),
                created_at=manifest.given_at,
                raw_until=manifest.raw_until,
                derivative_until=None,
                playable_until=manifest.raw_until,
                deployment=self._deployment,
                topic="",
                status="",
                effect=take.effect,
                outline=outline(sound.samples, rate_hz),
                draw=self._vault.rng().getrandbits(DRAW_BITS),
                demo=True,
                heard_at=now - take.heard_hours_ago * hour if take.heard_hours_ago is not None else None,
                plays=take.plays,
                wear=take.wear,
            )
        )

    def _hour(self) -> timedelta:
        """An hour of the catalog, shortened where the oldest sound would else have outlived its promise."""
        oldest_hours = max(take.age_hours for take in self._catalog.takes)
        longest_hours = self._policy.raw_room_hours * self._catalog.most_of_promise
        return timedelta(hours=min(1.0, longest_hours / oldest_hours) if oldest_hours > 0 else 1.0)

    def _abandon(self, keys: list[str]) -> None:
        # Only brings the deletion forward: where even this fails, the reservations still come due by themselves.
        with suppress(MemoryEngineError):
            with self._work.write() as tx:
                for key in keys:
                    tx.tombstones.bury(key, artifact_id=None, reason="abandoned", due_at=self._clock.earlier())
            self._retention.sweep(keys=keys)
