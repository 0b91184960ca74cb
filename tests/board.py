"""A TensorBoard for tests, started as `make tensorboard` starts it."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError

from conftest import ROOT, environment

TOOL = ROOT / "tests" / "tools" / "board.py"


@contextlib.contextmanager
def serve(home: Path, *arguments: str) -> Iterator[str]:
    """Shows the logs in `home` while the block runs, and gives it the address."""
    process = subprocess.Popen([sys.executable, TOOL, *arguments], env=environment(home),
                               stderr=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        said = ""
        while not (address := re.search(r"http://localhost:\d+/", said)):
            line = process.stderr.readline()
            assert line, f"TensorBoard ended: {said}"
            said += line
        yield address[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def eventually(expected, read: Callable, seconds: float = 20):
    """Calls `read` until it gives what is expected, and returns what it gave last.

    TensorBoard answers with an error (500) if it is asked just when it finds new runs.
    """
    end = time.monotonic() + seconds
    found = None
    while time.monotonic() < end:
        try:
            found = read()
        except HTTPError as error:
            found = error
        if found == expected:
            break
        time.sleep(0.05)
    return found
