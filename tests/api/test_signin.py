import logging
import socket
import time
from html import unescape

import httpx
import pytest

from core.domain.access import Role
from core.ports.work import TrailQuery
from memory_ui.app import plain_app
from memory_ui.cli.logs import Lines
from memory_ui.cli.serve import forwarding
from memory_ui.copy import load_copy
from memory_ui.middleware import PLAIN_POLICY
from memory_ui.plain import signin
from tests.fakes import START, at_once, served, visits_to

T = load_copy("en").t
COOKIE = "memory_engine_steward"
SESSION = "/api/v1/operator/session"
END = "/api/v1/operator/sessions/end"
FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:8081"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
]


def sign_in(client, node, secret=None, **given):
    return client.post(
        "/ops/", data={"secret": node.system.access.shared_secret() if secret is None else secret}, **given
    )


def signed_in(client, **given):
    """Whether the client's session lives."""
    return client.get(SESSION, **given).status_code == 200


def carrying(token):
    """The headers of a browser that carries a cookie of this value."""
    return {"headers": {"Cookie": f"{COOKIE}={token}".encode()}}


def trail(node):
    """What was done, oldest first."""
    return [action.action for action in reversed(node.system.stewardship.trail(TrailQuery()))]


@pytest.fixture
def steward(client, node):
    """A client with a live session."""
    assert sign_in(client, node).status_code == 303
    return client


@pytest.fixture
def curator(visits, node):
    """A client signed in as Ana, who may look."""
    client = visits.client()
    assert sign_in(client, node, node.system.access.add("Ana", Role.CURATOR, actor="t")).status_code == 303
    return client


class TestSignIn:
    def test_the_right_secret_opens_a_session(self, client, node):
        answer = sign_in(client, node)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/ops/")
        assert signed_in(client)

    def test_a_secret_of_ones_own_opens_one_too(self, curator):
        assert signed_in(curator)

    def test_its_cookie_is_for_this_node_alone_and_no_script_reads_it(self, client, node):
        cookie = sign_in(client, node).headers["Set-Cookie"]
        name, *attributes = cookie.split("; ")
        assert name.startswith(f"{COOKIE}=")
        assert sorted(part.lower() for part in attributes) == ["httponly", "max-age=43200", "path=/", "samesite=strict"]

    def test_over_https_the_cookie_is_secure(self, visits, node):
        client = visits.client(base_url="https://localhost")
        assert "secure" in sign_in(client, node).headers["Set-Cookie"].lower().split("; ")

    @pytest.mark.parametrize("secret", ["", "wrong", "é", "\U0001f701", "x" * 5000])
    def test_a_wrong_secret_is_403_and_opens_nothing(self, client, node, secret):
        answer = sign_in(client, node, secret)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
        assert T("signin.wrong") in answer.text
        assert node.counts()["steward_session"] == 0

    @pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {} ", "\t{}"])
    def test_spaces_and_ends_of_lines_that_came_along_when_it_was_copied_do_not_matter(self, client, node, around):
        assert sign_in(client, node, around.format(node.system.access.shared_secret())).status_code == 303

    @pytest.mark.parametrize("body", [b"", b"other=x", b"secret=", b"secret=%ED%A0%80", b"secret=%FF", b"SECRET=x"])
    def test_a_form_without_a_secret_anyone_could_have_is_403(self, client, body):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/ops/", content=body, headers=headers).status_code == 403

    @pytest.mark.parametrize(
        ("given", "status"),
        [({"json": {"secret": "x"}}, 415), ({"data": {"secret": "a\0b"}}, 400), ({"content": b"x" * 70_000}, 413)],
    )
    def test_what_is_no_plain_form_is_refused(self, client, given, status):
        assert client.post("/ops/", **given).status_code == status

    def test_the_configured_secret_may_have_any_signs(self, make_node):
        with visits_to(make_node(OPS_SHARED_SECRET="Größe und Ruhe \U0001f701")) as visits:
            assert visits.client().post("/ops/", data={"secret": "Größe und Ruhe \U0001f701"}).status_code == 303

    @pytest.mark.engine("embedded")
    def test_a_generated_secret_can_be_read_by_its_owner_only(self, node):
        path = node.system.outside.data_dir / "steward-secret.txt"
        assert path.stat().st_mode & 0o777 == 0o600
        assert (node.system.outside.data_dir / "keys.json").stat().st_mode & 0o777 == 0o600
        assert path.read_text().strip() == node.system.access.shared_secret()

    @pytest.mark.engine("embedded")
    def test_where_the_file_was_emptied_nobody_can_sign_in(self, steward, node):
        (node.system.outside.data_dir / "steward-secret.txt").write_text("")
        for secret in ("", "x"):
            answer = sign_in(steward, node, secret)
            assert answer.status_code == 503
            assert T("signin.unset") in answer.text
        assert steward.get(SESSION).status_code == 503

    def test_a_database_that_is_away_is_not_told_as_a_missing_secret(self, client, node, ground):
        secret = node.system.access.shared_secret()
        ground.take_database_away(node.system)
        answer = sign_in(client, node, secret)
        assert answer.status_code == 503
        assert T("signin.unset") not in answer.text

    @pytest.mark.parametrize("headers", FOREIGN)
    def test_a_sign_in_from_another_site_is_refused(self, client, node, headers):
        answer = sign_in(client, node, headers=headers)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers

    def test_answers_allow_no_script_and_are_not_kept(self, client, node):
        for answer in (sign_in(client, node, "wrong"), sign_in(client, node)):
            assert answer.headers["Content-Security-Policy"] == PLAIN_POLICY
        assert sign_in(client, node, "wrong").headers["Cache-Control"] == "no-store"

    def test_looking_at_the_address_without_reading_it_opens_nothing_and_costs_nothing(self, client, node):
        for _ in range(7):
            assert "Set-Cookie" not in client.head("/ops/").headers
        assert sign_in(client, node).status_code == 303
        assert node.counts()["steward_session"] == 1


class TestSigningInAgain:
    def test_it_ends_the_session_the_browser_came_with(self, steward, node):
        old = steward.cookies[COOKIE]
        sign_in(steward, node)
        assert signed_in(steward)
        steward.cookies.clear()
        assert not signed_in(steward, **carrying(old))

    def test_a_planted_session_is_not_gone_on_with(self, visits, node):
        thief, victim = visits.client(), visits.client()
        sign_in(thief, node)
        answer = sign_in(victim, node, **carrying(thief.cookies[COOKIE]))
        assert answer.headers["Set-Cookie"].split(";")[0] != f"{COOKIE}={thief.cookies[COOKIE]}"
        assert not signed_in(thief)

    def test_a_value_of_ones_own_making_never_becomes_a_session(self, client, node):
        made_up = "A" * 32
        sign_in(client, node, **carrying(made_up))
        client.cookies.clear()
        assert not signed_in(client, **carrying(made_up))

    def test_a_wrong_secret_leaves_the_session_as_it_is(self, steward, node):
        sign_in(steward, node, "wrong")
        assert signed_in(steward)


class TestLockout:
    def test_after_six_failures_even_the_right_secret_is_locked_out(self, client, node):
        assert [sign_in(client, node, "wrong").status_code for _ in range(6)] == [403] * 6
        answer = sign_in(client, node)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 900
        assert T("signin.locked", wait="15 minutes") in answer.text
        assert "Set-Cookie" not in answer.headers

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

    def test_a_house_is_locked_out_whichever_of_its_ipv6_addresses_it_takes(self, visits, node):
        for number in range(6):
            sign_in(visits.client(address=f"2001:db8::{number}"), node, "wrong")
        assert sign_in(visits.client(address="2001:db8::ffff"), node).status_code == 429
        assert sign_in(visits.client(address="2001:db8:0:1::1"), node).status_code == 303

    def test_a_browser_is_told_apart_by_no_more_of_its_name_than_a_session_is(self, visits, node):
        for number in range(6):
            sign_in(visits.client(headers={"User-Agent": "b" * 400 + str(number)}), node, "wrong")
        assert sign_in(visits.client(headers={"User-Agent": "b" * 400}), node).status_code == 429

    def test_many_guesses_at_once_are_no_more_guesses(self, visits, node):
        access, asked = node.system.access, []
        secret = access.shared_secret()

        def slowly():
            asked.append(1)
            time.sleep(0.02)  # from a slow disk: all are under way before the first has failed
            return secret

        access.shared_secret = slowly
        clients = [visits.client() for _ in range(24)]
        answers = at_once(*[lambda client=client: sign_in(client, node, "wrong") for client in clients])
        assert sorted(answer.status_code for answer in answers) == [403] * 6 + [429] * 18
        # Each asks once whether there is a secret; six are compared with it.
        assert len(asked) == 24 + 6

    def test_a_right_secret_costs_nothing(self, client, node):
        assert [sign_in(client, node).status_code for _ in range(10)] == [303] * 10

    def test_a_refused_network_or_origin_costs_nothing(self, make_node):
        node = make_node(OPS_ALLOWED_NETWORKS="203.0.113.0/24")
        with visits_to(node) as visits:
            inside, outside = visits.client(), visits.client(address="198.51.100.7")
            for _ in range(7):
                sign_in(outside, node, "wrong")
                sign_in(inside, node, "wrong", headers={"Sec-Fetch-Site": "cross-site"})
            assert sign_in(inside, node).status_code == 303

    def test_a_lockout_leaves_those_who_are_signed_in_alone(self, steward, node):
        for _ in range(7):
            sign_in(steward, node, "wrong")
        assert signed_in(steward)


class TestSession:
    def test_it_tells_who_is_signed_in_since_when_and_until_when(self, steward):
        answer = steward.get(SESSION)
        assert answer.json() == {
            "name": "steward",
            "role": "steward",
            "signed_in_at": START.isoformat(),
            "until": START.replace(day=2, hour=0).isoformat(),
        }
        assert answer.headers["Cache-Control"] == "no-store"

    def test_it_tells_the_name_and_role_of_a_curator(self, curator):
        assert {name: curator.get(SESSION).json()[name] for name in ("name", "role")} == {
            "name": "Ana",
            "role": "curator",
        }

    def test_without_one_the_answer_is_403(self, client):
        answer = client.get(SESSION)
        assert (answer.status_code, list(answer.json())) == (403, ["error"])

    def test_it_ends_by_itself_after_its_hours(self, steward, node):
        node.clock.advance(hours=11, minutes=59)
        assert signed_in(steward)
        node.clock.advance(minutes=1)
        assert not signed_in(steward)

    def test_it_is_bound_to_its_browser(self, steward):
        assert not signed_in(steward, headers={"User-Agent": "another"})
        assert signed_in(steward)

    def test_bound_strictly_it_is_worth_nothing_at_another_address(self, make_node):
        node = make_node(OPS_SESSION_BINDING="strict")
        with visits_to(node) as visits:
            here = visits.client()
            sign_in(here, node)
            there = visits.client(address="203.0.113.6", cookies={COOKIE: here.cookies[COOKIE]})
            assert (signed_in(here), signed_in(there)) == (True, False)

    def test_a_changed_secret_ends_every_session(self, steward, make_node):
        with visits_to(make_node(OPS_SHARED_SECRET="a new shared secret")) as visits:
            assert not signed_in(visits.client(), **carrying(steward.cookies[COOKIE]))

    def test_it_survives_a_restart(self, steward, make_node):
        with visits_to(make_node()) as visits:
            assert signed_in(visits.client(), **carrying(steward.cookies[COOKIE]))

    @pytest.mark.parametrize("token", ["", "x", "WzEsMiwzXQ.abc", "é", "A" * 32, "A" * 8000, '"' * 40, "\xff" * 32])
    def test_a_cookie_that_is_not_genuine_opens_nothing(self, client, token):
        assert client.get(SESSION, **carrying(token)).status_code == 403

    def test_of_two_cookies_of_its_name_one_counts_and_neither_breaks_anything(self, steward):
        both = f"{COOKIE}=x; {COOKIE}={steward.cookies[COOKIE]}"
        assert signed_in(steward, headers={"Cookie": both})

    def test_reading_needs_no_origin(self, steward):
        assert signed_in(steward, headers={"Sec-Fetch-Site": "cross-site"})


class TestSigningOut:
    def test_it_ends_the_session_and_takes_the_cookie_away(self, steward):
        token = steward.cookies[COOKIE]
        answer = steward.post("/ops/logout/", data={"x": ""})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/ops/")
        assert COOKIE not in steward.cookies
        assert not signed_in(steward, **carrying(token))

    def test_it_works_with_the_empty_form_of_the_page(self, steward):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert steward.post("/ops/logout/", content=b"", headers=headers).status_code == 303
        assert not signed_in(steward)

    def test_it_ends_the_session_in_a_browser_that_calls_itself_otherwise_by_now(self, steward, node):
        steward.post("/ops/logout/", data={"x": ""}, headers={"User-Agent": "updated"})
        assert node.counts()["steward_session"] == 0

    def test_without_a_session_it_is_nothing(self, client, node):
        assert client.post("/ops/logout/", data={"x": ""}).status_code == 303
        assert trail(node) == []

    @pytest.mark.parametrize("headers", FOREIGN)
    def test_another_site_signs_nobody_out(self, steward, headers):
        assert steward.post("/ops/logout/", data={"x": ""}, headers=headers).status_code == 403
        assert signed_in(steward)


class TestSigningEveryoneOut:
    def test_everyone_is_out_and_counted(self, steward, curator):
        answer = steward.post(END)
        assert (answer.status_code, answer.json()) == (200, {"ok": True, "ended": 2})
        assert not signed_in(steward)
        assert not signed_in(curator)

    def test_it_is_noted_by_whom(self, steward, node):
        steward.post(END)
        (newest, *_) = node.system.stewardship.trail(TrailQuery())
        assert (newest.actor, newest.action, newest.after) == ("steward", "sign_everyone_out", {"sessions": 1})

    def test_a_curator_may_not(self, steward, curator):
        assert curator.post(END).status_code == 403
        assert signed_in(steward)

    def test_nobody_may_without_a_session(self, steward, client, visits):
        assert visits.client().post(END).status_code == 403
        assert signed_in(steward)

    @pytest.mark.parametrize("headers", FOREIGN)
    def test_another_site_may_not(self, steward, headers):
        assert steward.post(END, headers=headers).status_code == 403
        assert signed_in(steward)


class TestNetworks:
    @pytest.fixture
    def node(self, make_node):
        return make_node(OPS_ALLOWED_NETWORKS="203.0.113.0/24, 2001:db8::/32")

    @pytest.mark.parametrize("address", ["198.51.100.7", "203.0.114.5", "2001:db9::1", "testclient", ""])
    def test_from_elsewhere_even_the_right_secret_is_refused(self, visits, node, address):
        answer = sign_in(visits.client(address=address), node)
        assert answer.status_code == 403
        assert T("signin.network") in unescape(answer.text)
        assert node.counts()["steward_session"] == 0

    @pytest.mark.parametrize("address", ["203.0.113.200", "::ffff:203.0.113.200", "2001:db8:1::1"])
    def test_from_within_it_is_taken(self, visits, node, address):
        assert sign_in(visits.client(address=address), node).status_code == 303

    def test_a_session_is_worth_nothing_elsewhere_and_lives_on_within(self, visits, steward):
        outside = visits.client(address="198.51.100.7")
        assert not signed_in(outside, **carrying(steward.cookies[COOKIE]))
        assert signed_in(steward)

    def test_whoever_has_left_may_still_sign_out(self, visits, steward):
        outside = visits.client(address="198.51.100.7", cookies={COOKIE: steward.cookies[COOKIE]})
        assert outside.post("/ops/logout/", data={"x": ""}).status_code == 303
        assert not signed_in(steward)


class TestForwardedAddresses:
    """A real server on loopback: whoever asks it comes from 127.0.0.1, whatever the headers say."""

    def ask(self, node, **headers):
        with served(plain_app(node.system), **forwarding(node.system.settings)) as port:
            data = {"secret": node.system.access.shared_secret()}
            return httpx.post(f"http://127.0.0.1:{port}/ops/", data=data, headers=headers, follow_redirects=False)

    @pytest.mark.parametrize("proxies", ["", "203.0.113.9", "10.0.0.0/8, 203.0.113.0/24", "127.0.0.2"])
    def test_nobody_else_is_believed(self, make_node, proxies):
        node = make_node(OPS_ALLOWED_NETWORKS="198.51.100.0/24", TRUSTED_PROXIES=proxies)
        assert self.ask(node, **{"X-Forwarded-For": "198.51.100.7"}).status_code == 403

    @pytest.mark.parametrize("proxies", ["127.0.0.1", "127.0.0.0/8", "10.0.0.1, 127.0.0.9/8"])
    def test_a_named_proxy_is(self, make_node, proxies):
        node = make_node(OPS_ALLOWED_NETWORKS="198.51.100.0/24", TRUSTED_PROXIES=proxies)
        assert self.ask(node, **{"X-Forwarded-For": "198.51.100.7"}).status_code == 303

    def test_what_a_visitor_wrote_before_the_proxy_did_counts_for_nothing(self, make_node):
        node = make_node(OPS_ALLOWED_NETWORKS="198.51.100.0/24", TRUSTED_PROXIES="127.0.0.1")
        assert self.ask(node, **{"X-Forwarded-For": "198.51.100.7, 203.0.113.5"}).status_code == 403

    def test_a_proxy_that_says_nothing_is_a_visitor_itself(self, make_node):
        assert self.ask(make_node(OPS_ALLOWED_NETWORKS="127.0.0.1", TRUSTED_PROXIES="127.0.0.1")).status_code == 303

    @pytest.mark.parametrize(("proxies", "secure"), [("", False), ("127.0.0.1", True)])
    def test_the_cookie_is_secure_where_a_named_proxy_speaks_https(self, make_node, proxies, secure):
        answer = self.ask(make_node(TRUSTED_PROXIES=proxies), **{"X-Forwarded-Proto": "https"})
        assert ("secure" in answer.headers["Set-Cookie"].lower().split("; ")) is secure

    def test_a_browser_that_names_another_address_with_every_guess_is_locked_out(self, make_node):
        node = make_node()
        with (
            served(plain_app(node.system), **forwarding(node.system.settings)) as port,
            httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        ):
            tries = [
                client.post("/ops/", data={"secret": "wrong"}, headers={"X-Forwarded-For": f"198.51.100.{number}"})
                for number in range(7)
            ]
        assert [answer.status_code for answer in tries] == [403] * 6 + [429]

    def test_a_header_that_no_client_library_would_send_opens_nothing(self, node):
        with served(plain_app(node.system), **forwarding(node.system.settings)) as port:
            request = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: %b=\xff\xfe;;=;%b\r\n\r\n"
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request % (SESSION.encode(), COOKIE.encode(), COOKIE.encode()))
                first = connection.makefile("rb").readline()
        assert b" 403 " in first


def test_a_failure_leaves_the_fact_in_the_log_and_nothing_else(client, node, caplog):
    caplog.set_level(logging.DEBUG)
    sign_in(client, node, "not the secret", headers={"User-Agent": "browser-of-somebody"})
    lines = [Lines().format(record) for record in caplog.records if not record.name.startswith("http")]
    (line,) = [line for line in lines if " request " in line]
    assert "POST" in line
    assert "403" in line
    written = "\n".join(lines)
    for said in ("not the secret", "not+the+secret", "browser-of-somebody", "203.0.113.5"):
        assert said not in written


def test_neither_cookie_nor_secret_reaches_a_log(client, node, caplog):
    caplog.set_level(logging.DEBUG)
    own = node.system.access.add("Ana", Role.STEWARD, actor="t")
    sign_in(client, node, own)
    token = client.cookies[COOKIE]
    client.get(SESSION)
    client.post(END)
    client.post("/ops/logout/", data={"x": ""}, **carrying(token))
    written = "\n".join(Lines().format(record) for record in caplog.records if not record.name.startswith("http"))
    assert "/api/v1/operator/sessions/end" in written
    assert [said for said in (own, token) if said in written] == []


class TestTheQuestion:
    """What whoever has no session is shown at /ops/; the live page asks for it."""

    @pytest.fixture
    def asked(self, make_node):
        def ask(address, **settings):
            app = plain_app(make_node(**settings).system)
            app.add_api_route("/asked", signin.ask)
            with served(app) as port:
                return httpx.get(f"http://127.0.0.1:{port}/asked", headers={"X-Forwarded-For": address})

        return ask

    def test_it_is_a_plain_page_that_allows_no_script(self, asked):
        answer = asked("203.0.113.5")
        assert (answer.status_code, answer.headers["Content-Security-Policy"]) == (200, PLAIN_POLICY)
        assert T("signin.question") in answer.text

    def test_from_a_network_that_is_not_named_it_is_not_asked(self, asked):
        answer = asked("203.0.113.5", OPS_ALLOWED_NETWORKS="10.0.0.0/8")
        assert (answer.status_code, answer.headers["Content-Security-Policy"]) == (403, PLAIN_POLICY)
        assert T("signin.network") in unescape(answer.text)
        assert T("signin.question") not in answer.text
