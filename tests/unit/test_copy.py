"""Words, numbers and times in the languages participants are spoken to in."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.copy import ISOLATE, ISOLATED, languages, load_copy
from memory_ui.captions import caption
from tests.unit.test_captions import NOW, TAKE

MOMENT = datetime(2026, 3, 1, 18, 5, tzinfo=UTC)
LANGUAGES = ("de", "en", "es", "fr", "pt-BR", "ar", "ja")


def test_the_languages_there_are_stand_in_the_order_of_their_names() -> None:
    assert languages() == LANGUAGES
    assert [load_copy(tag).name for tag in languages()] == sorted(load_copy(tag).name for tag in languages())


@pytest.mark.parametrize(
    ("language", "day", "span", "ago"),
    [
        ("en", "1 March 2026", "48 hours", "3 hours ago"),
        ("es", "1 de marzo de 2026", "48 horas", "hace 3 horas"),
        ("de", "1. März 2026", "48 Stunden", "vor 3 Stunden"),
        ("fr", "1 mars 2026", "48\xa0heures", "il y a 3 heures"),
        ("pt-BR", "1 de março de 2026", "48 horas", "há 3 horas"),
        ("ja", "2026年3月1日", "48 時間", "3 時間前"),
        ("ar", "1 مارس 2026", "48 ساعة", "قبل 3 ساعات"),
    ],
)
def test_times_are_written_as_its_people_write_them(language: str, day: str, span: str, ago: str) -> None:
    copy = load_copy(language)
    assert (copy.day(MOMENT), copy.span(48, "hour"), copy.ago(3, "hour")) == (day, span, ago)
    assert "18:05" in copy.moment(MOMENT)
    assert copy.moment(MOMENT, weekday=True) != copy.moment(MOMENT)


@pytest.mark.parametrize("language", LANGUAGES)
@given(day=st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_a_day_that_is_filled_in_elsewhere_is_the_same_day(language: str, day: date) -> None:
    copy = load_copy(language)
    calendar = copy.calendar()
    parts = {"day": day.day, "month": calendar["months"][day.month - 1], "number": day.month, "year": day.year}
    assert calendar["day"].format(**parts) == copy.day(day)


@pytest.mark.parametrize(("count", "said"), [(1, "مرة"), (2, "مرت"), (3, "مرات"), (11, "مرة"), (100, "مرة")])
def test_a_count_takes_its_plural_form(count: int, said: str) -> None:
    assert said in load_copy("ar").t("revoke.heard_times", count=count)


def test_a_form_a_language_leaves_out_is_the_other_one() -> None:
    assert load_copy("ja").t("revoke.heard_times", count=1) == "1回"
    assert load_copy("en").t("revoke.heard_times", count=1) == "once"
    assert load_copy("en").t("revoke.heard_times", count=1200) == "1,200 times"
    assert load_copy("de").t("revoke.heard_times", count=1200) == "1.200 Mal"


def test_what_is_filled_in_keeps_its_own_direction_where_one_reads_from_the_right() -> None:
    address = "room.example/revoke/"
    assert f"{ISOLATE}{address}{ISOLATED}" in load_copy("ar").t("kiosk.take_back", address=address)
    assert ISOLATE not in load_copy("de").t("kiosk.take_back", address=address)
    assert load_copy("ar").direction == "rtl"
    assert {load_copy(tag).direction for tag in LANGUAGES if tag != "ar"} == {"ltr"}


def test_sentences_follow_one_another_as_the_script_has_them() -> None:
    assert load_copy("ja").joined("一。", "", "二。") == "一。二。"
    assert load_copy("fr").joined("Un.", "", "Deux.") == "Un. Deux."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("passed", [timedelta(), timedelta(minutes=5), timedelta(hours=1), timedelta(days=40)])
def test_a_caption_is_one_line_of_words_in_every_language(language: str, passed: timedelta) -> None:
    line = caption(TAKE, TAKE.created_at + passed, load_copy(language), heard_ms=21_000)
    assert "21" in line
    assert "{" not in line
    assert len(line) < 120
    assert TAKE.created_at < NOW


def test_a_language_nobody_wrote_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        load_copy("tlh")
