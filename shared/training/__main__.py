r"""Trains lesson 12's network, with all that a long run needs.

    python -m shared.training                            the fast recipe: what lesson 12 does
    python -m shared.training --recipe best              64 epochs, the highest accuracy
    python -m shared.training --recipe tutorial          exactly the tutorial's run: 150 epochs
    python -m shared.training --epochs 3 --limit 2000    a quick look
    python -m shared.training --data my_pictures         your own: {train,test}/<class>/*.jpg
    python -m shared.training --resume                   go on with the run that was stopped last
    python -m shared.training.predict photo.jpg          what is on it? By the last run's weights

`make train ARGS="..."` does the same. Of these two commands, the first starts two processes, each
on a GPU of its own if there are any. The second is for two machines that share the project's
folder; give it on both:

    torchrun --standalone --nproc-per-node=2 -m shared.training
    torchrun --nnodes=2 --nproc-per-node=8 --rdzv-id=1 --rdzv-backend=c10d --rdzv-endpoint=HOST \
        -m shared.training

If one of them fails, torchrun stops all. The same command with --resume goes on. The processes
share each batch: gradients are averaged, but batch normalisation sees only a process's own share.

A run has two folders of its own: logs/training/<run> for TensorBoard, and models/training/<run>
with checkpoint.pt, weights.pt and report.json.
"""

from shared.errors import LessonError, begin_lesson, positive

if __name__ == "__main__":    # worker processes import this file again, and train nothing
    begin_lesson()

import argparse
import math
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from shared.datasets import cifar10, enlarge, folder_pictures
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import LOGS, MODELS, models_folder, named_folder, new_run, print_where_to_look
from shared.training import checkpoint, processes, report
from shared.training.average import WeightAverage
from shared.training.loader import (AS_THEY_ARE, CIFAR10_MEAN_STD, Augmentation, Batches,
                                    PictureByPicture, has_bfloat16)
from shared.training.recipes import RECIPES, batch_size_for, make_optimizer, make_scheduler

RUNS = MODELS / "training"
SETTINGS = ("recipe", "epochs", "limit", "data", "seed", "workers")    # what a resumed run keeps
LOOK_AT = """
- Scalars tab (set Smoothing to 0, then switch "Ignore outliers in chart scaling" off), group
  "12 curves": does the test accuracy still rise at the end? Do training and testing move apart?
- Images tab: which classes does the network confuse? Of which mistakes is it confident?
- Text tab, "1 classes": names for the numbers that stand in pictures where a name cannot.
- PR Curves tab: which class is the hardest?
- HParams tab: this run's settings. `tensorboard --logdir logs/training` compares all runs.
"""


def parse_flags() -> tuple[argparse.Namespace, dict, Path | None]:
    """The flags. For a run that goes on, also its checkpoint and its folder, else {} and None.

    Raises:
        LessonError: there is nothing to resume, or it cannot be read, or has other settings.
    """
    parser = argparse.ArgumentParser("python -m shared.training",
                                     usage="%(prog)s [options], --help lists them")
    parser.add_argument("--recipe", choices=RECIPES, default="fast")
    parser.add_argument("--epochs", type=positive, help="times through the training pictures")
    parser.add_argument("--limit", type=positive, help="training pictures used")
    parser.add_argument("--data", type=lambda text: str(named_folder(text, "--data")),
                        help="a folder with train/<class>/ and test/<class>/ (or val/<class>/)")
    parser.add_argument("--seed", type=positive, default=1, help="of all random numbers")
    parser.add_argument("--workers", type=positive, default=0,
                        help="processes that read, for --recipe tutorial")
    parser.add_argument("--tta", action="store_true",
                        help="test-time augmentation: also average with the mirrored pictures")
    parser.add_argument("--resume", nargs="?", const="latest", metavar="RUN",
                        help="go on with a run that was stopped, the last one or the one named")
    args = parser.parse_args()
    if not args.resume:
        return args, {}, None
    folder = checkpoint.find(RUNS, args.resume)
    saved = checkpoint.load(folder)
    with checkpoint.one_error():
        if (saved["settings"].keys() != set(SETTINGS)
                or saved["recipe"].keys() != RECIPES["fast"].keys()):
            raise ValueError("it has other settings than this program")
    parser.set_defaults(**saved["settings"])
    args = parser.parse_args()
    for name, value in saved["settings"].items():
        if getattr(args, name) != value:
            how = f"without --{name}" if value is None else f"with --{name} {value}"
            raise LessonError(f"the run {folder.name} was started {how}.\nLeave --{name} out to "
                              "go on with it, or --resume out to start another.")
    return args, saved, folder


def load_data(args: argparse.Namespace) -> tuple[Dataset, Dataset]:
    """The training and the test pictures."""
    if args.data:
        train_data, test_data = (folder_pictures(Path(args.data), train) for train in (True, False))
        print(f"Data: {train_data.source}, {len(train_data):,} training and {len(test_data):,} "
              f"test pictures, {len(train_data.classes)} classes")
    else:
        train_data, test_data = cifar10(train=True), cifar10(train=False)
    train_data.data = train_data.data[:args.limit]
    train_data.targets = train_data.targets[:args.limit]
    return train_data, test_data


def train_epoch(network: nn.Module, loader: Iterable, optimizer: Optimizer, scheduler: LRScheduler,
                autocast: torch.autocast) -> tuple[float, float, int]:
    """Trains for one epoch, and returns the mean loss, the accuracy, and the number of pictures.

    Raises:
        LessonError: the loss is infinite or not a number, because the learning rate is too high.
    """
    network.train()
    device = next(network.parameters()).device
    totals = torch.zeros(3, device=device)    # on the device: item() would wait for a GPU
    with processes.stop_between_batches() as stop_if_asked:
        for pictures, targets in tqdm(loader, "training", disable=processes.no_bar(), leave=False):
            pictures, targets = pictures.to(device), targets.to(device)    # (B, 3, H, W), (B,)
            with autocast:
                scores = network(pictures).float()                         # -> (B, classes)
            loss = nn.functional.cross_entropy(scores, targets)
            if device.type == "cpu":    # where reading the loss costs nothing
                stop_unless_finite(loss.item(), scheduler)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()    # the learning rate changes with each step
            totals[0] += loss.detach() * len(targets)    # the sum over the batch; loss is its mean
            totals[1] += (scores.argmax(dim=1) == targets).sum()
            totals[2] += len(targets)
            stop_if_asked()
    loss_sum, correct, count = processes.sum_over_processes(totals).tolist()
    stop_unless_finite(loss_sum, scheduler)
    return loss_sum / count, correct / count, int(count)


def stop_unless_finite(loss: float, scheduler: LRScheduler) -> None:
    """Raises LessonError if a loss is infinite or no number, before such weights are saved."""
    if not math.isfinite(loss):
        highest = scheduler.base_lrs[0]
        raise LessonError(f"the loss is {loss} at learning rates of up to {highest:.3g}, which are "
                          "too high.\nLower them in shared/training/recipes.py and start a new "
                          "run; --resume would keep the old ones.")


@torch.inference_mode()
def evaluate(network: nn.Module, batches: Batches, autocast: torch.autocast,
             mirrored: bool = False) -> tuple[torch.Tensor, float, float]:
    """Tests a network, and returns its scores (N, classes), the mean loss and the accuracy.

    With `mirrored`, the scores of each picture's mirror image are added to its own.
    """
    network.eval()
    scores = []
    for pictures, _ in tqdm(batches, "testing", disable=None, leave=False):
        with autocast:
            scores.append(network(pictures).float())
            if mirrored:
                scores[-1] += network(pictures.flip(3)).float()
    scores = torch.cat(scores)
    right = scores.argmax(dim=1) == batches.targets
    loss = nn.functional.cross_entropy(scores, batches.targets)
    return scores, loss.item(), right.sum().item() / len(right)


def main() -> None:
    args, saved, folder = parse_flags()
    recipe = saved.get("recipe") or dict(RECIPES[args.recipe])
    epochs = args.epochs = args.epochs or recipe["epochs"]
    recipe["epochs"] = epochs
    if epochs * recipe["averaged_epochs"] < 1:    # nothing to average: let the rate fall to zero
        recipe["averaged_epochs"] = 0.0
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    rank, world_size = processes.join_processes(device)    # number 0 tests and saves for all

    # Data
    train_data, test_data = load_data(args)
    data = checkpoint.describe(train_data, test_data)
    batch_size = batch_size_for(recipe, len(train_data))
    if batch_size < world_size:
        raise LessonError(f"{world_size} processes cannot share a batch of {batch_size} pictures.\n"
                          "Start fewer, or take more pictures.")
    augmentation = Augmentation(recipe["crop_padding"], args.seed, rank, world_size,
                                small_epochs=int(epochs * recipe["small_share"]))
    if recipe["whole_batches"]:
        mean_std = CIFAR10_MEAN_STD
        loader = Batches(train_data, batch_size, device, mean_std, augmentation)
    else:
        mean_std = AS_THEY_ARE
        loader = PictureByPicture(train_data, batch_size, augmentation, args.workers)
    test_batches = Batches(test_data, 500, device, mean_std)

    # What training changes
    torch.manual_seed(args.seed)
    network = CIFAR10NetSimpleV3(len(train_data.classes), recipe["dropout"]).to(device)
    averaged = WeightAverage(network)    # equal to the network until averaging begins
    optimizer = make_optimizer(network, recipe)
    scheduler = make_scheduler(optimizer, recipe, len(loader))
    parts = {"network": network, "averaged": averaged, "optimizer": optimizer,
             "scheduler": scheduler}
    done, seconds, speed = 0, 0.0, 0.0
    if saved:
        done = checkpoint.restore(parts, saved, data, epochs)
        seconds, speed = saved["seconds"], saved["speed"]
        print(f"Going on with the run {folder.name} after epoch {done}")
    synced = DistributedDataParallel(network) if world_size > 1 else network    # mean of gradients
    autocast = torch.autocast(device.type, torch.bfloat16,
                              enabled=recipe["whole_batches"] and has_bfloat16(device))

    # Where it goes
    if rank == 0:
        run = (LOGS / "training" / folder.name if saved
               else new_run("training", drawn=train_data.drawn))
        folder = models_folder(run)
        lock = checkpoint.lock(folder)
        # Two more folders, because TensorBoard gives each a colour. With purge_step it leaves out
        # what an interrupted epoch wrote.
        writer = SummaryWriter(run, purge_step=done + 1)
        training = SummaryWriter(run / "training", purge_step=done + 1)
        testing = SummaryWriter(run / "testing", purge_step=done + 1)
        if done == 0:
            writer.add_text("0 look at", LOOK_AT)
            pictures = torch.from_numpy(train_data.data[:32]).permute(0, 3, 1, 2)
            writer.add_images("12 pictures/1 training pictures", enlarge(pictures))

    processes.keep_freed_memory()
    for epoch in range(done, epochs):
        started = time.perf_counter()
        loader.set_epoch(epoch)
        torch.manual_seed((args.seed * 10**6 + epoch) * world_size + rank)    # the same if resumed
        rate = scheduler.get_last_lr()[0]    # of the epoch's first step
        train_loss, train_accuracy, count = train_epoch(synced, loader, optimizer, scheduler,
                                                        autocast)
        if rank > 0:
            continue
        speed = count / (time.perf_counter() - started)
        before_averaging = epoch < epochs * (1 - recipe["averaged_epochs"])
        averaged.add(network, loader, autocast, start_again=before_averaging)
        _, test_loss, test_accuracy = evaluate(averaged, test_batches, autocast)
        stop_unless_finite(test_loss, scheduler)
        seconds += time.perf_counter() - started

        training.add_scalar("12 curves/loss", train_loss, epoch + 1)
        testing.add_scalar("12 curves/loss", test_loss, epoch + 1)
        training.add_scalar("12 curves/accuracy", train_accuracy, epoch + 1)
        testing.add_scalar("12 curves/accuracy", test_accuracy, epoch + 1)
        writer.add_scalar("12 speed/learning rate", rate, epoch + 1)
        writer.add_scalar("12 speed/pictures a second", speed, epoch + 1)
        for each in (training, testing, writer):
            each.flush()
        checkpoint.save({
            "epoch": epoch + 1,
            **{name: part.state_dict() for name, part in parts.items()},
            "settings": {name: getattr(args, name) for name in SETTINGS},
            "recipe": recipe,
            "data": data,
            "seconds": seconds,
            "speed": speed,
        }, folder)
        print(f"epoch {epoch + 1:3}/{epochs}  learning rate {rate:.4f}  "
              f"training: loss {train_loss:.3f}, accuracy {train_accuracy:.3f}  "
              f"testing: loss {test_loss:.3f}, accuracy {test_accuracy:.3f}")
    processes.leave_processes()

    # The weights of the last epoch are kept, not of the best one. To choose by the test pictures
    # would be to train on them.
    scores, loss, accuracy = evaluate(averaged, test_batches, autocast)
    facts = {"accuracy": accuracy, "epochs": epochs, "seconds": seconds, "device": str(device),
             "seed": args.seed, "recipe": args.recipe, "mean": mean_std[0], "std": mean_std[1],
             "pictures_per_second": speed, "data": train_data.source, "drawn": train_data.drawn,
             "settings": recipe | {"batch_size": batch_size, "pictures": len(train_data)}}
    if args.tta:
        facts["accuracy_tta"] = evaluate(averaged, test_batches, autocast, mirrored=True)[2]
        print(f"with the mirrored pictures, too: test accuracy {facts['accuracy_tta']:.4f}")
    report.write_board(writer, scores.cpu(), test_data)
    settings = {name: facts[name] for name in ("recipe", "seed", "data", "device")}
    settings |= facts["settings"]
    report.write_hparams(writer, settings, {"test accuracy": accuracy, "test loss": loss})
    for each in (training, testing, writer):
        each.close()
    facts = report.write_report(facts, scores.cpu(), test_data, folder)
    checkpoint.save_whole(averaged.module.state_dict(), folder / "weights.pt")    # means: finished
    lock.release()
    print_where_to_look(run, LOOK_AT)
    limited = f" of {len(train_data):,} pictures" if args.limit else ""
    print()
    report.print_what_accuracy_hides(facts)
    print(f"{args.recipe} recipe, {epochs} epochs{limited} in {seconds:.0f} s on {device}, "
          f"weights in {folder}: test accuracy {accuracy:.4f} ({train_data.source})")


if __name__ == "__main__":
    main()
