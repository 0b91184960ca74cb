"""12. A whole training run, on the fastest device there is

Everything comes together: the settings in one place, training and testing in turn, the curves in TensorBoard, the
weights kept at the end. It trains the tutorial's final network, CIFAR10NetSimpleV3, on CIFAR-10.

    python lessons/12_train_gpu.py
    tensorboard --logdir logs/12_train_gpu

    python lessons/12_train_gpu.py --epochs 3 --limit 2000     a quick look
    python lessons/12_train_gpu.py --recipe document           exactly the tutorial's run: 150 epochs
    python lessons/12_train_gpu.py --data my_pictures          my_pictures/{train,test}/<class>/*.jpg: your own
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, Subset
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms
from tqdm import tqdm

from shared import kept, positive
from shared.datasets import cifar10, folder_pictures
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import models_folder, new_run, tensorboard_command


# %% All settings stand in one place
@dataclass
class Recipe:
    epochs: int
    batch_size: int
    learning_rate: float       # the highest
    milestones: tuple          # epochs after which the learning rate is halved; none: a triangle, up and down to zero
    nesterov: bool
    weight_decay: float        # pulls all parameters towards zero, a little with each step
    label_smoothing: float     # asks for a little less than certainty
    dropout: float
    crop_padding: int | tuple  # pixels around the picture, out of which 32x32 are cut: left, top, right, bottom
    normalize: bool


RECIPES = {
    # For short runs: a high learning rate that ends at zero (https://arxiv.org/abs/1708.07120), and little dropout,
    # since eight epochs hardly overfit. See also https://myrtle.ai/learn/how-to-train-your-resnet
    "fast": Recipe(epochs=8, batch_size=128, learning_rate=0.1, milestones=(), nesterov=True, weight_decay=5e-4,
                   label_smoothing=0.1, dropout=0.1, crop_padding=2, normalize=True),
    # The tutorial's. Its padding is lopsided, and from epoch 32 on the learning rate stays at 0.000625.
    "document": Recipe(epochs=150, batch_size=32, learning_rate=0.01, milestones=(8, 16, 24, 32), nesterov=False,
                       weight_decay=0, label_smoothing=0, dropout=0.4, crop_padding=(0, 2, 3, 4), normalize=False),
}
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)    # of CIFAR-10's training pictures, by channel


# %% Accuracy is the share of pictures whose highest score is the right one's
def show_accuracy():
    scores = torch.tensor([[0.3, 0.7],
                           [0.6, 0.4]])    # two pictures, two classes
    targets = torch.tensor([0, 0])
    print(scores.argmax(dim=1))    # dim=1: along each row
    # -> tensor([1, 0])
    print(scores.argmax(dim=1) == targets)
    # -> tensor([False, True])
    print((scores.argmax(dim=1) == targets).sum())
    # -> tensor(1)


# %% train() and eval() change what Dropout and BatchNorm do
def show_modes():
    dropout = nn.Dropout(0.5)
    print(dropout.train()(torch.ones(1000)).unique(), dropout.eval()(torch.ones(1000)).unique())
    # -> tensor([0., 2.]) tensor([1.])
    # In training half is zeroed and the rest doubled; in testing all stays.

    norm = nn.BatchNorm1d(1, affine=False)
    batch = torch.tensor([[1.0], [3.0]])
    print(norm.train()(batch).flatten(), norm.eval()(batch).flatten())
    # -> tensor([-1.0000,  1.0000]) tensor([0.7628, 2.6697])
    # In training it normalises by the batch that it sees, in testing by the mean of those that it saw.


# %% no_grad and inference_mode record nothing for backward, which saves time and memory
def show_no_grad():
    x = torch.ones(1, requires_grad=True)
    with torch.no_grad():
        quiet = x * 2
    with torch.inference_mode():    # saves a little more; in return its results can take no part in training
        quieter = x * 2
    print(quiet.requires_grad, (quiet * x).requires_grad)
    # -> False True
    try:
        quieter * x
    except RuntimeError as error:
        print(error)
    # -> Inference tensors cannot be saved for backward...


# %% to(device) moves a network in place, but gives a new tensor
def show_moving():
    # "meta" is a device that every machine has: it computes shapes only. An NVIDIA GPU is called "cuda".
    tensor, layer = torch.zeros(1), nn.Linear(1, 1)
    tensor.to("meta")
    layer.to("meta")
    print(tensor.device, layer.weight.device, tensor.to("meta").device)
    # -> cpu meta meta


def choose_device() -> torch.device:
    # CUDA (NVIDIA, AMD), MPS (Apple) or XPU (Intel), whichever this machine has. The older tensor.cuda() and
    # network.cuda() know only the first.
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


# %% One epoch of training: every picture once
def train(network, loader, loss_function, optimizer, scheduler, device):
    network.train()
    total_loss = torch.zeros((), device=device)    # summed up on the device: .item() at each step would wait for it
    correct = torch.zeros((), device=device)
    for pictures, targets in tqdm(loader, "training", disable=None, leave=False):
        pictures, targets = pictures.to(device), targets.to(device)    # (batch, 3, 32, 32), (batch,)
        scores = network(pictures)                                     # -> (batch, classes)
        loss = loss_function(scores, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()    # the learning rate changes with each step, not with each epoch
        # Measured as in testing, without label smoothing, so that the two curves compare
        total_loss += F.cross_entropy(scores.detach(), targets, reduction="sum")
        correct += (scores.argmax(dim=1) == targets).sum()
    return total_loss.item() / len(loader.dataset), correct.item() / len(loader.dataset)


# %% Testing changes nothing
@torch.inference_mode()
def test(network, loader, device):
    network.eval()
    total_loss, correct = torch.zeros((), device=device), torch.zeros((), device=device)
    for pictures, targets in tqdm(loader, "testing", disable=None, leave=False):
        pictures, targets = pictures.to(device), targets.to(device)
        scores = network(pictures)
        total_loss += F.cross_entropy(scores, targets, reduction="sum")
        correct += (scores.argmax(dim=1) == targets).sum()
    return total_loss.item() / len(loader.dataset), correct.item() / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s [options], --help lists them")
    parser.add_argument("--recipe", choices=RECIPES, default="fast", help="document is the tutorial's")
    parser.add_argument("--epochs", type=positive, help="times through the training pictures")
    parser.add_argument("--limit", type=positive, help="training pictures used")
    parser.add_argument("--data", type=Path, help="a folder with train/<class>/ and test/<class>/ (or val/<class>/)")
    parser.add_argument("--seed", type=positive, default=1, help="another seed, other first weights and crops")
    args = parser.parse_args()
    recipe = RECIPES[args.recipe]
    epochs = args.epochs or recipe.epochs

    show_accuracy()
    show_modes()
    show_no_grad()
    show_moving()
    device = choose_device()
    torch.manual_seed(args.seed)    # first weights, dropout, order and crops: the same seed, the same run

    # %% Pictures are moved and mirrored in training, never in testing
    to_tensor = [transforms.ToTensor()]
    if recipe.normalize:
        to_tensor.append(transforms.Normalize(MEAN, STD))
    augment = [transforms.RandomCrop(32, padding=recipe.crop_padding), transforms.RandomHorizontalFlip()]
    train_transform, test_transform = transforms.Compose(augment + to_tensor), transforms.Compose(to_tensor)
    if args.data:
        train_data = folder_pictures(args.data, train=True, transform=train_transform)
        test_data = folder_pictures(args.data, train=False, transform=test_transform)
    else:
        train_data = cifar10(train=True, transform=train_transform)
        test_data = cifar10(train=False, transform=test_transform)
    part = Subset(train_data, range(len(train_data))[:args.limit])
    train_loader = DataLoader(part, batch_size=recipe.batch_size, shuffle=True)
    test_loader = DataLoader(test_data, batch_size=recipe.batch_size)

    # %% Network, loss, optimizer, and how the learning rate goes
    network = CIFAR10NetSimpleV3(len(train_data.classes), recipe.dropout).to(device)
    loss_function = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)    # has no parameters to move
    optimizer = optim.SGD(network.parameters(), lr=recipe.learning_rate, momentum=0.9, nesterov=recipe.nesterov,
                          weight_decay=recipe.weight_decay)
    steps = epochs * len(train_loader)

    def triangle(step):
        """The share of the highest learning rate: up over the first quarter of the steps, then down to zero."""
        return min(1, (step + 1) / (steps / 4), (steps - step) / (steps * 3 / 4))

    if recipe.milestones:
        scheduler = optim.lr_scheduler.MultiStepLR(
            optimizer, [epoch * len(train_loader) for epoch in recipe.milestones], gamma=0.5)
    else:
        scheduler = optim.lr_scheduler.LambdaLR(optimizer, triangle)

    # %% Train and test in turn, and write down how it goes
    run = new_run(__file__, drawn=train_data.drawn)
    models = models_folder(run)
    started = time.perf_counter()
    with SummaryWriter(run) as writer:
        writer.add_text("0 look at", "**Scalars**: do train and test move apart? What does the learning rate do?")
        for epoch in range(epochs):
            learning_rate = scheduler.get_last_lr()[0]
            train_loss, train_acc = train(network, train_loader, loss_function, optimizer, scheduler, device)
            test_loss, test_acc = test(network, test_loader, device)
            curves = {"train_loss": train_loss, "train_acc": train_acc, "test_loss": test_loss, "test_acc": test_acc,
                      "learning_rate": learning_rate}
            for name, value in curves.items():
                writer.add_scalar(name, value, epoch)
            print(f"epoch {epoch + 1:3}/{epochs}  learning rate {learning_rate:.4f}  "
                  f"training: loss {train_loss:.3f}, accuracy {train_acc:.3f}  "
                  f"testing: loss {test_loss:.3f}, accuracy {test_acc:.3f}")
    seconds = time.perf_counter() - started

    # %% Keep the weights, and see that they are whole
    # The last epoch's, not the best epoch's: to choose by the test pictures would be to train on them.
    torch.save(network.state_dict(), models / "weights.pt")
    kept.append(str(models / "weights.pt"))
    again = CIFAR10NetSimpleV3(len(train_data.classes))
    again.load_state_dict(torch.load(models / "weights.pt", map_location="cpu", weights_only=True))    # from any device
    print("loaded again, same accuracy:", test(again.to(device), test_loader, device)[1] == test_acc)
    # -> loaded again, same accuracy: True
    print("See it with:", tensorboard_command(run))
    print(f"{args.recipe} recipe, {epochs} epochs in {seconds:.0f} s on {device}, weights in {models}: "
          f"test accuracy {test_acc:.4f} ({train_data.source})")
    # -> ... test accuracy ... (...)


# DataLoader may be given workers (lesson 2), and those import this file again: they must not train as well.
if __name__ == "__main__":
    main()

# Try next:
# - `--recipe document --epochs 8` beside `--epochs 8`: compare the curves in TensorBoard.
# - `num_workers=2` for the train_loader: when is it faster?
# - CIFAR10Network() of lesson 9 in both places of CIFAR10NetSimpleV3(...), with `--recipe document --epochs 8`.
