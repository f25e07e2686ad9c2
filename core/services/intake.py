"""Taking a voice in: reserve, put, adopt.

A fresh key is first reserved by a tombstone dated ahead; then the bytes are put; then one transaction takes the
tombstone back and inserts the artifact. A kill between any two of these leaves either an acknowledged take or a
key that the sweep removes.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from concurrent.futures import Executor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, TypeVar

from core.audio.outline import outline_of, slices
from core.audio.wav import Wav, inspect, read_part
from core.domain import codes
from core.domain.artifact import DRAW_BITS, Artifact, NewArtifact, Outline, Review, State, raw_key
from core.domain.consent import Manifest, Mode, Notice, RetentionPolicy, promise
from core.domain.doors import Door, intake_door
from core.domain.steward import StewardState
from core.domain.work import Job, Signal
from core.errors import BadField, Conflict, DiskReserve, Gone, Paused, Refused, Unavailable
from core.ports.outside import ByteStore, NodeClock, Vault
from core.ports.work import Remembered, Transaction, UnitOfWork
from core.services.reserve import FULL, Reserve

T = TypeVar("T")

TOPIC_SIGNS = 64
STATUS_SIGNS = 32
ADOPT_TRIES = 3
LARGE_BYTES = 4 << 20
"""Some forty seconds of a voice."""
TURN_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeFigures:
    """Bounds of what is accepted; durations in seconds, sizes in bytes. `hold` keeps new takes for a steward first."""

    max_duration_s: float
    max_rate_hz: int
    reservation_s: int
    idempotency_h: float
    notices: frozenset[Notice]
    effects: frozenset[str]
    deployment: str
    hold: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Offering:
    """One upload as it arrived: a rewound stream, what the client said about it, its optional retry key.

    `unattended`: its participant sent it and left before the answer. Nobody will see the code, and a steward decides.
    """

    stream: BinaryIO
    size_bytes: int
    sha256: str
    mode: Mode
    effect: str = ""
    topic: str = ""
    status: str = ""
    language: str = ""
    notice_version: str = ""
    client_key: str = ""
    station: str = ""
    unattended: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What the participant is told; the code or token exists here and nowhere else."""

    artifact: Artifact
    secret: str
    answer: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Take:
    offering: Offering
    wav: Wav
    outline: Outline
    manifest: Manifest


_SHUT = {
    Door.CLOSED: "This room is closed and takes nothing in.",
    Door.MAINTENANCE: "This room is being looked after right now and takes nothing in.",
    Door.PAUSED: "This room is not taking anything in right now.",
    Door.CLOCK: "This node is not sure of the time and takes nothing in until it is.",
}

Describe = Callable[[Artifact, str], dict[str, Any]]
"""Builds the public answer for (artifact, secret); the same answer is remembered for the same key."""


class Intake:
    """Accepts takes of every mode."""

    def __init__(
        self,
        work: UnitOfWork,
        store: ByteStore,
        vault: Vault,
        clock: NodeClock,
        reserve: Reserve,
        *,
        figures: IntakeFigures,
        retention: RetentionPolicy,
        default_notice: Notice,
        behind: Executor,
    ) -> None:
        self._work = work
        self._store = store
        self._vault = vault
        self._clock = clock
        self._reserve = reserve
        self._figures = figures
        self._retention = retention
        self._default_notice = default_notice
        self._behind = behind

    def door(self, state: StewardState) -> Door:
        """How the way in stands, by the posture in force."""
        return intake_door(state, doubted=self._clock.doubt() is not None, full=self._reserve.reached())

    def ready(self) -> None:
        """Raise `Paused` or `DiskReserve` where no take can be accepted now; asked before a body is read."""
        with self._work.read() as tx:
            door = self.door(tx.steward.state().at(self._clock.now()))
        if door is Door.FULL:
            raise DiskReserve(FULL)
        if door is not Door.OPEN:
            raise Paused(_SHUT[door])

    def knows(self, client_key: str) -> bool:
        """Whether this key has been answered before: its retry is answered again, paused or not."""
        if not client_key:
            return False
        with self._work.read() as tx:
            return tx.idempotency.find(self._key_hash(client_key), self._memory_since()) is not None

    def keep(self, offering: Offering, describe: Describe, admit: Callable[[], None] = lambda: None) -> Kept:
        """Store a take and acknowledge it; raises a `Refused` that changed nothing, or `Unavailable`.

        `admit` is called once the take is known to be good and before anything is stored; it may refuse.
        """
        remembered = self._remembered(offering)
        if remembered is not None:
            return remembered
        self.ready()
        take = self._in_turn(offering, lambda: self._read(offering))
        admit()
        for _ in range(ADOPT_TRIES):
            kept = self._attempt(take, describe)
            if kept is not None:
                return kept
        raise Unavailable("The take could not be stored in time. Please try again.")

    def _in_turn(self, offering: Offering, work: Callable[[], T]) -> T:
        """What is heavy about large takes is done one by one, and behind what others wait for.

        A courtesy, and no law: a store that hangs holds nobody up for longer than `TURN_S`.
        """
        if offering.size_bytes < LARGE_BYTES:
            return work()
        turn = self._behind.submit(work)
        wait([turn], timeout=TURN_S)
        return work() if turn.cancel() else turn.result()

    def _read(self, offering: Offering) -> _Take:
        figures = self._figures
        now = self._clock.now()
        wav = inspect(
            offering.stream,
            size_bytes=offering.size_bytes,
            max_duration_s=figures.max_duration_s,
            max_rate_hz=figures.max_rate_hz,
        )
        if offering.effect and offering.effect not in figures.effects:
            raise BadField("effect_profile is not a memory colour of this room.")
        _bounded("topic_tag", offering.topic, TOPIC_SIGNS)
        _bounded("lifecycle_status", offering.status, STATUS_SIGNS)
        if self._clock.doubt() is not None:
            # The clock was moved after the door was looked at: no promise is dated by one nobody believes.
            raise Paused(_SHUT[Door.CLOCK])
        parts = (read_part(offering.stream, wav, start, end) for start, end in slices(wav.frames))
        return _Take(
            offering=offering,
            wav=wav,
            outline=outline_of(parts, wav.sample_rate_hz),
            manifest=promise(offering.mode, self._retention, self._notice(offering), now),
        )

    def _notice(self, offering: Offering) -> Notice:
        language = offering.language or self._default_notice.language
        version = offering.notice_version or self._default_notice.version
        notice = Notice(language=language, version=version)
        if language not in {known.language for known in self._figures.notices}:
            raise BadField("language is not one this room speaks.")
        if notice not in self._figures.notices:
            raise BadField("notice_version is not one this room has shown.")
        return notice

    def _attempt(self, take: _Take, describe: Describe) -> Kept | None:
        public_id = uuid.uuid4().hex
        key = raw_key(public_id, ephemeral=take.offering.mode is Mode.NOSAVE)
        with self._work.write() as tx:
            until = self._clock.now() + timedelta(seconds=self._figures.reservation_s)
            tx.tombstones.reserve(key, until=until, reason="reserved")
        try:
            self._in_turn(take.offering, lambda: self._put(key, take.offering))
        except Refused:
            self._hasten(key)
            raise
        # A store that did not answer may still have taken it, or take it yet: the reservation keeps its time then.
        return self._adopt(take, key, public_id, describe)

    def _put(self, key: str, offering: Offering) -> None:
        offering.stream.seek(0)
        self._store.put(key, offering.stream, offering.size_bytes)

    def _adopt(self, take: _Take, key: str, public_id: str, describe: Describe) -> Kept | None:
        secret = self._secret(take.offering.mode)
        try:
            with self._work.write() as tx:
                if not tx.tombstones.adopt(key):
                    # A put slower than its reservation: the sweep was here first, perhaps before the last byte.
                    tx.tombstones.bury(key, artifact_id=None, reason="abandoned", due_at=self._clock.earlier())
                    return None
                kept = self._insert(tx, take, public_id, key, secret, describe)
                self._remember(tx, take.offering, kept)
                if take.offering.mode is not Mode.NOSAVE:
                    tx.signal(Signal.POOL, added=kept.artifact.id)
                    tx.want(Job.MEASURE, kept.artifact.id)
                for kind in take.manifest.derivatives:
                    tx.want(Job.DERIVE, kept.artifact.id, kind)
                return kept
        except _TakenMeanwhile:
            self._hasten(key)
            return self._remembered(take.offering)

    def _insert(self, tx: Transaction, take: _Take, public_id: str, key: str, secret: str, describe: Describe) -> Kept:
        offering, manifest = take.offering, take.manifest
        once = offering.mode is Mode.NOSAVE
        consent_id = tx.consents.add(
            manifest,
            code_hash=None if once else self._vault.code_hashes(codes.normalise(secret))[0],
            key_id="" if once else self._vault.code_key_id,
        )
        artifact_id = tx.artifacts.add(
            NewArtifact(
                public_id=public_id,
                consent_id=consent_id,
                state=State.EPHEMERAL if once else State.ACTIVE,
                raw_key=key,
                sha256=offering.sha256,
                duration_ms=take.wav.duration_ms,
                created_at=manifest.given_at,
                raw_until=manifest.raw_until,
                derivative_until=manifest.derivative_until,
                # What a fossil leaves behind extends this when it exists, not before.
                playable_until=manifest.raw_until,
                once_hash=self._vault.digest("once", secret) if once else None,
                deployment=self._figures.deployment,
                topic=offering.topic,
                status=offering.status,
                effect=offering.effect,
                outline=take.outline,
                draw=self._vault.rng().getrandbits(DRAW_BITS),
                station=offering.station,
                review=Review.HELD if (self._figures.hold or offering.unattended) and not once else Review.NONE,
            )
        )
        artifact = tx.artifacts.get(artifact_id)
        if artifact is None:
            raise Unavailable("The take could not be read back. Please try again.")
        return Kept(artifact=artifact, secret=secret, answer=describe(artifact, secret))

    def _secret(self, mode: Mode) -> str:
        return self._vault.random_token() if mode is Mode.NOSAVE else codes.new_code(self._vault.rng())

    def _hasten(self, key: str) -> None:
        # Touches only what is still reserved: an adoption that was committed, answered or not, has no tombstone left.
        with suppress(Unavailable), self._work.write() as tx:
            tx.tombstones.hasten(key, self._clock.earlier())
            tx.want(Job.SWEEP_TOMBSTONES)

    def _remembered(self, offering: Offering) -> Kept | None:
        if not offering.client_key:
            return None
        with self._work.read() as tx:
            found = tx.idempotency.find(self._key_hash(offering.client_key), self._memory_since())
            artifact = tx.artifacts.get(found.artifact_id) if found is not None else None
        if found is None:
            return None
        if found.request_digest != _digest(offering):
            raise Conflict("This Idempotency-Key was used for another take.")
        sealed = self._vault.unseal(offering.client_key, found.sealed_answer)
        if artifact is None or not artifact.state.held or sealed is None:
            raise Gone("The take sent under this key has been removed.")
        answer = json.loads(sealed)
        return Kept(artifact=artifact, secret="", answer=answer)

    def _remember(self, tx: Transaction, offering: Offering, kept: Kept) -> None:
        if not offering.client_key:
            return
        remembered = Remembered(
            request_digest=_digest(offering),
            artifact_id=kept.artifact.id,
            sealed_answer=self._vault.seal(offering.client_key, json.dumps(kept.answer)),
        )
        now = self._clock.now()
        if not tx.idempotency.remember(
            self._key_hash(offering.client_key), remembered, now, since=self._memory_since()
        ):
            raise _TakenMeanwhile

    def _key_hash(self, client_key: str) -> str:
        return self._vault.digest("idempotency", client_key)

    def _memory_since(self) -> datetime:
        return self._clock.now() - timedelta(hours=self._figures.idempotency_h)


class _TakenMeanwhile(Exception):
    """Another request with the same key was adopted first; rolls this one back."""


def _digest(offering: Offering) -> str:
    said = json.dumps([offering.sha256, offering.mode.value, offering.effect, offering.topic, offering.status])
    return hashlib.sha256(said.encode()).hexdigest()


def _bounded(name: str, value: str, signs: int) -> None:
    if len(value) > signs:
        raise BadField(f"{name} has more than {signs} characters.")
