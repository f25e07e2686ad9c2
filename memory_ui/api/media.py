"""Stored sound and pictures for whoever holds a grant."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from core.errors import NotFound
from core.services.media import Media
from memory_ui.api.answers import RangeOf, binary, ranged, refusals
from memory_ui.api.bytes import BytesResponse, RangeUnsatisfiable, parse_range
from memory_ui.web import SystemOf, in_store_thread, in_thread

router = APIRouter(prefix="/api/v1")

_WAV = {"Content-Type": "audio/wav", "Cache-Control": "no-store"}
_MAY_PLAY = {200: {"description": "It may be played now.", "content": {"audio/wav": {}}}, **refusals(404, 503)}
_WAITS = {200: {"description": "It still waits.", "content": {"audio/wav": {}}}, **refusals(404, 503)}


@router.get("/media/raw/{token}", response_class=Response, responses=ranged("audio/wav", 404, 503))
async def raw(token: str, system: SystemOf, part: RangeOf = None) -> Response:
    """The sound behind a playback grant."""
    return await serve(await in_store_thread(system.media.sound, token), part)


@router.head("/media/raw/{token}", response_class=Response, responses=_MAY_PLAY)
async def ask_raw(token: str, system: SystemOf) -> Response:
    """Whether the sound behind a playback grant may be played now; the store is not asked."""
    if not await in_thread(system.media.may_play, token):
        raise NotFound
    return Response(headers=_WAV)


@router.get("/media/spectrogram/{token}", response_class=Response, responses=binary("image/png", 404, 503))
async def spectrogram(token: str, system: SystemOf) -> Response:
    """The picture of a fossil."""
    media = await in_store_thread(system.media.picture, token)
    stream = await in_store_thread(media.open, 0, media.size_bytes)
    headers = {"Content-Type": "image/png", "Cache-Control": "no-store"}
    return BytesResponse(stream, length=media.size_bytes, closed=stream.close, headers=headers)


async def serve(media: Media, asked: str | None) -> Response:
    """A sound, or the part of it that was asked for; never cached."""
    try:
        part = parse_range(asked, media.size_bytes)
    except RangeUnsatisfiable:
        headers = {"Content-Range": f"bytes */{media.size_bytes}", "Cache-Control": "no-store"}
        return JSONResponse({"error": "This sound ends before that."}, status_code=416, headers=headers)
    start, length = part or (0, media.size_bytes)
    stream = await in_store_thread(media.open, start, length)
    headers = {"Accept-Ranges": "bytes", **_WAV}
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{media.size_bytes}"
    return BytesResponse(
        stream, length=length, closed=stream.close, status_code=206 if part is not None else 200, headers=headers
    )


@router.get("/ephemeral/play/{token}", response_class=Response, responses=binary("audio/wav", 404, 503))
async def play_once(token: str, system: SystemOf) -> Response:
    """The one hearing of a one-time take: the whole body, whatever range was asked for."""
    once = await in_store_thread(system.once.play, token)
    return BytesResponse(
        once.stream, length=once.size_bytes, closed=once.closed, headers={"Accept-Ranges": "none", **_WAV}
    )


@router.head("/ephemeral/play/{token}", response_class=Response, responses=_WAITS)
async def ask_once(token: str, system: SystemOf) -> Response:
    """Whether a one-time take still waits; consumes nothing."""
    if not await in_thread(system.once.waits, token):
        raise NotFound
    return Response(headers={"Accept-Ranges": "none", **_WAV})
