"""What concerns processes: several of them under torchrun, signals, and memory.

See https://pytorch.org/docs/stable/elastic/run.html and
https://pytorch.org/docs/stable/notes/ddp.html
"""

import ctypes
import io
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from shared.errors import LessonError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4    # of /usr/include/malloc.h


def join_processes(device: torch.device) -> tuple[int, int]:
    """Connects this process with the others of torchrun, each with a GPU of its own if there are.

    Returns the number of this process and how many there are: 0 and 1 without torchrun. All but
    number 0 print nothing from here on, because each would print the same.

    Raises:
        LessonError: there are GPUs, but fewer than processes.
    """
    rank, world_size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world_size == 1:
        return 0, 1
    if device.type != "cpu":
        local_rank, count = int(os.environ["LOCAL_RANK"]), torch.accelerator.device_count()
        if local_rank >= count:
            raise LessonError(f"each process needs a {device.type} device of its own, and there are"
                              f" {count}.\nStart torchrun with --nproc-per-node={count}.")
        torch.accelerator.set_device_index(local_rank)    # what "cuda" means from here on
    dist.init_process_group()
    if rank > 0:
        sys.stdout = io.StringIO()
    return rank, world_size


def no_bar() -> bool | None:
    """For tqdm's `disable`: no bar in processes but number 0, nor if the output is no terminal."""
    return True if dist.is_initialized() and dist.get_rank() > 0 else None


def leave_processes() -> None:
    """Ends what `join_processes` began, and all processes but number 0."""
    if dist.is_initialized():
        rank = dist.get_rank()
        dist.destroy_process_group()
        if rank > 0:
            os._exit(0)    # at once: else PyTorch's threads may abort it (pytorch/pytorch#190489)


def sum_over_processes(totals: Tensor) -> Tensor:
    """Adds up what each process has counted, in place. Each process gets the sum."""
    if dist.is_initialized():
        dist.all_reduce(totals)
    return totals


@contextmanager
def stop_between_batches() -> Iterator[Callable[[], None]]:
    """Has Ctrl-C and SIGTERM wait until a loop asks for them: `with ... as stop_if_asked:`.

    Usually they raise an exception, wherever the program is. While worker processes start or end,
    that would be lost: Python ignores exceptions in hooks of fork and in destructors. The second
    signal does not wait.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    came = []

    def note(number: int, frame: object) -> None:
        came.append(number)
        if len(came) > 1:
            handlers[number](number, frame)

    def stop_if_asked() -> None:
        if came:
            handlers[came[0]](came[0], None)

    for number in handlers:
        signal.signal(number, note)
    try:
        yield stop_if_asked
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        stop_if_asked()


def leave_signals_to_the_trainer(_: int) -> None:
    """For DataLoader's `worker_init_fn`: the trainer, too, gets the signal, and speaks for all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))


def keep_freed_memory() -> None:
    """Has this process keep the memory that it frees, for its next step of training.

    Linux's C library (glibc) gives large blocks back to the system. The next step then waits for
    new pages filled with zeros: a tenth of its time. Does nothing where the C library is another.
    See https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        malloc = ctypes.CDLL(None)
        malloc.mallopt(M_MMAP_MAX, 0)           # large blocks, too, come from what is kept
        malloc.mallopt(M_TRIM_THRESHOLD, -1)    # and nothing of that is given back
