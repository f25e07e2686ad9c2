"""A node as `memory-engine serve` runs it, with a steward's hands in it, for tests of pages that obey.

It is told pairs: `("change", {control: value})`, `("command", {"device": id, "command": word})`,
`("become", {"ahead_days": days, "free_bytes": bytes, "closed": reason})`, any of them: its clock, its disk, its doors;
or `("care", {"kind": word, "done": number, "total": number})`, which is under way until `("care", {})`.
`MORE_COLOURS` in the environment is TOML that it reads as if it stood at the end of colours.toml.
"""

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
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


def live(arguments: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path, hands: Connection) -> None:
    """The life of one node, in a process forked from one that has imported everything: that takes seconds."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environment)
    os.chdir(folder)
    catalogs.parse = with_more
    SystemClock.now, DataDisk.free_bytes = now, free_bytes  # type: ignore[method-assign]
    KernelTimeSource.synchronised = lambda _source: False  # type: ignore[method-assign]
    memory_ui.app.create_app = partial(listening, hands)
    sys.argv = ["memory-engine", *arguments]
    main()


def listening(hands: Connection, system: System, *given: Any) -> Any:
    """The application, and a thread that does what it is told."""
    threading.Thread(target=_obey, args=(hands, system), daemon=True).start()
    return create_app(system, *given)


def _obey(hands: Connection, system: System) -> None:
    under_way = ExitStack()
    # Until nobody is there any more who could tell it anything.
    with suppress(EOFError):
        while True:
            _do(*hands.recv(), system, under_way)


def _do(what: str, detail: dict[str, Any], system: System, under_way: ExitStack) -> None:
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
