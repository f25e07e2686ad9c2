"""Settings as they are shown, checked and explained; and whether what a remedy names is there."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from memory_ui.appliance.configuration import SECRETS, redacted
from memory_ui.cli import app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*given, **environment):
        return CliRunner().invoke(app, ["config", *given], env=environment)

    return call


def test_show_says_where_a_value_came_from(run, tmp_path):
    (tmp_path / ".env").write_text("NODE_NAME=Hall\nINSTALLATION_PROFILE=quiet_gallery\n")
    rows = {row["name"]: row for row in json.loads(run("show", "--json", PORT="8099").stdout)}
    told = {name: rows[name]["origin"] for name in ("PORT", "NODE_NAME", "ROOM_INTENSITY", "HOST")}
    assert told == {"PORT": "environment", "NODE_NAME": ".env", "ROOM_INTENSITY": "profile", "HOST": "default"}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_no_secret_is_shown(name):
    assert "hunter2-hunter2" not in redacted(name, "redis://me:hunter2-hunter2@cache.example:6379/0")


def test_check_says_every_complaint_at_once_and_exits_with_2(run):
    result = run("check", PORT="none", RAW_TTL_HOURS_ROOM="-1")
    assert result.exit_code == 2
    assert all(name in result.stdout for name in ("PORT", "RAW_TTL_HOURS_ROOM"))


def test_check_warns_of_slips_placeholders_and_a_file_that_everybody_reads(run, tmp_path):
    file = tmp_path / "node.env"
    file.write_text("NODE_NAM=Hall\nBACKUP_PASSPHRASE=change-me\n")
    file.chmod(0o644)
    result = run("check", "--env", str(file))
    assert all(
        said in result.stdout for said in ("no setting; NODE_NAME", "BACKUP_PASSPHRASE is a placeholder", "chmod 640")
    )
    file.write_text("NODE_NAME=Hall\n")
    file.chmod(0o640)
    assert "warning" not in run("check", "--env", str(file)).stdout


def test_explain_says_what_a_setting_takes_and_suggests_near_misses(run):
    assert "whole number from 1 to 65535" in run("explain", "port").stdout
    assert "PORT" in str(run("explain", "PROT").exception.message)


def test_pages_that_remedies_name_exist():
    sources = sorted((ROOT / "memory_ui" / "appliance").glob("*.py"))
    named = {page for path in sources for page in re.findall(r"docs/[\w./-]+\.md", path.read_text("utf-8"))}
    assert len(named) >= 4
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []
