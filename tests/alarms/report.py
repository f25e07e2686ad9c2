"""What a campaign of alarms found, for people."""

from collections.abc import Iterable
from typing import Any

from core.domain.warnings import Name
from tests.alarms.run import Alarm

INTRODUCTION = """# Evidence: every warning, produced and ended

Written by `make alarms`; the same numbers, for machines, lie in [alarms.json](alarms.json).

Each [warning](../reference/warnings.md) was produced on a running node by what really causes it, seen by a steward at
`/api/v1/node/status`, told by a webhook and by e-mail, and ended by the remedy it names: on the embedded engine, one
`memory-engine serve`, and on a stack of one web instance, one worker and one scheduler with PostgreSQL, Redis and an S3
server, all on one machine with {cores} cores, in {seconds} s. While a case ran nothing might be shown or told but what
it is about and what `tests/alarms/cases.py` allows beside it with a reason; after it the node had to be calm.

Minutes were brought down to seconds (`tests/alarms/node.py`): a sign of life counts for {stale:g} s, a look is taken
every {watch:g} s, a deletion is overdue after {overdue:g} s, and a switch may have been forgotten after {quiet:g} s.
*Seen* counts from when the cause was complete, *told* from when it was seen, *gone* from when the remedy was. The
numbers are what they were this time: no test asks for them.

What a dash stands for: worker and scheduler of the embedded engine live in its one process and end with it, its queue
is emptied before anybody is told, its database is a file beside the program. The shape of the pool is sent to nobody, a
timed switch ends before it may have been forgotten, and a node without its database cannot tell. What open pages are
warned of has its cause in a *browser*, and is not part of this.
"""

HEAD = ("warning", "level", "cause", "seen s", "told s", "remedy", "gone s")
BROWSER = "browser"


def markdown(found: dict[str, Any]) -> str:
    """The report as a page; two numbers are those of the embedded engine and of the stack."""
    figures = found["figures"]
    introduction = INTRODUCTION.format(
        **found,
        stale=figures["HEARTBEAT_STALE_SECONDS"],
        watch=figures["WATCH_INTERVAL_SECONDS"],
        overdue=figures["TOMBSTONE_OVERDUE_SECONDS"],
        quiet=figures["WARN_QUIET_MINUTES"] * 60,
    )
    rows = [HEAD, ["---"] * len(HEAD), *_rows(found["alarms"])]
    rows += [[f"`{name}`", "", BROWSER, "–", "–", "", "–"] for name in found["browser"]]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    wrong = "\n".join(f"- {one}" for one in found["wrong"]) or "None."
    return f"{introduction}\n## Warnings\n\nTwo numbers: embedded, stack.\n\n{table}\n\n## Findings\n\n{wrong}\n"


def line(alarm: Alarm) -> str:
    """One alarm for a terminal."""
    times = (("seen", alarm.seen_s), ("told", alarm.told_s), ("gone", alarm.gone_s))
    said = "  ".join(f"{name} {_seconds(value):>5}" for name, value in times)
    return f"{alarm.engine.value:9} {alarm.case:24} {alarm.name.value:18} {alarm.level.value:9} {said}"


def _rows(alarms: list[dict[str, Any]]) -> Iterable[list[str]]:
    by_engine: dict[tuple[str, ...], dict[str, dict[str, Any]]] = {}
    for one in alarms:
        key = (one["name"], one["level"], one["cause"], one["remedy"])
        by_engine.setdefault(key, {})[one["engine"]] = one
    # The gravest first; cases of one in the order they were written.
    gravity = [name.value for name in Name]
    for (name, level, cause, remedy), of in sorted(by_engine.items(), key=lambda item: gravity.index(item[0][0])):
        seen, told, gone = (
            ", ".join(_seconds(of.get(engine, {}).get(value)) for engine in ("embedded", "stack"))
            for value in ("seen_s", "told_s", "gone_s")
        )
        yield [f"`{name}`", level, cause, seen, told, remedy, gone]


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
