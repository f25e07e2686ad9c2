"""What lies outside the database: bytes, time, secrets, budgets, the pool, the disk."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from core.domain.clocks import Doubt
from core.domain.pool.choose import Choice
from core.domain.pool.facts import Wish
from core.domain.pool.looked import Looked
from core.ports.work import Transaction


class ByteStore(Protocol):
    """Objects under keys. Raises `StoreMissing` for an unknown key, `Unavailable` when the store does not answer."""

    def put(self, key: str, stream: BinaryIO, size_bytes: int) -> None:
        """Store durably: when this returns, the bytes survive a power cut."""

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """A readable stream over `length` bytes from `start`; the caller closes it."""

    def size(self, key: str) -> int | None:
        """Size in bytes, or None where the key is verifiably absent."""

    def delete(self, key: str) -> None:
        """Remove; deleting an absent key is not an error."""

    def check(self) -> None:
        """Raise `Unavailable` where the store does not answer; cheap enough for every health check."""

    def keys(self, prefix: str = "", *, whole: bool = False) -> Iterator[str]:
        """Every key below a prefix, for audits; with `whole` without those a put that was killed has half written."""


class Clock(Protocol):
    """The node's time."""

    def now(self) -> datetime:
        """Aware UTC."""


class NodeClock(Clock, Protocol):
    """The node's time, which may be in doubt: `now` is what rights are measured by, the later of two clocks then."""

    def earlier(self) -> datetime:
        """What has passed for certain: nothing is destroyed by any other time. Equal to `now` without a doubt."""

    def doubt(self) -> Doubt | None:
        """Why the clock is not believed, None while it is."""


class ClockDrift(Protocol):
    """This machine's clock against one that nobody can set."""

    def moved_s(self) -> float:
        """How many seconds the clock has gained since this process began, beyond those that have passed."""

    def up_s(self) -> float:
        """How many have passed since then."""


class Vault(Protocol):
    """Everything that needs a secret key."""

    def code_hashes(self, signs: str) -> list[str]:
        """Keyed hashes of a normalised code, current key first, then previous ones."""

    def subject_hashes(self, public_id: str) -> list[str]:
        """Keyed hashes of an artifact's public id, for the ledger; current key first, then previous ones."""

    def secrets(self) -> dict[str, Any]:
        """Every key, for an encrypted copy of the node."""

    @property
    def code_key_id(self) -> str:
        """Name of the current code key."""

    def digest(self, purpose: str, text: str) -> str:
        """Keyed hash for a purpose (client keys, one-time tokens); hex."""

    def sign(self, purpose: str, *values: str | int) -> str:
        """An opaque URL-safe token for a purpose."""

    def read(self, purpose: str, token: str) -> list[str | int] | None:
        """The values of a token signed for this very purpose, else None."""

    def seal(self, client_key: str, text: str) -> str:
        """Encrypt an answer so that only the holder of `client_key` can read it back."""

    def unseal(self, client_key: str, sealed: str) -> str | None:
        """The inverse of `seal`; None where the key is another."""

    def random_token(self) -> str:
        """At least 128 random bits, URL-safe."""

    def rng(self) -> random.Random:
        """A cryptographic generator with the interface of `random.Random`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What is left of one budget."""

    rate: str
    limit: int
    used: int
    remaining: int
    window_seconds: int
    reset_in_seconds: int
    low: bool
    exhausted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttle:
    """One kind of budget: how much it allows, and how often it has refused."""

    per_station: int
    per_address: int
    window_seconds: int
    denied_last_hour: int


class Budgets(Protocol):
    """Per-station and per-address budgets."""

    def spend(self, kind: str, *, client: str, address: str) -> None:
        """Count one request; raises `OverBudget` where either budget is used up."""

    def check(self, kind: str, *, client: str, address: str) -> None:
        """Raise `OverBudget` as `spend` would, counting nothing."""

    def snapshot(self, kind: str, *, client: str, address: str) -> tuple[Budget, Budget]:
        """(station, address) as they stand, counting nothing."""

    def denials(self, kind: str) -> int:
        """How many requests were refused within the last hour; never whose."""

    def throttles(self) -> dict[str, "Throttle"]:
        """Every kind of budget, and how often it has refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolAnswer:
    """A choice, the size of the pool it came from, and what was looked at to find it."""

    choice: Choice
    pool_size: int
    looked: Looked


class Pool(Protocol):
    """Draws one playable artifact by the specification `core.domain.pool.choose`, as a transaction sees the archive."""

    def draw(self, tx: Transaction, wish: Wish, now: datetime, rng: random.Random) -> PoolAnswer | None: ...


class Disk(Protocol):
    """The disk under the data folder."""

    def free_bytes(self) -> int: ...
    def total_bytes(self) -> int: ...
