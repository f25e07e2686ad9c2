"""Checks of what a node keeps: its database, its store, its ledger, and what was done for them."""

from collections.abc import Iterator

from core.adapters.sql.schema import Standing
from core.domain.custody import Closed
from core.services.probing import probe
from memory_ui.appliance.findings import Finding, failed, passed, warned
from memory_ui.appliance.patient import DATABASE, NEVER, Patient, by_registry, unknown
from memory_ui.appliance.storing import STORE, tried

LEDGER, AUDIT, BACKUP = "ledger", "audit", "backup"
NONE_DUE = "there is none yet, and none is overdue"


def database(patient: Patient) -> Iterator[Finding]:
    """Whether it answers, and has the schema of this version."""
    if patient.onlooker is None:
        yield from unknown(patient, DATABASE)
        return
    if found := patient.told(DATABASE):
        yield from found
        return
    schema = patient.onlooker.schema()
    if schema.standing is Standing.HEAD:
        yield passed(DATABASE, f"answers, schema {schema.present}")
    elif schema.standing is Standing.AHEAD:
        yield warned(
            DATABASE,
            f"its schema {schema.present} was made by a newer version; this one knows {schema.head}",
            "Nothing, after going back on purpose: migrations only expand. Else run the version that made it.",
        )
    else:
        yield failed(
            DATABASE,
            f"its schema is {schema.present or 'not there yet'}, and this version needs {schema.head}",
            "Make a backup with the version before, then start this one: it brings the database up to date by itself.",
        )


def store(patient: Patient) -> Iterator[Finding]:
    """Whether it answers, keeps, gives back and deletes."""
    settings, onlooker, snapshot = patient.settings, patient.onlooker, patient.snapshot
    where = settings.MINIO_BUCKET or str(settings.MEMORY_DATA_DIR.expanduser().resolve() / "sounds")
    wrong: list[Finding] = []
    if onlooker is not None and snapshot is not None and snapshot.facts.store:
        wrong = list(tried(probe(onlooker.around.store), where, stack=bool(settings.DATABASE_URL)))
    yield from wrong
    if patient.told(STORE) or not wrong:
        yield from by_registry(patient, STORE, f"keeps, gives back and deletes, in {where}")


def ledger(patient: Patient) -> Iterator[Finding]:
    """Whether it is as long as it was, and the node open."""
    node = patient.onlooker.node() if patient.onlooker is not None and patient.kept is not None else None
    entries = patient.onlooker.ledger.length if patient.onlooker is not None else 0
    # Where the store does not answer nobody can say that anything is missing.
    whole = patient.snapshot is not None and patient.snapshot.facts.store
    if whole and node is not None and node.closed is Closed.OPEN and entries < node.ledger_length:
        yield failed(
            LEDGER,
            f"{entries} entries are there, and there were {node.ledger_length}: the next start closes the node",
            "Put ledger.jsonl back, from a backup or from LEDGER_DIR, before it is started (docs/how-to/audit.md).",
        )
        return
    yield from by_registry(patient, LEDGER, f"{entries} entries, none lacking; the node is open")


def audit(patient: Patient) -> Iterator[Finding]:
    """The last that came to its end."""
    at = patient.last("audited")
    yield from by_registry(patient, AUDIT, NONE_DUE if at == NEVER else f"the last, {at}, found nothing")


def backup(patient: Patient) -> Iterator[Finding]:
    """The last that was read back, and whether any is made by itself."""
    if not patient.settings.BACKUP_INTERVAL_HOURS and not patient.told(BACKUP):
        yield warned(
            BACKUP,
            f"none is made by itself (BACKUP_INTERVAL_HOURS is 0); the last verified one: {patient.last('verified')}",
            "Let the system's clock make them (docs/how-to/run-as-a-service.md), or set BACKUP_INTERVAL_HOURS.",
        )
        return
    at = patient.last("verified")
    yield from by_registry(patient, BACKUP, NONE_DUE if at == NEVER else f"the last that was read back: {at}")
