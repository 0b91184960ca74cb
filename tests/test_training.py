"""The trainer, and lesson 12: whatever stops them, nothing is lost, and the weights are the same."""

import hashlib
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, environment, find_lesson
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.nn import functional as F

from shared import datasets, paths
from shared.datasets import Pictures
from shared.errors import LessonError
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import command
from shared.sources import drawn, folders
from shared.training import __main__ as trainer
from shared.training import checkpoint
from shared.training.loader import CIFAR10_MEAN_STD, Augmentation, Batches, PictureByPicture

LESSON = find_lesson(12)
TRAINER = (sys.executable, "-m", "shared.training")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
            "-m", "shared.training")
EPOCHS = ("--epochs", "12")
TUTORIAL = ("--recipe", "tutorial")
CLASSES = ["green", "red", "white", "猫"]


@pytest.fixture(scope="module")
def data(home) -> Path:
    """A folder for `data`, with the drawings of the session and the cache of the pictures below."""
    folder = home / "data" / "drawn" / "cifar10"
    if not folder.is_dir():
        drawn.cifar10(folder)
    return home / "data"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Four classes of noisy colours, which are learnt in a few epochs of six steps."""
    root = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 5)):
        for number, name in enumerate(CLASSES):
            (root / split / name).mkdir(parents=True)
            color = [number * 97 % 256, (number * 53 + 90) % 256, (number * 151 + 30) % 256]
            for index in range(count):
                pixels = np.clip(color + noise.normal(0, 40, (32, 32, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{index}.png")
    return root


def make_place(data: Path, folder: Path) -> Path:
    folder.mkdir()
    (folder / "data").symlink_to(data)
    return folder


@pytest.fixture
def place(data, tmp_path) -> Path:
    """A LESSONS_HOME of the test's own: what is in its logs and models is the test's."""
    return make_place(data, tmp_path / "own 家")


started = []


@pytest.fixture(autouse=True)
def end_what_was_started():
    yield
    while started:
        process = started.pop()
        process.kill()
        process.communicate()


def start(place: Path, *arguments: object, program: tuple = TRAINER, **options) -> subprocess.Popen:
    """In a group of processes of its own, to which a terminal could send Ctrl-C."""
    variables = environment(place) | {"OMP_NUM_THREADS": "1"}
    variables.pop("PYTHONUNBUFFERED", None)    # a person has not set it
    started.append(subprocess.Popen(
        [*program, *arguments], text=True, encoding="utf-8", start_new_session=True, env=variables,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options)))
    return started[-1]


def end(process: subprocess.Popen) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=120)
    return process.returncode, stdout, stderr


def wait_for_epoch(process: subprocess.Popen, number: int) -> None:
    for line in process.stdout:
        if line.startswith("epoch ") and int(line.split("/")[0].split()[1]) >= number:
            return
    pytest.fail(process.stderr.read())


def children(process: subprocess.Popen) -> list[int]:
    file = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(child) for child in file.read_text().split()]


def train(place: Path, *arguments: object, threads: int = 1, **changes) -> None:
    """Runs the trainer in this process, which saves the time of the imports.

    Args:
        changes: other values for names in the trainer.
    """
    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["shared.training", *map(str, arguments)])
        patch.setenv("LESSONS_OFFLINE", "1")
        for module in (paths, trainer):
            patch.setattr(module, "LOGS", place / "logs")
            patch.setattr(module, "MODELS", place / "models")
        for module in (datasets, folders):
            patch.setattr(module, "DATA", place / "data")
        for module in (paths, checkpoint):
            patch.setattr(module, "kept", [])
        patch.setattr(trainer, "RUNS", place / "models" / "training")
        for name, value in changes.items():
            patch.setattr(trainer, name, value)
        torch.set_num_threads(threads)
        try:
            trainer.main()
        finally:
            torch.set_num_threads(before)


def only_run(place: Path, program: str = "training") -> Path:
    """The folder of what was trained. There is one run, and it has one folder in logs as well."""
    (models,), (logs,) = ([path for path in (place / kind / program).iterdir() if path.is_dir()]
                          for kind in ("models", "logs"))
    assert models.name == logs.name
    return models


def digest(run: Path) -> str:
    """Of the tensors in weights.pt. (The file also has a number that is new each time.)"""
    weights = torch.load(run / "weights.pt", weights_only=True)
    return hashlib.sha256(b"".join(tensor.numpy().tobytes()
                                   for tensor in weights.values())).hexdigest()


def points(place: Path, run: Path, tag: str, curve: str = "") -> list[tuple[int, float]]:
    folder = place / "logs" / run.parent.name / run.name / curve
    events = EventAccumulator(str(folder)).Reload()
    return [(point.step, point.value) for point in events.Scalars(tag)]


def said(error: LessonError) -> str:
    assert len(str(error).splitlines()) == 2
    return str(error)


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    """The digest of a run that nothing stopped; each is run once: `uninterrupted(*arguments)`."""
    digests = {}

    def result(*arguments: object) -> str:
        if arguments not in digests:
            place = make_place(data, tmp_path_factory.mktemp("uninterrupted") / "place")
            train(place, *arguments)
            digests[arguments] = digest(only_run(place))
        return digests[arguments]

    return result


# Killed at any moment


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")    # on one core
@pytest.mark.parametrize(("settings", "killed_after"), [
    (EPOCHS, (1, 3, 6)),
    (("--epochs", "20", "--recipe", "best"), (18,)),    # averages the last three epochs
    (("--epochs", "6", *TUTORIAL), (2,)),
    (("--epochs", "6", *TUTORIAL, "--workers", "2"), (1, 3))],
    ids=["fast", "best", "tutorial", "tutorial with workers"])
def test_killed_and_resumed_the_weights_are_the_same(settings, killed_after, place, pictures,
                                                     uninterrupted):
    moments = random.Random(0)
    settings = ("--data", pictures, *settings)
    arguments = settings
    for epoch in killed_after:
        process = start(place, *arguments)
        wait_for_epoch(process, epoch)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()    # SIGKILL
        end(process)
        arguments = ("--resume",)    # the settings are in the checkpoint
    run = only_run(place)
    if process.returncode == 0:    # it was faster than the signal, in the last epoch
        assert epoch == 18
    else:
        assert process.returncode == -signal.SIGKILL
        status, _, stderr = end(start(place, "--resume"))
        assert (status, stderr) == (0, "")
    assert sorted(path.name for path in run.iterdir() if not path.name.endswith(".part")) == [
        "checkpoint.pt", "report.json", "weights.pt"]
    assert digest(run) == uninterrupted(*settings)

    # One curve, without a gap and without a point twice
    epochs = list(range(1, int(settings[3]) + 1))
    for tag, curve in (("12 curves/loss", "training"), ("12 curves/accuracy", "testing"),
                       ("12 speed/learning rate", "")):
        assert [step for step, _ in points(place, run, tag, curve)] == epochs


def test_what_an_interrupted_epoch_wrote_is_taken_back(place, pictures, uninterrupted):
    """As if it had been killed after the points of epochs 2 and 3, and before their checkpoints."""
    settings = ("--data", pictures, "--epochs", "4")
    save = checkpoint.save

    def stop_in_epoch_3(state: dict, folder: Path) -> None:
        if state["epoch"] == 1:
            save(state, folder)
        if state["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint, "save", stop_in_epoch_3)
        train(place, *settings)
    train(place, "--resume")
    run = only_run(place)
    assert digest(run) == uninterrupted(*settings)
    for tag, curve in (("12 curves/loss", "training"), ("12 curves/accuracy", "testing"),
                       ("12 speed/learning rate", "")):
        assert [step for step, _ in points(place, run, tag, curve)] == [1, 2, 3, 4]


def test_a_full_disk_leaves_the_checkpoint_before_whole(stopped, pictures, uninterrupted):
    run = stopped_run(stopped)
    before = (run / "checkpoint.pt").read_bytes()
    # No file may grow beyond 2 MB, as if the disk were full: a checkpoint has five.
    limited = ("prlimit", "--fsize=2000000", *TRAINER)
    status, _, stderr = end(start(stopped, "--resume", program=limited))
    assert status == 2, stderr
    assert re.fullmatch(r"Error: .*File too large.*\nMake room on the disk, .*\n", stderr), stderr
    assert [path.name for path in run.iterdir()] == ["checkpoint.pt"]
    assert (run / "checkpoint.pt").read_bytes() == before

    train(stopped, "--resume", run.name)    # there is room again
    assert digest(run) == uninterrupted("--data", pictures, *EPOCHS)


# Stopped by a signal


def expected_message(place: Path, run: Path, *program: str) -> str:
    go_on = command("python", *program, "--resume", run.name)
    return (f"\nStopped. Kept: {place / 'logs' / run.parent.name / run.name}, "
            f"{run / 'checkpoint.pt'} (go on with: {go_on})\n")


@pytest.mark.parametrize("to", ["the process", "the group"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_with_workers_it_says_how_to_go_on(number, status, to, place, pictures):
    process = start(place, "--data", pictures, "--epochs", "999", *TUTORIAL, "--workers", "2")
    wait_for_epoch(process, 1)
    if to == "the process":
        process.send_signal(number)    # in the moment in which the next epoch starts its workers
    else:
        while len(children(process)) < 2:
            assert process.poll() is None
        os.killpg(process.pid, number)
    ended, stdout, stderr = end(process)
    assert ended == status
    assert stdout.count("epoch ") <= 2
    run = only_run(place)
    assert stderr == expected_message(place, run, "-m", "shared.training")
    assert checkpoint.load(run)["epoch"] >= 1


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_a_signal_in_the_moment_of_a_fork_is_not_lost(place, pictures):
    """Python ignores what is raised there, and prints a traceback."""
    interrupt = []
    os.register_at_fork(after_in_parent=lambda: [signal.raise_signal(signal.SIGINT)
                                                 for _ in interrupt[:1]])

    class Interrupted(PictureByPicture):
        def __iter__(self):
            interrupt.append(True)
            try:
                return super().__iter__()
            finally:
                interrupt.clear()

    with pytest.raises(KeyboardInterrupt):
        train(place, "--data", pictures, *EPOCHS, *TUTORIAL, "--workers", "1",
              PictureByPicture=Interrupted)


def test_a_resumed_run_says_how_to_go_on_before_its_first_epoch(stopped):
    process = start(stopped, "--resume")
    for line in process.stdout:
        if line.startswith("Going on with"):
            break
    process.send_signal(signal.SIGTERM)
    status, _, stderr = end(process)
    assert status == 143
    assert f"--resume {stopped_run(stopped).name})" in stderr


def test_head_ends_it_without_a_traceback(place, pictures):
    process = start(place, "--data", pictures, "--epochs", "999")
    assert process.stdout.readline().startswith("Data: ")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141


def test_each_line_is_in_the_file_when_its_checkpoint_is(place, pictures):
    log = place / "log.txt"
    with log.open("w") as file:
        process = start(place, "--data", pictures, "--epochs", "999", stdout=file, stderr=file)
    while not list((place / "models").glob("training/*/checkpoint.pt")):
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    while checkpoint.load(only_run(place))["epoch"] < 3:
        time.sleep(0.05)
    process.kill()
    end(process)
    epoch = checkpoint.load(only_run(place))["epoch"]
    # The line is printed after the checkpoint is saved. The signal may have come in between.
    assert log.read_text().count("\nepoch ") in (epoch, epoch - 1)


# What training computes


@pytest.mark.parametrize(("recipe", "epoch_of"), [
    ("fast", lambda loader: loader.epoch), ("tutorial", lambda loader: loader.sampler.epoch)])
def test_each_epoch_shuffles_in_another_order(recipe, epoch_of, place, pictures):
    epochs = []

    def note(network, loader, *others):
        epochs.append(epoch_of(loader))
        return real(network, loader, *others)

    real = trainer.train_epoch
    train(place, "--data", pictures, "--recipe", recipe, "--epochs", "4", train_epoch=note)
    assert epochs == [0, 1, 2, 3]


@pytest.mark.parametrize(("recipe", "sizes"), [
    ("fast", [32]), ("fast", [24, 24, 32, 32, 32]), ("best", [32] * 3), ("tutorial", [32] * 3)])
def test_the_first_half_of_the_epochs_of_the_fast_recipe_has_small_pictures(recipe, sizes, place,
                                                                            pictures):
    def note(network, loader, *others):
        seen.append({tuple(batch.shape[2:]) for batch, _ in loader})
        return real(network, loader, *others)

    seen, real = [], trainer.train_epoch
    train(place, "--data", pictures, "--recipe", recipe, "--epochs", len(sizes), train_epoch=note)
    assert seen == [{(size, size)} for size in sizes]


def test_a_loss_that_is_not_finite_stops_before_it_reaches_the_weights(place, pictures,
                                                                       monkeypatch):
    calls = []

    def nan_in_epoch_2(scores, targets):
        calls.append(scores.requires_grad)
        return real(scores, targets) * (float("nan") if sum(calls) > 6 + 3 else 1)

    real = F.cross_entropy
    monkeypatch.setattr(F, "cross_entropy", nan_in_epoch_2)
    with pytest.raises(LessonError) as caught:
        train(place, "--data", pictures, *EPOCHS)
    assert re.match(r"the loss is nan at learning rates of up to 0\.1, which are too high\.\nLower",
                    said(caught.value))
    state = checkpoint.load(only_run(place))
    assert state["epoch"] == 1
    assert all(tensor.isfinite().all() for tensor in state["network"].values())


@pytest.mark.parametrize("part", ["training", "testing"])
def test_a_learning_rate_that_is_too_high_is_said(part, place, pictures):
    """In the second case, only the last step of the epoch makes the weights infinite."""
    recipe = trainer.RECIPES["tutorial"] | {"learning_rate": 1e30, "epochs": 1}
    limit = ("--limit", "32") if part == "testing" else ()
    with pytest.raises(LessonError) as caught:
        train(place, "--data", pictures, *TUTORIAL, *limit, RECIPES={"tutorial": recipe})
    assert re.match("the loss is (nan|inf) at learning rates of up to 1e\\+30", said(caught.value))
    assert list(only_run(place).iterdir()) == []


@pytest.mark.parametrize("count", [20, 33])    # 33: the second batch has one picture
def test_the_tutorials_batch_stays_with_few_pictures(count, place, pictures):
    train(place, "--data", pictures, *TUTORIAL, "--epochs", "8", "--limit", str(count))
    report = json.loads((only_run(place) / "report.json").read_text(encoding="utf-8"))
    assert report["settings"]["batch_size"] == 32
    assert report["settings"]["pictures"] == count
    losses = [value for _, value in points(place, only_run(place), "12 curves/loss", "training")]
    assert len(losses) == 8
    assert all(map(math.isfinite, losses))


@pytest.mark.parametrize(("epochs", "share", "last"), [(6, 0.0, 0.0), (7, 0.15, 0.02)])
def test_in_fewer_than_seven_epochs_best_averages_nothing_and_its_rate_falls_to_zero(
        epochs, share, last, place, pictures):
    train(place, "--data", pictures, "--recipe", "best", "--epochs", epochs)
    run = only_run(place)
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert report["settings"]["averaged_epochs"] == share
    assert checkpoint.load(run)["scheduler"]["_last_lr"][0] == pytest.approx(last)


def test_the_report_is_complete(place, pictures, capsys):
    train(place, "--data", pictures, "--epochs", "8", "--limit", "90", "--tta")
    run = only_run(place)
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert list(report["per_class"]) == CLASSES
    assert report["data"] == f"the pictures in {pictures}"
    assert (report["epochs"], report["recipe"], report["seed"]) == (8, "fast", 1)
    assert report["device"] == "cpu"
    assert report["seconds"] > 0
    assert report["pictures_per_second"] > 0
    assert report["versions"]["torch"] == torch.__version__
    assert 0 <= report["none_of_these"]["false_alarms"] <= 0.5
    assert report["accuracy"] > 0.8
    assert report["accuracy"] == pytest.approx(sum(report["per_class"].values()) / 4)
    assert (report["mean"], report["std"]) == tuple(map(list, CIFAR10_MEAN_STD))
    assert report["settings"]["batch_size"] == 16
    printed = capsys.readouterr().out
    assert (f"with the mirrored pictures, too: test accuracy {report['accuracy_tta']:.4f}\n"
            in printed)
    last = printed.splitlines()[-1]
    assert re.match(r"fast recipe, 8 epochs of 90 pictures in \d+ s on cpu, weights in ", last)
    assert last.endswith(f": test accuracy {report['accuracy']:.4f} (the pictures in {pictures})")

    photos = [run.parent / f"{name} 照片.png" for name in CLASSES]
    for name, photo in zip(CLASSES, photos, strict=True):
        Image.open(pictures / "test" / name / "0.png").convert("RGBA").save(photo)
    status, stdout, stderr = end(start(place, *photos,
                                       program=(sys.executable, "-m", "shared.training.predict")))
    assert (status, stderr) == (0, "")
    assert stdout.startswith(f"Weights: {run}, trained on the pictures in {pictures}")
    answers = re.findall(r"(\w+) 照片\.png\n  (\w+) +\d+% #+", stdout)
    assert [photo for photo, _ in answers] == CLASSES
    assert sum(photo == answer for photo, answer in answers) >= 3


# What cannot be resumed


class Stop(Exception):
    pass


@pytest.fixture(scope="module")
def stopped_once(data, pictures, tmp_path_factory) -> Path:
    """A LESSONS_HOME with a run that is finished, and one that was stopped after two epochs."""
    place = make_place(data, tmp_path_factory.mktemp("stopped") / "place")
    train(place, "--data", pictures, "--epochs", "1")

    def stop_in_epoch_3(*arguments):
        epochs.append(True)
        if len(epochs) == 3:
            raise Stop
        return real(*arguments)

    epochs, real = [], trainer.train_epoch
    with pytest.raises(Stop):
        train(place, "--data", pictures, *EPOCHS, train_epoch=stop_in_epoch_3)
    return place


@pytest.fixture
def stopped(stopped_once, tmp_path) -> Path:
    return shutil.copytree(stopped_once, tmp_path / "stopped", symlinks=True)


def runs_of(place: Path) -> list[Path]:
    return sorted(path for path in (place / "models" / "training").iterdir() if path.is_dir())


def stopped_run(place: Path) -> Path:
    return next(run for run in runs_of(place) if not (run / "weights.pt").exists())


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["--recipe", "tutorial"], "was started with --recipe fast"),
    (["--epochs", "7"], "was started with --epochs 12"),
    (["--seed", "2"], "was started with --seed 1"),
    (["--limit", "64"], "was started without --limit"),
    (["--data", "elsewhere"], "was started with --data /")])
def test_a_resumed_run_keeps_its_settings(arguments, complaint, stopped):
    with pytest.raises(LessonError) as caught:
        train(stopped, "--resume", *arguments)
    assert f"the run {stopped_run(stopped).name} {complaint}" in said(caught.value)


def test_settings_may_be_repeated_and_other_threads_are_said(stopped, capsys):
    run = stopped_run(stopped)
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    torch.save(state | {"computed by": "1 process of 64 threads"}, run / "checkpoint.pt")
    train(stopped, "--resume", run.name, *EPOCHS, "--seed", "1", "--tta")
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Note: ")]
    assert notes == ["Note: 1 process of 64 threads trained it so far, now 1 process of 1 threads."
                     " The last bits of the result will differ."]


def test_a_finished_run_is_not_resumed(stopped):
    shutil.rmtree(stopped_run(stopped))
    (finished,) = runs_of(stopped)
    for name in ("", "last "):
        with pytest.raises(LessonError) as caught:
            train(stopped, "--resume", *([] if name else [finished.name]))
        assert f"the {name}run, {finished.name}, is finished" in said(caught.value)


def test_what_is_wrong_is_two_lines_on_stderr(tmp_path):
    status, stdout, stderr = end(start(tmp_path, "--resume"))
    assert (status, stdout) == (2, "")
    assert stderr == (f"Error: nothing to resume: there is no {tmp_path}/models/training/<run>/"
                      "checkpoint.pt.\nStart a new run without --resume.\n")


@pytest.mark.parametrize("change", ["a class is renamed", "a test class, too", "all pictures",
                                    "a test picture", "a picture less"])
def test_other_pictures_are_refused(change, stopped, pictures, tmp_path):
    own = shutil.copytree(pictures, tmp_path / "own pictures")
    state = checkpoint.load(stopped_run(stopped))
    state["settings"]["data"] = str(own)
    state["data"] = state["data"].replace(str(pictures), str(own))
    checkpoint.save(state, stopped_run(stopped))
    if "class" in change:
        for split in ("train", "test"):
            (own / split / "green").rename(own / split / "zebra")
    elif change == "all pictures":
        for path in own.rglob("*.png"):
            Image.new("RGB", (32, 32), (path.parent.name[:1] == "r" and "red") or "blue").save(path)
    elif change == "a test picture":
        Image.new("RGB", (32, 32)).save(own / "test" / "red" / "0.png")
    else:
        (own / "train" / "red" / "0.png").unlink()
    with pytest.raises(LessonError, match="it was trained on") as caught:
        train(stopped, "--resume")
    said(caught.value)
    assert not (stopped_run(stopped) / "weights.pt").exists()


@pytest.mark.parametrize("change", [
    {"format": 1}, {"format": None}, {"epoch": 10**9}, {"epoch": -1}, {"settings": {}},
    {"settings": None}, {"recipe": {"epochs": 3}}, {"recipe": 7}, {"optimizer": {}},
    {"scheduler": None}, {"averaged": {"n_averaged": 3}}, {"network": []}, {"data": None}],
    ids=str)
def test_checkpoints_from_elsewhere_are_said(change, stopped):
    run = stopped_run(stopped)
    state = torch.load(run / "checkpoint.pt", weights_only=True) | change
    torch.save(state, run / "checkpoint.pt")
    with pytest.raises(LessonError) as caught:
        train(stopped, "--resume")
    said(caught.value)


def test_checkpoints_that_lack_something_are_said(stopped):
    run = stopped_run(stopped)
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    for missing in state:
        torch.save({name: value for name, value in state.items() if name != missing},
                   run / "checkpoint.pt")
        with pytest.raises(LessonError) as caught:
            train(stopped, "--resume")
        said(caught.value)


def test_a_run_that_is_training_is_left_alone(stopped, pictures):
    process = start(stopped, "--data", pictures, "--epochs", "999")
    wait_for_epoch(process, 1)
    training = runs_of(stopped)[-1]
    status, stdout, stderr = end(start(stopped, "--resume", training.name))
    assert (status, stdout) == (2, "")
    assert re.fullmatch(rf"Error: .*{training.name}, is training in another process.*\n.*\n", stderr)
    train(stopped, "--resume")    # the last one that is not training
    assert process.poll() is None
    assert [(run / "weights.pt").exists() for run in runs_of(stopped)] == [True, True, False]


# Folders that go away


@pytest.mark.parametrize(("kind", "what"), [
    ("models", "deleted"), ("models", "a file"), ("logs", "renamed"), ("logs", "a file")])
def test_a_folder_that_goes_away_is_made_again_or_said(kind, what, place, pictures):
    process = start(place, "--data", pictures, "--epochs", "99999")
    wait_for_epoch(process, 2)
    folder = place / kind / "training" / only_run(place).name
    process.send_signal(signal.SIGSTOP)
    if what == "deleted":
        shutil.rmtree(folder)
    else:
        folder.rename(folder.with_name("renamed"))
    if what == "a file":
        folder.write_text("")
    process.send_signal(signal.SIGCONT)
    if kind == "models" and what != "a file":
        wait_for_epoch(process, 5)
        assert checkpoint.load(folder)["epoch"] >= 3
        process.kill()
    else:
        status, _, stderr = end(process)
        assert status == 2, stderr
        assert re.fullmatch(rf"Error: cannot write to {re.escape(str(folder))}.* \(.*\)\.\n.*\n",
                            stderr), stderr


# Two processes


def test_two_processes_train_as_one_and_go_on_when_one_was_killed(data, place, pictures, tmp_path):
    settings = ("--data", pictures, "--epochs", "6")
    status, stdout, stderr = end(start(place, *settings, program=TORCHRUN))
    assert status == 0, stderr
    assert stdout.count("weights in") == 1    # one of them speaks
    run = only_run(place)
    together = json.loads((run / "report.json").read_text(encoding="utf-8"))["accuracy"]
    assert together > 0.9    # one process reaches that as well
    files = list((place / "logs" / "training" / run.name).rglob("events*"))
    assert len(files) == 3

    other = make_place(data, tmp_path / "other")
    process = start(other, *settings, program=TORCHRUN)
    wait_for_epoch(process, 2)
    workers = [child for child in children(process)
               if "shared.training" in Path(f"/proc/{child}/cmdline").read_text()]
    assert len(workers) == 2
    os.kill(workers[1], signal.SIGKILL)
    status, _, _ = end(process)    # torchrun stops the other one, too
    assert status == 1
    status, stdout, stderr = end(start(other, "--resume", program=TORCHRUN))
    assert status == 0, stderr
    assert "Going on with the run" in stdout
    assert digest(only_run(other)) == digest(run)


def test_more_processes_than_pictures_in_a_batch(place, pictures, monkeypatch):
    monkeypatch.setattr(trainer.processes, "join_processes", lambda device: (0, 33))
    for recipe in ("fast", "tutorial"):
        with pytest.raises(LessonError) as caught:
            train(place, "--data", pictures, "--recipe", recipe)
        assert "33 processes cannot share a batch of" in said(caught.value)


def network() -> CIFAR10NetSimpleV3:
    """In float64. In float32, to divide by the deviation of a nearly empty channel is not exact."""
    torch.manual_seed(0)
    return CIFAR10NetSimpleV3(dropout=0).double()


def first_batch(rank: int, world_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    data = torch.randint(256, (64, 32, 32, 3), generator=generator).byte().numpy()
    pictures = Pictures(data, [number % 10 for number in range(64)], list("0123456789"), "random")
    batches = Batches(pictures, 32, torch.device("cpu"), CIFAR10_MEAN_STD,
                      Augmentation(2, 0, rank, world_size))
    batch, targets = next(iter(batches))
    return batch.double(), targets


def test_the_first_gradient_of_two_processes_is_that_of_the_whole_batch(tmp_path):
    """Batch normalisation is by each process's share of the batch, so it is here, too."""
    script = tmp_path / "gradient.py"
    script.write_text(textwrap.dedent(f"""
        import sys
        sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
        import torch
        from torch.nn.parallel import DistributedDataParallel
        from shared.training.processes import join_processes
        from test_training import first_batch, network
        rank, world_size = join_processes(torch.device("cpu"))
        trained = DistributedDataParallel(network())
        pictures, targets = first_batch(rank, world_size)
        torch.nn.functional.cross_entropy(trained(pictures), targets).backward()
        if rank == 0:
            gradient = [parameter.grad for parameter in trained.parameters()]
            torch.save(gradient, {str(tmp_path / "gradient.pt")!r})
        torch.distributed.destroy_process_group()
    """), encoding="utf-8")
    status, _, stderr = end(start(tmp_path, program=(*TORCHRUN[:-2], script)))
    assert status == 0, stderr
    together = torch.load(tmp_path / "gradient.pt", weights_only=True)

    alone = network()
    shares = [first_batch(rank, 2) for rank in range(2)]
    sum(F.cross_entropy(alone(batch), targets) / 2 for batch, targets in shares).backward()
    for parameter, gradient in zip(alone.parameters(), together, strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-6, atol=1e-9)
    _, targets = first_batch(0, 1)
    assert sorted(targets.tolist()) == sorted(target for _, share in shares
                                              for target in share.tolist())


# Lesson 12

LESSON_12 = (sys.executable, str(LESSON))
LIMITED = ("--epochs", "4", "--limit", "160")


SLOW_CLOCK = """
import itertools, runpy, sys, time
time.perf_counter = itertools.count(0, 75).__next__    # 75 s pass from look to look
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


STOPPED_WHILE_DRAWING = """
import runpy, sys
from shared.training import report

def stop(*arguments):
    raise KeyboardInterrupt

report.draw_mistakes = stop
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def lessons_run(data, tmp_path_factory) -> tuple[str, str]:
    """What lesson 12 prints when nothing stops it, training takes 75 s in each epoch and testing
    as long; and the digest.
    """
    place = make_place(data, tmp_path_factory.mktemp("lesson") / "place")
    program = (sys.executable, "-c", SLOW_CLOCK, str(LESSON))
    status, stdout, stderr = end(start(place, *LIMITED, program=program))
    assert (status, stderr) == (0, "")
    return stdout, digest(only_run(place, LESSON.stem))


@pytest.fixture
def lessons_digest(lessons_run) -> str:
    return lessons_run[1]


def test_lesson_12_says_after_its_first_epoch_how_long_all_take(lessons_run):
    lines = lessons_run[0].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("epoch  1/4"))
    assert lines[first + 1 : first + 3] == [
        "4 epochs will take about 12.0 minutes on this machine",    # (2 + 2 * 1.8) * 75 + 4 * 75 s
        "Too long? Stop with Ctrl-C. A fifth of the pictures: --limit 32"]
    assert lines[first + 3].startswith("epoch  2/4 (150 s, ")
    assert lessons_run[0].count("minutes on this machine") == 1


def test_lesson_12_trains_as_the_fast_recipe_does(lessons_digest, uninterrupted):
    assert uninterrupted(*LIMITED) == lessons_digest


def test_lesson_12_killed_and_resumed_ends_with_the_same_weights(place, lessons_digest):
    process = start(place, *LIMITED, program=LESSON_12)
    wait_for_epoch(process, 2)
    time.sleep(0.3)
    process.kill()
    end(process)
    run = only_run(place, LESSON.stem)

    # Ctrl-C while the last pictures are drawn: nothing says yet that the run is finished.
    program = (sys.executable, "-c", STOPPED_WHILE_DRAWING, str(LESSON))
    status, _, stderr = end(start(place, "--resume", program=program))
    assert (status, (run / "weights.pt").exists()) == (130, False), stderr

    status, stdout, stderr = end(start(place, "--resume", program=LESSON_12))
    assert (status, stderr) == (0, "")
    assert f"going on with the run {run.name} after epoch" in stdout
    assert "minutes on this machine" not in stdout    # that was said at the start
    assert digest(run) == lessons_digest
    for tag in ("12 curves/loss", "12 curves/accuracy"):
        for curve in ("training", "testing"):
            assert [step for step, _ in points(place, run, tag, curve)] == [1, 2, 3, 4]


def test_lesson_12_says_what_it_kept_and_what_cannot_be_resumed(place):
    process = start(place, "--epochs", "9", "--limit", "64", program=LESSON_12)
    wait_for_epoch(process, 1)
    process.send_signal(signal.SIGINT)
    status, _, stderr = end(process)
    run = only_run(place, LESSON.stem)
    assert status == 130
    assert stderr == expected_message(place, run, str(LESSON))

    status, _, stderr = end(start(place, "--resume", "--epochs", "7", program=LESSON_12))
    assert status == 2, stderr
    assert "a resumed run keeps its settings" in stderr
