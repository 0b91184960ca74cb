"""Where things are kept, how files are written as a whole, and commands that can be pasted."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, environment

from shared import paths
from shared.errors import LessonError
from shared.paths import whole

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells differ there")
LESSON = "/anywhere/07_conv_pool.py"


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
    printed = subprocess.check_output(
        [sys.executable, "-c", script], encoding="utf-8", cwd=tmp_path,
        env=environment(value.format(tmp=tmp_path))).splitlines()
    home = Path(str(home).format(tmp=tmp_path)).resolve()
    assert printed == [str(home / name) for name in ("data", "logs", "models")]
    assert list(tmp_path.iterdir()) == []    # importing makes nothing


def test_without_lessons_home_it_is_the_projects_root(tmp_path, monkeypatch):
    monkeypatch.delenv("LESSONS_HOME", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    script = "from shared.paths import HOME; print(HOME)"
    printed = subprocess.check_output([sys.executable, "-c", script], cwd=tmp_path,
                                      encoding="utf-8")
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
    processes = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                                  encoding="utf-8", env=environment(tmp_path)) for _ in range(2)]
    runs = [line for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(runs) == len(set(runs)) == 80
    assert len(list((tmp_path / "logs" / "07").iterdir())) == 80


def test_weights_go_to_a_folder_named_like_the_run(logs):
    folder = paths.models_folder(paths.new_run(LESSON, drawn=True))
    assert folder == logs.parent / "models" / "07_conv_pool" / "20260102-030405-drawn"
    assert folder.is_dir()


# The superuser may write anywhere, but cannot make a folder in a file or behind a dangling link.
@pytest.mark.parametrize("obstacle", [
    "a file", "a file as the lesson's folder", "a link that leads nowhere"])
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


# A file or a folder as a whole, or not at all


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text()
            for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("before", [{}, {"file": "old"}])
@pytest.mark.parametrize("error", [None, KeyboardInterrupt, OSError])
def test_a_file_is_the_old_one_until_it_is_the_whole_new_one(tmp_path, before, error):
    folder = tmp_path / "made if it is not there"
    for name, text in before.items():
        folder.mkdir()
        (folder / name).write_text(text)
    try:
        with whole(folder / "file") as draft, draft.open("w") as opened:
            opened.write("the whole ")
            opened.flush()
            assert {name: text for name, text in contents(folder).items()
                    if not name.endswith(".part")} == before
            if error:
                raise error
            opened.write("new one")
    except (KeyboardInterrupt, OSError) as raised:
        assert type(raised) is error
    assert contents(folder) == (before if error else {"file": "the whole new one"})


@pytest.mark.parametrize("before", [None, {}, {"a": "mine"}])
def test_a_folder_appears_as_a_whole_and_one_with_files_in_it_stays(tmp_path, before):
    if before is not None:
        (tmp_path / "folder").mkdir()
        for name, text in before.items():
            (tmp_path / "folder" / name).write_text(text)
    with whole(tmp_path / "folder") as draft:
        (draft / "b").mkdir(parents=True)
        (draft / "b" / "c").write_text("c")
        assert not (tmp_path / "folder" / "b").exists()
    assert contents(tmp_path) == ({"folder/a": "mine"} if before else {"folder/b/c": "c"})
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_cannot_be_renamed_is_an_error_and_leaves_no_draft(tmp_path):
    (tmp_path / "a folder" / "b").mkdir(parents=True)
    (tmp_path / "a file").touch()
    with pytest.raises(OSError), whole(tmp_path / "a folder") as draft:
        draft.write_text("a file in place of the folder")
    with pytest.raises(OSError), whole(tmp_path / "a file") as draft:
        draft.mkdir()
    with pytest.raises(OSError), whole(tmp_path / "nothing was written"):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a file", "a folder", "b"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_drafts_of_processes_that_were_killed_go(tmp_path, kind):
    """This process has the number of one of them, as in a container. Another is at work now."""
    same, old, at_work = (tmp_path / f".it.{number}.part" for number in (os.getpid(), "1", "2"))
    for draft in (same, old, at_work):
        if kind == "folder":
            (draft / "in it").mkdir(parents=True)
        else:
            draft.write_text("half of")
    os.utime(old, (1e9, 1e9))
    with whole(tmp_path / "it") as draft:
        assert draft == same
        assert not draft.exists()
        draft.mkdir() if kind == "folder" else draft.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [at_work.name, "it"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 there")
def test_killed_at_any_moment_the_file_is_whole(tmp_path):
    script = """
import itertools
from pathlib import Path
from shared.paths import whole
for number in itertools.count():
    with whole(Path("file")) as draft, draft.open("w") as opened:
        for _ in range(100):
            opened.write(f"{number} " * 100)
            opened.flush()
"""
    file = tmp_path / "file"
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path,
                              env=environment(tmp_path)) as process:
            while not file.exists():
                assert process.poll() is None
            for _ in range(300):
                numbers = file.read_text().split()
                assert len(numbers) == 10_000
                assert len(set(numbers)) == 1
            process.kill()
        assert len(file.read_text().split()) == 10_000


# The command for TensorBoard


@POSIX
@pytest.mark.parametrize("on_path", [True, False])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", ["plain", "with a space", "课程", "lessons(1)&it's;more",
                                  "$(touch ran) `touch ran` \"$HOME\" 张三"])
def test_the_command_can_be_pasted_into_a_shell(tmp_path, monkeypatch, name, inside, on_path):
    project, elsewhere = tmp_path / name, tmp_path / "elsewhere"
    program, run = project / ".venv" / "bin" / "tensorboard", project / "logs" / "07 conv" / "run"
    for folder in (program.parent, run, elsewhere):
        folder.mkdir(parents=True)
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    path = [str(program.parent)] * on_path + ["/usr/bin", "/bin"]
    monkeypatch.setenv("PATH", os.pathsep.join(path))
    monkeypatch.chdir(project if inside else elsewhere)

    command = paths.tensorboard_command(run)
    output = subprocess.check_output(command, shell=True, encoding="utf-8")
    started, option, folder = output.splitlines()
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


def test_where_to_look(tmp_path, capsys):
    paths.print_where_to_look(tmp_path, "\n  Scalars: the loss falls.\n")
    assert capsys.readouterr().out == (
        "\nSee it in TensorBoard. In a terminal, in this folder:\n"
        f"  {paths.tensorboard_command(tmp_path)}\n"
        "Then open http://localhost:6006 in a browser. (Ctrl-C ends TensorBoard.)\n"
        "Look at:\nScalars: the loss falls.\n")
