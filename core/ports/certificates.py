"""Who keeps the keys and certificates of a node."""

from pathlib import Path
from typing import Any, Protocol

from core.domain.certificates import Leaf, Names, Root, Span


class Authority(Protocol):
    """A certificate authority of the node's own. Raises `Misconfigured` where its root is lost or damaged."""

    def root(self) -> Root | None:
        """The root as it is kept; None before the first."""

    def make_root(self, span: Span, name: str) -> Root:
        """A new root in place of any other, durably; whatever trusted the last one trusts nothing of this one."""

    def leaf(self) -> Leaf | None:
        """The certificate as it is kept; None where there is none, it is damaged, or another root's."""

    def make_leaf(self, span: Span, names: Names) -> Leaf:
        """A new certificate with a new key in place of the last, durably."""

    def has_leaf(self) -> bool:
        """Whether anything lies where the certificate is kept, good or not."""

    @property
    def chain(self) -> Path:
        """The file with key and certificates, as a server reads it."""

    def secrets(self) -> dict[str, Any]:
        """The root with its key, for an encrypted copy of the node; nothing where there is none."""
