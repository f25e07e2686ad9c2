"""Rendering plain pages: templates, copy, and words for times and lengths."""

from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from core.errors import OverBudget
from memory_ui.copy import ENGLISH, Copy, languages, load_copy
from memory_ui.languages import browsers_language
from memory_ui.theme import asset
from memory_ui.web import system_of

_HEADERS = {"Cache-Control": "no-store"}


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("memory_ui.plain"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
    )


def page(
    request: Request,
    template: str,
    *,
    language: str = "",
    status_code: int = 200,
    retry_after_s: int | None = None,
    **given: Any,
) -> HTMLResponse:
    """One rendered page, in `language`; without one, in that of the visitor's browser."""
    settings = system_of(request).settings
    copy = load_copy(language or browsers_language(request) or ENGLISH)
    html = (
        _templates()
        .get_template(f"{template}.html")
        .render(
            t=copy.t,
            node={
                "name": settings.NODE_NAME,
                "location": settings.NODE_LOCATION,
                "contact": settings.NODE_CONTACT,
            },
            asset=asset,
            lang=copy.language,
            dir=copy.direction,
            languages=[load_copy(tag) for tag in languages()],
            contrast="",
            reduced_motion=False,
            **given,
        )
    )
    headers = _HEADERS if retry_after_s is None else {**_HEADERS, "Retry-After": str(retry_after_s)}
    return HTMLResponse(html, status_code=status_code, headers=headers)


def budget_page(request: Request, template: str, state: str, error: OverBudget, *, language: str) -> HTMLResponse:
    """Told to come back later, in minutes for people and in seconds for machines."""
    wait = load_copy(language).span(-(-error.retry_after_s // 60), "minute")
    return page(
        request,
        template,
        language=language,
        status_code=error.status,
        retry_after_s=error.retry_after_s,
        state=state,
        wait=wait,
    )


def problem_page(request: Request, status_code: int) -> HTMLResponse:
    """The page for a request that could not be answered."""
    kinds = {403: "forbidden", 404: "not_found", 405: "not_found", 423: "closed", 503: "closed"}
    return page(request, "problem", status_code=status_code, problem=kinds.get(status_code, "failed"))


def length(duration_ms: int, copy: Copy) -> str:
    """A duration in seconds, rounded up: nothing that was said lasted zero."""
    seconds = max(1, -(-duration_ms // 1000))
    return copy.span(seconds, "second")


def ago(moment: datetime, now: datetime, copy: Copy) -> str:
    """How long ago, in the largest unit that is not zero."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return copy.t(f"times.{unit}_ago" if count == 1 else f"times.{unit}s_ago", count=count)
    return copy.t("times.just_now")
