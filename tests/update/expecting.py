"""What an updater says and leaves, read by somebody who expects something of it."""

from memory_ui.appliance.releases import Change
from memory_ui.appliance.steps import Step
from tests.update.box import Ran

AGAIN, RESUME, ROLLBACK = "the same again", "--resume", "rollback"
WAYS = (AGAIN, RESUME, ROLLBACK)
"""Of going on with what was interrupted."""


def expected(way: str, change: Change | None, named: str, previous: str, base: str, new: str) -> tuple[str, int]:
    """The version that should run after going on, and the exit status that says so, by what the killed one has left."""
    touched = change is not None and change.touched
    if way == AGAIN:
        # All had ended but the last word: the version that runs is not updated to once more.
        return new, 0 if touched or named == base else 1
    if way == RESUME:
        if change is None:
            return named, 0
        if not change.touched or change.back:
            return change.came_from, 1
        return change.to, 0
    if change is not None:
        return change.came_from, 0
    return (previous, 0) if previous else (named, 1)


def took(ran: Ran) -> dict[str, float]:
    """Seconds from the announcement of each step to the next one's."""
    names = {step.value for step in Step}
    begun = [(at, line.split()[0]) for at, line in ran.lines if line.split()[:1] and line.split()[0] in names]
    ends = [at for at, _ in begun[1:]] + [ran.lines[-1][0]]
    return {name: end - at for (at, name), end in zip(begun, ends, strict=True)}


def announcement(step: Step) -> str:
    """How the line begins that says it."""
    return f"{step:8} "
