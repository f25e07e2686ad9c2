import pytest


def test_livez_answers(client):
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_livez_answers_whatever_is_down(client, node):
    node.store.refuses.update({"size", "open", "put", "delete"})
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
    node.store.refuses.add("size")
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["ok"], answer.json()["components"]["store"]) == (False, "down")


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
def test_health_tells_nothing_of_the_inside(client, node, path):
    node.store.refuses.add("size")
    assert str(node.system.outside.data_dir) not in client.get(path).text


def test_healthz_is_503_while_the_database_does_not_answer(client, node):
    folder = node.system.outside.data_dir
    node.system.outside.engine.dispose()
    for path in folder.glob("memory.db*"):
        path.unlink()
    (folder / "memory.db").mkdir()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["components"]["database"]) == (503, "down")
