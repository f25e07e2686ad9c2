"""A simulated room is the room: the same laws of hearing, wear and end, and the same figures from the same seed."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from core.bootstrap.simulation import Visit, plan_of, simulation_of
from core.domain.pool.facts import Mood
from core.domain.pool.reach import EVERYWHERE
from core.errors import Misconfigured
from core.services.measures import measures, recurrences_s, repeats_inside_window, summary
from core.services.simulated import MemoryRows, Played, Run, Take
from core.settings import load_settings
from memory_ui.cli import app
from memory_ui.simulation_report import SUMMARY, Column, report_html, report_json, summary_rows
from tests.pool_takes import NOW, take

VISIT = Visit(
    start=date(2026, 3, 28),
    days=2,
    seed=1,
    arrivals_per_day=30,
    fossils=0.3,
    held=0,
    opens_hour=10,
    closes_hour=12,
    quieter=False,
    mood=None,
)


def simulated(visit=VISIT, **settings):
    given = load_settings(TIME_ZONE="Europe/Berlin", **settings)
    simulation = simulation_of(given)
    return simulation.run(plan_of(given, visit)), simulation


@pytest.fixture(scope="module")
def weekend():
    return simulated()


class TestTheRoom:
    def test_the_same_seed_is_the_same_room_and_another_one_another(self, weekend):
        run, _ = weekend
        assert simulated()[0].played == run.played
        assert simulated(replace(VISIT, seed=2))[0].played != run.played

    def test_two_settings_are_compared_on_the_same_visitors(self, weekend):
        run, _ = weekend
        other, _ = simulated(ENGINE_DEPLOYMENT="oracle")
        came = [(one.facts.created_at, one.facts.duration_ms) for _, one in sorted(run.takes.items())]
        assert came == [(one.facts.created_at, one.facts.duration_ms) for _, one in sorted(other.takes.items())]
        assert [one.gap_ms for one in other.played] != [one.gap_ms for one in run.played]

    def test_nothing_is_heard_before_it_came_or_after_it_ended(self, weekend):
        run, _ = weekend
        for one in run.played:
            for number in one.voices:
                take = run.takes[number]
                assert take.facts.created_at <= one.at + timedelta(seconds=1)
                assert one.at < take.ends_at

    def test_the_room_is_open_by_the_clock_of_the_site_also_on_the_day_it_changes(self, weekend):
        run, _ = weekend
        hours = {one.at.astimezone(run.plan.start.tzinfo).hour for one in run.played}
        assert hours <= {10, 11, 12}
        assert run.open_ms == 2 * 2 * 3_600_000

    def test_a_hearing_counts_and_wears_as_it_does_in_the_room(self, weekend):
        run, _ = weekend
        heard = sum(len(one.voices) for one in run.played)
        assert sum(one.facts.plays for one in run.takes.values()) == heard
        assert sum(one.facts.wear for one in run.takes.values()) == pytest.approx(heard * 0.003, rel=0.01)

    def test_a_room_nobody_comes_to_rests(self):
        run, simulation = simulated(replace(VISIT, arrivals_per_day=0))
        assert (run.played, run.takes) == ([], {})
        assert summary(run, simulation)["rest_share"] == pytest.approx(1, abs=0.01)

    def test_what_a_fossil_left_sounds_for_eight_seconds_once_its_raw_is_over(self):
        visit = replace(VISIT, days=4, fossils=1.0)
        run, _ = simulated(visit, RAW_TTL_HOURS_FOSSIL=3)
        late = [
            one
            for one in run.played
            if len(one.voices) == 1 and one.at - run.takes[one.voices[0]].facts.created_at > timedelta(hours=4)
        ]
        assert late
        assert max(one.length_ms for one in late) == 8000

    def test_quieter_and_a_mood_are_simulated_as_a_steward_would_set_them(self, weekend):
        run, simulation = weekend
        quieter, other = simulated(replace(VISIT, quieter=True))
        assert summary(quieter, other)["gap_cue_s_mean"] > summary(run, simulation)["gap_cue_s_mean"]
        leaning, _ = simulated(replace(VISIT, mood=Mood.WEATHERED))
        assert sum(one.mood == "weathered" for one in leaning.played) > sum(
            one.mood == "weathered" for one in run.played
        )

    def test_an_unknown_deployment_is_refused(self):
        with pytest.raises(Misconfigured, match="ENGINE_DEPLOYMENT"):
            simulation_of(load_settings(ENGINE_DEPLOYMENT="nonsense"))


def test_rows_in_memory_are_met_alike_by_probes():
    rows = MemoryRows()
    for number in range(1, 7):
        far = NOW + timedelta(days=9)
        rows.add(Take(facts=take(artifact_id=number), raw_until=far, ends_at=far, place=(number * 0.37) % 1))
    rows.drop(4)
    met = rows.probe(2, [(cell, rank) for cell in range(2) for rank in range(4)])
    assert sorted(facts.artifact_id for facts in met if facts is not None) == [1, 2, 3, 5, 6]
    assert rows.size() == len(rows.scan(EVERYWHERE, lambda _: True)) == 5


def played(*voices, at_s=0, pool_size=40):
    return Played(
        at=NOW + timedelta(seconds=at_s),
        gap_ms=1000,
        gap_kind="cue",
        length_ms=9000,
        voices=voices,
        lane="mid",
        mood="hushed",
        movement="arrival",
        scene="threshold",
        pool_size=pool_size,
        thread_signal="",
        featured_return=False,
        gave_way=(),
    )


class TestMeasures:
    def test_returns_are_counted_from_hearing_to_hearing_of_one_take(self):
        assert recurrences_s([played(1), played(2, at_s=10), played(1, 3, at_s=25), played(3, at_s=90)]) == [25, 65]

    @pytest.mark.parametrize(
        ("numbers", "pool_size", "repeats"),
        [((1, 2, 3, 1), 40, 1), ((1, 2, 3, 1), 4, 0), ((1, 2, 1), 4, 1), ((*range(1, 14), 1), 40, 0)],
    )
    def test_a_repeat_is_one_inside_the_window_that_the_pool_allows(self, weekend, numbers, pool_size, repeats):
        run, simulation = weekend
        found = Run(plan=run.plan, played=[played(number, pool_size=pool_size) for number in numbers])
        assert repeats_inside_window(found, simulation) == repeats

    def test_everything_measured_is_plain_json_and_adds_up(self, weekend):
        run, simulation = weekend
        found = measures(run, simulation)
        assert json.loads(json.dumps(found)) == found
        assert sum(found["series"]["gaps"]) == found["summary"]["programs"] == len(run.played)
        assert sum(found["series"]["plays_per_artifact"]) == sum(len(one.voices) for one in run.played)
        assert found["summary"]["silence_share"] <= found["summary"]["silence_budget"]


class TestTheReport:
    @pytest.fixture(scope="class")
    @classmethod
    def columns(cls, weekend):
        run, simulation = weekend
        return [Column(name=name, given={"seed": 1}, measured=measures(run, simulation)) for name in ("a <b>", "c")]

    def test_it_says_every_figure_of_the_summary_for_both_and_their_ratio(self, columns):
        rows = summary_rows(columns)
        assert [row[0] for row in rows] == [label for _, label, _ in SUMMARY]
        assert all(len(row) == 4 and row[1] == row[2] for row in rows)
        assert {key for key, _, _ in SUMMARY} <= set(columns[0].measured["summary"])

    def test_the_page_needs_nothing_else_and_escapes_what_it_is_given(self, columns):
        page = report_html(columns, "2 simulated days")
        head = page[: page.index("<script>")]
        assert "a &lt;b&gt;" in page
        assert "http://" not in head
        assert "https://" not in head
        assert "<link" not in head
        assert page.count("class='chart'") == 14

    def test_the_json_holds_both_runs(self, columns):
        told = json.loads(report_json(columns))["runs"]
        assert [one["name"] for one in told] == ["a <b>", "c"]
        assert set(told[0]) == {"name", "given", "summary", "series"}


class TestTheCommand:
    def run(self, tmp_path, *options):
        short = ["--days", "1", "--opens", "10", "--closes", "11", "--out", str(tmp_path / "out")]
        return CliRunner().invoke(app, ["simulate", *short, *options])

    def test_it_writes_a_page_and_its_figures(self, tmp_path):
        done = self.run(tmp_path, "--profile", "quiet_gallery", "--deployment", "witness", "--arrivals", "30")
        assert done.exit_code == 0, done.output
        assert "Programs" in done.output
        (one,) = json.loads((tmp_path / "out" / "report.json").read_text())["runs"]
        assert (one["given"]["profile"], one["given"]["deployment"]) == ("quiet_gallery", "witness")
        assert (tmp_path / "out" / "report.html").read_text().startswith("<!doctype html>")

    def test_it_compares_two_settings_side_by_side(self, tmp_path):
        done = self.run(tmp_path, "--set", "ROOM_OVERLAP_CHANCE=0.5", "--against", "ROOM_OVERLAP_CHANCE=0")
        assert done.exit_code == 0, done.output
        first, second = json.loads((tmp_path / "out" / "report.json").read_text())["runs"]
        assert second["summary"]["together_share"] == 0 < first["summary"]["together_share"]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--set", "NONSENSE"), "NAME=VALUE"),
            (("--start", "yesterday"), "yesterday"),
            (("--mood", "cheerful"), "cheerful"),
            (("--days", "0"), "days"),
        ],
    )
    def test_what_it_cannot_do_it_says(self, tmp_path, options, said):
        done = self.run(tmp_path, *options)
        assert done.exit_code == 2
        assert said in done.output

    def test_a_wrong_setting_is_refused_as_a_node_refuses_it(self, tmp_path):
        done = self.run(tmp_path, "--set", "ROOM_OVERLAP_CHANCE=7")
        assert isinstance(done.exception, Misconfigured)
        assert not (tmp_path / "out").exists()
