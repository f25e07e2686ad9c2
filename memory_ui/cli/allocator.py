"""How this process keeps memory that was freed."""

import ctypes
import gc

# Parameters of mallopt(3) in glibc.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
LARGE_BYTES = 256 * 1024
ARENAS = 2


def give_back() -> None:
    """Return large pieces of memory to the system as soon as they are freed, and keep few pools of small ones.

    Left alone, glibc raises its idea of a large piece to whatever was freed once, and has a pool for each of many
    threads: after the first long take a worker holds what that took for good. Other allocators are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for parameter, value in (
        (M_MMAP_THRESHOLD, LARGE_BYTES),
        (M_TRIM_THRESHOLD, LARGE_BYTES),
        (M_ARENA_MAX, ARENAS),
    ):
        mallopt(parameter, value)


def settle() -> None:
    """Leave everything that is loaded by now out of each later search for garbage: it stays as long as the process.

    Looking through it holds every thread for a sixth of a second, again and again.
    """
    gc.collect()
    gc.freeze()
