"""A look whether a real server does what it is there for: what it sees, what it leaves, what it finds broken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from core.domain.artifact import State
from core.domain.custody import LEDGER_PREFIX
from core.domain.work import Job
from core.services.audit import AuditReport
from memory_ui.app import plain_app
from memory_ui.appliance.smoke import Smoke, SmokeFailed
from memory_ui.appliance.tools import HttpLook
from tests.fakes import Node, StillQueue, served


@pytest.fixture
def well(node: Node) -> Node:
    """A node with three takes whose worker and scheduler have just been heard of."""
    for role in ("worker", "scheduler"):
        node.system.jobs.beat(f"a {role}", role)
    for _ in range(3):
        node.keep()
    return node


@contextmanager
def smoke(node: Node, said: list[str], wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> Iterator[Smoke]:
    """The look, at a server of that node."""
    with served(wrap(plain_app(node.system, StillQueue().background))) as port:
        yield Smoke(f"http://127.0.0.1:{port}", said.append)


def breaking(path: str) -> Callable[[ASGIApp], ASGIApp]:
    """A version whose one address answers 500."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def broken(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"] != path:
                await app(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        return broken

    return wrap


def counted(node: Node) -> AuditReport:
    """What the audit counts of what is held; what has ended leaves its tombstone and its line in the ledger.

    A sound that was heard once goes with the next sweep.
    """
    node.system.retention.sweep()
    return replace(node.system.audit.run(), artifacts=node.system.rows.held(), tombstones=0, entries=0)


def stored_in(node: Node) -> set[str]:
    """What the store holds beside the ledger."""
    return {key for key in node.store.keys("") if not key.startswith(LEDGER_PREFIX)}


def test_it_records_plays_and_takes_back_and_leaves_nothing_behind(well: Node) -> None:
    before, stored, said = counted(well), stored_in(well), []
    with smoke(well, said) as look:
        look.run()
    assert [line.split(":")[0] for line in said] == ["ready", "heard once", "recorded", "playable", "taken back"]
    assert (before.artifacts, before.objects, before.hashes, before.ok) == (3, 3, 3, True)
    assert counted(well) == before
    assert stored_in(well) == stored
    assert [row.plays for row in well.table("artifact") if row.state == State.ACTIVE] == [0, 0, 0]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/api/v1/ephemeral/audio", "a one-time take was 500"),
        ("/api/v1/artifacts/audio", "a take for the room was 500"),
        ("/api/v1/pool/next", "asking for a voice was 500"),
        ("/api/v1/receipt", "a receipt was 500"),
        ("/readyz", "not ready"),
    ],
)
def test_what_is_broken_is_named_and_nothing_is_left_of_the_look(well: Node, path: str, sentence: str) -> None:
    before = counted(well)
    with smoke(well, [], breaking(path)) as look, pytest.raises(SmokeFailed, match=sentence):
        look.run()
    assert counted(well) == before


def test_a_node_that_takes_nothing_in_just_now_is_only_played(well: Node) -> None:
    well.system.stewardship.change({"intake_paused": True}, actor="test")
    said: list[str] = []
    with smoke(well, said) as look:
        look.run()
    assert [line.split(":")[0] for line in said] == ["ready", "not recorded", "playable"]


@contextmanager
def look_at(node: Node) -> Iterator[tuple[HttpLook, str]]:
    """An update's look at a server of that node, and its version."""
    with served(plain_app(node.system, StillQueue().background)) as port:
        url = f"http://127.0.0.1:{port}"
        yield HttpLook(url, wait_s=0, now=node.clock.now, say=lambda _: None), Smoke(url, lambda _: None).version()


def test_what_a_worker_showed_before_the_start_is_no_sign_that_it_was_started(well: Node) -> None:
    with look_at(well) as (look, version):
        look.wait(version)
        well.clock.advance(seconds=1)
        look.begin()
        well.system.jobs.beat("a scheduler", "scheduler")
        with pytest.raises(SmokeFailed, match="worker not heard of since the start"):
            look.wait(version)
        well.system.jobs.beat("a worker", "worker")
        look.wait(version)


def test_a_job_that_failed_before_the_start_says_nothing_against_what_was_started(well: Node) -> None:
    with look_at(well) as (look, version):
        well.system.jobs.run(Job.AUDIT, (), lambda: 1 / 0)
        assert look.trouble() == "jobs failing"
        well.clock.advance(seconds=1)
        look.begin()
        for role in ("worker", "scheduler"):
            well.system.jobs.beat(f"a {role}", role)
        look.wait(version)
        look.smoke()
        well.system.jobs.run(Job.EXPIRE, (), lambda: 1 / 0)
        with pytest.raises(SmokeFailed, match="is not ready after 0 s: jobs failing"):
            look.wait(version)
