"""The certificate of a node that serves HTTPS itself: made, kept good, and shown to whoever is to trust it."""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.domain.certificates import Held, Leaf, Names, Reason, Root, leaf_span, renewal, root_span
from core.errors import Misconfigured, NotFound
from core.ports.certificates import Authority
from core.ports.outside import NodeClock

log = logging.getLogger(__name__)

NOT_HERE = "This node has no certificate authority of its own; it makes one when it serves HTTPS itself (setting TLS)."


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What is kept now; `leaf` is None where there is none that is good for anything."""

    root: Root
    leaf: Leaf | None


def held(authority: Authority) -> Held | None:
    """What an authority holds, as warnings are made of it; None before its first root. Never raises."""
    try:
        root = authority.root()
        leaf = authority.leaf() if root is not None else None
    except (Misconfigured, OSError):
        return Held(root=None, leaf=None)
    return Held(root=root.span, leaf=leaf.span if leaf is not None else None) if root is not None else None


class CertificateService:
    """Keeps root and certificate; `used` says whether this node serves HTTPS by them."""

    def __init__(self, authority: Authority, clock: NodeClock, *, node_name: str, used: bool) -> None:
        self._authority = authority
        self._clock = clock
        self._node_name = node_name
        self.used = used

    @property
    def chain(self) -> Path:
        """The file a server reads."""
        return self._authority.chain

    def standing(self) -> Standing:
        """What is kept. Raises `NotFound` where there is no root, `Misconfigured` where it is lost."""
        root = self._authority.root()
        if root is None:
            raise NotFound(NOT_HERE)
        return Standing(root=root, leaf=self._authority.leaf())

    def keep(self, wanted: Names, *, asked: bool = False) -> Reason | None:
        """Make what is missing, no longer good, or asked for; why, or None where all was well.

        Raises `Misconfigured` where the root is lost, and OSError where nothing can be written.
        """
        earlier, later = self._times()
        root, leaf = self._kept_root(earlier), self._authority.leaf()
        fresh = leaf_span(root.span, earlier, later)
        if asked:
            reason: Reason | None = Reason.ASKED
        elif leaf is None:
            reason = Reason.DAMAGED if self._authority.has_leaf() else Reason.NONE_YET
        else:
            reason = renewal(leaf, fresh, wanted, earlier, later)
        if reason is None:
            return None
        made = self._authority.make_leaf(fresh, wanted)
        log.warning("certificate.made", extra={"reason": reason.value, "ends": made.span.ends.isoformat()})
        return reason

    def new_root(self, wanted: Names) -> Root:
        """Another authority, and a certificate of it. Every device has to be told to trust it."""
        root = self._make_root()
        self.keep(wanted, asked=True)
        return root

    def _kept_root(self, earlier: datetime) -> Root:
        root = self._authority.root()
        # One that has ended for certain is of no use to anybody.
        return root if root is not None and root.span.ends > earlier else self._make_root()

    def _make_root(self) -> Root:
        doubt = self._clock.doubt()
        now = self._clock.now() if doubt is None else doubt.believed_now
        root = self._authority.make_root(root_span(now), self._node_name)
        log.warning("certificate.new_root", extra={"fingerprint": root.fingerprint})
        return root

    def _times(self) -> tuple[datetime, datetime]:
        doubt = self._clock.doubt()
        if doubt is None:
            now = self._clock.now()
            return now, now
        both = (doubt.system_now, doubt.believed_now)
        return min(both), max(both)
