"""The documentation as a static site that the node serves under /docs/; `--if-stale` only where something has changed.

`--to FOLDER` puts it elsewhere.

Whatever Sphinx warns of ends the build: a link or an anchor that leads nowhere, a picture that is missing, a page that
nothing lists. The site is made beside its place and then put there whole.
"""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.console import nocolor
from sphinx.util.docutils import docutils_namespace, patch_docutils

sys.path.insert(0, str(Path(__file__).parent.parent))

from scripts.docs_source import ASSETS, STAGED, stage

ROOT = Path(__file__).parent.parent
SITE = ROOT / "memory_ui" / "site"
STAMP = ".made-of"
LEFT_OUT = ("basic.css", "pygments.css", "file.png", "minus.png", "plus.png", ".buildinfo", "objects.inv")
"""What Sphinx adds of its own and no page of ours asks for."""


def build(target: Path) -> int:
    """Make the site as the folder `target`; how many pages it has. ValueError for what it was warned of."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".site-") as folder:
        source, made = Path(folder) / "source", Path(folder) / "site"
        groups = stage(ROOT, source)
        nocolor()
        with patch_docutils(), docutils_namespace():
            app = Sphinx(
                srcdir=source,
                confdir=None,
                outdir=made,
                doctreedir=Path(folder) / "trees",
                buildername="html",
                confoverrides=settings(groups),
                status=None,
                warningiserror=True,
            )
            app.build()
        if app.statuscode:
            raise ValueError("the documentation is not whole; what is wrong is said above")
        for found in [path for name in LEFT_OUT for path in made.rglob(name)]:
            found.unlink()
        shutil.rmtree(made / "_sources", ignore_errors=True)
        (made / STAMP).write_text(print_of(inputs()), encoding="ascii")
        old = Path(folder) / "old"
        if target.exists():
            target.rename(old)
        made.rename(target)
    return len(list(target.rglob("*.html")))


def settings(groups: dict[str, list[str]]) -> dict[str, object]:
    """Sphinx's own settings for this site."""
    return {
        "project": "Memory Engine",
        "extensions": ["myst_parser", "scripts.docs_pages"],
        "root_doc": "index",
        "source_suffix": {".md": "markdown"},
        "myst_heading_anchors": 6,
        "myst_links_external_new_tab": False,
        "highlight_language": "none",
        "html_theme": "theme",
        "html_theme_path": [str(ROOT / "docs")],
        "html_static_path": ["_static"],
        "html_title": "Memory Engine",
        "html_copy_source": False,
        "html_use_index": False,
        "html_permalinks_icon": "#",
        "html_last_updated_fmt": None,
        "site_groups": groups,
        # Languages that a block names are for other readers; here they are not coloured.
        "suppress_warnings": ["misc.highlighting_failure"],
    }


def inputs() -> list[Path]:
    """Every file that the site is made of."""
    outside = [ROOT / name for name in (*STAGED, *(f"assets/{name}" for name in ASSETS))]
    folders = [ROOT / "docs", ROOT / "assets" / "fonts"]
    below = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted({*outside, *below, *Path(__file__).parent.glob("*docs*.py")})


def print_of(files: Iterable[Path]) -> str:
    """One word for what files hold and what builds with them."""
    digest = hashlib.sha256("".join(version(name) for name in ("sphinx", "myst-parser")).encode())
    for file in files:
        digest.update(file.relative_to(ROOT).as_posix().encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def stale() -> bool:
    """Whether the site that is there was made of something else, or is not there."""
    stamp = SITE / STAMP
    return not stamp.exists() or stamp.read_text("ascii") != print_of(inputs())


def main(arguments: list[str]) -> int:
    """Exit status 1 where the site could not be built; the one that was there stays."""
    target = Path(arguments[arguments.index("--to") + 1]) if "--to" in arguments else SITE
    if "--if-stale" in arguments and not stale():
        return 0
    print("docs: building the site")
    try:
        print(f"docs: {build(target)} pages")
    except ValueError as error:
        print(f"docs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
