"""A certificate authority in the data folder: a file for the root, and one for what the node shows.

Key and certificate lie in one file, which is replaced as a whole: a power cut leaves the old pair or the new one.
"""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.adapters.vault import write_secret
from core.domain.certificates import Leaf, Names, Root, Span
from core.errors import BadArchive, Misconfigured

FOLDER = "certificates"
ROOT_FILE = "root.pem"
LEAF_FILE = "node.pem"
CARRIED = "certificate_root"
"""Under which name a copy of a node carries its root."""

NAME_SIGNS = 40
"""How much of a node's name stands in its root's; a common name has at most 64 signs (X.520)."""

Pair = tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]


class FolderAuthority:
    """See `core.ports.certificates.Authority`. ECDSA over P-256 with SHA-256, which every browser knows."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._root = self._folder / ROOT_FILE

    @property
    def chain(self) -> Path:
        """Where key and certificates lie, for its owner alone."""
        return self._folder / LEAF_FILE

    def has_leaf(self) -> bool:
        """Whether the file is there."""
        return self.chain.exists()

    def root(self) -> Root | None:
        """None before the first; a root that is gone while its certificate is there was lost."""
        if not self._root.exists() and not self.chain.exists():
            return None
        return _shown(self._kept_root()[1][0])

    def make_root(self, span: Span, name: str) -> Root:
        """Self-signed; may sign certificates, and no further authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        title = " ".join([*name[:NAME_SIGNS].split(), "certificate authority"])
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Memory Engine"),
                x509.NameAttribute(NameOID.COMMON_NAME, title),
            ]
        )
        made = (
            _begun(subject, subject, key, key, span)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        self._write(self._root, key, [made])
        return _shown(made)

    def leaf(self) -> Leaf | None:
        """What is damaged, or was signed by another root, is none."""
        try:
            _, (certificate, *_) = _read(self.chain)
            certificate.verify_directly_issued_by(self._kept_root()[1][0])
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return None
        addresses = frozenset(str(address) for address in names.get_values_for_type(x509.IPAddress))
        return Leaf(
            names=Names(hosts=frozenset(names.get_values_for_type(x509.DNSName)), addresses=addresses),
            span=_span(certificate),
            fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        )

    def make_leaf(self, span: Span, names: Names) -> Leaf:
        """For servers alone. Its first name stands as the subject, for people: browsers look at the names only."""
        root_key, (root, *_) = self._kept_root()
        key = ec.generate_private_key(ec.SECP256R1())
        first = next(iter(sorted(names.hosts) or sorted(names.addresses)), "node")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, first[:64])])
        hosts = [x509.DNSName(host) for host in sorted(names.hosts)]
        addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(names.addresses)]
        made = (
            _begun(subject, root.subject, key, root_key, span)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([*hosts, *addresses]), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        self._write(self.chain, key, [made, root])
        leaf = self.leaf()
        assert leaf is not None, "what was written a moment ago can be read"
        return leaf

    def secrets(self) -> dict[str, Any]:
        """The root's file as it is; a damaged one is left out of copies."""
        try:
            _read(self._root)
            return {CARRIED: self._root.read_text("ascii")}
        except (OSError, ValueError, TypeError):
            return {}

    def take_over(self, secrets: Mapping[str, Any]) -> None:
        """Be the authority a copy carries, so that whoever trusts it goes on doing so. Raises `BadArchive`."""
        carried = secrets.get(CARRIED)
        if not carried:
            return
        try:
            key, certificates = _parse(str(carried).encode("ascii"))
        except (ValueError, TypeError) as error:
            raise BadArchive("The certificate authority in this copy cannot be read.") from error
        self._write(self._root, key, certificates[:1])

    def _kept_root(self) -> Pair:
        try:
            return _read(self._root)
        except (OSError, ValueError, TypeError) as error:
            state = "damaged" if self._root.exists() else "missing"
            raise Misconfigured(
                [
                    f"{FOLDER}/{ROOT_FILE} in the data folder is {state}; restore it from a backup, or make another "
                    "with `memory-engine certificate new-root`, which every device must then be told to trust"
                ]
            ) from error

    def _write(self, path: Path, key: ec.EllipticCurvePrivateKey, certificates: list[x509.Certificate]) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._folder.chmod(0o700)
        parts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
        parts += [certificate.public_bytes(Encoding.PEM) for certificate in certificates]
        write_secret(path, b"".join(parts).decode("ascii"))


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    span: Span,
) -> x509.CertificateBuilder:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span.begins)
        .not_valid_after(span.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    """A root signs certificates and nothing else; a node proves that it has its key."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _read(path: Path) -> Pair:
    return _parse(path.read_bytes())


def _parse(pem: bytes) -> Pair:
    """A key and the certificates of a file, the key's own first. Raises ValueError or TypeError for anything else."""
    key, certificates = load_pem_private_key(pem, password=None), x509.load_pem_x509_certificates(pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificates[0].public_key():
        raise ValueError("not a key and its certificate")
    return key, certificates


def _shown(certificate: x509.Certificate) -> Root:
    return Root(
        pem=certificate.public_bytes(Encoding.PEM).decode("ascii"),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        span=_span(certificate),
    )


def _span(certificate: x509.Certificate) -> Span:
    return Span(begins=certificate.not_valid_before_utc, ends=certificate.not_valid_after_utc)
