"""Where things are kept, and how a lesson ends when something goes wrong."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, environment

from shared import LessonError, paths, positive

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells differ there")
LESSON = "/anywhere/07_conv_pool.py"


def run_python(script: str, home: Path | str = "", cwd: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False, cwd=cwd,
                          env=environment(home))


@pytest.fixture
def logs(tmp_path, monkeypatch) -> Path:
    """Logs and models in a folder of the test's own, in which it is always the same second."""
    monkeypatch.setattr(paths, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(paths, "MODELS", tmp_path / "models")
    monkeypatch.setattr(paths, "kept", [])
    monkeypatch.setattr(paths.time, "strftime", lambda _: "20260102-030405")
    return tmp_path / "logs"


# LESSONS_HOME


@pytest.mark.parametrize(("value", "home"), [
    ("", ROOT),
    ("{tmp}/with a space", "{tmp}/with a space"),
    ("{tmp}/课程", "{tmp}/课程"),
    ("~/lessons", "{tmp}/lessons"),
    ("relative/../here", "{tmp}/here"),
])
def test_lessons_home_moves_data_logs_and_models(value, home, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))    # HOME, as Windows calls it
    script = "from shared.paths import *; print(DATA, LOGS, MODELS, sep='\\n')"
    printed = run_python(script, value.format(tmp=tmp_path), tmp_path).stdout.splitlines()
    home = Path(str(home).format(tmp=tmp_path)).resolve()
    assert printed == [str(home / name) for name in ("data", "logs", "models")]
    assert list(tmp_path.iterdir()) == []    # importing makes nothing


def test_without_lessons_home_it_is_the_projects_root(tmp_path, monkeypatch):
    monkeypatch.delenv("LESSONS_HOME", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    script = "from shared.paths import HOME; print(HOME)"
    printed = subprocess.check_output([sys.executable, "-c", script], cwd=tmp_path, encoding="utf-8")
    assert printed.strip() == str(ROOT)


# Runs


def test_a_run_is_named_by_lesson_and_time(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOGS", tmp_path)
    monkeypatch.setattr(paths, "kept", [])
    run = paths.new_run(LESSON)
    assert run.parent == tmp_path / "07_conv_pool"
    assert re.fullmatch(r"20\d{6}-[0-2]\d[0-5]\d[0-5]\d", run.name)


def test_runs_in_one_second_get_folders_of_their_own(logs):
    runs = [paths.new_run(LESSON), paths.new_run(LESSON), paths.new_run(LESSON, drawn=True),
            paths.new_run(LESSON, drawn=True), paths.new_run(LESSON)]
    names = ["", "-2", "-drawn", "-drawn-2", "-3"]
    assert runs == [logs / "07_conv_pool" / f"20260102-030405{name}" for name in names]
    assert all(run.is_dir() and not any(run.iterdir()) for run in runs)
    assert paths.kept == [str(run) for run in runs]


def test_a_file_of_that_name_is_left_alone(logs):
    file = logs / "07_conv_pool" / "20260102-030405"
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    assert paths.new_run(LESSON).name == "20260102-030405-2"
    assert file.read_text() == "mine"


def test_two_processes_in_one_second_get_folders_of_their_own(tmp_path):
    script = ("import time; time.strftime = lambda _: 'same'; from shared.paths import new_run\n"
              "for _ in range(40): print(new_run('07.py'))")
    processes = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, encoding="utf-8",
                                  env=environment(tmp_path)) for _ in range(2)]
    runs = [line for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(runs) == len(set(runs)) == 80
    assert len(list((tmp_path / "logs" / "07").iterdir())) == 80


def test_weights_go_to_a_folder_named_like_the_run(logs):
    folder = paths.models_folder(paths.new_run(LESSON, drawn=True))
    assert folder == logs.parent / "models" / "07_conv_pool" / "20260102-030405-drawn"
    assert folder.is_dir()


# The superuser may write everywhere, but cannot make a folder inside a file or beyond a link that leads nowhere.
@pytest.mark.parametrize("obstacle", ["a file", "a file as the lesson's folder", "a link that leads nowhere"])
def test_a_folder_that_cannot_be_written_is_said(logs, obstacle):
    for name, make in (("logs", lambda: paths.new_run(LESSON)),
                       ("models", lambda: paths.models_folder(Path("logs/07_conv_pool/run")))):
        folder = logs.parent / name
        if obstacle == "a file":
            folder.write_text("")
        elif obstacle == "a link that leads nowhere":
            folder.symlink_to("an unplugged disk")
        else:
            folder.mkdir()
            (folder / "07_conv_pool").write_text("")
        with pytest.raises(LessonError, match="cannot write to") as caught:
            make()
        first, second = str(caught.value).splitlines()
        assert str(folder / "07_conv_pool") in first
        assert "LESSONS_HOME" in second
    assert paths.kept == []


# The command for TensorBoard


@POSIX
@pytest.mark.parametrize("on_path", [True, False])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", ["plain", "with a space", "课程", "lessons(1)&it's;more"])
def test_the_command_can_be_pasted_into_a_shell(tmp_path, monkeypatch, name, inside, on_path):
    project, elsewhere = tmp_path / name, tmp_path / "elsewhere"
    program, run = project / ".venv" / "bin" / "tensorboard", project / "logs" / "07 conv" / "run"
    for folder in (program.parent, run, elsewhere):
        folder.mkdir(parents=True)
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    monkeypatch.setenv("PATH", os.pathsep.join([str(program.parent)] * on_path + ["/usr/bin", "/bin"]))
    monkeypatch.chdir(project if inside else elsewhere)

    command = paths.tensorboard_command(run)
    started, option, folder = subprocess.check_output(command, shell=True, encoding="utf-8").splitlines()
    assert (Path(started).resolve(), option, Path(folder).resolve()) == (program, "--logdir", run)
    assert command.startswith("tensorboard ") == on_path
    assert (str(tmp_path) in command.split("--logdir")[1]) == (not inside)


@POSIX
def test_the_tensorboard_of_another_environment_is_not_named(tmp_path, monkeypatch):
    for environment_name in ("other", "ours"):
        program = tmp_path / environment_name / "tensorboard"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "other"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "ours" / "python"))
    assert shutil.which("tensorboard") == str(tmp_path / "other" / "tensorboard")
    assert paths.tensorboard_command(tmp_path).startswith(f"{tmp_path}/ours/tensorboard --logdir ")


# How a lesson ends


def test_a_persons_error_is_two_lines_and_status_2():
    ended = run_python("from shared import LessonError\nraise LessonError('it is wrong.\\nDo that.')")
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", "Error: it is wrong.\nDo that.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_two_lines_and_status_2():
    ended = run_python("import shared\nwith open('/dev/full', 'wb') as file: file.write(b'x')")
    assert ended.returncode == 2
    first, second = ended.stderr.splitlines()
    assert first == "Error: [Errno 28] No space left on device"
    assert "LESSONS_HOME" in second


@pytest.mark.parametrize(("line", "error"), [
    ("1 / 0", "ZeroDivisionError"), ("open('no such file')", "FileNotFoundError"), ("assert False", "AssertionError")])
def test_any_other_error_keeps_its_traceback_and_status_1(line, error):
    ended = run_python(f"import shared\n{line}")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback (most recent call last):")
    assert ended.stderr.splitlines()[-1].startswith(error)


@POSIX
@pytest.mark.parametrize("kept", [True, False])
def test_ctrl_c_says_what_was_kept_and_ends_with_130(tmp_path, kept):
    script = ("import time\nfrom shared.paths import new_run\n" + kept * "print(new_run('07.py'))\n"
              + "print('ready', flush=True)\ntime.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               encoding="utf-8", env=environment(tmp_path))
    lines = []
    while "ready" not in lines:
        lines.append(process.stdout.readline().strip())
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    what = lines[0] if kept else "nothing, nothing was written yet"
    assert (process.returncode, stderr) == (130, f"\nStopped. Kept: {what}\n")


# Flags


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("150", 150)])
def test_positive(text, number):
    assert positive(text) == number


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "", " ", "many", "²", "1_000", "9" * 10])
def test_not_positive(text):
    complaint = re.escape(f"{text!r} is not a whole number from 1 to 999999999")
    with pytest.raises(argparse.ArgumentTypeError, match=complaint):
        positive(text)
