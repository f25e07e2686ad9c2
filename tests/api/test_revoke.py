import pytest

from core.domain import codes
from core.domain.artifact import State
from tests.fakes import at_once, visits_to


@pytest.fixture
def left(client):
    """The answer to a kept take."""
    return client.leave("FOSSIL", topic_tag="the river", lifecycle_status="open").json()


def revoke(client, token):
    return client.post("/api/v1/revoke", json={"token": token})


def test_a_revocation_says_what_was_removed_and_that_it_is_gone(client, node, left):
    answer = revoke(client, left["revocation_token"])
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "revoked_artifacts": 1,
        "deleted": {"raw": 1},
        "verified_gone_at": "2026-03-01T12:00:00+00:00",
    }
    assert node.files() == []


@pytest.mark.parametrize("write", [str.lower, lambda c: c.replace("-", " "), lambda c: f" {c.replace('-', '')}\n"])
def test_case_spaces_and_dashes_do_not_matter(client, left, write):
    assert revoke(client, write(left["revocation_token"])).json()["revoked_artifacts"] == 1


def test_revoking_twice_is_harmless(client, left):
    first = revoke(client, left["revocation_token"]).json()
    again = revoke(client, left["revocation_token"])
    assert again.status_code == 200
    assert again.json() == {
        "ok": True,
        "revoked_artifacts": 0,
        "deleted": {},
        "verified_gone_at": first["verified_gone_at"],
    }


def test_revoking_at_once_counts_once(client, left):
    answers = at_once(*[lambda: revoke(client, left["revocation_token"])] * 4)
    assert sorted(answer.json()["revoked_artifacts"] for answer in answers) == [0, 0, 0, 1]


def test_an_unknown_code_is_404(client, node, left):
    answer = revoke(client, codes.new_code(node.rng))
    assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert node.row(1).state == State.ACTIVE


def test_a_typo_is_404_and_recognised_as_a_typo(client, left):
    code = left["revocation_token"]
    wrong = ("A" if code[0] != "A" else "B") + code[1:]
    answer = revoke(client, wrong)
    assert answer.status_code == 404
    assert "mistyped" in answer.json()["error"]


def test_a_store_that_refuses_is_told_and_a_later_sweep_finishes(client, node, left):
    node.store.refuses.add("delete")
    answer = revoke(client, left["revocation_token"])
    assert (answer.status_code, answer.json()["revoked_artifacts"]) == (200, 1)
    assert answer.json()["verified_gone_at"] is None
    assert revoke(client, left["revocation_token"]).json()["verified_gone_at"] is None
    node.store.refuses.clear()
    node.clock.advance(minutes=20)
    node.system.retention.sweep()
    again = revoke(client, left["revocation_token"]).json()
    assert (again["revoked_artifacts"], again["verified_gone_at"]) == (0, "2026-03-01T12:20:00+00:00")
    assert node.files() == []


def test_afterwards_nothing_of_it_is_served_chosen_or_counted(client, node, left):
    playback = client.get("/api/v1/pool/next").json()
    node.clock.advance(seconds=5)
    node.store.refuses.add("delete")
    revoke(client, left["revocation_token"])
    assert client.get(playback["audio_url"]).status_code == 404
    assert client.get("/api/v1/pool/next").status_code == 204
    assert client.post(playback["playback_ack_url"]).json() == {"ok": True, "ignored": True}
    row = node.row(1)
    assert (row.state, row.raw_key, row.sha256, row.outline, row.topic) == (State.REVOKED, None, None, None, "")


def test_a_station_that_tries_too_many_codes_is_429(make_node):
    with visits_to(make_node(REVOKE_PER_STATION_HOUR=3)) as visits:
        node_client = visits.client()
        left = node_client.leave().json()
        headers = {"X-Memory-Client-Id": "kiosk-1"}
        tries = [{"token": "22222-22222-22222"}] * 4
        answers = [node_client.post("/api/v1/revoke", json=body, headers=headers) for body in tries]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
        assert 0 < int(answers[3].headers["Retry-After"]) <= 3600
        assert revoke(visits.client(address="203.0.113.9"), left["revocation_token"]).status_code == 200


def test_an_address_that_tries_too_many_codes_is_429_whatever_it_calls_itself(make_node):
    with visits_to(make_node(REVOKE_PER_ADDRESS_HOUR=2)) as visits:
        client = visits.client()
        statuses = [
            client.post(
                path, json={"token": "22222-22222-22222"}, headers={"X-Memory-Client-Id": f"k{number}"}
            ).status_code
            for number, path in enumerate(["/api/v1/revoke", "/api/v1/receipt", "/api/v1/revoke"])
        ]
        assert statuses == [404, 404, 429]


def test_a_typo_costs_no_budget(make_node):
    with visits_to(make_node(REVOKE_PER_STATION_HOUR=1)) as visits:
        client = visits.client()
        assert [revoke(client, "ABCDE").status_code for _ in range(3)] == [404] * 3
        assert revoke(client, client.leave().json()["revocation_token"]).status_code == 200


class TestReceipt:
    def test_it_shows_the_promise_and_its_present_state(self, client, left):
        answer = client.post("/api/v1/receipt", json={"token": left["revocation_token"]})
        assert answer.status_code == 200
        body = answer.json()
        assert body["promise"]["mode"] == "FOSSIL"
        assert body["promise"]["raw_until"] == "2026-03-03T12:00:00+00:00"
        assert body["promise"]["derivative_until"] == "2027-03-01T12:00:00+00:00"
        assert body["last_copy_until"] == "2027-03-08T12:00:00+00:00"
        assert (body["withdrawn_at"], body["verified_gone_at"]) == (None, None)
        assert body["artifacts"] == [left["artifact"]]

    def test_it_says_when_it_was_withdrawn_and_gone(self, client, left):
        revoke(client, left["revocation_token"])
        body = client.post("/api/v1/receipt", json={"token": left["revocation_token"]}).json()
        assert body["withdrawn_at"] == body["verified_gone_at"] == "2026-03-01T12:00:00+00:00"
        assert [artifact["status"] for artifact in body["artifacts"]] == ["REVOKED"]
        assert body["artifacts"][0]["topic_tag"] == ""

    def test_it_holds_no_secret_of_the_node(self, client, node, left):
        text = client.post("/api/v1/receipt", json={"token": left["revocation_token"]}).text
        row = node.row(1)
        for inside in (row.public_id, row.sha256, row.raw_key, left["revocation_token"]):
            assert inside not in text

    def test_an_unknown_code_is_404(self, client, node):
        assert client.post("/api/v1/receipt", json={"token": codes.new_code(node.rng)}).status_code == 404
