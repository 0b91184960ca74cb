"""What `make` does, in a copy of the project whose Python only writes down how it is called."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import LESSONS, ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")

VENV_PYTHON = """#!/bin/sh
echo "venv python $*" >> calls
case "$*" in
    *"{fails}"*) exit 1;;
    *"{hangs}"*) exec sleep 60;;    # not beside the shell, which might miss a signal
esac
printf '%s\\n' "$@"
"""
PYTHON = """#!/bin/sh
echo "python $*" >> calls
case "$1" in
    -c) exec "{python}" -c 'import sys; sys.version_info = {version}; exec(sys.argv[1])' "$2";;
    -m) mkdir -p .venv/bin && cp venv-python .venv/bin/python;;
esac
"""


class Project:
    """A copy of the project's Makefile and lessons."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copytree(ROOT / "lessons", folder / "lessons",
                        ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Makefile", "requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
            os.utime(folder / name, (1e9, 1e9))    # long before the installation
        self.stand_ins()
        # These tests may run under `make test`, which has set some variables for its own recipes.
        of_make = ("MFLAGS", "N", "ARGS", "PORT", "PYTHON", "ZH", "LESSONS_LANG")
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("MAKE") and name not in of_make}

    def stand_ins(self, fails="nothing", hangs="nothing", version=(3, 10, 0)):
        in_venv = VENV_PYTHON.format(fails=fails, hangs=hangs)
        outside = PYTHON.format(python=sys.executable, version=version)
        for name, script in (("venv-python", in_venv), ("python", outside)):
            (self.folder / name).write_text(script)
            (self.folder / name).chmod(0o755)
        if (self.folder / ".venv").exists():
            shutil.copy(self.folder / "venv-python", self.folder / ".venv" / "bin" / "python")

    def installed(self):
        (self.folder / ".venv" / "bin").mkdir(parents=True)
        (self.folder / ".venv" / "installed").touch()
        self.stand_ins()
        return self

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            ["make", *arguments, "PYTHON=./python"], cwd=self.folder, encoding="utf-8",
            env=self.environment | {"LC_ALL": "C"}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def make(self, *arguments: str) -> tuple[int, str, list[str]]:
        """The exit status, what was printed, and the lines on stderr but for make's own."""
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=60)
        lines = [line for line in stderr.splitlines() if not line.startswith("make: ***")]
        return process.returncode, stdout, lines

    def calls(self) -> list[str]:
        """How the stand-ins were called since the last time."""
        file = self.folder / "calls"
        calls = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return calls


@pytest.fixture
def project(tmp_path) -> Project:
    folder = tmp_path / "my 课程"
    folder.mkdir()
    return Project(folder)


INSTALL = [
    "python -c import sys; sys.exit(sys.version_info < (3, 10))",
    "python -m venv .venv",
    "venv python -m pip install --quiet --disable-pip-version-check -r requirements.txt",
]


# make lesson


@pytest.mark.parametrize(("number", "lesson"), [
    ("7", "07_conv_pool"), ("07", "07_conv_pool"), ("1", "01_path_helpers"),
    ("10", "10_loss_backward_optim"), ("12", "12_train_gpu")])
def test_make_lesson_runs_the_lesson_of_that_number(project, number, lesson):
    assert project.installed().make("lesson", f"N={number}") == (0, f"lessons/{lesson}.py\n", [])


def test_zh_runs_the_chinese_lesson_and_asks_for_chinese_messages(project):
    (project.installed().folder / ".venv" / "bin" / "python").write_text(
        '#!/bin/sh\necho "$LESSONS_LANG" "$@"\n')
    assert project.make("lesson", "N=7", "ZH=1") == (0, "zh lessons/zh/07_conv_pool.py\n", [])
    assert project.make("exercise", "N=7", "ZH=1") == (0, "zh -m shared.checking 07_conv_pool.py\n", [])
    assert project.make("lesson", "N=7") == (0, " lessons/07_conv_pool.py\n", [])


def test_args_are_passed_on(project):
    _, stdout, _ = project.installed().make("lesson", "N=12", "ARGS=--epochs 3 --resume 'a b'")
    assert stdout.splitlines() == ["lessons/12_train_gpu.py", "--epochs", "3", "--resume", "a b"]


def is_refused(project, target, *arguments):
    """That `make` prints one line and the list of the twelve, and installs and runs nothing."""
    (project.folder / "lessons" / "07_conv_pool.ipynb").touch()    # by `make notebook`; no lesson
    status, stdout, stderr = project.make(target, *arguments)
    assert (status, stdout) == (2, "")
    number = arguments[0].removeprefix("N=") if arguments else ""
    assert stderr[0] == (
        f"make {target}: N must be the number of a lesson, 1 to 12 (N='{number}'):")
    assert [line.strip() for line in stderr[1:]] == [lesson.name for lesson in LESSONS]
    assert project.calls() == []
    assert not (project.folder / "run").exists()


WRONG = ["0", "00", "007", "13", "-1", "x", "1.5", "7 8", "7 7", "*", "?", "[7]", "7%", "%7", "7,8",
         "7)", "07_conv", "../lessons/07"]
TO_BE_RUN = ["`touch run`", "$(touch run)", "$(shell touch run)", "'; touch run; '",
             '"; touch run; "', "7; touch run", "$$(touch run)", "%s%d\\n", "$N"]


@pytest.mark.parametrize("target", ["lesson", "exercise", "notebook", "zh"])
@pytest.mark.parametrize("number", [None, "", *WRONG])
def test_a_number_that_does_not_exist_is_told_with_the_list_of_the_twelve(project, target, number):
    is_refused(project, target, *([] if number is None else [f"N={number}"]))


@pytest.mark.parametrize("target", ["lesson", "tensorboard"])
@pytest.mark.parametrize("number", TO_BE_RUN)
def test_what_is_in_n_is_not_run(project, target, number):
    is_refused(project, target, f"N={number}")


@pytest.mark.parametrize("port", TO_BE_RUN)
def test_what_is_in_port_is_not_run(project, port):
    status, stdout, stderr = project.installed().make("tensorboard", f"PORT={port}")
    assert (status, stderr) == (0, [])
    assert stdout.splitlines() == ["tests/tools/board.py", "--port", port]
    assert not (project.folder / "run").exists()


def test_a_lesson_that_fails_fails_make(project):
    project.installed().stand_ins(fails="07_")
    assert project.make("lesson", "N=7")[0] == 2


# make lessons


def test_make_lessons_runs_all_twelve_in_order(project):
    status, stdout, stderr = project.installed().make("lessons")
    assert (status, stderr) == (0, [])
    assert project.calls() == [f"venv python lessons/{lesson.name}" for lesson in LESSONS]
    assert [line for line in stdout.splitlines() if line.startswith("==")] == [
        f"== lessons/{lesson.name}" for lesson in LESSONS]
    assert len(LESSONS) == 12


def test_make_lessons_stops_at_the_first_that_fails(project):
    project.installed().stand_ins(fails="03_tensorboard")
    assert project.make("lessons")[0] == 2
    assert project.calls() == [f"venv python lessons/{lesson.name}" for lesson in LESSONS[:3]]


def test_make_notebook_passes_the_lesson_on(project):
    status, stdout, _ = project.installed().make("notebook", "N=7")
    assert status == 0
    assert stdout.splitlines()[-2:] == ["tests/tools/notebook.py", "lessons/07_conv_pool.py"]


# The installation


@pytest.mark.parametrize("changed", ["requirements.txt", "pyproject.toml"])
def test_a_second_make_installs_nothing_and_changed_requirements_do(project, changed):
    lesson = "venv python lessons/07_conv_pool.py"
    project.make("lesson", "N=7")
    assert project.calls() == [*INSTALL, lesson]

    project.make("lesson", "N=7")
    assert project.calls() == [lesson]

    os.utime(project.folder / ".venv" / "installed", (1e9 + 1, 1e9 + 1))
    (project.folder / changed).touch()
    project.make("lesson", "N=7")
    assert project.calls() == [*INSTALL, lesson]

    project.make("lesson", "N=7")
    assert project.calls() == [lesson]


def test_make_test_installs_the_test_tools_once_and_lesson_does_not(project):
    tools = "venv python -m pip install --quiet --disable-pip-version-check -e .[dev]"
    project.make("lesson", "N=7")
    assert tools not in project.calls()
    project.make("test", "ARGS=-k lesson")
    assert project.calls() == [tools, "venv python -m pytest --numprocesses 2 --dist worksteal -k lesson"]
    project.make("lint")
    assert [call[:19] for call in project.calls()] == ["venv python -m ruff"]


def test_a_failed_installation_is_done_again(project):
    project.stand_ins(fails="pip install")
    status, stdout, _ = project.make("lesson", "N=7")
    assert (status, "lessons/07" in stdout) == (2, False)
    assert project.calls() == INSTALL

    project.stand_ins()
    assert project.make("lesson", "N=7")[0] == 0
    assert project.calls()[:3] == INSTALL


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
def test_an_interrupted_installation_is_done_again(project):
    project.stand_ins(hangs="pip install")
    process = project.start("lesson", "N=7")
    calls = project.folder / "calls"
    while not calls.exists() or "pip install" not in calls.read_text(encoding="utf-8"):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert project.calls() == INSTALL

    project.stand_ins()
    assert project.make("lesson", "N=7")[0] == 0
    assert project.calls()[:3] == INSTALL


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 18)])
def test_too_old_a_python_is_told_in_one_line(project, version):
    project.stand_ins(version=version)
    status, stdout, stderr = project.make("lesson", "N=7")
    assert (status, stdout) == (2, "")
    assert stderr == ["The lessons need Python 3.10 or newer: make PYTHON=/path/to/python3"]
    assert project.calls() == INSTALL[:1]
    assert not (project.folder / ".venv").exists()


# The rest


def test_make_alone_explains_every_target(project):
    status, stdout, stderr = project.make()
    assert (status, stderr) == (0, [])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: help (.*)$", makefile, re.MULTILINE)[1]
    assert set(targets.split()) == set(re.findall(r"\bmake (\w+)", stdout))
    assert project.calls() == []


@pytest.mark.parametrize(("target", "called"), [
    ("train", "-m shared.training"), ("predict", "-m shared.training.predict"),
    ("data", "-m shared.sources.download"), ("bench", "tests/tools/bench.py"),
    ("pictures", "tests/tools/pictures.py"),
    ("test", "-m pytest --numprocesses 2 --dist worksteal")])
def test_what_a_target_calls_is_there_and_gets_args(project, target, called):
    project.installed().make(target, "ARGS=--recipe best")
    assert project.calls()[-1] == f"venv python {called} --recipe best"
    if called.startswith("-m"):
        assert importlib.util.find_spec(called.split()[1])
    else:
        assert (ROOT / called).is_file()


@pytest.mark.parametrize(("arguments", "passed_on"), [
    ([], []),
    (["N=7"], ["--lesson", "07_conv_pool"]),
    (["N=12", "PORT=6007", "ARGS=--load_fast false"],
     ["--lesson", "12_train_gpu", "--port", "6007", "--load_fast", "false"]),
])
def test_make_tensorboard_shows_all_lessons_or_one(project, arguments, passed_on):
    status, stdout, stderr = project.installed().make("tensorboard", *arguments)
    assert (status, stderr) == (0, [])
    assert stdout.splitlines() == ["tests/tools/board.py", *passed_on]


@pytest.mark.parametrize("number", WRONG)
def test_make_tensorboard_tells_of_a_number_that_does_not_exist(project, number):
    is_refused(project, "tensorboard", f"N={number}")


def test_make_clean_leaves_what_is_yours(project):
    for name in ("data/a.png", "logs/07/events", "models/12/weights.pt"):
        (project.folder / name).parent.mkdir(parents=True)
        (project.folder / name).touch()
    project.installed().make("clean")
    assert not (project.folder / ".venv").exists()
    assert {path.name for path in project.folder.rglob("*")} >= {
        "a.png", "events", "weights.pt", "07_conv_pool.py"}
