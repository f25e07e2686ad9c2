"""Whether the room may have a take: listeners ask for a check, stewards hold and pass.

A take under review is heard by stewards only. None of it lengthens a right, and none of it shortens one: the promise
ends a held take exactly when it would have ended it anyway.
"""

from datetime import datetime

from core.domain.artifact import Artifact, Review
from core.domain.work import Signal
from core.errors import NotFound
from core.ports.outside import Clock
from core.ports.work import StewardAction, Transaction, UnitOfWork, subject_of_artifact
from core.services.archive import active
from core.services.grants import Grants
from core.services.stewardship import plain

LISTENER = "listener"
"""How the trail names whoever asked for a check: nothing of who or where they are is kept."""


class ReviewService:
    """Flags, holds and passes takes; with `flag_holds` a flag alone takes one out of the room."""

    def __init__(self, work: UnitOfWork, clock: Clock, grants: Grants, *, flag_holds: bool) -> None:
        self._work = work
        self._clock = clock
        self._grants = grants
        self._flag_holds = flag_holds

    def flag(self, token: str) -> None:
        """Note that a listener asks for a check of what they were played. Raises `NotFound`.

        Asking again changes nothing until a steward has passed the take; what a steward has passed stays in the room,
        so that nobody can silence a voice by asking often.
        """
        grant = self._grants.heard_grant(token)
        if grant is None:
            raise NotFound("This is not, or no longer, something that was just heard here.")
        now = self._clock.now()
        with self._work.write() as tx:
            artifact = tx.artifacts.lock(grant.artifact_id)
            if artifact is None or not artifact.lasts(now):
                raise NotFound("What was heard is not in the room any more.")
            if _waits(artifact):
                return
            takes_out = self._flag_holds and artifact.passed_at is None and artifact.review is Review.NONE
            review = Review.FLAGGED if takes_out else artifact.review
            _change(tx, artifact, "flag", LISTENER, now, review=review, flagged_at=now)

    def hold(self, artifact_id: int, *, actor: str, version: int | None = None) -> Artifact:
        """Take a take out of the room until a steward passes it. Raises `NotFound`, `Conflict`."""
        now = self._clock.now()
        with self._work.write() as tx:
            artifact = active(tx, artifact_id, now, version)
            if artifact.review is Review.HELD:
                return artifact
            return _change(tx, artifact, "hold", actor, now, review=Review.HELD)

    def let_in(self, artifact_id: int, *, actor: str, version: int | None = None) -> Artifact:
        """Pass a take: the room may have it, whatever listeners ask for later. Raises `NotFound`, `Conflict`."""
        now = self._clock.now()
        with self._work.write() as tx:
            artifact = active(tx, artifact_id, now, version)
            if artifact.review is Review.NONE and artifact.passed_at is not None and not _waits(artifact):
                return artifact
            return _change(tx, artifact, "pass", actor, now, review=Review.NONE, passed_at=now)


def _waits(artifact: Artifact) -> bool:
    """Whether a listener's question is open already."""
    if artifact.flagged_at is None:
        return False
    return artifact.passed_at is None or artifact.passed_at < artifact.flagged_at


def _change(
    tx: Transaction,
    artifact: Artifact,
    action: str,
    actor: str,
    now: datetime,
    *,
    review: Review,
    flagged_at: datetime | None = None,
    passed_at: datetime | None = None,
) -> Artifact:
    flagged_at, passed_at = flagged_at or artifact.flagged_at, passed_at or artifact.passed_at
    tx.archive.set_review(artifact.id, review, flagged_at=flagged_at, passed_at=passed_at)
    after = tx.artifacts.get(artifact.id)
    if after is None:
        raise NotFound
    tx.steward.record(
        StewardAction(
            at=now,
            actor=actor,
            action=action,
            subject=subject_of_artifact(artifact.id),
            before=_judged(artifact),
            after=_judged(after),
        )
    )
    tx.signal(Signal.REVIEW, artifact=artifact.id)
    if artifact.review is Review.NONE and review is not Review.NONE:
        # Every open room fades it out now, and a wall stops drawing it.
        tx.signal(Signal.POOL, dropped=[artifact.id])
    elif artifact.review is not Review.NONE and review is Review.NONE:
        tx.signal(Signal.POOL, added=artifact.id)
    return after


def _judged(artifact: Artifact) -> dict[str, str | None]:
    return {
        "review": artifact.review.value,
        "flagged_at": plain(artifact.flagged_at),
        "passed_at": plain(artifact.passed_at),
    }
