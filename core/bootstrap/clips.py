"""Spoken clips: where they lie, and who speaks them."""

from importlib.resources import files
from pathlib import Path

from core.adapters.clips import FolderClips
from core.adapters.copy import load_copy
from core.adapters.espeak import Espeak
from core.domain.clips import ClipFigures, Say
from core.services.clips import ClipService
from core.settings import Settings

SHIPPED = Path(str(files("assets"))) / "clips"
OWN = "clips"
"""The node's own, in its data folder."""


def clip_service(settings: Settings, data_dir: Path) -> ClipService:
    """Of a node."""
    return ClipService(
        FolderClips(data_dir / OWN), FolderClips(SHIPPED), Espeak(), say=say_in, figures=clip_figures(settings)
    )


def clip_figures(settings: Settings) -> ClipFigures:
    """The lengths of time that clips name."""
    return ClipFigures(
        room_hours=settings.RAW_TTL_HOURS_ROOM,
        fossil_hours=settings.RAW_TTL_HOURS_FOSSIL,
        fossil_days=settings.DERIVATIVE_TTL_DAYS_FOSSIL,
        backup_days=settings.BACKUP_DAYS,
    )


def say_in(language: str) -> Say:
    """The texts of a language, as they are heard."""
    return load_copy(language).heard
