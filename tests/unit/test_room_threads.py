"""What a take on a topic brings after it: choruses and their echo, follow-ons and their pace."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.deployment import DeploymentName, ThreadSignal
from core.domain.pool.facts import Density
from core.domain.room import threads
from core.domain.room.compose import Reason
from core.domain.room.program import Composed
from core.domain.room.rows import Step
from core.domain.room.state import Echo, Follow, RoomState, Thread
from core.domain.room.voices import LayerKind
from tests.pool_takes import BASE, deployment, take
from tests.room_tables import CATALOG, Pool, chosen, lies_within, voices_of, walk

QUESTION, REPAIR = deployment("question"), deployment("repair")
WITHOUT = [deployment(name) for name in DeploymentName if deployment(name).row.thread is None]
ASKED = replace(BASE, deployment="question", topic="Kitchen", status="open")
BENCH = replace(BASE, deployment="repair", topic="lamp", status="pending")


def asked(**about):
    return chosen(ASKED, active=QUESTION, **about)


def repaired(**about):
    return chosen(BENCH, active=REPAIR, **about)


class TestLength:
    def test_voices_on_one_topic_in_a_row_are_counted(self):
        thread, lengths = Thread(), []
        for topic in ["rain", "rain", "rain", "snow", "snow", "", "snow"]:
            thread = threads.length_after(thread, topic)
            lengths.append((thread.topic, thread.length))
        assert lengths == [("rain", 1), ("rain", 2), ("rain", 3), ("snow", 1), ("snow", 2), ("", 0), ("snow", 1)]

    @given(st.builds(Thread, topic=st.sampled_from(["", "rain"]), length=st.integers(0, 9)))
    def test_a_voice_without_a_topic_ends_it(self, thread):
        assert threads.length_after(thread, "") == Thread()


class TestChorus:
    def companions(self, draws=20_000, *, length=1, **about):
        rng, choice = random.Random(7), asked(**about)
        thread = Thread(topic="kitchen", length=length)
        return Counter(threads.companions(choice, thread, CATALOG, rng) for _ in range(draws))

    def test_one_voice_joins_in_by_its_chance(self):
        counts = self.companions()
        assert set(counts) == {0, 1}
        assert lies_within(counts[1], 20_000, 0.24)

    def test_from_the_third_voice_on_its_topic_another_may_join_the_first(self):
        counts = self.companions(length=3)
        assert set(counts) == {0, 1, 2}
        assert lies_within(counts[1] + counts[2], 20_000, 0.24)
        assert lies_within(counts[2], 20_000, 0.24 * 0.12)

    def test_before_that_it_never_does(self):
        assert 2 not in self.companions(length=2)

    @pytest.mark.parametrize(("playable", "most"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (500, 2)])
    def test_it_takes_so_many_playable_takes(self, playable, most):
        assert max(self.companions(length=9, pool_size=playable)) == most

    @pytest.mark.parametrize(
        "other",
        [
            replace(ASKED, duration_ms=20_000),
            replace(ASKED, topic=" "),
            replace(ASKED, status="answered"),
        ],
        ids=["dense", "no topic", "answered"],
    )
    def test_none_joins_a_dense_voice_one_without_a_topic_or_one_that_is_answered(self, other):
        rng = random.Random(1)
        choice = chosen(other, active=QUESTION)
        assert {threads.companions(choice, Thread(topic="x", length=5), CATALOG, rng) for _ in range(500)} == {0}

    def test_those_who_join_speak_on_the_topic_and_are_not_dense(self):
        joined = []
        for step in walk(mixed_pool(), 600):
            first, *others = step.composed.voices
            for voice in others:
                if voice.kind is LayerKind.CHORUS:
                    assert voice.choice.facts.topic == first.choice.facts.topic != ""
                    joined.append(voice.choice.density)
        assert len(joined) > 30
        assert set(joined) == {Density.LIGHT, Density.MEDIUM}


def mixed_pool():
    """Sixty takes of a question room: four topics and none, open and answered, of every density."""
    topics, statuses = ["kitchen", "garden", "stairs", "river", ""], ["open", "open", "answered"]
    return Pool(
        takes=[
            take(
                artifact_id=number,
                deployment="question",
                topic=topics[number % 5],
                status=statuses[number % 3],
                duration_ms=[4_000, 10_000, 20_000, 6_000][number % 4],
                unheard_hours=24,
            )
            for number in range(1, 61)
        ],
        active=QUESTION,
    )


def is_chorus(composed: Composed):
    return any(voice.kind is LayerKind.CHORUS for voice in composed.voices)


class TestEcho:
    def test_it_is_due_some_cues_after_a_chorus(self):
        rng = random.Random(3)
        echoes = [threads.echo_of(asked(), 1, 10, CATALOG, rng) for _ in range(200)]
        assert {echo.topic for echo in echoes} == {"kitchen"}
        assert {echo.due for echo in echoes} == {14, 15, 16, 17}

    def test_without_a_chorus_there_is_none(self):
        assert threads.echo_of(asked(), 0, 10, CATALOG, random.Random(1)) is None

    def test_a_thread_without_one_has_none(self):
        assert threads.echo_of(repaired(), 1, 10, CATALOG, random.Random(1)) is None

    @pytest.mark.parametrize("seed", range(4))
    def test_in_the_room_it_comes_once_after_four_to_seven_other_cues(self, seed):
        due, since, came = None, None, 0
        for step in walk(mixed_pool(), 500, seed=seed):
            echoes = Reason.ECHO in step.composed.planned.reasons
            assert echoes == (due is not None and step.before.cues == due)
            if echoes:
                assert 4 <= step.before.cues - since - 1 <= 7
                assert step.composed.planned.wish.preferred_topic == step.before.echo.topic
                assert step.composed.planned.wish.lane is step.composed.planned.wish.mood is None
                due, came = None, came + 1
            if is_chorus(step.composed):  # a newer one takes the place of one that waits
                due, since = step.after.echo.due, step.before.cues
            assert (step.after.echo is None) == (due is None)
        assert came > 5

    def test_a_follow_on_goes_before_it_and_it_waits(self):
        state = RoomState(cues=9, echo=Echo(topic="kitchen", due=9), follow=Follow(topic="lamp", length=1))
        pool = Pool(takes=[replace(fact, deployment="repair") for fact in voices_of(Density.MEDIUM, 12)], active=REPAIR)
        (step,) = walk(pool, 1, state=state)
        assert step.composed.planned.reasons == (Reason.FOLLOW_ON,)
        assert step.after.echo == state.echo


class TestFollowOn:
    def test_it_comes_by_its_chance(self):
        rng, thread = random.Random(11), Thread(topic="lamp", length=2)
        choice = repaired()
        follows = [threads.follow_of(choice, thread, CATALOG, rng) for _ in range(100_000)]
        come = [follow for follow in follows if follow]
        assert lies_within(len(come), 100_000, 0.52)
        assert set(come) == {Follow(topic="lamp", length=2)}

    @pytest.mark.parametrize(("playable", "ever"), [(1, False), (2, True), (500, True)])
    def test_it_takes_two_playable_takes(self, playable, ever):
        rng, thread = random.Random(1), Thread(topic="lamp", length=1)
        choice = repaired(pool_size=playable)
        assert any(threads.follow_of(choice, thread, CATALOG, rng) for _ in range(200)) == ever

    def test_none_comes_after_a_voice_without_a_topic_or_in_a_chorus_room(self):
        rng = random.Random(1)
        for choice in (chosen(replace(BENCH, topic=""), active=REPAIR), asked()):
            assert not any(threads.follow_of(choice, Thread(), CATALOG, rng) for _ in range(200))

    @pytest.mark.parametrize(
        ("length", "delay_ms", "gap", "density"),
        [
            (1, (220, 440), 0.72, Step.ANY),
            (2, (150, 300), 0.58, Step.LIGHTER),
            (3, (120, 240), 0.48, Step.LIGHT),
            (4, (120, 240), 0.48, Step.LIGHT),
            (90, (120, 240), 0.48, Step.LIGHT),
        ],
    )
    def test_its_step_goes_by_the_length_of_the_thread(self, length, delay_ms, gap, density):
        state = RoomState(follow=Follow(topic="lamp", length=length))
        step = threads.due_follow(state, ThreadSignal.REPAIR_BENCH, CATALOG).step
        assert (step.delay_ms, step.gap, step.density) == (delay_ms, gap, density)

    @pytest.mark.parametrize(
        ("step", "before", "expected"),
        [
            (Step.ANY, "dense", None),
            (Step.LIGHTER, "dense", "medium"),
            (Step.LIGHTER, "medium", "light"),
            (Step.LIGHTER, "light", "light"),
            (Step.LIGHTER, None, "light"),
            (Step.LIGHT, "dense", "light"),
        ],
    )
    def test_what_it_wishes_for_beside_the_voice_it_follows(self, step, before, expected):
        recent = (Density(before), Density.LIGHT) if before else ()
        assert threads.follow_density(step, recent) == expected

    @pytest.mark.parametrize("signal", [ThreadSignal.NONE, ThreadSignal.QUESTION_CHORUS])
    def test_one_that_was_due_is_forgotten_where_the_thread_has_none(self, signal):
        assert threads.due_follow(RoomState(follow=Follow(topic="lamp", length=1)), signal, CATALOG) is None

    def bench(self, topics=("lamp", "radio"), count=40):
        facts = [
            take(artifact_id=number, deployment="repair", topic=topics[number % len(topics)], unheard_hours=24)
            for number in range(1, count + 1)
        ]
        return Pool(takes=facts, active=REPAIR)

    def test_in_the_room_it_comes_as_soon_as_its_step_says_and_the_next_gap_is_shorter(self):
        steps = walk(self.bench(), 300)
        paces = Counter()
        for step, following in pairwise(steps):
            planned, cue = step.composed.planned, step.composed.cue
            follows = (
                planned.follow is not None and step.composed.voices[0].choice.facts.topic == planned.follow.follow.topic
            )
            assert step.after.pace == (planned.follow.step.gap if follows else 1.0)
            if follows:
                least, most = planned.follow.step.delay_ms
                assert least <= cue.gap.ms <= most
                assert (cue.gap.factors, cue.parts[0].fade_in_ms) == ({}, None)
            if factors := following.composed.cue.gap.factors.get("thread"):
                assert factors == step.after.pace
                paces[factors] += 1
        assert set(paces) == {1.0, 0.72, 0.58, 0.48}

    def test_one_that_finds_nothing_of_its_topic_is_no_follow_on(self):
        pool = self.bench(topics=("radio",))
        for seed in range(20):
            state = RoomState(movement="arrival", left=2, scene="threshold", follow=Follow(topic="lamp", length=1))
            (step,) = walk(pool, 1, state=state, seed=seed)
            assert step.composed.planned.reasons == (Reason.FOLLOW_ON,)
            assert step.composed.cue.gap.ms >= CATALOG.gap.shortest_ms
            assert set(step.composed.cue.gap.factors) > {"tempo"}
            assert step.after.pace == 1.0

    def test_a_thread_in_the_room_ends_with_a_voice_without_a_topic(self):
        for step in walk(self.bench(topics=("lamp", "")), 100):
            topic = step.composed.voices[0].choice.facts.topic
            assert step.after.thread.topic == topic
            assert (step.after.thread.length == 0) == (topic == "")
            if not topic:
                assert step.after.follow is None


@pytest.mark.parametrize("active", WITHOUT, ids=lambda active: active.name)
def test_a_deployment_without_a_thread_does_nothing_of_it(active):
    facts = [
        replace(fact, deployment=active.name, topic="lamp", status="open") for fact in voices_of(Density.MEDIUM, 30)
    ]
    for step in walk(Pool(takes=facts, active=active), 150):
        assert (step.after.echo, step.after.follow, step.after.pace) == (None, None, 1.0)
        assert not is_chorus(step.composed)
        assert step.composed.planned.follow is None


def test_four_deployments_have_no_thread():
    assert {active.name for active in WITHOUT} == {"memory", "prompt", "witness", "oracle"}
