"""Everything that can go wrong and that a caller may be told about.

    MemoryEngineError             status 500, the root; its message is one clear sentence
    |- Refused                    4xx: the request cannot be carried out, nothing was changed
    |  |- BadField                400  a field or query value is not what the contract says
    |  |- BadTake                 400  the WAV is damaged or not of the accepted shape
    |  |- Forbidden               403  no live steward session, wrong secret, foreign origin
    |  |- NotFound                404  unknown, ended, stale, or for another purpose
    |  |- Conflict                409  the same idempotency key with other bytes, a stale version
    |  |- Gone                    410  the take this key once stored was removed
    |  |- BadArchive              422  a copy of a node is damaged, or not openable with this key
    |  |- TakeTooLarge            413  more bytes or seconds than the node accepts
    |  |- NotWav                  415  not a WAV file at all, or not multipart
    |  |- Paused                  423  intake is paused, or the node is in maintenance
    |  |- OverBudget              429  carries `retry_after_s`
    |  `- DiskReserve             507  the disk reserve is reached
    |- Unavailable                503  a store or database does not answer; try again
    |- StoreMissing               404  the object store has no such key
    `- Misconfigured              500  settings that cannot work; carries every complaint at once

Messages are written for the person who reads them; details of the inside stay in `__cause__`.
"""


class MemoryEngineError(Exception):
    """Root of the tree; `status` is the HTTP status a surface answers with."""

    status = 500

    def __init__(self, message: str = "Something went wrong here.") -> None:
        super().__init__(message)
        self.message = message


class Refused(MemoryEngineError):
    """The request cannot be carried out and changed nothing."""

    status = 400


class BadField(Refused):
    """A field or query value is not what the contract says."""


class BadTake(Refused):
    """The WAV is damaged or not of the accepted shape."""


class Forbidden(Refused):
    """No live steward session, a wrong secret, or a foreign origin."""

    status = 403


class NotFound(Refused):
    """Unknown, ended, stale, or made for another purpose."""

    status = 404


class Conflict(Refused):
    """The same key for other content, or a stale version."""

    status = 409


class Gone(Refused):
    """What this key once stored has been removed."""

    status = 410


class BadArchive(Refused):
    """A copy of a node that is damaged, of an unknown format, or opened with the wrong key."""

    status = 422


class TakeTooLarge(Refused):
    """More bytes or seconds than this node accepts."""

    status = 413


class NotWav(Refused):
    """Not a WAV file, or not a multipart form."""

    status = 415


class Paused(Refused):
    """Intake is paused or the node is in maintenance."""

    status = 423


class OverBudget(Refused):
    """Too many requests from one place; `retry_after_s` says when to come back."""

    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DiskReserve(Refused):
    """The disk reserve kept for playback and revocation is reached."""

    status = 507


class Unavailable(MemoryEngineError):
    """A store or the database does not answer; nothing is half done, trying again is safe."""

    status = 503


class StoreMissing(MemoryEngineError):
    """The object store has no such key."""

    status = 404


class Misconfigured(MemoryEngineError):
    """Settings that cannot work; `complaints` lists everything wrong at once."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("; ".join(complaints))
        self.complaints = complaints
