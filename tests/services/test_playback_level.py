"""The level a playback is granted with: by what was measured of what sounds."""

import io
from datetime import timedelta

import pytest

from core.audio import wav
from core.bootstrap.figures import level_figures
from core.bootstrap.makers import makers
from core.domain.consent import Kind, Mode
from core.domain.level import playback_level
from core.domain.pool.facts import Wish
from tests import wavs

TARGET_LUFS, CEILING_DBTP = -24, -1


def spoken(peak):
    """Ten seconds of a tone of that peak."""
    return wav.write(wavs.sine(10, sample_rate_hz=8000, peak=peak), 8000)


def measured(data):
    return makers().loudness(io.BytesIO(data), len(data))


def level(node):
    return node.system.pool.next(Wish(), node.rng).level


@pytest.mark.parametrize("peak", [0.02, 0.1, 0.6])
def test_a_measured_take_is_brought_to_the_rooms_level(node, peak):
    kept = node.keep(Mode.ROOM, spoken(peak))
    node.system.derive.measure(kept.artifact.id)
    played = measured(wav.write(wavs.sine(10, sample_rate_hz=8000, peak=peak) * level(node), 8000))
    assert played.lufs == pytest.approx(TARGET_LUFS, abs=0.1)
    assert played.peak_dbtp < CEILING_DBTP


def test_a_take_with_a_high_peak_stays_under_the_ceiling(node):
    samples = wavs.sine(10, sample_rate_hz=8000, peak=0.004)
    samples[40_000] = 0.9
    kept = node.keep(Mode.ROOM, wav.write(samples, 8000))
    node.system.derive.measure(kept.artifact.id)
    gain = level(node)
    row = node.row(kept.artifact.id)
    assert gain == pytest.approx(10 ** ((CEILING_DBTP - row.peak_dbtp) / 20))
    assert gain < 10 ** ((TARGET_LUFS - row.loudness_lufs) / 20)


def test_a_take_that_is_not_measured_yet_has_none(node):
    kept = node.keep(Mode.ROOM, spoken(0.1))
    assert level(node) is None
    node.system.derive.measure(kept.artifact.id)
    assert level(node) == pytest.approx(10 ** ((TARGET_LUFS - node.row(kept.artifact.id).loudness_lufs) / 20))


def test_a_silent_take_stays_as_it_is(node):
    kept = node.keep(Mode.ROOM, spoken(0.0))
    node.system.derive.measure(kept.artifact.id)
    assert level(node) == 1.0


class TestResidue:
    """What a fossil leaves is softer than the take it was made from."""

    @pytest.fixture
    def fossil(self, node):
        kept = node.keep(Mode.FOSSIL, spoken(0.6)).artifact
        node.system.derive.derive(kept.id, Kind.ESSENCE)
        return kept

    def own(self, node):
        """The residue's row, and its loudness measured afresh."""
        (made,) = node.table("derivative")
        with node.store.open(made.key) as stream:
            return made, measured(stream.read())

    def test_its_loudness_is_measured_with_it(self, node, fossil):
        made, loudness = self.own(node)
        assert (made.loudness_lufs, made.peak_dbtp) == (loudness.lufs, loudness.peak_dbtp)

    def test_once_the_take_is_over_it_is_played_by_its_own_loudness(self, node, fossil):
        node.system.derive.measure(fossil.id)
        whole = level(node)
        node.clock.advance(hours=48)
        made, loudness = self.own(node)
        left = level(node)
        assert left == pytest.approx(playback_level(loudness.lufs, loudness.peak_dbtp, level_figures()))
        assert left != pytest.approx(whole)
        assert made.until > node.clock.now() + timedelta(days=300)

    def test_it_is_so_though_the_take_itself_was_never_measured(self, node, fossil):
        assert level(node) is None
        node.clock.advance(hours=48)
        assert level(node) is not None

    def test_a_picture_has_no_loudness(self, node):
        kept = node.keep(Mode.FOSSIL, spoken(0.6)).artifact
        for kind in (Kind.SPECTROGRAM, Kind.ESSENCE):
            node.system.derive.derive(kept.id, kind)
        (picture,) = [made for made in node.table("derivative") if made.kind == Kind.SPECTROGRAM]
        assert (picture.loudness_lufs, picture.peak_dbtp, picture.duration_ms) == (None, None, None)
        node.clock.advance(hours=48)
        assert level(node) is not None
