"""Assets under addresses that change with their content, and the frame every page shares."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from nicegui import ui

from core.adapters.catalogs import SERVED, asset_version
from core.errors import NotFound

ASSETS = Path(str(files("assets")))
_YEAR = "public, max-age=31536000, immutable"

router = APIRouter()


@cache
def asset(path: str) -> str:
    """The versioned address of a file below `assets`."""
    return f"/assets/{asset_version()}/{path}"


@router.get("/assets/{version}/{path:path}", include_in_schema=False)
def serve_asset(version: str, path: str) -> FileResponse:
    """A style sheet, font, drawing or script."""
    if "\0" in path:
        raise NotFound("There is no such asset.")
    found = (ASSETS / path).resolve()
    if found.suffix not in SERVED or not found.is_relative_to(ASSETS.resolve()) or not found.is_file():
        raise NotFound("There is no such asset.")
    caching = _YEAR if version == asset_version() else "no-cache"
    return FileResponse(found, media_type=SERVED[found.suffix], headers={"Cache-Control": caching})


@router.get("/favicon.ico", include_in_schema=False)
def favicon() -> FileResponse:
    """The sign of the project, under the one name browsers ask for unasked."""
    return FileResponse(ASSETS / "mark-small.svg", media_type=SERVED[".svg"], headers={"Cache-Control": "no-cache"})


def dress(page: str, *more: str, body_class: str = "") -> None:
    """Put our style sheets on a NiceGUI page, after its own, so that they win."""
    sheets = ("fonts", "tokens", "base", page, *more)
    ui.add_head_html("".join(f'<link rel="stylesheet" href="{asset(f"css/{name}.css")}">' for name in sheets))
    if body_class:
        ui.query("body").classes(body_class)
