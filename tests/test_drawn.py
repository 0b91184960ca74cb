"""The drawn stand-in: the same pictures on every machine, made whole or not at all."""

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import environment
from PIL import Image

from shared.sources import drawn


def sha256(array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def cifar10(home) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pictures and labels, from the folder where this session's lessons find them too."""
    folder = home / "data" / "drawn" / "cifar10"
    if not folder.is_dir():
        drawn.cifar10(folder)
    arrays = {}
    for split in ("train", "test"):
        with np.load(folder / f"{split}.npz") as file:
            arrays[split] = file["data"], file["targets"]
    return arrays


@pytest.fixture(scope="module")
def insects(home) -> Path:
    folder = home / "data" / "drawn" / "hymenoptera_data"
    if not folder.is_dir():
        drawn.ants_and_bees(folder)
    return folder


@pytest.fixture
def few(monkeypatch):
    """Quickly drawn: 20 + 10 pictures."""
    monkeypatch.setattr(drawn, "CIFAR10_SPLITS", {"train": (2, (6, 9)), "test": (1, (3, 8))})
    monkeypatch.setattr(drawn, "INSECT_SPLITS", {"train": 1, "val": 1})


# The pictures. If the drawings change, these change, and so does every accuracy that is stated.


@pytest.mark.parametrize(("split", "expected"), [
    pytest.param("train", "5c07e7e7443baaee2793b2e32d72ce0c16f5bb2a9d4205102c26107244ade008", id="train"),
    pytest.param("test", "7905f982050d06a65ac7665558530301b1f66f15d8ff8806300a10f0420491d9", id="test"),
])
def test_the_same_bytes_on_every_machine(cifar10, split, expected):
    data, _ = cifar10[split]
    assert sha256(data) == expected


@pytest.mark.parametrize(("name", "expected"), [
    pytest.param("ants", "beb69ed9ad795329681cadc876ce94a7a7761d91cef13cf31c76856988ac8941", id="ants"),
    pytest.param("bees", "77e4042f533eb2625cfe274dd130dbcc79d1237b6dfa6846c7e1f513c79b1472", id="bees"),
])
def test_the_same_insects_on_every_machine(name, expected):
    """Their pixels before JPEG, whose encoders differ."""
    assert sha256(drawn.draw_insect(name, random.Random(0))) == expected


@pytest.mark.parametrize(("split", "each", "first"), [
    ("train", 500, [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]), ("test", 100, [3, 8, 8, 0, 6, 6, 1, 6, 3, 1])])
def test_ten_balanced_classes_that_begin_as_cifar10_does(cifar10, split, each, first):
    data, targets = cifar10[split]
    assert (data.dtype, data.shape) == (np.uint8, (10 * each, 32, 32, 3))
    assert targets.dtype == np.int64
    assert np.bincount(targets).tolist() == [each] * 10
    assert targets[:10].tolist() == first
    assert len(set(targets[10:60].tolist())) == 10    # mixed after that too


def test_no_picture_is_there_twice(cifar10):
    pictures = [picture.tobytes() for data, _ in cifar10.values() for picture in data]
    assert len(set(pictures)) == len(pictures) == 6000


def test_the_classes_are_cifar10s():
    assert drawn.CLASSES == ("airplane", "automobile", "bird", "cat", "deer",
                             "dog", "frog", "horse", "ship", "truck")


def test_a_picture_follows_from_its_seed_alone(cifar10):
    data, targets = cifar10["train"]
    for index in (0, 4321):
        rng = random.Random(f"{drawn.SEED} train {index}")
        picture = drawn.draw(drawn.CLASSES[targets[index]], rng)
        assert (picture.mode, picture.size) == ("RGB", (32, 32))
        assert np.array_equal(picture, data[index])


def test_insects_are_large_jpegs_in_the_archives_layout(insects):
    files = sorted(insects.rglob("*.*"))
    assert len(files) == 2 * (24 + 12)
    assert {file.parent.relative_to(insects).as_posix() for file in files} == {
        "train/ants", "train/bees", "val/ants", "val/bees"}
    for file in files:
        with Image.open(file) as picture:
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (768, 512))
    assert len({file.read_bytes() for file in files}) == len(files)


# All or nothing


@pytest.mark.parametrize(("function", "drawer"), [
    ("cifar10", "draw"), ("ants_and_bees", "draw_insect")])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_interrupted_nothing_is_left(few, tmp_path, monkeypatch, function, drawer, error):
    draw, numbers = getattr(drawn, drawer), iter(range(100))

    def draw_three(*arguments):
        if next(numbers) == 3:
            raise error
        return draw(*arguments)

    monkeypatch.setattr(drawn, drawer, draw_three)
    with pytest.raises(error):
        getattr(drawn, function)(tmp_path / "drawn" / "it")
    assert list((tmp_path / "drawn").iterdir()) == []

    getattr(drawn, function)(tmp_path / "drawn" / "it")    # the next lesson draws it
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["it"]


def test_what_is_there_is_left_as_it_is(few, tmp_path):
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "mine").touch()
    drawn.cifar10(tmp_path / "it")
    assert [path.name for path in tmp_path.rglob("*")] == ["it", "mine"]


# Draws few pictures, and waits after the first until `others` processes are at it.
SCRIPT = """
import os, sys, time
from pathlib import Path
from shared.sources import drawn
folder, others = Path(sys.argv[1]), int(sys.argv[2])
drawn.CIFAR10_SPLITS = {"train": (2, (6, 9)), "test": (1, (3, 8))}
draw = drawn.draw
def wait_and_draw(*arguments):
    (folder.parent / f"drawing-{os.getpid()}").touch()
    while len(list(folder.parent.glob("drawing-*"))) < others:
        time.sleep(0.01)
    return draw(*arguments)
drawn.draw = wait_and_draw
drawn.cifar10(folder / "cifar10")
"""


def start(folder: Path, others: int) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    return subprocess.Popen([sys.executable, "-c", SCRIPT, folder, str(others)],
                            stderr=subprocess.PIPE, encoding="utf-8", env=environment(folder))


def test_two_processes_at_once_make_one(few, tmp_path):
    processes = [start(tmp_path / "drawn", 2) for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert ([process.returncode for process in processes], errors) == ([0, 0], ["", ""])
    assert sorted(path.name for path in (tmp_path / "drawn").rglob("*")) == [
        "cifar10", "test.npz", "train.npz"]

    drawn.cifar10(tmp_path / "alone")
    for name in ("train.npz", "test.npz"):
        with (np.load(tmp_path / "drawn" / "cifar10" / name) as both,
              np.load(tmp_path / "alone" / name) as alone):
            assert np.array_equal(both["data"], alone["data"])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 there")
def test_killed_while_drawing_the_next_one_draws_it(few, tmp_path):
    process = start(tmp_path / "drawn", 2)    # waits for another that never comes
    while not list(tmp_path.glob("drawing-*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "drawn" / "cifar10").exists()
    drawn.cifar10(tmp_path / "drawn" / "cifar10")
    with np.load(tmp_path / "drawn" / "cifar10" / "train.npz") as file:
        assert len(file["targets"]) == 20
