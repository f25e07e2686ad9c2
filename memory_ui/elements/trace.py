"""A trace as an element: the line that is drawn from a voice, wherever a page wants one."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from memory_ui.theme import ASSETS

JS = ASSETS / "js"


class Trace(ui.element, component=JS / "components" / "voice_line.js", dependencies=[JS / "trace.js"]):
    """One line. It fills its element, whose size is the page's to say."""

    def __init__(self, *, figures: Mapping[str, Any], seed: str, label: str) -> None:
        """A line at rest: `figures` of trace.toml, `seed` for its own irregularity, `label` to be read aloud."""
        super().__init__()
        self._props["figures"] = dict(figures)
        self._props["seed"] = seed
        self._props["label"] = label

    def show(self, points: Sequence[tuple[float, float]], *, wear: float = 0.0) -> None:
        """Draw a voice from its outline (`core.audio.outline`), worn by 0..1; without points, the line at rest."""
        self._props["points"] = [list(point) for point in points]
        self._props["wear"] = wear
        self.update()
