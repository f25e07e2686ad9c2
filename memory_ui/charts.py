"""The bench's charts as data: samples over time, in the shape the charting library takes (data and layout)."""

from collections.abc import Callable, Sequence
from typing import Any

from core.adapters.copy import Copy
from core.domain.pool.facts import Lane, Mood
from core.ports.stewarding import Sample

Read = Callable[[Sample], float]


def figures(samples: Sequence[Sample], copy: Copy) -> list[dict[str, Any]]:
    """Playable takes, hearings, lanes and moods over time; nothing where there are not two samples to draw between."""
    if len(samples) < 2:
        return []
    times = [sample.at.isoformat() for sample in samples]

    def line(name: str, read: Read, **more: Any) -> dict[str, Any]:
        return {"type": "scatter", "mode": "lines", "name": name, "x": times, "y": [*map(read, samples)], **more}

    def figure(key: str, *data: dict[str, Any]) -> dict[str, Any]:
        return {"title": key, "data": list(data), "layout": {"title": {"text": copy.t(f"bench.chart_{key}")}}}

    def stack(group: str, names: Sequence[str]) -> list[dict[str, Any]]:
        # Read by name, one figure a part; "x=group[name]" is bound now, not when it is called.
        return [line(name, lambda s, name=name: s.counts[group].get(name, 0), stackgroup="one") for name in names]

    return [
        figure("playable", line(copy.t("bench.line_playable"), lambda s: s.counts["playable"])),
        figure(
            "plays",
            {
                "type": "bar",
                "name": copy.t("bench.line_plays"),
                "x": times,
                "y": [sample.counts["plays"] for sample in samples],
            },
        ),
        figure("lanes", *stack("lanes", [lane.value for lane in Lane])),
        figure("moods", *stack("moods", [mood.value for mood in Mood])),
        figure("deletions", line(copy.t("bench.line_deletions"), lambda s: s.counts["deletions_due"])),
    ]
