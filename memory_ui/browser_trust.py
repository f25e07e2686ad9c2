"""Chromium on Linux believes what its user's list of authorities (NSS) believes; this puts a node's root into it.

The list is asked when a browser opens. No flag is needed, and no warning is switched off: a browser that knows the root
goes on refusing everybody else.
"""

import hashlib
import shutil
import ssl
import subprocess
from pathlib import Path

from core.errors import BadField, Unavailable

LIST = Path(".pki") / "nssdb"
"""Below a user's home."""

WEBSITES = "C,,"
"""Trusted to name websites; not for mail, not for code."""


def trust(root: Path, home: Path) -> str:
    """Have the browsers of a user believe what the root in this PEM file signed; the name it is kept under.

    Doing it again changes nothing. Raises `BadField` for a file that holds no certificate, and `Unavailable` where the
    list cannot be written.
    """
    try:
        der = ssl.PEM_cert_to_DER_cert(root.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise BadField(f"{root} holds no certificate: take it from /certificate/root.crt of the node.") from error
    name = f"Memory Engine {hashlib.sha256(der).hexdigest()[:8]}"
    folder = home / LIST
    if not (folder / "cert9.db").exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _certutil(folder, "-N", "--empty-password")
    _certutil(folder, "-A", "-t", WEBSITES, "-n", name, "-i", str(root))
    return name


def _certutil(folder: Path, *arguments: str) -> None:
    program = shutil.which("certutil")
    if program is None:
        raise Unavailable("There is no certutil here to tell the browser: install it (apt-get install libnss3-tools).")
    done = subprocess.run(  # noqa: S603 -- the system's own program, found above
        [program, "-d", f"sql:{folder}", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode != 0:
        raise Unavailable(f"The browser's list of authorities, {folder}, cannot be written: {done.stderr.strip()}")
