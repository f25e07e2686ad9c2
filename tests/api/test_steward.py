from datetime import UTC, datetime

import pytest

from core.domain.steward import SWITCHES
from core.domain.work import Job
from memory_ui.copy import load_copy
from tests.fakes import FrozenClock, StillQueue, visits_to

T = load_copy("en").t
COOKIE = "memory_engine_steward"


@pytest.fixture
def clock():
    """Cookies end by the client's clock, which is the real one."""
    return FrozenClock(datetime.now(UTC).replace(microsecond=0))


def sign_in(client, node, secret=None, **given):
    return client.post(
        "/ops/", data={"secret": node.system.access.shared_secret() if secret is None else secret}, **given
    )


@pytest.fixture
def steward(client, node):
    """A client with a live session."""
    assert sign_in(client, node).status_code == 303
    return client


def turn(client, name, on, version, **given):
    return client.post("/ops/controls/", data={name: "true" if on else "false", "version": str(version)}, **given)


class TestSignIn:
    def test_without_a_session_the_ledger_asks_for_the_secret(self, client):
        answer = client.get("/ops/")
        assert answer.status_code == 200
        assert T("signin.question") in answer.text
        assert T("ops.counts") not in answer.text

    def test_the_right_secret_opens_a_session(self, client, node):
        answer = sign_in(client, node)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/ops/")
        cookie = answer.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie
        assert T("ops.counts") in client.get("/ops/").text

    def test_over_https_the_cookie_is_secure(self, visits, node):
        client = visits.client(base_url="https://localhost")
        assert "secure" in sign_in(client, node).headers["Set-Cookie"].lower()

    @pytest.mark.parametrize("secret", ["", "wrong", "é", "\U0001f701", "x" * 5000])
    def test_a_wrong_secret_is_403_and_opens_nothing(self, client, node, secret):
        answer = sign_in(client, node, secret)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
        assert T("signin.wrong") in answer.text

    def test_a_form_without_the_field_is_403(self, client):
        assert client.post("/ops/", data={"other": "x"}).status_code == 403

    def test_the_configured_secret_beats_the_generated_one(self, make_node):
        with visits_to(make_node(OPS_SHARED_SECRET="a long shared secret")) as visits:
            client = visits.client()
            assert client.post("/ops/", data={"secret": "a long shared secret"}).status_code == 303

    @pytest.mark.engine("embedded")
    def test_a_generated_secret_can_be_read_by_its_owner_only(self, node):
        path = node.system.outside.data_dir / "steward-secret.txt"
        assert path.stat().st_mode & 0o777 == 0o600
        assert (node.system.outside.data_dir / "keys.json").stat().st_mode & 0o777 == 0o600
        assert path.read_text().strip() == node.system.access.shared_secret()

    def test_a_sign_in_from_another_site_is_refused(self, client, node):
        answer = sign_in(client, node, headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers


class TestLockout:
    def test_after_six_failures_even_the_right_secret_is_locked_out(self, client, node):
        assert [sign_in(client, node, "wrong").status_code for _ in range(6)] == [403] * 6
        answer = sign_in(client, node)
        assert answer.status_code == 429
        assert T("signin.locked", minutes=15) in answer.text

    def test_another_browser_is_not_locked_out_with_it(self, visits, node):
        one = visits.client(headers={"User-Agent": "one"})
        for _ in range(6):
            sign_in(one, node, "wrong")
        assert sign_in(visits.client(headers={"User-Agent": "two"}), node).status_code == 303

    def test_an_address_is_locked_out_whatever_browsers_it_names(self, visits, node):
        for number in range(30):
            sign_in(visits.client(headers={"User-Agent": f"b{number}"}), node, "wrong")
        assert sign_in(visits.client(headers={"User-Agent": "new"}), node).status_code == 429
        elsewhere = visits.client(headers={"User-Agent": "new"}, address="203.0.113.200")
        assert sign_in(elsewhere, node).status_code == 303

    def test_a_right_secret_costs_nothing(self, client, node):
        assert [sign_in(client, node).status_code for _ in range(10)] == [303] * 10


class TestSession:
    def test_it_ends_by_itself_after_its_hours(self, steward, node):
        node.clock.advance(hours=11, minutes=59)
        assert T("ops.counts") in steward.get("/ops/").text
        node.clock.advance(minutes=1)
        assert T("signin.question") in steward.get("/ops/").text

    def test_it_is_bound_to_its_browser(self, steward):
        answer = steward.get("/ops/", headers={"User-Agent": "another"})
        assert T("signin.question") in answer.text

    def test_signing_out_ends_it(self, steward):
        answer = steward.post("/ops/logout/", data={"x": ""})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/ops/")
        assert T("signin.question") in steward.get("/ops/").text

    def test_signing_out_works_with_the_empty_form_of_the_page(self, steward):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert steward.post("/ops/logout/", content=b"", headers=headers).status_code == 303

    def test_a_changed_secret_ends_every_session(self, steward, make_node):
        token = steward.cookies[COOKIE]
        with visits_to(make_node(OPS_SHARED_SECRET="a new shared secret")) as visits:
            answer = visits.client(cookies={COOKIE: token}).get("/ops/")
        assert T("signin.question") in answer.text

    def test_it_survives_a_restart(self, steward, make_node):
        token = steward.cookies[COOKIE]
        with visits_to(make_node()) as visits:
            assert T("ops.counts") in visits.client(cookies={COOKIE: token}).get("/ops/").text

    @pytest.mark.parametrize("token", ["", "x", "WzEsMiwzXQ.abc", "é"])
    def test_a_cookie_that_is_not_genuine_opens_nothing(self, client, token):
        answer = client.get("/ops/", headers={"Cookie": f"{COOKIE}={token}".encode()})
        assert T("signin.question") in answer.text


class TestSwitches:
    @pytest.mark.parametrize("name", SWITCHES)
    def test_a_switch_is_turned_and_turned_back(self, steward, node, name):
        assert turn(steward, name, True, 0).headers["Location"] == "/ops/"
        assert getattr(node.system.stewardship.state(), name) is True
        assert T(f"ops.warn_{name}") in steward.get("/ops/").text
        turn(steward, name, False, 1)
        assert getattr(node.system.stewardship.state(), name) is False

    def test_a_stale_version_changes_nothing_and_says_so(self, steward, node):
        turn(steward, "intake_paused", True, 0)
        answer = turn(steward, "playback_paused", True, 0)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/ops/?stale=true")
        assert node.system.stewardship.state().playback_paused is False
        assert T("ops.stale") in steward.get(answer.headers["Location"]).text

    def test_a_change_is_noted_in_the_trail(self, steward, node):
        turn(steward, "quieter_mode", True, 0)
        (action,) = node.system.stewardship.posture().actions
        assert (action.actor, action.action, action.after) == ("steward", "quieter_mode", {"quieter_mode": True})

    def test_without_a_session_nothing_is_changed(self, client, node):
        answer = turn(client, "intake_paused", True, 0)
        assert answer.status_code == 403
        assert node.system.stewardship.state().intake_paused is False

    @pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
    def test_a_change_from_another_site_is_refused(self, steward, node, headers):
        assert turn(steward, "intake_paused", True, 0, headers=headers).status_code == 403
        assert node.system.stewardship.state().intake_paused is False

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"version": "0"},
            {"intake_paused": "maybe", "version": "0"},
            {"intake_paused": "true"},
            {"intake_paused": "true", "version": "now"},
            {"intake_paused": "true", "version": "-1"},
            {"intake_paused": "true", "version": "²"},
            {"intake_paused": "true", "version": "9" * 5000},
            {"intake_paused": "true", "quieter_mode": "true", "version": "0"},
            {"kiosk_max_recording_seconds": "300", "version": "0"},
        ],
    )
    def test_anything_but_one_switch_with_its_version_is_400(self, steward, node, fields):
        answer = steward.post("/ops/controls/", data={"x": "", **fields})
        assert answer.status_code == 400
        assert node.counts()["steward_action"] == 0

    def test_a_paused_intake_and_an_open_one_follow_each_other(self, steward):
        turn(steward, "intake_paused", True, 0)
        assert steward.leave().status_code == 423
        turn(steward, "intake_paused", False, 1)
        assert steward.leave().status_code == 201


@pytest.fixture
def queue():
    """What the node kicks its jobs into."""
    return StillQueue()


@pytest.fixture
def at_the_ledger(node, queue):
    """A steward of a node in whose background all is well, and one voice in its room."""
    for role in ("worker", "scheduler"):
        node.system.jobs.beat(role, role)
    with visits_to(node, queue.background) as visits:
        client = visits.client()
        sign_in(client, node)
        client.leave()
        yield client


def test_the_ledger_of_a_node_at_peace_has_nothing_to_do(at_the_ledger):
    assert T("ops.next_fine") in at_the_ledger.get("/ops/").text


def test_the_ledger_counts_and_warns(at_the_ledger, node):
    code = at_the_ledger.leave().json()["revocation_token"]
    node.system.revocation.revoke(node.keep().secret)
    node.change(1, playable_until=node.clock.now())
    node.store.refuses.add("delete")
    at_the_ledger.post("/api/v1/revoke", json={"token": code})
    text = at_the_ledger.get("/ops/").text
    for name in ("ops.warn_refused", "ops.warn_empty"):
        assert T(name) in text
    assert text.index(T("ops.warn_refused")) < text.index(T("ops.warn_empty"))


def queue_away(node, queue):
    queue.away = True


def queue_filling(node, queue):
    queue.waiting = 12


def queue_full(node, queue):
    queue.waiting = 40


def store_away(node, queue):
    node.store.refuses.add("check")


def nobody_beats(node, queue):
    node.clock.advance(seconds=181)


def a_job_fails(node, queue):
    node.system.jobs.run(Job.DERIVE, (1, "essence_wav"), lambda *_: 1 / 0)


@pytest.mark.parametrize(
    ("trouble", "names"),
    [
        (queue_away, ["warn_queue"]),
        (queue_filling, ["warn_waiting"]),
        (queue_full, ["warn_waiting"]),
        (store_away, ["warn_store"]),
        (nobody_beats, ["warn_worker", "warn_scheduler"]),
        (a_job_fails, ["warn_jobs"]),
    ],
)
def test_the_ledger_names_trouble_in_the_background(at_the_ledger, node, queue, trouble, names):
    trouble(node, queue)
    text = at_the_ledger.get("/ops/").text
    for name in names:
        assert T(f"ops.{name}_detail") in text
    assert T("ops.next_fine") not in text
