"""What the room asks for, and what it remembers: the same for the same seed, and never for ever."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.deployment import DeploymentName
from core.domain.pool.facts import Density, Lane, Mood
from core.domain.room.compose import REMEMBERED_IDS, Planned, Reason, Rest, plan
from core.domain.room.rows import Preset
from core.domain.room.state import Echo, Follow, RoomState, Span
from tests.pool_takes import MEMORY, NOW, deployment, deployments, pools, topics
from tests.room_tables import (
    BALANCED,
    CATALOG,
    PAUSED,
    PLAYING,
    QUIETER,
    TABLES,
    Pool,
    lies_within,
    voices_of,
    walk,
    with_choices,
)

# Its first cue asks for a fresh, light, clear take; its second for nothing.
THRESHOLD = RoomState(movement="arrival", left=2, scene="threshold")
ASKS = {"lane": Lane.FRESH, "density": Density.LIGHT, "mood": Mood.CLEAR}


def planned(state=THRESHOLD, posture=PLAYING, *, seed=1, tables=TABLES, active=MEMORY):
    found, _ = plan(state, posture, NOW, random.Random(seed), tables, active)
    assert isinstance(found, Planned)
    return found


def asked(found):
    return {"lane": found.wish.lane, "density": found.wish.density, "mood": found.wish.mood}


class TestTheSeed:
    @pytest.mark.parametrize("name", DeploymentName)
    @pytest.mark.parametrize("count", [2, 40])
    def test_the_same_one_composes_the_same_in_everything(self, name, count):
        active = deployment(name)
        facts = [
            replace(fact, deployment=name, topic=["rain", ""][fact.artifact_id % 2])
            for fact in voices_of(Density.MEDIUM, count)
        ]
        first, again = (walk(Pool(takes=facts, active=active), 80, seed=5) for _ in range(2))
        assert first == again

    def test_another_one_composes_something_else(self):
        played = {
            tuple(step.composed.voices[0].choice.facts.artifact_id for step in walk(pool_of(40), 10, seed=seed))
            for seed in range(10)
        }
        assert len(played) == 10


def pool_of(count, density=Density.MEDIUM, **facts):
    return Pool(takes=voices_of(density, count, **facts))


class TestTheWish:
    def test_it_is_what_the_scene_asks_for_and_tells_what_was_there_lately(self):
        lately = replace(THRESHOLD, recent_densities=(Density.DENSE,), recent_topics=("rain",))
        found = planned(lately)
        assert asked(found) == ASKS
        assert (found.wish.recent_densities, found.wish.recent_topics) == ((Density.DENSE,), ("rain",))
        assert (found.reasons, found.wish.preferred_topic, found.wish.preferred_status) == ((), "", "")
        assert asked(planned(replace(THRESHOLD, step=1))) == dict.fromkeys(ASKS)

    def test_a_steward_s_focus_is_a_hint_beside_what_the_scene_asks_for(self):
        found = planned(posture=replace(PLAYING, topic=" The  Rain ", status="Open"))
        assert asked(found) == ASKS
        assert (found.wish.preferred_topic, found.wish.preferred_status) == ("the rain", "open")
        assert found.reasons == (Reason.FOCUS,)

    def test_an_echo_asks_for_its_topic_and_nothing_else(self):
        waits, due = (replace(THRESHOLD, cues=cues, echo=Echo(topic="rain", due=7)) for cues in (6, 7))
        assert planned(waits).wish.preferred_topic == ""
        found = planned(due, replace(PLAYING, mood=Mood.CLEAR, topic="snow"))
        assert asked(found) == dict.fromkeys(ASKS)
        assert (found.wish.preferred_topic, found.reasons) == ("rain", (Reason.ECHO,))

    @pytest.mark.parametrize(
        ("playable", "window"),
        [(0, 12), (1, 0), (2, 1), (3, 1), (4, 2), (5, 3), (10, 6), (19, 11), (20, 12), (900, 12)],
    )
    def test_in_a_small_pool_a_share_of_it_may_not_come_again_yet(self, playable, window):
        lately = tuple(range(100, 130))
        assert planned(replace(THRESHOLD, pool_size=playable, recent_ids=lately)).wish.exclude_ids == lately[:window]

    @pytest.mark.parametrize("name", DeploymentName)
    def test_in_a_large_one_the_deployment_says_how_many(self, name):
        active, lately = deployment(name), tuple(range(100, 150))
        found = planned(replace(THRESHOLD, pool_size=900, recent_ids=lately), active=active)
        assert found.wish.exclude_ids == lately[: active.row.anti_repetition_window]

    def test_the_opening_of_a_movement_is_told(self):
        assert planned(RoomState()).opens
        assert not planned(THRESHOLD).opens


class TestTheChanceOfAWish:
    def test_a_scene_is_asked_as_often_as_the_catalog_says_and_its_pauses_are_kept(self):
        tables = replace(TABLES, catalog=replace(TABLES.catalog, wish_chance=0.4))
        found = [planned(seed=seed, tables=tables) for seed in range(4_000)]
        nothing = dict.fromkeys(ASKS)
        assert all(asked(one) in (ASKS, nothing) for one in found)
        assert lies_within(sum(one.wish.lane is Lane.FRESH for one in found), 4_000, 0.4)
        paused = [planned(replace(THRESHOLD, step=2), seed=seed, tables=tables) for seed in range(50)]
        assert {one.cue.pause for one in paused} == {True}


class TestWhatStoodOften:
    @pytest.mark.parametrize(
        ("lately", "wished"),
        [
            ((), "light"),
            (("light", "medium", "dense", "dense"), "light"),
            (("light", "medium", "light", "dense"), "medium"),
            (("light",) * 4, "medium"),
        ],
    )
    def test_a_density_is_answered_rather_than_asked_for_again(self, lately, wished):
        found = planned(replace(THRESHOLD, recent_densities=tuple(map(Density, lately))))
        assert found.wish.density == wished
        assert (Reason.DENSITY_ANSWERED in found.reasons) == (wished != "light")

    @pytest.mark.parametrize(
        ("lately", "wished"),
        [((), "clear"), (("clear", "clear"), "clear"), (("clear", "hushed", "clear", "clear"), "suspended")],
    )
    def test_a_mood_is_answered_too(self, lately, wished):
        found = planned(replace(THRESHOLD, recent_moods=tuple(map(Mood, lately))))
        assert found.wish.mood == wished
        assert (Reason.MOOD_ANSWERED in found.reasons) == (wished != "clear")

    def test_what_is_not_asked_for_is_not_answered(self):
        lately = replace(THRESHOLD, step=1, recent_densities=(Density.LIGHT,) * 4, recent_moods=(Mood.CLEAR,) * 6)
        assert asked(planned(lately)) == dict.fromkeys(ASKS)

    def test_every_answer_is_another_and_is_answered_itself(self):
        for table in (CATALOG.counterbalance.density.instead, CATALOG.counterbalance.mood.instead):
            assert all(instead is not name and instead in table for name, instead in table.items())


class TestLeaning:
    def leaning(self, lately, *, step=0, draws=4_000):
        state = replace(THRESHOLD, step=step, recent_moods=lately)
        posture = replace(PLAYING, mood=Mood.WEATHERED)
        return Counter(
            (found.wish.mood, found.reasons) for found in (planned(state, posture, seed=n) for n in range(draws))
        )

    @pytest.mark.parametrize("lately", [(), (Mood.WEATHERED,), (Mood.WEATHERED, *(Mood.CLEAR,) * 5)])
    def test_the_mood_a_steward_set_is_wished_for(self, lately):
        assert set(self.leaning(lately, draws=200)) == {(Mood.WEATHERED, (Reason.MOOD_BIAS,))}

    def test_once_it_stood_twice_lately_it_is_only_by_chance(self):
        found = self.leaning((Mood.WEATHERED, Mood.CLEAR, Mood.WEATHERED))
        assert set(found) == {(Mood.WEATHERED, (Reason.MOOD_BIAS,)), (Mood.CLEAR, ())}
        assert lies_within(found[Mood.WEATHERED, (Reason.MOOD_BIAS,)], 4_000, 0.72)

    def test_else_the_scene_s_own_mood_is_wished_for_or_what_answers_it(self):
        lately = (*(Mood.WEATHERED,) * 2, *(Mood.CLEAR,) * 3)
        assert (Mood.SUSPENDED, (Reason.MOOD_ANSWERED,)) in self.leaning(lately, draws=200)
        assert (None, ()) in self.leaning(lately, step=1, draws=200)


class TestRests:
    @pytest.fixture(params=["opening", "within", "threaded"])
    def state(self, request):
        within = next(one.after for one in walk(pool_of(20), 30)[8:] if one.after.left > 0)
        return {
            "opening": replace(within, left=0),
            "within": within,
            "threaded": replace(within, follow=Follow(topic="x", length=1), echo=Echo(topic="y", due=0)),
        }[request.param]

    @pytest.mark.parametrize("posture", [PAUSED, PLAYING], ids=["paused", "empty"])
    def test_one_leaves_everything_where_it_was(self, state, posture):
        pool = pool_of(20 if posture is PAUSED else 0)
        for _ in range(3):
            (step,) = walk(pool, 1, state=state, posture=posture)
            assert (step.composed.cue, step.composed.rest_ms) == (None, 4000)
            kept = {"seq": state.seq + 1, "fade_ms": 0} | ({} if posture is PAUSED else {"pool_size": 0})
            assert step.after == replace(state, **kept)
            state = step.after

    def test_a_paused_room_asks_for_nothing(self):
        pool = pool_of(20)
        assert plan(THRESHOLD, PAUSED, NOW, random.Random(1), TABLES, MEMORY) == (Rest(rest_ms=4000), THRESHOLD)
        walk(pool, 3, posture=PAUSED)
        assert pool.wishes == []

    def test_after_one_a_movement_opens_but_not_inside_a_voice_that_is_long_over(self):
        ended = next(step.after for step in walk(pool_of(20), 20) if step.after.fade_ms)
        for rests in (PAUSED, PLAYING):
            (rest,) = walk(pool_of(20 if rests is PAUSED else 0), 1, state=ended, posture=rests)
            (step,) = walk(pool_of(20), 1, state=rest.after)
            assert step.composed.planned.opens
            assert (step.composed.cue.gap.ms > 0, step.composed.cue.parts[0].fade_in_ms) == (True, None)

    def test_a_room_of_one_plays_on_and_on(self):
        assert all(step.composed.cue for step in walk(pool_of(1), 60))


class TestMemory:
    @settings(deadline=None)
    @given(
        pools,
        deployments,
        st.integers(0, 2**32),
        st.lists(st.sampled_from([PLAYING, QUIETER, PAUSED]), min_size=1, max_size=60),
        topics,
    )
    def test_it_is_bounded_whatever_is_played(self, facts, active, seed, postures, topic):
        leaning = [replace(posture, mood=Mood.CLEAR, topic=topic) for posture in postures]
        tables = with_choices(chance=0.9, layers=3, from_playable=2)
        pool = Pool(takes=facts, active=active)
        for step in walk(pool, len(leaning), seed=seed, posture=leaning, tables=tables):
            state, windows = step.after, CATALOG.windows
            assert len(state.recent_ids) <= REMEMBERED_IDS
            assert len(set(state.recent_ids)) == len(state.recent_ids)
            assert len(state.recent_densities) <= windows.densities
            assert len(state.recent_topics) <= windows.topics
            assert len(state.recent_moods) <= windows.moods
            assert len(state.recent_scenes) <= windows.scenes
            assert len(state.spans) <= windows.silence
            assert state.left >= 0

    def test_its_windows_fill(self):
        state = walk(pool_of(200, topic="rain"), 80)[-1].after
        sizes = CATALOG.windows
        assert len(state.recent_ids) == REMEMBERED_IDS
        assert (len(state.recent_densities), len(state.recent_moods)) == (sizes.densities, sizes.moods)
        assert (len(state.recent_topics), len(state.recent_scenes)) == (sizes.topics, sizes.scenes)
        assert len(state.spans) == sizes.silence

    def test_the_newest_comes_first_and_of_several_voices_the_last(self):
        tables = with_choices(chance=1.0, layers=3)
        for step in walk(pool_of(40, Density.LIGHT), 20, tables=tables):
            ids = [voice.choice.facts.artifact_id for voice in step.composed.voices]
            assert len(ids) == 3
            assert list(step.after.recent_ids[:3]) == ids[::-1]
            first = step.composed.voices[0].choice
            assert (step.after.recent_densities[0], step.after.recent_moods[0]) == (first.density, first.mood)

    def test_a_span_is_the_silence_before_and_what_sounded_after_it(self):
        steps = walk(pool_of(40), 60, tables=with_choices(chance=0.5))
        for step in steps:
            cue, voices = step.composed.cue, step.composed.voices
            ends = max(part.delay_ms + one.sounds_ms for part, one in zip(cue.parts, voices, strict=True))
            joined = max(0, -cue.gap.ms)
            assert step.after.spans[0] == Span(voiced_ms=ends - joined, silent_ms=max(0, cue.gap.ms))
        assert any(step.composed.cue.gap.ms < 0 for step in steps)

    def test_programs_and_voices_are_counted(self):
        steps = walk(pool_of(40), 30, posture=[PLAYING, PAUSED] * 15)
        assert [step.after.seq for step in steps] == list(range(1, 31))
        assert steps[-1].after.cues == 15
        assert [step.composed.cue.seq for step in steps if step.composed.cue] == list(range(1, 31, 2))


@pytest.mark.parametrize("name", DeploymentName)
def test_every_deployment_composes_by_its_own_multipliers(name):
    active = deployment(name)
    facts = [replace(fact, deployment=name) for fact in voices_of(Density.MEDIUM, 40)]
    gaps = Counter()
    for step in walk(Pool(takes=facts, active=active), 80, tables=BALANCED):
        cue, pause = step.composed.cue, step.composed.planned.cue.pause
        if factors := set(cue.gap.factors) - {"crossfade"}:
            assert factors == {"tempo", "movement", "scarcity", "depth", "thread", "return"}
            assert cue.gap.factors["tempo"] == pytest.approx(active.row.pause_gap if pause else active.row.cue_gap)
            gaps[pause] += 1
    assert min(gaps[True], gaps[False]) > 10


@pytest.mark.parametrize(("preset", "share"), [("meditative", (3, 5)), ("active", (2, 3))])
def test_movements_in_the_room_are_as_long_as_their_preset_has_it(preset, share):
    opened = [
        step.before.cues
        for step in walk(pool_of(40), 120, tables=with_choices(preset=Preset(preset)))
        if step.composed.planned.opens
    ]
    lengths = {later - earlier for earlier, later in pairwise(opened)}
    assert (min(lengths), max(lengths)) == share
