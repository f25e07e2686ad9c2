"""What a campaign found, for people."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.reports import Table, page, told

INTRODUCTION = """# Evidence: nodes that die

Written by `make faults FAULTS="--kills {asked} --seed {seed} --report"`; the same numbers, for machines, lie in
[faults.json](faults.json).

{kills} processes were ended by SIGKILL in {seconds} seconds on a machine with {cores} cores (Python {python}). Most
of them were the services of a node in a process of its own, on both engines. A node has twenty lives and some more,
most of which end so, and each of them judges what the one before has left, by everything participants and stewards were
told. In between, stores refused, or claimed to have deleted what they had not. {servers} were whole servers, asked over
HTTP. A point is a place just before or after an effect on database, store, disk, ledger or network; a moment is drawn
by lot. What is held against a node stands in `tests/faults/judge.py`. The same seed does the same deeds and dies at the
same points; how far a process has come at a moment differs from run to run.
"""


def markdown(found: dict[str, Any]) -> str:
    """The report as a page."""
    servers = sum(part["kills"] for part in found["parts"] if part["part"].startswith("whole"))
    return page(INTRODUCTION.format(**found, servers=servers), _tables(found), found["wrong"])


def said(found: dict[str, Any]) -> str:
    """The report for a terminal."""
    unmet = [one for part in found["parts"] for one in part.get("named_unmet", [])]
    more = [f"named points nothing died at: {len(unmet)}", *(f"  {one}" for one in unmet[:20])]
    return told(_tables(found), [*more, "", f"{found['kills']} killed in {found['seconds']} s"], found["wrong"])


def _tables(found: dict[str, Any]) -> Iterable[Table]:
    parts = found["parts"]
    yield (
        "What was killed",
        ("what", "kills", "of these at a moment", "named points", "of these met", "times judged", "nodes", "broken"),
        [_part(part) for part in parts],
    )
    names = dict.fromkeys(row["deed"] for part in parts for row in part["died"])
    yield (
        "In the middle of what",
        ("deed", *(f"{part['part']}: kills (points)" for part in parts)),
        [[name, *(_kills(part, name) for part in parts)] for name in names],
    )
    at: Counter[str] = Counter()
    for part in parts:
        for row in part["died"]:
            at.update(row["at"])
    yield "At which points", ("point", "kills"), [[label, count] for label, count in at.most_common()]
    yield "Stores that failed in between", ("what", "lives"), _sum(parts, "faults")
    yield "What had been told", ("what", "how many"), _sum(parts, "told")


def _part(part: dict[str, Any]) -> list[Any]:
    named = part.get("named")
    met = named - len(part["named_unmet"]) if named is not None else "-"
    shown = "-" if named is None else named
    return [part["part"], part["kills"], part["moments"], shown, met, part["judged"], part["nodes"], len(part["wrong"])]


def _kills(part: dict[str, Any], name: str) -> str:
    for row in part["died"]:
        if row["deed"] == name:
            return f"{row['kills']} ({row['points']})" if row["points"] is not None else str(row["kills"])
    return "-"


def _sum(parts: list[dict[str, Any]], name: str) -> list[list[Any]]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.get(name, {}))
    return [[what, count] for what, count in sorted(total.items())]
