"""What an audit may mend: everything nobody has a right to goes, verified, and nothing else is touched."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from core.domain.artifact import State
from core.domain.auditing import Wrong
from core.domain.consent import Kind, Mode
from core.domain.custody import Care, CareState, Early
from core.errors import Conflict
from core.ports.work import TrailQuery
from memory_ui.cli import app
from tests.fakes import OTHER_TAKE, FrozenClock
from tests.services.test_audit import keys_of, put, write_down
from tests.services.test_retention import leave_essence


@pytest.fixture
def clock():
    """The command reads the real time."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def fossil(node):
    kept = node.keep(Mode.FOSSIL)
    for kind in Kind:
        node.system.derive.derive(kept.artifact.id, kind)
    return kept


def repair(node):
    """What was mended, and what is left."""
    report = node.system.audits.run(actor="ana", repair=True)
    return [found.kind for found in report.repaired], [found.kind for found in report.findings]


def trail(node):
    return [(entry.subject, entry.after) for entry in node.system.stewardship.trail(TrailQuery(action="repair"))]


class TestItIsMended:
    def test_an_orphan_is_deleted(self, node, fossil):
        put(node, "raw/nobody/audio.wav")
        held = node.stored()
        assert repair(node) == ([Wrong.ORPHAN], [])
        assert node.stored() == [key for key in held if "nobody" not in key]
        assert trail(node) == [("", {"finding": "orphan", "count": 1})]

    def test_a_late_deletion_is_tried_again_at_once(self, node):
        kept = node.keep()
        node.store.refuses.add("delete")
        node.system.revocation.revoke(kept.secret)
        node.clock.advance(hours=2)
        node.system.retention.sweep()
        assert repair(node) == ([], [Wrong.OVERDUE])
        node.store.refuses.clear()
        assert repair(node) == ([Wrong.OVERDUE], [])
        assert (node.files(), node.row(kept.artifact.id).gone_at) == ([], node.clock.now())

    @pytest.mark.parametrize(
        ("mode", "state"), [(Mode.ROOM, State.EXPIRED), (Mode.FOSSIL, State.EXPIRED), (Mode.NOSAVE, State.REVOKED)]
    )
    def test_a_take_past_its_promise_ends(self, node, mode, state):
        kept = node.keep(mode)
        node.clock.advance(hours=49, seconds=1)
        assert repair(node) == ([Wrong.PAST], [])
        row = node.row(kept.artifact.id)
        assert (row.state, row.outline, row.gone_at, node.files()) == (state, None, node.clock.now(), [])
        assert trail(node) == [(f"artifact {kept.artifact.id}", {"finding": "past its promise"})]

    def test_a_row_that_lasts_longer_than_its_promise_ends_with_that(self, node):
        kept = node.keep()
        later = node.clock.now() + timedelta(days=900)
        node.change(kept.artifact.id, raw_until=later, playable_until=later)
        node.clock.advance(hours=49, seconds=1)
        assert repair(node) == ([Wrong.PAST], [])
        assert (node.row(kept.artifact.id).state, node.files()) == (State.EXPIRED, [])

    def test_a_raw_past_its_promise_goes_and_its_essence_stays(self, node, fossil):
        node.clock.advance(hours=49, seconds=1)
        assert repair(node) == ([Wrong.PAST], [])
        assert node.row(fossil.artifact.id).state == State.ACTIVE
        assert node.stored() == sorted(keys_of(node, "essence_wav") + keys_of(node, "spectrogram_png"))

    def test_a_derivative_without_right_goes_and_the_take_stays(self, node, fossil):
        node.change_consent(fossil.artifact.consent_id, narrowed_at=node.clock.now())
        assert repair(node) == ([Wrong.NO_RIGHT] * 2, [])
        row = node.row(fossil.artifact.id)
        assert (row.state, node.stored()) == (State.ACTIVE, [row.raw_key])
        assert row.playable_until == row.raw_until

    def test_where_it_was_all_that_sounded_everything_ends_with_it(self, node, fossil):
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.change_consent(fossil.artifact.consent_id, narrowed_at=node.clock.now())
        assert repair(node)[1] == []
        assert (node.row(fossil.artifact.id).state, node.files()) == (State.EXPIRED, [])

    @pytest.mark.parametrize("state", [State.REVOKED, State.EXPIRED])
    def test_a_husk_keeps_nothing(self, node, fossil, state):
        node.change(fossil.artifact.id, state=state.value)
        assert repair(node) == ([Wrong.REMAINS], [])
        row = node.row(fossil.artifact.id)
        assert (row.state, row.raw_key, row.sha256, row.outline, node.files()) == (state, None, None, None, [])
        assert (row.ended_at, row.gone_at) == (node.clock.now(), node.clock.now())

    def test_a_husk_loses_its_outline_and_keeps_its_times(self, node):
        kept = node.keep()
        node.system.revocation.revoke(kept.secret)
        ended_at = node.row(kept.artifact.id).ended_at
        node.change(kept.artifact.id, outline=[[0.5, 0.5]] * 64)
        node.clock.advance(hours=1)
        assert repair(node) == ([Wrong.REMAINS], [])
        row = node.row(kept.artifact.id)
        assert (row.outline, row.ended_at, row.gone_at) == (None, ended_at, node.clock.now())

    def test_what_the_ledger_says_was_taken_back_is(self, node, fossil):
        write_down(node, Early.REVOKE, fossil.artifact)
        mended, left = repair(node)
        assert (Wrong.STILL_HELD in mended, left) == (True, [])
        assert (node.row(fossil.artifact.id).state, node.files()) == (State.REVOKED, [])
        assert node.system.revocation.receipt(fossil.secret).withdrawn_at == node.clock.now()

    def test_what_the_ledger_says_was_narrowed_is(self, node, fossil):
        write_down(node, Early.NARROW, fossil.artifact)
        mended, left = repair(node)
        assert (Wrong.STILL_WHOLE in mended, left) == (True, [])
        assert node.stored() == [fossil.artifact.raw_key]
        assert node.system.revocation.receipt(fossil.secret).narrowed_at == node.clock.now()

    def test_a_file_of_the_ledger_that_was_lost_is_written_anew(self, node):
        node.system.revocation.revoke(node.keep().secret)
        assert node.system.outside.ledger.publish() == 0
        path = node.system.outside.data_dir / "ledger.jsonl"
        said = path.read_text()
        path.unlink()
        assert node.system.audit.run().notes == ["1 entries of the ledger are in the store and not in the file here"]
        assert repair(node) == ([Wrong.LEDGER_BEHIND], [])
        assert path.read_text() == said

    def test_everything_at_once_and_again(self, node, fossil):
        put(node, "derived/nobody/essence.wav")
        write_down(node, Early.REMOVE, node.keep().artifact)
        room = node.keep()
        leave_essence(node, room.artifact.id, until=node.clock.now() + timedelta(days=300))
        mended, left = repair(node)
        assert (set(mended), left) == ({Wrong.ORPHAN, Wrong.STILL_HELD, Wrong.NO_RIGHT}, [])
        before = [node.table(name) for name in node.counts() if name != "report"]
        assert repair(node) == ([], [])
        assert [node.table(name) for name in node.counts() if name != "report"] == before


class TestItIsLeftToASteward:
    def test_bytes_that_are_missing(self, node):
        kept = node.keep()
        node.store.inner.delete(kept.artifact.raw_key)
        assert repair(node) == ([], [Wrong.MISSING])
        assert node.row(kept.artifact.id).raw_key == kept.artifact.raw_key

    def test_bytes_that_are_other_ones(self, node):
        kept = node.keep()
        put(node, kept.artifact.raw_key, OTHER_TAKE)
        assert repair(node) == ([], [Wrong.WRONG_HASH])
        assert node.stored() == [kept.artifact.raw_key]

    def test_a_ledger_that_was_longer(self, node):
        with node.system.work.write() as tx:
            tx.nodes.remember_ledger(3)
        assert repair(node) == ([], [Wrong.LEDGER_SHORT])

    def test_what_somebody_else_has_put_into_the_store(self, node):
        put(node, "notes/of-a-steward.txt")
        assert repair(node) == ([], [Wrong.ORPHAN])
        assert node.stored() == ["notes/of-a-steward.txt"]

    def test_what_nobody_asked_to_be_mended(self, node, fossil):
        put(node, "raw/nobody/audio.wav")
        node.system.audits.run()
        assert "raw/nobody/audio.wav" in node.stored()
        assert trail(node) == []


class TestBesideARunningNode:
    def test_a_key_that_was_reserved_since_is_not_deleted(self, node):
        """An orphan to the audit; by the time it is mended somebody has named it."""
        key = "raw/late/audio.wav"
        put(node, key)
        report = node.system.audit.run()
        with node.system.work.write() as tx:
            tx.tombstones.reserve(key, until=node.clock.now() + timedelta(hours=1), reason="reserved")
        node.system.audits._repair.mend(report.findings, actor="ana")
        assert node.stored() == [key]

    def test_a_take_that_is_being_put_is_not_deleted(self, node):
        put_it, mended = node.store.inner.put, []

        def mend_after(*args):
            put_it(*args)
            mended.append(repair(node))

        node.store.inner.put = mend_after
        kept = node.keep()
        assert mended == [([], [])]
        assert node.stored() == [kept.artifact.raw_key]

    def test_a_take_that_has_ended_since_is_let_be(self, node):
        kept = node.keep()
        leave_essence(node, kept.artifact.id, until=node.clock.now() + timedelta(days=300))
        report = node.system.audit.run()
        node.system.revocation.revoke(kept.secret)
        assert node.system.audits._repair.mend(report.findings, actor="ana") == []
        assert trail(node) == []


class TestReports:
    def last(self, node):
        return node.system.care.last(Care.AUDIT)

    def test_an_audit_leaves_what_it_counted(self, node, fossil):
        node.system.audits.run(actor="ana")
        report = self.last(node)
        assert (report.state, report.actor, report.done, report.total) == (CareState.OK, "ana", 1, 1)
        counts = {"artifacts": 1, "objects": 3, "tombstones": 0, "hashes": 1, "entries": 0, "findings": 0}
        assert report.summary.items() >= {**counts, "ok": True, "first": []}.items()

    def test_findings_are_counted_by_kind_and_the_first_are_named(self, node):
        for number in range(30):
            put(node, f"raw/nobody-{number:02}/audio.wav")
        node.store.inner.delete(node.keep().artifact.raw_key)
        node.system.audits.run()
        summary = self.last(node).summary
        assert self.last(node).state is CareState.FAILED
        assert (summary["findings"], summary["kinds"]) == (31, {"missing": 1, "orphan": 30})
        assert len(summary["first"]) == 20
        assert summary["first"][0]["subject"] == "artifact 1"

    def test_one_that_was_broken_off_says_nothing_about_the_node(self, node):
        put(node, "raw/nobody/audio.wav")
        node.system.audits.run()
        node.store.refuses.add("size")
        node.keep()
        with pytest.raises(Exception, match="does not answer"):
            node.system.audits.run()
        assert self.last(node).summary["error"].endswith("does not answer right now.")
        assert node.system.care.standing().audited.summary["findings"] == 1

    def test_of_two_at_a_time_one_is_refused(self, node):
        with node.system.care.reporting(Care.AUDIT, actor="the node"), pytest.raises(Conflict):
            node.system.audits.run()


class TestCommand:
    def audit(self, ground, *given):
        return CliRunner().invoke(app, ["audit", "--data-dir", str(ground.folder), *given], env=ground.environment)

    def test_what_is_mended_is_named_and_it_exits_with_0(self, node, ground):
        put(node, "raw/nobody/audio.wav")
        result = self.audit(ground, "--repair")
        assert result.exit_code == 0
        assert "mended: orphan: raw/nobody/audio.wav" in result.output

    def test_what_is_left_is_told_with_what_to_do_and_it_exits_with_1(self, node, ground):
        put(node, "raw/nobody/audio.wav")
        put(node, "notes/of-a-steward.txt")
        result = self.audit(ground, "--repair", "--json")
        found = json.loads(result.stdout)
        assert (result.exit_code, found["ok"]) == (1, False)
        assert [one["subject"] for one in found["repaired"]] == ["raw/nobody/audio.wav"]
        assert [one["subject"] for one in found["findings"]] == ["notes/of-a-steward.txt"]
        assert "what to do, orphan: " in self.audit(ground).output

    def test_beside_one_that_is_under_way_it_looks_and_mends_nothing(self, node, ground):
        put(node, "raw/nobody/audio.wav")
        with node.system.care.reporting(Care.AUDIT, actor="the node"):
            assert "orphan: raw/nobody/audio.wav" in self.audit(ground).output
            assert isinstance(self.audit(ground, "--repair").exception, Conflict)
        assert node.stored() == ["raw/nobody/audio.wav"]
