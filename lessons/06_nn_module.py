"""06. A network is a Module: an object that you call with a tensor

In PyTorch a network is a Module, and so is each part of it. (This is not a module of Python,
which is a file.) A Module does two things: it keeps the numbers that the network learns, and
it says how a result is computed from an input. A Module that does one step of the
computation is also called a layer.

First you write Modules of one line. Then you put Modules together, with the six
containers of torch.nn: Module, Sequential, ModuleList, ModuleDict, ParameterList and
ParameterDict. The second half is about the most important layer for pictures, the
convolution. You see it by hand first, with numbers that you can follow on paper.

It takes about 5 seconds.

    python lessons/06_nn_module.py              runs it
    tensorboard --logdir logs/06_nn_module      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2

from shared.datasets import AntsBees, ants_and_bees, enlarge
from shared.paths import new_run, print_where_to_look

LOOK_AT = """
- Images tab, group "6 edges": in pictures 2 and 3, each bright line shows an edge of
  picture 1. Which edges are in 2, and which are in 3? Compare lines that stand upright
  with lines that lie flat.
- Picture 4 is pictures 2 and 3 added up. What of the ant is still there, and what is
  gone?
- Group "6 kernels": the two kernels. -2 is black, 0 is grey, 2 is white. How do you get
  the second kernel from the first?
"""


# %% A Module says in forward what happens to its input
class AddOne(nn.Module):
    def forward(self, x):
        return x + 1


add_one = AddOne()
x = torch.tensor(2.0)    # below, .item() turns the result into a number of Python
print("AddOne: 2 + 1 =", add_one(x).item())
# -> AddOne: 2 + 1 = 3.0

# You write forward, but you call the Module: add_one(x). The call runs forward for you.
# Do not call add_one.forward(x). Some tools want to know of each call, for example to
# measure how long it takes. add_one(x) tells them, add_one.forward(x) does not.


# %% A Module keeps parameters: the numbers that the network learns
class Multiply(nn.Module):
    def __init__(self, factor):
        super().__init__()    # always first: it prepares the Module to keep parameters
        # float: PyTorch learns decimal numbers, not whole ones.
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x):
        return x * self.factor


triple = Multiply(3.0)
print("Multiply: 3 * 2 =", triple(x).item())
# -> Multiply: 3 * 2 = 6.0

# A Parameter is a tensor that training will change. Here it begins with 3. When
# `self.factor = ...` runs, the Module sees that the value is a Parameter, and notes it
# under this name. (It notes other Modules in the same way.) You need not keep a list.
for name, parameter in triple.named_parameters():
    print(f"parameter {name}: {parameter.item()}")
# -> parameter factor: 3.0


# %% A Module can hold other Modules, and finds their parameters, too
# This is the most general container, the Module itself: forward is yours, so it can do
# whatever you can write in Python.
class Line(nn.Module):
    """Computes slope * x + 1."""

    def __init__(self, slope):
        super().__init__()
        self.multiply = Multiply(slope)
        self.add_one = AddOne()

    def forward(self, x):
        x = self.multiply(x)
        return self.add_one(x)


line = Line(3.0)
print("Line: 3 * 2 + 1 =", line(x).item())
# -> Line: 3 * 2 + 1 = 7.0
for name, parameter in line.named_parameters():
    print(f"parameter {name}: {parameter.item()}")
# -> parameter multiply.factor: 3.0

# %% Sequential calls its Modules one after the other
# Use it when each result is the input of the next Module. Then you need no class.
chain = nn.Sequential(Multiply(3.0), AddOne())
print("Sequential: 3 * 2 + 1 =", chain(x).item())
# -> Sequential: 3 * 2 + 1 = 7.0

chain = nn.Sequential(AddOne(), Multiply(3.0))    # the order counts
print("Sequential: (2 + 1) * 3 =", chain(x).item())
# -> Sequential: (2 + 1) * 3 = 9.0


# %% ModuleList holds Modules in a list that you loop over
# Use it when the number of Modules is a setting, or when you need the result of each.
class Products(nn.Module):
    """Multiplies by each factor, and adds up the products."""

    def __init__(self, factors):
        super().__init__()
        self.layers = nn.ModuleList()
        for factor in factors:
            self.layers.append(Multiply(factor))

    def forward(self, x):
        total = 0
        for layer in self.layers:
            total = total + layer(x)
        return total


products = Products([1.0, 10.0, 100.0])
print("ModuleList: 1 * 2 + 10 * 2 + 100 * 2 =", products(x).item())
# -> ModuleList: 1 * 2 + 10 * 2 + 100 * 2 = 222.0
print("parameters in the ModuleList:", len(list(products.parameters())))
# -> parameters in the ModuleList: 3

# Why not a plain list of Python? The result would be the same. But a plain list is neither
# a Parameter nor a Module. So the Module would not note what is in it, and training would
# not change these numbers.

# %% ModuleDict holds Modules under names
# Use it when a name says which Module to call. Here the name is a unit of time. (x is
# still 2.)
to_seconds = nn.ModuleDict({"minutes": Multiply(60.0), "hours": Multiply(3600.0)})
print("ModuleDict: seconds in 2 minutes:", to_seconds["minutes"](x).item())
# -> ModuleDict: seconds in 2 minutes: 120.0
print("ModuleDict: seconds in 2 hours:", to_seconds["hours"](x).item())
# -> ModuleDict: seconds in 2 hours: 7200.0


# %% ParameterList and ParameterDict hold parameters that belong to no layer
# One parameter of your own can be an attribute, like self.factor in Multiply. For several,
# use ParameterList, or ParameterDict with names. As with Modules, a plain list would hide
# them from training.
class Polynomial(nn.Module):
    """Computes 1 + 2 x + 3 x^2, or any other polynomial."""

    def __init__(self, coefficients):
        super().__init__()
        self.coefficients = nn.ParameterList()
        for coefficient in coefficients:
            self.coefficients.append(nn.Parameter(torch.tensor(float(coefficient))))

    def forward(self, x):
        total = 0
        for power, coefficient in enumerate(self.coefficients):
            total = total + coefficient * x ** power
        return total


polynomial = Polynomial([1.0, 2.0, 3.0])
print("ParameterList: 1 + 2 * 2 + 3 * 4 =", polynomial(x).item())
# -> ParameterList: 1 + 2 * 2 + 3 * 4 = 17.0

# ParameterDict is the same with names.
numbers = nn.ParameterDict({
    "slope": nn.Parameter(torch.tensor(3.0)),
    "start": nn.Parameter(torch.tensor(1.0)),
})
y = numbers["slope"] * x + numbers["start"]
print("ParameterDict: 3 * 2 + 1 =", y.item())
# -> ParameterDict: 3 * 2 + 1 = 7.0

# %% A convolution multiplies a window by a kernel and adds up
# Now to pictures, first to one of 4x4 pixels and one channel. For one channel, a kernel is a
# small square of numbers. It is laid onto a part of the picture that has the same size. This
# part is the window.
image = torch.tensor([[1, 2, 3, 0],
                      [0, 1, 2, 3],
                      [3, 0, 1, 2],
                      [2, 3, 0, 1]])

kernel = torch.tensor([[2, 0, 1],
                       [0, 1, 2],
                       [1, 0, 2]])
window = image[0:3, 0:3]    # rows 0 to 2, columns 0 to 2: the window at the top left

# On paper: multiply each number of the kernel by the number of the window under it.
#
#     kernel    window     products
#     2 0 1     1 2 3      2*1  0*2  1*3      2 0 3
#     0 1 2     0 1 2      0*0  1*1  2*2  =   0 1 4
#     1 0 2     3 0 1      1*3  0*0  2*1      3 0 2
#
# Then add up the nine products: 2 + 0 + 3 + 0 + 1 + 4 + 3 + 0 + 2 = 15.
products = kernel * window
print(f"products:\n{products}")
# -> products:
#    tensor([[2, 0, 3],
#            [0, 1, 4],
#            [3, 0, 2]])
print("sum of the products:", products.sum().item())
# -> sum of the products: 15

# %% The kernel slides over the picture, and the sums make a feature map
# A kernel of 3x3 has room at 2x2 places in a picture of 4x4. Each gives one sum.
feature_map = torch.zeros(2, 2, dtype=torch.long)    # long: whole numbers
for row in range(2):
    for column in range(2):
        window = image[row:row + 3, column:column + 3]
        feature_map[row, column] = (kernel * window).sum()
print(f"feature map by hand:\n{feature_map}")
# -> feature map by hand:
#    tensor([[15, 16],
#            [ 6, 15]])

# Why "feature map"? A feature is something to look for in a picture, such as an edge.
# The map shows where in the picture it is. The kernel decides which feature that is.
# (In mathematics, a convolution first turns the kernel upside down and mirrors it.
# PyTorch does not.)

# %% F.conv2d does the same for a whole batch of pictures
# It takes the pictures, and the kernels. Each number of a kernel is called a weight: it is a
# number that the network learns. PyTorch also calls the tensor of all kernels `weight`. The
# shapes are:
#
#     pictures: (batch, in_channels, height, width)
#     kernels:  (out_channels, in_channels, height, width of a kernel)
#
# in_channels: the channels of a picture. A kernel has one square of numbers for each of
# them; see the example with two channels below.
# out_channels: the feature maps that come out. There is one kernel for each.
pictures = image.reshape(1, 1, 4, 4)    # one picture of one channel
kernels = kernel.reshape(1, 1, 3, 3)    # one kernel for one channel
maps = F.conv2d(pictures, kernels)      # (1, 1, 4, 4) -> (1, 1, 2, 2)
print(f"F.conv2d:\n{maps}")
# -> F.conv2d:
#    tensor([[[[15, 16],
#              [ 6, 15]]]])
print("by hand equals F.conv2d:", torch.equal(feature_map, maps[0, 0]))
# -> by hand equals F.conv2d: True

# (Whole numbers are easier to read. F.conv2d takes them on a CPU only. In a network,
# all numbers are floats.)

# What if the picture has two channels? Then the kernel has two squares, one for each.
# All products, of both squares, are added up to one number. So there is still one
# feature map. Here both channels are the picture above, and both squares the kernel
# above. So each sum is twice as large: 15 + 15 = 30.
two_channels = torch.cat([pictures, pictures], dim=1)    # joined along dimension 1
two_squares = torch.cat([kernels, kernels], dim=1)       # (1, 1, 3, 3) -> (1, 2, 3, 3)
maps = F.conv2d(two_channels, two_squares)               # (1, 2, 4, 4) -> (1, 1, 2, 2)
print("two channels, one feature map:", maps[0].tolist())
# -> two channels, one feature map: [[[30, 32], [12, 30]]]

# One picture may come without the batch dimension. The result then has none either.
maps = F.conv2d(image.reshape(1, 4, 4), kernels)    # (1, 4, 4) -> (1, 2, 2)
print("shape without a batch:", tuple(maps.shape))
# -> shape without a batch: (1, 2, 2)

# The bias is a number that is added to each sum. There is one for each feature map. The
# default of F.conv2d is bias=None: nothing is added.
maps = F.conv2d(pictures, kernels, bias=torch.tensor([3]))
print(f"with a bias of 3:\n{maps}")
# -> with a bias of 3:
#    tensor([[[[18, 19],
#              [ 9, 18]]]])

# %% The stride says how far the kernel moves to its next place
# The default is 1: one pixel. With a stride of 2 this small picture has only one place.
maps = F.conv2d(pictures, kernels, stride=2)    # (1, 1, 4, 4) -> (1, 1, 1, 1)
print("stride 2:", maps[0, 0].tolist())
# -> stride 2: [[15]]

# Two numbers are (vertical, horizontal): how far down, and how far to the right.
maps = F.conv2d(pictures, kernels, stride=(2, 1))    # (1, 1, 4, 4) -> (1, 1, 1, 2)
print("stride (2, 1), only one row remains:", maps[0, 0].tolist())
# -> stride (2, 1), only one row remains: [[15, 16]]
maps = F.conv2d(pictures, kernels, stride=(1, 2))    # (1, 1, 4, 4) -> (1, 1, 2, 1)
print("stride (1, 2), only one column remains:", maps[0, 0].tolist())
# -> stride (1, 2), only one column remains: [[15], [6]]

# %% Padding puts a border of zeros around the picture
# The default is 0, which is no border. Then the feature map is smaller than the
# picture, as above. padding=1 adds one pixel on each side. Now a kernel of 3x3 has
# room at 4x4 places, and the feature map is as large as the picture.
maps = F.conv2d(pictures, kernels, padding=1)    # (1, 1, 4, 4) -> (1, 1, 4, 4)
print("shape with padding 1:", tuple(maps.shape))
# -> shape with padding 1: (1, 1, 4, 4)

# F.pad makes just the border. Its four numbers are the widths of the border at the
# left, at the right, at the top and at the bottom.
bordered = F.pad(pictures, (1, 1, 1, 1))    # (1, 1, 4, 4) -> (1, 1, 6, 6)
print(f"the picture with its border:\n{bordered[0, 0]}")
# -> the picture with its border:
#    tensor([[0, 0, 0, 0, 0, 0],
#            [0, 1, 2, 3, 0, 0],
#            [0, 0, 1, 2, 3, 0],
#            [0, 3, 0, 1, 2, 0],
#            [0, 2, 3, 0, 1, 0],
#            [0, 0, 0, 0, 0, 0]])
bordered_maps = F.conv2d(bordered, kernels)    # (1, 1, 6, 6) -> (1, 1, 4, 4)
print("F.pad, then F.conv2d, equals padding=1:", torch.equal(bordered_maps, maps))
# -> F.pad, then F.conv2d, equals padding=1: True

# (The border that F.conv2d adds is always of zeros. With nn.Conv2d, below, you can
# choose other numbers: lesson 7.)

# %% Dilation spreads the kernel, so that it sees a larger window
# With dilation=2 the numbers of the kernel are laid onto every second pixel. The pixels
# between them are skipped. It is as if the kernel had zeros there:
spread = torch.zeros(1, 1, 5, 5, dtype=torch.long)
spread[:, :, ::2, ::2] = kernels    # into every second row and every second column
print(f"the spread kernel:\n{spread[0, 0]}")
# -> the spread kernel:
#    tensor([[2, 0, 0, 0, 1],
#            [0, 0, 0, 0, 0],
#            [0, 0, 1, 0, 2],
#            [0, 0, 0, 0, 0],
#            [1, 0, 0, 0, 2]])

# It needs 5x5 pixels. So it is laid onto the picture with the border.
by_hand = F.conv2d(bordered, spread)                 # (1, 1, 6, 6) -> (1, 1, 2, 2)
maps = F.conv2d(bordered, kernels, dilation=2)       # (1, 1, 6, 6) -> (1, 1, 2, 2)
print("the spread kernel gives the same as dilation=2:", torch.equal(by_hand, maps))
# -> the spread kernel gives the same as dilation=2: True


# %% nn.Conv2d is a Module that keeps its kernels as parameters
# In a network you do not write the kernels. They begin as random numbers, and training
# changes them. The same goes for the bias: nn.Conv2d has one, unless you write
# bias=False.
#
# Here is a network of two convolutions, for grey pictures of 28x28 pixels. In a row of 28
# pixels, a kernel of 5x5 has room at 28 - 5 + 1 = 24 places, and in a row of 24 at 20.
# (That each convolution has 20 kernels, too, is chance: any other number would do.) N is
# the number of pictures. F.relu turns each number below 0 into 0 (lesson 8).
class TwoConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels=1, out_channels=20, kernel_size=5)
        self.conv2 = nn.Conv2d(in_channels=20, out_channels=20, kernel_size=5)

    def forward(self, x):
        x = F.relu(self.conv1(x))       # (N, 1, 28, 28) -> (N, 20, 24, 24)
        return F.relu(self.conv2(x))    # -> (N, 20, 20, 20)


network = TwoConvolutions()
for name, parameter in network.named_parameters():
    print(f"parameter {name}: {tuple(parameter.shape)}")
# -> parameter conv1.weight: (20, 1, 5, 5)
#    parameter conv1.bias: (20,)
#    parameter conv2.weight: (20, 20, 5, 5)
#    parameter conv2.bias: (20,)
maps = network(torch.zeros(2, 1, 28, 28))    # two black pictures of 28x28 pixels
print("two pictures become:", tuple(maps.shape))
# -> two pictures become: (2, 20, 20, 20)

# In a trained network the first convolution finds simple features: edges, lines,
# corners. The second one does not see the picture, only the feature maps of the first.
# So it combines simple features into more complex ones, such as edges into an outline.
# The deeper a layer is (the more layers come before it), the more complex are the
# features that it can find.


# %% Two kernels find the edges of an ant
# At an edge, dark pixels are beside bright ones. This kernel subtracts the pixels on
# the left from those on the right. The middle row counts twice, because it is nearest to
# the pixel in the middle. (Without that, it would find edges as well.)
vertical = torch.tensor([[-1.0, 0.0, 1.0],
                         [-2.0, 0.0, 2.0],
                         [-1.0, 0.0, 1.0]])
edge = torch.tensor([[0.0, 0.0, 1.0],
                     [0.0, 0.0, 1.0],
                     [0.0, 0.0, 1.0]])
no_edge = torch.tensor([[1.0, 1.0, 1.0],
                        [1.0, 1.0, 1.0],
                        [1.0, 1.0, 1.0]])
total = (vertical * edge).sum().item()
print("window with an edge, 1 + 2 + 1 =", total)
# -> window with an edge, 1 + 2 + 1 = 4.0
total = (vertical * no_edge).sum().item()
print("window without an edge, 1 + 2 + 1 - 1 - 2 - 1 =", total)
# -> window without an edge, 1 + 2 + 1 - 1 - 2 - 1 = 0.0


class Edges(nn.Module):
    """Three feature maps of a grey picture: vertical edges, horizontal edges, both."""

    def __init__(self, vertical):
        super().__init__()
        self.conv = nn.Conv2d(in_channels=1, out_channels=2, kernel_size=3, bias=False)
        # .T turns rows into columns. The new kernel, `horizontal`, subtracts the pixels
        # above from those below.
        horizontal = vertical.T
        kernels = torch.stack([vertical, horizontal])    # (2, 3, 3)
        self.conv.weight = nn.Parameter(kernels.reshape(2, 1, 3, 3))

    def forward(self, x):
        # From bright to dark, an edge gives a number below 0. abs() drops the sign.
        maps = self.conv(x).abs()                # (N, 1, H, W) -> (N, 2, H - 2, W - 2)
        # dim=1 adds up over the channels. keepdim=True keeps that dimension, as size 1.
        both = maps.sum(dim=1, keepdim=True)     # -> (N, 1, H - 2, W - 2)
        return torch.cat([maps, both], dim=1)    # -> (N, 3, H - 2, W - 2)


to_grey = v2.Compose([
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
    v2.Grayscale(),    # (3, height, width) -> (1, height, width)
])
folder, drawn = ants_and_bees()
ants = AntsBees(folder / "train", "ants", to_grey)
ant, label = ants[0]    # (1, 512, 768) and "ants"

find_edges = Edges(vertical)

# If a Module has parameters, PyTorch remembers how each result was computed (lesson 4).
# Training needs that memory (lesson 10). Nothing is learnt here, so no_grad switches it
# off. You could leave no_grad out: the result is the same, it only takes more memory.
with torch.no_grad():
    batch = ant.unsqueeze(0)     # a batch of one: (1, 512, 768) -> (1, 1, 512, 768)
    maps = find_edges(batch)     # -> (1, 3, 510, 766)
print("feature maps of the ant:", tuple(maps.shape))
# -> feature maps of the ant: (1, 3, 510, 766)

# %% TensorBoard shows the ant, its edges and the kernels
run = new_run(__file__, drawn=drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    writer.add_image("6 edges/1 ant", ant)

    # maps[0, 0] would have the shape (510, 766). But add_image expects channels, too.
    # With 0:1 in the place of 0, this dimension stays: (1, 510, 766).
    writer.add_image("6 edges/2 feature map of kernel 1", maps[0, 0:1])
    writer.add_image("6 edges/3 feature map of kernel 2", maps[0, 1:2])
    writer.add_image("6 edges/4 both together", maps[0, 2:3])

    for number, kernel in enumerate(find_edges.conv.weight, start=1):    # (1, 3, 3)
        grey = enlarge((kernel + 2) / 4, 32)    # from -2...2 to 0...1: -> (1, 96, 96)
        writer.add_image(f"6 kernels/{number} kernel", grey)
print_where_to_look(run, LOOK_AT)

# Try next:
# - In Products, write `self.layers = []` instead of `nn.ModuleList()`. Is the result
#   still 222? And how many parameters are found?
# - Delete `super().__init__()` in Multiply. What does the error say?
# - Delete `.abs()` in Edges. Which edges are missing in picture 2 then? (TensorBoard
#   shows numbers below 0 in black.)
