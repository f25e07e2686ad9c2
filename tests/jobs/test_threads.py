"""Threads beside an event loop are not left behind."""

import asyncio
import threading

import pytest

from jobs import threads
from jobs.threads import in_thread


class Work:
    """Goes on until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.ended = False

    def run(self, fails: bool = False) -> str:
        self.begun.set()
        self.let_go.wait(20)
        self.ended = True
        if fails:
            raise ValueError
        return "done"


async def cancelled(work: Work, *given: bool) -> "asyncio.Task[str]":
    task = asyncio.create_task(in_thread(work.run, *given))
    await asyncio.to_thread(work.begun.wait, 20)
    task.cancel()
    return task


@pytest.mark.parametrize("fails", [False, True])
def test_who_is_cancelled_goes_once_the_thread_has_ended(fails: bool) -> None:
    async def run() -> None:
        work = Work()
        task = await cancelled(work, fails)
        await asyncio.sleep(0.05)
        assert not task.done()
        work.let_go.set()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert work.ended

    asyncio.run(run())


def test_a_thread_that_hangs_holds_nobody_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "END_S", 0.05)

    async def run() -> None:
        work = Work()
        task = await cancelled(work)
        await asyncio.wait([task], timeout=20)
        assert task.cancelled()
        assert not work.ended
        work.let_go.set()

    asyncio.run(run())


def test_what_it_gives_and_what_it_raises_is_handed_on() -> None:
    work = Work()
    work.let_go.set()
    assert asyncio.run(in_thread(work.run)) == "done"
    with pytest.raises(ValueError):
        asyncio.run(in_thread(work.run, True))
