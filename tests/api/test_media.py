import pytest

from core.domain.artifact import State
from tests.fakes import SHORT_TAKE

SIZE = len(SHORT_TAKE)


@pytest.fixture
def url(client):
    """The address of a granted sound."""
    client.leave()
    return client.get("/api/v1/pool/next").json()["audio_url"]


def test_the_whole_sound_is_served_and_never_cached(client, url):
    answer = client.get(url)
    assert (answer.status_code, answer.content) == (200, SHORT_TAKE)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=44-", 44, SIZE - 1),
        ("bytes=-10", SIZE - 10, SIZE - 1),
        ("bytes=0-999999", 0, SIZE - 1),
        ("bytes=-999999", 0, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
    ],
)
def test_a_range_is_honoured(client, url, asked, start, end):
    answer = client.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, SHORT_TAKE[start : end + 1])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{SIZE}"
    assert answer.headers["Content-Length"] == str(end - start + 1)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=999999-1000000", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(client, url, asked):
    answer = client.get(url, headers={"Range": asked})
    assert (answer.status_code, list(answer.json())) == (416, ["error"])
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "lines=0-1", "bytes=9-2", "nonsense", "bytes=-"])
def test_several_or_damaged_ranges_are_ignored(client, url, asked):
    answer = client.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, SHORT_TAKE)


def test_a_range_of_endless_digits_is_no_fault_of_ours(client, url):
    assert client.get(url, headers={"Range": f"bytes=0-{'9' * 5000}"}).status_code < 500


def test_it_may_be_fetched_as_often_as_the_grant_lasts(client, node, url):
    node.clock.advance(seconds=900)
    assert [client.get(url).status_code for _ in range(2)] == [200, 200]
    node.clock.advance(seconds=1)
    assert client.get(url).status_code == 404


def test_a_take_that_ended_is_not_served(client, node, url):
    node.change(1, state=State.EXPIRED.value)
    assert client.get(url).status_code == 404


def test_a_take_whose_hour_is_over_is_not_served_though_no_sweep_ran(client, node, url):
    node.change(1, raw_until=node.clock.now(), playable_until=node.clock.now())
    assert client.get(url).status_code == 404


def test_a_token_for_another_purpose_is_not_served(client, url):
    playback = client.get("/api/v1/pool/next").json()
    token = playback["playback_ack_url"].rsplit("/", 1)[1]
    assert client.get(f"/api/v1/media/raw/{token}").status_code == 404
    once = client.leave("NOSAVE").json()["play_url"].rsplit("/", 1)[1]
    assert client.get(f"/api/v1/media/raw/{once}").status_code == 404
    sound = url.rsplit("/", 1)[1]
    assert client.get(f"/api/v1/ephemeral/play/{sound}").status_code == 404


def test_a_head_says_that_it_may_be_played_and_asks_no_store(client, node, url):
    node.store.refuses.update({"size", "open"})
    answer = client.head(url)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "audio/wav"


@pytest.mark.parametrize("ended", [{"state": State.REVOKED.value}, {"state": State.EXPIRED.value}])
def test_a_head_says_that_it_may_no_longer_be_played(client, node, url, ended):
    node.change(1, **ended)
    assert client.head(url).status_code == 404


def test_a_head_says_so_from_the_moment_its_hour_is_over(client, node, url):
    node.change(1, raw_until=node.clock.now(), playable_until=node.clock.now())
    assert client.head(url).status_code == 404


def test_a_head_knows_no_stale_or_foreign_token(client, node, url):
    assert client.head("/api/v1/media/raw/nothing").status_code == 404
    once = client.leave("NOSAVE").json()["play_url"].rsplit("/", 1)[1]
    assert client.head(f"/api/v1/media/raw/{once}").status_code == 404
    node.clock.advance(seconds=901)
    assert client.head(url).status_code == 404


def test_bytes_that_are_missing_are_404(client, node, url):
    node.store.inner.delete(node.stored()[0])
    assert client.get(url).status_code == 404


def test_a_store_that_does_not_answer_is_503(client, node, url):
    node.store.refuses.add("size")
    answer = client.get(url)
    assert (answer.status_code, list(answer.json())) == (503, ["error"])


def test_serving_leaves_no_file_open(client, node, url):
    opened = []
    real = node.store.inner.open

    def remember(key, **window):
        opened.append(real(key, **window))
        return opened[-1]

    node.store.inner.open = remember
    client.get(url)
    client.get(url, headers={"Range": "bytes=5-9"})
    assert [stream.closed for stream in opened] == [True, True]
