"""Which texts the steward's pages read: keys their scripts name, and keys they put together from what there can be."""

import re
from pathlib import Path

from core.domain.access import Role
from core.domain.auditing import Wrong
from core.domain.custody import Care, Closed
from core.domain.device import Activity, AudioState, Command, Permission, Standing, Surface, Trouble
from core.domain.pool.facts import Density, Lane, Mood, Rung
from core.domain.pool.weights import Factors
from core.domain.room.compose import Reason
from core.domain.room.rows import Intensity, Preset
from core.domain.room.voices import LayerKind
from core.domain.sensor import ASKS
from core.domain.steward import ACCESSIBILITY_MODES, CONTROLS, SWITCHES
from core.services.care import WANTED
from core.services.health import ROLES
from memory_ui.copy import load_copy

ROOT = Path(__file__).parents[2]
JS = ROOT / "assets" / "js"
PARTS, LEDGER = ((JS / name).read_text() for name in ("ledger_parts.js", "ledger.js"))
PARTS += (JS / "ledger_remedies.js").read_text()
OPS_SCRIPTS = ("components/ops.js", "care.js", "ledger_care.js", "ledger_sensor.js")
OPS = "\n".join((JS / name).read_text() for name in OPS_SCRIPTS)
BENCH = "\n".join(path.read_text() for path in (JS / "components" / "bench.js", *sorted(JS.glob("bench_*.js"))))
SOURCES = "\n".join(path.read_text() for folder in ("core", "memory_ui") for path in (ROOT / folder).rglob("*.py"))

ACTIONS = sorted(
    {
        *re.findall(r'action="(\w+)"', SOURCES),
        *re.findall(r'action="\w+" if .* else "(\w+)"', SOURCES),
        *re.findall(r'_note\(tx, [^"\n]*[^f]"(\w+)"', SOURCES),
        *re.findall(r'_change\(tx, artifact, "(\w+)"', SOURCES),
        *(f"{command.value}_device" for command in Command),
    }
    - {"heard", "listener"}
)
"""Everything the trail may call a change."""

TRAIL_FIELDS = (
    "topic_tag",
    "lifecycle_status",
    "prompt",
    "review",
    "flagged_at",
    "passed_at",
    "role",
    "sessions",
    "name",
    "clock",
    "closed",
    "entries",
    "remembered",
    "finding",
    "count",
)
COMPONENTS = ("database", "queue", "store", "jobs", *ROLES)
STATES = ("ok", "down", "stale", "full", "failing")
FRAMING = [name for name in CONTROLS if not name.startswith(SWITCHES)]
STEPS = {
    "open": ("kiosk", "room", "intake", "playback", "trouble"),
    "close": ("intake", "playback", "framing", "waiting"),
}
BUDGETS = re.findall(r'^        "(\w+)": BudgetFigures', (ROOT / "core/bootstrap/figures.py").read_text(), re.MULTILINE)
CHOICES = [mode for mode in ACCESSIBILITY_MODES if mode]
KEPT = ("audit", "backup", "ledger", "deletions", "clock", "reserve")
SURFACES = ("kiosk", "room", "revoke", "ops")
WHY = {
    "lane": Lane,
    "density": Density,
    "mood": Mood,
    "reason": Reason,
    "rung": Rung,
    "intensity": Intensity,
    "preset": Preset,
}
"""Choices that a voice's reasons are put into words by."""

FACTORS = [name for name in Factors.__dataclass_fields__ if name != "floor"]
GAPS = re.findall(r'^        "(\w+)": ', (ROOT / "core/domain/room/gaps.py").read_text(), re.MULTILINE)
WHY_KEYS = set(re.findall(r'"(why_\w+)"', BENCH)) | set(re.findall(r"^ +(why_\w+): ", BENCH, re.MULTILINE))
"""Keys that are named in one module and read in another."""


COMPOSED = {
    "copy['action_' + action.action]": [f"ops.action_{name}" for name in ACTIONS],
    "copy[`action_${action.action}`]": [],
    "copy['standing_' + device.standing]": [f"ops.standing_{one.value}" for one in Standing],
    "copy['surface_' + device.surface]": [f"ops.surface_{one.value}" for one in Surface],
    "copy['surface_' + surface.name]": [f"ops.surface_{name}" for name in SURFACES],
    "copy[`audio_${device.audio}`]": [f"ops.audio_{one.value}" for one in AudioState],
    "copy[`doing_${device.activity}`]": [f"ops.doing_{one.value}" for one in Activity],
    "copy[`permission_${device.permission}`]": [f"ops.permission_{one.value}" for one in Permission],
    "copy[`field_${name}`]": [f"ops.field_{name}" for name in (*CONTROLS, *TRAIL_FIELDS)],
    "copy['field_' + field.name]": [],
    "copy['field_' + name]": [],
    "copy[prefix + step.name + (step.done ? '_done' : '_todo')]": [
        f"ops.{moment}_{name}_{end}" for moment, names in STEPS.items() for name in names for end in ("done", "todo")
    ],
    'copy[value ? "said_on" : "said_off"]': ["ops.said_on", "ops.said_off"],
    "copy[remedy.name + '_act']": ["ops.clock_act", "ops.node_act"],
    "copy[remedy.name + '_yes']": ["ops.clock_yes", "ops.node_yes"],
    "copy[`node_means_${closed}`]": [f"ops.node_means_{reason.value}" for reason in Closed if reason],
    "copy['component_' + name]": [f"ops.component_{name}" for name in COMPONENTS],
    "copy['component_is_' + state]": [f"ops.component_is_{state}" for state in STATES],
    "copy['moment_' + name]": [f"ops.moment_{name}" for name in ("open", "run", "fix", "close")],
    "copy['state_' + view.state]": [f"ops.state_{name}" for name in ("ready", "degraded", "broken")],
    "copy[`choice_${choice}`]": [f"ops.choice_{choice}" for choice in (*CHOICES, "en")],
    "copy[`none_${field}`]": [
        f"ops.none_{name}"
        for name in ("mood_bias", "deployment_focus_status", "kiosk_language_code", "kiosk_accessibility_mode")
    ],
    "copy[key]": [f"ops.trouble_{one.value}" for one in Trouble],
    "copy[name + '_note']": [f"ops.{name}_note" for name in SWITCHES],
    "copy[name + '_turn_on']": [f"ops.{name}_turn_on" for name in SWITCHES],
    "copy[name + (controls[name] ? '_on' : '_off')]": [
        f"ops.{name}_{end}" for name in SWITCHES for end in ("on", "off")
    ],
    "copy[name + '_by_sensor']": [f"ops.{subject.value}_by_sensor" for subject in ASKS],
    "copy[name + (controls[name] ? '_turn_off' : '_turn_on')]": [
        f"ops.{name}_turn_{end}" for name in SWITCHES for end in ("on", "off")
    ],
    "copy[name]": [f"ops.{name}" for name in SWITCHES],
    "copy['kept_' + tile.name]": [f"ops.kept_{name}" for name in KEPT],
    "copy['kept_is_' + tile.state]": [f"ops.kept_is_{name}" for name in ("fine", "look", "wrong", "none")],
    "copy['wrong_' + one.name]": [f"ops.wrong_{kind.name.lower()}" for kind in Wrong],
    "copy['wrong_' + one.name + '_todo']": [f"ops.wrong_{kind.name.lower()}_todo" for kind in Wrong],
    "copy['care_is_' + row.kind]": [f"ops.care_is_{kind.value}" for kind in (*WANTED, Care.VERIFY)],
    "copy[`care_is_${kind}`]": [],
    "copy['care_' + row.kind]": [f"ops.care_{kind.value}" for kind in WANTED],
    "ops['component_' + beat.role]": [],
    "ops['component_' + name]": [],
    "ops['component_is_' + state]": [],
    "ops['state_' + view.state]": [],
    "ops[`asked_${command}`]": [f"ops.asked_{name}" for name in (*(one.value for one in Command), "forget")],
    "copy['balance_' + group.name]": [f"bench.balance_{name}" for name in ("lanes", "moods", "memory_colors")],
    "copy['budget_' + name]": [f"bench.budget_{name}" for name in BUDGETS],
    "copy['span_' + hours]": ["bench.span_24", "bench.span_168"],
    "copy[`mode_${take.kind}`]": ["bench.mode_ROOM", "bench.mode_FOSSIL"],
    'copy[`review_${take.review || "asked"}`]': [f"bench.review_{name}" for name in ("held", "flagged", "asked")],
    'copy[answer.data.verified_gone_at ? "removed" : "removed_waiting"]': ["bench.removed", "bench.removed_waiting"],
    "copy[list.name + '_note']": ["bench.waiting_note", "bench.takes_note"],
    "copy[step]": [f"bench.help_{step}" for step in ("find", "listen", "remove", "tell")],
    "copy[list.name]": ["bench.waiting", "bench.takes"],
    "copy[hearing === take.id ? 'listen_stop' : 'listen']": ["bench.listen", "bench.listen_stop"],
    "copy[listening ? 'live_stop' : 'live']": ["bench.live", "bench.live_stop"],
    "copy[prompt.active ? 'prompt_stop' : 'prompt_use']": ["bench.prompt_stop", "bench.prompt_use"],
    "copy[prompt.active ? 'prompt_used' : 'prompt_unused']": ["bench.prompt_used", "bench.prompt_unused"],
    "copy[`why_${kind}_${name}`]": [f"bench.why_{kind}_{one.value}" for kind, ones in WHY.items() for one in ones],
    "copy['why_factor_' + row.name]": [f"bench.why_factor_{name}" for name in FACTORS],
    "copy['why_gap_' + term.name]": [f"bench.why_gap_{name}" for name in GAPS],
    "copy['why_kind_' + voice.kind]": [f"bench.why_kind_{one.value}" for one in LayerKind],
    "copy[row.raised ? 'why_raised' : 'why_lowered']": ["bench.why_raised", "bench.why_lowered"],
    "copy[fact.name]": [],
    'copy[decision.device_id ? "why_page_gone" : "why_page_new"]': [],
    "copy[came.key]": [],
    "copy[row.name]": [f"bench.{name}" for name in WHY_KEYS],
    "copy[count === 1 ? `${unit}_ago` : `${unit}s_ago`]": [],
    'copy[minutes === 1 ? "in_minute" : "in_minutes"]': ["times.in_minute", "times.in_minutes"],
}
"""Every key a script puts together, as it is written there, and what it can come to."""

PYTHON = {
    'f"ops.wrong_{kind.name.lower()}_todo"': [],
    'f"ops.{title}"': [],
    'f"ops.{step.key}_detail"': [],
    'f"bench.chart_{key}"': [f"bench.chart_{name}" for name in ("playable", "plays", "lanes", "moods", "deletions")],
}
"""The same for what is put together in Python."""

NEXT = [
    f"ops.{name}{end}"
    for name in re.findall(r'key="(next_\w+)"', (ROOT / "memory_ui/next_step.py").read_text())
    for end in ("", "_detail")
    if f"{name}{end}" != "next_waiting_one"
] + ["ops.next_waiting_one_detail", "ops.next_waiting", "ops.next_waiting_detail"]

assert {role.value for role in Role} == {"steward", "curator"}, "the pages know two roles"
assert {"fresh", "mid", "worn"} == {lane.value for lane in Lane}
assert len(Mood) == 5


def composed_in_scripts() -> set[str]:
    """Keys put together in the steward's scripts."""
    return set(re.findall(r"(?:copy|ops)\[(?:[^\[\]]|\[[^\]]*\])+\]", PARTS + OPS + BENCH + LEDGER))


def steward_keys() -> set[str]:
    """Every key of `ops`, `bench` and `times` that something on the steward's pages reads."""
    index = re.search(r"PARTS = \[([^\]]*)\]", BENCH)
    assert index is not None
    return {
        *(f"ops.{name}" for name in re.findall(r"\bcopy\.(\w+)", PARTS + OPS)),
        *(f"ops.{name}" for name in re.findall(r"""\bt\(["'](\w+)["']""", OPS)),
        *(f"ops.{name}" for pair in re.findall(r'\bt\([^()]*\? "(\w+)" : "(\w+)"', OPS) for name in pair),
        *(f"ops.{name}" for name in re.findall(r"\bops\.(\w+)", BENCH)),
        *(f"bench.{name}" for name in re.findall(r"\bcopy\.(\w+)", BENCH)),
        *(f"bench.{name}" for name in re.findall(r'"(\w+)"', index.group(1))),
        *(f"bench.{name}" for name in re.findall(r"copy\[(\w+)\]", BENCH) if name not in ("name", "key", "step")),
        *(f"bench.{name}" for name in _listed_in_retention()),
        *(f"times.{name}" for name in re.findall(r"\bcopy\.(\w+)", LEDGER)),
        *(key for keys in (*COMPOSED.values(), *PYTHON.values()) for key in keys),
        *NEXT,
    }


def _listed_in_retention() -> list[str]:
    """Names of counts and times that are words of their own."""
    lists = re.findall(r"v-for=\"name in \[([^\]]*)\]\"", BENCH)
    return [name for each in lists for name in re.findall(r"'(\w+)'", each)]


def unknown() -> set[str]:
    """Keys the pages read that the copy does not have."""
    return steward_keys() - set(load_copy("en").texts)
