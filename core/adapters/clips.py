"""Clips in folders: one a language, with a `clips.json` that says what each of them says.

The name of a file has the digest of what is in it: a file is written once and never changed, and a reader sees the old
clip or the new one.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.domain.clips import SUFFIXES, By, Clip, digest_of
from core.errors import Unavailable
from core.ports.clips import Kept

CLIPS = "clips.json"
PARTIAL = ".partial"

_FORM = TypeAdapter(dict[str, Clip])

Stamp = tuple[int, int, int]


class FolderClips:
    """See `core.ports.clips.ClipShelf`. What was read is held until `clips.json` is another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, tuple[Stamp, Mapping[str, Kept]]] = {}

    def clips(self, language: str) -> Mapping[str, Kept]:
        """Nothing where there is no such folder, or nothing in it."""
        path = self._folder / language / CLIPS
        try:
            found = path.stat()
        except FileNotFoundError as error:
            if any(next(path.parent.glob(f"*{suffix}"), None) for suffix in SUFFIXES):
                raise Unavailable(f"{path} is missing: {_REMEDY}") from error
            return {}
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}.") from error
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        held = self._held.get(language)
        if held is None or held[0] != stamp:
            held = self._held[language] = (stamp, _read(path))
        return held[1]

    def put(self, language: str, name: str, *, says: str, by: By, sound: bytes, suffix: str = ".wav") -> None:
        """The file is there before it is named, and the one it replaces as long as it is named."""
        clips = dict(self.clips(language))
        folder = self._folder / language
        digest = digest_of(sound)
        clip = Clip(says=says, file=f"{name}-{digest}{suffix}", by=by)
        kept = Kept(clip=clip, path=folder / clip.file, digest=digest)
        before = clips.get(name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not clips:
                self._name(language, clips)
            _write(kept.path, sound)
            self._name(language, {**clips, name: kept})
            if before is not None and before.path != kept.path:
                before.path.unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"{folder} cannot be written to: {error.strerror}.") from error

    def remove(self, language: str, name: str) -> bool:
        """No longer named, and then gone."""
        clips = dict(self.clips(language))
        before = clips.pop(name, None)
        if before is None:
            return False
        try:
            self._name(language, clips)
            before.path.unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"{before.path.parent} cannot be written to: {error.strerror}.") from error
        return True

    def _name(self, language: str, clips: Mapping[str, Kept]) -> None:
        told = {name: asdict(clips[name].clip) for name in sorted(clips)}
        text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
        _write(self._folder / language / CLIPS, text.encode())
        self._held.pop(language, None)


_REMEDY = "put it back, or delete the folder and render anew."


def _read(path: Path) -> dict[str, Kept]:
    try:
        clips = _FORM.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise Unavailable(f"{path} cannot be read: {_REMEDY}") from error
    kept = {}
    for name, clip in clips.items():
        try:
            digest = digest_of((path.parent / clip.file).read_bytes())
        except OSError:
            continue
        kept[name] = Kept(clip=clip, path=path.parent / clip.file, digest=digest)
    return kept


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + PARTIAL)
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
