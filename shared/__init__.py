"""What several lessons need: networks, data sets, and where things are kept.

Importing anything from here also decides how a lesson ends when something goes wrong. An error that a person can
cause is told in one or two lines on stderr, with exit status 2; Ctrl-C says what was kept, with status 130, and so does
SIGTERM (`kill`), with status 143. Any other error keeps its traceback, because it is a bug or a change that you just
made.
"""

import argparse
import errno
import os
import signal
import sys
import threading

# What stays on disk when the lesson is stopped: `paths.new_run` and lesson 12 add to it.
kept: list[str] = []


class LessonError(Exception):
    """An error that a person can cause: the message says what is wrong and what to do, in one or two lines."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, from `kill` or a computer that is shut down: to be treated as Ctrl-C is."""


def positive(text: str) -> int:
    """A type for argparse: a whole number from 1 to 999,999,999."""
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999999999")
    return int(text)


def _end_of_lesson(kind, error, traceback):
    if issubclass(kind, KeyboardInterrupt):
        if os.environ.get("RANK", "0") == "0":    # of the processes that torchrun starts, the first speaks for all
            print(f"\nStopped. Kept: {', '.join(kept) or 'nothing, nothing was written yet'}", file=sys.stderr)
        raise SystemExit(143 if issubclass(kind, Terminated) else 130)
    if issubclass(kind, LessonError):
        # A DataLoader's worker process puts its own traceback before the message.
        print(f"Error: {str(error).rpartition('LessonError: ')[2].strip()}", file=sys.stderr)
        raise SystemExit(2)
    if _disk_is_full(error):
        print(f"Error: {error}\nMake room on the disk, or set LESSONS_HOME to a folder on another.", file=sys.stderr)
        raise SystemExit(2)
    sys.__excepthook__(kind, error, traceback)


def _end_of_thread(args):
    if not _disk_is_full(args.exc_value):    # of which the lesson itself will speak
        threading.__excepthook__(args)


def _disk_is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _terminate(*_):
    raise Terminated


sys.excepthook = _end_of_lesson
threading.excepthook = _end_of_thread
signal.signal(signal.SIGTERM, _terminate)
