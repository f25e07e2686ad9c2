"""The recipes of docs/how-to/extend.md, as a reader follows them: what is typed where, and what is tried then.

The line above a block says what becomes of it: **file**, a new file; `file`, after `line`; `file`, instead of `line`;
or it is tried. A named line is the one that begins so.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "extend.md"

_BLOCK = re.compile(r"^(?P<said>[^\n]+):\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(
    r"(?:`|\*\*)(?P<path>[\w./-]+)(?:`|\*\*), (?P<how>a new file|after|instead of)(?: `(?P<line>[^`]+)`)?$"
)
_ROW = re.compile(r"^\| `(?P<path>[^`]+)` \| `(?P<line>[^`]+)` \| `(?P<text>[^`]+)` \|$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """One section of the page."""

    name: str
    text: str

    @property
    def check(self) -> str:
        """What is tried at the end."""
        (found,) = (match["text"] for match in _BLOCK.finditer(self.text) if match["said"] == "Try it")
        return found

    def apply(self, tree: Path) -> None:
        """Type everything into a copy of the code. ValueError for a block nobody knows what to do with."""
        for match in _BLOCK.finditer(self.text):
            if match["said"] == "Try it":
                continue
            place = _PLACE.search(match["said"])
            if place is None:
                raise ValueError(f"{self.name}: {match['said']!r} does not say where a block belongs")
            _type(tree, place["path"], place["how"], place["line"], match["text"])
        for row in _ROW.finditer(self.text):
            _type(tree, row["path"], "after", row["line"], row["text"] + "\n")


def recipes() -> list[Recipe]:
    """Every section of the page that has code."""
    sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = [Recipe(name=text.split("\n", 1)[0], text=text) for text in sections]
    return [recipe for recipe in found if "```" in recipe.text]


def _type(tree: Path, path: str, how: str, line: str | None, text: str) -> None:
    file = tree / path
    if how == "a new file":
        if file.exists():
            raise ValueError(f"{path} is there already")
        file.write_text(text, "utf-8")
        return
    lines = file.read_text("utf-8").splitlines(keepends=True)
    at = [number for number, one in enumerate(lines) if line is not None and one.strip().startswith(line)]
    if len(at) != 1:
        raise ValueError(f"{path} has {len(at)} lines that begin with {line!r}")
    lines[at[0] + (how == "after") : at[0] + 1] = [text]
    file.write_text("".join(lines), "utf-8")
