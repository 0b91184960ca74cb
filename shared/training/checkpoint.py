"""Checkpoints: what a training run needs in order to go on after Ctrl-C, `kill -9` or a power cut.

All random numbers of a run follow from its seed and the number of the epoch. So a checkpoint needs
no state of a random generator: weights, optimizer, scheduler and the number of epochs done lead to
the same weights in the end, bit for bit. (On the same CPU, with as many threads and processes. On a
GPU, some operations add in another order each time, which changes the last bits.)
"""

import hashlib
import io
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch.utils.data import Dataset

from shared.errors import LessonError, kept
from shared.paths import command, whole

NAME = "checkpoint.pt"
ANOTHER = "Name another run, or start a new one without --resume."
FORMAT = 3    # a checkpoint with another number is of another version of the lessons


class Checkpoint(dict):
    """A checkpoint that was read from a file. Whatever it lacks is a person's error."""

    def __missing__(self, key: str):
        raise LessonError(f"the checkpoint has no '{key}', so it is of another program.\n{ANOTHER}")


def save(state: dict, folder: Path) -> None:
    """Writes a checkpoint. At every moment `folder` holds a whole one, this one or the one before.

    Args:
        state: a dict of numbers, strings and `state_dict()`s, with "epoch": how many are done.
        folder: of the run, `models/<lesson>/<run>`.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    save_whole(state | {"format": FORMAT, "computed by": _computed_by()}, folder / NAME)
    _say_when_stopped(folder)


def _say_when_stopped(folder: Path) -> None:
    main = sys.modules["__main__"]
    module = main.__spec__ and main.__spec__.name.removesuffix(".__main__")
    program = ["-m", module] if module else sys.argv[:1]
    processes = os.environ.get("WORLD_SIZE", "1")
    torchrun = ["torchrun", "--standalone", f"--nproc-per-node={processes}"]
    start = ["python"] if processes == "1" else torchrun
    go_on = command(*start, *program, "--resume", folder.name)
    if os.environ.get("LOCAL_WORLD_SIZE", processes) != processes:    # on several machines
        go_on = f"the same torchrun command with --resume {folder.name}"
    if (line := f"{folder / NAME} (go on with: {go_on})") not in kept:
        kept.append(line)


def save_whole(state: dict, path: Path) -> None:
    """`torch.save` that leaves a whole file or none.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
        LessonError: where the folder was, there is a file.
    """
    in_memory = io.BytesIO()    # on a full disk torch.save says "unexpected pos", and a file why
    torch.save(state, in_memory)
    try:
        with whole(path) as draft:
            draft.write_bytes(in_memory.getbuffer())
    except (FileExistsError, NotADirectoryError) as error:
        raise LessonError(f"cannot write to {path.parent} ({error.strerror}).\nIf that folder was "
                          "moved, bring it back, or start a new run.") from None


def load_whole(path: Path) -> dict:
    """`torch.load` onto the CPU that runs no code from the file, and notices every changed bit.

    Raises:
        LessonError: the file is damaged, or is no file of PyTorch.
    """
    try:
        # What torch.save writes is a zip file. Its checksums are compared here, not by torch.load,
        # which gets nothing else of the file than what they cover.
        checked = io.BytesIO()
        with zipfile.ZipFile(path) as file, zipfile.ZipFile(checked, "w") as copy:
            for name in file.namelist():
                copy.writestr(name, file.read(name))
        checked.seek(0)
        return torch.load(checked, map_location="cpu", weights_only=True)
    except Exception as error:    # damaged files make torch fail in many ways
        raise LessonError(f"{path} is damaged, or is no file of PyTorch: {_first_line(error)}\n"
                          "Use another file, or train again.") from None


def find(runs: Path, name: str) -> Path:
    """The folder of the run to go on with.

    Args:
        runs: has a folder for each run, `models/<lesson>`.
        name: of a run, or "latest": the one that was stopped last and is not training now.

    Raises:
        LessonError: there is none, or it is finished, or another process trains it.
    """
    folders = [folder for folder in newest_first(runs) if name in ("latest", folder.name)]
    for folder in folders:
        if not is_finished(folder) and not is_locked(folder):
            return folder
    problem = f"there is no {runs / ('<run>' if name == 'latest' else name) / NAME}"
    if folders:
        state = "is finished" if is_finished(folders[0]) else "is training in another process"
        which = "the last run" if name == "latest" else "the run"
        problem = f"{which}, {folders[0].name}, {state}"
    raise LessonError(f"nothing to resume: {problem}.\nStart a new run without --resume.")


def newest_first(runs: Path) -> list[Path]:
    """The folders of all runs that have a checkpoint, the one that was saved last first."""
    saved = sorted(runs.glob(f"*/{NAME}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in saved]


def load(folder: Path) -> Checkpoint:
    """Reads the checkpoint of a run.

    Raises:
        LessonError: the file is damaged, or of another version of the lessons.
    """
    state = load_whole(folder / NAME)
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise LessonError(f"{folder / NAME} is no checkpoint of this version of the lessons.\n"
                          f"{ANOTHER}")
    _say_when_stopped(folder)
    return Checkpoint(state)


def restore(parts: dict, state: dict, data: str, epochs: int) -> int:
    """Gives network, optimizer and so on the state that they had, and returns the epochs done.

    Args:
        parts: name -> whatever has `load_state_dict`.
        state: a checkpoint, with a state for each name, "data" and "epoch".
        data: what `describe` says of the pictures that there are now.
        epochs: how many the run has in all.

    Raises:
        LessonError: the pictures are others now, or the checkpoint does not fit.
    """
    with one_error():
        if state["data"] != data:
            raise ValueError(f"it was trained on {state['data']}, and now there is {data}")
        if not (isinstance(state["epoch"], int) and 0 < state["epoch"] <= epochs):
            raise ValueError(f"it says that {state['epoch']!r} of {epochs} epochs are done")
        for name, part in parts.items():
            part.load_state_dict(state[name])
    if state["computed by"] != _computed_by():
        print(f"Note: {state['computed by']} trained it so far, now {_computed_by()}. The last "
              "bits of the result will differ.")
    return state["epoch"]


@contextmanager
def one_error() -> Iterator[None]:
    """Makes a LessonError of whatever happens while the parts of a checkpoint are used.

    Parts of another shape make Python and PyTorch fail in many ways.
    """
    try:
        yield
    except LessonError:
        raise
    except Exception as error:
        reason = _first_line(error)
        raise LessonError(f"the checkpoint does not fit: {reason}.\n{ANOTHER}") from None


def _computed_by() -> str:
    processes = os.environ.get("WORLD_SIZE", "1")
    words = "process" if processes == "1" else "processes"
    return f"{processes} {words} of {torch.get_num_threads()} threads"


def describe(train_data: Dataset, test_data: Dataset) -> str:
    """Says what a run is trained on, so that it is not resumed on anything else.

    Args:
        train_data, test_data: with `data`, `targets`, `classes` and `source`.
    """
    digest = hashlib.sha256(repr(train_data.classes).encode())
    for data in (train_data, test_data):
        digest.update(data.data.tobytes())
        digest.update(repr(data.targets).encode())
    return (f"{train_data.source} ({len(train_data)} training and {len(test_data)} test pictures, "
            f"{len(train_data.classes)} classes, SHA-256 {digest.hexdigest()[:12]})")


def is_finished(folder: Path) -> bool:
    """Whether a run came to its end: only then there are weights besides the checkpoint."""
    return (folder / "weights.pt").exists()


def lock(folder: Path, seconds: float = 0) -> FileLock:
    """Keeps all other processes from training a run, until this process ends.

    Keep what is returned: when Python deletes it, the lock is gone. `seconds`: how long to wait for
    the end of another process.

    Raises:
        LessonError: another process trains the run.
    """
    try:
        found = FileLock(folder.with_name(f".{folder.name}.lock"))    # beside the folder
        found.acquire(timeout=seconds)
        return found
    except Timeout:
        raise LessonError(f"the run {folder.name} is training in another process.\n"
                          "Wait for its end, or start a new run without --resume.") from None


def is_locked(folder: Path) -> bool:
    """Whether another process trains the run now."""
    try:
        lock(folder, seconds=0.5).release()    # other processes of torchrun, too, take a look
        return False
    except LessonError:
        return True


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
