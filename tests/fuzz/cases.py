"""Requests by the document, likely, unlikely and odd; and what is to be said of their answers."""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import hypothesis
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from memory_ui.api.contract import document, operations
from memory_ui.app import ROUTES
from tests.fuzz import odd
from tests.fuzz.place import Place, Who

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
PLANTED_FOR = 25
TWISTS = ("none", "real", "real", "odd")
GUARDS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
SENTENCE = re.compile(r"\S[^\n]{3,600}\.")
INSIDES = ("Traceback", "sqlalchemy", "sqlite", "psycopg", "/site-packages/", "pydantic")

Real = dict[str, list[Any]]


@dataclass(kw_only=True)
class Tally:
    """What one operation was answered, and every complaint, each with a request that led to it."""

    answered: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)


class Fuzz:
    """Asks a place what its document says may be asked."""

    def __init__(self, place: Place, given: dict[str, Any]) -> None:
        self._place = place
        self._asked = 0
        self._real: Real = {}
        schema = schemathesis.openapi.from_dict(closed(given))
        found = [one.ok() for one in schema.get_all_operations()]
        self._strategies = {
            (operation.label, mode): operation.as_strategy(generation_mode=mode)
            for operation in found
            for mode in _modes(operation.definition.raw)
        }

    def ask(self, label: str, who: Who, *, examples: int, seed: int) -> Tally:
        """`examples` requests with data the document allows, and as many with data it does not."""
        tally = Tally()
        for mode in (mode for mode in MODES if (label, mode) in self._strategies):
            number = zlib.crc32(f"{seed} {label} {who} {mode.value}".encode())
            run = hypothesis.seed(number)(self._run(label, who, mode, tally, examples))
            # Where nothing may be sent, nothing can be wrong with it.
            with suppress(hypothesis.errors.Unsatisfiable) if mode.is_negative else nullcontext():
                run()
        return tally

    def _run(self, label: str, who: Who, mode: GenerationMode, tally: Tally, examples: int) -> Callable[[], None]:
        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(st.data())
        def run(data: st.DataObject) -> None:
            case = data.draw(self._strategies[label, mode])
            instead = twisted(case, data.draw, self._what_there_is())
            try:
                response = self._send(case, who, **instead)
            except (requests.exceptions.InvalidHeader, UnicodeError):
                hypothesis.reject()  # this client cannot send it
            tally.answered[response.status_code] += 1
            for sentence in complaints(case, response):
                tally.wrong.setdefault(sentence, _shown(response))

        return run

    def _what_there_is(self) -> Real:
        """Real values. They are made anew now and then: requests use them up."""
        if self._asked % PLANTED_FOR == 0:
            self._real = self._place.plant()
        self._asked += 1
        return self._real

    def _send(
        self, case: Case, who: Who, *, headers: Mapping[str, str] = MappingProxyType({}), **instead: Any
    ) -> Response:
        given = self._place.send(who)
        return case.call(**{**given, "headers": {**given["headers"], **headers}}, **instead, allow_redirects=False)


def twisted(case: Case, draw: Callable[[Any], Any], real: Real) -> dict[str, Any]:
    """Put something real, something odd, or nothing else into a case; what is sent instead of its body."""
    twist = draw(st.sampled_from(TWISTS))
    before = dict(zip(_names(case.path), case.path.split("/"), strict=False))
    own = case.path.rstrip("/").rsplit("/", 1)[-1]
    if twist == "real":
        case.path_parameters = {
            name: _one_of(real.get(before[name], real.get(name)) or [value], draw)
            for name, value in case.path_parameters.items()
        }
        if isinstance(case.body, dict):
            case.body = {
                name: _one_of((real.get(own) if name == "token" else real.get(name)) or [value], draw)
                for name, value in case.body.items()
            }
        if "Range" in (case.headers or {}):
            case.headers["Range"] = _one_of(real["Range"], draw)
    elif twist == "odd":
        return _made_odd(case, draw)
    return {}


def _one_of(values: Sequence[Any], draw: Callable[[Any], Any]) -> Any:
    """What there is changes while a node is asked; what is drawn must not."""
    return values[draw(st.integers(0, 59)) % len(values)]


def _made_odd(case: Case, draw: Callable[[Any], Any]) -> dict[str, Any]:
    if case.body is not NOT_SET and draw(st.booleans()):
        if isinstance(case.body, dict) and case.body and draw(st.booleans()):
            case.body = {**case.body, draw(st.sampled_from(sorted(case.body))): draw(st.sampled_from(odd.VALUES))}
            return {}
        kind = draw(st.sampled_from(odd.TYPES))
        return {"data": draw(st.sampled_from(odd.BODIES)), "headers": {"Content-Type": kind}}
    texts = st.sampled_from([text for text in odd.TEXTS if text.isprintable() or text.isascii()])
    if case.path_parameters:
        case.path_parameters = {name: draw(texts) or " " for name in case.path_parameters}
    if case.query:
        case.query = {**case.query, draw(st.sampled_from(sorted(case.query))): draw(texts)}
    return {}


def _names(path: str) -> list[str]:
    """For every part of a path the parameter after it, so that what stands before one is found by its name."""
    parts = path.split("/")
    return [after.strip("{}") if after.startswith("{") else f"/{place}" for place, after in enumerate(parts[1:])]


def complaints(case: Case, response: Response) -> list[str]:
    """Everything that is wrong with one answer."""
    found = [f"{name} is not {part}" for name, part in GUARDS.items() if part not in _header(response, name)]
    if response.status_code == 500:
        found.append("a fault of ours, 500")
    if response.status_code >= 400 and case.method != "HEAD" and "json" in _header(response, "content-type"):
        found += _unclear(response)
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        found += [f"{failure.title}: {' '.join(failure.message.split())[:300]}" for failure in group.exceptions]
    return found


def _unclear(response: Response) -> list[str]:
    said = response.json()
    if "components" in said:
        return []
    if list(said) != ["error"] or not SENTENCE.fullmatch(said["error"]):
        return ["a refusal that is not one sentence"]
    return [f"a refusal that names {inside}" for inside in INSIDES if inside in said["error"]]


def described() -> dict[str, Any]:
    """The document of everything that answers over plain HTTP."""
    app = FastAPI()
    for routes in ROUTES:
        app.router.routes.extend(routes.router.routes)
    return document(app.routes)


def labels(given: dict[str, Any]) -> list[str]:
    """Every operation by method and path."""
    return [f"{method.upper()} {path}" for path, method, _ in operations(given)]


def _header(response: Response, name: str) -> str:
    return ", ".join(response.headers.get(name, []))


def _shown(response: Response) -> str:
    request = response.request
    body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode("utf-8", "replace")
    return f"{request.method} {request.url[:400]} {body[:400]!r} -> {response.status_code} {response.content[:200]!r}"


def _modes(operation: Mapping[str, Any]) -> tuple[GenerationMode, ...]:
    """Free text cannot be wrong: trying to make it so takes seconds, and the generator gives up."""
    schemas = [parameter["schema"] for parameter in operation.get("parameters", [])]
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    limited = [schema for schema in schemas if schema.keys() - {"default", "description"} != {"type"}]
    return MODES if limited or any("schema" in body for body in bodies) else MODES[:1]


def closed(given: dict[str, Any]) -> dict[str, Any]:
    """The document with every answer's object holding the named fields and no other."""
    sent = {name for _, _, operation in operations(given) for name in _references(operation.get("requestBody"))}
    schemas = {
        name: schema if name in sent or "properties" not in schema else {"additionalProperties": False, **schema}
        for name, schema in given["components"]["schemas"].items()
    }
    return {**given, "components": {**given["components"], "schemas": schemas}}


def _references(node: Any) -> list[str]:
    return re.findall(r"#/components/schemas/(\w+)", str(node))
