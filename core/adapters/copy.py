"""Text for people: one TOML file a language under `assets/copy`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """All text of one language; keys are `section.name`."""

    language: str
    direction: str
    texts: dict[str, str]

    def t(self, key: str, **params: Any) -> str:
        """The text under `key` with its placeholders filled. Raises KeyError for an unknown key or placeholder."""
        return self.texts[key].format(**params)

    def section(self, name: str) -> dict[str, str]:
        """Every text of a section, without the section's name."""
        prefix = f"{name}."
        return {key.removeprefix(prefix): text for key, text in self.texts.items() if key.startswith(prefix)}

    def framed(self, name: str, deployment: str) -> dict[str, str]:
        """A section, with what `<name>_<deployment>` says otherwise; where there is no such section, nothing."""
        return {**self.section(name), **self.section(f"{name}_{deployment}")}


@cache
def load_copy(language: str) -> Copy:
    """The copy of a language; raises FileNotFoundError where there is none."""
    tables = tomllib.loads((files("assets") / "copy" / f"{language}.toml").read_text("utf-8"))
    texts = {f"{section}.{name}": text for section, table in tables.items() for name, text in table.items()}
    return Copy(language=language, direction="ltr", texts=texts)
