"""Budgets per station and per address, on the `limits` library."""

import math
import time
from dataclasses import dataclass
from threading import Lock

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage, Storage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from core.errors import OverBudget
from core.ports.outside import Budget, Throttle

Scope = tuple[RateLimitItem, str]

DENIALS = RateLimitItemPerSecond(1000, 3600)
"""How many refusals of one kind are counted, and for how long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetFigures:
    """Requests in a window for a station and for an address, and the sentence said when one is used up."""

    per_station: int
    per_address: int
    message: str
    window_s: int = 3600


class WindowBudgets:
    """See `core.ports.outside.Budgets`. Fixed windows, so that a reset time can be told."""

    def __init__(self, kinds: dict[str, BudgetFigures], *, low_share: float, storage: Storage | None = None) -> None:
        self._kinds = kinds
        self._low_share = low_share
        self._counting = Lock()
        storage = storage or MemoryStorage()
        self._limiter = FixedWindowRateLimiter(storage)
        self._denials = MovingWindowRateLimiter(storage)

    def spend(self, kind: str, *, client: str, address: str) -> None:
        """Count against both budgets, or refuse; many at once never pass a limit together."""
        with self._counting:
            self.check(kind, client=client, address=address)
            for item, scope in self._scopes(kind, client, address):
                # Another process may have counted since the check: the hit itself has the last word.
                if not self._limiter.hit(item, scope):
                    raise self._denied(kind, item, scope)

    def check(self, kind: str, *, client: str, address: str) -> None:
        """Raise `OverBudget` where either budget is used up; counts nothing."""
        for item, scope in self._scopes(kind, client, address):
            if not self._limiter.test(item, scope):
                raise self._denied(kind, item, scope)

    def snapshot(self, kind: str, *, client: str, address: str) -> tuple[Budget, Budget]:
        """Both budgets, counting nothing."""
        station, place = self._scopes(kind, client, address)
        return self._budget(*station), self._budget(*place)

    def denials(self, kind: str) -> int:
        """Refusals within the last hour, up to `DENIALS`; never whose."""
        remaining: int = self._denials.get_window_stats(DENIALS, f"{kind}:denied").remaining
        return DENIALS.amount - remaining

    def throttles(self) -> dict[str, Throttle]:
        """Every kind and its refusals."""
        return {
            kind: Throttle(
                per_station=figures.per_station,
                per_address=figures.per_address,
                window_seconds=figures.window_s,
                denied_last_hour=self.denials(kind),
            )
            for kind, figures in self._kinds.items()
        }

    def _denied(self, kind: str, item: RateLimitItem, scope: str) -> OverBudget:
        """Count a refusal by its kind alone, and say when to come back."""
        self._denials.hit(DENIALS, f"{kind}:denied")
        return OverBudget(self._kinds[kind].message, retry_after_s=self._reset_s(item, scope))

    def _scopes(self, kind: str, client: str, address: str) -> tuple[Scope, Scope]:
        figures = self._kinds[kind]
        return (
            (RateLimitItemPerSecond(figures.per_station, figures.window_s), f"{kind}:station:{client}"),
            (RateLimitItemPerSecond(figures.per_address, figures.window_s), f"{kind}:address:{address}"),
        )

    def _budget(self, item: RateLimitItem, scope: str) -> Budget:
        remaining = max(0, self._limiter.get_window_stats(item, scope).remaining)
        return Budget(
            rate=f"{item.amount}/{item.get_expiry()}s",
            limit=item.amount,
            used=item.amount - remaining,
            remaining=remaining,
            window_seconds=item.get_expiry(),
            reset_in_seconds=self._reset_s(item, scope),
            low=remaining <= item.amount * self._low_share,
            exhausted=remaining == 0,
        )

    def _reset_s(self, item: RateLimitItem, scope: str) -> int:
        reset_at = self._limiter.get_window_stats(item, scope).reset_time
        return min(item.get_expiry(), max(1, math.ceil(reset_at - time.time())))
