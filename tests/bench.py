"""Seconds and peak memory of every lesson, and how fast lesson 12 trains, offline and on the drawn stand-in.

    make bench                          all twelve, each as a process of its own, and the speed of lesson 12
    make bench ARGS="7 12"              these
    make bench ARGS="--runs 5 7"        the median of five runs
    make bench ARGS="--speed"           the speed of lesson 12 only, medians of five

The goals, on two cores: the stand-in drawn within 10 s, lessons 1 to 9 within 12 s each, all twelve within 300 s, and
none but lesson 11, which holds VGG16, over 1.5 GB. Of lesson 12: 2.2 times as many pictures a second as in the
tutorial's loop, 70 % of the rate of a matrix product, and a loader ten times as fast as DataLoader.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from conftest import LESSONS, environment, find_lesson

from shared.datasets import Pictures
from shared.loader import Batches, PictureByPicture, has_bfloat16


def measure(command: list[str], home: Path) -> tuple[float, float]:
    """The seconds that a command takes, and the largest memory of its process in GB (not its workers')."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    unit = 1 if sys.platform == "darwin" else 1024    # of ru_maxrss, in bytes
    return time.perf_counter() - started, usage.ru_maxrss * unit / 1e9


MFLOP = 233     # of a picture in training: forward, and twice as much backward
SIZE = 2048     # of the matrices to compare with
ROUNDS = 5      # one after the other, so that what else the machine does slows all of them


def show_speed(home: Path) -> None:
    """Prints the pictures per second of lesson 12 beside the tutorial's, a matrix product's and DataLoader's."""
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    figures = {name: [] for name in ("tutorial", "lesson", "product", "DataLoader", "Batches")}
    for _ in range(ROUNDS):
        for name, flags in (("tutorial", ["--recipe", "document", "--limit", "2500"]), ("lesson", [])):
            measure([sys.executable, str(find_lesson(12)), "--epochs", "2", *flags], home)
            report = max((home / "models" / find_lesson(12).stem).glob("*/report.json"), key=os.path.getmtime)
            figures[name].append(json.loads(report.read_text(encoding="utf-8"))["images_per_second"])
        figures["product"].append(matrix_rate(device))
        for name, rate in zip(("DataLoader", "Batches"), loader_rates(device), strict=True):
            figures[name].append(rate)
    tutorial, lesson, product, loader, batches = (statistics.median(rates) for rates in figures.values())
    print(f"""
lesson 12 on {device}, pictures per second, medians of {ROUNDS}
    the tutorial's loop        {tutorial:10,.0f}
    the fast recipe            {lesson:10,.0f}   {lesson / tutorial:.1f} times as many
    a {SIZE} x {SIZE} matrix product computes {product / 1e9:,.0f} GFLOP/s; training reaches {
        lesson * MFLOP * 1e6 / product:.0%} of that rate
    DataLoader with Pillow     {loader:10,.0f}
    Batches                    {batches:10,.0f}   {batches / loader:.0f} times as many""")


def matrix_rate(device: torch.device) -> float:
    """Floating-point operations per second, in bfloat16 where lesson 12 uses it."""
    matrix = torch.randn(SIZE, SIZE, device=device, dtype=torch.bfloat16 if has_bfloat16(device) else torch.float32)
    return 10 * 2 * SIZE**3 / seconds(lambda: [matrix @ matrix for _ in range(10)])


def loader_rates(device: torch.device) -> tuple[float, float]:
    """Pictures per second of DataLoader with Pillow's transforms, and of whole batches."""
    data = Pictures(torch.randint(256, (10_000, 32, 32, 3)).byte().numpy(), [0] * 10_000, ["any"], "random")
    slow = PictureByPicture(data, 2_500, 256, padding=2, seed=0, rank=0, world_size=1, workers=0)
    fast = Batches(data, 10_000, 256, device, (0.5,) * 3, (0.25,) * 3, train=True, padding=2)
    return 2_500 / seconds(lambda: read(slow)), len(fast) * 256 / seconds(lambda: read(fast))


def read(loader: Iterable) -> None:
    """Takes one batch after the other, as training does; a list of all would measure how new memory is had."""
    for _ in loader:
        pass


def seconds(run: Callable[[], object]) -> float:
    """The second time; the first one warms up."""
    run()
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    started = time.perf_counter()
    run()
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("lessons", nargs="*", type=int, default=range(1, 13))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--speed", action="store_true", help="the speed of lesson 12 only")
    args = parser.parse_args()

    print(f"torch {torch.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        draw = ("from shared import drawn, paths; drawn.cifar10(paths.DATA / 'drawn' / 'cifar10');"
                "drawn.ants_and_bees(paths.DATA / 'drawn' / 'hymenoptera_data')")
        drawn, _ = measure([sys.executable, "-c", draw], home)
        print(f"{'the stand-in is drawn':28} {drawn:6.1f} s")
        total = 0.0
        for lesson in LESSONS:
            if int(lesson.name[:2]) in args.lessons and not args.speed:
                runs = [measure([sys.executable, str(lesson)], home) for _ in range(args.runs)]
                times, sizes = zip(*runs, strict=True)
                print(f"{lesson.stem:28} {statistics.median(times):6.1f} s {max(sizes):6.2f} GB")
                total += statistics.median(times)
        if not args.speed:
            print(f"{'together':28} {total:6.1f} s")
        if args.speed or 12 in args.lessons:
            show_speed(home)


if __name__ == "__main__":
    main()
