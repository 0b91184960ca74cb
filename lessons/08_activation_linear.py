"""08. Activations and linear layers, and why a network needs both

A linear layer multiplies its inputs by weights and adds up. An activation is a function
that is applied to the results of a layer, such as "negative numbers become 0".

You calculate three activations and a linear layer by hand first, then with PyTorch.
Then you see why networks have activations. Take a linear layer with one input x and one
output y. In a chart, with x to the right and y upwards, it is a straight line. Two such
layers give a straight line again. With an activation between them, the line can have a bend.

It takes about 4 seconds.

    python lessons/08_activation_linear.py              runs it
    tensorboard --logdir logs/08_activation_linear      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import math

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2

from shared.datasets import cifar10, enlarge
from shared.paths import new_run, print_where_to_look

SEED = 0              # the same random weights in each run
PICTURES_SHOWN = 8    # in each step: add_images puts 8 pictures into a row
STEPS_SHOWN = 4       # of the slider

LOOK_AT = """
- Time Series tab. In the settings on the right, set Smoothing to 0, because smoothing
  makes bends round. Switch off "Ignore outliers in chart scaling", because it hides the
  end of ReLU.
- Open the group "8 curves". The step is 10 times x, so step 20 is x = 2. In chart 1,
  which curve has no upper limit? Point at step 0 with the mouse: what are Sigmoid of 0
  and Softmax of 0, 0, 0, and why do they differ?
- Chart 2: what do two linear layers make of x, with and without a ReLU between them?
- Open the group "8 pictures". Row 1 has the pictures. Why is row 2, after Sigmoid, so
  pale? Row 3 shows the pictures minus 0.5, after ReLU. What has become black?
"""

# %% ReLU replaces negative numbers by 0
# ReLU is short for "rectified linear unit". Its curve is flat on the left: 0 for each
# negative x. On the right it is the straight line y = x.
#
# It is the usual activation between two layers, and it takes almost no time. (For PyTorch
# an activation is a layer, too: a Module.)
numbers = [1.0, -0.5, -1.0, 3.0]
print("ReLU by hand:", [max(0.0, number) for number in numbers])
# -> ReLU by hand: [1.0, 0.0, 0.0, 3.0]

x = torch.tensor([[1.0, -0.5],
                  [-1.0, 3.0]])
relu = nn.ReLU()                        # first make the layer, ...
print("nn.ReLU:", relu(x).tolist())     # ... then call it with a tensor, of any shape
# -> nn.ReLU: [[1.0, 0.0], [0.0, 3.0]]

# %% inplace=True writes the result over the input
# This saves memory, because no second tensor is made. But the input is lost. If PyTorch
# still needs it to compute gradients (lesson 10), you get an error.
x = torch.tensor([-1.0, 2.0])
result = nn.ReLU(inplace=True)(x)
print("inplace=True, the input is now:", x.tolist())
# -> inplace=True, the input is now: [0.0, 2.0]
print("inplace=True, input and result are one tensor:", result is x)
# -> inplace=True, input and result are one tensor: True

# %% Sigmoid squeezes each number between 0 and 1
# Its formula is 1 / (1 + e^-x). Here e is the number 2.718..., and in Python e^-x is
# math.exp(-x). Its curve has the form of an S: close to 0 far on the left, 0.5 at
# x = 0, close to 1 far on the right.
#
# It is for questions with the answers yes and no, such as "is this an ant?". The number that
# a network gives can be any. Sigmoid turns it into a number between 0 and 1, which can be
# read as a probability: 0.88 means yes, with 88 %.
for number in (-2.0, 0.0, 2.0):
    print(f"Sigmoid of {number:4} by hand: {1 / (1 + math.exp(-number)):.4f}")
# -> Sigmoid of -2.0 by hand: 0.1192
#    Sigmoid of  0.0 by hand: 0.5000
#    Sigmoid of  2.0 by hand: 0.8808

sigmoid = nn.Sigmoid()
print("nn.Sigmoid:", sigmoid(torch.tensor([-2.0, 0.0, 2.0])))
# -> nn.Sigmoid: tensor([0.1192, 0.5000, 0.8808])

# %% Softmax turns scores into probabilities
# Which of ten classes does a picture show? For such a question, the last layer of a
# network gives a score for each class. These scores are called logits. They can be any
# numbers. Softmax turns them into probabilities, which add up to 1.
#
# By hand, for three classes with the logits 2, 1 and 0. First take e to the power of
# each, then divide by the sum.
powers = [math.exp(2), math.exp(1), math.exp(0)]    # never negative
print("e to the power of 2, 1, 0:", [round(power, 3) for power in powers])
# -> e to the power of 2, 1, 0: [7.389, 2.718, 1.0]
total = sum(powers)
print("sum of these powers:", round(total, 3))
# -> sum of these powers: 11.107
print("Softmax by hand:", [round(power / total, 4) for power in powers])
# -> Softmax by hand: [0.6652, 0.2447, 0.09]

logits = torch.tensor([[2.0, 1.0, 0.0]])    # (a batch of 1, 3 classes)
softmax = nn.Softmax(dim=1)                 # dim=1: along the classes, for each row
print("nn.Softmax:", softmax(logits))
# -> nn.Softmax: tensor([[0.6652, 0.2447, 0.0900]])
print("the probabilities add up to:", softmax(logits).sum().item())
# -> the probabilities add up to: 1.0

# The class with the largest logit has the largest probability: here class 0, with 67 %.

# Training needs a loss function. It says how wrong an answer is (lesson 10). The usual
# one for classes, nn.CrossEntropyLoss, takes logits and does the Softmax itself. So do
# not put nn.Softmax before it: there would be two.

# %% A linear layer with one input and one output is y = ax + b
# a is called the weight, b is called the bias. Training will find both. Here we set
# them ourselves. nn.Parameter marks a tensor as a part that can be trained (lesson 6).
line = nn.Linear(in_features=1, out_features=1)
line.weight = nn.Parameter(torch.tensor([[2.0]]))    # a = 2: a row for each output
line.bias = nn.Parameter(torch.tensor([1.0]))        # b = 1: a number for each output
print("linear layer: 2 * 3 + 1 =", line(torch.tensor([3.0])).item())
# -> linear layer: 2 * 3 + 1 = 7.0

# %% Each neuron has a weight for each input, and a bias
# The arguments of nn.Linear:
# - in_features: how many numbers go in.
# - out_features: how many numbers come out. Each of them is calculated by a neuron of
#   its own, so this is also the number of neurons.
# - bias: by default True. With False, there is no b.
#
# A neuron multiplies each input by a weight of its own, adds up, and adds its bias.
# Here are two neurons, by hand. Both get the inputs 1, 2 and 3, the left number of each
# product:
neuron1 = 1 * 1 + 2 * 0 + 3 * -1 + 0.5    # weights 1, 0, -1, and a bias of 0.5
neuron2 = 1 * 2 + 2 * 1 + 3 * 0 + 0       # weights 2, 1, 0, and a bias of 0
print("two neurons by hand:", [neuron1, neuron2])
# -> two neurons by hand: [-1.5, 4]

x = torch.tensor([1.0, 2.0, 3.0])
linear = nn.Linear(in_features=3, out_features=2)
linear.weight = nn.Parameter(torch.tensor([[1.0, 0.0, -1.0],     # a row for each neuron:
                                           [2.0, 1.0, 0.0]]))    # (out, in)
linear.bias = nn.Parameter(torch.tensor([0.5, 0.0]))             # (out,)
print("two neurons, nn.Linear:", linear(x).tolist())
# -> two neurons, nn.Linear: [-1.5, 4.0]

# In one line, this is a matrix product (in Python @), plus the bias. @ multiplies x by each
# column of a matrix, and adds up. The neurons are the rows of the weight, so .T first
# turns rows into columns.
print("two neurons, matrix product:", (x @ linear.weight.T + linear.bias).tolist())
# -> two neurons, matrix product: [-1.5, 4.0]

# The same line works for a batch:
batch = torch.stack([x, 10 * x])    # (2, 3)
by_hand = batch @ linear.weight.T + linear.bias    # (2, 3) @ (3, 2) -> (2, 2)
print("a batch, by hand equals nn.Linear:", torch.equal(by_hand, linear(batch)))
# -> a batch, by hand equals nn.Linear: True

# Each output depends on each input. So such a layer is also called fully connected.

# %% A picture is flattened before it goes into a linear layer
# A picture has rows, but each neuron takes one list of numbers. flatten puts all rows
# one behind the other. The example has 3 rows of 8 numbers, and 30 neurons.
picture = torch.tensor([[1, 2, 3, 0, 1, 2, 3, 0],
                        [0, 1, 2, 3, 0, 1, 2, 3],
                        [3, 0, 1, 2, 3, 0, 1, 2]], dtype=torch.float32)
flat = torch.flatten(picture)    # (3, 8) -> (24,)
print("before flatten:", tuple(picture.shape), "after:", tuple(flat.shape))
# -> before flatten: (3, 8) after: (24,)

linear = nn.Linear(24, 30)
print("after 30 neurons:", tuple(linear(flat).shape))    # (24,) -> (30,)
# -> after 30 neurons: (30,)

# In a batch, each picture has to become a row of its own. So leave dimension 0 alone,
# which is the batch, and flatten from dimension 1 on. The layer nn.Flatten does this.
batch = torch.zeros(64, 3, 32, 32)
print("wrong, all pictures in one row:", tuple(torch.flatten(batch).shape))
# -> wrong, all pictures in one row: (196608,)
print("right, a row for each picture:", tuple(torch.flatten(batch, start_dim=1).shape))
# -> right, a row for each picture: (64, 3072)
flat = nn.Flatten()(batch)    # (64, 3, 32, 32) -> (64, 3072)
print("nn.Flatten:", tuple(flat.shape))
# -> nn.Flatten: (64, 3072)

# %% Only the last dimension of the input has to have the size in_features
# All dimensions before it stay as they are. There may be none, one (a batch), or more.
# Here the layer takes each row of the picture by itself, with the same weights. So no
# neuron sees the whole picture: that is why one flattens.
linear = nn.Linear(8, 5)
print("input (3, 8) becomes:", tuple(linear(picture).shape))
# -> input (3, 8) becomes: (3, 5)
x = torch.zeros(2, 7, 3, 8)
print("input (2, 7, 3, 8) becomes:", tuple(linear(x).shape))
# -> input (2, 7, 3, 8) becomes: (2, 7, 3, 5)

# %% Two linear layers in a row can be replaced by one
# Take y = 2x + 1, and then z = 3y + 4. Together, z = 3(2x + 1) + 4 = 6x + 7. This is
# one straight line again. With a ReLU between the two, the result has a bend, so it is
# no straight line:
for x in (-2, -1, 0, 1):
    two = 3 * (2 * x + 1) + 4
    one = 6 * x + 7
    with_relu = 3 * max(0, 2 * x + 1) + 4
    print(f"x = {x:2}: two layers {two:2}, one layer {one:2}, with ReLU {with_relu:2}")
# -> x = -2: two layers -5, one layer -5, with ReLU  4
#    x = -1: two layers  1, one layer  1, with ReLU  4
#    x =  0: two layers  7, one layer  7, with ReLU  7
#    x =  1: two layers 13, one layer 13, with ReLU 13

# It is the same for layers of any size. The weight of the one layer is the product of the
# two weights, the second one first: above 3 * 2, here second.weight @ first.weight. Its bias
# was 3 * 1 + 4 above, and is calculated in the same way here. (allclose compares, because
# the numbers are rounded differently: atol says how far apart they may be.)
torch.manual_seed(SEED)
first, second = nn.Linear(4, 8), nn.Linear(8, 2)
one = nn.Linear(4, 2)
one.weight = nn.Parameter(second.weight @ first.weight)    # (2, 8) @ (8, 4) -> (2, 4)
one.bias = nn.Parameter(second.weight @ first.bias + second.bias)    # (2,)

x = torch.randn(5, 4)    # five rows of four random numbers
same = torch.allclose(second(first(x)), one(x), atol=1e-6)
print("two layers equal one layer:", same)
# -> two layers equal one layer: True
same = torch.allclose(second(relu(first(x))), one(x), atol=1e-6)
print("two layers with a ReLU between them equal one layer:", same)
# -> two layers with a ReLU between them equal one layer: False

# %% With a ReLU, two neurons make a curve that no single linear layer can make
# The curve is the distance from 0: it is 2 for x = 2, and 2 for x = -2 as well. One
# neuron gives x, the other one gives -x. ReLU replaces the negative one of the two by
# 0. The last layer adds up.
two_neurons = nn.Linear(1, 2, bias=False)
two_neurons.weight = nn.Parameter(torch.tensor([[1.0], [-1.0]]))
add_up = nn.Linear(2, 1, bias=False)
add_up.weight = nn.Parameter(torch.tensor([[1.0, 1.0]]))

without_relu = nn.Sequential(two_neurons, add_up)
with_relu = nn.Sequential(two_neurons, relu, add_up)

x = torch.tensor([[-2.0], [-1.0], [0.0], [1.0], [2.0]])    # a batch of five numbers
print("five numbers x:", x.flatten().tolist())
# -> five numbers x: [-2.0, -1.0, 0.0, 1.0, 2.0]
print("two neurons without ReLU:", without_relu(x).flatten().tolist())    # x + -x
# -> two neurons without ReLU: [0.0, 0.0, 0.0, 0.0, 0.0]
print("two neurons with ReLU:", with_relu(x).flatten().tolist())
# -> two neurons with ReLU: [2.0, 1.0, 0.0, 1.0, 2.0]

# Each neuron with a ReLU can add a bend to a curve. With many neurons, a network can
# come close to almost any curve. This is what activations are for.

# %% TensorBoard shows the curves, and what activations do to pictures
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
test_data = cifar10(train=False, transform=to_tensor)
loader = DataLoader(test_data, batch_size=PICTURES_SHOWN)

run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer, torch.no_grad():    # nothing is trained here
    writer.add_text("0 look at", LOOK_AT)

    for step in range(-50, 51):    # steps are whole numbers, so x is a tenth of the step
        x = torch.tensor([step / 10])
        logits = torch.tensor([[step / 10, 0.0, 0.0]])    # only the first logit changes
        writer.add_scalars("8 curves/1 activations, step = 10 x", {
            "ReLU": relu(x).item(),
            "Sigmoid": sigmoid(x).item(),
            "Softmax of x, 0, 0": softmax(logits)[0, 0].item(),
        }, step)
        writer.add_scalars("8 curves/2 two linear layers, step = 10 x", {
            "without ReLU": without_relu(x).item(),
            "with ReLU": with_relu(x).item(),
        }, step)

    for step, (pictures, _) in enumerate(loader):    # pictures: (8, 3, 32, 32)
        if step == STEPS_SHOWN:
            break
        rows = torch.cat([
            pictures,
            sigmoid(pictures),       # 0...1 becomes 0.5...0.73
            relu(pictures - 0.5),    # numbers below 0.5 become 0, which is black
        ])                           # 3 x (8, 3, 32, 32) -> (24, 3, 32, 32)
        writer.add_images("8 pictures/1 pictures, Sigmoid, ReLU", enlarge(rows), step)
print_where_to_look(run, LOOK_AT)

# Try next:
# - Add the line `"Tanh": nn.Tanh()(x).item(),` to chart 1 (the first add_scalars). Then
#   do the same with nn.LeakyReLU(0.1) and nn.GELU(). What does each make of negative x?
# - `print(nn.Softmax(dim=0)(torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]])))`: what
#   adds up to 1 now?
# - `print(nn.Linear(24, 30, bias=False)(torch.zeros(24)))`: what comes out? And with a
#   bias?
