"""Where data, TensorBoard runs and trained weights are kept."""

import itertools
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shared import LessonError, kept

HOME = Path(os.environ.get("LESSONS_HOME") or Path(__file__).parents[1]).expanduser().resolve()
DATA = HOME / "data"
LOGS = HOME / "logs"
MODELS = HOME / "models"


def new_run(lesson_file: str, *, drawn: bool = False) -> Path:
    """Makes the folder for the TensorBoard files of one run of a lesson.

    Args:
        lesson_file: the lesson's `__file__`.
        drawn: the pictures are the drawn stand-in; the folder's name says so.

    Returns:
        `logs/<lesson>/<YYYYmmdd-HHMMSS>[-drawn]`, new and empty. Two runs in one folder would draw one zigzag
        curve, so a second run in the same second gets `...-2`.

    Raises:
        LessonError: the folder cannot be written.
    """
    name = time.strftime("%Y%m%d-%H%M%S") + ("-drawn" if drawn else "")
    for attempt in itertools.count(1):
        run = LOGS / Path(lesson_file).stem / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            _make_folder(run)
        except FileExistsError:
            continue
        kept.append(str(run))
        return run


def models_folder(run: Path) -> Path:
    """Makes the folder for what a run trains, `models/<lesson>/<the run's name>`, if it is not there.

    Raises:
        LessonError: the folder cannot be written.
    """
    folder = MODELS / run.parent.name / run.name
    if not folder.is_dir():
        _make_folder(folder)
    return folder


def _make_folder(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        if isinstance(error, FileExistsError) and folder.exists():    # else it is a dangling link on the way there
            raise
        raise LessonError(f"cannot write to {folder.parent} ({error.strerror}).\n"
                          "Make it writable, or set LESSONS_HOME to a folder that is.") from None


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Opens a file to be written as a whole or not at all: `with whole_file(path) as file: ...`.

    What is written grows in `<name>.part`, is forced onto the disk, and only then renamed, which for the file system is
    a single step. `path` keeps what it held through a full disk, Ctrl-C, `kill -9` or a power cut at any moment.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def tensorboard_command(run: Path) -> str:
    """The command that shows one run, as it can be pasted into a terminal in the current folder."""
    return command("tensorboard", "--logdir", str(run))


def command(program: str, *words: str) -> str:
    """A command that can be pasted into a terminal in the current folder.

    Args:
        program: one that is in the environment of this Python; with its path, if the shell would find another or none.
        words: what follows. Paths under the current folder are shortened.
    """
    path = Path(sys.executable).with_name(program)
    on_path = shutil.which(program)
    if on_path and Path(on_path).parent == path.parent:
        path = Path(program)
    words = [os.path.relpath(word) if Path(word).is_relative_to(Path.cwd()) else word for word in (str(path), *words)]
    return " ".join(f'"{word}"' if re.search(r"[^\w./:\\=-]", word) else word for word in words)
