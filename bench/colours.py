"""What each memory colour makes of speech at the room's level: `python -m bench.colours [--json FILE]`.

Spoken takes of several voices at the target loudness go through the room's own graph in Chromium, dry and in every
colour. Told is how much louder or softer each comes out than dry, and the `gain` that would bring the colour to the
loudness of the dry take in the mean of all speakers: that figure belongs into `assets/catalogs/colours.toml`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.ground import machine
from tests import speech
from tests.browser.sound_stage import AUDIO, COLOURS, opened, render, served


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    rows = measured(AUDIO["level"]["target_lufs"])
    print(
        f"{'':<10}" + "".join(f"{speaker:>10}" for speaker in speech.SPEAKERS) + f"{'mean':>10}{'gain':>8}{'wanted':>8}"
    )
    for row in rows:
        told = "".join(f"{change:>+10.2f}" for change in row["change_lu"].values())
        print(f"{row['code']:<10}{told}{row['mean_lu']:>+10.2f}{row['gain']:>8.2f}{row['wanted_gain']:>8.2f}")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")


def measured(lufs: float) -> list[dict[str, Any]]:
    """A row for each colour: change in LU for each speaker, their mean, the gain in the catalog and the gain wanted."""
    rows = []
    with sync_playwright() as playwright, served() as origin, opened(playwright, origin) as page:
        takes = dict(speech.everyone(lufs))
        dry = {name: speech.loudness(render(page, origin, take)) for name, take in takes.items()}
        for colour in COLOURS:
            heard = {name: render(page, origin, take, colour=colour["code"]) for name, take in takes.items()}
            change = {name: round(speech.loudness(samples) - dry[name], 3) for name, samples in heard.items()}
            mean = sum(change.values()) / len(change)
            rows.append(
                {
                    "code": colour["code"],
                    "change_lu": change,
                    "mean_lu": round(mean, 3),
                    "gain": colour["gain"],
                    "wanted_gain": round(colour["gain"] * 10 ** (-mean / 20), 3),
                    "true_peak_dbtp": {name: round(speech.true_peak(samples), 2) for name, samples in heard.items()},
                }
            )
    return rows


if __name__ == "__main__":
    main()
