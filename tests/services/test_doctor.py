"""The doctor of a node: each thing it looks at is broken for real, found with its remedy, and mended by it."""

import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from alembic import command as migration
from sqlalchemy import text
from typer.testing import CliRunner

from core.adapters.sql.engine import open_engine, sqlite_url
from core.adapters.sql.migrate import config
from core.adapters.vault import open_vault
from core.domain.auditing import Wrong
from core.domain.custody import LEDGER_PREFIX, PROBE_KEY, PROBE_MOST_BYTES, Care, Closed
from core.domain.work import Job
from core.errors import MemoryEngineError, Unavailable
from core.services.probing import SAID
from jobs.inprocess import running
from memory_ui.app import plain_app
from memory_ui.appliance import web
from memory_ui.appliance.asking import ask
from memory_ui.appliance.doctor import checks, diagnose
from memory_ui.appliance.findings import Finding, Level, lines
from memory_ui.appliance.status import lines as status_lines
from memory_ui.appliance.status import standing_of
from memory_ui.appliance.visiting import visiting
from memory_ui.cli import app
from tests.engines import Engine
from tests.fakes import FrozenClock, Given, new_node, served
from tests.patients import NOBODY, is_well, only


@pytest.fixture
def clock():
    """The machine's own, so that the command line agrees with the node."""
    return FrozenClock(datetime.now(UTC))


@pytest.fixture
def working(node):
    """Worker and scheduler have just been heard of."""
    node.system.jobs.beat("worker", "worker")
    node.system.jobs.beat("scheduler", "scheduler")


class TestDataFolder:
    @pytest.fixture(autouse=True)
    def _closed(self, ground):
        ground.folder.chmod(0o700)

    def test_one_that_everybody_enters_is_closed_by_its_remedy(self, ground, found):
        ground.folder.chmod(0o755)
        finding = only(found("data folder"))
        assert (finding.level, finding.remedy) == (Level.WARN, f"chmod 750 {ground.folder}")
        ground.folder.chmod(0o750)
        assert is_well(found("data folder"))

    @pytest.mark.engine("embedded")
    def test_keys_that_others_read_are_closed_by_its_remedy(self, ground, found):
        keys = ground.folder / "keys.json"
        keys.chmod(0o644)
        finding = only(found("data folder"))
        assert (finding.level, finding.remedy) == (Level.FAIL, f"chmod 600 {keys}")
        keys.chmod(0o600)
        assert is_well(found("data folder"))

    @pytest.mark.engine("embedded")
    def test_keys_that_are_gone_are_missed(self, ground, found):
        keys = ground.folder / "keys.json"
        kept = keys.read_bytes()
        keys.unlink()
        finding = only(found("data folder"))
        assert finding.level is Level.FAIL
        assert "never make a new one" in finding.remedy
        keys.touch(mode=0o600)
        keys.write_bytes(kept)
        assert is_well(found("data folder"))

    def test_one_that_is_not_there_is_said_and_nothing_is_made(self, tmp_path):
        with visiting(Given(MEMORY_DATA_DIR=tmp_path / "none"), url=NOBODY) as patient:
            findings = diagnose(patient)
        assert [one.level for one in findings if one.what == "data folder"] == [Level.FAIL]
        unknown = {one.what for one in findings if "no data folder to look into" in one.detail}
        assert {"database", "store", "queue", "worker", "secrets", "backup", "room"} <= unknown
        assert not (tmp_path / "none").exists()


class TestDisk:
    def test_a_full_one_fails_until_there_is_room(self, node, found):
        node.disk.free = 1_000_000
        finding = only(found("disk"))
        assert (finding.level, bool(finding.remedy)) == (Level.FAIL, True)
        node.disk.free = 500_000_000_000
        assert is_well(found("disk"))

    def test_one_without_room_for_files_fails_though_there_are_bytes(self, visit):
        def with_files(free: int) -> Finding:
            looked = visit(lambda patient: diagnose(replace(patient, inodes=lambda: (free, 1000))))
            return only([one for one in looked if one.what == "disk"])

        assert (with_files(49).level, "du --inodes" in with_files(49).remedy) == (Level.FAIL, True)
        assert with_files(51).level is Level.PASS


class TestClock:
    def test_one_that_jumped_is_in_doubt_until_it_is_back(self, node, found):
        node.source.right = False
        with node.system.work.write() as tx:
            tx.nodes.mark_clock(node.clock.now(), unless_not=tx.nodes.read().clock_mark)
        node.clock.advance(days=400)
        finding = found("clock")[0]
        assert (finding.level, bool(finding.remedy)) == (Level.FAIL, True)
        node.clock.advance(days=-400)
        node.source.right = True
        assert is_well(found("clock"))

    def test_one_that_nobody_keeps_is_warned_of(self, node, found):
        node.source.right = False
        finding = only(found("clock"))
        assert (finding.level, "timedatectl set-ntp true" in finding.remedy) == (Level.WARN, True)


class TestDatabase:
    def test_one_that_does_not_answer_fails_and_the_other_checks_go_on(self, node, ground, visit):
        ground.take_database_away(node.system)
        findings = visit(diagnose)
        assert [one.level for one in findings if one.what == "database"] == [Level.FAIL]
        assert {"settings", "data folder", "disk", "clock", "screens", "node"} <= {one.what for one in findings}
        assert any("See the line “database”" in one.remedy for one in findings if one.what == "backup")

    @pytest.mark.engine("embedded")
    def test_one_that_is_behind_is_brought_up_to_date_by_a_start(self, tmp_path):
        folder = tmp_path / "old"
        folder.mkdir()
        open_vault(folder)
        database = open_engine(sqlite_url(folder))
        migration.upgrade(config(database), "0005")
        database.dispose()

        def look() -> Finding:
            with visiting(Given(MEMORY_DATA_DIR=folder), url=NOBODY) as patient:
                return only([one for one in diagnose(patient) if one.what == "database"])

        assert (look().level, "brings the database up to date" in look().remedy) == (Level.FAIL, True)
        new_node(folder).close()
        assert look().level is Level.PASS

    def test_one_of_a_newer_version_is_warned_of(self, node, found):
        def say(revision: str) -> None:
            with node.system.outside.engine.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = :said"), {"said": revision})

        known = node.rows("SELECT version_num FROM alembic_version")[0][0]
        say("9999")
        try:
            finding = only(found("database"))
        finally:
            say(known)
        assert (finding.level, "9999" in finding.detail) == (Level.WARN, True)
        assert is_well(found("database"))

    @pytest.mark.engine("embedded")
    def test_one_that_is_no_database_fails(self, node, ground, found):
        node.system.outside.engine.dispose()
        for path in ground.folder.glob("memory.db*"):
            path.unlink()
        (ground.folder / "memory.db").write_bytes(b"no database at all " * 100)
        assert only(found("database")).level is Level.FAIL

    @pytest.mark.engine("embedded")
    def test_one_that_is_not_there_yet_is_not_made(self, node, ground, found):
        node.system.outside.engine.dispose()
        for path in ground.folder.glob("memory.db*"):
            path.unlink()
        assert only(found("database")).level is Level.FAIL
        assert list(ground.folder.glob("memory.db*")) == []


class TestStore:
    def test_one_that_does_not_answer_fails_until_it_does(self, node, found):
        node.store.refuses.update({"check", "keys"})
        finding = only(found("store"))
        assert (finding.level, bool(finding.remedy)) == (Level.FAIL, True)
        node.store.refuses.clear()
        assert is_well(found("store"))

    @pytest.mark.parametrize(
        ("mood", "said"),
        [
            ({"refuses": {"put"}}, "takes no bytes"),
            ({"loses": {"put"}}, "does not give back"),
            ({"refuses": {"open"}}, "does not give back"),
            ({"refuses": {"delete"}}, "does not delete"),
            ({"loses": {"delete"}}, "does not delete"),
        ],
        ids=["refuses to put", "loses what is put", "refuses to read", "refuses to delete", "keeps what is deleted"],
    )
    def test_one_that_answers_and_does_not_do_its_work_fails_until_it_does(self, node, found, mood, said):
        node.keep()
        before = node.stored()
        for attribute, operations in mood.items():
            getattr(node.store, attribute).update(operations)
        finding = only(found("store"))
        assert (finding.level, bool(finding.remedy), said in finding.detail) == (Level.FAIL, True, True)
        assert ("may still lie there" in finding.detail) == (PROBE_KEY in node.store.keys("")) == ("delete" in said)
        node.store.refuses.clear()
        node.store.loses.clear()
        assert is_well(found("store"))
        assert node.stored() == before

    def test_one_that_gives_back_other_bytes_fails(self, node, found):
        node.store.before["open"] = lambda key: node.store.inner.put(key, io.BytesIO(b"other"), 5)
        assert "does not give back" in only(found("store")).detail
        node.store.before.clear()
        assert is_well(found("store"))

    def test_what_a_killed_look_has_left_is_no_orphan_and_taken_away_by_the_next(self, node, found):
        node.store.put(PROBE_KEY, io.BytesIO(SAID), len(SAID))
        report = node.system.audits.run()
        assert (report.findings, len(report.notes)) == ([], 1)
        assert is_well(found("store"))
        assert list(node.store.keys("", whole=True)) == []

    def test_whatever_else_lies_in_its_place_is_an_orphan(self, node):
        node.store.put(PROBE_KEY, io.BytesIO(b"v" * (PROBE_MOST_BYTES + 1)), PROBE_MOST_BYTES + 1)
        assert [(one.kind, one.key) for one in node.system.audits.run().findings] == [(Wrong.ORPHAN, PROBE_KEY)]

    def test_two_who_try_it_at_once_disturb_nobody(self, node, found):
        other = iter((PROBE_KEY,))
        node.store.before["open"] = lambda _key: [node.store.inner.delete(key) for key in other]
        assert is_well(found("store"))
        assert next(other, None) is None

    @pytest.mark.engine("embedded")
    def test_one_whose_folder_cannot_be_written_fails_until_it_can(self, node, ground, found):
        place = ground.folder / "sounds" / PROBE_KEY
        place.mkdir()
        finding = only(found("store"))
        assert (finding.level, str(place.parent) in finding.remedy) == (Level.FAIL, True)
        place.rmdir()
        assert is_well(found("store"))

    def test_one_that_does_not_answer_is_given_nothing(self, node, found):
        node.store.refuses.add("check")
        node.store.calls.clear()
        found("store")
        assert "put" not in {operation for operation, _ in node.store.calls}


class TestBackground:
    @pytest.mark.parametrize("role", ["worker", "scheduler"])
    def test_a_silent_one_fails_until_it_is_heard_of(self, node, found, role):
        finding = only(found(role))
        assert (finding.level, "restart the node" in finding.remedy) == (Level.FAIL, True)
        node.system.jobs.beat("somebody", role)
        assert is_well(found(role))

    def test_a_job_that_failed_is_told_by_the_queue_until_it_is_forgiven(self, node, found):
        with node.system.work.write() as tx:
            for _ in range(10):
                tx.job_runs.begin(Job.DERIVE, "1", node.clock.now())
                tx.job_runs.end(Job.DERIVE, "1", node.clock.now(), error="Unavailable")
        finding = only(found("queue"))
        assert (finding.level is Level.PASS, bool(finding.remedy)) == (False, True)
        node.clock.advance(days=2)
        assert is_well(found("queue"))

    @pytest.mark.engine("stack")
    def test_a_queue_that_does_not_answer_fails(self, found):
        finding = only(found("queue", REDIS_URL="redis://127.0.0.1:9/0"))
        assert (finding.level, bool(finding.remedy)) == (Level.FAIL, True)
        assert is_well(found("queue"))

    @pytest.mark.engine("stack")
    def test_looking_at_a_queue_makes_nothing_in_it(self, ground, found):
        with redis.Redis.from_url(ground.settings["REDIS_URL"]) as server:
            before = server.keys()
            assert is_well(found("queue"))
            assert server.keys() == before


class TestLedger:
    def revoked(self, node) -> None:
        kept = node.keep()
        assert node.system.revocation.revoke(kept.secret).revoked_artifacts == 1
        node.system.ledger.remember()

    def test_one_that_lost_entries_fails_until_it_is_put_back(self, node, ground, found):
        self.revoked(node)
        assert is_well(found("ledger"))
        file = ground.folder / "ledger.jsonl"
        kept = file.read_bytes()
        file.unlink()
        for key in list(node.store.keys(LEDGER_PREFIX)):
            node.store.delete(key)
        finding = only(found("ledger"))
        assert (finding.level, "before it is started" in finding.remedy) == (Level.FAIL, True)
        file.write_bytes(kept)
        assert is_well(found("ledger"))

    def test_a_closed_node_fails_until_it_is_opened(self, node, found):
        with node.system.work.write() as tx:
            tx.nodes.close(Closed.LEDGER_SHORT)
        finding = only(found("ledger"))
        assert (finding.level, bool(finding.remedy)) == (Level.FAIL, True)
        with node.system.work.write() as tx:
            tx.nodes.close(Closed.OPEN)
        assert is_well(found("ledger"))


class TestCare:
    def test_an_audit_with_findings_fails_until_one_finds_nothing(self, node, found):
        kept = node.keep()
        with node.store.open(kept.artifact.raw_key) as stream:
            data = stream.read()
        node.store.delete(kept.artifact.raw_key)
        node.system.audits.run()
        finding = only(found("audit"))
        assert (finding.level, bool(finding.remedy)) == (Level.FAIL, True)
        node.store.put(kept.artifact.raw_key, io.BytesIO(data), len(data))
        node.system.audits.run()
        assert is_well(found("audit"))
        assert "found nothing" in only(found("audit")).detail

    def test_a_backup_that_failed_is_warned_of_until_one_is_read_back(self, node, found):
        every = {"BACKUP_INTERVAL_HOURS": 24}
        with pytest.raises(Unavailable), node.system.care.reporting(Care.BACKUP, actor="ana"):
            raise Unavailable("The store of this room does not answer right now.")
        finding = only(found("backup", **every))
        assert (finding.level, bool(finding.remedy)) == (Level.WARN, True)
        node.clock.advance(seconds=1)
        with node.system.care.reporting(Care.BACKUP, actor="ana") as progress:
            progress.summary["verified"] = True
        assert is_well(found("backup", **every))
        assert "(0 hours ago)" in only(found("backup", **every)).detail

    def test_backups_that_nobody_makes_are_warned_of(self, found):
        finding = only(found("backup", BACKUP_INTERVAL_HOURS=0))
        assert (finding.level, "BACKUP_INTERVAL_HOURS" in finding.remedy) == (Level.WARN, True)


class TestSecrets:
    @pytest.mark.engine("embedded")
    def test_a_placeholder_fails(self, found):
        finding = found("secrets", BACKUP_PASSPHRASE="change-me")[0]
        assert (finding.level, "openssl rand -hex 32" in finding.remedy) == (Level.FAIL, True)
        assert "change-me" not in finding.detail
        assert is_well(found("secrets", BACKUP_PASSPHRASE="seven otters under one umbrella"))

    @pytest.mark.engine("embedded")
    def test_without_a_stewards_secret_nobody_signs_in_until_one_is_made(self, ground, found):
        (ground.folder / "steward-secret.txt").unlink()
        finding = only(found("secrets"))
        assert (finding.level, "memory-engine secret --rotate" in finding.remedy) == (Level.FAIL, True)
        assert CliRunner().invoke(app, ["secret", "--rotate", "--data-dir", str(ground.folder)]).exit_code == 0
        assert is_well(found("secrets"))


class TestTheNodeItself:
    @pytest.mark.engine("embedded")
    def test_nobody_answers_until_it_is_started(self, node, visit, working):
        assert only([one for one in visit(diagnose) if one.what == "node"]).level is Level.FAIL
        with served(plain_app(node.system, running)) as port:
            answers = ask(f"http://127.0.0.1:{port}")
            findings = visit(lambda patient: diagnose(replace(patient, answers=answers)))
            standing = visit(lambda patient: standing_of(replace(patient, answers=answers)))
        assert is_well([one for one in findings if one.what == "node"])
        assert (standing.running, standing.components["database"]) == (True, "ok")

    def test_one_of_another_version_fails(self, visit):
        answers = replace(ask(NOBODY), live=True, ready=True, version="0.0.1")
        (finding,) = (one for one in visit(lambda it: diagnose(replace(it, answers=answers))) if one.what == "node")
        assert (finding.level, "Restart the node" in finding.remedy) == (Level.FAIL, True)


class TestLooking:
    def test_it_changes_nothing_in_a_node_that_runs(self, node, visit):
        node.keep()
        before = [node.table(name) for name in node.counts()], node.stored()
        visit(diagnose)
        visit(standing_of)
        assert ([node.table(name) for name in node.counts()], node.stored()) == before

    @pytest.mark.engine("embedded")
    @pytest.mark.parametrize("ended", ["cleanly", "killed"])
    def test_it_leaves_every_file_of_a_node_at_rest_as_it_was(self, node, ground, found, ended):
        node.keep()
        if ended == "cleanly":
            node.close()
            assert not list(ground.folder.glob("memory.db-*"))
        before = files(ground.folder)
        assert is_well(found("database"))
        assert files(ground.folder) == before

    @pytest.mark.engine("embedded")
    def test_the_database_cannot_be_written_through_it(self, visit):
        def write(patient):
            with pytest.raises(MemoryEngineError), patient.onlooker.work.write() as tx:
                tx.nodes.close(Closed.EXHIBITION)

        visit(write)

    def test_a_check_that_breaks_off_is_one_failure_and_tells_no_words_of_it(self, visit):
        def broken(_host: str, _port: int) -> web.Served:
            raise ValueError("password=hunter2")

        def look(patient):
            return diagnose(replace(patient, fetch=broken))

        findings = visit(look, PUBLIC_URL="https://room.example.org", ALLOWED_HOSTS="room.example.org")
        assert {one.what for one in findings} == {check.what for check in visit(checks)}
        assert only([one for one in findings if "could not be looked at" in one.detail]).what == "certificate"
        assert "hunter2" not in "\n".join(lines(findings))

    def test_whatever_is_not_well_has_a_remedy(self, node, ground, visit):
        node.disk.free = 1
        node.source.right = False
        assert all(one.remedy for one in visit(diagnose) if one.level is not Level.PASS)
        ground.take_database_away(node.system)
        assert all(one.remedy for one in visit(diagnose) if one.level is not Level.PASS)


def files(folder: Path) -> dict[str, str]:
    """Every file by what is in it; the index of a write-ahead log is memory that readers share."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "memory.db-shm"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


class TestStatus:
    def test_it_says_what_is_held_and_what_stands(self, node, visit, working):
        node.keep()
        standing = visit(standing_of)
        assert (standing.playable, standing.held, standing.running, standing.closed) == (1, 1, False, "")
        assert standing.next_expiry == (node.clock.now() + timedelta(hours=48)).isoformat(timespec="minutes")
        assert [one["name"] for one in standing.warnings] == ["pool_low"]
        assert len(status_lines(standing)) == 13

    def test_without_a_database_it_says_what_it_does_not_know(self, node, ground, visit):
        ground.take_database_away(node.system)
        said = status_lines(visit(standing_of))
        assert sum("could not be asked" in line for line in said) >= 4
        assert not any(line.startswith("state") and line.endswith("open") for line in said)

    @pytest.mark.engine("embedded")
    def test_a_process_that_is_not_there_is_not_called_well(self, visit, working):
        found = visit(standing_of).components
        assert {found[name] for name in ("queue", "worker", "scheduler")} == {"not running"}


class TestCommands:
    def run(self, ground, *given):
        command = [*given, "--data-dir", str(ground.folder), "--url", NOBODY]
        return CliRunner().invoke(app, command, env=ground.environment)

    def test_the_doctor_prints_a_line_a_finding_and_exits_with_1_where_one_failed(self, ground, node):
        result = self.run(ground, "doctor")
        assert result.exit_code == 1
        assert re.search(r"^FAIL  worker +No worker", result.stdout, re.MULTILINE)
        assert re.search(r"^PASS  database +answers, schema", result.stdout, re.MULTILINE)

    def test_as_json_it_is_one_object(self, ground, node):
        said = json.loads(self.run(ground, "doctor", "--json").stdout)
        assert said["ok"] is False
        assert {"level", "what", "detail", "remedy"} == set(said["findings"][0])

    @pytest.mark.engine("embedded")
    def test_without_a_failure_it_exits_with_0(self, ground, node, working):
        with served(plain_app(node.system, running)) as port:
            command = ["doctor", "--data-dir", str(ground.folder), "--url", f"http://127.0.0.1:{port}"]
            result = CliRunner().invoke(app, command, env=ground.environment)
        assert (result.exit_code, "FAIL" in result.stdout) == (0, False), result.stdout

    def test_settings_a_node_would_refuse_are_its_findings(self, ground, node):
        command = ["doctor", "--data-dir", str(ground.folder), "--json"]
        result = CliRunner().invoke(app, command, env={**ground.environment, "PORT": "none"})
        said = json.loads(result.stdout)
        assert (result.exit_code, [one["what"] for one in said["findings"]]) == (1, ["settings"])

    def test_status_as_json_names_the_engine(self, ground, node, engine):
        said = json.loads(self.run(ground, "status", "--json").stdout)
        assert (said["engine"], said["running"]) == ("stack" if engine is Engine.STACK else "embedded", False)
