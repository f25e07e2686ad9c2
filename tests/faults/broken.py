"""Systems with one law of custody taken out each, to show that the checks notice."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO, cast

from core.adapters.ledger import FileLedger
from core.adapters.sql.work import SqlUnitOfWork
from core.bootstrap import Outside
from core.bootstrap.engines import writing_down
from core.domain.custody import Entry


class _Changed:
    """An object with some of its attributes replaced."""

    def __init__(self, inner: Any, **changed: Any) -> None:
        self._inner = inner
        self.__dict__.update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _ChangedWork:
    """A unit of work whose transactions are changed, with something to do after each commit."""

    def __init__(self, inner: Any, change: Callable[[Any], Any], committed: Callable[[], None] = lambda: None) -> None:
        self._inner = inner
        self._change = change
        self._committed = committed

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self._inner.write() as tx:
            yield self._change(tx)
        self._committed()

    @contextmanager
    def read(self) -> Iterator[Any]:
        with self._inner.read() as tx:
            yield tx


def adopts_before_putting(outside: Outside) -> Outside:
    """Bytes are only put once the artifact is in the database."""
    waiting: list[tuple[str, bytes]] = []

    def put(key: str, stream: BinaryIO, size_bytes: int) -> None:
        waiting.append((key, stream.read(size_bytes)))

    def put_now() -> None:
        while waiting:
            key, whole = waiting.pop()
            outside.store.put(key, BytesIO(whole), len(whole))

    return replace(
        outside,
        store=_Changed(outside.store, put=put),
        work=_ChangedWork(outside.work, lambda tx: tx, put_now),
    )


def reserves_nothing(outside: Outside) -> Outside:
    """Keys are put without a reservation."""

    def change(tx: Any) -> Any:
        tombstones = _Changed(tx.tombstones, reserve=lambda *_, **__: None, adopt=lambda _key: True)
        return _Changed(tx, tombstones=tombstones)

    return replace(outside, work=_ChangedWork(outside.work, change))


def buries_nothing(outside: Outside) -> Outside:
    """Ended artifacts leave no tombstone: their bytes are forgotten."""

    def change(tx: Any) -> Any:
        return _Changed(tx, tombstones=_Changed(tx.tombstones, bury=lambda *_, **__: None))

    return replace(outside, work=_ChangedWork(outside.work, change))


def claims_nothing(outside: Outside) -> Outside:
    """A one-time take is served without being claimed or written down; only the end of the answer removes it."""

    def change(tx: Any) -> Any:
        artifacts = _Changed(tx.artifacts, claim_once=lambda artifact_id, _hash, _now: tx.artifacts.get(artifact_id))
        # The ledger alone would end it at the next start.
        return _Changed(tx, artifacts=artifacts, ended_early=lambda *_: None)

    return replace(outside, work=_ChangedWork(outside.work, change))


def forgets_keys(outside: Outside) -> Outside:
    """No upload key and no grant is remembered: repetition is never noticed."""

    def change(tx: Any) -> Any:
        return _Changed(
            tx,
            idempotency=_Changed(tx.idempotency, remember=lambda *_, **__: True),
            events=_Changed(tx.events, enter=lambda *_, **__: True),
        )

    return replace(outside, work=_ChangedWork(outside.work, change))


def writes_no_ledger(outside: Outside) -> Outside:
    """Rights end early, and nothing outside the database says so."""
    return _writing(outside, lambda _entries: None)


def writes_after_the_commit(outside: Outside) -> Outside:
    """The ledger hears of an ending once it is in the database, if the process still lives then."""
    waiting: list[Entry] = []

    def write_now() -> None:
        if waiting:
            outside.ledger.append(waiting)
            waiting.clear()

    later = _writing(outside, waiting.extend)
    return replace(later, work=_ChangedWork(later.work, lambda tx: tx, write_now))


def _writing(outside: Outside, keep: Callable[[Sequence[Entry]], object]) -> Outside:
    effects = outside.effects
    ledger = _Changed(outside.ledger, append=keep)
    work = SqlUnitOfWork(
        outside.engine,
        effects,
        first_steward_state=outside.first_state,
        write_down=writing_down(cast("FileLedger", ledger), outside.vault),
    )
    return replace(outside, work=work)


def narrows_in_words_only(outside: Outside) -> Outside:
    """A narrowed promise says so, and what a fossil leaves stays where it is."""

    def change(tx: Any) -> Any:
        derivatives = _Changed(tx.derivatives, drop=lambda _artifact_id: [])
        return _Changed(tx, derivatives=derivatives)

    return replace(outside, work=_ChangedWork(outside.work, change))


def believes_the_store(outside: Outside) -> Outside:
    """What the store says it has deleted is taken for gone, and never looked for."""
    deleted: set[str] = set()

    def delete(key: str) -> None:
        outside.store.delete(key)
        deleted.add(key)

    def size(key: str) -> int | None:
        return None if key in deleted else outside.store.size(key)

    return replace(outside, store=_Changed(outside.store, delete=delete, size=size))


def never_compares(outside: Outside) -> Outside:
    """A start does not look into the ledger for what the database has not heard of."""
    asked: list[int] = []

    def entries() -> list[Entry]:
        asked.append(len(asked))
        return outside.ledger.entries() if len(asked) > 1 else []

    return replace(outside, ledger=_Changed(outside.ledger, entries=entries))


VARIANTS: dict[str, Callable[[Outside], Outside]] = {
    variant.__name__: variant
    for variant in (
        adopts_before_putting,
        reserves_nothing,
        buries_nothing,
        claims_nothing,
        forgets_keys,
        writes_no_ledger,
        writes_after_the_commit,
        narrows_in_words_only,
        believes_the_store,
        never_compares,
    )
}
