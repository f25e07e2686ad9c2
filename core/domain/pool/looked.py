"""What one draw looked at, noted as it goes, and looked at once more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from core.domain.pool.drawing import Holds, Rows
from core.domain.pool.facts import PoolFacts
from core.domain.pool.reach import Reach


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What one draw looked at, each kind in its order: enough to draw again.

    `met` are the rows probed, picked or found, `counts` how many places there were, `scans` what scans kept.
    """

    size: int
    met: tuple[PoolFacts | None, ...] = ()
    counts: tuple[int, ...] = ()
    scans: tuple[tuple[PoolFacts, ...], ...] = ()


@dataclass(slots=True)
class Recording:
    """Rows that note what is looked at."""

    rows: Rows
    _size: int = 0
    _met: list[PoolFacts | None] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)
    _scans: list[tuple[PoolFacts, ...]] = field(default_factory=list)

    def size(self) -> int:
        """See `Rows`."""
        self._size = self.rows.size()
        return self._size

    def scan(self, reach: Reach, holds: Holds) -> Sequence[PoolFacts]:
        """See `Rows`."""
        found = tuple(self.rows.scan(reach, holds))
        self._scans.append(found)
        return found

    def find(self, reach: Reach, holds: Holds) -> PoolFacts | None:
        """See `Rows`."""
        found = self.rows.find(reach, holds)
        self._met.append(found)
        return found

    def probe(self, cells: int, places: Sequence[tuple[int, int]]) -> Sequence[PoolFacts | None]:
        """See `Rows`."""
        return self._noted(self.rows.probe(cells, places))

    def within(self, reach: Reach, most: int) -> int:
        """See `Rows`."""
        self._counts.append(self.rows.within(reach, most))
        return self._counts[-1]

    def pick(self, reach: Reach, places: Sequence[int]) -> Sequence[PoolFacts | None]:
        """See `Rows`."""
        return self._noted(self.rows.pick(reach, places))

    def looked(self) -> Looked:
        """The record so far."""
        return Looked(size=self._size, met=tuple(self._met), counts=tuple(self._counts), scans=tuple(self._scans))

    def _noted(self, found: Sequence[PoolFacts | None]) -> Sequence[PoolFacts | None]:
        self._met += found
        return found


class Replaying:
    """Rows as they were looked at once, wherever that was; what was not looked at then is not there."""

    def __init__(self, looked: Looked) -> None:
        self._size = looked.size
        self._met: Iterator[PoolFacts | None] = iter(looked.met)
        self._counts = iter(looked.counts)
        self._scans = iter(looked.scans)

    def size(self) -> int:
        """See `Rows`."""
        return self._size

    def scan(self, _reach: Reach, _holds: Holds) -> Sequence[PoolFacts]:
        """See `Rows`."""
        return next(self._scans, ())

    def find(self, _reach: Reach, _holds: Holds) -> PoolFacts | None:
        """See `Rows`."""
        return next(self._met, None)

    def probe(self, _cells: int, places: Sequence[tuple[int, int]]) -> Sequence[PoolFacts | None]:
        """See `Rows`."""
        return list(islice(self._met, len(places)))

    def within(self, _reach: Reach, _most: int) -> int:
        """See `Rows`."""
        return next(self._counts, 0)

    def pick(self, _reach: Reach, places: Sequence[int]) -> Sequence[PoolFacts | None]:
        """See `Rows`."""
        return list(islice(self._met, len(places)))
