"""The room as one element: sound and wall live in the browser, composition on the server."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from memory_ui.theme import ASSETS

JS = ASSETS / "js"

MODULES = (
    "audio/acks.js",
    "audio/air.js",
    "audio/ambience.js",
    "audio/colours.js",
    "audio/context.js",
    "audio/decoded.js",
    "audio/envelope.js",
    "audio/figures.js",
    "audio/filters.js",
    "audio/noise.js",
    "audio/output.js",
    "audio/plan.js",
    "audio/program.js",
    "audio/run.js",
    "audio/takes.js",
    "audio/tap.js",
    "audio/test_tone.js",
    "audio/tone.js",
    "audio/voice.js",
    "audio/voice_graph.js",
    "audio/wake.js",
    "audio/wav.js",
    "audio/wear_chain.js",
    "audio/wear_worklet.js",
    "device.js",
    "link.js",
    "page_device.js",
    "recent.js",
    "rights.js",
    "scope.js",
    "trace.js",
    "wall.js",
    "wall_drift.js",
    "wall_flag.js",
    "wall_fossil_turns.js",
    "wall_fossils.js",
    "wall_ground.js",
    "wall_parts.js",
    "wall_place.js",
    "wall_words.js",
)
"""Everything the component imports."""


class Player(
    ui.element,
    component=JS / "components" / "player.js",
    dependencies=[JS / module for module in MODULES],
):
    """One listening page.

    It asks with `need` {seq} for the program after `seq` and says with `hello` {recent} what this browser played
    lately. Programs, strata and dropped ids are props with numbers of their own: props coalesce, where queued calls
    would pile up behind a lost connection. It says with `device` how it fares (`memory_ui.devices.Said`).
    """

    def __init__(
        self,
        *,
        words: Mapping[str, Any],
        figures: Mapping[str, Any],
        colours: Sequence[Mapping[str, Any]],
        node: Mapping[str, str],
        posture: Mapping[str, Any],
        autostart: bool,
        recent_most: int,
        page_version: str,
    ) -> None:
        """Build the wall.

        `words` is `{language, direction, copy}`, `copy` the section `room` with `between_sentences`; `figures` holds
        `context`, `program`, `level`, `wear`, `tone`, `monitor` and `wake` (audio.toml), `trace` (trace.toml) and
        `device` (device.toml). `posture` is `{plays, gain, tone: {voice, scale, file_url}, tone_seed, reduced_motion,
        quieter, maintained}`; `page_version` is what the page reports as its own.
        """
        super().__init__()
        self._props["words"] = dict(words)
        self._props["figures"] = dict(figures)
        self._props["colours"] = list(colours)
        self._props["node"] = dict(node)
        self._props["posture"] = dict(posture)
        self._props["autostart"] = autostart
        self._props["recent_most"] = recent_most
        self._props["page_version"] = page_version
        self._props["fossils"] = {"feed_url": ""}
        self._numbers = 0

    @property
    def words(self) -> dict[str, Any]:
        """What it speaks with."""
        words: dict[str, Any] = self._props["words"]
        return words

    def offer(self, program: Mapping[str, Any]) -> None:
        """Hand over the next program."""
        self._set("program", dict(program))

    def lay(self, layers: Sequence[Mapping[str, Any]]) -> None:
        """Replace the strata."""
        self._set("strata", {"layers": list(layers), "number": self._number()})

    def drop(self, ids: Sequence[int]) -> None:
        """Take voices out at once."""
        self._set("dropped", {"ids": list(ids), "number": self._number()})

    def obey(self, posture: Mapping[str, Any]) -> None:
        """Take on a changed posture."""
        self._set("posture", dict(posture))

    def speak(self, words: Mapping[str, Any]) -> None:
        """Go on in another language."""
        self._set("words", dict(words))

    def show_fossils(self, feed_url: str) -> None:
        """Say where pictures of fossils are to be had from now on; "" shows none."""
        self._set("fossils", {"feed_url": feed_url})

    def order(self, command: str, name: str) -> None:
        """Ask for one of `core.domain.device.Command`; `name` is what the page is called."""
        self._set("order", {"number": self._number(), "command": command, "name": name})

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _set(self, name: str, value: Any) -> None:
        self._props[name] = value
        self.update()
