# ruff: noqa: E501 -- lines of a page
"""`docs/evidence/stranger.md`: what a stranger typed, saw and waited for."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STUMBLES = re.compile(r"traceback|deprecat|\bwarning\b|\berror\b|make(?:\[\d\])?: \*\*\*|not up to date", re.IGNORECASE)
"""What makes somebody who does not know a program doubt it."""

OURS = ("first", "second")
"""What is typed of which this repository prints every line; the others are git's, apt's and the tests' to answer for."""

HEAD, TAIL = 6, 14
TESTS = {
    "run": "typed as the README says it, with all its parts",
    "some": "in this rehearsal what it needs was installed as it installs it, and a part of it was run",
    "none": "left out of this rehearsal",
}


def trouble(facts: dict[str, Any]) -> list[str]:
    """Lines a stranger would stumble on."""
    return [
        f"{one['command']}: {text}"
        for one in facts["typed"]
        if one["name"] in OURS
        for _, text in one["lines"]
        if STUMBLES.search(text)
    ]


def scrubbed(text: str, home: str) -> str:
    """A line without where the rehearsal happened to be: the user's home is `~`, a fence cannot end the block."""
    return text.replace(home, "~").replace("```", "'''")


def abridged(lines: Sequence[str], head: int = HEAD, tail: int = TAIL) -> list[str]:
    """The beginning and the end of what is longer than both, with how much lies between."""
    if len(lines) <= head + tail + 1:
        return list(lines)
    return [*lines[:head], f"[{len(lines) - head - tail} more lines]", *lines[-tail:]]


def _told(one: dict[str, Any], home: str) -> list[str]:
    lines = [scrubbed(text, home) for _, text in one["lines"]]
    return lines if one["name"] in OURS else abridged(lines)


def transcript(facts: dict[str, Any]) -> str:
    """Everything that was typed, each in a block with what the terminal showed."""
    told = []
    for one in facts["typed"]:
        shown = "\n".join([f"$ {one['command']}", *_told(one, facts["home"])]).rstrip()
        told.append(f"```text\n{shown}\n```\n\n{_ended(one)}\n")
    return "\n".join(told)


def _ended(one: dict[str, Any]) -> str:
    if one["name"] in OURS:
        return f"Its last page answered after {one['seconds']} s; then Ctrl-C, and {one['stopped_s']} s later nothing of it ran."
    return f"Ended after {one['seconds']} s."


def write(facts: dict[str, Any], folder: Path) -> None:
    """The page and the figures behind it."""
    kept = {name: value for name, value in facts.items() if name != "home"}
    kept["typed"] = [one | {"lines": _told(one, facts["home"])} for one in facts["typed"]]
    (folder / "stranger.json").write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "stranger.md").write_text(page(facts), "utf-8")


def _seconds(facts: dict[str, Any], name: str) -> float:
    return round(sum(one["seconds"] for one in facts["typed"] if one["name"] == name), 1)


def page(facts: dict[str, Any]) -> str:
    """The page."""
    of = facts["parts_s"]
    pages = ", ".join(f"`{page}` {seconds} s" for page, seconds in facts["pages_s"].items())
    passed = "\n".join(f"- {line}" for line in facts["ritual"])
    return f"""# A stranger's first start

What somebody sees who has never heard of this program: a bare machine, a fresh clone, and what the README says to type. `make stranger STRANGER="--report"`
reads the commands from the README and types them on a terminal, so that a README that is wrong fails there. The machine is a minimal Debian {facts["release"]} made by
debootstrap, entered by chroot, with an ordinary user who may use sudo, and nothing else; its Python, once installed, was {facts["python"]}. Everything is typed by
that user. Measured on {facts["at"]}, on a machine with two cores shared with other work, near a copy of the package index; the clone came from the
same disk.

| | |
| --- | --- |
| What the machine lacks, by apt | {_seconds(facts, "needs")} s |
| The clone | {_seconds(facts, "clone")} s, {facts["clone_mib"]} MiB |
| First `make run`, until every page had answered | {_seconds(facts, "first")} s |
| Of it making the virtual environment | {of["environment"]} s |
| Of it fetching packages | {of["fetching"]} s, {facts["fetched_mib"]} MiB |
| Of it installing them | {of["installing"]} s |
| Of it the documents' site | {of["site"]} s |
| Of it from *open* to the last page | {of["answering"]} s |
| Each page's first 200 | {pages} |
| Second `make run`, until every page had answered | {_seconds(facts, "second")} s |
| Bare machine; the program and its packages | {facts["bare_mib"]} MiB; {facts["venv_mib"]} MiB |
| The steward's secret | where it was printed, mode {facts["secret_mode"]} |

Fetching was timed by itself, into an empty folder; what is left of that step is installing. `make test`: {TESTS[facts["tests"]]}.

## The ritual, in the first room

{passed}

## The terminal

`~` is the user's home. Long outputs are told by their beginning and their end.

{transcript(facts)}"""
