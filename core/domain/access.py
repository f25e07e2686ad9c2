"""Who may steward: roles, what a session is bound to, the networks it may come from."""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


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
            return f"{address} {user_agent}"
        case Binding.NONE:
            return ""


def networks(text: str) -> tuple[Network, ...]:
    """Networks and addresses separated by commas. ValueError names what is neither."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def allowed(address: str, among: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks; with none named, every address does.

    An IPv4 address that arrived over an IPv6 socket counts as itself.
    """
    if not among:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return any(found.version == network.version and found in network for network in among)
