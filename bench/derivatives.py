"""What the derivatives of a take cost a worker: `python -m bench.derivatives [--rounds N] [--json FILE]`.

Every measurement runs in a process of its own that has loaded what a worker loads, made one derivative of a short
take first (imports are paid once), and then times a single call. Peak memory is that of the whole process. The row
"nothing" is such a process before its call.
"""

# ruff: noqa: PLC0415 -- what is measured is loaded only in the processes that are

import argparse
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.memory import memory_mb

RATE_HZ = 48_000
DURATIONS_S = (10, 60, 300)
WARM_UP_S = 1
DERIVATIVES = ("spectrogram", "essence", "loudness", "true peak")
# What a worker has loaded before its first job.
LOADED = ("core.bootstrap", "jobs.tasks")
MOST_S = 0.4
MOST_MB = 250


def main() -> None:
    """Measure, or be one of the measured processes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--take", nargs=2, metavar=("SECONDS", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--once", nargs=3, metavar=("DERIVATIVE", "WARM_UP", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.take:
        _write_take(int(given.take[0]), Path(given.take[1]))
    elif given.once:
        print(json.dumps(_measure(given.once[0], Path(given.once[1]), Path(given.once[2]))))
    else:
        _run(given.rounds, given.json)


def _run(rounds: int, file: Path | None) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        takes = {seconds: Path(folder) / f"{seconds}.wav" for seconds in (WARM_UP_S, *DURATIONS_S)}
        for seconds, path in takes.items():
            _child("--take", str(seconds), str(path))
        print(f"{'derivative':<12} {'take':>6} {'median':>9} {'95 %':>9} {'peak memory':>12}")
        for derivative in ("nothing", *DERIVATIVES):
            for seconds in DURATIONS_S if derivative != "nothing" else (WARM_UP_S,):
                files = (str(takes[WARM_UP_S]), str(takes[seconds]))
                found = [json.loads(_child("--once", derivative, *files)) for _ in range(rounds)]
                rows.append(_row(derivative, seconds, found))
                print(_line(rows[-1]), flush=True)
    kept = all(row["p95_s"] < MOST_S and row["peak_mb"] < MOST_MB for row in rows if row["promised"])
    print(f"spectrogram and essence under {MOST_S:g} s and {MOST_MB} MB: {'yes' if kept else 'NO'}")
    if file:
        file.write_text(json.dumps({"machine": _machine(), "rounds": rounds, "kept": kept, "rows": rows}, indent=2))
    if not kept:
        sys.exit(1)


def _row(derivative: str, seconds: int, found: list[dict[str, float]]) -> dict[str, Any]:
    walls = [one["wall_s"] for one in found]
    p95 = statistics.quantiles(walls, n=20, method="inclusive")[-1] if len(walls) > 1 else walls[0]
    return {
        "derivative": derivative,
        "take_s": seconds,
        "median_s": statistics.median(walls),
        "p95_s": p95,
        "peak_mb": max(one["peak_mb"] for one in found),
        "promised": derivative in {"spectrogram", "essence"},
    }


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['derivative']:<12} {row['take_s']:>4} s {row['median_s'] * 1000:>6.0f} ms {row['p95_s'] * 1000:>6.0f} ms"
        f" {row['peak_mb']:>9.0f} MB"
    )


def _machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}


def _child(*arguments: str) -> str:
    # A peak of memory is inherited from the parent: this process must stay small, and loads nothing of ours.
    ran = subprocess.run(
        [sys.executable, "-m", "bench.derivatives", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    return ran.stdout


def _write_take(seconds: int, path: Path) -> None:
    """Noise that swells and falls like phrases: nothing about it is easy to compress or to skip."""
    import numpy as np

    from core.audio import wav

    rng = np.random.default_rng(seconds)
    time_s = np.arange(seconds * RATE_HZ, dtype=np.float32) / RATE_HZ
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 0.3 * time_s)
    noise = rng.standard_normal(time_s.size, dtype=np.float32)
    path.write_bytes(wav.write((0.2 * swell * noise).astype(np.float32), RATE_HZ))


def _measure(derivative: str, warm_up: Path, take: Path) -> dict[str, float]:
    for module in LOADED:
        importlib.import_module(module)
    _make(derivative, warm_up)
    wall_s = 0.0
    if derivative != "nothing":
        began = time.perf_counter()
        _make(derivative, take)
        wall_s = time.perf_counter() - began
    return {"wall_s": wall_s, "peak_mb": memory_mb(line="VmHWM")}


def _make(derivative: str, path: Path) -> None:
    from core.adapters.catalogs import load
    from core.audio import essence, loudness, spectrogram, wav

    figures = load("derivatives", essence.DerivativeCatalog)
    with path.open("rb") as stream:
        inspected = wav.inspect(stream, size_bytes=path.stat().st_size, max_duration_s=300, max_rate_hz=96_000)
        match derivative:
            case "spectrogram":
                spectrogram.spectrogram_png(stream, inspected, figures.spectrogram)
            case "essence":
                essence.essence_wav(stream, inspected, seed=bytes(32), figures=figures.essence)
            case "loudness":
                loudness.integrated_lufs(stream, inspected)
            case "true peak":
                loudness.true_peak_dbtp(stream, inspected)
            case "nothing":
                _make("spectrogram", path)
                _make("essence", path)
                _make("loudness", path)


if __name__ == "__main__":
    main()
