"""What every scenario is made of: the take, a few requests, a few ways to look at the answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.harness import Answer, Server, rows
from tests.wavs import take

TAKE = take(0.12)
Memo = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """`prepare` makes what is there before; `at_rest` looks at the disk right after a death, before any restart."""

    name: str
    act: Callable[[Server, Memo], Answer]
    judge: Callable[[Server, Path, Memo, list[Answer]], list[str]]
    prepare: Callable[[Server], Memo] = lambda _server: {}
    at_rest: Callable[[Path, Memo, list[Answer]], list[str]] = lambda _data_dir, _memo, _log: []
    later: Callable[[Server, Path, Memo, list[Answer]], list[str]] | None = None
    retried: bool = True
    armed_from_birth: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    rest_s: float = 0.0


def upload(server: Server, mode: str, key: str = "the same key") -> Answer:
    """Send the take."""
    path, data = ("/ephemeral/audio", {}) if mode == "NOSAVE" else ("/artifacts/audio", {"consent_mode": mode})
    return server.ask(
        "POST",
        f"/api/v1{path}",
        data={**data, "topic_tag": "a door"},
        files={"file": ("take.wav", TAKE, "audio/wav")},
        headers={"Idempotency-Key": key},
    )


def revoke(server: Server, code: str) -> Answer:
    """Take back what is under a code."""
    return server.ask("POST", "/api/v1/revoke", json={"token": code})


def receipt(server: Server, code: str) -> Any:
    """What a code shows."""
    return server.ask("POST", "/api/v1/receipt", json={"token": code}).json


def states(data_dir: Path) -> list[str]:
    """The states of all takes, oldest first."""
    return [row["state"] for row in rows(data_dir, "SELECT state FROM artifact ORDER BY id")]


def expect(*claims: tuple[bool, str]) -> list[str]:
    """The sentences of the claims that do not hold."""
    return [sentence for holds, sentence in claims if not holds]


def acked(log: list[Answer], status: int) -> list[Answer]:
    """The answers of one status."""
    return [answer for answer in log if answer.status == status]


def odd(log: list[Answer], *statuses: int) -> list[str]:
    """Answers that nothing explains."""
    return [f"answered {answer.status}" for answer in log if answer.status not in (0, *statuses)]
