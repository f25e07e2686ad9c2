"""The door: what this node is, and the ways in."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from memory_ui.copy import load_copy
from memory_ui.languages import PARAMETER, spoken, visitors_language
from memory_ui.plain.render import page
from memory_ui.web import system_of

router = APIRouter(include_in_schema=False)


@router.get("/")
async def door(request: Request) -> HTMLResponse:
    """No secrets here."""
    language = await visitors_language(request)
    what = load_copy(language).framed("door", system_of(request).deployment.name)["what"]
    asked = spoken(request.query_params.get(PARAMETER, "")) or ""
    return page(request, "door", language=language, what=what, asked=asked)
