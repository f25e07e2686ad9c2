from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.pool.facts import Density, Lane, Mood, Wish
from tests.pool_takes import CATALOG, NOW, take

LIMITS = CATALOG.wish
NAMES = [
    "lane",
    "density",
    "mood",
    "exclude_ids",
    "recent_densities",
    "recent_topics",
    "preferred_topic",
    "preferred_lifecycle_status",
    "segment_variant",
]


def test_an_empty_query_wishes_for_anything() -> None:
    assert Wish.parse({}, LIMITS) == Wish()


def test_every_field_of_the_query_is_read() -> None:
    query = {
        "lane": "worn",
        "density": "light",
        "mood": "gathering",
        "exclude_ids": "9,8, 7",
        "recent_densities": "dense,light",
        "recent_topics": "Garden Gate, kitchen",
        "preferred_topic": " Kitchen ",
        "preferred_lifecycle_status": "Open",
        "segment_variant": "second",
    }
    assert Wish.parse(query, LIMITS) == Wish(
        lane=Lane.WORN,
        density=Density.LIGHT,
        mood=Mood.GATHERING,
        exclude_ids=(9, 8, 7),
        recent_densities=(Density.DENSE, Density.LIGHT),
        recent_topics=("garden gate", "kitchen"),
        preferred_topic="kitchen",
        preferred_status="open",
        variant="second",
    )


@pytest.mark.parametrize("unknown", ["any", "", "ANY", "loud", "1"])
def test_an_unknown_value_means_any(unknown: str) -> None:
    wish = Wish.parse({"lane": unknown, "density": unknown, "mood": unknown}, LIMITS)
    assert (wish.lane, wish.density, wish.mood) == (None, None, None)


def test_the_first_fifty_ids_count() -> None:
    wish = Wish.parse({"exclude_ids": ",".join(str(n) for n in range(1, 80))}, LIMITS)
    assert wish.exclude_ids == tuple(range(1, 51))


def test_ids_that_are_none_are_passed_over() -> None:
    wish = Wish.parse({"exclude_ids": f"x,-1,0,1_0,²,1.5,{2**63},{'9' * 5000},4,,4"}, LIMITS)
    assert wish.exclude_ids == (4,)


def test_six_densities_and_four_topics_count() -> None:
    wish = Wish.parse({"recent_densities": "light," * 9, "recent_topics": "a,b,c,d,e,f"}, LIMITS)
    assert (len(wish.recent_densities), wish.recent_topics) == (6, ("a", "b", "c", "d"))


@given(st.dictionaries(st.sampled_from(NAMES), st.text()))
def test_no_query_is_refused(query: dict[str, str]) -> None:
    assert len(Wish.parse(query, LIMITS).exclude_ids) <= 50


def test_a_take_never_heard_is_unheard_since_it_was_left() -> None:
    assert take(age_hours=30).unheard_hours(NOW) == 30
    assert take(age_hours=30, unheard_hours=4).unheard_hours(NOW) == 4


def test_a_clock_set_back_makes_no_age_negative() -> None:
    before = NOW - timedelta(days=3)
    facts = take(age_hours=1, unheard_hours=0.5)
    assert (facts.age_hours(before), facts.unheard_hours(before)) == (0, 0)
