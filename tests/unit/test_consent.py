import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.consent import Manifest, Mode, Notice, RetentionPolicy, promise

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOTICE = Notice(language="en", version="1")
POLICY = RetentionPolicy(
    raw_room_hours=48,
    raw_fossil_hours=36,
    derivative_fossil_days=365,
    once_fetch_minutes=5,
    once_sweep_minutes=10,
    backup_days=7,
)
amounts = st.floats(0.1, 10_000)
policies = st.builds(RetentionPolicy, **{field.name: amounts for field in fields(RetentionPolicy)})
moments = st.integers(946_684_800, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
promises = st.builds(promise, st.sampled_from(Mode), policies, st.just(NOTICE), moments)


def test_a_room_take_is_kept_for_its_hours_and_leaves_nothing():
    made = promise(Mode.ROOM, POLICY, NOTICE, NOW)
    assert (made.raw_until, made.derivative_until, made.derivatives) == (NOW + timedelta(hours=48), None, ())
    assert (made.publishable, made.revocable) == (False, True)


def test_a_fossil_leaves_a_picture_and_a_murmur_for_its_days():
    made = promise(Mode.FOSSIL, POLICY, NOTICE, NOW)
    assert (made.raw_until, made.derivative_until) == (NOW + timedelta(hours=36), NOW + timedelta(days=365))
    assert made.derivatives == ("spectrogram_png", "essence_wav")
    assert made.playable_until == NOW + timedelta(days=365)


def test_a_one_time_take_is_never_in_a_backup():
    made = promise(Mode.NOSAVE, POLICY, NOTICE, NOW)
    assert (made.raw_until, made.swept_by) == (NOW + timedelta(minutes=5), NOW + timedelta(minutes=10))
    assert (made.backup_days, made.revocable, made.last_copy_until) == (0, False, made.raw_until)


def test_the_last_copy_is_named_with_the_life_of_a_backup():
    assert promise(Mode.ROOM, POLICY, NOTICE, NOW).last_copy_until == NOW + timedelta(hours=48, days=7)


def test_a_manifest_names_the_wording_that_was_shown():
    made = promise(Mode.ROOM, POLICY, Notice(language="de", version="3"), NOW)
    assert (made.notice_language, made.notice_version) == ("de", "3")


@given(promises)
def test_a_manifest_comes_back_from_json_as_it_went(made):
    assert Manifest.from_json(json.loads(json.dumps(made.to_json()))) == made


@given(promises)
def test_no_right_ends_before_it_began_and_no_copy_before_its_right(made):
    assert made.given_at < made.raw_until <= made.playable_until <= made.last_copy_until


@given(promises)
def test_a_manifest_is_plain_json(made):
    assert json.loads(json.dumps(made.to_json())) == made.to_json()


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_manifest_of_an_unknown_version_is_refused(version):
    plain = promise(Mode.ROOM, POLICY, NOTICE, NOW).to_json()
    with pytest.raises(ValueError, match="version"):
        Manifest.from_json({**plain, "version": version})
