"""Command blocks of the documents, and what stands above them."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("docs/how-to/*.md"), *ROOT.glob("docs/tutorial/*.md"), ROOT / "README.md"])
LANGUAGES = ("sh", "bash", "console", "powershell")

MARKER = re.compile(r"^ *<!-- not run: (?P<reason>\S.*) -->$")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)$")
_PROMPT = re.compile(r"^[$#] ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One fenced block. `reason` is why it is not run; None for one that is."""

    page: str
    line: int
    language: str
    text: str
    reason: str | None

    @property
    def typed(self) -> str:
        """What of it is typed: where there are prompts, what stands behind them."""
        if self.language != "console":
            return self.text
        return "".join(_PROMPT.sub("", line) + "\n" for line in self.text.splitlines() if _PROMPT.match(line))

    @property
    def first(self) -> str:
        """Its first command."""
        return self.typed.split("\n", 1)[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str, text: str) -> list[Block]:
    """Every fenced block of a page, whatever its language."""
    lines = ["", *text.splitlines()]
    fences = [number for number, line in enumerate(lines) if re.match(r" *```", line)]
    found = []
    for start, end in list(pairwise(fences))[::2]:
        fence, marker = _FENCE.match(lines[start]), MARKER.match(lines[start - 1])
        if fence is None:
            raise ValueError(f"{page}:{start}: {lines[start].strip()} is no fence that is known here")
        inside = "".join(line.removeprefix(fence["indent"]) + "\n" for line in lines[start + 1 : end])
        reason = marker["reason"] if marker else None
        found.append(Block(page=page, line=start, language=fence["language"], text=inside, reason=reason))
    return found


def all_blocks() -> list[Block]:
    """Those of every page on which commands are typed."""
    return [block for path in PAGES for block in blocks_of(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))]


def commands() -> list[Block]:
    """The blocks that are typed into a shell."""
    return [block for block in all_blocks() if block.language in LANGUAGES]
