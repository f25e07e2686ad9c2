"""Mending what an audit has found, where mending can only take away what nobody has a right to.

Everything is looked at again under the artifact's lock, for the audit is over by now and the node has gone on. Bytes go
by the one road there is: their key is named, and the sweep deletes it and sees that it is gone. While the clock is in
doubt nothing is mended that would not be wrong by its earlier reading, too.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from core.domain.artifact import PREFIXES, Artifact, State
from core.domain.auditing import Finding, Wrong
from core.domain.consent import SOUNDING
from core.domain.work import Signal
from core.errors import Unavailable
from core.ports.custody import Ledger
from core.ports.outside import NodeClock, Vault
from core.ports.work import StewardAction, Transaction, UnitOfWork, subject_of_artifact
from core.services.audit import granted
from core.services.ledger import by_subject, enforce, kinds_of
from core.services.retention import Retention, bury_all

log = logging.getLogger(__name__)

TOGETHER = 200
Mend = Callable[[Transaction, Artifact, Finding, datetime], bool]


class Repair:
    """Takes findings, and mends those that are safe to mend."""

    def __init__(self, work: UnitOfWork, ledger: Ledger, vault: Vault, clock: NodeClock, retention: Retention) -> None:
        self._work = work
        self._ledger = ledger
        self._vault = vault
        self._clock = clock
        self._retention = retention

    def mend(self, findings: Sequence[Finding], *, actor: str) -> list[Finding]:
        """Mend what can be; what was tried. Whether it helped, the next audit tells. Raises `Unavailable`."""
        behind = any(found.kind is Wrong.LEDGER_BEHIND for found in findings)
        tried = self._ledgers(actor, behind=behind)
        tried += [found for found in findings if found.artifact_id is not None and self._artifact(found, actor)]
        tried += self._keys(findings, Wrong.ORPHAN, actor, self._name_orphans)
        tried += self._keys(findings, Wrong.OVERDUE, actor, self._hurry)
        while self._retention.sweep():
            log.info("repair.swept")
        return tried

    def _ledgers(self, actor: str, *, behind: bool) -> list[Finding]:
        """Both places are given what only the other has; what is merely on its way is nothing that was mended."""
        count = self._ledger.lacking + (self._ledger.owed if behind else 0)
        try:
            self._ledger.keep_here()
        except OSError as error:
            raise Unavailable("The file of the ledger cannot be written right now.") from error
        self._ledger.publish()
        if not count:
            return []
        with self._work.write() as tx:
            _note(tx, actor, self._clock.earlier(), "", Wrong.LEDGER_BEHIND, count)
        return [Finding(kind=Wrong.LEDGER_BEHIND, subject="the ledger", detail=f"{count} entries were copied")]

    def _artifact(self, found: Finding, actor: str) -> bool:
        mend = self._enforce if found.kind in (Wrong.STILL_HELD, Wrong.STILL_WHOLE) else _MEND.get(found.kind)
        if mend is None or found.artifact_id is None:
            return False
        now = self._clock.earlier()
        with self._work.write() as tx:
            artifact = tx.artifacts.lock(found.artifact_id)
            if artifact is None or not mend(tx, artifact, found, now):
                return False
            _note(tx, actor, now, subject_of_artifact(artifact.id), found.kind)
        return True

    def _enforce(self, tx: Transaction, artifact: Artifact, _found: Finding, now: datetime) -> bool:
        kinds = kinds_of(by_subject(self._ledger.entries()), self._vault.subject_hashes(artifact.public_id))
        return bool(kinds) and enforce(tx, artifact.id, kinds, self._clock.now(), now)

    def _keys(
        self,
        findings: Sequence[Finding],
        kind: Wrong,
        actor: str,
        act: Callable[[Transaction, Sequence[str], datetime], set[str]],
    ) -> list[Finding]:
        wanted = {found.key: found for found in findings if found.kind is kind and found.key is not None}
        tried: list[Finding] = []
        for keys in _batches(wanted):
            now = self._clock.earlier()
            with self._work.write() as tx:
                done = act(tx, keys, now)
                if done:
                    _note(tx, actor, now, "", kind, len(done))
            tried += [wanted[key] for key in sorted(done)]
        return tried

    def _name_orphans(self, tx: Transaction, keys: Sequence[str], now: datetime) -> set[str]:
        """Name what is a node's own and named by nobody. A reservation or a row that came meanwhile names it."""
        named = set()
        for key in keys:
            # In this order: an adoption turns a tombstone into a row, and may commit between the two looks.
            if key.startswith(PREFIXES) and not tx.tombstones.names(key) and not tx.artifacts.names_key(key):
                tx.tombstones.bury(key, artifact_id=None, reason="orphan", due_at=now)
                named.add(key)
        return named

    def _hurry(self, tx: Transaction, keys: Sequence[str], _now: datetime) -> set[str]:
        """Whoever has claimed these deletes them at most twice; the later claim is the one that counts."""
        tx.tombstones.unclaim(keys)
        return set(keys)


def _end_what_is_over(tx: Transaction, artifact: Artifact, _found: Finding, now: datetime) -> bool:
    """What the sweep would have ended, or its row has kept from being ended: the promise itself counts."""
    manifest = tx.consents.manifest(artifact.consent_id)
    raw_until = min(manifest.raw_until, artifact.raw_until or manifest.raw_until)
    if not artifact.state.held or raw_until > now:
        return False
    until = _sounds_until(tx, artifact, now)
    if until is None:
        bury_all(tx, artifact, "expired", now)
        tx.artifacts.end(artifact.id, State.REVOKED if artifact.state is State.EPHEMERAL else State.EXPIRED, now)
        tx.signal(Signal.POOL, dropped=[artifact.id])
    elif artifact.raw_key is not None:
        tx.tombstones.bury(artifact.raw_key, artifact_id=artifact.id, reason="raw expired", due_at=now)
        tx.artifacts.drop_raw(artifact.id, until)
    else:
        return False
    return True


def _drop_derivative(tx: Transaction, artifact: Artifact, found: Finding, now: datetime) -> bool:
    """Take one derivative away; where it was all that still sounded, everything ends with it."""
    manifest = tx.consents.manifest(artifact.consent_id)
    dropped = [
        made
        for made in tx.derivatives.of(artifact.id)
        if made.key == found.key and not granted(made, manifest, now) and tx.derivatives.drop_one(made)
    ]
    if not dropped:
        return False
    tx.tombstones.bury(dropped[0].key, artifact_id=artifact.id, reason="without right", due_at=now)
    until = _sounds_until(tx, artifact, now)
    if artifact.raw_lasts(now) and artifact.raw_until is not None:
        tx.artifacts.extend(artifact.id, max(artifact.raw_until, until or artifact.raw_until))
        tx.signal(Signal.POOL, derived=artifact.id)
    elif until is None:
        bury_all(tx, artifact, "without right", now)
        tx.artifacts.end(artifact.id, State.EXPIRED, now)
        tx.signal(Signal.POOL, dropped=[artifact.id])
    return True


def _clear_husk(tx: Transaction, artifact: Artifact, _found: Finding, now: datetime) -> bool:
    if artifact.state.held:
        return False
    bury_all(tx, artifact, "remains of a husk", now)
    tx.artifacts.clear_remains(artifact.id, now)
    return True


_MEND: Mapping[Wrong, Mend] = {
    Wrong.PAST: _end_what_is_over,
    Wrong.NO_RIGHT: _drop_derivative,
    Wrong.REMAINS: _clear_husk,
}


def _sounds_until(tx: Transaction, artifact: Artifact, now: datetime) -> datetime | None:
    """Until when an essence that may exist still sounds; None where there is none."""
    manifest = tx.consents.manifest(artifact.consent_id)
    return max(
        (
            min(made.until, manifest.playable_until)
            for made in tx.derivatives.of(artifact.id)
            if made.kind == SOUNDING and granted(made, manifest, now)
        ),
        default=None,
    )


def _note(tx: Transaction, actor: str, now: datetime, subject: str, kind: Wrong, count: int = 1) -> None:
    """By number only: a key would name the voice it belonged to."""
    said = {"finding": kind.value} if subject else {"finding": kind.value, "count": count}
    tx.steward.record(StewardAction(at=now, actor=actor, action="repair", subject=subject, before={}, after=said))


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), TOGETHER):
        yield ordered[start : start + TOGETHER]
