"""Every voice at one level, and none near full scale."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bootstrap.figures import level_figures
from core.domain.level import LevelFigures, playback_level

FIGURES = LevelFigures(target_lufs=-24, ceiling_dbtp=-1, lift_most_db=24)
loudnesses = st.floats(-70, 0)
peaks = st.floats(-70, 6)


def gain_db(lufs, peak_dbtp):
    return 20 * math.log10(playback_level(lufs, peak_dbtp, FIGURES))


def test_the_figures_are_the_catalogs():
    assert level_figures() == FIGURES


@given(loudnesses, peaks)
def test_a_take_lands_on_the_level_unless_the_ceiling_or_the_lift_binds(lufs, peak):
    gain = gain_db(lufs, peak)
    ceiling_binds, lift_binds = (
        FIGURES.target_lufs - lufs > FIGURES.ceiling_dbtp - peak,
        FIGURES.target_lufs - lufs > 24,
    )
    if not (ceiling_binds or lift_binds):
        assert lufs + gain == pytest.approx(-24, abs=1e-6)
    else:
        assert lufs + gain < -24 + 1e-6
        assert gain == pytest.approx(24, abs=1e-6) or peak + gain == pytest.approx(-1, abs=1e-6)


@given(loudnesses, peaks)
def test_no_peak_is_ever_over_the_ceiling_and_no_lift_over_its_most(lufs, peak):
    assert peak + gain_db(lufs, peak) <= -1 + 1e-6
    assert gain_db(lufs, peak) <= 24 + 1e-6


@given(loudnesses, loudnesses, peaks)
def test_a_louder_take_is_never_turned_up_more(one, other, peak):
    quiet, loud = sorted((one, other))
    assert playback_level(quiet, peak, FIGURES) >= playback_level(loud, peak, FIGURES)


@pytest.mark.parametrize(
    ("lufs", "peak", "expected_db"),
    [(-24, -10, 0), (-30, -12, 6), (-14, -0.5, -10), (-40, -12, 11), (-60, -40, 24), (-24, 3, -4)],
)
def test_some_takes_by_the_figures(lufs, peak, expected_db):
    assert gain_db(lufs, peak) == pytest.approx(expected_db)


@pytest.mark.parametrize(("lufs", "peak"), [(None, None), (None, -30.0), (-30.0, None)])
def test_silence_stays_as_it_is(lufs, peak):
    assert playback_level(lufs, peak, FIGURES) == 1.0
