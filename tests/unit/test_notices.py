from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.adapters.catalogs import load, parse
from core.adapters.copy import languages
from core.domain.consent import Mode, Notice, RetentionPolicy, promise
from core.domain.notices import NoticeCatalog, shown

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POLICY = RetentionPolicy(
    raw_room_hours=48,
    raw_fossil_hours=0.1,
    derivative_fossil_days=365,
    once_fetch_minutes=5,
    once_sweep_minutes=10,
    backup_days=7,
)
CATALOG = load("notices", NoticeCatalog)
ONE = """
present = "1"
[[notices]]
version = "1"
language = "en"
backup = ""
room = {name = "Room", promise = "For {room_hours} hours."}
fossil = {name = "Fossil", promise = "For {fossil_days} days."}
nosave = {name = "Once", promise = "Once."}
"""


WORDS = {"hours": lambda count: f"{count} hours", "between": " "}


def said(mode, version):
    manifest = promise(mode, POLICY, Notice(language="en", version=version), NOW)
    return shown(CATALOG.find(version, "en"), manifest, copies_until="10 March 2026", **WORDS)


@pytest.mark.parametrize("version", ["2", "3"])
def test_a_notice_names_the_day_of_the_last_backup_copy_where_there_is_one(version):
    assert said(Mode.ROOM, version).promise == (
        "It plays here for 48 hours. Then it is deleted, and nothing of it remains. "
        "From backups, too, it is gone by 10 March 2026."
    )
    assert "10 March" in said(Mode.FOSSIL, version).promise
    assert said(Mode.NOSAVE, version).promise.endswith("and is in no backup.")


def test_a_promise_that_is_in_no_backup_says_nothing_of_one():
    manifest = replace(promise(Mode.ROOM, POLICY, Notice(language="en", version="2"), NOW), backup_days=0)
    assert "backup" not in shown(CATALOG.find("2", "en"), manifest, copies_until="", **WORDS).promise


def test_a_record_of_the_first_notice_still_finds_its_words():
    assert said(Mode.FOSSIL, "1").name == "Leave it, with a fossil"
    assert said(Mode.FOSSIL, "1").promise == (
        "It plays here for 0.1 hours. Then only a wordless murmur and a picture of its sound remain, until day 365."
    )


def test_every_notice_that_was_ever_shown_is_known_and_others_are_not():
    english = {Notice(language="en", version=version) for version in ("1", "2")}
    assert CATALOG.known == english | {Notice(language=language, version="3") for language in languages()}
    assert CATALOG.languages == set(languages())
    assert (CATALOG.find("4", "en"), CATALOG.find("1", "de")) == (None, None)


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("{room_hours}", "{room_weeks}", "room_weeks"),
        ('present = "1"', 'present = "2"', "present is 2"),
        ("[[notices]]", ONE.split('1"\n', 1)[1] + "\n[[notices]]", "twice"),
    ],
)
def test_a_catalog_that_could_not_be_kept_is_refused(was, becomes, complaint):
    assert parse("notices.toml", ONE, NoticeCatalog).present == "1"
    with pytest.raises(ValueError, match=complaint):
        parse("notices.toml", ONE.replace(was, becomes, 1), NoticeCatalog)
