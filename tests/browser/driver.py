"""A node as `memory-engine serve` runs it, with a steward's hands in it, for tests of pages that obey.

Each line of its input is JSON: `["change", {control: value}]`, `["command", {"device": id, "command": word}]`,
`["become", {"ahead_days": days, "free_bytes": bytes, "closed": reason}]`, any of them: its clock, its disk, its doors;
or `["care", {"kind": word, "done": number, "total": number}]`, which is under way until `["care", {}]`.
`MORE_COLOURS` in the environment is TOML that it reads as if it stood at the end of colours.toml.
"""

import json
import os
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import memory_ui.app
from core.adapters import catalogs
from core.adapters.outside import DataDisk, KernelTimeSource, SystemClock
from core.bootstrap import System
from core.domain.custody import Care, Closed
from core.domain.work import Signal
from core.services.care import STEPS_S
from core.services.ledger import shut
from memory_ui.cli import main

create_app = memory_ui.app.create_app
parse = catalogs.parse


def listening(system: System, *given: Any) -> Any:
    """The application, and a thread that does what it is told."""
    threading.Thread(target=_obey, args=(system,), daemon=True).start()
    return create_app(system, *given)


def _obey(system: System) -> None:
    under_way = ExitStack()
    for line in sys.stdin:
        what, detail = json.loads(line)
        if what == "change":
            system.stewardship.change(detail, actor="a test")
        elif what == "become":
            _become(system, **detail)
        elif what == "care" and detail:
            progress = under_way.enter_context(system.care.reporting(Care(detail["kind"]), actor="Ben"))
            time.sleep(STEPS_S)
            progress.step(detail["done"], detail["total"])
        elif what == "care":
            under_way.close()
        else:
            system.effects.signal(Signal.COMMAND, detail)


def _become(system: System, *, closed: str | None = None, **machine: int) -> None:
    MACHINE.update(machine)
    if closed is not None:
        with system.work.write() as tx:
            shut(tx, Closed(closed), "a test", system.clock.now())


MACHINE = {"ahead_days": 0, "free_bytes": 0}
"""How its clock is set, which nobody keeps right, and what is left of its disk; 0 for what really is."""


def now(_clock: SystemClock) -> datetime:
    """The time of the machine as it is set."""
    return datetime.now(UTC) + timedelta(days=MACHINE["ahead_days"])


def free_bytes(disk: DataDisk) -> int:
    """What is left of its disk."""
    return MACHINE["free_bytes"] or really_free(disk)


really_free = DataDisk.free_bytes


def with_more(file: str, text: str, cls: type[Any]) -> Any:
    """A catalog, and what is tried out beside it."""
    return parse(file, text + (os.environ.get("MORE_COLOURS", "") if file == "colours.toml" else ""), cls)


if __name__ == "__main__":
    catalogs.parse = with_more
    SystemClock.now, DataDisk.free_bytes = now, free_bytes  # type: ignore[method-assign]
    KernelTimeSource.synchronised = lambda _source: False  # type: ignore[method-assign]
    memory_ui.app.create_app = listening
    main()
