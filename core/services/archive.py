"""The steward's hand on held takes: find them, describe them, take them out of the room."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.domain.artifact import Artifact, State
from core.domain.custody import Early
from core.domain.deployment import Deployment, DeploymentCatalog, DeploymentName
from core.domain.pool.census import census
from core.domain.pool.facts import PoolFacts
from core.domain.pool.lanes import LaneFigures, Standing, standing
from core.domain.steward import plain_text
from core.domain.work import Signal
from core.errors import BadField, Conflict, MemoryEngineError, NotFound
from core.ports.outside import NodeClock
from core.ports.stewarding import ArchiveQuery, FossilPicture, Totals
from core.ports.work import StewardAction, Transaction, UnitOfWork, subject_of_artifact
from core.services.grants import Grants
from core.services.intake import STATUS_SIGNS, TOPIC_SIGNS
from core.services.retention import Retention, bury_all, keys_of
from core.services.revocation import WAIT_S
from core.services.snapshot import Counted
from core.services.stewardship import MEANWHILE, plain

_NOBODY = "There is no take of this number, or no longer."
_OUT = "This take is not in the room any more."


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveFigures:
    """What stands and choices are worked out with; of more than `counted_most` takes a summary counts a sample."""

    deployment: Deployment
    deployments: DeploymentCatalog
    lanes: LaneFigures
    soon_hours: float
    counted_most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Recent:
    """A take of the active deployment, where it stands now, and the statuses it might be given with one touch."""

    artifact: Artifact
    standing: Standing
    stack_position: int
    quick_statuses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """What a search may be narrowed to."""

    stations: list[str]
    statuses: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """A take that is out of the room; `verified_gone_at` is None while its deletion is still being retried."""

    artifact_id: int
    deleted_derivatives: int
    removed_stack_position: int
    verified_gone_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotRemoved:
    """A take that was not taken out, and why."""

    artifact_id: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Spectrogram:
    """A fossil's picture, and the token a steward sees it by."""

    picture: FossilPicture
    token: str


class Archive:
    """What a steward sees and does of single takes; nothing here lengthens a right."""

    def __init__(
        self, work: UnitOfWork, clock: NodeClock, retention: Retention, grants: Grants, *, figures: ArchiveFigures
    ) -> None:
        self._work = work
        self._clock = clock
        self._retention = retention
        self._grants = grants
        self._figures = figures

    def search(self, query: ArchiveQuery) -> list[Artifact]:
        """Held takes, newest first."""
        with self._work.read() as tx:
            return tx.archive.search(query, self._clock.now())

    def choices(self) -> Choices:
        """Stations of held takes, and the statuses of the active deployment: its own, then others in use."""
        name = self._figures.deployment.name
        with self._work.read() as tx:
            stations, used = tx.archive.stations(self._clock.now()), tx.archive.statuses(name)
        return Choices(stations=stations, statuses=list(dict.fromkeys([*self._statuses(name), *used])))

    def recent(self, limit: int) -> list[Recent]:
        """The active deployment's newest takes."""
        now, figures = self._clock.now(), self._figures
        query = ArchiveQuery(deployment=figures.deployment.name, limit=limit)
        with self._work.read() as tx:
            return [
                Recent(
                    artifact=artifact,
                    standing=standing(_facts(artifact), now, figures.lanes),
                    stack_position=tx.archive.rank(artifact),
                    quick_statuses=tuple(name for name in figures.deployment.row.statuses if name != artifact.status),
                )
                for artifact in tx.archive.search(query, now)
            ]

    def describe(
        self,
        artifact_id: int,
        *,
        actor: str,
        topic: str | None = None,
        status: str | None = None,
        version: int | None = None,
    ) -> Artifact:
        """Give a take another topic or status; None leaves it as it is, and what changes nothing leaves no trace.

        Raises `BadField`, `NotFound`, and `Conflict` for a take that has ended or that was changed since `version`.
        """
        now = self._clock.now()
        with self._work.write() as tx:
            artifact = active(tx, artifact_id, now, version)
            new_topic = artifact.topic if topic is None else plain_text("topic_tag", topic, TOPIC_SIGNS)
            new_status = artifact.status if status is None else self._status(tx, artifact, status)
            if (new_topic, new_status) == (artifact.topic, artifact.status):
                return artifact
            tx.archive.describe(artifact_id, topic=new_topic, status=new_status)
            tx.steward.record(
                StewardAction(
                    at=now,
                    actor=actor,
                    action="metadata",
                    subject=subject_of_artifact(artifact_id),
                    before=_words(artifact.topic, artifact.status),
                    after=_words(new_topic, new_status),
                )
            )
            tx.signal(Signal.REVIEW, described=artifact_id)
        return replace(artifact, topic=new_topic, status=new_status, version=artifact.version + 1)

    def remove(self, artifact_id: int, *, actor: str) -> Removed:
        """Take a take out of the room at once and for good. Raises `NotFound`, `Conflict` when it is not in it."""
        removed, keys = self._end(artifact_id, actor)
        return self._swept([removed], keys)[0]

    def remove_many(self, ids: Sequence[int], *, actor: str) -> list[Removed | NotRemoved]:
        """The same for several, each for itself: one that cannot be taken out does not keep the others in."""
        results: list[Removed | NotRemoved] = []
        keys: list[str] = []
        for artifact_id in dict.fromkeys(ids):
            try:
                removed, named = self._end(artifact_id, actor)
            except MemoryEngineError as error:
                results.append(NotRemoved(artifact_id=artifact_id, reason=error.message))
            else:
                results.append(removed)
                keys += named
        done = self._swept([result for result in results if isinstance(result, Removed)], keys)
        verified = {removed.artifact_id: removed for removed in done}
        return [verified.get(result.artifact_id, result) for result in results]

    def spectrograms(self, *, limit: int = 50) -> list[Spectrogram]:
        """The newest pictures of fossils, those under review among them."""
        with self._work.read() as tx:
            found = tx.archive.pictures(self._clock.now(), limit=limit)
        return [
            Spectrogram(picture=picture, token=self._grants.picture(picture.artifact_id, steward=True))
            for picture in found
        ]

    def summary(self) -> dict[str, Any]:
        """The archive's posture as plain JSON: counts only, nothing that names or opens a single take."""
        now, figures = self._clock.now(), self._figures
        with self._work.read() as tx:
            playable = tx.artifacts.count_playable(now, most=figures.counted_most)
            taken = tx.archive.playable(now, limit=figures.counted_most)
            # What is too large to count for whoever asks is counted now and then; see `StatusService.sample`.
            sample = tx.samples.last() if playable > figures.counted_most else None
            if sample is None:
                counted_at, playable = now, tx.artifacts.count_playable(now)
                totals = tx.archive.totals(now)
                retention = tx.archive.retention(now, soon=now + timedelta(hours=figures.soon_hours))
            else:
                found = Counted.from_sample(sample)
                counted_at, playable, retention = found.at, found.playable, found.retention
                totals = Totals(
                    active=found.active, expired=found.expired, revoked=found.revoked, waiting=found.waiting
                )
        counted = census(taken, now, figures.lanes).to_json()
        return {
            "now": plain(now),
            "counted_at": plain(counted_at),
            "deployment": figures.deployment.name.value,
            "artifacts": {**asdict(totals), "playable": playable},
            "counted": len(taken),
            "exact": len(taken) == playable,
            "intake_by_day": counted.pop("days"),
            **counted,
            "retention": {name: plain(value) for name, value in asdict(retention).items()},
        }

    def _end(self, artifact_id: int, actor: str) -> tuple[Removed, list[str]]:
        """End every right of one take; what is left to say of it, and the keys that are due."""
        now = self._clock.now()
        with self._work.write() as tx:
            artifact = tx.artifacts.lock(artifact_id)
            if artifact is None:
                raise NotFound(_NOBODY)
            # By its state, not by the hour: a take whose time is over and that no sweep has met may be removed, too.
            if artifact.state is not State.ACTIVE:
                raise Conflict(_OUT)
            position, keys = tx.archive.rank(artifact), keys_of(tx, artifact)
            deleted = bury_all(tx, artifact, "removed", self._clock.earlier())
            tx.artifacts.end(artifact_id, State.REVOKED, now)
            tx.ended_early(Early.REMOVE, artifact, now)
            tx.steward.record(
                StewardAction(
                    at=now,
                    actor=actor,
                    action="remove",
                    subject=subject_of_artifact(artifact_id),
                    before={"state": artifact.state.value, "review": artifact.review.value},
                    after={"state": State.REVOKED.value, "deleted": deleted},
                )
            )
            tx.signal(Signal.POOL, dropped=[artifact_id])
        derivatives = sum(count for kind, count in deleted.items() if kind != "raw")
        return (
            Removed(artifact_id=artifact_id, deleted_derivatives=derivatives, removed_stack_position=position),
            keys,
        )

    def _swept(self, removed: list[Removed], keys: list[str]) -> list[Removed]:
        """Delete what is due now, for as long as an answer may wait, and say what was verified."""
        if keys:
            self._retention.sweep(keys=keys, most_s=WAIT_S)
        with self._work.read() as tx:
            found = {one.artifact_id: tx.artifacts.get(one.artifact_id) for one in removed}
        return [
            replace(one, verified_gone_at=husk.gone_at if (husk := found[one.artifact_id]) is not None else None)
            for one in removed
        ]

    def _status(self, tx: Transaction, artifact: Artifact, status: str) -> str:
        wanted = plain_text("lifecycle_status", status, STATUS_SIGNS)
        known = ("", artifact.status, *self._statuses(artifact.deployment))
        if wanted not in known and wanted not in tx.archive.statuses(artifact.deployment):
            raise BadField(f"lifecycle_status must be one of: {', '.join(name or '(empty)' for name in known)}.")
        return wanted

    def _statuses(self, deployment: str) -> tuple[str, ...]:
        known = self._figures.deployments.deployments
        return known[DeploymentName(deployment)].statuses if deployment in known else ()


def active(tx: Transaction, artifact_id: int, now: datetime, version: int | None = None) -> Artifact:
    """A held take, locked. Raises `NotFound`, and `Conflict` where it has ended or was changed since `version`."""
    artifact = tx.artifacts.lock(artifact_id)
    if artifact is None:
        raise NotFound(_NOBODY)
    if not artifact.lasts(now):
        raise Conflict(_OUT)
    if version is not None and artifact.version != version:
        raise Conflict(MEANWHILE)
    return artifact


def _facts(artifact: Artifact) -> PoolFacts:
    return PoolFacts(
        artifact_id=artifact.id,
        created_at=artifact.created_at,
        duration_ms=artifact.duration_ms,
        wear=artifact.wear,
        plays=artifact.plays,
        heard_at=artifact.heard_at,
        deployment=artifact.deployment,
        topic=artifact.topic,
        status=artifact.status,
    )


def _words(topic: str, status: str) -> dict[str, str]:
    return {"topic_tag": topic, "lifecycle_status": status}
