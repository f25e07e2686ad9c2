"""`memory-engine doctor`: every check there is, over one look at a node."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from memory_ui.appliance import at_work, kept, machine, web
from memory_ui.appliance.checking import placeholders
from memory_ui.appliance.findings import Check, Finding, examine, failed, passed, warned
from memory_ui.appliance.patient import DATABASE, Patient, by_registry, unknown
from memory_ui.appliance.storing import STORE
from memory_ui.appliance.told import ROOM

SECRETS, SETTINGS = "secrets", "settings"


def checks(patient: Patient) -> list[Check]:
    """Every check, in the order in which one would mend what is wrong."""
    looks: Mapping[str, Callable[[Patient], Iterable[Finding]]] = {
        SETTINGS: _settings,
        machine.DATA: _data_folder,
        machine.DISK: _disk,
        machine.CLOCK: _clock,
        DATABASE: kept.database,
        STORE: kept.store,
        at_work.QUEUE: at_work.queue,
        "worker": lambda one: at_work.heartbeat(one, "worker"),
        "scheduler": lambda one: at_work.heartbeat(one, "scheduler"),
        kept.LEDGER: kept.ledger,
        kept.AUDIT: kept.audit,
        kept.BACKUP: kept.backup,
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


def refused(complaints: Iterable[str]) -> list[Finding]:
    """Settings a node would not start with: nothing else can be looked at then."""
    remedy = "`memory-engine config explain NAME` says what a setting takes; `config check` tells when all are right."
    return [failed(SETTINGS, line, remedy) for line in complaints]


def _bound(look: Callable[[Patient], Iterable[Finding]], patient: Patient) -> Callable[[], Iterable[Finding]]:
    return lambda: look(patient)


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
        yield from unknown(patient, machine.DISK)
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
        yield from unknown(patient, machine.CLOCK)
        return
    synchronised = patient.onlooker.around.source.synchronised()
    yield from machine.clock(patient.snapshot.facts.doubt, synchronised=synchronised, told=patient.told(machine.CLOCK))


def _secrets(patient: Patient) -> Iterator[Finding]:
    wrong = placeholders(patient.settings)
    for line in wrong:
        yield failed(SECRETS, line, "openssl rand -hex 32 makes one; then restart the node.")
    if not patient.shared_secret and patient.onlooker is None:
        yield from unknown(patient, SECRETS)
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
    yield from web.certificate(patient.settings.PUBLIC_URL, patient.now, patient.fetch, own=own)
    if own and patient.snapshot is None:
        yield from unknown(patient, web.CERTIFICATE)
    elif own and patient.snapshot is not None:
        held = patient.snapshot.facts.certificates
        yield from patient.told(web.CERTIFICATE) or [web.own_certificate(held, patient.now)]


def _screens(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    secured = settings.TLS != "off" or patient.answers.url.startswith("https:")
    yield from web.screens(
        settings.PUBLIC_URL, settings.HOST, patient.chromium, patient.told(web.SCREENS), secured=secured
    )


def _node(patient: Patient) -> Iterator[Finding]:
    yield from web.node(patient.answers, patient.version)


def _room(patient: Patient) -> Iterator[Finding]:
    known = patient.kept
    well = f"{known.counted.playable} takes can be played" if known is not None else ""
    yield from by_registry(patient, ROOM, well)
