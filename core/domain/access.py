"""Who may steward: roles, what a session is bound to, the networks it may come from."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

HOUSEHOLD_BITS = 64
"""What one house is given of the IPv6 addresses: whoever has one of them has them all."""


class Role(StrEnum):
    """A steward may change everything; a curator sees the same and changes nothing."""

    STEWARD = "steward"
    CURATOR = "curator"

    @property
    def changes(self) -> bool:
        """Whether this role may change anything."""
        return self is Role.STEWARD


class Binding(StrEnum):
    """What a session's cookie is worth nothing without."""

    USER_AGENT = "user_agent"
    STRICT = "strict"
    NONE = "none"


def bound_to(binding: Binding, *, user_agent: str, address: str) -> str:
    """The text a session is bound to; equal texts are the same browser as far as the binding can tell."""
    match binding:
        case Binding.USER_AGENT:
            return user_agent
        case Binding.STRICT:
            # A header holds no line break: no address and browser together read like two others.
            return f"{_read(address) or address}\n{user_agent}"
        case Binding.NONE:
            return ""


def networks(text: str) -> tuple[Network, ...]:
    """Networks and addresses separated by commas; none of an empty text. ValueError names what is neither."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if text.strip() and not parts:
        # Taken for "none named", a slip of the pen would let everybody in.
        raise ValueError(f"{text.strip()!r} names no network")
    return tuple(ip_network(part, strict=False) for part in parts)


def allowed(address: str, among: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks; with none named, every address does."""
    if not among:
        return True
    found = _read(address)
    return found is not None and any(found.version == network.version and found in network for network in among)


def counted_as(address: str) -> str:
    """The text failures from an address are counted under: itself, or the network of a house where it is IPv6."""
    found = _read(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), HOUSEHOLD_BITS), strict=False))
    return str(found or address)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address that arrived over an IPv6 socket counts as itself; None for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
