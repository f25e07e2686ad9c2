"""Every setting of a node: its value, where that came from, what it means. Read off the fields of `core.settings`."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from core.adapters.catalogs import load
from core.errors import NotFound
from core.settings import Profiles, Settings
from memory_ui.appliance.fields import default, shape, written

ENV_FILE = ".env"
DOCS = "docs/reference/settings.md"
HIDDEN = "***"
SET, NOT_SET = "set", "not set"
SECRETS = frozenset(name for name, field in Settings.model_fields.items() if field.repr is False)
"""What is never shown: the fields that are kept out of every representation."""

_ADDRESSED = frozenset({"DATABASE_URL", "REDIS_URL"})
"""Secrets that are only in part: where a server stands may be shown, with what opens it left out."""


class Origin(StrEnum):
    """Where a value came from; the first of them that has one counts."""

    OPTION = "option"
    ENVIRONMENT = "environment"
    FILE = ".env"
    PROFILE = "profile"
    DEFAULT = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A setting as it may be shown."""

    name: str
    value: str
    origin: Origin
    secret: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """All there is to say of one setting; `profiles` are the values kinds of place would set."""

    name: str
    description: str
    takes: str
    default: str
    present: Shown | None
    profiles: Mapping[str, str]


def shown(
    settings: Settings, *, env_file: Path = Path(ENV_FILE), given: Mapping[str, Any] | None = None
) -> list[Shown]:
    """Every setting with its value and origin, in the order of the source."""
    found = origins(str(settings.INSTALLATION_PROFILE), env_file=env_file, given=given or {})
    return [
        Shown(
            name=name,
            value=redacted(name, getattr(settings, name)),
            origin=found.get(name, Origin.DEFAULT),
            secret=name in SECRETS,
        )
        for name in Settings.model_fields
    ]


def origins(profile: str, *, env_file: Path, given: Mapping[str, Any]) -> dict[str, Origin]:
    """Where each value that is no default came from, asked of the sources the settings themselves are read by."""
    asked: tuple[tuple[Origin, Mapping[str, Any]], ...] = (
        (Origin.PROFILE, load("profiles", Profiles).profiles.get(profile, {})),
        (Origin.FILE, in_file(env_file)),
        (Origin.ENVIRONMENT, EnvSettingsSource(Settings)()),
        (Origin.OPTION, {name: value for name, value in given.items() if value is not None}),
    )
    # The later beats the earlier.
    return {name: origin for origin, values in asked for name in values}


def in_file(env_file: Path) -> dict[str, Any]:
    """Names and values of an environment file, with those that are no settings."""
    return dict(DotEnvSettingsSource(Settings, env_file=env_file)()) if env_file.is_file() else {}


def redacted(name: str, value: Any) -> str:
    """A value as it may be shown: secrets by whether they are set, addresses without what opens them."""
    if name in SECRETS and (name not in _ADDRESSED or not value):
        return SET if value else NOT_SET
    text = written(value)
    return without_password(text) if "://" in text else text


def without_password(address: str) -> str:
    """An address without the password, the query and the fragment in it; what is no address is not shown at all."""
    try:
        parts = urlsplit(address)
        at, colon = "@" if parts.username or parts.password else "", f":{HIDDEN}" if parts.password else ""
        host = parts.netloc.rpartition("@")[2]
        return SplitResult(parts.scheme, f"{parts.username or ''}{colon}{at}{host}", parts.path, "", "").geturl()
    except ValueError:
        return HIDDEN


def explain(name: str, settings: Settings | None, *, env_file: Path = Path(ENV_FILE)) -> Explained:
    """What a setting is; `settings` is None where they cannot be read. Raises `NotFound` with what may be meant."""
    name = name.upper()
    field = Settings.model_fields.get(name)
    if field is None:
        near = near_misses(name)
        raise NotFound(f"There is no setting {name}." + (f" Is it {' or '.join(near)}?" if near else ""))
    rows = {row.name: row for row in shown(settings, env_file=env_file)} if settings is not None else {}
    profiles = load("profiles", Profiles).profiles
    return Explained(
        name=name,
        description=field.description or "",
        takes=shape(field).replace("`", ""),
        default=NOT_SET if name in SECRETS else default(field) or "empty",
        present=rows.get(name),
        profiles={kind: written(values[name]) for kind, values in profiles.items() if name in values},
    )


def near_misses(name: str, *, least: float = 0.6) -> list[str]:
    """Settings whose names are spelt nearly so, the nearest first; and those whose names begin so."""
    near = difflib.get_close_matches(name, Settings.model_fields, n=3, cutoff=least)
    begun = [known for known in Settings.model_fields if known.startswith(f"{name}_")]
    return list(dict.fromkeys([*near, *begun]))[:4]
