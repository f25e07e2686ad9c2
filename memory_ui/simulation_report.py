"""The report of a simulation: one page that needs nothing else, and one JSON file that says the same."""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

SUMMARY = (
    ("programs", "Programs", ""),
    ("programs_per_open_hour", "Programs in an open hour", ""),
    ("takes", "Takes there were", ""),
    ("takes_never_heard", "Takes never heard", ""),
    ("plays_least", "Fewest plays of a take", ""),
    ("plays_median", "Median plays of a take", ""),
    ("plays_most", "Most plays of a take", ""),
    ("first_heard_after_s_median", "Until a take is first heard, median", "s"),
    ("recurrence_s_median", "Until a take returns, median", "s"),
    ("recurrence_s_p05", "Until a take returns, soonest 5 %", "s"),
    ("recurrence_s_p95", "Until a take returns, latest 5 %", "s"),
    ("repeats_inside_window", "Repeats inside the anti-repetition window", ""),
    ("gap_s_mean", "Gap, mean", "s"),
    ("gap_cue_s_mean", "Gap between two voices, mean", "s"),
    ("gap_pause_s_mean", "Held pause, mean", "s"),
    ("gap_s_median", "Gap, median", "s"),
    ("gap_s_p95", "Gap, longest 5 %", "s"),
    ("silence_share", "Share of silence", "share"),
    ("silence_budget", "Share of silence allowed", "share"),
    ("rest_share", "Share of the open hours at rest", "share"),
    ("alone_share", "Share at rest because nobody was there", "share"),
    ("programs_to_nobody", "Programs that began with nobody there", ""),
    ("wear_per_open_hour", "Wear of all takes in an open hour", ""),
    ("wear_at_end_mean", "Wear of a take at the end, mean", ""),
    ("together_share", "Programs with voices that sound together", "share"),
    ("crossfaded_share", "Programs that begin inside the one before", "share"),
    ("followed_share", "Programs that follow on from the one before", "share"),
    ("featured_share", "Programs with a voice that returns after long", "share"),
    ("threads_share", "Programs on a topic that opens a thread", "share"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One simulated installation: its name, what was given, and what it was like (`core.services.measures`)."""

    name: str
    given: dict[str, Any]
    measured: dict[str, Any]


def report_json(columns: Sequence[Column]) -> str:
    """Everything measured, with what was given."""
    told = [{"name": one.name, "given": one.given, **one.measured} for one in columns]
    return json.dumps({"runs": told}, indent=1, sort_keys=True) + "\n"


def summary_rows(columns: Sequence[Column]) -> list[tuple[str, ...]]:
    """The summary as words: the name of a figure, its value in every column, and of two the second by the first."""
    return [_row(key, label, unit, columns) for key, label, unit in SUMMARY]


def report_html(columns: Sequence[Column], title: str) -> str:
    """The page; charts of one figure stand beside one another, to one scale."""
    assets = files("assets")
    library = (assets / "vendor" / "plotly-basic.min.js").read_text("utf-8")
    style = (assets / "css" / "report.css").read_text("utf-8")
    charts = [
        {"title": name, "figures": _to_one_scale([figure(one.measured["series"], one) for one in columns])}
        for name, figure in FIGURES
    ]
    heads = "".join(f"<th scope='col'>{html.escape(one.name)}</th>" for one in columns)
    ratio = "<th scope='col'>second by first</th>" if len(columns) == 2 else ""
    return PAGE.format(
        title=html.escape(title),
        style=style,
        given="".join(_given(one) for one in columns),
        heads=heads + ratio,
        rows="".join(_table_row(row) for row in summary_rows(columns)),
        wishes="".join(_shares(one) for one in columns),
        columns=len(columns),
        charts="".join(_section(index, chart["title"], len(columns)) for index, chart in enumerate(charts)),
        library=library,
        data=json.dumps(charts).replace("</", "<\\/"),
    )


def _plays(series: dict[str, Any], column: Column) -> dict[str, Any]:
    plays = series["plays_per_artifact"]
    return _figure([{"type": "bar", "y": plays, "name": "plays"}], "takes, in the order they came", "plays")


def _lanes(series: dict[str, Any], column: Column) -> dict[str, Any]:
    return _stack(series["days"], series["lanes_played"], "programs")


def _lanes_there(series: dict[str, Any], column: Column) -> dict[str, Any]:
    return _stack(series["days"], series["lanes_there"], "takes at the end of the day")


def _moods(series: dict[str, Any], column: Column) -> dict[str, Any]:
    return _stack(series["days"], series["moods_played"], "programs")


def _gaps(series: dict[str, Any], column: Column) -> dict[str, Any]:
    bars = {"type": "bar", "x": series["gap_from_s"], "y": series["gaps"], "name": "gaps"}
    return _figure([bars], "seconds; below 0 a voice begins inside the one before", "programs")


def _silence(series: dict[str, Any], column: Column) -> dict[str, Any]:
    days = series["days"]
    budget = [column.measured["summary"]["silence_budget"]] * len(days)
    return _figure(
        [
            _line("silence", days, series["silence_share"]),
            {**_line("allowed", days, budget), "line": {"dash": "dot"}},
        ],
        "day",
        "share of silence",
    )


def _wear(series: dict[str, Any], column: Column) -> dict[str, Any]:
    return _figure([_line("wear", series["days"], series["wear_mean"])], "day", "mean wear of what is there")


def _hours(series: dict[str, Any], column: Column) -> dict[str, Any]:
    people = series["people_by_hour"]
    names = [str(hour) for hour in series["hours"]]
    if people is not None:
        names = [f"{hour} ({there})" for hour, there in zip(names, people, strict=True)]
    bars = {"type": "bar", "x": names, "y": series["programs_by_hour"], "name": "programs"}
    across = "hour of the day" if people is None else "hour of the day (people there)"
    return _figure([bars], across, "programs on an average day")


FIGURES = (
    ("Plays of every take", _plays),
    ("Lanes heard", _lanes),
    ("Lanes there", _lanes_there),
    ("Moods heard", _moods),
    ("Programs by the hour", _hours),
    ("Gaps", _gaps),
    ("Silence and its budget", _silence),
    ("Wear", _wear),
)


def _line(name: str, x: Sequence[Any], y: Sequence[Any]) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines+markers", "name": name, "x": list(x), "y": list(y)}


def _stack(days: Sequence[int], parts: dict[str, list[int]], what: str) -> dict[str, Any]:
    bars = [{"type": "bar", "name": name, "x": list(days), "y": counts} for name, counts in parts.items()]
    return _figure(bars, "day", what, barmode="stack")


def _figure(data: list[dict[str, Any]], across: str, up: str, **layout: Any) -> dict[str, Any]:
    return {"data": data, "layout": {**layout, "xaxis": {"title": {"text": across}}, "yaxis": {"title": {"text": up}}}}


def _to_one_scale(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two charts of one figure can only be compared where they are drawn to one scale."""
    top = max(_top(figure) for figure in figures)
    for figure in figures:
        figure["layout"]["yaxis"]["range"] = [0, top * 1.05 or 1]
    return figures


def _top(figure: dict[str, Any]) -> float:
    heights = [[value or 0 for value in trace["y"]] for trace in figure["data"]]
    if figure["layout"].get("barmode") == "stack":
        return max(map(sum, zip(*heights, strict=True)), default=0)
    return max((value for trace in heights for value in trace), default=0)


def _row(key: str, label: str, unit: str, columns: Sequence[Column]) -> tuple[str, ...]:
    values = [one.measured["summary"][key] for one in columns]
    row = (label, *(_told(value, unit) for value in values))
    if len(values) != 2:
        return row
    first, second = values
    return (*row, f"{second / first:.2f}" if first and second is not None else "")


def _told(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %"
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{text} {unit}".strip()


def _table_row(row: tuple[str, ...]) -> str:
    cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
    return f"<tr><th scope='row'>{html.escape(row[0])}</th>{cells}</tr>"


def _given(column: Column) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in column.given.items()
    )
    return f"<div><h3>{html.escape(column.name)}</h3><table>{rows}</table></div>"


def _shares(column: Column) -> str:
    """What was heard, and which wishes gave way, as shares."""
    summary = column.measured["summary"]
    groups = (("lanes", "Lanes heard"), ("moods", "Moods heard"), ("gave_way", "Wishes that gave way"))
    tables = "".join(
        f"<h4>{title}</h4><table>"
        + "".join(_table_row((name, f"{100 * share:.1f} %")) for name, share in summary[key].items())
        + "</table>"
        for key, title in groups
    )
    return f"<div><h3>{html.escape(column.name)}</h3>{tables}</div>"


def _section(index: int, title: str, count: int) -> str:
    places = "".join(f"<div class='chart' id='chart-{index}-{place}'></div>" for place in range(count))
    return f"<section><h2>{html.escape(title)}</h2><div class='beside'>{places}</div></section>"


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body style="--columns: {columns}">
<h1>{title}</h1>
<section><h2>What was simulated</h2><div class="beside">{given}</div></section>
<section><h2>What it was like</h2>
<div class="wide"><table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>
<section><h2>What was heard</h2><div class="beside">{wishes}</div></section>
{charts}
<script>{library}</script>
<script>
const charts = {data};
const style = getComputedStyle(document.body);
const ink = style.getPropertyValue("--ink").trim();
const colours = ["--ink", "--clay", "--moss", "--slate", "--sand"].map((name) => style.getPropertyValue(name).trim());
charts.forEach(({{ figures }}, index) => figures.forEach(({{ data, layout }}, place) => {{
  Plotly.newPlot(`chart-${{index}}-${{place}}`, data, {{
    ...layout, paper_bgcolor: "transparent", plot_bgcolor: "transparent", colorway: colours,
    font: {{ family: style.fontFamily, size: 13, color: ink }}, margin: {{ l: 56, r: 8, t: 8, b: 56 }},
    legend: {{ orientation: "h", y: 1.02, yanchor: "bottom" }}, bargap: 0.15,
  }}, {{ displayModeBar: false, responsive: true }});
}}));
</script>
</body>
</html>
"""
