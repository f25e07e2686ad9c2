"""The page on sensors is true: what it says to type is typed, in its order, with the real curl."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memory_ui.app import plain_app
from tests.fakes import served

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "connect-a-sensor.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
WRITTEN_AT = "http://127.0.0.1:8080"


@pytest.fixture
def typed(make_node: Any, tmp_path: Path) -> Iterator[Any]:
    """Types one block; what it printed, and what is in force after it."""
    secret = _run(BLOCKS[0], tmp_path, {}).strip()
    node = make_node(SENSOR_TOKEN=secret)
    with served(plain_app(node.system)) as port:

        def typing(block: str) -> tuple[str, Any]:
            said = _run(block.replace(WRITTEN_AT, f"http://127.0.0.1:{port}"), tmp_path, {"SENSOR_TOKEN": secret})
            return said, node.system.stewardship.state()

        yield typing


def _run(block: str, folder: Path, given: dict[str, str]) -> str:
    typing = ["bash", "-euc", block]
    ran = subprocess.run(
        typing, check=True, cwd=folder, env={**os.environ, **given}, stdout=subprocess.PIPE, text=True, timeout=20
    )
    return ran.stdout


def test_every_block_does_what_the_page_says(typed: Any, tmp_path: Path) -> None:
    assert len(BLOCKS) == 7
    _, header, people, pause, quiet, back, now = BLOCKS
    typed(header)
    assert (tmp_path / "sensor-header").stat().st_mode & 0o077 == 0
    assert '"people":12' in typed(people)[0]
    assert typed(pause)[1].pauses
    said, state = typed(quiet)
    assert state.hushes
    assert '"source":"desk"' in said
    _, state = typed(back)
    assert (state.pauses, state.hushes) == (False, False)
    assert '"people":12' in typed(now)[0]
