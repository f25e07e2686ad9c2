"""The files of a support bundle, gathered from one visit."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from memory_ui.appliance import bundle, surroundings
from memory_ui.appliance.configuration import shown
from memory_ui.appliance.doctor import diagnose
from memory_ui.appliance.machine import owner_of
from memory_ui.appliance.patient import Patient
from memory_ui.appliance.status import standing_of

Journal = Callable[[int], list[str]]


def contents(patient: Patient, journal: Journal = surroundings.journal) -> dict[str, str]:
    """Name and text of every file; what may name somebody is in none of them."""
    nameless = replace(patient, in_words=bundle.namelessly(patient.in_words))
    findings = [finding.to_json() for finding in diagnose(nameless)]
    files = {
        "settings.json": bundle.as_json(bundle.settings_of(shown(patient.settings))),
        "doctor.json": bundle.as_json(findings),
        "status.json": bundle.as_json(asdict(replace(standing_of(nameless), name=bundle.OMITTED))),
        "versions.json": bundle.as_json(surroundings.versions(patient.version, patient.chromium)),
        "node.json": bundle.as_json(bundle.kept_of(patient.onlooker)),
        "disks.json": bundle.as_json(surroundings.disks(_folders(patient))),
        "log.txt": bundle.journal(journal(bundle.LOG_LINES)),
    }
    unsaid = bundle.unsaid(patient.settings, owner_of(patient.settings.MEMORY_DATA_DIR.expanduser()))
    return {name: bundle.without(text, unsaid) for name, text in files.items()}


def _folders(patient: Patient) -> list[Path]:
    settings = patient.settings
    named = (settings.MEMORY_DATA_DIR, settings.LEDGER_DIR, settings.BACKUP_DIR)
    return [path.expanduser().resolve() for path in named if path is not None]
