"""Lines of a node's log with only what cannot be of a person: allowed by name, not guessed by its looks."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.work import Job, Signal
from memory_ui.middleware import public_path

LINE = re.compile(r"(?P<when>\d{4}-\d\d-\d\dT[\d:.]+\+00:00) (?P<level>[a-z]+) +(?P<event>[a-z]+(?:\.[a-z_]+)?)(?: |$)")
SAID = re.compile(r"([a-z_]+)=")
LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
AREAS = frozenset(
    [
        "archive",
        "backup",
        "board",
        "budgets",
        "care",
        "certificate",
        "clips",
        "clock",
        "database",
        "decision",
        "devices",
        "effects",
        "job",
        "jobs",
        "keeping",
        "ledger",
        "live",
        "presence",
        "repair",
        "request",
        "schedule",
        "schema",
        "signals",
        "signs",
        "socket",
        "store",
        "tls",
        "tombstone",
        "update",
        "warnings",
        "watch",
        "worker",
    ]
)
"""What our own events begin with. A line of anybody else's may hold anything, and is left out."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OPERATIONS = frozenset({"put", "open", "size", "delete", "check", "keys", "ensure_bucket"})
NUMBERS = frozenset({"status", "ms", "attempt", "attempts", "for_s", "owed", "entries", "remembered", "finished"})
NUMBERS_MOST = 10**9
ERROR = re.compile(r"[A-Z][A-Za-z]{2,40}(?:Error|Timeout|Unavailable|Refused)")
"""The name of a kind of error; what it says is left out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scrubbed:
    """Lines that may be read by anybody, and how many were left out whole."""

    lines: list[str]
    left_out: int


def scrubbed(lines: Iterable[str]) -> Scrubbed:
    """What of a log may leave the house."""
    kept, left_out = [], 0
    for line in lines:
        made = _scrub(line)
        if made is None:
            left_out += 1
        else:
            kept.append(made)
    return Scrubbed(lines=kept, left_out=left_out)


def _scrub(line: str) -> str | None:
    found = LINE.match(line)
    if found is None or found["level"] not in LEVELS or found["event"].partition(".")[0] not in AREAS:
        return None
    said = {name: value for name, value in _said(line[found.end() :]).items() if _allowed(name, value)}
    if isinstance(path := said.get("path"), str):
        said["path"] = public_path(path)
    words = " ".join(f"{name}={json.dumps(value)}" for name, value in said.items())
    return f"{found['when']} {found['level']:8} {found['event']} {words}".rstrip()


def _said(text: str) -> Mapping[str, Any]:
    """The values behind an event, as far as they can be read: what follows them is a trace, or no line of ours."""
    values: dict[str, Any] = {}
    decoder, at = json.JSONDecoder(), 0
    while found := SAID.match(text, at):
        try:
            values[found[1]], at = decoder.raw_decode(text, found.end())
        except ValueError:
            break
        at += 1
    return values


_ALLOWED: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(NUMBERS, lambda value: isinstance(value, int | float) and abs(value) < NUMBERS_MOST),
    **dict.fromkeys(("reason", "error"), lambda value: isinstance(value, str) and bool(ERROR.fullmatch(value))),
    "method": lambda value: isinstance(value, str) and value in METHODS,
    "job": lambda value: isinstance(value, str) and value in set(Job),
    "signal": lambda value: isinstance(value, str) and value in set(Signal),
    "operation": lambda value: isinstance(value, str) and value in OPERATIONS,
    "path": lambda value: isinstance(value, str),
}


def _allowed(name: str, value: Any) -> bool:
    return name in _ALLOWED and _ALLOWED[name](value)
