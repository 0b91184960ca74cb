"""How a lesson ends when something goes wrong, and flags."""

import argparse
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, environment

from shared.errors import positive

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")


def run_python(script: str) -> subprocess.CompletedProcess:
    script = f"from shared.errors import *\nbegin_lesson()\n{script}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8",
                          check=False, cwd=ROOT, env=environment(""))


def test_a_persons_error_is_two_lines_and_status_2():
    ended = run_python("raise LessonError('it is wrong.\\nDo that.')")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "Error: it is wrong.\nDo that.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_two_lines_and_status_2():
    ended = run_python("with open('/dev/full', 'wb') as file: file.write(b'x')")
    assert ended.returncode == 2
    first, second = ended.stderr.splitlines()
    assert first == "Error: [Errno 28] No space left on device"
    assert "LESSONS_HOME" in second


@pytest.mark.parametrize(("line", "error"), [
    ("1 / 0", "ZeroDivisionError"), ("open('no such file')", "FileNotFoundError"),
    ("assert False", "AssertionError")])
def test_any_other_error_keeps_its_traceback_and_status_1(line, error):
    ended = run_python(line)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback (most recent call last):")
    assert ended.stderr.splitlines()[-1].startswith(error)


def test_a_full_disk_in_a_thread_is_left_to_the_main_program():
    ended = run_python("""
import errno, threading
def write():
    raise OSError(errno.ENOSPC, "full")
thread = threading.Thread(target=write)
thread.start()
thread.join()
threading.Thread(target=lambda: 1 / 0).start()""")
    assert ended.returncode == 0
    assert "ZeroDivisionError" in ended.stderr
    assert "OSError" not in ended.stderr


@pytest.mark.parametrize("line", [
    "raise MemoryError", "raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')",
    "raise RuntimeError('[enforce fail] DefaultCPUAllocator: not enough memory')"])
def test_too_little_memory_is_two_lines_and_status_2(line):
    ended = run_python(line)
    assert ended.returncode == 2
    first, second = ended.stderr.splitlines()
    assert first.startswith("Error: there is too little memory for <string>, line ")
    assert second == "Make the batches smaller, or the layer, and start again."


def test_a_wrong_path_keeps_its_traceback():
    ended = run_python("from shared.paths import MODELS\nopen(MODELS / 'typo.pt')")
    assert ended.returncode == 1
    assert "FileNotFoundError" in ended.stderr


@POSIX
def test_in_a_terminal_the_title_appears_before_torch_is_imported(tmp_path):
    lesson = tmp_path / "lesson.py"
    lesson.write_text('"""07. A title\n\nMore.\n"""\nfrom shared.errors import begin_lesson\n'
                      "begin_lesson()\nimport sys\nassert 'torch' not in sys.modules\n")
    terminal, own = os.openpty()
    subprocess.run([sys.executable, lesson], stdout=own, check=True, env=environment(tmp_path))
    assert os.read(terminal, 1000).decode().splitlines()[0] == "07. A title"


@POSIX
def test_head_ends_it_without_a_word(tmp_path):
    script = "from shared.errors import *\nbegin_lesson()\nwhile True: print('a line')"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT,
                          stderr=subprocess.PIPE, env=environment("")) as process:
        assert process.stdout.readline() == b"a line\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_line_is_in_the_file_at_once_and_what_it_cannot_show_is_escaped(tmp_path):
    script = "from shared.errors import *\nbegin_lesson()\nprint('a 张')\nos._exit(0)"
    with (tmp_path / "log").open("wb") as log:
        subprocess.run([sys.executable, "-c", script], stdout=log, check=True, cwd=ROOT,
                       env=environment("") | {"PYTHONIOENCODING": "ascii"})
    assert (tmp_path / "log").read_text().splitlines() == [r"a \u5f20"]


@pytest.mark.parametrize(("variables", "expected"), [
    ({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, "None")])
def test_pytorchs_threads_sleep_unless_you_have_set_something(monkeypatch, variables, expected):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run_python("print(os.environ.get('GOMP_SPINCOUNT'))").stdout.strip() == expected


@POSIX
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("kept", [True, False])
def test_stopped_it_says_what_was_kept(tmp_path, kept, number, status):
    """Also with RANK alone, which some clusters set for every program, and which is not torchrun."""
    script = ("import time\nfrom shared.errors import begin_lesson\nbegin_lesson()\n"
              "from shared.paths import new_run\n" + kept * "print(new_run('07.py'))\n"
              + "print('ready', flush=True)\ntime.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, encoding="utf-8",
                               env=environment(tmp_path) | {"RANK": "1"})
    lines = []
    while "ready" not in lines:
        lines.append(process.stdout.readline().strip())
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    what = lines[0] if kept else "nothing, nothing was written yet"
    assert (process.returncode, stderr) == (status, f"\nStopped. Kept: {what}\n")


# Flags


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("150", 150)])
def test_positive(text, number):
    assert positive(text) == number


@pytest.mark.parametrize("text", [
    "0", "-1", "1.5", "1e3", "", " ", "many", "²", "1_000", "9" * 10])
def test_not_positive(text):
    complaint = re.escape(f"{text!r} is not a whole number from 1 to 999999999")
    with pytest.raises(argparse.ArgumentTypeError, match=complaint):
        positive(text)
