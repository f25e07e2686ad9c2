"""The silence before a voice: how long, and what made it so."""

import math
import random
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.room.movements import movement_of
from core.domain.room.rows import SceneCue
from core.domain.room.state import RoomState
from core.domain.room.tables import RoomCatalog, RoomTables
from core.domain.room.tempo import Tempo, depth_gap, scarcity_of, silence_most, within_budget
from core.domain.room.threads import Followed
from core.domain.room.voices import Voice


class GapKind(StrEnum):
    """What a gap is: between two voices, held longer, before more of a topic, or none between two movements."""

    CUE = "cue"
    PAUSE = "pause"
    FOLLOW_ON = "follow_on"
    CROSSFADE = "crossfade"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Milliseconds; below 0 a voice begins inside the one before.

    `factors` multiply `drawn_ms`, each by its name; where `ms` is less than their product, the budget of silence had no
    more to give.
    """

    ms: int
    kind: GapKind
    drawn_ms: int = 0
    factors: dict[str, float] = field(default_factory=dict)


def gap_before(
    state: RoomState,
    cue: SceneCue,
    now_tempo: Tempo,
    voice: Voice,
    follow: Followed | None,
    rng: random.Random,
    tables: RoomTables,
) -> Gap:
    """The gap before `voice`; a follow-on comes as soon as its step says."""
    if follow is not None:
        drawn = rng.randint(*follow.step.delay_ms)
        return Gap(ms=drawn, kind=GapKind.FOLLOW_ON, drawn_ms=drawn)
    catalog, playable = tables.catalog, voice.choice.pool_size
    scarcity = scarcity_of(playable, tables)
    scarce = catalog.scarcity[scarcity]
    drawn = rng.randint(*(catalog.gap.pause_ms if cue.pause else catalog.gap.cue_ms))
    factors = {
        "tempo": now_tempo.pause_gap if cue.pause else now_tempo.cue_gap,
        "movement": movement_of(state, catalog).gap,
        "scarcity": scarce.pause if cue.pause else scarce.gap,
        "depth": depth_gap(playable, tables),
        "thread": state.pace,
        "return": catalog.gap.featured if voice.choice.featured_return else 1.0,
    }
    wanted = drawn * math.prod(factors.values())
    budget = silence_most(now_tempo.intensity, scarce, tables)
    ms = within_budget(
        wanted, voice.sounds_ms, state.spans[: catalog.windows.silence - 1], budget, catalog.gap.shortest_ms
    )
    return Gap(ms=ms, kind=GapKind.PAUSE if cue.pause else GapKind.CUE, drawn_ms=drawn, factors=factors)


def crossfade_ms(state: RoomState, voice: Voice, catalog: RoomCatalog, *, opens: bool) -> int:
    """How long a voice begins before the end of the one before: where a movement opens and the last one fades out."""
    if not opens or voice.choice.featured_return:
        return 0
    return min(state.fade_ms, int(voice.sounds_ms * catalog.crossfade.most_of_voice))


def fade_out_ms(voice: Voice, now_tempo: Tempo, tables: RoomTables) -> int:
    """How long the last voice of a movement fades; 0, its usual end, in quiet and where there is little to hear."""
    if now_tempo.quiet or voice.choice.pool_size < tables.choices.overlap.from_playable:
        return 0
    return min(tables.catalog.crossfade.ms, int(voice.sounds_ms * tables.catalog.crossfade.most_of_voice))
