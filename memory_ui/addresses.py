"""Where this node is reached, and the squares that phones scan to get there."""

import ipaddress
from urllib.parse import urlencode, urlsplit

import ifaddr
import segno
from fastapi import Request

from core.bootstrap import System
from core.domain.certificates import Names, names_of
from core.settings import Settings
from memory_ui.languages import PARAMETER
from memory_ui.middleware import allowed_hosts

REVOKE_PATH = "/revoke/"


def base_of(system: System, request: Request) -> str:
    """The configured address, or the one this request came by; without a slash at its end."""
    return system.settings.PUBLIC_URL.rstrip("/") or str(request.base_url).rstrip("/")


def certified(settings: Settings) -> Names:
    """What a certificate of this node has to name: every name it answers to, and the addresses it has now.

    Of IPv6 those that are configured, and the loopback: the others are changed by machines themselves, every day.
    """
    hosts = allowed_hosts(settings.ALLOWED_HOSTS, settings.HOST) - {"*"}
    public = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return names_of({*hosts, public, "::1", *_own_addresses()})


def _own_addresses() -> set[str]:
    own = {str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4}
    return {"127.0.0.1", *(address for address in own if not ipaddress.ip_address(address).is_link_local)}


def receipt_url(system: System, request: Request, code: str, language: str) -> str:
    """Where a phone finds the receipt of a code, in a language; opening it asks, and does nothing."""
    return f"{base_of(system, request)}{REVOKE_PATH}?{urlencode({'token': code, PARAMETER: language})}"


def square(address: str) -> str:
    """An address to scan, as SVG to be put into a page."""
    made = segno.make(address, error="m", micro=False)
    drawn: str = made.svg_inline(scale=4, border=2, dark="#000", light="#fff", omitsize=True)
    return drawn
