from datetime import timedelta

import pytest

from core.domain.steward import CONTROLS, SESSION, SWITCHES, topics_of
from core.errors import BadField, Conflict
from core.ports.work import TrailQuery
from tests.fakes import START, at_once, offering

LATER = START + timedelta(minutes=15)


def change(node, version=None, **wanted):
    return node.system.stewardship.change(wanted, actor="Ana", version=version)


def trail(node, **query):
    return node.system.stewardship.trail(TrailQuery(**query))


def test_a_node_nobody_has_touched_has_the_posture_of_its_settings(make_node):
    state = make_node(KIOSK_MAX_RECORDING_SECONDS=90).system.stewardship.state()
    assert state.kiosk_max_recording_seconds == 90
    assert not any(getattr(state, name) for name in SWITCHES)


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_turns_on_and_off(node, name):
    on = change(node, 0, **{name: True}).state
    assert (getattr(on, name), on.version, on.updated_at) == (True, 1, START)
    off = change(node, 1, **{name: False}).state
    assert (getattr(off, name), off.version) == (False, 2)
    assert node.system.stewardship.state() == off


def test_a_change_leaves_everything_else_alone(make_node):
    node = make_node(KIOSK_MAX_RECORDING_SECONDS=90)
    change(node, quieter_mode=True)
    state = change(node, intake_paused=True).state
    assert (state.quieter_mode, state.intake_paused, state.kiosk_max_recording_seconds) == (True, True, 90)


def test_a_stale_version_is_a_conflict_and_changes_nothing(node):
    change(node, 0, intake_paused=True)
    with pytest.raises(Conflict):
        change(node, 0, playback_paused=True)
    assert not node.system.stewardship.state().playback_paused


def test_of_two_stewards_at_once_one_wins(node):
    results = at_once(lambda: change(node, 0, intake_paused=True), lambda: change(node, 0, quieter_mode=True))
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert node.counts()["steward_action"] == 1


def test_every_change_is_noted_with_who_when_and_from_what_to_what(node):
    change(node, intake_paused=True, session_theme_title="Rain")
    (action,) = trail(node)
    assert (action.actor, action.at, action.action) == ("Ana", START, "controls")
    assert action.before == {"intake_paused": False, "session_theme_title": ""}
    assert action.after == {"intake_paused": True, "session_theme_title": "Rain"}


def test_what_changes_nothing_leaves_no_trace(node):
    assert change(node, intake_paused=False, mood_bias="").changes == {}
    assert node.system.stewardship.state().version == 0
    assert trail(node) == []


def test_topics_are_kept_as_a_list_each_once(node):
    change(node, kiosk_topics=" rain ,the  stairs、rain ، neighbours，")
    assert node.system.stewardship.state().kiosk_topics == "rain, the stairs, neighbours"
    assert topics_of(node.system.stewardship.state().kiosk_topics) == ("rain", "the stairs", "neighbours")


class TestTimedSwitches:
    def test_a_switch_ends_by_its_time_without_anybody_clearing_it(self, node):
        change(node, intake_paused=True, intake_paused_until=LATER)
        assert node.system.stewardship.state().intake_paused
        node.clock.advance(minutes=15)
        state = node.system.stewardship.state()
        assert (state.intake_paused, state.intake_paused_until) == (False, None)
        node.system.intake.ready()

    def test_its_end_is_noted_once_as_the_nodes_own_doing(self, node):
        change(node, quieter_mode=True, quieter_mode_until=LATER)
        assert node.system.stewardship.clear_timed() == 0
        node.clock.advance(minutes=16)
        assert [node.system.stewardship.clear_timed() for _ in range(2)] == [1, 0]
        newest = trail(node)[0]
        assert newest.actor == "the node"
        assert newest.after == {"quieter_mode": False, "quieter_mode_until": None}

    def test_of_two_clearings_at_once_one_is_noted(self, node):
        change(node, quieter_mode=True, quieter_mode_until=LATER)
        node.clock.advance(minutes=16)
        clear = node.system.stewardship.clear_timed
        assert sorted(at_once(clear, clear)) == [0, 1]
        assert len(trail(node)) == 2

    def test_a_change_after_its_time_does_not_bring_it_back(self, node):
        change(node, playback_paused=True, playback_paused_until=LATER)
        node.clock.advance(hours=1)
        state = change(node, quieter_mode=True).state
        assert (state.playback_paused, state.quieter_mode) == (False, True)

    def test_turning_on_again_without_a_time_is_for_good(self, node):
        change(node, intake_paused=True, intake_paused_until=LATER)
        change(node, intake_paused=True)
        node.clock.advance(days=30)
        assert node.system.stewardship.state().intake_paused

    def test_turning_off_forgets_the_time(self, node):
        change(node, intake_paused=True, intake_paused_until=LATER)
        assert change(node, intake_paused=False).state.intake_paused_until is None

    @pytest.mark.parametrize(
        "wanted",
        [
            {"intake_paused_until": LATER},
            {"intake_paused": False, "intake_paused_until": LATER},
            {"intake_paused": True, "intake_paused_until": START},
            {"intake_paused": True, "intake_paused_until": START + timedelta(hours=25)},
            {"intake_paused": True, "intake_paused_until": "tomorrow"},
            {"intake_paused": True, "intake_paused_until": "2026-03-01T12:30:00"},
            {"intake_paused": True, "intake_paused_until": 5},
        ],
    )
    def test_a_time_that_makes_no_sense_is_refused_by_name(self, node, wanted):
        with pytest.raises(BadField, match="intake_paused_until"):
            change(node, **wanted)
        assert trail(node) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("intake_paused", 1),
        ("intake_paused", "true"),
        ("intake_paused", None),
        ("kiosk_max_recording_seconds", 29),
        ("kiosk_max_recording_seconds", 301),
        ("kiosk_max_recording_seconds", True),
        ("kiosk_max_recording_seconds", 60.0),
        ("mood_bias", "cheerful"),
        ("mood_bias", ["clear"]),
        ("kiosk_language_code", "tlh"),
        ("kiosk_accessibility_mode", "tiny"),
        ("session_theme_title", "x" * 81),
        ("session_theme_prompt", "a\x00b"),
        ("session_theme_prompt", "\ud800"),
        ("kiosk_topics", ", ".join(f"topic {number}" for number in range(9))),
        ("kiosk_topics", "x" * 65),
        ("kiosk_topics", ["rain"]),
        ("kiosk_closed_words", "x" * 241),
        ("deployment_focus_topic", 4),
        ("deployment_focus_status", "x" * 33),
        ("version", 4),
        ("updated_at", "2026-03-01T12:00:00+00:00"),
        ("no_such_control", 1),
    ],
)
def test_a_value_out_of_range_is_refused_by_name_and_nothing_changes(node, name, value):
    with pytest.raises(BadField, match=name):
        node.system.stewardship.change({"quieter_mode": True, name: value}, actor="Ana")
    assert node.system.stewardship.state().version == 0


def test_every_field_of_the_posture_is_a_control(node):
    fields = set(type(node.system.stewardship.state()).__dataclass_fields__)
    assert fields - {"updated_at", "version", "closed", "sensed"} == set(CONTROLS)


def test_clearing_a_session_takes_its_framing_and_nothing_else(node):
    framing = {name: "clear" if name == "mood_bias" else "rain" for name in SESSION}
    change(node, **framing, quieter_mode=True, kiosk_max_recording_seconds=60)
    state = node.system.stewardship.clear_session(actor="Ana").state
    assert [getattr(state, name) for name in SESSION] == [""] * len(SESSION)
    assert (state.quieter_mode, state.kiosk_max_recording_seconds) == (True, 60)


class TestTrail:
    @pytest.fixture
    def full(self, node):
        for minute, (actor, wanted) in enumerate(
            [
                ("Ana", {"intake_paused": True}),
                ("Ben", {"session_theme_title": "100% rain"}),
                ("Ana", {"mood_bias": "clear"}),
            ]
        ):
            node.clock.advance(minutes=minute)
            node.system.stewardship.change(wanted, actor=actor)
        return node

    def test_newest_first(self, full):
        assert [action.actor for action in trail(full)] == ["Ana", "Ben", "Ana"]

    @pytest.mark.parametrize(
        ("words", "found"),
        [("rain", 1), ("RAIN", 1), ("100%", 1), ("intake", 1), ("ana clear", 1), ("%", 1), ("snow", 0)],
    )
    def test_words_are_looked_for_in_all_that_is_text(self, full, words, found):
        assert len(trail(full, words=words)) == found

    def test_by_actor_and_time_and_page(self, full):
        assert len(trail(full, actor="Ana")) == 2
        assert len(trail(full, until=START)) == 1
        newest = trail(full, limit=1)[0]
        assert [action.actor for action in trail(full, before=newest.id)] == ["Ben", "Ana"]

    def test_it_is_forgotten_after_two_years(self, full):
        full.clock.advance(days=731)
        full.system.retention.prune()
        assert trail(full) == []


def test_a_held_room_takes_in_and_plays_nothing_new(make_node):
    node = make_node(HOLD_NEW_TAKES=True)
    kept = node.system.intake.keep(offering(), lambda *_: {})
    assert kept.artifact.review.value == "held"
    assert not kept.artifact.playable(START)
    assert kept.artifact.lasts(START)
