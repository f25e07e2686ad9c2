"""The documentation and the cards, as the node serves them."""

import re

import pytest

from memory_ui.copy import languages, load_copy
from memory_ui.middleware import public_path
from memory_ui.plain import docs
from tests.fakes import visits_to

T = load_copy("en").t


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site of a few files; one of them lies beside it."""
    folder = tmp_path / "site"
    (folder / "_static").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Documentation</title>")
    (folder / "search.js").write_text("0;")
    (folder / "_static" / "site.css").write_text("a {}")
    (folder / "notes.ino").write_text("notes")
    (folder / ".made-of").write_text("x")
    (tmp_path / "secret.html").write_text("secret")
    monkeypatch.setattr(docs, "SITE", folder)
    return folder


@pytest.mark.parametrize(
    ("path", "kind"),
    [("", "text/html"), ("index.html", "text/html"), ("search.js", "text/javascript"),
     ("_static/site.css", "text/css"), ("notes.ino", "text/plain")],
)  # fmt: skip
def test_a_file_is_served_with_its_type_and_asked_for_again(client, site, path, kind):
    answer = client.get(f"/docs/{path}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/docs/{path}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_its_pages_may_run_the_sites_own_scripts_and_others_none(client, site):
    policy = client.get("/docs/").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "script-src" not in client.get("/").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["..%2fsecret.html", "%2e%2e/secret.html", "_static/..%2f..%2fsecret.html", ".made-of", "%00", "_static", "x"],
)
def test_nothing_else_is_served(client, site, path):
    answer = client.get(f"/docs/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text
    assert T("problem.not_found") in answer.text


def test_the_address_without_its_slash_leads_to_it(client):
    assert client.get("/docs").headers["Location"] == "/docs/"


def test_without_a_site_it_says_how_one_is_made(client, tmp_path, monkeypatch):
    monkeypatch.setattr(docs, "SITE", tmp_path / "none")
    answer = client.get("/docs/")
    assert answer.status_code == 404
    assert "make docs" in answer.text


def test_what_was_read_is_not_logged():
    assert public_path("/docs/how-to/ABCDE-FGHJK.html") == "/docs/-"
    assert public_path("/cards/participant") == "/cards/participant"


@pytest.mark.parametrize("language", languages())
def test_a_participants_card_says_what_the_notice_says_by_this_nodes_figures(make_node, language):
    node = make_node(NODE_NAME="The <attic>", NODE_CONTACT="Ada", RAW_TTL_HOURS_ROOM=31)
    with visits_to(node) as visits:
        text = visits.client().get("/cards/participant", params={"language": language}).text
    words = node.system.notices.find(node.system.notices.present, language)
    copy = load_copy(language)
    for said in (words.room.name, words.fossil.name, words.nosave.promise, copy.span(31, "hour"), "Ada"):
        assert said.replace("'", "&#39;") in text
    assert "<attic>" not in text
    assert "<svg" in text


def test_the_drills_name_what_stands_on_the_pages(client):
    shown = client.get("/cards/drill").text
    assert shown.count('<section class="drill">') == 6
    words = [text for key, text in load_copy("en").texts.items() if not key.startswith("drill.")]
    quoted = re.findall("“([^”]+)”", shown)
    assert len(quoted) > 10
    assert [one for one in quoted if one not in words] == []
