"""What keeps a training run from being lost: checkpoints, and a good end for what can stop it.

All that a run draws at random follows from its seed and the number of the epoch. So a checkpoint needs no generator's
state: weights, optimizers, schedulers and the number of epochs done lead to the same weights in the end, bit for bit
(on a CPU, with as many threads and processes; a GPU adds up in any order).
"""

import argparse
import io
import math
import os
import sys
from pathlib import Path

import torch
from torch.utils.data import Dataset

from shared import LessonError, kept
from shared.paths import command, whole_file

NAME = "checkpoint.pt"
SETTINGS = ("recipe", "epochs", "limit", "data", "seed", "workers")    # the flags that decide what a run computes


def save(folder: Path, args: argparse.Namespace, recipe: dict, data: Dataset, parts: list, epoch: int, seconds: float,
         curves: dict[str, float]) -> None:
    """Writes a checkpoint: `folder` holds a whole one at every moment, the one before or the new one.

    Args:
        folder: of the run, `models/12_train_gpu/<run>`.
        args: the flags of the run.
        recipe: its settings.
        data: the pictures that it trains on, with `source` and `classes`.
        parts: whatever learns or counts: network, optimizers, schedulers, in a fixed order.
        epoch: how many are done.
        seconds: how long they took.
        curves: the last point of each.

    Raises:
        LessonError: a loss is not finite, so that the weights are of no use.
        OSError: the disk is full, or the folder cannot be written.
    """
    for loss in ("train_loss", "test_loss"):
        stop_unless_finite(curves[loss], curves["learning_rate"])
    save_whole({"settings": {name: getattr(args, name) for name in SETTINGS}, "recipe": recipe, "data": _describe(data),
                "launch": _launch(), "parts": [part.state_dict() for part in parts], "epoch": epoch,
                "seconds": seconds, "curves": curves}, folder / NAME)
    _keep(folder)


def save_whole(state: dict, path: Path) -> None:
    """`torch.save` that leaves a whole file or none: a state_dict, or a checkpoint.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    in_memory = io.BytesIO()    # on a full disk torch.save says "unexpected pos", and a file says why
    torch.save(state, in_memory)
    with whole_file(path) as file:
        file.write(in_memory.getbuffer())


def load(path: Path) -> dict:
    """Reads a checkpoint onto the CPU, without running code from it (`weights_only=True`), whoever wrote it.

    Raises:
        LessonError: the file is truncated, or no checkpoint of lesson 12.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not {"settings", "recipe", "data", "launch", "parts", "epoch", "seconds", "curves"} <= state.keys():
            raise ValueError("it holds other things")
    except Exception as error:    # damaged files make torch stumble in many ways
        reason = str(error).partition("\n")[0]
        raise LessonError(f"{path} is no checkpoint, or damaged: {reason}\nName another run, or start anew.") from None
    return state | {"run": path.parent.name}


def parse(parser: argparse.ArgumentParser, runs: Path) -> tuple[argparse.Namespace, dict | None]:
    """The flags, and the checkpoint to go on from, if the run is to go on. Such a run keeps its settings.

    A process that torchrun has started again goes on from what it saved before, if it came so far.

    Args:
        parser: with the flag `--resume`: None, "latest" for the run that was stopped last, or the name of one.
        runs: has a folder for each run, `models/12_train_gpu`.

    Raises:
        LessonError: there is nothing to resume, it cannot be read, or other settings are asked for.
    """
    args = parser.parse_args()
    stopped = [path for path in runs.glob(f"*/{NAME}") if not path.with_name("report.json").exists()]
    latest = max(stopped, key=lambda path: path.stat().st_mtime, default=runs / "<run>" / NAME)
    if args.resume is None:
        if not stopped or os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0":
            return args, None
        state = load(latest)
        if state["launch"] != _launch():
            return args, None
    else:
        path = latest if args.resume == "latest" else runs / args.resume / NAME
        if not path.is_file():
            raise LessonError(f"there is nothing to go on with, no {path}.\nStart a run without --resume.")
        if path.with_name("report.json").exists():
            raise LessonError(f"{path.parent} is a run that came to its end.\nStart another without --resume.")
        state = load(path)
    parser.set_defaults(**state["settings"])
    args = parser.parse_args()
    for name, value in state["settings"].items():
        if getattr(args, name) != value:
            raise LessonError(f"{runs / state['run']} was started with --{name} {value}.\n"
                              f"Leave --{name} out to go on with it, or leave --resume out to start another.")
    _keep(runs / state["run"])
    return args, state


def restore(state: dict | None, data: Dataset, parts: list) -> tuple[int, float, dict[str, float]]:
    """Brings `parts` to where the checkpoint left them, if there is one, and returns its epoch, seconds and curves.

    Raises:
        LessonError: it was trained on other data.
    """
    if state is None:
        return 0, 0.0, {}
    if state["data"] != _describe(data):
        raise LessonError(f"{state['run']} was trained on {state['data']}, and now there is {_describe(data)}.\n"
                          "Bring the pictures back, or leave --resume out to start another run.")
    for part, part_state in zip(parts, state["parts"], strict=True):
        part.load_state_dict(part_state)
    print(f"Going on with {state['run']} after epoch {state['epoch']}")
    return state["epoch"], state["seconds"], state["curves"]


def _describe(data: Dataset) -> str:
    return f"{data.source} ({len(data)} pictures, {len(data.classes)} classes)"


def _keep(folder: Path) -> None:
    """Has Ctrl-C say that there is a checkpoint, and the command to go on."""
    processes = os.environ.get("WORLD_SIZE", "1")
    start = ["python"] if processes == "1" else ["torchrun", "--standalone", f"--nproc-per-node={processes}"]
    go_on = f"{folder / NAME} (go on with: {command(*start, sys.argv[0], '--resume', folder.name)})"
    if go_on not in kept:
        kept.append(go_on)


def _launch() -> str | None:
    """Names a call of torchrun, and is the same in the processes that it starts again."""
    name = os.environ.get("TORCHELASTIC_RUN_ID")
    return name if name != "none" else f"by process {os.getppid()}"    # torchrun's default for --rdzv-id


def stop_unless_finite(loss: float, learning_rate: float) -> None:
    """Raises LessonError where a loss is infinite or not a number, before it gets into weights that are kept."""
    if not math.isfinite(loss):
        raise LessonError(f"the loss is {loss} at a learning rate of {learning_rate:.3g}, which is too high.\n"
                          "Lower the rates in RECIPES, and start anew: --resume keeps those that it began with.")
