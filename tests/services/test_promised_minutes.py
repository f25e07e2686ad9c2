"""A promise that counts in minutes is kept by a schedule that looks often enough."""

from collections.abc import Callable

import pytest

from core.domain.work import Job
from tests.fakes import Node


@pytest.mark.parametrize("given", [{}, {"ONCE_FETCH_MINUTES": 1, "ONCE_SWEEP_MINUTES": 2}])
def test_an_unheard_one_time_take_is_expired_and_swept_by_the_minute_its_manifest_names(
    make_node: Callable[..., Node], given: dict[str, float]
) -> None:
    system = make_node(**given).system
    settings, every_s = system.settings, system.intervals_s
    # The worst moment to end is just after a slot of expiry has begun, and the sweep is then just as unlucky.
    longest_wait_s = every_s[Job.EXPIRE] + every_s[Job.SWEEP_TOMBSTONES]
    assert longest_wait_s <= (settings.ONCE_SWEEP_MINUTES - settings.ONCE_FETCH_MINUTES) * 60
