"""Clients of the node, driven by a seed, and a record of everything they were told."""

import json
import random
import ssl
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx

from tests.fakes import at_once
from tests.wavs import take

PATIENCE = httpx.Timeout(60.0, connect=10.0)
AGAIN = frozenset({502, 503, 504})
"""What a node says whose part is down; everything else is an answer."""
SAMPLE_RATE_HZ = 16_000
REST_S = (0.2, 1.6)
"""Between two things a client does."""
WAV = "audio/wav"
Verify = ssl.SSLContext | bool
"""Whose certificates a client takes."""


@dataclass(kw_only=True, slots=True)
class Take:
    """One offering: what was sent, what was answered, and what was done with it since."""

    mode: str
    key: str
    data: bytes = field(repr=False)
    sha256: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    asked_back: bool = False
    revoked_at: float = 0.0
    verified: bool = False
    plays: list[tuple[int, str]] = field(default_factory=list)
    disposed: bool = False

    @property
    def id(self) -> int:
        """Of the artifact."""
        first = self.answers[0]
        return int(first["artifact_id"] if self.mode == "NOSAVE" else first["artifact"]["id"])

    @property
    def code(self) -> str:
        """The receipt code."""
        return str(self.answers[0]["revocation_token"])


@dataclass(kw_only=True, slots=True)
class Grant:
    """One granted playback: when it was asked for, the digest of what sounded, every answer to its acknowledgement.

    `lost` counts acknowledgements whose answer never came.
    """

    artifact_id: int
    asked_at: float
    digest: str = ""
    said: list[str] = field(default_factory=list)
    lost: int = 0


@dataclass(slots=True)
class Record:
    """Everything the clients know. Appending is all they do to it at once."""

    takes: list[Take] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def kept(self) -> list[Take]:
        """Acknowledged ROOM and FOSSIL takes."""
        return [one for one in list(self.takes) if one.mode != "NOSAVE"]


class Visitor:
    """One client with cookies of its own, so that Caddy gives it an instance of its own."""

    def __init__(self, url: str, record: Record, stop: threading.Event, verify: Verify = True) -> None:
        named = {"X-Memory-Client-Id": uuid.uuid4().hex}
        self._http = httpx.Client(base_url=url, timeout=PATIENCE, headers=named, verify=verify)
        self._record = record
        self._stop = stop

    def close(self) -> None:
        """Disconnect."""
        self._http.close()

    def once(self, method: str, path: str, **given: Any) -> httpx.Response | None:
        """One try; None where no answer came, or only half of one."""
        began = time.monotonic()
        try:
            answer = self._http.request(method, path, **given)
        except httpx.HTTPError as error:
            self._record.answers[type(error).__name__] += 1
            return None
        self._record.answers[str(answer.status_code)] += 1
        self._record.slowest_s = max(self._record.slowest_s, time.monotonic() - began)
        return answer

    def until_answered(
        self, method: str, path: str, *, lost: Callable[[], None] = lambda: None, **given: Any
    ) -> httpx.Response | None:
        """Try until there is an answer; None only where the load ends first."""
        for number in range(10_000):
            answer = self.once(method, path, **given)
            if answer is not None and answer.status_code not in AGAIN:
                return answer
            lost()  # a 503, too, can be the lost answer of something that was done
            if self._stop.wait(min(0.1 * 1.5**number, 1.0)):
                return None
        return None


class Load:
    """Threads of visitors; `finish` lets each end what it has begun, as a patient client would."""

    def __init__(self, url: str, *, seed: int, verify: Verify = True, record: Record | None = None) -> None:
        """`record` is gone on with, where there is one."""
        self.record = record if record is not None else Record()
        self._url = url
        self._verify = verify
        self._seed = seed
        self._ending = threading.Event()
        self._giving_up = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failures: list[Exception] = []

    def start(self, *, offering: int = 3, listening: int = 2, revoking: int = 1, once: int = 1) -> None:
        """So many clients of every sort."""
        sorts: list[tuple[Callable[[Visitor, random.Random], None], int]] = [
            (self._offer, offering),
            (self._listen, listening),
            (self._revoke, revoking),
            (self._once, once),
        ]
        for act, many in sorts:
            for number in range(many):
                rng = random.Random(f"{self._seed} {act.__name__} {number}")
                self._threads.append(threading.Thread(target=self._live, args=(act, rng), daemon=True))
        for thread in self._threads:
            thread.start()

    def finish(self, patience_s: float = 90.0) -> None:
        """Begin nothing new; wait for what is under way. Raises what a client did not expect."""
        self._ending.set()
        end = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._giving_up.set()
        for thread in self._threads:
            thread.join(PATIENCE.read or 0.0)
        if self._failures:
            raise self._failures[0]

    def visitor(self) -> Visitor:
        """Another client, of the same record."""
        return Visitor(self._url, self.record, self._giving_up, self._verify)

    def offer(self, visitor: Visitor, rng: random.Random, mode: str) -> Take | None:
        """Send a take until it is answered, and now and then once more: the same answer must come back."""
        data = take(rng.uniform(0.3, 4.0), frequency_hz=rng.uniform(80, 4_000), sample_rate_hz=SAMPLE_RATE_HZ)
        sent = Take(mode=mode, key=f"{rng.getrandbits(128):032x}", data=data, sha256=sha256(data).hexdigest())
        path = "/api/v1/ephemeral/audio" if mode == "NOSAVE" else "/api/v1/artifacts/audio"
        given = {
            "files": {"file": ("take.wav", data, WAV)},
            "data": {"duration_ms": "1"} | ({} if mode == "NOSAVE" else {"consent_mode": mode}),
            "headers": {"Idempotency-Key": sent.key},
        }
        for _ in range(2 if rng.random() < 0.2 else 1):
            answer = visitor.until_answered("POST", path, **given)
            if answer is not None and answer.status_code == 201:
                sent.answers.append(answer.json())
            elif answer is not None:
                self._odd(f"a {mode} take was answered with {answer.status_code}", answer)
        if not sent.answers:
            return None
        if any(one != sent.answers[0] for one in sent.answers):
            self._odd("one take was answered in two ways")
        self.record.takes.append(sent)
        return sent

    def _live(self, act: Callable[[Visitor, random.Random], None], rng: random.Random) -> None:
        visitor = self.visitor()
        try:
            while not self._ending.wait(rng.uniform(*REST_S)):
                act(visitor, rng)
        except Exception as error:  # noqa: BLE001 -- raised where the load is ended
            self._failures.append(error)
        finally:
            visitor.close()

    def _offer(self, visitor: Visitor, rng: random.Random) -> None:
        self.offer(visitor, rng, rng.choice(("ROOM", "FOSSIL", "FOSSIL")))

    def _revoke(self, visitor: Visitor, rng: random.Random) -> None:
        standing = [one for one in self.record.kept() if not one.asked_back]
        # Most stay, so that there is something to lose.
        if len(standing) < 4 or rng.random() < 0.4:
            return
        self.take_back(visitor, rng.choice(standing))

    def take_back(self, visitor: Visitor, chosen: Take) -> None:
        """Take a take back, until that is answered."""
        chosen.asked_back = True
        answer = visitor.until_answered("POST", "/api/v1/revoke", json={"token": chosen.code})
        if answer is None:
            return
        if answer.status_code != 200:
            self._odd(f"a revocation was answered with {answer.status_code}", answer)
            return
        chosen.verified = answer.json()["verified_gone_at"] is not None
        chosen.revoked_at = time.monotonic()

    def _listen(self, visitor: Visitor, rng: random.Random) -> None:
        self.listen(visitor, rng)

    def listen(self, visitor: Visitor, rng: random.Random, *, patience: float = 0.6) -> None:
        """Ask for a voice, fetch it, say that it was heard after such a part of its length."""
        asked_at = time.monotonic()
        answer = visitor.once("GET", "/api/v1/pool/next")
        if answer is None or answer.status_code in AGAIN or answer.status_code == 204:
            return
        if answer.status_code != 200:
            self._odd(f"the pool answered with {answer.status_code}", answer)
            return
        found = answer.json()
        grant = Grant(artifact_id=found["artifact_id"], asked_at=asked_at)
        self.record.grants.append(grant)
        sound = visitor.once("GET", found["audio_url"])
        if sound is not None and sound.status_code == 200:
            grant.digest = sha256(sound.content).hexdigest()
        elif sound is not None and sound.status_code not in AGAIN | {404}:
            self._odd(f"a sound was answered with {sound.status_code}", sound)
        self._ending.wait(found["playback_duration_ms"] / 1000 * patience)
        for _ in range(rng.choice((1, 1, 2, 3))):
            self._acknowledge(visitor, grant, found["playback_ack_url"])

    def _acknowledge(self, visitor: Visitor, grant: Grant, path: str) -> None:
        def lost() -> None:
            grant.lost += 1

        answer = visitor.until_answered("POST", path, lost=lost)
        if answer is None:
            return
        if answer.status_code != 200:
            self._odd(f"an acknowledgement was answered with {answer.status_code}", answer)
            return
        said = answer.json()
        grant.said.append("duplicate" if said.get("duplicate") else "ignored" if said.get("ignored") else "counted")

    def _once(self, visitor: Visitor, rng: random.Random) -> None:
        sent = self.offer(visitor, rng, "NOSAVE")
        fate = rng.random()
        if sent is None or fate < 0.25:  # left alone: it must wait for whoever comes
            return
        if fate < 0.35:
            token = {"artifact_id": sent.id, "consume_token": sent.answers[0]["consume_token"]}
            answer = visitor.until_answered("POST", "/api/v1/ephemeral/consume", json=token)
            # A lost answer's repetition finds nothing any more.
            sent.disposed = answer is not None and answer.status_code in (200, 404)
            return
        self.play_at_once(sent)

    def play_at_once(self, sent: Take) -> None:
        """Two listeners fetch a one-time take at the same moment, each until it is answered."""
        listeners = (self.visitor(), self.visitor())
        try:
            at_once(*(lambda one=one: self._play(one, sent) for one in listeners))
        finally:
            for one in listeners:
                one.close()

    def _play(self, visitor: Visitor, sent: Take) -> None:
        def lost() -> None:
            sent.plays.append((0, ""))

        answer = visitor.until_answered("GET", sent.answers[0]["play_url"], lost=lost)
        if answer is None:
            return
        whole = answer.status_code == 200
        sent.plays.append((answer.status_code, sha256(answer.content).hexdigest() if whole else ""))
        if answer.status_code not in (200, 404):
            self._odd(f"a one-time take was answered with {answer.status_code}", answer)

    def _odd(self, sentence: str, answer: httpx.Response | None = None) -> None:
        said = ""
        with suppress(json.JSONDecodeError):
            said = str(answer.json().get("error", "")) if answer is not None else ""
        self.record.odd.append(f"{sentence}{': ' if said else ''}{said}")
