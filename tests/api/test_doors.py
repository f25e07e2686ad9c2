"""Whether a voice may come in, as kiosks, clients and stewards are told; and the words that open it again."""

from datetime import UTC, datetime
from threading import Event

import pytest

from core.domain.custody import Closed
from core.errors import Unavailable
from core.ports.work import TrailQuery
from core.services.ledger import shut
from tests.api.conftest import sign_in
from tests.fakes import FrozenClock, at_once

CONFIRM, OPEN = "/api/v1/operator/clock/confirm", "/api/v1/operator/node/open"


@pytest.fixture
def clock():
    """Browsers believe in the real time of a cookie."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def node(make_node):
    """One whose clock nobody keeps right."""
    return make_node(synchronised=False)


def door(client):
    return client.get("/api/v1/surface/state").json()["intake_door"]


def close(node, reason):
    with node.system.work.write() as tx:
        shut(tx, reason, "test", node.clock.now())


def signed(visits, node):
    return sign_in(visits.client(), node.system.access.shared_secret())


def unavailable():
    raise Unavailable("The store of this room does not answer right now.")


def doubted(node, *, days=-730):
    node.clock.advance(days=days)


class TestTheDoor:
    def test_it_says_why_it_is_shut(self, client, node):
        said = [door(client)]
        node.disk.free = 0
        said.append(door(client))
        doubted(node)
        said.append(door(client))
        node.system.stewardship.change({"intake_paused": True}, actor="t")
        said.append(door(client))
        node.system.stewardship.change({"maintenance_mode": True}, actor="t")
        said.append(door(client))
        close(node, Closed.EXHIBITION)
        said.append(door(client))
        assert said == ["", "full", "clock", "paused", "maintenance", "closed"]

    @pytest.mark.parametrize("cause", [doubted, lambda node: close(node, Closed.LEDGER_SHORT)])
    def test_a_clock_in_doubt_and_a_closed_node_answer_423_and_store_nothing(self, client, node, cause):
        cause(node)
        for mode in ("ROOM", "NOSAVE"):
            answer = client.leave(mode)
            assert (answer.status_code, answer.json()["error"][-1]) == (423, ".")
        assert node.files() == []

    def test_playing_and_taking_back_go_on_with_a_full_disk(self, client, node):
        kept = client.leave().json()
        node.disk.free = 0
        assert client.leave().status_code == 507
        chosen = client.get("/api/v1/pool/next").json()
        assert client.get(chosen["audio_url"]).status_code == 200
        answer = client.post("/api/v1/revoke", json={"token": kept["revocation_token"]}).json()
        assert answer["verified_gone_at"] is not None
        assert node.files() == []


class TestAReserveIsNotEaten:
    def test_an_upload_that_would_reach_it_is_refused_before_it_is_read(self, client, node):
        reserve = node.system.reserve.bytes()
        node.disk.free = reserve + 2000
        assert client.leave().status_code == 507
        node.disk.free = reserve + 100_000
        assert client.leave().status_code == 201

    def test_of_many_at_once_only_those_come_in_that_fit(self, visits, node):
        copies = 1 if node.system.settings.DATABASE_URL else 2
        node.disk.free = node.system.reserve.bytes() + int(2.5 * copies * 4500)
        arrived = Event()
        node.store.before["put"] = lambda _key: arrived.wait(1.5)
        clients = [visits.client(address=f"203.0.113.{n}") for n in range(8)]
        answers = at_once(*(client.leave for client in clients))
        arrived.set()
        assert sorted(answer.status_code for answer in answers) == [201, 201] + [507] * 6
        assert clients[0].leave().status_code == 201

    def test_one_that_was_answered_before_is_answered_again(self, client, node):
        first = client.leave(key="k")
        node.disk.free = 0
        assert client.leave(key="k").json() == first.json()


class TestTheClock:
    def test_a_steward_confirms_it_once(self, visits, node):
        doubted(node)
        steward = signed(visits, node)
        assert door(steward) == "clock"
        assert steward.post(CONFIRM).json() == {"ok": True}
        assert (door(steward), steward.post(CONFIRM).status_code) == ("", 409)

    def test_what_stands_is_told_with_both_times(self, visits, node):
        doubted(node)
        [told] = [w for w in signed(visits, node).get("/api/v1/node/status").json()["warnings"] if "clock" in w["name"]]
        now = node.clock.now()
        assert (told["name"], told["level"]) == ("clock_doubt", "critical")
        assert str(now.year) in told["title"]
        assert str(now.year + 2) in told["title"]

    def test_without_a_doubt_there_is_nothing_to_confirm(self, signed_in, node):
        assert signed_in.post(CONFIRM).status_code == 409
        assert node.system.stewardship.trail(TrailQuery(action="confirm_clock")) == []


class TestAClosedNode:
    @pytest.mark.parametrize("reason", [reason for reason in Closed if reason])
    def test_a_steward_opens_it_once(self, signed_in, node, reason):
        close(node, reason)
        told = signed_in.get("/api/v1/node/status").json()["warnings"]
        assert "node_closed" in [warning["name"] for warning in told]
        assert signed_in.post(OPEN).json() == {"ok": True}
        assert (door(signed_in), signed_in.post(OPEN).status_code) == ("", 409)
        [entry] = node.system.stewardship.trail(TrailQuery(action="open_node"))
        assert (entry.actor, entry.before["closed"]) == ("steward", reason.value)

    def test_a_shorter_ledger_is_then_all_there_is(self, make_node):
        node = make_node()
        node.system.revocation.revoke(node.keep().secret)
        with node.system.work.write() as tx:
            tx.nodes.remember_ledger(9)
        node.close()
        again = make_node()
        assert again.system.stewardship.state().closed is Closed.LEDGER_SHORT
        again.system.ledger.reopen(actor="Ada")
        again.close()
        third = make_node()
        assert third.system.stewardship.state().closed is Closed.OPEN
        assert third.system.ledger.compare().ledger_length == 1

    def test_a_store_that_does_not_answer_keeps_it_closed(self, visits, node):
        close(node, Closed.LEDGER_SHORT)
        steward = signed(visits, node)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(node.system.outside.ledger, "entries", unavailable)
            assert steward.post(OPEN).status_code == 503
        assert door(steward) == "closed"


class TestWhoMay:
    @pytest.mark.parametrize("path", [CONFIRM, OPEN])
    def test_nobody_but_a_steward_says_so(self, client, curator, node, path):
        doubted(node, days=-20)
        close(node, Closed.LEDGER_SHORT)
        assert client.post(path).status_code == 403
        assert curator.post(path).status_code == 403
        assert door(client) == "closed"
        assert node.system.guard.doubt() is not None
