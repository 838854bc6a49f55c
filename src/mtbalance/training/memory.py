"""keep_freed_memory: a process that trains keeps the memory that it frees, since its next step needs it again."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Options of glibc's ``mallopt``, as its ``malloc.h`` numbers them."""
LARGEST = 2**31 - 1


def keep_freed_memory() -> None:
    """Let glibc give no memory back to the system until the process ends; other C libraries are left as they are.

    By default a large tensor that is freed goes back at once, and the next one is made of fresh pages, which the system
    fills with zeros one by one. In a step of the paper-size MMOE that is a tenth of the time. Kept memory is not
    always of the right size, so the peak can be a tenth higher. No number depends on it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_MAX, 0)
        mallopt(TRIM_THRESHOLD, LARGEST)
