"""What keeps a training run from being lost: checkpoints, and a good end for whatever can stop it.

All that a run draws at random follows from its seed and the number of the epoch. So a checkpoint needs no generator's
state: weights, optimizers, schedulers and the number of epochs done lead to the same weights, bit for bit.
"""

import argparse
import contextlib
import io
import math
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.optim.lr_scheduler import LRScheduler

from shared import LessonError, kept
from shared.paths import whole_file

NAME = "checkpoint.pt"
SETTINGS = ("recipe", "epochs", "limit", "data", "seed", "workers")    # the flags that decide what a run computes


def save(folder: Path, args: argparse.Namespace, recipe: dict, source: str, parts: list, epoch: int,
         seconds: float, curves: dict[str, float]) -> None:
    """Writes a checkpoint: `folder` holds a whole one at every moment, the one before or the new one.

    Args:
        folder: of the run, `models/12_train_gpu/<run>`.
        args: the flags of the run.
        recipe: its settings.
        source: what it trains on.
        parts: whatever learns or counts: network, optimizers, schedulers, in a fixed order.
        epoch: how many are done.
        seconds: how long they took.
        curves: the last point of each.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    state = {"settings": {name: getattr(args, name) for name in SETTINGS}, "recipe": recipe, "source": source,
             "run": folder.name, "launch": _launch(), "parts": [part.state_dict() for part in parts], "epoch": epoch,
             "seconds": seconds, "curves": curves}
    in_memory = io.BytesIO()    # on a full disk torch.save would say "unexpected pos", and the file says why
    torch.save(state, in_memory)
    with whole_file(folder / NAME) as file:
        file.write(in_memory.getbuffer())
    go_on = f"{folder / NAME} (go on with: python {shlex.quote(sys.argv[0])} --resume {folder.name})"
    if go_on not in kept:
        kept.append(go_on)


def restore(state: dict | None, source: str, parts: list) -> tuple[int, float, dict[str, float]]:
    """Brings `parts` to where the checkpoint left them, if there is one, and returns its epoch, seconds and curves.

    Raises:
        LessonError: it trained on something else than `source`.
    """
    if state is None:
        return 0, 0.0, {}
    if state["source"] != source:
        raise LessonError(f"{state['run']} was trained on {state['source']}, and now there is {source}.\n"
                          "Bring the data back, or leave --resume out to start another run.")
    for part, part_state in zip(parts, state["parts"], strict=True):
        part.load_state_dict(part_state)
    return state["epoch"], state["seconds"], state["curves"]


def load(path: Path) -> dict:
    """Reads a checkpoint onto the CPU, without running code from it (`weights_only=True`), whoever wrote it.

    Raises:
        LessonError: the file is truncated, or no checkpoint of lesson 12.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not {"settings", "recipe", "source", "run", "launch", "parts", "epoch", "seconds", "curves"} <= state.keys():
            raise ValueError("it holds other things")
    except Exception as error:    # damaged files make torch stumble in many ways
        reason = str(error).partition("\n")[0]
        raise LessonError(f"{path} is no checkpoint, or damaged: {reason}\nName another run, or start anew.") from None
    return state


def parse(parser: argparse.ArgumentParser, runs: Path) -> tuple[argparse.Namespace, dict | None]:
    """The flags, and the checkpoint to go on from, if the run is to go on.

    A process that torchrun has started again goes on from what it saved before, if it came so far. A run that goes on
    keeps its settings.

    Args:
        parser: with the flag `--resume`: None, "latest" for the run that was saved last, or the name of one.
        runs: has a folder for each run, `models/12_train_gpu`.

    Raises:
        LessonError: there is nothing to resume, it cannot be read, or other settings are asked for.
    """
    args = parser.parse_args()
    newest_first = sorted(runs.glob(f"*/{NAME}"), key=lambda path: path.stat().st_mtime, reverse=True)
    if args.resume is None:
        if int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)) and newest_first:
            state = load(newest_first[0])
            return args, state if state["launch"] == _launch() else None
        return args, None

    path = runs / args.resume / NAME
    if args.resume == "latest":
        path = newest_first[0] if newest_first else runs / "<run>" / NAME
    if not path.is_file():
        raise LessonError(f"there is nothing to go on with, no {path}.\nStart a run without --resume.")
    if path.with_name("report.json").exists():
        raise LessonError(f"{path.parent} is a run that came to its end.\nStart another without --resume.")
    state = load(path)
    parser.set_defaults(**state["settings"])
    args = parser.parse_args()
    for name, value in state["settings"].items():
        if getattr(args, name) != value:
            raise LessonError(f"{path.parent} was started with --{name} {value}.\n"
                              f"Leave --{name} out to go on with it, or leave --resume out to start another.")
    return args, state


def _launch() -> str | None:
    """Names a call of torchrun, and is the same in the processes that it starts again."""
    return os.environ.get("TORCHELASTIC_RUN_ID")


@contextlib.contextmanager
def enough_memory(batch_size: int, device: torch.device) -> Iterator[None]:
    """Names the batch size when the device runs out of memory.

    Raises:
        LessonError: it did.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error):
            raise LessonError(f"{device} has too little memory for batches of {batch_size} pictures.\n"
                              "Make batch_size in RECIPES smaller.") from None
        raise


def stop_unless_finite(loss: float, schedulers: list[LRScheduler]) -> None:
    """Raises LessonError where a loss is infinite or not a number, before it gets into weights that are kept."""
    if not math.isfinite(loss):
        rates = " and ".join(f"{scheduler.get_last_lr()[0]:.3g}" for scheduler in schedulers)
        raise LessonError(f"the loss is {loss} at a learning rate of {rates}, which is too high.\n"
                          "Lower it in RECIPES. The last checkpoint is from before.")
