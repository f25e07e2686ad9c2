"""Rendering plain pages: templates, copy, and words for times and lengths."""

from datetime import datetime, tzinfo
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from core.domain.room.schedule import site_time
from core.errors import OverBudget
from memory_ui.copy import Copy, load_copy
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
    request: Request, template: str, *, status_code: int = 200, retry_after_s: int | None = None, **given: Any
) -> HTMLResponse:
    """One rendered page."""
    settings = system_of(request).settings
    copy = load_copy("en")
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
            contrast="",
            reduced_motion=False,
            **given,
        )
    )
    headers = _HEADERS if retry_after_s is None else {**_HEADERS, "Retry-After": str(retry_after_s)}
    return HTMLResponse(html, status_code=status_code, headers=headers)


def budget_page(request: Request, template: str, state: str, error: OverBudget) -> HTMLResponse:
    """Told to come back later, in minutes for people and in seconds for machines."""
    return page(
        request,
        template,
        status_code=error.status,
        retry_after_s=error.retry_after_s,
        state=state,
        minutes=-(-error.retry_after_s // 60),
    )


def problem_page(request: Request, status_code: int) -> HTMLResponse:
    """The page for a request that could not be answered."""
    kinds = {403: "forbidden", 404: "not_found", 405: "not_found", 423: "closed", 503: "closed"}
    return page(request, "problem", status_code=status_code, problem=kinds.get(status_code, "failed"))


def day_and_time(moment: datetime, copy: Copy, zone: tzinfo | None) -> str:
    """A moment by the site's clock, as people write it; None takes the machine's own zone."""
    local = site_time(moment, zone)
    return copy.t(
        "times.moment",
        day=local.day,
        month=copy.t(f"times.month_{local.month}"),
        year=local.year,
        time=f"{local:%H:%M}",
    )


def length(duration_ms: int, copy: Copy) -> str:
    """A duration in seconds, rounded up: nothing that was said lasted zero."""
    seconds = max(1, -(-duration_ms // 1000))
    return copy.t("times.second" if seconds == 1 else "times.seconds", count=seconds)


def ago(moment: datetime, now: datetime, copy: Copy) -> str:
    """How long ago, in the largest unit that is not zero."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return copy.t(f"times.{unit}_ago" if count == 1 else f"times.{unit}s_ago", count=count)
    return copy.t("times.just_now")
