"""Objects in a bucket of any S3 server, through the MinIO client.

A put is one request whatever its size: an object is there whole or not at all, and a killed upload leaves no parts
behind under a name nobody knows. For the same reason the bucket must not keep versions.
"""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self, cast
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from core.errors import DiskReserve, Misconfigured, StoreMissing, Unavailable

CONNECTIONS = 32
SEND_BYTES = 1 << 16
SMALLEST_PART_BYTES = 5 << 20
BACKOFF = 0.2
TRIED_AGAIN = (500, 502, 503, 504)
FULL = frozenset({"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage", "QuotaExceeded"})
MADE_BY_ANOTHER = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
WITHOUT_VERSIONS = frozenset({"NotImplemented", "MethodNotAllowed"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Place:
    """Where the bucket is and how long to wait for it; `endpoint` is `host` or `host:port`.

    `connect_s` also bounds the sending of every 64 KiB. A request that is refused, cut or answered with a server
    error is tried again `retries` times; one that is not answered within `read_s` is not: whoever waits for it has
    waited enough. `probe_s` is the patience of `S3Store.check`.
    """

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    secure: bool = True
    region: str = "us-east-1"
    ca_file: Path | None = None
    connect_s: float = 2.0
    read_s: float = 10.0
    retries: int = 2
    probe_s: float = 2.0


class S3Store:
    """See `core.ports.outside.ByteStore`. Keys are those of the file store; one instance serves every thread."""

    def __init__(self, place: S3Place) -> None:
        self._bucket = place.bucket
        patience = urllib3.Timeout(connect=place.connect_s, read=place.read_s)
        self._transport = _Transport(place.ca_file, patience, retries=place.retries)
        probing = urllib3.Timeout(connect=min(place.connect_s, place.probe_s), read=place.probe_s)
        self._probing = _Transport(place.ca_file, probing, retries=0)
        try:
            self._client = _client(place, self._transport)
            self._probe = _client(place, self._probing)
        except ValueError as error:
            raise Misconfigured([f"MINIO_ENDPOINT: {error}"]) from error

    def ensure_bucket(self) -> None:
        """Make the bucket where it is missing.

        Raises `Misconfigured` for a bucket that keeps versions, for there a deletion only hides, and `Unavailable`.
        """
        with _answers("ensure_bucket"):
            if not self._client.bucket_exists(self._bucket):
                try:
                    self._client.make_bucket(self._bucket)
                except S3Error as error:
                    if error.code not in MADE_BY_ANOTHER:
                        raise
            keeps_versions = self._keeps_versions()
        if keeps_versions:
            raise Misconfigured([f"MINIO_BUCKET: {self._bucket} keeps versions; a deleted voice would stay in it"])

    def check(self) -> None:
        """Ask for the bucket once, with little patience. Raises `Unavailable`."""
        with _answers("check"):
            if not self._probe.bucket_exists(self._bucket):
                raise Unavailable("The store of this room has lost its bucket.")

    def put(self, key: str, stream: BinaryIO, size_bytes: int) -> None:
        """Store in one request; what was there before stays until all of it has arrived."""
        _checked(key)
        with _answers("put"):
            data = _whole(stream, size_bytes)
            self._client.put_object(
                self._bucket, key, io.BytesIO(data), size_bytes, part_size=max(size_bytes, SMALLEST_PART_BYTES)
            )

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """A stream from the server; closing it, read to its end or not, gives its connection back."""
        size_bytes = self.size(key)
        if size_bytes is None:
            raise StoreMissing("There is nothing here any more.")
        left = size_bytes - start if length is None else min(length, size_bytes - start)
        if left <= 0:
            return io.BytesIO()
        with _answers("open"):
            return cast("BinaryIO", _Body(self._client.get_object(self._bucket, key, offset=start, length=left)))

    def size(self, key: str) -> int | None:
        """Size in bytes, None where the bucket is there and the key is not in it."""
        _checked(key)
        with _answers("size"):
            try:
                return self._client.stat_object(self._bucket, key).size
            except S3Error as error:
                if error.code != "NoSuchKey":
                    raise
            # This question is answered without a body: a bucket that is away looks like a missing key.
            if not self._client.bucket_exists(self._bucket):
                raise Unavailable("The store of this room has lost its bucket.")
        return None

    def delete(self, key: str) -> None:
        """Remove; S3 does not mind an absent key."""
        _checked(key)
        with _answers("delete"):
            try:
                self._client.remove_object(self._bucket, key)
            except S3Error as error:
                if error.code != "NoSuchKey":
                    raise

    def keys(self, prefix: str = "", *, whole: bool = False) -> Iterator[str]:
        """Every key below a prefix, in the order of the server, a thousand a request; all of them are whole."""
        with _answers("keys"):
            for found in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                if found.object_name and not found.is_dir:
                    yield found.object_name

    def close(self) -> None:
        """Close every idle connection."""
        self._transport.clear()
        self._probing.clear()

    def _keeps_versions(self) -> bool:
        try:
            # A bucket that kept versions once may still hold old ones.
            return self._client.get_bucket_versioning(self._bucket).status in ("Enabled", "Suspended")
        except S3Error as error:
            if error.code in WITHOUT_VERSIONS:
                return False
            raise


class _Transport(urllib3.PoolManager):
    """HTTP as the store needs it: path and signature untouched, bodies sent in small steps."""

    def __init__(self, ca_file: Path | None, timeout: urllib3.Timeout, *, retries: int) -> None:
        if ca_file is not None and not ca_file.is_file():
            raise Misconfigured([f"MINIO_CA_FILE: there is no file {ca_file}"])
        super().__init__(
            timeout=timeout,
            # A `Retry-After` of the server is not obeyed: it could hold a request for minutes.
            retries=_Retry(
                total=retries,
                redirect=False,
                backoff_factor=BACKOFF,
                status_forcelist=TRIED_AGAIN,
                raise_on_status=False,
                respect_retry_after_header=False,
            ),
            maxsize=CONNECTIONS,
            blocksize=SEND_BYTES,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(ca_file) if ca_file is not None else None,
        )

    def urlopen(self, method: str, url: str, redirect: bool = False, **kw: Any) -> BaseHTTPResponse:  # type: ignore[override]
        """One request, never redirected."""
        if kw.get("body"):
            # Bytes would go out in one call under one timeout, and a slow link could never send a long take.
            kw["body"] = io.BytesIO(kw["body"])
        response = super().urlopen(method, url, redirect=False, **kw)
        if response.headers.get("content-type", "").startswith("text/xml"):
            # Some servers name their errors so, and the client would not read them.
            response.headers["content-type"] = "application/xml"
        return response


class _Retry(urllib3.Retry):
    def increment(self, *args: Any, **kw: Any) -> Self:
        error = kw.get("error")
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(*args, **kw)


class _Body(io.RawIOBase):
    """The body of an answer; failures on the way are `Unavailable` like any other."""

    def __init__(self, response: BaseHTTPResponse) -> None:
        self._response = response

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        with _answers("read"):
            return self._response.read(None if size is None or size < 0 else size)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            # Closed before it is given back: an answer half read must not be met by the next request.
            self._response.close()
            self._response.release_conn()
        super().close()


def _client(place: S3Place, transport: _Transport) -> Minio:
    client = Minio(
        place.endpoint,
        access_key=place.access_key,
        secret_key=place.secret_key,
        secure=place.secure,
        region=place.region,
        http_client=transport,
    )
    cast("Any", client).disable_virtual_style_endpoint()
    return client


def _checked(key: str) -> None:
    if not key or key.startswith("/") or ".." in Path(key).parts:
        raise ValueError(f"not a key of this store: {key!r}")


def _whole(stream: BinaryIO, size_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = size_bytes + 1
    while left > 0 and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    if left != 1:
        raise Unavailable("The take did not arrive whole in the store. Please try again.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


@contextmanager
def _answers(operation: str) -> Iterator[None]:
    # ValueError too: the client lets unreadable answers (bytes, numbers, an unexpected 409) through as such.
    try:
        yield
    except (MinioException, HTTPError, OSError, ParseError, ValueError) as error:
        code = error.code if isinstance(error, S3Error) else None
        if code == "NoSuchKey":
            raise StoreMissing("There is nothing here any more.") from error
        log.warning("store.unavailable", extra={"operation": operation, "reason": code or type(error).__name__})
        if code in FULL:
            raise DiskReserve("This node has no room for another take right now.") from error
        raise Unavailable("The store of this room does not answer right now. Please try again.") from error
