"""A simulated room is the room: the same laws of hearing, wear and end, and the same figures from the same seed."""

import json
import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from core.bootstrap.simulation import Visit, plan_of, simulation_of
from core.domain.pool.facts import Mood
from core.domain.pool.reach import EVERYWHERE
from core.errors import Misconfigured
from core.services.measures import measures, recurrences_s, repeats_inside_window, series, summary
from core.services.simulated import Headcount, MemoryRows, Played, Run, Take
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

BERLIN = ZoneInfo("Europe/Berlin")
EMPTY_FROM_11 = Headcount(steps=((0, 3), (11, 0)))


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


class TestWhoIsThere:
    DAY = Headcount(steps=((0, 0), (9, 3), (12, 20), (18, 0)))

    @pytest.mark.parametrize(
        ("at", "people", "empty_h"),
        [("00:00", 0, 6), ("08:59", 0, 14.983), ("09:00", 3, 0), ("12:00", 20, 0), ("17:59", 20, 0), ("18:30", 0, 0.5)],
    )
    def test_each_step_counts_until_the_next_and_an_empty_room_is_empty_since_they_left(self, at, people, empty_h):
        local = datetime.fromisoformat(f"2026-03-10T{at}").replace(tzinfo=BERLIN)
        assert self.DAY.people(local) == people
        assert self.DAY.empty_s(local) / 3600 == pytest.approx(empty_h, abs=0.001)

    def test_before_the_first_step_the_last_one_counts(self):
        local = datetime(2026, 3, 10, 8, tzinfo=BERLIN)
        assert (Headcount(steps=((9, 0), (17, 4))).people(local), Headcount(steps=((9, 5),)).people(local)) == (4, 5)

    def test_where_nobody_ever_is_it_has_been_so_for_ever(self):
        local = datetime(2026, 3, 10, 8, tzinfo=BERLIN)
        assert Headcount(steps=((9, 0), (17, 0))).empty_s(local) == math.inf

    def test_an_hour_that_the_clock_leaves_out_is_not_counted(self):
        local = datetime(2026, 3, 29, 9, tzinfo=BERLIN)
        assert Headcount(steps=((1, 0), (10, 4))).empty_s(local) == 7 * 3600

    def test_a_room_that_does_not_go_by_it_is_the_same_room(self, weekend):
        run, _ = weekend
        other, simulation = simulated(replace(VISIT, headcount=EMPTY_FROM_11))
        assert other.played == run.played
        assert summary(other, simulation)["programs_to_nobody"] == sum(hour_of(one) >= 11 for one in run.played) > 0
        assert summary(other, simulation)["alone_share"] == 0

    def test_a_room_that_goes_by_it_rests_once_nobody_has_been_there_for_a_while(self):
        run, simulation = simulated(replace(VISIT, headcount=EMPTY_FROM_11), ROOM_FOLLOWS_OCCUPANCY=True)
        after_s = simulation.tables.catalog.occupancy.empty_after_s
        late = [one for one in run.played if hour_of(one) >= 11]
        assert len(run.played) > len(late) > 0
        assert all(one.at.minute * 60 + one.at.second < after_s + 60 for one in late)
        found = summary(run, simulation)
        assert found["programs_to_nobody"] == len(late)
        assert found["alone_share"] == pytest.approx(0.5 * (1 - after_s / 3600), abs=0.02)

    def test_a_crowd_makes_it_livelier_and_silence_is_measured_by_that(self):
        crowd = Headcount(steps=((0, 30),))
        calm, other = (
            summary(*simulated(replace(VISIT, headcount=crowd), ROOM_FOLLOWS_OCCUPANCY=follows))
            for follows in (False, True)
        )
        assert other["gap_cue_s_mean"] < calm["gap_cue_s_mean"]
        assert other["silence_budget"] < calm["silence_budget"]

    def test_where_nobody_counts_nothing_is_said_of_it(self, weekend):
        run, simulation = weekend
        assert summary(run, simulation)["programs_to_nobody"] is None
        assert series(run, simulation)["people_by_hour"] is None


def hour_of(one):
    """At which hour of the site's clock it began."""
    return one.at.astimezone(BERLIN).hour


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
        assert found["series"]["hours"] == [10, 11]
        assert sum(found["series"]["programs_by_hour"]) * 2 == len(run.played)
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
        assert page.count("class='chart'") == 16

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

    def test_it_shows_what_going_by_the_people_there_does(self, tmp_path):
        people = ("--occupancy", "11:0, 10:3")
        done = self.run(tmp_path, *people, "--closes", "12", "--against", "ROOM_FOLLOWS_OCCUPANCY=true")
        assert done.exit_code == 0, done.output
        assert "ROOM_FOLLOWS_OCCUPANCY is off" not in done.output
        first, second = json.loads((tmp_path / "out" / "report.json").read_text())["runs"]
        assert first["given"]["people"] == "3 from 10 o'clock, 0 from 11 o'clock"
        assert [one["given"]["the room goes by them"] for one in (first, second)] == ["no", "yes"]
        assert first["series"]["people_by_hour"] == [3, 0]
        assert second["summary"]["programs_to_nobody"] < first["summary"]["programs_to_nobody"] / 2
        assert '"10 (3)", "11 (0)"' in (tmp_path / "out" / "report.html").read_text()

    def test_people_a_room_does_not_go_by_are_said_to_count_for_nothing(self, tmp_path):
        assert "ROOM_FOLLOWS_OCCUPANCY is off" in self.run(tmp_path, "--occupancy", "10:3").output

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--set", "NONSENSE"), "NAME=VALUE"),
            (("--occupancy", "9"), "HOUR:PEOPLE"),
            (("--occupancy", "24:1"), "24:1"),
            (("--occupancy", "9:1,09:2"), "09:2"),
            (("--occupancy", "9:-1"), "9:-1"),
            (("--occupancy", "9:1001"), "9:1001"),
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
