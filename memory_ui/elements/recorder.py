"""The kiosk ritual as one element: microphone, review and sending live in the browser."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from memory_ui.theme import ASSETS

JS = ASSETS / "js"

MODULES = (
    "audio/capture.js",
    "audio/capture_worklet.js",
    "audio/clips.js",
    "audio/colours.js",
    "audio/context.js",
    "audio/decoded.js",
    "audio/envelope.js",
    "audio/fft.js",
    "audio/figures.js",
    "audio/filters.js",
    "audio/listening.js",
    "audio/loudness.js",
    "audio/microphone.js",
    "audio/noise.js",
    "audio/noise_floor.js",
    "audio/outline.js",
    "audio/plan.js",
    "audio/preview.js",
    "audio/takes.js",
    "audio/test_tone.js",
    "audio/voice_graph.js",
    "audio/wav.js",
    "audio/wear_chain.js",
    "client.js",
    "device.js",
    "kiosk_attract.js",
    "kiosk_languages.js",
    "kiosk_line.js",
    "kiosk_markup.js",
    "kiosk_trim.js",
    "link.js",
    "page_device.js",
    "ritual.js",
    "ritual_effects.js",
    "ritual_keys.js",
    "ritual_screen.js",
    "scope.js",
    "take_keeper.js",
    "trace.js",
    "trim.js",
)
"""Everything the component imports, itself included in none of them."""


class Recorder(
    ui.element,
    component=JS / "components" / "recorder.js",
    dependencies=[JS / module for module in MODULES],
):
    """One kiosk screen.

    It works with the server gone until a take is sent, and sends over HTTP, never over the socket. It emits `stage`
    with `{"stage": ...}` whenever the ritual moves on, for information, and says with `device` how it fares
    (`memory_ui.devices.Said`).
    """

    def __init__(
        self,
        *,
        words: Mapping[str, Any],
        languages: Sequence[Mapping[str, str]],
        figures: Mapping[str, Any],
        colours: Sequence[Mapping[str, Any]],
        surface: Mapping[str, Any],
        node: Mapping[str, str],
        fittings: Mapping[str, Any],
        page_version: str,
    ) -> None:
        """Build the screen.

        `words` is the document of `memory_ui.kiosk_words.words_of` the kiosk begins with, `languages` are those it
        offers, and where their documents are (`offered`); `figures` holds `context`, `take`, `monitor`, `level` and
        `wear` (audio.toml), `kiosk` (kiosk.toml), `trace` (trace.toml), `device` (device.toml) and `promise`:
        `room_hours`, `fossil_hours`, `fossil_days`, `backup_days` (0: no backups are kept). `colours` are the entries
        of colours.toml, in the order they are offered. `surface` holds `intake_door` (`core.domain.doors.Door`),
        `kiosk_max_recording_seconds`, `session_theme_title`, `session_theme_prompt`, `kiosk_force_reduced_motion`,
        `kiosk_accessibility_mode`, `kiosk_closed_words`, `ingest_budget`, `language` (BCP 47) to be spoken while nobody
        has chosen one, `topics` to choose from, `prompts`, lists of texts by language, and `prompt_clips`, where a text
        is to be had spoken; `node` holds `name` and `location`. `fittings` are those of this kiosk: `microphone`, a
        part of its name or "" for the browser's choice, `layout` (standing or seated), and whether it `prints` by
        itself.
        `page_version` is what the page reports as its own.
        """
        super().__init__()
        self._props["words"] = dict(words)
        self._props["languages"] = list(languages)
        self._props["figures"] = dict(figures)
        self._props["colours"] = list(colours)
        self._props["surface"] = dict(surface)
        self._props["node"] = dict(node)
        self._props["fittings"] = dict(fittings)
        self._props["page_version"] = page_version
        self._orders = 0

    def order(self, command: str, name: str) -> None:
        """Ask for one of `core.domain.device.Command`; `name` is what the page is called."""
        self._orders += 1
        self._props["order"] = {"number": self._orders, "command": command, "name": name}
        self.update()

    @property
    def surface(self) -> dict[str, Any]:
        """What a steward has set for the kiosk; set it whole."""
        value: dict[str, Any] = self._props["surface"]
        return value

    @surface.setter
    def surface(self, value: Mapping[str, Any]) -> None:
        # What the page has already is not sent again: the whole element would be, on every connection.
        if value != self._props["surface"]:
            self._props["surface"] = dict(value)
            self.update()
