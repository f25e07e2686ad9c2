"""The documentation as a site: whole, self-contained, the same twice, and made of what the repository says."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from scripts import docs_source
from scripts.generate_api import Reference, published
from tests.howto.blocks import commands

ROOT = Path(__file__).parents[2]


class Read(HTMLParser):
    """What of a page matters here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id",) if name in given}
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in given) else []
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif given.get("src") or (tag == "link" and given.get("href")):
            self.loaded.append(given.get("src") or given["href"])


def build(folder: Path, *, seed: str = "0") -> subprocess.CompletedProcess[str]:
    """A process of its own: Sphinx leaves much behind in the one it ran in."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "build_docs.py"), "--to", str(folder)],
        env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def read(site: Path) -> dict[Path, Read]:
    """Every page of it."""
    return {path: Read(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def target(page: Path, address: str) -> tuple[Path, str]:
    parts = urlsplit(address)
    return ((page.parent / unquote(parts.path)).resolve() if parts.path else page), parts.fragment


def test_every_page_of_the_repository_is_in_it_and_reached_from_its_index(site: Path, read: dict[Path, Read]) -> None:
    reached = {target(site / "index.html", link)[0] for link in read[site / "index.html"].links}
    assert {site / f"{page.name}.html" for page in docs_source.pages(ROOT)} <= reached


def test_every_link_inside_it_leads_to_a_file_and_an_anchor(read: dict[Path, Read]) -> None:
    broken = []
    for page, found in read.items():
        for link in [*found.links, *found.loaded]:
            if urlsplit(link).scheme:
                continue
            file, anchor = target(page, link)
            if not file.is_file() or (anchor and file in read and anchor not in read[file].ids):
                broken.append(f"{page.name}: {link}")
    assert broken == []


def test_no_script_and_no_style_stands_in_a_page(read: dict[Path, Read]) -> None:
    assert {page.name: found.inline for page, found in read.items() if found.inline} == {}


def test_nothing_is_loaded_from_another_host(site: Path, read: dict[Path, Read]) -> None:
    assert [link for found in read.values() for link in found.loaded if urlsplit(link).netloc] == []
    sheets = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert "//" not in re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)
    assert "@font-face" in sheets


def test_words_of_each_group_are_found(site: Path) -> None:
    index = (site / "searchindex.js").read_text("utf-8")
    terms = index[index.index('"terms"') :]
    for word in ("microphon", "sweep", "tombston", "essenc", "revok"):
        assert re.search(f'"{word}":', terms), word
    for page in docs_source.pages(ROOT):
        assert f'"{page.name}"' in index


def test_why_a_block_is_not_run_is_for_no_reader(site: Path) -> None:
    reasons = [block.reason for block in commands() if block.reason is not None]
    seen = "".join(re.sub(r"<!--.*?-->", "", page.read_text("utf-8"), flags=re.DOTALL) for page in site.rglob("*.html"))
    assert reasons
    assert [reason for reason in reasons if reason in seen] == []


def test_dark_colours_are_those_of_the_room(site: Path) -> None:
    night = (site / "_static/css/night.css").read_text("utf-8")
    assert "--paper: #100e0c" in night
    assert "prefers-color-scheme: dark" in night


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.md"):
        docs_source.rewritten("[x](nowhere.md)", "docs/README.md", ROOT, tmp_path)


def test_what_stands_in_a_block_of_code_is_left_as_it_is(tmp_path: Path) -> None:
    text = "```sh\n[x](nowhere.md)\n```\n"
    assert docs_source.rewritten(text, "docs/README.md", ROOT, tmp_path) == text


def test_the_reference_of_addresses_is_that_of_the_published_document() -> None:
    assert (ROOT / "docs/reference/api.md").read_text("utf-8") == Reference(published()).text()
