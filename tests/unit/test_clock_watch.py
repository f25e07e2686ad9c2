import time

from core.adapters.outside import ClockWatch


def test_a_clock_nobody_moves_has_not_moved():
    watch = ClockWatch()
    assert abs(watch.moved_s()) < 1


def test_setting_the_clock_does_not_change_how_long_a_process_has_run(monkeypatch):
    watch = ClockWatch()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= watch.up_s() < 60


def test_a_clock_set_back_or_forward_has_moved_by_that(monkeypatch):
    watch, real = ClockWatch(), time.time
    for by_s in (-3600.0, 7200.0):
        monkeypatch.setattr(time, "time", lambda by_s=by_s: real() + by_s)
        assert abs(watch.moved_s() - by_s) < 1


def test_one_that_is_right_again_has_not(monkeypatch):
    watch = ClockWatch()
    with monkeypatch.context() as moved:
        moved.setattr(time, "time", lambda: 0.0)
        assert watch.moved_s() < -3600
    assert abs(watch.moved_s()) < 1
