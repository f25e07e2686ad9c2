"""What a kiosk says: one document a language, fetched when a visitor chooses it and kept by the browser."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from core.bootstrap import System
from core.domain.notices import NoticeCatalog
from core.errors import NotFound
from core.settings import Settings
from memory_ui.copy import languages, load_copy
from memory_ui.kiosk_clips import clips_of
from memory_ui.receipts import notice_of
from memory_ui.web import SystemOf

router = APIRouter(include_in_schema=False)

_YEAR = "public, max-age=31536000, immutable"


def words_of(system: System, language: str) -> dict[str, Any]:
    """Everything of one language, as this node says it."""
    spoken = clips_of(system, language)
    return words(language, system.settings, system.deployment.name, system.notices, spoken)


def words(
    language: str, settings: Settings, deployment: str, notices: NoticeCatalog, clips: Mapping[str, str]
) -> dict[str, Any]:
    """Everything of one language: its name for itself, how it is read, its `locale` for the browser, the section
    `kiosk`, the notice, and the `clips` that say it aloud: digests by name."""
    copy = load_copy(language)
    return {
        "language": language,
        "name": copy.name,
        "direction": copy.direction,
        "locale": str(copy.locale).replace("_", "-"),
        "copy": copy.framed("kiosk", deployment),
        "contact": settings.NODE_CONTACT or copy.t("kiosk.contact_nobody"),
        "notice": notice_of(notices, settings, language),
        "clips": dict(clips),
    }


def offered(system: System) -> list[dict[str, str]]:
    """The languages to choose from, how each invites, and where it is to be had."""
    return [
        {
            "language": copy.language,
            "name": copy.name,
            "direction": copy.direction,
            "invitation": copy.framed("kiosk", system.deployment.name)["idle_heading"],
            "url": f"/kiosk-words/{_digest(_document(system, copy.language))}/{copy.language}.json",
        }
        for copy in (load_copy(tag) for tag in languages())
    ]


@router.get("/kiosk-words/{digest}/{language}.json")
def serve_words(digest: str, language: str, system: SystemOf) -> Response:
    """The document of a language; under an address of another day, what is said today."""
    if language not in languages():
        raise NotFound("This language is not spoken here.")
    document = _document(system, language)
    caching = _YEAR if digest == _digest(document) else "no-cache"
    return Response(document, media_type="application/json", headers={"Cache-Control": caching})


def _document(system: System, language: str) -> bytes:
    return json.dumps(words_of(system, language), ensure_ascii=False, separators=(",", ":")).encode()


def _digest(document: bytes) -> str:
    return sha256(document).hexdigest()[:16]
