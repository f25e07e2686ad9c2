"""Catalogs the browser receives whole, read once."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def catalog(name: str) -> dict[str, Any]:
    """`assets/catalogs/<name>.toml` as plain values; JavaScript checks what it reads and has no defaults."""
    return tomllib.loads((files("assets") / "catalogs" / f"{name}.toml").read_text("utf-8"))
