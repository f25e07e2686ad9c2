"""The certificate of a node that serves HTTPS itself: what it is, the root to be trusted, and how a device is told."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from core.bootstrap import System
from core.errors import NotFound
from core.services.certificates import Standing
from memory_ui.copy import ENGLISH, load_copy
from memory_ui.plain.render import page
from memory_ui.web import SystemOf, in_thread

router = APIRouter(include_in_schema=False)

ROOT_TYPE = "application/x-x509-ca-cert"
READING = ["GET", "HEAD"]
"""A phone that fetches a file may ask for its size first."""


@router.api_route("/certificate/", methods=READING)
async def show(request: Request, system: SystemOf) -> HTMLResponse:
    """In English, as everything that those who look after a node read."""
    standing = await _standing(system)
    copy, leaf = load_copy(ENGLISH), standing.leaf
    return page(
        request,
        "certificate",
        language=ENGLISH,
        groups=standing.root.grouped.split(" "),
        root_until=copy.day(standing.root.span.ends),
        leaf_until=copy.day(leaf.span.ends) if leaf is not None else "",
        names=sorted(leaf.names.hosts) + sorted(leaf.names.addresses) if leaf is not None else [],
        here=str(request.url.replace(path="/certificate/root.crt", query="")),
        secure=_secure(request, system, "/").rstrip("/"),
    )


@router.api_route("/certificate/root.crt", methods=READING)
async def root(system: SystemOf) -> Response:
    """The root as PEM, under the type by which phones and desktops know what to do with it."""
    return Response((await _standing(system)).root.pem, media_type=ROOT_TYPE)


async def with_slash(request: Request) -> Response:
    """To the page, on the address this request came by."""
    return RedirectResponse(str(request.url.replace(path="/certificate/")), status_code=307)


async def lead_on(request: Request, system: SystemOf) -> Response:
    """To the same address over https. For this once: a node may stop serving it."""
    return RedirectResponse(_secure(request, system, request.url.path), status_code=307)


async def _standing(system: System) -> Standing:
    if not system.certificates.used:
        raise NotFound("This node does not serve HTTPS itself.")
    return await in_thread(system.certificates.standing)


def _secure(request: Request, system: System, path: str) -> str:
    """An address of this node over https, under the name it was asked for."""
    port = system.settings.PORT
    return str(request.url.replace(scheme="https", port=None if port == 443 else port, path=path))
