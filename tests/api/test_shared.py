"""Two web instances on one stack behave as one node; without Redis they go on."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from core.domain.work import DAILY, Signal
from tests.engines import at_work
from tests.fakes import SHORT_TAKE, at_once, new_node, visits_to, wait_for
from tests.servers import Fault, FaultyProxy, shared_redis

pytestmark = pytest.mark.engine("stack")

KIOSK = {"X-Memory-Client-Id": "kiosk-1"}
UPLOAD = "/api/v1/artifacts/audio"


class Instance:
    """One web instance: its node, its application's clients, and every signal it has told its pages."""

    def __init__(self, node, visits):
        self.node = node
        self.client = visits.client()
        self.told = []
        self._off = node.system.effects.subscribe(lambda signal, detail: self.told.append((signal, detail)))

    def leave(self, **headers):
        form = {"files": {"file": ("a.wav", SHORT_TAKE, "audio/wav")}, "data": {"consent_mode": "ROOM"}}
        return self.client.post(UPLOAD, headers={**KIOSK, **headers}, **form)

    def listening(self):
        """Whether it hears the others: pages are told to read again as soon as it does."""
        return {signal for signal, detail in self.told if not detail} >= set(Signal)


@pytest.fixture
def instances(ground, clock):
    """Builds two instances that hear one another, each with a folder of its own."""
    with ExitStack() as stack:

        def build(**settings):
            made = []
            for name in ("one", "two"):
                node = new_node(ground.folder / name, clock=clock, **{**ground.settings, **settings})
                stack.callback(node.close)
                made.append(Instance(node, stack.enter_context(visits_to(node))))
            for instance in made:
                # Asked again and again, because it may have listened before this test subscribed.
                wait_for(lambda instance=instance: hears(made, instance))
                instance.told.clear()
            return made

        yield build


def hears(made, instance):
    """Whether a signal of any other instance arrives at this one."""
    for other in made:
        if other is not instance:
            other.node.system.effects.signal(Signal.POOL, {"probe": 1})
    return any(detail == {"probe": 1} for _, detail in instance.told)


@pytest.fixture
def pair(instances):
    """Two instances with the settings' defaults."""
    made = instances()
    for instance in made:
        # A process has one application. Two that look through their routes for the first time at the same moment, in
        # two threads, disturb each other: the framework silences a warning for the whole process meanwhile.
        instance.client.get("/api/v1/nothing")
    return made


def told(instance, signal):
    return [detail for found, detail in instance.told if found is signal and detail.get("probe") is None]


class TestSignals:
    def test_a_stewards_change_reaches_the_pages_of_the_other_within_a_second(self, pair):
        one, two = pair
        one.node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
        wait_for(lambda: told(two, Signal.STEWARD), most_s=1.0)
        assert two.node.system.stewardship.state().intake_paused

    def test_a_revocation_reaches_the_rooms_of_the_other(self, pair):
        one, two = pair
        left = one.leave().json()
        one.client.post("/api/v1/revoke", json={"token": left["revocation_token"]})
        wait_for(lambda: {"dropped": [left["artifact"]["id"]]} in told(two, Signal.POOL), most_s=1.0)

    def test_an_instance_is_told_of_its_own_changes_once(self, pair):
        one, two = pair
        one.node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
        wait_for(lambda: told(two, Signal.STEWARD))
        two.node.system.stewardship.change({"intake_paused": False}, actor="t", version=1)
        wait_for(lambda: len(told(one, Signal.STEWARD)) >= 2)
        assert len(told(one, Signal.STEWARD)) == len(told(two, Signal.STEWARD)) == 2

    def test_another_node_on_the_same_redis_hears_nothing(self, pair, elsewhere):
        one, two = pair
        with visits_to(elsewhere) as visits:
            foreign = Instance(elsewhere, visits)
            one.node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
            wait_for(lambda: told(two, Signal.STEWARD))
        assert [detail for _, detail in foreign.told if detail] == []


class TestAsOneNode:
    def test_budgets_are_counted_together(self, instances):
        one, two = instances(INGEST_PER_STATION_HOUR=2)
        assert [one.leave().status_code, two.leave().status_code] == [201, 201]
        assert [one.leave().status_code, two.leave().status_code] == [429, 429]
        budget = two.client.get("/api/v1/surface/state", headers=KIOSK).json()["ingest_budget"]["client"]
        assert (budget["used"], budget["remaining"], budget["exhausted"]) == (2, 0, True)

    def test_budgets_hold_when_both_are_asked_at_once(self, instances):
        one, two = instances(INGEST_PER_STATION_HOUR=3)
        answers = at_once(*[one.leave, two.leave] * 4)
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 5
        assert len(one.node.stored()) == 3

    def test_codes_tried_are_counted_together(self, instances):
        one, two = instances(REVOKE_PER_STATION_HOUR=2)
        body = {"token": "22222-22222-22222"}
        tries = [instance.client.post("/api/v1/revoke", json=body) for instance in (one, two) * 2]
        assert [answer.status_code for answer in tries] == [404, 404, 429, 429]

    def test_failed_sign_ins_lock_out_of_both(self, pair):
        for number in range(6):
            pair[number % 2].client.post("/ops/", data={"secret": "wrong"})
        right = {"secret": pair[0].node.system.access.shared_secret()}
        assert [instance.client.post("/ops/", data=right).status_code for instance in pair] == [429, 429]

    def test_a_session_of_one_is_a_session_of_the_other(self, pair):
        one, two = pair
        one.client.post("/ops/", data={"secret": one.node.system.access.shared_secret()})
        token = one.client.cookies["memory_engine_steward"]
        two.client.cookies.set("memory_engine_steward", token)
        assert two.client.get("/api/v1/operator/session").status_code == 200

    def test_signing_out_of_one_signs_out_of_the_other(self, pair):
        one, two = pair
        one.client.post("/ops/", data={"secret": one.node.system.access.shared_secret()})
        two.client.cookies.set("memory_engine_steward", one.client.cookies["memory_engine_steward"])
        one.client.post("/ops/logout/", data={"x": ""})
        assert two.client.get("/api/v1/operator/session").status_code == 403

    @pytest.mark.parametrize("attempt", range(4))
    def test_a_one_time_take_is_heard_once_across_both(self, pair, attempt):
        one, two = pair
        url = one.client.leave("NOSAVE").json()["play_url"]
        answers = at_once(*[lambda: one.client.get(url), lambda: two.client.get(url)] * 3)
        assert sorted(answer.status_code for answer in answers) == [200] + [404] * 5
        assert [answer.content for answer in answers if answer.status_code == 200] == [SHORT_TAKE]

    def test_a_hearing_counts_once_across_both(self, pair):
        one, two = pair
        one.leave()
        ack = two.client.get("/api/v1/pool/next").json()["playback_ack_url"]
        one.node.clock.advance(seconds=1)
        answers = at_once(*[lambda: one.client.post(ack), lambda: two.client.post(ack)] * 3)
        assert sorted(len(answer.json()) for answer in answers) == [1] + [2] * 5
        assert one.node.row(1).plays == 1

    def test_an_idempotency_key_stores_once_across_both(self, pair):
        one, two = pair
        answers = at_once(*[lambda: one.client.leave(key="key-1"), lambda: two.client.leave(key="key-1")] * 2)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        one.node.system.retention.sweep()
        assert len(one.node.stored()) == one.node.counts()["artifact"] == 1

    def test_a_grant_of_one_is_honoured_by_the_other(self, pair):
        one, two = pair
        one.leave()
        playback = one.client.get("/api/v1/pool/next").json()
        assert two.client.get(playback["audio_url"]).content == SHORT_TAKE

    def test_a_code_given_by_one_is_known_to_the_other(self, pair):
        one, two = pair
        code = one.leave().json()["revocation_token"]
        assert two.client.post("/api/v1/revoke", json={"token": code}).json()["revoked_artifacts"] == 1

    def test_a_schedule_of_each_runs_no_slot_twice(self, ground, clock):
        with ExitStack() as stack:
            nodes = [new_node(ground.folder / name, clock=clock, **ground.settings) for name in ("one", "two")]
            for node in nodes:
                stack.callback(node.close)
                stack.enter_context(visits_to(node, at_work))
            # What is done once a day is not begun by a node's first minute.
            expected = set(nodes[0].system.intervals_s) - DAILY
            wait_for(lambda: {row.job for row in nodes[0].table("job_run")} >= expected, most_s=30)
            wait_for(lambda: all(row.ended_at for row in nodes[0].table("job_run")), most_s=30)
            assert {row.job: row.done for row in nodes[0].table("job_run")} == dict.fromkeys(expected, 1)


class TestWithoutRedis:
    @pytest.fixture
    def killed(self, instances):
        """Two instances whose Redis is gone."""
        made = instances(INGEST_PER_STATION_HOUR=2)
        shared_redis().kill()
        yield made
        shared_redis()

    def test_intake_playback_and_revocation_go_on(self, killed):
        one, two = killed
        left = one.client.leave("FOSSIL").json()
        playback = two.client.get("/api/v1/pool/next").json()
        assert two.client.get(playback["audio_url"]).content == SHORT_TAKE
        one.node.clock.advance(seconds=1)
        assert one.client.post(playback["playback_ack_url"]).json() == {"ok": True}
        revoked = two.client.post("/api/v1/revoke", json={"token": left["revocation_token"]}).json()
        assert (revoked["revoked_artifacts"], revoked["verified_gone_at"] is not None) == (1, True)
        once = one.client.leave("NOSAVE").json()
        assert two.client.get(once["play_url"]).content == SHORT_TAKE

    def test_budgets_count_for_each_process(self, killed):
        for instance in killed:
            assert [instance.leave().status_code for _ in range(3)] == [201, 201, 429]

    def test_stewards_sign_in_and_are_locked_out_all_the_same(self, killed):
        one, _ = killed
        assert [one.client.post("/ops/", data={"secret": "wrong"}).status_code for _ in range(7)] == [403] * 6 + [429]

    def test_health_says_that_the_queue_is_down(self, killed):
        one, _ = killed
        assert one.client.get("/healthz").json()["components"] == {"database": "ok", "queue": "down", "store": "ok"}

    def test_once_it_is_back_everything_is_shared_again(self, killed):
        one, two = killed
        one.leave()
        shared_redis()
        wait_for(lambda: hears(killed, one) and hears(killed, two))

        def counted_together():
            one.leave()
            state = two.client.get("/api/v1/surface/state", headers=KIOSK).json()
            return state["ingest_budget"]["client"]["used"] > 0

        wait_for(counted_together)

    def test_pages_are_told_to_read_again_once_it_is_back(self, killed):
        one, two = killed
        one.node.system.stewardship.change({"intake_paused": True}, actor="t", version=0)
        for instance in killed:
            instance.told.clear()
        shared_redis()
        wait_for(lambda: one.listening() and two.listening())


class TestBesideARedisThatHangs:
    @pytest.fixture
    def hanging(self, instances, ground):
        """Two instances whose Redis takes what is said and answers nothing."""
        with FaultyProxy(shared_redis().port, speaks_http=False) as proxy:
            made = instances(REDIS_URL=ground.settings["REDIS_URL"].replace(str(shared_redis().port), str(proxy.port)))
            proxy.set(Fault.HANG)
            yield made
            proxy.clear()

    def test_intake_playback_and_revocation_are_held_up_for_seconds_at_most(self, hanging):
        one, two = hanging
        began = time.monotonic()
        left = one.leave().json()
        assert two.client.get("/api/v1/pool/next").status_code == 200
        assert two.client.post("/api/v1/revoke", json={"token": left["revocation_token"]}).status_code == 200
        assert time.monotonic() - began < 8

    def test_nobody_waits_for_the_one_who_asks_it(self, hanging):
        one, _ = hanging
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(one.leave)
            slowest_s = 0.0
            while not asking.done():
                began = time.monotonic()
                assert one.client.get("/livez").status_code == 200
                slowest_s = max(slowest_s, time.monotonic() - began)
        assert asking.result().status_code == 201
        assert slowest_s < 0.8
