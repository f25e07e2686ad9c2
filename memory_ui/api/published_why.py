"""Why a voice was played, as it is published: numbers of takes, figures, and names from the catalogs."""

from typing import Any

from pydantic import BaseModel, create_model

from core.domain.pool.weights import NAMES
from memory_ui.api.answers import Instant


class AskedShape(BaseModel):
    """What the scene asked for; null asks for nothing."""

    lane: str | None
    density: str | None
    mood: str | None


class WishShape(AskedShape):
    """What was wished for in the end; `topic` and `status` say whether one was, `excluded` how many may not come."""

    topic: bool
    status: bool
    excluded: int


class GapShape(BaseModel):
    """The silence before it: `ms` below 0 is a crossfade; `factors` multiply what was drawn, each by its name."""

    ms: int
    kind: str
    drawn_ms: int
    factors: dict[str, float]


_FACTORS: dict[str, Any] = dict.fromkeys(NAMES, (float, ...))
FactorsShape = create_model("FactorsShape", __doc__="What a weight is the product of.", **_FACTORS)


class WeighedShape(BaseModel):
    """A take and what it weighed, as it was then."""

    artifact_id: int
    weight: float
    factors: FactorsShape
    plays: int
    wear: float


class VoiceShape(WeighedShape):
    """A voice of the program.

    `kind` is empty for the first, `overlap` or `chorus` for one that sounds with it; `gave_way` are the filters that
    could not hold; `remaining` and `chance` are null where a large pool was probed and nobody counted; `runners_up`
    would have been next.
    """

    lane: str
    density: str
    mood: str
    featured_return: bool
    thread_signal: str
    gave_way: list[str]
    pool_size: int
    remaining: int | None
    chance: float | None
    runners_up: list[WeighedShape]
    kind: str
    sounds_ms: int
    delay_ms: int
    gain: float


class WhyShape(BaseModel):
    """The reasons of one program.

    `reasons` say why the wish is not simply what the scene asked for; `voices` has the first voice first; `seed` is
    what all chance in it was drawn from, in digits.
    """

    movement: str
    scene: str
    opens: bool
    asked: AskedShape
    held_pause: bool
    reasons: list[str]
    wish: WishShape
    daypart: str
    intensity: str
    preset: str
    quiet: bool
    scarcity: str
    gap: GapShape
    voices: list[VoiceShape]
    layers_wished: int
    seed: str


class DecisionShape(BaseModel):
    """One program; `device` is what stewards call the page that played it, empty for one that is not known any more."""

    id: int
    at: Instant
    device_id: str
    device: str
    artifact_id: int
    why: WhyShape


class DecisionsAnswer(BaseModel):
    """The newest programs, newest first."""

    decisions: list[DecisionShape]


class ReplayAnswer(BaseModel):
    """A program composed once more; `again` is null where nothing would be played now."""

    same: bool
    decision: DecisionShape
    again: WhyShape | None
