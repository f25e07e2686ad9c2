"""The posture, the trail, prompts and jobs, as stewards read and change them over HTTP."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from core.adapters.copy import languages
from core.domain.steward import SWITCHES
from core.domain.work import Job
from core.ports.work import TrailQuery
from tests.fakes import FrozenClock

CONTROLS = "/api/v1/operator/controls"
WRITES = [
    (CONTROLS, {"intake_paused": True}),
    (f"{CONTROLS}/clear-session", {}),
    ("/api/v1/operator/prompts", {"text": "What did you hear?"}),
    ("/api/v1/operator/prompts/packs/memory", {}),
    ("/api/v1/operator/prompts/1", {"active": False}),
    ("/api/v1/operator/prompts/1/remove", {}),
    ("/api/v1/operator/jobs/retry", {"job": "derive", "subject": "1:essence_wav"}),
]
READS = ["controls", "actions", "actions/csv", "prompts", "charts"]


@pytest.fixture
def clock():
    """Browsers believe in the real time of a cookie."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


def trail(node):
    return node.system.stewardship.trail(TrailQuery())


class TestWhoMay:
    @pytest.mark.parametrize("path", READS)
    def test_without_a_session_nothing_is_read(self, client, path):
        assert client.get(f"/api/v1/operator/{path}").status_code == 403

    @pytest.mark.parametrize("path", READS)
    def test_a_curator_reads(self, curator, path):
        assert curator.get(f"/api/v1/operator/{path}").status_code == 200

    @pytest.mark.parametrize(("path", "body"), WRITES)
    def test_nobody_else_writes(self, client, curator, node, path, body):
        before = len(trail(node))
        assert client.post(path, json=body).status_code == 403
        assert curator.post(path, json=body).status_code == 403
        assert len(trail(node)) == before
        assert node.system.stewardship.state().version == 0

    @pytest.mark.parametrize(("path", "body"), WRITES)
    @pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
    def test_nothing_is_written_from_another_site(self, signed_in, node, path, body, headers):
        before = len(trail(node))
        assert signed_in.post(path, json=body, headers=headers).status_code == 403
        assert len(trail(node)) == before

    def test_an_emptied_secret_closes_the_api_with_503(self, make_node, client, node):
        if node.system.settings.OPS_SHARED_SECRET:
            assert client.get(CONTROLS).status_code == 403
            return
        (node.system.outside.data_dir / "steward-secret.txt").write_text("")
        assert client.get(CONTROLS).status_code == 503


class TestControls:
    def test_the_answer_holds_what_changed_and_who_did_it(self, ana):
        answer = ana.post(CONTROLS, json={"intake_paused": True, "session_theme_title": "Rain"}).json()
        assert answer["operator_state"]["intake_paused"] is True
        assert answer["changes"] == {
            "intake_paused": {"from": False, "to": True},
            "session_theme_title": {"from": "", "to": "Rain"},
        }
        assert answer["recent_actions"][0]["actor"] == "Ana"
        assert answer["deployment_controls"]["statuses"] == ["open", "resolved"]

    def test_timed_controls_have_their_ends_beside_them(self, signed_in, clock):
        until = (clock.now() + timedelta(minutes=30)).isoformat()
        answer = signed_in.post(CONTROLS, json={"quieter_mode": True, "quieter_mode_until": until}).json()
        assert answer["operator_state"]["quieter_mode_until"] == until
        clock.advance(minutes=30)
        state = signed_in.get(CONTROLS).json()["operator_state"]
        assert (state["quieter_mode"], state["quieter_mode_until"]) == (False, None)
        assert {f"{name}_until" for name in SWITCHES} < set(state)

    def test_a_stale_version_is_409_and_changes_nothing(self, signed_in, ana, node):
        assert signed_in.post(CONTROLS, json={"intake_paused": True, "version": 0}).status_code == 200
        assert ana.post(CONTROLS, json={"playback_paused": True, "version": 0}).status_code == 409
        assert node.system.stewardship.state().playback_paused is False

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            ({"kiosk_max_recording_seconds": 5}, "kiosk_max_recording_seconds"),
            ({"mood_bias": "cheerful"}, "mood_bias"),
            ({"intake_paused": "yes"}, "intake_paused"),
            ({"wear": 1}, "wear"),
            ({"version": "x"}, "version"),
            ({"intake_paused": {"deep": [1]}}, "intake_paused"),
        ],
    )
    def test_what_is_out_of_range_is_400_and_names_the_field(self, signed_in, node, body, name):
        answer = signed_in.post(CONTROLS, json={"quieter_mode": True, **body})
        assert answer.status_code == 400
        assert name in answer.json()["error"]
        assert node.system.stewardship.state().quieter_mode is False

    @pytest.mark.parametrize(
        "content",
        [b"", b"[]", b"null", b"{", b'"x"', b"\xff\xfe", b"[" * 30_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000],
    )
    def test_a_body_that_is_no_object_is_400(self, signed_in, content):
        answer = signed_in.post(CONTROLS, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert set(answer.json()) == {"error"}

    def test_an_oversized_body_is_413(self, signed_in):
        assert signed_in.post(CONTROLS, json={"session_theme_prompt": "x" * 70_000}).status_code == 413

    def test_clearing_a_session(self, signed_in):
        signed_in.post(CONTROLS, json={"mood_bias": "clear", "quieter_mode": True})
        state = signed_in.post(f"{CONTROLS}/clear-session").json()["operator_state"]
        assert (state["mood_bias"], state["quieter_mode"]) == ("", True)

    def test_participants_see_no_more_than_before(self, signed_in, client):
        signed_in.post(CONTROLS, json={"intake_paused": True})
        assert len(client.get("/api/v1/surface/state").json()["operator_state"]) == 16


class TestTrail:
    def test_it_is_searched_and_paged(self, ana, signed_in):
        ana.post(CONTROLS, json={"session_theme_title": "Rain"})
        signed_in.post(CONTROLS, json={"session_theme_title": "Snow"})
        found = ana.get("/api/v1/operator/actions", params={"words": "rain", "actor": "Ana"}).json()["actions"]
        assert [action["after"] for action in found] == [{"session_theme_title": "Rain"}]
        first = ana.get("/api/v1/operator/actions", params={"limit": 1}).json()["actions"]
        older = ana.get("/api/v1/operator/actions", params={"before": first[0]["id"], "limit": 1}).json()["actions"]
        assert older[0]["id"] < first[0]["id"]

    @pytest.mark.parametrize(
        "query",
        [{"limit": 0}, {"limit": "x"}, {"since": "now"}, {"before": -1}, {"words": "x" * 201}, {"unknown": "1"}],
    )
    def test_an_odd_wish_is_400(self, ana, query):
        assert ana.get("/api/v1/operator/actions", params=query).status_code == 400

    def test_as_a_table_it_has_one_row_a_field_and_no_formula(self, ana):
        ana.post(CONTROLS, json={"session_theme_title": "=1+1", "session_theme_prompt": '"quoted", twice'})
        answer = ana.get("/api/v1/operator/actions/csv", params={"action": "controls"})
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert "attachment" in answer.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert {row["field"]: row["after"] for row in rows} == {
            "session_theme_title": "'=1+1",
            "session_theme_prompt": '"quoted", twice',
        }
        assert {row["actor"] for row in rows} == {"Ana"}


class TestPrompts:
    def add(self, steward, text="What did you hear?"):
        return steward.post("/api/v1/operator/prompts", json={"text": text}).json()["prompt"]

    def test_a_prompt_is_written_changed_put_aside_and_removed(self, ana, node):
        prompt = self.add(ana)
        address = f"/api/v1/operator/prompts/{prompt['id']}"
        assert node.system.prompts.asked() == {"en": ["What did you hear?"]}
        changed = ana.post(address, json={"text": "And then?", "version": 1}).json()["prompt"]
        assert (changed["text"], changed["version"]) == ("And then?", 2)
        ana.post(address, json={"active": False})
        assert node.system.prompts.asked() == {}
        assert ana.post(f"{address}/remove").json() == {"ok": True}
        assert ana.get("/api/v1/operator/prompts").json()["prompts"] == []
        assert ana.post(f"{address}/remove").status_code == 404
        assert [entry.action for entry in trail(node)][:4] == ["prompt"] * 4

    def test_a_pack_brings_its_prompts_in_every_language_once(self, ana, node):
        packs = ana.get("/api/v1/operator/prompts").json()["packs"]
        assert packs[0]["pack"] == "memory"
        assert len(packs) == 6
        added = ana.post("/api/v1/operator/prompts/packs/memory")
        assert added.status_code == 201
        assert len(added.json()["prompts"]) == len(packs[0]["texts"]) * len(languages())
        assert node.system.prompts.asked()["en"] == packs[0]["texts"]
        assert set(node.system.prompts.asked()) == set(languages())
        first = added.json()["prompts"][0]
        ana.post(f"/api/v1/operator/prompts/{first['id']}", json={"text": "Mine."})
        assert len(ana.post("/api/v1/operator/prompts/packs/memory").json()["prompts"]) == 1
        assert ana.post("/api/v1/operator/prompts/packs/none").status_code == 404

    def test_two_stewards_do_not_overwrite_each_other(self, ana, signed_in):
        address = f"/api/v1/operator/prompts/{self.add(ana)['id']}"
        assert ana.post(address, json={"text": "Mine.", "version": 1}).status_code == 200
        assert signed_in.post(address, json={"text": "Mine!", "version": 1}).status_code == 409

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"text": ""},
            {"text": "  "},
            {"text": "x" * 241},
            {"text": 1},
            {"text": "a", "language": "tlh"},
            {"text": "a", "x": 1},
        ],
    )
    def test_a_prompt_that_is_none_is_400(self, ana, body):
        assert ana.post("/api/v1/operator/prompts", json=body).status_code == 400

    @pytest.mark.parametrize("prompt_id", ["0", "-1", "x", "9" * 30])
    def test_an_odd_number_is_400(self, ana, prompt_id):
        assert ana.post(f"/api/v1/operator/prompts/{prompt_id}", json={"active": False}).status_code == 400


class TestRetry:
    def test_a_failed_job_is_tried_anew_with_its_attempts_forgotten(self, ana, node):
        for _ in range(6):
            node.system.jobs.run(Job.DERIVE, (1, "essence_wav"), lambda *_: 1 / 0)
        assert ana.post("/api/v1/operator/jobs/retry", json={"job": "derive", "subject": "1:essence_wav"}).json() == {
            "ok": True
        }
        done = []
        node.system.jobs.run(Job.DERIVE, (1, "essence_wav"), lambda *given: done.append(given))
        assert done == [(1, "essence_wav")]
        assert trail(node)[0].action == "retry_job"

    @pytest.mark.parametrize("body", [{"job": "derive", "subject": "1:x"}, {"job": "dance", "subject": ""}])
    def test_what_has_not_failed_is_404(self, ana, body):
        assert ana.post("/api/v1/operator/jobs/retry", json=body).status_code == 404


def test_answers_are_json_with_one_clear_sentence(client):
    answer = client.post(CONTROLS, json={"intake_paused": True})
    assert json.loads(answer.text) == {"error": "This needs a steward's session."}
