"""Lessons are run as a person runs them: by a process of their own, from another folder."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# A job in the background is started with Ctrl-C ignored, and hands that on to all that it starts.
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
    """For a process that keeps off the network and has its data, logs and models in `home`."""
    return os.environ | {"LESSONS_HOME": str(home), "LESSONS_OFFLINE": "1", "PYTHONIOENCODING": "utf-8",
                         "PYTHONPATH": str(ROOT)}


def run_lesson(number: int, *arguments: str, home: Path, cwd: Path, **variables: str) -> Result:
    """Runs a lesson without the network, with its data, logs and models in `home`."""
    lesson = find_lesson(number)
    runs = home / "logs" / lesson.stem
    before = set(runs.glob("*"))
    process = subprocess.run(
        [sys.executable, str(lesson), *arguments], cwd=cwd, capture_output=True, text=True, encoding="utf-8",
        stdin=subprocess.DEVNULL, timeout=1200, check=False,
        env=environment(home) | variables)
    new = sorted(set(runs.glob("*")) - before)
    return Result(process.returncode, process.stdout, process.stderr, new[-1] if new else None)


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """One LESSONS_HOME for the session, so that the stand-in is drawn once. Its name is a trap for careless paths."""
    return tmp_path_factory.mktemp("the home 课程")


@pytest.fixture(scope="session")
def real_home(tmp_path_factory) -> Path:
    """A LESSONS_HOME with real pictures in it, where there are any."""
    if not (REAL_DATA / "cifar10").is_dir() and not (REAL_DATA / "cifar-10-batches-py").is_dir():
        pytest.skip(f"no real pictures in {REAL_DATA} (LESSONS_REAL_DATA names another folder)")
    home = tmp_path_factory.mktemp("real")
    (home / "data").symlink_to(REAL_DATA.resolve())
    return home


@pytest.fixture(scope="session")
def lesson_results(home, tmp_path_factory):
    """Runs each lesson once, with its defaults, when a test first asks for it: `lesson_results(7)`."""
    results = {}

    def result(number: int) -> Result:
        if number not in results:
            results[number] = run_lesson(number, home=home, cwd=tmp_path_factory.mktemp("elsewhere"))
        return results[number]

    return result


@pytest.fixture(scope="session")
def board_home(lesson_results, tmp_path_factory) -> Path:
    """A LESSONS_HOME with one run of each lesson and nothing of what other tests wrote."""
    home = tmp_path_factory.mktemp("a board 课程")
    for number in range(2, 13):
        run = lesson_results(number).run
        if run is not None:
            (home / "logs" / run.parent.name).mkdir(parents=True)
            (home / "logs" / run.parent.name / run.name).symlink_to(run)
    return home
