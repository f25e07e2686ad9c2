"""`memory-engine status`: a dozen lines on how a node stands, running or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.domain.custody import Report
from core.services.health import ROLES, components
from core.services.snapshot import Kept
from memory_ui.appliance.patient import NEVER, Patient

UNKNOWN = "not known: the database could not be asked"
NO_FOLDER = "not known: there is no data folder to look into"
NOT_RUNNING = "not running"
WITHIN = ("queue", "worker", "scheduler")
"""What lives in the one process of an embedded node."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a node stands, as plain values. What the database knows is None where it could not be asked."""

    name: str
    version: str
    engine: str
    address: str
    found: bool
    running: bool
    running_version: str
    components: Mapping[str, str]
    heartbeats: Mapping[str, str]
    playable: int | None
    held: int | None
    next_expiry: str | None
    warnings: tuple[Mapping[str, str], ...]
    last: Mapping[str, str]
    ledger_entries: int | None
    closed: str | None
    free_gb: float | None
    total_gb: float | None


def standing_of(patient: Patient) -> Standing:
    """Read off the same look the doctor takes."""
    settings, kept, snapshot = patient.settings, patient.kept, patient.snapshot
    facts = snapshot.facts if snapshot is not None else None
    seen: dict[str, datetime] = {}
    for process in (facts.processes or ()) if facts is not None else ():
        seen[process.role] = max(process.seen_at, seen.get(process.role, process.seen_at))
    retention = kept.counted.retention if kept is not None else None
    ends = [retention.next_raw_expiry_at, retention.next_fossil_expiry_at] if retention is not None else []
    return Standing(
        name=settings.NODE_NAME,
        version=patient.version,
        engine="stack" if settings.DATABASE_URL else "embedded",
        address=settings.PUBLIC_URL or patient.answers.url,
        found=patient.onlooker is not None,
        running=bool(patient.answers.live),
        running_version=patient.answers.version,
        components=_components(patient),
        heartbeats={role: seen[role].isoformat() for role in ROLES if role in seen},
        playable=kept.counted.playable if kept is not None else None,
        held=kept.counted.active if kept is not None else None,
        next_expiry=_earliest(ends),
        warnings=tuple(_warnings(patient)),
        last=_last(kept),
        ledger_entries=patient.onlooker.ledger.length if patient.onlooker is not None else None,
        closed=kept.state.closed.value if kept is not None else None,
        free_gb=_gb(facts.free_bytes) if facts is not None else None,
        total_gb=_gb(facts.total_bytes) if facts is not None else None,
    )


def _components(patient: Patient) -> Mapping[str, str]:
    if patient.answers.components:
        return patient.answers.components
    if patient.onlooker is None or patient.snapshot is None:
        return {}
    found = components(patient.snapshot.facts, patient.onlooker.figures.warnings)
    return found if patient.settings.DATABASE_URL else {**found, **dict.fromkeys(WITHIN, NOT_RUNNING)}


def _warnings(patient: Patient) -> list[Mapping[str, str]]:
    said = [(warning, patient.in_words(warning)) for warning in patient.standing]
    return [{"name": one.name.value, "level": one.level.value, "title": words.title} for one, words in said]


def _last(kept: Kept | None) -> Mapping[str, str]:
    if kept is None:
        return {}
    care = kept.care
    found: dict[str, Report | None] = {"audit": care.audited, "verified backup": care.verified}
    last = {kind.value: report for kind, report in care.last.items()}
    found["backup"] = last.get("backup")
    return {name: _of(report) for name, report in found.items()}


def _of(report: Report | None) -> str:
    if report is None or report.ended_at is None:
        return NEVER
    return f"{report.ended_at.isoformat(timespec='minutes')} {report.state.value}"


def _earliest(ends: list[datetime | None]) -> str | None:
    first = min((at for at in ends if at is not None), default=None)
    return first.isoformat(timespec="minutes") if first is not None else None


def _gb(size: int | None) -> float | None:
    return round(size / 1e9, 1) if size is not None else None


def lines(standing: Standing) -> list[str]:
    """For people."""
    running = f"running, version {standing.running_version or 'unknown'}" if standing.running else NOT_RUNNING
    unknown = UNKNOWN if standing.found else NO_FOLDER
    known = standing.held is not None
    said: dict[str, Any] = {
        "node": standing.name,
        "version": f"{standing.version}, {standing.engine} engine; {running}",
        "address": standing.address,
        "components": _pairs(standing.components) or unknown,
        "heard of": _pairs(standing.heartbeats) or (NEVER if known else unknown),
        "takes": f"{standing.playable} playable of {standing.held} held" if known else unknown,
        "next end": standing.next_expiry or ("nothing ends" if known else unknown),
        "state": f"closed: {standing.closed}" if standing.closed else "open" if known else unknown,
        "last": _pairs(standing.last) or unknown,
        "ledger": f"{standing.ledger_entries} entries" if standing.ledger_entries is not None else unknown,
        "disk": f"{standing.free_gb} of {standing.total_gb} GB free" if standing.free_gb is not None else unknown,
        "warnings": str(len(standing.warnings)) if standing.warnings else "none" if known else unknown,
    }
    told = [f"  {one['level']:8}  {one['title']}" for one in standing.warnings]
    return [f"{name:11} {value}" for name, value in said.items()] + told


def _pairs(table: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in table.items())
