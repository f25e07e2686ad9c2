"""Checks of how a node is reached: its certificate, what browsers allow its pages, and what it answers itself."""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509

from core.domain.certificates import Held
from memory_ui.appliance.asking import EVERY_ADDRESS, Answers
from memory_ui.appliance.findings import Finding, failed, passed, warned
from memory_ui.browser import GRANTED, SOUNDS

CERTIFICATE, SCREENS, NODE = "certificate", "screens", "node"
CONNECT_S = 5.0
SOON_DAYS = 14
ON_A_LAN = "docs/how-to/run-on-a-lan.md"


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A certificate as it is served: until when it holds, whether it is for the name that was asked for, and what this
    machine says against those who issued it, empty where it trusts them."""

    until: datetime
    named: bool
    untrusted: str


Fetch = Callable[[str, int], Served]


def served_at(host: str, port: int) -> Served:
    """Connect and look. Raises `OSError` where nobody answers there with TLS."""
    untrusted = ""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    try:
        _shake_hands(host, port, trusting)
    except ssl.SSLCertVerificationError as error:
        untrusted = str(error.verify_message)
    unproven = ssl.create_default_context()
    unproven.check_hostname = False
    unproven.verify_mode = ssl.CERT_NONE
    found = x509.load_der_x509_certificate(_shake_hands(host, port, unproven))
    return Served(until=found.not_valid_after_utc, named=is_for(found, host), untrusted=untrusted)


def is_for(found: x509.Certificate, host: str) -> bool:
    """Whether a certificate is for a host, by its subject alternative names (RFC 6125: a star stands for one label)."""
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    wanted = (host.lower(), f"*.{host.lower().partition('.')[2]}")
    return host in addresses or any(name.lower() in wanted for name in names.get_values_for_type(x509.DNSName))


def _shake_hands(host: str, port: int, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection((host, port), timeout=CONNECT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def is_secure(address: str) -> bool:
    """Whether a browser calls a page of this address secure, and so gives it a microphone."""
    parts = urlsplit(address)
    return parts.scheme == "https" or _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def certificate(public_url: str, now: datetime, fetch: Fetch = served_at, *, own: bool = False) -> Iterator[Finding]:
    """The certificate at the public address; `own` says whether the node makes it itself."""
    parts = urlsplit(public_url)
    if parts.scheme == "https" and parts.hostname:
        yield from _public(parts.hostname, parts.port or 443, now, fetch, _RENEW_OWN if own else _RENEW)
    elif not public_url:
        yield passed(CERTIFICATE, "PUBLIC_URL is not set, so there is none to look at")
    else:
        yield passed(CERTIFICATE, "the public address is plain http, so there is none to look at")


def _public(host: str, port: int, now: datetime, fetch: Fetch, renew: str) -> Iterator[Finding]:
    try:
        found = fetch(host, port)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        yield failed(
            CERTIFICATE,
            f"{host} port {port} does not answer with TLS: {reason}",
            "Start the proxy before the node, or set PUBLIC_URL to where participants reach it.",
        )
        return
    days = (found.until - now).days
    if found.until <= now:
        yield failed(CERTIFICATE, f"of {host}: ended on {found.until:%Y-%m-%d}", renew)
    elif not found.named:
        yield failed(
            CERTIFICATE, f"of {host}: it is for another name", "Have it issued for the host of PUBLIC_URL, or set that."
        )
    elif found.untrusted:
        yield warned(
            CERTIFICATE,
            f"of {host}: {days} days left; this machine does not trust who issued it ({found.untrusted})",
            f"Install the root certificate on every kiosk ({ON_A_LAN}), and here if it shows a page itself.",
        )
    elif days < SOON_DAYS:
        yield warned(CERTIFICATE, f"of {host}: {days} days left", renew)
    else:
        yield passed(CERTIFICATE, f"of {host}: {days} days left, trusted here, and for this name")


_RENEW = "Have it renewed: look at the proxy's log; a renewal needs its ports reachable and a right clock."
_RENEW_OWN = "`memory-engine certificate renew` makes another, or says why it cannot. A node that runs shows it."


def own_certificate(held: Held | None, now: datetime) -> Finding:
    """Those of a node that serves HTTPS itself, where the registry warns of nothing; None where none are to be seen."""
    if held is None or held.root is None or held.leaf is None:
        return passed(CERTIFICATE, "of the node itself: none that this user can see; its first start makes one")
    if now < held.leaf.begins:
        begins = f"of the node itself: it holds from {held.leaf.begins:%Y-%m-%d} on"
        return warned(CERTIFICATE, begins, f"Set the clock right; if it is right now: {_RENEW_OWN}")
    left, of_root = (held.leaf.ends - now).days, (held.root.ends - now).days
    return passed(CERTIFICATE, f"of the node itself: {left} days left, renewed by itself; of its root: {of_root} days")


def screens(
    public_url: str, host: str, chromium: str, told: Sequence[Finding], *, secured: bool = False
) -> Iterator[Finding]:
    """Whether pages may use a microphone and make themselves heard, and what open pages report of that.

    `secured` says whether the node serves HTTPS itself.
    """
    yield from told
    loopback = _is_loopback(host)
    if public_url and not is_secure(public_url):
        yield failed(
            SCREENS,
            f"{public_url} is plain http: no browser gives its pages a microphone",
            f"Put HTTPS before the node ({ON_A_LAN}) and set PUBLIC_URL to the https:// address.",
        )
    elif not public_url and not loopback and not secured:
        shown = "every address" if host in EVERY_ADDRESS else host
        yield warned(
            SCREENS,
            f"the node listens on {shown}, without PUBLIC_URL: over plain http only its own screen has a microphone",
            f"Put HTTPS before the node and set PUBLIC_URL, or let it serve HTTPS itself, TLS=internal ({ON_A_LAN}); "
            "or record on the node's own screen only.",
        )
    else:
        yield passed(SCREENS, "pages may use a microphone: they come over HTTPS or from this machine")
    if chromium:
        yield passed(
            SCREENS,
            f"{chromium}; `memory-engine browser` starts it with {SOUNDS}, and writes media_stream_mic {GRANTED} for "
            "one address into its profile",
        )
    else:
        yield warned(
            SCREENS,
            "no Chromium on this machine",
            "Only where this machine is a kiosk or a room: apt-get install chromium, then `memory-engine browser`.",
        )


def node(answers: Answers, version: str) -> Iterator[Finding]:
    """Whether the node itself answers, is ready, and is of this version."""
    if answers.live is None:
        yield failed(
            NODE,
            f"nobody answers at {answers.url}",
            "Start it (`systemctl start memory-engine`), or say where it is with --url.",
        )
        return
    if not answers.live:
        yield failed(
            NODE, f"what answers at {answers.url} is not this node", "Say where it is with --url, HOST and PORT."
        )
        return
    wrong = {name: state for name, state in answers.components.items() if state != "ok"}
    if not answers.ready:
        said = ", ".join(f"{name} {state}" for name, state in wrong.items()) or "it does not say why"
        yield failed(NODE, f"{answers.url} is up and not ready: {said}", "See the lines of those above.")
    if answers.version and answers.version != version:
        yield failed(
            NODE,
            f"version {answers.version} runs, and this is version {version}",
            "Restart the node: an update is only begun while the old one runs on.",
        )
    elif answers.ready:
        yield passed(NODE, f"{answers.url} is up and ready, version {answers.version or 'unknown'}")
