"""Runs lessons as a person runs them: in a process of their own, from another folder."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

# As begin_lesson does: else PyTorch's threads wait without sleeping, and slow down all other tests.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# `pytest -n 2` runs two programs side by side. With a thread each they do not wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A job in the background ignores Ctrl-C, and so would the lessons that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "lessons").glob("[01]*.py"))
QUICK_LOOK = ["--epochs", "3", "--limit", "2000"]    # as lesson 12's docstring has it
DECODE = "from shared.datasets import cifar10; cifar10(train=True), cifar10(train=False)"
REAL_DATA = Path(os.environ.get("LESSONS_REAL_DATA", ROOT / "data"))


@dataclass
class Result:
    """What a lesson printed and left behind. `run` is the folder of its TensorBoard files, if any."""

    status: int
    stdout: str
    stderr: str
    run: Path | None


def find_lesson(number: int) -> Path:
    return next(lesson for lesson in LESSONS if lesson.name.startswith(f"{number:02}_"))


def environment(home: Path) -> dict[str, str]:
    """For a process that keeps off the network, with its data, logs and models in `home`."""
    return os.environ | {"LESSONS_HOME": str(home), "LESSONS_OFFLINE": "1",
                         "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}


def run_lesson(number: int, *arguments: str, home: Path, cwd: Path, **variables: str) -> Result:
    """Runs a lesson without the network, with its data, logs and models in `home`."""
    lesson = find_lesson(number)
    runs = home / "logs" / lesson.stem
    before = set(runs.glob("*"))
    process = subprocess.run(
        [sys.executable, str(lesson), *arguments], cwd=cwd, env=environment(home) | variables,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
        timeout=1200, check=False)
    new = sorted(set(runs.glob("*")) - before)
    return Result(process.returncode, process.stdout, process.stderr, new[-1] if new else None)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id) -> Path:
    """A folder for what takes long to make. The processes of `pytest -n 2` share it.

    The space and the Chinese letters in its name find code that is careless with paths.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "made once 课程"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def home(made_once, tmp_path_factory) -> Path:
    """A LESSONS_HOME for the tests of this process. The stand-in is drawn once for all of them."""
    home = tmp_path_factory.mktemp("the home 课程")
    (home / "data").symlink_to(made_once / "data")
    return home


@pytest.fixture(scope="session")
def real_home(made_once, tmp_path_factory) -> Path:
    """A LESSONS_HOME with real pictures in it, where there are any. They are decoded once."""
    if not any((REAL_DATA / name).is_dir() for name in ("cifar10", "cifar-10-batches-py")):
        pytest.skip(f"no real pictures in {REAL_DATA} (LESSONS_REAL_DATA names another folder)")
    home = tmp_path_factory.mktemp("real")
    (home / "data").symlink_to(REAL_DATA.resolve())
    if (REAL_DATA / "cifar10").is_dir():
        with FileLock(made_once / "real pictures.lock"):    # else each process decodes all 60,000
            subprocess.run([sys.executable, "-c", DECODE], env=environment(home), check=True,
                           stdout=subprocess.DEVNULL)
    return home


@pytest.fixture(scope="session")
def lesson_results(made_once, tmp_path_factory):
    """`lesson_results(7)` runs lesson 7 when a test first asks for it; lesson 12 with QUICK_LOOK.

    All tests that look at it share this one run.
    """
    def result(number: int) -> Result:
        file = made_once / f"lesson {number}.json"
        with FileLock(f"{file}.lock"):
            if not file.exists():
                elsewhere = tmp_path_factory.mktemp("elsewhere")
                flags = QUICK_LOOK if number == 12 else []
                ran = run_lesson(number, *flags, home=made_once, cwd=elsewhere)
                file.write_text(json.dumps(vars(ran), default=str), encoding="utf-8")
        ran = Result(**json.loads(file.read_text(encoding="utf-8")))
        ran.run = ran.run and Path(ran.run)
        return ran

    return result


@pytest.fixture(scope="session")
def trainer_run(made_once) -> Path:
    """The folder of the TensorBoard files of one short run of `python -m shared.training`."""
    runs = made_once / "logs" / "training"
    with FileLock(f"{made_once / 'training'}.lock"):
        if not runs.is_dir():
            subprocess.run(
                [sys.executable, "-m", "shared.training", "--epochs", "2", "--limit", "320"],
                env=environment(made_once), stdout=subprocess.DEVNULL, check=True)
    (run,) = runs.iterdir()
    return run


@pytest.fixture(scope="session")
def board_home(lesson_results, trainer_run, tmp_path_factory) -> Path:
    """A LESSONS_HOME with one run of each lesson and of the trainer, and nothing else."""
    home = tmp_path_factory.mktemp("a board 课程")
    runs = [lesson_results(number).run for number in range(2, 13)]
    for run in filter(None, [*runs, trainer_run]):
        (home / "logs" / run.parent.name).mkdir(parents=True)
        (home / "logs" / run.parent.name / run.name).symlink_to(run)
    return home
