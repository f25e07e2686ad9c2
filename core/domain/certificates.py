"""When a node's certificate is good, and by which dates a new one is made. Pure: no key and no clock in here.

A certificate is judged and dated by two times, the earlier and the later one of a clock in doubt: what is good by both
is good by whichever turns out to be right, so that a clock that lies locks nobody out.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LEAF_DAYS = 397
"""The longest that browsers put up with from anybody."""

RENEW_DAYS = 30
LATE_DAYS = RENEW_DAYS - 1
"""With fewer days left a renewal, which is tried every minute, has failed for a day."""

ROOT_DAYS = 3652
ROOT_SOON_DAYS = 30
"""So long before its root ends somebody has to make another and see every device."""

BACKDATED = timedelta(days=1)
"""A browser whose clock is a little behind is to believe a certificate of this minute."""

FLOOR = datetime(2026, 1, 1, tzinfo=UTC)
"""No node of this kind is older. A root made by a clock that says so is good from here on all the same."""

CEILING = datetime(9999, 12, 31, tzinfo=UTC)
_LABEL = re.compile("(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NAME_SIGNS = 253


class Reason(StrEnum):
    """Why a certificate is made anew."""

    NONE_YET = "none_yet"
    DAMAGED = "damaged"
    EARLY = "early"
    ENDING = "ending"
    TOO_LONG = "too_long"
    NAMES = "names"
    ASKED = "asked"


class Lost(StrEnum):
    """What is missing or damaged: the root with everything it could sign, or the certificate alone."""

    ROOT = "root"
    OWN = "own"


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What a node is asked for under: host names in small letters, and addresses as text."""

    hosts: frozenset[str]
    addresses: frozenset[str]

    def lacking(self, wanted: "Names") -> bool:
        """Whether something is wanted that is not among these."""
        return not (wanted.hosts <= self.hosts and wanted.addresses <= self.addresses)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From when to when something holds, both included."""

    begins: datetime
    ends: datetime

    def holds(self, earlier: datetime, later: datetime) -> bool:
        """Whether it holds by both times."""
        return self.begins <= earlier and later <= self.ends


@dataclass(frozen=True, kw_only=True, slots=True)
class Root:
    """The certificate of the authority, as others may see it: `pem` to be handed out, `fingerprint` SHA-256 in hex."""

    pem: str
    fingerprint: str
    span: Span

    @property
    def grouped(self) -> str:
        """The fingerprint as people compare it."""
        signs = self.fingerprint.upper()
        return " ".join(signs[place : place + 4] for place in range(0, len(signs), 4))


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """The certificate a node shows; `fingerprint` SHA-256 in hex."""

    names: Names
    span: Span
    fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What a node holds that serves HTTPS itself: the dates of each; None for what is lost or good for nothing."""

    root: Span | None
    leaf: Span | None

    @property
    def lost(self) -> Lost | None:
        """None where both are there."""
        if self.root is None:
            return Lost.ROOT
        return Lost.OWN if self.leaf is None else None

    def late(self, now: datetime) -> bool:
        """Whether the certificate should have been renewed. One that ends with its root cannot be."""
        if self.root is None or self.leaf is None or self.leaf.ends >= self.root.ends:
            return False
        return self.leaf.ends - now < timedelta(days=LATE_DAYS)

    def root_ending(self, now: datetime) -> bool:
        """Whether devices have to be told of another root."""
        return self.root is not None and self.root.ends - now < timedelta(days=ROOT_SOON_DAYS)


def names_of(given: Iterable[str]) -> Names:
    """Sorts what a node answers to into names and addresses; leaves out what no certificate can carry."""
    hosts, addresses = set(), set()
    for text in given:
        try:
            address = ipaddress.ip_address(text.strip().strip("[]").split("%")[0])
        except ValueError:
            hosts.add(_host(text))
            continue
        if not address.is_unspecified and not address.is_multicast:
            addresses.add(str(address))
    return Names(hosts=frozenset(hosts - {""}), addresses=frozenset(addresses))


def renewal(leaf: Leaf, fresh: Span, wanted: Names, earlier: datetime, later: datetime) -> Reason | None:
    """Why one is to be made anew, with the dates `fresh`; None while it is good, or no new one would be better.

    Without a doubt both times are one.
    """
    if earlier < leaf.span.begins and fresh.begins < leaf.span.begins:
        return Reason.EARLY
    if leaf.span.ends - later < timedelta(days=RENEW_DAYS) and fresh.ends > leaf.span.ends:
        return Reason.ENDING
    if leaf.names.lacking(wanted):
        return Reason.NAMES
    if leaf.span.ends - leaf.span.begins > timedelta(days=LEAF_DAYS) and earlier == later:
        return Reason.TOO_LONG
    return None


def leaf_span(root: Span, earlier: datetime, later: datetime) -> Span:
    """The dates of a new certificate: good by both times, and within those of its root."""
    begins = max(root.begins, _whole(earlier - BACKDATED))
    ends = min(root.ends, _later(_whole(later - BACKDATED), LEAF_DAYS))
    return Span(begins=begins, ends=max(begins, ends))


def root_span(now: datetime) -> Span:
    """The dates of a new root: ten years at least, and good from `FLOOR` on by whatever clock."""
    return Span(begins=_whole(min(now, FLOOR) - BACKDATED), ends=_later(_whole(max(now, FLOOR)), ROOT_DAYS))


def _host(text: str) -> str:
    try:
        name = text.strip().rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    labels = name.split(".")
    return name if len(name) <= _NAME_SIGNS and all(_LABEL.fullmatch(label) for label in labels) else ""


def _whole(moment: datetime) -> datetime:
    """Certificates count in seconds."""
    return moment.replace(microsecond=0)


def _later(moment: datetime, days: int) -> datetime:
    return min(CEILING, moment + timedelta(days=days)) if moment < CEILING - timedelta(days=days) else CEILING
