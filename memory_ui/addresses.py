"""Where this node is reached, and the squares that phones scan to get there."""

from urllib.parse import urlencode

import segno
from fastapi import Request

from core.bootstrap import System
from memory_ui.languages import PARAMETER

REVOKE_PATH = "/revoke/"


def base_of(system: System, request: Request) -> str:
    """The configured address, or the one this request came by; without a slash at its end."""
    return system.settings.PUBLIC_URL.rstrip("/") or str(request.base_url).rstrip("/")


def receipt_url(system: System, request: Request, code: str, language: str) -> str:
    """Where a phone finds the receipt of a code, in a language; opening it asks, and does nothing."""
    return f"{base_of(system, request)}{REVOKE_PATH}?{urlencode({'token': code, PARAMETER: language})}"


def square(address: str) -> str:
    """An address to scan, as SVG to be put into a page."""
    made = segno.make(address, error="m", micro=False)
    drawn: str = made.svg_inline(scale=4, border=2, dark="#000", light="#fff", omitsize=True)
    return drawn
