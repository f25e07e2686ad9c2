"""A support bundle holds nothing of anybody: every byte of it is searched for what was planted."""

import hashlib
import json
import stat
import tarfile
from datetime import UTC, datetime

import pytest

from memory_ui.appliance import bundle
from memory_ui.appliance.configuration import SECRETS
from memory_ui.appliance.packing import contents
from memory_ui.appliance.visiting import visiting
from tests.fakes import FrozenClock, Given

NOBODY = "http://127.0.0.1:9"
NODE_NAME = "Otter hall 77"
TOPIC = "grandmothers-plum-cake"
PLANTED = {
    "OPS_SHARED_SECRET": "planted-ops-secret-1",
    "BACKUP_PASSPHRASE": "planted-passphrase-2 seven otters",
    "SMTP_PASSWORD": "planted-smtp-password-3",
    "WARN_WEBHOOK_URL": "https://hooks.example.org/planted-hook-4",
}


@pytest.fixture
def clock():
    return FrozenClock(datetime.now(UTC))


@pytest.fixture
def made(node, ground, tmp_path):
    """The bundle as one run of bytes, and what must not be in it."""
    kept = node.keep(topic=TOPIC)
    settings = {**ground.settings, **PLANTED, "NODE_NAME": NODE_NAME}
    line = (
        f'{datetime.now(UTC).isoformat(timespec="milliseconds")} info    request path="/api/v1/receipt/{kept.secret}"'
    )
    log = [f'{line} code="{kept.secret}" status=200', f"somebody said {kept.secret}"]
    path = tmp_path / "bundle.tar.gz"

    def make():
        path.unlink(missing_ok=True)
        with visiting(Given(MEMORY_DATA_DIR=ground.folder, **settings), url=NOBODY) as patient:
            bundle.pack(path, contents(patient, journal=lambda _lines: log), datetime.now(UTC))
        with tarfile.open(path) as packed:
            files = {one.name.partition("/")[2]: packed.extractfile(one).read() for one in packed.getmembers()}
        return path, files

    secrets = [str(settings[name]) for name in SECRETS if settings.get(name)]
    return make, [kept.secret, kept.artifact.public_id, TOPIC, NODE_NAME, *secrets]


def leaks(files, planted):
    data = b"\0".join(files.values())
    return [value for value in planted if value.encode() in data]


def test_nothing_that_was_planted_is_in_any_byte_of_it(made):
    make, planted = made
    path, files = make()
    assert leaks(files, planted) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_search_catches_one_that_leaks(made, monkeypatch):
    make, planted = made
    monkeypatch.setattr(bundle, "journal", "\n".join)
    assert leaks(make()[1], planted) == [planted[0]]


def test_its_manifest_names_every_file_by_its_hash(made):
    _, files = made[0]()
    manifest = json.loads(files.pop("manifest.json"))
    assert {name: one["sha256"] for name, one in manifest["files"].items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
    assert manifest["left_out"]
