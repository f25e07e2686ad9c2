"""Telling stewards who are not looking."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """A warning for people: what is, and what to do about it."""

    level: str
    title: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One warning as it is told."""

    name: str
    wording: Wording
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """Everything there is to tell at one look; `cleared`: nothing stewards were told of stands any more."""

    node: str
    warnings: tuple[Told, ...]
    cleared: bool


class Messenger(Protocol):
    """One way to reach stewards, under a name of its own."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> None:
        """Hand it over; raises `Unavailable` where that fails, and never takes long."""
