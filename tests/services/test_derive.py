"""What is made from a take: made once, by right, and never left behind."""

import io
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from core.audio import wav
from core.bootstrap import spool_dir
from core.bootstrap.figures import derive_figures
from core.bootstrap.makers import makers
from core.domain.artifact import State
from core.domain.consent import Kind, Mode
from core.domain.pool.facts import Wish
from core.errors import NotFound, Unavailable
from core.services.derive import DeriveService, Outcome
from memory_ui.captions import caption
from memory_ui.copy import load_copy
from tests import wavs
from tests.engines import at_work
from tests.fakes import START, at_once, length_ms, visits_to, wait_for

TEN_SECONDS = wavs.take(10, sample_rate_hz=8000)
SILENCE = wav.write(wavs.sine(2, sample_rate_hz=8000, peak=0.0), 8000)
BOTH = {Kind.SPECTROGRAM, Kind.ESSENCE}


@pytest.fixture
def fossil(node):
    """A fossil without its derivatives."""
    return node.keep(Mode.FOSSIL, TEN_SECONDS).artifact


def deriver(node, made=lambda: None):
    """The node's own service; `made` is called after the take was read and before anything is published."""

    def then(make):
        def wrapped(*args):
            data = make(*args)
            made()
            return data

        return wrapped

    ours = makers()
    watched = replace(
        ours,
        derivatives={kind: then(make) for kind, make in ours.derivatives.items()},
        loudness=then(ours.loudness),
    )
    return DeriveService(
        node.system.work,
        node.store,
        node.clock,
        watched,
        figures=derive_figures(node.system.settings),
        spool=spool_dir(node.system.outside.data_dir),
        reserve=node.system.reserve,
    )


def unavailable():
    raise Unavailable("The store of this room does not answer right now.")


def bytes_at(node, key):
    with node.store.open(key) as stream:
        return stream.read()


def derive_both(node, artifact_id):
    return [node.system.derive.derive(artifact_id, kind) for kind in Kind]


def nothing_left(node):
    """Whether, once what is due has been swept, no derivative, no tombstone and no byte is there."""
    node.system.retention.sweep()
    return (node.counts()["derivative"], node.counts()["tombstone"], node.files()) == (0, 0, [])


def test_a_fossil_ends_with_both_derivatives_and_its_loudness_when_its_jobs_run(node):
    with visits_to(node, at_work) as visits:
        visits.client().leave("FOSSIL", TEN_SECONDS)
        wait_for(lambda: len(node.table("derivative")) == 2 and node.row(1).measured_at, most_s=30)
    row = node.row(1)
    assert {made.kind for made in node.table("derivative")} == BOTH
    assert node.stored() == sorted([row.raw_key, *(made.key for made in node.table("derivative"))])
    assert -60 < row.loudness_lufs < 0
    assert row.peak_dbtp < 0.5
    assert node.table("tombstone") == []


def test_what_is_made_is_what_it_says_it_is(node, fossil):
    assert derive_both(node, fossil.id) == [Outcome.PUBLISHED] * 2
    bytes_of = {}
    for made in node.table("derivative"):
        with node.store.open(made.key) as stream:
            bytes_of[made.kind] = stream.read()
    assert bytes_of[Kind.SPECTROGRAM].startswith(b"\x89PNG\r\n\x1a\n")
    assert length_ms(bytes_of[Kind.ESSENCE]) == 8000


def test_a_derivative_lasts_as_long_as_the_promise_says_and_so_does_the_fossil(node, fossil):
    derive_both(node, fossil.id)
    assert {made.until for made in node.table("derivative")} == {START + timedelta(days=365)}
    assert node.row(fossil.id).playable_until == START + timedelta(days=365)


def test_a_spectrogram_alone_does_not_prolong_what_can_be_heard(node, fossil):
    node.system.derive.derive(fossil.id, Kind.SPECTROGRAM)
    assert node.row(fossil.id).playable_until == START + timedelta(hours=48)


def test_derivatives_go_by_the_manifest_and_not_by_todays_settings(make_node):
    fossil = make_node(DERIVATIVE_TTL_DAYS_FOSSIL=20).keep(Mode.FOSSIL, TEN_SECONDS).artifact
    later = make_node(DERIVATIVE_TTL_DAYS_FOSSIL=300)
    derive_both(later, fossil.id)
    assert {made.until for made in later.table("derivative")} == {START + timedelta(days=20)}


@pytest.mark.parametrize("kind", Kind)
class TestEachKind:
    def test_an_unknown_artifact_wants_nothing(self, node, kind):
        assert node.system.derive.derive(99, kind) is Outcome.NOT_WANTED
        assert {name for name, count in node.counts().items() if count} == {"node"}

    @pytest.mark.parametrize("mode", [Mode.ROOM, Mode.NOSAVE])
    def test_a_take_whose_promise_grants_none_gets_none(self, node, kind, mode):
        kept = node.keep(mode)
        assert node.system.derive.derive(kept.artifact.id, kind) is Outcome.NOT_WANTED
        assert node.counts()["derivative"] == 0
        assert len(node.stored()) == 1

    def test_twice_does_nothing_twice(self, node, kind, fossil):
        assert node.system.derive.derive(fossil.id, kind) is Outcome.PUBLISHED
        before = node.table("derivative"), node.row(fossil.id), node.stored()
        assert node.system.derive.derive(fossil.id, kind) is Outcome.NOT_WANTED
        assert (node.table("derivative"), node.row(fossil.id), node.stored()) == before

    def test_two_at_once_publish_one_and_bury_the_other(self, node, kind, fossil):
        both_have_read = threading.Barrier(2)
        service = deriver(node, made=lambda: both_have_read.wait(20))
        results = at_once(*[lambda: service.derive(fossil.id, kind)] * 2)
        assert sorted(results) == [Outcome.PUBLISHED, Outcome.TOO_LATE]
        node.system.retention.sweep()
        (made,) = node.table("derivative")
        assert node.stored() == sorted([made.key, fossil.raw_key])
        assert node.table("tombstone") == []

    def test_revoked_meanwhile_publishes_nothing_and_leaves_no_byte(self, node, kind):
        kept = node.keep(Mode.FOSSIL, TEN_SECONDS)
        service = deriver(node, made=lambda: node.system.revocation.revoke(kept.secret))
        assert service.derive(kept.artifact.id, kind) is Outcome.TOO_LATE
        assert nothing_left(node)
        assert node.row(kept.artifact.id).state == State.REVOKED

    def test_told_to_be_gone_it_is_not_even_put(self, node, kind):
        kept = node.keep(Mode.FOSSIL, TEN_SECONDS)
        told = []
        service = deriver(node, made=lambda: told.append(node.system.revocation.revoke(kept.secret).verified_gone_at))
        node.store.calls.clear()
        service.derive(kept.artifact.id, kind)
        assert told == [START]
        assert [key for operation, key in node.store.calls if operation == "put"] == []

    def test_revoked_while_it_is_put_nobody_is_told_that_nothing_is_left(self, node, kind):
        kept = node.keep(Mode.FOSSIL, TEN_SECONDS)
        told = []

        def revoke(_key):
            node.store.before.clear()
            told.append(node.system.revocation.revoke(kept.secret).verified_gone_at)

        node.store.before["put"] = revoke
        assert node.system.derive.derive(kept.artifact.id, kind) is Outcome.TOO_LATE
        assert told == [None]
        assert node.row(kept.artifact.id).gone_at is None
        assert nothing_left(node)
        assert node.system.revocation.receipt(kept.secret).verified_gone_at == START

    def test_revoked_while_it_is_put_and_killed_then_it_is_gone_with_its_reservation(self, node, kind):
        kept = node.keep(Mode.FOSSIL, TEN_SECONDS)

        def die(_key):
            node.store.before.clear()
            node.system.revocation.revoke(kept.secret)
            raise KeyboardInterrupt

        node.store.before["put"] = die
        with pytest.raises(KeyboardInterrupt):
            node.system.derive.derive(kept.artifact.id, kind)
        node.system.retention.sweep()
        assert node.system.revocation.receipt(kept.secret).verified_gone_at is None
        node.clock.advance(minutes=10)
        assert nothing_left(node)
        assert node.system.revocation.receipt(kept.secret).verified_gone_at == node.clock.now()

    @pytest.mark.parametrize("swept", [False, True])
    def test_expired_meanwhile_publishes_nothing_and_leaves_no_byte(self, node, kind, fossil, swept):
        def time_passes():
            node.clock.advance(hours=48)
            if swept:
                node.system.retention.expire()
                node.system.retention.sweep()

        assert deriver(node, made=time_passes).derive(fossil.id, kind) is Outcome.TOO_LATE
        node.system.retention.expire()
        assert nothing_left(node)
        assert node.row(fossil.id).state == State.EXPIRED

    def test_after_the_raw_is_over_nothing_is_made(self, node, kind, fossil):
        node.clock.advance(hours=48)
        assert node.system.derive.derive(fossil.id, kind) is Outcome.NOT_WANTED

    def test_a_store_that_refuses_it_leaves_nothing_and_a_later_run_makes_it(self, node, kind, fossil):
        node.store.refuses.add("put")
        with pytest.raises(Unavailable):
            node.system.derive.derive(fossil.id, kind)
        node.store.refuses.clear()
        node.clock.advance(minutes=10, seconds=1)  # what such a store was given may still arrive
        node.system.retention.sweep()
        assert (node.stored(), node.table("tombstone")) == ([fossil.raw_key], [])
        assert node.system.derive.derive(fossil.id, kind) is Outcome.PUBLISHED

    def test_a_put_that_lands_after_the_store_gave_up_on_it_is_removed(self, node, kind, fossil):
        late, inner = {}, node.store.inner
        put, inner.put = inner.put, lambda key, stream, _size: late.update({key: stream.read()}) or unavailable()
        with pytest.raises(Unavailable):
            node.system.derive.derive(fossil.id, kind)
        inner.put = put
        node.system.retention.sweep()
        for key, data in late.items():
            inner.put(key, io.BytesIO(data), len(data))
        node.clock.advance(minutes=10)
        node.system.retention.sweep()
        assert node.stored() == [fossil.raw_key]

    def test_a_store_that_does_not_give_the_take_leaves_nothing(self, node, kind, fossil):
        node.store.refuses.add("open")
        with pytest.raises(Unavailable):
            node.system.derive.derive(fossil.id, kind)
        assert (node.stored(), node.table("tombstone")) == ([fossil.raw_key], [])

    def test_a_take_that_is_missing_is_too_late(self, node, kind, fossil):
        node.store.inner.delete(fossil.raw_key)
        assert node.system.derive.derive(fossil.id, kind) is Outcome.TOO_LATE

    def test_a_run_that_dies_on_the_way_is_cleared_when_its_reservation_comes_due(self, node, kind, fossil):
        def die(*_):
            raise KeyboardInterrupt

        inner = node.store.inner
        put, inner.put = inner.put, lambda *args: (put(*args), die())
        with pytest.raises(KeyboardInterrupt):
            node.system.derive.derive(fossil.id, kind)
        inner.put = put
        node.system.retention.sweep()
        assert len(node.stored()) == 2, "a reservation protects what may still be published"
        node.clock.advance(minutes=10)
        node.system.retention.sweep()
        assert node.stored() == [fossil.raw_key]
        assert node.system.derive.derive(fossil.id, kind) is Outcome.PUBLISHED

    def test_nothing_of_the_take_stays_in_the_spool(self, node, kind, fossil):
        seen = []
        deriver(node, made=lambda: seen.extend(spool_dir(node.system.outside.data_dir).iterdir())).derive(
            fossil.id, kind
        )
        assert seen == [], "what is read lies on the disk without a name"

    def test_revoking_takes_it_along_and_counts_it(self, node, kind):
        kept = node.keep(Mode.FOSSIL, TEN_SECONDS)
        node.system.derive.derive(kept.artifact.id, kind)
        revoked = node.system.revocation.revoke(kept.secret)
        assert revoked.deleted == {"raw": 1, kind.value: 1}
        assert revoked.verified_gone_at == START
        assert nothing_left(node)


class TestMeasure:
    def test_every_take_of_the_room_is_measured_once(self, node):
        kept = node.keep(Mode.ROOM, TEN_SECONDS)
        assert node.system.derive.measure(kept.artifact.id) is Outcome.PUBLISHED
        before = node.row(kept.artifact.id)
        node.clock.advance(minutes=1)
        assert node.system.derive.measure(kept.artifact.id) is Outcome.NOT_WANTED
        assert node.row(kept.artifact.id) == before
        assert before.measured_at == START

    def test_a_silent_take_is_measured_as_silent_and_not_again(self, node):
        kept = node.keep(Mode.ROOM, SILENCE)
        assert node.system.derive.measure(kept.artifact.id) is Outcome.PUBLISHED
        row = node.row(kept.artifact.id)
        assert (row.loudness_lufs, row.measured_at) == (None, START)
        assert node.system.derive.measure(kept.artifact.id) is Outcome.NOT_WANTED

    def test_an_unknown_artifact_and_a_one_time_take_are_not_measured(self, node):
        once = node.keep(Mode.NOSAVE)
        assert node.system.derive.measure(99) is Outcome.NOT_WANTED
        assert node.system.derive.measure(once.artifact.id) is Outcome.NOT_WANTED
        assert node.row(once.artifact.id).measured_at is None

    def test_a_take_revoked_meanwhile_keeps_no_measure(self, node):
        kept = node.keep(Mode.ROOM, TEN_SECONDS)
        service = deriver(node, made=lambda: node.system.revocation.revoke(kept.secret))
        assert service.measure(kept.artifact.id) is Outcome.TOO_LATE
        row = node.row(kept.artifact.id)
        assert (row.loudness_lufs, row.peak_dbtp, row.measured_at) == (None, None, None)

    def test_a_measure_goes_with_its_take(self, node):
        kept = node.keep(Mode.ROOM, TEN_SECONDS)
        node.system.derive.measure(kept.artifact.id)
        node.system.revocation.revoke(kept.secret)
        row = node.row(kept.artifact.id)
        assert (row.loudness_lufs, row.peak_dbtp, row.measured_at) == (None, None, None)


class TestALife:
    """A fossil from its take to its end, as the promise draws it."""

    @pytest.fixture
    def residue(self, node, fossil):
        """A fossil whose raw is over."""
        derive_both(node, fossil.id)
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.system.retention.sweep()
        return fossil

    def test_after_its_raw_it_stays_and_only_its_derivatives_are_stored(self, node, residue):
        row = node.row(residue.id)
        assert (row.state, row.raw_key, row.sha256) == (State.ACTIVE, None, None)
        assert node.stored() == sorted(made.key for made in node.table("derivative"))
        assert len(node.stored()) == 2

    def test_it_is_heard_by_its_essence(self, node, residue):
        (essence,) = [made.key for made in node.table("derivative") if made.kind == Kind.ESSENCE]
        with visits_to(node) as visits:
            client = visits.client()
            playback = client.get("/api/v1/pool/next").json()
            sound = client.get(playback["audio_url"])
            part = client.get(playback["audio_url"], headers={"Range": "bytes=0-43"})
        assert playback["artifact_id"] == residue.id
        assert (sound.status_code, sound.headers["Content-Type"]) == (200, "audio/wav")
        with node.store.open(essence) as stream:
            assert sound.content == stream.read()
        assert (part.status_code, part.content) == (206, sound.content[:44])

    def test_before_the_sweep_has_run_it_is_already_heard_by_its_essence_only(self, node, fossil):
        derive_both(node, fossil.id)
        node.clock.advance(hours=48)
        media = node.system.media.sound(node.system.pool.next(Wish(), node.rng).media_token)
        assert media.key.endswith("essence.wav")

    def test_what_is_granted_of_it_lies_within_its_essence(self, node):
        long = node.keep(Mode.FOSSIL, wavs.take(100, sample_rate_hz=8000)).artifact
        derive_both(node, long.id)
        node.clock.advance(hours=48)
        node.system.retention.expire()
        for _ in range(8):
            node.clock.advance(minutes=5)
            part = node.system.pool.next(Wish(), node.rng).slice
            assert part.start_ms + part.duration_ms <= 8000

    def test_its_caption_says_that_it_is_a_residue(self, node, residue):
        copy = load_copy("en")
        artifact = node.system.pool.next(Wish(), node.rng).artifact
        assert copy.t("room.kind_residue") in caption(artifact, node.clock.now(), copy, heard_ms=8000)

    def test_it_still_wears_with_every_hearing(self, node, residue):
        playback = node.system.pool.next(Wish(), node.rng)
        node.clock.advance(seconds=10)
        assert node.system.pool.heard(playback.heard_token) == "counted"
        assert node.row(residue.id).plays == 1

    def test_its_receipt_says_that_it_is_held(self, node):
        kept = node.keep(Mode.FOSSIL, TEN_SECONDS)
        derive_both(node, kept.artifact.id)
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.system.retention.sweep()
        receipt = node.system.revocation.receipt(kept.secret)
        assert (receipt.held, receipt.verified_gone_at) == (True, None)
        revoked = node.system.revocation.revoke(kept.secret)
        assert revoked.deleted == {"spectrogram_png": 1, "essence_wav": 1}
        assert nothing_left(node)

    def test_past_its_end_nothing_is_served_though_no_sweep_ran(self, node, residue):
        node.clock.advance(days=362, hours=23, minutes=59)
        token = node.system.pool.next(Wish(), node.rng).media_token
        node.clock.advance(minutes=1)
        assert node.system.pool.next(Wish(), node.rng) is None
        with pytest.raises(NotFound):
            node.system.media.sound(token)

    @pytest.mark.parametrize("order", [("expire", "prune_derivatives"), ("prune_derivatives", "expire")])
    def test_at_its_end_it_is_expired_with_everything_gone(self, node, residue, order):
        node.clock.advance(days=363)
        for name in order:
            getattr(node.system.retention, name)()
        assert nothing_left(node)
        row = node.row(residue.id)
        assert (row.state, row.outline, row.playable_until) == (State.EXPIRED, None, None)
        assert row.gone_at == node.clock.now()

    def test_a_fossil_whose_essence_was_never_made_ends_with_its_raw(self, node, fossil):
        node.system.derive.derive(fossil.id, Kind.SPECTROGRAM)
        node.clock.advance(hours=48)
        node.system.retention.expire()
        assert nothing_left(node)
        assert node.row(fossil.id).state == State.EXPIRED


def test_expiry_and_derivation_at_once_leave_either_a_residue_or_nothing(node, fossil):
    """Both are at it when the raw's hour strikes; whoever is second finds out."""
    read = threading.Event()

    def end():
        read.wait(10)
        node.clock.advance(hours=48)
        node.system.retention.expire()
        node.system.retention.sweep()

    at_once(lambda: deriver(node, made=read.set).derive(fossil.id, Kind.ESSENCE), end)
    node.system.retention.expire()
    node.system.retention.sweep()
    essences = [made.key for made in node.table("derivative")]
    assert node.stored() == essences
    assert node.row(fossil.id).state == (State.ACTIVE if essences else State.EXPIRED)
    assert node.table("tombstone") == []
