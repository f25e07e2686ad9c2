import gc
import weakref
from collections.abc import Iterator

import pytest

from memory_ui.cli.allocator import settle


class Loaded:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def thawed() -> Iterator[None]:
    before = gc.get_freeze_count()
    yield
    if not before:
        gc.unfreeze()


@pytest.mark.usefixtures("thawed")
def test_what_is_loaded_is_set_aside_and_what_nobody_holds_is_not_kept() -> None:
    held, lost = Loaded(), weakref.ref(Loaded())
    aside = gc.get_freeze_count()
    settle()
    assert lost() is None
    assert gc.get_freeze_count() > aside
    assert not any(one is held for one in gc.get_objects())
