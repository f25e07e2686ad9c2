"""Encryption of copies, in the age format (https://age-encryption.org/v1), so that any of its tools opens them.

Every copy has a key of its own. That key is kept in the copy, wrapped with a passphrase or for recipients: a node that
knows recipients only can make copies and open none, but the one it is just making.
"""

from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyrage
from pyrage import passphrase, x25519

from core.errors import BadArchive, Misconfigured

Identity = str
"""A key as its own text, AGE-SECRET-KEY-1...: the copy's own, or a recipient's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealing:
    """How the key of a copy is wrapped: for `recipients` where there are any, else with `phrase`."""

    phrase: str = field(default="", repr=False)
    recipients: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """A word for manifests and pages."""
        return "recipient" if self.recipients else "passphrase"

    def wrap(self, identity: Identity) -> bytes:
        """The copy's key, readable for whoever may open it."""
        plain = identity.encode()
        if self.recipients:
            return bytes(pyrage.encrypt(plain, [recipient(text) for text in self.recipients]))
        return bytes(passphrase.encrypt(plain, self.phrase))


def recipient(text: str) -> Any:
    """A recipient's public key. Raises `Misconfigured`."""
    try:
        return x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise Misconfigured(["BACKUP_RECIPIENTS: these are no age recipients (age1...)"]) from error


def unwrap(wrapped: bytes, *, phrase: str = "", identity: str = "") -> Identity:
    """The copy's key, by passphrase or by a recipient's own identity (AGE-SECRET-KEY-1...). Raises `BadArchive`."""
    try:
        if identity:
            keys = [x25519.Identity.from_str(line) for line in identity.split() if line.startswith("AGE-SECRET-KEY-1")]
            plain = pyrage.decrypt(wrapped, keys)
        else:
            plain = passphrase.decrypt(wrapped, phrase)
        return str(x25519.Identity.from_str(plain.decode()))
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError) as error:
        raise BadArchive("This copy cannot be opened with that passphrase or key.") from error


def new_identity() -> Identity:
    """A key for one copy."""
    return str(x25519.Identity.generate())


def encrypt(source: BinaryIO, target: BinaryIO, identity: Identity) -> None:
    """All of `source`, encrypted."""
    pyrage.encrypt_io(source, target, [x25519.Identity.from_str(identity).to_public()])


def decrypt(source: BinaryIO, target: BinaryIO, identity: Identity) -> None:
    """All of it back. Raises `BadArchive` where a single bit is another."""
    try:
        pyrage.decrypt_io(source, target, [x25519.Identity.from_str(identity)])
    except (pyrage.DecryptError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadArchive("A part of this copy is damaged.") from error
