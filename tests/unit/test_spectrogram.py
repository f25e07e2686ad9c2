"""Looking by measuring: what is heard when and at which frequency must be where the picture says.

And no more than that: the picture must not give the words back. They are measured as those of the essence are, by
extended STOI, after the picture has been read as levels, spread over the bins again and given phases by Griffin and Lim
("Signal estimation from modified short-time Fourier transform", 1984). That undoes everything but the blur, which one
test undoes first, as Richardson (1972) and Lucy (1974) do, knowing it exactly.

In time the picture is only as good as `blur_s`: a short sound is brightest within half of it, to either side of where
it was, and seen up to twice as far as it.
"""

import dataclasses
import functools
import io
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pystoi import stoi
from scipy import fft

from core.adapters.catalogs import load
from core.audio import spectrogram, wav
from core.audio.essence import DerivativeCatalog
from core.audio.spectrogram import SpectrogramFigures, row_hz, spectrogram_png
from core.audio.wav import read_part
from core.errors import BadTake
from tests import wavs

FIGURES = load("derivatives", DerivativeCatalog).spectrogram
SHARP = dataclasses.replace(FIGURES, blur_s=0.0)


ESPEAK_RATE_HZ = 22_050
ESPEAK_HEADER_BYTES = 44
# Six seconds and twelve.
SPOKEN_HOPS = (110, 220)
SPOKEN = (
    "The harbour was quiet that morning, and my grandmother told me about the boats that never came back. "
    "She said the sea remembers every name, even when nobody speaks it, and then she laughed."
)


def taken(samples: wav.Samples, rate_hz: int = 48_000) -> tuple[io.BytesIO, wav.Wav]:
    data = wav.write(samples, rate_hz)
    stream = io.BytesIO(data)
    return stream, wav.inspect(stream, size_bytes=len(data), max_duration_s=300, max_rate_hz=96_000)


def png(samples: wav.Samples, rate_hz: int = 48_000, figures: SpectrogramFigures = FIGURES) -> bytes:
    return spectrogram_png(*taken(samples, rate_hz), figures)


def picture(
    samples: wav.Samples, rate_hz: int = 48_000, figures: SpectrogramFigures = FIGURES
) -> npt.NDArray[np.uint8]:
    """Shades, 0 for the ground, shape (height, width)."""
    return np.asarray(Image.open(io.BytesIO(png(samples, rate_hz, figures))))


@functools.cache
def spoken(hop: int) -> wav.Samples:
    """Synthetic speech, so long that its columns are `hop` samples apart."""
    ran = subprocess.run(["espeak-ng", "--stdout", "-s", "150", "-v", "en", SPOKEN], capture_output=True, check=True)
    samples = np.frombuffer(ran.stdout[ESPEAK_HEADER_BYTES:], "<i2")[: hop * FIGURES.width_px]
    assert samples.size == hop * FIGURES.width_px
    return samples.astype(np.float32) / np.float32(32768)


def read_power(shades: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Power of every pixel against the loudest, none on the ground."""
    levels_db = (shades / (FIGURES.levels - 1) - 1) * FIGURES.range_db
    return np.where(shades > 0, 10 ** (levels_db / 10), 0)


def heard_from(power: npt.NDArray[np.floating], hop: int) -> npt.NDArray[np.float64]:
    """What a picture of a take from `spoken` shows as sound again: levels, bins, and the phases that fit them best."""
    bands = spectrogram._bands(FIGURES, ESPEAK_RATE_HZ).astype(np.float64)
    bins = np.maximum(np.linalg.pinv(bands).T @ power, 0)
    return griffin_lim(np.sqrt(bins.T).astype(np.float32), hop)


def intelligible(source: wav.Samples, power: npt.NDArray[np.floating], hop: int) -> float:
    return float(stoi(source, heard_from(power, hop), ESPEAK_RATE_HZ, extended=True))


def deblurred(
    power: npt.NDArray[np.floating], blur: npt.NDArray[np.float32], rounds: int = 100
) -> npt.NDArray[np.float32]:
    """What, blurred, is most likely `power`, after Richardson and Lucy."""
    blurred = power.astype(np.float32)
    found, weight = blurred + np.float32(1e-9), blur.sum(axis=1)
    for _ in range(rounds):
        found *= ((blurred / np.maximum(found @ blur, np.float32(1e-12))) @ blur.T) / weight
    return found


def every_column_blurred(width: int, reach: float) -> npt.NDArray[np.float32]:
    """The kernel of the picture as it would be with every column kept."""
    columns = np.arange(width)
    apart = np.minimum(np.abs(columns[:, None] - columns) / reach, 1)
    weights = 0.5 + 0.5 * np.cos(np.pi * apart)
    return (weights / weights.sum(axis=0)).astype(np.float32)


def griffin_lim(magnitudes: npt.NDArray[np.float32], hop: int, rounds: int = 40) -> npt.NDArray[np.float64]:
    """A sound of which windows `hop` apart have about these `magnitudes`, shape (columns, bins)."""
    size = FIGURES.window_samples
    hann = np.hanning(size + 1)[:-1].astype(np.float32)
    starts = np.arange(len(magnitudes)) * hop + hop // 2
    weight = overlapped(np.tile(hann**2, (len(starts), 1)), starts)
    phases = np.exp(2j * np.pi * np.random.default_rng(1).random(magnitudes.shape)).astype(np.complex64)
    for _ in range(rounds):
        sound = overlapped(fft.irfft(magnitudes * phases, size, axis=1) * hann, starts)
        sound /= np.maximum(weight, 1e-3 * weight.max())
        spectrum = fft.rfft(np.lib.stride_tricks.sliding_window_view(sound, size)[starts] * hann, axis=1)
        phases = spectrum / np.maximum(np.abs(spectrum), np.float32(1e-12))
    # The first window is around the middle of the first column.
    return sound[size // 2 :][: hop * len(starts)].astype(np.float64)


def overlapped(windows: npt.NDArray[np.float32], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """The sum of `windows` where they start, with half a window before the first column and after the last."""
    added = np.zeros(starts[-1] + starts[0] + windows.shape[1] + 1, np.float32)
    for window, start in zip(windows, starts, strict=True):
        added[start : start + window.size] += window
    return added


def ridge_hz(shades: npt.NDArray[np.uint8], rate_hz: int) -> npt.NDArray[np.float64]:
    """Frequency of the brightest rows of every column, in the middle of them where several are."""
    middles = np.log(row_hz(FIGURES, rate_hz))
    return np.array([np.exp(middles[column == column.max()].mean()) for column in shades.T])


def swept(duration_s: float, from_hz: float, to_hz: float, rate_hz: int) -> wav.Samples:
    """A sine whose frequency rises exponentially."""
    share = np.arange(round(duration_s * rate_hz)) / (duration_s * rate_hz)
    ratio = np.log(to_hz / from_hz)
    return (0.5 * np.sin(2 * np.pi * from_hz * duration_s / ratio * np.expm1(share * ratio))).astype(np.float32)


# A sweep of two seconds passes through octaves within the blur, which then leans to where it dwells.
@pytest.mark.parametrize(("duration_s", "figures"), [(2.0, SHARP), (20.0, SHARP), (20.0, FIGURES)])
@pytest.mark.parametrize(("rate_hz", "to_hz"), [(8000, 3500), (16_000, 7000), (48_000, 18_000), (96_000, 18_000)])
def test_a_swept_sine_lies_where_it_should(
    duration_s: float, figures: SpectrogramFigures, rate_hz: int, to_hz: float
) -> None:
    from_hz = 200.0
    found = ridge_hz(picture(swept(duration_s, from_hz, to_hz, rate_hz), rate_hz, figures), rate_hz)
    share = (np.arange(FIGURES.width_px) + 0.5) / FIGURES.width_px
    expected = from_hz * (to_hz / from_hz) ** share
    # A bin, or five hundredths where bins are narrower; the first and last windows reach beyond the sound.
    within = np.maximum(rate_hz / FIGURES.window_samples, 0.05 * expected)
    edge = FIGURES.width_px // 50
    assert (np.abs(found - expected) <= within)[edge:-edge].all()


def test_a_sweep_that_rises_exponentially_is_a_straight_line() -> None:
    shades = picture(swept(10, 400, 16_000, 48_000))
    rows = np.array([np.flatnonzero(column == column.max()).mean() for column in shades.T])[30:-30]
    columns = np.arange(rows.size)
    slope, offset = np.polyfit(columns, rows, 1)
    assert slope < 0
    assert np.abs(rows - (slope * columns + offset)).max() < 0.02 * FIGURES.height_px


def test_rows_reach_from_the_lowest_frequency_to_the_highest_evenly_in_octaves() -> None:
    middles = row_hz(FIGURES, 48_000)
    assert middles[0] == pytest.approx(FIGURES.highest_hz, rel=0.01)
    assert middles[-1] == pytest.approx(FIGURES.lowest_hz, rel=0.01)
    assert np.ptp(np.diff(np.log(middles))) < 1e-9


def test_rows_of_a_slow_take_end_at_half_its_rate() -> None:
    assert row_hz(FIGURES, 8000)[0] == pytest.approx(4000, rel=0.01)


@pytest.mark.parametrize("at_s", [0.0, 17.3, 100.1, 150.0, 299.97])
def test_a_short_tone_anywhere_in_five_minutes_is_seen_where_it_is(at_s: float) -> None:
    samples = np.zeros(300 * 48_000, np.float32)
    tone = wavs.sine(0.03, frequency_hz=3000)
    start = round(at_s * 48_000)
    samples[start : start + tone.size] = tone[: samples.size - start]
    shades = picture(samples)
    seen = np.flatnonzero(shades.max(axis=0) > FIGURES.levels // 3)
    assert np.ptp(seen) == seen.size - 1
    # A column is 0.25 s of a take so long; the tone itself may be in two of them.
    blur = FIGURES.blur_s / 300 * FIGURES.width_px
    off = np.array([seen[0], shades.max(axis=0).argmax(), seen[-1]]) + 0.5 - at_s / 300 * FIGURES.width_px
    assert np.abs(off[1]) <= blur / 2 + 1
    assert np.abs(off).max() <= 2 * blur + 1
    assert seen.size <= 5
    assert ridge_hz(shades, 48_000)[seen[-1]] == pytest.approx(3000, rel=0.05)


@pytest.mark.parametrize("rate_hz", [48_000, 96_000])
def test_windows_leave_no_sample_of_the_longest_take_out(rate_hz: int) -> None:
    frames = min(300 * rate_hz, wavs.UPLOAD_LIMIT_BYTES // 2)
    assert frames / (FIGURES.width_px * FIGURES.most_windows_per_column) < FIGURES.window_samples


@pytest.mark.parametrize("duration_s", [0.2, 3.0, 60.0])
def test_the_ends_of_a_take_are_the_ends_of_its_picture(duration_s: float) -> None:
    shades = picture(wavs.sine(duration_s, frequency_hz=1000))
    assert (shades.max(axis=0) > FIGURES.levels // 2).all()


@pytest.mark.parametrize("duration_s", [0.2, 3.0, 60.0])
def test_a_steady_sound_is_as_bright_at_the_ends_as_in_the_middle(duration_s: float) -> None:
    brightest = picture(wavs.sine(duration_s, frequency_hz=1000)).max(axis=0)
    assert brightest.min() >= FIGURES.levels - 1 - 1


@pytest.mark.parametrize("at_s", [0.0, 1.1, 2.2, 3.0, 5.97])
def test_a_short_tone_reaches_as_far_as_the_blur_and_no_further_than_twice(at_s: float) -> None:
    samples = np.zeros(6 * 48_000, np.float32)
    start = round(at_s * 48_000)
    samples[start : start + 1440] = wavs.sine(0.03, frequency_hz=3000)
    columns = picture(samples).max(axis=0)
    middles_s = (np.arange(FIGURES.width_px) + 0.5) * 6 / FIGURES.width_px
    # The tone lasts 0.03 s, a window 0.02 s. Columns kept within the blur show it, and lines reach as far again.
    first_s, last_s = middles_s[columns > 0][[0, -1]]
    assert max(at_s - 2 * FIGURES.blur_s, 0) - 0.03 <= first_s <= max(at_s - FIGURES.blur_s, 0) + 0.03
    assert min(at_s + FIGURES.blur_s, 6) - 0.03 <= last_s <= min(at_s + 0.03 + 2 * FIGURES.blur_s, 6) + 0.03
    # Held to the ends beyond the outermost column kept: the nearest of the brightest counts.
    brightest_s = middles_s[columns == columns.max()]
    assert np.abs(brightest_s - (at_s + 0.015)).min() <= FIGURES.blur_s / 2 + 0.03


@pytest.mark.parametrize(
    ("width", "reach", "kept"),
    [(1200, 80.0, 15), (1200, 1.6, 750), (1200, 400.0, 3), (1200, 2400.0, 1), (4, 1.6, 2), (2, 1.01, 1), (1, 5.0, 1)],
)
def test_no_more_than_a_column_in_a_blur_is_kept(width: int, reach: float, kept: int) -> None:
    blur = spectrogram._blur(width, reach).astype(np.float64)
    assert blur.min() >= 0
    assert blur.sum(axis=0) == pytest.approx(np.ones(width), abs=1e-5)
    assert np.linalg.matrix_rank(blur, 1e-4) == kept


def test_columns_longer_than_the_blur_are_left_as_they_are() -> None:
    few = {"width_px": 4, "height_px": 360}
    samples = wavs.noise(1.0) * np.linspace(0, 1, 48_000, dtype=np.float32)
    for duration_s, same in ((1.0, False), (2.0, True)):
        long = np.tile(samples, int(duration_s))
        blurred, sharp = (png(long, figures=dataclasses.replace(one, **few)) for one in (FIGURES, SHARP))
        assert (blurred == sharp) == same


def test_silence_is_the_bare_ground() -> None:
    assert not picture(np.zeros(48_000, np.float32)).any()


def test_a_constant_offset_is_no_sound() -> None:
    assert not picture(np.full(48_000, 0.4, np.float32)).any()


@pytest.mark.parametrize("frames", [1, 2, 511, 1023, 1025])
def test_a_take_of_a_few_samples_has_a_picture(frames: int) -> None:
    assert picture(wavs.noise(1)[:frames]).shape == (FIGURES.height_px, FIGURES.width_px)


def test_what_is_barely_there_is_not_brightened_as_if_it_were_loud() -> None:
    step = np.float32(1 / 32768)
    faint = np.where(wavs.noise(2.0) > 0, step, np.float32(0))
    assert picture(faint).max() < picture(wavs.noise(2.0)).max() * 0.6


def test_loudness_as_such_does_not_change_the_picture() -> None:
    samples = wavs.sine(1.0, peak=0.8) + wavs.noise(1.0, peak=0.1)
    loud, half = picture(samples).astype(int), picture(samples / 2).astype(int)
    assert np.abs(loud - half).max() <= 1


@pytest.mark.parametrize("hop", SPOKEN_HOPS)
def test_speech_does_not_come_back_from_its_picture(hop: int) -> None:
    source = spoken(hop)
    assert intelligible(source, read_power(picture(source, ESPEAK_RATE_HZ)), hop) < 0.25


@pytest.mark.parametrize("hop", SPOKEN_HOPS)
def test_speech_would_come_back_from_a_picture_without_the_blur(hop: int) -> None:
    source = spoken(hop)
    assert intelligible(source, read_power(picture(source, ESPEAK_RATE_HZ, SHARP)), hop) > 0.6


def test_undoing_the_blur_does_not_bring_speech_back() -> None:
    hop = SPOKEN_HOPS[0]
    source = spoken(hop)
    blur = spectrogram._blur(FIGURES.width_px, FIGURES.blur_s * ESPEAK_RATE_HZ / hop)
    shown = read_power(picture(source, ESPEAK_RATE_HZ))
    assert intelligible(source, deblurred(shown, blur), hop) < 0.25


def test_undoing_the_blur_would_bring_more_back_were_every_column_kept() -> None:
    hop = SPOKEN_HOPS[0]
    source = spoken(hop)
    blur = every_column_blurred(FIGURES.width_px, FIGURES.blur_s * ESPEAK_RATE_HZ / hop)
    sharp_db = spectrogram._levels_db(*taken(source, ESPEAK_RATE_HZ), SHARP)
    shown = read_power(spectrogram._shades(10 * np.log10(10 ** (sharp_db / 10) @ blur), FIGURES))
    assert intelligible(source, deblurred(shown, blur), hop) > 0.25


def test_the_png_is_of_the_stated_size_and_has_a_palette() -> None:
    with Image.open(io.BytesIO(png(wavs.noise(1.0)))) as image:
        image.load()
        assert (image.format, image.mode) == ("PNG", "P")
        assert image.size == (FIGURES.width_px, FIGURES.height_px)
        assert np.asarray(image).max() == FIGURES.levels - 1


def test_the_palette_goes_from_the_ground_to_the_brightest_ink() -> None:
    with Image.open(io.BytesIO(png(wavs.noise(1.0)))) as image:
        colours = np.array(image.getpalette()).reshape(-1, 3)[: FIGURES.levels]
    assert "#" + bytes(colours[0].tolist()).hex() == FIGURES.ink[0]
    assert "#" + bytes(colours[-1].tolist()).hex() == FIGURES.ink[-1]
    assert (np.diff(colours @ (0.2126, 0.7152, 0.0722)) > 0).all()


def test_the_png_says_nothing_but_the_picture() -> None:
    data = png(wavs.noise(1.0))
    names, at = set(), 8
    while at < len(data):
        names.add(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4])
    assert names == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def test_the_same_take_has_the_same_picture() -> None:
    samples = wavs.noise(2.0)
    assert png(samples) == png(samples)


def test_a_part_is_held_within_the_take() -> None:
    samples = wavs.noise(0.01)
    stream, inspected = taken(samples)
    assert read_part(stream, inspected, -5, 10).size == 10
    assert read_part(stream, inspected, samples.size - 3, samples.size + 9).size == 3


def test_a_take_that_is_cut_off_while_it_is_read_is_refused() -> None:
    stream, inspected = taken(wavs.noise(1.0))
    stream.truncate(20_000)
    with pytest.raises(BadTake):
        spectrogram_png(stream, inspected, FIGURES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"width_px": 0},
        {"range_db": 0.0},
        {"blur_s": -0.1},
        {"blur_s": float("nan")},
        {"lowest_hz": 0.0},
        {"highest_hz": 50.0},
        {"levels": 257},
        {"ink": ("#100e0c",)},
        {"ink": ("#100e0c", "white")},
    ],
)
def test_figures_that_make_no_picture_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"pixels|blur|hz|levels|ink"):
        SpectrogramFigures(**{**dataclasses.asdict(FIGURES), **wrong})


def test_who_only_reads_the_figures_loads_nothing_heavy() -> None:
    code = (
        "import sys, core.audio.essence, core.audio.loudness;"
        "print(*sorted({'scipy.signal', 'scipy.fft', 'PIL', 'pyloudnorm'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
