"""Keys and everything made with them. Secrets live in one file of the data folder, mode 600."""

import base64
import hashlib
import hmac
import json
import os
import random
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadData, URLSafeSerializer

from core.adapters.sql.engine import DATABASE_FILE
from core.errors import BadArchive, Misconfigured

KEY_BYTES = 32
KEYS_FILE = "keys.json"
_NAMES = ("code_key", "token_key")


class KeyVault:
    """See `core.ports.outside.Vault`."""

    def __init__(self, *, code_key: bytes, token_key: bytes, previous_code_keys: tuple[bytes, ...] = ()) -> None:
        self._code_keys = (code_key, *previous_code_keys)
        self._token_key = token_key

    def secrets(self) -> dict[str, Any]:
        """Every key, as a copy of the node carries them; `vault_of` is the inverse."""
        return {
            "code_key": self._code_keys[0].hex(),
            "token_key": self._token_key.hex(),
            "previous_code_keys": [key.hex() for key in self._code_keys[1:]],
        }

    @property
    def code_key_id(self) -> str:
        """A short public name of the current code key."""
        return hashlib.sha256(b"key-id" + self._code_keys[0]).hexdigest()[:8]

    def code_hashes(self, signs: str) -> list[str]:
        """HMAC-SHA256 of the code under each key."""
        return [_hmac(key, f"code:{signs}") for key in self._code_keys]

    def subject_hashes(self, public_id: str) -> list[str]:
        """HMAC-SHA256 of an artifact's public id under each code key: the ledger outlives a change of keys."""
        return [_hmac(key, f"artifact:{public_id}") for key in self._code_keys]

    def digest(self, purpose: str, text: str) -> str:
        """HMAC-SHA256 under the token key, separated by purpose."""
        return _hmac(self._token_key, f"{purpose}:{text}")

    def sign(self, purpose: str, *values: str | int) -> str:
        """Values are readable by whoever holds the token; only their origin is protected."""
        token = self._serializer(purpose).dumps(list(values))
        return token if isinstance(token, str) else token.decode()

    def read(self, purpose: str, token: str) -> list[str | int] | None:
        """Values of a genuine token, else None; one in another spelling, as lenient readers take it, is not genuine."""
        try:
            values = self._serializer(purpose).loads(token)
        except (BadData, UnicodeError):
            return None
        return values if isinstance(values, list) and self.sign(purpose, *values) == token else None

    def seal(self, client_key: str, text: str) -> str:
        """Fernet under a key derived from the client's own (HKDF, RFC 5869)."""
        return self._fernet(client_key).encrypt(text.encode()).decode()

    def unseal(self, client_key: str, sealed: str) -> str | None:
        """None where it was sealed for another key."""
        try:
            return self._fernet(client_key).decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def random_token(self) -> str:
        """192 random bits."""
        return secrets.token_urlsafe(24)

    def rng(self) -> random.Random:
        """The system's generator."""
        return random.SystemRandom()

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._token_key, salt=purpose, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )

    def _fernet(self, client_key: str) -> Fernet:
        derived = HKDF(
            algorithm=hashes.SHA256(), length=32, salt=self._token_key, info=b"memory-engine idempotency"
        ).derive(client_key.encode())
        return Fernet(base64.urlsafe_b64encode(derived))


def vault_of(secrets_: Mapping[str, Any]) -> KeyVault:
    """A vault with the keys a copy of a node carries. Raises `BadArchive`."""
    try:
        return KeyVault(
            code_key=bytes.fromhex(secrets_["code_key"]),
            token_key=bytes.fromhex(secrets_["token_key"]),
            previous_code_keys=tuple(bytes.fromhex(key) for key in secrets_.get("previous_code_keys", [])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadArchive("The keys in this copy cannot be read.") from error


def open_vault(data_dir: Path) -> KeyVault:
    """The vault of a data folder; its keys are made on the first start."""
    path = data_dir / KEYS_FILE
    if not path.exists():
        if (data_dir / DATABASE_FILE).exists():
            # New keys would silently end every receipt code that was ever given out.
            raise Misconfigured([f"{path.name} is missing from the data folder; restore it from a backup"])
        write_secret(path, json.dumps({name: secrets.token_hex(KEY_BYTES) for name in _NAMES}))
    try:
        stored = json.loads(path.read_text())
        keys = {name: bytes.fromhex(stored[name]) for name in _NAMES}
        previous = tuple(bytes.fromhex(key) for key in stored.get("previous_code_keys", []))
    except (KeyError, TypeError, ValueError) as error:
        raise Misconfigured([f"{path.name} in the data folder is damaged; restore it from a backup"]) from error
    if any(len(key) < KEY_BYTES for key in keys.values()):
        raise Misconfigured([f"{path.name} in the data folder holds a key that is too short"])
    return KeyVault(code_key=keys["code_key"], token_key=keys["token_key"], previous_code_keys=previous)


def write_keys(folder: Path, secrets_: Mapping[str, Any]) -> None:
    """Give a data folder the keys a copy carries. Raises `BadArchive` for what are none."""
    write_secret(folder / KEYS_FILE, json.dumps(vault_of(secrets_).secrets()))


def generated_secret(path: Path) -> str:
    """A secret in a file of its own, made on the first start, readable by its owner only."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(18) + "\n")
    return read_secret(path)


def read_secret(path: Path) -> str:
    """What a secret's file holds now; empty where it is gone or cannot be read, for then it opens nothing."""
    try:
        return path.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def write_secret(path: Path, text: str) -> None:
    """Durable and never readable by others, not even for a moment."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _hmac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
