from dataclasses import replace

import pytest

from core.adapters.catalogs import load
from core.domain.memory_color import (
    BandState,
    ColorCatalog,
    Compressor,
    Filter,
    FilterKind,
    MemoryColor,
    Space,
    Tint,
    Topology,
    find_color,
)

CATALOG = load("colours", ColorCatalog)
COLOURS = CATALOG.by_code()


def filters(code: str) -> list[tuple[str, float, float | None, float | None]]:
    return [(part.kind.value, part.frequency_hz, part.q, part.gain_db) for part in COLOURS[code].filters]


def test_the_colours_are_offered_in_order() -> None:
    assert list(COLOURS) == ["clear", "warm", "radio", "dream"]


def test_every_topology_has_a_colour() -> None:
    assert {colour.topology for colour in COLOURS.values()} == set(Topology)


def test_clear_is_as_written_down() -> None:
    assert COLOURS["clear"].gain == 0.94
    assert filters("clear") == [
        ("highpass", 72, 0.66, None),
        ("peaking", 2100, 0.8, 1.6),
        ("highshelf", 5600, None, 1.4),
    ]


def test_warm_is_as_written_down() -> None:
    assert COLOURS["warm"].gain == 0.74
    assert filters("warm") == [
        ("lowshelf", 220, None, 4.6),
        ("lowpass", 7600, 0.62, None),
        ("highshelf", 4200, None, -2.8),
    ]
    assert COLOURS["warm"].compressor == Compressor(
        threshold_db=-20, knee_db=18, ratio=2.1, attack_ms=10, release_ms=180
    )


def test_radio_is_as_written_down() -> None:
    assert (COLOURS["radio"].gain, COLOURS["radio"].drive) == (0.20, 6)
    assert filters("radio") == [
        ("highpass", 290, 0.9, None),
        ("lowpass", 3350, 0.92, None),
        ("peaking", 1450, 1.1, 3.4),
    ]


def test_dream_is_as_written_down() -> None:
    assert COLOURS["dream"].gain == 1.31
    assert filters("dream") == [("lowpass", 5200, 0.5, None)]
    assert COLOURS["dream"].space == Space(
        dry=0.82, send=0.38, delay_ms=180, feedback=0.24, impulse_s=1.5, decay=3.2, wet=0.28
    )


def test_a_colour_is_found_by_its_code() -> None:
    assert find_color("radio", CATALOG) is COLOURS["radio"]


def test_no_code_means_dry() -> None:
    assert find_color("", CATALOG) is None


def test_an_unknown_code_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'Clear'; known are clear, warm, radio, dream"):
        find_color("Clear", CATALOG)


@pytest.mark.parametrize("changes", [{"drive": 2.0}, {"topology": Topology.SPACE}])
def test_a_topology_and_its_figures_go_together(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="topology"):
        replace(COLOURS["clear"], **changes)  # type: ignore[arg-type]


def test_a_filter_has_exactly_the_figures_of_its_kind() -> None:
    with pytest.raises(ValueError, match="q is for"):
        Filter(kind=FilterKind.LOWPASS, frequency_hz=100)
    with pytest.raises(ValueError, match="gain_db is for"):
        Filter(kind=FilterKind.LOWPASS, frequency_hz=100, q=1, gain_db=3)


@pytest.mark.parametrize("stated", [{"low_hz": 200, "high_hz": 100, "at_most_db": 1}, {"low_hz": 100, "high_hz": 200}])
def test_a_band_runs_upwards_and_states_something(stated: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a band"):
        BandState(**stated)


def test_a_colour_states_what_it_does() -> None:
    with pytest.raises(ValueError, match="states"):
        replace(COLOURS["clear"], states=())


@pytest.mark.parametrize(("light", "share"), [("red", 0.5), ("#12345", 0.5), ("#12345G", 0.5), ("#123456", 1.2)])
def test_a_tint_is_a_light_and_a_share(light: str, share: float) -> None:
    with pytest.raises(ValueError, match="rrggbb"):
        Tint(light=light, share=share)


def test_clear_looks_like_the_dry_take_and_the_others_like_themselves() -> None:
    assert COLOURS["clear"].tint is None
    tints = [colour.tint for colour in COLOURS.values() if colour.tint is not None]
    assert len(set(tints)) == len(COLOURS) - 1


@pytest.mark.parametrize("code", ["clear", ""])
def test_a_code_is_used_once_and_never_empty(code: str) -> None:
    extra: MemoryColor = replace(COLOURS["clear"], code=code)
    with pytest.raises(ValueError, match="code"):
        ColorCatalog(colours=(*CATALOG.colours, extra))
