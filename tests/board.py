"""A TensorBoard for tests, started as `make tensorboard` starts it."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

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
    """Calls `read` until it gives what is expected, and returns what it gave last."""
    end = time.monotonic() + seconds
    while (found := read()) != expected and time.monotonic() < end:
        time.sleep(0.05)
    return found
