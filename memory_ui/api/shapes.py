"""JSON shapes of the contract, and how they are made from what the services give."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path as PathOf
from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr

from core.domain.artifact import Artifact
from core.domain.memory_color import ColorCatalog
from core.domain.pool.facts import LARGEST_ID, Wish
from core.domain.sensor import ASKS, Sensed, Subject, Word
from core.domain.steward import SWITCHES, StewardState
from core.ports.outside import Budget
from core.services.pool import Playback

RowId = Annotated[int, PathOf(ge=1, le=LARGEST_ID)]
"""A row's number in an address."""


class CodeBody(BaseModel):
    """A receipt code as a person typed it."""

    model_config = ConfigDict(extra="ignore")
    token: StrictStr


class ConsumeBody(BaseModel):
    """An unplayed one-time take and the token it was answered with."""

    model_config = ConfigDict(extra="ignore")
    artifact_id: StrictInt
    consume_token: StrictStr


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC, which is the reader's word for a time without a zone; ValueError beyond the calendar."""
    try:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("a time within the calendar is needed") from None


def at(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, or null."""
    return moment.isoformat() if moment is not None else None


def artifact(found: Artifact, colours: ColorCatalog) -> dict[str, Any]:
    """An artifact as its own participant sees it."""
    return {
        "id": found.id,
        "kind": found.mode.value,
        "status": found.state.value,
        "created_at": at(found.created_at),
        "expires_at": at(found.raw_until),
        "wear": found.wear,
        "play_count": found.plays,
        "duration_ms": found.duration_ms,
        "effect_profile": found.effect,
        "effect_metadata": effect(found.effect, colours),
        "deployment_kind": found.deployment,
        "topic_tag": found.topic,
        "lifecycle_status": found.status,
    }


def effect(code: str, colours: ColorCatalog) -> dict[str, Any]:
    """What there is to say of a memory colour; empty for a dry take."""
    colour = colours.by_code().get(code)
    return {"code": colour.code, "topology": colour.topology.value} if colour is not None else {}


def playback(found: Playback, wish: Wish, colours: ColorCatalog) -> dict[str, Any]:
    """One granted playback."""
    choice, taken, part = found.choice, found.artifact, found.slice
    return {
        "artifact_id": taken.id,
        "requested_lane": wish.lane or "any",
        "requested_density": wish.density or "any",
        "requested_mood": wish.mood or "any",
        "lane": choice.lane.value,
        "density": choice.density.value,
        "mood": choice.mood.value,
        "duration_ms": taken.duration_ms,
        "effect_profile": taken.effect,
        "effect_metadata": effect(taken.effect, colours),
        "playback_start_ms": part.start_ms,
        "playback_duration_ms": part.duration_ms,
        "playback_windowed": part.windowed,
        "playback_revolution_index": part.revolution_index,
        "playback_revolution_seconds": part.revolution_s,
        "age_hours": round(choice.facts.age_hours(found.chosen_at), 3),
        "wear": taken.wear,
        "featured_return": choice.featured_return,
        "play_count": taken.plays,
        "deployment_kind": taken.deployment,
        "topic_tag": taken.topic,
        "lifecycle_status": taken.status,
        "thread_signal": choice.thread_signal,
        "pool_size": found.pool_size,
        "playback_ack_url": heard_url(found.heard_token),
        "audio_url": sound_url(found.media_token),
        "expires_at": at(found.expires_at),
    }


def heard_url(token: str) -> str:
    """Where a playback is acknowledged."""
    return f"/api/v1/pool/heard/{token}"


def flag_url(token: str) -> str:
    """Where a listener asks for a playback to be checked."""
    return f"/api/v1/pool/flag/{token}"


def sound_url(token: str) -> str:
    """Where a granted sound is fetched."""
    return f"/api/v1/media/raw/{token}"


def picture_url(token: str) -> str:
    """Where a fossil's picture is fetched."""
    return f"/api/v1/media/spectrogram/{token}"


def fossils_url(token: str) -> str:
    """Where the pictures of fossils are listed; empty without a token."""
    return f"/api/v1/surface/fossils/{token}" if token else ""


def operator_state(state: StewardState) -> dict[str, Any]:
    """The live posture as every surface may know it: what is in force, whoever wants it so."""
    return {
        "intake_paused": state.intake_paused,
        "playback_paused": state.pauses,
        "quieter_mode": state.hushes,
        "maintenance_mode": state.maintenance_mode,
        "mood_bias": state.mood_bias,
        "kiosk_language_code": state.kiosk_language_code,
        "kiosk_accessibility_mode": state.kiosk_accessibility_mode,
        "kiosk_force_reduced_motion": state.kiosk_force_reduced_motion,
        "kiosk_max_recording_seconds": state.kiosk_max_recording_seconds,
        "session_theme_title": state.session_theme_title,
        "session_theme_prompt": state.session_theme_prompt,
        "kiosk_topics": state.kiosk_topics,
        "kiosk_closed_words": state.kiosk_closed_words,
        "deployment_focus_topic": state.deployment_focus_topic,
        "deployment_focus_status": state.deployment_focus_status,
        "updated_at": at(state.updated_at),
    }


def steward_state(state: StewardState) -> dict[str, Any]:
    """A steward's own controls with the ends of timed switches, and the version a change may name."""
    own = {name: getattr(state, name) for name in SWITCHES}
    ends = {f"{name}_until": at(getattr(state, f"{name}_until")) for name in SWITCHES}
    return {**operator_state(state), **own, **ends, "version": state.version}


def sensed(found: Sensed) -> dict[str, Any]:
    """What a sensor has said; null about what it has not."""
    people = found.word(Subject.OCCUPANCY)
    return {
        "occupancy": {"people": people.value, **_word(people)} if people is not None else None,
        **{about.value: _asked(found.word(about)) for about in ASKS},
    }


def _asked(word: Word | None) -> dict[str, Any] | None:
    return {**_word(word), "overruled": word.overruled} if word is not None else None


def _word(word: Word) -> dict[str, Any]:
    return {"source": word.source, "since": at(word.since), "at": at(word.at), "until": at(word.until)}


def ingest_budget(station: Budget, address: Budget) -> dict[str, Any]:
    """Both ingest budgets and the one that binds."""
    binding = min(station, address, key=lambda budget: budget.remaining)
    return {
        "client": budget(station),
        "ip": budget(address),
        "effective_remaining": binding.remaining,
        "effective_reset_in_seconds": binding.reset_in_seconds,
        "low": station.low or address.low,
        "exhausted": station.exhausted or address.exhausted,
    }


def budget(found: Budget) -> dict[str, Any]:
    """One budget."""
    return {
        "rate": found.rate,
        "limit": found.limit,
        "used": found.used,
        "remaining": found.remaining,
        "window_seconds": found.window_seconds,
        "reset_in_seconds": found.reset_in_seconds,
        "low": found.low,
        "exhausted": found.exhausted,
    }
