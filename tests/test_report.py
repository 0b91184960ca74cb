"""What the trainer says of a trained network: pictures for TensorBoard, and report.json."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import ROOT, environment
from PIL import Image, ImageFont
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from shared.datasets import Pictures
from shared.errors import LessonError
from shared.training import __main__ as trainer
from shared.training import report
from shared.training.report import (
    draw_confusion,
    draw_mistakes,
    none_of_these,
    print_what_accuracy_hides,
    write_board,
    write_hparams,
    write_report,
)

WHITE, BLUE = [255, 255, 255], [9, 105, 218]


def test_a_confusion_matrix_is_darkest_where_all_of_a_class_went():
    targets = torch.tensor([0, 0, 1, 1, 2, 2])
    predicted = torch.tensor([0, 0, 0, 1, 1, 1])
    picture = draw_confusion(targets, predicted, ["ant", "bee", "蚂蚁"])
    assert picture.dtype == np.uint8
    corner = picture[40::72, 140::72]    # a pixel of each field, beside its count
    assert corner.shape == (3, 3, 3)
    assert corner[0].tolist() == [BLUE, WHITE, WHITE]
    assert corner[2].tolist() == [WHITE, BLUE, WHITE]
    assert corner[1, 0].tolist() == corner[1, 1].tolist() == [132, 180, 236]


def test_many_classes_still_fit_a_page():
    targets = torch.arange(100)
    picture = draw_confusion(targets, targets, [str(number) for number in range(100)])
    assert picture.shape == (960, 960, 3)
    assert picture[5, 5].tolist() == BLUE
    assert picture[5, 100].tolist() == WHITE


@pytest.mark.parametrize("names", [
    ["猫", "狗"], ["chien", "chèvre"], ["class_1", "class_2"], ["golden retriever", "golden retired"],
    ["птица", "🐱"], ["a\n", "a\r"], ["#1", "猫"]])
def test_different_classes_look_different(names):
    targets = torch.tensor([0, 1])
    picture = draw_confusion(targets, targets, names)
    rows, columns = ([picture[36:108, :130], picture[108:180, :130]],
                     [picture[:30, 136:200], picture[:30, 208:272]])
    scores = torch.tensor([[0.0, 1.0], [1.0, 0.0]])    # both are mistakes
    sheet = draw_mistakes(np.zeros((2, 32, 32, 3), np.uint8), targets, scores, names)
    captions = [sheet[96:116, :96], sheet[96:116, 104:200]]
    for first, second in (rows, columns, captions):
        assert (first < 200).any()
        assert (second < 200).any()
        assert not np.array_equal(first, second)


@pytest.mark.parametrize(("names", "short"), [
    (["cat", "Vögel", "deer"], ["cat", "#1", "deer"]),
    (["class_1", "class_2", "cat"], ["#0", "#1", "cat"]),
    (["猫", "cat", "a\nb"], ["#0", "cat", "#2"])])
def test_a_number_stands_where_a_name_cannot(names, short):
    assert report.short_names(names, 5) == short


def test_the_most_confident_mistakes_are_shown_over_their_captions():
    data = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
    targets = torch.zeros(12, dtype=torch.int64)
    scores = torch.zeros(12, 2)
    scores[:, 1] = torch.tensor([5, 1, 9, 2, -1, 3, 4, 6, 7, 8, 10, -2]).float()    # -: right
    sheet = draw_mistakes(data, targets, scores, ["cat", "dog"])
    assert sheet.shape == (2 * 166, 8 * 104, 3)
    for place, index in enumerate([10, 2, 9, 8, 7, 0, 6, 5, 3, 1]):
        y, x = place // 8 * 166, place % 8 * 104
        np.testing.assert_array_equal(sheet[y:y + 96:3, x:x + 96:3], data[index])
        assert (sheet[y + 96:y + 166, x:x + 96] < 128).any()    # something is written there
    assert (sheet[166:, 2 * 104:] == 255).all()
    without = draw_mistakes(data, targets, -scores.abs(), ["cat", "dog"])
    assert without.shape == (166, 8 * 104, 3)
    assert (without == 255).all()


def test_the_limit_is_set_on_one_half_and_checked_on_the_other():
    scores = torch.randn(10_000, 10, generator=torch.Generator().manual_seed(0))
    below, false_alarms = none_of_these(scores)
    confidence = scores.softmax(dim=1).max(dim=1).values
    assert (confidence[::2] < below).float().mean() == pytest.approx(0.05, abs=1e-3)
    assert false_alarms == (confidence[1::2] < below).float().mean()
    assert 0.04 < false_alarms < 0.06
    assert none_of_these(scores[:1])[1] == 0


@pytest.fixture
def data() -> Pictures:
    """Test pictures: 57 cats, 3 dogs and a bird."""
    pictures = np.zeros((61, 32, 32, 3), np.uint8)
    return Pictures(pictures, [0] * 57 + [1] * 3 + [2], ["cat", "dog", "bird 鸟"], "few pictures")


@pytest.fixture
def scores() -> torch.Tensor:
    """All are taken for cats, but for three cats that are taken for birds."""
    scores = torch.zeros(61, 3)
    scores[:, 0] = 1.0
    scores[:3, 2] = 2.0
    return scores


def test_the_report_has_the_share_of_each_class_without_noise(data, scores, tmp_path):
    returned = write_report({"accuracy": 0.9}, scores, data, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    written = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert written == returned
    assert written["accuracy"] == 0.9
    assert written["per_class"] == {"cat": 54 / 57, "dog": 0.0, "bird 鸟": 0.0}
    assert written["versions"]["torch"] == torch.__version__
    assert set(written["versions"]) == {"python", "torch", "torchvision"}
    assert set(written["none_of_these"]) == {"below", "false_alarms"}


def test_what_the_accuracy_hides_is_printed(data, scores, tmp_path, capsys):
    report = write_report({"accuracy": 0.9}, scores, data, tmp_path)
    print_what_accuracy_hides(report)
    assert capsys.readouterr().out == (
        "classes without a right answer: dog, bird 鸟\n"
        f"balanced accuracy {18 / 57:.4f}: the mean over the classes, which have 1 to 57 test "
        "pictures\n")

    data.targets[:] = [0] * 30 + [1] * 31
    data.classes.pop()
    report = write_report({"accuracy": 0.9}, torch.eye(2)[data.targets], data, tmp_path)
    print_what_accuracy_hides(report)
    assert capsys.readouterr().out == ""
    assert "balanced_accuracy" not in report


def test_the_board_has_pictures_curves_and_the_names(data, scores, tmp_path):
    with SummaryWriter(tmp_path) as writer:
        write_board(writer, scores, data)
        write_hparams(writer, {"recipe": "fast", "milestones": [1, 2]}, {"test accuracy": 0.9})
    events = EventAccumulator(str(tmp_path)).Reload()
    assert len(list(tmp_path.iterdir())) == 1    # add_hparams would make a second run
    assert sorted(events.Tags()["images"]) == ["12 pictures/2 confusion matrix",
                                               "12 pictures/3 most confident mistakes"]
    assert [point.value for point in events.Scalars("test accuracy")] == [pytest.approx(0.9)]
    tensors = events.Tags()["tensors"]
    assert {f"12 precision and recall/{name}" for name in data.classes} <= set(tensors)
    text = events.Tensors("1 classes/text_summary")[0].tensor_proto.string_val[0].decode()
    assert text == "    #0 cat\n    #1 dog\n    #2 bird 鸟"
    assert "_hparams_/session_start_info" in events.summary_metadata


# What the plain accuracy hides


@pytest.mark.parametrize(("counts", "is_balanced"), [
    ((3, 2), True), ((30, 20), True), ((30, 19), False), ((1, 1, 1), True)])
def test_balanced_accuracy_where_sizes_differ_by_more_than_a_third(counts, is_balanced, tmp_path,
                                                                    capsys):
    targets = [number for number, count in enumerate(counts) for _ in range(count)]
    data = Pictures(np.zeros((len(targets), 32, 32, 3), np.uint8), targets, list("abc")[:len(counts)],
                    "few")
    right = torch.nn.functional.one_hot(torch.tensor(targets), len(counts)).float()
    facts = write_report({"accuracy": 1.0}, right, data, tmp_path)
    assert facts.get("balanced_accuracy") == (None if is_balanced else 1.0)
    report.print_what_accuracy_hides(facts)
    out = capsys.readouterr().out
    assert ("balanced accuracy" in out) == (not is_balanced)
    assert "without a right answer" not in out


def test_of_many_classes_the_first_ten_are_named(tmp_path, capsys):
    data = Pictures(np.zeros((30, 32, 32, 3), np.uint8), [*range(30)],
                    [f"class {n}" for n in range(30)], "few")
    report.print_what_accuracy_hides(write_report({}, torch.eye(30).roll(1, 0), data, tmp_path))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("class 8, class 9 and 20 more")


# Names


@pytest.mark.parametrize("names", [
    ["Vögel", "Vägel"], ["a\x81", "a\x82"], ["a\xa0b", "a\xa1b"], ["cat", "cat "], [" ", "  "],
    ["golden ret1", "golden ret2"], ["ab\u0301", "ab\u0300"]])
def test_these_names_look_different_too(names):
    test_different_classes_look_different(names)


def test_every_character_that_is_drawn_looks_like_no_other():
    for size in (18, 24):    # as in the two pictures
        font = ImageFont.load_default(size)
        drawn = [chr(code) for code in range(256)
                 if report.short_names([f"a{chr(code)}b"], 9) != ["#0"]]
        looks = {(bytes(font.getmask(character)), font.getbbox(character)) for character in drawn}
        assert len(looks) == len(drawn) == 95
        assert bytes(font.getmask("\uffff")) not in {look for look, _ in looks}


@pytest.mark.filterwarnings("ignore:html5lib:DeprecationWarning")
def test_the_board_shows_the_names_as_they_are():
    """As a browser gets them: no headings from "#", no emphasis, no tags."""
    from tensorboard.plugin_util import markdown_to_safe_html

    names = ["<cat>", "__dog__", "[a](http://b)", "猫", "*a*"]
    texts = {}
    writer = SimpleNamespace(add_image=lambda *_, **__: None, add_pr_curve=lambda *_: None,
                             add_text=lambda tag, text: texts.update({tag: text}))
    data = Pictures(np.zeros((5, 32, 32, 3), np.uint8), [*range(5)], names, "few")
    write_board(writer, torch.eye(5), data)
    shown = markdown_to_safe_html(texts["1 classes"])
    assert html.unescape(re.sub("<[^>]*>", "", shown)).split("\n")[:5] == [
        f"#{number} {name}" for number, name in enumerate(names)]
    assert set(re.findall("<(\\w+)", shown)) == {"pre", "code"}


# A whole run on pictures of one's own


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    """57 cats and 3 dogs to test with; to train with, a dog and 57 cats."""
    root = tmp_path_factory.mktemp("few")
    for split, dogs in (("train", 1), ("test", 3)):
        for name, count in (("cat", 57), ("dog 狗", dogs)):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                picture = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
                Image.fromarray(picture).save(root / split / name / f"{number}.png")
    return root


def test_the_last_lines_of_a_run_name_the_rare_class(few, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "shared.training", "--data", few, "--epochs", "1"], cwd=ROOT,
        env=environment(tmp_path), capture_output=True, encoding="utf-8", check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    *_, rare, balanced, last = ended.stdout.splitlines()
    assert rare == "classes without a right answer: dog 狗"
    assert balanced == ("balanced accuracy 0.5000: the mean over the classes, which have 3 to 57 "
                        "test pictures")
    assert last.endswith(f"test accuracy 0.9500 (the pictures in {few})")
    (written,) = tmp_path.glob("models/training/*/report.json")
    facts = json.loads(written.read_text(encoding="utf-8"))
    assert (facts["balanced_accuracy"], facts["drawn"]) == (0.5, False)


@pytest.mark.skipif(sys.platform == "win32", reason="names that are bytes, on POSIX only")
@pytest.mark.parametrize("what", ["a class", "the folder"])
def test_a_name_that_is_not_utf8_is_refused_before_the_first_epoch(few, tmp_path, monkeypatch, what):
    root = shutil.copytree(few, tmp_path / "few")
    if what == "a class":
        for split in ("train", "test"):
            (root / split / "cat").rename(os.fsdecode(os.fsencode(root / split) + b"/\xb9\xb7"))
    else:
        root = root.rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xb9\xb7"))
    monkeypatch.setattr(sys, "argv", ["training", "--data", str(root)])
    monkeypatch.setattr(trainer, "new_run", None)    # nothing is written
    with pytest.raises(LessonError, match=r"\\udcb9\\udcb7'.* is not UTF-8\.\n.+$"):
        trainer.main()


def test_a_folder_of_data_is_named_with_a_tilde(few, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["training", "--data=~/few"])
    monkeypatch.setenv("HOME", str(few.parent))
    monkeypatch.setenv("USERPROFILE", str(few.parent))
    assert trainer.parse_flags()[0].data == str(few.parent / "few")
    monkeypatch.setattr(sys, "argv", ["training", "--data=~nosuchuser/few"])
    with pytest.raises(LessonError, match=r"'~nosuchuser/few' cannot be used as a folder: .*\nGive"):
        trainer.parse_flags()
