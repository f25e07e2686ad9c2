"""The unit files: what systemd itself says of them, and that they start what there is."""

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
import typer

from core.settings import Settings
from jobs.worker import GRACE_S
from memory_ui.browser import SOUND_NICE
from memory_ui.cli import app

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = sorted(path for path in FOLDER.iterdir() if path.suffix != ".conf")
SOUND = FOLDER / "memory-engine-sound.conf"
PROGRAM = "/srv/memory-engine/current/bin/memory-engine"
ENGINE = "/usr/bin/docker"
SERVICES = [unit for unit in UNITS if unit.suffix == ".service" and "@" not in unit.name and "compose" not in unit.name]


def section(unit: Path, name: str) -> dict[str, str]:
    """The last value of each key; systemd's files are nearly those of ConfigParser."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(unit.read_text("utf-8"))
    return dict(parser[name]) if parser.has_section(name) else {}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this system has no systemd to ask")
def test_systemd_takes_every_unit_as_it_is(tmp_path: Path) -> None:
    stand_in = tmp_path / "memory-engine"
    stand_in.write_text("#!/bin/sh\n")
    stand_in.chmod(0o755)
    for unit in UNITS:
        (tmp_path / unit.name).write_text(
            unit.read_text("utf-8").replace(PROGRAM, str(stand_in)).replace(ENGINE, str(stand_in))
        )
    names = [str(tmp_path / unit.name.replace("@.", "@kiosk.")) for unit in UNITS]
    (tmp_path / "memory-engine-browser@kiosk.service").write_text(
        (tmp_path / "memory-engine-browser@.service").read_text()
    )
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in said.stderr.splitlines() if "memory-engine" in line]
    assert (said.returncode, ours) == (0, [])


@pytest.mark.parametrize("name", ["memory-engine-worker.service", "memory-engine-backup.service"])
def test_what_nobody_waits_for_gives_way(name: str) -> None:
    assert int(section(FOLDER / name, "Service")["Nice"]) > 0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this system has no systemd to ask")
def test_what_users_may_for_their_sound_is_what_a_browser_asks_for(tmp_path: Path) -> None:
    assert section(SOUND, "Service") == {"LimitNICE": str(SOUND_NICE)}
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "user@1000.service"],
        env={"SYSTEMD_UNIT_PATH": f"{_drop_in(tmp_path)}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in said.stderr.splitlines() if SOUND.name in line] == []


def _drop_in(folder: Path) -> Path:
    (folder / "user@.service.d").mkdir()
    shutil.copy(SOUND, folder / "user@.service.d")
    return folder


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_there_is_with_options_it_has(unit: Path) -> None:
    program, name, *options = section(unit, "Service")["ExecStart"].split()
    if program == ENGINE:
        assert [name, *options] == ["compose", "up", "--detach", "--wait"]
        return
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert program == PROGRAM
    known = {flag for parameter in commands[name].params for flag in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_has_a_user_of_its_own_no_privileges_and_one_folder_to_write_in(unit: Path) -> None:
    said = section(unit, "Service")
    assert said["User"] == "memory-engine"
    wanted = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "PrivateTmp": "yes", "CapabilityBoundingSet": ""}
    assert {name: said[name] for name in wanted} == wanted
    assert said["StateDirectory"] == "memory-engine"
    assert said["Environment"] == "MEMORY_DATA_DIR=/var/lib/memory-engine"
    assert said["MemoryMax"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_setting_that_a_unit_speaks_of_exists(unit: Path) -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", unit.read_text("utf-8"))) - {"AF_INET", "AF_UNIX"}
    assert named <= set(Settings.model_fields)


def test_a_worker_that_is_stopped_is_given_the_time_it_gives_its_job() -> None:
    (worker,) = (unit for unit in UNITS if unit.name == "memory-engine-worker.service")
    assert int(section(worker, "Service")["TimeoutStopSec"]) > GRACE_S
