"""A version runs on a schema that is newer than its own: after a rollback, that is what it finds."""

import logging

import pytest
from sqlalchemy import text

from core.adapters.sql import migrate
from core.bootstrap.migrating import look
from core.errors import Misconfigured
from tests.wavs import take


def expand(node) -> None:
    """What a later version's migration may do: a table, and a column that need not be filled."""
    with node.system.outside.engine.begin() as connection:
        connection.execute(text("CREATE TABLE later (id INTEGER PRIMARY KEY, said TEXT NOT NULL)"))
        connection.execute(text("ALTER TABLE artifact ADD COLUMN later TEXT"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))


def test_on_a_newer_schema_this_version_keeps_plays_takes_back_and_audits(make_node, caplog) -> None:
    from tests.fakes import visits_to

    expand(make_node())
    migrate._tell_newer.cache_clear()
    with caplog.at_level(logging.WARNING):
        node = make_node()
        make_node()
    assert [record.message for record in caplog.records].count("schema.newer") == 1
    found = look(node.system.settings)
    assert (found.after, found.ahead) == ("9999", True)
    with visits_to(node) as visits:
        client = visits.client()
        kept = client.post(
            "/api/v1/artifacts/audio",
            files={"file": ("take.wav", take(), "audio/wav")},
            data={"consent_mode": "ROOM"},
        )
        assert kept.status_code == 201
        voice = client.get("/api/v1/pool/next")
        assert client.get(voice.json()["audio_url"]).content[:4] == b"RIFF"
        revoked = client.post("/api/v1/revoke", json={"token": kept.json()["revocation_token"]}).json()
        assert (revoked["revoked_artifacts"], bool(revoked["verified_gone_at"])) == (1, True)
    assert make_node().system.audit.run().ok


def test_a_schema_no_version_has_is_refused_by_its_name(make_node) -> None:
    with make_node().system.outside.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'f00ba4'"))
    with pytest.raises(Misconfigured, match="f00ba4"):
        make_node()
