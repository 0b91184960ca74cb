"""Memory for training: how to have it sooner, and a good end when there is too little."""

import contextlib
import ctypes
import platform
import re
import sys
from collections.abc import Iterator

import torch

from shared import LessonError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4    # of /usr/include/malloc.h


def keep_freed_memory() -> None:
    """Has this process keep the memory that it frees, so that the next step of training need not ask for it again.

    Linux's C library (glibc) gives large blocks back to the system at once, and has to be handed each of their pages
    anew, emptied, in every step: a tenth of the fast recipe's time. Nothing is done where the C library is another;
    PyTorch for ARM has an allocator of its own, which stays as it is.
    See https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        malloc = ctypes.CDLL(None)
        malloc.mallopt(M_MMAP_MAX, 0)           # takes large blocks out of what it keeps, too
        malloc.mallopt(M_TRIM_THRESHOLD, -1)    # and never hands any of that back


@contextlib.contextmanager
def explain_out_of_memory(batch_size: int, device: torch.device) -> Iterator[None]:
    """Names the batch size when the device runs out of memory.

    Raises:
        LessonError: it did.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or re.search("out of memory|DefaultCPUAllocator", str(error)):
            raise LessonError(f"{device} has too little memory for batches of {batch_size} pictures.\n"
                              "Make batch_size in RECIPES smaller, and start anew.") from None
        raise
