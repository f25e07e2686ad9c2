"""What a page holds on to: heap, audio nodes that are still reachable, DOM nodes, listeners; and what it rejected."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

WATCH = """
// Every audio node and buffer that is made is remembered weakly: what is still there after collecting is alive.
window.__census = { refs: [], rejections: [] };
addEventListener("unhandledrejection", ({ reason }) => window.__census.rejections.push(String(reason)));
const remember = (kind, made) => { window.__census.refs.push([kind, new WeakRef(made)]); return made; };
for (const name of ["GainNode", "BiquadFilterNode", "AudioBufferSourceNode", "AudioWorkletNode", "OscillatorNode",
  "DynamicsCompressorNode", "WaveShaperNode", "DelayNode", "ConvolverNode", "AnalyserNode", "AudioBuffer"]) {
  if (window[name] === undefined) continue;
  window[name] = new Proxy(window[name], {
    construct: (target, given, as) => remember(name, Reflect.construct(target, given, as)),
  });
}
const decode = BaseAudioContext.prototype.decodeAudioData;
BaseAudioContext.prototype.decodeAudioData = async function (bytes) {
  return remember("AudioBuffer", await decode.call(this, bytes));
};
window.__alive = () => {
  const census = window.__census;
  census.refs = census.refs.filter(([, ref]) => ref.deref() !== undefined);
  const count = {};
  for (const [kind] of census.refs) count[kind] = (count[kind] ?? 0) + 1;
  return { count, rejections: census.rejections };
};
"""
"""To be run in the page before anything else."""

SETTLE_MS = 60


@dataclass
class Census:
    """Counts one page again and again."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._devtools = self.page.context.new_cdp_session(self.page)
        self._devtools.send("HeapProfiler.enable")
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def count(self) -> dict[str, Any]:
        """What is alive now, after everything that can go has gone."""
        for _ in range(2):
            self._devtools.send("HeapProfiler.collectGarbage")
            self.page.wait_for_timeout(SETTLE_MS)
        alive = self.page.evaluate("window.__alive()")
        heap = self._devtools.send("Runtime.getHeapUsage")
        dom = self._devtools.send("Memory.getDOMCounters")
        buffers = alive["count"].pop("AudioBuffer", 0)
        return {
            "heap_mb": round(heap["usedSize"] / 1e6, 3),
            "audio_nodes": sum(alive["count"].values()),
            "audio_buffers": buffers,
            "dom_nodes": dom["nodes"],
            "listeners": dom["jsEventListeners"],
            "rejections": len(alive["rejections"]),
            "errors": len(self.errors),
        }
