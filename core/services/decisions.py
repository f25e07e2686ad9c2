"""Why this, why now: every program is noted with its reasons, and can be composed once more from its seed."""

import logging
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.domain.deployment import Deployment
from core.domain.pool.choose import Choice, Weighed
from core.domain.pool.facts import PoolFacts, tidy
from core.domain.pool.weights import Factors, PoolFigures
from core.domain.room.program import Composed, Look, Noted, replay
from core.domain.room.state import Echo, Follow, Thread
from core.domain.room.tables import RoomTables
from core.errors import MemoryEngineError, NotFound
from core.ports.deciding import Decision
from core.ports.work import UnitOfWork

log = logging.getLogger(__name__)

KEPT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """A decision, and what comes of it when it is composed once more."""

    decision: Decision
    why: dict[str, Any]

    @property
    def same(self) -> bool:
        """Whether both are the same in everything: they are, unless figures or settings have changed since.

        `why` is empty where nothing would be played now.
        """
        return self.why == self.decision.why


class Decisions:
    """Notes the newest programs of all pages."""

    def __init__(
        self, work: UnitOfWork, *, tables: RoomTables, deployment: Deployment, figures: PoolFigures, scan_most: int
    ) -> None:
        self._work = work
        self._tables = tables
        self._deployment = deployment
        self._figures = figures
        self._scan_most = scan_most

    def note(self, noted: Noted, composed: Composed[Any], *, device_id: str) -> None:
        """Keep one. A room never falls silent for want of its diary: what cannot be written is left out."""
        decision = Decision(
            at=noted.at,
            device_id=device_id,
            artifact_id=composed.voices[0].choice.facts.artifact_id,
            why=told(composed, seed=noted.seed),
        )
        plain = without_words(noted, self._known_statuses())
        try:
            with self._work.write() as tx:
                tx.decisions.add(decision, plain, keep=KEPT)
        except MemoryEngineError:
            log.warning("decision.not_noted")

    def newest(self, *, limit: int, device_id: str = "") -> list[Decision]:
        """Newest first; of one page where it is named."""
        with self._work.read() as tx:
            return tx.decisions.newest(limit=limit, device_id=device_id)

    def replay(self, decision_id: int) -> Replayed:
        """Compose one once more, from its seed. Raises `NotFound` for one that is not kept, or no longer."""
        with self._work.read() as tx:
            found = tx.decisions.get(decision_id)
        if found is None:
            raise NotFound("This choice is not kept, or no longer.")
        decision, noted = found
        again = replay(noted, self._tables, self._deployment, self._figures, scan_most=self._scan_most)
        return Replayed(decision=decision, why=told(again, seed=noted.seed) if again.cue is not None else {})

    def _known_statuses(self) -> frozenset[str]:
        return self._deployment.unresolved | self._deployment.resolved


def told(composed: Composed[Any], *, seed: int) -> dict[str, Any]:
    """The reasons of a program as plain JSON: numbers, figures, and names from the catalogs; of `seed` the digits."""
    planned, cue = composed.planned, composed.cue
    if planned is None or cue is None:
        raise ValueError("a rest has no reasons")
    wish = planned.wish
    return {
        "movement": cue.movement,
        "scene": cue.scene,
        "opens": planned.opens,
        "asked": {"lane": planned.cue.lane, "density": planned.cue.density, "mood": planned.cue.mood},
        "held_pause": planned.cue.pause,
        "reasons": [reason.value for reason in planned.reasons],
        "wish": {
            "lane": wish.lane,
            "density": wish.density,
            "mood": wish.mood,
            "topic": bool(wish.preferred_topic),
            "status": bool(wish.preferred_status),
            "excluded": len(wish.exclude_ids),
        },
        "daypart": planned.tempo.daypart,
        "intensity": planned.tempo.intensity.value,
        "preset": planned.tempo.preset.value,
        "quiet": planned.tempo.quiet,
        "scarcity": cue.scarcity.value,
        "gap": {
            "ms": cue.gap.ms,
            "kind": cue.gap.kind.value,
            "drawn_ms": cue.gap.drawn_ms,
            "factors": {name: round(value, 4) for name, value in cue.gap.factors.items()},
        },
        "voices": [
            {
                **_choice(voice.choice),
                "kind": voice.kind.value if voice.kind else "",
                "sounds_ms": voice.sounds_ms,
                "delay_ms": part.delay_ms,
                "gain": part.gain,
            }
            for voice, part in zip(composed.voices, cue.parts, strict=True)
        ],
        "layers_wished": len(composed.wished),
        "seed": str(seed),
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        **_weighed(choice.facts, choice.factors),
        "lane": choice.lane.value,
        "density": choice.density.value,
        "mood": choice.mood.value,
        "featured_return": choice.featured_return,
        "thread_signal": str(choice.thread_signal),
        "gave_way": [rung.value for rung in choice.gave_way],
        "pool_size": choice.pool_size,
        "remaining": choice.remaining,
        "chance": None if choice.chance is None else round(choice.chance, 6),
        "runners_up": [_runner_up(one) for one in choice.runners_up],
    }


def _runner_up(one: Weighed) -> dict[str, Any]:
    return _weighed(one.facts, one.factors)


def _weighed(facts: PoolFacts, factors: Factors) -> dict[str, Any]:
    named = {name: round(value, 4) for name, value in asdict(factors).items() if name != "floor"}
    return {
        "artifact_id": facts.artifact_id,
        "weight": round(factors.product, 4),
        "factors": named,
        "plays": facts.plays,
        "wear": round(facts.wear, 4),
    }


def without_words(noted: Noted, statuses: frozenset[str]) -> Noted:
    """What was noted, with every topic, and every status but the catalog's, replaced by a number of its own.

    A choice only asks whether two of them are alike, so it comes out the same; and no word that somebody left with a
    take outlives the take here.
    """
    topics, others = _Numbers("topic"), _Numbers("status")

    def status(word: str) -> str:
        return word if tidy(word) in statuses else others.of(word)

    def plain(facts: PoolFacts) -> PoolFacts:
        return replace(facts, topic=topics.of(facts.topic), status=status(facts.status))

    def look(one: Look) -> Look:
        if one.looked is None:
            return one
        looked = replace(
            one.looked,
            met=tuple(plain(facts) if facts is not None else None for facts in one.looked.met),
            scans=tuple(tuple(plain(facts) for facts in scan) for scan in one.looked.scans),
        )
        return replace(one, looked=looked)

    state = noted.state
    state = replace(
        state,
        recent_topics=tuple(topics.of(topic) for topic in state.recent_topics),
        thread=Thread(topic=topics.of(state.thread.topic), length=state.thread.length),
        follow=Follow(topic=topics.of(state.follow.topic), length=state.follow.length) if state.follow else None,
        echo=Echo(topic=topics.of(state.echo.topic), due=state.echo.due) if state.echo else None,
    )
    posture = replace(noted.posture, topic=topics.of(noted.posture.topic), status=status(noted.posture.status))
    return replace(noted, state=state, posture=posture, looks=tuple(look(one) for one in noted.looks))


class _Numbers:
    """A number for every word, alike for words that are alike once tidied; nothing for no word."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._seen: dict[str, str] = {}

    def of(self, word: str) -> str:
        known = tidy(word)
        return self._seen.setdefault(known, f"{self._kind} {len(self._seen) + 1}") if known else ""
