"""Sounds with the shape of speech: syllables, breath, pauses and a melody, but no words and nobody's voice.

Source and filter (Fant, "Acoustic Theory of Speech Production", 1960): glottal pulses after Rosenberg ("Effect of
glottal pulse shape on the quality of natural vowels", 1971) with a wandering pitch, mixed with breath, through four
moving resonances in a row (Klatt, "Software for a cascade/parallel formant synthesizer", 1980). The filter works on
half-overlapping frames, each under the resonances of its middle, so that they may glide freely.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Range = tuple[float, float]

HOP = 256
FRAME = 2 * HOP
# Room for resonances to ring out within the transform instead of wrapping round to its start.
FFT_SIZE = 4 * FRAME
# Envelopes and pitch are drawn this many samples apart and joined by straight lines.
CONTROL_STEP = 32
RESONANCES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceFigures:
    """What all these voices have in common: `[voice]` of `assets/catalogs/demo.toml`. Levels are linear."""

    sample_rate_hz: int
    vowels_hz: tuple[tuple[float, ...], ...]
    bandwidths_hz: tuple[float, ...]
    closing: float
    glide_s: float
    opening_share: float
    closure_share: float
    drift_semitones: float
    drift_s: float
    accent_semitones: float
    fall_semitones: float
    flutter_semitones: float
    syllable_stretch: Range
    stress: Range
    valley: float
    attack_share: float
    phrase_s: Range
    pause_s: Range
    edge_s: float
    breath_level: float
    sigh_s: float
    sigh_level: float
    hush_level: float
    rms: float
    ceiling: float

    def __post_init__(self) -> None:
        if len(self.vowels_hz) < 2 or any(len(row) != RESONANCES for row in (*self.vowels_hz, self.bandwidths_hz)):
            raise ValueError(f"two or more vowels, and the bandwidths, need {RESONANCES} resonances each")
        if not 0 < self.opening_share + self.closure_share < 1:
            raise ValueError("opening_share and closure_share must leave the glottis closed for a while")


@dataclass(frozen=True, kw_only=True, slots=True)
class Speaker:
    """One of them. `throat` is its length against a middle one, `breath` 0 (none) to 1 (whispering)."""

    f0_hz: float
    throat: float
    syllables_per_s: float
    breath: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Syllable:
    start_s: float
    end_s: float
    vowel: int
    stress: float
    semitones: float
    first: bool


def voicelike(speaker: Speaker, duration_s: float, figures: VoiceFigures, rng: np.random.Generator) -> Samples:
    """`duration_s` of murmuring at `figures.sample_rate_hz`, the same for the same `rng` state.

    Float32 of shape (frames,), quiet at both ends, `figures.rms` over what is not pause, never beyond
    `figures.ceiling`.

    Raises:
        ValueError: too short for two syllables of this speaker between quiet edges.
    """
    frames = round(duration_s * figures.sample_rate_hz)
    score = _score(speaker, duration_s, figures, rng)
    if not score:
        raise ValueError(f"{duration_s:g} s are too short for {speaker.syllables_per_s:g} syllables a second")
    # One step beyond the end, so that joining never has to guess.
    times_s = np.arange(frames // CONTROL_STEP + 2) * CONTROL_STEP / figures.sample_rate_hz
    loud = _loudness(score, times_s, figures)
    pitch_hz = speaker.f0_hz * 2 ** (_melody(score, times_s, figures, rng) / 12)
    pulses = _pulses(_joined(pitch_hz, frames), figures)
    air = rng.standard_normal(frames)
    loudness = _joined(loud, frames)
    sighs = _joined(_sighs(score, times_s, figures), frames)
    breath = speaker.breath * figures.breath_level
    excitation = loudness * ((1 - breath) * pulses + breath * air * (0.4 + 0.6 * (pulses > 0)))
    excitation += air * (figures.sigh_level * sighs + figures.hush_level)
    return _levelled(_resonated(excitation, _resonances(score, speaker, frames, figures), figures), figures)


def _score(speaker: Speaker, duration_s: float, figures: VoiceFigures, rng: np.random.Generator) -> list[_Syllable]:
    """Syllables in order, in phrases with pauses between them, all of them whole."""
    syllables: list[_Syllable] = []
    end_s = duration_s - figures.edge_s
    at_s = figures.edge_s
    vowel = 0
    # A phrase that is barely begun would sound cut off.
    while end_s - at_s > 2 / speaker.syllables_per_s:
        phrase_s = min(rng.uniform(*figures.phrase_s), end_s - at_s)
        count = max(2, round(phrase_s * speaker.syllables_per_s))
        lengths_s = rng.uniform(*figures.syllable_stretch, count)
        edges_s = at_s + phrase_s * np.concatenate(([0.0], np.cumsum(lengths_s))) / lengths_s.sum()
        for number in range(count):
            step = int(rng.integers(1, len(figures.vowels_hz)))
            vowel = (vowel + step) % len(figures.vowels_hz)
            fall = figures.fall_semitones * (0.5 - number / (count - 1))
            syllables.append(
                _Syllable(
                    start_s=float(edges_s[number]),
                    end_s=float(edges_s[number + 1]),
                    vowel=vowel,
                    stress=float(rng.uniform(*figures.stress)),
                    semitones=fall + float(rng.normal(0, figures.accent_semitones)),
                    first=number == 0,
                )
            )
        at_s += phrase_s + rng.uniform(*figures.pause_s)
    return syllables


def _loudness(score: list[_Syllable], times_s: Floats, figures: VoiceFigures) -> Floats:
    """Level at `times_s`: a hill for each syllable, low ground between them, nothing in pauses."""
    loud = np.zeros_like(times_s)
    for number, syllable in enumerate(score):
        last = number + 1 == len(score) or score[number + 1].first
        inside = (times_s >= syllable.start_s) & (times_s < syllable.end_s)
        share = (times_s[inside] - syllable.start_s) / (syllable.end_s - syllable.start_s)
        rise = np.minimum(share / figures.attack_share, 1)
        fall = np.minimum((1 - share) / (1 - figures.attack_share), 1)
        hill = syllable.stress * (0.5 - 0.5 * np.cos(np.pi * np.minimum(rise, fall)))
        ground_before = 0.0 if syllable.first else figures.valley
        ground_after = 0.0 if last else figures.valley
        ground = np.where(share < figures.attack_share, ground_before, ground_after)
        loud[inside] = np.maximum(hill, ground)
    return _smooth(loud, figures.glide_s / 2, figures)


def _melody(score: list[_Syllable], times_s: Floats, figures: VoiceFigures, rng: np.random.Generator) -> Floats:
    """Semitones away from the speaker's own pitch at `times_s`."""
    middles_s = [(syllable.start_s + syllable.end_s) / 2 for syllable in score]
    spoken = np.interp(times_s, middles_s, [syllable.semitones for syllable in score])
    marks_s = np.arange(0, times_s[-1] + 2 * figures.drift_s, figures.drift_s)
    drift = np.interp(times_s, marks_s, rng.normal(0, figures.drift_semitones, marks_s.size))
    flutter = _smooth(rng.standard_normal(times_s.size), figures.glide_s / 4, figures)
    flutter *= figures.flutter_semitones / max(float(flutter.std()), 1e-9)
    return _smooth(spoken + drift, figures.glide_s, figures) + flutter


def _sighs(score: list[_Syllable], times_s: Floats, figures: VoiceFigures) -> Floats:
    """Breath taken before each phrase, 0..1."""
    sighs = np.zeros_like(times_s)
    for syllable in score:
        if syllable.first:
            share = np.clip((times_s - syllable.start_s) / figures.sigh_s + 1, 0, 1)
            sighs = np.maximum(sighs, np.sin(np.pi * share) ** 2)
    return sighs


def _pulses(pitch_hz: Floats, figures: VoiceFigures) -> Floats:
    """The glottal flow's slope under that pitch, one value a sample, RMS 1."""
    phase = np.cumsum(pitch_hz) / figures.sample_rate_hz % 1.0
    opening, closure = figures.opening_share, figures.closure_share
    rising = 0.5 * (1 - np.cos(np.pi * phase / opening))
    falling = np.cos(np.pi / 2 * np.clip((phase - opening) / closure, 0, 1))
    flow = np.where(phase < opening, rising, falling)
    # Lips radiate the slope of the flow; differencing the continuous flow aliases far less than its drawn slope.
    slope = np.diff(flow, prepend=flow[:1])
    level = float(np.sqrt(np.mean(slope**2)))
    return slope / level


def _resonances(score: list[_Syllable], speaker: Speaker, frames: int, figures: VoiceFigures) -> Floats:
    """Resonances in Hz at the middle of each frame, shape (frames of the filter, 4)."""
    times_s: list[float] = []
    marks_hz: list[Floats] = []
    for syllable in score:
        target_hz = np.array(figures.vowels_hz[syllable.vowel]) / speaker.throat
        closed_hz = target_hz * np.array([figures.closing, 1.0, 1.0, 1.0])
        length_s = syllable.end_s - syllable.start_s
        times_s += [syllable.start_s, syllable.start_s + 0.3 * length_s, syllable.start_s + 0.75 * length_s]
        marks_hz += [closed_hz, target_hz, target_hz]
    count = -(-frames // HOP) + 1
    middles_s = np.arange(count) * HOP / figures.sample_rate_hz
    marks = np.array(marks_hz)
    return np.stack([np.interp(middles_s, times_s, marks[:, number]) for number in range(RESONANCES)], axis=1)


def _resonated(excitation: Floats, resonances_hz: Floats, figures: VoiceFigures) -> Floats:
    """`excitation` through the moving resonances, as long as it was."""
    count = len(resonances_hz)
    padded = np.zeros((count + 1) * HOP)
    padded[HOP : HOP + excitation.size] = excitation
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    framed = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] * window
    spectra = np.fft.rfft(framed.astype(np.float32), FFT_SIZE, axis=1).astype(np.complex64)
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(FFT_SIZE)).astype(np.complex64)
    for number, width_hz in enumerate(figures.bandwidths_hz):
        radius = np.exp(-np.pi * width_hz / figures.sample_rate_hz)
        angle = 2 * np.pi * resonances_hz[:, number, None] / figures.sample_rate_hz
        turn = (2 * radius * np.cos(angle)).astype(np.float32)
        damp = np.float32(radius**2)
        # Unit gain at 0 Hz, as in Klatt's resonator.
        spectra *= (1 - turn + damp) / (1 - turn * delay + damp * delay**2)
    rung = np.fft.irfft(spectra, FFT_SIZE, axis=1)
    blocks = np.zeros((count + FFT_SIZE // HOP, HOP))
    for block in range(FFT_SIZE // HOP):
        blocks[block : block + count] += rung[:, block * HOP : (block + 1) * HOP]
    return blocks.reshape(-1)[HOP : HOP + excitation.size]


def _levelled(sound: Floats, figures: VoiceFigures) -> Samples:
    """`sound` at the common level, faded in and out within the quiet edges."""
    fade = np.minimum(1, np.arange(sound.size) / (figures.edge_s * figures.sample_rate_hz / 2))
    faded = sound * fade * fade[::-1]
    power = _smooth(faded[::CONTROL_STEP] ** 2, 0.05, figures)
    # What lies 30 dB below the loudest moment is pause, and says nothing of how loud the rest is.
    sounding = power[power > power.max() * 1e-3]
    gain = min(figures.rms / float(np.sqrt(sounding.mean())), figures.ceiling / float(np.abs(faded).max()))
    return (faded * gain).astype(np.float32)


def _smooth(values: Floats, width_s: float, figures: VoiceFigures) -> Floats:
    """A Hann-weighted mean over `width_s`, for values `CONTROL_STEP` samples apart."""
    taps = max(1, round(width_s * figures.sample_rate_hz / CONTROL_STEP)) + 2
    kernel = np.hanning(taps)
    held = np.pad(values, (taps // 2, taps - 1 - taps // 2), mode="edge")
    return np.convolve(held, kernel / kernel.sum(), mode="valid")


def _joined(values: Floats, frames: int) -> Floats:
    """Values `CONTROL_STEP` samples apart, joined to one a sample."""
    return np.interp(np.arange(frames), np.arange(values.size) * CONTROL_STEP, values)
