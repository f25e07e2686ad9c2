"""Texts read out by espeak-ng, a program of its own."""

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from core.audio.clip import LONGEST_S, RATE_HZ
from core.audio.wav import Samples, inspect, read_samples
from core.errors import MemoryEngineError, Unavailable

PROGRAM = "espeak-ng"
VOICES = {
    "ar": "ar",
    "de": "de",
    "en": "en-gb",
    "es": "es-419",
    "fr": "fr-fr",
    "ja": "ja",
    "pt-BR": "pt-br",
}
WORDS_A_MINUTE = 150

_ABSENT = f"{PROGRAM} is not on this machine: install it (apt-get install {PROGRAM}), or use recordings."
_KANJI = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005-\u3007\U00020000-\U0003ffff]")
_PATIENCE_S = 60


class Espeak:
    """See `core.ports.clips.Speaker`."""

    def reads(self, text: str, language: str) -> bool:
        """It knows kana and no kanji, which it would leave out or spell in Chinese."""
        return language in VOICES and not (language == "ja" and _KANJI.search(text))

    def speak(self, text: str, language: str) -> Samples:
        """As it comes, with the silence around it."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "spoken.wav"
            spoken = ["-v", VOICES[language], "-s", str(WORDS_A_MINUTE), "-b", "1", "-w", str(path), "--stdin"]
            try:
                subprocess.run(  # noqa: S603 -- the text goes in by itself, and is no argument
                    [PROGRAM, *spoken], input=text.encode(), capture_output=True, check=True, timeout=_PATIENCE_S
                )
                return _read(path)
            except FileNotFoundError as error:
                raise Unavailable(_ABSENT) from error
            except (OSError, subprocess.SubprocessError, MemoryEngineError) as error:
                raise Unavailable(f"{PROGRAM} could not say: {text}") from error


def _read(path: Path) -> Samples:
    with path.open("rb") as stream:
        size_bytes = path.stat().st_size
        wav = inspect(stream, size_bytes=size_bytes, max_duration_s=2 * LONGEST_S, max_rate_hz=RATE_HZ)
        if wav.sample_rate_hz != RATE_HZ:
            raise Unavailable(f"{PROGRAM} speaks at {wav.sample_rate_hz} Hz.")
        return read_samples(stream, wav)
