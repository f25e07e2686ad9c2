"""Who uses a node, as its addresses see them: the requests of kiosks, rooms and stewards, without their browsers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.wavs import take

UNBOUNDED = {
    f"{budget}_PER_{whom}_HOUR": 1_000_000 for budget in ("INGEST", "REVOKE") for whom in ("STATION", "ADDRESS")
}
"""Every client here has the same address."""

SOUND = take(10.0)
"""A take of ten seconds, 960 kB."""


@dataclass(slots=True)
class Times:
    """How long each kind of request took, in ms, and when it began, in seconds on the same clock."""

    began_s: float = field(default_factory=time.monotonic)
    taken: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def time(
        self, kind: str, ask: Callable[[], httpx.Response], *, expected: tuple[int, ...] = (200,)
    ) -> httpx.Response:
        """Ask, and note how long the whole answer took. RuntimeError for an answer nobody expected."""
        at = time.monotonic()
        answer = ask()
        self.taken.setdefault(kind, []).append((at - self.began_s, (time.monotonic() - at) * 1000))
        if answer.status_code not in expected:
            raise RuntimeError(f"{kind}: {answer.status_code} {answer.text[:200]}")
        return answer

    def of(self, kind: str, from_s: float = 0, to_s: float = float("inf")) -> list[float]:
        """Those of one kind that began then, in ms."""
        return [ms for at, ms in self.taken.get(kind, ()) if from_s <= at < to_s]


def leave(client: httpx.Client, times: Times, mode: str = "ROOM", sound: bytes = SOUND) -> dict[str, Any]:
    """One take; what the participant is told."""
    form = {"consent_mode": mode, "duration_ms": "10000"}
    files = {"file": ("take.wav", sound, "audio/wav")}
    answer = times.time(
        "intake", lambda: client.post("/api/v1/artifacts/audio", data=form, files=files), expected=(201,)
    )
    found: dict[str, Any] = answer.json()
    return found


def revoke(client: httpx.Client, times: Times, code: str) -> bool:
    """Take one back; whether its absence was verified before the answer: else a sweep was already about to do it."""
    answer = times.time("revoke", lambda: client.post("/api/v1/revoke", json={"token": code})).json()
    if not answer["revoked_artifacts"]:
        raise RuntimeError(f"nothing was taken back: {answer}")
    return answer["verified_gone_at"] is not None


def draw(client: httpx.Client, times: Times, kind: str = "pool next", **query: str) -> dict[str, Any]:
    """What the pool gives for a wish."""
    found: dict[str, Any] = times.time(kind, lambda: client.get("/api/v1/pool/next", params=query)).json()
    return found


def hear(client: httpx.Client, times: Times, played: dict[str, Any]) -> None:
    """Acknowledge one, long enough after it was drawn."""
    answer = times.time("heard", lambda: client.post(played["playback_ack_url"])).json()
    if answer.get("ignored"):
        raise RuntimeError("acknowledged too soon, or ended meanwhile")
