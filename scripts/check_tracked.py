"""Nothing of one machine stands in the repository: no path of somebody's home, no package host. Run by `make check`."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LARGEST_BYTES = 2_000_000

# Written in pieces, so that this file passes its own check.
PATTERNS = {
    "a path of one machine": re.compile(r"(?<![\w.:/])/(?:hom" r"e/\w|Use" r"rs/\w|roo" r"t/|wor" r"k/\w|op" r"t/\w)"),
    "a package host": re.compile(
        r"(?:index-ur"
        r"l|extra-inde"
        r"x|find-link"
        r"s)\s*[=:]?\s*(?:https?:|file:|/)"
        r"|file://"
        r"/\w|pythonhoste"
        r"d\.org|registry\.npmj"
        r"s",
        re.IGNORECASE,
    ),
}


def files() -> list[Path]:
    """What git tracks or would track; outside a repository, everything that is not hidden away."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 -- git from the path
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name]
    skipped = {".venv", "data", "node_modules", "__pycache__"}
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return [
        path for path in found if not any(part in skipped or part.endswith(("_cache", ".egg-info", ".hypothesis"))
                                          for part in path.relative_to(ROOT).parts)
    ]  # fmt: skip


def complaints(path: Path) -> list[str]:
    """What is wrong with one file."""
    name = path.relative_to(ROOT)
    if not path.exists():
        return []
    if path.stat().st_size > LARGEST_BYTES:
        return [f"{name}: larger than {LARGEST_BYTES} bytes"]
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return []
    return [
        f"{name}:{number}: {what}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in PATTERNS.items()
        if pattern.search(line)
    ]


def main() -> int:
    """Exit status 1 where a file tells of a machine."""
    found = [line for path in files() for line in complaints(path)]
    print("\n".join(found) or "tracked files tell of no machine", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
