"""Takes, figures and chi-square for the tests of the pool. The settings' figures stand here at their defaults."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from core.adapters.catalogs import load
from core.domain.deployment import Deployment, DeploymentCatalog, DeploymentName, find_deployment
from core.domain.pool.facts import Density, Lane, Mood, PoolFacts, Wish
from core.domain.pool.lanes import LaneFigures
from core.domain.pool.weights import PoolCatalog, PoolFigures
from core.domain.pool.windows import SliceFigures
from core.services.simulated import MemoryRows, Take

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LANES = LaneFigures(
    fresh_max_age_hours=8,
    fresh_max_wear=0.18,
    fresh_max_plays=2,
    worn_min_age_hours=18,
    worn_min_wear=0.38,
    worn_min_plays=5,
    light_max_ms=5000,
    dense_min_ms=18000,
    suspended_min_age_hours=12,
)
SLICES = SliceFigures(longest_ms=45_000, revolution_s=300, step_ms=250)
CATALOG = load("pool", PoolCatalog)
FIGURES = PoolFigures(lanes=LANES, cooldown_s=90, catalog=CATALOG)
DEPLOYMENTS = load("deployments", DeploymentCatalog)
MEMORY = find_deployment("memory", DEPLOYMENTS)

BASE = PoolFacts(
    artifact_id=1,
    created_at=NOW - timedelta(hours=10),
    duration_ms=10_000,
    wear=0.0,
    plays=0,
    heard_at=None,
    deployment="memory",
    topic="",
    status="",
)


def deployment(name: str) -> Deployment:
    """The deployment of that name."""
    return find_deployment(name, DEPLOYMENTS)


def take(*, age_hours: float = 10, unheard_hours: float | None = None, **facts: object) -> PoolFacts:
    """A take of that age; never heard unless `unheard_hours` is given. By default mid, medium and hushed."""
    heard_at = None if unheard_hours is None else NOW - timedelta(hours=unheard_hours)
    aged = replace(BASE, created_at=NOW - timedelta(hours=age_hours), heard_at=heard_at)
    return replace(aged, **facts)  # type: ignore[arg-type]


class Cells(MemoryRows):
    """Rows in memory, each at a random place."""

    def __init__(self, pool: Sequence[PoolFacts], seed: int) -> None:
        super().__init__()
        rng = random.Random(seed)
        far = NOW + timedelta(days=999)
        for row in pool:
            self.add(Take(facts=row, raw_until=far, ends_at=far, place=rng.random()))


topics = st.sampled_from(["", "kitchen", "garden"])
statuses = st.sampled_from(["", "open", "pending", "answered", "fixed", "seed", "observed"])
deployments = st.sampled_from([deployment(name) for name in DeploymentName])
wishes = st.builds(
    Wish,
    lane=st.none() | st.sampled_from(Lane),
    density=st.none() | st.sampled_from(Density),
    mood=st.none() | st.sampled_from(Mood),
    exclude_ids=st.lists(st.integers(1, 12), max_size=12, unique=True).map(tuple),
    recent_densities=st.lists(st.sampled_from(Density), max_size=6).map(tuple),
    recent_topics=st.lists(topics.filter(bool), max_size=4).map(tuple),
    preferred_topic=topics,
    preferred_status=statuses,
)
takes = st.builds(
    take,
    artifact_id=st.integers(1, 12),
    age_hours=st.floats(0, 2000),
    unheard_hours=st.none() | st.floats(-1, 2000),
    duration_ms=st.integers(500, 300_000),
    wear=st.floats(0, 1),
    plays=st.integers(0, 500),
    deployment=st.sampled_from([str(name) for name in DeploymentName]),
    topic=topics,
    status=statuses,
)
pools = st.lists(takes, min_size=1, max_size=12, unique_by=lambda facts: facts.artifact_id)
