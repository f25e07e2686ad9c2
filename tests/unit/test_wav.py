import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audio import wav
from core.errors import BadTake, MemoryEngineError
from tests import wavs

GOOD = wavs.take(0.05, sample_rate_hz=8000)


class CountingStream(io.BytesIO):
    """Remembers the largest read it was asked for, and how much it gave in all."""

    largest_read = 0
    given_bytes = 0

    def read(self, size=-1):
        data = super().read(size)
        self.largest_read = max(self.largest_read, len(self.getvalue()) if size is None or size < 0 else size)
        self.given_bytes += len(data)
        return data


def inspect(data, *, max_rate_hz=wavs.HIGHEST_RATE_HZ, stream=None):
    return wav.inspect(
        stream or io.BytesIO(data),
        size_bytes=len(data),
        max_duration_s=wavs.LONGEST_TAKE_S,
        max_rate_hz=max_rate_hz,
    )


def test_an_honest_take_is_measured_from_its_bytes():
    found = inspect(wavs.take(1.5, sample_rate_hz=44_100))
    assert (found.sample_rate_hz, found.frames, found.duration_ms) == (44_100, 66_150, 1500)
    assert (found.data_offset, found.data_bytes) == (44, 132_300)


@pytest.mark.parametrize("rate", sorted(wav.SAMPLE_RATES_HZ))
def test_every_listed_sample_rate_is_accepted(rate):
    assert inspect(wavs.take(0.1, sample_rate_hz=rate)).sample_rate_hz == rate


@pytest.mark.parametrize("name", sorted(wavs.MALFORMED.keys() - wavs.ONLY_TOO_MANY_BYTES))
def test_a_malformed_take_is_refused_in_one_sentence(name):
    data, status = wavs.MALFORMED[name]
    with pytest.raises(MemoryEngineError) as refusal:
        inspect(data)
    assert refusal.value.status == status
    assert str(refusal.value).endswith(".")


def test_a_take_of_exactly_the_longest_length_is_accepted():
    data = wavs.riff(wavs.form(sample_rate_hz=8000), wavs.chunk(b"data", bytes(300 * 16_000)))
    assert inspect(data).duration_ms == 300_000


def test_a_listed_rate_above_the_limit_is_refused():
    with pytest.raises(BadTake, match="96000 Hz"):
        inspect(wavs.take(0.1, sample_rate_hz=96_000), max_rate_hz=48_000)


def test_small_honest_chunks_around_the_sound_are_allowed():
    data = wavs.chunk(b"data", GOOD[44:])
    before, after = wavs.chunk(b"JUNK", bytes(27)), wavs.chunk(b"LIST", b"INFOISFT")
    found = inspect(wavs.riff(wavs.form(sample_rate_hz=8000), before, data, after))
    assert found.frames == 400
    assert found.data_offset == 12 + 24 + 36 + 8


def test_a_last_chunk_without_its_pad_byte_is_allowed():
    body = wavs.riff(wavs.form(sample_rate_hz=8000), GOOD[36:], wavs.chunk(b"LIST", b"abc"))[8:-1]
    assert inspect(b"RIFF" + struct.pack("<I", len(body)) + body).frames == 400


def test_a_format_chunk_of_18_bytes_is_allowed():
    data = wavs.riff(wavs.form(sample_rate_hz=8000, tail=b"\0\0"), GOOD[36:])
    assert inspect(data).frames == 400


def test_a_single_frame_lasts_at_least_a_millisecond():
    data = wavs.riff(wavs.form(sample_rate_hz=48_000), wavs.chunk(b"data", b"\1\0"))
    assert inspect(data).duration_ms == 1


def test_a_size_larger_than_the_stream_is_not_believed():
    cut = GOOD[:-100]
    with pytest.raises(BadTake):
        wav.inspect(io.BytesIO(cut), size_bytes=len(GOOD), max_duration_s=300, max_rate_hz=96_000)


def test_a_long_take_is_inspected_by_its_header_alone():
    data = wavs.riff(wavs.form(), wavs.chunk(b"data", bytes(20 * 1024 * 1024)))
    stream = CountingStream(data)
    inspect(data, stream=stream)
    assert stream.given_bytes < 1024


def test_samples_are_read_back_within_one_step_of_16_bits():
    sound = wavs.sine(0.5, peak=0.9)
    data = wav.write(sound, 48_000)
    again = wav.read_samples(io.BytesIO(data), inspect(data))
    assert again.dtype == np.float32
    assert np.abs(again - sound).max() <= 0.5 / 32768 + 1e-7


def test_what_was_read_is_written_bit_for_bit():
    data = wavs.riff(wavs.form(), wavs.chunk(b"data", np.arange(-32768, 32768, dtype="<i2").tobytes()))
    assert wav.write(wav.read_samples(io.BytesIO(data), inspect(data)), 48_000) == data


def test_sound_over_full_scale_is_clipped_and_never_wraps():
    data = wav.write(np.array([2.0, -2.0, 1.0, -1.0], dtype=np.float32), 48_000)
    assert np.frombuffer(data[44:], "<i2").tolist() == [32767, -32768, 32767, -32768]


def test_a_stream_that_shrinks_after_inspection_is_refused():
    found = inspect(GOOD)
    with pytest.raises(BadTake, match="ends before"):
        wav.read_samples(io.BytesIO(GOOD[:-2]), found)


@pytest.mark.parametrize(
    ("samples", "rate"),
    [(np.zeros((2, 2)), 48_000), (np.array([np.nan]), 48_000), (np.array([np.inf]), 48_000), (np.zeros(4), 1234)],
)
def test_what_could_not_be_read_again_is_not_written(samples, rate):
    with pytest.raises(ValueError, match=r"samples|rate"):
        wav.write(samples.astype(np.float32), rate)


def consistent_or_refused(data):
    stream = CountingStream(data)
    try:
        found = inspect(data, stream=stream)
    except MemoryEngineError:
        assert stream.largest_read <= max(len(data), 44)
        return
    assert stream.largest_read <= len(data)
    assert found.frames * 2 == found.data_bytes
    assert 44 <= found.data_offset <= found.data_offset + found.data_bytes <= len(data)
    assert wav.read_samples(stream, found).shape == (found.frames,)


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_any_mutation_or_cut_of_a_take_is_consistent_or_refused(draw):
    data = bytearray(GOOD)
    for _ in range(draw.draw(st.integers(0, 4))):
        # Most of what can go wrong goes wrong in the header.
        at = draw.draw(st.one_of(st.integers(0, 43), st.integers(0, len(data) - 1)))
        data[at] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))
    consistent_or_refused(bytes(data[:cut]))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"fmt ", b"data", b"JUNK", b"LIST", b"\0\0\0\0"]),
            st.one_of(st.binary(max_size=64), st.just(GOOD[20:36])),
            st.one_of(st.none(), st.integers(0, 2**32 - 1), st.integers(0, 80)),
        ),
        max_size=6,
    ),
    st.one_of(st.none(), st.integers(0, 2**32 - 1)),
)
@settings(max_examples=400, deadline=None)
def test_any_row_of_chunks_is_consistent_or_refused(chunks, claims):
    rows = [wavs.chunk(name, body, claims=claimed) for name, body, claimed in chunks]
    consistent_or_refused(wavs.riff(*rows, claims=claims))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_at_all_are_consistent_or_refused(data):
    consistent_or_refused(data)
