"""What every byte store promises, and what an S3 store answers when its server does not."""

import io
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.adapters.stores.files import FileStore
from core.adapters.stores.s3 import S3Place, S3Store
from core.errors import Misconfigured, StoreMissing, Unavailable
from core.ports.outside import ByteStore
from tests.servers import Fault, FaultyProxy, private_s3, shared_s3

KEY = "raw/00/take.wav"
OTHER = "raw/01/take.wav"
DATA = bytes(range(256)) * 40
LARGE_BYTES = 33 << 20
QUICK: dict[str, Any] = {"connect_s": 0.3, "read_s": 0.4, "probe_s": 0.2}
"""Patience of the tests, in seconds."""
SLACK_S = 1.5
"""What a busy machine may add to it."""


@pytest.fixture(params=["files", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ByteStore]:
    """An empty store of either engine."""
    if request.param == "files":
        yield FileStore(tmp_path / "sounds")
        return
    made = S3Store(shared_s3().fresh_place())
    yield made
    made.close()


@pytest.fixture
def place() -> S3Place:
    """A bucket of an S3 server, asked with little patience."""
    return shared_s3().fresh_place(**QUICK)


@pytest.fixture
def proxy() -> Iterator[FaultyProxy]:
    """What stands between a store and its server."""
    with FaultyProxy(shared_s3().port) as made:
        yield made


@pytest.fixture
def behind(proxy: FaultyProxy) -> Iterator[S3Store]:
    """A store that reaches its server through the proxy."""
    made = S3Store(shared_s3().fresh_place(endpoint=proxy.endpoint, **QUICK))
    yield made
    made.close()


def put(store: ByteStore, key: str = KEY, data: bytes = DATA) -> None:
    """Store bytes of a known size."""
    store.put(key, io.BytesIO(data), len(data))


def read(store: ByteStore, key: str = KEY, **window: Any) -> bytes:
    """What a window of a key holds."""
    with store.open(key, **window) as stream:
        return stream.read()


class _Drops(io.RawIOBase):
    """A stream that hands out a few bytes at a time, as a socket would."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def read(self, size: int = -1) -> bytes:
        part, self._rest = self._rest[:100], self._rest[100:]
        return part


def test_bytes_come_back_as_they_were_put(store: ByteStore) -> None:
    put(store)

    assert read(store) == DATA
    assert store.size(KEY) == len(DATA)


def test_a_stream_that_comes_in_drops_is_stored_whole(store: ByteStore) -> None:
    store.put(KEY, _Drops(DATA), len(DATA))

    assert read(store) == DATA


def test_a_stream_is_read_in_steps_as_well_as_at_once(store: ByteStore) -> None:
    put(store)

    with store.open(KEY) as stream:
        assert stream.read(10) == DATA[:10]
        assert stream.read(5) == DATA[10:15]
        assert stream.read() == DATA[15:]
        assert stream.read(1) == b""


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 10, DATA[:10]),
        (100, 50, DATA[100:150]),
        (100, None, DATA[100:]),
        (len(DATA) - 3, 3, DATA[-3:]),
        (len(DATA) - 3, 50, DATA[-3:]),
        (0, len(DATA), DATA),
        (0, 0, b""),
        (7, 0, b""),
        (len(DATA), 4, b""),
        (len(DATA) + 9, None, b""),
    ],
)
def test_a_window_holds_what_it_names_and_nothing_more(
    store: ByteStore, start: int, length: int | None, expected: bytes
) -> None:
    put(store)

    assert read(store, start=start, length=length) == expected


def test_an_object_may_be_empty(store: ByteStore) -> None:
    put(store, data=b"")

    assert store.size(KEY) == 0
    assert read(store) == b""


def test_an_unknown_key_is_missing_and_has_no_size(store: ByteStore) -> None:
    put(store, OTHER)

    assert store.size(KEY) is None
    with pytest.raises(StoreMissing):
        store.open(KEY)
    with pytest.raises(StoreMissing):
        store.open(KEY, start=3, length=0)


def test_a_store_that_is_there_answers_its_check(store: ByteStore) -> None:
    store.check()
    put(store)
    store.check()

    assert list(store.keys()) == [KEY]


def test_the_folder_of_a_key_is_not_a_key(store: ByteStore) -> None:
    put(store)

    assert list(store.keys("raw/00/take.wav/")) == []
    assert list(store.keys("nothing/")) == []


def test_a_deleted_key_is_gone_and_its_neighbours_stay(store: ByteStore) -> None:
    put(store)
    put(store, OTHER)

    store.delete(KEY)

    assert store.size(KEY) is None
    assert list(store.keys()) == [OTHER]
    assert read(store, OTHER) == DATA


def test_deleting_what_is_not_there_is_no_error(store: ByteStore) -> None:
    store.delete(KEY)
    put(store)
    store.delete(KEY)
    store.delete(KEY)

    assert store.size(KEY) is None


def test_a_store_emptied_by_deletions_still_takes(store: ByteStore) -> None:
    put(store)
    store.delete(KEY)
    put(store, OTHER)

    assert read(store, OTHER) == DATA


def test_keys_are_those_below_a_prefix_even_within_a_name(store: ByteStore) -> None:
    for key in (KEY, OTHER, "once/00/take.wav", "derived/00/essence.wav"):
        put(store, key)

    assert set(store.keys()) == {KEY, OTHER, "once/00/take.wav", "derived/00/essence.wav"}
    assert set(store.keys("raw/")) == {KEY, OTHER}
    assert set(store.keys("raw/01/ta")) == {OTHER}


def test_more_keys_are_listed_than_one_answer_of_s3_holds() -> None:
    server = shared_s3()
    place = server.fresh_place()
    for number in range(1_005):
        path = server.buckets / place.bucket / f"raw/{number % 5}/{number:04}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a")
    store = S3Store(place)

    assert len(set(store.keys("raw/"))) == 1_005
    store.close()


@pytest.mark.parametrize("key", ["", "/etc/passwd", "raw/../../secret"])
def test_what_is_not_a_key_of_this_project_is_refused(store: ByteStore, key: str) -> None:
    for ask in (store.size, store.open, store.delete, lambda bad: put(store, bad)):
        with pytest.raises(ValueError, match="not a key"):
            ask(key)


@pytest.mark.parametrize("wrong_by", [-1, 1, 4_000])
def test_a_stream_of_another_length_leaves_what_was_there_before(store: ByteStore, wrong_by: int) -> None:
    put(store)

    with pytest.raises(Unavailable):
        store.put(KEY, io.BytesIO(b"x" * 5_000), 5_000 + wrong_by)

    assert read(store) == DATA


def test_a_stream_of_another_length_leaves_no_readable_object(store: ByteStore) -> None:
    with pytest.raises(Unavailable):
        store.put(KEY, io.BytesIO(b"x" * 5_000), 6_000)

    with pytest.raises(StoreMissing):
        store.open(KEY)
    store.delete(KEY)
    assert store.size(KEY) is None


def test_a_reader_is_not_given_half_of_the_old_and_half_of_the_new(store: ByteStore) -> None:
    old, new = b"a" * (1 << 20), b"b" * (1 << 20)
    put(store, data=old)

    def rewrite() -> None:
        for number in range(6):
            put(store, data=old if number % 2 else new)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(rewrite)
        while not writing.done():
            assert read(store) in (old, new)
        writing.result()


def test_a_take_larger_than_any_upload_goes_both_ways(store: ByteStore) -> None:
    data = random.Random(5).randbytes(LARGE_BYTES)

    put(store, data=data)

    assert store.size(KEY) == LARGE_BYTES
    assert read(store) == data
    assert read(store, start=LARGE_BYTES - 9, length=9) == data[-9:]


def test_two_takes_at_once_do_not_mix(store: ByteStore) -> None:
    takes = {f"raw/{number:02}/take.wav": random.Random(number).randbytes(300_000) for number in range(8)}

    def both_ways(key: str) -> bytes:
        put(store, key, takes[key])
        return read(store, key)

    with ThreadPoolExecutor(4) as pool:
        assert dict(zip(takes, pool.map(both_ways, takes), strict=True)) == takes


def test_two_puts_of_one_key_leave_one_of_them_whole() -> None:
    store = S3Store(shared_s3().fresh_place())
    takes = [bytes([number]) * 500_000 for number in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda data: put(store, data=data), takes))

    assert read(store) in takes
    store.close()


def test_a_stream_closed_midway_does_not_disturb_the_next(store: ByteStore) -> None:
    put(store, data=DATA * 100)
    put(store, OTHER, b"another")

    for _ in range(5):
        stream = store.open(KEY)
        assert stream.read(10) == DATA[:10]
        stream.close()
        stream.close()
        assert stream.closed
        assert read(store, OTHER) == b"another"


def test_a_read_stream_gives_its_connection_back(behind: S3Store) -> None:
    put(behind)
    live = {thread.ident for thread in threading.enumerate()}

    for _ in range(20):
        assert read(behind) == DATA

    # One thread of the proxy serves one connection.
    assert len({thread.ident for thread in threading.enumerate()} - live) <= 1


def test_a_bucket_is_made_once_however_often_it_is_asked_for() -> None:
    store = S3Store(shared_s3().fresh_place(bucket="made-here"))

    with pytest.raises(Unavailable):
        store.check()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.ensure_bucket(), range(8)))

    store.check()
    assert list(store.keys()) == []
    store.close()


def test_a_bucket_that_is_away_is_not_an_absent_key() -> None:
    store = S3Store(shared_s3().fresh_place(bucket="never-made"))

    for ask in (store.size, store.open, store.delete, lambda key: put(store, key), lambda key: list(store.keys(key))):
        with pytest.raises(Unavailable):
            ask(KEY)
    store.close()


def test_wrong_keys_are_told_as_unavailable_and_never_as_absence() -> None:
    store = S3Store(shared_s3().fresh_place(secret_key="another secret"))

    for ask in (store.size, store.open, store.delete, lambda key: put(store, key), lambda key: list(store.keys(key))):
        with pytest.raises(Unavailable):
            ask(KEY)
    with pytest.raises(Unavailable):
        store.check()
    store.close()


def test_an_endpoint_that_cannot_be_one_is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="MINIO_ENDPOINT"):
        S3Store(S3Place(endpoint="http://store.example/path", bucket="b", access_key="a", secret_key="s"))
    with pytest.raises(Misconfigured, match="MINIO_CA_FILE"):
        S3Store(S3Place(endpoint="store:9000", bucket="b", access_key="a", secret_key="s", ca_file=Path("nothing.pem")))


def test_the_secret_key_is_not_in_what_a_place_prints() -> None:
    place = S3Place(endpoint="store:9000", bucket="b", access_key="a", secret_key="very secret")

    assert "very secret" not in repr(place)


def test_a_certificate_counts_only_under_its_own_authority() -> None:
    with private_s3(tls=True) as server:
        trusting = S3Store(server.fresh_place(**QUICK))
        put(trusting)
        assert read(trusting) == DATA
        stranger = S3Store(server.fresh_place(ca_file=None, **QUICK))
        for ask in (stranger.size, lambda key: put(stranger, key)):
            with pytest.raises(Unavailable):
                ask(KEY)
        trusting.close()
        stranger.close()


def test_a_store_that_keeps_versions_is_refused(place: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3Store(place)
    monkeypatch.setattr(store, "_keeps_versions", lambda: True)

    with pytest.raises(Misconfigured, match="MINIO_BUCKET"):
        store.ensure_bucket()
    store.close()


# -- a server that does not answer ------------------------------------------------------------------------------


def _everything(store: S3Store) -> list[Any]:
    return [
        lambda: put(store),
        lambda: store.open(KEY),
        lambda: store.size(KEY),
        lambda: store.delete(KEY),
        lambda: list(store.keys()),
        store.ensure_bucket,
        store.check,
    ]


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.ERROR, Fault.LOST])
def test_a_server_that_refuses_is_unavailable_to_every_question(
    behind: S3Store, proxy: FaultyProxy, fault: Fault
) -> None:
    put(behind)

    with proxy.fault(fault):
        for ask in _everything(behind):
            with pytest.raises(Unavailable):
                ask()

    put(behind)
    assert read(behind) == DATA


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.STALL])
def test_a_server_that_hangs_is_unavailable_within_one_patience(
    behind: S3Store, proxy: FaultyProxy, fault: Fault
) -> None:
    put(behind)

    with proxy.fault(fault):
        for ask in _everything(behind):
            began = time.monotonic()
            with pytest.raises(Unavailable):
                ask()
            assert time.monotonic() - began < QUICK["read_s"] + SLACK_S

    put(behind)
    assert read(behind) == DATA


def test_a_large_take_put_to_a_server_that_reads_nothing_is_refused_in_time(
    behind: S3Store, proxy: FaultyProxy
) -> None:
    data = bytes(LARGE_BYTES)

    with proxy.fault(Fault.DEAF):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            put(behind, data=data)
        assert time.monotonic() - began < 3 * QUICK["connect_s"] + SLACK_S


def test_the_whole_patience_is_the_one_of_the_design() -> None:
    place = S3Place(endpoint="store:9000", bucket="b", access_key="a", secret_key="s")

    assert (place.connect_s, place.read_s, place.retries) == (2.0, 10.0, 2)


def test_a_link_slower_than_the_connect_timeout_still_carries_a_large_take(proxy: FaultyProxy) -> None:
    store = S3Store(shared_s3().fresh_place(endpoint=proxy.endpoint, connect_s=0.3, read_s=5.0))
    data = random.Random(6).randbytes(12 << 20)

    with proxy.fault(Fault.SLOW, "PUT"):
        began = time.monotonic()
        put(store, data=data)
        assert time.monotonic() - began > 3 * 0.3

    assert read(store) == data
    assert proxy.methods.count("PUT") == 1
    store.close()


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE", "HEAD"])
def test_a_server_that_refuses_one_method_carries_on_with_the_others(
    behind: S3Store, proxy: FaultyProxy, method: str
) -> None:
    put(behind)
    asks = {
        "PUT": lambda: put(behind, OTHER),
        "GET": lambda: list(behind.keys()),
        "DELETE": lambda: behind.delete(KEY),
        "HEAD": lambda: behind.size(KEY),
    }

    with proxy.fault(Fault.ERROR, method):
        with pytest.raises(Unavailable):
            asks[method]()
        for other, ask in asks.items():
            if other not in (method, "DELETE"):
                ask()
        assert proxy.methods.count(method) >= 3


def test_a_refused_deletion_leaves_the_object_and_can_be_done_later(behind: S3Store, proxy: FaultyProxy) -> None:
    put(behind)

    with proxy.fault(Fault.ERROR, "DELETE"):
        with pytest.raises(Unavailable):
            behind.delete(KEY)
        assert behind.size(KEY) == len(DATA)
    behind.delete(KEY)

    assert behind.size(KEY) is None


def test_a_deletion_whose_answer_is_lost_is_unavailable_and_harmless_to_repeat(
    behind: S3Store, proxy: FaultyProxy
) -> None:
    put(behind)

    with proxy.fault(Fault.LOST, "DELETE"), pytest.raises(Unavailable):
        behind.delete(KEY)
    behind.delete(KEY)

    assert behind.size(KEY) is None


def test_one_failure_is_tried_again_and_nobody_hears_of_it(behind: S3Store, proxy: FaultyProxy) -> None:
    with ThreadPoolExecutor(1) as pool:
        proxy.set(Fault.ERROR)
        putting = pool.submit(put, behind)
        while not proxy.asked:
            time.sleep(0.001)
        proxy.clear()
        putting.result()

    assert read(behind) == DATA


def test_a_connection_that_died_while_idle_is_replaced(behind: S3Store, proxy: FaultyProxy) -> None:
    put(behind)
    with proxy.fault(Fault.REFUSE):
        pass

    assert read(behind) == DATA


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.STALL])
def test_a_body_that_breaks_off_is_unavailable_not_short(behind: S3Store, proxy: FaultyProxy, fault: Fault) -> None:
    put(behind, data=DATA * 300)

    with proxy.fault(fault, "GET"), behind.open(KEY) as stream, pytest.raises(Unavailable):
        stream.read()


def test_a_put_given_up_may_still_arrive_so_its_key_must_stay_reserved(behind: S3Store, proxy: FaultyProxy) -> None:
    with proxy.fault(Fault.LATE, "PUT"):
        with pytest.raises(Unavailable):
            put(behind)
        behind.delete(KEY)
        assert behind.size(KEY) is None

    end = time.monotonic() + 5
    while behind.size(KEY) is None and time.monotonic() < end:
        time.sleep(0.01)
    assert behind.size(KEY) == len(DATA)


def test_the_check_for_health_is_quick_and_asks_once(behind: S3Store, proxy: FaultyProxy) -> None:
    behind.check()
    assert len(proxy.asked) == 1

    with proxy.fault(Fault.HANG):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            behind.check()
        assert time.monotonic() - began < QUICK["probe_s"] + SLACK_S
    assert len(proxy.asked) == 2


def test_a_server_killed_and_restarted_still_holds_what_was_put() -> None:
    with private_s3() as server:
        store = S3Store(server.fresh_place(**QUICK))
        put(store)
        server.kill()
        with pytest.raises(Unavailable):
            store.size(KEY)
        server.start()

        assert read(store) == DATA
        store.close()
