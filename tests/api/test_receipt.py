"""A promise by its code: where it stands, narrowed, and its record, from the promise to the verified end."""

import json
import logging

import pytest

from core.domain.artifact import State
from core.domain.consent import Kind
from core.domain.pool.facts import Wish
from tests import wavs
from tests.fakes import at_once, visits_to

TAKE = wavs.take(3, sample_rate_hz=8000)
MADE = ["spectrogram_png", "essence_wav"]


@pytest.fixture
def code(client, node):
    """The code of a fossil with everything made that it leaves."""
    left = client.leave("FOSSIL", TAKE).json()
    for kind in Kind:
        node.system.derive.derive(left["artifact"]["id"], kind)
    return left["revocation_token"]


def ask(client, code, what=""):
    return client.post(f"/api/v1/receipt{what}", json={"token": code})


def narrow(client, code):
    return ask(client, code, "/narrow")


def record(client, code):
    return ask(client, code, "/record").json()


def states(client, code):
    return [event["event_state"] for event in record(client, code)["events"]]


def test_a_receipt_tells_where_the_promise_stands_until_its_last_copy(client, node, code):
    body = ask(client, code).json()
    assert (body["standing"], body["deleted"], body["narrowable"]) == ("room", [], True)
    assert body["given"] == body["promise"]
    assert body["copies_gone_by"] == "2027-03-08T12:00:00+00:00"

    node.system.review.hold(1, actor="Ana")
    assert ask(client, code).json()["standing"] == "waiting"
    node.system.review.let_in(1, actor="Ana")

    node.clock.advance(hours=49)
    assert (ask(client, code).json()["deleted"], ask(client, code).json()["deletion_retried"]) == (["raw"], True)
    node.system.retention.expire()
    node.system.retention.sweep()
    body = ask(client, code).json()
    assert (body["standing"], body["deleted"], body["deletion_retried"]) == ("fossil", ["raw"], False)

    node.clock.advance(days=365)
    assert ask(client, code).json()["standing"] == "expired"
    node.system.retention.expire()
    node.system.retention.sweep()
    body = ask(client, code).json()
    assert (body["standing"], body["ended_at"]) == ("expired", "2027-03-01T12:00:00+00:00")
    assert body["verified_gone_at"] == node.clock.now().isoformat()
    assert (body["deleted"], body["copies_gone_by"]) == (["raw", *MADE], "2027-03-08T12:00:00+00:00")


def test_a_narrowed_fossil_goes_on_in_the_room_and_what_it_left_is_verified_gone(client, node, code):
    body = narrow(client, code).json()
    assert (body["standing"], body["promise"]["mode"], body["given"]["mode"]) == ("room", "ROOM", "FOSSIL")
    assert (body["deleted"], body["deletion_retried"], body["fossil_until"]) == (MADE, False, None)
    assert body["copies_gone_by"] == "2026-03-10T12:00:00+00:00"
    assert node.stored() == [node.row(1).raw_key]
    assert node.counts()["derivative"] == node.counts()["tombstone"] == 0
    playback = node.system.pool.next(Wish(), node.rng)
    assert node.system.media.sound(playback.media_token).size_bytes == len(TAKE)
    node.clock.advance(hours=48)
    assert ask(client, code).json()["standing"] == "expired"
    assert node.system.pool.next(Wish(), node.rng) is None


def test_narrowing_again_changes_nothing_and_never_widens(client, node, code):
    first = narrow(client, code).json()
    node.clock.advance(hours=1)
    assert narrow(client, code).json() == first
    for kind in Kind:
        node.system.derive.derive(1, kind)
    assert node.stored() == [node.row(1).raw_key]


@pytest.mark.parametrize("mode", ["ROOM", "FOSSIL"])
def test_where_nothing_is_left_to_narrow_it_is_409_and_nothing_changes(client, node, mode):
    left = client.leave(mode).json()["revocation_token"]
    if mode == "FOSSIL":
        client.post("/api/v1/revoke", json={"token": left})
    before = ask(client, left).json()
    assert narrow(client, left).status_code == 409
    assert ask(client, left).json() == before


def test_what_was_being_made_when_it_was_narrowed_is_buried(client, node):
    left = client.leave("FOSSIL", TAKE).json()["revocation_token"]
    told = []
    node.store.before["put"] = lambda _key: told.append(narrow(client, left).json()["deletion_retried"])
    node.system.derive.derive(1, Kind.ESSENCE)
    node.store.before.clear()
    assert told == [True]
    node.system.retention.sweep()
    assert node.stored() == [node.row(1).raw_key]
    assert ask(client, left).json()["deletion_retried"] is False


def test_a_store_that_refuses_is_told_until_what_was_left_is_gone(client, node, code):
    node.store.refuses.add("delete")
    assert narrow(client, code).json()["deletion_retried"] is True
    node.store.refuses.clear()
    node.clock.advance(minutes=20)
    node.system.retention.sweep()
    assert ask(client, code).json()["deletion_retried"] is False


def test_narrowing_when_only_the_fossil_is_left_ends_everything(client, node, code):
    node.clock.advance(hours=49)
    node.system.retention.expire()
    node.system.retention.sweep()
    body = narrow(client, code).json()
    assert (body["standing"], body["verified_gone_at"]) == ("narrowed", node.clock.now().isoformat())
    assert (node.files(), node.row(1).state) == ([], State.EXPIRED)
    assert states(client, code) == ["given", "narrowed", "withdrawn", "absence_verified"]


def test_of_narrowing_and_taking_back_at_once_taking_back_wins(client, node, code):
    answers = at_once(
        lambda: narrow(client, code),
        lambda: client.post("/api/v1/revoke", json={"token": code}),
        lambda: narrow(client, code),
    )
    assert answers[1].json()["revoked_artifacts"] == 1
    assert {answer.status_code for answer in answers} <= {200, 409}
    node.clock.advance(minutes=20)
    node.system.retention.sweep()
    assert (node.files(), ask(client, code).json()["standing"]) == ([], "revoked")


class TestRecord:
    def test_it_follows_the_promise_and_is_handed_over_as_a_file(self, client, node, code):
        answer = ask(client, code, "/record")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="consent-record.json"'
        assert answer.headers["Cache-Control"] == "no-store"
        notice = answer.json()["pii_processing"]["privacy_notice"]
        assert (notice["version"], notice["language"], notice["choice"]) == ("3", "en", "Leave it, with a fossil")
        assert "until day 365. From backups, too, it is gone by 8 March 2027." in notice["text"]
        narrow(client, code)
        node.clock.advance(hours=1)
        client.post("/api/v1/revoke", json={"token": code})
        assert states(client, code) == ["given", "narrowed", "withdrawn", "absence_verified"]

    def test_a_steward_who_removes_it_is_told_from_its_participant(self, client, node, code):
        node.system.archive.remove(1, actor="Ana")
        node.clock.advance(seconds=1)
        client.post("/api/v1/revoke", json={"token": code})
        assert ask(client, code).json()["standing"] == "removed"
        assert "terminated" in states(client, code)

    @pytest.mark.engine("embedded")
    def test_it_holds_no_code_and_nothing_the_node_finds_the_take_by(self, client, node):
        headers = {"X-Memory-Client-Id": "hall-kiosk"}
        upload = {"file": ("take.wav", TAKE, "audio/wav")}
        form = {"consent_mode": "ROOM", "topic_tag": "the river"}
        left = client.post("/api/v1/artifacts/audio", files=upload, data=form, headers=headers).json()[
            "revocation_token"
        ]
        text, row = json.dumps(record(client, left)), node.row(1)
        hashes = [found.code_hash for found in node.table("consent")]
        secrets = [left, left.replace("-", ""), row.public_id, row.sha256, "hall-kiosk", "the river", *hashes]
        assert [secret for secret in secrets if secret in text] == []
        assert record(client, left)["header"] == record(client, left)["header"]

    @pytest.mark.engine("embedded")
    def test_a_take_of_the_first_notice_keeps_its_words(self, client):
        left = client.leave(notice_version="1", language="en").json()["revocation_token"]
        notice = record(client, left)["pii_processing"]["privacy_notice"]
        assert (notice["version"], "backup" in notice["text"]) == ("1", False)


@pytest.mark.engine("embedded")
@pytest.mark.parametrize("what", ["", "/narrow", "/record"])
def test_an_unknown_code_is_404_and_too_many_are_429(make_node, what):
    with visits_to(make_node(REVOKE_PER_STATION_HOUR=2)) as visits:
        client = visits.client()
        assert [ask(client, "22222-22222-22222", what).status_code for _ in range(3)] == [404, 404, 429]


@pytest.mark.engine("embedded")
def test_no_code_reaches_a_log(client, code, caplog):
    with caplog.at_level(logging.DEBUG):
        for what in ("", "/narrow", "/record", "/narrow"):
            ask(client, code, what)
        client.get("/revoke/", params={"token": code})
        for step in ("look", "narrow", "record", "remove"):
            client.post("/revoke/", data={"token": code, "step": step})
    ours = "\n".join(entry.getMessage() for entry in caplog.records if not entry.name.startswith(("httpx", "httpcore")))
    assert code not in ours
    assert code.replace("-", "") not in ours


@pytest.mark.engine("embedded")
class TestThePage:
    def step(self, client, code, step):
        return client.post("/revoke/", data={"token": code, "step": step})

    def test_narrowing_takes_two_steps_and_says_what_has_gone(self, client, node, code):
        assert "Keep it in the room, leave no fossil" in self.step(client, code, "look").text
        assert node.counts()["derivative"] == 2
        text = self.step(client, code, "narrow").text
        assert "It leaves no fossil." in text
        assert "<dt>Looked for and not found</dt><dd>yes</dd>" in text
        assert "leave no fossil" not in text

    def test_of_a_memory_for_the_room_there_is_nothing_to_narrow(self, client, node):
        left = client.leave().json()["revocation_token"]
        assert "leave no fossil" not in self.step(client, left, "look").text
        answer = self.step(client, left, "narrow")
        assert (answer.status_code, "nothing left of it" in answer.text) == (409, True)

    def test_the_record_is_the_one_of_the_api_also_after_the_end(self, client, code):
        for step in ("look", "remove"):
            self.step(client, code, step)
            answer = self.step(client, code, "record")
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.json() == record(client, code)

    def test_a_get_fills_the_code_in_and_draws_no_square_of_it(self, client, code):
        text = client.get("/revoke/", params={"token": code}).text
        assert (code in text, "<svg" in text) == (True, False)
        assert "<svg" in self.step(client, code, "look").text
