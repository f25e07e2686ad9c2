"""Spoken clips: which texts are wanted now, which clips say them, and how there come to be more.

A clip is used only while it says, word for word, what is wanted: a promise that changed is not spoken as it was.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.audio import wav
from core.audio.clip import RATE_HZ, evened, recording
from core.domain.clips import PROMPT, By, ClipFigures, Say, prompt_name, prompts_by_name, wanted
from core.errors import NotFound, Unavailable
from core.ports.clips import ClipShelf, Kept, Speaker

log = logging.getLogger(__name__)

_UNWANTED = "No clip of this name is wanted here; `memory-engine clips list` names those that are."


class State(StrEnum):
    """How it stands with a clip that is wanted."""

    THERE = "there"
    MISSING = "missing"
    OUTDATED = "says something else"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One clip that is wanted: its text, how it stands with it, and who says what is there."""

    name: str
    text: str
    state: State
    by: By | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """One clip that was missing; `done` is False where its text cannot be read out, `before` what it replaced."""

    name: str
    text: str
    done: bool
    before: By | None


class ClipService:
    """The node's own clips come before those it was shipped with."""

    def __init__(
        self,
        own: ClipShelf,
        shipped: ClipShelf,
        speaker: Speaker,
        *,
        say: Callable[[str], Say],
        figures: ClipFigures,
    ) -> None:
        self._own = own
        self._shipped = shipped
        self._speaker = speaker
        self._say = say
        self._figures = figures
        self._lasting: dict[str, dict[str, str]] = {}
        self._told: set[str] = set()

    def wanted(self, language: str, prompts: Iterable[str] = ()) -> dict[str, str]:
        """The texts that are wanted, by the names of their clips."""
        if language not in self._lasting:
            self._lasting[language] = wanted(self._say(language), self._figures)
        return {**self._lasting[language], **prompts_by_name(prompts)}

    def at_hand(self, language: str) -> dict[str, Kept]:
        """Every clip but those of prompts that says what is wanted."""
        return self._saying(language, self.wanted(language))

    def of_prompts(self, language: str, prompts: Iterable[str]) -> dict[str, Kept]:
        """The clips there are of these prompts, by their texts."""
        texts = prompts_by_name(prompts)
        return {texts[name]: kept for name, kept in self._saying(language, texts).items()}

    def find(self, language: str, name: str) -> Kept | None:
        """A clip, as long as it says what its name stands for."""
        if not name.startswith(PROMPT):
            return self.at_hand(language).get(name)
        for clips in self._both(language):
            if name in clips and prompt_name(clips[name].clip.says) == name:
                return clips[name]
        return None

    def standing(self, language: str, prompts: Iterable[str] = ()) -> list[Standing]:
        """Every clip that is wanted, in the order they are said. Raises `Unavailable`."""
        own, shipped = self._own.clips(language), self._shipped.clips(language)
        found = []
        for name, text in self.wanted(language, prompts).items():
            there = [clips[name].clip for clips in (own, shipped) if name in clips]
            saying = next((clip for clip in there if clip.says == text), None)
            state = State.THERE if saying else State.OUTDATED if there else State.MISSING
            found.append(Standing(name=name, text=text, state=state, by=saying.by if saying else None))
        return found

    def render(self, language: str, prompts: Iterable[str] = ()) -> list[Rendered]:
        """Have what is missing read out, and keep it on this node. Raises `Unavailable`."""
        own = self._own.clips(language)
        rendered = []
        for one in self.standing(language, prompts):
            if one.state is State.THERE:
                continue
            done = self._speaker.reads(one.text, language)
            before = own[one.name].clip.by if done and one.name in own else None
            if done:
                sound = wav.write(evened(self._speaker.speak(one.text, language)), RATE_HZ)
                self._own.put(language, one.name, says=one.text, by=By.ESPEAK, sound=sound)
            rendered.append(Rendered(name=one.name, text=one.text, done=done, before=before))
        return rendered

    def use(self, language: str, name: str, data: bytes, prompts: Iterable[str] = ()) -> str:
        """Keep a recording of a text that is wanted now; that text.

        Raises `NotFound`, `Unavailable`, and what `core.audio.clip.recording` does.
        """
        text = self.wanted(language, prompts).get(name)
        if text is None:
            raise NotFound(_UNWANTED)
        sound = wav.write(evened(recording(data)), RATE_HZ)
        self._own.put(language, name, says=text, by=By.RECORDING, sound=sound)
        return text

    def drop(self, language: str, name: str) -> None:
        """Delete a clip of the node's own. Raises `NotFound` and `Unavailable`."""
        if not self._own.remove(language, name):
            raise NotFound("This node has no clip of its own of this name.")

    def _saying(self, language: str, texts: Mapping[str, str]) -> dict[str, Kept]:
        both = self._both(language)
        found = {}
        for name, text in texts.items():
            saying = (clips[name] for clips in both if name in clips and clips[name].clip.says == text)
            if (kept := next(saying, None)) is not None:
                found[name] = kept
        return found

    def _both(self, language: str) -> tuple[Mapping[str, Kept], Mapping[str, Kept]]:
        """What can be read: a kiosk goes on without the rest."""
        try:
            own = self._own.clips(language)
        except Unavailable as error:
            if error.message not in self._told:
                self._told.add(error.message)
                log.warning("clips.unreadable", extra={"language": language, "reason": error.message})
            own = {}
        return own, self._shipped.clips(language)
