from hypothesis import given
from hypothesis import strategies as st

from core.domain.pool.census import census
from tests.pool_takes import LANES, NOW, take, takes

COLOURS = st.sampled_from(["", "warm", "radio"])


def test_takes_are_counted_by_everything_that_tells_them_apart():
    found = census(
        [(take(topic="Rain ", status="open"), "warm"), (take(age_hours=0, topic="rain", duration_ms=3000), "")],
        NOW,
        LANES,
    )
    assert found.to_json() == {
        "lanes": {"fresh": 1, "mid": 1},
        "densities": {"light": 1, "medium": 1},
        "moods": {"clear": 1, "hushed": 1},
        "memory_colors": {"": 1, "warm": 1},
        "deployments": {"memory": 2},
        "topics": {"rain": 2},
        "statuses": {"open": 1},
        "days": {"2026-03-01": 2},
    }


@given(st.lists(st.tuples(takes, COLOURS), max_size=12))
def test_every_take_is_counted_once_in_each_division(found):
    counted = census(found, NOW, LANES)
    for division in (counted.lanes, counted.densities, counted.moods, counted.memory_colors, counted.days):
        assert sum(division.values()) == len(found)
    assert sum(counted.topics.values()) <= len(found)
