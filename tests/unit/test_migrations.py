"""Migrations only expand: the previous version runs on the schema they leave."""

import ast
from pathlib import Path

import pytest

MIGRATIONS = sorted((Path(__file__).parents[2] / "migrations" / "versions").glob("0*.py"))
EXPANDING = {"create_table", "add_column", "create_index", "batch_alter_table", "f"}
ALLOWED = {"0001_the_first_tables.py": "there is no version before it"}
"""A migration's name and the reason why one that does more is harmless to the version before."""


def shrinking(source: str) -> list[str]:
    """What an upgrade does beside adding: every call of `op` or of a batch, and columns old code would not fill."""
    upgrade = next(
        node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    found = []
    for call in calls:
        assert isinstance(call.func, ast.Attribute)
        if isinstance(call.func.value, ast.Name) and call.func.value.id != "sa" and call.func.attr not in EXPANDING:
            found.append(call.func.attr)
        if call.func.attr == "add_column":
            found += [ast.unparse(column) for column in call.args if _needed(column)]
        if call.func.attr == "create_index" and any(
            word.arg == "unique" and _true(word.value) for word in call.keywords
        ):
            new = {ast.unparse(made.args[0]) for made in calls if _is(made, "create_table")}
            found += [] if len(call.args) > 1 and ast.unparse(call.args[1]) in new else ["a unique index"]
    return found


def _is(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == name


def _true(node: ast.expr) -> bool:
    return not (isinstance(node, ast.Constant) and node.value is False)


def _needed(column: ast.expr) -> bool:
    if not isinstance(column, ast.Call):
        return False
    said = {word.arg: word.value for word in column.keywords}
    optional = "nullable" in said and _true(said["nullable"])
    return not optional and "server_default" not in said


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.name)
def test_a_migration_only_adds(migration: Path) -> None:
    assert shrinking(migration.read_text("utf-8")) == [] or ALLOWED.get(migration.name)


@pytest.mark.parametrize(
    "line",
    [
        'op.drop_table("take")',
        'op.rename_table("take", "taken")',
        'op.alter_column("take", "at", nullable=False)',
        'op.execute("DELETE FROM take")',
        'op.add_column("take", sa.Column("at", sa.Integer(), nullable=False))',
        'op.create_index("ix", "take", ["at"], unique=True)',
    ],
)
def test_what_would_stop_the_version_before_is_found(line: str) -> None:
    assert shrinking(f"def upgrade() -> None:\n    {line}\n")
