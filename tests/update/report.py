"""What a rehearsal of updates found, for people."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

INTRODUCTION = """# Evidence: updates that are refused, fail, are killed and taken back

Written by `make update-rehearsal`; all transcripts, for machines, lie in [update.json](update.json).

Archives with all {wheels} wheels ({archive_mb} MB, {installed_mb} MB installed) were made of this tree and of copies of
it: one of a later version, with a migration that adds a table and a column; one whose migration fails between the two;
one that starts, says that it is ready, and answers 500 to every take. {network} The first was installed by the
archive's own `install.py` and started as its unit starts it, on the embedded engine; {takes} takes were left over HTTP,
some were heard and some taken back. Then the `memory-engine update` and `rollback` of the version that was current went
through what follows, in {minutes} minutes on a machine with {cores} cores. People went on leaving, hearing and taking
back voices all the while; whoever had no answer asked again. After each act everything that they had been told was held
against what was there. {disk}

What this does not show: PostgreSQL, systemd, and a machine that loses what its disk had not yet written.
"""
NO_NETWORK = "From then on no process had a network but the machine's own loopback."
NETWORK = "pip was told of no index; the network itself could not be taken away here."
OWN_DISK = "Releases lay on a disk of their own, which was filled up for the acts that say so."
NO_DISK = "A disk could not be mounted here: that there was no room was said by a reserve larger than any disk."
KILLS = """Seeded moments within each step. *The updater killed*: `kill -9` of it alone, while what it had started went
on. *Everything killed*: the updater, what it had started, and the node, as when the power goes; then the services were
started again, before anybody looked. Then one of the ways that [the how-to](../how-to/update-and-roll-back.md) names.
The exit status is that of the way: 1 says that the version stayed the old one, or that there was nothing to do.

Between two kills the machine was brought back to where the first began, some of it by hand: the older version by a
rollback, the older schema by taking the new table and column away, and a backup that a kill had left behind was counted
as ended, which otherwise takes five minutes. What people had left stayed, from the first act to the last.
"""
WIDTH = 120
TOLD_KILLS = (("migrate", 3), ("back: start the", 1))
"""Of which steps so many transcripts are shown."""


def markdown(found: dict[str, Any]) -> str:
    """The report as a page."""
    told = INTRODUCTION.format(
        **found,
        network=NO_NETWORK if found["offline"] else NETWORK,
        disk=OWN_DISK if found["own_disk"] else NO_DISK,
        minutes=round(found["seconds"] / 60),
    )
    said = "\n\n".join(fill(part, WIDTH, break_on_hyphens=False) for part in told.strip().split("\n\n")) + "\n"
    calm, killed = _parted(found["acts"])
    parts = [
        said,
        "## What was done\n",
        _table(("act", "exit status", "runs afterwards", "takes acknowledged", "s"), map(_row, calm)),
        "## Killed\n",
        KILLS,
        _table(("killed at", "what", "then", "exit status", "runs afterwards", "s"), map(_killed_row, killed)),
        "## Laws\n",
        _table(("law", "checks", "broken"), ([law["sentence"], law["checked"], law["wrong"]] for law in found["laws"])),
        "## Findings\n",
        ("\n".join(f"- {one}" for one in found["wrong"]) or "None.") + "\n",
        "## Transcripts\n",
        "Seconds from the start of the command, and what it said.\n",
        *(_transcript(act) for act in [*calm[1:], *_chosen(killed)]),
    ]
    return "\n".join(parts)


def line(act: dict[str, Any]) -> str:
    """An act for a terminal."""
    statuses = ", ".join(str(ran["status"]) for ran in act["runs"])
    return f"{act['seconds']:7.1f} s  {act['version']:8} {act['takes']:5} takes  {act['name']} (exit status {statuses})"


def _parted(acts: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return [act for act in acts if not act["step"]], [act for act in acts if act["step"]]


def _row(act: dict[str, Any]) -> list[Any]:
    return [act["name"], act["runs"][-1]["status"], act["version"], act["takes"], act["seconds"]]


def _killed_row(act: dict[str, Any]) -> list[Any]:
    return [act["step"], act["blow"], act["way"], act["runs"][-1]["status"], act["version"], act["seconds"]]


def _chosen(killed: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step, most in TOLD_KILLS:
        yield from [act for act in killed if act["step"] == step][:most]


def _transcript(act: dict[str, Any]) -> str:
    title = act["name"][0].upper() + act["name"][1:]
    runs = "\n".join(
        "\n".join([f"$ {ran['command']}", *ran["lines"], f"{'':8}exit status {ran['status']}"]) for ran in act["runs"]
    )
    return f"### {title}\n\n```text\n{runs}\n```\n"


def _table(head: Sequence[str], rows: Any) -> str:
    lines = [" | ".join(str(cell) for cell in row) for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(f"| {one} |" for one in lines) + "\n"
