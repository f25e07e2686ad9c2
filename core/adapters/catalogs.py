"""Reads the catalogs under `assets/catalogs` into frozen dataclasses, or says everything that is wrong."""

import hashlib
import json
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, ValidationError, create_model

T = TypeVar("T")

# Strict, so that "3" is no number and true no 1; the configuration reaches the nested dataclasses too.
_CONFIG = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@cache
def load(name: str, cls: type[T]) -> T:
    """The catalog `name` as a `cls`.

    ValueError, naming file and key and listing every complaint at once: the file is missing or no TOML, a key
    is unknown or missing, a value has another type or is refused by its dataclass.
    """
    file = f"{name}.toml"
    try:
        text = resources.files("assets").joinpath("catalogs", file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{file}: there is no such catalog") from None
    return parse(file, text, cls)


@cache
def plain(name: str) -> dict[str, Any]:
    """The catalog `name` as plain values, for what is handed to browsers whole: JavaScript checks what it reads."""
    text = resources.files("assets").joinpath("catalogs", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def parse(file: str, text: str, cls: type[T]) -> T:
    """`text` as a `cls`; `file` is what the complaints call it. Errors as `load`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {error}") from error
    model = create_model("Catalog", __config__=_CONFIG, root=(cls, ...))
    try:
        # By way of JSON, where strict still lets a list be a tuple and a string a member of its enum.
        read = model.model_validate_json(json.dumps({"root": data}, default=str))
    except ValidationError as error:
        raise ValueError("; ".join(f"{file}: {line}" for line in _complaints(error))) from error
    return cast(T, cast(Any, read).root)


SERVED = {".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml", ".js": "text/javascript"}
"""Assets that go out to browsers, by suffix."""


@cache
def asset_version() -> str:
    """One version of everything that is served: what an open page was made of. Style sheets name fonts by it, too."""
    assets = Path(str(resources.files("assets")))
    digest = hashlib.sha256()
    for path in sorted(assets.rglob("*")):
        if path.suffix in SERVED:
            digest.update(path.relative_to(assets).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _complaints(error: ValidationError) -> list[str]:
    lines = []
    for found in error.errors(include_url=False):
        key = ".".join(str(part) for part in found["loc"][1:]) or "the whole file"
        match found["type"]:
            case "unexpected_keyword_argument":
                lines.append(f"{key}: unknown key")
            case "missing":
                lines.append(f"{key}: missing")
            case _:
                lines.append(f"{key}: {found['msg']}")
    return lines
