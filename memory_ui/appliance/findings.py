"""What a check has found: one line, and a remedy where something is to be done."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from core.errors import MemoryEngineError


class Level(StrEnum):
    """FAIL: the node does not do what it is for, or will not for long; WARN: somebody should look at it."""

    PASS = "PASS"  # noqa: S105 -- a level, not a password
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the doctor's. `what` names the check, `remedy` says what to do; empty where nothing is to be done."""

    level: Level
    what: str
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


Look = Callable[[], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that is looked at."""

    what: str
    look: Look


def passed(what: str, detail: str) -> Finding:
    """Nothing is to be done."""
    return Finding(level=Level.PASS, what=what, detail=detail)


def warned(what: str, detail: str, remedy: str) -> Finding:
    """Somebody should look at it."""
    return Finding(level=Level.WARN, what=what, detail=detail, remedy=remedy)


def failed(what: str, detail: str, remedy: str) -> Finding:
    """It does not work, or not for long."""
    return Finding(level=Level.FAIL, what=what, detail=detail, remedy=remedy)


BROKEN_OFF = "Look at the line above and below it; if nothing there explains it, send a support bundle."


def examine(checks: Iterable[Check]) -> list[Finding]:
    """What every check finds; one that breaks off is a failure of its own, and the others are made all the same.

    Of an unexpected error its kind is told and not its words: they may hold a password or a code.
    """
    found: list[Finding] = []
    for check in checks:
        try:
            found += check.look()
        except MemoryEngineError as error:
            found.append(failed(check.what, f"could not be looked at: {error.message}", BROKEN_OFF))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            found.append(failed(check.what, f"could not be looked at: {reason}", BROKEN_OFF))
        except Exception as error:  # noqa: BLE001 -- the others are to be made whatever becomes of this one
            found.append(failed(check.what, f"could not be looked at: {type(error).__name__}", BROKEN_OFF))
    return found


def ok(findings: Iterable[Finding]) -> bool:
    """Whether nothing has failed."""
    return all(finding.level is not Level.FAIL for finding in findings)


def lines(findings: Iterable[Finding]) -> list[str]:
    """For people: one line a finding, its remedy on a line of its own."""
    said: list[str] = []
    for one in findings:
        said.append(f"{one.level}  {one.what:14} {one.detail}")
        if one.remedy:
            said.append(f"      {'':14} {one.remedy}")
    return said
