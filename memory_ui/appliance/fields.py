"""What a setting takes, in words: read off its field, so that reference and command line say the same."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic.fields import FieldInfo

from core.settings import OneOf

KINDS: dict[Any, str] = {
    bool: "`true`, `false`",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "folder",
    Path | None: "file",
}


def shape(field: FieldInfo) -> str:
    """What values a field takes, in words."""
    if found := choices(field):
        return ", ".join(f"`{choice}`" for choice in found)
    kind = KINDS[field.annotation if field.annotation in KINDS else _plain(field.annotation)]
    bounds = [words for mark in _marks(field) if (words := _bound(mark))]
    return " ".join([kind, *bounds])


def choices(field: FieldInfo) -> tuple[str, ...]:
    """What may be chosen from; nothing for a field without a closed choice."""
    if get_origin(field.annotation) is Literal:
        return get_args(field.annotation)
    return next((mark.choices for mark in _marks(field) if isinstance(mark, OneOf)), ())


def default(field: FieldInfo) -> str:
    """The default as it would be written in an environment."""
    return written(field.default)


def written(value: Any) -> str:
    """A value as it would be written in an environment."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_args(annotation) else annotation


def _marks(field: FieldInfo) -> list[Any]:
    nested = [part for mark in field.metadata for part in getattr(mark, "metadata", [mark])]
    return nested or list(field.metadata)


def _bound(mark: Any) -> str:
    match mark:
        case Ge():
            return f"from {mark.ge}"
        case Gt():
            return f"above {mark.gt}"
        case Le():
            return f"to {mark.le}"
        case Lt():
            return f"below {mark.lt}"
        case MaxLen():
            return f"of at most {mark.max_length} signs"
    return ""
