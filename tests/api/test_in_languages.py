"""Participants are spoken to in their own language; what they agreed to stays in the words they agreed in."""

import html
import re

import pytest

from memory_ui.copy import languages, load_copy
from tests import wavs

TAKE = wavs.take(3, sample_rate_hz=8000)
OTHERS = [tag for tag in languages() if tag != "en"]


def leave(client, language):
    return client.leave("FOSSIL", TAKE, language=language, notice_version="3").json()


def seen(answer):
    """What stands on a page."""
    return html.unescape(re.sub(r"<[^>]*>", " ", answer.text))


def root(answer):
    """The language and the direction of a page."""
    return re.search(r'<html lang="([^"]+)" dir="([^"]+)"', answer.text).groups()


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("path", ["/", "/revoke/", "/nowhere"])
def test_a_page_speaks_as_its_visitor_does(client, path, language):
    direction = load_copy(language).direction
    assert root(client.get(path, headers={"Accept-Language": language})) == (language, direction)
    assert root(client.get(f"{path}?language={language}")) == (language, direction)


def test_a_visitor_nobody_understands_is_spoken_to_as_at_the_kiosk(client, node):
    polish = {"Accept-Language": "pl"}
    assert root(client.get("/", headers=polish))[0] == "en"
    node.system.stewardship.change({"kiosk_language_code": "es"}, actor="Ana")
    assert root(client.get("/", headers=polish))[0] == "es"
    assert root(client.get("/revoke/", headers=polish))[0] == "es"


def test_every_language_can_be_chosen_on_a_page(client):
    for path in ("/", "/revoke/"):
        offered = re.findall(r'<button class="language" name="language" value="([^"]+)"', client.get(path).text)
        assert tuple(offered) == languages()


def test_stewards_are_spoken_to_in_english(client):
    refused = client.post("/ops/", data={"secret": "wrong"}, headers={"Accept-Language": "ar"})
    assert root(refused) == ("en", "ltr")


@pytest.mark.parametrize("language", OTHERS)
def test_a_receipt_is_in_the_language_the_take_was_left_in(client, node, language):
    copy = load_copy(language)
    body = leave(client, language)
    assert body["receipt"]["url"].endswith(f"&language={language}")
    assert body["receipt"]["words"]["fossil_until"] == copy.day(node.clock.now().replace(year=2027))

    asked = client.get(body["receipt"]["url"])
    assert copy.t("revoke.question") in seen(asked)
    found = client.post("/revoke/", data={"token": body["revocation_token"], "step": "look", "language": language})
    assert root(found) == (language, copy.direction)
    text = seen(found)
    for key in ("revoke.stand_room", "revoke.confirm", "revoke.narrow", "revoke.agreed", "slip.code"):
        assert copy.t(key) in text, key
    english = load_copy("en")
    for key in ("revoke.stand_room", "revoke.confirm", "revoke.heard", "revoke.backups", "slip.take_back"):
        assert english.t(key) not in text, key

    narrowed = client.post("/revoke/", data={"token": body["revocation_token"], "step": "narrow", "language": language})
    assert copy.t("revoke.narrowed") in seen(narrowed)
    ended = client.post("/revoke/", data={"token": body["revocation_token"], "step": "remove", "language": language})
    assert copy.t("revoke.stand_gone") in seen(ended)
    assert copy.t("revoke.gone_note") in seen(ended)


@pytest.mark.parametrize("language", OTHERS)
def test_what_was_agreed_to_stays_in_its_words_whoever_reads_it(client, node, language):
    body = leave(client, language)
    words = node.system.notices.find(node.system.notices.present, language)
    record = client.post("/api/v1/receipt/record", json={"token": body["revocation_token"]}).json()
    notice = record["pii_processing"]["privacy_notice"]
    assert (notice["language"], notice["choice"]) == (language, words.fossil.name)
    copy = load_copy(language)
    assert copy.span(48, "hour") in notice["text"]
    assert copy.day(node.clock.now().replace(year=2027, day=8)) in notice["text"]
    assert record["party_identification"][0]["party_role"] == copy.t("record.role")

    english = seen(client.post("/revoke/", data={"token": body["revocation_token"], "step": "look", "language": "en"}))
    assert load_copy("en").t("revoke.stand_room") in english
    assert notice["text"] in english


def test_a_language_that_is_not_spoken_stores_nothing(client):
    answer = client.leave("ROOM", TAKE, language="tlh", notice_version="3")
    assert answer.status_code == 400
    assert "language" in answer.json()["error"]


class TestKioskWords:
    def test_a_document_is_kept_under_an_address_that_changes_with_it(self, client):
        page = client.get("/kiosk-words/0000000000000000/de.json")
        assert page.headers["Cache-Control"] == "no-cache"
        words = page.json()
        assert (words["language"], words["name"], words["direction"]) == ("de", "Deutsch", "ltr")
        assert words["copy"]["begin"] == load_copy("de").t("kiosk.begin")
        assert words["notice"]["spans"]["room_span"] == "48 Stunden"

    @pytest.mark.parametrize("language", ["tlh", "..", "stewards", "en.toml"])
    def test_what_is_no_language_is_not_there(self, client, language):
        assert client.get(f"/kiosk-words/0/{language}.json").status_code == 404
