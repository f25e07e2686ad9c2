"""The live posture of a node: what a steward may change while the room runs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StewardState:
    """One row for the whole node; `version` grows with every change."""

    intake_paused: bool = False
    playback_paused: bool = False
    quieter_mode: bool = False
    maintenance_mode: bool = False
    mood_bias: str = ""
    kiosk_language_code: str = ""
    kiosk_accessibility_mode: str = ""
    kiosk_force_reduced_motion: bool = False
    kiosk_max_recording_seconds: int
    session_theme_title: str = ""
    session_theme_prompt: str = ""
    deployment_focus_topic: str = ""
    deployment_focus_status: str = ""
    updated_at: datetime
    version: int = 1

    @property
    def takes_in(self) -> bool:
        """Whether a new take may be accepted."""
        return not (self.intake_paused or self.maintenance_mode)

    @property
    def plays(self) -> bool:
        """Whether the room may sound."""
        return not (self.playback_paused or self.maintenance_mode)


SWITCHES = ("intake_paused", "playback_paused", "quieter_mode", "maintenance_mode")
"""The fields a steward turns on and off from `/ops/`."""
