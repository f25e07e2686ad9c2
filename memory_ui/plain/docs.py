"""The documentation, as files that `make docs` has built: for everyone, because nothing in it is secret."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from core.errors import NotFound
from memory_ui.copy import ENGLISH
from memory_ui.plain.render import page

router = APIRouter(include_in_schema=False)

SITE = Path(__file__).parent.parent / "site"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Searching is done by scripts of the site's own, which read its pages; none stands in a page."""

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
"""By suffix, so that no machine's own table counts; whatever else a page links to is read as text."""

_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}


@router.get("/docs")
def docs() -> RedirectResponse:
    """The folder itself, which relative links need."""
    return RedirectResponse("/docs/", status_code=308)


@router.get("/docs/{path:path}")
async def serve_docs(path: str, request: Request) -> Response:
    """A file of the site, or a page that says how the site is made."""
    if not (SITE / "index.html").is_file():
        return page(request, "unbuilt", language=ENGLISH, status_code=404)
    name = f"{path}index.html" if not path or path.endswith("/") else path
    if "\0" in name or any(part.startswith(".") for part in name.split("/")):
        raise NotFound("There is no such page.")
    answer = await StaticFiles(directory=SITE).get_response(name, request.scope)
    answer.headers.update(_HEADERS)
    if answer.status_code != 304:
        answer.headers["Content-Type"] = TYPES.get(Path(name).suffix, "text/plain; charset=utf-8")
    return answer
