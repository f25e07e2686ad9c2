import pytest

from jobs.stack import kicking
from tests.engines import Engine, at_work
from tests.fakes import visits_to


@pytest.fixture
def visits(node, engine):
    """The application with its queue, which the embedded engine has only together with its worker."""
    with visits_to(node, kicking if engine is Engine.STACK else at_work) as made:
        yield made


def test_livez_answers(client):
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_livez_answers_whatever_is_down(client, node):
    node.store.refuses.update({"check", "size", "open", "put", "delete"})
    assert client.get("/livez").status_code == 200


def test_healthz_names_every_component(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "components": {"database": "ok", "queue": "ok", "store": "ok"},
        "now": "2026-03-01T12:00:00+00:00",
    }


def test_healthz_is_503_while_the_store_does_not_answer(client, node):
    node.store.refuses.add("check")
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["ok"], answer.json()["components"]["store"]) == (False, "down")


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
def test_health_tells_nothing_of_the_inside(client, node, path):
    node.store.refuses.add("check")
    said = client.get(path).text
    for inside in (str(node.system.outside.data_dir), "psycopg", "sqlite", "redis", "127.0.0.1"):
        assert inside not in said


def test_healthz_is_503_while_the_database_does_not_answer(client, node, ground):
    ground.take_database_away(node.system)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["components"]["database"]) == (503, "down")


def test_healthz_is_503_in_a_process_without_a_queue(node):
    with visits_to(node) as alone:
        answer = alone.client().get("/healthz")
    assert (answer.status_code, answer.json()["components"]["queue"]) == (503, "down")
