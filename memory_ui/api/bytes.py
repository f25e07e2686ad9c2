"""Sending stored bytes: over threads, with or without a range, and with something to do at the very end."""

import re
from collections.abc import Callable
from typing import BinaryIO

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from memory_ui.web import in_store_thread

CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class RangeUnsatisfiable(Exception):
    """The asked range lies outside the object."""


def parse_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """(start, length) of a single byte range (RFC 9110, 14.1.2); None to send everything.

    Several ranges or another unit are ignored, as the RFC allows; a range beyond the end raises.
    """
    match = _RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        length = min(int(last), size_bytes)
        if length == 0:
            raise RangeUnsatisfiable
        return size_bytes - length, length
    start = int(first)
    end = min(int(last), size_bytes - 1) if last else size_bytes - 1
    if last and int(last) < start:
        return None
    if start >= size_bytes:
        raise RangeUnsatisfiable
    return start, end - start + 1


class BytesResponse(Response):
    """Streams `length` bytes of an open stream; `closed` runs in a thread however the answer ends."""

    def __init__(
        self,
        stream: BinaryIO,
        *,
        length: int,
        closed: Callable[[], None],
        status_code: int = 200,
        headers: dict[str, str],
    ) -> None:
        super().__init__(status_code=status_code, headers={**headers, "Content-Length": str(length)})
        self._stream = stream
        self._length = length
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, then close, also when the client has gone."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            left = self._length
            while left > 0:
                chunk = await in_store_thread(self._stream.read, min(CHUNK_BYTES, left))
                if not chunk:
                    break
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            with anyio.CancelScope(shield=True):
                await in_store_thread(self._closed)
