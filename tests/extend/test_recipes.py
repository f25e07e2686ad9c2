"""Every recipe for extending the code is followed, in a copy of it, and does what it says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.extend.recipes import ROOT, Recipe, recipes

FOLDERS = ("core", "memory_ui", "jobs", "assets", "migrations")
WANTED = ("page", "colour", "scene", "preset", "factor", "kiosk rule", "derivative", "warning")
RECIPES = recipes()
UNNAMED = ("A kiosk rule", "A pool factor")
"""Recipes whose check asks for nothing by a name that only the recipe brings: it might hold without."""


def _left_out(folder: str, names: list[str]) -> list[str]:
    # Clips are large and linked; there are modules of the same name. What is compiled goes along: it holds for a copy.
    return [name for name in names if name == "clips" and Path(folder).name == "assets"]


def copied(folder: Path) -> Path:
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=_left_out)
    (folder / "assets" / "clips").symlink_to(ROOT / "assets" / "clips")
    return folder


def tried(recipe: Recipe, tree: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree), "MEMORY_DATA_DIR": str(tree / "data")}
    command = [sys.executable, "-"]
    return subprocess.run(
        command, input=recipe.check, cwd=tree, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_does_what_it_says(recipe: Recipe, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    recipe.apply(tree)
    after = tried(recipe, tree)
    assert after.returncode == 0, after.stderr[-3000:]


@pytest.mark.parametrize("name", UNNAMED)
def test_the_check_of_a_recipe_fails_without_it(name: str, tmp_path: Path) -> None:
    (recipe,) = (recipe for recipe in RECIPES if recipe.name == name)
    before = tried(recipe, copied(tmp_path))
    assert before.returncode != 0
    assert "AssertionError" in before.stderr


def test_everything_that_can_be_added_has_a_recipe() -> None:
    assert [kind for kind in WANTED if not any(kind in recipe.name for recipe in RECIPES)] == []
