"""What the documentation's builder reads: the Markdown of the repository, in the order of its index.

The pages stay plain Markdown that reads well where the repository is looked at. What a site needs besides is put into
copies of them: addresses of copies instead of those of the repository, and an index that is a list instead of a table.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

INDEX = "docs/README.md"
DECISIONS = "docs/decisions/README.md"
STAGED = {
    INDEX: "index.md",
    DECISIONS: "decisions/index.md",
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changes.md",
    "examples/README.md": "project/examples.md",
}
"""Pages that have another name on the site; those below `docs` keep theirs."""

GROUPS = {
    "tutorial": ("Tutorial", "To learn"),
    "how-to": ("How-to", "To do"),
    "reference": ("Reference", "To look up"),
    "explanation": ("Explanation", "To understand"),
    "decisions": ("Decisions", "Why it is so"),
    "evidence": ("Evidence", "What was measured"),
    "project": ("The project", "Besides"),
}
"""Folders of the site in its order: what a group is called, and what its pages are for."""

OPENED = ("tutorial", "how-to", "reference", "explanation")
"""Groups whose pages are listed with their first sentence."""

ASSETS = ("css/tokens.css", "css/fonts.css", "mark-small.svg", "mark.svg")

_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)")
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_ROOM = re.compile(r"^\.room \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_MORE = re.compile(r"@media \(prefers-contrast: more\).*?\.room \{(.*?)\}", re.DOTALL)
LONGEST_OPENING = 150


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of the repository, and what the builder calls it: a path without its suffix."""

    source: str
    name: str
    title: str
    opening: str

    @property
    def folder(self) -> str:
        """The group it belongs to; "." for the index."""
        return PurePosixPath(self.name).parent.as_posix()


def pages(root: Path) -> list[Page]:
    """Every page there is, in the order of the site: as the index names them, then whatever it does not name."""
    outside = [name for name in STAGED if not name.startswith("docs/")]
    below = [path.relative_to(root).as_posix() for path in sorted((root / "docs").rglob("*.md"))]
    named = [_from(INDEX, target) for _, target, _ in _LINK.findall((root / INDEX).read_text("utf-8"))]
    places = list(GROUPS)

    def place(page: Page) -> tuple[int, bool, int]:
        if page.source == INDEX:
            return -1, False, 0
        at = named.index(page.source) if page.source in named else len(named)
        return places.index(page.folder), page.source != DECISIONS, at

    return sorted((_page(root, source) for source in [*outside, *below]), key=place)


def stage(root: Path, folder: Path) -> dict[str, list[str]]:
    """Write the copies into `folder`; the names of each group's pages. ValueError for a link that leads nowhere."""
    every = pages(root)
    for page in every:
        text = (root / page.source).read_text("utf-8")
        if page.source == INDEX:
            text = index(text, every)
        _write(folder / f"{page.name}.md", rewritten(text, page.source, root, folder))
    for name in ASSETS:
        _copy(root / "assets" / name, folder / "_static" / name)
    for font in sorted((root / "assets" / "fonts").iterdir()):
        _copy(font, folder / "_static" / "fonts" / font.name)
    _write(folder / "_static/css/night.css", night((root / "assets/css/tokens.css").read_text("utf-8")))
    return _grouped(every)


def rewritten(text: str, source: str, root: Path, folder: Path) -> str:
    """A page with the addresses of copies; files that it links to are copied, the names of folders become plain."""

    def moved(found: re.Match[str]) -> str:
        words, target, anchor = found[1], found[2], found[3] or ""
        file = _from(source, target) if target else source
        if (root / file).is_dir():
            return words
        if not (root / file).is_file():
            raise ValueError(f"{source} links to {target}, where there is nothing")
        if not file.endswith(".md"):
            _copy(root / file, folder / staged(file))
        address = relpath(staged(file), PurePosixPath(staged(source)).parent) if target else ""
        return f"[{words}]({address}{anchor})"

    parts = _FENCE.split(text)
    parts[::2] = [_LINK.sub(moved, part) for part in parts[::2]]
    return "".join(parts)


def staged(source: str) -> str:
    """Where a file of the repository lies among the copies."""
    return STAGED.get(source) or (source.removeprefix("docs/") if source.startswith("docs/") else f"files/{source}")


def index(text: str, every: list[Page]) -> str:
    """The first page: title and words of the repository's own index, its table as lists, and the order of all pages."""
    words = [line for line in text.splitlines() if not line.startswith("|")]
    lines = ["\n".join(words).strip(), ""]
    orders = []
    for group, (caption, purpose) in GROUPS.items():
        members = [page for page in every if page.folder == group]
        shown = members[:1] if group == "decisions" else members
        lines += [f"## {purpose}", ""]
        said = {page.name: page.opening if group in OPENED else "" for page in shown}
        lines += [f"- [{page.title}]({relpath(page.source, 'docs')}) {said[page.name]}".rstrip() for page in shown]
        names = "\n".join(page.name for page in members)
        orders.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{names}\n```\n")
        lines.append("")
    return "\n".join([*lines, *orders])


def night(tokens: str) -> str:
    """The room's dark colours, where a reader wants them dark: tokens.css stays the only place of colours."""
    dark, more = _ROOM.search(tokens), _MORE.search(tokens)
    if dark is None or more is None:
        raise ValueError("tokens.css has no dark ground")
    return (
        f"@media screen and (prefers-color-scheme: dark) {{\n  :root {{{dark[1]}  }}\n}}\n"
        f"@media screen and (prefers-color-scheme: dark) and (prefers-contrast: more) {{\n  :root {{{more[1]}}}\n}}\n"
    )


def _grouped(every: list[Page]) -> dict[str, list[str]]:
    return {caption: [page.name for page in every if page.folder == group] for group, (caption, _) in GROUPS.items()}


def _page(root: Path, source: str) -> Page:
    text = _FENCE.sub("", (root / source).read_text("utf-8"))
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    if title is None:
        raise ValueError(f"{source} has no title")
    return Page(
        source=source,
        name=staged(source).removesuffix(".md"),
        title=title[1].strip(),
        opening=_opening(text[title.end() :]),
    )


def _opening(text: str) -> str:
    """The first sentence below a title, without its links; "" where there is none of a fitting length."""
    for block in text.split("\n\n"):
        words = " ".join(_LINK.sub(r"\1", block).split())
        if words and not words.startswith(("#", "|", "<!--", "!", "-", "1.", ">")):
            sentence = re.split(r"(?<=[.:!?]) ", words)[0]
            return sentence if len(sentence) <= LONGEST_OPENING and sentence.endswith(".") else ""
        if words.startswith("#"):
            return ""
    return ""


def _from(source: str, target: str) -> str:
    """A link's target as a path in the repository."""
    return normpath(PurePosixPath(source).parent / target)


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
