import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from memory_ui.api.bytes import RangeUnsatisfiable, parse_range
from memory_ui.middleware import allowed_hosts, host_allowed, origin_allowed, public_path

HOSTS = frozenset({"localhost", "attic.local"})


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "LOCALHOST", "attic.local:1", "127.0.0.1:80", "10.0.0.7", "[::1]:8080", "[::1]"],
)
def test_a_host_header_that_names_this_node_is_allowed(host):
    assert host_allowed(host, HOSTS)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8080",
        "attic",
        "[evil]",
        "a:b:c",
    ],
)
def test_a_host_header_of_another_name_is_refused(host):
    assert not host_allowed(host, HOSTS)


def test_an_asterisk_allows_every_host():
    assert host_allowed("evil.example", frozenset({"*"}))


def test_configured_names_are_added_to_the_nodes_own():
    names = allowed_hosts(" Memory.Example , other.example,,", "0.0.0.0")
    assert {"localhost", "memory.example", "other.example"} <= names
    assert "" not in names


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:8080", "host": "localhost:8080"},
        {"origin": "https://LOCALHOST:8080", "host": "localhost:8080"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_a_request_of_this_nodes_own_pages_or_of_no_browser_is_allowed(headers):
    assert origin_allowed(Headers(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "host": "localhost"},
        {"origin": "http://localhost:9999", "host": "localhost:8080"},
        {"origin": "null", "host": "localhost"},
        {"origin": "", "host": "localhost"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost", "host": "localhost"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "nonsense"},
    ],
)
def test_a_request_from_elsewhere_is_refused(headers):
    assert not origin_allowed(Headers(headers))


@pytest.mark.parametrize(
    "start", ["media/raw", "media/spectrogram", "pool/heard", "pool/flag", "ephemeral/play", "surface/fossils"]
)
@given(token=st.from_regex(r"[A-Za-z0-9_.\-]{4,60}", fullmatch=True))
def test_no_token_is_left_in_a_path_that_is_logged(start, token):
    assert public_path(f"/api/v1/{start}/{token}") == f"/api/v1/{start}/-"


sizes = st.integers(1, 10**9)


@given(sizes, st.data())
def test_a_range_within_the_object_is_answered_exactly(size, data):
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start, size - 1))
    assert parse_range(f"bytes={start}-{end}", size) == (start, end - start + 1)


@given(sizes, st.data())
def test_an_open_range_reaches_to_the_end(size, data):
    start = data.draw(st.integers(0, size - 1))
    assert parse_range(f"bytes={start}-", size) == (start, size - start)


@given(sizes, st.integers(1, 2 * 10**9))
def test_a_suffix_is_the_end_of_the_object_or_all_of_it(size, suffix):
    length = min(size, suffix)
    assert parse_range(f"bytes=-{suffix}", size) == (size - length, length)


@given(sizes, st.integers(0, 10**9), st.none() | st.integers(0, 10**9))
def test_a_range_beyond_the_end_is_unsatisfiable(size, beyond, more):
    end = "" if more is None else size + beyond + more
    with pytest.raises(RangeUnsatisfiable):
        parse_range(f"bytes={size + beyond}-{end}", size)


@given(sizes, st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_range_past_the_end_is_cut_there(size, start, more):
    if start < size:
        assert parse_range(f"bytes={start}-{size + more}", size) == (start, size - start)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes", "bytes=5-2", "bytes=--1"]
)
def test_what_is_no_single_range_of_bytes_is_ignored(header):
    assert parse_range(header, 100) is None


def test_an_empty_suffix_is_unsatisfiable():
    with pytest.raises(RangeUnsatisfiable):
        parse_range("bytes=-0", 100)


@given(st.none() | st.text(max_size=40), sizes)
def test_whatever_is_asked_for_lies_within_the_object(header, size):
    try:
        part = parse_range(header, size)
    except RangeUnsatisfiable:
        return
    if part is not None:
        start, length = part
        assert 0 <= start < start + length <= size


@pytest.mark.parametrize("header", [f"bytes={'9' * 5000}-", f"bytes=-{'9' * 5000}", f"bytes=0-{'9' * 5000}"])
def test_a_number_longer_than_any_file_is_no_fault(header):
    try:
        part = parse_range(header, 100)
    except RangeUnsatisfiable:
        return
    assert part in (None, (0, 100))
