"""Where a promise stands, and its record, as values alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.domain.artifact import Artifact, Review, State
from core.domain.consent import Mode, Notice, RetentionPolicy, promise
from core.domain.consent_record import Controller, Frame, consent_record
from core.domain.notices import Shown
from core.domain.receipt import Receipt, Stand, standing
from memory_ui.copy import load_copy

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
POLICY = RetentionPolicy(
    raw_room_hours=48,
    raw_fossil_hours=48,
    derivative_fossil_days=365,
    once_fetch_minutes=5,
    once_sweep_minutes=10,
    backup_days=7,
)
GIVEN = promise(Mode.FOSSIL, POLICY, Notice(language="en", version="2"), NOW)
MADE = ("spectrogram_png", "essence_wav")
ALIVE = Artifact(
    id=7,
    public_id="public-id",
    consent_id=1,
    mode=Mode.FOSSIL,
    state=State.ACTIVE,
    raw_key="raw/public-id/audio.wav",
    sha256="sha",
    duration_ms=4000,
    wear=0.1,
    plays=3,
    created_at=NOW,
    heard_at=None,
    raw_until=GIVEN.raw_until,
    derivative_until=GIVEN.derivative_until,
    playable_until=GIVEN.derivative_until,
    ended_at=None,
    gone_at=None,
    deployment="memory",
    topic="the river",
    status="",
    effect="",
    outline=None,
    version=1,
    station="hall",
)


def receipt(artifact=ALIVE, **said):
    plain = {"given": GIVEN, "manifest": GIVEN, "narrowed_at": None, "withdrawn_at": None, "open_deletions": 0}
    if said.get("narrowed_at") is not None:
        plain["manifest"] = GIVEN.narrowed()
    return Receipt(**{**plain, "artifacts": [artifact], **said})


def ended(state, at, gone_at=None):
    return replace(ALIVE, state=state, raw_key=None, playable_until=None, ended_at=at, gone_at=gone_at)


class TestStanding:
    @pytest.mark.parametrize(
        ("artifact", "after", "stand"),
        [
            (ALIVE, HOUR, Stand.ROOM),
            (replace(ALIVE, review=Review.HELD), HOUR, Stand.WAITING),
            (replace(ALIVE, raw_key=None), 49 * HOUR, Stand.FOSSIL),
            (replace(ALIVE, review=Review.FLAGGED), 49 * HOUR, Stand.WAITING),
            (ended(State.EXPIRED, NOW + 365 * DAY), 366 * DAY, Stand.EXPIRED),
            (ended(State.REVOKED, NOW + HOUR), 2 * HOUR, Stand.REMOVED),
        ],
    )
    def test_it_is_told_by_what_the_row_says(self, artifact, after, stand):
        assert standing(receipt(artifact), NOW + after).stand is stand

    def test_time_itself_ends_it_though_no_sweep_has_run(self):
        now = standing(receipt(), GIVEN.derivative_until)
        assert (now.stand, now.ended_at, now.retrying) == (Stand.EXPIRED, GIVEN.derivative_until, True)

    def test_a_raw_whose_hour_is_over_is_told_as_deleted_only_once_its_key_is_gone(self):
        late = NOW + 49 * HOUR
        for artifact, retrying in ((ALIVE, True), (replace(ALIVE, raw_key=None), False)):
            now = standing(receipt(artifact), late)
            assert (now.stand, now.deleted, now.retrying) == (Stand.FOSSIL, ("raw",), retrying)

    def test_a_participant_who_takes_it_back_is_told_from_a_steward_who_removes_it(self):
        at = NOW + HOUR
        artifact = ended(State.REVOKED, at)
        assert standing(receipt(artifact, withdrawn_at=at), at).stand is Stand.REVOKED
        assert standing(receipt(artifact, withdrawn_at=at + HOUR), at + HOUR).stand is Stand.REMOVED

    def test_a_narrowed_fossil_leaves_nothing_and_its_last_copy_goes_sooner(self):
        narrowed = replace(ALIVE, mode=Mode.ROOM, derivative_until=None, playable_until=GIVEN.raw_until)
        now = standing(receipt(narrowed, narrowed_at=NOW + HOUR, open_deletions=1), NOW + HOUR)
        assert (now.stand, now.fossil_until, now.narrowable) == (Stand.ROOM, None, False)
        assert (now.deleted, now.retrying) == (MADE, True)
        assert now.copies_until == GIVEN.raw_until + 7 * DAY

    def test_narrowing_what_was_only_left_is_its_end(self):
        at = NOW + 49 * HOUR
        assert standing(receipt(ended(State.EXPIRED, at), narrowed_at=at), at).stand is Stand.NARROWED
        earlier = receipt(ended(State.EXPIRED, at), narrowed_at=NOW + HOUR)
        assert standing(earlier, at).stand is Stand.EXPIRED

    def test_an_end_that_was_noticed_late_keeps_no_copy_longer_than_was_promised(self):
        late = ended(State.EXPIRED, GIVEN.derivative_until + 3 * DAY)
        now = standing(receipt(late), late.ended_at)
        assert (now.ended_at, now.copies_until) == (GIVEN.derivative_until, GIVEN.last_copy_until)
        early = ended(State.REVOKED, NOW + HOUR)
        assert standing(receipt(early, withdrawn_at=NOW + HOUR), NOW + HOUR).copies_until == NOW + HOUR + 7 * DAY


def record(found, now):
    frame = Frame(
        record_id="a" * 64,
        controller=Controller(name="The Long Room", location="Upstairs", contact="Ana"),
        shown=Shown(name="Leave it, with a fossil", promise="It plays here for 48 hours."),
        words=load_copy("en").section("record"),
        withdrawal_url="http://node/revoke/",
        husk_days=400,
    )
    return consent_record(found, standing(found, now), frame)


class TestRecord:
    def test_it_says_what_was_shown_for_how_long_and_by_whom(self):
        plain = record(receipt(), NOW + HOUR)
        assert json.loads(json.dumps(plain)) == plain
        processing = plain["pii_processing"]
        assert processing["privacy_notice"]["text"] == "It plays here for 48 hours."
        until = {found["purpose_type"]: found["retention_period"]["until"] for found in processing["purposes"]}
        assert until == {
            "room": GIVEN.raw_until.isoformat(),
            "fossil": GIVEN.derivative_until.isoformat(),
            "backup": GIVEN.last_copy_until.isoformat(),
            "evidence": None,
        }
        assert plain["party_identification"][0]["party_name"] == "The Long Room"
        assert {tuple(found["recipient_third_parties"]) for found in processing["purposes"]} == {()}

    def test_it_holds_nothing_by_which_the_take_could_be_found(self):
        text = json.dumps(record(receipt(), NOW))
        assert [word for word in ("public-id", "hall", "the river", "sha256", '"sha"') if word in text] == []

    @pytest.mark.parametrize(
        ("found", "states"),
        [
            (receipt(), ["given"]),
            (receipt(narrowed_at=NOW + HOUR), ["given", "narrowed"]),
            (
                receipt(
                    ended(State.REVOKED, NOW + 2 * HOUR, NOW + 3 * HOUR),
                    narrowed_at=NOW + HOUR,
                    withdrawn_at=NOW + 2 * HOUR,
                ),
                ["given", "narrowed", "withdrawn", "absence_verified"],
            ),
            (receipt(ended(State.EXPIRED, NOW + HOUR)), ["given", "expired"]),
            (receipt(ended(State.EXPIRED, NOW + HOUR), narrowed_at=NOW + HOUR), ["given", "narrowed", "withdrawn"]),
            (receipt(ended(State.REVOKED, NOW + HOUR, NOW + HOUR)), ["given", "terminated", "absence_verified"]),
        ],
    )
    def test_it_tells_what_has_happened_in_its_order(self, found, states):
        events = record(found, NOW + 4 * HOUR)["events"]
        assert [event["event_state"] for event in events] == states
        assert events[0]["validity_duration"] == f"PT{365 * 86_400}S"
