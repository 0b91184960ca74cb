"""09. The first whole network, layer by layer

The layers of lessons 7 and 8 become a network that sorts pictures into ten classes. You
build it, follow a batch of pictures through it, and count its parameters: the numbers
that training will change. At the end the untrained network gives its first answer, to a
picture of random colours, and TensorBoard draws the network as a graph: boxes for the
layers, and arrows for the tensors between them.

It takes about 3 seconds.

    python lessons/09_sequential_graph.py              runs it
    tensorboard --logdir logs/09_sequential_graph      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import warnings
from collections import OrderedDict

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from shared.networks import CIFAR10Network
from shared.paths import new_run, print_where_to_look

SEED = 0           # the same random weights in each run
BATCH_SIZE = 64    # pictures that go through the network together

# The ten classes of CIFAR-10, in the order of their numbers (lesson 5)
CLASSES = ["airplane", "automobile", "bird", "cat", "deer",
           "dog", "frog", "horse", "ship", "truck"]

LOOK_AT = """
- Graphs tab. Double-click the box "Sequential". It opens and shows a box for each
  layer. The mouse wheel zooms, and "Fit to screen" on the left shows the whole graph.
- The arrows go upwards, from the input to the output. A thick arrow carries many
  numbers. Which arrow is the thickest? Compare it with the shapes that the lesson
  printed.
- Click once on the box of a layer: in the top right corner, you see its full name and
  the shapes of its input and output. Then double-click the two lowest boxes,
  Conv2d[conv1] and MaxPool2d[pool1] (long names are cut off). Conv2d has two large
  boxes inside. What are they? Why has MaxPool2d none? (The small circles are settings,
  such as the kernel size.)
"""

# %% chain[0] is the first layer of a Sequential
# A Sequential calls its layers one after the other (lesson 6). Each layer has a number,
# so you can also call them one by one.
torch.manual_seed(SEED)
chain = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
x = torch.randn(5, 4)

by_hand = chain[0](x)          # (5, 4) -> (5, 3)
by_hand = chain[1](by_hand)    # (5, 3) -> (5, 3)
by_hand = chain[2](by_hand)    # (5, 3) -> (5, 2)
print("layer by layer equals Sequential:", torch.equal(by_hand, chain(x)))
# -> layer by layer equals Sequential: True

# %% Without names, the layers have numbers
numbered = nn.Sequential(
    nn.Conv2d(1, 20, 5),
    nn.ReLU(),
    nn.Conv2d(20, 64, 5),
    nn.ReLU(),
)
print("with numbers:", numbered)
# -> with numbers: Sequential(
#      (0): Conv2d(1, 20, kernel_size=(5, 5), stride=(1, 1))
#      (1): ReLU()
#      (2): Conv2d(20, 64, kernel_size=(5, 5), stride=(1, 1))
#      (3): ReLU()
#    )

# %% An OrderedDict gives names to the layers
named = nn.Sequential(OrderedDict([
    ("Conv1", nn.Conv2d(1, 20, 5)),
    ("ReLU1", nn.ReLU()),
    ("Conv2", nn.Conv2d(20, 64, 5)),
    ("ReLU2", nn.ReLU()),
]))
print("with names:", named)
# -> with names: Sequential(
#      (Conv1): Conv2d(1, 20, kernel_size=(5, 5), stride=(1, 1))
#      (ReLU1): ReLU()
#      (Conv2): Conv2d(20, 64, kernel_size=(5, 5), stride=(1, 1))
#      (ReLU2): ReLU()
#    )

# In both networks you get a layer by its number, as named[0]. In the second one you also
# get it by its name, as named.Conv1.
print("Conv1 is layer number 0:", named.Conv1 is named[0])
# -> Conv1 is layer number 0: True

# %% The network has three convolutions with pooling, then two linear layers
# The convolutions find features in the picture. Each pooling halves the height and the
# width of the feature maps. Then Flatten makes one row of numbers, and the linear layers
# turn it into ten logits, a score for each class (lesson 8).
torch.manual_seed(SEED)
network = nn.Sequential(OrderedDict([
    ("conv1", nn.Conv2d(3, 32, kernel_size=5, stride=1, padding=2)),
    ("pool1", nn.MaxPool2d(kernel_size=2)),
    ("conv2", nn.Conv2d(32, 32, kernel_size=5, stride=1, padding=2)),
    ("pool2", nn.MaxPool2d(kernel_size=2)),
    ("conv3", nn.Conv2d(32, 64, kernel_size=5, stride=1, padding=2)),
    ("pool3", nn.MaxPool2d(kernel_size=2)),
    ("flatten", nn.Flatten()),
    ("linear1", nn.Linear(1024, 64)),
    ("linear2", nn.Linear(64, 10)),
]))

# This network comes from the Chinese tutorial that these lessons follow. Somebody chose
# these numbers: kernels of 5x5, then 32, 32 and 64 kernels, then 64 neurons. Others would
# work, too. But the 3 channels, the 10 classes and the 1024 are fixed (the next cell shows
# why 1024).
#
# It has no activations. So its two linear layers can do no more than one (lesson 8). We keep
# both, as the tutorial has them. A convolution, too, only multiplies and adds up. But between
# the convolutions there is max pooling, which does something else: it keeps the largest
# number. So one convolution cannot replace the three. The network of lesson 12 has a ReLU
# after each convolution, and one between its linear layers.

# %% The formula of lesson 7 gives the shape after each layer
# On paper, for a picture of 32x32 pixels:
print("conv1, height and width:", (32 + 2 * 2 - 5) // 1 + 1)    # with padding=2
# -> conv1, height and width: 32
print("pool1, height and width:", (32 - 2) // 2 + 1)
# -> pool1, height and width: 16

# conv2 and conv3 keep the size, as conv1 does. pool2 halves 16 to 8, and pool3 halves 8
# to 4. conv3 has 64 kernels, so at the end there are 64 channels of 4x4 numbers. These
# are the inputs of linear1.
print("flatten:", 64 * 4 * 4)
# -> flatten: 1024

# In PyTorch, with a batch of 64 pictures of random colours. Each shape is (pictures,
# channels, height, width), and after Flatten (pictures, numbers):
pictures = torch.rand(BATCH_SIZE, 3, 32, 32)
x = pictures
print("before conv1 :", tuple(x.shape))
# -> before conv1 : (64, 3, 32, 32)
for name, layer in network.named_children():    # each layer with its name
    x = layer(x)
    print(f"after {name:7}:", tuple(x.shape))
# -> after conv1  : (64, 32, 32, 32)
#    after pool1  : (64, 32, 16, 16)
#    after conv2  : (64, 32, 16, 16)
#    after pool2  : (64, 32, 8, 8)
#    after conv3  : (64, 64, 8, 8)
#    after pool3  : (64, 64, 4, 4)
#    after flatten: (64, 1024)
#    after linear1: (64, 64)
#    after linear2: (64, 10)

# %% Its parameters can be counted by hand
# Each kernel of conv1 has 3 channels of 5x5 weights, and a bias. There are 32 kernels.
conv1 = (3 * 5 * 5 + 1) * 32
conv2 = (32 * 5 * 5 + 1) * 32
conv3 = (32 * 5 * 5 + 1) * 64
# Each neuron of linear1 has 1024 weights, and a bias. There are 64 neurons.
linear1 = (1024 + 1) * 64
linear2 = (64 + 1) * 10
# Pooling and Flatten have no parameters.
print(f"by hand: {conv1 + conv2 + conv3 + linear1 + linear2:,} parameters")
# -> by hand: 145,578 parameters

total = 0
for name, parameter in network.named_parameters():
    total += parameter.numel()
    print(f"{name}: {tuple(parameter.shape)}, {parameter.numel():,} numbers")
print(f"PyTorch: {total:,} parameters")
# -> conv1.weight: (32, 3, 5, 5), 2,400 numbers
#    conv1.bias: (32,), 32 numbers
#    conv2.weight: (32, 32, 5, 5), 25,600 numbers
#    conv2.bias: (32,), 32 numbers
#    conv3.weight: (64, 32, 5, 5), 51,200 numbers
#    conv3.bias: (64,), 64 numbers
#    linear1.weight: (64, 1024), 65,536 numbers
#    linear1.bias: (64,), 64 numbers
#    linear2.weight: (10, 64), 640 numbers
#    linear2.bias: (10,), 10 numbers
#    PyTorch: 145,578 parameters

# %% The same network, as a class, is in shared/networks.py
# Lessons 10 and 11 import it from there, without running this lesson. Open the file, and
# look at __init__ and forward of the first class, CIFAR10Network. (The other one is for
# lesson 12.) __init__ makes such a Sequential, but without names, and forward calls it
# (lesson 6).
#
# With the same seed, the class starts with the same random weights as `network` above. So
# it gives the same logits, except for rounding: the last line of __init__ stores the weights
# in another order, with which training is faster. So sums are added up in another order, too.
torch.manual_seed(SEED)
small = CIFAR10Network()
same = torch.allclose(small(pictures), network(pictures), atol=1e-6)
print("CIFAR10Network gives the same logits as the Sequential:", same)
# -> CIFAR10Network gives the same logits as the Sequential: True

# %% An untrained network gives each class about 10 %
# Softmax turns the ten logits into probabilities (lesson 8).
picture = pictures[:1]    # one picture of random colours, as a batch of one
logits = network(picture)                       # (1, 3, 32, 32) -> (1, 10)
probabilities = nn.Softmax(dim=1)(logits)[0]    # (1, 10) -> (10,)
print("probabilities by the untrained network, for a picture of random colours:")
for name, probability in zip(CLASSES, probabilities.tolist(), strict=True):
    print(f"{name}: {100 * probability:.1f} %")
# -> probabilities by the untrained network, for a picture of random colours:
#    airplane: 10.9 %
#    automobile: 10.2 %
#    bird: 9.4 %
#    cat: 10.5 %
#    deer: 10.5 %
#    dog: 8.8 %
#    frog: 10.5 %
#    horse: 9.8 %
#    ship: 9.2 %
#    truck: 10.3 %

# All ten have nearly the same probability. The random weights start small (lesson 7), so all
# logits are near 0. The network knows nothing yet. Lesson 10 trains it.

# %% TensorBoard draws the network as a graph
run = new_run(__file__)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)

    # add_graph sends the pictures through the network, and writes down which layer gets
    # what. It uses torch.jit.trace for this, which is deprecated: PyTorch may remove it
    # one day, and warns about that. We silence this warning. On Python 3.14 and newer
    # add_graph may fail already. Then the lesson goes on without a graph.
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit")
            writer.add_graph(network, pictures)
    except OSError:    # such as a full disk: begin_lesson tells of that
        raise
    except Exception as error:    # nobody knows yet in which way it will fail
        print(f"No Graphs tab: add_graph failed with {error!r}.")
print_where_to_look(run, LOOK_AT)

# Try next:
# - `("relu", nn.ReLU()),` between the two linear layers: does the number of parameters
#   change? Do both networks still give the same logits?
# - `padding=0` in conv1: which layer raises an error, and which number do you have to
#   change in it?
# - `print("six layers:", network[:6](pictures).shape)`: what do the first six give?
