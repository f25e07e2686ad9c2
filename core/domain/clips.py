"""What a kiosk says aloud: the texts that are wanted now, and what a clip of one is known by."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from core.domain.codes import ALPHABET
from core.domain.notices import plain_figure

PROMPT = "prompt-"
SUFFIXES = {".mp3": "audio/mpeg", ".wav": "audio/wav"}
"""What a clip may be stored as, and what it is then served as."""

_FILE = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.mp3|\.wav)")
_DIGEST_SIGNS = 12


class By(StrEnum):
    """Who says it."""

    ESPEAK = "espeak-ng"
    RECORDING = "recording"


class Unit(StrEnum):
    """Units of time, as the section `spoken` names them."""

    DAYS = "days"
    HOURS = "hours"
    MINUTES = "minutes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """The text a clip says, and the file beside `clips.json` that says it."""

    says: str
    file: str
    by: By

    def __post_init__(self) -> None:
        """Refuse a file that lies elsewhere."""
        if not _FILE.fullmatch(self.file):
            raise ValueError(f"{self.file!r} is not the name of a clip's file")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipFigures:
    """The lengths of time that are promised here; 0 days: there are no backups."""

    room_hours: float
    fossil_hours: float
    fossil_days: float
    backup_days: float


class Say(Protocol):
    """A text of one language, as it is heard."""

    def __call__(self, key: str, **params: Any) -> str: ...


def wanted(say: Say, figures: ClipFigures) -> dict[str, str]:
    """Every text but the prompts, by the name of its clip."""

    def span(amount: float, unit: Unit) -> str:
        count, unit = whole(amount, unit)
        return say(f"spoken.{unit}", count=count)

    backup = {"backup": say("spoken.backup", backup_span=span(figures.backup_days, Unit.DAYS))}
    return {
        "check": say("spoken.check"),
        "room": say("spoken.room", room_span=span(figures.room_hours, Unit.HOURS)),
        "fossil": say(
            "spoken.fossil",
            fossil_span=span(figures.fossil_hours, Unit.HOURS),
            fossil_days=plain_figure(figures.fossil_days),
        ),
        "nosave": say("spoken.nosave"),
        **(backup if figures.backup_days > 0 else {}),
        "code": say("spoken.code"),
        "keep": say("spoken.keep"),
        **{f"sign-{sign.lower()}": say(f"spoken_signs.{sign.lower()}") for sign in ALPHABET},
    }


def prompts_by_name(texts: Iterable[str]) -> dict[str, str]:
    """Prompts, by the names of their clips."""
    return {prompt_name(text): text for text in texts}


def prompt_name(text: str) -> str:
    """The name of a prompt's clip: another text has another."""
    return f"{PROMPT}{_hash(text.encode())}"


def digest_of(sound: bytes) -> str:
    """What a clip's bytes are known by in its address."""
    return _hash(sound)


def whole(amount: float, unit: Unit) -> tuple[float, Unit]:
    """An amount as it is said: 30 minutes and not 0.5 hours, where that is as exact."""
    for parts, smaller in _SMALLER[unit]:
        count = round(amount * parts, 6)
        if count >= 1 and count == int(count):
            return int(count), smaller
    return amount, unit


_SMALLER = {
    Unit.DAYS: ((1, Unit.DAYS), (24, Unit.HOURS), (1440, Unit.MINUTES)),
    Unit.HOURS: ((1, Unit.HOURS), (60, Unit.MINUTES)),
    Unit.MINUTES: ((1, Unit.MINUTES),),
}


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()[:_DIGEST_SIGNS]
