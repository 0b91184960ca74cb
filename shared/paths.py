"""Where data, TensorBoard runs and trained weights are kept, and the commands that show them."""

import itertools
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.errors import LessonError, kept
from shared.language import translated


def named_folder(text: str, name: str) -> Path:
    """The absolute path of a folder, there or not, that a person has named, as by `~/pictures`.

    `name`: where they did, "LESSONS_HOME" or "--data". Raises LessonError if no folder can have
    this path, or if it is not UTF-8, because then it could not be written to a run's files.
    """
    try:
        folder = Path(text).expanduser().absolute()
        str(folder.resolve()).encode()
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / ("x" * 100)).stat()    # is the path short enough, and no circle of links?
    except (OSError, RuntimeError, ValueError) as error:
        reason = "it is not UTF-8" if isinstance(error, ValueError) else str(error).rstrip(".")
        raise LessonError(f"{text!r} cannot be used as a folder: {reason}.\n"
                          f"Give {name} another one.") from None
    return folder


HOME = named_folder(os.environ.get("LESSONS_HOME") or str(Path(__file__).parents[1]),
                    "LESSONS_HOME").resolve()
DATA = HOME / "data"
LOGS = HOME / "logs"
MODELS = HOME / "models"


def new_run(lesson_file: str, *, drawn: bool = False) -> Path:
    """Makes the folder for the TensorBoard files of one run of a lesson, given its `__file__`.

    Returns `logs/<lesson>/<YYYYmmdd-HHMMSS>[-drawn]`, new and empty; `drawn` says that the pictures
    are the drawn stand-in. TensorBoard would take two runs in one folder for one, so a second run
    in the same second gets a folder `...-2`. Raises LessonError if the folder cannot be written.
    """
    name = time.strftime("%Y%m%d-%H%M%S") + ("-drawn" if drawn else "")
    for attempt in itertools.count(1):
        run = LOGS / Path(lesson_file).stem / (name if attempt == 1 else f"{name}-{attempt}")
        with suppress(FileExistsError):
            _make_folder(run)
            kept.append(str(run))
            return run


def models_folder(run: Path) -> Path:
    """As `new_run`, the folder for what that run trains: `models/<lesson>/<run>`, new or not."""
    folder = MODELS / run.parent.name / run.name
    if not folder.is_dir():
        _make_folder(folder)
    return folder


def _make_folder(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        # `exists` is False for a link that leads nowhere, and then no other name helps.
        if isinstance(error, FileExistsError) and folder.exists():
            raise
        raise LessonError(f"cannot write to {folder.parent} ({error.strerror}).\n"
                          "Make it writable, or set LESSONS_HOME to a folder that is.") from None


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Writes a file or a folder as a whole, or not at all: `with whole(path) as draft: ...`.

    Write to `draft`, which lies beside `path`. At the end its bytes are forced onto the disk, and
    it is renamed to `path`; for the file system that is a single step. So `path` keeps what it held
    through a full disk, Ctrl-C, `kill -9` or a power cut at any moment.

    A file that is there is replaced. A folder that is there, and not empty, stays as it is: another
    process was faster. Raises OSError if the disk is full, or the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")    # each process has its own
    for other in path.parent.glob(f".{path.name}.*.part"):
        # A process that was killed has left it, with this number or a day ago.
        with suppress(FileNotFoundError):
            if other == draft or time.time() - other.stat().st_mtime > 24 * 60 * 60:
                _delete(other)
    try:
        yield draft
        for file in [draft, *draft.rglob("*")]:
            if file.is_file():
                with file.open("r+b") as opened:
                    os.fsync(opened.fileno())
        try:
            draft.replace(path)
        except OSError:
            if draft.is_file() or not any(path.glob("*")):
                raise
    finally:
        _delete(draft)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def print_where_to_look(run: Path, look_at: str) -> None:
    """Prints how to see a run in TensorBoard: the command, the address, and what to look at.

    If it is a lesson's run, it names the lesson's exercises first.
    """
    if (number := run.parent.name[:2]).isdecimal():
        print("\n" + translated(f"Exercises: make exercise N={int(number)}, or python "
                                f"lessons/exercises/{run.parent.name}.py"))
    print("\n" + translated("See it in TensorBoard. In a terminal, in this folder:"))
    print(f"  {tensorboard_command(run)}")
    print(translated("Then open http://localhost:6006 in a browser. (Ctrl-C ends TensorBoard.)"))
    print(f"{translated('Look at:')}\n{look_at.strip()}")


def tensorboard_command(run: Path) -> str:
    """The command that shows one run, as it can be pasted into a terminal in this folder."""
    return command("tensorboard", "--logdir", str(run))


def command(program: str, *words: str) -> str:
    """A command that can be pasted into a terminal in the current folder.

    `program` is one of this Python's environment; its path is written out if the shell would find
    another of that name, or none. In `words`, paths in the current folder are shortened.
    """
    path = Path(sys.executable).with_name(program)
    if Path(shutil.which(program) or "").parent == path.parent:
        path = Path(program)
    words = [os.path.relpath(word) if Path(word).is_relative_to(Path.cwd()) else word
             for word in (str(path), *words)]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
