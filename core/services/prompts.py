"""Prompts stewards write for the kiosk."""

from dataclasses import replace

from core.domain.deployment import DeploymentName
from core.domain.prompt_packs import PromptPacks
from core.domain.work import Signal
from core.errors import BadField, Conflict, NotFound
from core.ports.outside import Clock
from core.ports.stewarding import Prompt
from core.ports.work import StewardAction, Transaction, UnitOfWork
from core.services.stewardship import MEANWHILE

TEXT_SIGNS = 240
MOST = 300
_UNKNOWN = "There is no such prompt, or no longer."


class Prompts:
    """Reads and changes prompts. A change is a change of the posture: open kiosks read again."""

    def __init__(self, work: UnitOfWork, clock: Clock, *, languages: frozenset[str], packs: PromptPacks) -> None:
        self._work = work
        self._clock = clock
        self._languages = languages
        self.packs = packs

    def all(self) -> list[Prompt]:
        """Every prompt, in the order they were written."""
        with self._work.read() as tx:
            return tx.prompts.all()

    def asked(self) -> dict[str, list[str]]:
        """The texts a kiosk may ask, by language."""
        found: dict[str, list[str]] = {}
        for prompt in self.all():
            if prompt.active:
                found.setdefault(prompt.language, []).append(prompt.text)
        return found

    def add(self, *, text: str, language: str, actor: str) -> Prompt:
        """Write one, in use at once. Raises `BadField`, and `Conflict` where there are too many."""
        text, language = self._checked(text, language)
        with self._work.write() as tx:
            return self._added(tx, [(language, text)], actor)[0]

    def add_pack(self, name: str, *, actor: str) -> list[Prompt]:
        """Write those of a pack that are not there yet, in every language; each may then be changed like any other.

        Raises `NotFound` for a pack there is not, and `Conflict` where there would be too many.
        """
        if name not in set(DeploymentName):
            raise NotFound("There is no such pack of prompts.")
        pack = self.packs.packs[DeploymentName(name)]
        with self._work.write() as tx:
            there = {(prompt.language, prompt.text) for prompt in tx.prompts.all()}
            wanted = [(language, text) for language, spoken in pack.items() for text in spoken.texts]
            return self._added(tx, [each for each in wanted if each not in there], actor)

    def _added(self, tx: Transaction, wanted: list[tuple[str, str]], actor: str) -> list[Prompt]:
        if len(tx.prompts.all()) + len(wanted) > MOST:
            raise Conflict(f"There would be more than {MOST} prompts. Remove some first.")
        now = self._clock.now()
        added = []
        for language, text in wanted:
            prompt_id = tx.prompts.add(text=text, language=language, active=True, now=now)
            self._note(tx, actor, prompt_id, None, text)
            added.append(Prompt(id=prompt_id, text=text, language=language, active=True, updated_at=now, version=1))
        return added

    def change(
        self,
        prompt_id: int,
        *,
        actor: str,
        text: str | None = None,
        active: bool | None = None,
        version: int | None = None,
    ) -> Prompt:
        """Change text or use. Raises `NotFound`, `BadField`, and `Conflict` for a stale version."""
        with self._work.write() as tx:
            before = tx.prompts.get(prompt_id)
            if before is None:
                raise NotFound(_UNKNOWN)
            if version is not None and before.version != version:
                raise Conflict(MEANWHILE)
            after = replace(
                before,
                text=before.text if text is None else self._checked(text, before.language)[0],
                active=before.active if active is None else active,
                updated_at=self._clock.now(),
            )
            if (after.text, after.active) == (before.text, before.active):
                return before
            if not tx.prompts.change(after, expected_version=before.version):
                raise Conflict(MEANWHILE)
            self._note(tx, actor, prompt_id, _said(before), _said(after))
        return replace(after, version=before.version + 1)

    def remove(self, prompt_id: int, *, actor: str) -> None:
        """Delete one. Raises `NotFound`."""
        with self._work.write() as tx:
            before = tx.prompts.get(prompt_id)
            if before is None or not tx.prompts.remove(prompt_id):
                raise NotFound(_UNKNOWN)
            self._note(tx, actor, prompt_id, _said(before), None)

    def _checked(self, text: str, language: str) -> tuple[str, str]:
        text = " ".join(text.split())
        if not 0 < len(text) <= TEXT_SIGNS or any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in text):
            raise BadField(f"text must be plain text of 1 to {TEXT_SIGNS} characters.")
        if language not in self._languages:
            raise BadField("language is not one this room speaks.")
        return text, language

    def _note(self, tx: Transaction, actor: str, prompt_id: int, before: str | None, after: str | None) -> None:
        tx.steward.record(
            StewardAction(
                at=self._clock.now(),
                actor=actor,
                action="prompt",
                subject=f"prompt {prompt_id}",
                before={"prompt": before},
                after={"prompt": after},
            )
        )
        tx.signal(Signal.STEWARD)


def _said(prompt: Prompt) -> str:
    return prompt.text if prompt.active else f"(not in use) {prompt.text}"
