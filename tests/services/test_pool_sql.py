import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from scipy.stats import chisquare
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.adapters.sql.pool import _Rows
from core.adapters.sql.tables import ArtifactRow, ConsentRow
from core.domain.artifact import DRAW_BITS, State
from core.domain.pool.asked import Asked
from core.domain.pool.choose import narrow
from core.domain.pool.facts import Density, Lane, Mood, Rung, Wish
from core.domain.pool.lanes import lane, mood
from core.domain.pool.reach import Reach
from core.domain.pool.weights import weigh
from tests.pool_draws import Draws
from tests.pool_takes import FIGURES, LANES, MEMORY, NOW, deployment, take

KINDS = 20
NOT_BY_CHANCE = 1e-4


def stock(node, count, *, kind=None, **given):
    """`count` playable takes of twenty kinds in the database; their facts."""
    rng = random.Random(f"{count} {given}")
    facts = [(kind or some_kind)(number % KINDS) for number in range(count)]
    with Session(node.system.outside.engine) as session:
        consent = ConsentRow(
            mode="ROOM", manifest={}, code_hash=None, key_id="", notice_version="1", language="en", created_at=NOW
        )
        session.add(consent)
        session.flush()
        rows = [row_of(fact, consent.id, rng, **given) for fact in facts]
        session.add_all(rows)
        session.commit()
        return [replace(fact, artifact_id=row.id) for fact, row in zip(facts, rows, strict=True)]


def some_kind(number):
    """Ages, lengths and plays of all lanes, densities and moods; some never heard."""
    return take(
        age_hours=(0.5, 5, 14, 30, 300)[number % 5],
        unheard_hours=None if number % 3 == 0 else 0.4,
        duration_ms=(3000, 10_000, 25_000)[number % 3],
        plays=number % 4,
        wear=0.05 * (number % 4),
        topic="kitchen" if number % 2 else "",
    )


def row_of(fact, consent_id, rng, **given):
    """A row with these facts."""
    values = {
        "public_id": f"{rng.getrandbits(128):032x}",
        "consent_id": consent_id,
        "state": State.ACTIVE.value,
        "raw_key": None,
        "duration_ms": fact.duration_ms,
        "draw": rng.getrandbits(DRAW_BITS),
        "plays": fact.plays,
        "wear": fact.wear,
        "heard_at": fact.heard_at,
        "created_at": fact.created_at,
        "raw_until": NOW + timedelta(days=9),
        "playable_until": NOW + timedelta(days=9),
        "deployment": fact.deployment,
        "topic": fact.topic,
        "status": fact.status,
    }
    return ArtifactRow(**{**values, **given})


def pool_of(node, *, scan_most, active=MEMORY):
    return Draws(node.system.outside.engine, deployment=active, scan_most=scan_most)


def surprise(pool, facts, wish, draws, *, active=MEMORY):
    """The p-value of so many draws, by kind, against the weights of the specification."""
    rng = random.Random(11)
    kind_of = {fact.artifact_id: index % KINDS for index, fact in enumerate(facts)}
    seen = Counter(kind_of[pool.draw(wish, NOW, rng).choice.facts.artifact_id] for _ in range(draws))
    rows, _ = narrow(facts, Asked(wish, NOW, FIGURES, active, prefers=False))
    weights = Counter()
    for row in rows:
        weights[kind_of[row.artifact_id]] += weigh(row, wish, NOW, FIGURES, active).product
    total = sum(weights.values())
    assert set(seen) <= set(weights)
    return chisquare([seen[kind] for kind in weights], [draws * weight / total for weight in weights.values()]).pvalue


WISHES = {
    "anything": Wish(),
    "a mood, after two dense ones": Wish(mood=Mood.HUSHED, recent_densities=(Density.DENSE, Density.DENSE)),
    "a lane": Wish(lane=Lane.WORN),
}


@pytest.mark.parametrize("name", WISHES)
def test_a_small_pool_is_drawn_by_weight(node, name):
    facts = stock(node, 60)
    assert surprise(pool_of(node, scan_most=2000), facts, WISHES[name], 400) > NOT_BY_CHANCE


@pytest.mark.parametrize(("name", "draws"), list(zip(WISHES, (500, 200, 200), strict=True)))
def test_a_large_pool_is_drawn_by_weight(node, name, draws):
    facts = stock(node, 600)
    assert surprise(pool_of(node, scan_most=0), facts, WISHES[name], draws) > NOT_BY_CHANCE


def test_in_a_large_pool_every_single_take_is_reached(node):
    facts = stock(node, 200, kind=lambda _number: take())
    pool, rng = pool_of(node, scan_most=0), random.Random(2)
    seen = Counter(pool.draw(Wish(), NOW, rng).choice.facts.artifact_id for _ in range(1000))
    assert chisquare([seen[fact.artifact_id] for fact in facts]).pvalue > NOT_BY_CHANCE


def test_holes_in_a_large_pool_do_not_bend_the_draw(node):
    facts = stock(node, 300, kind=lambda _number: take())
    gone = {fact.artifact_id for fact in facts[:270]}
    for artifact_id in gone:
        node.change(artifact_id, state=State.REVOKED.value)
    pool, rng = pool_of(node, scan_most=0), random.Random(2)
    seen = Counter(pool.draw(Wish(), NOW, rng).choice.facts.artifact_id for _ in range(200))
    assert not gone & set(seen)
    assert chisquare([seen[fact.artifact_id] for fact in facts[270:]]).pvalue > NOT_BY_CHANCE


@pytest.mark.parametrize("left", [0, 50, 99])
def test_the_only_take_that_fits_is_found_wherever_it_stands(node, monkeypatch, left):
    """No wish gives way as long as there is one."""
    monkeypatch.setattr("core.domain.pool.drawing.BATCHES", (1,))
    facts = stock(node, 100, kind=lambda _number: take())
    excluded = tuple(fact.artifact_id for at, fact in enumerate(facts) if at != left)
    choice = pool_of(node, scan_most=0).draw(Wish(exclude_ids=excluded), NOW, random.Random(1)).choice
    assert (choice.facts.artifact_id, choice.gave_way) == (facts[left].artifact_id, ())


def test_a_preference_is_taken_as_often_by_probing_as_by_scanning(node):
    prompt = deployment("prompt")
    stock(node, 600, kind=lambda n: take(age_hours=20 if n < 10 else 400, deployment="prompt", duration_ms=10_000))
    shares = []
    for scan_most in (0, 2000):
        pool, rng = pool_of(node, scan_most=scan_most, active=prompt), random.Random(5)
        ages = [pool.draw(Wish(), NOW, rng).choice.facts.age_hours(NOW) for _ in range(200)]
        shares.append(sum(age < 240 for age in ages) / 200)
    assert abs(shares[0] - shares[1]) < 0.12
    assert min(shares) > 0.8


def test_a_rare_lane_in_a_large_pool_is_found_by_the_scan(node):
    facts = stock(node, 600, kind=lambda _number: take(age_hours=30))
    node.change(facts[77].artifact_id, created_at=NOW - timedelta(hours=1))
    rng = random.Random(4)
    for _ in range(3):
        choice = pool_of(node, scan_most=0).draw(Wish(lane=Lane.FRESH), NOW, rng).choice
        assert (choice.facts.artifact_id, choice.lane, choice.gave_way) == (facts[77].artifact_id, Lane.FRESH, ())


def test_a_lane_nobody_is_in_widens_in_a_large_pool_too(node):
    stock(node, 600, kind=lambda _number: take(age_hours=30))
    choice = pool_of(node, scan_most=0).draw(Wish(lane=Lane.FRESH), NOW, random.Random(4)).choice
    assert (choice.lane, choice.gave_way) == (Lane.WORN, (Rung.LANE,))


@pytest.mark.parametrize("scan_most", [0, 2000])
class TestBothWays:
    def test_an_empty_pool_gives_nothing(self, node, scan_most):
        assert pool_of(node, scan_most=scan_most).draw(Wish(), NOW, random.Random(1)) is None

    def test_what_may_not_be_played_is_never_drawn(self, node, scan_most):
        playable = stock(node, 3)
        stock(node, 3, state=State.EPHEMERAL.value)
        stock(node, 3, state=State.EXPIRED.value)
        stock(node, 3, playable_until=NOW)
        stock(node, 3, playable_until=None)
        stock(node, 3, review="held")
        pool, rng = pool_of(node, scan_most=scan_most), random.Random(1)
        answers = [pool.draw(Wish(), NOW, rng) for _ in range(20)]
        assert {answer.choice.facts.artifact_id for answer in answers} <= {fact.artifact_id for fact in playable}
        assert {answer.pool_size for answer in answers} == {3}

    def test_exclusions_hold_while_there_is_another(self, node, scan_most):
        facts = stock(node, 20)
        excluded = tuple(fact.artifact_id for fact in facts[:19])
        pool, rng = pool_of(node, scan_most=scan_most), random.Random(1)
        drawn = {pool.draw(Wish(exclude_ids=excluded), NOW, rng).choice.facts.artifact_id for _ in range(5)}
        assert drawn == {facts[19].artifact_id}

    def test_where_all_are_excluded_the_oldest_exclusion_gives_way(self, node, scan_most):
        facts = stock(node, 4, kind=lambda _number: take())
        excluded = tuple(fact.artifact_id for fact in facts)
        answer = pool_of(node, scan_most=scan_most).draw(Wish(exclude_ids=excluded), NOW, random.Random(1))
        assert answer.choice.facts.artifact_id == facts[-1].artifact_id
        assert answer.choice.gave_way == (Rung.EXCLUSION,)

    def test_what_was_just_heard_rests_while_there_is_another(self, node, scan_most):
        facts = stock(node, 20, kind=lambda n: take(unheard_hours=0.01 if n else None))
        pool, rng = pool_of(node, scan_most=scan_most), random.Random(1)
        drawn = {pool.draw(Wish(), NOW, rng).choice.facts.artifact_id for _ in range(5)}
        assert drawn == {facts[0].artifact_id}


def test_a_count_above_five_thousand_comes_from_a_sample_at_most_a_minute_old(node):
    facts = stock(node, 5001, kind=lambda _number: take())
    pool, rng = pool_of(node, scan_most=0), random.Random(1)
    assert pool.draw(Wish(), NOW, rng).pool_size == 5001
    node.change(facts[0].artifact_id, state=State.REVOKED.value)
    assert pool.draw(Wish(), NOW + timedelta(seconds=59), rng).pool_size == 5001
    assert pool.draw(Wish(), NOW + timedelta(seconds=61), rng).pool_size == 5000


REACHES = {
    "of some last hours": Reach(created_from=NOW - timedelta(hours=14)),
    "of hours long ago": Reach(created_until=NOW - timedelta(hours=14)),
    "short": Reach(longest_ms=5000),
    "long": Reach(shortest_ms=18_000, deployment="memory"),
    "on a topic, however it was written": Reach(topic="the kitchen"),
    "of a status": Reach(statuses=frozenset({"open", "held"})),
    "of a deployment": Reach(deployment="oracle"),
    "everywhere": Reach(),
    "of all of it": Reach(
        deployment="memory", created_from=NOW - timedelta(hours=40), topic="the kitchen", longest_ms=10_000
    ),
}


@pytest.mark.parametrize("name", REACHES)
def test_a_reach_holds_in_the_database_what_it_holds_by_its_word(node, name):
    facts = [
        *stock(
            node, 40, kind=lambda n: replace(some_kind(n), topic=("", "The  Kitchen", "the kitchen ", "garden")[n % 4])
        ),
        *stock(node, 20, kind=lambda n: replace(some_kind(n), status=("open", "Held", "")[n % 3], deployment="oracle")),
    ]
    reach = REACHES[name]
    expected = {fact.artifact_id for fact in facts if reach.admits(fact)}
    with Session(node.system.outside.engine) as session:
        rows = _Rows(session, NOW, lambda *_: len(facts), {})
        assert {row.artifact_id for row in rows.scan(reach, lambda _row: True)} == expected
        found = rows.find(reach, lambda _row: True)
        assert (found.artifact_id if found else None) in (expected or {None})
        count = rows.within(reach, 1000)
        picked = rows.pick(reach, range(count))
        assert expected <= {row.artifact_id for row in picked if row is not None}
        assert rows.within(reach, 0) == min(count, 1)


def test_that_a_length_is_common_is_known_for_a_minute(node):
    stock(node, 5, kind=lambda _number: take(duration_ms=3000))
    crowded = {}
    with Session(node.system.outside.engine) as session:
        reach = Reach(longest_ms=5000, deployment="memory")
        assert _Rows(session, NOW, lambda *_: 5, crowded).within(reach, 3) == 4
        session.execute(update(ArtifactRow).values(state=State.EXPIRED.value))
        later = [NOW + timedelta(seconds=seconds) for seconds in (59, 61, -1)]
        assert [_Rows(session, at, lambda *_: 5, crowded).within(reach, 3) for at in later] == [4, 0, 0]


def test_kinds_are_counted_as_every_take_is_judged(node):
    facts = stock(node, 60)
    stock(node, 3, review="held")
    node.change(facts[0].artifact_id, effect="warm")
    with node.system.work.read() as tx:
        groups = tx.archive.alike(NOW, LANES)
    for judged in (lane, mood):
        counted = Counter()
        for group in groups:
            counted[judged(group.facts, NOW, LANES)] += group.count
        assert counted == Counter(judged(fact, NOW, LANES) for fact in facts)
    assert sum(group.count for group in groups if group.effect == "warm") == 1
