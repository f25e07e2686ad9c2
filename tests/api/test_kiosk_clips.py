"""What a kiosk says aloud is had under addresses that change with what is in it."""

import json

import pytest

from core.bootstrap.clips import clip_service
from core.domain.codes import ALPHABET
from memory_ui.copy import languages
from memory_ui.kiosk_clips import prompt_clips
from memory_ui.kiosk_words import words_of
from tests import wavs


def address(node, language, name):
    """Where a kiosk asks for a clip."""
    return f"/kiosk-clips/{words_of(node.system, language)['clips'][name]}/{language}/{name}"


ASKED = "What did you hear on the way?"


@pytest.mark.parametrize("language", languages())
def test_a_kiosk_is_told_of_every_clip_that_says_what_holds(node, language):
    words = words_of(node.system, language)
    assert len(words["clips"]) == 7 + len(ALPHABET)
    assert len(json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()) < 14_000


def test_a_clip_is_kept_for_good_by_whoever_fetched_it(client, node):
    answer = client.get(address(node, "pt-BR", "sign-a"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/mpeg")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert len(answer.content) > 500


def test_another_promise_is_not_spoken_as_the_old_one(node):
    figures = node.system.settings.model_copy(update={"RAW_TTL_HOURS_ROOM": 24})
    said = clip_service(figures, node.system.outside.data_dir).at_hand("en")
    assert "room" not in said
    assert "fossil" in said


def test_a_prompt_is_spoken_where_there_is_a_clip_of_it(client, node):
    assert prompt_clips(node.system, {"en": [ASKED]}) == {}
    name = next(name for name, text in node.system.clips.wanted("en", [ASKED]).items() if text == ASKED)
    node.system.clips.use("en", name, wavs.take(0.5), [ASKED])
    asked = prompt_clips(node.system, {"en": [ASKED, "Something else?"], "de": [ASKED]})[ASKED]
    assert client.get(asked).headers["Content-Type"] == "audio/wav"
    assert name not in words_of(node.system, "en")["clips"]


@pytest.mark.parametrize(
    ("before", "after"), [("/en/", "/de/"), ("/en/", "/tlh/"), ("/room", "/fossil"), ("/room", "/clips.json")]
)
def test_what_is_not_there_is_said_in_the_projects_shape(client, node, before, after):
    answer = client.get(address(node, "en", "room").replace(before, after))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
    assert answer.json() == {"error": "There is no such clip, or no longer."}


def test_a_clip_that_was_changed_by_hand_is_not_served_under_its_old_address(client, node):
    node.system.clips.use("en", "keep", wavs.take(0.5))
    before = address(node, "en", "keep")
    node.system.clips.at_hand("en")["keep"].path.write_bytes(b"something else")
    assert client.get(before).status_code == 404
