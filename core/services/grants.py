"""Signed, short-lived permissions: to fetch one sound or picture, to say a sound was heard.

A grant is a token, never a row: it names its artifact and its end, and every use reads the artifact's state anew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.ports.outside import Clock, Vault


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardGrant:
    """What an acknowledgement token says: which artifact, granted when, how long its playback lasts, which nonce."""

    artifact_id: int
    granted_at: datetime
    playback_ms: int
    nonce: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureGrant:
    """What a picture token says: whose fossil, and whether it was given to a steward."""

    artifact_id: int
    steward: bool


_PICTURE = "picture"
_STEWARDS_PICTURE = "stewards-picture"


class Grants:
    """Makes and reads grants; `valid_s` is how long one lasts."""

    def __init__(self, vault: Vault, clock: Clock, *, valid_s: int) -> None:
        self._vault = vault
        self._clock = clock
        self._valid_s = valid_s

    def media(self, artifact_id: int) -> tuple[str, datetime]:
        """A token for one artifact's sound, and when it ends."""
        return self._sign("media", artifact_id, self._valid_s)

    def media_artifact(self, token: str) -> int | None:
        """The artifact a media token opens, None for a stale or foreign one."""
        return self._read("media", token)

    def picture(self, artifact_id: int, *, steward: bool = False) -> str:
        """A token for one fossil's picture; a steward's also opens that of a take under review."""
        return self._sign(_STEWARDS_PICTURE if steward else _PICTURE, artifact_id, self._valid_s)[0]

    def pictured(self, token: str) -> PictureGrant | None:
        """What a picture token says, None for a stale or foreign one."""
        for purpose in (_PICTURE, _STEWARDS_PICTURE):
            artifact_id = self._read(purpose, token)
            if artifact_id is not None:
                return PictureGrant(artifact_id=artifact_id, steward=purpose == _STEWARDS_PICTURE)
        return None

    def feed(self, *, valid_s: int) -> str:
        """A token for the feed of fossils, which belongs to no artifact."""
        return self._sign("fossils", 0, valid_s)[0]

    def feed_lasts(self, token: str) -> bool:
        """Whether a feed token is genuine and not stale."""
        return self._read("fossils", token) is not None

    def heard(self, artifact_id: int, playback_ms: int) -> str:
        """A token to acknowledge one playback with."""
        granted_ms = int(self._clock.now().timestamp() * 1000)
        return self._vault.sign("heard", artifact_id, granted_ms, playback_ms, self._vault.random_token())

    def heard_grant(self, token: str) -> HeardGrant | None:
        """What an acknowledgement token says, None for a stale or foreign one."""
        match self._vault.read("heard", token):
            case [int(artifact_id), int(granted_ms), int(playback_ms), str(nonce)]:
                granted_at = datetime.fromtimestamp(granted_ms / 1000, UTC)
                if self._clock.now() - granted_at > timedelta(seconds=self._valid_s):
                    return None
                return HeardGrant(artifact_id=artifact_id, granted_at=granted_at, playback_ms=playback_ms, nonce=nonce)
        return None

    def _sign(self, purpose: str, artifact_id: int, valid_s: int) -> tuple[str, datetime]:
        until = self._clock.now() + timedelta(seconds=valid_s)
        return self._vault.sign(purpose, artifact_id, int(until.timestamp())), until

    def _read(self, purpose: str, token: str) -> int | None:
        match self._vault.read(purpose, token):
            case [int(artifact_id), int(until_s)] if self._clock.now().timestamp() <= until_s:
                return artifact_id
        return None
