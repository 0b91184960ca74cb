"""Measures seconds and memory of every lesson, and how fast the trainer is.

    make bench                        all twelve lessons, the speed of the trainer, and lesson 12
                                      beside two busy programs
    make bench ARGS="7 12"            these two; with 12, the speed and the busy programs as well
    make bench ARGS="--runs 5 7"      of five runs of lesson 7: median seconds, largest memory
    make bench ARGS="--speed"         only the speed of the trainer: the median of five rounds
    make bench ARGS="--busy"          only lesson 12 beside two busy programs
    make bench ARGS="--plateau"       only how soon the fast recipe is as good as the tutorial's loop
                                      after 36 of 40 epochs (needs CIFAR-10, and hours)

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

from shared.datasets import Pictures, cifar10
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import DATA
from shared.training.__main__ import train_epoch
from shared.training.loader import (
    CIFAR10_MEAN_STD,
    Augmentation,
    Batches,
    PictureByPicture,
    has_bfloat16,
)
from shared.training.processes import keep_freed_memory
from shared.training.recipes import RECIPES, make_optimizer, make_scheduler

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "lessons").glob("[01]*.py"))
DRAW = """
from shared.paths import DATA
from shared.sources import drawn
drawn.cifar10(DATA / "drawn" / "cifar10")
drawn.ants_and_bees(DATA / "drawn" / "hymenoptera_data")
"""
FAST = RECIPES["fast"]
MFLOP = 233    # for a whole picture in training: forwards, and twice as much backwards
SIZE = 2048    # of the matrices to compare with
PLATEAU = 36    # the tutorial's last change of its learning rate is after epoch 32
ROUNDS = 5     # all measurements in turn, so that what else the machine does slows all of them
READS = 5      # of all batches: one of them alone would take too little time


def measure(command: list[str], home: Path) -> tuple[float, float]:
    """Runs a command with its data, logs and models in `home`.

    Returns its seconds, and the memory of its largest process in GB. (On Linux never less than that
    of this program, because a process begins as a copy of the one that starts it.)
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


def show_speed() -> None:
    """Prints how many pictures a second the fast recipe trains on, beside what it is compared with:
    the tutorial's recipe, small pictures, the rate of a matrix product, and a DataLoader.
    """
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    keep_freed_memory()    # as the trainer does
    measurements = {
        "tutorial": lambda: training_rate("tutorial", device),
        "whole": lambda: training_rate("fast", device),
        "small": lambda: training_rate("fast", device, small_epochs=2),
        "product": lambda: product_rate(device),
        "loader": lambda: reading_rate("tutorial", device),
        "batches": lambda: reading_rate("fast", device),
    }
    rounds = [{name: rate() for name, rate in measurements.items()} for _ in range(ROUNDS)]
    rates = {name: statistics.median(each[name] for each in rounds) for name in measurements}
    tutorial, whole, small, product, loader, batches = rates.values()
    print(f"""
training on {device}, pictures per second, medians of {ROUNDS}
    the tutorial's recipe      {tutorial:10,.0f}
    the fast recipe            {whole:10,.0f}   {whole / tutorial:.1f} times as many
      with small pictures      {small:10,.0f}   {small / whole:.1f} times as many as whole ones
    a {SIZE} x {SIZE} matrix product computes {product / 1e9:,.0f} GFLOP/s; training reaches {
        whole * MFLOP * 1e6 / product:.0%} of that rate
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
    if cifar10(train=True).drawn:
        sys.exit("make bench: on drawings there is no such plateau. This needs CIFAR-10: make data")
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


def training_rate(name: str, device: torch.device, small_epochs: int = 0) -> float:
    """Pictures per second in the second of two epochs of a recipe. The first one warms up."""
    loader = random_pictures(name, device, small_epochs)
    recipe = RECIPES[name]
    network = CIFAR10NetSimpleV3(10, recipe["dropout"]).to(device)
    optimizer = make_optimizer(network, recipe)
    scheduler = make_scheduler(optimizer, recipe, len(loader))
    autocast = torch.autocast(device.type, torch.bfloat16,
                              enabled=recipe["whole_batches"] and has_bfloat16(device))
    took = seconds(lambda: train_epoch(network, loader, optimizer, scheduler, autocast))
    return len(loader) * recipe["batch_size"] / took


def reading_rate(name: str, device: torch.device) -> float:
    """Pictures per second that the loader of a recipe makes into batches."""
    loader = random_pictures(name, device)

    def read() -> None:    # A list of all batches would need much memory, and time to get it.
        for _ in range(READS):
            for _ in loader:
                pass

    return READS * len(loader) * RECIPES[name]["batch_size"] / seconds(read)


def random_pictures(name: str, device: torch.device, small_epochs: int = 0) -> Iterable:
    """Batches of random pictures, augmented as a recipe says, as many as take about a second."""
    recipe = RECIPES[name]
    count = 10_240 if recipe["whole_batches"] else 2_560    # 40 and 80 whole batches
    pixels = torch.randint(256, (count, 32, 32, 3), dtype=torch.uint8).numpy()
    pictures = Pictures(pixels, [0] * count, ["any"], "random")
    augmentation = Augmentation(recipe["crop_padding"], seed=1, small_epochs=small_epochs)
    if recipe["whole_batches"]:
        return Batches(pictures, recipe["batch_size"], device, CIFAR10_MEAN_STD, augmentation)
    return PictureByPicture(pictures, recipe["batch_size"], augmentation, workers=0)


def product_rate(device: torch.device) -> float:
    """Floating-point operations per second of a matrix product, in bfloat16 where the fast recipe
    uses it.
    """
    dtype = torch.bfloat16 if has_bfloat16(device) else torch.float32
    matrix = torch.randn(SIZE, SIZE, device=device, dtype=dtype)
    result = torch.empty_like(matrix)    # else each product would wait for new memory

    def multiply() -> None:
        for _ in range(10):
            torch.mm(matrix, matrix, out=result)

    return 10 * 2 * SIZE**3 / seconds(multiply)


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
        everything = not args.speed and not args.busy
        if not args.speed:
            drawing, _ = measure([sys.executable, "-c", DRAW], home)
            print(f"{'the stand-in is drawn':28} {drawing:6.1f} s")
        if everything:
            total = sum(show_lesson(lesson, home, args.runs) for lesson in LESSONS
                        if int(lesson.name[:2]) in args.lessons)
            print(f"{'together':28} {total:6.1f} s")
        if args.speed or (everything and 12 in args.lessons):
            show_speed()
        if args.busy or (everything and 12 in args.lessons):
            show_busy(home)


if __name__ == "__main__":
    main()
