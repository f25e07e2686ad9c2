"""What a campaign on the secure stack found, for people."""

from collections.abc import Iterator
from typing import Any

from tests.reports import Table, page, told

INTRODUCTION = """# Evidence: the whole stack, behind HTTPS, cut off and started again

Written by `{command}`; the same numbers, for machines, lie in [stack.json](stack.json).

{processes} processes on one machine with {cores} cores: PostgreSQL, Redis, an S3 server, Caddy with the project's own
[Caddyfile](../../deploy/caddy/Caddyfile) and a certificate authority of its own, two web instances, two workers and two
schedulers, each started by the command of its unit file, on the figures the product ships with. They were ready
{started_s:.0f} s after the first of them was made. A browser came by `https://{name}`, a name of no machine, with a
spoken voice in its microphone. Then clients went on leaving, hearing and taking back voices while every process was
killed (-9) at once and all were started again, in no order.

A job that a killed worker held is taken up again once it has lain still for `JOB_IDLE_SECONDS`; what was owed when the
node was judged is told below.

What this does not show: a machine that loses its power also loses what its disk had not yet written. The database
server of this campaign does not even ask its disk to write (`fsync` is off). That the node's own files are synced
before anything is acknowledged is shown by [nodes that die](faults.md).
"""


def markdown(found: dict[str, Any]) -> str:
    """The report as a page."""
    return page(INTRODUCTION.format(**found), _tables(found), found["wrong"])


def said(found: dict[str, Any]) -> str:
    """The report for a terminal."""
    return told(_tables(found), [], found["wrong"])


def _tables(found: dict[str, Any]) -> Iterator[Table]:
    steps = [[step["name"], step["seen"], step["took_s"]] for step in found["steps"]]
    yield "The path of a voice", ("step", "what was seen", "s"), steps
    cuts = [[number, cut["killed"], cut["ready_s"]] for number, cut in enumerate(found["cuts"], start=1)]
    yield "Everything killed at once", ("cut", "processes killed", "ready again after s"), cuts
    yield "What clients did meanwhile", ("what", "how many"), [[*pair] for pair in found["custody"].items()]
    laws = [[law["sentence"], law["checked"], len(law["wrong"])] for law in found["laws"]]
    yield "Laws", ("law", "checks", "broken"), laws
    owed = ", ".join(f"{count} {name}" for name, count in found["owed"].items()) or "nothing"
    rows = [["seconds until nothing was owed", f"{found['settled_s']:.0f}"], ["owed then", owed]]
    yield "Circumstances", ("what", "value"), [*rows, *([name, value] for name, value in found["versions"].items())]
