"""12. A whole training run, on the fastest device there is

Everything comes together, to train the tutorial's final network on CIFAR-10: all settings in one place, training and
testing in turn, a checkpoint after each epoch. The plumbing is in shared.

    python lessons/12_train_gpu.py
    tensorboard --logdir logs/12_train_gpu

    python lessons/12_train_gpu.py --epochs 3 --limit 2000     a quick look
    python lessons/12_train_gpu.py --recipe document           exactly the tutorial's run: 150 epochs
    python lessons/12_train_gpu.py --data my_pictures          my_pictures/{train,test}/<class>/*.jpg: your own
    python lessons/12_train_gpu.py --resume                    go on with the run that was stopped last
    python lessons/12_train_gpu.py --predict photo.jpg         what is on it? By the weights trained last

In two processes, on a GPU each if there are any; and on two machines that share the project's folder, on both of them:

    torchrun --standalone --nproc-per-node=2 lessons/12_train_gpu.py
    torchrun --nnodes=2 --nproc-per-node=8 --rdzv-id=1 --rdzv-backend=c10d --rdzv-endpoint=HOST lessons/12_train_gpu.py
"""

import argparse
import os
import time
from functools import partial
from pathlib import Path

import torch
from torch import nn, optim
from torch.nn.parallel import DistributedDataParallel
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from shared import checkpoint, positive, results
from shared.average import WeightAverage
from shared.datasets import cifar10, folder_pictures
from shared.loader import Batches, PictureByPicture, has_bfloat16
from shared.memory import explain_out_of_memory, keep_freed_memory
from shared.muon import Muon
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import LOGS, MODELS, models_folder, new_run, tensorboard_command
from shared.processes import join_processes, leave_processes, sum_over_processes


# %% All settings stand in one place
RECIPES = {
    "fast": {    # lessons/README.md has what its parts are worth
        "epochs": 8,
        "batch_size": 256,         # of all processes together
        "learning_rate": 0.1,      # the highest, of SGD
        "muon_rate": 0.1,          # the highest, of Muon, which trains kernels and matrices; 0: SGD trains all
        "milestones": (),          # epochs after which the rates are halved; none: up for a quarter, then down to zero
        "dropout": 0.0,
        "crop_padding": 1,         # pixels on each side, out of which 32x32 are cut: pictures move by up to one
        "averaged": 0.0,           # share of the epochs, the last, in which rates stay and weights are averaged
        "whole_batches": True,     # made on the device, normalised; else picture by picture, as in lesson 2
    },
    # The tutorial's. Its padding is lopsided, and from epoch 32 on the learning rate stays at 0.000625.
    "document": {"epochs": 150, "batch_size": 32, "learning_rate": 0.01, "muon_rate": 0, "milestones": (8, 16, 24, 32),
                 "dropout": 0.4, "crop_padding": (0, 2, 3, 4), "averaged": 0.0, "whole_batches": False},
}
RECIPES["best"] = RECIPES["fast"] | {"epochs": 64, "crop_padding": 2, "averaged": 0.15}
RUNS = MODELS / Path(__file__).stem
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)    # of CIFAR-10's training pictures, by channel


# %% One epoch of training: every picture once
def train(network, loader, loss_function, optimizers, schedulers, device, autocast):
    network.train()
    totals = torch.zeros(3, device=device)    # summed up on the device: .item() at each step would wait for it
    for pictures, targets in tqdm(loader, "training", disable=None, leave=False):
        pictures, targets = pictures.to(device), targets.to(device)    # (batch, 3, 32, 32), (batch,)
        with autocast:    # most of it in bfloat16, half the bits, where the device is faster with them
            scores = network(pictures).float()                         # -> (batch, classes)
        loss = loss_function(scores, targets)
        if device.type == "cpu":    # which knows the loss at once; that of a GPU is looked at after the epoch
            checkpoint.stop_unless_finite(loss.item(), schedulers[-1].get_last_lr()[0])
        network.zero_grad()    # for all optimizers
        loss.backward()
        for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
            optimizer.step()
            scheduler.step()    # the learning rate changes with each step, not with each epoch
        totals[0] += loss.detach() * len(targets)    # the sum over the batch's pictures; loss is their mean
        totals[1] += (scores.argmax(dim=1) == targets).sum()
        totals[2] += len(targets)
    loss, correct, count = sum_over_processes(totals).tolist()
    return loss / count, correct / count, count


# %% Testing changes nothing
@torch.inference_mode()
def test(network, loader, loss_function, autocast, tta=False):
    network.eval()
    scores = []
    for pictures, _ in tqdm(loader, "testing", disable=None, leave=False):
        with autocast:
            scores.append(network(pictures).float() + (network(pictures.flip(3)).float() if tta else 0))
    scores = torch.cat(scores)    # (N, classes)
    right = scores.argmax(dim=1) == loader.targets
    return scores, loss_function(scores, loader.targets).item(), right.sum().item() / len(right)


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s [options], --help lists them")
    parser.add_argument("--recipe", choices=RECIPES, default="fast", help="document is the tutorial's")
    parser.add_argument("--epochs", type=positive, help="times through the training pictures")
    parser.add_argument("--limit", type=positive, help="training pictures used")
    parser.add_argument("--data", type=os.path.abspath, help="a folder with train/<class>/ and test/<class>/ (or val/)")
    parser.add_argument("--seed", type=positive, default=1, help="another seed, other first weights and crops")
    parser.add_argument("--workers", type=positive, default=0, help="processes that read, for --recipe document")
    parser.add_argument("--tta", action="store_true", help="test-time augmentation: also with mirrored pictures")
    parser.add_argument("--resume", nargs="?", const="latest", metavar="RUN", help="go on with a run that was stopped")
    parser.add_argument("--predict", nargs="+", type=Path, metavar="PHOTO", help="say what is on photos, train nothing")
    args, saved = checkpoint.parse(parser, RUNS)    # saved: the checkpoint of the run to go on with, if there is one
    if args.predict:
        results.predict(CIFAR10NetSimpleV3, args.predict, RUNS)
        raise SystemExit
    recipe = argparse.Namespace(**(saved["recipe"] if saved else RECIPES[args.recipe]))
    epochs = args.epochs = args.epochs or recipe.epochs
    # CUDA, MPS (Apple) or XPU (Intel), whichever there is; the older tensor.cuda() and network.cuda() know one of them
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    rank, world_size = join_processes(device)    # of world_size processes, number 0 tests, writes and saves for all

    # %% Accuracy is the share of pictures whose highest score is the right one's
    scores = torch.tensor([[0.3, 0.7], [0.6, 0.4]])         # two pictures, two classes
    right = scores.argmax(dim=1) == torch.tensor([0, 0])    # dim=1: along each row
    print(scores.argmax(dim=1), right, right.sum())
    # -> tensor([1, 0]) tensor([False,  True]) tensor(1)

    # %% train() and eval() change what Dropout and BatchNorm do
    dropout = nn.Dropout(0.5)    # in training half is zeroed and the rest doubled; in testing all stays
    print(dropout.train()(torch.ones(1000)).unique(), dropout.eval()(torch.ones(1000)).unique())
    # -> tensor([0., 2.]) tensor([1.])
    norm = nn.BatchNorm1d(1, affine=False)    # by the batch that it sees; in testing, by a moving mean of those it saw
    batch = torch.tensor([[1.0], [3.0]])
    print(norm.train()(batch).flatten(), norm.eval()(batch).flatten())
    # -> tensor([-1.0000,  1.0000]) tensor([0.7628, 2.6697])

    # %% no_grad and inference_mode record nothing for backward, which saves time and memory
    x = torch.ones(1, requires_grad=True)
    with torch.no_grad():
        quiet = x * 2
    with torch.inference_mode():    # saves a little more; in return its results can take no part in training
        quieter = x * 2
    print(quiet.requires_grad, (quiet * x).requires_grad, quieter.is_inference())
    # -> False True True

    # %% to(device) moves a network in place, but gives a new tensor
    tensor, layer = torch.zeros(1), nn.Linear(1, 1)
    tensor.to("meta")    # a device that every machine has, for shapes only; an NVIDIA GPU is called "cuda"
    layer.to("meta")
    print(tensor.device, layer.weight.device, tensor.to("meta").device)
    # -> cpu meta meta

    # %% Pictures are moved and mirrored in training, never in testing
    pictures = partial(folder_pictures, Path(args.data)) if args.data else cifar10
    train_data, test_data = pictures(train=True), pictures(train=False)
    count = min(args.limit or len(train_data), len(train_data))
    batch_size = min(recipe.batch_size, max(world_size, count // 32))    # so that few pictures, too, make 32 steps
    options = {"padding": recipe.crop_padding, "seed": args.seed, "rank": rank, "world_size": world_size}
    mean, std = (MEAN, STD) if recipe.whole_batches else ((0.0,) * 3, (1.0,) * 3)    # the tutorial's: as they are
    if recipe.whole_batches:
        loader = Batches(train_data, count, batch_size, device, mean, std, train=True, **options)
    else:
        loader = PictureByPicture(train_data, count, batch_size, workers=args.workers, **options)
    test_loader = Batches(test_data, len(test_data), 500, device, mean, std, train=False)

    # %% Network, loss, optimizers, and how the learning rate goes
    torch.manual_seed(args.seed)
    network = CIFAR10NetSimpleV3(len(train_data.classes), recipe.dropout).to(device)
    loss_function = nn.CrossEntropyLoss()    # has no parameters to move
    if recipe.muon_rate:
        matrices = [parameter for parameter in network.parameters() if parameter.ndim > 1]    # kernels, too
        vectors = [parameter for parameter in network.parameters() if parameter.ndim == 1]    # biases and the like
        # nesterov: momentum that looks one step ahead; fused: all parameters in one call, which saves time
        optimizers = [optim.SGD(vectors, recipe.learning_rate, momentum=0.9, nesterov=True, fused=True),
                      Muon(matrices, recipe.muon_rate)]
    else:
        optimizers = [optim.SGD(network.parameters(), recipe.learning_rate, momentum=0.9)]
    steps = epochs * len(loader)

    def factor(step):    # of the highest rate: up for a quarter of all steps, then down, until averaging begins
        if recipe.milestones:
            return 0.5 ** sum(step >= epoch * len(loader) for epoch in recipe.milestones)
        return min(1, (step + 1) / (steps / 4), max(steps - step, recipe.averaged * steps) / (steps * 3 / 4))

    schedulers = [optim.lr_scheduler.LambdaLR(optimizer, factor) for optimizer in optimizers]
    averaged = WeightAverage(network)    # a copy of network, and in the epochs to average, the mean of its weights
    parts = [network, averaged, *optimizers, *schedulers]
    done, seconds, curves = checkpoint.restore(saved, train_data, parts)    # epochs done: 0, if nothing was saved
    synced = DistributedDataParallel(network) if world_size > 1 else network    # averages all processes' gradients
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=recipe.whole_batches and has_bfloat16(device))

    # %% Train and test in turn, write down how it goes, and keep what it takes to go on
    if rank == 0:
        run = LOGS / RUNS.name / saved["run"] if saved else new_run(__file__, drawn=train_data.drawn)
        models = models_folder(run)
        writer = SummaryWriter(run, purge_step=done)    # of what an interrupted epoch has written, nothing is kept
        if done == 0:
            results.begin_board(writer, loader.first_batch(), mean, std)
    keep_freed_memory()    # or each step asks Linux for it anew, which takes a tenth of the time on a CPU
    for epoch in range(done, epochs):
        started = time.perf_counter()
        loader.set_epoch(epoch)
        torch.manual_seed((args.seed * 10**6 + epoch) * world_size + rank)    # so a resumed run draws the same
        learning_rate = schedulers[-1].get_last_lr()[0]    # of the first step
        with explain_out_of_memory(batch_size, device):
            train_loss, train_acc, seen = train(synced, loader, loss_function, optimizers, schedulers, device, autocast)
        if rank > 0:
            continue
        images_per_second = seen / (time.perf_counter() - started)
        averaged.take(network, loader, autocast, anew=epoch < epochs * (1 - recipe.averaged))
        _, test_loss, test_acc = test(averaged, test_loader, loss_function, autocast)
        seconds += time.perf_counter() - started
        curves = {"train_loss": train_loss, "train_acc": train_acc, "test_loss": test_loss, "test_acc": test_acc,
                  "learning_rate": learning_rate, "images_per_second": images_per_second}
        for name, value in curves.items():
            writer.add_scalar(name, value, epoch)
        writer.flush()
        checkpoint.save(models, args, vars(recipe), train_data, parts, epoch + 1, seconds, curves)
        print(f"epoch {epoch + 1:3}/{epochs}  learning rate {learning_rate:.4f}  training: loss {train_loss:.3f}, "
              f"accuracy {train_acc:.3f}  testing: loss {test_loss:.3f}, accuracy {test_acc:.3f}")
    leave_processes()    # and end, all but number 0

    # %% Keep what the last epoch gave, not the best: to choose by the test pictures would be to train on them
    checkpoint.save_whole(averaged.module.state_dict(), models / "weights.pt")
    again = CIFAR10NetSimpleV3(len(train_data.classes))
    again.load_state_dict(torch.load(models / "weights.pt", map_location="cpu", weights_only=True))    # from any device
    scores, _, accuracy = test(again.to(device), test_loader, loss_function, autocast)
    print("loaded again, same accuracy:", accuracy == curves["test_acc"])
    # -> loaded again, same accuracy: True
    if args.tta:
        print(f"with mirrored pictures, too: {test(again, test_loader, loss_function, autocast, tta=True)[2]:.4f}")
    settings = vars(recipe) | {"epochs": epochs, "batch_size": batch_size, "pictures": count}
    report = {"accuracy": accuracy, "epochs": epochs, "seconds": seconds, "device": str(device), "seed": args.seed,
              "images_per_second": curves["images_per_second"], "data": train_data.source, "recipe": args.recipe,
              "mean": mean, "std": std, "settings": settings}
    results.write_report(report, scores.cpu(), test_data, writer, models)
    writer.close()
    print("See it with:", tensorboard_command(run))
    print(f"{args.recipe} recipe, {epochs} epochs in {seconds:.0f} s on {device}, weights in {models}: "
          f"test accuracy {accuracy:.4f} ({train_data.source})")


# DataLoader may be given workers (lesson 2), and those import this file again: they must not train as well.
if __name__ == "__main__":
    main()

# Try next:
# - `--recipe document --epochs 8` beside `--epochs 8`: compare the curves in TensorBoard.
# - `"muon_rate": 0`, so that SGD trains all: how much is lost?
