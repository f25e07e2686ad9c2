"""Memory colours: how a participant asks a take to be coloured. The dry take is what is kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

DRY = ""
"""The code of a take without a colour."""


class Topology(StrEnum):
    """The shapes of signal path a colour may have; each has one builder in the browser."""

    FILTERS = "filters"
    COMPRESSED = "compressed"
    DRIVEN = "driven"
    SPACE = "space"


class FilterKind(StrEnum):
    """Web Audio's names of the filters that colours use."""

    LOWPASS = "lowpass"
    HIGHPASS = "highpass"
    PEAKING = "peaking"
    LOWSHELF = "lowshelf"
    HIGHSHELF = "highshelf"


_WITH_Q = frozenset({FilterKind.LOWPASS, FilterKind.HIGHPASS, FilterKind.PEAKING})
_WITH_GAIN = frozenset({FilterKind.PEAKING, FilterKind.LOWSHELF, FilterKind.HIGHSHELF})


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """One filter. `q` is the plain quality factor, not Web Audio's decibels for lowpass and highpass."""

    kind: FilterKind
    frequency_hz: float
    q: float | None = None
    gain_db: float | None = None

    def __post_init__(self) -> None:
        if (self.q is not None) != (self.kind in _WITH_Q):
            raise ValueError(f"q is for {', '.join(sorted(_WITH_Q))}, and needed there")
        if (self.gain_db is not None) != (self.kind in _WITH_GAIN):
            raise ValueError(f"gain_db is for {', '.join(sorted(_WITH_GAIN))}, and needed there")


@dataclass(frozen=True, kw_only=True, slots=True)
class Compressor:
    """After the filters, for the topology `compressed`."""

    threshold_db: float
    knee_db: float
    ratio: float
    attack_ms: float
    release_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """After the filters, for the topology `space`: dry, an echo, and noise as the room's impulse response.

    The impulse is noise under (1 - t / impulse_s) ^ decay, seeded from the decoded take.
    """

    dry: float
    send: float
    delay_ms: float
    feedback: float
    impulse_s: float
    decay: float
    wet: float


@dataclass(frozen=True, kw_only=True, slots=True)
class BandState:
    """What a colour promises of one band of speech: its energy against that of the dry take, in dB."""

    low_hz: float
    high_hz: float
    at_least_db: float | None = None
    at_most_db: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.low_hz < self.high_hz:
            raise ValueError("a band runs from low_hz up to high_hz")
        if self.at_least_db is None and self.at_most_db is None:
            raise ValueError("a band states at_least_db, at_most_db, or both")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tint:
    """How a colour looks: `light` is #rrggbb, and `share` (0..1) how much of it is mixed into a trace's own light."""

    light: str
    share: float

    def __post_init__(self) -> None:
        if not re.fullmatch(r"#[0-9a-f]{6}", self.light) or not 0 <= self.share <= 1:
            raise ValueError("light is #rrggbb and share a share of 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryColor:
    """One colour: filters in order, what the topology adds, the output gain, and what all that does to speech.

    Without a tint it looks like dry.
    """

    code: str
    topology: Topology
    gain: float
    filters: tuple[Filter, ...]
    states: tuple[BandState, ...]
    compressor: Compressor | None = None
    drive: float | None = None
    space: Space | None = None
    tint: Tint | None = None

    def __post_init__(self) -> None:
        parts = {
            Topology.COMPRESSED: self.compressor,
            Topology.DRIVEN: self.drive,
            Topology.SPACE: self.space,
        }
        wrong = [kind for kind, part in parts.items() if (part is not None) != (kind is self.topology)]
        if not self.states:
            raise ValueError("a colour states at least one band that it changes")
        if wrong:
            raise ValueError(f"the topology {self.topology} does not go with what is given for {wrong[0]}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ColorCatalog:
    """`assets/catalogs/colours.toml`, in the order in which colours are offered."""

    colours: tuple[MemoryColor, ...]

    def __post_init__(self) -> None:
        codes = [colour.code for colour in self.colours]
        if len(set(codes)) < len(codes) or DRY in codes:
            raise ValueError("every colour needs a code of its own, and the empty one means dry")

    def by_code(self) -> Mapping[str, MemoryColor]:
        """The colours by their codes."""
        return {colour.code: colour for colour in self.colours}


def find_color(code: str, catalog: ColorCatalog) -> MemoryColor | None:
    """The colour of that code, None for dry (""); ValueError listing the known ones for any other."""
    if code == DRY:
        return None
    known = catalog.by_code()
    if code not in known:
        raise ValueError(f"unknown memory colour {code!r}; known are {', '.join(known)}")
    return known[code]
