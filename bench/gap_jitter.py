"""How exactly the room keeps its gaps: `python -m bench.gap_jitter [--programs N] [--seed N] [--json FILE]`.

The real player in Chromium, its output on tape, sample by sample: programs with gaps of 0.95 to 2.5 s are handed over
half a second after they were asked for, every take and every confirmation comes as late, and page and server are kept
busy. Told is how far the silence between two voices was from the gap that was asked for.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from bench.ground import machine
from tests.browser.gaps import DELAY_S, gap_errors_ms
from tests.browser.sound_stage import opened, served

PROMISED_MS = 20.0


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--programs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    with sync_playwright() as playwright, served() as origin, opened(playwright, origin) as page:
        page.set_default_timeout(0)
        errors = np.array(gap_errors_ms(page, origin, programs=given.programs, seed=given.seed))
    off = np.abs(errors)
    row = {
        "gaps": len(errors),
        "seed": given.seed,
        "network_delay_ms": DELAY_S * 1000,
        "mean_ms": round(float(errors.mean()), 3),
        "median_off_ms": round(float(np.median(off)), 3),
        "p95_off_ms": round(float(np.percentile(off, 95)), 3),
        "max_off_ms": round(float(off.max()), 3),
        "promised_ms": PROMISED_MS,
    }
    print("  ".join(f"{name} {value}" for name, value in row.items()))
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), **row}, indent=2) + "\n")


if __name__ == "__main__":
    main()
