"""What campaigns found, as tables: for a page and for a terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

Table = tuple[str, Sequence[str], list[list[Any]]]
"""Its title, the heads of its columns, its rows."""


def page(introduction: str, tables: Iterable[Table], wrong: Sequence[str]) -> str:
    """A report in Markdown: what it is about, its tables, and every sentence about something that should not be."""
    parts = [introduction]
    for title, head, rows in tables:
        lines = [" | ".join(str(cell) for cell in row) for row in [head, ["---"] * len(head), *rows]]
        parts.append(f"## {title}\n\n" + "\n".join(f"| {line} |" for line in lines) + "\n")
    parts.append("## Findings\n\n" + ("\n".join(f"- {one}" for one in wrong) or "None.") + "\n")
    return "\n".join(parts)


def told(tables: Iterable[Table], more: Sequence[str], wrong: Sequence[str]) -> str:
    """The same for a terminal, in columns; `more` are lines between its tables and what is wrong."""
    lines: list[str] = []
    for title, head, rows in tables:
        cells = [[str(cell) for cell in row] for row in [head, *rows]]
        widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
        lines += ["", title]
        lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    return "\n".join([*lines, "", *more, *([f"WRONG {one}" for one in wrong] or ["nothing is wrong"])])
