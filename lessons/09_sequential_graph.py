"""09. The first whole network, layer by layer

Sequential chains layers into a network. Here the small CIFAR-10 network is built, the shape followed through every
layer, its parameters counted by hand, and its graph drawn by TensorBoard.

    python lessons/09_sequential_graph.py
    tensorboard --logdir logs/09_sequential_graph
"""

# %% Sequential numbers its layers, or gives them the names in an OrderedDict
from collections import OrderedDict

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from shared.networks import CIFAR10Network
from shared.paths import new_run, tensorboard_command

numbered = nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.Conv2d(20, 64, 5), nn.ReLU())
print(numbered)
# -> Sequential(
#      (0): Conv2d(1, 20, kernel_size=(5, 5), stride=(1, 1))
#      (1): ReLU()
#      (2): Conv2d(20, 64, kernel_size=(5, 5), stride=(1, 1))
#      (3): ReLU()
#    )
named = nn.Sequential(OrderedDict([
    ("Conv1", nn.Conv2d(1, 20, 5)),
    ("ReLU1", nn.ReLU()),
    ("Conv2", nn.Conv2d(20, 64, 5)),
    ("ReLU2", nn.ReLU()),
]))
print(named)
# -> Sequential(
#      (Conv1): Conv2d(1, 20, kernel_size=(5, 5), stride=(1, 1))
#      (ReLU1): ReLU()
#      (Conv2): Conv2d(20, 64, kernel_size=(5, 5), stride=(1, 1))
#      (ReLU2): ReLU()
#    )
print(named.Conv1 is named[0], numbered[2].weight.shape)
# -> True torch.Size([64, 20, 5, 5])

# %% The small network: three times convolution and pooling, then two linear layers
network = nn.Sequential(OrderedDict([
    ("conv1", nn.Conv2d(3, 32, kernel_size=5, stride=1, padding=2)),    # padding 2 keeps the size under a kernel of 5
    ("pool1", nn.MaxPool2d(kernel_size=2)),                             # halves it
    ("conv2", nn.Conv2d(32, 32, kernel_size=5, stride=1, padding=2)),
    ("pool2", nn.MaxPool2d(kernel_size=2)),
    ("conv3", nn.Conv2d(32, 64, kernel_size=5, stride=1, padding=2)),
    ("pool3", nn.MaxPool2d(kernel_size=2)),
    ("flatten", nn.Flatten()),
    ("linear1", nn.Linear(1024, 64)),                                   # 1024: 64 channels of 4x4
    ("linear2", nn.Linear(64, 10)),                                     # one score for each class
]))

# %% Follow one batch through it
x = torch.randn(64, 3, 32, 32)
print(f"{'input':7}", tuple(x.shape))
for name, layer in network.named_children():
    x = layer(x)
    print(f"{name:7}", tuple(x.shape))
# -> input   (64, 3, 32, 32)
#    conv1   (64, 32, 32, 32)
#    pool1   (64, 32, 16, 16)
#    conv2   (64, 32, 16, 16)
#    pool2   (64, 32, 8, 8)
#    conv3   (64, 64, 8, 8)
#    pool3   (64, 64, 4, 4)
#    flatten (64, 1024)
#    linear1 (64, 64)
#    linear2 (64, 10)

# %% Count its parameters by hand, then let PyTorch count
by_hand = (
    (3 * 5 * 5 + 1) * 32        # a kernel of 3 x 5 x 5 and a bias, 32 times
    + (32 * 5 * 5 + 1) * 32
    + (32 * 5 * 5 + 1) * 64
    + (1024 + 1) * 64
    + (64 + 1) * 10
)
print(by_hand, sum(parameter.numel() for parameter in network.parameters()))
# -> 145578 145578

# %% shared/networks.py holds the same as a class, for lessons 10 and 11
small = CIFAR10Network()
print([p.shape for p in small.parameters()] == [p.shape for p in network.parameters()])
# -> True
print(small(torch.randn(64, 3, 32, 32)).shape)
# -> torch.Size([64, 10])

# Its last two layers, Linear after Linear, are no more than one (lesson 8). That is how the tutorial has it; the
# network of lesson 12 puts a ReLU between them.

# %% TensorBoard draws its graph: open the tab Graphs, then double-click the boxes
import warnings

run = new_run(__file__)
with SummaryWriter(run) as writer, warnings.catch_warnings():
    writer.add_text("0 look at", "In Graphs, double-click the box. The shapes stand on the arrows between the layers.")
    # add_graph follows the network with torch.jit.trace: PyTorch 2.14 deprecates it, and some day it may be gone
    warnings.filterwarnings("ignore", message=".*torch.jit.trace")
    try:
        writer.add_graph(network, torch.randn(64, 3, 32, 32))
    except (AttributeError, RuntimeError) as error:
        print("no graph with this version of PyTorch:", error)
print("See it with:", tensorboard_command(run))

# Try next:
# - `nn.ReLU()` between the two linear layers: does the count change?
# - `padding=0` in the first convolution: which layer complains, and which number would have to be changed?
# - `network[:6](torch.randn(1, 3, 32, 32)).shape`: a part of a Sequential is one, too.
