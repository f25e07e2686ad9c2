"""What the kiosk page's figures come to: as a table, as evidence, and what of them was promised."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

Found = Mapping[str, Any]

ABOVE_BARE_BYTES = {"cold": 200_000, "warm": 10_000}
ANSWERS_MS = 1000.0
LARGEST_SHOWN = 20


def promises(found: Found) -> dict[str, bool]:
    """Each promise in words, and whether it was kept."""
    above, answers, frames = found["weight"]["fetched"], found["interactive"]["kiosk"], found["frames"]
    return {
        **{
            f"{visit}: at most {most / 1000:g} kB above a bare page": _difference(above[visit]) <= most
            for visit, most in ABOVE_BARE_BYTES.items()
        },
        **{
            f"{visit}: the primary button answers within {ANSWERS_MS / 1000:g} s at 95 %": times["p95_ms"] <= ANSWERS_MS
            for visit, times in answers.items()
        },
        **{
            f"{stage}: no frame and no task over 50 ms": not seen["kiosk"]["over_50_ms"]
            and not seen["kiosk"]["long_tasks_ms"]
            for stage, seen in frames.items()
        },
    }


def _difference(of: Mapping[str, list[int]]) -> float:
    return median(of["kiosk"]) - median(of["bare"])


def table(found: Found) -> str:
    """For a terminal."""
    sections = [_weights(found), _own_files(found), _times(found), _frames(found)]
    lines = [_plain(row) for section in sections for row in (*section, ())]
    return "\n".join(
        [*lines, _calm(found), *(f"{what}: {'yes' if kept else 'NO'}" for what, kept in promises(found).items())]
    )


def _plain(row: tuple[str, ...]) -> str:
    return "".join(cell.ljust(44) if index == 0 else cell.rjust(14) for index, cell in enumerate(row)).rstrip()


def _weights(found: Found) -> Iterator[tuple[str, ...]]:
    yield ("weight, median of the visits", "kiosk", "bare page", "difference")
    for kind, what in (("fetched", ""), ("socket", ", by the socket")):
        for visit, of in found["weight"][kind].items():
            yield (f"{visit}{what}", _kb(median(of["kiosk"])), _kb(median(of["bare"])), _kb(_difference(of)))


def _own_files(found: Found) -> Iterator[tuple[str, ...]]:
    files, others = found["weight"]["only_kiosk"], found["weight"]["only_bare"]
    yield (f"{len(files)} files the bare page does not have", _kb(sum(files.values())))
    shown = list(files.items())[:LARGEST_SHOWN]
    for path, size in shown:
        yield (_name(path), _kb(size))
    if len(files) > len(shown):
        yield (f"{len(files) - len(shown)} smaller ones", _kb(sum(files.values()) - sum(size for _, size in shown)))
    yield (f"less {len(others)} files the kiosk does not have", _kb(-sum(others.values())))


def _name(path: str) -> str:
    """What a file is called; a page by its address."""
    return path if path.endswith("/") else path.rsplit("/", 1)[-1]


def _times(found: Found) -> Iterator[tuple[str, ...]]:
    yield ("from the navigation", "median", "95 %", "most")
    for name, moment in (("kiosk", "the primary button has answered"), ("bare", "a bare page's label stands")):
        for visit, times in found["interactive"][name].items():
            yield (f"{moment}, {visit}", *(f"{times[key]:g} ms" for key in ("median_ms", "p95_ms", "max_ms")))


def _frames(found: Found) -> Iterator[tuple[str, ...]]:
    yield ("between frames", "median", "95 %", "worst", "over 50 ms", "frames", "long tasks")
    for stage, seen in found["frames"].items():
        for name, of in ((stage, seen["kiosk"]), ("a bare page meanwhile", seen["bare"])):
            times = (f"{of[key]:g} ms" for key in ("median_ms", "p95_ms", "max_ms"))
            yield (name, *times, *(str(count) for count in (of["over_50_ms"], of["count"], len(of["long_tasks_ms"]))))


def _kb(size: float) -> str:
    return f"{size / 1000:.1f} kB"


def write_json(file: Path, found: Found) -> None:
    """Everything that was measured, and what was promised of it."""
    file.write_text(json.dumps({**found, "promised": promises(found)}, indent=1) + "\n")


def write(folder: Path, found: Found) -> None:
    """`kiosk-page.md` and `kiosk-page.json` in `folder`."""
    write_json(folder / "kiosk-page.json", found)
    (folder / "kiosk-page.md").write_text(_page(found))


def _page(found: Found) -> str:
    on, rounds = found["machine"], found["rounds"]
    versions = ", ".join(f"{name} {number}" for name, number in on["versions"].items())
    kept = "\n".join(f"| {what} | {'yes' if held else '**no**'} |" for what, held in promises(found).items())
    parts = [
        "# Evidence: the kiosk page",
        f"A machine with {on['cores']} cores, Chromium {on['chromium']}, "
        f"Python {on['python']}, {versions}. The same figures, for machines, lie in "
        "[kiosk-page.json](kiosk-page.json). Again, from the project's folder:",
        f"```sh\n.venv/bin/{found['command']}\n```",
        "A real browser at a node of its own on the same machine; beside it a page of the same framework that has one "
        "label and nothing else, because what the framework weighs is not the kiosk's.",
        f"| promised | kept |\n| --- | --- |\n{kept}",
        "## Weight",
        "Bytes over the wire, headers included, of the page and everything it asks for until it asks for nothing more: "
        f"on a first visit, and on a second one of the same browser. {rounds} of each.",
        _markdown(_weights(found)),
        "What comes by the page's socket is told as text, before it is compressed; no promise counts it.",
        "The files only one of the two asks for, compressed as they come, on a first visit; each of them is in the "
        "file for machines. What the kiosk does without is the bare page itself and the framework's own font: without "
        "that font a bare page would be lighter, and the difference larger.",
        _markdown(_own_files(found)),
        "## Until it answers",
        "From the navigation until the kiosk stands and a click on its primary button has moved it on. "
        f"{rounds} of each.",
        _markdown(_times(found)),
        "## Frames while a voice is heard",
        f"The line is drawn from a microphone that hears somebody speak: {found['seconds']:g} s before a recording "
        f"begins, and {found['seconds']:g} s of it. A long task holds the page up for 50 ms or more. The bare page, "
        "which has nothing to draw, is watched at the same time, and tells a slow page from a busy machine.",
        _markdown(_frames(found)),
        _calm(found),
    ]
    return "\n\n".join(parts) + "\n"


def _calm(found: Found) -> str:
    """Whether what the kiosk missed can be its own doing."""
    missed = sum(seen["bare"]["over_50_ms"] for seen in found["frames"].values())
    if missed == 0:
        return "The bare page had every frame within 50 ms: nothing else held the machine up meanwhile."
    return f"The bare page itself waited more than 50 ms for {missed} of its frames: the machine was busy."


def _markdown(rows: Iterator[tuple[str, ...]]) -> str:
    head, *rest = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rest))
