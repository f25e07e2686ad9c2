"""Taking a voice back with its code."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain import codes
from core.domain.artifact import State
from core.domain.consent import Mode
from core.domain.custody import Early
from core.domain.receipt import Receipt, verified_gone_at
from core.domain.work import Signal
from core.errors import Conflict, NotFound
from core.ports.outside import NodeClock, Vault
from core.ports.work import Consent, UnitOfWork
from core.services.ledger import narrow
from core.services.retention import Retention, bury_all, keys_of

WAIT_S = 5.0
"""How long an answer may wait for deletions; what is not done by then is told as still being retried."""

LOOK_S = 0.05

UNKNOWN = "No offering belongs to this code."
NOTHING_TO_NARROW = "Nothing of this offering would remain that could be taken back by itself."
MISTYPED = "This code looks mistyped: it has 15 letters and digits, without 0, O, 1, I and L."


@dataclass(frozen=True, kw_only=True, slots=True)
class Revoked:
    """What was taken back; `verified_gone_at` is None while deletions are still being retried."""

    revoked_artifacts: int
    deleted: dict[str, int]
    verified_gone_at: datetime | None
    copies_gone_by: datetime


class Revocation:
    """Revoke and receipt, by code."""

    def __init__(self, work: UnitOfWork, vault: Vault, clock: NodeClock, retention: Retention) -> None:
        self._work = work
        self._vault = vault
        self._clock = clock
        self._retention = retention

    def is_typo(self, text: str) -> bool:
        """Whether this cannot be a code at all; told without asking the database."""
        try:
            codes.normalise(text)
        except codes.Typo:
            return True
        return False

    def receipt(self, text: str) -> Receipt:
        """The promise behind a code. Raises `NotFound`."""
        hashes = self._hashes(text)
        with self._work.read() as tx:
            consent = _known(tx.consents.by_code(hashes))
            artifacts = tx.artifacts.of_consent(consent.id)
            if not artifacts:
                raise NotFound(UNKNOWN)
            return Receipt(
                given=consent.given,
                manifest=consent.manifest,
                artifacts=artifacts,
                narrowed_at=consent.narrowed_at,
                withdrawn_at=consent.withdrawn_at,
                open_deletions=tx.tombstones.open_for([artifact.id for artifact in artifacts]),
            )

    def revoke(self, text: str) -> Revoked:
        """Take everything under this code back. Harmless when repeated. Raises `NotFound`."""
        hashes = self._hashes(text)
        now, due_at = self._clock.now(), self._clock.earlier()
        deleted: dict[str, int] = {}
        keys: list[str] = []
        with self._work.write() as tx:
            consent = _known(tx.consents.by_code(hashes))
            held = [artifact for artifact in tx.artifacts.lock_consent(consent.id) if artifact.state.held]
            for artifact in held:
                keys += keys_of(tx, artifact)
                for kind, count in bury_all(tx, artifact, "revoked", due_at).items():
                    deleted[kind] = deleted.get(kind, 0) + count
                tx.artifacts.end(artifact.id, State.REVOKED, now)
                tx.ended_early(Early.REVOKE, artifact, now)
            tx.consents.withdraw(consent.id, now)
            if held:
                tx.signal(Signal.POOL, dropped=[artifact.id for artifact in held])
        # The promise is already kept by what is committed; deleting now lets the answer say so.
        self._delete(keys)
        with self._work.read() as tx:
            artifacts = tx.artifacts.of_consent(consent.id)
        return Revoked(
            revoked_artifacts=len(held),
            deleted=deleted,
            verified_gone_at=verified_gone_at(artifacts),
            copies_gone_by=consent.manifest.copies_gone_by(now),
        )

    def narrow(self, text: str) -> Receipt:
        """Take back what a fossil would leave, and only that. Harmless when repeated.

        Raises `NotFound`, and `Conflict` where nothing is left that could be narrowed.
        """
        hashes = self._hashes(text)
        now, certain = self._clock.now(), self._clock.earlier()
        keys: list[str] = []
        with self._work.write() as tx:
            consent = _known(tx.consents.by_code(hashes))
            held = [artifact for artifact in tx.artifacts.lock_consent(consent.id) if artifact.state.held]
            if consent.given.mode is not Mode.FOSSIL or (not held and consent.narrowed_at is None):
                raise Conflict(NOTHING_TO_NARROW)
            for artifact in held:
                made = keys_of(tx, artifact)
                if narrow(tx, artifact, now, certain):
                    keys += made
                    tx.ended_early(Early.NARROW, artifact, now)
        self._delete(keys)
        return self.receipt(text)

    def _delete(self, keys: Sequence[str]) -> None:
        """Have these deleted; one that another sweep came upon first is waited for."""
        ends_at = time.monotonic() + WAIT_S
        while True:
            # Again each time: what another sweep had locked, or gave back, was passed over by the one before.
            self._retention.sweep(keys=keys, most_s=WAIT_S)
            with self._work.read() as tx:
                if not tx.tombstones.untried(keys) or time.monotonic() > ends_at:
                    return
            time.sleep(LOOK_S)

    def _hashes(self, text: str) -> list[str]:
        try:
            return self._vault.code_hashes(codes.normalise(text))
        except codes.Typo as error:
            raise NotFound(MISTYPED) from error


def _known(consent: Consent | None) -> Consent:
    if consent is None:
        raise NotFound(UNKNOWN)
    return consent
