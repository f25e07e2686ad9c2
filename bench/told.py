"""What was measured, as Markdown."""

from collections.abc import Iterator
from typing import Any

CURVES = ("pool next, any", "pool next, a rare lane", "heard", "node status", "intake", "revoke")
FLAT, STATUS_FLAT, SERVER_MS = 2.0, 3.0, 5.0
EVENING_MINUTES = 10.0
START_S, REST_MB, LONG_MS, STANDS_S, JOB_MB, PAGE_MB = 3.0, 200, 50.0, 3.0, 300, 0.3


def slug(kind: str) -> str:
    """A name for a file."""
    return kind.replace(",", "").replace(" ", "-")


def report(found: dict[str, Any]) -> str:
    """The whole of it; parts that were not measured are left out."""
    lines = [
        "# Evidence: what it can do",
        "",
        f"{found['machine']['cores']} cores, Python {found['machine']['python']}; versions and every figure are in "
        "[bench.json](bench.json). Node, database, store, clients and browsers shared the machine. Again, from the "
        "project's folder:",
        "",
        "```sh",
        f'make bench BENCH="{_minutes(found)}--report"',
        "```",
        "",
        "Times are of whole answers at a client on loopback, in ms: median / 95 %.",
        "",
    ]
    for part, tell in TOLD.items():
        if part in found:
            lines += [*tell(found[part]), ""]
    pushed = {name: one for name, one in found.items() if name.startswith("push ")}
    if pushed:
        lines += [*_push(pushed), ""]
    return "\n".join(lines).rstrip() + "\n"


def _minutes(found: dict[str, Any]) -> str:
    """How long the evening was, where it was not as long as it is unless something is said."""
    minutes = {one["minutes"] for one in found.get("evening", {}).get("engines", {}).values()}
    return "".join(f"--minutes {one:g} " for one in minutes if one != EVENING_MINUTES)


def _growth(found: dict[str, Any]) -> Iterator[str]:
    yield "## By the size of the archive"
    for engine, rows in found["rows"].items():
        sizes = [row["size"] for row in rows]
        yield ""
        yield f"### {engine.capitalize()}"
        yield ""
        yield f"| takes | {' | '.join(f'{size:,}' for size in sizes)} |"
        yield f"| --- |{' --- |' * len(sizes)}"
        for kind in rows[0]["times"]:
            yield f"| {kind} | {' | '.join(_times(row['times'].get(kind)) for row in rows)} |"
        for kind in rows[0]["served"]:
            yield f"| {kind}, at the server | {' | '.join(_times(row['served'][kind]) for row in rows)} |"
        for name in rows[-1]["sweeps"] | rows[0]["sweeps"]:
            yield f"| sweep, {name} | {' | '.join(_sweep(row['sweeps'].get(name)) for row in rows)} |"
        for name in rows[0]["memory_mb"]:
            yield f"| {name}, MB | {' | '.join(str(row['memory_mb'][name]) for row in rows)} |"
    yield ""
    yield from (f"![{kind}](bench-{slug(kind)}.svg)" for kind in CURVES)
    yield ""
    yield from _promises(found["rows"])


def _promises(rows: dict[str, Any]) -> Iterator[str]:
    yield from PROMISED
    for engine, found in rows.items():
        first, last = found[0], found[-1]
        for kind in (kind for kind in first["times"] if kind.startswith("pool next") or kind == "heard"):
            times = _ratio(first, last, kind)
            yield _promise(f"{kind}: at most {FLAT:g} times", engine, f"{times:.2f} times", times <= FLAT)
        middle = next((row for row in found if row["size"] >= 1_000), first)
        times = _ratio(middle, last, "node status")
        yield _promise(
            f"node status: at most {STATUS_FLAT:g} times", engine, f"{times:.2f} times", times <= STATUS_FLAT
        )
        for kind in ("pool next", "heard"):
            slowest = max(row["served"][kind]["median_ms"] for row in found)
            yield _promise(
                f"{kind}: under {SERVER_MS:g} ms at the server", engine, f"{slowest:g} ms", slowest < SERVER_MS
            )


PROMISED = ("| Asked for | engine | found | kept |", "| --- | --- | --- | --- |")


def _promise(what: str, engine: str, found: str, kept: bool) -> str:
    return f"| {what} | {engine} | {found} | {'yes' if kept else 'NO'} |"


def _ratio(first: dict[str, Any], last: dict[str, Any], kind: str) -> float:
    ratio: float = last["times"][kind]["median_ms"] / first["times"][kind]["median_ms"]
    return ratio


def _times(found: dict[str, float] | None) -> str:
    return f"{found['median_ms']:g} / {found['p95_ms']:g}" if found else ""


def _sweep(found: dict[str, float] | None) -> str:
    return f"{found['expire_s'] + found['sweep_s']:.2f} s ({found['expired']:g})" if found else ""


def _exact(found: dict[str, Any]) -> Iterator[str]:
    yield f"## Drawing from {found['size']:,} takes"
    yield ""
    yield (
        f"{found['draws']:,} draws for each wish, held against the weights of every take (chi-square). Of eight honest "
        "values one is under 0.01 in 12 runs."
    )
    yield ""
    yield "| engine | wish | kinds of take | p | ms each |"
    yield "| --- | --- | --- | --- | --- |"
    for engine, wishes in found["engines"].items():
        for name, one in wishes.items():
            yield f"| {engine} | {name} | {one['kinds']} | {one['p']:g} | {one['ms_each']:g} |"


def _loads(found: dict[str, Any]) -> Iterator[str]:
    yield "## Whatever the size"
    for engine, one in found["engines"].items():
        rest = ", ".join(f"{name} {held} MB" for name, held in one["at_rest_mb"].items())
        most = ", ".join(f"{name} {held} MB" for name, held in one["most_mb"].items())
        voice = ", ".join(f"{kind} {_times(times)}" for kind, times in one["voice"].items())
        yield ""
        yield f"### {engine.capitalize()}"
        yield ""
        yield f"- From the start to the first answer: {_times(one['start'])}."
        yield f"- Memory at rest: {rest}. The most it held in the end: {most}."
        yield f"- A voice of ten seconds: {voice}; {one['voices_a_second']:g} a second at eight clients."
        size_mb = one["others"]["upload_bytes"] / 1e6
        yield f"- Eight uploads of {size_mb:.1f} MB at once: {_times(one['others']['upload'])}."
        web = one["others"]["web"]
        ran, waited = f"{web['ran_s']:g} s", f"{web['waited_for_a_core_s']:g} s"
        yield f"- Meanwhile the threads of the web process worked for {ran}, and waited for a core for {waited}."
        yield ""
        yield f"| others wait (median / 95 % / most) | calm | while eight upload | longer than {LONG_MS:g} ms |"
        yield "| --- | --- | --- | --- |"
        for path in one["others"]["calm"]:
            calm, meanwhile = (one["others"][name][path] for name in ("calm", "while eight upload"))
            cells = [f"{_times(times)} / {times['max_ms']:g}" for times in (calm, meanwhile)]
            yield f"| `{path}` | {' | '.join(cells)} | {meanwhile['longer']} of {meanwhile['count']} |"
    yield ""
    yield from PROMISED
    for engine, one in found["engines"].items():
        start_s = one["start"]["median_ms"] / 1000
        yield _promise(f"start: under {START_S:g} s", engine, f"{start_s:.1f} s", start_s < START_S)
        rest_mb = one["at_rest_mb"]["web 1"]
        yield _promise(f"web at rest: under {REST_MB} MB", engine, f"{rest_mb} MB", rest_mb < REST_MB)
        longest_ms = max(times["max_ms"] for times in one["others"]["while eight upload"].values())
        yield _promise(f"others wait at most {LONG_MS:g} ms", engine, f"{longest_ms:g} ms", longest_ms <= LONG_MS)


def _pages(found: dict[str, Any]) -> Iterator[str]:
    yield "## Pages" + (" of a small computer: one core, 1 GB, with kiosk, room and ops open" if found["small"] else "")
    yield ""
    yield "| page | first visit, kB | stands after, ms | second, kB | stands after, ms |"
    yield "| --- | --- | --- | --- | --- |"
    for path, visits in found["pages"].items():
        cells = [cell for one in visits.values() for cell in (f"{one['kb']:g}", _times(one["stands"]))]
        yield f"| `{path}` | {' | '.join(cells)} |"
    yield ""
    yield f"The node held {found['memory_mb']} MB in the end, and at most {found['most_mb']} MB."
    yield ""
    yield from PROMISED
    stands_s = max(one["stands"]["median_ms"] for visits in found["pages"].values() for one in visits.values()) / 1000
    yield _promise(f"pages stand in under {STANDS_S:g} s", "embedded", f"{stands_s:.1f} s", stands_s < STANDS_S)


def _derivatives(found: dict[str, Any]) -> Iterator[str]:
    yield "## What is made of a take"
    yield ""
    yield "| | take, s | s, median / 95 % | most memory, MB |"
    yield "| --- | --- | --- | --- |"
    for row in found["rows"]:
        times = f"{row['median_s']:.3f} / {row['p95_s']:.3f}"
        yield f"| {row['derivative']} | {row['take_s']} | {times} | {row['peak_mb']:.0f} |"
    yield ""
    yield from PROMISED
    most_mb = max(row["peak_mb"] for row in found["rows"])
    yield _promise(f"a worker's largest job: under {JOB_MB} MB", "both", f"{most_mb:.0f} MB", most_mb < JOB_MB)


def _push(pushed: dict[str, Any]) -> Iterator[str]:
    yield "## A steward's change"
    yield ""
    yield "| open pages | answered | seen by the last page | memory for each page |"
    yield "| --- | --- | --- | --- |"
    for one in pushed.values():
        seen = one["seen by the last page"]
        yield f"| {one['pages']} | {_times(one['a change'])} | {_times(seen)} | {one['memory for each page']} |"
    many = max(pushed.values(), key=lambda one: one["pages"])
    page_mb = float(many["memory for each page"].removesuffix(" MB"))
    yield ""
    yield from PROMISED
    yield _promise(f"a page: under {PAGE_MB:g} MB", "embedded", f"{page_mb:g} MB", page_mb < PAGE_MB)


def _evening(found: dict[str, Any]) -> Iterator[str]:
    yield "## An evening: four kiosks, three rooms, two stewards"
    for engine, one in found["engines"].items():
        yield ""
        yield f"### {engine.capitalize()}, {one['minutes']:g} minutes"
        yield ""
        yield "| | first quarter | last quarter |"
        yield "| --- | --- | --- |"
        for kind, spans in one["times"].items():
            yield f"| {kind} | {_times(spans.get('first quarter'))} | {_times(spans.get('last quarter'))} |"


TOLD = {
    "growth": _growth,
    "exact": _exact,
    "loads": _loads,
    "pages": _pages,
    "small": _pages,
    "derivatives": _derivatives,
    "evening": _evening,
}
