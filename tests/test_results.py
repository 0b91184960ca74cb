"""What lesson 12 says of a trained network: pictures for TensorBoard, and what is on a photo."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from shared import LessonError
from shared.results import draw_confusion, draw_mistakes, none_of_these, predict


def test_a_confusion_matrix_is_darkest_where_all_of_a_class_went():
    targets = torch.tensor([0, 0, 1, 1, 2, 2])
    said = torch.tensor([0, 0, 0, 1, 1, 1])
    picture = draw_confusion(targets, said, ["ant", "bee", "蚂蚁"])
    assert picture.dtype == np.uint8
    corner = picture[40::72, 140::72]    # a pixel of each field, beside its count
    assert corner.shape == (3, 3, 3)
    white, blue = [255, 255, 255], [9, 105, 218]
    assert corner[0].tolist() == [blue, white, white]
    assert corner[2].tolist() == [white, blue, white]
    assert corner[1, 0].tolist() == corner[1, 1].tolist() == [132, 180, 236]


def test_many_classes_still_fit_a_page():
    targets = torch.arange(100)
    picture = draw_confusion(targets, targets, [str(number) for number in range(100)])
    assert picture.shape == (960, 960, 3)
    assert picture[5, 5].tolist() == [9, 105, 218]
    assert picture[5, 100].tolist() == [255, 255, 255]


def test_mistakes_are_shown_as_they_are_over_their_captions():
    data = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), np.uint8)
    sheet = draw_mistakes(data, [("cat", "dog", "99%")] * 9)
    for number in range(9):
        y, x = number // 8 * 166, number % 8 * 104
        np.testing.assert_array_equal(sheet[y:y + 96:3, x:x + 96:3], data[number])
        assert (sheet[y + 96:y + 166, x:x + 96] < 128).any()    # something is written there
    assert draw_mistakes(data[:0], []).shape[2] == 3    # a network without mistakes


def test_the_limit_is_set_on_one_half_and_checked_on_the_other():
    scores = torch.randn(10_000, 10, generator=torch.Generator().manual_seed(0))
    below, false_alarms = none_of_these(scores)
    surest = scores.softmax(dim=1).max(dim=1).values
    assert (surest[::2] < below).float().mean() == pytest.approx(0.05, abs=1e-3)
    assert false_alarms == (surest[1::2] < below).float().mean()
    assert 0.04 < false_alarms < 0.06


class Brightness(nn.Module):
    """Says "dark" of a dark picture, "light" of a light one, and does not know of a grey one."""

    def __init__(self, classes: int):
        super().__init__()
        self.layer = nn.Linear(1, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.mean(dim=(1, 2, 3))[:, None])


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "models 课程" / "12_train_gpu"
    for name, source in (("20260101-000000", "older pictures"), ("20260102-000000", "newer pictures")):
        (folder / name).mkdir(parents=True)
        torch.save({"layer.weight": torch.tensor([[-10.0], [10.0]]), "layer.bias": torch.tensor([5.0, -5.0])},
                   folder / name / "weights.pt")
        (folder / name / "report.json").write_text(json.dumps({
            "accuracy": 0.5, "data": source, "mean": [0, 0, 0], "std": [1, 1, 1], "per_class": {"dark": 0, "light": 1},
            "none_of_these": {"below": 0.6, "false_alarms": 0.043}}), encoding="utf-8")
    return folder


def test_photos_of_every_kind(runs, tmp_path, capsys):
    Image.new("RGB", (640, 480), (250, 250, 250)).save(tmp_path / "light 光.jpg")
    Image.new("L", (7, 90), 5).save(tmp_path / "dark.png")
    Image.new("P", (50, 50), 0).save(tmp_path / "dark palette.png")
    Image.new("RGBA", (99, 99), (127, 128, 127, 255)).save(tmp_path / "grey.png")
    photos = [tmp_path / name for name in ("light 光.jpg", "dark.png", "dark palette.png", "grey.png")]
    predict(Brightness, photos, runs)
    said = capsys.readouterr().out
    assert said.startswith(f"Weights: {runs / '20260102-000000'}, trained on newer pictures, test accuracy 0.5000\n")
    blocks = said.split(f"{tmp_path}/")[-4:]
    likeliest = [block.splitlines()[1].split()[0] for block in blocks]
    assert likeliest[:3] == ["light", "dark", "dark"]
    assert ["Probably none of the 2" in block for block in blocks] == [False, False, False, True]
    assert "#" * 40 in blocks[0]
    assert "4.3% of the test pictures" in blocks[3]


def test_what_cannot_be_predicted_is_told(runs, tmp_path):
    (tmp_path / "page.jpg").write_text("<html>")
    with pytest.raises(LessonError, match="cannot read the picture"):
        predict(Brightness, [tmp_path / "page.jpg"], runs)
    with pytest.raises(LessonError, match="no trained weights"):
        predict(Brightness, [tmp_path / "page.jpg"], tmp_path / "no runs")
