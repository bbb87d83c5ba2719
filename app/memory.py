"""Large blocks of memory go back to the system as soon as they are freed."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3  # malloc.h of glibc
_THRESHOLD_BYTES = 128 * 1024


def return_large_blocks() -> None:
    """From now on, in this process.

    glibc maps blocks of 128 KiB and more one by one, but raises that bound to the size of every larger one
    that is freed, up to 32 MiB. What is smaller lies in a heap then that can only shrink from its end: twelve
    bodies of 24 MB left 55 MB behind. Once it is set the bound stays. Other C libraries have no such call.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES)
