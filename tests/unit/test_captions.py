from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.adapters.catalogs import load
from core.domain.artifact import Artifact, State
from core.domain.consent import Mode
from core.domain.deployment import DeploymentName
from core.domain.memory_color import ColorCatalog
from memory_ui.captions import caption
from memory_ui.copy import load_copy

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
COPY = load_copy("en")
TAKE = Artifact(
    id=4711,
    public_id="a-public-id",
    consent_id=1,
    mode=Mode.ROOM,
    state=State.ACTIVE,
    raw_key="raw/a-public-id/audio.wav",
    sha256="a-digest",
    duration_ms=90_000,
    wear=0.2,
    plays=66,
    created_at=NOW - timedelta(hours=2),
    heard_at=None,
    raw_until=NOW + timedelta(hours=46),
    derivative_until=None,
    playable_until=NOW + timedelta(hours=46),
    ended_at=None,
    gone_at=None,
    deployment="memory",
    topic="a-topic",
    status="a-status",
    effect="warm",
    outline=None,
    version=1,
    station="a-station",
)


def say(heard_ms: int = 21_000, **changes: object) -> str:
    return caption(replace(TAKE, **changes), NOW, COPY, heard_ms=heard_ms)  # type: ignore[arg-type]


def test_a_caption_says_what_how_it_sounds_how_old_how_worn_and_how_long() -> None:
    assert say() == "A memory for the room, sounding warm, left 2 hours ago, hardly worn, 21 seconds"


def test_it_says_how_long_is_heard_and_not_how_long_the_take_is() -> None:
    assert say(heard_ms=800).endswith(", 1 second")


def test_a_dry_take_has_no_colour_to_speak_of() -> None:
    assert say(effect="") == "A memory for the room, left 2 hours ago, hardly worn, 21 seconds"


@pytest.mark.parametrize("colour", load("colours", ColorCatalog).colours, ids=lambda colour: colour.code)
def test_every_colour_there_is_has_words(colour: object) -> None:
    assert "sounding" in say(effect=colour.code)  # type: ignore[attr-defined]


def test_a_colour_without_words_of_its_own_is_passed_over() -> None:
    assert say(effect="brand-new") == say(effect="")


@pytest.mark.parametrize("offering", [name.value for name in DeploymentName if name is not DeploymentName.MEMORY])
def test_what_was_left_is_called_what_the_deployment_calls_it(offering: str) -> None:
    for changes in ({}, {"mode": Mode.FOSSIL}, {"mode": Mode.FOSSIL, "raw_until": NOW}):
        assert offering in say(deployment=offering, **changes).lower()


@pytest.mark.parametrize("deployment", ["memory", "", "something-older"])
def test_anything_else_is_a_memory(deployment: str) -> None:
    assert say(deployment=deployment).startswith("A memory for the room")


def test_a_fossil_is_told_from_what_is_left_of_it() -> None:
    assert say(mode=Mode.FOSSIL).startswith("A memory that leaves a fossil")
    assert say(mode=Mode.FOSSIL, raw_until=NOW).startswith("The fossil of a memory")


def test_nothing_in_it_says_who_or_what_about() -> None:
    said = say(mode=Mode.FOSSIL).lower()
    for secret in ("4711", "a-public-id", "a-topic", "a-status", "a-station", "66"):
        assert secret not in said
