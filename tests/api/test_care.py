"""Audits, backups and exports over HTTP: asked for by stewards, followed by whoever may look."""

from datetime import UTC, datetime

import pytest

from core.domain.custody import Care
from core.domain.work import Job
from core.ports.work import TrailQuery
from tests.fakes import FrozenClock

CARE = "/api/v1/operator/care"


@pytest.fixture
def clock():
    """Browsers believe in the real time of a cookie."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def wanted(node):
    found = []
    node.system.effects.job = lambda job, args: found.append((job, args))
    return found


@pytest.mark.parametrize("kind", [Care.AUDIT, Care.BACKUP, Care.EXPORT])
def test_a_steward_asks_for_it_under_their_name(ana, node, wanted, kind):
    answer = ana.post(f"{CARE}/{kind.value}")
    assert (answer.status_code, answer.json()) == (202, {"wanted": kind.value})
    assert wanted == [(Job(kind.value), ("Ana",))]
    (entry,) = node.system.stewardship.trail(TrailQuery(action="want_care"))
    assert (entry.actor, entry.subject) == ("Ana", kind.value)


@pytest.mark.parametrize("kind", ["restore", "verify", "closing", "everything"])
def test_nothing_else_is_done_from_here(ana, wanted, kind):
    answer = ana.post(f"{CARE}/{kind}")
    assert (answer.status_code, "audit, a backup or an export" in answer.json()["error"]) == (400, True)
    assert wanted == []


def test_of_what_is_under_way_no_second_is_begun(ana, node, wanted):
    with node.system.care.reporting(Care.BACKUP, actor="the node"):
        assert ana.post(f"{CARE}/backup").status_code == 409
    assert wanted == []


def test_a_curator_follows_it_and_begins_nothing(curator, client, node, wanted):
    assert (client.get(CARE).status_code, client.post(f"{CARE}/audit").status_code) == (403, 403)
    assert curator.post(f"{CARE}/audit").status_code == 403
    assert curator.get(CARE).json() == {"running": [], "last": {}}
    node.system.audits.run("Ana")
    with node.system.care.reporting(Care.EXPORT, actor="Ana") as progress:
        progress.step(4, 4)
        found = curator.get(CARE).json()
    assert [(one["kind"], one["done"], one["total"], one["ended_at"]) for one in found["running"]] == [
        ("export", 4, 4, None)
    ]
    last = found["last"]["audit"]
    assert (last["state"], last["actor"], last["summary"]["findings"]) == ("ok", "Ana", 0)
    assert wanted == []
