"""The steward's pages as elements. The server pushes `view`; what is done goes over HTTP with the session's cookie."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from memory_ui.theme import ASSETS

JS = ASSETS / "js"

SHARED = (
    "audio/context.js",
    "audio/figures.js",
    "audio/test_tone.js",
    "ledger.js",
    "ledger_parts.js",
    "ledger_remedies.js",
    "link.js",
    "scope.js",
    "steward_client.js",
)


BENCH = (
    "audio/monitor.js",
    "bench_monitor.js",
    "bench_prompts.js",
    "bench_takes.js",
    "bench_why.js",
    "bench_why_parts.js",
    "ledger_field.js",
    "plots.js",
    "trace.js",
)


DAY = ("care.js", "ledger_care.js", "ledger_sensor.js")


class _Pushed(ui.element):
    """An element with a view; None takes everything away, for a session that has ended."""

    def show(self, view: Mapping[str, Any] | None) -> None:
        """Push a view."""
        self._props["view"] = dict(view) if view is not None else None
        self.update()


class Ops(_Pushed, component=JS / "components" / "ops.js", dependencies=[JS / module for module in (*SHARED, *DAY)]):
    """The day's page."""

    def __init__(
        self,
        *,
        copy: Mapping[str, str],
        times: Mapping[str, str],
        node: Mapping[str, str],
        surfaces: Sequence[Mapping[str, str]],
        choices: Mapping[str, Any],
        figures: Mapping[str, Any],
        view: Mapping[str, Any],
    ) -> None:
        """Build the page.

        `copy` and `times` are sections of the copy; `surfaces` are `{name, path, url, qr}` with the code as SVG;
        `choices` names what the session's controls may be set to; `figures` holds `context` and `tone` (audio.toml,
        `tone` is its [monitor]) and `answer_timeout_ms`.
        """
        super().__init__()
        self._props["copy"] = dict(copy)
        self._props["times"] = dict(times)
        self._props["node"] = dict(node)
        self._props["surfaces"] = [dict(surface) for surface in surfaces]
        self._props["choices"] = dict(choices)
        self._props["figures"] = dict(figures)
        self._props["view"] = dict(view)


class Bench(
    _Pushed,
    component=JS / "components" / "bench.js",
    dependencies=[JS / module for module in (*SHARED, *BENCH)],
):
    """Everything else."""

    def __init__(
        self,
        *,
        copy: Mapping[str, str],
        ops: Mapping[str, str],
        times: Mapping[str, str],
        node: Mapping[str, str],
        choices: Mapping[str, Any],
        figures: Mapping[str, Any],
        plotly_url: str,
        view: Mapping[str, Any],
    ) -> None:
        """Build the page as `Ops` is; `ops` is what both say, `figures` holds `trace` and `charts_every_ms` too."""
        super().__init__()
        self._props["copy"] = dict(copy)
        self._props["ops"] = dict(ops)
        self._props["times"] = dict(times)
        self._props["node"] = dict(node)
        self._props["choices"] = dict(choices)
        self._props["figures"] = dict(figures)
        self._props["plotly_url"] = plotly_url
        self._props["view"] = dict(view)
