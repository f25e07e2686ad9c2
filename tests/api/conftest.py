"""Stewards at the API, and a node behind a real server."""

from collections.abc import Iterator

import pytest

from core.domain.access import Role
from tests.engines import Engine, Grounds
from tests.fakes import Client, Node, Visits, new_node
from tests.fuzz.place import ROOMY, Place, opened


def sign_in(client: Client, secret: str) -> Client:
    """The same client with a session."""
    assert client.post("/ops/", data={"secret": secret}).status_code == 303
    return client


@pytest.fixture
def signed_in(visits: Visits, node: Node) -> Client:
    """A steward with the shared secret."""
    return sign_in(visits.client(), node.system.access.shared_secret())


@pytest.fixture
def ana(visits: Visits, node: Node) -> Client:
    """A named steward."""
    return sign_in(visits.client(), node.system.access.add("Ana", Role.STEWARD, actor="test"))


@pytest.fixture
def curator(visits: Visits, node: Node) -> Client:
    """Somebody who may look."""
    return sign_in(visits.client(), node.system.access.add("Carl", Role.CURATOR, actor="test"))


@pytest.fixture(scope="module")
def place(grounds: Grounds, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One served node for every request of a module; no budget of it is used up."""
    with grounds.fresh(engine, tmp_path_factory.mktemp("place") / "node") as ground:
        node = new_node(ground.folder, **ground.settings, **ROOMY)
        with opened(node) as made:
            yield made
        node.close()
