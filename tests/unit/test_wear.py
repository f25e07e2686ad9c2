import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.wear import advance, amount


def test_a_heard_play_adds_its_wear_times_the_factor() -> None:
    assert advance(0.5, 0.003, 0.45) == pytest.approx(0.50135)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 10))
def test_wear_only_grows_and_never_passes_one(wear: float, per_play: float, factor: float) -> None:
    assert wear <= advance(wear, per_play, factor) <= 1


def test_about_three_hundred_plays_wear_a_take_out() -> None:
    wear, plays = 0.0, 0
    while wear < 1:
        wear, plays = advance(wear, 0.003, 1), plays + 1
    assert plays == 334


@pytest.mark.parametrize(("wear", "expected"), [(0, 0), (0.25, 0.15625), (0.5, 0.5), (1, 1), (-1, 0), (2, 1)])
def test_the_amount_is_a_smoothstep_of_wear(wear: float, expected: float) -> None:
    assert amount(wear) == expected


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_wear_is_never_heard_less(one: float, other: float) -> None:
    assert amount(min(one, other)) <= amount(max(one, other)) + 1e-12
