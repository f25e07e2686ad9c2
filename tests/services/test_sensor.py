"""What a sensor reports and asks for, across restarts, beside stewards, on both engines."""

import pytest

from core.domain.room.state import RoomState
from core.domain.sensor import ASKS, Subject
from core.domain.work import Signal
from core.errors import BadField, Forbidden, OverBudget
from core.ports.work import TrailQuery
from tests.signals import pages_of

PEOPLE, PAUSE, QUIET = Subject.OCCUPANCY, Subject.PLAYBACK_PAUSED, Subject.QUIETER_MODE
ON = {"SENSOR_TOKEN": "a-token-for-tests-only"}
BUDGET = 4


@pytest.fixture
def node(make_node):
    return make_node(**ON, SENSOR_CHANGES_PER_HOUR=BUDGET)


def say(node, for_s=None, source="", **values):
    subjects = {"people": PEOPLE, "pause": PAUSE, "quiet": QUIET}
    spoken = {subjects[name]: value for name, value in values.items()}
    return node.system.sensor.report(spoken, source=source, for_s=for_s)


def state(node):
    return node.system.stewardship.state()


def trail(node):
    actions = node.system.stewardship.trail(TrailQuery())
    return [(one.actor, one.action, one.subject) for one in reversed(actions)]


def steward(node, **wanted):
    return node.system.stewardship.change(wanted, actor="Ana")


class TestARequest:
    def test_it_is_in_force_until_its_time_is_over_with_nothing_running(self, node):
        say(node, for_s=60, pause=1)
        node.clock.advance(seconds=59)
        assert state(node).pauses
        node.clock.advance(seconds=1)
        assert not state(node).pauses
        assert node.system.sensor.sensed().words == ()

    def test_it_holds_as_long_as_the_setting_says_where_it_does_not(self, make_node):
        node = make_node(**ON, SENSOR_HOLD_SECONDS=30)
        say(node, quiet=1)
        node.clock.advance(seconds=29)
        assert state(node).hushes
        node.clock.advance(seconds=1)
        assert not state(node).hushes

    def test_what_is_left_out_stays_as_it_is(self, node):
        say(node, pause=1, people=5)
        say(node, quiet=1)
        assert {word.subject for word in node.system.sensor.sensed().words} == set(Subject)
        say(node, quiet=None)
        assert {word.subject for word in node.system.sensor.sensed().words} == {PEOPLE, PAUSE}

    def test_it_survives_a_restart_and_holds_for_every_instance(self, node, make_node):
        say(node, for_s=600, quiet=1, people=7, source="door")
        other = make_node(**ON)
        assert state(other).hushes
        assert state(other).sensed == state(node).sensed
        assert state(other).sensed.word(PEOPLE).source == "door"

    def test_a_source_that_is_no_plain_text_is_refused_and_nothing_is_kept(self, node):
        with pytest.raises(BadField, match="source"):
            say(node, quiet=1, source="do\x00or")
        assert node.counts()["sensor_word"] == 0


class TestTheTrail:
    def test_it_hears_of_a_beginning_and_an_end_and_of_no_renewal(self, node):
        for _ in range(5):
            say(node, pause=1, source="desk")
            node.clock.advance(seconds=60)
        say(node, pause=None)
        say(node, pause=None)
        assert trail(node) == [("sensor", "sensor_asks", "desk"), ("sensor", "sensor_ends", "desk")]

    def test_people_are_not_noted(self, node):
        say(node, people=3)
        say(node, people=0)
        say(node, people=None)
        assert trail(node) == []

    def test_the_sweep_notes_an_end_once_and_forgets_the_word(self, node):
        say(node, for_s=60, quiet=1, people=3)
        node.clock.advance(seconds=59)
        assert node.system.stewardship.clear_timed() == 0
        node.clock.advance(seconds=1)
        assert [node.system.stewardship.clear_timed() for _ in range(2)] == [2, 0]
        assert trail(node)[1:] == [("the node", "sensor_ends", "")]
        assert node.counts()["sensor_word"] == 0

    def test_an_end_that_no_sweep_has_noted_is_noted_with_the_next_word(self, node):
        say(node, for_s=60, quiet=1)
        node.clock.advance(seconds=60)
        say(node, quiet=1)
        assert [action for _, action, _ in trail(node)] == ["sensor_asks", "sensor_ends", "sensor_asks"]


class TestAStewardDecides:
    @pytest.mark.parametrize("subject", ASKS)
    def test_a_sensor_never_ends_what_a_steward_wants(self, node, subject):
        steward(node, **{subject.value: True})
        for value in (1, None):
            node.system.sensor.report({subject: value}, source="", for_s=None)
        node.clock.advance(seconds=3600)
        node.system.stewardship.clear_timed()
        assert getattr(state(node), subject.value)

    def test_overruling_holds_through_renewals_until_it_is_asked_anew(self, node):
        say(node, pause=1, quiet=1, source="desk")
        assert set(node.system.sensor.overrule(actor="Ana")) == set(ASKS)
        say(node, pause=1, quiet=1, source="desk")
        assert (state(node).pauses, state(node).hushes) == (False, False)
        say(node, pause=None)
        say(node, pause=1)
        assert (state(node).pauses, state(node).hushes) == (True, False)
        overruled = [entry for entry in trail(node) if entry[1] == "overrule_sensor"]
        assert overruled == [("Ana", "overrule_sensor", "desk")] * 2

    def test_overruling_what_is_not_asked_for_leaves_no_trace(self, node):
        say(node, people=4)
        assert node.system.sensor.overrule(actor="Ana") == ()
        assert trail(node) == []

    def test_turning_a_switch_off_that_is_off_overrules_and_only_that(self, node):
        say(node, pause=1, quiet=1)
        done = steward(node, playback_paused=False)
        assert (done.state.pauses, done.state.hushes) == (False, True)
        assert (state(node).pauses, state(node).hushes) == (False, True)

    def test_a_change_of_something_else_does_not(self, node):
        say(node, pause=1)
        steward(node, mood_bias="hushed", quieter_mode=True)
        assert state(node).pauses


class TestWhatIsListenedTo:
    def test_with_the_token_taken_away_what_was_asked_for_counts_no_more(self, node, make_node):
        say(node, for_s=600, pause=1, people=3)
        off = make_node()
        assert not state(off).pauses
        assert state(off).sensed.words == ()

    def test_where_it_may_only_count_a_request_is_refused_and_counts_no_more(self, node, make_node):
        say(node, for_s=600, pause=1, people=3)
        counting = make_node(**ON, SENSOR_MAY_PAUSE=False)
        assert not state(counting).pauses
        assert state(counting).sensed.word(PEOPLE).value == 3
        with pytest.raises(Forbidden):
            say(counting, quiet=1, people=9)
        assert state(counting).sensed.word(PEOPLE).value == 3
        assert say(counting, quiet=None, people=9).word(PEOPLE).value == 9

    def test_changes_have_a_budget_and_renewals_and_counts_cost_nothing(self, node):
        for value in (1, None, 1):
            say(node, pause=value)
        for people in range(2 * BUDGET):
            say(node, pause=1, people=people)
        say(node, pause=None)
        with pytest.raises(OverBudget):
            say(node, pause=1)
        assert not state(node).pauses


def test_pages_are_pages_of_a_change_and_of_no_renewal(node):
    with pages_of(node) as told:
        for act, signals in (
            (lambda: say(node, pause=1), 1),
            (lambda: say(node, pause=1, people=3), 0),
            (lambda: node.system.sensor.overrule(actor="Ana"), 1),
            (lambda: say(node, pause=None), 1),
        ):
            act()
            assert len(told.take(Signal.STEWARD)) == signals


class TestTheRoom:
    def composed(self, node):
        return node.system.room.compose(RoomState(), node.rng)[0]

    def empty(self, node, minutes):
        for _ in range(minutes):
            say(node, people=0)
            node.clock.advance(minutes=1)

    def test_it_rests_while_nobody_is_there_and_plays_for_whoever_comes(self, make_node):
        node = make_node(**ON, ROOM_FOLLOWS_OCCUPANCY=True)
        node.keep()
        assert self.composed(node).playback is not None
        self.empty(node, 3)
        program = self.composed(node)
        assert (program.playback, program.rest_ms, program.sparse, program.tone) == (None, 4000, False, 1.0)
        say(node, people=1)
        assert self.composed(node).playback is not None

    def test_it_plays_on_where_the_counter_has_died(self, make_node):
        node = make_node(**ON, ROOM_FOLLOWS_OCCUPANCY=True)
        node.keep()
        self.empty(node, 3)
        node.clock.advance(minutes=2)
        assert self.composed(node).playback is not None

    def test_it_does_not_go_by_the_count_unless_it_is_to(self, node):
        node.keep()
        self.empty(node, 3)
        assert self.composed(node).playback is not None

    def test_quiet_that_a_sensor_asks_for_is_that_of_a_steward(self, node):
        say(node, quiet=1)
        asked = node.system.room.levels(state(node))
        say(node, quiet=None)
        steward(node, quieter_mode=True)
        assert (
            asked
            == node.system.room.levels(state(node))
            != node.system.room.levels(steward(node, quieter_mode=False).state)
        )

    def test_a_pause_that_a_sensor_asks_for_silences_pages_and_the_pool(self, node):
        node.keep()
        say(node, pause=1)
        program = self.composed(node)
        assert (program.playback, program.sparse, program.tone) == (None, False, 1.0)
