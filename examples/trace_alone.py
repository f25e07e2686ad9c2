"""The trace by itself: the line of a WAV file, and what wear makes of it.

python examples/trace_alone.py take.wav, then http://127.0.0.1:8080; without a file, the line of a hum
"""

import os
import sys
from pathlib import Path

import numpy as np
from nicegui import app, ui

from core.adapters.catalogs import plain
from core.audio.outline import outline
from core.audio.wav import Samples, inspect, read_samples
from memory_ui import theme
from memory_ui.elements.trace import Trace

RATE_HZ = 24_000


def hum() -> tuple[Samples, int]:
    times_s = np.arange(RATE_HZ * 3) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 220 * times_s) * np.sin(2 * np.pi * times_s) ** 2).astype(np.float32), RATE_HZ


def samples_of(path: Path) -> tuple[Samples, int]:
    with path.open("rb") as stream:
        wav = inspect(stream, size_bytes=path.stat().st_size, max_duration_s=300, max_rate_hz=96_000)
        return read_samples(stream, wav), wav.sample_rate_hz


points = outline(*(samples_of(Path(sys.argv[1])) if len(sys.argv) > 1 else hum()))


@ui.page("/")
def page() -> None:
    theme.dress("plain", body_class="plain")
    trace = Trace(figures=plain("trace"), seed="1", label="The line of a voice").style("height: 12rem")
    ui.slider(min=0, max=1, step=0.05, value=0, on_change=lambda event: trace.show(points, wear=event.value))
    trace.show(points)


app.include_router(theme.router)
ui.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8080")), reload=False, show=False, tailwind=False)
