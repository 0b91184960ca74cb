"""12. A whole training run, on a GPU if there is one

Everything comes together here. You train the tutorial's last network on CIFAR-10, which
has 50,000 training pictures. After each epoch the lesson tests the network and saves a
checkpoint: a file from which the run can go on if it is stopped. At the end you see
which classes the network has learnt, and its worst mistakes.

This is real training, so the time depends on your processor. Without a GPU, eight epochs
of CIFAR-10 take 3 to 20 minutes on two cores, and those of the drawn pictures ½ to 3. After
the first epoch the lesson says how long all of them will take.

    python lessons/12_train_gpu.py                            the whole run
    python lessons/12_train_gpu.py --epochs 3 --limit 2000    a quick look
    python lessons/12_train_gpu.py --resume                   goes on with a stopped run
    tensorboard --logdir logs/12_train_gpu                    shows what it wrote

With make, options stand in ARGS: `make lesson N=12 ARGS="--resume"`.

`python -m shared.training` trains the same network, and can do more: your own pictures,
several GPUs, more epochs. `python -m shared.training --help` lists its options. Without
options it trains exactly as this lesson does.
"""

# %% Setup
from shared.errors import LessonError, begin_lesson, positive

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import argparse
import math
import sys
import time

import torch
from torch import nn, optim
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from shared.datasets import cifar10, enlarge
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import LOGS, MODELS, models_folder, new_run, print_where_to_look
from shared.training import checkpoint
from shared.training.loader import CIFAR10_MEAN_STD, Augmentation, Batches, has_bfloat16
from shared.training.muon import Muon
from shared.training.processes import keep_freed_memory
from shared.training.report import draw_confusion, draw_mistakes

keep_freed_memory()    # on Linux this saves a tenth of the time, and changes no result

LOOK_AT = """
- Scalars tab: set Smoothing to 0, then switch "Ignore outliers in chart scaling" off. In
  the group "12 curves", training and testing have a colour each. Testing may look better,
  because training is measured while the network still learns, on pictures that are moved
  and at first small. Do the two move apart at the end (overfitting, lesson 10)?
- Scalars tab, group "12 learning rate": where is its highest point?
- Images tab, "12 pictures/3 confusion matrix": a row for each class, a column for each
  prediction. Which two classes does the network confuse most often?
- Images tab, "12 pictures/4 most confident mistakes": the class in black, the
  prediction in red. Would you have been right?
"""

# %% The hyperparameters stand in one place, where they are easy to change
# A hyperparameter is a number that you choose before training.
EPOCHS = 8
BATCH_SIZE = 256
LEARNING_RATE = 0.1    # the highest: in the run, the rate rises to this and then falls to 0
DROPOUT = 0.0          # 0 switches Dropout (see below) off; the tutorial has 0.4. In eight
                       # epochs this network overfits too little to need it
CROP_PADDING = 1       # training pictures are moved by up to this many pixels
SMALL_SHARE = 0.5      # the first half of the epochs trains on the middle of each picture only
SEED = 1               # another seed gives other first weights and another order

# Only this lesson has options on the command line. `--epochs 3` replaces EPOCHS, and
# `--limit 2000` takes only the first 2,000 training pictures. `--resume` goes on with a
# run that was stopped, with the epochs and pictures that it began with. It may stand alone
# (nargs="?"; then it means the "latest" run), or name a run: `--resume 20261127-081500`.
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=positive, help=f"instead of {EPOCHS}")
parser.add_argument("--limit", type=positive, help="how many training pictures to use")
parser.add_argument("--resume", nargs="?", const="latest", metavar="RUN",
                    help="go on with RUN (a folder's name), or with the one stopped last")
in_notebook = "ipykernel" in sys.modules    # there the options are Jupyter's: take none of them
args = parser.parse_args([] if in_notebook else None)
if args.resume and (args.epochs or args.limit):
    parser.error("a resumed run keeps its settings: leave --epochs and --limit out")

# %% Accuracy is the share of pictures whose highest score is that of the right class
# Here are invented scores: a row for each of two pictures, a column for each of two classes.
scores = torch.tensor([[0.3, 0.7],
                       [0.6, 0.4]])
targets = torch.tensor([0, 0])        # the right class of both is number 0

predicted = scores.argmax(dim=1)      # (2, 2) -> (2,): the highest score of each row
print("two invented pictures, predicted classes:", predicted)
# -> two invented pictures, predicted classes: tensor([1, 0])

right = predicted == targets
print("which of the two are right:", right)
# -> which of the two are right: tensor([False,  True])

# True counts as 1.
print("number of right predictions:", right.sum().item())
# -> number of right predictions: 1
print("accuracy on these two:", right.float().mean().item())
# -> accuracy on these two: 0.5

# %% train() and eval() change what Dropout and BatchNorm do
# A network has two modes: network.train() is for training, network.eval() for testing.
#
# In training, Dropout sets some of the numbers that come out of a layer to zero, at
# random; with 0.5, each with a probability of one half. So the network cannot rely on
# single numbers, and overfits less. Dropout also makes the numbers that remain larger
# (here twice as large), so that the sum stays about the same. In testing, Dropout does
# nothing.
dropout = nn.Dropout(0.5)
ones = torch.ones(1000)
dropout.train()
different = dropout(ones).unique().tolist()    # unique() leaves out repeated numbers
print("Dropout in training turns a thousand ones into some of each of:", different)
# -> Dropout in training turns a thousand ones into some of each of: [0.0, 2.0]
dropout.eval()
print("Dropout in testing leaves them as they are:", torch.equal(dropout(ones), ones))
# -> Dropout in testing leaves them as they are: True

# BatchNorm does for each channel what Normalize does in lesson 4: it subtracts a mean
# and divides by a standard deviation. A network whose layers get numbers around 0 can
# be trained with larger steps. (BatchNorm then multiplies each channel by a learnt number
# and adds another one. affine=False leaves these two out here.)
#
# In training, the mean is that of the batch. Meanwhile BatchNorm keeps a running mean:
# each batch moves it a tenth of the way towards the mean of this batch. It keeps a running
# variance in the same way (the variance is the standard deviation, squared). In testing,
# BatchNorm uses these running values and not those of the batch: what the network says of
# a picture must not depend on which other pictures are in its batch.
#
# Here is a batch of 1,000 samples of one number each, which counts as one channel.
# (BatchNorm2d, in the network below, does the same for feature maps.)
norm = nn.BatchNorm1d(1, affine=False)
batch = torch.tensor([[1.0], [3.0]]).repeat(500, 1)    # mean 2, standard deviation 1
norm.train()
for _ in range(100):    # then the running values are nearly those of the batch
    normalized = norm(batch)
print(f"1 and 3 after BatchNorm, in training: {normalized[0, 0]:.2f}, {normalized[1, 0]:.2f}")
# -> 1 and 3 after BatchNorm, in training: -1.00, 1.00
norm.eval()
print(f"a single 3 after BatchNorm, in testing: {norm(torch.tensor([[3.0]])).item():.2f}")
# -> a single 3 after BatchNorm, in testing: 1.00

# %% Testing needs no gradients, and without them it takes less time and memory
# For backward, PyTorch makes notes of each calculation (lesson 10). A result that has such
# notes has requires_grad=True. Inside no_grad PyTorch makes none. inference_mode saves a
# little more time, but what is calculated there cannot be used in training later.
weight = torch.ones(1, requires_grad=True)
print("PyTorch makes notes:", (weight * 2).requires_grad)
# -> PyTorch makes notes: True
with torch.no_grad():
    print("inside no_grad:", (weight * 2).requires_grad)
# -> inside no_grad: False

# no_grad does not switch to testing. Without eval(), BatchNorm would still use the mean
# of the batch, and would change its running values, even inside no_grad.

# %% The device is a GPU where there is one, else the CPU
# A GPU does very many sums at the same time (lesson 1).
device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
print("this lesson trains on:", device)
# -> this lesson trains on: ...

# Older code has this line instead. "cuda" is a card of NVIDIA or AMD, and "cuda:0" is
# the first one, number 0.
#
#     device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

# Network and pictures must be on the same device. network.to(device) changes the network
# itself, and also returns it. tensor.to(device) leaves the tensor as it is and returns a
# new one, so keep that: tensor = tensor.to(device). (If the tensor is there already, it
# returns the same one.)
#
# to() can also change the type of the numbers. So you can see the difference between a
# network and a tensor even without a GPU:
layer, tensor = nn.Linear(1, 1), torch.zeros(1)
layer.to(torch.float64)
moved = tensor.to(torch.float64)
print("the layer itself has changed:", layer.weight.dtype)
# -> the layer itself has changed: torch.float64
print("the tensor has not:", tensor.dtype)
# -> the tensor has not: torch.float32
print("what tensor.to returned:", moved.dtype)
# -> what tensor.to returned: torch.float64

# cuda() is the older way. It is only for cards of NVIDIA and AMD.
if torch.cuda.is_available():
    layer = layer.cuda()
    tensor = tensor.cuda()

# nn.CrossEntropyLoss() holds no tensors, so there is nothing to move.

# %% With --resume, first read the settings of the stopped run
# The next cells need to know how many epochs and pictures the run has. Without --resume,
# your options say it. With --resume, the run's checkpoint does: a file that the training
# loop, further down, writes after each epoch. checkpoint.find looks for the run that was
# stopped last. checkpoint.load does what torch.load does, and also notices a damaged file.
# Here we take only the settings from it. The weights, the optimizer and the scheduler get
# their values back further down. A run that is finished cannot be resumed.
saved = None
epochs, limit = args.epochs or EPOCHS, args.limit
if args.resume:
    folder = checkpoint.find(MODELS / "12_train_gpu", args.resume)
    saved = checkpoint.load(folder)
    epochs, limit = saved["settings"]["epochs"], saved["settings"]["limit"]

# These settings, too, go into the checkpoint. A run must end with the settings it began
# with, or its result means nothing. So if you have changed a hyperparameter since then,
# the run does not go on.
settings = {"epochs": epochs, "limit": limit, "batch size": BATCH_SIZE, "seed": SEED,
            "learning rate": LEARNING_RATE, "dropout": DROPOUT, "padding": CROP_PADDING,
            "small share": SMALL_SHARE}
if saved and saved["settings"] != settings:
    raise LessonError(f"this run was started with {saved['settings']}.\n"
                      "Set the hyperparameters back, or start a new run without --resume.")

# %% Training pictures are moved and mirrored, test pictures never
# This is augmentation (lesson 4). Each training picture gets a black border of one pixel
# (CROP_PADDING), and 32x32 pixels of that are cut out at a random place. Half of the
# pictures are mirrored in the first epoch, the other half in the second, and so on in
# turn. So the network rarely sees the same picture again, and overfits less.
train_data = cifar10(train=True)
train_data.data = train_data.data[:limit]    # [:None] is all of them
train_data.targets = train_data.targets[:limit]
test_data = cifar10(train=False)

# To save time, the first half of the epochs (SMALL_SHARE) trains on small pictures: of the
# 32x32 pixels, only the middle 24x24 are kept, as by CenterCrop(24) in lesson 4. These are
# 56 % of the pixels, and training on them takes a little more than half of the time. At
# first a network learns edges, colours and simple shapes, and for these the middle is
# enough. Test pictures are always whole. Does the accuracy suffer? We compared: it was
# about the same as with whole pictures in all epochs (lessons/README.md).
#
# You use Batches like a DataLoader. But it keeps all pictures on the device, and crops,
# mirrors and normalises a whole batch at once. That is many times faster than one
# picture after the other.
#
# Training needs many steps, and we want 32 or more in an epoch. With few pictures, batches
# of 256 would give fewer, so the batches get smaller: 5,000 drawings in batches of
# 5,000 // 32 = 156. But a batch has at least 16 pictures, or all if there are fewer.
batch_size = min(BATCH_SIZE, max(16, len(train_data) // 32), len(train_data))
small_epochs = int(SMALL_SHARE * epochs)    # 4 of 8, 1 of 3, and 0 of 1
augmentation = Augmentation(CROP_PADDING, SEED, small_epochs=small_epochs)
train_batches = Batches(train_data, batch_size, device, CIFAR10_MEAN_STD, augmentation)
test_batches = Batches(test_data, 500, device, CIFAR10_MEAN_STD)    # any size gives the same
print("pictures in a training batch:", batch_size)
# -> pictures in a training batch: ...

# %% The network has three blocks of two convolutions, then two linear layers
# After each convolution come ReLU and BatchNorm, and after each block a pooling that makes
# the maps smaller. Before each linear layer is a Dropout. Between the two linear layers is
# a ReLU, because without an activation they would do no more than one (lesson 8). In
# shared/networks.py, `_block` makes the layers of one block.
torch.manual_seed(SEED)
network = CIFAR10NetSimpleV3(classes=10, dropout=DROPOUT).to(device)

network.eval()    # else BatchNorm's running values would change
x = torch.zeros(2, 3, 32, 32, device=device)    # two black pictures
for layer in network.layers:
    x = layer(x)
    if isinstance(layer, nn.MaxPool2d | nn.AdaptiveMaxPool2d | nn.Flatten | nn.Linear):
        print(f"shape after {type(layer).__name__}:", tuple(x.shape))
# -> shape after MaxPool2d: (2, 32, 16, 16)
#    shape after MaxPool2d: (2, 64, 8, 8)
#    shape after AdaptiveMaxPool2d: (2, 128, 4, 4)
#    shape after Flatten: (2, 2048)
#    shape after Linear: (2, 64)
#    shape after Linear: (2, 10)

# A convolution takes pictures of any size, but the first linear layer needs exactly 2,048
# numbers: 128 maps of 4x4. A whole picture comes to the last pooling as maps of 8x8, a
# small one as maps of 6x6. MaxPool2d(2), which the tutorial has there, would make 4x4 of
# the first and 3x3 of the second: too few numbers. AdaptiveMaxPool2d(4) is max pooling that
# chooses its windows so that 4x4 numbers come out. For maps of 8x8 these windows are those
# of MaxPool2d(2). For maps of 6x6 they are 2x2 as well, but overlap: of the rows (and of
# the columns) they take 0 and 1, 1 and 2, 3 and 4, 4 and 5.
small_pictures = torch.zeros(2, 3, 24, 24, device=device)
print("scores of two small pictures:", tuple(network(small_pictures).shape))
# -> scores of two small pictures: (2, 10)

parameters = sum(parameter.numel() for parameter in network.parameters())
print(f"parameters of the network: {parameters:,}")
# -> parameters of the network: 419,690

# %% Loss, optimizer, and a learning rate that rises and falls
loss_function = nn.CrossEntropyLoss()

# Muon is an optimizer from 2024. You use it like SGD, and need not know how it works. In
# our comparison (lessons/README.md) this network had a test accuracy two percentage points
# higher with Muon than with SGD. But Muon does not suit every network. In a program of your
# own, begin with optim.SGD(network.parameters(), lr=0.05, momentum=0.9).
#
# One warning. We chose the hyperparameters of this lesson by their test accuracy. That is
# against the rule of lesson 10, and makes the accuracy look a little better than it is. In
# your own work, choose them by a validation set.
optimizer = Muon(network.parameters(), lr=LEARNING_RATE)

# At first the weights are random, and the gradients change much from step to step. A
# large step may then go in a wrong direction, so the learning rate begins near 0. At the
# end it falls to 0 again: small steps find the lowest loss nearby.
steps = epochs * len(train_batches)


def share_of_highest_rate(step):
    up = (step + 1) / (steps / 4)              # rises from 0 to 1 in the first quarter
    down = (steps - step) / (steps * 3 / 4)    # falls from 1 to 0 in the other three quarters
    return min(1, up, down)                    # where they cross, both may be a little over 1


for part in (0.25, 0.5, 1):
    share = share_of_highest_rate(part * steps)
    print(f"after {part:.0%} of the steps: {share:.2f} of the highest rate")
# -> after 25% of the steps: 1.00 of the highest rate
#    after 50% of the steps: 0.67 of the highest rate
#    after 100% of the steps: 0.00 of the highest rate

# A scheduler sets the learning rate of an optimizer. This one multiplies the highest
# rate by what our function returns. Its step() is called after each batch, and counts.
scheduler = optim.lr_scheduler.LambdaLR(optimizer, share_of_highest_rate)

# %% bfloat16 has half the bits of float32, and some devices compute twice as fast with it
# A bfloat16 number is exact to only two or three decimal digits. That is enough for most
# layers. The weights themselves stay float32. torch.autocast makes an object, and inside
# `with autocast:` (in the next cell) PyTorch computes convolutions and linear layers in
# bfloat16. Many processors compute bfloat16 no faster. For these, `enabled` is False here,
# and all is computed in float32.
use_bfloat16 = has_bfloat16(device)
autocast = torch.autocast(device.type, torch.bfloat16, enabled=use_bfloat16)
print("computes in bfloat16:", use_bfloat16)
# -> computes in bfloat16: ...


# %% One epoch of training goes through the training pictures once
# In training, if the last batch would not be full, its pictures are left out. In the next
# epoch the order is another one, so other pictures are left out.
def train_epoch(network, batches, optimizer, scheduler):
    """Trains for one epoch. Returns the mean loss and the accuracy."""
    network.train()
    # A GPU works in the background, and Python goes on meanwhile. But item() needs the
    # finished number, so Python waits. To wait only once, we add up on the device, and call
    # item() at the end of the epoch.
    loss_sum = torch.tensor(0.0, device=device)
    correct = torch.tensor(0, device=device)
    count = 0
    # tqdm shows a progress bar. leave=False removes it at the end. disable=None: no bar where
    # there is no terminal, as when the output goes to a file.
    for pictures, targets in tqdm(batches, "training", disable=None, leave=False):
        # Batches has them on the device already. A DataLoader has not.
        pictures, targets = pictures.to(device), targets.to(device)

        with autocast:
            scores = network(pictures)    # (N, 3, 32, 32) or (N, 3, 24, 24) -> (N, 10)
        scores = scores.float()           # back to float32, for the loss
        loss = loss_function(scores, targets)

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()

        # detach() gives the loss without the notes of how it was calculated. It is the mean
        # over the batch: multiplied by the number of pictures, it becomes the sum.
        loss_sum += loss.detach() * len(targets)
        correct += (scores.argmax(dim=1) == targets).sum()
        count += len(targets)
    return loss_sum.item() / count, correct.item() / count


# %% Testing has no zero_grad, backward or step
# It computes the loss and the accuracy from the scores of all pictures, at the end. It also
# returns these scores, because the last cells need them.
def evaluate(network, batches):
    """Returns the mean loss, the accuracy, and the scores of all pictures, (N, 10)."""
    network.eval()
    all_scores, all_targets = [], []
    with torch.inference_mode():
        for pictures, targets in tqdm(batches, "testing", disable=None, leave=False):
            with autocast:
                scores = network(pictures.to(device))
            all_scores.append(scores.float())
            all_targets.append(targets.to(device))
    scores, targets = torch.cat(all_scores), torch.cat(all_targets)    # (N, 10), (N,)
    correct = (scores.argmax(dim=1) == targets).sum().item()
    return loss_function(scores, targets).item(), correct / len(targets), scores


# %% A checkpoint holds all that it takes to go on
# The weights are not enough. The optimizer remembers its momentum, and the scheduler its
# step. So after each epoch, the next cell saves all of them in
# models/12_train_gpu/<run>/checkpoint.pt, over the checkpoint of the epoch before.
#
# checkpoint.restore puts them back: it calls the load_state_dict (lesson 11) of the network,
# of the optimizer and of the scheduler, and returns how many epochs are done. A run must
# also go on with the pictures that it began with. checkpoint.describe makes a short text of
# the pictures, a fingerprint. If it is not the one in the checkpoint, restore raises an error.
first_epoch = 0
data = checkpoint.describe(train_data, test_data)
if saved:
    parts = {"network": network, "optimizer": optimizer, "scheduler": scheduler}
    first_epoch = checkpoint.restore(parts, saved, data, epochs)
    run = LOGS / "12_train_gpu" / folder.name
    print("going on with the run", folder.name, "after epoch", first_epoch)
else:
    run = new_run(__file__, drawn=train_data.drawn)
    folder = models_folder(run)
# While this program runs, `lock` keeps other programs from training the same run.
lock = checkpoint.lock(folder)

# %% Train and test in turn
# In the first epochs you may see three odd things:
#
# - The test loss goes up and down. The weights change so fast that BatchNorm's running
#   values lag behind. Also, the running values come from small pictures, but the test
#   pictures are whole.
# - The test accuracy is better than the training accuracy, which is measured while the
#   network still learns, and on pictures that are moved and small.
# - The test accuracy is better, and yet the test loss is worse: a few wrong predictions with
#   high confidence make the mean loss large.
#
# When the pictures become whole, in the middle of the run, both accuracies may jump. The
# training accuracy jumps because the network now sees the whole of each picture. The test
# accuracy jumps because training and test pictures now have the same size.
#
# Two writers in two folders are two runs in TensorBoard, with a colour each.
#
# Suppose a run is stopped in its fifth epoch, after the points for TensorBoard are written
# and before the checkpoint is saved. The checkpoint then says that 4 epochs are done, so
# first_epoch is 4. The resumed run trains the fifth epoch again, and writes its points
# again, at step 5. purge_step = 4 + 1 tells TensorBoard to forget the old points from there on.
training = SummaryWriter(run / "training", purge_step=first_epoch + 1)
testing = SummaryWriter(run / "testing", purge_step=first_epoch + 1)
if first_epoch == 0:
    # get_last_lr gives a list: a rate for each group of parameters. Here they are the same.
    training.add_scalar("12 learning rate/after each epoch", scheduler.get_last_lr()[0], 0)
total_train_step = first_epoch * len(train_batches)    # steps of the optimizer so far
for epoch in range(first_epoch, epochs):
    started = time.perf_counter()
    train_batches.set_epoch(epoch)    # decides the order, moves and size of the pictures
    torch.manual_seed(SEED + epoch)   # Dropout draws the same numbers in a resumed run
    train_loss, train_accuracy = train_epoch(network, train_batches, optimizer, scheduler)
    seconds_of_training = time.perf_counter() - started
    if not math.isfinite(train_loss):
        raise LessonError("the loss is no longer a number: the learning rate is too high.\n"
                          "Lower LEARNING_RATE, and start a new run.")
    test_loss, test_accuracy, _ = evaluate(network, test_batches)

    total_train_step += len(train_batches)
    total_test_step = epoch + 1    # counted from 1: one test after each epoch
    training.add_scalar("12 curves/loss", train_loss, total_test_step)
    testing.add_scalar("12 curves/loss", test_loss, total_test_step)
    training.add_scalar("12 curves/accuracy", train_accuracy, total_test_step)
    testing.add_scalar("12 curves/accuracy", test_accuracy, total_test_step)
    rate = scheduler.get_last_lr()[0]
    training.add_scalar("12 learning rate/after each epoch", rate, total_test_step)
    training.flush()
    testing.flush()

    # checkpoint.save is torch.save that writes a whole file or none, even if the power fails.
    checkpoint.save({
        "epoch": epoch + 1,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "data": data,
        "settings": settings,
    }, folder)
    seconds = time.perf_counter() - started
    print(f"epoch {epoch + 1:2}/{epochs} ({seconds:.0f} s, {total_train_step} steps so far)  "
          f"training: loss {train_loss:.3f}, accuracy {train_accuracy:.3f}  "
          f"testing: loss {test_loss:.3f}, accuracy {test_accuracy:.3f}")
    if epoch == 0 and epochs > 1:
        seconds_of_testing = seconds - seconds_of_training
        as_this_one = epochs    # how many epochs like the first one the training takes
        if small_epochs:        # whole pictures take about 1.8 times as long as small ones
            as_this_one = small_epochs + 1.8 * (epochs - small_epochs)
        minutes = (as_this_one * seconds_of_training + epochs * seconds_of_testing) / 60
        print(f"{epochs} epochs will take about {minutes:.1f} minutes on this machine")
        if minutes > 10:
            fifth = len(train_data) // 5
            print(f"Too long? Stop with Ctrl-C. A fifth of the pictures: --limit {fifth}")
training.close()
testing.close()

# %% The weights of the last epoch are kept, not those of the best one
# If you choose the epoch with the best test accuracy, the test pictures help to make the
# network, and no longer test it fairly: the accuracy looks better than it is. (To choose, you
# need a third set of pictures, a validation set: lesson 10.)
#
# The cells below need the scores of all test pictures. evaluate returns them, but the loop
# has thrown them away. So test once more. (A run may also be stopped after its last epoch.
# When it is resumed, there is nothing to do in the loop.)
_, accuracy, scores = evaluate(network, test_batches)

# %% Some classes are harder than others
scores = scores.cpu()
targets = torch.tensor(test_data.targets)
predicted = scores.argmax(dim=1)    # (N, 10) -> (N,)
print("test accuracy of each class:")
# -> test accuracy of each class:
for number, name in enumerate(test_data.classes):
    of_this_class = targets == number
    share = (predicted[of_this_class] == number).float().mean().item()
    print(f"  {name:10} {share:6.1%}")
# ->   airplane   ...%

# %% The worst mistakes are those in which the network was confident
# Confidence is the probability that Softmax gives to the prediction.
confidence = scores.softmax(dim=1).max(dim=1).values    # max gives values and their indices
wrong = torch.nonzero(predicted != targets).flatten()    # which pictures: 4, 17, 21, ...
order = confidence[wrong].argsort(descending=True)       # places in `wrong`, surest first
print("the most confident mistakes:")
# -> the most confident mistakes:
for index in wrong[order][:3].tolist():
    prediction = test_data.classes[predicted[index]]
    right_class = test_data.classes[targets[index]]
    print(f"  test picture {index}, {right_class}: the network predicts {prediction}, "
          f"with a confidence of {confidence[index]:.0%}")
# ->   test picture ..., ...: the network predicts ..., with a confidence of ...%

# %% TensorBoard shows the pictures, and what the network confuses
first_pictures = torch.from_numpy(train_data.data[:32]).permute(0, 3, 1, 2)
train_batches.set_epoch(epochs - 1)
batch, _ = next(iter(train_batches))    # the first batch of the last epoch
mean = torch.tensor(CIFAR10_MEAN_STD[0]).reshape(3, 1, 1)    # one number for each channel
std = torch.tensor(CIFAR10_MEAN_STD[1]).reshape(3, 1, 1)
batch = (batch[:32].cpu() * std + mean).clamp(0, 1)    # undoes the normalisation
confusion = draw_confusion(targets, predicted, test_data.classes)
sheet = draw_mistakes(test_data.data, targets, scores, test_data.classes)

with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    writer.add_images("12 pictures/1 training pictures", enlarge(first_pictures))
    writer.add_images("12 pictures/2 a batch, moved and mirrored", enlarge(batch))
    writer.add_image("12 pictures/3 confusion matrix", confusion, dataformats="HWC")
    writer.add_image("12 pictures/4 most confident mistakes", sheet, dataformats="HWC")

# %% The weights are saved last, because weights.pt says that the run is finished
# save_whole, too, is torch.save that writes a whole file or none. It gets only the
# state_dict (lesson 11). BatchNorm's running values are in that, too.
checkpoint.save_whole(network.state_dict(), folder / "weights.pt")

# map_location="cpu" loads weights on a machine without a GPU, wherever they were trained.
state = torch.load(folder / "weights.pt", map_location="cpu", weights_only=True)
again = CIFAR10NetSimpleV3(classes=10)    # no matter which dropout: testing uses none
again.load_state_dict(state)
again.to(device)
_, accuracy_again, _ = evaluate(again, test_batches)
print("the loaded network has the same test accuracy:", accuracy_again == accuracy)
# -> the loaded network has the same test accuracy: True

print_where_to_look(run, LOOK_AT)
print(f"\n{epochs} epochs of {len(train_data):,} pictures on {device}, weights in {folder}:"
      f" test accuracy {accuracy:.4f} ({train_data.source})")

# %% A shorter program of your own
# You can write such a program yourself, without shared.training: with a DataLoader (lesson
# 2), transforms (4), SGD (10) and torch.save (11). Only the pictures and the network are
# those of `shared`. It has no scheduler, no Muon, no small pictures and no bfloat16. So after
# eight epochs of CIFAR-10 its test accuracy was 83 %, not 89 %, and it took three times as
# long (one run, on one core of a processor with bfloat16). To go on from its checkpoint.pt,
# load the file, and call load_state_dict of the network and of the optimizer.
#
#     import torch
#     from torch import nn, optim
#     from torch.utils.data import DataLoader
#     from torchvision.transforms import v2
#     from shared.datasets import cifar10
#     from shared.networks import CIFAR10NetSimpleV3
#
#     device = torch.accelerator.current_accelerator(check_available=True) or "cpu"
#     for_testing = v2.Compose([
#         v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
#         v2.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))])
#     for_training = v2.Compose([
#         v2.RandomCrop(32, padding=1), v2.RandomHorizontalFlip(), for_testing])
#     loader = DataLoader(cifar10(True, for_training), batch_size=128, shuffle=True)
#     test_loader = DataLoader(cifar10(False, for_testing), batch_size=500)
#     network = CIFAR10NetSimpleV3(dropout=0.0).to(device)
#     optimizer = optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
#     for epoch in range(8):
#         network.train()
#         for pictures, targets in loader:
#             pictures, targets = pictures.to(device), targets.to(device)
#             loss = nn.functional.cross_entropy(network(pictures), targets)
#             optimizer.zero_grad()
#             loss.backward()
#             optimizer.step()
#         network.eval()
#         correct = 0
#         with torch.inference_mode():
#             for pictures, targets in test_loader:
#                 predicted = network(pictures.to(device)).argmax(dim=1)
#                 correct += (predicted == targets.to(device)).sum().item()
#         print(f"epoch {epoch + 1}: test accuracy {correct / len(test_loader.dataset):.3f}")
#         torch.save({"epoch": epoch + 1, "network": network.state_dict(),
#                     "optimizer": optimizer.state_dict()}, "checkpoint.pt")

# Try next:
# - Set `DROPOUT = 0.4`, as the tutorial has it. Are eight epochs enough for that?
# - Set `LEARNING_RATE = 1.0`. What does the loss do in the first epochs?
# - Set `SMALL_SHARE = 0`, then 1. How do the time and the accuracy change?
