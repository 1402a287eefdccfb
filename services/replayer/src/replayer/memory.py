"""Memory that goes back to the system as soon as a window is written, so that an idle replayer is a small one.

A window's columns and texts are large and short-lived. Arrow's own pool and glibc's heaps keep such blocks for later;
told to map large blocks one by one, they return each when it is freed (some 200 MB less after the first run).
"""

import ctypes

import pyarrow as pa

LARGE_BLOCK_BYTES = 256 * 1024
ARENAS = 2

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8


def return_large_blocks() -> None:
    """Set it up, once, before anything large is allocated; a system without glibc keeps its ways."""
    pa.set_memory_pool(pa.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
    mallopt(_M_TRIM_THRESHOLD, LARGE_BLOCK_BYTES)
    mallopt(_M_ARENA_MAX, ARENAS)
