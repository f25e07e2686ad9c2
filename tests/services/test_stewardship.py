import pytest

from core.domain.steward import SWITCHES
from core.errors import BadField, Conflict
from tests.fakes import START, at_once


def switch(node, name, on, *, version):
    return node.system.stewardship.switch(name, on, actor="steward", version=version)


def test_a_node_nobody_has_touched_has_the_posture_of_its_settings(make_node):
    state = make_node(KIOSK_MAX_RECORDING_SECONDS=90).system.stewardship.state()
    assert state.kiosk_max_recording_seconds == 90
    assert not any(getattr(state, name) for name in SWITCHES)


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_turns_on_and_off(node, name):
    on = switch(node, name, True, version=0)
    assert (getattr(on, name), on.version, on.updated_at) == (True, 1, START)
    off = switch(node, name, False, version=1)
    assert (getattr(off, name), off.version) == (False, 2)
    assert node.system.stewardship.state() == off


def test_a_switch_changes_nothing_else(make_node):
    node = make_node(KIOSK_MAX_RECORDING_SECONDS=90)
    switch(node, "quieter_mode", True, version=0)
    state = switch(node, "intake_paused", True, version=1)
    assert (state.quieter_mode, state.intake_paused, state.kiosk_max_recording_seconds) == (True, True, 90)


def test_a_stale_version_is_a_conflict_and_changes_nothing(node):
    switch(node, "intake_paused", True, version=0)
    with pytest.raises(Conflict):
        switch(node, "playback_paused", True, version=0)
    assert not node.system.stewardship.state().playback_paused


def test_of_two_stewards_at_once_one_wins(node):
    results = at_once(
        lambda: switch(node, "intake_paused", True, version=0), lambda: switch(node, "quieter_mode", True, version=0)
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert node.counts()["steward_action"] == 1


def test_every_change_is_noted_with_who_when_and_from_what_to_what(node):
    switch(node, "intake_paused", True, version=0)
    (action,) = node.system.stewardship.posture().actions
    assert (action.actor, action.at, action.action) == ("steward", START, "intake_paused")
    assert (action.before, action.after) == ({"intake_paused": False}, {"intake_paused": True})


def test_turning_a_switch_where_it_stands_is_no_change(node):
    state = switch(node, "intake_paused", False, version=0)
    assert (state.version, node.counts()["steward_action"]) == (0, 0)


@pytest.mark.parametrize("name", ["kiosk_max_recording_seconds", "version", "nonsense", ""])
def test_what_is_no_switch_is_refused(node, name):
    with pytest.raises(BadField):
        switch(node, name, True, version=0)


def test_a_posture_survives_a_restart(make_node):
    switch(make_node(), "maintenance_mode", True, version=0)
    assert make_node().system.stewardship.state().maintenance_mode


def test_the_posture_counts_what_is_playable_and_what_waits_to_be_deleted(node):
    kept = node.keep()
    node.keep()
    node.store.refuses.add("delete")
    node.system.revocation.revoke(kept.secret)
    posture = node.system.stewardship.posture()
    assert (posture.playable, posture.tombstones.due, posture.tombstones.failing) == (1, 1, 1)
