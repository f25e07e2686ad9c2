"""What the README tells a stranger to type, read from the README itself."""

import re
import shlex
from dataclasses import dataclass

from tests.howto.blocks import blocks_of

SECTION = "Two commands"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Commands:
    """What makes the machine ready, what opens a room, what tries everything, and where the room is then."""

    needs: tuple[str, ...]
    run: str
    test: str
    address: str

    @property
    def port(self) -> int:
        """The port of the address."""
        return int(self.address.rsplit(":", 1)[1])


def commands_of(readme: str) -> Commands:
    """The commands of the section "Two commands"; ValueError where it is not written as a rehearsal can follow it."""
    section = _section(readme)
    blocks = [
        tuple(typed for line in block.typed.splitlines() if (typed := _without_comment(line)))
        for block in blocks_of("README.md", section)
        if block.language == "sh"
    ]
    needs = next((block for block in blocks if all(line.startswith("sudo apt-get ") for line in block)), ())
    two = next((block for block in blocks if block not in ((), needs)), ())
    address = _ADDRESS.search(section)
    if not needs:
        raise ValueError("the README does not say what a bare Debian has to install")
    if len(two) != 2:
        raise ValueError(f"the README says {len(two)} commands instead of two: {', '.join(two)}")
    if address is None:
        raise ValueError("the README does not say where the room is")
    return Commands(needs=needs, run=two[0], test=two[1], address=address[0])


def _section(readme: str) -> str:
    parts = re.split(r"^## (.+)$", readme, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    if SECTION not in found:
        raise ValueError(f'the README has no section "{SECTION}"')
    return found[SECTION]


def _without_comment(line: str) -> str:
    return shlex.join(shlex.split(line, comments=True))
