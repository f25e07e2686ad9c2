"""The services of a machine's node, as processes."""

from pathlib import Path

from tests.processes import PrivateServer
from tests.stack.topology import unit_command


class Service(PrivateServer):
    """One of the node's services, as its unit starts it: whichever version is current, with the settings of `given`."""

    def __init__(self, unit: str) -> None:
        self.name = unit  # type: ignore[misc]
        super().__init__()
        self.program = Path()
        self.given: dict[str, str] = {}

    def log(self) -> str:
        """Its last lines, for a person who has to find out why."""
        return "\n".join(self._log().read_text().splitlines()[-20:]) if self._log().exists() else ""

    def _environment(self) -> dict[str, str]:
        return self.given

    def _command(self) -> list[str]:
        return [str(self.program), *unit_command(self.name)]
