"""Trying a store: one small object is put, read back, deleted, and seen to be gone.

It has one key for ever, and says the same for ever: whoever tries next takes away what a killed try has left, and two
who try at once disturb each other at most once.
"""

import io
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from core.domain.custody import PROBE_KEY
from core.errors import MemoryEngineError
from core.ports.outside import ByteStore

SAID = b"A doctor has put this here to see that the store keeps and deletes.\n"
"""No more than `PROBE_MOST_BYTES`: an audit knows it by its size."""

TRIES = 2


class Step(StrEnum):
    """What a store has to do."""

    PUT = "put"
    READ = "read"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True, slots=True)
class Probed:
    """The first step that was refused or done wrongly, if any was; and whether the object may still be there."""

    refused: Step | None
    left: bool


def probe(store: ByteStore) -> Probed:
    """Try it. Never raises what a store raises."""
    for _ in range(TRIES):
        found = _once(store)
        if found.refused is None:
            break
    return found


def _once(store: ByteStore) -> Probed:
    refused = _put_and_read(store)
    gone = _gone(store)
    return Probed(refused=refused or (None if gone else Step.DELETE), left=not gone)


def _put_and_read(store: ByteStore) -> Step | None:
    try:
        store.put(PROBE_KEY, io.BytesIO(SAID), len(SAID))
    except MemoryEngineError:
        return Step.PUT
    try:
        with store.open(PROBE_KEY) as stream:
            return None if stream.read() == SAID else Step.READ
    except MemoryEngineError:
        return Step.READ


def _gone(store: ByteStore) -> bool:
    """Deleted and seen to be gone. What was never put is gone, whoever refuses to delete it."""
    with suppress(MemoryEngineError):
        store.delete(PROBE_KEY)
    try:
        return store.size(PROBE_KEY) is None
    except MemoryEngineError:
        return False
