"""What is held against a kiosk and its node, once a visit or all of them are over."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import correlate

from core.bootstrap import build
from core.domain.consent import Mode
from core.services.audit import AuditReport
from core.settings import load_settings
from tests.browser.conftest import Node, read_wav
from tests.browser.safety import LOST_S, held_against
from tests.kiosk.plans import Plan, What, Where
from tests.kiosk.visit import Visit

LOUD = 0.015
"""What is quieter may be cut from both ends of a take; see [take] in audio.toml."""
FADE_S = 0.05
ALIGN_S = 1.0
STRETCH_S = 0.1
ALIKE = 0.99
UNLIKE = 2
"""Stretches of a take that a crash may cost, beside those where the made-up microphone stumbled."""


@dataclass(kw_only=True, slots=True)
class Round:
    """A visit and what was found of it; `missing_s` and what follows of a take that arrived.

    `unlike` counts its stretches that hold another voice than was spoken, `stumbled` those of what the microphone gave:
    a made-up one stumbles on a busy machine.
    """

    plan: Plan
    ended: str
    takes: list[int]
    missing_s: float | None
    spoken_s: float
    voiced: int
    unlike: int
    stumbled: int
    code_opens: bool
    found: list[str]
    searches: int
    lies_there: bool
    key_held: bool
    took_s: float

    @property
    def saved(self) -> bool:
        return self.plan.mode is not Mode.NOSAVE

    @property
    def complete(self) -> bool:
        return self.missing_s is not None and self.missing_s <= LOST_S

    @property
    def gone_with_its_page(self) -> bool:
        """A one-time take is on no disk once it was chosen: it ends with the browser that holds it, as was promised."""
        plan = self.plan
        once = plan.mode is Mode.NOSAVE and plan.what is What.BROWSER
        return once and self.ended == "idle" and (plan.where is Where.SENDING or plan.chosen)

    @property
    def wrong(self) -> list[str]:
        """Every sentence about something that should not be."""
        complaints = self._of_a_saved_take() if self.saved else self._of_a_one_time_take()
        if self.found:
            complaints.append(f"it could be read in the profile: {', '.join(self.found)}")
        if self.lies_there:
            complaints.append("something was left on the disk")
        if self.key_held and not self.gone_with_its_page:
            complaints.append("the node still holds its key")
        plan = self.plan
        return [f"round {plan.number} ({plan.where}, {plan.what}, {plan.mode}): {one}" for one in complaints]

    def _of_a_saved_take(self) -> list[str]:
        if self.ended != "kept":
            return [f"it ended in {self.ended}, with {len(self.takes)} takes in the room"]
        if len(self.takes) != 1:
            return [f"{len(self.takes)} takes in the room"]
        complaints = [] if self.code_opens else ["the code on the screen does not open it"]
        if not self.complete:
            complaints.append(f"{self.missing_s} s of {self.spoken_s} s are missing")
        if self.unlike > self.stumbled + UNLIKE:
            complaints.append(f"{self.unlike} of {self.voiced} stretches are not what was spoken")
        return complaints

    def _of_a_one_time_take(self) -> list[str]:
        if self.takes:
            return [f"{len(self.takes)} takes in the room"]
        return [] if self.ended == "heard" or self.gone_with_its_page else [f"it ended in {self.ended}"]


def judged(plan: Plan, visit: Visit, node: Node, voice: Path, after: int, took_s: float) -> Round:
    """A visit, with the take it left; `after` is the newest artifact before it."""
    takes = kept(node, after)
    found = Round(
        plan=plan,
        ended=visit.ended,
        takes=[number for number, _ in takes],
        missing_s=None,
        spoken_s=0.0,
        voiced=0,
        unlike=0,
        stumbled=0,
        code_opens=visit.code_of is not None and visit.code_of == takes[0][0] if takes else False,
        found=visit.found,
        searches=visit.searches,
        lies_there=visit.lies_there,
        key_held=visit.key_held,
        took_s=round(took_s, 1),
    )
    if takes and len(visit.spoken):
        stored, rate_hz = read_wav(takes[0][1])
        found.spoken_s = round(len(visit.spoken) / rate_hz, 2)
        found.missing_s = round(missing_s(visit.spoken, stored, rate_hz), 3)
        start = max(0, began_at(visit.spoken, stored, rate_hz))
        heard = held_against(stored, rate_hz, voice)
        found.voiced, found.unlike = heard.voiced, heard.unlike
        found.stumbled = held_against(visit.spoken[start : start + len(stored)], rate_hz, voice).unlike
    return found


def newest(node: Node) -> int:
    """The id of the newest artifact; 0 before the first."""
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        found: int | None = database.execute("SELECT max(id) FROM artifact").fetchone()[0]
    return found or 0


def kept(node: Node, after: int) -> list[tuple[int, Path]]:
    """The takes in the room that came after an artifact, and where they lie."""
    with sqlite3.connect(node.data_dir / "data" / "memory.db") as database:
        rows = database.execute(
            "SELECT id, raw_key FROM artifact WHERE id > ? AND state = 'ACTIVE' ORDER BY id", (after,)
        ).fetchall()
    return [(number, node.data_dir / "data" / "sounds" / key) for number, key in rows]


def missing_s(spoken: np.ndarray, stored: np.ndarray, rate_hz: int) -> float:
    """How much of what a microphone gave is not in a take: what is loud before and after it, and what differs."""
    fade, step = round(FADE_S * rate_hz), round(STRETCH_S * rate_hz)
    start = began_at(spoken, stored, rate_hz)
    loud = np.flatnonzero(np.abs(spoken) > LOUD)
    lost = 0
    if len(loud):
        lost += max(0, start - int(loud[0])) + max(0, int(loud[-1]) - (start + len(stored)))
    begin, end = max(0, start) + fade, min(len(spoken), start + len(stored)) - fade
    for at in range(begin, end - step, step):
        lost += step * (not _alike(spoken[at : at + step], stored[at - start : at - start + step]))
    return lost / rate_hz


def began_at(spoken: np.ndarray, stored: np.ndarray, rate_hz: int) -> int:
    """The sample of what a microphone gave at which a take begins."""
    fade = round(FADE_S * rate_hz)
    pattern = stored[fade : fade + round(ALIGN_S * rate_hz)]
    return int(np.argmax(correlate(spoken, pattern, mode="valid", method="fft"))) - fade


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    if max(np.max(np.abs(one)), np.max(np.abs(other))) < LOUD:
        return True
    size = np.sqrt(np.sum(one**2.0) * np.sum(other**2.0))
    return bool(size > 0 and np.sum(one * other) / size > ALIKE)


def audit(node: Node) -> AuditReport:
    """What the node itself says of database, store and ledger, once it has stopped."""
    with closing(build(load_settings(MEMORY_DATA_DIR=node.data_dir / "data"))) as system:
        return system.audit.run()
