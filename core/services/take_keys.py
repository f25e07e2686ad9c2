"""Keys of takes that a kiosk holds on its disk: without one, what lies there is noise.

A kiosk asks for a key before it records, and writes nothing that is not encrypted under it. The key is held here and
nowhere else: a page that was loaded anew asks for it again by a secret that lies with the take. Dropping the key
destroys the take, wherever its bytes still lie and whether or not anybody can reach them.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from core.errors import NotFound
from core.ports.outside import NodeClock, Vault
from core.ports.work import TakeKey, UnitOfWork

KEY_BYTES = 32
SECRET_BYTES = 24
SECRET_SIGNS = 64
STATION_MOST = 8
"""Keys that one station may have at a time; of more, the oldest go."""

PURPOSE = "take key"


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldKey:
    """What a kiosk is given: `take` is what it asks by, `key` 32 bytes."""

    take: str
    key: bytes


class TakeKeys:
    """Gives, gives again and destroys the keys of takes that are still the participant's alone."""

    def __init__(self, work: UnitOfWork, clock: NodeClock, vault: Vault, *, held_for: timedelta) -> None:
        """Hold a key for `held_for` from the last time it was asked for."""
        self._work = work
        self._clock = clock
        self._vault = vault
        self._held_for = held_for

    def begin(self, station: str) -> HeldKey:
        """A new key for a take that is about to be recorded at a station."""
        held = HeldKey(take=secrets.token_urlsafe(SECRET_BYTES), key=secrets.token_bytes(KEY_BYTES))
        now = self._clock.now()
        with self._work.write() as tx:
            tx.take_keys.prune(now)
            tx.take_keys.add(TakeKey(id=self._id(held.take), key=held.key, station=station, until=now + self._held_for))
            tx.take_keys.keep_newest(station, STATION_MOST)
        return held

    def again(self, take: str) -> HeldKey:
        """The key of a take that is being resumed, held anew from now on. Raises `NotFound`."""
        now = self._clock.now()
        with self._work.write() as tx:
            found = tx.take_keys.get(self._id(take), now)
            if found is None:
                raise NotFound("No key is held for this take.")
            tx.take_keys.prolong(found.id, now + self._held_for)
        return HeldKey(take=take, key=found.key)

    def destroy(self, take: str) -> bool:
        """End a take on whatever disk it lies; False where there was no key any more."""
        with self._work.write() as tx:
            return tx.take_keys.drop(self._id(take))

    def _id(self, take: str) -> str:
        return self._vault.digest(PURPOSE, take)
