"""Where what the documents say is typed: a folder with a populated node in `data`, which runs or does not."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.howto.programs import ROOT
from tests.processes import free_port
from tests.wavs import take

STAYS = ("make run", "memory-engine serve")
"""What does not end by itself. It is waited for, and stopped when its block is done."""

READY_S = 40.0
MOST_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """How it ended, and all that was printed."""

    status: int
    text: str


@dataclass(kw_only=True)
class Place:
    """A folder of its own, a port of its own, and nobody's settings but those given."""

    folder: Path
    bin: Path
    settings: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port, self.certificate_port = free_port(), free_port()
        for name in ("home", "stick", "other"):
            (self.folder / name).mkdir(parents=True)
        _furnish(self.folder, self.bin)

    @property
    def url(self) -> str:
        """Where its node answers."""
        scheme = "https" if self.settings.get("TLS") == "internal" else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def serve(self) -> None:
        """Start its node where none runs."""
        if not self.running:
            said = self._stay("memory-engine serve")
            assert said.status == 0, said.text

    def stop(self) -> None:
        """End what stays, as a terminal would, and see it end well."""
        while self.running:
            process = self.running.pop()
            os.killpg(process.pid, signal.SIGTERM)
            assert process.wait(20) in (0, -signal.SIGTERM), self._log.read_text()

    def type(self, text: str, answer: str = "") -> Said:
        """Type lines into a shell that ends at the first that fails; with an `answer`, into a shell for each line."""
        said: list[Said] = []
        for one in _parts(text, apart=bool(answer)):
            said.append(self._stay(one) if one.startswith(STAYS) else self._shell(one, answer))
            if said[-1].status:
                break
        return Said(status=said[-1].status, text="".join(one.text for one in said))

    @property
    def environment(self) -> dict[str, str]:
        """What a reader has who has done what comes before."""
        return {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "LC_ALL": "C.UTF-8",
            "PORT": str(self.port),
            "CERTIFICATE_PORT": str(self.certificate_port),
            **self.settings,
        }

    def newest(self, pattern: str) -> str:
        """Name of the newest thing in its folder that is called so."""
        return max(self.folder.glob(pattern)).name

    def leave(self) -> tuple[str, str]:
        """Leave a voice: its number and its code."""
        answer = httpx.post(
            f"{self.url}/api/v1/artifacts/audio",
            files={"file": ("take.wav", take(2.0), "audio/wav")},
            data={"consent_mode": "ROOM"},
        )
        assert answer.status_code == 201, answer.text
        kept = answer.json()
        return str(kept["artifact"]["id"]), kept["revocation_token"]

    def _stay(self, line: str) -> Said:
        with self._log.open("w") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        scheme = "https" if "TLS=internal" in line else self.url.split(":")[0]
        end = time.monotonic() + READY_S
        while time.monotonic() < end and process.poll() is None:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{scheme}://127.0.0.1:{self.port}/livez", verify=False, trust_env=False).is_success:
                    return Said(status=0, text=self._log.read_text())
            time.sleep(0.05)
        return Said(status=1, text=f"no node answers: {self._log.read_text()}")

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _shell(self, text: str, answer: str = "") -> Said:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MOST_S,
            check=False,
        )
        return Said(status=done.returncode, text=done.stdout)


def _parts(text: str, *, apart: bool) -> list[str]:
    """Lines that are typed into one shell; what stays, and with `apart` every line, is a part of its own."""
    parts: list[str] = []
    for line in text.splitlines():
        alone = apart or line.startswith(STAYS)
        if parts and not alone and not parts[-1].startswith(STAYS):
            parts[-1] += f"\n{line}"
        else:
            parts.append(line)
    return parts


def _furnish(folder: Path, commands: Path) -> None:
    """What a checkout has in it. What `make setup` makes is there: `.ci/run` waits for that."""
    shutil.copy(ROOT / "Makefile", folder)
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "setup_env.sh").write_text("#!/bin/sh\n")
    (scripts / "setup_env.sh").chmod(0o755)
    (scripts / "build_docs.py").write_text("")
    made = folder / ".venv" / "bin"
    made.mkdir(parents=True)
    (made / "memory-engine").symlink_to(commands / "memory-engine")
    (made / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    (made / "python").chmod(0o755)
