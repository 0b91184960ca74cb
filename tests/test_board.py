"""What `make tensorboard` starts: the newest runs, on a port that is free."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
from urllib.request import urlopen

import pytest
from board import TOOL, eventually, serve
from conftest import environment
from tools import board
from torch.utils.tensorboard import SummaryWriter


@pytest.fixture
def logs(tmp_path, monkeypatch):
    for run in ("03_tensorboard/20260101-120000", "03_tensorboard/20260102-090000-drawn",
                "07_conv_pool/20250101-120000"):
        (tmp_path / "logs" / run).mkdir(parents=True)
    (tmp_path / "logs" / "README.md").touch()
    (tmp_path / "logs" / "07_conv_pool" / "notes.txt").touch()
    monkeypatch.setattr(board, "LOGS", tmp_path / "logs")
    return tmp_path / "logs"


def test_links_go_to_the_newest_run_of_each_lesson_and_follow_it(logs, tmp_path):
    folder = tmp_path / "newest"
    folder.mkdir()

    def links():
        board.link_newest(folder)
        assert all(link.resolve() == logs / link.relative_to(folder) for link in folder.glob("*/*"))
        return {str(link.relative_to(folder)) for link in folder.glob("*/*")}

    assert links() == {"03_tensorboard/20260102-090000-drawn", "07_conv_pool/20250101-120000"}
    (logs / "03_tensorboard" / "20260102-090000-drawn-2").mkdir()    # another in the same second
    (logs / "09_sequential_graph" / "20260103-080000").mkdir(parents=True)
    (logs / "07_conv_pool" / "20250101-120000").rmdir()
    assert links() == {"03_tensorboard/20260102-090000-drawn-2",
                       "09_sequential_graph/20260103-080000"}
    assert (logs / "03_tensorboard" / "20260102-090000-drawn").is_dir()    # only its link is gone


def start(home, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, TOOL, *arguments], env=environment(home),
                            stderr=subprocess.PIPE, text=True)


def test_if_its_usual_port_is_taken_tensorboard_takes_another(tmp_path):
    try:
        taken = socket.create_server(("localhost", 6006))
    except OSError:    # it is taken already
        taken = contextlib.nullcontext()
    with taken, start(tmp_path) as process:    # waits for its end
        lines = []
        while not lines or "http://" not in lines[-1]:
            lines.append(process.stderr.readline())
            assert lines[-1], f"TensorBoard ended: {lines}"
        address = re.search(r" at (http://localhost:(\d+)/) ", lines[-1])
        # Once it answers it takes SIGTERM as it should. Before, its handler would print into
        # what it is printing.
        urlopen(address[1], timeout=60).close()
        process.terminate()
        rest = process.stderr.read()
    assert int(address[2]) > 6006
    assert lines[0] == (f"There is nothing in {tmp_path / 'logs'} yet. "
                        "Runs appear here as soon as they start.\n")
    assert rest == "TensorBoard caught SIGTERM; exiting...\n"


def test_a_port_that_was_asked_for_and_is_taken_is_named(tmp_path):
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        with start(tmp_path, "--port", str(port)) as process:
            printed = process.stderr.read()
    assert process.returncode != 0
    assert f"could not bind to port {port}, it was already in use" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tensorboard_can_be_stopped_while_it_starts(number, tmp_path):
    with start(tmp_path, "--port", "0") as process:
        assert process.stderr.readline().startswith("There is nothing in ")
        process.send_signal(number)    # while it imports TensorBoard
        rest = process.stderr.read()    # some lines of TensorBoard's, if it came so far
    assert "Traceback" not in rest
    assert "Stopped" not in rest
    assert process.returncode == 0


@pytest.mark.parametrize(("arguments", "runs"), [
    ([], ["03_tensorboard/2", "07_conv_pool/1"]), (["--lesson", "03_tensorboard"], ["1", "2"])])
def test_tensorboard_shows_the_newest_runs_or_all_of_one_lesson(arguments, runs, tmp_path):
    for run in ("03_tensorboard/1", "03_tensorboard/2", "07_conv_pool/1"):
        with SummaryWriter(tmp_path / "logs" / run) as writer:
            writer.add_scalar("x", 1)
    with serve(tmp_path, "--port", "0", *arguments) as address:
        assert eventually(
            runs, lambda: sorted(json.load(urlopen(f"{address}data/runs", timeout=10)))) == runs


@pytest.mark.parametrize("port", ["x", "-1", "65536", ""])
def test_what_is_no_port_is_told_in_two_lines(port, tmp_path):
    with start(tmp_path, f"--port={port}") as process:
        printed = process.stderr.read()
    assert (process.returncode, len(printed.splitlines())) == (2, 2)
    assert f"'{port}' is not a port" in printed
