"""The door: what this node is, and the ways in."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from memory_ui.copy import load_copy
from memory_ui.plain.render import page
from memory_ui.web import system_of

router = APIRouter(include_in_schema=False)


@router.get("/")
async def door(request: Request) -> HTMLResponse:
    """No secrets here."""
    deployment = system_of(request).deployment
    return page(request, "door", what=load_copy("en").framed("door", deployment.name)["what"])
