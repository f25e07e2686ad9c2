"""Fixtures of nodes. A test's node is a copy of one that was migrated once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from tests.fakes import Client, FrozenClock, Node, Visits, copy_folder, new_node, visits_to


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not depend on how the machine they run on is configured."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as its first start leaves it."""
    folder = tmp_path_factory.mktemp("template")
    new_node(folder).close()
    return folder


@pytest.fixture
def clock() -> FrozenClock:
    """The time of the node; a module whose cookies a client must believe overrides it with the real time."""
    return FrozenClock()


@pytest.fixture
def make_node(template: Path, tmp_path: Path, clock: FrozenClock) -> Iterator[Callable[..., Node]]:
    """Builds nodes on one data folder: a second call is a restart, with other settings if they are given."""
    folder = copy_folder(template, tmp_path / "node")
    made: list[Node] = []

    def make(**given: Any) -> Node:
        made.append(new_node(folder, **{"clock": clock, **given}))
        return made[-1]

    yield make
    for node in made:
        node.close()


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    """A fresh node with the settings' defaults."""
    return make_node()


@pytest.fixture
def visits(node: Node) -> Iterator[Visits]:
    """The node's application, running, and clients of it."""
    with visits_to(node) as made:
        yield made


@pytest.fixture
def client(visits: Visits) -> Client:
    """One client of the node."""
    return visits.client()
