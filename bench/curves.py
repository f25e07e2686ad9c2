"""Growth curves as SVG, drawn in a browser by the charting library that the steward's bench brings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import launch

PLOTLY = Path(__file__).parents[1] / "assets" / "vendor" / "plotly-basic.min.js"
BEFORE = {
    "pool next, any": {10: 14, 1_000: 17, 10_000: 51, 100_000: 252},
    "intake": {10: 17, 1_000: 51, 10_000: 290, 100_000: 2_497},
    "revoke": {10: 13, 1_000: 52, 10_000: 302, 100_000: 3_436},
    "node status": {10: 18, 1_000: 294, 10_000: 2_352, 100_000: 21_729},
    "heard": {10: 9, 1_000: 9, 10_000: 9, 100_000: 9},
}
"""Medians in ms of the system this one succeeds, at so many artifacts; two cores, PostgreSQL, Redis, files."""

COLOURS = {"embedded": "#7a4a1e", "stack": "#1e5a7a", "before": "#8a8a8a"}
WIDTH, HEIGHT = 720, 420
Figure = dict[str, Any]


def curve(kind: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """The median of one kind of request by the archive's size, on both engines and, where it is known, before."""
    lines = {
        engine: [(row["size"], row["times"][kind]["median_ms"]) for row in found if kind in row["times"]]
        for engine, found in rows.items()
    }
    if kind in BEFORE:
        lines["before"] = list(BEFORE[kind].items())
    axis = {"type": "log", "dtick": 1, "showline": True, "gridcolor": "#e4e0da"}
    return {
        "data": [_line(name, points) for name, points in lines.items()],
        "layout": {
            "title": {"text": kind},
            "xaxis": {**axis, "title": {"text": "takes in the archive"}},
            "yaxis": {**axis, "title": {"text": "ms, median"}},
            "legend": {"x": 0.02, "y": 0.98},
        },
    }


def _line(name: str, points: Sequence[tuple[int, float]]) -> dict[str, Any]:
    return {
        "x": [size for size, _ in points],
        "y": [ms for _, ms in points],
        "name": name,
        "mode": "lines+markers",
        "line": {"color": COLOURS[name], "dash": "dot" if name == "before" else "solid"},
    }


def draw(figures: Mapping[Path, Figure]) -> None:
    """Write each figure to its file."""
    options = {"format": "svg", "width": WIDTH, "height": HEIGHT, "imageDataOnly": True}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.set_content("<p>curves</p>")
        page.add_script_tag(content=PLOTLY.read_text("utf-8"))
        for file, figure in figures.items():
            svg: str = page.evaluate(
                "async ([figure, options]) => decodeURIComponent(await Plotly.toImage(figure, options))",
                [figure, options],
            )
            file.write_text(svg.rstrip() + "\n", encoding="utf-8")
        browser.close()
