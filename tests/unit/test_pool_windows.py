from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.domain.pool.windows import slice_of
from tests.pool_takes import NOW, SLICES


def test_a_take_of_exactly_the_longest_slice_plays_whole() -> None:
    found = slice_of(1, 45_000, "", NOW, SLICES)
    assert (found.start_ms, found.duration_ms, found.windowed) == (0, 45_000, False)


def test_a_longer_take_plays_a_slice() -> None:
    found = slice_of(1, 45_001, "", NOW, SLICES)
    assert (found.start_ms, found.duration_ms, found.windowed) == (0, 45_000, True)


@given(st.integers(1), st.integers(45_001, 300_000), st.text(max_size=8))
def test_a_slice_lies_within_its_take_on_the_grid(artifact_id: int, duration_ms: int, variant: str) -> None:
    found = slice_of(artifact_id, duration_ms, variant, NOW, SLICES)
    assert found.start_ms >= 0
    assert found.start_ms % 250 == 0
    assert found.start_ms + found.duration_ms <= duration_ms


def test_within_a_revolution_the_slice_stays_the_same() -> None:
    first = slice_of(7, 200_000, "a", NOW, SLICES)
    assert slice_of(7, 200_000, "a", NOW + timedelta(seconds=299), SLICES) == first
    assert first.revolution_s == 300


def test_a_new_revolution_another_take_and_another_variant_start_elsewhere() -> None:
    starts = {slice_of(7, 300_000, "", NOW + timedelta(seconds=300 * n), SLICES).start_ms for n in range(50)}
    assert len(starts) > 40
    assert len({slice_of(n, 300_000, "", NOW, SLICES).start_ms for n in range(50)}) > 40
    assert len({slice_of(7, 300_000, str(n), NOW, SLICES).start_ms for n in range(50)}) > 40


def test_the_revolution_counts_up_by_one() -> None:
    first = slice_of(7, 1000, "", NOW, SLICES).revolution_index
    assert slice_of(7, 1000, "", NOW + timedelta(seconds=300), SLICES).revolution_index == first + 1


def test_every_start_of_the_grid_is_reached() -> None:
    starts = {slice_of(n, 46_000, "", NOW, SLICES).start_ms for n in range(300)}
    assert starts == {0, 250, 500, 750, 1000}


def test_the_start_is_the_stated_hash_and_so_the_same_on_every_machine() -> None:
    assert slice_of(42, 120_000, "room", NOW, SLICES).start_ms == 11_750
