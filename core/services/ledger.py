"""The ledger against the database: what it names has ended, whatever the database says.

A node compares both when it starts. A ledger longer than remembered holds entries whose ends may have been lost with
the database: they are applied. A shorter one has been lost itself: the node closes until a steward decides.
"""

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from core.domain.artifact import Artifact, State
from core.domain.consent import Mode
from core.domain.custody import Closed, Early, Entry, NodeRecord
from core.domain.work import Job, Signal
from core.errors import Conflict, Unavailable
from core.ports.custody import Ledger
from core.ports.outside import NodeClock, Vault
from core.ports.work import StewardAction, Transaction, UnitOfWork
from core.services.retention import bury_all

log = logging.getLogger(__name__)

PAGE = 500
NODE = "the node"


class LedgerService:
    """Keeps ledger and database together."""

    def __init__(self, work: UnitOfWork, ledger: Ledger, vault: Vault, clock: NodeClock) -> None:
        self._work = work
        self._ledger = ledger
        self._vault = vault
        self._clock = clock

    def compare(self) -> NodeRecord:
        """What every start begins with: the node as it stands after the comparison."""
        with self._work.read() as tx:
            node = tx.nodes.read()
        if node is None:
            with self._work.write() as tx:
                node = _node(tx, self._clock.now())
        try:
            entries = self._ledger.entries()
        except Unavailable:
            # While the store is out of reach nobody can say that anything is missing; every start asks again.
            log.warning("ledger.store_unavailable")
            return node
        if len(entries) < node.ledger_length:
            return self._close_short(node, len(entries))
        if len(entries) > node.ledger_length:
            self.apply(entries)
            if not self._ledger.owed:  # else the keeper does, once every machine can find them
                self.remember()
        self._keep_here()
        return node

    def remember(self) -> None:
        """Note how long the ledger is, so that a shorter one is noticed."""
        length = self._ledger.length
        with self._work.write() as tx:
            tx.nodes.remember_ledger(length)

    def reopen(self, *, actor: str) -> None:
        """Open a node that was closed, on a steward's word: what the ledger still says is applied, and is all there is.

        Raises `Conflict` where it is open, `Unavailable` where the store does not answer.
        """
        with self._work.read() as tx:
            node = tx.nodes.read()
        if node is None or node.closed is Closed.OPEN:
            raise Conflict("This node is open.")
        entries = self._ledger.entries()
        self.apply(entries)
        with self._work.write() as tx:
            tx.nodes.set_ledger_length(len(entries))
            shut(tx, Closed.OPEN, actor, self._clock.now(), entries=len(entries), remembered=node.ledger_length)

    def apply(self, entries: Sequence[Entry]) -> int:
        """End what the ledger says has ended and the database still holds; how many."""
        named = by_subject(entries)
        after, ended = 0, 0
        while True:
            with self._work.read() as tx:
                page = tx.artifacts.holdings(after=after, limit=PAGE)
            if not page:
                return ended
            after = page[-1].artifact_id
            for holding in page:
                kinds = kinds_of(named, self._vault.subject_hashes(holding.public_id))
                if kinds and holding.state.held:
                    with self._work.write() as tx:
                        ended += enforce(tx, holding.artifact_id, kinds, self._clock.now(), self._clock.earlier())

    def _keep_here(self) -> None:
        try:
            self._ledger.keep_here()
        except OSError as error:
            # The store has it all; the next start tries again.
            log.warning("ledger.file_failed", extra={"reason": error.strerror or type(error).__name__})

    def _close_short(self, node: NodeRecord, known: int) -> NodeRecord:
        if node.closed is not Closed.OPEN:
            return node
        log.critical("ledger.short", extra={"entries": known, "remembered": node.ledger_length})
        now = self._clock.now()
        with self._work.write() as tx:
            shut(tx, Closed.LEDGER_SHORT, NODE, now, entries=known, remembered=node.ledger_length)
            found = tx.nodes.read()
        return found or node


def by_subject(entries: Iterable[Entry]) -> dict[str, set[Early]]:
    """Why rights ended early, by the hash of whose."""
    found: dict[str, set[Early]] = {}
    for entry in entries:
        found.setdefault(entry.subject, set()).add(entry.kind)
    return found


def kinds_of(named: Mapping[str, set[Early]], hashes: Iterable[str]) -> set[Early]:
    """What the ledger says of one artifact, under any of the keys it may have been written with."""
    return set().union(*(named.get(one, set()) for one in hashes))


def enforce(tx: Transaction, artifact_id: int, kinds: set[Early], now: datetime, certain: datetime) -> bool:
    """End what is still held of an artifact the ledger names; whether anything was. `certain` has passed for sure."""
    artifact = tx.artifacts.lock(artifact_id)
    if artifact is None or not artifact.state.held:
        return False
    if kinds != {Early.NARROW}:
        bury_all(tx, artifact, "in the ledger", certain)
        tx.artifacts.end(artifact.id, State.REVOKED, now)
        if Early.NARROW in kinds:
            tx.consents.narrow(artifact.consent_id, now)
        if Early.REVOKE in kinds:
            tx.consents.withdraw(artifact.consent_id, now)
        tx.signal(Signal.POOL, dropped=[artifact.id])
        tx.want(Job.SWEEP_TOMBSTONES)
        return True
    return narrow(tx, artifact, now, certain)


def narrow(tx: Transaction, artifact: Artifact, now: datetime, certain: datetime) -> bool:
    """Take what a fossil leaves away from a held artifact; whether it was one.

    What else there is of it goes with that only where its time is over for certain.
    """
    if artifact.mode is not Mode.FOSSIL:
        return False
    for made in tx.derivatives.drop(artifact.id):
        tx.tombstones.bury(made.key, artifact_id=artifact.id, reason="narrowed", due_at=certain)
    tx.consents.narrow(artifact.consent_id, now)
    if artifact.raw_lasts(certain) and artifact.raw_until is not None:
        tx.artifacts.narrow(artifact.id, artifact.raw_until)
        tx.signal(Signal.POOL, derived=artifact.id)
    else:
        # Only the fossil was left of it: with that, everything ends.
        bury_all(tx, artifact, "narrowed", certain)
        tx.artifacts.end(artifact.id, State.EXPIRED, now)
        tx.signal(Signal.POOL, dropped=[artifact.id])
    tx.want(Job.SWEEP_TOMBSTONES)
    return True


def shut(tx: Transaction, reason: Closed, actor: str, now: datetime, **said: object) -> None:
    """Close the node, or open it, with an entry in the trail; pages are told."""
    before = tx.nodes.read()
    tx.nodes.close(reason)
    tx.steward.record(
        StewardAction(
            at=now,
            actor=actor,
            action="open_node" if reason is Closed.OPEN else "close_node",
            before={"closed": before.closed.value if before is not None else ""},
            after={"closed": reason.value, **said},
        )
    )
    tx.signal(Signal.STEWARD)


def _node(tx: Transaction, now: datetime) -> NodeRecord:
    node = tx.nodes.read()
    if node is not None:
        return node
    node = NodeRecord(
        public_id=uuid.uuid4().hex,
        created_at=now,
        clock_mark=now,
        ledger_id="",
        ledger_length=0,
        closed=Closed.OPEN,
    )
    tx.nodes.create(node)
    return node
