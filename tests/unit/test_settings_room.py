"""What an installation sets about its room: its profile, its clock, its hours and the recording of the place."""

from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from core.adapters.catalogs import load
from core.bootstrap.figures import room_tables
from core.domain.room.rows import Intensity, Preset, QuieterFigures
from core.errors import Misconfigured
from core.settings import TONE_TYPES, Profiles, Settings, load_settings

PROFILES = load("profiles", Profiles).profiles


@pytest.fixture(autouse=True)
def nothing_from_the_folder(monkeypatch, tmp_path):
    """No `.env` of the working folder is read."""
    monkeypatch.chdir(tmp_path)


def complaints(**given):
    with pytest.raises(Misconfigured) as refusal:
        load_settings(**given)
    return refusal.value.complaints


class TestProfiles:
    """A kind of place sets what is not set otherwise."""

    def test_they_are_those_that_can_be_chosen(self):
        assert list(PROFILES) == list(get_args(Settings.model_fields["INSTALLATION_PROFILE"].annotation))

    def test_the_one_that_is_chosen_when_none_is_sets_nothing(self):
        assert PROFILES[Settings.model_fields["INSTALLATION_PROFILE"].default] == {}

    @pytest.mark.parametrize(
        ("profile", "name"), [(profile, name) for profile, values in PROFILES.items() for name in values]
    )
    def test_each_value_is_a_settings_and_reaches_it(self, profile, name):
        assert name in Settings.model_fields
        assert getattr(load_settings(INSTALLATION_PROFILE=profile), name) == PROFILES[profile][name]

    @pytest.mark.parametrize("profile", PROFILES)
    def test_it_leaves_everything_else_at_its_default(self, profile):
        chosen, plain = load_settings(INSTALLATION_PROFILE=profile), load_settings()
        differing = {name for name in Settings.model_fields if getattr(chosen, name) != getattr(plain, name)}
        assert differing - {"INSTALLATION_PROFILE"} <= set(PROFILES[profile])

    def test_the_environment_and_the_env_file_choose_one_too(self, monkeypatch, tmp_path):
        (tmp_path / ".env").write_text("INSTALLATION_PROFILE=shared_lab\n")
        assert load_settings().KIOSK_MAX_RECORDING_SECONDS == 180
        monkeypatch.setenv("INSTALLATION_PROFILE", "active_exhibit")
        assert load_settings().ROOM_OVERLAP_LAYERS == 3

    def test_whatever_is_given_beats_it(self, monkeypatch, tmp_path):
        (tmp_path / ".env").write_text("ROOM_OVERLAP_GAIN=0.5\nROOM_OVERLAP_LAYERS=1\n")
        monkeypatch.setenv("ROOM_SCARCITY_LOW", "9")
        found = load_settings(INSTALLATION_PROFILE="active_exhibit", ROOM_OVERLAP_CHANCE=0)
        given = (found.ROOM_OVERLAP_LAYERS, found.ROOM_SCARCITY_LOW, found.ROOM_OVERLAP_CHANCE)
        assert given == (1, 9, 0)
        assert (found.ROOM_SCARCITY_SEVERE, found.ROOM_TONE_PROFILE) == (4, "warm_hiss")

    @pytest.mark.parametrize("by", ["argument", "environment", "env file"])
    def test_the_default_given_in_so_many_words_beats_it_too(self, monkeypatch, tmp_path, by):
        (tmp_path / ".env").write_text("ROOM_INTENSITY=by_daypart\n" if by == "env file" else "")
        if by == "environment":
            monkeypatch.setenv("ROOM_INTENSITY", "by_daypart")
        given = {"ROOM_INTENSITY": "by_daypart"} if by == "argument" else {}
        assert load_settings(INSTALLATION_PROFILE="quiet_gallery", **given).ROOM_INTENSITY == "by_daypart"

    def test_an_empty_variable_does_not_beat_it(self, monkeypatch):
        monkeypatch.setenv("ROOM_INTENSITY", "")
        assert load_settings(INSTALLATION_PROFILE="quiet_gallery").ROOM_INTENSITY == "quiet"

    def test_what_is_given_may_contradict_it_and_is_told(self):
        (line,) = complaints(INSTALLATION_PROFILE="active_exhibit", ROOM_SCARCITY_LOW=4)
        assert "ROOM_SCARCITY_LOW must be above ROOM_SCARCITY_SEVERE" in line

    def test_a_wrong_name_is_told_along_with_everything_else(self):
        found = complaints(INSTALLATION_PROFILE="quiet_galery", TIME_ZONE="Mars/Olympus", PORT=0)
        assert {line.split(":")[0] for line in found} == {"INSTALLATION_PROFILE", "TIME_ZONE", "PORT"}
        assert "'quiet_gallery'" in found[0] + found[1] + found[2]


class TestTheSite:
    @pytest.mark.parametrize("value", ["Europe/Berlin", "UTC", "Pacific/Kiritimati", ""])
    def test_its_time_zone_is_one_there_is_or_the_machines(self, value):
        zone = room_tables(load_settings(TIME_ZONE=value)).choices.zone
        assert zone == (ZoneInfo(value) if value else None)

    @pytest.mark.parametrize("value", ["Mars/Olympus", "CET+1", "../../etc/passwd", "/etc/localtime", "Europe", "x\0y"])
    def test_any_other_is_refused(self, value):
        assert complaints(TIME_ZONE=value)[0].startswith("TIME_ZONE: ")

    def test_hours_and_presets_reach_the_room(self):
        tables = room_tables(load_settings(ROOM_QUIET_HOURS=True, ROOM_QUIET_HOURS_START=21, ROOM_QUIET_HOURS_GAP=1.5))
        quiet = tables.choices.quiet_hours
        assert (quiet.start_hour, quiet.end_hour, quiet.figures) == (
            21,
            6,
            QuieterFigures(gap=1.5, tone=0.78, output=0.72),
        )
        assert (tables.choices.intensity, tables.choices.preset) == (None, None)
        fixed = room_tables(load_settings(ROOM_INTENSITY="quiet", ROOM_MOVEMENT_PRESET="active")).choices
        assert (fixed.intensity, fixed.preset, fixed.quiet_hours) == (Intensity.QUIET, Preset.ACTIVE, None)

    @pytest.mark.parametrize(
        ("given", "names"),
        [
            (
                {"ROOM_OVERLAP_MIN_DELAY_MS": 600},
                "ROOM_OVERLAP_MAX_DELAY_MS must not be below ROOM_OVERLAP_MIN_DELAY_MS",
            ),
            ({"ROOM_SCARCITY_SEVERE": 6}, "ROOM_SCARCITY_LOW must be above ROOM_SCARCITY_SEVERE"),
            ({"ROOM_SCARCITY_LOW": 2}, "ROOM_SCARCITY_LOW must be above ROOM_SCARCITY_SEVERE"),
        ],
    )
    def test_pairs_that_are_in_no_order_are_refused(self, given, names):
        (line,) = complaints(**given)
        assert names in line

    def test_a_delay_may_be_exactly_one(self):
        same = load_settings(ROOM_OVERLAP_MIN_DELAY_MS=300, ROOM_OVERLAP_MAX_DELAY_MS=300)
        assert room_tables(same).choices.overlap.delay_ms == (300, 300)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ROOM_QUIET_HOURS_START", 24),
            ("ROOM_QUIET_HOURS_END", -1),
            ("ROOM_OVERLAP_CHANCE", 1.1),
            ("ROOM_OVERLAP_LAYERS", 4),
            ("ROOM_OVERLAP_LAYERS", 0),
            ("ROOM_OVERLAP_GAIN", 1),
            ("ROOM_INTENSITY", "loud"),
            ("ROOM_MOVEMENT_PRESET", "quiet"),
            ("ROOM_TONE_PROFILE", "brass"),
        ],
    )
    def test_what_no_room_can_be_is_refused_by_name(self, name, value):
        assert complaints(**{name: value})[0].startswith(f"{name}:")


class TestTheRecordingOfThePlace:
    def recording(self, folder, name, size=16):
        path = folder / name
        with path.open("wb") as file:
            file.truncate(size)
        return path

    @pytest.mark.parametrize("name", [f"place{suffix}" for suffix in TONE_TYPES] + ["PLACE.WAV"])
    def test_one_that_browsers_can_be_given_is_accepted(self, tmp_path, name):
        path = self.recording(tmp_path, name)
        assert path == load_settings(ROOM_TONE_PROFILE="site", ROOM_TONE_FILE=path).ROOM_TONE_FILE

    @pytest.mark.parametrize("name", ["place.aiff", "place", "place.wav.zip", ".wav"])
    def test_of_another_kind_it_is_refused(self, tmp_path, name):
        (line,) = complaints(ROOM_TONE_FILE=self.recording(tmp_path, name))
        assert "ROOM_TONE_FILE must end in .wav, .flac, .mp3, .ogg, .m4a" in line

    def test_one_that_is_not_there_is_refused(self, tmp_path):
        (line,) = complaints(ROOM_TONE_FILE=tmp_path / "nowhere.wav")
        assert "ROOM_TONE_FILE: there is no file to read at" in line

    def test_a_folder_is_none(self, tmp_path):
        (tmp_path / "place.wav").mkdir()
        assert "there is no file to read" in complaints(ROOM_TONE_FILE=tmp_path / "place.wav")[0]

    def test_it_may_have_32_megabytes_and_no_more(self, tmp_path):
        assert load_settings(ROOM_TONE_FILE=self.recording(tmp_path, "place.wav", 32_000_000))
        (line,) = complaints(ROOM_TONE_FILE=self.recording(tmp_path, "larger.wav", 32_000_001))
        assert "larger than 32 MB" in line

    def test_the_site_without_one_is_refused(self):
        (line,) = complaints(ROOM_TONE_PROFILE="site")
        assert "ROOM_TONE_PROFILE site needs ROOM_TONE_FILE" in line

    def test_it_may_lie_at_home(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        self.recording(tmp_path, "place.wav")
        assert load_settings(ROOM_TONE_FILE="~/place.wav")
