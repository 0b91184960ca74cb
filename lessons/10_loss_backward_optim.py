"""10. A loss says how wrong a network is, and an optimizer makes the loss smaller

This is how a network learns. A loss function compares its answers with the right ones,
and gives one number, the loss. `backward` finds out how each parameter of the network
changes this number. An optimizer then changes each parameter a little, so that the loss
gets smaller. Training is these three steps, many times.

You do each of them by hand first, with numbers that fit on paper. Then you train the
small network of lesson 9 with four optimizers, and see what it has learnt.

It takes 20 to 45 seconds, depending on your processor.

    python lessons/10_loss_backward_optim.py              runs it
    tensorboard --logdir logs/10_loss_backward_optim      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import math

import torch
from PIL import Image, ImageDraw
from torch import nn, optim
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2
from tqdm import tqdm

from shared.datasets import cifar10, enlarge
from shared.networks import CIFAR10Network
from shared.paths import new_run, print_where_to_look

PICTURES = 300           # to train with, and as many to test with; few, to save time
EPOCHS = 12              # in each epoch, the network sees each training picture once
BATCH_SIZE = 10          # 300 / 10 = 30 steps of the optimizer in each epoch
PREDICTIONS_SHOWN = 3    # test pictures that you show to the trained network at the end

LOOK_AT = """
- Scalars tab: on the left side, first set Smoothing to 0. Then switch "Ignore outliers
  in chart scaling" off, because it hides the end of Adam's curve. (If a group is
  closed, click on its name.)
- Scalars tab, group "10 loss": a curve for each optimizer. Move the mouse over the
  chart to see their names. Whose loss falls fastest, and whose hardly at all?
- Scalars tab, group "10 accuracy": a card for each optimizer, with a curve for the
  training pictures and one for the test pictures. In which card are the two furthest
  apart at the end? This is overfitting.
- Images tab, group "10 predictions": are the wrong predictions less confident?
- Histograms tab, group "10 weights": how often each value occurs in the kernels of the
  first layer. At the back is the first epoch, in front the last. With which optimizer
  does the hill change most?
"""

# %% A loss is one number that says how wrong the predictions are
# A network has made three predictions. For each there is a target: the right answer.
prediction = torch.tensor([1.0, 2.0, 3.0])
target = torch.tensor([4.0, -2.0, 5.0])

# How far is each prediction from its target? |1 - 4| = 3, |2 - (-2)| = 4, |3 - 5| = 2.
distance = (prediction - target).abs()
print("distances:", distance)
# -> distances: tensor([3., 4., 2.])

# The L1 loss is their mean: (3 + 4 + 2) / 3 = 3. It is 0 if all predictions are right.
l1_loss = nn.L1Loss()
print("L1 loss by hand:", distance.mean(), "by PyTorch:", l1_loss(prediction, target))
# -> L1 loss by hand: tensor(3.) by PyTorch: tensor(3.)

# `reduction` says what becomes of the three distances: their mean (the default), their
# sum, or "none": then all three are kept, in the shape of the predictions.
l1_sum = nn.L1Loss(reduction="sum")(prediction, target)
l1_none = nn.L1Loss(reduction="none")(prediction, target)
print("reduction='sum': ", l1_sum, "shape", tuple(l1_sum.shape))
print("reduction='none':", l1_none, "shape", tuple(l1_none.shape))
# -> reduction='sum':  tensor(9.) shape ()
#    reduction='none': tensor([3., 4., 2.]) shape (3,)

# The shape () means: a single number. For L1 and MSE, predictions may have any shape, and
# the targets must have the same one. With another shape you get an error, or only a warning
# and usually a wrong loss.

# %% MSE, the mean squared error, counts a large error more than two small ones
# An error of 4 counts 16, two errors of 2 count 4 + 4. Here the squares of the
# distances are 9, 16 and 4. Their mean is 29 / 3 = 9.6667.
squares = distance**2
mse_loss = nn.MSELoss()
print("MSE by hand:", squares.mean(), "by PyTorch:", mse_loss(prediction, target))
print("sum of the squares:", nn.MSELoss(reduction="sum")(prediction, target))
# -> MSE by hand: tensor(9.6667) by PyTorch: tensor(9.6667)
#    sum of the squares: tensor(29.)

# %% Cross entropy is small if the right class has a high probability
# L1 and MSE are for predictions that are numbers, such as a price. For classes there is
# cross entropy. The network gives a score (a logit) to each class. Softmax (lesson 8)
# makes probabilities of the scores. Only one of them counts: the probability p of the
# right class. The loss is minus the logarithm of p.
for p in (0.99, 0.9, 0.5, 0.1, 0.01):
    print(f"probability of the right class {p:4.2f}: loss {-math.log(p):.3f}")
# -> probability of the right class 0.99: loss 0.010
#    probability of the right class 0.90: loss 0.105
#    probability of the right class 0.50: loss 0.693
#    probability of the right class 0.10: loss 2.303
#    probability of the right class 0.01: loss 4.605

# Remember 2.303: with ten classes, it is the loss of a network that knows nothing and
# gives each class the probability 0.1.

# Three classes, and the right one is number 1. (It is chance that these scores add up
# to 1. They are not probabilities yet: scores may be any numbers.)
scores = torch.tensor([0.1, 0.7, 0.2])
right = torch.tensor(1)
probabilities = scores.softmax(dim=0)
print("probabilities:", probabilities)
# -> probabilities: tensor([0.2546, 0.4640, 0.2814])

cross_entropy = nn.CrossEntropyLoss()
print("cross entropy by hand:", -torch.log(probabilities[right]),
      "by PyTorch:", cross_entropy(scores, right))
# -> cross entropy by hand: tensor(0.7679) by PyTorch: tensor(0.7679)

# The same, but the right class now has a low score. The loss is larger.
scores = torch.tensor([0.8, 0.1, 0.1])
print("cross entropy, if class 0 has the highest score:", cross_entropy(scores, right))
# -> cross entropy, if class 0 has the highest score: tensor(1.3897)

# nn.CrossEntropyLoss takes the scores and does the Softmax itself. With a Softmax in
# front of it, there would be two. Then even a perfect answer has a loss far from 0:
perfect = torch.tensor([0.0, 20.0, 0.0])
one_softmax = cross_entropy(perfect, right)
two_softmax = cross_entropy(perfect.softmax(dim=0), right)
print(f"loss of a perfect answer: {one_softmax.item():.4f}")
print(f"the same, with a Softmax in front: {two_softmax.item():.4f}")
# -> loss of a perfect answer: 0.0000
#    the same, with a Softmax in front: 0.5514

# A batch of N pictures has scores of the shape (N, 10) and targets of the shape (N,).
# Its loss is the mean over the N pictures.

# %% A gradient is a slope: how much the loss changes when a parameter changes a little
# The smallest network there is: one parameter w, and prediction = w * x.
# It shall learn from one example: for x = 2, the target is 6. So the right w is 3.
x = 2.0
y = 6.0


def loss_of(w):
    return (w * x - y) ** 2


for w in (1.0, 2.0, 3.0, 4.0):
    print(f"w = {w}: prediction {w * x}, loss {loss_of(w)}")
# -> w = 1.0: prediction 2.0, loss 16.0
#    w = 2.0: prediction 4.0, loss 4.0
#    w = 3.0: prediction 6.0, loss 0.0
#    w = 4.0: prediction 8.0, loss 4.0

# Begin at w = 1. Is a larger or a smaller w better? Make w a tiny bit larger, and see.
tiny = 0.001
print(f"loss at w = 1:     {loss_of(1.0):.6f}")
print(f"loss at w = 1.001: {loss_of(1.0 + tiny):.6f}")
# -> loss at w = 1:     16.000000
#    loss at w = 1.001: 15.984004

# w grew by 0.001, and the loss fell by about 0.016, which is 16 times as much. This
# ratio is the slope of the loss at w = 1. It is called the gradient.
slope = (loss_of(1.0 + tiny) - loss_of(1.0)) / tiny
print(f"gradient, measured: {slope:.3f}")
# -> gradient, measured: -15.996

# The sign says in which direction to go: minus means that the loss falls if w grows.
# The size says how steep it is: here the loss falls 16 times as fast as w grows.

# Calculus has rules that give the slope without trying. For the loss (w * x - y) ** 2,
# the rule is 2 * (w * x - y) * x. Here this is 2 * (2 - 6) * 2 = -16.
# (Measured, it is not quite -16, because 0.001 is small, but not infinitely small.)

# PyTorch knows these rules. With requires_grad=True, it notes down what is computed
# with w. `grad_fn` is the last note. backward goes through all notes, from the loss
# back to w, and writes the gradient into w.grad.
w = torch.tensor(1.0, requires_grad=True)
loss = (w * x - y) ** 2
print("loss:", loss)
# -> loss: tensor(16., grad_fn=<PowBackward0>)
loss.backward()
print("gradient, by backward:", w.grad)
# -> gradient, by backward: tensor(-16.)

# %% A step against the gradient makes the loss smaller
# The gradient says in which direction the loss grows. So go the other way: subtract it
# from w. All of it, -16, would be too much. It is multiplied by a small number, the
# learning rate (lr).
w = torch.tensor(1.0, requires_grad=True)
lr = 0.1
for step in range(1, 6):
    loss = (w * x - y) ** 2
    w.grad = None             # forget the last gradient; the next cell shows why
    loss.backward()
    with torch.no_grad():     # no notes: the step does not belong to the loss
        w -= lr * w.grad
    print(f"step {step}: loss {loss.item():7.4f},",
          f"gradient {w.grad.item():8.4f}, new w {w.item():.4f}")
# -> step 1: loss 16.0000, gradient -16.0000, new w 2.6000
#    step 2: loss  0.6400, gradient  -3.2000, new w 2.9200
#    step 3: loss  0.0256, gradient  -0.6400, new w 2.9840
#    step 4: loss  0.0010, gradient  -0.1280, new w 2.9968
#    step 5: loss  0.0000, gradient  -0.0256, new w 2.9994

# It has learnt that w is 3. Near the bottom the slope is flat, so the steps get smaller
# by themselves. The learning rate decides how well this goes:
for lr in (0.01, 0.1, 0.3):
    w = 1.0
    for _ in range(5):
        gradient = 2 * (w * x - y) * x    # the rule from above
        w -= lr * gradient
    print(f"learning rate {lr:4}: after 5 steps w = {w:.4f}, loss {loss_of(w):.4f}")
# -> learning rate 0.01: after 5 steps w = 1.6818, loss 6.9502
#    learning rate  0.1: after 5 steps w = 2.9994, loss 0.0000
#    learning rate  0.3: after 5 steps w = 13.7565, loss 462.8074

# 0.01 is slow. 0.3 jumps over the bottom, and each jump ends higher than it began.

# %% backward adds to the gradient that is there, so clear it before each step
w = torch.tensor(1.0, requires_grad=True)
print("before any backward:", w.grad)
loss_of(w).backward()
print("after one backward:", w.grad)
loss_of(w).backward()
print("after a second one:", w.grad, "(-16 and -16)")
w.grad = None
loss_of(w).backward()
print("cleared, then backward:", w.grad)
# -> before any backward: None
#    after one backward: tensor(-16.)
#    after a second one: tensor(-32.) (-16 and -16)
#    cleared, then backward: tensor(-16.)

# Why does it add? A parameter may be used several times in one computation. Its gradient is
# then the sum of all parts. But without clearing, each step would follow the sum of all
# gradients so far. The older ones were computed for earlier values of w, so they are out of
# date.

# %% An optimizer takes the step for all its parameters
# SGD (stochastic gradient descent) makes the step that you have just made:
#     w -= lr * w.grad
# "Stochastic" means: by chance. In training, each step sees one batch of pictures only,
# and chance decides which.
w = torch.tensor(1.0, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1)    # the parameters to change, the learning rate
for _ in range(5):
    loss = loss_of(w)
    optimizer.zero_grad()    # clears the gradients
    loss.backward()          # computes new ones
    optimizer.step()         # changes the parameters
print(f"SGD, after 5 steps w = {w.item():.4f}")
# -> SGD, after 5 steps w = 2.9994

# %% With momentum, steps in one direction get longer
# A ball that rolls downhill gets faster: it keeps most of its speed, and the slope adds
# to it. SGD with momentum=0.9 does the same: new speed = 0.9 * old speed + gradient. The
# step is then lr * speed downhill, in the place of lr * gradient.
#
# Take a parameter w, and let the loss be w itself. If w grows by 1, the loss grows by
# 1, too. So the gradient is always 1.
speed = 0.0
w_by_hand = 0.0
w = torch.tensor(0.0, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
for step in range(1, 4):
    speed = 0.9 * speed + 1.0
    w_by_hand -= 0.1 * speed

    optimizer.zero_grad()
    w.backward()             # w is the loss
    optimizer.step()
    print(f"step {step}: speed {speed:.2f},",
          f"w by hand {w_by_hand:.3f}, by PyTorch {w.item():.3f}")
# -> step 1: speed 1.00, w by hand -0.100, by PyTorch -0.100
#    step 2: speed 1.90, w by hand -0.290, by PyTorch -0.290
#    step 3: speed 2.71, w by hand -0.561, by PyTorch -0.561

# The speed grows until it is 10, because 0.9 * 10 + 1 is 10 again. The steps are then
# ten times as long as without momentum. But if the direction of the gradients keeps
# changing, they cancel each other, and the steps stay short.

# %% RMSprop and Adam give each parameter a step of its own size
# var1 has a gradient of 2, var2 has one of 0.002. SGD would move var1 a thousand times
# as far as var2. For each parameter, RMSprop keeps an average of how large its gradients
# were in the last steps, and divides the gradient by it. So both move equally far, after
# some steps by about lr. Adam does so from the first step on, and has momentum besides.
var1 = torch.tensor(1.0, requires_grad=True)
var2 = torch.tensor(1.0, requires_grad=True)
optimizer = optim.Adam([var1, var2], lr=0.0001)
loss = 2 * var1 + 0.002 * var2
loss.backward()
optimizer.step()
print(f"after a step of Adam: var1 {var1.item():.4f}, var2 {var2.item():.4f}")
# -> after a step of Adam: var1 0.9999, var2 0.9999

# An optimizer takes a list of tensors, such as [var1, var2], or network.parameters(). Each
# should have requires_grad=True, and must be a leaf: a tensor that was not computed from
# others. The optimizer refuses one that is no leaf.
try:
    optim.Adam([var1 * 2], lr=0.0001)
except ValueError as error:
    print("Adam over [var1 * 2]:", error)
# -> Adam over [var1 * 2]: can't optimize a non-leaf Tensor

# A tensor without requires_grad=True is not refused. But it gets no gradient, so it
# never changes.

# %% In a network, backward gives a gradient to each parameter
torch.manual_seed(0)
network = CIFAR10Network()    # the small network of lesson 9, with 145,578 parameters

# This transform makes a float32 tensor of each picture, with values 0...1 (lesson 4).
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
test_data = cifar10(train=False, transform=to_tensor)
loader = DataLoader(test_data, batch_size=1)
pictures, targets = next(iter(loader))    # the first batch, which is one picture

outputs = network(pictures)    # (1, 3, 32, 32) -> (1, 10)
loss = cross_entropy(outputs, targets)
print("shape of the scores:", tuple(outputs.shape))
print("right class:", targets)
print(f"loss: {loss.item():.1f}")
# -> shape of the scores: (1, 10)
#    right class: tensor([3])
#    loss: 2.3

# 2.3 again: this network knows nothing yet.

weight = network.layers[0].weight    # the kernels of the first convolution
print("gradient of the kernels before backward:", weight.grad)
# -> gradient of the kernels before backward: None

loss.backward()
print("shape of the kernels: ", tuple(weight.shape))
print("shape of the gradient:", tuple(weight.grad.shape))
# -> shape of the kernels:  (32, 3, 5, 5)
#    shape of the gradient: (32, 3, 5, 5)

# Each of the 2,400 numbers in these kernels has a gradient of its own. It means what
# -16 meant above: how much the loss changes when this one number changes a little.

# You can see this in a debugger. Write `breakpoint()` in a line above the
# loss.backward() of this cell, and run the lesson in a terminal. Python stops there and
# waits for commands, after (Pdb):
#     p network.layers[0].weight.grad    prints None
#     n                                  runs a line; repeat it until backward ran
#     p network.layers[0].weight.grad    prints a tensor full of numbers
#     c                                  goes on with the lesson
# In PyCharm or VS Code, click beside the line's number instead, and start the debugger.
# Among the variables, unfold network > layers > _modules > '0' > weight > grad.

# %% One step of SGD by hand: each parameter moves against its gradient
optimizer = optim.SGD(network.parameters(), lr=0.01)
by_hand = weight.detach() - 0.01 * weight.grad    # detach: the numbers alone
optimizer.step()
print("kernels by hand equal PyTorch's:", torch.allclose(weight, by_hand))
# -> kernels by hand equal PyTorch's: True

new_loss = cross_entropy(network(pictures), targets)
print("the loss of this picture is smaller now:", new_loss.item() < loss.item())
# -> the loss of this picture is smaller now: True

optimizer.zero_grad()
print("gradient after optimizer.zero_grad():", weight.grad)
# -> gradient after optimizer.zero_grad(): None

# %% Training is zero_grad, backward and step for each batch, in each epoch
# The network learns from the training pictures. It never learns from the test pictures:
# they show what it does with pictures that are new to it.
train_data = cifar10(train=True, transform=to_tensor)

# Lists of pairs (picture, class number), made once. A DataLoader takes a list, too.
train_pictures = [train_data[index] for index in range(min(PICTURES, len(train_data)))]
test_pictures = [test_data[index] for index in range(min(PICTURES, len(test_data)))]


def accuracy(network, pictures):
    """The share of pictures whose right class gets the highest score."""
    correct = 0
    with torch.no_grad():    # nothing is learnt here, so no gradients are needed
        for inputs, targets in DataLoader(pictures, batch_size=50):
            scores = network(inputs)             # (50, 3, 32, 32) -> (50, 10)
            predictions = scores.argmax(dim=1)   # -> (50,), a class number for each
            correct += (predictions == targets).sum().item()
    return correct / len(pictures)


def train(network, optimizer, name):
    """Trains the network for EPOCHS epochs, and returns what happened, for TensorBoard.

    It returns a dict of four dicts: the loss, two accuracies and the weights. Each gets one
    entry in each epoch. As in the tutorial, the keys of "loss" and "weights" are steps:
    history["loss"][30] is the mean loss of epoch 1 (steps 1 to 30), history["loss"][60] that
    of epoch 2 (steps 31 to 60). The keys of the two accuracies are epochs:
    history["test accuracy"][2] was measured after epoch 2.
    """
    history = {"loss": {}, "training accuracy": {}, "test accuracy": {}, "weights": {}}
    total_train_step = 0    # how many steps the optimizer has made
    loader = DataLoader(train_pictures, batch_size=BATCH_SIZE, shuffle=True)

    # tqdm shows a progress bar in a terminal, and removes it at the end.
    epochs = range(1, EPOCHS + 1)
    for epoch in tqdm(epochs, name, unit="epoch", disable=None, leave=False):
        total_loss = 0.0
        for pictures, targets in loader:
            outputs = network(pictures)    # (10, 3, 32, 32) -> (10, 10)
            loss = cross_entropy(outputs, targets)

            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

            # .item() takes the number out of the tensor. The tensor also holds the
            # notes for backward: adding up tensors would keep those of all batches.
            total_loss += loss.item()
            total_train_step += 1

        history["loss"][total_train_step] = total_loss / len(loader)
        # clone makes a copy. Without it, the next steps would change the numbers here.
        history["weights"][total_train_step] = network.layers[0].weight.detach().clone()

        total_test_step = epoch    # how often it was tested: once after each epoch
        history["training accuracy"][total_test_step] = accuracy(network, train_pictures)
        history["test accuracy"][total_test_step] = accuracy(network, test_pictures)
    return history


# %% Four optimizers train the same network on the same pictures
# One rate for all would be too low for one optimizer and too high for another. So each
# has its own, and only the two SGD share one. These are not the best rates: for SGD without
# momentum, 0.01 is low.
OPTIMIZERS = {
    # The tutorial's rate.
    "SGD": (optim.SGD, {"lr": 0.01}),
    # The same rate, so that the momentum is the only difference.
    "SGD with momentum": (optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    # PyTorch's default is 0.01. Here it is far too high: the loss of the first epoch is
    # over 100,000. Eight rates were tried. With 0.0003 the training loss fell most.
    "RMSprop": (optim.RMSprop, {"lr": 0.0003}),
    # PyTorch's default.
    "Adam": (optim.Adam, {"lr": 0.001}),
}

networks = {}
histories = {}
for name, (make_optimizer, settings) in OPTIMIZERS.items():
    torch.manual_seed(0)    # each optimizer gets the same first weights and batches
    networks[name] = CIFAR10Network()

    # The first time, this means optim.SGD(networks["SGD"].parameters(), lr=0.01).
    optimizer = make_optimizer(networks[name].parameters(), **settings)
    histories[name] = train(networks[name], optimizer, name)

    losses = list(histories[name]["loss"].values())
    first, last = losses[0], losses[-1]
    print(f"{name:17} loss of epoch 1: {first:.2f}, of epoch {EPOCHS}: {last:.2f},",
          "falling:", last < first)
# -> SGD               loss of epoch 1: 2.3..., of epoch 12: ..., falling: True
#    SGD with momentum loss of epoch 1: ..., of epoch 12: ..., falling: True
#    RMSprop           loss of epoch 1: ..., of epoch 12: ..., falling: True
#    Adam              loss of epoch 1: ..., of epoch 12: ..., falling: True

# %% Overfitting: the network knows its training pictures, and others far less
print(f"Accuracy on {PICTURES} training and {PICTURES} test pictures",
      f"({test_data.source}):")
for name, history in histories.items():
    train_accuracy = history["training accuracy"][EPOCHS]    # after the last epoch
    test_accuracy = history["test accuracy"][EPOCHS]
    print(f"{name:17} training {train_accuracy:4.0%}, test {test_accuracy:4.0%}")
# -> Accuracy on 300 training and 300 test pictures (...):
#    SGD               training  ...%, test  ...%
#    SGD with momentum training  ...%, test  ...%
#    RMSprop           training  ...%, test  ...%
#    Adam              training  ...%, test  ...%

# A guess is right for 10 % of the pictures. Adam's network is right for nearly all of
# the pictures that it was trained with, but for less than half of the others. It has
# learnt these 300 pictures, rather than what makes a cat a cat. This is called
# overfitting: the training accuracy is far above the test accuracy.
adam = histories["Adam"]
gap = adam["training accuracy"][EPOCHS] - adam["test accuracy"][EPOCHS]
print("Adam: training accuracy is over 20 percentage points above test accuracy:",
      gap > 0.2)
# -> Adam: training accuracy is over 20 percentage points above test accuracy: True

# What helps most is more pictures. Lesson 12 has many more, and also changes them a
# little each time (augmentation).

# %% A validation set is for choosing, the test set is for the end
# The training accuracy says little, so report the test accuracy. But do not choose
# settings by it. Suppose that you try a hundred learning rates, and keep the one with
# the best test accuracy. Part of this accuracy is luck: the rate suits just these
# pictures. With new pictures, the accuracy would be lower.

# To choose settings, take a third set of pictures, the validation set. Train with the
# training pictures, compare settings on the validation pictures, and use the test
# pictures once, at the very end.

# Lessons 10 and 11 have no validation set, because they choose nothing by accuracy.
# Their settings come from the tutorial, from PyTorch's defaults, from the training loss
# (RMSprop), or from the time that they take. And do not choose an optimizer by the table
# above: that would be choosing by the test accuracy. With 300 test pictures, a difference of
# five percentage points can be chance. (The folder `val` of lesson 1 is a test set in these
# lessons, in spite of its name.)

# %% The trained network says what three test pictures show
network = networks["Adam"]
predictions = []
for index in range(PREDICTIONS_SHOWN):
    picture, target = test_pictures[index]
    with torch.no_grad():
        scores = network(picture.unsqueeze(0))    # (1, 3, 32, 32) -> (1, 10)
    probabilities = scores.softmax(dim=1)[0]      # -> (10,)
    guess = probabilities.argmax().item()

    # The probability of the predicted class is called the confidence. The network can
    # be very confident, and wrong.
    text = (f"{test_data.classes[target]}: predicted {test_data.classes[guess]}, "
            f"confidence {probabilities[guess].item():.0%}")
    print(f"test picture {index}, {text}")
    predictions.append(text)
# -> test picture 0, cat: predicted ..., confidence ...%
#    test picture 1, ...: predicted ..., confidence ...%
#    test picture 2, ...: predicted ..., confidence ...%

# %% TensorBoard shows the losses, the overfitting, the weights and the predictions
run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)

    for number, (name, history) in enumerate(histories.items(), start=1):
        # The last argument is the place on the horizontal axis: for the loss and the
        # weights the step of the optimizer, for the accuracy the epoch.
        for step, loss in history["loss"].items():
            writer.add_scalars("10 loss/mean of each epoch", {name: loss}, step)

        for epoch in history["test accuracy"]:
            both = {"training": history["training accuracy"][epoch],
                    "test": history["test accuracy"][epoch]}
            writer.add_scalars(f"10 accuracy/{number} {name}", both, epoch)

        for step, weights in history["weights"].items():
            # A far too high learning rate makes the weights nan (not a number). These
            # are left out, because no histogram can be drawn of them.
            if weights.isfinite().all():
                writer.add_histogram(f"10 weights/{number} {name}", weights, step)

    for index, text in enumerate(predictions):
        picture = enlarge(test_pictures[index][0], 10)    # (3, 32, 32) -> (3, 320, 320)
        card = Image.new("RGB", (320, 350), "white")      # room for a line of text
        card.paste(v2.functional.to_pil_image(picture))
        ImageDraw.Draw(card).text((5, 325), text, fill="black", font_size=16)
        writer.add_image(f"10 predictions/test picture {index}", to_tensor(card))

print_where_to_look(run, LOOK_AT)

# Try next:
# - lr=0.03 and then lr=0.1 for SGD: does it learn faster? What becomes of the loss with
#   0.1? (nan means: not a number.)
# - Take `optimizer.zero_grad()` out of `train`: does the loss still fall?
# - BATCH_SIZE = 50: each epoch has 6 steps instead of 30. How far do the losses fall?
