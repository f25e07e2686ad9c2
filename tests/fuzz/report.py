"""What a campaign was answered, for people."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

INTRODUCTION = """# Evidence: answers held against the contract

Written by `make fuzz FUZZ="--examples {examples} --seed {seed} --report"`; the same numbers, for machines, lie in
[fuzz.json](fuzz.json).

Every operation of the [published contract](../reference/http-api.md#the-contract-for-machines) was asked by nobody,
by a curator and by a steward, {engines}. Up to {examples} requests each were made of data the contract allows, and as
many of data it does not; some carried tokens, codes and numbers that exist, some what nobody should send: lone
surrogates, zero bytes, numbers of five thousand digits, thirty thousand brackets. Where free text is all that may be
sent nothing can be disallowed, and where little may be sent there are fewer requests to make.

Each answer was held against the contract (status, type, headers, shape, no field it does not name), against the
headers every answer carries, and against what a refusal is: one sentence that tells nothing of the inside. A 500 is
never in the contract. Budgets were raised, so that none was refused for them; nobody was at work in the background, so
`/readyz` is 503.
"""


def markdown(found: dict[str, Any]) -> str:
    """The report as a page."""
    engines = " and ".join(f"on the {engine} engine" for engine in found["answered"])
    parts = [INTRODUCTION.format(**{**found, "engines": engines})]
    for title, head, rows in _tables(found):
        lines = [" | ".join(str(cell) for cell in row) for row in [head, ["---"] * len(head), *rows]]
        parts.append(f"## {title}\n\n" + "\n".join(f"| {line} |" for line in lines) + "\n")
    parts.append("## Findings\n\n" + ("\n".join(f"- {one}" for one in found["wrong"]) or "None.") + "\n")
    return "\n".join(parts)


def said(found: dict[str, Any]) -> str:
    """The report for a terminal."""
    lines = [f"{title}: {', '.join(f'{row[0]} {row[1]}' for row in rows)}" for title, _, rows in _sums(found)]
    lines += [f"WRONG {one}" for one in found["wrong"]] or ["nothing is wrong"]
    return "\n".join(lines)


def _sums(found: dict[str, Any]) -> Iterable[tuple[str, Sequence[str], list[list[Any]]]]:
    statuses: Counter[str] = Counter()
    for answers in _by_operation(found).values():
        statuses += answers
    yield "Who asked", ("who", "requests"), [[who, count] for who, count in found["asked_by"].items()]
    yield "What was answered", ("status", "answers"), [[status, count] for status, count in sorted(statuses.items())]


def _tables(found: dict[str, Any]) -> Iterable[tuple[str, Sequence[str], list[list[Any]]]]:
    yield from _sums(found)
    rows = [
        [f"`{label}`", answers.total(), ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))]
        for label, answers in _by_operation(found).items()
    ]
    yield "By operation", ("operation", "requests", "answers"), rows
    circumstances = [
        *([f"seconds on the {engine} engine", seconds] for engine, seconds in found["seconds"].items()),
        ["cores", found["cores"]],
        *([name, number] for name, number in found["versions"].items()),
    ]
    yield "Circumstances", ("what", "value"), circumstances


def _by_operation(found: dict[str, Any]) -> dict[str, Counter[str]]:
    summed: dict[str, Counter[str]] = {}
    for operations in found["answered"].values():
        for label, answers in operations.items():
            summed.setdefault(label, Counter()).update(answers)
    return summed
