"""How fast and how softly a room sounds: named multipliers, and the budget of silence."""

import math
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.deployment import DeploymentName
from core.domain.room.gaps import gap_before
from core.domain.room.rows import Intensity, Preset, Scarcity, SceneCue
from core.domain.room.state import RoomState, Span
from core.domain.room.tempo import (
    MOST_SILENCE,
    depth_gap,
    levels,
    scarcity_of,
    silence_most,
    tempo,
    within_budget,
)
from core.settings import Settings
from tests.pool_takes import MEMORY, NOW, deployment
from tests.room_tables import (
    BALANCED,
    CATALOG,
    CHOICES,
    PLAYING,
    QUIETER,
    TABLES,
    quiet_hours,
    voice,
    with_choices,
)

PLAIN = SceneCue()
ARRIVED = RoomState(movement="arrival", left=2, scene="threshold")
ALWAYS_QUIET = with_choices(intensity=Intensity.BALANCED, preset=Preset.BALANCED, quiet_hours=quiet_hours(3, 3))


def at_hour(hour):
    return NOW.replace(hour=hour)


def gap(cue=PLAIN, *, tables=BALANCED, posture=PLAYING, active=MEMORY, state=ARRIVED, **about):
    now_tempo = tempo(posture, NOW, tables, active)
    return gap_before(state, cue, now_tempo, voice(active=active, **about), None, random.Random(1), tables)


def test_the_choices_of_these_tests_are_the_settings_defaults():
    given = {name: field.default for name, field in Settings.model_fields.items() if name.startswith("ROOM_")}
    overlap = CHOICES.overlap
    assert (overlap.chance, overlap.from_playable, overlap.layers, overlap.delay_ms, overlap.gain) == (
        given["ROOM_OVERLAP_CHANCE"],
        given["ROOM_OVERLAP_MIN_PLAYABLE"],
        given["ROOM_OVERLAP_LAYERS"],
        (given["ROOM_OVERLAP_MIN_DELAY_MS"], given["ROOM_OVERLAP_MAX_DELAY_MS"]),
        given["ROOM_OVERLAP_GAIN"],
    )
    assert (CHOICES.scarce_low, CHOICES.scarce_severe) == (given["ROOM_SCARCITY_LOW"], given["ROOM_SCARCITY_SEVERE"])
    assert {given["ROOM_INTENSITY"], given["ROOM_MOVEMENT_PRESET"]} == {"by_daypart"}
    figures = quiet_hours(0, 0).figures
    assert (figures.gap, figures.tone, figures.output) == (
        given["ROOM_QUIET_HOURS_GAP"],
        given["ROOM_QUIET_HOURS_TONE"],
        given["ROOM_QUIET_HOURS_OUTPUT"],
    )


class TestTempo:
    @pytest.mark.parametrize(
        ("hour", "name", "intensity", "preset"),
        [
            (7, "morning", "quiet", "meditative"),
            (13, "afternoon", "balanced", "balanced"),
            (18, "evening", "active", "balanced"),
            (3, "night", "quiet", "meditative"),
        ],
    )
    def test_left_to_the_hour_intensity_and_preset_are_its_daypart_s(self, hour, name, intensity, preset):
        found = tempo(PLAYING, at_hour(hour), TABLES, MEMORY)
        assert (found.daypart, found.intensity, found.preset) == (name, intensity, preset)

    def test_what_an_installation_chose_holds_at_every_hour(self):
        tables = with_choices(intensity=Intensity.ACTIVE, preset=Preset.MEDITATIVE)
        found = {(at.intensity, at.preset) for at in (tempo(PLAYING, at_hour(h), tables, MEMORY) for h in range(24))}
        assert found == {(Intensity.ACTIVE, Preset.MEDITATIVE)}

    @pytest.mark.parametrize("name", DeploymentName)
    @pytest.mark.parametrize("intensity", Intensity)
    @pytest.mark.parametrize("preset", Preset)
    def test_intensity_preset_and_deployment_multiply(self, name, intensity, preset):
        active = deployment(name)
        found = tempo(PLAYING, NOW, with_choices(intensity=intensity, preset=preset), active)
        row, dwell = CATALOG.intensities[intensity], CATALOG.presets[preset].gap
        assert found.cue_gap == pytest.approx(row.cue_gap * dwell * active.row.cue_gap)
        assert found.pause_gap == pytest.approx(row.pause_gap * dwell * active.row.pause_gap)
        assert found.tone == pytest.approx(row.tone * active.row.room_tone)
        assert (found.output, found.quiet) == (1.0, False)

    @pytest.mark.parametrize(
        ("posture", "tables", "expected"),
        [
            (PLAYING, BALANCED, (1, 1, 1)),
            (QUIETER, BALANCED, (1.18, 0.72, 0.74)),
            (PLAYING, ALWAYS_QUIET, (1.2, 0.78, 0.72)),
            (QUIETER, ALWAYS_QUIET, (1.18 * 1.2, 0.72 * 0.78, 0.74 * 0.72)),
        ],
    )
    def test_quieter_mode_and_quiet_hours_each_lengthen_gaps_and_soften(self, posture, tables, expected):
        found = tempo(posture, NOW, tables, MEMORY)
        assert (found.cue_gap, found.tone, found.output) == pytest.approx(expected)
        assert found.pause_gap == found.cue_gap
        assert found.quiet == (expected != (1, 1, 1))
        assert found.quiet_hours == (tables is ALWAYS_QUIET)

    def test_outside_of_quiet_hours_nothing_is_quiet(self):
        tables = with_choices(quiet_hours=quiet_hours(22, 6))
        assert [hour for hour in range(24) if tempo(PLAYING, at_hour(hour), tables, MEMORY).quiet] == [
            *range(6),
            22,
            23,
        ]

    def test_levels_are_the_tempo_s_own(self):
        found = tempo(QUIETER, NOW, BALANCED, MEMORY)
        assert (levels(found).output, levels(found).tone) == (found.output, found.tone)


class TestScarcityAndDepth:
    @pytest.mark.parametrize(
        ("playable", "expected"),
        [(0, "severe"), (3, "severe"), (4, "low"), (6, "low"), (7, "normal"), (5000, "normal")],
    )
    def test_a_room_is_short_up_to_the_counts_that_are_set(self, playable, expected):
        assert scarcity_of(playable, TABLES) == expected

    def test_the_counts_are_settings(self):
        tables = with_choices(scarce_low=8, scarce_severe=4)
        assert [scarcity_of(count, tables) for count in (4, 5, 8, 9)] == ["severe", "low", "low", "normal"]

    @pytest.mark.parametrize(
        ("playable", "expected"),
        [(0, 1.18), (7, 1.18), (8, 1.05), (11, 1.05), (12, 0.96), (23, 0.96), (24, 0.88), (39, 0.88), (40, 0.76)],
    )
    def test_the_more_there_is_the_closer_voices_follow(self, playable, expected):
        assert depth_gap(playable, TABLES) == expected

    def test_a_room_short_of_voices_may_be_silent_for_longer_but_never_nearly_always(self):
        budgets = [silence_most(Intensity.QUIET, CATALOG.scarcity[name], TABLES) for name in Scarcity]
        assert budgets == pytest.approx([0.5, 0.6, 0.75])
        lavish = replace(CATALOG.scarcity[Scarcity.SEVERE], silence=50.0)
        assert silence_most(Intensity.QUIET, lavish, TABLES) == MOST_SILENCE < 1


class TestGap:
    def test_every_multiplier_has_a_name(self):
        assert set(gap().factors) == {"tempo", "movement", "scarcity", "depth", "thread", "return"}

    def test_it_is_what_was_drawn_times_them_all(self):
        for seed in range(50):
            now_tempo = tempo(PLAYING, NOW, BALANCED, MEMORY)
            cue = SceneCue(pause=bool(seed % 2))
            found = gap_before(ARRIVED, cue, now_tempo, voice(90_000), None, random.Random(seed), BALANCED)
            least, most = CATALOG.gap.pause_ms if cue.pause else CATALOG.gap.cue_ms
            assert least <= found.drawn_ms <= most
            assert found.ms == math.floor(found.drawn_ms * math.prod(found.factors.values()))

    @pytest.mark.parametrize("movement", [movement.name for movement in CATALOG.movements])
    @pytest.mark.parametrize("playable", [2, 5, 10, 50])
    @pytest.mark.parametrize("pause", [False, True])
    def test_each_factor_is_its_table_s(self, movement, playable, pause):
        found = gap(
            SceneCue(pause=pause),
            state=replace(ARRIVED, movement=movement, pace=0.58),
            posture=QUIETER,
            pool_size=playable,
            featured=pause,
            sounds_ms=60_000,
        )
        scarce = CATALOG.scarcity[scarcity_of(playable, BALANCED)]
        assert found.factors == pytest.approx(
            {
                "tempo": 1.18,
                "movement": {one.name: one.gap for one in CATALOG.movements}[movement],
                "scarcity": scarce.pause if pause else scarce.gap,
                "depth": depth_gap(playable, BALANCED),
                "thread": 0.58,
                "return": 1.25 if pause else 1.0,
            }
        )

    def test_a_held_pause_goes_by_the_multiplier_of_pauses(self):
        oracle = deployment("oracle")
        assert gap(SceneCue(pause=True), active=oracle).factors["tempo"] == pytest.approx(1.7)
        assert gap(active=oracle).factors["tempo"] == pytest.approx(1.45)

    def test_the_budget_bounds_it_and_no_more_of_the_past_counts_than_its_window(self):
        silent = Span(voiced_ms=1_000, silent_ms=10_000_000)
        talking = Span(voiced_ms=60_000, silent_ms=0)
        window = CATALOG.windows.silence - 1
        assert gap(state=replace(ARRIVED, spans=(silent,) * window)).ms == CATALOG.gap.shortest_ms
        free = gap(state=replace(ARRIVED, spans=(*(talking,) * window, silent)))
        assert free.ms == math.floor(free.drawn_ms * math.prod(free.factors.values()))


budgets = st.floats(0.05, MOST_SILENCE)
voiced = st.integers(1, 300_000)


@st.composite
def windows_within(draw):
    """A budget, and spans that keep it together."""
    budget = draw(budgets)
    spans, voiced_ms, silent_ms = [], 0, 0
    for length_ms in draw(st.lists(voiced, max_size=23)):
        voiced_ms += length_ms
        most = max(0, math.floor(budget * voiced_ms / (1 - budget)) - silent_ms)
        spans.append(Span(voiced_ms=length_ms, silent_ms=draw(st.integers(0, min(most, 60_000)))))
        silent_ms += spans[-1].silent_ms
    return budget, spans


any_spans = st.lists(st.builds(Span, voiced_ms=st.integers(0, 300_000), silent_ms=st.integers(0, 60_000)), max_size=23)
gaps_ms = st.floats(0, 60_000)
floors_ms = st.integers(0, 2_000)


class TestBudgetOfSilence:
    @given(windows_within(), gaps_ms, voiced, floors_ms)
    def test_what_kept_it_keeps_it_with_the_next_voice_unless_the_floor_asks_for_more(
        self, kept, wanted, sounds_ms, floor
    ):
        budget, spans = kept
        found = within_budget(wanted, sounds_ms, spans, budget, floor)
        silent = sum(span.silent_ms for span in spans) + found
        heard = sum(span.voiced_ms for span in spans) + sounds_ms
        if found > floor:
            assert silent <= budget * (silent + heard) + 1e-6 * silent

    @given(any_spans, gaps_ms, voiced, budgets, floors_ms)
    def test_it_only_ever_shortens_and_never_below_the_floor(self, spans, wanted, sounds_ms, budget, floor):
        found = within_budget(wanted, sounds_ms, spans, budget, floor)
        assert math.floor(min(wanted, floor)) <= found <= wanted

    @given(any_spans, gaps_ms, voiced, budgets, budgets, floors_ms)
    def test_more_of_it_never_gives_less(self, spans, wanted, sounds_ms, one, other, floor):
        less, more = (within_budget(wanted, sounds_ms, spans, budget, floor) for budget in sorted((one, other)))
        assert less <= more

    @given(any_spans, gaps_ms, st.lists(voiced, min_size=2, max_size=5), budgets, floors_ms)
    def test_a_longer_voice_never_has_less_before_it(self, spans, wanted, lengths, budget, floor):
        found = [within_budget(wanted, length, spans, budget, floor) for length in sorted(lengths)]
        assert all(before <= after for before, after in pairwise(found))

    def test_a_gap_that_is_within_it_stays_as_it_is(self):
        assert within_budget(1234, 10_000, [Span(voiced_ms=10_000, silent_ms=1_000)], 0.4, 300) == 1234

    def test_of_one_that_is_not_as_much_is_left_as_it_has_to_give(self):
        # 0.4 of (1,000 + g) + 20,000 is 1,000 + g where g is 12,333.
        assert within_budget(50_000, 10_000, [Span(voiced_ms=10_000, silent_ms=1_000)], 0.4, 300) == 12_333
