"""Keys of takes on a kiosk's disk: held for a while, given to whoever holds the take, gone once dropped."""

import pytest

from core.bootstrap.custody import rows_of
from core.errors import BadField, NotFound
from core.services.take_keys import STATION_MOST
from tests import wavs


def test_a_key_is_given_again_to_whoever_holds_the_take(node):
    held = node.system.take_keys.begin("kiosk-1")
    assert len(held.key) == 32
    assert node.system.take_keys.again(held.take) == held
    assert node.system.take_keys.begin("kiosk-1").key != held.key


@pytest.mark.parametrize("take", ["", "nonsense", "\x00", "ü" * 64])
def test_nobody_else_is_given_one(node, take):
    node.system.take_keys.begin("kiosk-1")
    with pytest.raises(NotFound):
        node.system.take_keys.again(take)


def test_what_it_is_asked_by_is_not_stored(node):
    held = node.system.take_keys.begin("kiosk-1")
    with node.system.work.read() as tx:
        found = tx.take_keys.get(node.system.vault.digest("take key", held.take), node.clock.now())
    assert found.key == held.key
    assert held.take not in found.id


def test_a_key_that_was_destroyed_is_gone_and_destroying_twice_is_harmless(node):
    held = node.system.take_keys.begin("kiosk-1")
    assert node.system.take_keys.destroy(held.take)
    assert not node.system.take_keys.destroy(held.take)
    with pytest.raises(NotFound):
        node.system.take_keys.again(held.take)


def test_it_is_held_from_the_last_time_it_was_asked_for(node):
    held = node.system.take_keys.begin("kiosk-1")
    for _ in range(3):
        node.clock.advance(minutes=14)
        assert node.system.take_keys.again(held.take) == held
    node.clock.advance(minutes=15)
    with pytest.raises(NotFound):
        node.system.take_keys.again(held.take)


def test_keys_whose_time_is_over_leave_the_database(node):
    node.system.take_keys.begin("kiosk-1")
    node.clock.advance(minutes=15)
    assert node.system.retention.prune() == 1
    assert node.system.retention.prune() == 0


def test_a_station_has_a_few_at_a_time_and_no_other_loses_any(node):
    other = node.system.take_keys.begin("kiosk-2")
    held = []
    for _ in range(STATION_MOST + 1):
        held.append(node.system.take_keys.begin("kiosk-1"))
        node.clock.advance(seconds=1)
    with pytest.raises(NotFound):
        node.system.take_keys.again(held[0].take)
    assert [node.system.take_keys.again(one.take) for one in [*held[1:], other]] == [*held[1:], other]


def test_no_copy_of_the_node_has_any(node):
    node.system.take_keys.begin("kiosk-1")
    tables = set()
    rows_of(node.system.outside).dump(lambda row: tables.add(row[0]))
    assert "take_key" not in tables
    assert "node" in tables


class TestUnattended:
    def test_a_take_its_participant_did_not_wait_for_waits_for_a_steward(self, node, client):
        body = client.leave("ROOM", wavs.take(1), key="k", unattended="1").json()
        with node.system.work.read() as tx:
            assert tx.artifacts.get(body["artifact"]["id"]).review == "held"

    def test_one_that_had_arrived_is_taken_back_out_of_the_room(self, node, client):
        first = client.leave("ROOM", wavs.take(1), key="k").json()
        again = client.leave("ROOM", wavs.take(1), key="k", unattended="1")
        assert (again.status_code, again.json()) == (201, first)
        with node.system.work.read() as tx:
            assert tx.artifacts.get(first["artifact"]["id"]).review == "held"

    def test_one_that_was_taken_back_meanwhile_stays_gone(self, client):
        first = client.leave("ROOM", wavs.take(1), key="k").json()
        client.post("/api/v1/revoke", json={"token": first["revocation_token"]})
        assert client.leave("ROOM", wavs.take(1), key="k", unattended="1").status_code == 410

    def test_anything_but_yes_or_no_is_refused(self, client):
        answer = client.leave("ROOM", wavs.take(1), unattended="perhaps")
        assert (answer.status_code, BadField.status) == (400, 400)
