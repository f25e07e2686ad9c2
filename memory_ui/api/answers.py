"""What routes may answer besides what they are asked for, as they declare it."""

from typing import Any

from pydantic import BaseModel

from core.errors import BadField, Conflict, Forbidden, MemoryEngineError, NotFound, TakeTooLarge, Unavailable

Answers = dict[int | str, dict[str, Any]]


class Problem(BaseModel):
    """Why a request was refused, in one sentence."""

    error: str


class Done(BaseModel):
    """It was done."""

    ok: bool = True


def refusals(*kinds: type[MemoryEngineError]) -> Answers:
    """Declares refusals by the errors behind them."""
    return {kind.status: {"model": Problem, "description": (kind.__doc__ or "").splitlines()[0]} for kind in kinds}


LOOKING = refusals(Forbidden, Unavailable)
"""What everything that needs a session may answer."""

ASKING = {**LOOKING, **refusals(BadField)}
"""The same for what is asked with a query."""

CHANGING = refusals(Forbidden, Unavailable, NotFound, BadField)
"""The same for what changes one thing."""

CLASHING = {**CHANGING, **refusals(Conflict, TakeTooLarge)}
"""The same where it may not be the moment for it."""
