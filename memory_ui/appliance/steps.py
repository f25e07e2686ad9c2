"""The steps of a change of version, in their order, and the words in which they are told."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path

from core.errors import MemoryEngineError
from memory_ui.appliance.releases import Change


class Outcome(IntEnum):
    """How it ended, as an exit status."""

    DONE = 0
    AS_BEFORE = 1
    """It failed, or was refused; the node is on the version it was on, and well."""
    STUCK = 2
    """It failed, and so did going back: somebody has to look."""


class Step(StrEnum):
    """In this order."""

    CHECK = "check"
    UNPACK = "unpack"
    LOOK = "look"
    BACKUP = "backup"
    STOP = "stop"
    MIGRATE = "migrate"
    SWITCH = "switch"
    START = "start"
    READY = "ready"
    SMOKE = "smoke"
    TIDY = "tidy"


TOLD = {
    Step.CHECK: "the archive is whole, for this machine and newer, and the disk has room for it",
    Step.UNPACK: "install {to} beside {came_from}, without network",
    Step.LOOK: "let {to} read the settings and find the database",
    Step.BACKUP: "let {came_from} make a copy of the node",
    Step.STOP: "stop the services",
    Step.MIGRATE: "bring the database to the schema of {to}, on which {came_from} runs, too",
    Step.SWITCH: "let `current` name {to}",
    Step.START: "start the services",
    Step.READY: "wait until {to} answers and is ready",
    Step.SMOKE: "record, play and take back",
    Step.TIDY: "delete the oldest releases",
}
UNTOUCHED, BACK, HARMLESS = "nothing was changed", "{came_from} is started again", "{to} runs all the same"
BEFORE = (Step.CHECK, Step.UNPACK, Step.LOOK, Step.BACKUP)
FROM_STOP_ON = (Step.STOP, Step.MIGRATE, Step.SWITCH, Step.START, Step.READY, Step.SMOKE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What an update was asked for. `sha256` is empty where the file beside the archive says it."""

    archive: Path
    sha256: str = ""
    allow_older: bool = False
    backup: bool = True
    dry_run: bool = False


def announced(plan: Change, step: Step, otherwise: str) -> str:
    """What a step is about to do, and what happens where it fails."""
    named = {"to": plan.to, "came_from": plan.came_from}
    return f"{step:8} {TOLD[step].format(**named)} (if this fails: {otherwise.format(**named)})"


def what(change: Change) -> str:
    """A change by its name, at the beginning of a sentence."""
    return f"The {'update' if change.migrates else 'rollback'} from {change.came_from} to {change.to}"


def sentence(error: BaseException) -> str:
    """What went wrong, for a person."""
    if isinstance(error, KeyboardInterrupt):
        return "it was broken off by hand."
    if isinstance(error, MemoryEngineError):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}." if error.filename else f"{error.strerror}."
    return f"{type(error).__name__}: {error}"
