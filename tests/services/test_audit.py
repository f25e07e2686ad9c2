"""Bytes against rows: a clean node has no finding, and every broken promise is one."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from core.domain.artifact import State
from core.domain.consent import Kind, Mode
from core.domain.custody import Early, Entry
from core.errors import Unavailable
from memory_ui.cli import app
from tests.fakes import OTHER_TAKE, FrozenClock
from tests.services.test_retention import leave_essence


@pytest.fixture
def clock():
    """The command reads the real time."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def fossil(node):
    """A fossil with both derivatives."""
    kept = node.keep(Mode.FOSSIL)
    for kind in Kind:
        node.system.derive.derive(kept.artifact.id, kind)
    return kept


def findings(node, **given):
    return [(found.kind, found.subject) for found in node.system.audit.run(**given).findings]


def put(node, key, data=b"murmur"):
    node.store.inner.put(key, io.BytesIO(data), len(data))


def keys_of(node, kind):
    return [made.key for made in node.table("derivative") if made.kind == kind]


def entry(node, early, artifact):
    return Entry(kind=early, subject=node.system.vault.subject_hashes(artifact.public_id)[0], at=node.clock.now())


def write_down(node, early, artifact):
    """As though the database had lost the end that belongs to it."""
    node.system.outside.ledger.append([entry(node, early, artifact)])


class TestAClean:
    def test_empty_node_is_all_right(self, node):
        report = node.system.audit.run()
        assert (report.ok, report.artifacts, report.objects) == (True, 0, 0)

    def test_node_with_takes_of_every_kind_is_all_right(self, node, fossil):
        for mode in (Mode.ROOM, Mode.NOSAVE):
            node.keep(mode)
        report = node.system.audit.run()
        assert (report.ok, report.artifacts, report.objects, report.hashes) == (True, 3, 5, 3)

    def test_node_after_revocation_expiry_and_pruning_is_all_right(self, node, fossil):
        node.system.revocation.revoke(fossil.secret)
        node.keep()
        node.clock.advance(hours=48)
        node.system.retention.expire()
        assert findings(node) == []
        node.system.retention.sweep()
        assert findings(node) == []

    def test_fossil_whose_raw_is_over_is_all_right(self, node, fossil):
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.system.retention.sweep()
        report = node.system.audit.run()
        assert (report.ok, report.objects, report.hashes) == (True, 2, 0)

    def test_take_that_is_being_put_is_not_an_orphan(self, node):
        reports = []
        put_it = node.store.inner.put

        def look_after(*args):
            put_it(*args)
            reports.append(node.system.audit.run())

        node.store.inner.put = look_after
        node.keep()
        assert [(report.ok, report.objects, report.tombstones) for report in reports] == [(True, 1, 1)]

    def test_deletion_that_is_not_late_yet_is_all_right(self, node, fossil):
        node.store.refuses.add("delete")
        node.system.revocation.revoke(fossil.secret)
        node.clock.advance(minutes=59)
        assert findings(node) == []


class TestEachIsFound:
    def test_an_orphan(self, node, fossil):
        put(node, "raw/nobody/audio.wav")
        assert findings(node) == [("orphan", "raw/nobody/audio.wav")]

    def test_missing_bytes_of_a_take(self, node):
        kept = node.keep()
        node.store.inner.delete(kept.artifact.raw_key)
        assert findings(node) == [("missing", f"artifact {kept.artifact.id}")]

    @pytest.mark.parametrize("kind", Kind)
    def test_missing_bytes_of_a_derivative(self, node, fossil, kind):
        node.store.inner.delete(keys_of(node, kind)[0])
        assert findings(node) == [("missing", f"artifact {fossil.artifact.id}")]

    def test_a_wrong_hash(self, node):
        kept = node.keep()
        put(node, kept.artifact.raw_key, OTHER_TAKE)
        assert findings(node) == [("wrong hash", f"artifact {kept.artifact.id}")]
        assert findings(node, hashes=False) == []

    def test_an_overdue_deletion(self, node):
        kept = node.keep()
        node.store.refuses.add("delete")
        node.system.revocation.revoke(kept.secret)
        node.clock.advance(hours=1, seconds=1)
        assert findings(node) == [("overdue", kept.artifact.raw_key)]

    @pytest.mark.parametrize("mode", [Mode.ROOM, Mode.FOSSIL, Mode.NOSAVE])
    def test_a_take_held_past_its_promise(self, node, mode):
        kept = node.keep(mode)
        node.clock.advance(hours=49, seconds=1)
        assert findings(node) == [("past its promise", f"artifact {kept.artifact.id}")]

    def test_a_raw_held_past_its_promise_beside_its_essence(self, node, fossil):
        node.clock.advance(hours=49, seconds=1)
        assert findings(node) == [("past its promise", f"artifact {fossil.artifact.id}")]

    def test_a_derivative_held_past_its_promise(self, node, fossil):
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.system.retention.sweep()
        node.clock.advance(days=363, hours=1, seconds=1)
        assert findings(node) == [("past its promise", f"artifact {fossil.artifact.id}")]

    @pytest.mark.parametrize("state", [State.REVOKED, State.EXPIRED])
    def test_a_husk_with_remains(self, node, state):
        kept = node.keep()
        node.change(kept.artifact.id, state=state.value)
        assert findings(node) == [("husk with remains", f"artifact {kept.artifact.id}")]

    def test_a_husk_that_kept_its_outline(self, node):
        kept = node.keep()
        node.system.revocation.revoke(kept.secret)
        node.change(kept.artifact.id, outline=[[0.5, 0.5]] * 64)
        assert findings(node) == [("husk with remains", f"artifact {kept.artifact.id}")]

    def test_bytes_that_came_back_from_a_backup(self, node):
        kept = node.keep()
        node.system.revocation.revoke(kept.secret)
        put(node, kept.artifact.raw_key)
        assert findings(node) == [("orphan", kept.artifact.raw_key)]

    def test_a_derivative_its_promise_grants_no_more(self, node, fossil):
        """As though narrowing had not taken it away."""
        node.change_consent(fossil.artifact.consent_id, narrowed_at=node.clock.now())
        assert findings(node) == [("derivative without right", f"artifact {fossil.artifact.id}")] * 2

    def test_a_take_of_the_room_with_a_derivative(self, node):
        kept = node.keep()
        leave_essence(node, kept.artifact.id, until=node.clock.now() + timedelta(days=300))
        assert findings(node) == [("derivative without right", f"artifact {kept.artifact.id}")]

    def test_a_row_that_lasts_longer_than_its_promise(self, node):
        kept = node.keep()
        later = node.clock.now() + timedelta(days=900)
        node.change(kept.artifact.id, raw_until=later, playable_until=later)
        node.clock.advance(hours=48)
        assert findings(node) == []
        node.clock.advance(hours=1, seconds=1)
        assert findings(node) == [("past its promise", f"artifact {kept.artifact.id}")]

    @pytest.mark.parametrize("early", [Early.REVOKE, Early.REMOVE, Early.ONCE])
    def test_what_the_ledger_says_was_taken_back(self, node, early):
        kept = node.keep()
        write_down(node, early, kept.artifact)
        assert findings(node) == [("revoked and still held", f"artifact {kept.artifact.id}")]

    def test_what_the_ledger_says_was_narrowed(self, node, fossil):
        write_down(node, Early.NARROW, fossil.artifact)
        assert findings(node) == [("narrowed and still whole", f"artifact {fossil.artifact.id}")]

    def test_a_ledger_that_was_longer(self, node):
        with node.system.work.write() as tx:
            tx.nodes.remember_ledger(3)
        (found,) = node.system.audit.run().findings
        assert (found.kind, found.detail) == ("ledger too short", "it has 0 entries and has had 3")

    def test_entries_the_store_has_lacked_for_long(self, node):
        kept = node.keep()
        node.system.outside.ledger._store = node.store
        node.store.refuses.add("put")
        node.system.revocation.revoke(kept.secret)
        assert (findings(node), len(node.system.audit.run().notes)) == ([], 1)
        node.clock.advance(hours=1, seconds=1)
        assert findings(node) == [("ledger behind", "the ledger")]
        node.store.refuses.clear()
        assert findings(node) == []

    def test_everything_at_once(self, node, fossil):
        put(node, "derived/nobody/essence.wav")
        missing = node.keep()
        node.store.inner.delete(missing.artifact.raw_key)
        assert sorted(findings(node)) == [
            ("missing", f"artifact {missing.artifact.id}"),
            ("orphan", "derived/nobody/essence.wav"),
        ]


class TestBesideARunningNode:
    """What moves while it looks is no finding."""

    def test_a_take_revoked_while_it_is_looked_at(self, node):
        kept = node.keep()

        def revoke(_key):
            node.store.before.clear()
            node.system.revocation.revoke(kept.secret)

        node.store.before["size"] = revoke
        assert findings(node) == []

    def test_a_take_revoked_while_its_hash_is_read(self, node):
        kept = node.keep()

        def revoke(_key):
            node.store.before.clear()
            node.system.revocation.revoke(kept.secret)

        node.store.before["open"] = revoke
        assert findings(node) == []

    def test_a_take_whose_end_is_written_down_and_not_committed_yet(self, node):
        kept, listed = node.keep(), node.system.outside.ledger.entries

        def revoke_after():
            found = [*listed(), entry(node, Early.REVOKE, kept.artifact)]
            node.system.revocation.revoke(kept.secret)
            return found

        node.system.outside.ledger.entries = revoke_after
        assert findings(node) == []

    def test_a_fossil_narrowed_while_it_is_looked_at(self, node, fossil):
        def narrow(_key):
            node.store.before.clear()
            node.system.revocation.narrow(fossil.secret)

        node.store.before["size"] = narrow
        assert findings(node) == []
        assert findings(node) == []

    def test_a_take_left_while_it_looks(self, node):
        node.keep()

        def leave(_key):
            node.store.before.clear()
            node.keep()

        node.store.before["size"] = leave
        assert findings(node) == []

    def test_a_store_that_is_away_has_lost_nothing(self, node):
        kept = node.keep()

        def go_away(_key):
            node.store.inner.delete(kept.artifact.raw_key)
            node.store.refuses.add("check")

        node.store.before["size"] = go_away
        with pytest.raises(Unavailable):
            node.system.audit.run()

    def test_it_changes_nothing(self, node, fossil):
        put(node, "raw/nobody/audio.wav")
        before = [node.table(name) for name in node.counts()], node.stored()
        node.system.audit.run()
        assert ([node.table(name) for name in node.counts()], node.stored()) == before

    def test_a_store_that_does_not_answer_is_no_clean_bill(self, node, fossil):
        node.store.refuses.add("size")
        with pytest.raises(Unavailable):
            node.system.audit.run()


class TestCommand:
    def audit(self, ground, *given):
        command = ["audit", "--data-dir", str(ground.folder), *given]
        return CliRunner().invoke(app, command, env=ground.environment)

    def test_a_clean_node_exits_with_0_and_says_so(self, node, ground, fossil):
        result = self.audit(ground)
        assert result.exit_code == 0
        assert "1 artifacts, 3 objects, 0 tombstones, 1 hashes compared, 0 entries of the ledger" in result.output
        assert "nothing is wrong" in result.output

    def test_findings_exit_with_1_and_are_named(self, node, ground, fossil):
        put(node, "raw/nobody/audio.wav")
        result = self.audit(ground)
        assert result.exit_code == 1
        assert "orphan: raw/nobody/audio.wav" in result.output
        assert "1 findings" in result.output

    def test_as_json_it_is_one_object(self, node, ground, fossil):
        found = json.loads(self.audit(ground, "--json").stdout)
        looked_at = {"artifacts": 1, "objects": 3, "tombstones": 0, "hashes": 1, "entries": 0}
        assert found == {**looked_at, "findings": [], "repaired": [], "notes": [], "ok": True}

    def test_as_json_its_findings_are_objects_and_it_exits_with_1(self, node, ground, fossil):
        put(node, "raw/nobody/audio.wav")
        result = self.audit(ground, "--json")
        found = json.loads(result.stdout)
        assert (result.exit_code, found["ok"]) == (1, False)
        assert [(one["kind"], one["subject"]) for one in found["findings"]] == [("orphan", "raw/nobody/audio.wav")]

    def test_quick_reads_no_take_again(self, node, ground, fossil):
        put(node, fossil.artifact.raw_key, OTHER_TAKE)
        assert self.audit(ground, "--quick").exit_code == 0
        assert self.audit(ground).exit_code == 1


def test_what_is_overdue_is_a_setting(make_node):
    node = make_node(AUDIT_OVERDUE_SECONDS=10)
    node.keep()
    node.clock.advance(hours=48, seconds=10)
    assert findings(node) == []
    node.clock.advance(seconds=1)
    assert findings(node) == [("past its promise", "artifact 1")]
