from dataclasses import FrozenInstanceError, dataclass
from enum import StrEnum
from importlib import resources

import pytest

from core.adapters.catalogs import load, parse
from core.adapters.copy import languages
from core.domain.deployment import DeploymentCatalog
from core.domain.memory_color import ColorCatalog
from core.domain.pool.weights import PoolCatalog
from core.domain.prompt_packs import PromptPacks
from core.services.prompts import TEXT_SIGNS


class Tint(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    size: float
    tint: Tint
    note: str | None = None

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size is negative")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    count: int
    leaves: tuple[Leaf, ...]
    by_tint: dict[Tint, float]


GOOD = """
count = 2
leaves = [{ size = 1, tint = "red" }]
by_tint = { blue = 0.5 }
"""


def complaint(text: str) -> str:
    with pytest.raises(ValueError) as caught:
        parse("tree.toml", text, Tree)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("pool", PoolCatalog),
        ("deployments", DeploymentCatalog),
        ("colours", ColorCatalog),
        ("prompts", PromptPacks),
    ],
)
def test_every_catalog_of_python_alone_loads(name: str, cls: type[object]) -> None:
    assert isinstance(load(name, cls), cls)


def test_lists_become_tuples_and_words_members_of_their_enum() -> None:
    tree = parse("tree.toml", GOOD, Tree)
    assert tree == Tree(count=2, leaves=(Leaf(size=1.0, tint=Tint.RED),), by_tint={Tint.BLUE: 0.5})
    assert isinstance(tree.leaves[0], Leaf)


def test_what_was_loaded_cannot_be_changed() -> None:
    tree = parse("tree.toml", GOOD, Tree)
    with pytest.raises(FrozenInstanceError):
        tree.count = 3  # type: ignore[misc]


def test_an_unknown_key_is_refused_by_name() -> None:
    assert complaint(GOOD + "colour = 1") == "tree.toml: colour: unknown key"


def test_an_unknown_key_deep_inside_is_refused_by_name() -> None:
    text = GOOD.replace('tint = "red"', 'tint = "red", sise = 2')
    assert complaint(text) == "tree.toml: leaves.0.sise: unknown key"


def test_a_missing_key_is_refused_by_name() -> None:
    assert complaint(GOOD.replace("count = 2", "")) == "tree.toml: count: missing"


def test_everything_wrong_is_said_at_once() -> None:
    text = 'extra = 1\nleaves = [{ size = "1", tint = "green" }]\nby_tint = { blue = nan }'
    said = complaint(text)
    for key in ("extra", "count", "leaves.0.size", "leaves.0.tint", "by_tint.blue"):
        assert f"tree.toml: {key}: " in said


@pytest.mark.parametrize("value", ['"2"', "true", "2.5", "2026-01-01", "inf"])
def test_a_value_of_another_type_is_refused(value: str) -> None:
    assert "tree.toml: count: " in complaint(GOOD.replace("count = 2", f"count = {value}"))


def test_a_value_its_dataclass_refuses_is_named() -> None:
    said = complaint(GOOD.replace("size = 1", "size = -1"))
    assert said == "tree.toml: leaves.0: Value error, size is negative"


def test_a_file_that_is_no_toml_is_named() -> None:
    assert complaint("count = ").startswith("tree.toml: ")


def test_a_catalog_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"meadow\.toml: there is no such catalog"):
        load("meadow", Tree)


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("[packs.oracle.", "[packs.witness2.", "witness2"),
        ("[packs.oracle.ar]", "[packs.oracle.tlh]", "same languages"),
    ],
)
def test_packs_that_leave_somebody_out_are_refused(was: str, becomes: str, complaint: str) -> None:
    text = (resources.files("assets") / "catalogs" / "prompts.toml").read_text("utf-8")
    assert was in text
    with pytest.raises(ValueError, match=complaint):
        parse("prompts.toml", text.replace(was, becomes), PromptPacks)


def test_every_prompt_of_a_pack_is_one_a_steward_could_have_written() -> None:
    packs = load("prompts", PromptPacks).packs
    assert {tuple(sorted(pack)) for pack in packs.values()} == {tuple(sorted(languages()))}
    texts = [text for pack in packs.values() for spoken in pack.values() for text in spoken.texts]
    assert all(text == text.strip() and "\n" not in text and 0 < len(text) <= TEXT_SIGNS for text in texts)
