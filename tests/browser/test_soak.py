"""The soak (`make soak`), short: it runs, finds nothing that grows, and would find it."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright

from tests.soak import offline, report, room


def quiet(line: str) -> None:
    """Says nothing."""


def rows(**columns: list[float]) -> list[dict[str, Any]]:
    """Samples, column by column, without rejections and errors."""
    plain = {"rejections": 0, "errors": 0}
    return [{**plain, **dict(zip(columns, values, strict=True))} for values in zip(*columns.values(), strict=True)]


def test_what_stays_level_is_no_complaint_whatever_it_was_at_first() -> None:
    assert (
        report.complaints(rows(heap_mb=[9, 2, 2, 2.1, 2, 2.2, 2, 2.1], audio_nodes=[8, 40, 9, 30, 20, 12, 40, 8])) == []
    )


def test_what_grows_is_a_complaint() -> None:
    found = report.complaints(rows(heap_mb=[2.0 + number for number in range(8)]))
    assert found == ["heap_mb grew from 4.5 to 8.5"]


@pytest.mark.parametrize("name", ["rejections", "errors"])
def test_what_went_wrong_unseen_is_a_complaint(name: str) -> None:
    assert report.complaints([{**row, name: 2} for row in rows(heap_mb=[2] * 8)]) == [f"2 {name}"]


def test_half_an_hour_of_programs_leaves_nothing_behind(playwright: Playwright) -> None:
    found = offline.soak(playwright, hours=0.5, samples=8, seed=3, tell=quiet)
    assert found[-1]["started"] > 300
    assert found[-1]["heard"] > 0.8 * found[-1]["started"]
    assert report.complaints(found) == []


def test_the_room_page_leaves_nothing_behind(playwright: Playwright) -> None:
    found = room.soak(playwright, minutes=0.15, samples=3, tell=quiet)
    assert found[-1]["rejections"] == found[-1]["errors"] == 0
    assert max(row["audio_nodes"] for row in found) < 100


def test_the_report_has_every_sample_and_says_what_it_was(tmp_path: Path) -> None:
    found = {
        "chromium": "1",
        "room": [
            {**row, "minutes": 1.0, "heard": 3, **dict.fromkeys(report.ALLOWED, 5)} for row in rows(heap_mb=[2] * 8)
        ],
    }
    report.write(tmp_path, "make soak", found)
    page = (tmp_path / "soak.md").read_text()
    assert "Nothing grew; 0 unhandled rejections, 0 errors." in page
    assert (tmp_path / "soak.json").read_text().count('"minutes"') == 8
