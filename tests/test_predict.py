"""What is on a photo, by a network that knows dark and light."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from conftest import ROOT, environment
from PIL import Image
from torch import nn

from shared.errors import LessonError
from shared.networks import CIFAR10NetSimpleV3
from shared.training import predict


class Brightness(nn.Module):
    """Predicts "dark" for a dark picture and "light" for a light one; a grey one is between."""

    def __init__(self, classes: int):
        super().__init__()
        self.layer = nn.Linear(1, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.mean(dim=(1, 2, 3))[:, None])


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs that came to their end, and a newer one that did not."""
    monkeypatch.setattr(predict, "MODELS", tmp_path / "models 课程")
    monkeypatch.setattr(predict, "CIFAR10NetSimpleV3", Brightness)
    folder = tmp_path / "models 课程" / "training"
    for number, source in enumerate(["older pictures", "newer pictures"]):
        run = folder / f"2026010{number}-000000"
        run.mkdir(parents=True)
        torch.save({"layer.weight": torch.tensor([[-10.0], [10.0]]),
                    "layer.bias": torch.tensor([5.0, -5.0])}, run / "weights.pt")
        os.utime(run / "weights.pt", (number + 1, number + 1))
        (run / "report.json").write_text(json.dumps({
            "accuracy": 0.5, "data": source, "mean": [0, 0, 0], "std": [1, 1, 1],
            "per_class": {"dark": 0, "light": 1},
            "none_of_these": {"about": 1, "false_alarms": 0.043, "below": 0.6}}), encoding="utf-8")
    (folder / "20260103-000000").mkdir()
    (folder / "20260103-000000" / "checkpoint.pt").write_bytes(b"")
    return folder


def test_photos_of_every_kind(runs, tmp_path, capsys):
    pictures = {"light 光.jpg": Image.new("RGB", (640, 480), (250, 250, 250)),
                "dark.png": Image.new("L", (7, 90), 5),
                "dark palette.png": Image.new("P", (50, 50), 0),
                "grey.png": Image.new("RGBA", (99, 99), (127, 128, 127, 255))}
    trained = predict.load_last()
    for name, picture in pictures.items():
        picture.save(tmp_path / name)
        predict.predict(*trained, tmp_path / name)
    printed = capsys.readouterr().out
    assert printed.startswith(f"Weights: {runs / '20260101-000000'}, trained on newer pictures, "
                              "test accuracy 0.5000\n")
    blocks = printed.split(f"{tmp_path}/")[-4:]
    most_probable = [block.splitlines()[1].split()[0] for block in blocks]
    assert most_probable[:3] == ["light", "dark", "dark"]
    none = ["Probably none of the 2" in block for block in blocks]
    assert none == [False, False, False, True]
    assert "#" * 40 in blocks[0]
    assert "4.3% of the test pictures" in blocks[3]


def test_what_is_no_photo_is_said(runs, tmp_path):
    (tmp_path / "page.jpg").write_text("<html>")
    (tmp_path / "folder.jpg").mkdir()
    names = ["page.jpg", "none.jpg", "folder.jpg"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo.jpg")    # to open it would wait for ever
        names.append("fifo.jpg")
    for name in names:
        path = re.escape(str(tmp_path / name))
        with pytest.raises(LessonError, match=path) as caught:
            predict.predict(*predict.load_last(), tmp_path / name)
        assert len(str(caught.value).splitlines()) <= 2


def test_without_trained_weights(runs):
    shutil.rmtree(runs)
    with pytest.raises(LessonError, match=r"there are no trained weights in .*training"):
        predict.load_last()


@pytest.mark.parametrize("damage", [
    "no report", "no json", "other json", "no mean", "no limit", "other classes",
    "short weights", "other weights"])
def test_weights_and_reports_that_are_damaged_are_said(runs, damage):
    run = runs / "20260101-000000"
    report, weights = run / "report.json", run / "weights.pt"
    if damage == "no report":
        report.unlink()
    elif damage == "no json":
        report.write_text('{"accuracy": 0.')
    elif damage == "other json":
        report.write_text('["accuracy"]')
    elif damage == "no limit":
        report.write_text(report.read_text().replace('"below"', '"above"'))
    elif damage == "no mean":
        report.write_text(report.read_text().replace('"mean"', '"median"'))
    elif damage == "other classes":
        report.write_text(report.read_text().replace('"dark": 0, ', '"dark": 0, "grey": 0, '))
    elif damage == "short weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        torch.save([1, 2], weights)
    os.utime(weights)    # the newest
    with pytest.raises(LessonError, match="20260101-000000") as caught:
        predict.load_last()
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(("name", "make", "reason", "advice"), [
    ("none.jpg", lambda path: None, "there is no photo {path} (No such file or directory)",
     "Look for its right name."),
    ("x" * 300, lambda path: None, "there is no photo {path} (File name too long)", "right name"),
    ("photos", Path.mkdir, "{path} is a folder", "Name the photos in it: {path}/*.jpg"),
    ("fifo.jpg", lambda path: os.mkfifo(path), "{path} is no ordinary file", "Name a photo."),
    ("iPhone.heic", lambda path: path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(500)),
     "cannot read the picture {path}: it is in the format HEIC", "save it there as a JPEG"),
    ("large.png", lambda path: Image.new("1", (20000, 9000)).save(path),
     "Image size (180000000 pixels) exceeds limit", "JPEG of less than 100 megapixels"),
    ("page.jpg", lambda path: path.write_text("<html>"), "no picture of a known format",
     "If another program shows it"),
])
@pytest.mark.skipif(sys.platform == "win32", reason="FIFOs, and messages of POSIX")
def test_each_kind_of_no_photo_has_an_advice_of_its_own(runs, tmp_path, name, make, reason, advice):
    make(tmp_path / name)
    errors = []

    def ask():    # in a thread, because the state before this test waited for ever
        try:
            predict.predict(*predict.load_last(), tmp_path / name)
        except LessonError as error:
            errors.append(str(error).splitlines())

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(20)
    ((first, second),) = errors
    assert reason.format(path=tmp_path / name) in first
    assert advice.format(path=tmp_path / name) in second
    assert "delete it" not in second


@pytest.mark.parametrize("drawn", [True, False, None])
def test_a_network_that_has_seen_only_drawings_says_so(runs, capsys, drawn):
    file = runs / "20260101-000000" / "report.json"
    facts = json.loads(file.read_text())
    file.write_text(json.dumps(facts if drawn is None else facts | {"drawn": drawn}))
    predict.load_last()
    assert ("has seen only drawings" in capsys.readouterr().out) == bool(drawn)


@pytest.mark.skipif(sys.platform == "win32", reason="names that are bytes, on POSIX only")
def test_a_photo_whose_name_is_not_utf8_is_printed_escaped(runs, tmp_path):
    facts = json.loads((runs / "20260101-000000" / "report.json").read_text())
    (runs / "20260101-000000" / "report.json").write_text(json.dumps(facts | {"drawn": True}))
    torch.save(CIFAR10NetSimpleV3(2).state_dict(), runs / "20260101-000000" / "weights.pt")
    photo = os.fsdecode(os.fsencode(tmp_path) + b"/\xb9\xb7.png")
    Image.new("RGB", (40, 30)).save(photo)
    (tmp_path / "home").mkdir()
    runs.parent.rename(tmp_path / "home" / "models")
    ended = subprocess.run([sys.executable, "-m", "shared.training.predict", photo], cwd=ROOT,
                           env=environment(tmp_path / "home"), capture_output=True,
                           encoding="utf-8", check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    weights, mind, name, *classes = ended.stdout.splitlines()
    assert weights.startswith("Weights: ")
    assert mind.startswith("Mind that this network has seen only drawings")
    assert name == rf"{tmp_path}/\udcb9\udcb7.png"
    assert len(classes) >= 2
