"""Systems with one law of custody taken out each, to show that the checks notice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

from core.bootstrap import Outside


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
    """A one-time take is served without being claimed; only the end of the answer removes it."""

    def change(tx: Any) -> Any:
        artifacts = _Changed(tx.artifacts, claim_once=lambda artifact_id, _hash, _now: tx.artifacts.get(artifact_id))
        return _Changed(tx, artifacts=artifacts)

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


VARIANTS: dict[str, Callable[[Outside], Outside]] = {
    variant.__name__: variant
    for variant in (adopts_before_putting, reserves_nothing, buries_nothing, claims_nothing, forgets_keys)
}
