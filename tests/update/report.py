"""What rehearsals of updates found, for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any

from tests.engines import Engine

INTRODUCTION = """# Evidence: updates that are refused, fail, are killed and taken back

Written by `make update-rehearsal`; all transcripts, for machines, lie in [update.json](update.json).

Archives with every wheel were made of this tree and of copies of it: one of a later version, with a migration that adds
a table and a column; one whose migration fails between the two; one that starts, says that it is ready, and answers 500
to every take; and for the stack one whose worker dies as it starts. The first was installed by the archive's own
`install.py`, and every service started by the command of its unit; takes were left over HTTP, some were heard and some
taken back. Then the `memory-engine update` and `rollback` of the version that was current went through what follows.
People went on leaving, hearing and taking back voices all the while; whoever had no answer asked again. After each act
everything that they had been told was held against what was there.

What this does not show: systemd, whose part a stand-in has (`--start` and `--stop`), a stack whose services run on
several machines, and a machine that loses what its disk had not yet written.
"""
TITLES = {Engine.EMBEDDED: "The embedded engine", Engine.STACK: "The stack"}
GROUNDS = {
    Engine.EMBEDDED: "One service, SQLite and files.",
    Engine.STACK: """Three services, stopped and started together: web, worker and scheduler. {servers} and an S3 server
(rclone {rclone}) ran on the same machine; an update leaves them alone. For how long a sign of life counts is as in the
product, so that one of the version before is still believed when the next has started. An act whose output names a
password or a key of the node would count as wrong.""",
}
FIGURES = """{ground} The archives held {wheels} wheels ({archive_mb} MB, {installed_mb} MB installed); {takes} takes
were left before the first act. {minutes} minutes on a machine with {cores} cores, seed {seed}. {network} {disk}"""
NO_NETWORK = "Once the archives were there, no process had a network but the machine's own loopback."
NETWORK = "pip was told of no index; the network itself could not be taken away here."
OWN_DISK = "Releases lay on a disk of their own, which was filled up for the acts that say so."
NO_DISK = "A disk could not be mounted here: that there was no room was said by a reserve larger than any disk."
KILLS = """Seeded moments within each step{ways}. *The updater killed*: `kill -9` of it alone, while what it had started
went on. *Everything killed*: the updater, what it had started, and {everything}, as when the power goes; then all that
the machine starts was started again, before anybody looked. Then one of the ways that
[the how-to](../how-to/update-and-roll-back.md) names. The exit status is that of the way: 1 says that the version
stayed the old one, or that there was nothing to do.

Between two kills the machine was brought back to where the first began, some of it by hand: the older version by a
rollback, the older schema by taking the new table and column away, and a backup that a kill had left behind was counted
as ended, which otherwise takes five minutes. What people had left stayed, from the first act to the last.
"""
CHOSEN = ", and of the ways of going on {ways} each time, chosen by the seed"
SHORT_OF_TIME = ", at as many steps as {minutes:g} minutes allowed, in an order that the seed chose"
EVERYTHING = {
    Engine.EMBEDDED: "the node",
    Engine.STACK: "web, worker, scheduler, PostgreSQL, Redis and the S3 server",
}
ALL_WAYS = 3
WIDTH = 120
TOLD_KILLS = (("migrate", 3), ("back: start the", 1))
"""Of which steps so many transcripts are shown."""
UNTOLD = {Engine.EMBEDDED: frozenset({"install"}), Engine.STACK: frozenset({"install", "damaged", "full"})}
"""Kinds of acts whose transcripts are for machines only: those of the stack read as the others' do."""


def markdown(engines: Mapping[str, dict[str, Any]]) -> str:
    """The report as a page, of what was found on each engine."""
    parts = [INTRODUCTION]
    for name, found in engines.items():
        parts += _engine(Engine(name), found)
    return "\n".join(parts)


def line(act: dict[str, Any]) -> str:
    """An act for a terminal."""
    statuses = ", ".join(str(ran["status"]) for ran in act["runs"])
    return f"{act['seconds']:7.1f} s  {act['version']:8} {act['takes']:5} takes  {act['name']} (exit status {statuses})"


def _engine(engine: Engine, found: dict[str, Any]) -> list[str]:
    calm, killed = _parted(found["acts"])
    ways = CHOSEN.format(**found) if found["ways"] < ALL_WAYS else ""
    ways += SHORT_OF_TIME.format(**found) if found["minutes"] is not None else ""
    told = [act for act in calm if act["kind"] not in UNTOLD[engine]]
    return [
        f"## {TITLES[engine]}\n",
        _filled(_figures(engine, found)),
        "### What was done\n",
        _table(("act", "exit status", "runs afterwards", "takes acknowledged", "s"), map(_row, calm)),
        "### Killed\n",
        _filled(KILLS.format(ways=ways, everything=EVERYTHING[engine])),
        _table(("killed at", "what", "then", "exit status", "runs afterwards", "s"), map(_killed_row, killed)),
        "### Laws\n",
        _table(("law", "checks", "broken"), ([law["sentence"], law["checked"], law["wrong"]] for law in found["laws"])),
        "### Findings\n",
        ("\n".join(f"- {one}" for one in found["wrong"]) or "None.") + "\n",
        "### Transcripts\n",
        "Seconds from the start of the command, and what it said.\n",
        *(_transcript(act) for act in [*told, *_chosen(killed)]),
    ]


def _figures(engine: Engine, found: dict[str, Any]) -> str:
    servers = [f"{name} {version}" for name, version in found["servers"].items() if name != "rclone"]
    ground = GROUNDS[engine].format(servers=", ".join(servers), rclone=found["servers"].get("rclone", ""))
    told = {
        **found,
        "ground": ground,
        "network": NO_NETWORK if found["offline"] else NETWORK,
        "disk": OWN_DISK if found["own_disk"] else NO_DISK,
        "minutes": round(found["seconds"] / 60),
    }
    return FIGURES.format(**told)


def _filled(text: str) -> str:
    parts = text.strip().split("\n\n")
    return "\n\n".join(fill(" ".join(part.split()), WIDTH, break_on_hyphens=False) for part in parts) + "\n"


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
    return f"#### {title}\n\n```text\n{runs}\n```\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [" | ".join(str(cell) for cell in row) for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(f"| {one} |" for one in lines) + "\n"
