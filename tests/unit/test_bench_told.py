import pytest

from bench.evening import grown
from bench.told import report, slug

TIMES = {"median_ms": 2.0, "p95_ms": 3.5, "max_ms": 9.0, "count": 4}
HELD = {"web 1": 180}


def row(size: int, served_ms: float = 1.5, **medians: float) -> dict[str, object]:
    kinds = {"pool next, any": 2.0, "heard": 2.0, "node status": 5.0, **medians}
    return {
        "size": size,
        "times": {kind: {**TIMES, "median_ms": ms} for kind, ms in kinds.items()},
        "served": {kind: {**TIMES, "median_ms": served_ms} for kind in ("pool next", "heard", "node status")},
        "memory_mb": HELD,
        "sweeps": {"nothing due": {"due": 0, "expired": 0, "gone": 0, "expire_s": 0.01, "sweep_s": 0.02}},
    }


def told(*rows: dict[str, object]) -> str:
    machine = {"cores": 2, "python": "3.11"}
    return report({"machine": machine, "growth": {"rows": {"embedded": list(rows)}}})


def test_what_stayed_flat_is_said_to_be_kept() -> None:
    text = told(row(10), row(1_000), row(1_000_000))
    assert "| pool next, any: at most 2 times | embedded | 1.00 times | yes |" in text
    assert "NO" not in text
    assert "| takes | 10 | 1,000 | 1,000,000 |" in text
    assert "| sweep, nothing due | 0.03 s (0) | 0.03 s (0) | 0.03 s (0) |" in text


@pytest.mark.parametrize(
    ("grown_kind", "ms"), [({"pool next, any": 4.1}, 4.1), ({"heard": 4.1}, 4.1), ({"node status": 15.1}, 15.1)]
)
def test_what_grew_is_said_to_have_grown(grown_kind: dict[str, float], ms: float) -> None:
    text = told(row(10), row(1_000), row(1_000_000, **grown_kind))
    assert text.count("| NO |") == 1
    assert f"{ms:g} / 3.5" in text


def test_what_kept_a_server_too_long_is_said() -> None:
    text = told(row(10), row(1_000), row(1_000_000, served_ms=5.1))
    assert "| pool next: under 5 ms at the server | embedded | 5.1 ms | NO |" in text
    assert "| pool next, at the server | 1.5 / 3.5 | 1.5 / 3.5 | 5.1 / 3.5 |" in text


def test_whether_draws_were_exact_is_told() -> None:
    wish = {"p": 0.4, "kinds": 31, "ms_each": 1.5}
    found = {"size": 1_000_000, "draws": 10_000, "engines": {"stack": {"anything": wish}}}
    assert "| stack | anything | 31 | 0.4 | 1.5 |" in report(
        {"machine": {"cores": 2, "python": "3.11"}, "exact": found}
    )


def test_what_holds_whatever_the_size_is_judged() -> None:
    calm = {"/livez": TIMES}
    one = {
        "start": {**TIMES, "median_ms": 2_100},
        "at_rest_mb": {"web 1": 201},
        "most_mb": HELD,
        "voice": {"whole": TIMES},
        "voices_a_second": 70.0,
        "others": {
            "upload_bytes": 28_800_000,
            "upload": TIMES,
            "web": {"ran_s": 5.5, "waited_for_a_core_s": 4.2},
            "calm": calm,
            "while eight upload": {"/livez": {**TIMES, "max_ms": 50.1, "longer": 1}},
        },
    }
    text = report({"machine": {"cores": 2, "python": "3.11"}, "loads": {"engines": {"stack": one}}})
    assert "worked for 5.5 s, and waited for a core for 4.2 s." in text
    assert f"50.1 | 1 of {TIMES['count']} |" in text
    assert "| start: under 3 s | stack | 2.1 s | yes |" in text
    assert "| web at rest: under 200 MB | stack | 201 MB | NO |" in text
    assert "| others wait at most 50 ms | stack | 50.1 ms | NO |" in text


def test_what_a_page_and_a_job_may_take_is_judged() -> None:
    pushed = {"pages": 200, "a change": TIMES, "seen by the last page": TIMES, "memory for each page": "0.312 MB"}
    job = {"derivative": "spectrogram", "take_s": 300, "median_s": 1.0, "p95_s": 1.2, "peak_mb": 270.4}
    visit = {"kb": 90.0, "stands": {**TIMES, "median_ms": 2_900}}
    pages = {"small": True, "pages": {"/kiosk/": {"first": visit}}, "memory_mb": 190, "most_mb": 210}
    found = {"push 1": {**pushed, "pages": 1}, "push 200": pushed, "derivatives": {"rows": [job]}, "small": pages}
    text = report({"machine": {"cores": 2, "python": "3.11"}, **found})
    assert "| a page: under 0.3 MB | embedded | 0.312 MB | NO |" in text
    assert "| a worker's largest job: under 300 MB | both | 270 MB | yes |" in text
    assert "| pages stand in under 3 s | embedded | 2.9 s | yes |" in text


def test_parts_that_were_not_measured_are_left_out() -> None:
    assert "##" not in report({"machine": {"cores": 2, "python": "3.11"}})


def test_a_name_is_one_for_a_file() -> None:
    assert slug("pool next, any") == "pool-next-any"


def test_what_is_held_is_compared_by_quarters() -> None:
    samples = [{"at_s": number, "web 1, MB": 100.0 + (number >= 6)} for number in range(8)]
    assert grown(samples) == {"web 1, MB": {"second quarter": 100.0, "last quarter": 101.0, "most": 101.0}}
