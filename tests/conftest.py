"""Runs lessons as a person runs them: in a process of their own, from another folder."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# As begin_lesson does: else PyTorch's threads wait without sleeping, and slow down all other tests.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# A job in the background ignores Ctrl-C, and so would the lessons that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "lessons").glob("[01]*.py"))
REAL_DATA = Path(os.environ.get("LESSONS_REAL_DATA", ROOT / "data"))


@dataclass
class Result:
    """What a lesson printed and left behind. `run` is the folder of its TensorBoard files."""

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
def home(tmp_path_factory) -> Path:
    """One LESSONS_HOME for the session, so that the stand-in is drawn once.

    The space and the Chinese letters in its name find code that is careless with paths.
    """
    return tmp_path_factory.mktemp("the home 课程")


@pytest.fixture(scope="session")
def real_home(tmp_path_factory) -> Path:
    """A LESSONS_HOME with real pictures in it, where there are any."""
    if not any((REAL_DATA / name).is_dir() for name in ("cifar10", "cifar-10-batches-py")):
        pytest.skip(f"no real pictures in {REAL_DATA} (LESSONS_REAL_DATA names another folder)")
    home = tmp_path_factory.mktemp("real")
    (home / "data").symlink_to(REAL_DATA.resolve())
    return home


@pytest.fixture(scope="session")
def lesson_results(home, tmp_path_factory):
    """`lesson_results(7)` runs lesson 7, without flags, when a test first asks for it.

    All tests that look at it share this one run.
    """
    results = {}

    def result(number: int) -> Result:
        if number not in results:
            elsewhere = tmp_path_factory.mktemp("elsewhere")
            results[number] = run_lesson(number, home=home, cwd=elsewhere)
        return results[number]

    return result


@pytest.fixture(scope="session")
def trainer_run(home) -> Path:
    """The folder of the TensorBoard files of one short run of `python -m shared.training`."""
    subprocess.run([sys.executable, "-m", "shared.training", "--epochs", "2", "--limit", "320"],
                   env=environment(home), stdout=subprocess.DEVNULL, check=True)
    return max((home / "logs" / "training").iterdir())


@pytest.fixture(scope="session")
def board_home(lesson_results, trainer_run, tmp_path_factory) -> Path:
    """A LESSONS_HOME with one run of each lesson and of the trainer, and nothing else."""
    home = tmp_path_factory.mktemp("a board 课程")
    runs = [lesson_results(number).run for number in range(2, 13)]
    for run in filter(None, [*runs, trainer_run]):
        (home / "logs" / run.parent.name).mkdir(parents=True)
        (home / "logs" / run.parent.name / run.name).symlink_to(run)
    return home
