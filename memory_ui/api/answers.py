"""What addresses may answer besides what they were asked for, as it is published."""

from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel, Field

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time, ISO 8601 in UTC."""

_WHEN = {
    400: "Something is not what this address takes; nothing was changed.",
    403: "No live session of a steward, or one that may only look, or a request from another site.",
    404: "There is nothing of this name, or no longer.",
    409: "What this is about has ended, or was changed meanwhile.",
    410: "What was stored under this key has been removed.",
    413: "More than this address takes.",
    415: "Not of the type this address takes.",
    416: "The range lies beyond the end.",
    423: "Nothing is taken in: intake is paused, the node in maintenance or closed, or its clock in doubt.",
    429: "Over budget; `Retry-After` says when to come back.",
    503: "The store or the database does not answer; trying again is safe.",
    507: "The disk reserve is reached.",
}
_NOBODY = "The store or the database does not answer, or no steward can sign in."
_HEADERS = {
    416: {"Content-Range": {"description": "How long it is: `bytes */` and a number.", "schema": {"type": "string"}}},
    429: {
        "Retry-After": {
            "description": "Seconds until it may be tried again.",
            "required": True,
            "schema": {"type": "integer", "minimum": 0},
        }
    },
}
_BYTES = {"schema": {"type": "string", "format": "binary"}}

Responses = dict[int | str, dict[str, Any]]


class Problem(BaseModel):
    """One clear sentence."""

    error: str


class Done(BaseModel):
    """It is done."""

    ok: bool = True


def _told(status: int) -> dict[str, Any]:
    headers = _HEADERS.get(status)
    return {"description": _WHEN[status], **({"headers": headers} if headers is not None else {})}


def refusals(*statuses: int) -> Responses:
    """The refusals of an address, for its `responses`."""
    return {status: {"model": Problem, **_told(status)} for status in statuses}


def pages(*statuses: int) -> Responses:
    """The same for an address that answers with pages."""
    return {status: {"content": {"text/html": {}}, **_told(status)} for status in statuses}


def stewards(*statuses: int) -> Responses:
    """The refusals of an address that needs a session."""
    found = refusals(403, *statuses, 503)
    found[503]["description"] = _NOBODY
    return found


def answers(model: Any, description: str, *, status: int = 200) -> Responses:
    """What an address says that builds its answer by hand."""
    return {status: {"model": model, "description": description}}


def binary(media_type: str, *statuses: int) -> Responses:
    """An address that answers with bytes."""
    return {200: {"content": {media_type: _BYTES}, "description": "The bytes."}, **refusals(*statuses)}


def ranged(media_type: str, *statuses: int) -> Responses:
    """The same where a part may be asked for."""
    length = {"description": "Which bytes of how many.", "required": True, "schema": {"type": "string"}}
    part = {
        "content": {media_type: _BYTES},
        "description": "The part that was asked for.",
        "headers": {"Content-Range": length},
    }
    return {**binary(media_type, *statuses, 416), 206: part}


def parameter(name: str, place: str, description: str, *, most: int | None = None) -> dict[str, Any]:
    """A text that a route reads from the request itself, so that the framework does not know of it."""
    schema: dict[str, Any] = {"type": "string"} if most is None else {"type": "string", "maxLength": most}
    return {"name": name, "in": place, "required": False, "description": description, "schema": schema}


RangeOf = Annotated[
    str | None, Header(alias="Range", description="One range of bytes; anything else sends everything.")
]
"""The part of a sound that is asked for."""

LOOKING = stewards()
"""What everything that needs a session may answer."""

ASKING = stewards(400)
"""The same for what is asked with a query."""

CHANGING = stewards(400, 404, 413)
"""The same for what changes one thing."""

CLASHING = stewards(400, 404, 409, 413)
"""The same where it may not be the moment for it."""
