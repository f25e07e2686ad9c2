"""`memory-engine support-bundle`: what somebody who helps needs to know of a node, and nothing of anybody in it."""

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.bootstrap.looking import Onlooker
from core.domain.custody import Report
from core.errors import Conflict, MemoryEngineError, Unavailable
from core.ports.messages import Wording
from core.ports.work import JobFailure
from core.services.watch import InWords
from core.settings import Settings
from memory_ui.appliance.configuration import NOT_SET, SECRETS, SET, Shown
from memory_ui.appliance.scrubbing import scrubbed

PERSONAL = frozenset(
    {
        "NODE_NAME",
        "NODE_LOCATION",
        "NODE_CONTACT",
        "WARN_EMAIL_TO",
        "WARN_EMAIL_FROM",
        "SMTP_USER",
        "OPS_ALLOWED_NETWORKS",
    }
)
"""Settings that may name a person, a place or where somebody works: told by whether they are set."""

LEFT_OUT = (
    "secrets, keys, receipt codes and tokens",
    "takes, pictures, and everything that was said, typed or shown to participants",
    "names and addresses of stewards and visitors; names given to pages",
    "the database, the ledger, and the settings " + ", ".join(sorted(PERSONAL)),
    "of the log: every line and value that is not known to be harmless",
)
OMITTED = "(left out)"
SHORTEST = 4
"""What is shorter stands in too many words to be taken out of a text; nothing is shown by its value anyway."""

HOME = re.compile(r"(/home/)[^/\s\"]+")
LOG_LINES = 2_000
COUNTED_MOST = 10**9


def settings_of(rows: Sequence[Shown]) -> dict[str, Any]:
    """Settings without what may name a person."""
    return {row.name: {"value": _impersonal(row), "from": row.origin.value} for row in rows}


def _impersonal(row: Shown) -> str:
    if row.name not in PERSONAL:
        return row.value
    return SET if row.value else NOT_SET


def namelessly(in_words: InWords) -> InWords:
    """Warnings in the same words, with nothing in them that somebody has named."""

    def words(warning: Any) -> Wording:
        params = {name: "(a name)" if name == "name" else value for name, value in warning.params.items()}
        return in_words(type(warning)(name=warning.name, level=warning.level, params=params))

    return words


def kept_of(onlooker: Onlooker | None) -> dict[str, Any]:
    """Schema, reports and failures; a database that does not answer is said to."""
    if onlooker is None:
        return {"database": "there is no data folder to look into"}
    try:
        schema = onlooker.schema()
        return {
            "schema": {"present": schema.present, "head": schema.head, "standing": schema.standing.value},
            "reports": [_report(report) for report in onlooker.reports()],
            "failures": [_failure(failure) for failure in onlooker.failures()],
        }
    except MemoryEngineError as error:
        return {"database": error.message}


def _report(report: Report) -> dict[str, Any]:
    """When and how; of what it says only counts: the rest names files, keys and whoever asked for it."""
    counts = {
        name: value
        for name, value in report.summary.items()
        if isinstance(value, bool) or (isinstance(value, int) and abs(value) < COUNTED_MOST)
    }
    return {
        "kind": report.kind.value,
        "state": report.state.value,
        "began_at": report.began_at.isoformat(),
        "ended_at": report.ended_at.isoformat() if report.ended_at is not None else None,
        "counts": counts,
    }


def _failure(failure: JobFailure) -> dict[str, Any]:
    return {"job": failure.job, "failed_at": failure.failed_at.isoformat(), "attempts": failure.attempts}


def journal(lines: Sequence[str]) -> str:
    """The newest lines of a log, scrubbed."""
    found = scrubbed(lines[-LOG_LINES:])
    return "\n".join([*found.lines, f"# {found.left_out} lines were left out whole"]) + "\n"


def as_json(value: Any) -> str:
    """As the files of a bundle are written."""
    return json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsaid:
    """What may stand in no file, whatever was overlooked before. `names` are taken out where they stand as words, for
    they may be short: a node called “disk” has a disk as well."""

    secrets: tuple[str, ...]
    names: tuple[str, ...]


def unsaid(settings: Settings, owner: str) -> Unsaid:
    """Values of secrets, and of what may name a person."""
    secrets = {str(getattr(settings, name)) for name in SECRETS}
    secrets |= {urlsplit(value).password or "" for value in secrets if "://" in value}
    fields = Settings.model_fields
    names = {str(getattr(settings, name)) for name in PERSONAL if getattr(settings, name) != fields[name].default}
    return Unsaid(secrets=_longest_first(secrets), names=_longest_first({*names, owner}))


def without(text: str, unsaid: Unsaid) -> str:
    """A text with none of it, and without the name of a home folder."""
    for value in unsaid.secrets:
        for form in (value, json.dumps(value)[1:-1]):
            text = text.replace(form, OMITTED)
    for value in unsaid.names:
        for form in (value, json.dumps(value)[1:-1]):
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", OMITTED, text)
    return HOME.sub(rf"\1{OMITTED}", text.replace(f"{Path.home()}/", "~/"))


def _longest_first(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True))


def pack(path: Path, files: Mapping[str, str], made_at: datetime) -> None:
    """Write the bundle, readable by its owner alone. Raises `Conflict` where there is something already."""
    data = {name: text.encode() for name, text in files.items()}
    manifest = {
        "made_at": made_at.isoformat(timespec="seconds"),
        "files": {
            name: {"sha256": hashlib.sha256(each).hexdigest(), "bytes": len(each)} for name, each in data.items()
        },
        "left_out": LEFT_OUT,
    }
    data = {"manifest.json": as_json(manifest).encode(), **data}
    stem = path.name.partition(".")[0]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict(f"There is a file at {path} already.") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.") from error
    with (
        os.fdopen(descriptor, "wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as bundle,
    ):
        for name, each in data.items():
            member = tarfile.TarInfo(f"{stem}/{name}")
            member.size, member.mode, member.mtime = len(each), 0o600, int(made_at.timestamp())
            bundle.addfile(member, io.BytesIO(each))
