"""Every command block of the how-to, the tutorial and the README is typed into a shell, or says above it why not.

What a block takes for granted stands here: what a word of it stands for (`STANDS_FOR`), and where it is typed and what
is answered (`CASES`). A block without a case is typed beside a running node that has takes, and has to end with 0.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest

from memory_ui.appliance.checking import check
from tests.howto.blocks import LANGUAGES, MARKER, PAGES, ROOT, Block, all_blocks, blocks_of, commands
from tests.howto.place import Place
from tests.howto.programs import Programs
from tests.wavs import take

NAME = "This room"

STANDS_FOR: dict[str, Callable[[Place], str]] = {
    "http://127.0.0.1:8080": lambda place: place.url,
    "http://room.lan/": lambda place: f"http://127.0.0.1:{place.certificate_port}/",
    "PORT=8081": lambda place: f"PORT={place.port}",
    "/media/": lambda place: f"{place.folder}/",
    "/tmp/room": lambda place: f"{place.folder}/data",
    "backup-20260301T030000Z": lambda place: place.newest("stick/backup-*Z"),
    "export-20260301T180000Z": lambda place: place.newest("data/exports/export-*Z"),
    "artifacts/7/": lambda place: f"artifacts/{place.leave()[0]}/",
    "ABCDE-FGHJK-MNPQ2": lambda place: place.leave()[1],
    # A day with two hours in it is a simulation as well.
    "--days 30": lambda _place: "--days 1 --opens 10 --closes 12",
    "--days 7": lambda _place: "--days 1 --opens 10 --closes 12",
}
"""What a reader puts in the place of an example."""


def _a_recording(place: Place) -> None:
    (place.folder / "room.wav").write_bytes(take(1.0))


def _ledger_with_an_entry(place: Place) -> None:
    place.serve()
    _, code = place.leave()
    httpx.post(f"{place.url}/api/v1/revoke", json={"token": code}).raise_for_status()
    shutil.copy(place.data / "ledger.jsonl", place.folder / "other")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What is special of one block: `page`, and how its first command `begins`.

    `runs` says whether a node runs beside it; `answer` is what every line of it is told; it prints `says`.
    """

    page: str
    begins: str
    runs: bool = True
    before: Callable[[Place], None] = lambda _place: None
    answer: str = ""
    says: str = ""


HOW_TO = "docs/how-to/"
COPIES = f"{HOW_TO}back-up-and-restore.md"
CLOSING = f"{HOW_TO}close-an-exhibition.md"
LAN = f"{HOW_TO}run-on-a-lan.md"
CASES = (
    Case(page="README.md", begins="make run", runs=False, says="12 demo sounds taken out of the room"),
    Case(page="docs/tutorial/first-room.md", begins="make run", runs=False, says="This room is open."),
    Case(page=f"{HOW_TO}develop.md", begins="make run MEMORY_DATA_DIR", runs=False, says="This room is open."),
    Case(page=LAN, begins="make run NODE_NAME", runs=False, says="The small hall is open."),
    Case(page=LAN, begins="make run ALLOWED_HOSTS", runs=False, says="This room is open."),
    Case(page=LAN, begins="make run HOST=0.0.0.0 TLS", runs=False, says="https://"),
    Case(page=LAN, begins="make run HOST=0.0.0.0", runs=False, says="This room is open."),
    Case(page=COPIES, begins="memory-engine backup", says="it would make a whole node"),
    Case(page=COPIES, begins="memory-engine restore /media/stick/backup-20260301T030000Z", runs=False, answer="y\n"),
    Case(
        page=COPIES,
        begins="memory-engine restore /media/stick/backup-20260301T030000Z --ledger",
        runs=False,
        before=_ledger_with_an_entry,
        answer="y\n",
    ),
    Case(page=CLOSING, begins="memory-engine close", answer=f"{NAME}\n", says="Ended and deleted here: 12 ROOM"),
    Case(page=f"{HOW_TO}https-on-a-lan.md", begins="curl", says="Fingerprint="),
    Case(page=f"{HOW_TO}spoken-clips.md", begins="memory-engine clips use", before=_a_recording),
    Case(page=f"{HOW_TO}remove-a-take.md", begins="curl -fsS http", says='"revoked_artifacts":1'),
)
SETTINGS = {f"{HOW_TO}https-on-a-lan.md": {"TLS": "internal"}}
"""What is set on a page that says how something goes which is off unless it is set."""

ALONE = {case.page for case in CASES if not case.runs} | {CLOSING, *SETTINGS}
"""Pages on which the node is stopped, closed or set otherwise: each has one of its own."""

COMMANDS = commands()
TYPED = sorted({block.page for block in COMMANDS if block.reason is None})


def case_of(block: Block) -> Case | None:
    """What is special of a block: of several cases, the one that says most of its beginning."""
    found = [case for case in CASES if case.page == block.page and block.first.startswith(case.begins)]
    return max(found, key=lambda case: len(case.begins), default=None)


@pytest.fixture(scope="module")
def programs() -> Iterator[Programs]:
    folder = Path(mkdtemp(prefix="memory-howto-"))
    made = Programs(folder)
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def filled(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a node with takes."""
    place = Place(folder=tmp_path_factory.mktemp("filled"), bin=programs.bin)
    said = place.type("memory-engine demo")
    assert said.status == 0, said.text
    return place.data


@pytest.fixture(scope="module")
def shared(programs: Programs, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running node with takes, for every page that leaves it running and open."""
    with a_place(programs, filled, tmp_path_factory.mktemp("shared")) as made:
        yield made


@pytest.fixture
def place(programs: Programs, filled: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where a page is tried."""
    page = request.node.callspec.params["page"]
    if page not in ALONE:
        yield request.getfixturevalue("shared")
        return
    with a_place(programs, filled, tmp_path, **SETTINGS.get(page, {})) as made:
        yield made


@contextmanager
def a_place(programs: Programs, filled: Path, folder: Path, **settings: str) -> Iterator[Place]:
    made = Place(folder=folder, bin=programs.bin, settings=settings)
    shutil.copytree(filled, made.data)
    try:
        yield made
    finally:
        made.stop()


def put(text: str, place: Place) -> str:
    """A block with what its examples stand for."""
    for example, meant in STANDS_FOR.items():
        if example in text:
            text = text.replace(example, meant(place))
    return text


@pytest.mark.parametrize("page", TYPED)
def test_what_a_page_says_to_type_does_what_it_says(page: str, place: Place) -> None:
    for block in COMMANDS:
        if block.page != page or block.reason is not None:
            continue
        case = case_of(block) or Case(page=page, begins="")
        case.before(place)
        place.serve() if case.runs else place.stop()
        said = place.type(put(block.typed, place), case.answer)
        if not case.runs:
            place.stop()
        assert said.status == 0, f"{block} ended with {said.status}: {said.text}"
        assert case.says in said.text, f"{block} says: {said.text}"


def test_every_case_is_about_a_block_that_is_typed() -> None:
    used = [case_of(block) for block in COMMANDS if block.reason is None]
    assert [f"{case.page}: {case.begins}" for case in CASES if case not in used] == []


def test_every_example_that_stands_for_something_is_in_a_block_that_is_typed() -> None:
    typed = "".join(block.typed for block in COMMANDS if block.reason is None)
    assert [example for example in STANDS_FOR if example not in typed] == []


def test_a_reason_names_files_that_there_are() -> None:
    named = [(block, name) for block in COMMANDS for name in re.findall(r"[\w./]+/\w[\w.]*", block.reason or "")]
    assert [f"{block}: {name}" for block, name in named if not (ROOT / name).exists()] == []


def test_a_reason_stands_only_above_a_command_block() -> None:
    marked = sum(bool(MARKER.match(line)) for page in PAGES for line in page.read_text("utf-8").splitlines())
    assert marked == sum(block.reason is not None for block in COMMANDS)


def test_a_command_block_names_its_language() -> None:
    """A block without one, and one of `text`, shows what is printed or drawn."""
    prompted = re.compile(
        r"^([$#] )?(sudo |\.venv/bin/)?(memory-engine [a-z]|make [a-z]|curl -|docker |systemctl )", re.M
    )
    others = [block for block in all_blocks() if block.language not in LANGUAGES]
    assert [str(block) for block in others if block.language in ("", "text") and prompted.search(block.text)] == []


SETTING = re.compile(r"^[A-Z][A-Z0-9_]*=.*$")


@pytest.mark.parametrize(
    "block",
    [
        block
        for block in all_blocks()
        if block.language == "ini" and all(SETTING.match(line) for line in block.text.splitlines())
    ],
    ids=str,
)
def test_settings_on_a_page_are_settings_a_node_would_start_with(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text(block.text.replace("...", "0123456789abcdef" * 4))
    file.chmod(0o600)
    found = check(file, {})
    assert (found.complaints, found.warnings) == ([], [])


def test_a_marker_is_read_only_directly_above_its_block() -> None:
    text = "<!-- not run: why -->\n```sh\na\n```\n\n<!-- not run: why -->\n\n```sh\nb\n```\n"
    text += "\n   ```console\n   # c\n   d\n   ```\n"
    found = blocks_of("page", text)
    assert [(block.reason, block.typed) for block in found] == [("why", "a\n"), (None, "b\n"), (None, "c\n")]
