"""How a lesson ends when something goes wrong.

An error that a person can cause is told in one or two lines on stderr, with exit status 2. Ctrl-C
says what was kept, with status 130, and so does SIGTERM (`kill`), with status 143. Any other error
keeps its traceback, because it is a bug, or a change that you just made.
"""

import argparse
import errno
import io
import os
import signal
import sys
import threading
from pathlib import Path
from traceback import extract_tb

from shared.language import translated

# What stays on disk when the program is stopped: `paths.new_run` and the trainer add to it.
kept: list[str] = []


class LessonError(Exception):
    """An error that a person can cause. Its message says what is wrong and what to do."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, from `kill` or from a computer that shuts down. It is treated as Ctrl-C is."""


def begin_lesson() -> None:
    """Prepares this program. A lesson calls it first, before it imports torch.

    - In a terminal it prints the lesson's title, because importing torch takes a few seconds.
    - The program ends as the first lines of this file say.
    - Each printed line appears at once, also where the output goes to a file. A character that the
      terminal cannot show is printed as an escape (`\\u5f20`).
    - PyTorch's threads sleep while they wait. On Linux they would otherwise keep a core busy
      (GOMP_SPINCOUNT, of GCC's libgomp), and beside another busy program training would take up to
      ten times as long. A value that you have set stays.

    Importing `shared` alone does nothing of this.
    """
    sys.excepthook = _end_of_lesson
    threading.excepthook = _end_of_thread
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):    # in a notebook it is something else
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    title = (sys.modules["__main__"].__doc__ or "").partition("\n")[0]
    if sys.stdout.isatty() and title:
        print(f"{title}\n{translated('(loading PyTorch takes a few seconds)')}")
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")    # rounds of waiting, before sleeping


def positive(text: str) -> int:
    """A type for argparse: a whole number from 1 to 999,999,999. Else ArgumentTypeError."""
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999999999")
    return int(text)


def disk_is_full(error: BaseException) -> bool:
    """Whether an error says that there is no room on the disk, or no more for this user."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _end_of_lesson(kind, error, traceback):
    if issubclass(kind, KeyboardInterrupt):    # of torchrun's processes, number 0 speaks for all
        if os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK", "0") == "0":
            what = ", ".join(kept) or "nothing, nothing was written yet"
            print("\n" + translated(f"Stopped. Kept: {what}"), file=sys.stderr)
        raise SystemExit(143 if issubclass(kind, Terminated) else 130)
    if issubclass(kind, LessonError):
        # A DataLoader's worker process puts its own traceback in front of the message.
        _end(str(error).rpartition("LessonError: ")[2].strip())
    if disk_is_full(error):
        _end(f"{error}\nMake room on the disk, or set LESSONS_HOME to a folder on another.")
    if _folder_is_gone(error):
        _end(f"cannot write to {os.fsdecode(error.filename)} ({error.strerror}).\n"
             "If its folder was moved or deleted, bring it back, or start again.")
    if _out_of_memory(error):
        frame = [each for each in extract_tb(traceback) if "site-packages" not in each.filename][-1]
        line = f"{Path(frame.filename).name}, line {frame.lineno}: {frame.line}"
        _end(f"there is too little memory for {line}\n"
             "Make the batches smaller, or the layer, and start again.")
    if isinstance(error, BrokenPipeError):    # of `python lesson.py | head`, head has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())    # Python's last flush
        raise SystemExit(141)    # what a shell reports of other programs in this case
    sys.__excepthook__(kind, error, traceback)


def _end(problem: str):
    print(translated(f"Error: {problem}"), file=sys.stderr)
    raise SystemExit(2)


def _end_of_thread(args):
    # TensorBoard writes in a thread. If it cannot, the main program will say so.
    if not disk_is_full(args.exc_value) and not _folder_is_gone(args.exc_value):
        threading.__excepthook__(args)


def _folder_is_gone(error: BaseException) -> bool:
    # Only what is being written: a wrong path in a program that reads keeps its traceback.
    name = os.fsdecode(getattr(error, "filename", None) or "")
    return isinstance(error, OSError) and (name.endswith(".part") or ".tfevents." in name)


def _out_of_memory(error: BaseException) -> bool:
    # PyTorch's own error is a RuntimeError of any device, known by its text.
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(
        words in str(error) for words in ("out of memory", "DefaultCPUAllocator")))


def _terminate(*_):
    raise Terminated
