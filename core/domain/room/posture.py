"""What a steward has set that shapes playing."""

from dataclasses import dataclass

from core.domain.pool.facts import Mood


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """The live state that shapes playing: whether the room sounds at all, how softly, and what it leans to.

    `people` is None where nobody has counted them, or the room does not go by them; `empty_s` is for how long nobody
    has been there.
    """

    plays: bool
    quieter: bool
    mood: Mood | None = None
    topic: str = ""
    status: str = ""
    people: int | None = None
    empty_s: float = 0.0
