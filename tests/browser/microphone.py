"""What the microphone of a page gave, as the audio thread hands it out: noted before the page itself has seen it."""

import base64

import numpy as np
from playwright.sync_api import BrowserContext, Page
from scipy.signal import correlate

LISTEN = """
window.__given = [];
const Made = window.AudioWorkletNode;
window.AudioWorkletNode = class extends Made {
  constructor(context, name, options) {
    super(context, name, options);
    if (name !== "memory-capture") return;
    this.port.addEventListener("message", ({ data }) => {
      if (data.type === "chunk") window.__given.push(data.samples.slice());
    });
  }
};
"""
JOINED = """
(name) => new Promise((resolve) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.readAsDataURL(new Blob(window[name]));
})
"""
FADE_S = 0.05
"""More than a take is faded at its edges; see [take] in audio.toml."""
ALIGN_S = 1.0
FULL_SCALE = 32_767
VOICED = 0.02
STRETCH_S = 0.2


def listen_beside(context: BrowserContext) -> None:
    """From now on, in every page that opens its microphone."""
    context.add_init_script(LISTEN)


def given(page: Page) -> np.ndarray:
    """Everything that was recorded so far, at the rate of the page's context."""
    return np.frombuffer(joined(page, "__given"), dtype=np.float32).astype(np.float64)


def joined(page: Page, name: str) -> bytes:
    """All of a list of arrays that a page keeps under a name of its window, one after the other."""
    return base64.b64decode(page.evaluate(JOINED, name))


def most_off(stored: np.ndarray, microphone: np.ndarray, rate_hz: int) -> float:
    """How far any sample of a take is off what the microphone gave at that moment, but for one gain and its faded
    edges, in steps of 16 bit: half a step is rounding, and one sample too few or too many makes thousands."""
    edge = round(FADE_S * rate_hz)
    inner = stored[edge:-edge].astype(np.float64)
    pattern = inner[: round(ALIGN_S * rate_hz)]
    at = int(np.argmax(correlate(microphone, pattern, mode="valid", method="fft")))
    part = microphone[at : at + len(inner)]
    assert len(part) == len(inner)
    gain = np.dot(inner, part) / np.dot(part, part)
    return float(np.max(np.abs(inner - gain * part)) * FULL_SCALE)


def stretches(take: np.ndarray, rate_hz: int) -> list[np.ndarray]:
    """Those of a take, each of `STRETCH_S`, that hold a voice."""
    width = round(STRETCH_S * rate_hz)
    every = [take[at : at + width] for at in range(0, len(take) - width, width)]
    return [one for one in every if np.sqrt(np.mean(one**2.0)) > VOICED]
