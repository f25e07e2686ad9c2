"""What a campaign found, for people."""

import os
import platform
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from core.domain.consent import Mode
from core.services.audit import AuditReport
from tests.browser.conftest import CHROMIUM
from tests.kiosk.judge import Round
from tests.kiosk.plans import What, Where
from tests.reports import Table, page, told

INTRODUCTION = """# Evidence: a kiosk that is killed under its participants

The same numbers, for machines, lie in [kiosk.json](kiosk.json). Again, from the project's folder:

```sh
{command}
```

{rounds} visits in {seconds} seconds, {lanes} kiosks at once, on a machine with {cores} cores (Chromium {chromium},
Python {python}, Playwright {playwright}). In each, a known voice spoke for some seconds, and once something went wrong.
The server was killed by SIGKILL and started again after at most three seconds; or the network swallowed everything,
requests, answers and the page's own connection, {holes}; or the browser and all its children were killed by SIGKILL
and started again on the same profile. Where, what and which choice come alike often, the moment within the stage is
drawn by lot. Between Send and the answer it lies somewhere in the bytes of the take on their way, or past them, while
the node works and its answer is swallowed. Half of the participants wait until it is over, the others go on meanwhile;
a network that is back hands on what it had swallowed, or has forgotten its connections. Then everybody finishes what
they came for. The seed draws the rounds; how far everything has come at a moment differs from run to run.

A saved take is complete where no more than 200 ms are missing of what the microphone gave until then, sample by sample;
and the voice in it has to be the one that was spoken, but for where the made-up microphone stumbled, as it does on a
busy machine. A profile is searched for the samples of the take, as they were spoken and as they
were sent, after the browser was killed and after the visit; each time a piece of it is planted there, and has to be
found.
"""


@dataclass(kw_only=True, slots=True)
class Lane:
    """What was found at one kiosk and its node."""

    rounds: list[Round]
    audit: AuditReport


def facts(found: Sequence[Lane], *, command: str, seconds: int) -> dict[str, Any]:
    """The outcome as plain JSON."""
    rounds = sorted((one for lane in found for one in lane.rounds), key=lambda one: one.plan.number)
    findings = [finding for lane in found for finding in lane.audit.findings]
    return {
        "command": command,
        "seconds": seconds,
        "machine": _machine(),
        "lanes": len(found),
        "counts": _counts(rounds),
        "saved": _saved(rounds),
        "once": _once(rounds),
        "audit": {name: sum(getattr(lane.audit, name) for lane in found) for name in ("artifacts", "objects", "hashes")}
        | {"findings": len(findings)},
        "rounds": [_row(one) for one in rounds],
        "wrong": [sentence for one in rounds for sentence in one.wrong]
        + [f"audit: {finding.kind}: {finding.subject}" for finding in findings],
    }


def _machine() -> dict[str, Any]:
    chromium = subprocess.check_output([CHROMIUM, "--version"], text=True)
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "chromium": re.findall(r"[\d.]+", chromium)[0],
        "playwright": version("playwright"),
    }


def _counts(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    met = Counter((one.plan.where, one.plan.what, one.plan.mode) for one in rounds)
    return [
        {"where": where, "what": what, **{mode: met[where, what, mode] for mode in Mode}}
        for where in Where
        for what in What
    ]


def _saved(rounds: Sequence[Round]) -> dict[str, Any]:
    saved = [one for one in rounds if one.saved]
    arrived = [one for one in saved if len(one.takes) == 1]
    return {
        "sent": len(saved),
        "arrived exactly once": len(arrived),
        "of these complete to within 200 ms": sum(one.complete for one in arrived),
        "of these with a code on the screen that opens it": sum(one.code_opens for one in arrived),
        "lost": sum(not one.takes for one in saved),
        "twice": sum(len(one.takes) > 1 for one in saved),
        "most that is missing of one, ms": round(max((one.missing_s or 0.0 for one in arrived), default=0.0) * 1000),
        "stretches of 200 ms with a voice": sum(one.voiced for one in arrived),
        "of these unlike what was spoken": sum(one.unlike for one in arrived),
        "unlike already as the made-up microphone gave them": sum(one.stumbled for one in arrived),
    }


def _once(rounds: Sequence[Round]) -> dict[str, Any]:
    once = [one for one in rounds if not one.saved]
    return {
        "offered": len(once),
        "heard once": sum(one.ended == "heard" for one in once),
        "gone with the browser that held it, after it was chosen": sum(one.gone_with_its_page for one in once),
        "in the room": sum(bool(one.takes) for one in once),
        "searches of their profiles": sum(one.searches for one in once),
        "takes of which a profile held readable samples": sum(bool(one.found) for one in once),
        "searches of the profiles of the others": sum(one.searches for one in rounds if one.saved),
        "of these with readable samples": sum(bool(one.found) for one in rounds if one.saved),
        "kiosks with a chunk left": sum(one.lies_there for one in rounds),
        "keys left that end by their own time, of a browser killed as it was chosen to be heard once": sum(
            one.key_held for one in rounds
        ),
    }


def _row(one: Round) -> dict[str, Any]:
    plan = one.plan
    return {
        "number": plan.number, "where": plan.where, "what": plan.what, "mode": plan.mode, "moment": plan.moment,
        "lasts_s": plan.lasts_s, "ended": one.ended, "takes": len(one.takes), "spoken_s": one.spoken_s,
        "missing_s": one.missing_s, "unlike": one.unlike, "stumbled": one.stumbled, "took_s": one.took_s,
    }  # fmt: skip


def markdown(found: dict[str, Any]) -> str:
    """The report as a page."""
    numbers = {**found, **found["machine"], "rounds": len(found["rounds"]), "holes": _holes(found)}
    return page(INTRODUCTION.format(**numbers), _tables(found), found["wrong"])


def _holes(found: dict[str, Any]) -> str:
    lasting = Counter(row["lasts_s"] for row in found["rounds"] if row["what"] == What.NETWORK)
    return ", ".join(f"{count} times for {seconds:g} s" for seconds, count in sorted(lasting.items(), reverse=True))


def said(found: dict[str, Any]) -> str:
    """The report for a terminal."""
    return told(_tables(found), [f"{len(found['rounds'])} rounds in {found['seconds']} s"], found["wrong"])


def _tables(found: dict[str, Any]) -> Iterable[Table]:
    yield (
        "Rounds",
        ("where", "what", *Mode),
        [[row["where"], row["what"], *(row[mode] for mode in Mode)] for row in found["counts"]],
    )
    for title, name in (
        ("Saved takes", "saved"),
        ("One-time takes, and what lies on the disk", "once"),
        ("What the nodes say of themselves after the last round", "audit"),
    ):
        yield title, ("what", "how many"), [list(pair) for pair in found[name].items()]
