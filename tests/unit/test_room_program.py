"""A program is composed again from what was noted: the same one, in everything."""

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.domain.deployment import Deployment
from core.domain.pool.facts import Density, Mood, PoolFacts, Wish
from core.domain.room.posture import Posture
from core.domain.room.program import Composed, Look, Noted, compose, replay
from core.domain.room.state import Echo, Follow, RoomState, Span, Thread
from core.domain.room.voices import LayerKind
from core.services.decisions import told, without_words
from tests.pool_takes import FIGURES, MEMORY, NOW, deployment, deployments, pools, statuses, take, topics
from tests.room_tables import CATALOG, PLAYING, TABLES, Drawn, Pool, quiet_hours, voices_of, walk, with_choices

NOTED = TypeAdapter(Noted)

postures = st.builds(
    Posture,
    plays=st.just(True),
    quieter=st.booleans(),
    mood=st.none() | st.sampled_from(Mood),
    topic=topics,
    status=statuses,
)
words = topics.filter(bool)
places = st.sampled_from([(scene.name, movement) for scene in CATALOG.scenes for movement in scene.movements])
ids = st.lists(st.integers(1, 12), max_size=20, unique=True).map(tuple)
spans = st.builds(Span, voiced_ms=st.integers(0, 90_000), silent_ms=st.integers(0, 9_000))


@st.composite
def states(draw):
    """A page somewhere on its way."""
    scene, movement = draw(places)
    return RoomState(
        seq=draw(st.integers(0, 900)),
        cues=draw(st.integers(0, 900)),
        movement=movement,
        left=draw(st.integers(0, 4)),
        scene=scene,
        step=draw(st.integers(0, 8)),
        pool_size=draw(st.integers(0, 60)),
        recent_ids=draw(ids),
        recent_densities=draw(st.lists(st.sampled_from(Density), max_size=4).map(tuple)),
        recent_topics=draw(st.lists(words, max_size=4).map(tuple)),
        recent_moods=draw(st.lists(st.sampled_from(Mood), max_size=6).map(tuple)),
        recent_scenes=(scene,),
        spans=draw(st.lists(spans, max_size=24).map(tuple)),
        thread=draw(st.builds(Thread, topic=words, length=st.integers(1, 5)) | st.just(Thread())),
        follow=draw(st.none() | st.builds(Follow, topic=words, length=st.integers(1, 5))),
        echo=draw(st.none() | st.builds(Echo, topic=words, due=st.integers(0, 900))),
        fade_ms=draw(st.integers(0, 600)),
        pace=draw(st.sampled_from([1.0, 0.72, 0.58])),
    )


tables = st.sampled_from(
    [
        TABLES,
        with_choices(chance=0.9, layers=3, from_playable=2),
        with_choices(quiet_hours=quiet_hours(0, 0), chance=0.5, from_playable=1, scarce_low=2, scarce_severe=1),
    ]
)
seeds = st.integers(0, 2**63 - 1)
moments = st.integers(0, 10**12).map(lambda microseconds: NOW + timedelta(microseconds=microseconds))


def composed_once(state, posture, seed, rows, scan_most, active, chosen_tables, now):
    """A program and what is noted of it; `rows` are the pool."""
    pool = Pool(takes=rows, active=active, now=now, scan_most=scan_most, seed=seed)
    first, _ = compose(state, posture, now, random.Random(seed), pool.draw, chosen_tables, active)
    return first, Noted(seed=seed, at=now, state=state, posture=posture, looks=first.looks)


def plain(composed: Composed) -> Composed:
    """Without what a replay need not bring back: the grants and artifacts a draw comes with."""
    return replace(composed, drawn=())


@settings(deadline=None)
@given(states(), postures, seeds, pools, st.sampled_from([0, 2000]), deployments, tables, moments)
def test_what_was_noted_composes_the_same_again_also_by_way_of_json(
    state, posture, seed, rows, scan_most, active, chosen_tables, now
):
    first, noted = composed_once(state, posture, seed, rows, scan_most, active, chosen_tables, now)
    kept = NOTED.validate_json(NOTED.dump_json(noted))
    assert kept == noted
    for record in (noted, kept):
        again = replay(record, chosen_tables, active, FIGURES, scan_most=scan_most)
        assert plain(again) == plain(first)
        assert [one.sounds_ms for one in again.drawn] == [one.sounds_ms for one in first.drawn]


@settings(deadline=None)
@given(states(), postures, seeds, pools, st.sampled_from([0, 2000]), deployments, tables)
def test_with_every_word_taken_out_the_reasons_are_still_the_same(
    state, posture, seed, rows, scan_most, active, chosen_tables
):
    first, noted = composed_once(state, posture, seed, rows, scan_most, active, chosen_tables, NOW)
    wordless = without_words(noted, active.resolved | active.unresolved)
    again = replay(wordless, chosen_tables, active, FIGURES, scan_most=scan_most)
    assert told(again, seed=seed) == told(first, seed=seed)
    assert not any(word in NOTED.dump_json(wordless).decode() for word in ("kitchen", "garden", "observed"))


def test_every_state_of_a_long_walk_can_be_replayed():
    question = deployment("question")
    rows = [
        replace(fact, deployment="question", topic=["rain", "snow", ""][fact.artifact_id % 3], status="open")
        for fact in voices_of(Density.MEDIUM, 30)
    ]
    state, kinds = RoomState(), set()
    for seed in range(200):
        first, noted = composed_once(state, PLAYING, seed, rows, 2000, question, TABLES, NOW)
        again = replay(noted, TABLES, question, FIGURES, scan_most=2000)
        assert plain(again) == plain(first)
        kinds |= {voice.kind for voice in first.voices}
        pool = Pool(takes=rows, active=question, seed=seed)
        _, state = compose(state, PLAYING, NOW, random.Random(seed), pool.draw, TABLES, question)
    assert kinds == {None, *LayerKind}


def test_another_seed_or_other_figures_compose_something_else():
    first, noted = composed_once(RoomState(), PLAYING, 1, voices_of(Density.MEDIUM, 30), 2000, MEMORY, TABLES, NOW)
    others = [replay(replace(noted, seed=seed), TABLES, MEMORY, FIGURES, scan_most=2000) for seed in range(2, 8)]
    assert all(plain(other) != plain(first) for other in others)
    slower = with_choices(quiet_hours=quiet_hours(0, 0))
    assert replay(noted, slower, MEMORY, FIGURES, scan_most=2000).cue != first.cue


def test_a_record_that_is_cut_short_is_a_rest_and_no_error():
    _, noted = composed_once(RoomState(), PLAYING, 1, voices_of(Density.MEDIUM, 30), 2000, MEMORY, TABLES, NOW)
    for looks in ((), (Look(looked=None),)):
        again = replay(replace(noted, looks=looks), TABLES, MEMORY, FIGURES, scan_most=2000)
        assert (again.cue, again.voices, again.rest_ms) == (None, (), CATALOG.rest_when_empty_ms)


def test_an_empty_pool_is_a_rest_that_says_what_was_wished_for():
    pool = Pool(takes=[])
    (step,) = walk(pool, 1)
    assert (step.composed.cue, step.composed.drawn, step.composed.looks) == (None, (), (Look(looked=None),))
    assert [step.composed.planned.wish] == pool.wishes


@settings(deadline=None)
@given(pools, deployments, seeds, tables)
def test_no_voice_sounds_twice_in_a_program(rows, active: Deployment, seed, chosen_tables):
    rows = [replace(row, topic="kitchen", status="open", deployment=active.name) for row in rows]
    for step in walk(Pool(takes=rows, active=active), 12, seed=seed, tables=chosen_tables):
        sounding = [voice.choice.facts.artifact_id for voice in step.composed.voices]
        assert len(set(sounding)) == len(sounding)
        assert len(step.composed.cue.parts) == len(step.composed.drawn) == len(sounding)
        assert step.composed.voices[0].kind is None
        assert None not in {voice.kind for voice in step.composed.voices[1:]}


class TestLayersThatWidened:
    """A wish gives way where it must; a layer does not."""

    def layered(self, *rows: PoolFacts, active: Deployment = MEMORY, count: int = 30):
        """What layers were wished for, and which voices sound, in programs that begin with the first of `rows`."""
        found = []
        for seed in range(count):
            draws: list[Wish] = []

            def draw(wish: Wish, rng: random.Random, draws: list[Wish] = draws) -> Drawn | None:
                draws.append(wish)
                drawn = Pool(takes=rows[:1] if len(draws) == 1 else rows, active=active).draw(wish, rng)
                return drawn and replace(drawn, choice=replace(drawn.choice, pool_size=40))

            together = with_choices(chance=1.0, layers=3)
            composed, _ = compose(RoomState(), PLAYING, NOW, random.Random(seed), draw, together, active)
            assert composed.wished
            found.append((composed.wished, [voice.choice.facts.artifact_id for voice in composed.voices]))
        return found

    def test_a_dense_voice_is_none(self):
        dense = [take(artifact_id=number, duration_ms=20_000, unheard_hours=2) for number in (2, 3)]
        assert all(ids == [1] for _, ids in self.layered(take(artifact_id=1, unheard_hours=2), *dense))

    def test_the_voice_that_sounds_already_is_none(self):
        assert all(ids == [1] for _, ids in self.layered(take(artifact_id=1)))

    def test_one_of_another_length_than_wished_for_still_is(self):
        other = take(artifact_id=2, unheard_hours=2)
        assert all(ids == [1, 2] for _, ids in self.layered(take(artifact_id=1), other))

    def test_one_on_another_topic_joins_no_chorus(self):
        question = deployment("question")
        about = {"deployment": "question", "status": "open", "unheard_hours": 2}
        first = take(artifact_id=1, topic="Rain", **about)
        same, other = (take(artifact_id=2, topic=topic, **about) for topic in ("rain ", "snow"))
        for fact, joins in ((same, [1, 2]), (other, [1])):
            found = self.layered(first, fact, active=question)
            choruses = [ids for wished, ids in found if wished[0].kind is LayerKind.CHORUS]
            assert choruses
            assert all(ids == joins for ids in choruses)


def test_a_layer_whose_take_has_just_ended_bends_nothing_else_in_the_record():
    tables_of_layers = with_choices(chance=1.0, layers=3)
    pool = Pool(takes=voices_of(Density.MEDIUM, 12))
    lost = 0
    for seed in range(40):
        draws = iter(range(9))

        def draw(wish, rng, draws=draws):
            found = pool.draw(wish, rng)
            return None if next(draws) == 1 else found

        first, _ = compose(RoomState(), PLAYING, NOW, random.Random(seed), draw, tables_of_layers, MEMORY)
        noted = Noted(seed=seed, at=NOW, state=RoomState(), posture=PLAYING, looks=first.looks)
        again = replay(noted, tables_of_layers, MEMORY, FIGURES, scan_most=2000)
        lost += len(first.wished) > len(first.voices) - 1
        assert told(again, seed=seed) == told(first, seed=seed)
    assert lost > 30
