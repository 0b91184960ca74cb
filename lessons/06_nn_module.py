"""06. A network is a Module that holds other Modules

Every layer and every network is an nn.Module: `__init__` makes its parts, `forward` says what happens to the input.
Five more containers hold parts in other ways. Of the layers for pictures, the convolution comes first, done by hand.

    python lessons/06_nn_module.py
    tensorboard --logdir logs/06_nn_module
"""

# %% Write forward, then call the network itself
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms

from shared.datasets import AntsBees, ants_and_bees, enlarge
from shared.paths import new_run, tensorboard_command


class AddOne(nn.Module):
    def forward(self, x):
        return x + 1


add_one = AddOne()
print(add_one(torch.tensor(1.0)))    # not add_one.forward(...): the call also runs what others hooked onto the module
# -> tensor(2.)


# %% Module finds the parameters of the parts that it is given
class TwoConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 20, 5)

    def forward(self, x):
        x = F.relu(self.conv1(x))       # (N, 1, 28, 28) -> (N, 20, 24, 24)
        return F.relu(self.conv2(x))    # -> (N, 20, 20, 20)


network = TwoConvolutions()
print([name for name, _ in network.named_parameters()], network(torch.zeros(2, 1, 28, 28)).shape)
# -> ['conv1.weight', 'conv1.bias', 'conv2.weight', 'conv2.bias'] torch.Size([2, 20, 20, 20])

# %% Sequential: parts that are called one after the other
chain = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
print(chain(torch.zeros(5, 4)).shape)
# -> torch.Size([5, 2])

# %% ModuleList: as many parts as a number says, called as you like
layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
print(sum(layer(torch.zeros(4)) for layer in layers).shape, len(list(layers.parameters())))
# -> torch.Size([4]) 6

# %% ModuleDict: parts chosen by name
heads = nn.ModuleDict({"animal": nn.Linear(4, 6), "vehicle": nn.Linear(4, 4)})
print(heads["vehicle"](torch.zeros(4)).shape)
# -> torch.Size([4])

# %% ParameterList and ParameterDict: parameters that belong to no layer
scales = nn.ParameterList([torch.ones(1), torch.ones(3)])
corners = nn.ParameterDict({"left": torch.zeros(2), "right": torch.ones(2)})
print([scale.requires_grad for scale in scales], sorted(name for name, _ in corners.named_parameters()))
# -> [True, True] ['left', 'right']

# %% A convolution lays a kernel onto each window, multiplies and sums
image = torch.tensor([[1, 2, 3, 0],
                      [0, 1, 2, 3],
                      [3, 0, 1, 2],
                      [2, 3, 0, 1]])
kernel = torch.tensor([[2, 0, 1],
                       [0, 1, 2],
                       [1, 0, 2]])

by_hand = torch.tensor([[(image[y:y + 3, x:x + 3] * kernel).sum() for x in range(2)] for y in range(2)])
print(by_hand)
# -> tensor([[15, 16],
#            [ 6, 15]])

# %% F.conv2d wants batch and channels in front
image = image.reshape(1, 1, 4, 4)      # (batch, channels, height, width)
kernel = kernel.reshape(1, 1, 3, 3)    # (channels out, channels in, height, width)
print(F.conv2d(image, kernel, stride=1))    # (1, 1, 4, 4) -> (1, 1, 2, 2)
# -> tensor([[[[15, 16],
#              [ 6, 15]]]])
print(F.conv2d(image, kernel, bias=torch.tensor([3])))    # one number for each channel that comes out
# -> tensor([[[[18, 19],
#              [ 9, 18]]]])

# %% Stride skips windows, padding adds a border of zeros, dilation spreads the kernel
print(F.conv2d(image, kernel, stride=2))    # every second window in both directions: one fits
# -> tensor([[[[15]]]])
same = F.conv2d(image, kernel, padding=1)    # the default is 0: it shrinks (padding_mode is nn.Conv2d's: lesson 7)
print(same.shape, torch.equal(same, F.conv2d(F.pad(image, (1, 1, 1, 1)), kernel)))
# -> torch.Size([1, 1, 4, 4]) True
spread = torch.zeros(1, 1, 5, 5, dtype=torch.long)
spread[:, :, ::2, ::2] = kernel    # zeros between the kernel's values
print(torch.equal(F.conv2d(image, kernel, padding=1, dilation=2), F.conv2d(image, spread, padding=1)))
# -> True

# %% TensorBoard shows an ant, and what two kernels see of it
folder, drawn = ants_and_bees()
ant = AntsBees(folder / "train", "ants", transforms.Compose([transforms.Grayscale(), transforms.ToTensor()]))[0][0]
edge = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])    # Sobel: 0 where left and right are alike
kernels = {"6.1 vertical edges": edge, "6.2 horizontal edges": edge.T}

run = new_run(__file__, drawn=drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", "Which lines of the ant does each of the two kernels see?")
    for name, kernel in kernels.items():
        writer.add_image(f"{name}/1 ant", ant)
        writer.add_image(f"{name}/2 kernel", enlarge((kernel[None] + 2) / 4, 32))    # -2...2 -> 0...1, black...white
        writer.add_image(f"{name}/3 after the kernel", F.conv2d(ant[None], kernel[None, None])[0].abs().clamp(max=1))
print("See it with:", tensorboard_command(run))

# Try next:
# - `kernels["6.3 blurred"] = torch.full((3, 3), 1 / 9)`, and then a kernel of 15x15 with 1 / 225.
# - In TwoConvolutions, put both layers into a plain list `self.convs`: which names are printed, what gets lost?
