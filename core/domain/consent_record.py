"""A consent record in the shape of ISO/IEC TS 27560: what was consented to, by which words, and what became of it.

Plain JSON out of plain values. There is no code in it, no hash of one, no station and no id the node stores things by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.domain.consent import Manifest, Mode
from core.domain.notices import Shown
from core.domain.receipt import Receipt, Stand, Standing

SCHEMA_VERSION = "memory-engine/1"
PRINCIPAL = "principal"
CONTROLLER = "controller"

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Controller:
    """Who keeps the promise."""

    name: str
    location: str
    contact: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What a record says beside the promise itself.

    `record_id` names this record and nothing else; `words` are the phrases of the record in the reader's language;
    `husk_days` for how long a trace of the promise, without voice or words, is kept as evidence after its end.
    """

    record_id: str
    controller: Controller
    shown: Shown | None
    words: Mapping[str, str]
    withdrawal_url: str
    husk_days: float


def consent_record(receipt: Receipt, now: Standing, frame: Frame) -> Json:
    """The record of one promise as it stands."""
    given = receipt.given
    return {
        "header": {
            "schema_version": SCHEMA_VERSION,
            "record_id": frame.record_id,
            "pii_principal_id": f"{PRINCIPAL}-{frame.record_id[:16]}",
        },
        "pii_processing": {
            "privacy_notice": {
                "version": given.notice_version,
                "language": given.notice_language,
                "choice": frame.shown.name if frame.shown is not None else None,
                "text": frame.shown.promise if frame.shown is not None else None,
            },
            "language": given.notice_language,
            "purposes": _purposes(receipt, now, frame),
        },
        "party_identification": [
            {
                "party_id": CONTROLLER,
                "party_role": frame.words["role"],
                "party_name": frame.controller.name,
                "party_address": frame.controller.location,
                "party_contact": frame.controller.contact,
                "party_type": frame.words["type"],
            }
        ],
        "events": _events(receipt, now),
        "state": {
            "mode": given.mode.value,
            "mode_now": receipt.manifest.mode.value,
            "standing": now.stand.value,
            "heard": now.heard,
            "duration_ms": now.duration_ms,
            "deleted": list(now.deleted),
            "deletion_retried": now.retrying,
            "copies_gone_by": _at(now.copies_until),
        },
    }


def _purposes(receipt: Receipt, now: Standing, frame: Frame) -> list[Json]:
    given, words = receipt.given, frame.words
    ended_at = _at(now.ended_at)
    since = given.given_at.isoformat()

    def period(until: datetime | None, ended: str | None, **more: Any) -> Json:
        return {"since": since, "until": _at(until), "ended_at": ended, **more}

    raw_over = ended_at or (given.raw_until.isoformat() if "raw" in now.deleted else None)
    found = [_purpose("room", ("voice", "line", "measures", "station"), period(given.raw_until, raw_over), frame)]
    if given.mode is Mode.FOSSIL:
        fossil = period(given.derivative_until, _at(receipt.narrowed_at) or ended_at)
        found.append(_purpose("fossil", ("murmur", "picture"), fossil, frame))
    if now.copies_until is not None:
        found.append(_purpose("backup", ("copy",), period(now.copies_until, None), frame))
    evidence = {"since": since, "until": None, "ended_at": None, "days_after_end": frame.husk_days}
    return [*found, {**_purpose("evidence", ("husk",), evidence, frame), "withdrawal_method": words["evidence_stays"]}]


def _purpose(kind: str, pii: tuple[str, ...], retention: Json, frame: Frame) -> Json:
    words = frame.words
    place = frame.controller.location or words["place"]
    return {
        "purpose": words[f"purpose_{kind}"],
        "purpose_type": kind,
        "lawful_basis": words["basis"],
        "pii_information": [{"pii_type": words[f"pii_{name}"]} for name in pii],
        "pii_controllers": [CONTROLLER],
        "collection_method": words["collection"],
        "processing_method": words[f"method_{kind}"],
        "storage_locations": [place],
        "retention_period": retention,
        "processing_locations": [place],
        "jurisdiction": words["jurisdiction"],
        "recipient_third_parties": [],
        "withdrawal_method": words["withdrawal"].format(address=frame.withdrawal_url),
        "privacy_rights": [
            words["right_access"],
            words["right_withdraw"],
            *([words["right_narrow"]] if kind == "fossil" else []),
        ],
    }


def _events(receipt: Receipt, now: Standing) -> list[Json]:
    given, manifest = receipt.given, receipt.manifest
    found = [_event(given.given_at, "given", PRINCIPAL, _valid(given, given.given_at))]
    if receipt.narrowed_at is not None:
        found.append(_event(receipt.narrowed_at, "narrowed", PRINCIPAL, _valid(manifest, receipt.narrowed_at)))
    if receipt.withdrawn_at is not None:
        found.append(_event(receipt.withdrawn_at, "withdrawn", PRINCIPAL, None))
    elif now.stand is Stand.NARROWED and now.ended_at is not None:
        found.append(_event(now.ended_at, "withdrawn", PRINCIPAL, None))
    if now.stand in (Stand.EXPIRED, Stand.REMOVED) and now.ended_at is not None:
        state = "expired" if now.stand is Stand.EXPIRED else "terminated"
        found.append(_event(now.ended_at, state, CONTROLLER, None))
    if now.verified_gone_at is not None:
        found.append(_event(now.verified_gone_at, "absence_verified", CONTROLLER, None, kind="deletion"))
    return sorted(found, key=lambda event: str(event["event_time"]))


def _event(at: datetime, state: str, entity: str, valid: str | None, *, kind: str = "explicit") -> Json:
    return {
        "event_time": at.isoformat(),
        "event_type": kind,
        "event_state": state,
        "validity_duration": valid,
        "entity_id": entity,
    }


def _valid(manifest: Manifest, since: datetime) -> str:
    """How long a promise holds from a moment on, as an ISO 8601 duration."""
    return f"PT{max(0, round((manifest.playable_until - since) / timedelta(seconds=1)))}S"


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
