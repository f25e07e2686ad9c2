"""The revocation ledger: one synced file beside the data, one object an entry in the store.

Either may be lost; the union of both counts. Nothing is ever taken out of it.
"""

import fcntl
import io
import json
import logging
import os
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from core.domain.custody import LEDGER_PREFIX, Early, Entry
from core.errors import MemoryEngineError, Unavailable
from core.ports.outside import ByteStore

log = logging.getLogger(__name__)

LEDGER_FILE = "ledger.jsonl"
_Id = tuple[Early, str]


class FileLedger:
    """See `core.ports.custody.Ledger`. Safe for threads, and for processes that share the file.

    Nobody waits for the store who does not ask it: the lock is held over memory and the file alone.
    """

    def __init__(self, folder: Path, store: ByteStore) -> None:
        self._path = folder / LEDGER_FILE
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[_Id, Entry] = {}
        self._stored: set[_Id] = set()
        self._own: set[_Id] = set()
        with self._lock:
            self._read_file()

    @property
    def length(self) -> int:
        """How many entries are known to this process."""
        with self._lock:
            return len(self._known)

    @property
    def owed(self) -> int:
        """How many the store does not have yet; all of them before anybody has looked there."""
        return len(self._owing())

    @property
    def owed_since(self) -> datetime | None:
        """When the oldest of those was written; None where none is owed."""
        return min((entry.at for entry in self._owing()), default=None)

    @property
    def lacking(self) -> int:
        """How many only the store has: on a machine of its own that is nothing unusual."""
        with self._lock:
            return len(self._known.keys() - self._own)

    def append(self, entries: Sequence[Entry]) -> None:
        """Synced to the file, or put into the store where the file cannot be written. Raises `Unavailable`."""
        with self._lock:
            fresh = {_id(entry): entry for entry in entries if _id(entry) not in self._own}
            if not fresh or self._wrote(list(fresh.values())):
                self._known |= fresh
                return
        self._put_instead(fresh.values())
        with self._lock:
            self._known |= fresh

    def publish(self) -> int:
        """Put what the store lacks; how many it still lacks."""
        try:
            self._look()
            for entry in self._owing():
                self._put(entry)
        except MemoryEngineError as error:
            log.warning("ledger.unpublished", extra={"reason": error.message, "owed": self.owed})
        return self.owed

    def entries(self) -> list[Entry]:
        """Everything known here or there, the oldest first."""
        with self._lock:
            self._read_file()
        self._look()
        with self._lock:
            unknown = self._stored - self._known.keys()
        fetched = {one: self._fetch(*one) for one in unknown}
        with self._lock:
            self._known |= fetched
            return sorted(self._known.values(), key=lambda entry: (entry.at, entry.kind, entry.subject))

    def keep_here(self) -> None:
        """Write into the file what only the store has: a machine that was added, a file that was lost."""
        with self._lock:
            self._read_file()
            missing = [entry for known, entry in self._known.items() if known not in self._own]
            if missing:
                self._write(missing)
                self._own |= {_id(entry) for entry in missing}

    def _owing(self) -> list[Entry]:
        with self._lock:
            return [entry for known, entry in self._known.items() if known not in self._stored]

    def _look(self) -> None:
        found: set[_Id] = set()
        # A half-written entry is none: it would neither be read nor ever be put again.
        for key in self._store.keys(LEDGER_PREFIX, whole=True):
            kind, _, subject = key.removeprefix(LEDGER_PREFIX).partition("-")
            if kind in set(Early) and subject:
                found.add((Early(kind), subject))
        # What another thread has put meanwhile may be missing in it: it is put once more, which changes nothing.
        with self._lock:
            self._stored = found

    def _put(self, entry: Entry) -> None:
        data = line(entry).encode()
        self._store.put(_key(entry.kind, entry.subject), io.BytesIO(data), len(data))
        with self._lock:
            self._stored.add(_id(entry))

    def _put_instead(self, entries: Iterable[Entry]) -> None:
        try:
            for entry in entries:
                self._put(entry)
        except MemoryEngineError as error:
            raise Unavailable("The ledger of this node cannot be written right now. Please try again.") from error

    def _fetch(self, kind: Early, subject: str) -> Entry:
        stream = self._store.open(_key(kind, subject))
        try:
            found = parse(stream.read().decode())
        finally:
            stream.close()
        if not found:
            raise Unavailable("An entry of the ledger in the store cannot be read.")
        return found[0]

    def _read_file(self) -> None:
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            self._own = set()
            return
        found = {_id(entry): entry for entry in parse(text)}
        self._own = set(found)
        self._known = {**found, **self._known}

    def _wrote(self, entries: Sequence[Entry]) -> bool:
        try:
            self._write(entries)
        except OSError as error:
            log.warning("ledger.file_failed", extra={"reason": error.strerror or type(error).__name__})
            return False
        self._own |= {_id(entry) for entry in entries}
        return True

    def _write(self, entries: Sequence[Entry]) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            end = os.lseek(descriptor, 0, os.SEEK_END)
            torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
            data = ("\n" if torn else "") + "".join(line(entry) for entry in entries)
            written = os.write(descriptor, data.encode())
            if written != len(data.encode()):
                raise OSError(None, "the ledger was not written whole")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if end == 0:
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def line(entry: Entry) -> str:
    """One entry as it is written down."""
    said = {"kind": entry.kind.value, "subject": entry.subject, "at": entry.at.isoformat()}
    return json.dumps(said) + "\n"


def parse(text: str) -> list[Entry]:
    """Entries as written; a line that a crash tore is none, for what it was written for was not committed."""
    found = []
    for one in text.splitlines():
        try:
            said = json.loads(one)
            found.append(
                Entry(kind=Early(said["kind"]), subject=said["subject"], at=datetime.fromisoformat(said["at"]))
            )
        except (ValueError, KeyError, TypeError):
            if one.strip():
                log.warning("ledger.torn_line")
    return found


def _id(entry: Entry) -> _Id:
    return entry.kind, entry.subject


def _key(kind: Early, subject: str) -> str:
    return f"{LEDGER_PREFIX}{kind.value}-{subject}"
