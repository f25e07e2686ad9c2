"""The environment of a new node: what stands already is kept, what is missing is made, placeholders are refused."""

import ipaddress
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from pathlib import Path
from urllib.parse import quote

from dotenv import dotenv_values

from core.adapters.vault import write_secret
from core.errors import BadField, Misconfigured
from core.settings import is_placeholder

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LOCAL = frozenset({"localhost", "local", "lan", "home", "internal", "test", "example", "invalid", "arpa"})
SECRETS = frozenset(
    {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "CODE_KEY", "TOKEN_KEY"}
    | {"OPS_SHARED_SECRET", "BACKUP_PASSPHRASE"}
)
"""Whoever knows one of these may do what only the node may."""


class Tls(StrEnum):
    """Who vouches for the address: an authority of the node's own, a public one, or nobody here."""

    INTERNAL = "internal"
    AUTO = "auto"
    OFF = "off"


class Engine(StrEnum):
    """What the node runs on."""

    STACK = "stack"
    EMBEDDED = "embedded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for."""

    host: str
    tls: Tls
    engine: Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """The file as it is to be, the names that were added, and those that stand otherwise than asked."""

    text: str
    values: Mapping[str, str]
    added: tuple[str, ...]
    otherwise: tuple[str, ...]


def wish_of(host: str, tls: Tls, engine: Engine) -> Wish:
    """What was asked for, looked at; raises `BadField` with what to give instead."""
    name = host.strip().lower().rstrip(".")
    if "://" in name or "/" in name:
        raise BadField(f"--public-host is a name or an address alone, without https:// or a path: not {host}")
    with suppress(ValueError):
        found = ipaddress.ip_address(name.strip("[]"))
        if tls is Tls.AUTO:
            raise BadField("--tls auto needs a public DNS name; for an address take --tls internal")
        if found.is_unspecified or found.is_multicast:
            raise BadField(f"--public-host {host} is no address that a browser can reach")
        return _possible(Wish(host=f"[{found}]" if found.version == 6 else str(found), tls=tls, engine=engine))
    if ":" in name:
        raise BadField(f"--public-host is given without a port: not {host}")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise BadField(f"--public-host {host} is neither a DNS name nor an address")
    if tls is Tls.AUTO and (len(labels) < 2 or labels[-1] in _LOCAL):
        raise BadField(f"--tls auto needs a public DNS name, which {name} is not; take --tls internal")
    return _possible(Wish(host=name, tls=tls, engine=engine))


def _possible(wish: Wish) -> Wish:
    if wish.engine is Engine.EMBEDDED and wish.tls is Tls.AUTO:
        raise BadField("--tls auto is the stack's; an embedded node takes --tls internal, or off behind a proxy")
    return wish


def completed(text: str, wish: Wish, *, fresh: Callable[[int], str] = secrets.token_hex) -> Environment:
    """The environment file with everything in it; `fresh` makes hex digits of so many bytes.

    Raises `Misconfigured` with every secret in it that is a placeholder. No line that stands there is changed.
    """
    kept = {name: value for name, value in dotenv_values(stream=StringIO(text), interpolate=False).items() if value}
    known = [name for name in sorted(SECRETS) if name in kept and is_placeholder(kept[name])]
    if known:
        raise Misconfigured(
            [f"{name} is a placeholder; give it a value of its own, or remove the line" for name in known]
        )
    asked = dict(_stack(wish, kept, fresh) if wish.engine is Engine.STACK else _embedded(wish, kept, fresh))
    wanted = dict(_stack(wish, {}, fresh) if wish.engine is Engine.STACK else _embedded(wish, {}, fresh))
    added = {name: value for name, value in asked.items() if name not in kept}
    lines = "".join(f"{name}={value}\n" for name, value in added.items())
    gap = "" if not text or text.endswith("\n") else "\n"
    told = SECRETS | {"DATABASE_URL", "REDIS_URL"}
    return Environment(
        text=text + gap + lines,
        values={**kept, **added},
        added=tuple(added),
        otherwise=tuple(name for name in wanted if name in kept and name not in told and kept[name] != wanted[name]),
    )


def _stack(wish: Wish, kept: Mapping[str, str], fresh: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """What compose.yaml asks for, in the order it is written down; addresses hold what is kept of secrets."""
    host = kept.get("PUBLIC_HOST", wish.host)
    database, redis = kept.get("POSTGRES_PASSWORD", fresh(24)), kept.get("REDIS_PASSWORD", fresh(24))
    yield "PUBLIC_HOST", host
    yield "PUBLIC_URL", f"https://{host}"
    yield "ALLOWED_HOSTS", host.strip("[]")
    if wish.tls is Tls.OFF:
        yield "COMPOSE_FILE", "compose.yaml:compose.outer-proxy.yaml"
    else:
        yield "TLS_BY", wish.tls.value
    yield "POSTGRES_PASSWORD", database
    yield "DATABASE_URL", f"postgresql+psycopg://memory:{quote(database, safe='')}@postgres/memory"
    yield "REDIS_PASSWORD", redis
    yield "REDIS_URL", f"redis://:{quote(redis, safe='')}@redis:6379/0"
    yield "MINIO_ENDPOINT", "http://s3:9000"
    yield "MINIO_BUCKET", "memory"
    yield "MINIO_ACCESS_KEY", fresh(10)
    yield "MINIO_SECRET_KEY", fresh(32)
    yield "CODE_KEY", fresh(32)
    yield "TOKEN_KEY", fresh(32)
    yield "OPS_SHARED_SECRET", fresh(16)
    yield "BACKUP_PASSPHRASE", fresh(24)


def _embedded(wish: Wish, kept: Mapping[str, str], fresh: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """What an embedded node needs; its keys it makes itself, into its data folder."""
    inside = wish.tls is Tls.INTERNAL
    port = kept.get("PORT", "8443" if inside else "8080")
    yield "HOST", "0.0.0.0"  # noqa: S104 -- asked for: kiosks of the local network
    yield "PORT", port
    yield "PUBLIC_URL", f"{'https' if inside else 'http'}://{wish.host}:{port}"
    yield "ALLOWED_HOSTS", wish.host.strip("[]")
    yield "TLS", wish.tls.value
    yield "OPS_SHARED_SECRET", fresh(16)


def read(path: Path) -> str:
    """The file as it is, empty where there is none; raises `Misconfigured` where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured([f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"]) from error


def write(path: Path, text: str) -> None:
    """All of it or nothing, for its owner alone; raises `Misconfigured` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_secret(path, text)
    except OSError as error:
        raise Misconfigured([f"{path} cannot be written: {error.strerror or error}"]) from error


def deploying(engine: Engine) -> tuple[str, ...]:
    """The command that starts the node."""
    if engine is Engine.STACK:
        return ("docker", "compose", "up", "--detach", "--build", "--wait")
    return ("systemctl", "enable", "--now", "memory-engine")


def next_steps(wish: Wish, values: Mapping[str, str], *, started: bool) -> list[str]:
    """What to do now, a sentence each."""
    address = values.get("PUBLIC_URL", "")
    steps = [] if started else [f"Start the node: {' '.join(deploying(wish.engine))}"]
    steps.append(f"Kiosk: {address}/kiosk/   room: {address}/room/   stewards: {address}/ops/")
    steps.append(
        "The stewards' secret is OPS_SHARED_SECRET in that file. Keep a copy of the file where secrets are kept."
    )
    if wish.tls is Tls.INTERNAL:
        stack = wish.engine is Engine.STACK
        root = (
            f"http://{values['PUBLIC_HOST']}/certificate/root.crt" if stack else f"http://{wish.host}:8081/certificate/"
        )
        steps.append(
            f"Microphone: a kiosk on another machine must trust this node's own authority. Fetch {root} there once"
        )
        steps.append("and import it as an authority for web sites: docs/how-to/https-on-a-lan.md says how.")
    elif wish.tls is Tls.AUTO:
        steps.append(
            "Microphone: nothing to import. Ports 80 and 443 of that name must reach this machine from outside."
        )
    elif wish.engine is Engine.STACK:
        steps.append(
            "Microphone: your proxy must offer https and pass on to 127.0.0.1:8080, with Host unchanged and WebSockets."
        )
    else:
        steps.append(
            "Microphone: plain http gives one to the node's own screen alone, at http://127.0.0.1:" + values["PORT"]
        )
        steps.append("For a kiosk on another machine take --tls internal, or a proxy: docs/how-to/https-on-a-lan.md")
    return steps
