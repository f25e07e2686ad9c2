"""`multipart/form-data`, read as it arrives and refused as soon as it breaks a bound.

Nothing is kept in memory but the short fields and one batch of the file. The file goes to an anonymous
temporary file (it has no name, so that nothing of a voice survives a kill), written and hashed in a thread.
Every bound counts while the body streams: a lying or missing Content-Length changes nothing.

A refused request is drained a little, and what is drained is thrown away: up to `DRAIN_BYTES` and `DRAIN_S`,
whichever comes first. Many clients read the answer only after they have sent everything, and a connection
closed over unread bytes is reset, answer and all. Someone who sends far more than that is cut off. A client
that asked first (`Expect: 100-continue`) is answered without a byte being taken.
"""

import asyncio
import hashlib
import tempfile
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from core.adapters.behind import one_behind
from core.errors import BadField, NotWav, Refused, TakeTooLarge

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

DRAIN_BYTES = 1024 * 1024
DRAIN_S = 2.0

_FILE_PART = "file"
_BATCH_BYTES = 256 * 1024
_STEP_BYTES = 64 * 1024
_MOST_BOUNDARY_BYTES = 70  # RFC 2046, 5.1.1
_MOST_HEADER_BYTES = 4096
_MOST_NAME_CHARACTERS = 64
_PLAIN_ENCODINGS = {"", "7bit", "8bit", "binary"}
_WRITER = one_behind("spool")


@dataclass(frozen=True, kw_only=True, slots=True)
class SpooledUpload:
    """The file part: `file` stands at its start and closes with the form; its name is not kept."""

    file: BinaryIO
    size_bytes: int
    sha256: str
    content_type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A whole, well-formed form: text fields by name, and the part named `file`, if there was one."""

    fields: dict[str, str]
    file: SpooledUpload | None


@asynccontextmanager
async def read_form(
    request: Request,
    *,
    spool_dir: Path,
    max_file_bytes: int,
    max_field_bytes: int = 4096,
    max_fields: int = 24,
) -> AsyncIterator[Form]:
    """Read the form of `request`; its file is closed, and so gone, however the block is left.

    Raises:
        NotWav: the request is not multipart/form-data.
        TakeTooLarge: the file, or the body as a whole, is over its bound.
        BadField: anything else that is not a clear form.
        ClientDisconnect: the client went away.
        OSError: the spool folder does not take the file.
    """
    spool = _Spool(spool_dir, max_file_bytes)
    parts = _Parts(spool, max_field_bytes=max_field_bytes, max_fields=max_fields)
    # Room for every field at its longest, and for the headers and boundaries around them.
    max_body_bytes = max_file_bytes + (max_fields + 2) * (max_field_bytes + _MOST_HEADER_BYTES)
    try:
        async with aclosing(request.stream()) as body:
            try:
                boundary = _boundary(request, max_body_bytes, max_file_bytes)
                await _receive(body, MultipartParser(boundary, parts.callbacks()), spool, max_body_bytes)
                form = await parts.form()
            except Refused:
                if "100-continue" not in request.headers.get("expect", "").lower():
                    await _drain(body)
                raise
        yield form
    finally:
        spool.close()


def _boundary(request: Request, max_body_bytes: int, max_file_bytes: int) -> bytes:
    """The boundary the headers announce, once they are ones worth reading a body for."""
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type.strip() != b"multipart/form-data":
        raise NotWav("The request must be multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= _MOST_BOUNDARY_BYTES:
        raise BadField("The form has no usable boundary.")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()):
        raise BadField("The Content-Length is not a number.")
    if len(length) > 18 or int(length) > max_body_bytes:
        raise _too_large(max_file_bytes)
    return boundary


async def _receive(
    body: AsyncGenerator[bytes, None], parser: MultipartParser, spool: "_Spool", max_body_bytes: int
) -> None:
    """Feed the parser to the end of the body, handing the file on in batches."""
    received = 0
    async for chunk in body:
        received += len(chunk)
        if received > max_body_bytes:
            raise _too_large(spool.max_bytes)
        for at in range(0, len(chunk), _STEP_BYTES):
            try:
                parser.write(chunk[at : at + _STEP_BYTES])
            except FormParserError as error:
                raise BadField("The form is damaged.") from error
            if len(spool.pending) >= _BATCH_BYTES:
                await spool.flush()


async def _drain(body: AsyncGenerator[bytes, None]) -> None:
    """Take and forget a little more, see the module's docstring."""
    drained = 0
    with anyio.move_on_after(DRAIN_S), suppress(ClientDisconnect):
        async for chunk in body:
            drained += len(chunk)
            if drained > DRAIN_BYTES:
                return


def _too_large(max_file_bytes: int) -> TakeTooLarge:
    return TakeTooLarge(f"The upload is larger than {max_file_bytes / 1024**2:g} MiB.")


class _Spool:
    """The file part on its way to disk: `add` only remembers, `flush` writes in a thread."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._folder = folder
        self.pending = bytearray()
        self._size_bytes = 0
        self._hash = hashlib.sha256()
        self._file: IO[bytes] | None = None
        self._closed = False
        # A cancelled request leaves its thread running: it must find the file closed, not open another.
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        self._size_bytes += len(data)
        if self._size_bytes > self.max_bytes:
            raise _too_large(self.max_bytes)
        self.pending += data

    async def flush(self) -> None:
        batch, self.pending = self.pending, bytearray()
        await _written(partial(self._write, batch, rewind=False))

    async def finish(self, content_type: str) -> SpooledUpload:
        batch, self.pending = self.pending, bytearray()
        await _written(partial(self._write, batch, rewind=True))
        return SpooledUpload(
            file=cast(BinaryIO, self._file),
            size_bytes=self._size_bytes,
            sha256=self._hash.hexdigest(),
            content_type=content_type,
        )

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                # On a full disk closing fails to write what no one wants any more; it closes all the same.
                with suppress(OSError):
                    self._file.close()

    def _write(self, batch: bytearray, *, rewind: bool) -> None:
        with self._lock:
            if self._closed:
                return
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by close()
            self._file.write(batch)
            self._hash.update(batch)
            if rewind:
                self._file.seek(0)


async def _written(write: Callable[[], None]) -> None:
    # One batch after the other, of whichever request: many threads at it are no faster, and hold up everybody else.
    await asyncio.get_running_loop().run_in_executor(_WRITER, write)


class _Parts:
    """What the parser calls as it goes; every part is judged by its headers before its first byte."""

    def __init__(self, spool: _Spool, *, max_field_bytes: int, max_fields: int) -> None:
        self._spool = spool
        self._max_field_bytes = max_field_bytes
        self._max_fields = max_fields
        self._fields: dict[str, str] = {}
        self._file_type: str | None = None
        self._ended = False
        self._begin()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": partial(self._header, "key"),
            "on_header_value": partial(self._header, "value"),
            "on_header_end": self._header_end,
            "on_headers_finished": self._judge,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    async def form(self) -> Form:
        """The form, once the last boundary has been seen."""
        if not self._ended:
            raise BadField("The form ends before it is complete.")
        upload = None if self._file_type is None else await self._spool.finish(self._file_type)
        return Form(fields=self._fields, file=upload)

    def _begin(self) -> None:
        self._headers: dict[str, bytes] = {}
        self._line = {"key": bytearray(), "value": bytearray()}
        self._header_bytes = 0
        self._name = ""
        self._is_file = False
        self._value = bytearray()

    def _header(self, side: str, data: bytes, start: int, end: int) -> None:
        self._header_bytes += end - start
        if self._header_bytes > _MOST_HEADER_BYTES:
            raise BadField("A part of the form has too long a header.")
        self._line[side] += data[start:end]

    def _header_end(self) -> None:
        key = self._line["key"].decode("latin-1").strip().lower()
        if key in self._headers:
            raise BadField("A part of the form has the same header twice.")
        self._headers[key] = bytes(self._line["value"])
        self._line = {"key": bytearray(), "value": bytearray()}

    def _judge(self) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition"))
        self._name = _text(options.get(b"name", b""), "The name of a part")
        if kind.strip() != b"form-data" or not 0 < len(self._name) <= _MOST_NAME_CHARACTERS:
            raise BadField("A part of the form has no usable name.")
        encoding = self._headers.get("content-transfer-encoding", b"").decode("latin-1").strip().lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise BadField("A part of the form is encoded: send it as it is.")
        self._is_file = b"filename" in options
        if self._is_file != (self._name == _FILE_PART):
            raise BadField(f'The part named "{_FILE_PART}", and only that, must be a file.')
        if self._name in self._fields or (self._is_file and self._file_type is not None):
            raise BadField("A part of the form is given twice.")
        if self._is_file:
            self._file_type = self._headers.get("content-type", b"").decode("latin-1").strip()
        elif len(self._fields) >= self._max_fields:
            raise BadField("The form has too many fields.")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._spool.add(data[start:end])
            return
        if len(self._value) + end - start > self._max_field_bytes:
            raise BadField("A field of the form is too long.")
        self._value += data[start:end]

    def _end(self) -> None:
        if not self._is_file:
            self._fields[self._name] = _text(bytes(self._value), "A field of the form")

    def _finish(self) -> None:
        self._ended = True


def _text(raw: bytes, what: str) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadField(f"{what} is not valid UTF-8.") from error
    if "\0" in text:
        raise BadField(f"{what} holds a zero byte.")
    return text
