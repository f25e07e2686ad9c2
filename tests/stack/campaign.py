"""The whole stack behind HTTPS, used and cut off: `python -m tests.stack.campaign --cuts 5 --seed 1`.

PostgreSQL, Redis, an S3 server, Caddy with the project's own Caddyfile and a certificate authority of its own, two web
instances, two workers and two schedulers, each started by the command of its unit. A browser that trusts the authority
goes the whole way of a voice. Then clients leave, hear and take back voices while every process is killed at once and
started again, `--cuts` times, and the laws of custody are put to the test. Prints what happened; `--report` writes it
to `docs/evidence`. Exit status 1 where something is wrong.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Error, Playwright, sync_playwright

from memory_ui.browser_trust import trust
from tests.browser.conftest import speak_all
from tests.chaos.campaign import depth, versions
from tests.chaos.laws import Judge, Law, Settling
from tests.chaos.load import Load
from tests.stack.browsers import browser_at
from tests.stack.report import markdown, said
from tests.stack.ritual import Ritual, Step
from tests.stack.topology import PUBLIC_NAME, SecureStack

EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence"
BETWEEN_S = (3.0, 8.0)
"""For so long the clients go on between two cuts."""
SETTLE_S = 200.0
"""A sweep that was killed holds what it had claimed for two minutes."""
CERTIFICATE_ERROR = "ERR_CERT_AUTHORITY_INVALID"


@dataclass(kw_only=True, slots=True)
class Outcome:
    """Everything a campaign found out."""

    seed: int
    processes: int = 0
    started_s: float = 0.0
    steps: list[Step] = field(default_factory=list)
    cuts: list[dict[str, float]] = field(default_factory=list)
    """Of each: how many processes were killed, and after how many seconds the node was ready again."""
    laws: list[Law] = field(default_factory=list)
    custody: dict[str, int] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)
    settled_s: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Every sentence about something that should not be."""
        found = [f"{law.sentence}: {complaint}" for law in self.laws for complaint in law.wrong]
        return [*self.failed, *found]


def run(cuts: int, seed: int) -> Outcome:
    """One campaign on a stack of its own."""
    outcome, began = Outcome(seed=seed), time.monotonic()
    with SecureStack() as stack, tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        outcome.started_s = time.monotonic() - began
        outcome.processes = len(stack.servers())
        folder = Path(name)
        try:
            outcome.steps = walk(stack, playwright, folder)
        except (AssertionError, Error) as error:
            outcome.failed.append(f"the ritual failed: {str(error).splitlines()[0]}")
        power_cuts(stack, folder, outcome, cuts)
        outcome.versions = versions(stack)
    return outcome


def walk(stack: SecureStack, playwright: Playwright, folder: Path) -> list[Step]:
    """The ritual, by a browser that trusts the authority; one that does not is refused."""
    voice = folder / "voice.wav"
    speak_all(voice)
    stranger, kiosk = folder / "stranger", folder / "kiosk"
    stranger.mkdir()
    began = time.monotonic()
    with browser_at(playwright, stranger, voice) as browser:
        refused = _refusal(browser.new_page(), f"{stack.url}/kiosk/")
    assert CERTIFICATE_ERROR in refused, refused
    first = Step(
        name="A browser that does not know the authority", seen="is refused", took_s=round(time.monotonic() - began, 1)
    )
    trust(stack.caddy.root, kiosk)
    with (
        browser_at(playwright, kiosk, voice) as browser,
        stack.system(folder / "looking") as system,
        httpx.Client(base_url=stack.url, verify=stack.caddy.verify, timeout=30) as client,
    ):
        return [first, *Ritual(stack, system, client, browser).walk()]


def _refusal(page: Any, url: str) -> str:
    try:
        page.goto(url)
    except Error as error:
        return error.message
    return ""


def power_cuts(stack: SecureStack, folder: Path, outcome: Outcome, cuts: int, *, settle_s: float = SETTLE_S) -> None:
    """Kill everything at once, under load, and start it again; then hold the node to its laws."""
    rng = random.Random(outcome.seed)
    load = Load(stack.url, seed=outcome.seed, verify=stack.caddy.verify)
    load.start()
    for _ in range(cuts):
        time.sleep(rng.uniform(*BETWEEN_S))
        killed = stack.cut()
        outcome.cuts.append({"killed": killed, "ready_s": round(stack.power(), 1)})
    time.sleep(BETWEEN_S[0])
    load.finish()
    stack.wait_until_ready()
    with stack.system(folder / "judging") as system:
        outcome.settled_s, outcome.owed = Settling(system, load, lambda: depth(stack)).wait(settle_s)
        judge = Judge(stack, load, system)
        judge.audit("with everything running")
        judge.judge()
    outcome.laws = judge.laws
    kept, once = load.record.kept(), [one for one in load.record.takes if one.mode == "NOSAVE"]
    outcome.custody = {
        "ROOM and FOSSIL takes acknowledged": len(kept),
        "one-time takes acknowledged": len(once),
        "revocations acknowledged": sum(bool(one.revoked_at) for one in kept),
        "playbacks granted": len(load.record.grants),
        "hearings counted": sum("counted" in grant.said for grant in load.record.grants),
        "requests without an answer": load.record.answers.total()
        - sum(count for answer, count in load.record.answers.items() if answer.isdigit()),
    }


def facts(outcome: Outcome, cuts: int) -> dict[str, Any]:
    """The outcome as JSON, with what it ran on."""
    found = {**asdict(outcome), "wrong": outcome.wrong, "cores": os.cpu_count(), "name": PUBLIC_NAME}
    return found | {"command": f'make stack STACK="--cuts {cuts} --seed {outcome.seed} --report"'}


def main() -> None:
    """Read the arguments, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.campaign", description=__doc__)
    parser.add_argument("--cuts", type=int, default=5, help="how often everything is killed at once")
    parser.add_argument("--seed", type=int, default=1, help="chooses moments and what the clients do")
    parser.add_argument("--report", action="store_true", help="write docs/evidence/stack.md and stack.json")
    given = parser.parse_args()
    outcome = run(given.cuts, given.seed)
    found = facts(outcome, given.cuts)
    print(said(found))
    if given.report:
        (EVIDENCE / "stack.json").write_text(json.dumps(found, indent=1) + "\n")
        (EVIDENCE / "stack.md").write_text(markdown(found))
    sys.exit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
