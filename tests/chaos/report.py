"""What a campaign found, for people."""

from collections.abc import Iterable
from typing import Any

from tests.reports import Table, page, told

INTRODUCTION = """# Evidence: the stack in a storm

Written by `make chaos CHAOS="--seconds {seconds:g} --seed {seed} --report"`; the same numbers, for machines, lie in
[chaos.json](chaos.json).

Two web instances behind Caddy with sticky cookies, two workers and two schedulers on PostgreSQL, Redis and an S3
server, all on one machine with {cores} cores, served clients for {seconds:g} seconds while their processes were killed
and restarted at random. Then everything was healed. {settled_s:.0f} s after the last client had its answer the node
owed {owed}, and the laws of custody were put to the test. Figures of minutes were brought down to seconds
(`tests/chaos/stack.py`). The seed chooses victims and moments; how far each request had come by then differs from run
to run.
"""


def markdown(found: dict[str, Any]) -> str:
    """The report as a page."""
    owed = ", ".join(f"{count} {name}" for name, count in found["owed"].items()) or "nothing any more"
    return page(INTRODUCTION.format(**{**found, "owed": owed}), _tables(found), found["wrong"])


def said(found: dict[str, Any]) -> str:
    """The report for a terminal."""
    owed = ", ".join(f"{count} {name}" for name, count in found["owed"].items()) or "nothing"
    settled = f"settled after {found['settled_s']:.1f} s, owing {owed}; slowest answer {found['slowest_s']:.1f} s"
    return told(_tables(found), [settled], found["wrong"])


def _tables(found: dict[str, Any]) -> Iterable[Table]:
    yield (
        "Laws",
        ("law", "checks", "broken"),
        [[law["sentence"], law["checked"], len(law["wrong"])] for law in found["laws"]],
    )
    yield "What was done to it", ("event", "times"), _pairs(found["events"])
    yield "What clients did", ("what", "how many"), _pairs(found["custody"])
    yield "What clients were answered", ("answer", "times"), _pairs(found["answers"])
    head = ("job", "every s", "slots claimed", "claimed twice", "missed", "runs begun", "reclaimed", "longest pause s")
    names = ("job", "every_s", "claimed", "claimed_twice", "missed", "begun", "reclaimed")
    yield (
        "Schedule",
        head,
        [[*(one[name] for name in names), f"{one['longest_pause_s']:.1f}"] for one in found["slots"]],
    )
    yield "Runs of jobs", ("job", "begun"), _pairs(found["runs"])
    yield "Warnings and errors logged", ("event", "lines"), _pairs(found["log_lines"])
    settled = [
        ["seconds of storm", f"{found['seconds']:g}"],
        ["seconds until nothing was owed", f"{found['settled_s']:.1f}"],
        ["keys of killed processes swept three hours later", found["swept_later"]],
        ["slowest answer, s", f"{found['slowest_s']:.1f}"],
        ["cores", found["cores"]],
        *([name, number] for name, number in found["versions"].items()),
    ]
    yield "Circumstances", ("what", "value"), settled


def _pairs(given: dict[str, int]) -> list[list[Any]]:
    return [[name, number] for name, number in given.items()]
