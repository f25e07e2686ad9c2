"""What addresses may answer besides what they were asked for, as it is published."""

from typing import Any

from pydantic import BaseModel

_WHEN = {
    400: "A field is not what this address takes; nothing was changed.",
    403: "No live session of a steward, or one that may only look.",
    404: "There is nothing of this name, or no longer.",
    409: "What this is about has ended, or was changed meanwhile.",
    413: "More than this address takes.",
    416: "The range lies beyond the end.",
    429: "Over budget; `Retry-After` says when to come back.",
    503: "The store or the database does not answer, or no steward can sign in.",
}


class Problem(BaseModel):
    """One clear sentence."""

    error: str


class Done(BaseModel):
    """It is done."""

    ok: bool = True


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an address, for its `responses`."""
    return {status: {"model": Problem, "description": _WHEN[status]} for status in statuses}


def binary(media_type: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for an address that answers with bytes."""
    return {200: {"content": {media_type: {}}, "description": "The bytes."}, **refusals(*statuses)}


LOOKING = refusals(403, 503)
"""What everything that needs a session may answer."""

ASKING = refusals(400, 403, 503)
"""The same for what is asked with a query."""

CHANGING = refusals(400, 403, 404, 413, 503)
"""The same for what changes one thing."""

CLASHING = refusals(400, 403, 404, 409, 413, 503)
"""The same where it may not be the moment for it."""
