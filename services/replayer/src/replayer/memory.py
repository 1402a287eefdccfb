"""Memory that goes back to the system once a replay has caught up, so that an idle replayer is a small one.

A window's columns and texts are large and short-lived, and come from several threads. Arrow's own pool and glibc's
many heaps would keep what they once had: one heap for all, trimmed when the work is done, ends some 200 MB lower.
"""

import ctypes
from typing import Any

import pyarrow as pa

_M_ARENA_MAX = -8  # from glibc's malloc.h

_libc: Any = ctypes.CDLL(None)


def keep_one_heap() -> None:
    """Set it up, once, before anything large is allocated; a system without glibc keeps its ways."""
    pa.set_memory_pool(pa.system_memory_pool())
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Return free memory to the system; takes about a millisecond."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
