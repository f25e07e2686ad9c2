"""Everything that may happen to takes, in any order: what was told holds after every step, and at the end."""

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.bootstrap import Outside, System
from core.domain.consent import Mode
from core.domain.pool.facts import Wish
from core.errors import MemoryEngineError
from tests.engines import Engine, Grounds
from tests.fakes import FrozenClock, Node, new_node
from tests.faults import deeds
from tests.faults.broken import VARIANTS
from tests.faults.judge import at_rest, judge, look, plays_again
from tests.faults.lives import CARE_S, IDENTITY, RESTED_S, SETTINGS
from tests.faults.promises import Given, Promises

NUMBERS = st.integers(0, 7)
HOUR_S = 3600.0
BY_ENGINE = {Engine.EMBEDDED: (8, 25), Engine.STACK: (2, 20)}
FORGETFUL = {"KEEP_HUSKS_DAYS": 0.5, "KEEP_IDEMPOTENCY_HOURS": 1}


class Lifecycle(RuleBasedStateMachine):
    """One node and what was told about it."""

    def __init__(self, grounds: Grounds, engine: Engine, folder: Path, wrap: Callable[[Outside], Outside]) -> None:
        super().__init__()
        self._wrap = wrap
        self._stack = ExitStack()
        self._ground = self._stack.enter_context(grounds.fresh(engine, folder))
        self._clock = FrozenClock()
        self.told = Promises()
        self._node = self._start()
        self.hands = deeds.Hands(
            system=self._node.system,
            store=self._node.store,
            promises=self.told,
            say=self.told.apply,
            restart=self._restart,
            identity=IDENTITY,
        )

    def _start(self) -> Node:
        def late(outside: Outside) -> Outside:
            clock = deeds.LateClock(self._clock, self.told)
            return self._wrap(replace(outside, clock=clock, drift=deeds.LateDrift(self.told)))

        return new_node(self._ground.folder, wrap=late, **{**self._ground.settings, **SETTINGS, **FORGETFUL})

    def _restart(self) -> System:
        self._node.close()
        self._node = self._start()
        return self._node.system

    def _one(self, number: int, *modes: Mode) -> Given | None:
        found = [take for take in self.told.open(now=self.hands.now()) if take.mode in modes]
        return found[number % len(found)] if found else None

    @initialize()
    def some_takes(self) -> None:
        for mode in Mode:
            deeds.keep(self.hands, mode, f"first {mode}")

    @rule(mode=st.sampled_from(Mode), number=NUMBERS)
    def intake(self, mode: Mode, number: int) -> None:
        deeds.keep(self.hands, mode, f"{number} {self.told.asked}")

    @precondition(lambda self: self.told.unanswered)
    @rule(number=NUMBERS)
    def intake_again(self, number: int) -> None:
        key, mode = sorted(self.told.unanswered.items())[number % len(self.told.unanswered)]
        deeds.keep(self.hands, Mode(mode), key)

    @rule(number=NUMBERS)
    def derive(self, number: int) -> None:
        self._do(deeds.derive, self._one(number, Mode.FOSSIL))

    @rule()
    def heard(self) -> None:
        playback = self.hands.system.pool.next(Wish(), self._node.rng)
        if playback is not None and playback.artifact.public_id in self.told.takes:
            self.hands.wait(1)
            self._do(deeds.BY_NAME["hearing"].do, (self.told.takes[playback.artifact.public_id], playback.heard_token))

    @rule(number=NUMBERS, whole=st.booleans())
    def play_once(self, number: int, whole: bool) -> None:
        take = self._one(number, Mode.NOSAVE)
        self._do(deeds.BY_NAME["one-time play"].do, (take, int(whole)) if take is not None else None)

    @rule(number=NUMBERS)
    def dispose(self, number: int) -> None:
        take = self._one(number, Mode.NOSAVE)
        self._do(deeds.BY_NAME["disposal"].do, (take, 0) if take is not None else None)

    @rule(number=NUMBERS, name=st.sampled_from(["revoke", "removal", "narrow"]))
    def take_back(self, number: int, name: str) -> None:
        modes = (Mode.FOSSIL,) if name == "narrow" else (Mode.ROOM, Mode.FOSSIL)
        self._do(deeds.BY_NAME[name].do, self._one(number, *modes))

    @rule(hours=st.sampled_from([0.02, 0.1, 1.0, 6.0, 20.0]))
    def time_passes(self, hours: float) -> None:
        self.hands.wait(hours * HOUR_S)

    @rule()
    def expire(self) -> None:
        self.hands.system.retention.expire()
        self.hands.system.retention.prune_derivatives()

    @rule(refuses=st.sets(st.sampled_from(["put", "delete", "open", "size"]), max_size=2), loses=st.booleans())
    def sweep(self, refuses: set[str], loses: bool) -> None:
        self.hands.store.refuses, self.hands.store.loses = refuses, {"delete"} if loses else set()
        self.hands.system.retention.sweep()
        self.hands.store.refuses, self.hands.store.loses = set(), set()

    @rule(operation=st.sampled_from(["", "", "", "put", "delete", "open"]))
    def store_fails_from_now_on(self, operation: str) -> None:
        self.hands.store.refuses = {operation} - {""}

    @rule()
    def prune(self) -> None:
        self.told.apply({"e": "pruning"})
        self.hands.system.retention.prune()
        self.hands.system.backup.prune()

    @rule(number=NUMBERS, restores=st.booleans())
    def copy(self, number: int, restores: bool) -> None:
        copies = sorted(deeds.copies(self.hands).items())
        # A node that knows of nothing stays closed after a restore: that is another test.
        if not restores or not copies or self.hands.system.restore.blank():
            self._do(deeds.BY_NAME["backup"].do, number)
            return
        self.hands.store.refuses = set()
        self._do(deeds.BY_NAME["restore"].do, copies[number % len(copies)])
        assert not self.told.restoring, "a healthy node was not restored"

    @rule()
    def restart(self) -> None:
        refuses = self.hands.store.refuses
        self.hands.system = self._restart()
        self.hands.store = self._node.store
        self.hands.store.refuses = refuses

    def _do(self, deed: Callable[[deeds.Hands, object], object], given: object) -> None:
        if given is None:
            return
        try:
            deed(self.hands, given)
        except MemoryEngineError:
            # A job that fails comes again; what a visitor was not told is in the memory as not told.
            return

    @invariant()
    def what_was_told_holds(self) -> None:
        node = look(self.hands.system, self._node.store.inner)
        wrong = at_rest(self.hands.system, node, self.told)
        assert not wrong, wrong

    @invariant()
    def nothing_that_is_over_plays_or_is_chosen(self) -> None:
        system, now = self.hands.system, self.hands.now()
        for take in self.told.takes.values():
            if take.over and not take.away:
                assert not plays_again(system, take)
        chosen = system.pool.next(Wish(), self._node.rng)
        if chosen is not None:
            take = self.told.takes.get(chosen.artifact.public_id)
            assert take is None or not take.over
            assert chosen.artifact.playable(now)

    def teardown(self) -> None:
        try:
            self.hands.store.refuses = set()
            self.hands.wait(RESTED_S + CARE_S)
            wrong = judge(self.hands.system, self._node.store.inner, self.told)
        finally:
            self._node.close()
            self._stack.close()
        assert not wrong, wrong


def run(grounds: Grounds, engine: Engine, folder: Path, *, examples: int, steps: int, broken: str = "") -> None:
    """The machine on fresh nodes; the same steps each time.

    What it finds is shown as it was found: to shorten it takes minutes (add `Phase.shrink` for that).
    """
    numbers = itertools.count()
    wrap = VARIANTS.get(broken, lambda outside: outside)
    run_state_machine_as_test(
        lambda: Lifecycle(grounds, engine, folder / str(next(numbers)), wrap),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_happens_to_takes_what_was_told_holds(grounds: Grounds, engine: Engine, tmp_path: Path) -> None:
    examples, steps = BY_ENGINE[engine]
    run(grounds, engine, tmp_path, examples=examples, steps=steps)


@pytest.mark.parametrize(
    ("broken", "notice"),
    [
        ("narrows_in_words_only", r"leaves something all the same|keeps its topic or what was made of it"),
        ("buries_nothing", "bytes without a row or a tombstone"),
        ("writes_no_ledger", "the ledger does not say so"),
    ],
)
def test_it_finds_a_law_that_was_taken_out(grounds: Grounds, tmp_path: Path, broken: str, notice: str) -> None:
    with pytest.raises(AssertionError, match=notice):
        run(grounds, Engine.EMBEDDED, tmp_path, examples=60, steps=25, broken=broken)


def test_it_finds_a_restore_that_does_not_ask_the_ledger(
    grounds: Grounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.services.restore.by_subject", lambda _entries: {})
    with pytest.raises(AssertionError, match=r"still held|still whole"):
        run(grounds, Engine.EMBEDDED, tmp_path, examples=60, steps=25)
