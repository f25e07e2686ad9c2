"""Whether a node does what it is there for: it records, plays and takes back, asked over HTTP as a participant asks.

What is left for it is taken back at once, and nothing of it may be found afterwards.
"""

import io
import json
import math
import struct
import time
import wave
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import urllib3

from core.errors import Unavailable
from core.services.health import ROLES

RATE_HZ = 48_000
LENGTH_S = 1.0
PEAK = 0.05
"""Soft: for the moment between recording and taking back it may be heard in the room."""
FREQUENCY_HZ = 330.0
ANSWER_S = 15.0
LOOK_S = 0.25
GONE_S = 30.0
"""A store that stumbles is asked again; how long that is waited for."""
CLOSED = {423: "intake is paused or the node is closed", 429: "a budget is used up", 507: "the disk reserve is reached"}
"""Answers to a take that say nothing against the version that gave them."""
NEVER = datetime.min.replace(tzinfo=UTC)


class SmokeFailed(Unavailable):
    """The node did not do what it is there for."""


class Smoke:
    """One look at a node. `say` is told each thing that was seen to work, or why it was left out."""

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        self._url = url.rstrip("/")
        self._say = say
        self._http = _client(self._url)
        # A station of its own: the budgets of kiosks are not touched.
        self._headers = {"X-Memory-Client-Id": "smoke"}

    def ready(self, *, since: datetime = NEVER) -> str:
        """Empty where the node and its background work are well, else what is wrong in a word or two.

        What worker, scheduler and jobs showed before `since` says nothing: it may be of a process that has ended.
        """
        try:
            answer = self._http.request("GET", f"{self._url}/readyz", timeout=ANSWER_S)
            return _wrong(json.loads(answer.data), since)
        except urllib3.exceptions.HTTPError:
            return "it does not answer"
        except (ValueError, KeyError, TypeError, AttributeError):
            return "it answers what no node answers"

    def version(self) -> str:
        """The version that answers, empty where none does."""
        try:
            answer = self._http.request("GET", f"{self._url}/api/v1/openapi.json", timeout=ANSWER_S)
            return str(json.loads(answer.data)["info"]["version"])
        except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError):
            return ""

    def run(self, *, since: datetime = NEVER) -> None:
        """Record, play, take back. Raises `SmokeFailed` with the first thing that does not work."""
        if wrong := self.ready(since=since):
            raise SmokeFailed(f"The node is not ready: {wrong}.")
        self._say("ready: database, store, queue, worker, scheduler")
        sound = tone()
        if self._heard_once(sound):
            self._kept_and_taken_back(sound)
        else:
            self._playable()

    def _heard_once(self, sound: bytes) -> bool:
        """A one-time take; False where this node takes nothing in just now, for a reason that is not its version's."""
        answer = self._ask("POST", "/api/v1/ephemeral/audio", fields={"file": ("smoke.wav", sound, "audio/wav")})
        if answer.status in CLOSED:
            self._say(f"not recorded: {CLOSED[answer.status]}; only readiness and playback are looked at")
            return False
        place = _body(answer, 201, "a one-time take")["play_url"]
        first, second = self._ask("GET", place), self._ask("GET", place)
        _require(first.status == 200 and first.data == sound, "A one-time take did not come back as it was given.")
        _require(second.status == 404, f"A one-time take was given twice: the second answer was {second.status}.")
        self._say("heard once: recorded, given back byte for byte, then never again")
        return True

    def _kept_and_taken_back(self, sound: bytes) -> None:
        fields = {"file": ("smoke.wav", sound, "audio/wav"), "consent_mode": "ROOM"}
        answer = self._ask("POST", "/api/v1/artifacts/audio", fields=fields)
        code = _body(answer, 201, "a take for the room")["revocation_token"]
        try:
            stand = self._receipt(code)["standing"]
            _require(stand in ("room", "waiting"), f"The receipt of a new take says {stand}.")
            self._say(f"recorded: its receipt says {stand}")
            self._playable(expected=stand == "room")
        finally:
            gone_at = self._taken_back(code)
        stand = self._receipt(code)["standing"]
        _require(stand == "revoked", f"The receipt of a take that was taken back says {stand}.")
        self._say(f"taken back: verified gone at {gone_at}")

    def _taken_back(self, code: str) -> str:
        answer = self._ask("POST", "/api/v1/revoke", json={"token": code})
        body = _body(answer, 200, "taking back")
        _require(body["revoked_artifacts"] == 1, "Taking back found no take.")
        until = time.monotonic() + GONE_S
        while not (gone_at := body["verified_gone_at"]):
            _require(time.monotonic() < until, "What was taken back is not verified as gone.")
            time.sleep(LOOK_S)
            body = self._receipt(code)
        return str(gone_at)

    def _receipt(self, code: str) -> dict[str, Any]:
        return _body(self._ask("POST", "/api/v1/receipt", json={"token": code}), 200, "a receipt")

    def _playable(self, *, expected: bool = False) -> None:
        """Whether the room is given a voice; nothing is acknowledged, so nothing wears."""
        answer = self._ask("GET", "/api/v1/pool/next")
        if answer.status == 204:
            paused = self._state()["playback_paused"]
            _require(paused or not expected, "The room has a take and is given none.")
            self._say("not played: playback is paused" if paused else "not played: the room is empty")
            return
        voice = self._ask("GET", _body(answer, 200, "asking for a voice")["audio_url"])
        _require(voice.status == 200 and voice.data[:4] == b"RIFF", f"A chosen voice was answered with {voice.status}.")
        self._say(f"playable: a voice of {len(voice.data)} bytes")

    def _state(self) -> dict[str, Any]:
        state = _body(self._ask("GET", "/api/v1/surface/state"), 200, "the state")["operator_state"]
        return dict(state)

    def _ask(self, method: str, path: str, **given: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request(
                method, f"{self._url}{path}", headers=self._headers, timeout=ANSWER_S, retries=False, **given
            )
        except urllib3.exceptions.HTTPError as error:
            raise SmokeFailed(f"{method} {_shown(path)} got no answer: {type(error).__name__}.") from error


def tone() -> bytes:
    """A WAV of one second: a soft tone that swells and fades, so that nobody is startled."""
    count = int(RATE_HZ * LENGTH_S)
    samples = (
        PEAK * math.sin(math.pi * index / count) * math.sin(2 * math.pi * FREQUENCY_HZ * index / RATE_HZ)
        for index in range(count)
    )
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(b"".join(struct.pack("<h", round(sample * 32767)) for sample in samples))
    return made.getvalue()


def _body(answer: urllib3.BaseHTTPResponse, status: int, what: str) -> dict[str, Any]:
    _require(answer.status == status, f"The answer to {what} was {answer.status}, not {status}.")
    try:
        return dict(json.loads(answer.data))
    except ValueError as error:
        raise SmokeFailed(f"The answer to {what} was not JSON.") from error


def _wrong(body: dict[str, Any], since: datetime) -> str:
    components = dict(body["components"])
    seen = {role: _instant(at) for role, at in body["heartbeats"].items()}
    failed = [_instant(one["failed_at"]) for one in body["failures"]]
    for role in ROLES:
        if components[role] == "ok" and seen.get(role, NEVER) < since:
            components[role] = "not heard of since the start"
    if failed and max(failed) < since:
        components["jobs"] = "ok"
    return ", ".join(f"{name} {word}" for name, word in components.items() if word != "ok")


def _instant(text: str) -> datetime:
    """Raises `ValueError` where it is no instant."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise SmokeFailed(sentence)


def _shown(path: str) -> str:
    """An address without the token it may end in: tokens reach no log."""
    return "/".join(path.split("/")[:5])


def _client(url: str) -> urllib3.PoolManager:
    host = urlsplit(url).hostname or ""
    try:
        own = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        return urllib3.PoolManager()
    # This machine itself: whoever could answer in its place needs no certificate for it.
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return urllib3.PoolManager(cert_reqs="CERT_NONE")
