import re

import pytest

from core.domain import codes
from core.domain.artifact import State
from memory_ui.copy import load_copy
from memory_ui.receipts import day_and_time
from tests.fakes import START, visits_to

T = load_copy("en").t


@pytest.fixture
def code(client):
    """The receipt code of a take that is in the room."""
    return client.leave("FOSSIL").json()["revocation_token"]


def look(client, code, **given):
    return client.post("/revoke/", data={"token": code, "step": "look"}, **given)


def written(moment):
    """A moment as pages write it."""
    return day_and_time(moment, load_copy("en"), None)


def seen(html):
    """What stands on a page, without what its forms carry along."""
    return re.sub(r"<[^>]*>", " ", html)


def remove(client, code):
    return client.post("/revoke/", data={"token": code, "step": "remove"})


def test_the_door_names_the_node_and_leads_on(make_node):
    settings = {"NODE_NAME": "The <attic>", "NODE_LOCATION": "Upstairs & left", "NODE_CONTACT": "Ada"}
    with visits_to(make_node(**settings)) as visits:
        answer = visits.client().get("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "The &lt;attic&gt;" in answer.text
    assert "Upstairs &amp; left" in answer.text
    assert "<attic>" not in answer.text
    assert set(re.findall(r'href="(/[a-z]*/?)"', answer.text)) >= {"/kiosk/", "/room/", "/revoke/", "/ops/"}


def test_the_door_holds_no_secret(client, node):
    assert node.system.access.shared_secret() not in client.get("/").text


@pytest.mark.parametrize("path", ["/", "/revoke/", "/ops/", "/nowhere"])
def test_plain_pages_work_without_scripts_and_load_nothing_from_elsewhere(client, path):
    text = client.get(path).text
    assert "<script" not in text
    assert not re.search(r"\bon\w+=", text)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text)


@pytest.mark.parametrize("path", ["/", "/revoke/", "/ops/"])
def test_everything_a_plain_page_refers_to_is_served(client, path):
    for address in set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', client.get(path).text)):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


def test_style_sheets_refer_to_served_fonts_only(client):
    fonts = client.get("/").text
    sheet = client.get(re.search(r'href="(/assets/[^"]+fonts\.css)"', fonts).group(1))
    addresses = re.findall(r'url\("?([^")]+)"?\)', sheet.text)
    assert addresses
    for address in addresses:
        assert client.get(str(sheet.url.join(address).path)).status_code == 200


@pytest.mark.parametrize(
    "path", ["..%2f..%2fpyproject.toml", "../core/settings.py", "catalogs/pool.toml", "copy/en.toml", "css", "%00"]
)
def test_nothing_but_assets_is_served_as_an_asset(client, path):
    assert client.get(f"/assets/x/{path}").status_code == 404


class TestRevoke:
    def test_a_get_asks(self, client):
        answer = client.get("/revoke/")
        assert answer.status_code == 200
        assert T("revoke.question") in answer.text
        assert answer.headers["Cache-Control"] == "no-store"

    def test_a_get_never_revokes_and_never_looks_up(self, client, node, code):
        known, unknown = (client.get("/revoke/", params={"token": text}) for text in (code, codes.new_code(node.rng)))
        assert code in known.text
        assert len(known.text) == len(unknown.text)
        assert node.row(1).state == State.ACTIVE

    def test_a_code_in_the_address_is_written_safely(self, client):
        text = client.get("/revoke/", params={"token": '"><script>alert(1)</script>'}).text
        assert "<script" not in text

    def test_looking_shows_the_promise_and_removes_nothing(self, client, node, code):
        answer = look(client, code.lower().replace("-", " "))
        assert answer.status_code == 200
        for name in ("revoke.found", "revoke.mode_fossil", "revoke.heard_never", "revoke.confirm"):
            assert T(name) in answer.text
        assert node.row(1).state == State.ACTIVE

    def test_removing_removes_and_says_what_was_removed(self, client, node, code):
        answer = remove(client, code)
        assert answer.status_code == 200
        assert T("revoke.stand_gone") in answer.text
        assert T("revoke.deleted_recording") in answer.text
        assert code not in seen(answer.text)
        assert (node.row(1).state, node.files()) == (State.REVOKED, [])

    def test_a_store_that_refuses_is_told(self, client, node, code):
        node.store.refuses.add("delete")
        answer = remove(client, code)
        assert T("revoke.stand_going") in answer.text
        assert T("revoke.verified_waiting") in answer.text

    def test_looking_again_says_what_has_become_of_it_meanwhile(self, client, node, code):
        node.store.refuses.add("delete")
        remove(client, code)
        node.clock.advance(minutes=20)
        assert T("revoke.verified_waiting") in look(client, code).text
        node.store.refuses.clear()
        node.system.retention.sweep()
        for again in (look(client, code), remove(client, code)):
            assert again.status_code == 200
            assert T("revoke.ended_revoked", when=written(START)) in again.text
            assert f"<dd>{written(node.clock.now())}</dd>" in again.text

    def test_an_expired_memory_reached_its_end(self, client, node, code):
        node.clock.advance(hours=49)
        node.system.retention.expire()
        assert "reached its end" in look(client, code).text

    def test_an_unknown_code_is_404(self, client, node):
        answer = look(client, codes.new_code(node.rng))
        assert answer.status_code == 404
        assert T("revoke.unknown") in answer.text

    def test_a_typo_is_told_from_an_unknown_code(self, client, code):
        answer = look(client, code[:-1] + ("A" if code[-1] != "A" else "B"))
        assert T("revoke.mistyped") in answer.text
        assert T("revoke.unknown") not in answer.text

    @pytest.mark.parametrize("typed", ["", "   "])
    def test_nothing_typed_asks_for_the_code(self, client, typed):
        assert T("revoke.missing") in look(client, typed).text

    def test_too_many_codes_are_429(self, make_node):
        with visits_to(make_node(REVOKE_PER_STATION_HOUR=2)) as visits:
            client = visits.client()
            answers = [look(client, "22222-22222-22222") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [404, 404, 429]
        assert T("revoke.budget") in answers[2].text

    @pytest.mark.parametrize(
        "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
    )
    def test_a_form_of_another_site_is_refused(self, client, node, code, headers):
        answer = client.post("/revoke/", data={"token": code, "step": "remove"}, headers=headers)
        assert answer.status_code == 403
        assert node.row(1).state == State.ACTIVE

    @pytest.mark.parametrize(
        ("content_type", "body", "status"),
        [
            ("application/json", b'{"token": "x"}', 415),
            ("multipart/form-data; boundary=x", b"--x--", 415),
            ("application/x-www-form-urlencoded", b"token=%00", 400),
            ("application/x-www-form-urlencoded", b"token", 400),
            ("application/x-www-form-urlencoded", b"a=1&" * 50, 400),
            ("application/x-www-form-urlencoded", b"\xff\xfe=1", 400),
            ("application/x-www-form-urlencoded", b"token=" + b"x" * 70_000, 413),
        ],
    )
    def test_a_malformed_form_is_refused(self, client, content_type, body, status):
        answer = client.post("/revoke/", content=body, headers={"Content-Type": content_type})
        assert answer.status_code == status


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/revoke/x", 404)])
def test_a_page_that_is_not_there_is_a_page(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert T("problem.not_found") in answer.text


def test_a_database_that_does_not_answer_is_a_page_that_says_so(client, node, ground):
    ground.take_database_away(node.system)
    answer = look(client, codes.new_code(node.rng))
    assert answer.status_code == 503
    assert T("problem.closed") in answer.text
