"""Measures seconds and memory of every lesson, and how fast the trainer is.

    make bench                        all twelve lessons, and the speed of the trainer
    make bench ARGS="7 12"            these two, and the speed, because 12 is among them
    make bench ARGS="--runs 5 7"      the median of five runs of lesson 7
    make bench ARGS="--speed"         only the speed of the trainer: the median of five rounds
    make bench ARGS="--busy"          only lesson 12 beside two busy programs
    make bench ARGS="--plateau"       only how soon the fast recipe is as good as the tutorial's loop
                                      after 36 of 40 epochs (on your data/; CIFAR-10 takes hours)

Each lesson runs as a process of its own, without a network, on the drawn stand-in.

The goals, on two cores: the stand-in is drawn within 10 s. Lessons 1 to 9 take at most twice as
long as their imports. No lesson but 12 takes over 30 s. No lesson but 11, which holds VGG16, takes
over 1.5 GB. The fast recipe, which lesson 12 uses, trains on 2.2 times as many pictures a second as
the tutorial's loop, and reaches 70 % of the rate of a matrix product. Its batches come ten times as
fast as those of a DataLoader. With two busy programs beside it, lesson 12 takes at most 2.5 times as
long as alone. The fast recipe is as good as the tutorial's loop 12 times as soon, and 20 times
with AVX-512 BF16.

Not all are reached: lessons/README.md has what was measured, and where.
"""
# ruff: noqa: E402

from shared.errors import begin_lesson

begin_lesson()    # before torch is imported, as lessons and the trainer do

import argparse
import ast
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
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from shared.datasets import Pictures
from shared.paths import DATA
from shared.training.loader import (
    CIFAR10_MEAN_STD,
    Augmentation,
    Batches,
    PictureByPicture,
    has_bfloat16,
)
from shared.training.recipes import RECIPES

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "lessons").glob("[01]*.py"))
DRAW = """
from shared.paths import DATA
from shared.sources import drawn
drawn.cifar10(DATA / "drawn" / "cifar10")
drawn.ants_and_bees(DATA / "drawn" / "hymenoptera_data")
"""
FAST = RECIPES["fast"]
AUGMENTATION = Augmentation(FAST["crop_padding"], seed=1)
MFLOP = 233    # for a whole picture in training: forwards, and twice as much backwards
SIZE = 2048    # of the matrices to compare with
PLATEAU = 36    # the tutorial's last change of its learning rate is after epoch 32
ROUNDS = 5     # all measurements in turn, so that what else the machine does slows all of them


def measure(command: list[str], home: Path) -> tuple[float, float]:
    """Runs a command with its data, logs and models in `home`.

    Returns its seconds, and the largest memory of its process in GB (without its workers').
    """
    environment = os.environ | {"LESSONS_HOME": str(home), "LESSONS_OFFLINE": "1"}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    unit = 1 if sys.platform == "darwin" else 1024    # of ru_maxrss, in bytes
    return time.perf_counter() - started, usage.ru_maxrss * unit / 1e9


def imports(lesson: Path) -> str:
    """The import statements of a lesson, as a script."""
    tree = ast.parse(lesson.read_text(encoding="utf-8"))
    kinds = ast.Import | ast.ImportFrom
    return "\n".join(ast.unparse(line) for line in tree.body if isinstance(line, kinds))


def show_lesson(lesson: Path, home: Path, runs: int) -> float:
    """Prints the seconds and the memory of a lesson, and returns the seconds."""
    times, sizes = zip(*(measure([sys.executable, str(lesson)], home) for _ in range(runs)),
                       strict=True)
    of_imports = statistics.median(
        measure([sys.executable, "-c", imports(lesson)], home)[0] for _ in range(runs))
    seconds = statistics.median(times)
    print(f"{lesson.stem:28} {seconds:6.1f} s {max(sizes):6.2f} GB, its imports "
          f"{of_imports:4.1f} s: {seconds / of_imports:.1f} times")
    return seconds


def show_speed(home: Path) -> None:
    """Prints how many pictures a second the fast recipe trains on, beside what it is compared with:
    the tutorial's recipe, the rate of a matrix product, and a DataLoader.
    """
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    tutorial, fast, product, loader, batches = ([] for _ in range(5))
    for _ in range(ROUNDS):
        tutorial.append(training_rate(home, "tutorial", "--limit", "2500"))
        fast.append(training_rate(home, "fast"))
        product.append(matrix_rate(device))
        loader.append(loader_rate())
        batches.append(batches_rate(device))
    tutorial, fast, product, loader, batches = map(
        statistics.median, (tutorial, fast, product, loader, batches))
    print(f"""
the trainer on {device}, pictures per second, medians of {ROUNDS}
    the tutorial's recipe      {tutorial:10,.0f}
    the fast recipe            {fast:10,.0f}   {fast / tutorial:.1f} times as many
    a {SIZE} x {SIZE} matrix product computes {product / 1e9:,.0f} GFLOP/s; training reaches {
        fast * MFLOP * 1e6 / product:.0%} of that rate
    DataLoader with Pillow     {loader:10,.0f}
    Batches                    {batches:10,.0f}   {batches / loader:.0f} times as many""")


def show_busy(home: Path) -> None:
    """Prints how much longer lesson 12 takes beside two programs that keep a core busy each."""
    def lesson() -> float:
        return measure([sys.executable, str(LESSONS[11]), "--epochs", "2", "--limit", "1600"], home)[0]

    alone, beside = [], []
    for _ in range(3):
        alone.append(lesson())
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
        beside.append(lesson())
        for other in others:
            other.kill()
            other.wait()
    alone, beside = statistics.median(alone), statistics.median(beside)
    print(f"{'lesson 12, two short epochs':28} {alone:6.1f} s, beside two busy programs "
          f"{beside:.1f} s: {beside / alone:.1f} times")


def show_plateau(home: Path, epochs: int) -> None:
    """Prints how much sooner the fast recipe is as good as the tutorial's loop at its plateau."""
    (home / "data").symlink_to(DATA, target_is_directory=True)
    tutorial = progress(home, "tutorial", epochs)
    for epoch in sorted({min(PLATEAU, epochs), epochs}):
        seconds, accuracy = tutorial[epoch - 1]
        print(f"the tutorial's loop after {epoch} epochs: {accuracy:.1%} in {seconds:.0f} s",
              flush=True)
    seconds, accuracy = tutorial[min(PLATEAU, epochs) - 1]
    for short in range(2, FAST["epochs"] + 1):
        sooner, reached = progress(home, "fast", short)[-1]
        print(f"the fast recipe with --epochs {short}: {reached:.1%} in {sooner:.0f} s", flush=True)
        if reached >= accuracy:
            print(f"as good, {seconds / sooner:.1f} times as soon")
            return
    print("never as good")


def progress(home: Path, recipe: str, epochs: int) -> list[tuple[float, float]]:
    """After each epoch of a run: the seconds since its start, and the test accuracy."""
    started = time.time()
    measure([sys.executable, "-m", "shared.training", "--recipe", recipe, "--epochs", str(epochs)],
            home)
    run = max((home / "logs" / "training").iterdir())
    curve = EventAccumulator(str(run / "testing")).Reload().Scalars("12 curves/accuracy")
    return [(point.wall_time - started, point.value) for point in curve]


def training_rate(home: Path, recipe: str, *flags: str) -> float:
    """Pictures per second in the last of two epochs, as the trainer reports it. It has whole
    pictures, in the fast recipe as well.
    """
    measure([sys.executable, "-m", "shared.training", "--recipe", recipe, "--epochs", "2", *flags],
            home)
    reports = (home / "models" / "training").glob("*/report.json")
    newest = max(reports, key=lambda path: path.stat().st_mtime)
    return json.loads(newest.read_text(encoding="utf-8"))["pictures_per_second"]


def matrix_rate(device: torch.device) -> float:
    """Floating-point operations per second, in bfloat16 where the fast recipe uses it."""
    dtype = torch.bfloat16 if has_bfloat16(device) else torch.float32
    matrix = torch.randn(SIZE, SIZE, device=device, dtype=dtype)
    return 10 * 2 * SIZE**3 / seconds(lambda: [matrix @ matrix for _ in range(10)])


def random_pictures(count: int) -> Pictures:
    pixels = torch.randint(256, (count, 32, 32, 3), dtype=torch.uint8).numpy()
    return Pictures(pixels, [0] * count, ["any"], "random")


def loader_rate() -> float:
    """Pictures per second of a DataLoader that opens, crops and mirrors with Pillow."""
    loader = PictureByPicture(random_pictures(2_500), FAST["batch_size"], AUGMENTATION, workers=0)
    return 2_500 / seconds(lambda: read(loader))


def batches_rate(device: torch.device) -> float:
    """Pictures per second of the fast recipe's batches."""
    batches = Batches(random_pictures(10_000), FAST["batch_size"], device, CIFAR10_MEAN_STD,
                      AUGMENTATION)
    return len(batches) * FAST["batch_size"] / seconds(lambda: read(batches))


def read(loader: Iterable) -> None:
    """Takes one batch after the other, as training does. (A list of all would need much memory,
    and to get it from the system takes time, too.)
    """
    for _ in loader:
        pass


def seconds(run: Callable[[], object]) -> float:
    """How long the second call takes. The first one warms up."""
    run()
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    started = time.perf_counter()
    run()
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("lessons", nargs="*", type=int, default=range(1, 13))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--speed", action="store_true", help="only the speed of the trainer")
    parser.add_argument("--busy", action="store_true", help="only lesson 12 beside busy programs")
    parser.add_argument("--plateau", nargs="?", type=int, const=40, metavar="EPOCHS",
                        help="only how soon the fast recipe is as good as the tutorial's loop")
    args = parser.parse_args()

    print(f"torch {torch.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if args.plateau:
            show_plateau(home, args.plateau)
            return
        drawing, _ = measure([sys.executable, "-c", DRAW], home)
        print(f"{'the stand-in is drawn':28} {drawing:6.1f} s")
        if not args.speed and not args.busy:
            total = sum(show_lesson(lesson, home, args.runs) for lesson in LESSONS
                        if int(lesson.name[:2]) in args.lessons)
            print(f"{'together':28} {total:6.1f} s")
        if args.speed or (12 in args.lessons and not args.busy):
            show_speed(home)
        if args.busy or (12 in args.lessons and not args.speed):
            show_busy(home)


if __name__ == "__main__":
    main()
