"""What a running node says of itself over HTTP."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from core.ports.work import QueueDepth

ANSWER_S = 5.0
MOST_BYTES = 4_000_000
EVERY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- compared, not bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a node at `url` answered. `live` is None where nobody did, `version` empty where it did not say."""

    url: str
    live: bool | None
    ready: bool = False
    components: dict[str, str] = field(default_factory=dict)
    queue: QueueDepth | None = None
    version: str = ""


def addresses(host: str, port: int) -> tuple[str, ...]:
    """Where a node that listens there is asked from its own machine: plainly, then with TLS."""
    name = "127.0.0.1" if host in EVERY_ADDRESS else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}", f"https://{name}:{port}"


def ask(*urls: str) -> Answers:
    """The first of these that answers as a node does; of none, that nobody did."""
    for url in urls:
        status, said = _get(f"{url}/livez")
        if status is None:
            continue
        ready, told = _get(f"{url}/readyz")
        _, contract = _get(f"{url}/api/v1/openapi.json")
        return Answers(
            url=url,
            live=status == 200 and said.get("ok") is True,
            ready=ready == 200,
            components={str(name): str(state) for name, state in _table(told.get("components")).items()},
            queue=_queue(told.get("queue")),
            version=str(_table(contract.get("info")).get("version", "")),
        )
    return Answers(url=urls[0], live=None)


def _get(url: str) -> tuple[int | None, dict[str, Any]]:
    # Whether anybody answers; whom to believe is looked at where the certificate is.
    unproven = ssl.create_default_context()
    unproven.check_hostname = False
    unproven.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S, context=unproven) as answer:  # noqa: S310 -- http or https
            return answer.status, _json(answer.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        return error.code, _json(error.read(MOST_BYTES))
    except (OSError, ValueError, http.client.HTTPException):
        return None, {}


def _json(data: bytes) -> dict[str, Any]:
    try:
        return _table(json.loads(data))
    except ValueError:
        return {}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _queue(said: Any) -> QueueDepth | None:
    try:
        return QueueDepth(**said)
    except TypeError:
        return None
