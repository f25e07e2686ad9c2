"""The disk's reserve on a filesystem that really is small."""

import asyncio
import shutil
import subprocess
from collections import namedtuple
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from core.adapters import outside
from core.adapters.outside import DataDisk
from core.domain.consent import Kind, Mode
from core.domain.work import Job
from core.errors import DiskReserve, Unavailable
from core.services.reserve import Reserve
from memory_ui.api import intake
from tests import wavs
from tests.fakes import FixedDisk, at_once, new_node, visits_to

SIZE_BYTES, RESERVE_BYTES = 32_000_000, 12_000_000
LONG_TAKE = wavs.take(20, sample_rate_hz=48_000)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def small(ground, tmp_path, monkeypatch):
    """What the ground holds, on a small filesystem; where none can be mounted, one as `statvfs` would tell of it."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(folder))
    mounted = subprocess.run(("mount", *options), capture_output=True, check=False).returncode == 0
    if not mounted:
        monkeypatch.setattr(outside.shutil, "disk_usage", lambda _: _usage(folder))
    shutil.copytree(ground.folder, folder, dirs_exist_ok=True)
    yield folder
    if mounted:
        subprocess.run(("umount", "-l", str(folder)), check=True)


def _usage(folder):
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Usage(SIZE_BYTES, used, SIZE_BYTES - used)


@pytest.fixture
def node(small, ground, clock):
    """A node on it."""
    given = {"DISK_RESERVE_GB": RESERVE_BYTES / 1e9, "DISK_RESERVE_SHARE": 0.01, **ground.settings}
    made = new_node(small, clock=clock, disk=DataDisk(small), **given)
    yield made
    made.close()


def fill(node, *, left_bytes):
    """Write until so much is free above the reserve."""
    missing = node.disk.free_bytes() - RESERVE_BYTES - left_bytes
    (node.system.outside.data_dir / "other").write_bytes(b"\0" * missing)


def test_filled_to_the_reserve_intake_stops_and_playing_and_taking_back_go_on(node):
    with visits_to(node) as visits:
        client = visits.client()
        kept = client.leave().json()
        fill(node, left_bytes=0)
        assert client.leave().status_code == 507
        assert client.get("/api/v1/surface/state").json()["intake_door"] == "full"
        chosen = client.get("/api/v1/pool/next").json()
        assert client.get(chosen["audio_url"]).status_code == 200
        assert client.post(chosen["playback_ack_url"]).json() == {"ok": True, "ignored": True}
        answer = client.post("/api/v1/revoke", json={"token": kept["revocation_token"]}).json()
        assert answer["verified_gone_at"] is not None
        (node.system.outside.data_dir / "other").unlink()
        assert client.leave().status_code == 201


@pytest.fixture
def asked_first(monkeypatch):
    """Nothing arrives before eight have asked: what has arrived is counted twice, and would leave less room."""
    asked, everybody = [], asyncio.Event()
    coming, received = Reserve.coming, intake._received

    def counted(reserve, upload_bytes):
        asked.append(upload_bytes)
        if len(asked) == 8:
            everybody.set()
        return coming(reserve, upload_bytes)

    async def once_all_have_asked(*given):
        await everybody.wait()
        return await received(*given)

    monkeypatch.setattr(Reserve, "coming", counted)
    monkeypatch.setattr(intake, "_received", once_all_have_asked)


def test_eight_at_once_do_not_eat_into_it(node, asked_first):
    copies = 1 if node.system.settings.DATABASE_URL else 2
    fill(node, left_bytes=int(2.5 * copies * len(LONG_TAKE)))
    least = []
    together = Barrier(2, timeout=5)

    def look(_key):
        with suppress(BrokenBarrierError):
            together.wait()
        least.append(node.disk.free_bytes())

    node.store.before["put"] = look
    with visits_to(node) as visits:
        clients = [visits.client(address=f"203.0.113.{number}") for number in range(8)]
        answers = at_once(*(lambda client=client: client.leave(data=LONG_TAKE) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [201, 201, *[507] * 6]
    assert min(*least, node.disk.free_bytes()) >= RESERVE_BYTES


def test_a_local_copy_is_not_made_at_its_cost_and_the_attempt_is_not_counted(node):
    kept = node.keep(Mode.FOSSIL, LONG_TAKE)
    fill(node, left_bytes=len(LONG_TAKE) // 2)
    derive, subject = node.system.derive.derive, (kept.artifact.id, Kind.ESSENCE.value)
    for _ in range(node.system.settings.JOB_ATTEMPTS + 1):
        node.system.jobs.run(Job.DERIVE, subject, derive)
    assert node.counts()["derivative"] == 0
    (node.system.outside.data_dir / "other").unlink()
    node.system.jobs.run(Job.DERIVE, subject, derive)
    assert node.counts()["derivative"] == 1


class TestTheReserve:
    def test_what_is_on_its_way_counts_until_it_has_come_or_failed(self):
        reserve = Reserve(FixedDisk(free=100, total=1000), least_bytes=40, share=0.01, copies=2)
        with reserve.coming(20):
            with pytest.raises(DiskReserve), reserve.coming(10):
                raise AssertionError
            with reserve.coming(9):
                pass
        with pytest.raises(ZeroDivisionError), reserve.coming(29):
            raise ZeroDivisionError
        with reserve.coming(29):
            pass

    def test_temporary_files_are_refused_where_they_would_reach_it(self):
        reserve = Reserve(FixedDisk(free=100, total=1000), least_bytes=40, share=0.01, copies=1)
        reserve.spare(59)
        with pytest.raises(Unavailable):
            reserve.spare(60)
