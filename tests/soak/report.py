"""Whether what was counted grows, and the page that says so."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

Rows = Sequence[Mapping[str, Any]]

ALLOWED = {"heap_mb": 1.5, "audio_nodes": 40, "audio_buffers": 6, "dom_nodes": 150, "listeners": 25, "server_mb": 12}
"""By how much the last quarter's median may lie above that of the second, in the unit of each: what sounds differs."""


def growth(rows: Rows) -> dict[str, dict[str, float]]:
    """For everything counted: the medians of the second and of the last quarter, and the most ever."""
    quarter = max(1, len(rows) // 4)
    second, last = rows[quarter : 2 * quarter] or rows, rows[-quarter:]
    return {
        name: {
            "second_quarter": round(median(row[name] for row in second), 2),
            "last_quarter": round(median(row[name] for row in last), 2),
            "most": max(row[name] for row in rows),
        }
        for name in ALLOWED
        if name in rows[0]
    }


def complaints(rows: Rows) -> list[str]:
    """What grew, and what went wrong unseen; empty where nothing did."""
    grown = [
        f"{name} grew from {found['second_quarter']:g} to {found['last_quarter']:g}"
        for name, found in growth(rows).items()
        if found["last_quarter"] - found["second_quarter"] > ALLOWED[name]
    ]
    return grown + [f"{rows[-1][name]} {name}" for name in ("rejections", "errors") if rows[-1][name]]


def machine() -> dict[str, Any]:
    """What it ran on."""
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    versions = {name: version(name) for name in ("nicegui", "playwright")}
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory_gb),
        "python": platform.python_version(),
        "versions": versions,
    }


def write(folder: Path, command: str, found: Mapping[str, Any]) -> None:
    """`soak.md` and `soak.json` in `folder`. `found` has `chromium`, and rows of `room` and `player`, if they ran."""
    told = {"command": command, "machine": machine(), **found}
    (folder / "soak.json").write_text(json.dumps(told, indent=1) + "\n")
    (folder / "soak.md").write_text(_page(command, found))


def _page(command: str, found: Mapping[str, Any]) -> str:
    told = machine()
    parts = [
        "# Evidence: the room for hours\n",
        f"A machine with {told['cores']} cores and {told['memory_gb']} GB of memory, Chromium {found['chromium']}, "
        f"Python {told['python']}, NiceGUI {told['versions']['nicegui']}. Every sample lies in [soak.json](soak.json). "
        f"Again, from the project's folder:\n\n```sh\n{command}\n```\n",
        "Counted after the browser has collected what can go: the heap of the scripts, audio nodes and buffers that "
        "are still reachable, DOM nodes, listeners, promises that were rejected unseen, and what the server holds in "
        "memory. What is sounding while it is counted differs, so medians are compared: of the second quarter and of "
        "the last.\n",
    ]
    if rows := found.get("room"):
        last = rows[-1]
        parts.append(
            f"## The room page\n\n{last['minutes']:g} minutes of the real page on a real node with the sounds of "
            f"`memory-engine demo`; {last['heard']} voices were heard to their end.\n\n{_table(rows)}"
        )
    if rows := found.get("player"):
        last = rows[-1]
        parts.append(
            f"## The player\n\n{last['hours']:g} hours of programs through the real player, its nodes rendered offline "
            f"and its timers on the same imagined clock: {last['started']} voices began, {last['heard']} were heard to "
            f"their end, {last['dropped']} were taken back while they sounded, {last['failed']} programs were gone, "
            f"not confirmed or forgotten; crossfades, layers, every colour, changes of tone, lost acknowledgements and "
            f"sleeping machines among them.\n\n{_table(rows)}"
        )
    return "\n".join(parts)


def _table(rows: Rows) -> str:
    lines = ["| | second quarter | last quarter | most |", "| --- | --- | --- | --- |"]
    for name, found in growth(rows).items():
        what = name.replace("_", " ").replace(" mb", ", MB")
        lines.append(f"| {what} | {found['second_quarter']:g} | {found['last_quarter']:g} | {found['most']:g} |")
    told = complaints(rows)
    verdict = "Nothing grew" if not told else "; ".join(told)
    last = rows[-1]
    ends = f"{verdict}; {last['rejections']} unhandled rejections, {last['errors']} errors."
    return "\n".join(lines) + f"\n\n{ends}\n"
