"""Every state in which a visitor can meet the kiosk, by name, and an open kiosk that is shown in any of them.

A take is recorded once, for real, and its receipt got from the node; from then on only the component's state is changed
(kiosk_states.js). Whatever stewards write is there: a theme, a prompt, topics, words of their own.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
import httpx
from playwright.sync_api import Page

from core.adapters.catalogs import plain
from core.audio.wav import write
from memory_ui.copy import languages
from tests.browser.conftest import Node, Visit, read_wav, record

SCRIPT = (Path(__file__).parent / "kiosk_states.js").read_text()
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
THEMES = ("", "high_contrast")
SPOKEN_S = 3
CLOSED_WORDS = {
    "en": "The lamp above the table is being changed. Back at four.",
    "es": "Se está cambiando la lámpara de la mesa. Volvemos a las cuatro.",
    "de": "Die Lampe über dem Tisch wird ausgewechselt. Ab vier Uhr geht es weiter.",
    "fr": "On change la lampe au-dessus de la table. Retour à quatre heures.",
    "pt-BR": "A lâmpada sobre a mesa está sendo trocada. Voltamos às quatro.",
    "ja": "机の上の照明を取り替えています。四時に再開します。",
    "ar": "يجري تبديل المصباح فوق الطاولة. نعود في الرابعة.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One state; the mappings hold what differs from a kiosk before which all is well."""

    name: str
    stage: str
    after_s: float = 1
    """Since the stage began."""
    untouched_s: float = 1
    """Since the last sign of life."""
    alone_s: float = 0
    """Since anybody was there at all, by the page's own clock."""
    state: Mapping[str, Any] = field(default_factory=dict)
    flaw: str = ""
    kept_part: tuple[float, float] | None = None
    """Where the take was cut, as shares of its length."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    says: Mapping[str, Any] = field(default_factory=dict)
    """What the component itself has come to know: what is heard, whether the link is up, who is called."""
    written: tuple[str, ...] = ()
    """What stewards have written that is to be seen: of `WRITTEN`."""
    crowded: bool = False
    """More at once than a low screen has room for."""


def theme(language: str) -> dict[str, Any]:
    """A session's title and its question."""
    asked = _pack("oracle", language)
    return {"session_theme_title": asked["name"], "session_theme_prompt": asked["texts"][0]}


def prompt(language: str) -> dict[str, Any]:
    """One prompt, to be had spoken."""
    text = _pack("prompt", language)["texts"][2]
    return {"prompts": {language: [text]}, "prompt_clips": {text: "/nowhere"}}


def closed_words(language: str) -> dict[str, Any]:
    """Stewards' own words at a closed door."""
    return {"kiosk_closed_words": CLOSED_WORDS[language]}


def topics(language: str) -> list[str]:
    """As many as there are packs."""
    return [pack[language]["name"] for pack in plain("prompts")["packs"].values()]


def _pack(name: str, language: str) -> Any:
    return plain("prompts")["packs"][name][language]


WRITTEN = {"theme": theme, "prompt": prompt, "closed_words": closed_words}
WAIT = {"ingest_budget": {"exhausted": True, "effective_reset_in_seconds": 2400}}
STILL = {"points": [], "gathered": [], "left": 0}
"""A line that nothing has moved."""

CHOSEN = {"mode": "FOSSIL", "colour": "warm"}
UNANSWERED = {"kind": "away", "waitS": 0}


def _idle() -> list[Shown]:
    doors = ("closed", "maintenance", "paused", "clock", "full", "budget")
    return [
        Shown(name="idle", stage="idle"),
        Shown(name="idle, inviting", stage="idle", alone_s=33),
        Shown(name="idle, by keys", stage="idle", says={"keyed": True}),
        Shown(name="idle, with a theme", stage="idle", written=("theme",)),
        Shown(name="idle, the sound tested", stage="idle", state={"sounding": "tone"}),
        Shown(name="idle, a language left", stage="idle", untouched_s=45, state={"language": "*"}),
        Shown(name="idle, offline", stage="idle", says={"connected": False}),
        Shown(name="idle, called", stage="idle", says={"called": "Kiosk by the stairs"}),
        *(Shown(name=door, stage="idle", policy={"blocked": door}, written=("closed_words",)) for door in doors),
    ]


def _before_recording() -> list[Shown]:
    heard = ("noise_low", "noise_some", "noise_high", "too_loud")
    return [
        Shown(name="arming", stage="arming"),
        Shown(name="arming, counted", stage="arming", untouched_s=40),
        Shown(name="armed", stage="armed"),
        *(Shown(name=f"armed, {what.replace('_', ' ')}", stage="armed", says={"hearing": what}) for what in heard),
        Shown(name="armed, nothing heard", stage="armed", says={"hearing": "nothing_heard", "levels": STILL}),
        Shown(name="armed, a tone", stage="armed", state={"sounding": "tone"}),
        Shown(name="armed, a voice", stage="armed", state={"sounding": "check"}),
        Shown(name="armed, offline", stage="armed", says={"connected": False}),
        Shown(name="armed, unfocused", stage="armed", says={"focused": False}),
        Shown(name="armed, counted", stage="armed", untouched_s=40),
        Shown(name="armed, with a prompt", stage="armed", written=("prompt",), says={"hearing": "noise_some"}),
        Shown(name="armed, a prompt read", stage="armed", written=("prompt",), state={"sounding": "reading"}),
        Shown(name="armed, with a theme", stage="armed", written=("theme",)),
        Shown(name="armed, by keys", stage="armed", written=("prompt",), says={"keyed": True}),
        Shown(name="countdown", stage="countdown"),
    ]


def _recording() -> list[Shown]:
    return [
        Shown(name="recording", stage="recording", after_s=14),
        Shown(name="recording, too loud", stage="recording", after_s=14, says={"hearing": "too_loud"}),
        Shown(name="recording, nearly full", stage="recording", after_s=118.5),
        Shown(name="recording, stopping", stage="recording", after_s=14, state={"stopping": True}),
    ]


def _review() -> list[Shown]:
    modes = {"ROOM": "room", "FOSSIL": "fossil", "NOSAVE": "once"}

    def review(name: str, **more: Any) -> Shown:
        return Shown(name=f"review, {name}", stage="review", **more)

    def chosen(name: str, **more: Any) -> Shown:
        return review(name, state={**CHOSEN, **more})

    return [
        review("untouched"),
        *(review(name, state={"mode": mode}) for mode, name in modes.items()),
        review("with topics", policy={"topics": ["*"]}, state=CHOSEN),
        review("trimmed", kept_part=(0.2, 0.7), state=CHOSEN),
        review("trimmed to its shortest", kept_part=(0.5, 0.6)),
        chosen("listening", listening=True),
        chosen("read aloud", sounding="reading"),
        review("by keys", state=CHOSEN, says={"keyed": True}),
        review("offline", state=CHOSEN, says={"connected": False}),
        *(review(flaw, flaw=flaw) for flaw in ("quiet", "clipped")),
        review("kept although quiet", flaw="quiet", state={"keptFlaw": True}),
        *(review(f"ended: {ended}", state={"ended": ended}) for ended in ("full", "lost", "hidden")),
        chosen("no answer", notice=UNANSWERED),
        chosen("no answer, uncertain", notice=UNANSWERED, uncertain=True),
        chosen("paused", notice={"kind": "paused", "waitS": 0}),
        chosen("budget", notice={"kind": "budget", "waitS": 2400}),
        chosen("budget, soon", notice={"kind": "budget", "waitS": 0}),
        chosen("full", notice={"kind": "full", "waitS": 0}),
        review("counted", untouched_s=70, state=CHOSEN),
        review(
            "all at once",
            crowded=True,
            untouched_s=70,
            kept_part=(0.2, 0.7),
            policy={"topics": ["*"]},
            state={**CHOSEN, "topic": "*", "notice": UNANSWERED, "uncertain": True},
            says={"keyed": True},
        ),
    ]


def _after() -> list[Shown]:
    errors = ("denied", "absent", "busy", "insecure", "unsupported", "lost", "too_short", "silent", "refused")

    def kept(name: str, mode: str = "FOSSIL", **more: Any) -> Shown:
        state = {"outcome": "kept", "receipt": "*", "mode": mode, **more.pop("state", {})}
        return Shown(name=f"complete: {name}", stage="complete", state=state, **more)

    def ended(outcome: str) -> Shown:
        return Shown(name=f"complete: {outcome}", stage="complete", state={"outcome": outcome, "mode": "NOSAVE"})

    return [
        Shown(name="submitting", stage="submitting", state=CHOSEN),
        Shown(name="submitting, playing once", stage="submitting", state={"mode": "NOSAVE", "playingOnce": True}),
        kept("kept", "ROOM"),
        kept("kept with a fossil"),
        kept("kept, printed", policy={"prints": True}),
        kept("kept, read aloud", state={"sounding": "reading"}),
        kept("kept, by keys", says={"keyed": True}),
        *(ended(outcome) for outcome in ("heard", "gone", "expiring")),
        *(Shown(name=f"error: {error.replace('_', ' ')}", stage="error", state={"error": error}) for error in errors),
    ]


STATES = (*_idle(), *_before_recording(), *_recording(), *_review(), *_after())


class Kiosk:
    """An open kiosk that holds a take and knows its receipt in every language."""

    def __init__(self, visitor: Visit, node: Node, voice: Path, path: str = "/kiosk/") -> None:
        self.page: Page = visitor.open(path)
        samples, rate_hz = read_wav(voice)
        take = write(samples[: 2 * rate_hz], rate_hz)
        self._receipts = {language: _kept(node, take, language) for language in languages()}
        self.page.wait_for_function("window.socket?.connected")
        record(self.page, SPOKEN_S)
        for script in (AXE, SCRIPT):
            self.page.evaluate(f"{script};undefined")
        self.page.evaluate("kioskStates.hold()")

    def show(self, shown: Shown, language: str, mode: str = "") -> None:
        """Have it stand there, drawn; `mode` is the `kiosk_accessibility_mode`."""
        surface = {"kiosk_accessibility_mode": mode, **(WAIT if "budget" in shown.policy.values() else {})}
        for name in shown.written:
            surface |= WRITTEN[name](language)
        said = asdict(shown)
        state, policy = said["state"], said["policy"]
        for name, value in (
            ("language", language),
            ("topic", topics(language)[1]),
            ("receipt", self._receipts[language]),
        ):
            if state.get(name) == "*":
                state[name] = value
        if "topics" in policy:
            policy["topics"] = topics(language)
        self.page.evaluate("(shown) => kioskStates.show(shown)", {**said, "language": language, "surface": surface})

    def resize(self, width: int, height: int) -> None:
        """Another screen."""
        self.page.set_viewport_size({"width": width, "height": height})

    def amiss(self) -> list[str]:
        """What does not fit, is cut off, too small to touch, or lies over something else."""
        found: list[str] = self.page.evaluate("kioskStates.amiss()")
        return found

    def below(self) -> int:
        """How much of it is not on the screen without scrolling, px."""
        px: int = self.page.evaluate("document.documentElement.scrollHeight - window.innerHeight")
        return px

    def violations(self) -> list[str]:
        """What axe finds."""
        found: list[str] = self.page.evaluate("kioskStates.violations()")
        return found


def _kept(node: Node, take: bytes, language: str) -> Any:
    answer = httpx.post(
        f"{node.url}/api/v1/artifacts/audio",
        files={"file": ("take.wav", take)},
        data={"consent_mode": "FOSSIL", "language": language},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()
