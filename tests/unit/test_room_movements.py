"""The way through movements and scenes, and the tables it refuses to go by."""

import random
import tomllib
from collections import Counter
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.adapters.catalogs import parse
from core.domain.room.movements import cue_of, entered, movement_of, stepped
from core.domain.room.rows import Preset
from core.domain.room.state import RoomState
from core.domain.room.tables import RoomCatalog
from tests.room_tables import CATALOG

ORDER = ["arrival", "gathering", "weathering", "release"]
TEXT = resources.files("assets").joinpath("catalogs", "room.toml").read_text(encoding="utf-8")


def movements(count, *, preset=Preset.BALANCED, seed=1):
    """The state at the opening of so many movements."""
    rng, state, opened = random.Random(seed), RoomState(), []
    for _ in range(count):
        state = entered(replace(state, left=0), CATALOG.presets[preset], CATALOG, rng)
        opened.append(state)
    return opened


class TestTheWay:
    def test_movements_come_in_their_order_over_and_over(self):
        assert [movement.name for movement in CATALOG.movements] == ORDER
        assert [state.movement for state in movements(12)] == ORDER * 3

    def test_a_movement_stays_until_all_its_voices_have_sounded(self):
        rng, preset = random.Random(1), CATALOG.presets[Preset.BALANCED]
        state = entered(RoomState(), preset, CATALOG, rng)
        for left in range(state.left, 0, -1):
            assert entered(state, preset, CATALOG, rng) == state
            assert (state.movement, state.left) == ("arrival", left)
            state = stepped(state)
        assert entered(state, preset, CATALOG, rng).movement == "gathering"

    @pytest.mark.parametrize(
        ("preset", "expected"),
        [
            ("meditative", {"arrival": (3, 4), "gathering": (4, 5), "weathering": (3, 5), "release": (3, 4)}),
            ("balanced", {"arrival": (2, 3), "gathering": (3, 4), "weathering": (2, 4), "release": (2, 3)}),
            ("active", {"arrival": (2, 2), "gathering": (3, 3), "weathering": (2, 3), "release": (2, 2)}),
        ],
    )
    def test_its_voices_are_as_many_as_the_preset_has_it_and_every_count_comes(self, preset, expected):
        counts = {name: set() for name in ORDER}
        for state in movements(400, preset=preset):
            counts[state.movement].add(state.left)
        assert counts == {name: set(range(fewest, most + 1)) for name, (fewest, most) in expected.items()}

    def test_a_movement_has_at_least_one_voice_whatever_is_taken_away(self):
        poor = replace(CATALOG.presets[Preset.ACTIVE], items=(-9, -9))
        assert entered(RoomState(), poor, CATALOG, random.Random(1)).left == 1

    @settings(deadline=None)
    @given(st.integers(0, 2**32), st.sampled_from(Preset))
    def test_a_scene_suits_its_movement_and_was_none_of_the_last_three(self, seed, preset):
        scenes = []
        for state in movements(40, preset=preset, seed=seed):
            assert state.scene not in scenes[-3:]
            assert state.scene in {scene.name for scene in CATALOG.scenes_of(state.movement)}
            scenes.append(state.scene)
            assert state.recent_scenes == tuple(reversed(scenes[-3:]))

    def test_every_scene_comes(self):
        seen = Counter(state.scene for state in movements(2_000))
        assert set(seen) == {scene.name for scene in CATALOG.scenes}
        assert min(seen.values()) > 20

    def test_a_scene_that_is_through_begins_anew(self):
        state = RoomState(movement="arrival", left=9, scene="threshold")
        scene = next(scene for scene in CATALOG.scenes if scene.name == "threshold")
        cues = []
        for _ in range(2 * len(scene.cues)):
            cues.append(cue_of(state, CATALOG))
            state = stepped(state)
        assert tuple(cues) == scene.cues * 2

    def test_a_state_knows_its_movement(self):
        assert [movement_of(state, CATALOG).name for state in movements(4)] == ORDER

    @pytest.mark.parametrize("former", [{"scene": "a scene of old"}, {"movement": "a movement of old"}])
    def test_a_state_from_an_older_catalog_begins_a_movement(self, former):
        state = replace(movements(1)[0], **former)
        found = entered(state, CATALOG.presets[Preset.BALANCED], CATALOG, random.Random(1))
        assert found.movement in ORDER
        assert cue_of(found, CATALOG)
        assert movement_of(found, CATALOG)


class TestTheRealTables:
    def test_every_scene_has_a_cue_that_asks_for_nothing(self):
        for scene in CATALOG.scenes:
            assert any((cue.lane, cue.density, cue.mood) == (None, None, None) for cue in scene.cues), scene.name

    def test_the_names_of_scenes_are_their_own(self):
        assert len({scene.name for scene in CATALOG.scenes}) == len(CATALOG.scenes)


def complaint(*replacements):
    text = TEXT
    for old, new in replacements:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    assert tomllib.loads(text), "what is refused is well-formed"
    with pytest.raises(ValueError, match=r"room\.toml") as refusal:
        parse("room.toml", text, RoomCatalog)
    return str(refusal.value)


class TestRefusals:
    """A table with a hole is refused at the start, not found in the middle of the night."""

    def test_as_it_is_it_is_none(self):
        assert replace(parse("room.toml", TEXT, RoomCatalog), wish_chance=CATALOG.wish_chance) == CATALOG

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("cues = [{ lane = \"fresh\" }, { mood = \"hushed\", pause = true }, {}]",
             "cues = [{ density = \"light\" }]", "the scene 'first light' has no cue that asks for nothing"),
            ('movements = ["arrival", "release"]', 'movements = ["arrival", "dusk", "dawn"]',
             "scenes for unknown movements: dawn, dusk"),
            ("\nscenes = 3\n", "\nscenes = 5\n", "more scenes than the window remembers: arrival, gathering, release"),
            ("hours = [6, 11]", "hours = [7, 11]", "cover every hour of the day once"),
            ("hours = [6, 11]", "hours = [6, 12]", "cover every hour of the day once"),
            ("[intensities.active]\ncue_gap = 0.82\npause_gap = 0.78\ntone = 0.92\nsilence_most = 0.3\n", "",
             "no row for active"),
            ("[presets.meditative]\ngap = 1.18\nitems = [1, 1]\n", "", "no row for meditative"),
            ("[scarcity.severe]\ngap = 1.8\npause = 2.1\ntone = 1.45\nsilence = 1.5\n", "", "no row for severe"),
            ("[threads.repair_bench]\ncompanions = []\n\n[threads.repair_bench.follow_on]",
             "[threads.question_chorus.follow_on]", "no thread for repair_bench"),
            ("from_playable = 24\ngap = 0.88", "from_playable = 41\ngap = 0.88", "depth must go down to 0"),
            ("from_playable = 0\ngap = 1.18", "from_playable = 1\ngap = 1.18", "depth must go down to 0"),
            ('instead = { dense = "light", light', "instead = { light", "nothing instead of dense"),
            ('clear = "suspended", ', "", "nothing instead of clear"),
            ("cue_ms = [950, 2500]", "cue_ms = [2500, 950]", "least comes before the most"),
            ("echo_after = [4, 7]", "echo_after = [7, 4]", "least comes before the most"),
            ("delay_ms = [150, 300]", "delay_ms = [300, 150]", "least comes before the most"),
        ],
    )  # fmt: skip
    def test_a_hole_is_named(self, old, new, said):
        assert said in complaint((old, new))

    def test_a_follow_on_without_a_step(self):
        steps = TEXT[TEXT.index("steps = [") :]
        assert "a follow-on needs at least one step" in complaint((steps, "steps = []\n"))
