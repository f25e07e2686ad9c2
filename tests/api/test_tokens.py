"""What stands in an address instead of a genuine token: not found, never a file, and nothing changes."""

import json

import pytest

from core.adapters.sql.engine import DATABASE_FILE
from tests.fakes import new_node
from tests.fuzz.place import ROOMY, opened

ADDRESSES = {
    "raw": ("GET", "/api/v1/media/raw/"),
    "spectrogram": ("GET", "/api/v1/media/spectrogram/"),
    "fossils": ("GET", "/api/v1/surface/fossils/"),
    "play": ("GET", "/api/v1/ephemeral/play/"),
    "heard": ("POST", "/api/v1/pool/heard/"),
    "flag": ("POST", "/api/v1/pool/flag/"),
}
TRICKS = {
    "nothing": "",
    "a dot": ".",
    "two dots": "..",
    "dots upwards": "../../../../etc/passwd",
    "encoded dots": "%2e%2e/%2e%2e/etc/passwd",
    "encoded slashes": "..%2f..%2f..%2fetc%2fpasswd",
    "slashes encoded twice": "..%252f..%252fetc%252fpasswd",
    "backslashes": "..%5c..%5cwindows%5cwin.ini",
    "an absolute path": "%2fetc%2fpasswd",
    "the database": f"..%2f{DATABASE_FILE}",
    "the keys": "..%2fkeys.json",
    "NUL": "%00",
    "NUL before an ending": "x%00.wav",
    "not UTF-8": "%ff%fe",
    "too long a sign of UTF-8": "%c0%ae%c0%ae%c0%af",
    "half a surrogate": "%ed%a0%80",
    "a new line": "x%0d%0aSet-Cookie:%20a=b",
    "sixty thousand signs": "x" * 60_000,
    "sixty thousand dots": "." * 60_000,
    "another scheme": "file:%2f%2f%2fetc%2fpasswd",
    "a number": "1",
    "an object key": "raw%2f1%2faudio.wav",
}
SAME = {"heard", "flag"}
FOREIGN = [
    (purpose, other)
    for purpose in ADDRESSES
    for other in (*ADDRESSES, "consume_token", "revoke")
    if other != purpose and {other, purpose} != SAME
]
TAILS = ("/", "/..", "%2f", "%2f..%2f..", "%00", ".", ".wav", "%20", "=", "A", ";x", "%0a")


def not_found(answer):
    """A refusal in one sentence, and nothing else."""
    status, headers, body = answer
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (404, "application/json", "no-store")
    assert list(json.loads(body)) == ["error"]
    return True


@pytest.fixture(scope="module")
def tokens(place):
    """A genuine token of every purpose."""
    return place.plant()


@pytest.fixture(scope="module")
def foreign(grounds, engine, tmp_path_factory):
    """The same of another node, where the same takes have the same numbers."""
    with grounds.fresh(engine, tmp_path_factory.mktemp("foreign") / "node") as ground:
        node = new_node(ground.folder, **ground.settings, **ROOMY)
        with opened(node) as other:
            yield other.plant()
        node.close()


@pytest.fixture(autouse=True)
def nothing_changed(place, tokens):
    """No row is other than it was, and no byte is gone."""
    node = place.node
    before, stored = {name: node.table(name) for name in ("artifact", "derivative", "access_event")}, node.stored()
    yield
    assert {name: node.table(name) for name in before} == before
    assert node.stored() == stored


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("purpose", ADDRESSES)
def test_a_trick_with_a_path_is_not_found(place, purpose, trick):
    method, address = ADDRESSES[purpose]
    assert not_found(place.ask_exactly(method, address + TRICKS[trick]))


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("purpose", ADDRESSES)
def test_a_genuine_token_with_something_after_it_is_not_found(place, tokens, purpose, tail):
    method, address = ADDRESSES[purpose]
    assert not_found(place.ask_exactly(method, address + tokens[purpose][0] + tail))


@pytest.mark.parametrize(("purpose", "other"), FOREIGN)
def test_a_token_for_another_purpose_is_not_found(place, tokens, purpose, other):
    method, address = ADDRESSES[purpose]
    assert not_found(place.ask_exactly(method, address + tokens[other][0]))


@pytest.mark.parametrize("purpose", ADDRESSES)
def test_a_token_of_another_node_is_not_found(place, foreign, purpose):
    method, address = ADDRESSES[purpose]
    assert not_found(place.ask_exactly(method, address + foreign[purpose][0]))
