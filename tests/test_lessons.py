"""Every lesson as a person runs it: it prints what its comments say and nothing on stderr, and
leaves in TensorBoard what it tells the reader to look at.
"""

import ast
import random
import re
import runpy
import shlex
import signal
import subprocess
import sys
import threading

import pytest
import torch
from checked_outputs import expected_outputs, first_mismatch, unlabelled_lines
from conftest import LESSONS, ROOT, environment, find_lesson, run_lesson
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from shared import paths
from shared.sources.drawn import CLASSES, draw

NUMBERS = range(1, 13)
WITH_BOARD = range(2, 13)
NEEDS_NO_DATA = 9

OPTIMIZERS = ("1 SGD", "2 SGD with momentum", "3 RMSprop", "4 Adam")
TRANSFORMS = (
    "01 the picture", "02 OpenCV, as it is read", "03 OpenCV, channels reversed",
    "04 CenterCrop(100)", "05 CenterCrop((100, 150))", "06 RandomCrop((200, 300))",
    "07 Resize((256, 300))", "08 Resize(30), nearest", "09 Resize(30), bilinear",
    "10 RandomHorizontalFlip(1)", "11 Normalize, -1 to 1", "12 Normalize, moved back to 0 to 1")

# What each lesson leaves for TensorBoard: the tags of its curves with the number of points (of all
# curves of a tag together), the tags of its pictures and histograms with the number of steps, and
# whether there is a graph. Where it is not said, the only text is what to look at.
BOARDS = {
    2: {"images": {f"2 shuffled/epoch {epoch}, first half of each batch": 4 for epoch in (1, 2)}},
    3: {"scalars": {"3 charts/1 y = x": 100, "3 charts/2 powers of x": 3 * 100},
        "images": {"3 pictures/1 six pixels": 1, "3 pictures/2 ant, HWC": 1,
                   "3 pictures/3 ant, CHW tensor": 1, "3 pictures/4 ant, closer": 4}},
    4: {"images": {f"4 transforms/{name}": 1 for name in TRANSFORMS}
        | {"4 augmentation/1 one ant in four epochs": 4}},
    5: {"images": {f"5 {group}/{number} {name}": 1 for group in ("classes", "means")
                   for number, name in enumerate(CLASSES)}},
    6: {"images": {"6 edges/1 ant": 1, "6 edges/2 feature map of kernel 1": 1,
                   "6 edges/3 feature map of kernel 2": 1, "6 edges/4 both together": 1,
                   "6 kernels/1 kernel": 1, "6 kernels/2 kernel": 1}},
    7: {"images": {"7 convolution/1 the six kernels": 1,
                   "7 convolution/2 pictures and feature maps": 4,
                   "7 pooling/1 pictures, largest, mean, put back": 4}},
    8: {"scalars": {"8 curves/1 activations, step = 10 x": 3 * 101,
                    "8 curves/2 two linear layers, step = 10 x": 2 * 101},
        "images": {"8 pictures/1 pictures, Sigmoid, ReLU": 4}},
    9: {"graph": True},
    10: {"scalars": {"10 loss/mean of each epoch": 4 * 12}
         | {f"10 accuracy/{name}": 2 * 12 for name in OPTIMIZERS},
         "images": {f"10 predictions/test picture {number}": 1 for number in range(3)},
         "histograms": {f"10 weights/{name}": 12 for name in OPTIMIZERS}},
    11: {"scalars": {"11 accuracy/test pictures": 3 * 12},
         "images": {"11 first layer/1 picture": 1, "11 first layer/2 feature maps": 1},
         "texts": {"0 look at", "11 table"}},
    12: {"scalars": {"12 curves/loss": 2 * 3, "12 curves/accuracy": 2 * 3,
                     "12 learning rate/after each epoch": 1 + 3},
         "images": {"12 pictures/1 training pictures": 1,
                    "12 pictures/2 a batch, moved and mirrored": 1,
                    "12 pictures/3 confusion matrix": 1,
                    "12 pictures/4 most confident mistakes": 1}},
}
# And the trainer of `trainer_run`, with precision-recall curves.
TRAINER = {
    "scalars": {"12 curves/loss": 2 * 2, "12 curves/accuracy": 2 * 2, "12 speed/learning rate": 2,
                "12 speed/pictures a second": 2, "test accuracy": 1, "test loss": 1},
    "images": {"12 pictures/1 training pictures": 1, "12 pictures/2 confusion matrix": 1,
               "12 pictures/3 most confident mistakes": 1},
    "pr_curves": {f"12 precision and recall/{name}": 1 for name in CLASSES},
    "texts": {"0 look at", "1 classes"},
}
NOTHING = {"scalars": {}, "images": {}, "histograms": {}, "pr_curves": {}, "graph": False,
           "texts": {"0 look at"}}


# The folder of the runs -> the board of each.
BOARD_OF = {find_lesson(number).stem: board for number, board in BOARDS.items()} | {
    "training": TRAINER}


def read_board(run):
    """What TensorBoard's own reader finds in a run and its sub-runs, in the form of BOARDS.

    "texts" has the texts, too: tag -> text.
    """
    board = {"scalars": {}, "images": {}, "histograms": {}, "pr_curves": {}, "graph": False,
             "texts": {}}
    everything = {"images": 0, "scalars": 0, "histograms": 0}
    for folder in {path.parent for path in run.rglob("events.out.tfevents.*")}:
        events = EventAccumulator(str(folder), size_guidance=everything).Reload()
        for tag in events.Tags()["scalars"]:
            board["scalars"][tag] = board["scalars"].get(tag, 0) + len(events.Scalars(tag))
        for tag in events.Tags()["images"]:
            board["images"][tag] = len(events.Images(tag))
        for tag in events.Tags()["histograms"]:
            board["histograms"][tag] = len(events.Histograms(tag))
        for tag in events.Tags()["tensors"]:
            text = events.Tensors(tag)[0].tensor_proto.string_val[0].decode()
            board["texts"][tag.removesuffix("/text_summary")] = text
        board["graph"] |= events.Tags()["graph"]
    return board


# The name of a tab, as TensorBoard writes it.
TAB = re.compile(r"(Time Series|Scalars|Images|Graphs|Histograms|Text) tab\b")


def tasks(printed):
    """What a lesson asks the reader to look at in TensorBoard, one string for each task."""
    _, _, text = printed.rpartition("\nLook at:\n")
    text, _, _ = text.partition("\n\n")    # below that, lesson 12 has its result
    return [" ".join(task.split()) for task in re.split(r"^- ", text, flags=re.MULTILINE)[1:]]


@pytest.mark.parametrize("number", NUMBERS)
def test_lesson_prints_what_its_comments_say(number, lesson_results):
    result = lesson_results(number)
    assert result.stderr == ""
    assert result.status == 0
    assert first_mismatch(expected_outputs(find_lesson(number)), result.stdout) is None


@pytest.mark.parametrize("number", NUMBERS)
def test_each_printed_line_says_what_it_is(number, lesson_results):
    assert unlabelled_lines(lesson_results(number).stdout) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_lesson_says_which_pictures_it_used(number, lesson_results):
    stdout = lesson_results(number).stdout
    if number == NEEDS_NO_DATA:
        assert "Data:" not in stdout
        return
    assert "Data: drawn stand-in, not " in stdout
    for line in stdout.splitlines():
        if re.search(r"test accuracy[: ]+\d", line):
            assert "drawn stand-in, not CIFAR-10" in line


@pytest.mark.parametrize("number", WITH_BOARD)
def test_lesson_leaves_its_tags_for_tensorboard(number, lesson_results):
    run = lesson_results(number).run
    board = read_board(run)
    board["texts"] = set(board["texts"])
    assert board == NOTHING | BOARDS[number]
    assert re.fullmatch(r"\d{8}-\d{6}" + ("" if number == NEEDS_NO_DATA else "-drawn"), run.name)


@pytest.mark.parametrize("number", WITH_BOARD)
def test_the_last_lines_say_what_to_look_at(number, lesson_results):
    result = lesson_results(number)
    _, _, last_lines = result.stdout.rpartition("\nSee it in TensorBoard")
    _, command, address, title, look_at = last_lines.split("\n", maxsplit=4)
    program, flag, run = shlex.split(command)
    assert (program.rpartition("/")[2], flag, run) == ("tensorboard", "--logdir", str(result.run))
    assert "http://localhost:6006" in address
    assert title == "Look at:"
    if number == 12:    # the result stands below
        look_at, _, accuracy = look_at.partition("\n\n")
        assert len(accuracy.splitlines()) == 1

    # The text is on the board, too. It begins with a tab, and names groups or cards that are there.
    assert read_board(result.run)["texts"]["0 look at"].strip() == look_at.strip()
    assert TAB.match(tasks(result.stdout)[0])
    tags = [tag for kind in BOARDS[number].values() if kind is not True for tag in kind]
    there = {name for tag in tags for name in (tag, *tag.split("/"))}
    named = re.findall(r'"([^"]*)"', " ".join(look_at.split()))
    assert {name for name in named if name[0].isdecimal()} <= there


def test_lesson_12_learns_and_keeps_the_weights(lesson_results, made_once):
    result = lesson_results(12)
    last_line = result.stdout.splitlines()[-1]
    accuracy = re.search(r"test accuracy (0\.\d{4}) \(drawn stand-in, not CIFAR-10\)$", last_line)
    assert float(accuracy[1]) > 0.7
    weights = made_once / "models" / "12_train_gpu" / result.run.name / "weights.pt"
    assert weights.stat().st_size > 4 * 419_690


@pytest.fixture
def forty_pictures(tmp_path):
    """A LESSONS_HOME with forty training pictures and ten test pictures."""
    for split, count in (("train", 4), ("test", 1)):
        for name in CLASSES:
            folder = tmp_path / "data" / "cifar10" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                draw(name, random.Random(number)).save(folder / f"{number}.png")
    return tmp_path


def test_lesson_12_without_flags_takes_all_pictures_and_eight_epochs(forty_pictures):
    result = run_lesson(12, home=forty_pictures, cwd=forty_pictures)
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.count("\nepoch ") == 8
    assert "\n8 epochs of 40 pictures on " in result.stdout


def test_the_program_that_lesson_12_ends_with_runs(forty_pictures):
    _, cell = find_lesson(12).read_text(encoding="utf-8").split("program of your own\n# You can")
    program = "\n".join(re.findall(r"^#     (.*)", cell, re.MULTILINE))
    ended = subprocess.run([sys.executable, "-c", program], cwd=forty_pictures,
                           env=environment(forty_pictures), capture_output=True, text=True,
                           check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.findall(r"^epoch (\d): test accuracy [01]\.\d{3}$", ended.stdout, re.MULTILINE) == [
        str(epoch) for epoch in range(1, 9)]
    saved = torch.load(forty_pictures / "checkpoint.pt", weights_only=True)
    assert (saved["epoch"], set(saved)) == (8, {"epoch", "network", "optimizer"})


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7, 8, 10, 12])
def test_lesson_on_real_pictures(number, real_home, tmp_path):
    flags = ["--epochs", "1", "--limit", "1000"] if number == 12 else []
    result = run_lesson(number, *flags, home=real_home, cwd=tmp_path)
    assert result.stderr == ""
    assert result.status == 0
    assert first_mismatch(expected_outputs(find_lesson(number)), result.stdout) is None
    assert "drawn stand-in" not in result.stdout
    assert re.search(r"^Data: (CIFAR-10|ants and bees), ", result.stdout, re.MULTILINE)
    if number != 1:
        assert re.fullmatch(r"\d{8}-\d{6}", result.run.name)


def test_workers_that_import_the_lesson_again(home, tmp_path):
    """As on Windows, on macOS and on Linux since Python 3.14. Without its `if` it would not end."""
    (tmp_path / "sitecustomize.py").write_text(
        "import multiprocessing\nmultiprocessing.set_start_method('spawn', force=True)\n")
    result = run_lesson(2, home=home, cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.count("pictures are the same with workers: True") == 1


WITH_FETCHED_WEIGHTS = """
import dataclasses, hashlib, runpy, sys
import torch
from torchvision.models import vgg16
from shared import datasets
from shared.paths import MODELS
from shared.sources import download

def few(train):
    pictures = cifar10(train)
    pictures.data, pictures.targets = pictures.data[:50], pictures.targets[:50]
    return pictures

cifar10, datasets.cifar10 = datasets.cifar10, few
file = MODELS / "hub" / "checkpoints" / download.VGG16.name
file.parent.mkdir(parents=True)
with torch.device("meta"):
    shapes = {name: tensor.shape for name, tensor in vgg16().state_dict().items()}
torch.save({name: torch.full((1,), 0.001).expand(shape) for name, shape in shapes.items()}, file)
digest = hashlib.sha256(file.read_bytes()).hexdigest()
download.VGG16 = dataclasses.replace(download.VGG16, size=file.stat().st_size, sha256=digest)
lesson = runpy.run_path(sys.argv[1], run_name="__main__")
assert torch.equal(lesson["vgg"].features[0].weight, torch.full((64, 3, 3, 3), 0.001))
"""


def test_lesson_11_loads_weights_that_were_downloaded(home, tmp_path):
    """From a file in models/hub, which has other numbers here than ImageNet's.

    Each of its tensors is one number, stretched to the shape of VGG16's. So the file has kilobytes,
    and not 553 MB. Fifty pictures, because they take seconds.
    """
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "data").symlink_to(home / "data")    # drawn once for all tests
    script = tmp_path / "with_fetched_weights.py"
    script.write_text(WITH_FETCHED_WEIGHTS, encoding="utf-8")
    process = subprocess.run([sys.executable, script, find_lesson(11)], text=True, check=False,
                             env=environment(tmp_path / "home"), capture_output=True)
    assert (process.returncode, process.stderr) == (0, "")
    assert "VGG16 has: ImageNet weights\n" in process.stdout
    assert ("Test accuracy on 50 pictures (drawn stand-in, not CIFAR-10), VGG16 with ImageNet "
            "weights:\n") in process.stdout
    assert "Missing" not in process.stdout


@pytest.fixture
def hooks_restored(monkeypatch):
    """A lesson that runs in this process changes its hooks. Afterwards they are as before."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.usefixtures("hooks_restored")
@pytest.mark.parametrize(("flags", "complaint"), [
    (["--epochs", "0"], "'0' is not a whole number from 1 to 999999999"),
    (["--epochs", "-1"], "--epochs"),
    (["--limit", "many"], "'many' is not a whole number from 1 to 999999999"),
    (["--limit", "9" * 30], "is not a whole number from 1 to 999999999"),
    (["--recipe", "best"], "unrecognized arguments: --recipe best"),
])
def test_wrong_flags_are_told_in_two_lines(flags, complaint, tmp_path, monkeypatch, capsys):
    """In this process, because another one would have to import PyTorch, which takes seconds."""
    lesson = str(find_lesson(12))
    # If tests of notebooks ran before, ipykernel is there, and the lesson would ignore its flags.
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys, "argv", [lesson, *flags])
    monkeypatch.setattr(paths, "LOGS", tmp_path)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(lesson, run_name="__main__")
    stderr = capsys.readouterr().err
    assert ended.value.code == 2
    assert complaint in stderr
    assert len(stderr.strip().splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_logs_that_cannot_be_written(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    result = run_lesson(9, home=tmp_path, cwd=tmp_path)
    assert result.status == 2
    assert result.stderr.startswith(f"Error: cannot write to {tmp_path / 'logs'}")
    assert len(result.stderr.strip().splitlines()) == 2


# How a lesson is written


def suggestions(lesson):
    """What stands below "Try next", one string for each suggestion."""
    text = lesson.read_text(encoding="utf-8").split("\n# Try next:\n")[1]
    assert all(line.startswith(("# - ", "#   ")) for line in text.splitlines())
    return [" ".join(item.replace("\n#", "").split()) for item in text.split("# - ")[1:]]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_docstring_says_what_it_is_and_how_long_it_takes(lesson):
    docstring = ast.get_docstring(ast.parse(lesson.read_text(encoding="utf-8")))
    assert docstring.startswith(lesson.name[:2] + ". ")
    assert f"    python lessons/{lesson.name} " in docstring
    if lesson.name[:2] != "01":
        assert f"    tensorboard --logdir logs/{lesson.stem} " in docstring
    assert re.search(r"\btakes? (about \d+|\d+ to \d+) (seconds|minutes)\b", " ".join(docstring.split()))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_lesson_is_made_of_cells(lesson):
    source = lesson.read_text(encoding="utf-8")
    titles = re.findall(r"^ *# %% (.+)$", source, re.MULTILINE)
    assert titles[0] == "Setup"
    assert len(titles) >= 4
    assert all(len(title.split()) >= 3 for title in titles[1:])    # a claim, not a noun
    assert len(set(titles)) == len(titles)
    assert expected_outputs(lesson)

    # Torch looks at the environment that begin_lesson prepares, so it comes later.
    setup = [ast.unparse(statement) for statement in ast.parse(source).body[1:3]]
    assert setup[0].startswith("from shared.errors import ")
    assert setup[1] == "begin_lesson()"
    assert ("def main()" in source) == (lesson.name[:2] == "02")
    assert ("argparse" in source) == (lesson.name[:2] == "12")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_try_next_asks_two_or_three_questions(lesson):
    found = suggestions(lesson)
    assert 2 <= len(found) <= 3
    assert all("?" in suggestion for suggestion in found)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_the_guide_has_folded_answers(lesson):
    """A `<details>` whose `<summary>` names the lesson's number, with a paragraph for each."""
    guide = (ROOT / "lessons" / "README.md").read_text(encoding="utf-8")
    folded = re.findall(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", guide, re.DOTALL)
    number = int(lesson.name[:2])
    answers = [text for summary, text in folded if re.search(rf"\b0?{number}\b", summary)]
    assert len(answers) == 1
    assert len(answers[0].strip().split("\n\n")) >= len(suggestions(lesson))
    for setting in re.findall(r"`([A-Z_]+) = ", " ".join(suggestions(lesson))):
        assert setting in answers[0]


# The checks, checked


def test_a_wrong_comment_is_found(tmp_path):
    lesson = tmp_path / "lesson.py"
    lesson.write_text("print(1)  # -> 1\nprint('a', 2)\n# -> a 2\n"
                      "print('x\\n y')\n# -> x\n#    y\n"
                      "x = y  # -> (2, 3)\nprint(3.5)\n# -> 3...\n")
    expected = expected_outputs(lesson)
    assert expected == [(1, "1"), (3, "a 2"), (5, "x\n    y"), (9, "3...")]
    assert first_mismatch(expected, "1\nunclaimed\na 2\nx\n y\n3.5\n") is None
    assert "line 3 says it prints\na 2" in first_mismatch(expected, "1\na 3\nx\n y\n3.5\n")
    assert "line 5 says" in first_mismatch(expected, "1\na 2\nx\n z\n3.5\n")
    in_another_order = "a 2\n1\nx\n y\n3.5\n"
    assert "line 3 says" in first_mismatch(expected, in_another_order)
    assert "line 9 says" in first_mismatch(expected, "1\na 2\nx\n y\n4.5\n")


@pytest.mark.parametrize("line", [
    "True", "True False", "None", "3", "3.0 -1e-05", "(2, 3)", "nan", "2 + 1 = 3.0", "[True, 4]",
    "tensor([1, 2])", "torch.Size([1, 10])", "tensor(2.3, grad_fn=<NllLossBackward0>)",
    "tensor([1], dtype=torch.int32)", "tensor([3.], device='cuda:0')",
    "torch.Size([1]) tensor([3])"])
def test_a_line_that_does_not_say_what_it_is_is_found(line):
    assert unlabelled_lines(f"a picture\n{line}\n\nits label: 3\n") == [line]


@pytest.mark.parametrize("printed", [
    "equal: True", "shape torch.Size([1])", "w = 3.0", "x: nan", "padding=1: [2, 3]", "",
    "the products:\ntensor([[2, 0],\n        [0, 1]])", "the layers: Sequential(\n  (0): ReLU()\n)",
    "the dict: {\n1: 2}"])
def test_lines_that_say_what_they_are(printed):
    assert unlabelled_lines(printed) == []
