"""The published contract: one OpenAPI document, made from the routes that answer."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.routing import BaseRoute

from memory_ui.api.answers import answers
from memory_ui.web import in_thread

router = APIRouter(prefix="/api/v1")

_ABOUT = """\
A room that keeps what strangers say into it, on a promise.

Errors are `{"error": "<one sentence>"}`; a refused request changes nothing. Times are ISO 8601 in UTC. Nothing here is
to be cached.

Whatever the address: 400 to a Host that is not a name of this node, 413 to a body above 64 KiB where no take is
expected, 404 where there is nothing, 405 to a method an address does not take.
"""
_OURS_INSTEAD = ("HTTPValidationError", "ValidationError")
_METHODS = ("get", "head", "post", "put", "patch", "delete")


@router.get("/openapi.json", response_class=JSONResponse, responses=answers(dict[str, Any], "This document."))
async def openapi(request: Request) -> JSONResponse:
    """This document."""
    return JSONResponse(await in_thread(_built, request.app))


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document of `routes`.

    A summary is the first sentence of a route's docstring. The framework says that what it cannot read is answered 422;
    this node answers 400, and routes declare that themselves.
    """
    found = get_openapi(title="Memory Engine", version=version("memory-engine"), description=_ABOUT, routes=routes)
    for path, method, operation in operations(found):
        _told(operation)
        operation["operationId"] = operation["operationId"].removesuffix(re.sub(r"\W", "_", f"{path}_{method}"))
        operation["responses"].pop("422", None)
    for name in _OURS_INSTEAD:
        found["components"]["schemas"].pop(name, None)
    untitled: dict[str, Any] = _untitled(found)
    return {**untitled, "info": found["info"]}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method in small letters, and what is said of it."""
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _built(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = document(app.routes)
    return app.openapi_schema


def _told(operation: dict[str, Any]) -> None:
    said = " ".join(operation.pop("description", "").split())
    first, _, rest = said.partition(". ")
    operation["summary"] = first.removesuffix(".")
    if rest:
        operation["description"] = rest


def _untitled(node: Any, *, names: bool = False) -> Any:
    """The same without the titles that are made from names; `names` where the keys are names themselves."""
    if isinstance(node, list):
        return [_untitled(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _untitled(value, names=key in ("properties", "schemas") and not names)
        for key, value in node.items()
        if names or key != "title" or not isinstance(value, str)
    }
