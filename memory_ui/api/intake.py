"""Taking voices in."""

import errno
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from core.bootstrap import System, spool_dir
from core.domain.artifact import Artifact
from core.domain.consent import Mode
from core.errors import BadField, Conflict, DiskReserve, MemoryEngineError, NotFound
from core.services.intake import STATUS_SIGNS, TOPIC_SIGNS, Kept, Offering
from core.services.reserve import FULL
from memory_ui.addresses import REVOKE_PATH, receipt_url, square
from memory_ui.api import shapes
from memory_ui.api.answers import Done, Responses, answers, parameter, refusals
from memory_ui.api.multipart import Form, read_form
from memory_ui.api.published import KeptAnswer, OnceAnswer
from memory_ui.copy import ENGLISH, load_copy
from memory_ui.metrics import INTAKE
from memory_ui.receipts import day, day_and_time
from memory_ui.web import Asker, AskerOf, SystemOf, in_store_thread, in_thread

router = APIRouter(prefix="/api/v1")

CLIENT_KEY_SIGNS = 200

_WORDS = {
    "duration_ms": "Advice; the node measures.",
    "effect_profile": "A memory colour; nothing for none.",
    "topic_tag": f"At most {TOPIC_SIGNS} characters.",
    "topic": "Another name of `topic_tag`.",
    "category": "Another name of `topic_tag`.",
    "lifecycle_status": f"At most {STATUS_SIGNS} characters.",
    "status": "Another name of `lifecycle_status`.",
    "language": "The language the participant was shown; the receipt is in it.",
    "notice_version": "The version of the notice the participant was shown.",
    "unattended": "1 where the participant has left before the answer: the take waits for a steward.",
}


def _form(more: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What an upload is, which the route reads as it arrives."""
    words = {name: {"type": "string", "description": what} for name, what in _WORDS.items()}
    take = {"type": "string", "format": "binary", "description": "WAV, PCM, 16 bit, one channel; sent as a file."}
    form = {"type": "object", "required": ["file", *more], "properties": {"file": take, **more, **words}}
    key = "Remembered for 24 hours: the same key with the same take is answered the same and stores nothing twice."
    return {
        "parameters": [parameter("Idempotency-Key", "header", key, most=CLIENT_KEY_SIGNS)],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
    }


def _stores(model: Any) -> Responses:
    return {**answers(model, "It is stored.", status=201), **refusals(400, 409, 410, 413, 415, 423, 429, 503, 507)}


@router.post(
    "/artifacts/audio",
    status_code=201,
    responses=_stores(KeptAnswer),
    openapi_extra=_form({"consent_mode": {"type": "string", "enum": ["ROOM", "FOSSIL"]}}),
)
async def keep_audio(request: Request, system: SystemOf, asker: AskerOf) -> JSONResponse:
    """Store a ROOM or FOSSIL take."""

    def describe(artifact: Artifact, secret: str, *, language: str) -> dict[str, Any]:
        return {
            "artifact": shapes.artifact(artifact, system.colours),
            "revocation_token": secret,
            "revocation_url": REVOKE_PATH,
            "receipt": _receipt(system, artifact, receipt_url(system, request, secret, language), language),
        }

    return await _take(request, system, asker, describe, mode=None)


@router.post("/ephemeral/audio", status_code=201, responses=_stores(OnceAnswer), openapi_extra=_form({}))
async def once_audio(request: Request, system: SystemOf, asker: AskerOf) -> JSONResponse:
    """Store a take for its one hearing."""

    def describe(artifact: Artifact, secret: str, *, language: str) -> dict[str, Any]:
        del language  # what is heard once leaves no receipt
        return {
            "artifact_id": artifact.id,
            "play_url": f"/api/v1/ephemeral/play/{system.once.play_token(artifact.id, secret)}",
            "consume_token": secret,
        }

    return await _take(request, system, asker, describe, mode=Mode.NOSAVE)


@router.post("/ephemeral/consume", responses=refusals(400, 403, 404, 413, 503))
async def consume(body: shapes.ConsumeBody, system: SystemOf) -> Done:
    """Dispose of an unplayed one-time take."""
    await in_thread(system.once.dispose, body.artifact_id, body.consume_token)
    return Done()


async def _take(request: Request, system: SystemOf, asker: Asker, describe: Any, *, mode: Mode | None) -> JSONResponse:
    label = "once" if mode is Mode.NOSAVE else "kept"
    try:
        answer = await _keep(request, system, asker, describe, mode=mode)
    except MemoryEngineError as error:
        INTAKE.labels(label, type(error).__name__).inc()
        raise
    INTAKE.labels(label, "stored").inc()
    return answer


async def _keep(request: Request, system: SystemOf, asker: Asker, describe: Any, *, mode: Mode | None) -> JSONResponse:
    client_key = request.headers.get("Idempotency-Key", "")
    if len(client_key) > CLIENT_KEY_SIGNS:
        raise BadField(f"Idempotency-Key has more than {CLIENT_KEY_SIGNS} characters.")
    known = await in_thread(system.intake.knows, client_key)
    if not known:
        # Asked before a single byte of the body is read: a paused or full node need not take 32 MiB to say so.
        await in_thread(system.intake.ready)
        await in_thread(system.budgets.check, "ingest", client=asker.station, address=asker.address)
    settings = system.settings
    most_bytes = int(settings.UPLOAD_MAX_MIB * (1 << 20))
    try:
        # Whoever was answered before is answered again, however full the disk is by now.
        with nullcontext() if known else system.reserve.coming(_length(request, most_bytes)):
            kept = await _received(request, system, asker, describe, mode, client_key, most_bytes)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskReserve(FULL) from error
        raise
    return JSONResponse(kept.answer, status_code=201, headers={"Cache-Control": "no-store"})


async def _received(
    request: Request, system: System, asker: Asker, describe: Any, mode: Mode | None, client_key: str, most_bytes: int
) -> Kept:
    async with read_form(request, spool_dir=spool_dir(system.outside.data_dir), max_file_bytes=most_bytes) as form:
        offering = _offering(form, mode, client_key, asker.named)
        spend = partial(system.budgets.spend, "ingest", client=asker.station, address=asker.address)
        answer = partial(describe, language=offering.language or ENGLISH)
        kept = await in_store_thread(system.intake.keep, offering, answer, admit=spend)
        if offering.unattended and offering.mode is not Mode.NOSAVE:
            # It may have arrived the first time, when somebody was still there to take the code.
            with suppress(Conflict, NotFound):
                await in_thread(system.review.hold, kept.artifact.id, actor="kiosk")
        return kept


def _length(request: Request, most_bytes: int) -> int:
    """What an upload will take at most: what it says of itself, or what would be accepted."""
    said = request.headers.get("Content-Length", "")
    return min(int(said), most_bytes) if said.isascii() and said.isdigit() else most_bytes


def _offering(form: Form, mode: Mode | None, client_key: str, station: str) -> Offering:
    fields = form.fields
    if form.file is None:
        raise BadField("The form has no part named file.")
    return Offering(
        stream=form.file.file,
        size_bytes=form.file.size_bytes,
        sha256=form.file.sha256,
        mode=mode or _mode(fields.get("consent_mode", "")),
        effect=fields.get("effect_profile", "").strip(),
        topic=_first(fields, "topic_tag", "topic", "category"),
        status=_first(fields, "lifecycle_status", "status"),
        language=fields.get("language", "").strip(),
        notice_version=fields.get("notice_version", "").strip(),
        client_key=client_key,
        station=station,
        unattended=_flag(fields, "unattended"),
    )


def _receipt(system: System, artifact: Artifact, url: str, language: str) -> dict[str, Any]:
    """What a kiosk prints: asking for it by the code would spend a budget that is there against guessing."""
    last = max(moment for moment in (artifact.raw_until, artifact.derivative_until) if moment is not None)
    copies_gone_by = last + timedelta(days=system.settings.BACKUP_DAYS)
    copy, zone = load_copy(language), system.room.tables.choices.zone
    return {
        "url": url,
        "qr": square(url),
        "room_until": shapes.at(artifact.raw_until),
        "fossil_until": shapes.at(artifact.derivative_until),
        "copies_gone_by": shapes.at(copies_gone_by),
        "words": {
            "room_until": day_and_time(artifact.raw_until, copy, zone, weekday=True) if artifact.raw_until else "",
            "fossil_until": day(artifact.derivative_until, copy, zone) if artifact.derivative_until else "",
            "copies_gone_by": day(copies_gone_by, copy, zone),
        },
    }


def _flag(fields: dict[str, str], name: str) -> bool:
    value = fields.get(name, "").strip()
    if value not in ("", "0", "1"):
        raise BadField(f"{name} must be 0 or 1.")
    return value == "1"


def _mode(text: str) -> Mode:
    try:
        mode = Mode(text.strip().upper())
    except ValueError:
        mode = Mode.NOSAVE
    if mode is Mode.NOSAVE:
        raise BadField("consent_mode must be ROOM or FOSSIL.")
    return mode


def _first(fields: dict[str, str], *names: str) -> str:
    return next((" ".join(fields[name].split()) for name in names if fields.get(name, "").strip()), "")
