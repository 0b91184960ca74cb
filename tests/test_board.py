"""What `make tensorboard` starts: the newest runs, on a port that is free."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from urllib.request import urlopen

import pytest
from board import eventually, serve
from conftest import ROOT, environment
from torch.utils.tensorboard import SummaryWriter

from shared import board


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
    assert links() == {"03_tensorboard/20260102-090000-drawn-2", "09_sequential_graph/20260103-080000"}
    assert (logs / "03_tensorboard" / "20260102-090000-drawn").is_dir()    # only its link is gone


def test_a_taken_port_is_passed_over():
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        assert board.free_port(port) > port


def test_tensorboard_says_that_the_port_is_taken_and_where_it_is_last(tmp_path):
    # Below those that the system gives away, so that the next stays free, too; and not where another run of this test
    # on this machine looks.
    port = board.free_port(21_000 + os.getpid() % 10_000)
    with socket.create_server(("localhost", port)):
        process = subprocess.Popen([sys.executable, "-m", "shared.board", "--port", str(port)], cwd=ROOT,
                                   env=environment(tmp_path), stderr=subprocess.PIPE, text=True)
        with process:    # waits for its end
            lines = []
            while not lines or "http://" not in lines[-1]:
                lines.append(process.stderr.readline())
                assert lines[-1], f"TensorBoard ended: {lines}"
            said = re.fullmatch(rf"Port {port} is taken, so it is (\d+)\.\n", lines[0])
            # Once it answers it takes SIGTERM as it should; while it still prints, its handler would print into that.
            urlopen(f"http://localhost:{said[1]}/", timeout=60).close()
            process.terminate()
            rest = process.stderr.read()
    assert lines[1] == f"Nothing is in {tmp_path / 'logs'} yet. What lessons write appears while they run.\n"
    assert f" at http://localhost:{said[1]}/ " in lines[-1]
    assert rest == "TensorBoard caught SIGTERM; exiting...\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tensorboard_can_be_stopped_while_it_starts(number, tmp_path):
    with subprocess.Popen([sys.executable, "-m", "shared.board", "--port", "0"], cwd=ROOT, env=environment(tmp_path),
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline().startswith("Nothing is in ")    # and now it imports TensorBoard
        process.send_signal(number)
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
        assert eventually(runs, lambda: sorted(json.load(urlopen(f"{address}data/runs", timeout=10)))) == runs


@pytest.mark.parametrize("port", ["x", "-1", "65536", ""])
def test_what_is_no_port_is_told_in_two_lines(port, tmp_path):
    process = subprocess.run([sys.executable, "-m", "shared.board", f"--port={port}"], cwd=ROOT, check=False,
                             env=environment(tmp_path), capture_output=True, text=True)
    assert (process.returncode, len(process.stderr.splitlines())) == (2, 2)
    assert f"'{port}' is not a port" in process.stderr
