"""08. Activations bend, linear layers mix

Without a non-linear activation, a bend, between them, a hundred layers are no more than one. ReLU, Sigmoid and Softmax
are three of them; nn.Linear is the layer that mixes all values with all others.

    python lessons/08_activation_linear.py
    tensorboard --logdir logs/08_activation_linear
"""

# %% ReLU replaces what is below zero by zero
import itertools

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms

from shared.datasets import cifar10, enlarge
from shared.paths import new_run, tensorboard_command

BATCHES_SHOWN = 10    # TensorBoard's slider keeps about ten pictures of one tag

x = torch.tensor([[1.0, -0.5],
                  [-1.0, 3.0]])
print(x.clamp(min=0))
# -> tensor([[1., 0.],
#            [0., 3.]])
relu = nn.ReLU()    # first make the module, then call it; any shape will do
print(torch.equal(relu(x), x.clamp(min=0)))
# -> True

# %% inplace=True writes the result over the input, which saves memory
overwritten = torch.tensor(-1.0)
nn.ReLU(inplace=True)(overwritten)
print(overwritten)
# -> tensor(0.)

# %% Sigmoid squeezes any number into 0...1
print(1 / (1 + torch.exp(-x)))
# -> tensor([[0.7311, 0.3775],
#            [0.2689, 0.9526]])
sigmoid = nn.Sigmoid()
print(torch.allclose(sigmoid(x), 1 / (1 + torch.exp(-x))))
# -> True

# %% Softmax turns scores (logits) into probabilities: all positive, 1 in all
scores = torch.tensor([[2.0, 1.0, 0.0]])
print(scores.exp() / scores.exp().sum(dim=1, keepdim=True))
# -> tensor([[0.6652, 0.2447, 0.0900]])
softmax = nn.Softmax(dim=1)    # dim=1: the probabilities of each row add up to 1
print(softmax(scores), softmax(scores).sum())
# -> tensor([[0.6652, 0.2447, 0.0900]]) tensor(1.)

# %% Leave Softmax out before the loss: CrossEntropyLoss has one of its own
loss = nn.CrossEntropyLoss()
sure = torch.tensor([[20.0, 0.0, 0.0]])    # a network that is sure of class 0, and right
print(f"{loss(sure, torch.tensor([0])):.4f} {loss(softmax(sure), torch.tensor([0])):.4f}")    # twice is never near 0
# -> 0.0000 0.5514

# %% Linear is a matrix product plus a bias
torch.manual_seed(0)
x = torch.tensor([[1, 2, 3, 0, 1, 2, 3, 0],
                  [0, 1, 2, 3, 0, 1, 2, 3],
                  [3, 0, 1, 2, 3, 0, 1, 2]], dtype=torch.float32)
flat = torch.flatten(x)    # (3, 8) -> (24,)
print(x.shape, flat.shape)
# -> torch.Size([3, 8]) torch.Size([24])
linear = nn.Linear(in_features=24, out_features=30)
print(linear(flat).shape)    # (24,) -> (30,)
# -> torch.Size([30])
print(torch.allclose(linear(flat), linear.weight @ flat + linear.bias))    # weight (30, 24), bias (30,)
# -> True

# %% Only the last dimension has to fit; those before it stay
print(nn.Linear(8, 5)(x).shape, nn.Linear(8, 5)(torch.zeros(2, 7, 3, 8)).shape)
# -> torch.Size([3, 5]) torch.Size([2, 7, 3, 5])

# %% Flatten a batch from dimension 1 on, or its pictures become one
batch = torch.zeros(64, 3, 32, 32)
print(torch.flatten(batch).shape, torch.flatten(batch, start_dim=1).shape, nn.Flatten()(batch).shape)
# -> torch.Size([196608]) torch.Size([64, 3072]) torch.Size([64, 3072])

# %% Two Linear layers in a row are one; a ReLU between them makes the difference
first, second = nn.Linear(4, 8), nn.Linear(8, 2)
one = nn.Linear(4, 2)
one.weight = nn.Parameter(second.weight @ first.weight)                # (2, 8) @ (8, 4) -> (2, 4)
one.bias = nn.Parameter(second.weight @ first.bias + second.bias)      # (2,)
x = torch.randn(5, 4)
print(torch.allclose(second(first(x)), one(x), atol=1e-6), torch.allclose(second(relu(first(x))), one(x), atol=1e-6))
# -> True False

# %% TensorBoard shows two of the curves, and what they do to a picture
test_data = cifar10(train=False, transform=transforms.ToTensor())
run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer, torch.inference_mode():
    writer.add_text("0 look at", "Set Smoothing to 0: it rounds bends. Sigmoid pales pictures, ReLU cuts the dark.")
    for step in range(-50, 51):    # steps are whole numbers, so x goes from -5 to 5 in tenths
        x = torch.tensor(step / 10)
        writer.add_scalars("8 curves/step = 10 x", {"ReLU": relu(x), "Sigmoid": sigmoid(x)}, step)
    loader = DataLoader(test_data, batch_size=64)
    for step, (pictures, _) in enumerate(itertools.islice(loader, BATCHES_SHOWN)):
        pictures = enlarge(pictures[:32])    # (64, 3, 32, 32) -> (32, 3, 128, 128): 8 x 4, more would be small
        writer.add_images("8 pictures/1 input", pictures, step)
        writer.add_images("8 pictures/2 after Sigmoid", sigmoid(pictures), step)    # 0...1 becomes 0.5...0.73
        writer.add_images("8 pictures/3 minus 0.5, after ReLU", relu(pictures - 0.5), step)
print("See it with:", tensorboard_command(run))

# Try next:
# - nn.Tanh, nn.LeakyReLU(0.1) and nn.GELU as further curves.
# - `nn.Softmax(dim=0)` on two rows of scores: what adds up to 1 now?
# - `nn.Linear(24, 30, bias=False)(torch.zeros(24))`: what comes out, and what with a bias?
