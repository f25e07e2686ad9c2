"""Voices that sound together, movements that run into each other, and the air of a room with little to hear."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.deployment import DeploymentName
from core.domain.pool.facts import Density
from core.domain.room.compose import arrange, layers, plan
from core.domain.room.rows import Intensity
from core.domain.room.state import Follow, RoomState
from core.domain.room.voices import LayerKind
from tests.pool_takes import MEMORY, NOW, deployment, take
from tests.room_tables import (
    BALANCED,
    CATALOG,
    LENGTH_MS,
    PLAYING,
    QUIETER,
    TABLES,
    Pool,
    chosen,
    lies_within,
    quiet_hours,
    voice,
    voices_of,
    walk,
    with_choices,
)

STATE = RoomState(movement="arrival", left=2, scene="threshold")
TOGETHER = with_choices(chance=1.0, layers=3)
DRAWS = 20_000


def pool_of(count, density=Density.MEDIUM):
    return Pool(takes=voices_of(density, count))


def counts(choice, *, tables=TABLES, posture=PLAYING, active=MEMORY, draws=DRAWS):
    """How often so many layers were wished for with a choice."""
    rng = random.Random(21)
    planned, state = plan(STATE, posture, NOW, rng, tables, active)
    return Counter(len(layers(state, planned, choice, rng, tables, active)) for _ in range(draws))


class TestOverlap:
    def test_a_second_voice_joins_by_its_chance(self):
        found = counts(chosen())
        assert set(found) == {0, 1}
        assert lies_within(found[1], DRAWS, 0.1)

    def test_a_third_joins_the_second_by_the_same_chance(self):
        found = counts(chosen(), tables=with_choices(chance=0.3, layers=3))
        assert set(found) == {0, 1, 2}
        assert lies_within(found[1] + found[2], DRAWS, 0.3)
        assert lies_within(found[2], DRAWS, 0.09)

    @pytest.mark.parametrize("most", [1, 2, 3])
    def test_never_more_than_are_set_sound_together(self, most):
        assert set(counts(chosen(), tables=with_choices(chance=1.0, layers=most), draws=50)) == {most - 1}

    def test_with_a_chance_of_none_every_voice_sounds_alone(self):
        assert set(counts(chosen(), tables=with_choices(chance=0.0, layers=3), draws=500)) == {0}

    @pytest.mark.parametrize(
        ("posture", "tables"),
        [(QUIETER, TABLES), (PLAYING, with_choices(quiet_hours=quiet_hours(0, 0)))],
        ids=["steward", "hours"],
    )
    def test_in_quiet_it_is_rarer(self, posture, tables):
        assert lies_within(counts(chosen(), tables=tables, posture=posture)[1], DRAWS, 0.1 * 0.45)

    @pytest.mark.parametrize("name", DeploymentName)
    def test_a_deployment_has_its_own_share_of_it(self, name):
        active = deployment(name)
        found = counts(chosen(active=active), active=active, tables=with_choices(chance=0.5))
        assert lies_within(found[1], DRAWS, 0.5 * active.row.overlap_chance)

    @pytest.mark.parametrize(
        "choice",
        [
            chosen(take(duration_ms=20_000)),
            chosen(featured=True),
            chosen(pool_size=5),
        ],
        ids=["dense", "featured", "small pool"],
    )
    def test_a_dense_voice_one_that_returns_and_any_of_a_small_pool_sound_alone(self, choice):
        assert set(counts(choice, tables=TOGETHER, draws=500)) == {0}

    def test_from_so_many_takes_on_voices_may_sound_together(self):
        assert set(counts(chosen(pool_size=6), tables=TOGETHER, draws=50)) == {2}

    def test_it_is_any_voice_but_one_of_those_that_may_not_come_yet(self):
        planned, state = plan(replace(STATE, recent_ids=(8, 9)), PLAYING, NOW, random.Random(1), TOGETHER, MEMORY)
        for layer in layers(state, planned, chosen(), random.Random(1), TOGETHER, MEMORY):
            assert (layer.kind, layer.wish.density, layer.wish.exclude_ids) == (
                LayerKind.OVERLAP,
                None,
                (1, 8, 9),
            )

    @settings(deadline=None)
    @given(st.integers(0, 2**32), st.integers(6, 12), st.lists(st.integers(600, 30_000), min_size=12, max_size=12))
    def test_a_later_voice_begins_while_the_first_is_not_half_through(self, seed, count, lengths_ms):
        facts = [
            replace(fact, duration_ms=length)
            for fact, length in zip(voices_of(Density.LIGHT, count), lengths_ms, strict=False)
        ]
        for step in walk(Pool(takes=facts), 12, seed=seed, tables=TOGETHER):
            parts, voices = step.composed.cue.parts, step.composed.voices
            delays = [part.delay_ms for part in parts]
            assert (parts[0].delay_ms, parts[0].gain) == (0, 1.0)
            for before, delay in pairwise(delays):
                half = voices[0].sounds_ms // 2
                assert before + 180 <= delay <= before + 520 or delay == half
                assert delay <= half
            assert all(part.gain == 0.68 and part.fade_in_ms is part.fade_out_ms is None for part in parts[1:])
            assert len(voices) == 1 or voices[0].choice.density is not Density.DENSE
            assert all(one.choice.density is not Density.DENSE for one in voices[1:])

    def test_their_delays_and_loudness_are_settings(self):
        tables = with_choices(chance=1.0, delay_ms=(50, 60), gain=0.3)
        parts = [step.composed.cue.parts[1] for step in walk(pool_of(20), 20, tables=tables)]
        assert all(50 <= part.delay_ms <= 60 and part.gain == 0.3 for part in parts)


class TestCrossfade:
    """From one movement to the next the last voice and the first sound together."""

    def pairs(self, pool, count=200, **given):
        steps = walk(pool, count, **given)
        assert sum(after.composed.planned.opens for _, after in pairwise(steps)) > count / 10
        return list(pairwise(steps))

    @pytest.mark.parametrize(("density", "fade_ms"), [("light", 480), ("medium", 600), ("dense", 600)])
    def test_it_is_at_the_opening_of_a_movement_and_nowhere_else(self, density, fade_ms):
        for before, after in self.pairs(pool_of(40, Density(density)), tables=with_choices(chance=0.0)):
            opens, (part,) = after.composed.planned.opens, after.composed.cue.parts
            assert (after.composed.cue.gap.ms < 0) == opens
            if opens:
                assert after.composed.cue.gap.ms == -fade_ms
                assert part.fade_in_ms == before.composed.cue.parts[0].fade_out_ms == fade_ms
            else:
                assert (part.fade_in_ms, before.composed.cue.parts[0].fade_out_ms) == (None, None)

    def test_of_a_short_voice_it_takes_a_share_and_never_more_than_the_last_voice_fades(self):
        facts = [
            replace(fact, duration_ms=ms)
            for fact, ms in zip(voices_of(Density.LIGHT, 40), range(700, 8700, 200), strict=True)
        ]
        for before, after in self.pairs(Pool(takes=facts), tables=with_choices(chance=0.0)):
            if after.composed.planned.opens:
                last, first = before.composed.voices[0].sounds_ms, after.composed.voices[0].sounds_ms
                leaves = before.composed.cue.parts[0].fade_out_ms
                assert leaves == min(600, int(0.12 * last))
                assert after.composed.cue.parts[0].fade_in_ms == min(leaves, int(0.12 * first))
                assert after.composed.cue.gap.ms == -after.composed.cue.parts[0].fade_in_ms

    @pytest.mark.parametrize(
        ("count", "posture", "tables"),
        [
            (40, QUIETER, TABLES),
            (40, PLAYING, with_choices(quiet_hours=quiet_hours(0, 0))),
            (5, PLAYING, TABLES),
            (1, PLAYING, TABLES),
        ],
        ids=["quieter", "quiet hours", "small pool", "one voice"],
    )
    def test_there_is_none_in_quiet_and_where_there_is_little_to_hear(self, count, posture, tables):
        for before, after in self.pairs(pool_of(count), posture=posture, tables=tables):
            assert after.composed.cue.gap.ms >= CATALOG.gap.shortest_ms
            assert before.composed.cue.parts[0].fade_out_ms is after.composed.cue.parts[0].fade_in_ms is None

    def test_voices_that_sound_together_end_a_movement_in_their_own_time(self):
        for before, after in self.pairs(pool_of(40), tables=with_choices(chance=0.5)):
            if len(before.composed.voices) > 1:
                assert before.composed.cue.parts[0].fade_out_ms is None
                assert after.composed.cue.gap.ms > 0

    def opening(self, *voices, **state):
        faded = replace(STATE, **{"left": 0, "fade_ms": 600, **state})
        planned, entered = plan(faded, PLAYING, NOW, random.Random(1), TABLES, deployment("repair"))
        return arrange(entered, planned, voices, random.Random(1), TABLES, deployment("repair"))[0]

    def test_a_voice_that_returns_waits_for_its_silence(self):
        assert self.opening(voice()).gap.ms == -600
        returning = self.opening(voice(featured=True))
        assert returning.gap.ms >= CATALOG.gap.shortest_ms
        assert returning.gap.factors["return"] == 1.25
        assert returning.parts[0].fade_in_ms is None

    def test_a_fade_that_is_left_over_within_a_movement_joins_nothing(self):
        assert self.opening(voice(), left=2).gap.ms > 0

    def test_a_follow_on_comes_after_its_own_delay(self):
        follows = self.opening(voice(facts=take(topic="lamp")), follow=Follow(topic="lamp", length=1))
        assert 220 <= follows.gap.ms <= 440
        assert follows.parts[0].fade_in_ms is None


class TestAir:
    @pytest.mark.parametrize(
        ("playable", "tone", "sparse"),
        [(1, 1.45, True), (3, 1.45, True), (4, 1.2, True), (6, 1.2, True), (7, 1.0, False)],
    )
    def test_the_less_there_is_to_hear_the_more_of_it(self, playable, tone, sparse):
        cues = [step.composed.cue for step in walk(pool_of(playable), 5)]
        assert {(cue.tone, cue.sparse) for cue in cues} == {(tone, sparse)}

    def test_a_sparse_room_is_slower_too(self):
        def mean(playable):
            gaps = [step.composed.cue.gap for step in walk(pool_of(playable, Density.DENSE), 200, tables=BALANCED)]
            return sum(gap.ms for gap in gaps if gap.ms > 0) / 200

        assert mean(3) > mean(6) > mean(40)

    @pytest.mark.parametrize("intensity", Intensity)
    @pytest.mark.parametrize("density", Density)
    def test_silence_keeps_to_its_share_however_short_voices_are(self, intensity, density):
        budget = CATALOG.intensities[intensity].silence_most
        steps = walk(pool_of(40, density), 300, tables=with_choices(intensity=intensity))
        for step in steps:
            silent = sum(span.silent_ms for span in step.after.spans)
            assert silent <= budget * (silent + sum(span.voiced_ms for span in step.after.spans)) + 1
        assert steps[-1].after.spans[0].voiced_ms <= LENGTH_MS[density] + 520


def test_where_voices_never_sound_together_there_is_no_chorus_either():
    question = deployment("question")
    alone = with_choices(layers=1, chance=1.0)
    choice = chosen(take(topic="rain", status="open", deployment="question"), active=question)
    planned, state = plan(STATE, PLAYING, NOW, random.Random(1), alone, question)
    assert all(layers(state, planned, choice, random.Random(n), alone, question) == () for n in range(200))
    together = with_choices(layers=2)
    assert any(layers(state, planned, choice, random.Random(n), together, question) for n in range(200))
