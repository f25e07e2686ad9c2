"""Fixtures of nodes on either engine. A test that asks for a node runs once on each."""

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.settings import Settings
from tests.engines import Engine, Ground, Grounds
from tests.fakes import Client, FrozenClock, Node, Visits, new_node, visits_to

BOTH = "both"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--engine` for a quick look at one of them."""
    parser.addoption("--engine", choices=[*Engine, BOTH], default=BOTH, help="run tests of this engine only")


def pytest_configure(config: pytest.Config) -> None:
    """The marker of tests that are about one engine."""
    config.addinivalue_line("markers", "engine(name): what it says is true of this engine alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not about a test's engine, and what was not asked for."""
    asked = config.getoption("--engine")
    items[:] = [item for item in items if _engine_of(item) in (None, *_engines_meant(item))]
    left_out = [item for item in items if asked != BOTH and _engine_of(item) not in (None, asked)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through it for garbage took a fifth of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _engine_of(item: pytest.Item) -> Engine | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("engine") if callspec is not None else None


def _engines_meant(item: pytest.Item) -> list[Engine]:
    marker = item.get_closest_marker("engine")
    return [Engine(name) for name in marker.args] if marker is not None else list(Engine)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not depend on how the machine they run on is configured."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", params=list(Engine))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return request.param


@pytest.fixture(scope="session")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    """What nodes stand on."""
    folder = tmp_path_factory.mktemp("template")
    template = new_node(folder)
    with template.system.outside.engine.begin() as connection:
        # Whoever stands on it is a node of its own, by a clock of its own.
        connection.execute(text("DELETE FROM node"))
    template.close()
    made = Grounds(folder)
    yield made
    made.close()


@pytest.fixture
def ground(grounds: Grounds, engine: Engine, tmp_path: Path) -> Iterator[Ground]:
    """What this test's node stands on."""
    with grounds.fresh(engine, tmp_path / "node") as made:
        yield made


@pytest.fixture
def clock() -> FrozenClock:
    """The time of the node; a module whose cookies a client must believe overrides it with the real time."""
    return FrozenClock()


@pytest.fixture
def make_node(ground: Ground, clock: FrozenClock) -> Iterator[Callable[..., Node]]:
    """Builds nodes on one ground: a second call is a restart, with other settings if they are given."""
    with ExitStack() as made:

        def make(**given: Any) -> Node:
            node = new_node(ground.folder, **{"clock": clock, **ground.settings, **given})
            made.callback(node.close)
            return node

        yield make


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    """A fresh node with the settings' defaults."""
    return make_node()


@pytest.fixture
def elsewhere(grounds: Grounds, engine: Engine, tmp_path: Path) -> Iterator[Node]:
    """Another installation of the same engine, with keys of its own."""
    with grounds.fresh(engine, tmp_path / "elsewhere") as other:
        node = new_node(other.folder, **other.settings)
        yield node
        node.close()


@pytest.fixture
def visits(node: Node) -> Iterator[Visits]:
    """The node's application, running, and clients of it."""
    with visits_to(node) as made:
        yield made


@pytest.fixture
def client(visits: Visits) -> Client:
    """One client of the node."""
    return visits.client()
