"""Seconds and peak memory of every lesson, offline and on the drawn stand-in, each as a process of its own.

    make bench                       all twelve
    make bench ARGS="7 12"           these
    make bench ARGS="--runs 5 7"     the median of five runs

The goals, on two cores: the stand-in drawn within 10 s, lessons 1 to 9 within 12 s each, all twelve within 300 s, and
none but lesson 11, which holds VGG16, over 1.5 GB.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from conftest import LESSONS, environment


def measure(command: list[str], home: Path) -> tuple[float, float]:
    """The seconds that a command takes, and the largest memory of its process in GB (not its workers')."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    unit = 1 if sys.platform == "darwin" else 1024    # of ru_maxrss, in bytes
    return time.perf_counter() - started, usage.ru_maxrss * unit / 1e9


def main():
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("lessons", nargs="*", type=int, default=range(1, 13))
    parser.add_argument("--runs", type=int, default=1)
    args = parser.parse_args()

    print(f"torch {torch.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        draw = ("from shared import drawn, paths; drawn.cifar10(paths.DATA / 'drawn' / 'cifar10');"
                "drawn.ants_and_bees(paths.DATA / 'drawn' / 'hymenoptera_data')")
        seconds, _ = measure([sys.executable, "-c", draw], home)
        print(f"{'the stand-in is drawn':28} {seconds:6.1f} s")
        total = 0.0
        for lesson in LESSONS:
            if int(lesson.name[:2]) in args.lessons:
                runs = [measure([sys.executable, str(lesson)], home) for _ in range(args.runs)]
                times, sizes = zip(*runs, strict=True)
                print(f"{lesson.stem:28} {statistics.median(times):6.1f} s {max(sizes):6.2f} GB")
                total += statistics.median(times)
        print(f"{'together':28} {total:6.1f} s")


if __name__ == "__main__":
    main()
