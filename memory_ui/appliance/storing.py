"""The check of the store: not only whether it answers, but whether it keeps, gives back and deletes."""

from collections.abc import Iterator

from core.domain.custody import PROBE_KEY
from core.services.probing import Probed, Step
from memory_ui.appliance.findings import Finding, failed

STORE = "store"

_WRONG = {
    Step.PUT: "takes no bytes: nothing can be left here",
    Step.READ: "does not give back the bytes it was given",
    Step.DELETE: "does not delete: what is taken back would stay",
}
_LEFT = f"; the doctor's own object, {PROBE_KEY}, may still lie there"
_DISK = "Look at the disk under it and at its log before anything else is left here."


def tried(found: Probed, where: str, *, stack: bool) -> Iterator[Finding]:
    """What became of the small object that was put into it; nothing where all went well."""
    if found.refused is None:
        return
    remedy = _DISK if found.refused is Step.READ else (_S3 if stack else _FILES)[found.refused].format(where=where)
    again = " Then run the doctor again: it takes its object away." if found.left else ""
    yield failed(STORE, f"{where} {_WRONG[found.refused]}{_LEFT if found.left else ''}", f"{remedy}{again}")


_FILES = {
    Step.PUT: "Look whether {where} has room, belongs to the user the node runs as, and is not mounted read-only.",
    Step.DELETE: "Look whether {where}, and all in it, belongs to the user the node runs as, and may be written.",
}
_S3 = {
    Step.PUT: "Look whether the store has room, and let MINIO_ACCESS_KEY put objects into the bucket {where}.",
    Step.DELETE: "Let MINIO_ACCESS_KEY delete objects of the bucket {where}, which must keep no versions and no locks.",
}
