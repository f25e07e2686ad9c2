"""The bench of the kiosk page, tiny: it runs and finds what it looks for; what it measures is no verdict here."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_weighs_times_and_watches_both_pages(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    # In a process of its own: the browser's driver keeps an event loop running.
    options = ("--rounds", "1", "--seconds", "1", "--json", str(file))
    ran = subprocess.run(
        [sys.executable, "-m", "bench.kiosk_page", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "cold: at most 200 kB above a bare page: " in ran.stdout
    found = json.loads(file.read_text())
    assert len(found["promised"]) == 6
    fetched = found["weight"]["fetched"]
    assert all(0 < fetched["warm"][page][0] < fetched["cold"][page][0] for page in ("kiosk", "bare"))
    own = {Path(path).name for path in found["weight"]["only_kiosk"]}
    assert {"kiosk.css", "recorder.js", "capture_worklet.js"} <= own
    assert all(times["median_ms"] > 0 for visits in found["interactive"].values() for times in visits.values())
    assert all(seen["count"] > 5 for pages in found["frames"].values() for seen in pages.values())
