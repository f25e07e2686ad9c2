"""Hours of programs through the real player in a few minutes."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Playwright

from tests.browser.sound_stage import AUDIO, COLOURS, opened, probe, served
from tests.soak.census import WATCH, Census

Row = dict[str, Any]


def soak(playwright: Playwright, *, hours: float, samples: int, seed: int, tell: Callable[[str], None]) -> list[Row]:
    """One row at the end of each of `samples` equal stretches; the first when a stretch has passed."""
    rows = []
    with served() as origin, opened(playwright, origin, WATCH) as page:
        page.set_default_timeout(0)
        census = Census(page)
        probe(page, "begin", "soak_probe", figures=AUDIO, colours=COLOURS, hours=hours, seed=seed)
        for _ in range(samples):
            told = probe(page, "advance", "soak_probe", minutes=hours * 60 / samples)
            rows.append({**told, **census.count()})
            tell(" ".join(f"{name} {value}" for name, value in rows[-1].items()))
        probe(page, "finish", "soak_probe")
    return rows
