"""Writing generated files, or with --check finding those that are stale."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def deliver(texts: dict[str, str], *, check: bool) -> int:
    """Write `texts` (path in the repository to content); with `check` only compare. The exit status."""
    stale = [name for name, text in texts.items() if not _holds(ROOT / name, text)]
    if check:
        for name in stale:
            print(f"{name} is stale; `make docs` writes it anew", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(texts[name], encoding="utf-8")
        print(f"wrote {name}")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text
