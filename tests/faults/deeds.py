"""What a process does when it dies: one use of the services at a time, said before and after.

A deed has a `prepare`, which makes what it needs and is not died in, and a `do`. Which take it is about is chosen by
a number, so that the same seed does the same.
"""

import hashlib
import io
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from core.adapters.archive import open_archive
from core.adapters.ledger import LEDGER_FILE
from core.bootstrap import System
from core.domain.consent import Kind, Mode
from core.domain.custody import LEDGER_PREFIX, Early, Entry
from core.domain.pool.facts import Wish
from core.errors import Conflict, MemoryEngineError, Refused, Unavailable
from core.ports.archiving import Opened
from core.services.intake import Offering
from core.services.pool import Heard
from tests.fakes import MoodyStore
from tests.faults.judge import care_for
from tests.faults.promises import Event, Given, Promises
from tests.wavs import take as sound

ACTOR = "Ada"
PIECE_BYTES = 2_000
LONG_S = 400 * 86_400.0
SHORT = {
    "RAW_TTL_HOURS_ROOM": 30 / 3600,
    "RAW_TTL_HOURS_FOSSIL": 30 / 3600,
    "DERIVATIVE_TTL_DAYS_FOSSIL": 90 / 86_400,
    "ONCE_FETCH_MINUTES": 0.5,
}
FORGETFUL = {"KEEP_HUSKS_DAYS": 1e-4, "KEEP_IDEMPOTENCY_HOURS": 1e-3, "KEEP_ACCESS_EVENTS_DAYS": 1e-5}


class LateClock:
    """The machine's clock and what the node's history has put on top of it."""

    def __init__(self, inner: Any, promises: Promises) -> None:
        self._inner = inner
        self._promises = promises

    def now(self) -> datetime:
        """Aware UTC."""
        return self._inner.now() + self._promises.ahead


class LateDrift:
    """A steady clock beside it: what the history lets go by in this process has gone by honestly."""

    def __init__(self, promises: Promises) -> None:
        self._promises = promises
        self._began_s = time.monotonic() + promises.ahead_s

    def moved_s(self) -> float:
        """Nobody moves this clock."""
        return 0.0

    def up_s(self) -> float:
        """Since this process began."""
        return time.monotonic() + self._promises.ahead_s - self._began_s


@dataclass(kw_only=True, slots=True)
class Hands:
    """What deeds are done with; `say` keeps an event where no death can take it back."""

    system: System
    store: MoodyStore
    promises: Promises
    say: Callable[[Event], None]
    restart: Callable[[], System]
    identity: str = ""

    def now(self) -> datetime:
        """The node's time."""
        return self.system.clock.now()

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.say({"e": "time", "s": seconds})


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """`settings` are those of the life it is done in."""

    name: str
    do: Callable[[Hands, Any], None]
    prepare: Callable[[Hands, int], Any] = lambda _hands, number: number
    settings: dict[str, Any] = field(default_factory=dict)


@cache
def wav(number: int) -> bytes:
    """One of eight takes."""
    return sound(0.25, sample_rate_hz=8000, frequency_hz=220.0 + 40 * (number % 8))


def keep(hands: Hands, mode: Mode, key: str) -> Given | None:
    """Send a take under a key, the same bytes for the same key; None where it was not accepted."""
    hands.say({"e": "offering", "key": key, "mode": mode.value})
    data = wav(int(hashlib.sha256(key.encode()).hexdigest(), 16))
    offering = Offering(
        stream=io.BytesIO(data),
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        mode=mode,
        topic="a door",
        client_key=key,
    )
    try:
        kept = hands.system.intake.keep(offering, lambda artifact, secret: {"secret": secret, "of": artifact.public_id})
    except MemoryEngineError:
        return None
    artifact = kept.artifact
    take = Given(
        public_id=artifact.public_id,
        artifact_id=artifact.id,
        mode=mode.value,
        secret=kept.answer["secret"],
        sha256=offering.sha256,
        raw_until=artifact.raw_until.isoformat() if artifact.raw_until else "",
        derivative_until=artifact.derivative_until.isoformat() if artifact.derivative_until else None,
    )
    hands.say({"e": "kept", "key": key, "take": _plain(take)})
    return hands.promises.takes[take.public_id]


def derive(hands: Hands, take: Given) -> None:
    """Make what a fossil leaves, as workers do."""
    for kind in Kind:
        if hands.system.derive.derive(take.artifact_id, kind.value) == "published":
            hands.say({"e": "derived", "take": take.public_id, "kind": kind.value})


def end(hands: Hands, take: Given, kind: Early, ending: Callable[[], Any]) -> None:
    """End a right early. What is refused as a conflict has not happened; an answer that failed says nothing."""
    hands.say({"e": "ending", "take": take.public_id, "kind": kind.value})
    try:
        ending()
    except Refused:
        hands.say({"e": "unended", "take": take.public_id, "kind": kind.value})
    except MemoryEngineError:
        return
    else:
        hands.say({"e": "ended", "take": take.public_id, "kind": kind.value})


def some(hands: Hands, number: int, mode: Mode) -> Given:
    """A take of a mode that nobody has begun to end: one that is there, or a new one."""
    minute = hands.now() + timedelta(minutes=1)
    found = hands.promises.open(mode.value, now=minute)
    if len(found) > number % 4:
        return found[number % len(found)]
    made = keep(hands, mode, f"for {number}, {len(hands.promises.takes)}")
    if made is None:
        raise AssertionError("a healthy node refused a take")
    return made


def _intake(mode: Mode) -> Deed:
    def prepare(hands: Hands, number: int) -> str:
        again = [key for key, wanted in hands.promises.unanswered.items() if wanted == mode.value]
        # A kiosk that had no answer sends again, under the same key.
        return again[0] if again and number % 2 else f"{mode.value} {number} {hands.promises.asked}"

    return Deed(name=f"intake {mode.value}", prepare=prepare, do=lambda hands, key: _kept(hands, mode, key))


def _kept(hands: Hands, mode: Mode, key: str) -> None:
    keep(hands, mode, key)


def _once_prepare(hands: Hands, number: int) -> tuple[Given, int]:
    return some(hands, number, Mode.NOSAVE), number


def _once(hands: Hands, given: tuple[Given, int]) -> None:
    take, number = given
    token = hands.system.once.play_token(take.artifact_id, take.secret)
    hands.say({"e": "ending", "take": take.public_id, "kind": "once"})
    try:
        heard = hands.system.once.play(token)
        # What one listener has got of it is heard; that it broke off there brings it to nobody else.
        if heard.stream.read(PIECE_BYTES):
            hands.say({"e": "sounded", "take": take.public_id})
            hands.say({"e": "ended", "take": take.public_id, "kind": "once"})
        if number % 3:
            heard.stream.read()
        heard.closed()
    except MemoryEngineError:
        return


def _dispose(hands: Hands, given: tuple[Given, int]) -> None:
    take, _ = given
    end(hands, take, Early.ONCE, lambda: hands.system.once.dispose(take.artifact_id, take.secret))


def _revoke_prepare(hands: Hands, number: int) -> Given:
    unsure = [take for take in hands.promises.takes.values() if "revoke" in take.tried and not take.over]
    # Whoever had no answer asks again.
    return unsure[0] if unsure and number % 3 == 0 else _whole_fossil(hands, number)


def _revoke(hands: Hands, take: Given) -> None:
    end(hands, take, Early.REVOKE, lambda: hands.system.revocation.revoke(take.secret))


def _whole_fossil(hands: Hands, number: int) -> Given:
    take = some(hands, number, Mode.FOSSIL)
    derive(hands, take)
    return take


def _narrow(hands: Hands, take: Given) -> None:
    end(hands, take, Early.NARROW, lambda: hands.system.revocation.narrow(take.secret))


def _remove(hands: Hands, take: Given) -> None:
    end(hands, take, Early.REMOVE, lambda: hands.system.archive.remove(take.artifact_id, actor=ACTOR))


def _expire_prepare(hands: Hands, number: int) -> None:
    fossil = keep(hands, Mode.FOSSIL, f"short fossil {number} {hands.promises.asked}")
    if fossil is not None:
        derive(hands, fossil)
    for mode in (Mode.ROOM, Mode.NOSAVE):
        keep(hands, mode, f"short {mode} {number} {hands.promises.asked}")
    hands.wait(40)


def _expire(hands: Hands, _memo: Any) -> None:
    hands.system.retention.expire()
    hands.wait(70)
    hands.system.retention.prune_derivatives()
    hands.system.retention.expire()


def _sweep_prepare(hands: Hands, number: int) -> None:
    take = _whole_fossil(hands, number)
    hands.store.refuses.add("delete")
    _revoke(hands, take)
    hands.store.refuses.discard("delete")
    hands.wait(30)


def _sweep(hands: Hands, _memo: Any) -> None:
    hands.system.retention.sweep()


def _derive(hands: Hands, take: Given) -> None:
    derive(hands, take)
    hands.system.derive.measure(take.artifact_id)


def _heard_prepare(hands: Hands, number: int) -> tuple[Given, str] | None:
    some(hands, number, Mode.ROOM)
    playback = hands.system.pool.next(Wish(), hands.system.vault.rng())
    if playback is None or playback.artifact.public_id not in hands.promises.takes:
        return None
    hands.wait(1)
    return hands.promises.takes[playback.artifact.public_id], playback.heard_token


def _heard(hands: Hands, given: tuple[Given, str] | None) -> None:
    if given is None:
        return
    take, token = given
    hands.say({"e": "hearing", "take": take.public_id})
    # An acknowledgement that is repeated counts once.
    for _ in range(2):
        if hands.system.pool.heard(token) is Heard.COUNTED:
            hands.say({"e": "heard", "take": take.public_id})


def _publish_prepare(hands: Hands, number: int) -> None:
    _revoke(hands, some(hands, number, Mode.ROOM))


def _publish(hands: Hands, _memo: Any) -> None:
    hands.system.outside.ledger.publish()
    hands.system.outside.ledger.keep_here()
    hands.system.ledger.remember()


def _prune_prepare(hands: Hands, number: int) -> None:
    _revoke(hands, some(hands, number, Mode.ROOM))
    hands.wait(60)
    hands.say({"e": "pruning"})


def _prune(hands: Hands, _memo: Any) -> None:
    hands.system.retention.prune()


def _backup_prepare(hands: Hands, number: int) -> int:
    _whole_fossil(hands, number)
    some(hands, number, Mode.ROOM)
    return number


def _backup(hands: Hands, number: int) -> str:
    mark = f"{number}x{len(hands.promises.copies)}"
    hands.say({"e": "copying", "mark": mark})
    with suppress(MemoryEngineError):
        hands.system.backup.make(actor=ACTOR, mark=mark)
    return mark


def _made(hands: Hands, number: int) -> None:
    _backup(hands, number)


def copies(hands: Hands) -> dict[str, Path]:
    """The copies at hand, by their marks."""
    return {archive.path.name.rpartition("-")[2]: archive.path for archive in hands.system.backup.shelf.archives()}


def _copy(hands: Hands, number: int) -> tuple[str, Path]:
    """A new copy, or one of those at hand."""
    fresh = ""
    if number % 2 or not copies(hands):
        fresh = _backup(hands, _backup_prepare(hands, number))
    found = copies(hands)
    mark = fresh or sorted(found)[number % len(found)]
    return mark, found[mark]


def _opened(hands: Hands, path: Path) -> Opened:
    return open_archive(path, path.parent, identity=hands.identity)


def _verify(hands: Hands, copy: tuple[str, Path]) -> None:
    with suppress(Unavailable, Conflict):
        findings = hands.system.backup.verify(_opened(hands, copy[1]), copy[1], actor=ACTOR)
        if findings:
            hands.say({"e": "wrong", "what": f"a copy was not proven: {findings[:3]}"})


def _restore_prepare(hands: Hands, number: int) -> tuple[str, Path]:
    """A copy, and what has been taken back since it was made, and given."""
    copy = _copy(hands, number)
    known = hands.promises.copies[copy[0]]
    soon = hands.now() + timedelta(minutes=1)
    there = [take for take in hands.promises.open(now=soon) if take.public_id in known]
    for take, ending in zip(there[number % 2 :: 2], (_revoke, _remove, _revoke), strict=False):
        ending(hands, take)
    for take in there[number % 3 :: 3][:1]:
        if take.mode == "FOSSIL" and take.untouched(soon):
            _narrow(hands, take)
    keep(hands, Mode.ROOM, f"since {number} {hands.promises.asked}")
    return copy


def _restore(hands: Hands, copy: tuple[str, Path]) -> None:
    hands.say({"e": "restoring", "mark": copy[0]})
    try:
        restored = hands.system.restore.restore(_opened(hands, copy[1]), actor=ACTOR)
    except MemoryEngineError:
        return
    hands.say({"e": "restored", "mark": copy[0]})
    if not restored.report.ok:
        hands.say({"e": "wrong", "what": f"the restored node: {restored.report.findings[:3]}"})


def _take_out_prepare(hands: Hands, number: int) -> None:
    _restore_prepare(hands, 2 * number + 1)


def _take_out(hands: Hands, _memo: Any) -> None:
    hands.system.backup.prune()


def _end(hands: Hands, _memo: Any) -> None:
    """The last of a node: half of it is taken back, and the other half has its time."""
    for take in hands.promises.open(now=hands.now())[::2]:
        if take.mode != "NOSAVE":
            _revoke(hands, take)
    hands.wait(LONG_S)
    care_for(hands.system)
    left = [key for key in hands.store.keys("") if not key.startswith(LEDGER_PREFIX)]
    left += [path.name for path in hands.system.backup.shelf.place.iterdir()]
    if left:
        hands.say({"e": "wrong", "what": f"left after every promise: {left[:5]}"})


def _start_prepare(hands: Hands, number: int) -> None:
    """Leave what a start makes good: an ending that was written down and not committed, or a ledger's file lost."""
    ledger = hands.system.outside.ledger
    if number % 2:
        ledger.publish()
        (hands.system.outside.data_dir / LEDGER_FILE).unlink(missing_ok=True)
        return
    for mode, kind in ((Mode.ROOM, Early.REVOKE), (Mode.FOSSIL, Early.NARROW)):
        take = _whole_fossil(hands, number) if mode is Mode.FOSSIL else some(hands, number, mode)
        hands.say({"e": "ending", "take": take.public_id, "kind": kind.value})
        ledger.append([Entry(kind=kind, subject=hands.system.vault.subject_hashes(take.public_id)[0], at=hands.now())])


def _start(hands: Hands, _memo: Any) -> None:
    hands.system = hands.restart()


def _plain(take: Given) -> dict[str, Any]:
    return {name: getattr(take, name) for name in take.__slots__}


DEEDS = (
    _intake(Mode.ROOM),
    _intake(Mode.FOSSIL),
    _intake(Mode.NOSAVE),
    Deed(name="one-time play", prepare=_once_prepare, do=_once),
    Deed(name="disposal", prepare=_once_prepare, do=_dispose),
    Deed(name="revoke", prepare=_revoke_prepare, do=_revoke),
    Deed(name="narrow", prepare=_whole_fossil, do=_narrow),
    Deed(name="removal", prepare=_whole_fossil, do=_remove),
    Deed(name="expire", prepare=_expire_prepare, do=_expire, settings=SHORT),
    Deed(name="sweep", prepare=_sweep_prepare, do=_sweep),
    Deed(name="derive", prepare=lambda hands, number: some(hands, number, Mode.FOSSIL), do=_derive),
    Deed(name="hearing", prepare=_heard_prepare, do=_heard),
    Deed(name="ledger", prepare=_publish_prepare, do=_publish),
    Deed(name="prune", prepare=_prune_prepare, do=_prune, settings=FORGETFUL),
    Deed(name="backup", prepare=_backup_prepare, do=_made),
    Deed(name="proof", prepare=_copy, do=_verify),
    Deed(name="pruning of copies", prepare=_take_out_prepare, do=_take_out),
    Deed(name="restore", prepare=_restore_prepare, do=_restore),
    Deed(name="start", prepare=_start_prepare, do=_start),
)
END = Deed(name="end", do=_end)
BY_NAME = {deed.name: deed for deed in (*DEEDS, END)}
