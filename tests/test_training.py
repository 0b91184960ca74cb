"""Lesson 12 as a trainer: whatever stops it, nothing is lost; in two processes; on one's own pictures."""

import argparse
import hashlib
import json
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

import pytest
import torch
from conftest import ROOT, environment, find_lesson
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.nn import functional as F

from shared import checkpoint, drawn
from shared.datasets import Pictures
from shared.loader import Batches
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import command

LESSON = find_lesson(12)
QUICK = ("--epochs", "6", "--limit", "320")
SOME = ("--epochs", "4", "--limit", "2000")
BEST = ("--recipe", "best", "--epochs", "14", "--limit", "320")    # the weights of the last three are averaged
DOCUMENT = ("--recipe", "document", "--epochs", "5", "--limit", "160", "--workers", "1")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


@pytest.fixture(scope="module")
def data(home) -> Path:
    """The folder of the drawings that all tests share."""
    for draw, name in ((drawn.cifar10, "cifar10"), (drawn.ants_and_bees, "hymenoptera_data")):
        if not (home / "data" / "drawn" / name).is_dir():
            draw(home / "data" / "drawn" / name)
    return home / "data"


@pytest.fixture
def place(data, tmp_path) -> Path:
    """A LESSONS_HOME of the test's own: what is in its logs and models is the test's."""
    place = tmp_path / "own 家"
    place.mkdir()
    (place / "data").symlink_to(data)
    return place


started = []


@pytest.fixture(autouse=True, scope="module")
def end_what_was_started():
    yield
    for process in started:
        process.kill()
        process.communicate()


def start(place: Path, *arguments: str, command: tuple = (sys.executable,)) -> subprocess.Popen:
    """In a group of processes of its own, so that Ctrl-C can be sent to all of them, as a terminal does."""
    started.append(subprocess.Popen(
        [*command, LESSON, *arguments], text=True, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(place) | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}, start_new_session=True))
    return started[-1]


def end(process: subprocess.Popen) -> tuple[int, str, str]:
    try:
        stdout, stderr = process.communicate(timeout=120)
    finally:
        process.kill()
    return process.returncode, stdout, stderr


def wait_for_epoch(process: subprocess.Popen, number: int) -> None:
    for line in process.stdout:
        if line.startswith("epoch ") and int(line.split("/")[0].split()[1]) >= number:
            return
    pytest.fail(process.stderr.read())


def only_run(place: Path) -> Path:
    """The folder of what was trained; there is one run, and it has one folder in logs as well."""
    (models,), (logs,) = (list((place / kind / LESSON.stem).iterdir()) for kind in ("models", "logs"))
    assert models.name == logs.name
    return models


def digest(run: Path) -> str:
    """Of the weights. Their file has a name inside, but for that its bytes would compare as well."""
    weights = torch.load(run / "weights.pt", weights_only=True)
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in weights.values())).hexdigest()


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    """The weights' digest of runs that nothing stopped, each run once: `uninterrupted(QUICK)`."""
    digests = {}

    def result(arguments: tuple, command: tuple = (sys.executable,)) -> str:
        if (arguments, command) not in digests:
            place = tmp_path_factory.mktemp("uninterrupted")
            (place / "data").symlink_to(data)
            status, _, stderr = end(start(place, *arguments, command=command))
            assert status == 0, stderr
            digests[arguments, command] = digest(only_run(place))
        return digests[arguments, command]

    return result


@pytest.mark.parametrize(("settings", "killed_after"), [(QUICK, (1, 3, 4)), (BEST, (3, 8, 12)), (DOCUMENT, (1, 2, 3))],
                         ids=["fast", "best", "document, with a worker"])
def test_killed_three_times_and_resumed_the_weights_are_the_same(settings, killed_after, place, uninterrupted):
    moments = random.Random(0)
    arguments = settings
    for epoch in killed_after:
        process = start(place, *arguments)
        wait_for_epoch(process, epoch)
        time.sleep(moments.uniform(0, 0.5))
        process.kill()    # SIGKILL
        assert end(process)[0] == -signal.SIGKILL
        arguments = ("--resume",)    # the settings are in the checkpoint
    status, _, stderr = end(start(place, "--resume"))
    assert (status, stderr) == (0, "")
    run = only_run(place)
    assert sorted(path.name for path in run.iterdir()) == ["checkpoint.pt", "report.json", "weights.pt"]
    assert digest(run) == uninterrupted(settings)

    # One curve, without a gap and without a point twice
    events = EventAccumulator(str(place / "logs" / LESSON.stem / run.name)).Reload()
    epochs = int(settings[settings.index("--epochs") + 1])
    for tag in ("train_loss", "test_acc", "learning_rate"):
        assert [point.step for point in events.Scalars(tag)] == list(range(epochs))


def test_what_an_interrupted_epoch_wrote_is_taken_back(place, uninterrupted):
    """As if it had been killed after the points of epochs 2 and 3, and before their checkpoints."""
    process = start(place, *QUICK)
    wait_for_epoch(process, 1)
    run = only_run(place)
    before = (run / "checkpoint.pt").read_bytes()
    wait_for_epoch(process, 3)
    process.kill()
    end(process)
    (run / "checkpoint.pt").write_bytes(before)
    status, stdout, stderr = end(start(place, "--resume"))
    assert (status, stderr) == (0, "")
    done = int(re.search(r"Going on with \S+ after epoch (\d)", stdout)[1])
    assert 1 <= done < 3
    assert digest(run) == uninterrupted(QUICK)
    events = EventAccumulator(str(place / "logs" / LESSON.stem / run.name)).Reload()
    assert [point.step for point in events.Scalars("test_acc")] == list(range(6))


@pytest.mark.parametrize("run_id", ["another launch", "none"])
def test_torchrun_does_not_go_on_with_the_run_of_another_launch(run_id, stopped, monkeypatch):
    parser = argparse.ArgumentParser()
    for name in (*checkpoint.SETTINGS, "resume"):
        parser.add_argument(f"--{name}")
    monkeypatch.setattr(sys, "argv", ["lesson"])
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", run_id)
    assert checkpoint.parse(parser, stopped / "models" / LESSON.stem)[1] is None
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")    # as that run was started, so that it is this condition which decides
    assert checkpoint.parse(parser, stopped / "models" / LESSON.stem)[1]["epoch"] >= 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_it_says_how_to_go_on(number, status, place):
    process = start(place, "--epochs", "100", "--limit", "320")
    wait_for_epoch(process, 1)
    os.killpg(process.pid, number)
    ended, _, stderr = end(process)
    run = only_run(place)
    assert ended == status
    message = re.fullmatch(r"\nStopped\. Kept: (.*), (.*) \(go on with: (.*) --resume (.*)\)\n", stderr)
    assert message is not None, stderr
    assert message.groups() == (str(place / "logs" / LESSON.stem / run.name), str(run / "checkpoint.pt"),
                                command("python", str(LESSON)), run.name)
    assert checkpoint.load(run / "checkpoint.pt")["epoch"] >= 1


def test_a_full_disk_leaves_the_checkpoint_before_whole(place, uninterrupted):
    process = start(place, *QUICK)
    wait_for_epoch(process, 2)
    process.kill()
    end(process)
    run = only_run(place)
    before = checkpoint.load(run / "checkpoint.pt")["epoch"]

    # No file may grow beyond 2 MB, which is to a program as if the disk were full: a checkpoint has five.
    status, _, stderr = end(start(place, "--resume", command=("prlimit", "--fsize=2000000", sys.executable)))
    assert status == 2
    assert re.fullmatch(r"Error: .*File too large.*\nMake room on the disk, .*\n", stderr), stderr
    assert sorted(path.name for path in run.iterdir()) == ["checkpoint.pt"]
    assert checkpoint.load(run / "checkpoint.pt")["epoch"] == before

    status, _, stderr = end(start(place, "--resume", run.name))    # there is room again
    assert (status, stderr) == (0, "")
    assert digest(run) == uninterrupted(QUICK)


def run_changed(place: Path, tmp_path: Path, change: str, *arguments: str) -> tuple[int, str, str]:
    """Runs the lesson after a change to the names in it."""
    script = tmp_path / "changed.py"
    script.write_text(f"import runpy, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
                      f"lesson = runpy.run_path({str(LESSON)!r})\n{change}\nlesson['main']()\n", encoding="utf-8")
    process = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, encoding="utf-8",
                             env=environment(place) | {"OMP_NUM_THREADS": "1"}, timeout=120, check=False)
    return process.returncode, process.stdout, process.stderr


@pytest.mark.parametrize(("recipe", "loader", "epoch"), [("fast", "Batches", "epoch"),
                                                         ("document", "PictureByPicture", "sampler.epoch")])
def test_each_epoch_is_dealt_anew(recipe, loader, epoch, place, tmp_path):
    status, stdout, stderr = run_changed(place, tmp_path, f"""
def tell(self):
    if getattr(self, "train", True):
        print("dealt:", self.{epoch})
    return real(self)
lesson["{loader}"].__iter__, real = tell, lesson["{loader}"].__iter__""", "--recipe", recipe, *QUICK)
    assert status == 0, stderr
    dealt = [int(number) for number in re.findall("dealt: (.+)", stdout)]
    assert dealt[-6:] == [0, 1, 2, 3, 4, 5]    # before, the board takes a look at the first batch


def test_a_loss_that_is_not_finite_stops_before_it_reaches_the_weights(place, tmp_path):
    status, _, stderr = run_changed(place, tmp_path, """
def fail_in_epoch_2(*args, calls=[]):
    calls.append(None)
    return real(*args) * (float("nan") if len(calls) > 32 + 5 else 1)
lesson["nn"].CrossEntropyLoss.forward, real = fail_in_epoch_2, lesson["nn"].CrossEntropyLoss.forward""", *QUICK)
    assert status == 2
    assert re.fullmatch(r"Error: the loss is nan at a learning rate of 0\.0\d+, which is too high\.\n"
                        r"Lower the rates in RECIPES, and start anew: --resume keeps those that it began with\.\n",
                        stderr), stderr
    state = checkpoint.load(only_run(place) / "checkpoint.pt")
    assert state["epoch"] == 1
    assert all(tensor.isfinite().all() for tensor in state["parts"][0].values())


def test_a_learning_rate_that_is_too_high_is_named(place, tmp_path):
    status, _, stderr = run_changed(place, tmp_path, "lesson['RECIPES']['document']['learning_rate'] = 1e12",
                                    "--recipe", "document", "--limit", "320")
    assert status == 2
    assert re.match(r"Error: the loss is (nan|inf) at a learning rate of 1e\+12, which is too high\.\n", stderr), stderr


@pytest.fixture(scope="module")
def stopped(data, tmp_path_factory):
    """A LESSONS_HOME with a run that was stopped after an epoch, and one that came to its end before."""
    place = tmp_path_factory.mktemp("stopped")
    (place / "data").symlink_to(data)
    assert end(start(place, "--epochs", "1", "--limit", "64"))[0] == 0
    process = start(place, *QUICK)
    wait_for_epoch(process, 1)
    process.kill()
    end(process)
    return place


def runs_of(place: Path) -> tuple[Path, Path]:
    """The run that came to its end, and the one that was stopped."""
    ended, stopped = sorted((place / "models" / LESSON.stem).iterdir())
    return ended, stopped


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["--resume", "20200101-000000"], "there is nothing to go on with, no .*20200101-000000/checkpoint.pt"),
    (["--resume", "--recipe", "document"], "was started with --recipe fast"),
    (["--resume", "--epochs", "7"], "was started with --epochs 6"),
    (["--resume", "--seed", "2"], "was started with --seed 1"),
])
def test_what_cannot_be_resumed_is_told(arguments, complaint, stopped):
    status, stdout, stderr = end(start(stopped, *arguments))
    assert (status, stdout) == (2, "")
    assert re.fullmatch(rf"Error: .*{complaint}.*\n.+\n", stderr), stderr


def test_a_run_that_came_to_its_end_is_not_resumed(stopped):
    status, _, stderr = end(start(stopped, "--resume", runs_of(stopped)[0].name))
    assert status == 2
    assert "came to its end" in stderr


def test_nothing_to_resume(tmp_path):
    status, _, stderr = end(start(tmp_path, "--resume"))
    assert status == 2
    assert re.fullmatch(r"Error: there is nothing to go on with, no .*<run>/checkpoint.pt\.\nStart .*\n", stderr)


@pytest.mark.parametrize("damage", ["truncated", "weights", "pickle", "empty", "other data"])
def test_a_truncated_or_foreign_checkpoint_is_told(damage, stopped, tmp_path):
    place = tmp_path / "damaged"
    shutil.copytree(stopped / "models", place / "models")
    (place / "data").symlink_to(stopped / "data")
    file = runs_of(place)[1] / "checkpoint.pt"
    executed = tmp_path / "executed"
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[:-1000])
    elif damage == "weights":
        shutil.copy(runs_of(place)[0] / "weights.pt", file)
    elif damage == "pickle":    # that would run a program
        file.write_bytes(b"cos\nsystem\n(S'touch " + os.fsencode(executed) + b"'\ntR.")
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        state = torch.load(file, weights_only=True)
        torch.save(state | {"data": "CIFAR-10"}, file)
    status, _, stderr = end(start(place, "--resume", runs_of(place)[1].name))
    assert status == 2
    expected = "was trained on CIFAR-10, and now" if damage == "other data" else "is no checkpoint, or damaged:"
    assert stderr.startswith("Error: ")
    assert expected in stderr
    assert len(stderr.splitlines()) == 2
    assert not executed.exists()


# More than one process


def test_two_processes_train_as_one_does(place, tmp_path):
    status, stdout, stderr = end(start(place, *SOME, command=TORCHRUN))
    assert status == 0, stderr
    assert stdout.count("test accuracy") == 1    # one of them speaks
    run = only_run(place)
    together = json.loads((run / "report.json").read_text(encoding="utf-8"))["accuracy"]
    other_place = tmp_path / "alone"
    other_place.mkdir()
    (other_place / "data").symlink_to(place / "data")
    assert end(start(other_place, *SOME))[0] == 0
    alone = json.loads((only_run(other_place) / "report.json").read_text(encoding="utf-8"))["accuracy"]
    assert alone > 0.7
    assert abs(together - alone) < 0.07    # of 1,000 pictures; two seeds differ by up to three percent
    assert len(list((place / "logs" / LESSON.stem / run.name).iterdir())) == 1


def test_the_first_gradient_is_that_of_the_whole_batch(tmp_path):
    """Batch normalisation is by each process's share of the batch, and so it is in the one process compared with."""
    script = tmp_path / "gradient.py"
    script.write_text(textwrap.dedent(f"""
        import sys
        sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
        import torch
        from torch.nn.parallel import DistributedDataParallel
        from shared.processes import join_processes
        from test_training import first_batch, network
        rank, world_size = join_processes(torch.device("cpu"))
        trained = DistributedDataParallel(network())
        pictures, targets = first_batch(rank, world_size)
        torch.nn.functional.cross_entropy(trained(pictures), targets).backward()
        if rank == 0:
            torch.save([parameter.grad for parameter in trained.parameters()], {str(tmp_path / "gradient.pt")!r})
        torch.distributed.destroy_process_group()
    """), encoding="utf-8")
    process = subprocess.run([*TORCHRUN, script], env=environment(tmp_path) | {"OMP_NUM_THREADS": "1"}, check=False,
                             capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr
    together = torch.load(tmp_path / "gradient.pt", weights_only=True)

    alone = network()
    shares = [first_batch(rank, 2) for rank in range(2)]
    sum(F.cross_entropy(alone(pictures), targets) / 2 for pictures, targets in shares).backward()
    for parameter, gradient in zip(alone.parameters(), together, strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-6, atol=1e-9)
    _, targets = first_batch(0, 1)
    assert sorted(targets.tolist()) == sorted(target for _, share in shares for target in share.tolist())


def network() -> CIFAR10NetSimpleV3:
    """In float64: in float32, dividing by the deviation of a nearly empty channel makes a percent of the last bit."""
    torch.manual_seed(0)
    return CIFAR10NetSimpleV3(dropout=0).double()


def first_batch(rank: int, world_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    data = torch.randint(256, (64, 32, 32, 3), generator=generator).byte().numpy()
    pictures = Pictures(data, [number % 10 for number in range(64)], list("0123456789"), "random")
    batch, targets = next(iter(Batches(pictures, 64, 32, torch.device("cpu"), (0.5,) * 3, (0.25,) * 3, train=True,
                                       padding=2, rank=rank, world_size=world_size)))
    return batch.double(), targets


def test_a_killed_worker_is_started_again_and_goes_on(place, uninterrupted):
    process = start(place, *QUICK, command=(*TORCHRUN, "--max-restarts=1"))
    wait_for_epoch(process, 2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [int(child) for child in children if LESSON.name in Path(f"/proc/{child}/cmdline").read_text()]
    assert len(workers) == 2
    os.kill(workers[1], signal.SIGKILL)
    status, stdout, stderr = end(process)
    assert status == 0, stderr
    assert "epoch   1/6" not in stdout    # it did not begin anew
    assert digest(only_run(place)) == uninterrupted(QUICK, TORCHRUN)


# One's own pictures


@pytest.fixture(scope="module")
def insects(data, tmp_path_factory):
    """A LESSONS_HOME with a network for ants and bees, and the folder that it was trained on as it is."""
    place = tmp_path_factory.mktemp("insects")
    folder = data / "drawn" / "hymenoptera_data"
    status, stdout, stderr = end(start(place, "--data", str(folder), "--epochs", "3", "--tta"))
    assert (status, stderr) == (0, "")
    return place, folder, stdout


def test_any_classes_are_trained_on(insects):
    place, folder, stdout = insects
    report = json.loads((only_run(place) / "report.json").read_text(encoding="utf-8"))
    assert list(report["per_class"]) == ["ants", "bees"]
    assert report["data"] == f"the pictures in {folder}"
    assert report["accuracy"] > 0.8
    assert re.search(r"^with mirrored pictures, too: [01]\.\d{4}$", stdout, re.MULTILINE)
    assert stdout.splitlines()[-1].endswith(f"test accuracy {report['accuracy']:.4f} (the pictures in {folder})")
    assert len(list((place / "data" / "cache").iterdir())) == 2


def test_the_report_is_complete(insects):
    report = json.loads((only_run(insects[0]) / "report.json").read_text(encoding="utf-8"))
    assert report["epochs"] == 3
    assert report["recipe"] == "fast"
    assert report["seed"] == 1
    assert report["device"] == "cpu"
    assert report["seconds"] > 0
    assert report["images_per_second"] > 0
    assert report["versions"]["torch"] == torch.__version__
    assert 0 <= report["none_of_these"]["false_alarms"] <= 0.5
    counts = {label: len(list((insects[1] / "val" / label).iterdir())) for label in ("ants", "bees")}
    right = sum(report["per_class"][label] * counts[label] for label in counts)
    assert report["accuracy"] == pytest.approx(right / sum(counts.values()))


def test_what_is_on_a_photo(insects, tmp_path):
    place, folder, _ = insects
    photos = []
    for label in ("ants", "bees"):
        photos.append(tmp_path / f"{label} 照片.png")
        Image.open(sorted((folder / "val" / label).iterdir())[0]).convert("RGBA").save(photos[-1])
    status, stdout, stderr = end(start(place, "--predict", *map(str, photos)))
    assert (status, stderr) == (0, "")
    assert stdout.startswith(f"Weights: {only_run(place)}, trained on the pictures in {folder}")
    answers = dict(re.findall(r"(\w+) 照片\.png\n  (\w+) +\d+% #+", stdout))
    assert answers == {"ants": "ants", "bees": "bees"}

    status, _, stderr = end(start(place, "--predict", str(tmp_path / "none.jpg")))
    assert status == 2
    assert stderr.startswith(f"Error: cannot read the picture {tmp_path / 'none.jpg'}")
