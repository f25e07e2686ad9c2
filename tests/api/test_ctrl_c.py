"""Ctrl-C is how a person stops a node: it ends well, and `make` has nothing to complain of."""

import sys
from pathlib import Path

import httpx

from scripts.stranger_report import STUMBLES
from scripts.terminal import Terminal
from tests.fakes import wait_for
from tests.processes import LOOPBACK, free_port

ROOT = Path(__file__).parents[2]
SERVE = "from memory_ui.cli import main; main()"


def test_a_node_that_is_stopped_by_ctrl_c_ends_without_a_complaint(tmp_path: Path) -> None:
    port = free_port()
    given = {
        "MEMORY_DATA_DIR": str(tmp_path / "node"),
        "PORT": str(port),
        "PYTHONPATH": str(ROOT),
        "PATH": "/usr/bin:/bin",
    }
    terminal = Terminal.opened([sys.executable, "-c", SERVE, "serve"], given)
    try:
        wait_for(lambda: answers(port) or terminal.ended(0) is not None, most_s=30)
        terminal.press_ctrl_c()
        assert terminal.ended(15) == 0
    finally:
        terminal.close()
    text = "\n".join(line.text for line in terminal.lines)
    assert "This room is open." in text
    assert not STUMBLES.search(text), text


def answers(port: int) -> bool:
    """Whether there is a node already."""
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/livez").status_code == 200
    except httpx.TransportError:
        return False
