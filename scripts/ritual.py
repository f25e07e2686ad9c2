"""One voice's way over HTTP: recorded, heard, taken back. It needs a running node and nothing but its address."""

import io
import json
import math
import secrets
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.request
import wave
from dataclasses import dataclass

PATIENCE_S = 60.0
RATE_HZ = 48_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a request came to."""

    status: int
    body: bytes
    type: str

    @property
    def json(self) -> dict[str, object]:
        """The body as JSON."""
        return json.loads(self.body)


def free_port() -> int:
    """A port nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until_it_answers(address: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait for `/livez`; a program that ends or never answers raises SystemExit."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"the node ended with {process.returncode}")
        try:
            if asked(address, "GET", "/livez").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the node does not answer")


def ritual(address: str) -> list[str]:
    """Record, read the receipt, be chosen, be given, be taken back, be gone; raises SystemExit at a wrong answer."""
    passed = []
    sound = voice()
    sent = _expect(201, asked(address, "POST", "/api/v1/artifacts/audio", *_form(sound)))
    code, number = str(sent["revocation_token"]), sent["artifact"]["id"]  # type: ignore[index]
    passed.append(f"recorded: 201, {len(sound)} bytes, a code of {len(code)} signs")
    _expect(200, asked(address, "POST", "/api/v1/receipt", *_json({"token": code})))
    passed.append("receipt: 200, the promise is told")
    chosen = _chosen(address)
    if chosen["artifact_id"] != number:
        raise SystemExit("another voice was chosen than the one there is")
    heard = asked(address, "GET", _path(chosen["audio_url"]))
    if heard.status != 200 or not heard.body.startswith(b"RIFF"):
        raise SystemExit(f"the voice was not given: {heard.status}")
    passed.append(f"chosen and given: {len(heard.body)} bytes of {heard.type}")
    gone = _expect(200, asked(address, "POST", "/api/v1/revoke", *_json({"token": code})))
    if gone["revoked_artifacts"] != 1 or gone["verified_gone_at"] is None:
        raise SystemExit(f"it was not taken back: {gone}")
    passed.append("taken back: 1 artifact, verified gone")
    if (after := asked(address, "GET", _path(chosen["audio_url"])).status) != 404:
        raise SystemExit(f"a voice that was taken back is still given: {after}")
    if (after := asked(address, "GET", "/api/v1/pool/next").status) != 204:
        raise SystemExit(f"the room is not empty: {after}")
    passed.append("afterwards: its address 404, the pool 204")
    return passed


def asked(address: str, method: str, path: str, body: bytes | None = None, kind: str = "") -> Answer:
    """One request; an answer of any status is an answer."""
    given = urllib.request.Request(address + path, data=body, method=method)  # noqa: S310 -- http, and ours
    if kind:
        given.add_header("Content-Type", kind)
    try:
        with urllib.request.urlopen(given, timeout=30) as answer:  # noqa: S310
            return Answer(status=answer.status, body=answer.read(), type=answer.headers.get_content_type())
    except urllib.error.HTTPError as answer:
        return Answer(status=answer.code, body=answer.read(), type=answer.headers.get_content_type())


def voice(seconds: float = 3.0) -> bytes:
    """A tone that swells and fades, as a WAV; the node measures it like any voice."""
    count = int(RATE_HZ * seconds)
    samples = (
        int(12_000 * math.sin(math.pi * at / count) * math.sin(2 * math.pi * 220 * at / RATE_HZ)) for at in range(count)
    )
    kept = io.BytesIO()
    with wave.open(kept, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(struct.pack(f"<{count}h", *samples))
    return kept.getvalue()


def _chosen(address: str) -> dict[str, object]:
    until = time.monotonic() + PATIENCE_S
    while (answer := asked(address, "GET", "/api/v1/pool/next")).status == 204 and time.monotonic() < until:
        time.sleep(0.2)
    return _expect(200, answer)


def _expect(status: int, answer: Answer) -> dict[str, object]:
    if answer.status != status:
        raise SystemExit(f"expected {status}, was answered {answer.status}: {answer.body[:300]!r}")
    return answer.json


def _path(url: object) -> str:
    found = str(url)
    return found if found.startswith("/") else "/" + found.split("/", 3)[3]


def _json(said: dict[str, str]) -> tuple[bytes, str]:
    return json.dumps(said).encode(), "application/json"


def _form(sound: bytes) -> tuple[bytes, str]:
    line = secrets.token_hex(16)
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="consent_mode"\r\n\r\nROOM\r\n'.encode(),
        f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="take.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n".encode(),
        sound,
        f"\r\n--{line}--\r\n".encode(),
    ]
    return b"".join(parts), f"multipart/form-data; boundary={line}"
