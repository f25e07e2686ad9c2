"""The bench runs: at sizes that take seconds, on both engines, so that it measures when it is asked to."""

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from bench import curves, growth, loads, run, told
from bench.clients import UNBOUNDED
from bench.compare import SCENARIOS, STEWARDS, compare
from bench.evening import measure as evening
from bench.ground import embedded, machine, sign_in


@pytest.mark.parametrize("engine", growth.ENGINES)
def test_growth_is_measured_and_told(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "ASKED", len(growth.WISHES))
    monkeypatch.setattr(growth, "LEFT", 4)
    monkeypatch.setattr(growth, "SHARES", {"10 % due": 0.1})
    lines: list[str] = []
    rows = growth.measure(engine, [300], 1, lines.append)
    assert {*told.CURVES, "revoke", "artifact summary"} <= set(rows[0]["times"])
    assert all(found["count"] >= 1 for found in rows[0]["served"].values())
    due = rows[0]["sweeps"]["10 % due"]
    assert (due["due"], due["expired"], due["gone"]) == (30, 30, 30)
    assert len(lines) == 1
    text = told.report({"machine": machine(), "growth": {"rows": {engine: rows}}})
    assert f"| {engine} |" in text
    file = tmp_path / "curve.svg"
    curves.draw({file: curves.curve("revoke", {engine: rows})})
    assert file.read_text("utf-8").startswith("<svg")


def test_an_evening_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.evening.HELD", 8)
    monkeypatch.setattr("bench.evening.TAKE_EVERY_S", 1.0)
    found = evening("embedded", 0.2)
    assert found["counts"]["takes left"] > 0
    assert {"intake", "pool next", "voice", "status"} <= set(found["times"])
    assert found["samples"][-1]["web 1, handles"] > 0


def test_two_servers_are_compared_turn_by_turn() -> None:
    with embedded(**UNBOUNDED) as one, embedded(**UNBOUNDED) as other, ExitStack() as stack:
        here, there = (stack.enter_context(closing(sign_in(node.instances[0], node.secret))) for node in (one, other))
        found = compare(here, there, {**SCENARIOS, **STEWARDS}, 1)
    assert set(found) == {*SCENARIOS, *STEWARDS}
    assert all(row["ratio"] > 0 and row["here"]["count"] == 1 for row in found.values())


def test_what_does_not_hang_on_size_is_measured_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for figure, value in {"LARGEST_S": 1.0, "CALM_S": 0.3, "SETTLE_S": 0.1, "FETCHED": 2}.items():
        monkeypatch.setattr(loads, figure, value)
    found = loads.measure("embedded", 1)
    others = found["others"]
    assert others["upload"]["count"] == loads.CLIENTS
    assert others["web"]["ran_s"] > 0
    assert set(others["while eight upload"]) <= set(others["calm"]) == set(loads.OTHERS)
    text = told.report({"machine": machine(), "loads": {"engines": {"embedded": found}}})
    assert "others wait at most 50 ms | embedded |" in text


def test_every_part_names_a_program_there_is() -> None:
    programs = {command[0] for command in run.parts([10], 1, 1.0).values()}
    assert programs == {
        "bench.growth",
        "bench.exact",
        "bench.loads",
        "bench.pages",
        "bench.derivatives",
        "bench.open_pages",
        "bench.evening",
    }
