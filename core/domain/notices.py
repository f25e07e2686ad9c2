"""Notices as data: the words a participant was shown, by version and language, and what they said of one promise."""

import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.consent import Manifest, Mode, Notice

FIGURES = frozenset({"room_hours", "room_span", "fossil_hours", "fossil_span", "fossil_days", "copies_until"})
"""What a sentence may name; each is read from the manifest, a span with its unit in the words of the language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModeWords:
    """What one choice was called, and what it promised."""

    name: str
    promise: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeWords:
    """One version in one language; `backup` is said of every promise whose takes are in backups, "" for never."""

    version: str
    language: str
    backup: str
    room: ModeWords
    fossil: ModeWords
    nosave: ModeWords

    def __post_init__(self) -> None:
        """Refuse a sentence that names what no manifest can fill in."""
        sentences = [self.backup, *(self.of(mode).promise for mode in Mode)]
        wanted = {name for text in sentences for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if unknown := sorted(wanted - FIGURES):
            raise ValueError(f"notice {self.version} names {', '.join(unknown)}, which no manifest says")

    def of(self, mode: Mode) -> ModeWords:
        """The words of a mode."""
        match mode:
            case Mode.ROOM:
                return self.room
            case Mode.FOSSIL:
                return self.fossil
            case Mode.NOSAVE:
                return self.nosave


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeCatalog:
    """Every notice that was ever shown; `present` is the version shown now."""

    present: str
    notices: tuple[NoticeWords, ...]

    def __post_init__(self) -> None:
        """Refuse two notices of one name, and a present version nobody wrote."""
        names = [(words.version, words.language) for words in self.notices]
        if len(set(names)) < len(names):
            raise ValueError("a version is there twice in one language")
        if not self.languages:
            raise ValueError(f"present is {self.present}, which is not there")

    @property
    def languages(self) -> frozenset[str]:
        """The languages participants can be asked in now."""
        return frozenset(words.language for words in self.notices if words.version == self.present)

    @property
    def known(self) -> frozenset[Notice]:
        """Every notice a promise may name."""
        return frozenset(Notice(language=words.language, version=words.version) for words in self.notices)

    def find(self, version: str, language: str) -> NoticeWords | None:
        """The words of a version in a language; None for what is not kept here."""
        wanted = (version, language)
        return next((words for words in self.notices if (words.version, words.language) == wanted), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What a participant read of the mode they chose: its name, and the promise with its figures."""

    name: str
    promise: str


def shown(
    words: NoticeWords, manifest: Manifest, *, hours: Callable[[float], str], copies_until: str, between: str
) -> Shown:
    """What a notice said of a promise.

    `hours` writes so many hours with their unit, `copies_until` is the outermost day of a backup copy as it was
    written, both in the language of the notice; `between` stands between two of its sentences.
    """
    chosen = words.of(manifest.mode)
    sentences = [chosen.promise, *([words.backup] if words.backup and manifest.backup_days > 0 else [])]
    figures = figures_of(manifest)
    spans = {"room_span": hours(figures["room_hours"]), "fossil_span": hours(figures["fossil_hours"])}
    said = {**figures, **spans, "copies_until": copies_until}
    return Shown(name=chosen.name, promise=between.join(sentence.format(**said) for sentence in sentences))


def figures_of(manifest: Manifest) -> dict[str, float]:
    """The lengths of time a promise names, as they are read aloud: 48, not 48.0."""
    hours = plain_figure(_amount(manifest.given_at, manifest.raw_until, timedelta(hours=1)))
    days = plain_figure(_amount(manifest.given_at, manifest.derivative_until, timedelta(days=1)))
    return {"room_hours": hours, "fossil_hours": hours, "fossil_days": days}


def plain_figure(value: float) -> float:
    """A whole number without its decimals."""
    return int(value) if value == int(value) else value


def _amount(since: datetime, until: datetime | None, unit: timedelta) -> float:
    # Rounded, because a setting like 0.1 hours comes back from two times with an error in its last digit.
    return round((until - since) / unit, 6) if until is not None else 0.0
