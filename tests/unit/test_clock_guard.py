from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.outside import KernelTimeSource
from core.domain.clocks import Belief, read
from core.domain.custody import Closed, NodeRecord
from core.services.clock import ClockFigures, ClockGuard
from tests.fakes import START, FixedDrift, FixedTimeSource, FrozenClock

MOST = timedelta(days=7)
FIGURES = ClockFigures(doubt_days=7, reservation_s=3600, session_h=12)
HOURS = st.floats(-30_000, 30_000)


class Machine:
    """A machine that knows the true time, and one row in a database that survives its restarts."""

    def __init__(self):
        self.truth, self.clock, self.drift = START, FrozenClock(), FixedDrift(up=0.0)
        self.source, self.off = FixedTimeSource(), timedelta(0)
        self.row = NodeRecord(
            public_id="", created_at=START, clock_mark=None, ledger_id="", ledger_length=0, closed=Closed.OPEN
        )
        self.said = []
        self.restart()

    def restart(self, *, off_h=0.0):
        self.pass_hours(off_h, steady=False)
        self.drift.up = 0.0
        self.guard = ClockGuard(self.clock, self.drift, self.source, self, figures=FIGURES)
        self.guard.look()

    def pass_hours(self, hours, *, steady=True):
        self.truth += timedelta(hours=hours)
        self.clock.advance(hours=hours)
        if steady:
            self.drift.up += hours * 3600
        else:
            self.off += timedelta(hours=hours)

    def step(self, *, hours):
        self.clock.advance(hours=hours)

    @contextmanager
    def write(self):
        steward = SimpleNamespace(record=self.said.append)
        yield SimpleNamespace(nodes=self, tombstones=self, sessions=self, steward=steward, signal=lambda *_: None)

    def read(self):
        return self.row

    def mark_clock(self, at, *, unless_not):
        assert self.row.clock_mark == unless_not
        self.row = replace(self.row, clock_mark=at)
        return True

    def bound_reservations(self, until):
        pass

    def bound(self, until):
        pass


class TestReadingTwoClocks:
    @given(off_h=HOURS, up_s=st.floats(0, 1e7), right=st.booleans())
    def test_rights_end_by_the_later_and_only_the_earlier_destroys(self, off_h, up_s, right):
        believed = START + timedelta(seconds=up_s)
        system = believed + timedelta(hours=off_h)
        reading = read(system, Belief(at=START, up_s=0), up_s, MOST, lambda: right)
        assert reading.doubted == (abs(system - believed) > MOST and not right)
        if reading.doubted:
            assert (reading.earlier, reading.later) == (min(system, believed), max(system, believed))
        else:
            assert reading.earlier == reading.later == system


ACTS = st.one_of(
    st.tuples(st.just("pass"), st.floats(0, 2000)),
    st.tuples(st.just("step"), HOURS),
    st.tuples(st.just("restart"), st.floats(0, 1000)),
    st.tuples(st.just("look"), st.just(0)),
)


@given(acts=st.lists(ACTS, max_size=14))
@settings(max_examples=300, deadline=None)
def test_whatever_is_done_to_an_unkept_clock_nothing_ends_too_soon_and_nothing_stays_for_ever(acts):
    machine = Machine()
    machine.source.right = False
    trusted = START
    for act, figure in acts:
        if act == "pass":
            machine.pass_hours(figure)
        elif act == "step":
            # By more than could ever be believed, from the truth; small steps are taken for what they are.
            machine.clock.advance(hours=(machine.truth - machine.clock.now()) / timedelta(hours=1))
            machine.step(hours=figure + (1 if figure > 0 else -1) * 20_000)
        elif act == "restart":
            machine.restart(off_h=figure)
        machine.guard.look()
        assert machine.guard.earlier() <= machine.truth + MOST
        assert machine.guard.now() >= machine.truth - machine.off - MOST
        assert machine.guard.now() >= trusted - MOST
        trusted = max(trusted, machine.row.clock_mark)


def test_a_step_is_noticed_at_the_next_call_without_asking_anybody():
    machine = Machine()
    machine.source.right = False
    machine.step(hours=2 * 365 * 24)
    machine.pass_hours(1)
    assert machine.guard.earlier() == machine.truth
    assert machine.guard.now() == machine.truth + timedelta(days=730)
    doubt = machine.guard.doubt()
    assert (doubt.believed_now, doubt.system_now) == (machine.guard.earlier(), machine.guard.now())


def test_a_step_back_is_noticed_too_and_time_goes_on_by_the_believed_clock():
    machine = Machine()
    machine.source.right = False
    machine.step(hours=-2 * 365 * 24)
    machine.pass_hours(5)
    assert machine.guard.now() == machine.truth
    assert machine.guard.earlier() == machine.truth - timedelta(days=730)


def test_seven_days_are_no_jump():
    machine = Machine()
    machine.source.right = False
    machine.step(hours=7 * 24)
    assert machine.guard.doubt() is None
    machine.step(hours=0.01)
    assert machine.guard.doubt() is not None


def test_the_doubt_lasts_over_restarts_and_time_in_it_is_not_forgotten():
    machine = Machine()
    machine.source.right = False
    machine.step(hours=-20_000)
    machine.pass_hours(30)
    machine.guard.look()
    machine.restart()
    assert machine.guard.doubt().believed_now == machine.truth


def test_a_clock_set_right_again_is_believed_without_a_word():
    machine = Machine()
    machine.source.right = False
    machine.step(hours=20_000)
    machine.guard.look()
    machine.step(hours=-20_000)
    assert machine.guard.doubt() is None
    machine.guard.look()
    assert machine.said == []


def test_synchronised_time_ends_it_and_says_so_once():
    machine = Machine()
    machine.source.right = False
    machine.step(hours=20_000)
    machine.guard.look()
    machine.source.right = True
    assert machine.guard.doubt() is None
    machine.guard.look()
    machine.guard.look()
    assert [(one.actor, one.action) for one in machine.said] == [("the node", "confirm_clock")]
    assert machine.guard.now() == machine.guard.earlier() == machine.clock.now()


def test_a_jump_of_a_kept_clock_is_none():
    machine = Machine()
    machine.step(hours=20_000)
    assert machine.guard.doubt() is None
    machine.restart()
    assert (machine.guard.doubt(), machine.said) == (None, [])


def test_a_mark_close_to_this_clock_is_somebodys_word_for_it():
    machine = Machine()
    machine.source.right = False
    machine.step(hours=20_000)
    machine.guard.look()
    machine.row = replace(machine.row, clock_mark=machine.clock.now())
    machine.guard.look()
    assert (machine.guard.doubt(), machine.said) == (None, [])


def test_the_kernel_is_asked_and_answers():
    assert KernelTimeSource().synchronised() in (True, False)
