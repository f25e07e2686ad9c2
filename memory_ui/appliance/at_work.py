"""Checks of what works in the background of a node: its queue, and whoever gives signs of life."""

from collections.abc import Iterator

from memory_ui.appliance.findings import Finding, passed
from memory_ui.appliance.patient import NEVER, Patient, by_registry, unknown

QUEUE = "queue"


def queue(patient: Patient) -> Iterator[Finding]:
    """Whether it answers, and how much waits in it."""
    if patient.onlooker is None:
        yield from unknown(patient, QUEUE)
        return
    if patient.queue_asleep and not patient.told(QUEUE):
        yield passed(QUEUE, "it lives in the node, which is not running")
        return
    waiting = patient.queue.waiting if patient.queue is not None else 0
    yield from by_registry(patient, QUEUE, f"{waiting} jobs wait")


def heartbeat(patient: Patient, role: str) -> Iterator[Finding]:
    """When a worker, or a scheduler, was last heard of."""
    facts = patient.snapshot.facts if patient.snapshot is not None else None
    seen = [one.seen_at for one in (facts.processes or ()) if one.role == role] if facts is not None else []
    ago = f"{(facts.now - max(seen)).total_seconds():.0f} s ago" if facts is not None and seen else NEVER
    yield from by_registry(patient, role, f"heard of {ago}")
