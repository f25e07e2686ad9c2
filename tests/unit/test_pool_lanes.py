import pytest

from core.domain.pool.facts import Density, Lane, Mood
from core.domain.pool.lanes import density, lane, mood
from tests.pool_takes import LANES, NOW, take

FRESH, MID, WORN = Lane.FRESH, Lane.MID, Lane.WORN


@pytest.mark.parametrize(
    ("age_hours", "wear", "plays", "expected"),
    [
        (8, 0.18, 2, FRESH),
        (8.001, 0.18, 2, MID),
        (8, 0.1801, 2, MID),
        (8, 0.18, 3, MID),
        (17.999, 0.3799, 4, MID),
        (18, 0, 0, WORN),
        (9, 0.38, 0, WORN),
        (9, 0, 5, WORN),
        (1, 0.38, 0, WORN),
        (1, 0, 5, WORN),
    ],
)
def test_the_lane_follows_its_table_at_the_edges(age_hours: float, wear: float, plays: int, expected: Lane) -> None:
    assert lane(take(age_hours=age_hours, wear=wear, plays=plays), NOW, LANES) is expected


@pytest.mark.parametrize(
    ("duration_ms", "expected"),
    [
        (5000, Density.LIGHT),
        (5001, Density.MEDIUM),
        (17_999, Density.MEDIUM),
        (18_000, Density.DENSE),
    ],
)
def test_the_density_follows_the_duration_at_the_edges(duration_ms: int, expected: Density) -> None:
    assert density(take(duration_ms=duration_ms), LANES) is expected


@pytest.mark.parametrize(
    ("age_hours", "duration_ms", "expected"),
    [
        (1, 5000, Mood.CLEAR),
        (1, 5001, Mood.GATHERING),
        (1, 18_000, Mood.GATHERING),
        (9, 5000, Mood.HUSHED),
        (11.999, 17_999, Mood.HUSHED),
        (12, 5000, Mood.SUSPENDED),
        (9, 18_000, Mood.SUSPENDED),
        (18, 17_999, Mood.HUSHED),
        (18, 5000, Mood.HUSHED),
        (18, 18_000, Mood.WEATHERED),
    ],
)
def test_the_mood_follows_lane_density_and_age(age_hours: float, duration_ms: int, expected: Mood) -> None:
    assert mood(take(age_hours=age_hours, duration_ms=duration_ms), NOW, LANES) is expected
