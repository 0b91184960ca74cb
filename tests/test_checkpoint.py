"""Checkpoints: whole, undamaged, of this run, of these pictures, and of one process at a time."""

import copy
import os
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, environment
from torch import nn

from shared.datasets import Pictures
from shared.errors import LessonError
from shared.training import checkpoint

STATE = {"epoch": 3, "network": {"weight": torch.arange(1000.0), "steps": torch.tensor(7)},
         "data": "some pictures", "limit": None, "rates": [0.1, 0.2]}


def equal(first, second) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key])
                                                     for key in first)
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    return first == second


@pytest.fixture(autouse=True)
def kept(monkeypatch) -> list:
    monkeypatch.setattr(checkpoint, "kept", [])
    return checkpoint.kept


@pytest.fixture
def folder(tmp_path) -> Path:
    """Of a run with a checkpoint."""
    folder = tmp_path / "models" / "20260101-000000"
    checkpoint.save(STATE, folder)
    return folder


def said(ask, *arguments) -> str:
    """The message of the error, which has two lines."""
    with pytest.raises(LessonError) as caught:
        ask(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 2
    return message


def test_what_was_saved_is_loaded(folder):
    loaded = checkpoint.load(folder)
    assert equal({name: loaded[name] for name in STATE}, STATE)
    assert [path.name for path in folder.iterdir()] == ["checkpoint.pt"]


# What is not a checkpoint, or is damaged


@pytest.mark.parametrize("name", ["checkpoint.pt", "weights.pt"])
def test_a_flipped_bit_is_noticed_or_changes_nothing(name, folder):
    path = folder / name
    checkpoint.save_whole(STATE["network"], folder / "weights.pt")
    before, expected = path.read_bytes(), checkpoint.load_whole(path)
    flips = random.Random(0)
    # Half of them anywhere, half of them in the table of contents at the file's end.
    with zipfile.ZipFile(path) as file:
        table = 8 * file.start_dir
    bits = [flips.randrange(8 * len(before)) for _ in range(40)]
    bits += [flips.randrange(table, 8 * len(before)) for _ in range(40)]
    noticed = 0
    for bit in bits:
        damaged = bytearray(before)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            assert equal(checkpoint.load_whole(path), expected), bit
        except LessonError as error:
            assert str(path) in str(error)
            noticed += 1
    assert noticed > 30


def test_damaged_and_foreign_files_are_said(folder, tmp_path):
    file, executed = folder / "checkpoint.pt", tmp_path / "executed"
    whole = file.read_bytes()
    # The last one would run a program.
    for damaged in (whole[:-1000], whole[:100], b"", b"<html>",
                    b"cos\nsystem\n(S'touch " + os.fsencode(executed) + b"'\ntR."):
        file.write_bytes(damaged)
        assert f"{file} is damaged" in said(checkpoint.load, folder)
    with zipfile.ZipFile(file, "w") as other:
        other.writestr("a", "b")
    assert f"{file} is damaged" in said(checkpoint.load, folder)
    assert not executed.exists()
    file.unlink()
    said(checkpoint.load, folder)


@pytest.mark.parametrize("state", [
    STATE, STATE | {"format": checkpoint.FORMAT + 1}, STATE["network"], [1, 2], torch.zeros(3)])
def test_other_versions_and_weights_are_no_checkpoint(folder, state):
    torch.save(state, folder / "checkpoint.pt")
    message = said(checkpoint.load, folder)
    assert message.startswith(f"{folder / 'checkpoint.pt'} is no checkpoint of this version")


def test_what_is_missing_is_said(folder):
    assert "has no 'seconds'" in said(lambda: checkpoint.load(folder)["seconds"])


# Restoring


def restore(state: dict, epochs: int = 4) -> int:
    return checkpoint.restore({"network": nn.Linear(3, 2)}, state, "these pictures", epochs)


@pytest.fixture
def state(tmp_path) -> dict:
    checkpoint.save({"epoch": 3, "network": nn.Linear(3, 2).state_dict(), "data": "these pictures"},
                    tmp_path)
    return checkpoint.load(tmp_path)


def test_parts_get_the_state_that_they_had(state, capsys):
    network = nn.Linear(3, 2)
    parts = {"network": network}
    assert checkpoint.restore(parts, state, "these pictures", 3) == 3
    assert equal(dict(network.state_dict()), dict(state["network"]))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("change", "complaint"), [
    ({"epoch": 5}, "5 of 4 epochs"), ({"epoch": 10**9}, "1000000000 of 4 epochs"),
    ({"epoch": -1}, "-1 of 4 epochs"), ({"epoch": 2.5}, "2.5 of 4"), ({"epoch": "3"}, "'3' of 4"),
    ({"epoch": None}, "None of 4"),
    ({"data": "others"}, "it was trained on others, and now there is these pictures"),
    ({"network": {}}, ""), ({"network": 7}, ""),
    ({"network": nn.Linear(3, 1).state_dict()}, ""), ({"network": nn.Linear(4, 2).state_dict()}, "")])
def test_what_does_not_fit_is_said(state, change, complaint):
    assert complaint in said(restore, state | change)


@pytest.mark.parametrize("missing", ["epoch", "network", "data"])
def test_a_missing_part_is_said(state, missing):
    del state[missing]
    assert f"has no '{missing}'" in said(restore, state)


@pytest.mark.parametrize(("threads", "processes"), [(1, "2"), (2, "1")])
def test_other_threads_or_processes_are_said(state, threads, processes, monkeypatch, capsys):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setenv("WORLD_SIZE", processes)
    restore(state | {"computed by": "1 process of 1 threads"})
    (line,) = capsys.readouterr().out.splitlines()
    assert "The last bits of the result will differ." in line


# On which pictures


@pytest.fixture
def pictures() -> tuple[Pictures, Pictures]:
    data = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    return tuple(Pictures(part, [0, 1, 0], ["a", "b"], "mine") for part in (data[:3], data[3:]))


@pytest.mark.parametrize("changed", [0, 1])
def test_a_change_of_any_picture_or_class_is_another_description(pictures, changed):
    before = checkpoint.describe(*pictures)
    assert checkpoint.describe(*copy.deepcopy(pictures)) == before
    assert before.startswith("mine (3 training and 3 test pictures, 2 classes, SHA-256 ")

    descriptions = {before}
    for name, value in (("data", pictures[changed].data ^ 1), ("targets", [1, 1, 0])):
        others = copy.deepcopy(pictures)
        setattr(others[changed], name, value)
        descriptions.add(checkpoint.describe(*others))
    others = copy.deepcopy(pictures)
    others[0].classes[0] = others[1].classes[0] = "z"
    descriptions.add(checkpoint.describe(*others))
    assert len(descriptions) == 4


# Which run


def make_run(runs: Path, name: str, seconds: int) -> Path:
    checkpoint.save(STATE, runs / name)
    os.utime(runs / name / "checkpoint.pt", (seconds, seconds))
    return runs / name


def test_the_run_that_was_stopped_last_is_found(tmp_path):
    first, second, third = (make_run(tmp_path, name, seconds)
                            for name, seconds in (("c", 1), ("b", 2), ("a", 3)))
    (third / "weights.pt").touch()    # finished
    (tmp_path / "d").mkdir()
    assert checkpoint.find(tmp_path, "latest") == second
    assert checkpoint.find(tmp_path, "c") == first
    with checkpoint.lock(second):
        assert checkpoint.find(tmp_path, "latest") == first
        assert "the run, b, is training in another process" in said(checkpoint.find, tmp_path, "b")
        with checkpoint.lock(first):
            assert "nothing to resume" in said(checkpoint.find, tmp_path, "latest")
    assert checkpoint.find(tmp_path, "latest") == second    # looking at it has not locked it
    assert "the run, a, is finished" in said(checkpoint.find, tmp_path, "a")
    for name in ("d", "e", "../b", ""):
        assert f"there is no {tmp_path / name}" in said(checkpoint.find, tmp_path, name)


def test_nothing_to_resume(tmp_path):
    assert f"there is no {tmp_path}/<run>/checkpoint.pt" in said(
        checkpoint.find, tmp_path, "latest")
    (make_run(tmp_path, "a", 1) / "weights.pt").touch()
    assert "the last run, a, is finished" in said(checkpoint.find, tmp_path, "latest")


# More than one process


def test_one_process_trains_a_run_at_a_time(folder):
    lock = checkpoint.lock(folder)
    script = ("from pathlib import Path\nimport sys\nfrom shared.training import checkpoint\n"
              "print(checkpoint.is_locked(Path(sys.argv[1])))\n"
              "checkpoint.lock(Path(sys.argv[1]))")
    command = [sys.executable, "-c", script, folder]
    other = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert other.stdout == "True\n"
    assert f"LessonError: the run {folder.name} is training in another process." in other.stderr
    lock.release()
    other = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (other.returncode, other.stdout, other.stderr) == (0, "False\n", "")


def test_with_two_writers_the_file_is_whole_at_each_moment(folder):
    script = """
import sys
from pathlib import Path
import torch
from shared.training import checkpoint
number = int(sys.argv[2])
while True:
    checkpoint.save({"epoch": number, "network": torch.full((1_000_000,), float(number))},
                    Path(sys.argv[1]))
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, folder, str(number)], cwd=ROOT,
                                env=environment("")) for number in (1, 2)]
    seen = []
    try:
        while len(set(seen)) < 3 or len(seen) < 40:
            state = checkpoint.load(folder)
            seen.append(state["epoch"])
            if seen[-1] < 3:
                assert (state["network"] == seen[-1]).all()
            assert [writer.poll() for writer in writers] == [None, None]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert checkpoint.load(folder)["epoch"] in (1, 2)


def test_a_writer_does_not_get_into_the_file_of_another(folder):
    script = '''
import sys
from pathlib import Path
from shared.paths import whole
with whole(Path(sys.argv[1]) / "checkpoint.pt") as draft:
    draft.write_text("first half, ")
    print("ready", flush=True)
    input()
    with draft.open("a") as file:
        file.write("second half")
'''
    with subprocess.Popen([sys.executable, "-c", script, folder], cwd=ROOT, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == "ready\n"
        checkpoint.save(STATE | {"epoch": 4}, folder)
        assert checkpoint.load(folder)["epoch"] == 4
        other.communicate("\n")
    assert other.returncode == 0
    assert (folder / "checkpoint.pt").read_text() == "first half, second half"


# What Ctrl-C says


@pytest.mark.parametrize("ask", [lambda folder: checkpoint.save(STATE, folder), checkpoint.load])
def test_it_says_once_how_to_go_on(folder, kept, ask):
    kept.clear()
    ask(folder)
    checkpoint.save(STATE, folder)
    (line,) = kept
    assert re.fullmatch(rf"{re.escape(str(folder / 'checkpoint.pt'))} "
                        rf"\(go on with: .*--resume {folder.name}\)", line)


def test_on_several_machines_it_repeats_no_half_of_the_command(folder, kept, monkeypatch):
    """torchrun does not tell its processes where the machines meet."""
    kept.clear()
    monkeypatch.setenv("WORLD_SIZE", "16")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    checkpoint.save(STATE, folder)
    (line,) = kept
    assert line.endswith(f"(go on with: the same torchrun command with --resume {folder.name})")
