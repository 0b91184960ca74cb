"""Training in several processes at once, for the ones that torchrun starts.

See https://pytorch.org/docs/stable/elastic/run.html and https://pytorch.org/docs/stable/notes/ddp.html
"""

import functools
import io
import os
import sys

import torch
import torch.distributed as dist
from torch import Tensor
from tqdm import tqdm

from shared import LessonError


def join_processes(device: torch.device) -> tuple[int, int]:
    """Connects this process with the others that torchrun has started, each with a GPU of its own if there are any.

    All but the first fall silent, as each would print the same.

    Args:
        device: of what kind to train on.

    Returns:
        The number of this process, and how many there are: 0 and 1 without torchrun.

    Raises:
        LessonError: there are GPUs, but fewer than processes.
    """
    rank, world_size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world_size > 1:
        if device.type != "cpu":
            local_rank, count = int(os.environ["LOCAL_RANK"]), torch.accelerator.device_count()
            if local_rank >= count:
                raise LessonError(f"each process needs a {device.type} device of its own, and there are {count}.\n"
                                  f"Start torchrun with --nproc-per-node={count}.")
            torch.accelerator.set_device_index(local_rank)    # which one "cuda" means from here on
        # Processes that torchrun starts again meet in the same store, where they would find the addresses of those
        # before (https://github.com/pytorch/pytorch/issues/135712): so each attempt has a part of its own. On several
        # machines attempts are counted apart; there TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 helps.
        store, _, _ = next(dist.rendezvous("env://"))
        on_one_machine = int(os.environ.get("LOCAL_WORLD_SIZE", 0)) == world_size
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") if on_one_machine else "any"
        dist.init_process_group(store=dist.PrefixStore(attempt, store), rank=rank, world_size=world_size)
    if rank > 0:
        sys.stdout = io.StringIO()
        tqdm.__init__ = functools.partialmethod(tqdm.__init__, disable=True)
    return rank, world_size


def leave_processes() -> None:
    """The end of what `join_processes` began, and of all processes but the first. After an error torchrun ends them."""
    if dist.is_initialized():
        rank = dist.get_rank()
        dist.destroy_process_group()
        if rank > 0:
            raise SystemExit


def sum_over_processes(totals: Tensor) -> Tensor:
    """Adds up what each process has counted, in place; each gets the sum."""
    if dist.is_initialized():
        dist.all_reduce(totals)
    return totals
