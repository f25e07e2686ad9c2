"""How the node is: counts, disk, budgets, and samples over time."""

from datetime import timedelta

import pytest

from core.domain.consent import Mode
from core.errors import OverBudget, Unavailable
from core.ports.work import QueueDepth
from core.services.snapshot import EXACT_TO
from tests.fakes import START, at_once
from tests.takes import put_takes

EMPTY = QueueDepth(waiting=0, running=0, oldest_waiting_s=0.0)
GB = 10**9


def status(node, queue=EMPTY):
    return node.system.status.status(queue)


def samples(node):
    return node.system.status.samples(START - timedelta(days=1))


class TestCounts:
    def test_a_fresh_node_counts_nothing_and_names_every_kind(self, node):
        counted = status(node).counted
        assert (counted.active, counted.playable, counted.expired, counted.revoked, counted.at) == (0, 0, 0, 0, START)
        assert counted.lanes == {"fresh": 0, "mid": 0, "worn": 0}
        assert counted.moods == dict.fromkeys(("clear", "hushed", "suspended", "weathered", "gathering"), 0)
        assert counted.colours == {"clear": 0, "warm": 0, "radio": 0, "dream": 0, "dry": 0}

    def test_twelve_takes_are_counted_by_what_they_lend_the_room(self, node):
        put_takes(node, 4, duration_ms=3_000, effect="warm")
        put_takes(node, 5, created_at=START - timedelta(hours=10))
        put_takes(node, 3, plays=5, duration_ms=20_000)
        counted = status(node).counted
        assert (counted.active, counted.playable) == (12, 12)
        assert counted.lanes == {"fresh": 4, "mid": 5, "worn": 3}
        assert counted.moods == {"clear": 4, "hushed": 5, "suspended": 0, "weathered": 3, "gathering": 0}
        assert counted.colours == {"clear": 0, "warm": 4, "radio": 0, "dream": 0, "dry": 8}

    def test_what_may_not_play_is_active_and_not_playable(self, node):
        put_takes(node, 2, review="held")
        put_takes(node, 1, playable_until=START)
        counted = status(node).counted
        assert (counted.active, counted.playable, counted.waiting) == (3, 0, 2)

    def test_the_ended_are_counted(self, node):
        node.system.revocation.revoke(node.keep().secret)
        node.keep()
        node.clock.advance(hours=49)
        node.system.retention.expire()
        counted = status(node).counted
        assert (counted.active, counted.expired, counted.revoked) == (0, 1, 1)

    def test_what_is_held_and_what_ends_next(self, make_node):
        node = make_node(RETENTION_SOON_HOURS=1)
        node.keep(Mode.FOSSIL)
        put_takes(node, 1, raw_until=START + timedelta(minutes=30))
        kept = status(node).counted.retention
        assert (kept.raw_held, kept.raw_expiring_soon, kept.fossil_retained, kept.fossil_residue_only) == (2, 1, 1, 0)
        assert kept.next_raw_expiry_at == START + timedelta(minutes=30)
        assert kept.next_fossil_expiry_at == START + timedelta(days=365)

    def test_up_to_the_bound_counts_are_of_this_moment(self, node):
        node.system.status.sample()
        put_takes(node, EXACT_TO)
        node.clock.advance(minutes=4)
        counted = status(node).counted
        assert (counted.playable, counted.at) == (EXACT_TO, START + timedelta(minutes=4))

    def test_a_large_archive_is_told_from_the_last_sample(self, node):
        put_takes(node, 6_000)
        node.system.status.sample()
        put_takes(node, 10)
        node.clock.advance(minutes=4)
        found = status(node)
        assert (found.counted.active, found.counted.playable, found.counted.lanes["fresh"]) == (6_000, 6_000, 6_000)
        assert (found.counted.at, found.now) == (START, START + timedelta(minutes=4))
        assert found.counted.retention.next_raw_expiry_at == START + timedelta(hours=48)

    def test_a_large_archive_without_a_sample_is_counted_once_more(self, node):
        put_takes(node, 6_000)
        assert status(node).counted.playable == 6_000


class TestComponents:
    def test_a_node_at_work_is_ok(self, node):
        for role in ("worker", "scheduler"):
            node.system.jobs.beat(role, role)
        found = status(node)
        assert found.ok
        assert found.components == node.system.health.readiness(EMPTY).components

    @pytest.mark.parametrize("waiting", [None, 39, 40])
    def test_they_are_those_of_readiness(self, node, waiting):
        node.store.refuses.add("check")
        queue = None if waiting is None else QueueDepth(waiting=waiting, running=0, oldest_waiting_s=0.0)
        found = status(node, queue)
        assert not found.ok
        assert found.components == node.system.health.readiness(queue).components

    def test_without_its_database_there_is_no_status(self, node, ground):
        ground.take_database_away(node.system)
        with pytest.raises(Unavailable):
            status(node)


@pytest.mark.parametrize(("free_gb", "level"), [(500, "ok"), (149, "warning"), (79, "critical"), (30, "reserve")])
def test_the_disk_has_a_level(node, free_gb, level):
    node.disk.free = free_gb * GB
    storage = status(node).storage
    assert (storage.free_bytes, storage.total_bytes, storage.reserve_bytes) == (free_gb * GB, 1000 * GB, 30 * GB)
    assert storage.level == level


def test_intake_stops_where_the_reserve_begins(node):
    node.disk.free = 30 * GB + 1
    node.system.intake.ready()
    assert status(node).storage.level == "critical"


class TestThrottles:
    def test_every_budget_says_what_it_allows(self, make_node):
        node = make_node(INGEST_PER_STATION_HOUR=7, OPS_LOCKOUT_SECONDS=60)
        throttles = status(node).throttles
        assert set(throttles) == {"ingest", "take_key", "revoke", "flag", "signin", "sensor", "sensor_token"}
        assert (throttles["ingest"].per_station, throttles["ingest"].window_seconds) == (7, 3600)
        assert throttles["signin"].window_seconds == 60
        assert {throttle.denied_last_hour for throttle in throttles.values()} == {0}

    def test_refusals_are_counted_by_kind(self, make_node):
        node = make_node(INGEST_PER_STATION_HOUR=2)
        for number in range(5):
            try:
                node.system.budgets.spend("ingest", client="k", address="a")
            except OverBudget:
                assert number >= 2
        with pytest.raises(OverBudget):
            node.system.budgets.check("ingest", client="k", address="a")
        assert node.system.budgets.denials("ingest") == 4
        assert node.system.budgets.denials("revoke") == 0

    def test_looking_counts_nothing(self, node):
        node.system.budgets.snapshot("ingest", client="k", address="a")
        status(node)
        assert node.system.budgets.denials("ingest") == 0

    @pytest.mark.engine("stack")
    def test_processes_count_together(self, make_node):
        one, two = make_node(FLAG_PER_STATION_HOUR=1), make_node(FLAG_PER_STATION_HOUR=1)
        one.system.budgets.spend("flag", client="k", address="a")
        for node in (one, two):
            with pytest.raises(OverBudget):
                node.system.budgets.spend("flag", client="k", address="a")
        assert [node.system.budgets.denials("flag") for node in (one, two)] == [2, 2]


class TestSamples:
    def test_a_sample_keeps_what_was_counted(self, node):
        put_takes(node, 3, effect="radio")
        node.system.status.sample()
        (sample,) = samples(node)
        assert sample.at == START
        assert (sample.counts["playable"], sample.counts["colours"]["radio"], sample.counts["plays"]) == (3, 3, 0)
        assert sample.counts["retention"]["next_raw_expiry_at"] == (START + timedelta(hours=48)).isoformat()

    def test_they_come_oldest_first_and_from_a_time_on(self, node):
        for _ in range(3):
            node.system.status.sample()
            node.clock.advance(minutes=5)
        found = node.system.status.samples(START + timedelta(minutes=5))
        assert [sample.at for sample in found] == [START + timedelta(minutes=minutes) for minutes in (5, 10)]

    def test_plays_are_those_since_the_last_one(self, node):
        put_takes(node, 1)

        def heard(times):
            with node.system.work.write() as tx:
                for number in range(times):
                    nonce = f"{node.clock.now()}-{number}"
                    tx.events.enter(1, nonce=nonce, context="room", action="heard", now=node.clock.now())

        for times in (2, 3, 0):
            node.clock.advance(minutes=1)
            heard(times)
            node.clock.advance(minutes=4)
            node.system.status.sample()
        assert [sample.counts["plays"] for sample in samples(node)] == [2, 3, 0]

    def test_after_a_pause_plays_of_one_interval_are_counted(self, node):
        node.system.status.sample()
        put_takes(node, 1)
        with node.system.work.write() as tx:
            tx.events.enter(1, nonce="n", context="room", action="heard", now=START + timedelta(hours=1))
        node.clock.advance(hours=5)
        node.system.status.sample()
        assert [sample.counts["plays"] for sample in samples(node)] == [0, 0]

    def test_two_at_once_leave_one(self, node):
        at_once(*[node.system.status.sample] * 2)
        assert len(samples(node)) == 1

    def test_old_ones_are_forgotten(self, node):
        node.system.status.sample()
        node.clock.advance(days=9)
        node.system.retention.prune()
        assert samples(node) == []
