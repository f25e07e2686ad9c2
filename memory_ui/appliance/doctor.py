"""`memory-engine doctor`: every check there is, over one look at a node."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from core.adapters.sql.schema import Standing
from core.bootstrap.looking import Onlooker
from core.domain.custody import Closed
from core.domain.warnings import NodeWarning
from core.errors import MemoryEngineError
from core.ports.work import QueueDepth
from core.services.probing import probe
from core.services.snapshot import Kept, Snapshot
from core.services.watch import InWords
from core.settings import Settings
from memory_ui.appliance import machine, web
from memory_ui.appliance.asking import Answers
from memory_ui.appliance.checking import placeholders
from memory_ui.appliance.findings import Check, Finding, examine, failed, passed, warned
from memory_ui.appliance.storing import STORE, tried
from memory_ui.appliance.told import ROOM, told

DATABASE, QUEUE, LEDGER, AUDIT, BACKUP = "database", "queue", "ledger", "audit", "backup"
SECRETS, SETTINGS = "secrets", "settings"
NEVER = "never yet"
NONE_DUE = "there is none yet, and none is overdue"
IDLE = QueueDepth(waiting=0, running=0, oldest_waiting_s=0.0)


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What the doctor looks at. `onlooker` is None without a folder to read; `queue` is None where it does not answer.

    `shared_secret` is the one stewards sign in with, empty where there is none.
    """

    settings: Settings
    answers: Answers
    onlooker: Onlooker | None
    queue: QueueDepth | None
    in_words: InWords
    version: str
    warnings: list[str] = field(default_factory=list)
    shared_secret: str = ""
    chromium: str = ""
    inodes: Callable[[], tuple[int, int]] | None = None
    fetch: web.Fetch = web.served_at

    @cached_property
    def snapshot(self) -> Snapshot | None:
        """One look for all checks; None without a data folder or with a schema this version cannot read."""
        if self.onlooker is None or self.schema_unread:
            return None
        return self.onlooker.snapshot(IDLE if self.queue_asleep else self.queue)

    @property
    def queue_asleep(self) -> bool:
        """Whether there is no queue because the node it lives in is not running."""
        return self.queue is None and not self.settings.DATABASE_URL and not self.answers.live

    @cached_property
    def schema_unread(self) -> bool:
        """Whether the database has a schema that lacks what this version reads."""
        try:
            return self.onlooker is not None and self.onlooker.schema().standing is Standing.BEHIND
        except MemoryEngineError:
            return False

    @property
    def kept(self) -> Kept | None:
        """What the database knew, None where it could not be asked."""
        return self.snapshot.kept if self.snapshot is not None else None

    @cached_property
    def standing(self) -> list[NodeWarning]:
        """What stands by the registry of warnings."""
        if self.onlooker is None or self.snapshot is None:
            return []
        return self.onlooker.warnings(self.snapshot)

    def told(self, what: str) -> list[Finding]:
        """The warnings that belong to a check."""
        return told(what, self.standing, self.in_words)


def checks(patient: Patient) -> list[Check]:
    """Every check, in the order in which one would mend what is wrong."""
    looks: Mapping[str, Callable[[Patient], Iterable[Finding]]] = {
        SETTINGS: _settings,
        machine.DATA: _data_folder,
        machine.DISK: _disk,
        machine.CLOCK: _clock,
        DATABASE: _database,
        STORE: _store,
        QUEUE: _queue,
        "worker": lambda one: _heartbeat(one, "worker"),
        "scheduler": lambda one: _heartbeat(one, "scheduler"),
        LEDGER: _ledger,
        AUDIT: _audit,
        BACKUP: _backup,
        SECRETS: _secrets,
        web.CERTIFICATE: _certificate,
        web.SCREENS: _screens,
        web.NODE: _node,
        ROOM: _room,
    }
    return [Check(what=what, look=_bound(look, patient)) for what, look in looks.items()]


def diagnose(patient: Patient) -> list[Finding]:
    """What every check finds."""
    return examine(checks(patient))


def _bound(look: Callable[[Patient], Iterable[Finding]], patient: Patient) -> Callable[[], Iterable[Finding]]:
    return lambda: look(patient)


def refused(complaints: Iterable[str]) -> list[Finding]:
    """Settings a node would not start with: nothing else can be looked at then."""
    remedy = "`memory-engine config explain NAME` says what a setting takes; `config check` tells when all are right."
    return [failed(SETTINGS, line, remedy) for line in complaints]


def _settings(patient: Patient) -> Iterator[Finding]:
    for line in patient.warnings:
        yield warned(SETTINGS, line, "Mend it, then `memory-engine config check`.")
    if not patient.warnings:
        engine = "the stack" if patient.settings.DATABASE_URL else "the embedded engine"
        yield passed(SETTINGS, f"they hold, for {engine}")


def _data_folder(patient: Patient) -> Iterator[Finding]:
    path = patient.settings.MEMORY_DATA_DIR.expanduser().resolve()
    try:
        folder = machine.folder_at(path)
    except PermissionError:
        yield failed(
            machine.DATA,
            f"{path} may not be looked into by this user",
            "Run the doctor as the user the node runs as, or as root.",
        )
        return
    yield from machine.data_folder(folder, path, stack=bool(patient.settings.DATABASE_URL))


def _disk(patient: Patient) -> Iterator[Finding]:
    if patient.onlooker is None or patient.snapshot is None:
        yield from _unknown(patient, machine.DISK)
        return
    facts = patient.snapshot.facts
    free, files = patient.inodes() if patient.inodes is not None else machine.inodes_of(patient.onlooker.data_dir)
    room = machine.Room(
        free_bytes=facts.free_bytes or 0,
        total_bytes=facts.total_bytes,
        reserve_bytes=facts.reserve_bytes,
        free_files=free,
        files=files,
    )
    yield from machine.disk(room, patient.told(machine.DISK))


def _clock(patient: Patient) -> Iterator[Finding]:
    if patient.onlooker is None or patient.snapshot is None:
        yield from _unknown(patient, machine.CLOCK)
        return
    synchronised = patient.onlooker.around.source.synchronised()
    yield from machine.clock(patient.snapshot.facts.doubt, synchronised=synchronised, told=patient.told(machine.CLOCK))


def _database(patient: Patient) -> Iterator[Finding]:
    if patient.onlooker is None:
        yield from _unknown(patient, DATABASE)
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


def _store(patient: Patient) -> Iterator[Finding]:
    settings, onlooker, snapshot = patient.settings, patient.onlooker, patient.snapshot
    where = settings.MINIO_BUCKET or str(settings.MEMORY_DATA_DIR.expanduser().resolve() / "sounds")
    wrong: list[Finding] = []
    if onlooker is not None and snapshot is not None and snapshot.facts.store:
        wrong = list(tried(probe(onlooker.around.store), where, stack=bool(settings.DATABASE_URL)))
    yield from wrong
    if patient.told(STORE) or not wrong:
        yield from _by_registry(patient, STORE, f"keeps, gives back and deletes, in {where}")


def _queue(patient: Patient) -> Iterator[Finding]:
    if patient.onlooker is None:
        yield from _unknown(patient, QUEUE)
        return
    if patient.queue_asleep and not patient.told(QUEUE):
        yield passed(QUEUE, "it lives in the node, which is not running")
        return
    waiting = patient.queue.waiting if patient.queue is not None else 0
    yield from _by_registry(patient, QUEUE, f"{waiting} jobs wait")


def _heartbeat(patient: Patient, role: str) -> Iterator[Finding]:
    facts = patient.snapshot.facts if patient.snapshot is not None else None
    seen = [one.seen_at for one in (facts.processes or ()) if one.role == role] if facts is not None else []
    ago = f"{(facts.now - max(seen)).total_seconds():.0f} s ago" if facts is not None and seen else NEVER
    yield from _by_registry(patient, role, f"heard of {ago}")


def _ledger(patient: Patient) -> Iterator[Finding]:
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
    yield from _by_registry(patient, LEDGER, f"{entries} entries, none lacking; the node is open")


def _audit(patient: Patient) -> Iterator[Finding]:
    at = _when(patient, "audited")
    yield from _by_registry(patient, AUDIT, NONE_DUE if at == NEVER else f"the last, {at}, found nothing")


def _backup(patient: Patient) -> Iterator[Finding]:
    if not patient.settings.BACKUP_INTERVAL_HOURS and not patient.told(BACKUP):
        yield warned(
            BACKUP,
            f"none is made by itself (BACKUP_INTERVAL_HOURS is 0); the last verified one: {_when(patient, 'verified')}",
            "Let the system's clock make them (docs/how-to/run-as-a-service.md), or set BACKUP_INTERVAL_HOURS.",
        )
        return
    at = _when(patient, "verified")
    yield from _by_registry(patient, BACKUP, NONE_DUE if at == NEVER else f"the last that was read back: {at}")


def _secrets(patient: Patient) -> Iterator[Finding]:
    wrong = placeholders(patient.settings)
    for line in wrong:
        yield failed(SECRETS, line, "openssl rand -hex 32 makes one; then restart the node.")
    if not patient.shared_secret and patient.onlooker is None:
        yield from _unknown(patient, SECRETS)
    elif not patient.shared_secret:
        yield failed(
            SECRETS,
            "there is no shared secret of the stewards: nobody can sign in with one",
            "`memory-engine secret --rotate` writes one into the data folder; the node's first start does as well.",
        )
    elif not wrong:
        yield passed(SECRETS, "every one that is set is a secret of its own, and stewards can sign in")


def _certificate(patient: Patient) -> Iterator[Finding]:
    own = patient.settings.TLS != "off"
    yield from web.certificate(patient.settings.PUBLIC_URL, _now(patient), patient.fetch, own=own)
    if own and patient.snapshot is None:
        yield from _unknown(patient, web.CERTIFICATE)
    elif own and patient.snapshot is not None:
        held = patient.snapshot.facts.certificates
        yield from patient.told(web.CERTIFICATE) or [web.own_certificate(held, _now(patient))]


def _screens(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    secured = settings.TLS != "off" or patient.answers.url.startswith("https:")
    yield from web.screens(
        settings.PUBLIC_URL, settings.HOST, patient.chromium, patient.told(web.SCREENS), secured=secured
    )


def _node(patient: Patient) -> Iterator[Finding]:
    yield from web.node(patient.answers, patient.version)


def _room(patient: Patient) -> Iterator[Finding]:
    kept = patient.kept
    well = f"{kept.counted.playable} takes can be played" if kept is not None else ""
    yield from _by_registry(patient, ROOM, well)


def _by_registry(patient: Patient, what: str, well: str) -> Iterator[Finding]:
    """What the registry of warnings tells; that it is well only where the node could be asked."""
    if patient.kept is None and not patient.told(what):
        yield from _unknown(patient, what)
        return
    yield from patient.told(what) or [passed(what, well)]


def _unknown(patient: Patient, what: str) -> Iterator[Finding]:
    if patient.onlooker is None:
        yield warned(what, "not known: there is no data folder to look into", f"See the line “{machine.DATA}”.")
    else:
        yield warned(what, "not known: the database could not be asked", f"See the line “{DATABASE}”.")


def _when(patient: Patient, which: str) -> str:
    report = getattr(patient.kept.care, which) if patient.kept is not None else None
    at: datetime | None = report.ended_at if report is not None else None
    if at is None:
        return NEVER
    hours = (_now(patient) - at).total_seconds() / 3600
    return f"{at.astimezone():%Y-%m-%d %H:%M} ({hours:.0f} hours ago)"


def _now(patient: Patient) -> datetime:
    if patient.onlooker is not None:
        return patient.onlooker.around.clock.now()
    return datetime.now().astimezone()
