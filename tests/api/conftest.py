"""Stewards at the API."""

import pytest

from core.domain.access import Role
from tests.fakes import Client, Node, Visits


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
