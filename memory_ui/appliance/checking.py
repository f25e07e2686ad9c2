"""`config check`: whether a node would start with its settings, and what it would start with and should not."""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import Misconfigured
from core.settings import Settings, is_placeholder, load_settings
from memory_ui.appliance.configuration import ENV_FILE, SECRETS, in_file, near_misses

_UNKNOWN = "Extra inputs are not permitted"
ALIKE = 0.9
"""So alike must a name of the environment be to a setting's before it is taken for a slip: most of them are others'."""
LEAST_SIGNS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The settings, None where a node would refuse them; everything it complains of, and what it should not have."""

    settings: Settings | None
    complaints: list[str]
    warnings: list[str]


def check(env_file: Path | None, environment: Mapping[str, str] = os.environ, **given: object) -> Checked:
    """Load as the node would, from a file in place of `.env` if one is named.

    A name that is no setting is refused in `.env`, as the node does; in a file that is named it is warned of, for a
    service manager hands on whatever such a file holds.
    """
    file = env_file or Path(ENV_FILE)
    settings, complaints = _loaded(file, given)
    unknown = [name for name in in_file(file) if name not in Settings.model_fields]
    if env_file is not None:
        if unknown and not complaints:
            settings, complaints = _loaded(None, {**known_of(file, environment), **given})
        slips = [_slip(name, f" in {file.name}") for name in unknown]
    else:
        complaints += [_slip(name, f" in {file.name}") for name in unknown]
        settings = None if unknown else settings
        slips = []
    warnings = [*slips, *_slips(environment), *(placeholders(settings) if settings else []), *readable(file)]
    return Checked(settings=settings, complaints=complaints, warnings=warnings)


def known_of(file: Path, environment: Mapping[str, str]) -> dict[str, object]:
    """What a file sets of settings, where the environment does not."""
    return {
        name: value
        for name, value in in_file(file).items()
        if name in Settings.model_fields and value and not environment.get(name)
    }


def placeholders(settings: Settings) -> list[str]:
    """Secrets that are none."""
    found = []
    for name in sorted(SECRETS):
        value = getattr(settings, name)
        secret = urlsplit(value).password or "" if name in ("DATABASE_URL", "REDIS_URL") else value
        if is_placeholder(secret):
            found.append(f"{name} is a placeholder; give it a value of its own")
    return found


def readable(file: Path) -> list[str]:
    """A file of settings that everybody on this machine may read."""
    if not file.is_file() or not stat.S_IMODE(file.stat().st_mode) & stat.S_IROTH:
        return []
    return [f"{file} can be read by everybody on this machine: chmod 640 {file}"]


def _loaded(file: Path | None, given: Mapping[str, object]) -> tuple[Settings | None, list[str]]:
    try:
        # An empty name is no file; None would be taken for the usual one.
        return load_settings(_env_file=str(file or ""), **given), []
    except Misconfigured as error:
        complaints = [line for line in error.complaints if _UNKNOWN not in line]
        return None, complaints


def _slips(environment: Iterable[str]) -> list[str]:
    """Names of the environment that are nearly those of settings: nobody else would tell of them."""
    return [
        _slip(name, " in the environment")
        for name in environment
        if name not in Settings.model_fields and len(name) >= LEAST_SIGNS and near_misses(name, least=ALIKE)
    ]


def _slip(name: str, where: str) -> str:
    near = near_misses(name)
    return f"{name}{where} is no setting" + (f"; {' or '.join(near)}?" if near else "")
