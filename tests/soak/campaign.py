"""The room for hours: `python -m tests.soak.campaign [--minutes 40] [--hours 8] [--seed 1] [--report]`.

The real room page in Chromium on a real node for that many minutes, and that many hours of programs through the player
offline. 0 leaves one of them out. With `--report` the figures go to docs/evidence. Exit status 1 where something grew.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import launch
from tests.soak import offline, report, room

EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence"


def main() -> int:
    """Run both, tell what was counted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="write docs/evidence/soak.md and soak.json")
    given = parser.parse_args()
    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        found["chromium"] = browser.version
        browser.close()
        if given.hours:
            samples = max(8, round(given.hours * 6))
            found["player"] = offline.soak(playwright, hours=given.hours, samples=samples, seed=given.seed, tell=_tell)
        if given.minutes:
            samples = max(8, round(given.minutes))
            found["room"] = room.soak(playwright, minutes=given.minutes, samples=samples, tell=_tell)
    if given.report:
        options = f"--minutes {given.minutes:g} --hours {given.hours:g} --seed {given.seed}"
        report.write(EVIDENCE, f'make soak SOAK="{options} --report"', found)
    told = [
        f"{name}: {line}" for name in ("player", "room") if name in found for line in report.complaints(found[name])
    ]
    _tell("\n".join(told) or "nothing grew")
    return 1 if told else 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
