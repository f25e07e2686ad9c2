"""A node held against what was told: every law the two of them can show, as sentences that do not hold."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.adapters.sql.tables import ArtifactRow, ConsentRow, DerivativeRow, NodeRow, TombstoneRow
from core.bootstrap import System
from core.domain.artifact import State
from core.domain.custody import LEDGER_PREFIX, Early
from core.errors import MemoryEngineError, NotFound
from core.ports.outside import ByteStore
from tests.faults.promises import Event, Given, Promises

HUSK_FORGETS = ("raw_key", "sha256", "outline", "once_hash", "playable_until", "loudness_lufs", "peak_dbtp")
HELD = (State.ACTIVE, State.EPHEMERAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One look at everything a node keeps, past its own services; `began_at` and `done_at` bracket the look."""

    began_at: datetime
    done_at: datetime
    rows: dict[str, Any]
    left: dict[int, dict[str, str]]
    tombstones: dict[str, Any]
    keys: set[str]
    ledger: set[tuple[str, str]]
    closed: str

    def stored_of(self, public_id: str) -> list[str]:
        """Keys with bytes of one artifact."""
        return sorted(key for key in self.keys if public_id in key)


def look(system: System, store: ByteStore) -> Node:
    """The node as it lies there; `store` is asked past whatever fault its wrapper plays."""
    began_at = system.clock.now()
    keys = {key for key in store.keys("") if not key.startswith(LEDGER_PREFIX)}
    with system.outside.engine.connect() as connection:
        joined = select(ArtifactRow.__table__, ConsentRow.narrowed_at.label("narrowed_at")).join(ConsentRow)
        rows = {row.public_id: row for row in connection.execute(joined)}
        left: dict[int, dict[str, str]] = {}
        for made in connection.execute(select(DerivativeRow.__table__)):
            left.setdefault(made.artifact_id, {})[made.kind] = made.key
        tombstones = {row.key: row for row in connection.execute(select(TombstoneRow.__table__))}
        closed = connection.execute(select(NodeRow.closed_reason)).scalar() or ""
    ledger = {(entry.kind.value, entry.subject) for entry in system.outside.ledger.entries()}
    return Node(
        began_at=began_at,
        done_at=system.clock.now(),
        rows=rows,
        left=left,
        tombstones=tombstones,
        keys=keys,
        ledger=ledger,
        closed=closed,
    )


def judge(system: System, store: ByteStore, told: Promises) -> list[str]:
    """What is wrong with a node that has just started, before anything is swept and after; it is looked after, too."""
    wrong = at_rest(system, look(system, store), told)
    care_for(system)
    node = look(system, store)
    wrong += list(_copied(system, told))
    wrong += [f"after the sweep: {sentence}" for sentence in [*at_rest(system, node, told), *swept(node, told)]]
    wrong += [f"the audit: {one.kind} {one.subject} {one.detail}" for one in system.audit.run().findings]
    return wrong + list(_answers(system, told))


def settle(system: System, store: ByteStore, told: Promises) -> Event | None:
    """Whether a restore that was never answered has happened: the node has to be wholly the one or wholly the other."""
    if not told.restoring:
        return None
    node = look(system, store)
    done: Event = {"e": "restored", "mark": told.restoring}
    after = deepcopy(told)
    after.apply(done)
    before = deepcopy(told)
    before.apply({"e": "unrestored"})
    return done if len(at_rest(system, node, after)) < len(at_rest(system, node, before)) else {"e": "unrestored"}


def care_for(system: System) -> None:
    """What every node does within its first minutes."""
    system.retention.expire()
    system.retention.prune_derivatives()
    system.retention.sweep()
    if system.outside.ledger.publish():
        raise AssertionError("a store that answers was not given the whole ledger")
    system.outside.ledger.keep_here()
    system.ledger.remember()
    system.backup.prune()


def at_rest(system: System, node: Node, told: Promises) -> list[str]:
    """What holds at every moment, in the middle of anything."""
    wrong = [f"closed: {node.closed}"] if node.closed else []
    named = node.tombstones.keys() | {row.raw_key for row in node.rows.values() if row.raw_key}
    named |= {key for made in node.left.values() for key in made.values()}
    wrong += [f"bytes without a row or a tombstone: {key}" for key in sorted(node.keys - named)]
    unknown = [public_id for public_id, row in node.rows.items() if public_id not in told.takes and row.state in HELD]
    if len(unknown) > told.asked - len(told.takes):
        wrong.append(f"{len(unknown)} takes nobody was told of, of {told.asked} sent and {len(told.takes)} answered")
    for take in told.takes.values():
        row = node.rows.get(take.public_id)
        wrong += [f"{take.mode} {take.artifact_id}: {one}" for one in _kept(node, take, row)]
        wrong += [f"{take.mode} {take.artifact_id}: {one}" for one in _ended(take, row, node, forgotten=told.pruned)]
        wrong += [f"{take.mode} {take.artifact_id}: {one}" for one in _written(system, node, take, row)]
    return wrong


def swept(node: Node, told: Promises) -> list[str]:
    """What holds beside that once a sweep has gone through and the store has obeyed."""
    due = [key for key, row in node.tombstones.items() if row.due_at <= node.began_at]
    wrong = [f"due and still there: {key}" for key in due]
    for public_id, row in node.rows.items():
        if row.state in HELD:
            late = row.playable_until is not None and row.playable_until <= node.began_at
            wrong += [f"{row.id} is held past its hour"] if late else []
            continue
        open_ = [key for key, tombstone in node.tombstones.items() if tombstone.artifact_id == row.id]
        if not open_:
            wrong += [f"bytes of {row.state} {row.id}: {key}" for key in node.stored_of(public_id)]
            wrong += [f"{row.id} was never stamped gone"] if row.gone_at is None else []
    for take in told.takes.values():
        row = node.rows.get(take.public_id)
        named = any(take.public_id in key for key in node.tombstones)
        if take.away and not named:
            wrong += [f"bytes of what a restore left out: {key}" for key in node.stored_of(take.public_id)]
        reserved = row is not None and any(one.artifact_id == row.id for one in node.tombstones.values())
        if take.over and not reserved:
            wrong += [f"bytes of what was told to be over: {key}" for key in node.stored_of(take.public_id)]
        if take.narrowed and not reserved:
            found = [key for key in node.stored_of(take.public_id) if key.startswith("derived/")]
            wrong += [f"bytes of what was narrowed away: {key}" for key in found]
    return wrong


def _copied(system: System, told: Promises) -> Iterator[str]:
    """What copies at hand, and whatever else lies in the data folder, hold of what is over."""
    over = [take for take in told.takes.values() if take.over]
    names = {name for take in over for name in system.vault.subject_hashes(take.public_id)}
    for archive in system.backup.shelf.archives():
        found = [path for path in archive.path.rglob("*") if path.name.partition("-")[0] in names]
        if found:
            yield f"{len(found)} sounds of what is over in the copy {archive.path.name}"
    ids = {take.public_id for take in over}
    for path in system.outside.data_dir.rglob("*"):
        parts = {part[:32] for part in (path.parent.name, path.name)}
        if path.is_file() and "sounds" in path.parts and parts & ids and not _own(system, path):
            yield f"bytes of what is over in {path.relative_to(system.outside.data_dir)}"


def _own(system: System, path: Path) -> bool:
    return path.is_relative_to(system.outside.data_dir / "sounds")


def _kept(node: Node, take: Given, row: Any) -> Iterator[str]:
    """What was acknowledged and is owed."""
    if take.untouched(node.done_at):
        if row is None or row.state not in HELD:
            yield f"acknowledged and lost ({row.state if row is not None else 'no row'})"
        elif row.sha256 != take.sha256 or row.raw_key not in node.keys:
            yield "acknowledged, and its bytes are lost or others"
    if take.away and row is not None and (take.mode != "NOSAVE" or row.state in HELD):
        # Of a one-time take a copy may hold the husk.
        yield "a restore left it out, and its row is here"
    if row is not None and row.state in HELD:
        if not take.heard <= row.plays <= take.heard_tried:
            yield f"{row.plays} plays, {take.heard} acknowledged of {take.heard_tried}"
        if (row.wear > 0) != (row.plays > 0):
            yield f"wear {row.wear} with {row.plays} plays"
    if take.leaves(node.done_at):
        there = node.left.get(row.id, {}) if row is not None else {}
        for kind in take.derived:
            if there.get(kind) not in node.keys:
                yield f"its {kind} was published and is lost"


def _ended(take: Given, row: Any, node: Node, *, forgotten: bool) -> Iterator[str]:
    """What was told to be over."""
    if take.sounded > 1:
        yield f"heard {take.sounded} times"
    if row is None:
        if not forgotten and not take.away:
            yield "its row is gone"
        return
    if row.state not in HELD:
        for name in HUSK_FORGETS:
            if getattr(row, name) is not None:
                yield f"a husk keeps {name}"
        if row.topic or node.left.get(row.id):
            yield "a husk keeps its topic or what was made of it"
    elif take.over:
        yield f"told to be over by {take.ended} and still held"
    if take.narrowed and (row.narrowed_at is None or node.left.get(row.id)):
        yield "told to be narrowed, and leaves something all the same"


def _written(system: System, node: Node, take: Given, row: Any) -> Iterator[str]:
    """What stands in the ledger, and what does not."""
    hashes = system.vault.subject_hashes(take.public_id)
    named = {kind for kind, subject in node.ledger if subject in hashes}
    if row is None:
        return
    if row.state in HELD:
        if named - {Early.NARROW}:
            yield f"in the ledger for {sorted(named)} and still held"
        elif Early.NARROW in named and row.narrowed_at is None:
            yield "in the ledger as narrowed and still whole"
    elif row.state == State.REVOKED and (take.over or take.mode != "NOSAVE") and not named - {Early.NARROW}:
        yield f"revoked (told {take.ended}), and the ledger does not say so"
    if take.narrowed and row.narrowed_at is not None and Early.NARROW not in named:
        yield "narrowed, and the ledger does not say so"


def _answers(system: System, told: Promises) -> Iterator[str]:
    """What those who come back are answered."""
    now = system.clock.now()
    for take in told.takes.values():
        if take.mode == "NOSAVE":
            if take.over and system.once.waits(system.once.play_token(take.artifact_id, take.secret)):
                yield f"one-time {take.artifact_id} may be heard again"
            continue
        try:
            shown = system.revocation.receipt(take.secret)
        except NotFound:
            if not told.pruned and not take.away:
                yield f"the code of {take.artifact_id} opens nothing"
            continue
        if take.over and shown.held:
            yield f"the receipt of {take.artifact_id} shows it held"
        if take.narrowed and shown.manifest.derivatives:
            yield f"the receipt of {take.artifact_id} still promises a fossil"
        if take.untouched(now) and not shown.held:
            yield f"the receipt of {take.artifact_id} shows it ended"


def plays_again(system: System, take: Given) -> bool:
    """Whether anything of a take sounds by the grants a page may still hold."""
    token, _ = system.pool._grants.media(take.artifact_id)
    try:
        system.media.sound(token)
    except MemoryEngineError:
        return False
    return True
