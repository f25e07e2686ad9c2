"""Release archives for the rehearsal: this tree, and copies of it in which something was planted."""

import csv
import hashlib
import io
import os
import shutil
import sysconfig
import tempfile
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from core.adapters.sql.migrate import head
from memory_ui.appliance.release import WHEELS, order
from scripts.build_release import ROOT, build_own, build_site, commit_time, copy_tree, fetch_pinned, write_release

TABLE, COLUMN = "later", "later"
MIGRATION = '''"""What a later version adds

Revision: {revision}, after: {before}
"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "later",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("said", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_later")),
    )
{midway}    op.add_column("artifact", sa.Column("later", sa.String(length=40), nullable=True))


def downgrade() -> None:
    raise NotImplementedError
'''
BREAKS = '    op.execute("INSERT INTO nowhere VALUES (1)")\n'
INTAKE = ROOT / "memory_ui" / "api" / "intake.py"
TAKES = '    label = "once" if mode is Mode.NOSAVE else "kept"\n'
TAKES_NOTHING = TAKES + '    raise RuntimeError("this version takes nothing in")\n'
BACKGROUND = ROOT / "memory_ui" / "cli" / "background.py"
WORKS = '    """Carry out background jobs of the stack until stopped."""\n'
WORKS_NOT = WORKS + '    raise RuntimeError("the worker of this version does not live")\n'
BORROWED = "borrowed-1"


def base_version() -> str:
    """Of this tree."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def later_version(steps: int) -> str:
    """So many minor versions later."""
    major, minor, *_ = order(base_version())
    return f"{major}.{minor + steps}.0"


def later_revision() -> str:
    """The migration after this tree's newest."""
    return f"{int(head()) + 1:04d}"


def migration(*, midway: str = "") -> dict[str, str]:
    """A migration that expands: a table and a column that may be empty; `midway` comes between the two."""
    name = f"migrations/versions/{later_revision()}_later.py"
    return {name: MIGRATION.format(revision=later_revision(), before=head(), midway=midway)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Planted:
    """A version, and the files that tell its tree from this one."""

    version: str
    files: Mapping[str, str] = field(default_factory=dict)


def planted_versions() -> dict[str, Planted]:
    """What is rehearsed with: a good one, and three that are not.

    The migration of `half` fails midway, `mute` takes nothing in, and the worker of `idle` dies as it starts.
    """
    silent, lifeless = _broken(INTAKE, TAKES, TAKES_NOTHING), _broken(BACKGROUND, WORKS, WORKS_NOT)
    return {
        "base": Planted(version=base_version()),
        "good": Planted(version=later_version(1), files=migration()),
        "half": Planted(version=later_version(2), files=migration(midway=BREAKS)),
        "mute": Planted(version=later_version(3), files=migration() | silent),
        "idle": Planted(version=later_version(4), files=migration() | lifeless),
    }


def _broken(path: Path, whole: str, broken: str) -> dict[str, str]:
    text = path.read_text("utf-8")
    if text.count(whole) != 1:
        raise LookupError(f"the place where {path.name} can be broken is not there any more")
    return {str(path.relative_to(ROOT)): text.replace(whole, broken)}


def archives(to: Path, names: tuple[str, ...], *, whole: bool, wheels: Path | None = None) -> dict[str, Path]:
    """An archive of each name. Whole ones hold every pinned wheel, of `wheels` or the index, and the documentation.

    The others borrow the packages of the Python that runs, and are there in seconds.
    """
    planted = planted_versions()
    os.environ["SOURCE_DATE_EPOCH"] = str(when := commit_time())
    with tempfile.TemporaryDirectory(prefix="memory-releases-") as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        (folder / "shared").mkdir()
        if whole:
            fetch_pinned(folder / "shared", wheels)
        else:
            _borrow(folder / "shared")
        copy_tree(folder / "tree")
        if whole:
            build_site(folder / "tree")

        def made(one: str) -> Path:
            return _archive(planted[one], folder, folder / one, to, when)

        return dict(zip(names, pool.map(made, names), strict=True))


def _archive(planted: Planted, shared: Path, folder: Path, to: Path, when: int) -> Path:
    tree = folder / "tree"
    shutil.copytree(shared / "tree", tree)
    project = (tree / "pyproject.toml").read_text("utf-8")
    changed = {"pyproject.toml": project.replace(f'"{base_version()}"', f'"{planted.version}"', 1), **planted.files}
    for name, text in changed.items():
        (tree / name).write_text(text, "utf-8")
    build_own(folder / WHEELS, tree)
    for wheel in (shared / "shared").glob("*.whl"):
        (folder / WHEELS / wheel.name).hardlink_to(wheel)
    return write_release(planted.version, folder / WHEELS, to, when=when)


def _borrow(into: Path) -> None:
    """A wheel of one line: the packages of the Python that runs are found by whoever installs it."""
    files = {
        "borrowed.pth": sysconfig.get_path("purelib") + "\n",
        f"{BORROWED}.dist-info/METADATA": "Metadata-Version: 2.1\nName: borrowed\nVersion: 1\n",
        f"{BORROWED}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listed = io.StringIO()
    record = csv.writer(listed, lineterminator="\n")
    for name, text in files.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record.writerow((name, f"sha256={digest}", len(text.encode())))
    record.writerow((f"{BORROWED}.dist-info/RECORD", "", ""))
    with zipfile.ZipFile(into / f"{BORROWED}-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, f"{BORROWED}.dist-info/RECORD": listed.getvalue()}.items():
            wheel.writestr(name, text)
