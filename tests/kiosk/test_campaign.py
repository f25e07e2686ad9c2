"""A short, seeded part of `make kiosk`, and proof that its judge notices what it is there for."""

import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.domain.consent import Mode
from tests.browser.safety import readable
from tests.kiosk.judge import Round, missing_s
from tests.kiosk.plans import LONG_EVERY, What, Where, plans
from tests.kiosk.wire import Wire
from tests.processes import LOOPBACK

ROUNDS, SEED = 3, 53
RATE_HZ = 16_000
ROOT = Path(__file__).parents[2]


def drawn(rounds, seed=SEED, hole_s=60.0, brief_s=5.0):
    return plans(rounds, seed=seed, hole_s=hole_s, brief_s=brief_s)


def test_what_is_left_at_a_kiosk_survives_what_happens_to_it():
    """In a process of its own: the browser's driver keeps an event loop running."""
    met = drawn(ROUNDS)
    assert [len({getattr(plan, name) for plan in met}) for name in ("where", "what", "mode")] == [3, 3, 3]
    options = ("--rounds", str(ROUNDS), "--seed", str(SEED), "--hole", "2", "--lanes", "1")
    command = [sys.executable, "-m", "tests.kiosk.campaign", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("nothing is wrong\n")


class TestPlans:
    def test_the_same_seed_draws_the_same_and_a_longer_campaign_begins_alike(self):
        assert drawn(40) == drawn(60)[:40]
        assert drawn(40) != drawn(40, seed=SEED + 1)

    def test_every_place_fault_and_choice_comes_as_often_as_any_other(self):
        cases = [(plan.where, plan.what, plan.mode) for plan in drawn(54)]
        assert {cases.count(case) for case in cases} == {2}
        assert len(set(cases)) == len(Where) * len(What) * len(Mode)

    def test_one_black_hole_in_ten_is_long(self):
        holes = [plan.lasts_s for plan in drawn(270) if plan.what is What.NETWORK]
        assert holes.count(60.0) == len(holes) / LONG_EVERY
        assert set(holes) == {60.0, 5.0}


@pytest.fixture
def spoken():
    """Noise, no stretch of which is like another."""
    return np.random.default_rng(1).uniform(-0.3, 0.3, 3 * RATE_HZ).astype(np.float32)


class TestWhatIsMissing:
    def test_nothing_of_a_take_that_is_louder_and_begins_with_a_fade(self, spoken):
        stored = spoken * 1.7
        stored[:160] *= np.linspace(0, 1, 160)
        assert missing_s(spoken, stored, RATE_HZ) == 0

    def test_nothing_where_more_arrived_than_was_known_of(self, spoken):
        assert missing_s(spoken[: -RATE_HZ // 2], spoken, RATE_HZ) == 0

    def test_silence_that_was_cut_off(self, spoken):
        quiet = np.zeros(RATE_HZ, np.float32)
        assert missing_s(np.concatenate([quiet, spoken, quiet]), spoken, RATE_HZ) == pytest.approx(0, abs=0.01)

    @pytest.mark.parametrize("lost_s", [0.1, 0.3])
    def test_the_end_and_the_beginning(self, spoken, lost_s):
        lost = round(lost_s * RATE_HZ)
        assert missing_s(spoken, spoken[:-lost], RATE_HZ) == pytest.approx(lost_s, abs=0.01)
        assert missing_s(spoken, spoken[lost:], RATE_HZ) == pytest.approx(lost_s, abs=0.01)

    def test_a_hole_and_what_was_left_out(self, spoken):
        holed = spoken.copy()
        holed[2 * RATE_HZ : 2 * RATE_HZ + 4800] = 0
        assert missing_s(spoken, holed, RATE_HZ) >= 0.3
        left_out = np.delete(spoken, slice(2 * RATE_HZ, 2 * RATE_HZ + 4800))
        assert missing_s(spoken, left_out, RATE_HZ) >= 0.3


def well(mode, **said):
    plan = next(plan for plan in drawn(27) if plan.mode is mode and plan.what is What.BROWSER)
    plan = replace(plan, where=Where.REVIEW, chosen=True)
    kept = {"ended": "kept", "takes": [7], "missing_s": 0.1, "code_opens": True}
    once = {"ended": "heard", "takes": [], "missing_s": None, "code_opens": False}
    rest = {"spoken_s": 4.0, "voiced": 20, "unlike": 0, "stumbled": 0, "found": [], "searches": 2, "took_s": 9.0}
    disk = {"lies_there": False, "key_held": False}
    return Round(plan=plan, **{**rest, **disk, **(once if mode is Mode.NOSAVE else kept), **said})


class TestAJudge:
    @pytest.mark.parametrize("mode", list(Mode))
    def test_has_nothing_against_a_visit_that_went_well(self, mode):
        assert well(mode).wrong == []

    def test_has_nothing_against_a_kiosk_whose_microphone_stumbled(self):
        assert well(Mode.ROOM, unlike=4, stumbled=3).wrong == []

    @pytest.mark.parametrize(
        ("said", "notice"),
        [
            ({"ended": "idle", "takes": []}, "ended in idle, with 0 takes"),
            ({"takes": []}, "0 takes in the room"),
            ({"takes": [7, 8]}, "2 takes in the room"),
            ({"missing_s": 0.3}, "0.3 s of 4.0 s are missing"),
            ({"missing_s": None}, "are missing"),
            ({"unlike": 4, "stumbled": 1}, "4 of 20 stretches"),
            ({"code_opens": False}, "the code"),
            ({"found": ["000003.log"]}, "000003.log"),
            ({"lies_there": True}, "on the disk"),
            ({"key_held": True}, "its key"),
        ],
    )
    def test_notices_a_saved_take_that_is_lost_or_doubled_or_incomplete(self, said, notice):
        (sentence,) = well(Mode.ROOM, **said).wrong
        assert notice in sentence

    def test_lets_a_one_time_take_go_only_with_the_browser_that_held_it(self):
        gone = well(Mode.NOSAVE, ended="idle", key_held=True)
        assert gone.wrong == []
        gone.plan = replace(gone.plan, chosen=False)
        assert len(gone.wrong) == 2
        assert len(well(Mode.NOSAVE, takes=[7]).wrong) == 1


def test_samples_that_lie_in_a_profile_are_found(tmp_path):
    samples = [np.random.default_rng(seed).bytes(48) for seed in range(12)]
    (tmp_path / "000003.log").write_bytes(b"before" + samples[7] + b"after")
    assert readable(tmp_path, samples) == ["000003.log"]


class Echo:
    """A server that answers a take with one word once it has it all."""

    def __init__(self):
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self.got = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with self._listener, self._listener.accept()[0] as client:
            while not self.got.endswith(b"end") and (data := client.recv(1 << 16)):
                self.got += data
            client.sendall(b"kept")


@pytest.fixture
def echo():
    return Echo()


TAKE = b"POST /api/v1/artifacts/audio HTTP/1.1\r\nContent-Length: 50003\r\n\r\n" + b"." * 50_000 + b"end"


class TestAWire:
    @pytest.mark.parametrize("moment", [0.0, 0.25, 0.49, 0.5, 0.99])
    def test_stops_in_the_middle_of_a_take_or_before_its_answer_and_goes_on(self, echo, moment):
        with Wire(echo.port) as wire, socket.create_connection((LOOPBACK, wire.port)) as client:
            wire.stop_at(moment)
            client.sendall(TAKE)
            assert wire.met.wait(5)
            client.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.recv(10)
            assert len(echo.got) == max(1, round(len(TAKE) * min(1.0, moment * 2)))
            wire.go_on(cut=False)
            client.settimeout(5)
            assert client.recv(10) == b"kept"
            assert echo.got == TAKE

    def test_that_is_cut_hands_nothing_on(self, echo):
        with Wire(echo.port) as wire, socket.create_connection((LOOPBACK, wire.port)) as client:
            wire.stop_at(0.9)
            client.sendall(TAKE)
            assert wire.met.wait(5)
            wire.go_on(cut=True)
            client.settimeout(5)
            assert client.recv(10) == b""
