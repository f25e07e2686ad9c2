"""The door: what this node is, and the ways in."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from memory_ui.plain.render import page

router = APIRouter(include_in_schema=False)


@router.get("/")
async def door(request: Request) -> HTMLResponse:
    """No secrets here."""
    return page(request, "door")
