"""The kiosk's spoken clips as they are shipped: read out by espeak-ng for the settings as they stand without any."""

import io
import sys
from pathlib import Path

import soundfile

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.adapters.clips import FolderClips
from core.adapters.copy import languages
from core.adapters.espeak import Espeak
from core.audio.clip import RATE_HZ, evened
from core.audio.wav import Samples
from core.bootstrap.clips import SHIPPED, clip_figures, say_in
from core.domain.clips import By, wanted
from core.settings import Settings

COMPRESSION = 0.98
"""libsndfile's figure for about 26 kbit/s of speech. At a variable rate the file says how much of it is padding."""


def mp3(samples: Samples) -> bytes:
    """`samples` at `RATE_HZ`, encoded."""
    out = io.BytesIO()
    soundfile.write(out, samples, RATE_HZ, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE",
                    compression_level=COMPRESSION)  # fmt: skip
    return out.getvalue()


def main() -> None:
    """Render what says something else than it should, delete what is not wanted, leave the rest."""
    shelf, speaker = FolderClips(SHIPPED), Espeak()
    figures = clip_figures(Settings.model_construct())
    for language in languages():
        texts = wanted(say_in(language), figures)
        there = dict(shelf.clips(language))
        for name in there.keys() - texts.keys():
            shelf.remove(language, name)
            print(f"{language}: {name} deleted")
        for name, text in texts.items():
            if name not in there or there[name].clip.says != text:
                sound = mp3(evened(speaker.speak(text, language)))
                shelf.put(language, name, says=text, by=By.ESPEAK, sound=sound, suffix=".mp3")
                print(f"{language}: {name}")


if __name__ == "__main__":
    main()
