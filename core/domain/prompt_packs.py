"""Packs of prompts a steward may begin with, before any is written here."""

from dataclasses import dataclass

from core.domain.deployment import DeploymentName


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPack:
    """What one pack is called in one language, and what it asks."""

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPacks:
    """`assets/catalogs/prompts.toml`: a pack for each deployment, in every language the kiosk speaks (BCP 47)."""

    packs: dict[DeploymentName, dict[str, PromptPack]]

    def __post_init__(self) -> None:
        """Refuse a deployment without a pack, and packs that speak different languages."""
        if missing := set(DeploymentName) - set(self.packs):
            raise ValueError(f"packs: {', '.join(sorted(missing))} is missing")
        spoken = {frozenset(pack) for pack in self.packs.values()}
        if len(spoken) > 1:
            raise ValueError("packs: each must speak the same languages")
