"""10. A loss says how wrong, backward says in which direction, an optimizer takes the step

Training is these three, again and again. Each is done by hand once; then the small network of lesson 9 is trained
with four optimizers, from the same start and on the same pictures.

    python lessons/10_loss_backward_optim.py
    tensorboard --logdir logs/10_loss_backward_optim
"""

# %% L1 is the mean distance, MSE the mean squared distance
import argparse
import math

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Subset
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms
from tqdm import tqdm

from shared import positive
from shared.datasets import cifar10
from shared.networks import CIFAR10Network
from shared.paths import new_run, tensorboard_command

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=positive, default=20)
parser.add_argument("--limit", type=positive, default=500, help="training pictures used")    # half a minute
args = parser.parse_args()

prediction, target = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, -2.0, 5.0])
apart = (prediction - target).abs()    # 3, 4, 2
print(apart.mean(), nn.L1Loss()(prediction, target), nn.L1Loss(reduction="sum")(prediction, target))
# -> tensor(3.) tensor(3.) tensor(9.)
print((apart**2).mean(), nn.MSELoss()(prediction, target), nn.MSELoss(reduction="sum")(prediction, target))
# -> tensor(9.6667) tensor(9.6667) tensor(29.)

# %% Cross entropy is minus the logarithm of the probability that the right class gets
cross_entropy = nn.CrossEntropyLoss()
scores, right = torch.tensor([0.1, 0.7, 0.2]), torch.tensor(1)    # the right class is number 1
print(-torch.log(scores.exp()[right] / scores.exp().sum()))
# -> tensor(0.7679)
print(cross_entropy(scores, right), cross_entropy(torch.tensor([0.8, 0.1, 0.1]), right))    # likely, then unlikely
# -> tensor(0.7679) tensor(1.3897)
sure = torch.tensor([0.0, 20.0, 0.0])    # it takes raw scores: with a Softmax before it, even a sure answer costs
print(f"{cross_entropy(sure, right):.4f} {cross_entropy(sure.softmax(dim=0), right):.4f}")
# -> 0.0000 0.5514

# %% backward fills in the gradients
torch.manual_seed(0)
network = CIFAR10Network()
test_data = cifar10(train=False, transform=transforms.ToTensor())
picture, target = next(iter(DataLoader(test_data, batch_size=1)))
output = network(picture)    # (1, 3, 32, 32) -> (1, 10)
loss = cross_entropy(output, target)    # about -log(1/10) = 2.3: a network that knows nothing
print(output.shape, target, loss)
# -> torch.Size([1, 10]) tensor([3]) tensor(2..., grad_fn=<NllLossBackward0>)
weight = network.layers[0].weight
print(weight.grad)
# -> None
loss.backward()
print(weight.grad.shape == weight.shape)    # a gradient for each parameter: how fast does the loss grow with it?
# -> True
once = weight.grad.clone()
cross_entropy(network(picture), target).backward()
print(torch.allclose(weight.grad, 2 * once))    # a second backward adds to the first
# -> True
network.zero_grad()    # so clear the gradients before each step: here by the network, below by the optimizer
print(weight.grad)
# -> None

# %% A step of SGD moves each parameter against its gradient
optimizer = optim.SGD(network.parameters(), lr=0.01)    # or any list of tensors: optim.Adam([weight], lr=0.0001)
cross_entropy(network(picture), target).backward()
by_hand = weight.detach() - 0.01 * weight.grad
optimizer.step()
print(torch.allclose(weight, by_hand), cross_entropy(network(picture), target) < loss)
# -> True tensor(True)

# %% Training is zero_grad, backward, step for each batch, and all of it again in each epoch
train_data = cifar10(train=True, transform=transforms.ToTensor())    # never the pictures to test with
train_data = Subset(train_data, range(len(train_data))[:args.limit])
OPTIMIZERS = {    # each with a learning rate that is usual for it
    "SGD": lambda parameters: optim.SGD(parameters, lr=0.01),
    "SGD with momentum": lambda parameters: optim.SGD(parameters, lr=0.01, momentum=0.9),
    "RMSprop": lambda parameters: optim.RMSprop(parameters, lr=0.0003),
    "Adam": lambda parameters: optim.Adam(parameters, lr=0.001),
}
run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", "Set Smoothing to 0. Which optimizer wins? How far do the first layer's weights go?")
    for number, (name, make_optimizer) in enumerate(OPTIMIZERS.items(), start=1):
        torch.manual_seed(0)    # the same first weights and the same order of pictures for each
        network = CIFAR10Network()
        optimizer = make_optimizer(network.parameters())
        loader = DataLoader(train_data, batch_size=64, shuffle=True)
        losses = []
        for epoch in tqdm(range(args.epochs), name, unit="epoch", disable=None, leave=False):
            total = 0.0
            for pictures, targets in loader:    # (64, 3, 32, 32), (64,)
                loss = cross_entropy(network(pictures), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(targets)    # .item(): the number alone; the loss itself holds its graph
            losses.append(total / len(train_data))
            writer.add_scalars("10 loss/mean of each epoch", {name: losses[-1]}, epoch)
            if math.isfinite(losses[-1]):    # a rate too high makes nan of everything, which has no histogram
                writer.add_histogram(f"10 weights/{number} {name}", network.layers[0].weight, epoch)
                writer.add_histogram(f"10 weights/{number} {name}, gradient", network.layers[0].weight.grad, epoch)
        print(f"{name:17} mean loss {losses[0]:.3f} -> {losses[-1]:.3f}, falling: {losses[-1] < losses[0]}")
# -> SGD               mean loss 2.3... -> ..., falling: True
#    SGD with momentum mean loss ... -> ..., falling: True
#    RMSprop           mean loss ... -> ..., falling: True
#    Adam              mean loss ... -> ..., falling: True
print("See it with:", tensorboard_command(run))

# Try next:
# - lr=0.1 and lr=1 for SGD: faster, and then nan. Why?
# - Leave `optimizer.zero_grad()` out.
