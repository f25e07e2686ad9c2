"""How loud a take is played: every voice at one level, and never near full scale."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelFigures:
    """The room's level in LUFS, the ceiling of true peaks in dBTP, and the most a quiet take is lifted by, in dB."""

    target_lufs: float
    ceiling_dbtp: float
    lift_most_db: float


def playback_level(lufs: float | None, peak_dbtp: float | None, figures: LevelFigures) -> float:
    """The linear gain that brings a measured take to the level; None stands for silence, which stays as it is."""
    if lufs is None or peak_dbtp is None:
        return 1.0
    wanted_db = min(figures.target_lufs - lufs, figures.ceiling_dbtp - peak_dbtp, figures.lift_most_db)
    return float(10.0 ** (wanted_db / 20.0))
