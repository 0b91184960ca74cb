"""Every lesson as a person runs it: it ends well, says nothing on stderr, and prints what its comments claim."""

import ast
import re
import runpy
import subprocess
import sys

import pytest
from checked_outputs import expected_outputs, first_mismatch
from conftest import LESSONS, ROOT, environment, find_lesson, run_lesson
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from shared import paths
from shared.drawn import CLASSES

NUMBERS = range(1, 13)

# What each lesson leaves for TensorBoard: the tags of its curves and the number of points, the tags of its pictures
# and how many there are of each, the histograms likewise, and whether there is a graph. Each has a card
# of text that says what to look at.
BOARDS = {
    2: {"images": {f"2 first half of each batch/epoch {epoch}": 10 for epoch in range(2)}},
    3: {"scalars": {"3 charts/1 y = x": 100, "3 charts/2 powers of x": 3 * 100},
        "images": {"3 pictures/1 ant, HWC": 1, "3 pictures/2 ant, CHW": 1, "3 pictures/3 ant, closer": 3}},
    4: {"images": {f"4 transforms/{number:02} {name}": 1 for number, name in enumerate(
        ("picture", "OpenCV, as it is read", "OpenCV, put right", "CenterCrop(100)", "CenterCrop((100, 150))",
         "RandomCrop((200, 300))", "Resize((256, 300))", "Resize(30)", "RandomHorizontalFlip(1)",
         "Normalize, back in 0...1"), start=1)}},
    5: {"images": {f"5 classes/{number} {name}": 1 for number, name in enumerate(CLASSES)}},
    6: {"images": {f"{edges}/{tag}": 1 for edges in ("6.1 vertical edges", "6.2 horizontal edges")
                   for tag in ("1 ant", "2 kernel", "3 after the kernel")}},
    7: {"images": dict.fromkeys((
        "7 convolution/1 input", "7 convolution/3 after the kernels", "7 convolution/4 after six kernels",
        "7 pooling/1 input", "7 pooling/2 pooled", "7 pooling/3 unpooled"), 10) | {"7 convolution/2 kernels": 1}},
    8: {"scalars": {"8 curves/step = 10 x": 2 * 101},
        "images": {f"8 pictures/{tag}": 10 for tag in ("1 input", "2 after Sigmoid", "3 minus 0.5, after ReLU")}},
    9: {"graph": True},
    10: {"scalars": {"10 loss/mean of each epoch": 4 * 20},
         "histograms": {f"10 weights/{optimizer}{of}": 20 for of in ("", ", gradient")
                        for optimizer in ("1 SGD", "2 SGD with momentum", "3 RMSprop", "4 Adam")}},
    11: {"scalars": {"11 accuracy/500 test pictures": 20},
         "images": {"11 features/1 picture": 1, "11 features/2 random weights": 1}},
    12: {"scalars": dict.fromkeys(("train_loss", "train_acc", "test_loss", "test_acc", "learning_rate",
                                   "images_per_second"), 8),
         "images": dict.fromkeys(("12 pictures/1 first batch, cropped and mirrored", "12 pictures/2 confusion matrix",
                                  "12 pictures/3 most confident mistakes"), 1),
         "pr_curves": dict.fromkeys((f"12 precision and recall/{name}" for name in CLASSES), 1)},
}


def read_board(run):
    """What TensorBoard's own reader finds in a run and its sub-runs, in the form of BOARDS."""
    board = {"scalars": {}, "images": {}, "histograms": {}, "pr_curves": {}, "texts": [], "graph": False}
    for folder in {path.parent for path in run.rglob("events.out.tfevents.*")}:
        events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "histograms": 0}).Reload()
        for tag in events.Tags()["scalars"]:
            board["scalars"][tag] = board["scalars"].get(tag, 0) + len(events.Scalars(tag))
        for tag in events.Tags()["images"]:
            board["images"][tag] = len(events.Images(tag))
        for tag in events.Tags()["histograms"]:
            board["histograms"][tag] = len(events.Histograms(tag))
        for tag in events.Tags()["tensors"]:
            if events.SummaryMetadata(tag).plugin_data.plugin_name == "pr_curves":
                board["pr_curves"][tag] = len(events.Tensors(tag))
            elif not tag.startswith(("_hparams_/", "custom_scalars__")):    # lesson 12's; see test_tensorboard_http.py
                board["texts"].append(tag)
        board["graph"] |= events.Tags()["graph"]
    return board


@pytest.mark.parametrize("number", NUMBERS)
def test_lesson_prints_what_its_comments_say(number, lesson_results):
    result = lesson_results(number)
    assert result.stderr == ""
    assert result.status == 0
    assert first_mismatch(expected_outputs(find_lesson(number)), result.stdout) is None


@pytest.mark.parametrize("number", NUMBERS)
def test_lesson_says_which_pictures_it_used(number, lesson_results):
    stdout = lesson_results(number).stdout
    if number == 9:    # it needs none
        assert "Data:" not in stdout
        return
    assert "Data: drawn stand-in, not " in stdout
    for line in stdout.splitlines():
        if "test accuracy" in line:
            assert "drawn stand-in, not CIFAR-10" in line


@pytest.mark.parametrize("number", BOARDS)
def test_lesson_leaves_its_tags_for_tensorboard(number, lesson_results):
    result = lesson_results(number)
    nothing = {"scalars": {}, "images": {}, "histograms": {}, "pr_curves": {}, "graph": False,
               "texts": ["0 look at/text_summary"]}
    assert read_board(result.run) == nothing | BOARDS[number]
    assert re.fullmatch(r"\d{8}-\d{6}" + ("" if number == 9 else "-drawn"), result.run.name)
    assert f"--logdir {result.run}" in result.stdout.replace('"', "")    # the command that opens this run


def test_lesson_12_learns_and_keeps_the_weights(lesson_results, home):
    result = lesson_results(12)
    accuracy = float(re.search(r"test accuracy (0\.\d{4}) \(drawn stand-in, not CIFAR-10\)\n\Z", result.stdout)[1])
    assert accuracy > 0.8
    assert (home / "models" / "12_train_gpu" / result.run.name / "weights.pt").stat().st_size > 4 * 419_690


# Those that CIFAR-10 matters to, with few pictures where they train.
@pytest.mark.parametrize(("number", "arguments"), [
    (2, []), (5, []), (7, []), (10, ["--epochs", "2", "--limit", "500"]), (12, ["--epochs", "1", "--limit", "1000"])])
def test_lesson_on_real_pictures(number, arguments, real_home, tmp_path):
    result = run_lesson(number, *arguments, home=real_home, cwd=tmp_path)
    assert result.stderr == ""
    assert result.status == 0
    assert first_mismatch(expected_outputs(find_lesson(number)), result.stdout) is None
    assert "drawn" not in result.stdout
    assert "Data: CIFAR-10" in result.stdout
    assert re.fullmatch(r"\d{8}-\d{6}", result.run.name)


def test_workers_that_import_the_lesson_again(home, tmp_path):
    """As on Windows, on macOS and on Linux since Python 3.14: a file without the guard would not end."""
    (tmp_path / "sitecustomize.py").write_text(
        "import multiprocessing\nmultiprocessing.set_start_method('spawn', force=True)\n")
    result = run_lesson(2, home=home, cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.count("two epochs alike") == 1


def test_lesson_11_loads_weights_that_were_fetched(home, tmp_path):
    """The real path from a file in models/hub to features, with a file made here in the place of ImageNet's.

    Its tensors are one number each, stretched to VGG16's shapes, so that it has kilobytes and not 553 MB. Fifty
    pictures each, to train and to test with, show as much as a thousand and take seconds.
    """
    (home / "data").mkdir(exist_ok=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "data").symlink_to(home / "data")    # the stand-in need not be drawn again
    script = tmp_path / "with_other_weights.py"
    script.write_text(f"""
import dataclasses, hashlib, runpy, sys
import torch
from torchvision.models import VGG16_Weights, vgg16
from shared import datasets, download
from shared.paths import MODELS

def few(train, transform):
    pictures = cifar10(train, transform)
    pictures.data, pictures.targets = pictures.data[:50], pictures.targets[:50]
    return pictures

cifar10, datasets.cifar10 = datasets.cifar10, few
file = MODELS / "hub" / "checkpoints" / download.VGG16.name
file.parent.mkdir(parents=True)
with torch.device("meta"):
    shapes = {{name: tensor.shape for name, tensor in vgg16().state_dict().items()}}
torch.save({{name: torch.full((1,), 0.01).expand(shape) for name, shape in shapes.items()}}, file)
digest = hashlib.sha256(file.read_bytes()).hexdigest()
download.VGG16 = dataclasses.replace(download.VGG16, size=file.stat().st_size, sha256=digest)
sys.argv[1:] = ["--epochs", "1"]
lesson = runpy.run_path({str(find_lesson(11))!r}, run_name="__main__")
assert torch.equal(lesson["networks"]["ImageNet weights"].features[0].weight, torch.full((64, 3, 3, 3), 0.01))
""", encoding="utf-8")
    process = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False,
                             env=environment(tmp_path / "home"))
    assert (process.returncode, process.stderr) == (0, "")
    assert re.search(r"^test accuracy 0\.\d+ with ImageNet weights \(50 pictures: drawn stand-in, not CIFAR-10\)$",
                     process.stdout, re.MULTILINE)


@pytest.mark.parametrize(("number", "arguments", "complaint"), [
    (10, ["--epochs", "0"], "'0' is not a whole number from 1 to 999999999"),
    (11, ["--limit", "many"], "'many' is not a whole number from 1 to 999999999"),
    (12, ["--epochs", "-1"], "--epochs"),
    (12, ["--recipe", "slow"], "invalid choice: 'slow'"),
    (12, ["--seed", "9" * 30], "is not a whole number from 1 to 999999999"),
])
def test_wrong_flags_are_told_in_two_lines(number, arguments, complaint, tmp_path, monkeypatch, capsys):
    """In this process, for once: another would first import PyTorch, for seconds."""
    lesson = str(find_lesson(number))
    monkeypatch.setattr(sys, "argv", [lesson, *arguments])
    monkeypatch.setattr(paths, "LOGS", tmp_path)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(lesson, run_name="__main__")
    stderr = capsys.readouterr().err
    assert ended.value.code == 2
    assert complaint in stderr
    assert len(stderr.strip().splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told_in_two_lines(home, tmp_path):
    result = run_lesson(12, "--data", "no such folder", home=home, cwd=tmp_path)
    assert result.status == 2
    assert f"there is no folder {tmp_path}/no such folder/train" in result.stderr
    assert len(result.stderr.strip().splitlines()) <= 2
    assert result.run is None


def test_logs_that_cannot_be_written(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    result = run_lesson(9, home=tmp_path, cwd=tmp_path)
    assert result.status == 2
    assert result.stderr.startswith(f"Error: cannot write to {tmp_path / 'logs'}")
    assert len(result.stderr.strip().splitlines()) == 2


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_lesson_reads_as_a_lesson(lesson):
    source = lesson.read_text(encoding="utf-8")
    lines = source.splitlines()
    assert len(lines) <= (250 if lesson.name.startswith("12") else 120)
    docstring = ast.get_docstring(ast.parse(source))
    assert docstring.startswith(lesson.name[:2] + ". ")
    assert f"    python lessons/{lesson.name}" in docstring
    assert f"    tensorboard --logdir logs/{lesson.stem}" in docstring or lesson.name.startswith("01")
    titles = [line.split("# %% ")[1] for line in lines if "# %%" in line]
    assert len(titles) >= 3
    assert all(len(title.split()) >= 3 for title in titles)    # a claim, not a noun
    suggestions = source.split("# Try next:\n")[1].splitlines()
    assert 2 <= sum(line.startswith("# - ") for line in suggestions) <= 3
    assert expected_outputs(lesson)


def test_a_wrong_comment_is_found(tmp_path):
    lesson = tmp_path / "lesson.py"
    lesson.write_text("print(1)  # -> 1\nprint('a', 2)\n# -> a 2\n"
                      "print('x\\n y')\n# -> x\n#    y\nx = y  # -> (2, 3)\nprint(3.5)\n# -> 3...\n")
    expected = expected_outputs(lesson)
    assert expected == [(1, "1"), (3, "a 2"), (5, "x\n    y"), (9, "3...")]
    assert first_mismatch(expected, "1\nunclaimed\na 2\nx\n y\n3.5\n") is None
    assert "line 3 says it prints\na 2" in first_mismatch(expected, "1\na 3\nx\n y\n3.5\n")
    assert "line 5 says" in first_mismatch(expected, "1\na 2\nx\n z\n3.5\n")
    assert "line 3 says" in first_mismatch(expected, "a 2\n1\nx\n y\n3.5\n")    # all there, in another order
    assert "line 9 says" in first_mismatch(expected, "1\na 2\nx\n y\n4.5\n")
