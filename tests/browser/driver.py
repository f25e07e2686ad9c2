"""A node as `memory-engine serve` runs it, with a steward's hands in it, for tests of pages that obey.

Each line of its input is JSON: `["change", {control: value}]`, or `["command", {"device": id, "command": word}]`.
`MORE_COLOURS` in the environment is TOML that it reads as if it stood at the end of colours.toml.
"""

import json
import os
import sys
import threading
from typing import Any

import memory_ui.app
from core.adapters import catalogs
from core.bootstrap import System
from core.domain.work import Signal
from memory_ui.cli import main

create_app = memory_ui.app.create_app
parse = catalogs.parse


def listening(system: System, *given: Any) -> Any:
    """The application, and a thread that does what it is told."""
    threading.Thread(target=_obey, args=(system,), daemon=True).start()
    return create_app(system, *given)


def _obey(system: System) -> None:
    for line in sys.stdin:
        what, detail = json.loads(line)
        if what == "change":
            system.stewardship.change(detail, actor="a test")
        else:
            system.effects.signal(Signal.COMMAND, detail)


def with_more(file: str, text: str, cls: type[Any]) -> Any:
    """A catalog, and what is tried out beside it."""
    return parse(file, text + (os.environ.get("MORE_COLOURS", "") if file == "colours.toml" else ""), cls)


if __name__ == "__main__":
    catalogs.parse = with_more
    memory_ui.app.create_app = listening
    main()
