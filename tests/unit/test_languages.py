"""Which language a visitor is spoken to in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from core.domain.steward import StewardState
from memory_ui.copy import ENGLISH, languages
from memory_ui.languages import browsers_language, spoken, surface_language


def request(accept: str = "", query: str = "") -> Request:
    headers = [(b"accept-language", accept.encode("latin-1"))] if accept else []
    scope: dict[str, Any] = {"type": "http", "headers": headers, "query_string": query.encode()}
    return Request(scope)


def stewards(language: str) -> StewardState:
    return StewardState(kiosk_language_code=language, kiosk_max_recording_seconds=120, updated_at=None)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("es-GT", "es"),
        ("ES-mx", "es"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("ar-EG", "ar"),
        ("ja", "ja"),
        ("pl", None),
        ("", None),
        ("*", None),
    ],
)
def test_a_language_is_spoken_whatever_its_region(tag: str, language: str | None) -> None:
    assert spoken(tag) == language


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("pl,de;q=0.4,fr;q=0.9", "fr"),
        ("de, fr", "de"),
        ("fr;q=0, de;q=0.1", "de"),
        ("fr;q=much, de;q=0.1", "de"),
        ("pl", None),
        (";;;,q=,;q=1", None),
    ],
)
def test_a_browser_is_asked_for_what_it_wants_most(accept: str, language: str | None) -> None:
    assert browsers_language(request(accept)) == language


def test_what_a_visitor_asks_for_comes_before_the_address_and_that_before_the_browser() -> None:
    assert browsers_language(request("fr", "language=de"), "ja") == "ja"
    assert browsers_language(request("fr", "language=de")) == "de"
    assert browsers_language(request("fr", "language=tlh")) == "fr"


def test_a_screen_of_the_room_speaks_as_its_address_says_then_as_the_stewards_say() -> None:
    assert surface_language(request("fr", "language=de"), stewards("ar")) == "de"
    assert surface_language(request("fr"), stewards("ar")) == "ar"
    assert surface_language(request("fr"), stewards("")) == "fr"
    assert surface_language(request("pl"), stewards("")) == ENGLISH


@given(accept=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80))
def test_whatever_a_browser_says_there_is_a_language(accept: str) -> None:
    assert surface_language(request(accept), stewards("")) in languages()
