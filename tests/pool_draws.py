"""Draws from the takes of a database, for tests that have no node around it."""

import random
from datetime import datetime

from sqlalchemy import Engine

from core.adapters.effects import Effects
from core.adapters.sql.pool import SqlPool
from core.adapters.sql.work import SqlUnitOfWork
from core.domain.deployment import Deployment
from core.domain.pool.drawing import SCAN_MOST
from core.domain.pool.facts import Wish
from core.domain.steward import StewardState
from core.ports.outside import PoolAnswer
from tests.pool_takes import FIGURES, MEMORY, NOW


class Draws:
    """A pool; each draw is a transaction of its own, as for a node that is asked for one voice."""

    def __init__(self, engine: Engine, *, deployment: Deployment = MEMORY, scan_most: int = SCAN_MOST) -> None:
        first = StewardState(kiosk_max_recording_seconds=60, updated_at=NOW, version=0)
        self._work = SqlUnitOfWork(engine, Effects(), first_steward_state=first)
        self._pool = SqlPool(figures=FIGURES, deployment=deployment, scan_most=scan_most)

    def draw(self, wish: Wish, now: datetime, rng: random.Random) -> PoolAnswer | None:
        """See `core.ports.outside.Pool`."""
        with self._work.read() as tx:
            return self._pool.draw(tx, wish, now, rng)
