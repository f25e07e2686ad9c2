"""Warnings in words: section `warnings` of the copy, a title and one remedy for each name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.adapters.copy import Copy
from core.domain.warnings import NodeWarning
from core.ports.messages import Wording


def in_words(warning: NodeWarning, copy: Copy) -> Wording:
    """Title and remedy; times are those of the node's place. What may have several reasons has a remedy for each."""
    name = warning.name.value
    if "reason" in warning.params:
        name = f"{name}_{warning.params['reason']}"
    title = f"{name}_until" if warning.params.get("until") is not None else name
    params = _plain(warning.params)
    return Wording(
        level=warning.level.value,
        title=copy.t(f"warnings.{title}", **params),
        detail=copy.t(f"warnings.{name}_detail", **params),
    )


def _plain(params: Mapping[str, Any]) -> dict[str, str]:
    return {name.removesuffix("_bytes"): _said(name, value) for name, value in params.items() if value is not None}


def _said(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return _moment(name, value.astimezone())
    if name.endswith("_bytes"):
        return f"{value / 1e9:.1f}"
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def _moment(name: str, local: datetime) -> str:
    if name.endswith("_day"):
        return f"{local.day} {local:%B %Y}"
    # Of two clocks that disagree the day matters first.
    return f"{local.day} {local:%B %Y, %H:%M}" if name.endswith("_now") else f"{local:%H:%M}"
