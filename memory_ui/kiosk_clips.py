"""What a kiosk says aloud: clips under addresses that change with what is in them."""

from collections.abc import Iterable, Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from core.bootstrap import System
from core.domain.clips import SUFFIXES, digest_of, prompt_name
from core.errors import NotFound
from core.ports.clips import Kept
from memory_ui.copy import languages
from memory_ui.web import SystemOf

router = APIRouter(include_in_schema=False)

_YEAR = "public, max-age=31536000, immutable"


def clips_of(system: System, language: str) -> dict[str, str]:
    """Every clip at hand but those of prompts: the digest of its bytes, by name; its address is made of both."""
    return {name: kept.digest for name, kept in system.clips.at_hand(language).items()}


def prompt_clips(system: System, texts_by_language: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Where prompts are to be had spoken, by their texts. One that several languages ask is spoken in the last."""
    return {
        text: _address(language, prompt_name(text), kept)
        for language, texts in texts_by_language.items()
        for text, kept in system.clips.of_prompts(language, texts).items()
    }


@router.get("/kiosk-clips/{digest}/{language}/{name}")
def serve_clip(digest: str, language: str, name: str, system: SystemOf) -> Response:
    """A clip that says what holds, as long as its bytes are those the address was made of."""
    kept = system.clips.find(language, name) if language in languages() else None
    sound = _sound(kept) if kept is not None and kept.digest == digest else b""
    if kept is None or digest_of(sound) != digest:
        raise NotFound("There is no such clip, or no longer.")
    return Response(sound, media_type=SUFFIXES[kept.path.suffix], headers={"Cache-Control": _YEAR})


def _address(language: str, name: str, kept: Kept) -> str:
    return f"/kiosk-clips/{kept.digest}/{language}/{name}"


def _sound(kept: Kept) -> bytes:
    try:
        return kept.path.read_bytes()
    except OSError:
        return b""
