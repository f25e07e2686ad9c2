"""What the routes declare of their answers besides the good one."""

from typing import Any

from pydantic import BaseModel


class Refusal(BaseModel):
    """One clear sentence."""

    error: str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these."""
    return {status: {"model": Refusal} for status in statuses}
