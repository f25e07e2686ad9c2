"""What every steward's page of this process shows: worked out once for all of them, and only while one is open.

Nothing here is asked for by a browser: a signal, or a moment's passing, makes the board look again, and what differs is
pushed. Whatever pages may be open on other machines, they hear of the same signals.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from nicegui import background_tasks

from core.adapters.copy import load_copy
from core.adapters.warnings_text import in_words
from core.bootstrap import System
from core.domain.custody import Report
from core.domain.sensor import ASKS, Subject
from core.domain.work import Signal
from core.errors import MemoryEngineError
from core.ports.work import JobFailure, QueueDepth, TombstoneCounts, TrailQuery
from core.services.devices import SeenDevice
from core.services.status import Status
from core.services.watch import Raised
from memory_ui.api import controls, node, shapes
from memory_ui.api.health import queue_depth
from memory_ui.captions import caption
from memory_ui.devices import called
from memory_ui.live import Live
from memory_ui.next_step import Seen, Spoken, next_step, state_of
from memory_ui.web import in_store_thread

log = logging.getLogger(__name__)

Hook = Callable[[dict[str, Any]], None]

LOOK_S = 3.0
TOGETHER_S = 0.05
"""Signals that come close together are answered by one look."""

PUSH_S = 20.0
RECENT_ACTIONS = 8
FAILURES_H = 24
_CHANGES = (Signal.STEWARD, Signal.POOL, Signal.REVIEW, Signal.SESSIONS, Signal.DEVICES, Signal.WARNINGS, Signal.CARE)


class Board:
    """One a process. `attach` and what it calls happen in the event loop."""

    def __init__(self, system: System, live: Live) -> None:
        self._system = system
        self._live = live
        self._hooks: list[Hook] = []
        self._dirty = asyncio.Event()
        self._off: list[Callable[[], None]] = []
        self._looking: asyncio.Task[None] | None = None
        self._pool_changes = 0

    def attach(self, hook: Hook) -> Callable[[], None]:
        """Push every changed view to `hook` until the returned function is called."""
        self._hooks.append(hook)
        if self._looking is None:
            self._off = [self._live.on(signal, self._signalled(signal)) for signal in _CHANGES]
            self._looking = background_tasks.create(self._look(), name="board")

        def off() -> None:
            with suppress(ValueError):
                self._hooks.remove(hook)
            if not self._hooks:
                self._rest()

        return off

    async def view(self) -> dict[str, Any]:
        """The view now, for a page that is just being built."""
        queue = await queue_depth(self._system)
        return await in_store_thread(self._read, queue)

    def _rest(self) -> None:
        for off in self._off:
            off()
        self._off = []
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _signalled(self, signal: Signal) -> Callable[[dict[str, Any]], Any]:
        async def changed(_detail: dict[str, Any]) -> None:
            if signal in (Signal.POOL, Signal.REVIEW):
                self._pool_changes += 1
            self._dirty.set()

        return changed

    async def _look(self) -> None:
        shown: dict[str, Any] = {}
        pushed_at = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            self._dirty.clear()
            try:
                view = await self.view()
            except MemoryEngineError as error:
                view = _unreachable(shown, error, self._system)
            except Exception:
                log.exception("board.failed")
                view = {}
            if view and (_told(view) != _told(shown) or clock() - pushed_at > PUSH_S):
                shown, pushed_at = view, clock()
                for hook in list(self._hooks):
                    hook(view)
            await asyncio.sleep(TOGETHER_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._dirty.wait(), LOOK_S)

    def _read(self, queue: QueueDepth | None) -> dict[str, Any]:
        system = self._system
        status = system.status.status(queue)
        now = status.now
        seen = system.devices.all()
        recent = [controls.action(entry) for entry in system.stewardship.trail(TrailQuery(limit=RECENT_ACTIONS))]
        warnings = [_spoken(one) for one in status.warnings]
        deletions = system.retention.waiting()
        return {
            "now_ms": _ms(now),
            "state": state_of(warnings),
            "next": _next(status, warnings, seen),
            "warnings": [
                {**asdict(warning), "since_ms": _ms(raised.since)}
                for warning, raised in zip(warnings, status.warnings, strict=True)
            ],
            "components": status.components,
            "clock": _clock(system),
            "closed": status.state.closed.value,
            "door": system.intake.door(status.state).value,
            "controls": shapes.steward_state(status.state),
            "sensor": _sensor(status),
            "counts": _counts(status, queue, deletions, system),
            "recent": recent,
            "devices": [_device(one) for one in seen],
            "sounding": _sounding(seen, now, system),
            "queue": asdict(queue) if queue is not None else None,
            "heartbeats": [
                {"role": one.role, "seen_at_ms": _ms(one.seen_at)}
                for one in system.jobs.alive(now - timedelta(seconds=system.settings.HEARTBEAT_STALE_SECONDS))
            ],
            "failures": [_failure(one) for one in system.jobs.failures(now - timedelta(hours=FAILURES_H))],
            "marks": {"pool": self._pool_changes, "trail": recent[0]["id"] if recent else 0},
            "care": _care(status, system),
            "ledger": _ledger(system),
            **_archive(status, deletions, system),
        }


def _clock(system: System) -> dict[str, Any]:
    doubt = system.guard.doubt()
    if doubt is None:
        return {"doubt": False}
    said = {"system_now_ms": _ms(doubt.system_now), "believed_now_ms": _ms(doubt.believed_now)}
    return {"doubt": True, "since_ms": _ms(doubt.since), **said}


def _sensor(status: Status) -> dict[str, Any]:
    people = status.state.sensed.word(Subject.OCCUPANCY)
    return {
        "people": {"count": people.value, "source": people.source, "at_ms": _ms(people.at)} if people else None,
        "asks": [
            {
                "name": word.subject.value,
                "source": word.source,
                "until_ms": _ms(word.until),
                "overruled": word.overruled,
            }
            for word in status.state.sensed.words
            if word.subject in ASKS
        ],
    }


def _care(status: Status, system: System) -> dict[str, Any]:
    standing = status.care
    return {
        "running": [
            {"kind": one.kind.value, "done": one.done, "total": one.total, "actor": one.actor}
            for one in standing.running
        ],
        "last": {kind.value: _report(one) for kind, one in standing.last.items()},
        "audited": _report(standing.audited),
        "verified": _report(standing.verified),
        "scheduled": system.settings.BACKUP_INTERVAL_HOURS > 0,
    }


def _report(one: Report | None) -> dict[str, Any] | None:
    if one is None or one.ended_at is None:
        return None
    return {"state": one.state.value, "actor": one.actor, "at_ms": _ms(one.ended_at), "summary": one.summary}


def _ledger(system: System) -> dict[str, Any]:
    ledger = system.outside.ledger
    since = ledger.owed_since
    return {
        "entries": ledger.length,
        "owed": ledger.owed,
        "owed_since_ms": _ms(since) if since is not None else None,
    }


def _spoken(one: Raised) -> Spoken:
    words = in_words(one.warning, load_copy("en"))
    return Spoken(
        name=one.warning.name.value,
        subject=one.warning.subject,
        level=words.level,
        title=words.title,
        detail=words.detail,
    )


def _archive(status: Status, deletions: TombstoneCounts, system: System) -> dict[str, Any]:
    counted = status.counted
    return {
        "lanes": counted.lanes,
        "moods": counted.moods,
        "memory_colors": counted.colours,
        "exact": counted.at == status.now,
        "counted_at_ms": _ms(counted.at),
        "retention": node.retention(status, system.settings.RETENTION_SOON_HOURS),
        "tombstones": {
            "due": deletions.due,
            "failing": deletions.failing,
            "oldest_due_at_ms": _ms(deletions.oldest_due_at) if deletions.oldest_due_at is not None else None,
        },
        "expired": counted.expired,
        "revoked": counted.revoked,
        "throttles": {kind: asdict(throttle) for kind, throttle in status.throttles.items()},
        "storage": asdict(status.storage),
    }


def _counts(status: Status, queue: QueueDepth | None, deletions: TombstoneCounts, system: System) -> dict[str, Any]:
    return {
        "playable": status.counted.playable,
        "waiting": status.counted.waiting,
        "soon": status.counted.retention.raw_expiring_soon,
        "free_bytes": status.storage.free_bytes,
        "tombstones": deletions.due,
        "sessions": len(system.access.sessions()),
        "queue": queue.waiting if queue is not None else None,
    }


def _next(status: Status, warnings: list[Spoken], seen: list[SeenDevice]) -> dict[str, str]:
    copy = load_copy("en")
    pages = [Seen(surface=one.device.surface, standing=one.standing) for one in seen]
    step = next_step(status.state, warnings, pages, status.counted.waiting)
    if step.warning is not None:
        return {"title": step.warning.title, "detail": step.warning.detail}
    params = step.params or {}
    title = "next_waiting" if step.key == "next_waiting_one" else step.key
    return {"title": copy.t(f"ops.{title}"), "detail": copy.t(f"ops.{step.key}_detail", **params)}


def _device(one: SeenDevice) -> dict[str, Any]:
    device, report = one.device, one.device.report
    sound_at = None
    if report.sound_ago_s is not None:
        sound_at = _ms(device.contact_at - timedelta(seconds=report.sound_ago_s))
    return {
        "id": device.id,
        "surface": device.surface.value,
        "label": called(device),
        "station": device.station,
        "standing": one.standing.value,
        "troubles": [trouble.value for trouble in one.troubles],
        "activity": report.activity.value,
        "audio": report.audio.value,
        "microphone": report.microphone,
        "permission": report.permission.value,
        "skew_s": report.skew_s,
        "page_version": report.page_version,
        "sound_at_ms": sound_at,
        "contact_at_ms": _ms(device.contact_at),
    }


def _sounding(seen: list[SeenDevice], now: datetime, system: System) -> list[dict[str, Any]]:
    """Voices that open pages say they play, in words that reveal nothing of who spoke."""
    found = []
    for one in seen:
        artifact_id = one.device.report.playing
        if artifact_id is None or one.standing.value == "offline":
            continue
        artifact = system.pool.artifact(artifact_id)
        if artifact is None or not artifact.playable(now):
            continue
        found.append(
            {
                "device_id": one.device.id,
                "device": _device(one)["label"],
                "artifact_id": artifact_id,
                "caption": caption(artifact, now, load_copy("en"), heard_ms=artifact.duration_ms),
            }
        )
    return found


def _failure(one: JobFailure) -> dict[str, Any]:
    return {
        "job": one.job,
        "subject": one.subject,
        "attempts": one.attempts,
        "error": one.error,
        "failed_at_ms": _ms(one.failed_at),
    }


def _unreachable(shown: dict[str, Any], error: MemoryEngineError, system: System) -> dict[str, Any]:
    """The last view, with what is wrong on top: a ledger that cannot read says so, and does not go blank."""
    if not shown:
        return {}
    components = {**shown["components"], "database": "down"}
    detail = load_copy("en").t("warnings.database_down_detail")
    said = {"title": error.message, "detail": detail}
    return {**shown, "now_ms": _ms(system.clock.now()), "state": "broken", "next": said, "components": components}


def _told(view: dict[str, Any]) -> dict[str, Any]:
    """What of a view is worth pushing when it differs."""
    return {name: value for name, value in view.items() if name != "now_ms"}


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
