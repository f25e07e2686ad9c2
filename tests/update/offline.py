"""A process without any network but its own loopback, so that nothing can be fetched without being noticed."""

import ctypes
import fcntl
import socket
import struct

NEW_NETWORK = 0x40000000
SET_FLAGS, UP, RUNNING = 0x8914, 0x1, 0x40


def leave_the_network() -> bool:
    """From here on this process, and all that it starts, reach this machine alone; False where that is not allowed.

    Called before the first thread is started: others would keep the network they have.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        fcntl.ioctl(asked, SET_FLAGS, struct.pack("16sh22x", b"lo", UP | RUNNING))
    if interfaces() != ["lo"]:
        raise OSError(f"there is a way out still: {interfaces()}")
    return True


def interfaces() -> list[str]:
    """Every network there is for this process."""
    return sorted(name for _, name in socket.if_nameindex())
