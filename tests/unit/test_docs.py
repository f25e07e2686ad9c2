"""The documentation says what is there: links, figures, tables, addresses, targets, settings."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from core.adapters.sql.tables import Base
from core.domain.warnings import Name
from core.settings import Settings
from memory_ui import metrics
from memory_ui.app import ROUTES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
CATALOGS = sorted((ROOT / "assets" / "catalogs").glob("*.toml"))

LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
TARGET = re.compile(r"\bmake ([a-z][a-z-]+)")
PATH = re.compile(r"`((?:core|jobs|memory_ui|assets|migrations|tests|scripts|docs)/[\w./-]*\w)`")
NAME = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _anchors(text: str) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in HEADING.findall(text)}


def _section(text: str, heading: str) -> str:
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return next((part for part in parts if part.startswith(f"{heading}\n")), "")


def _words(text: str) -> set[str]:
    return {word for quoted in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+(?:-[A-Z]+)?", quoted)}


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    if isinstance(value, list):
        return {key for inner in value for key in _keys(inner)}
    return set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        found = (page.parent / target).resolve() if target else page
        if not found.exists() or (anchor and anchor not in _anchors(found.read_text("utf-8"))):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_path_that_is_named_exists(page: Path) -> None:
    assert [path for path in PATH.findall(page.read_text("utf-8")) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {name for line in _code(page) for name in TARGET.findall(line)} <= targets


def _code(page: Path) -> list[str]:
    text = page.read_text("utf-8")
    return [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^make .+$", text, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    assert {name for name in NAME.findall(page.read_text("utf-8")) if name not in Settings.model_fields} == set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_a_page_has_one_title_and_ends_with_a_newline(page: Path) -> None:
    text = page.read_text("utf-8")
    outside_code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert len(re.findall(r"^# ", outside_code, re.MULTILINE)) == 1
    assert text.endswith("\n")


@pytest.mark.parametrize("catalog", CATALOGS, ids=lambda path: path.name)
def test_every_key_of_a_catalog_is_documented(catalog: Path) -> None:
    described = _words(_section((ROOT / "docs/reference/catalogs.md").read_text("utf-8"), catalog.name))
    assert sorted(_keys(tomllib.loads(catalog.read_text("utf-8"))) - described) == []


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_column_of_a_table_is_documented(table: Any) -> None:
    described = _words(_section((ROOT / "docs/reference/data-model.md").read_text("utf-8"), table.name))
    assert sorted({column.name for column in table.columns} - described) == []


def test_every_table_that_is_documented_exists() -> None:
    text = (ROOT / "docs/reference/data-model.md").read_text("utf-8")
    assert set(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == set(Base.metadata.tables)


def test_every_address_is_documented_with_its_method() -> None:
    text = (ROOT / "docs/reference/http-api.md").read_text("utf-8")
    routes = [route for module in ROUTES for route in module.router.routes if isinstance(route, APIRoute)]
    missing = [
        f"{method} {route.path}"
        for route in routes
        for method in route.methods
        if f"`{method} {route.path.replace(':path', '')}`" not in text
    ]
    assert missing == []


def test_every_warning_is_documented() -> None:
    text = (ROOT / "docs/reference/warnings.md").read_text("utf-8")
    assert [name.value for name in Name if f"`{name.value}`" not in text] == []


def test_every_metric_is_documented() -> None:
    text = (ROOT / "docs/reference/metrics.md").read_text("utf-8")
    source = (ROOT / "memory_ui/metrics.py").read_text("utf-8")
    own = {family.name + ("_total" if family.type == "counter" else "") for family in metrics.OWN.collect()}
    gauges = {f"memory_engine_{name}" for name in re.findall(r'_gauge\("(\w+)"', source)}
    gauges |= set(re.findall(r'GaugeMetricFamily\("(\w+)"', source))
    counters = {f"{name}_total" for name in re.findall(r'CounterMetricFamily\("(\w+)"', source)}
    assert gauges
    assert counters
    assert sorted(name for name in own | gauges | counters if f"`{name}`" not in text) == []


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    listed = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    assert numbers == list(range(1, len(numbers) + 1))
    assert [path.name for path in DECISIONS if f"]({path.name})" not in listed] == []


@pytest.mark.parametrize("page", DECISIONS, ids=_name)
def test_a_decision_says_context_decision_consequences_and_alternatives(page: Path) -> None:
    text = page.read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]
    assert text.startswith(f"# {int(page.name[:4])}. ")


def test_every_page_is_reached_from_another() -> None:
    linked = {(page.parent / target).resolve() for page in PAGES for target, _ in LINK.findall(page.read_text("utf-8"))}
    entrances = {ROOT / "README.md", ROOT / "docs" / "README.md"}
    assert [_name(page) for page in PAGES if page.resolve() not in linked and page not in entrances] == []


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert first is not None
    assert first.group(1) == version("memory-engine")


def test_what_is_pinned_names_no_host_and_no_folder() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text("utf-8")
        pins = re.findall(r"^[a-z0-9].*$", text, re.MULTILINE)
        assert "://" not in text
        assert all("==" in pin for pin in pins)
        assert text.count("--hash=sha256:") > len(pins)


def test_both_files_of_pins_agree() -> None:
    run, dev = (
        dict(re.findall(r"^([\w.-]+==[^ \\]+)(.*?) \\$", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert run.keys() <= dev.keys()


def test_scripts_can_be_executed() -> None:
    scripts = [*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci" / "run"]
    assert [_name(script) for script in scripts if not script.stat().st_mode & 0o111] == []
