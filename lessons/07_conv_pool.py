"""07. Convolution and pooling layers look at a picture through a small window

A convolution layer multiplies the pixels in a small window by weights, which are
numbers that training will find, and adds up. A pooling layer keeps one number of each
window, for example the largest. Networks for pictures are built around these two kinds
of layers.

You calculate both by hand first. Then you let PyTorch do it, check that the results are
equal, and see in TensorBoard what the layers make of real pictures.

It takes about 5 seconds.

    python lessons/07_conv_pool.py              runs it
    tensorboard --logdir logs/07_conv_pool      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2

from shared.datasets import cifar10, enlarge
from shared.paths import new_run, print_where_to_look

SEED = 1259           # the same kernels in each run. With this seed, the six kernels
                      # differ clearly from each other.
PICTURES_SHOWN = 8    # in each step: add_images puts 8 pictures into a row
STEPS_SHOWN = 4       # of each slider

LOOK_AT = """
- Images tab. On the left, tick "Show actual image size". Then open the group
  "7 convolution". Its first card shows the six kernels: 3x3 squares each, in random
  colours.
- In its second card, row 1 has pictures, row 2 their feature maps of kernel 1, row 3
  those of kernel 2, and so on. The slider shows other pictures. For two kernels, bright
  and dark have changed places. For two others, the maps show almost only edges. Which
  kernels are these? Compare the six sums that the lesson printed.
- Open the group "7 pooling". Row 1 has the pictures. Rows 2 and 3 have a quarter of the
  pixels: the largest and the mean number of each 2x2 window. Which of the two rows is
  brighter? Row 4 has each largest number in its old place. What is black there? Why are
  there red, green and blue dots?
"""

# %% The result has one number for each window
# In lesson 6 a kernel moved over a picture, and each window gave one number. How many
# numbers come out?
#
# Here is one row of 7 pixels. A kernel of 3 pixels moves over it, 1 pixel at a time:
#
#     the pixels    0  1  2  3  4  5  6
#     window 1      0  1  2
#     window 2         1  2  3
#     window 3            2  3  4
#     window 4               3  4  5
#     window 5                  4  5  6
#
# These are 5 windows, so the result has 5 numbers.
#
# With a stride of 2, only windows 1, 3 and 5 are used, so the result has 3 numbers:
pixels = torch.arange(7)
for stride in (1, 2):
    windows = []
    for start in range(0, 5, stride):    # 4 is the last start: pixels 4, 5, 6
        windows.append(pixels[start : start + 3].tolist())
    print(f"stride {stride}: {len(windows)} windows, {windows}")
# -> stride 1: 5 windows, [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]]
#    stride 2: 3 windows, [[0, 1, 2], [2, 3, 4], [4, 5, 6]]

# %% A formula counts the windows
# The first window covers 3 of the 7 pixels. After it, 4 pixels remain. Each further
# window moves on by the stride: 4 // 1 = 4 further windows, or 4 // 2 = 2. With the first
# window, these are 5 or 3.
print("windows with stride 1:", (7 - 3) // 1 + 1)
# -> windows with stride 1: 5
print("windows with stride 2:", (7 - 3) // 2 + 1)
# -> windows with stride 2: 3

# Two more settings change the numbers in this formula:
# - padding adds pixels on both sides. With padding=1, the 7 pixels become 9.
# - dilation is the distance between the pixels of a window, usually 1. With dilation=2,
#   the first window has the pixels 0, 2 and 4. So it reaches over 5 pixels.


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """The number of windows along one side of a picture."""
    reach = dilation * (kernel_size - 1) + 1    # from a window's first pixel to its last
    remaining = size + 2 * padding - reach      # pixels after the first window
    return remaining // stride + 1


# Use it once for the height and once for the width. Here both are 32.
black = torch.zeros(1, 1, 32, 32)    # (pictures in the batch, channels, height, width)

layer = nn.Conv2d(1, 1, kernel_size=5, stride=2, padding=2)
print("convolution, stride 2, formula:", output_size(32, 5, stride=2, padding=2))
# -> convolution, stride 2, formula: 16
print("convolution, stride 2, PyTorch:", tuple(layer(black).shape))
# -> convolution, stride 2, PyTorch: (1, 1, 16, 16)

layer = nn.Conv2d(1, 1, kernel_size=3, dilation=2)
print("convolution, dilation 2, formula:", output_size(32, 3, dilation=2))
# -> convolution, dilation 2, formula: 28
print("convolution, dilation 2, PyTorch:", tuple(layer(black).shape))
# -> convolution, dilation 2, PyTorch: (1, 1, 28, 28)

layer = nn.MaxPool2d(kernel_size=3, stride=2)    # pooling, below, has windows as well
print("pooling, stride 2, formula:", output_size(32, 3, stride=2))
# -> pooling, stride 2, formula: 15
print("pooling, stride 2, PyTorch:", tuple(layer(black).shape))
# -> pooling, stride 2, PyTorch: (1, 1, 15, 15)

# %% nn.Conv2d is a layer that keeps its kernels
# Its arguments:
# - in_channels: the channels of the input. A colour picture has 3 (red, green, blue).
# - out_channels: the number of kernels. Each kernel makes one channel of the result.
# - kernel_size: 3 for a kernel of 3x3, or a pair (height, width).
# - stride: from one window to the next, by default 1. Or a pair (vertical, horizontal).
# - padding: pixels that are added on each side, by default 0. Or a pair, as for stride.
# - dilation: the distance between the pixels of a window, by default 1. Or a pair.
# - groups: splits the channels into groups that do not mix, by default 1 (see below).
# - bias: by default True. Then each kernel adds one number, its bias, to its results.
# - padding_mode: which numbers the padding consists of, by default zeros (see below).
torch.manual_seed(SEED)
conv = nn.Conv2d(in_channels=3, out_channels=6, kernel_size=3, stride=1, padding=0)
print("the layer:", conv)
# -> the layer: Conv2d(3, 6, kernel_size=(3, 3), stride=(1, 1))
# Conv2d prints padding and the arguments after it only if they are not the default.

# A kernel has as many channels as the input. These six kernels have 3 channels, and in
# each channel 3x3 weights.
print("weight, (kernels, channels, height, width):", tuple(conv.weight.shape))
# -> weight, (kernels, channels, height, width): (6, 3, 3, 3)
print("bias, one number for each kernel:", tuple(conv.bias.shape))
# -> bias, one number for each kernel: (6,)

# Each kernel makes one feature map.
noise = torch.rand(1, 3, 32, 32)    # a batch of one picture, of random colours
maps = conv(noise)                  # (1, 3, 32, 32) -> (1, 6, 30, 30)
print("six feature maps:", tuple(maps.shape))
# -> six feature maps: (1, 6, 30, 30)

# By hand, the first number of the first map: multiply, add up, and add the bias. (Here
# torch.allclose compares, because sums in another order can be rounded differently.)
window = noise[0, :, 0:3, 0:3]    # the window in the top left corner: (3, 3, 3)
by_hand = (window * conv.weight[0]).sum() + conv.bias[0]
same = torch.allclose(by_hand, maps[0, 0, 0, 0])
print("one window of the convolution, by hand equals PyTorch:", same)
# -> one window of the convolution, by hand equals PyTorch: True

# F.conv2d of lesson 6 does the same. The difference: the layer keeps weight and bias.
same = torch.equal(F.conv2d(noise, conv.weight, conv.bias), maps)
print("F.conv2d equals the layer:", same)
# -> F.conv2d equals the layer: True

# %% A pair of numbers is (vertical, horizontal)
layer = nn.Conv2d(1, 1, kernel_size=(3, 5), stride=(1, 2))
height = output_size(32, 3, stride=1)
print("kernel (3, 5), stride (1, 2), height by the formula:", height)
# -> kernel (3, 5), stride (1, 2), height by the formula: 30
width = output_size(32, 5, stride=2)
print("kernel (3, 5), stride (1, 2), width by the formula:", width)
# -> kernel (3, 5), stride (1, 2), width by the formula: 14
maps = layer(black)    # (1, 1, 32, 32) -> (1, 1, 30, 14)
print("kernel (3, 5), stride (1, 2), PyTorch:", tuple(maps.shape))
# -> kernel (3, 5), stride (1, 2), PyTorch: (1, 1, 30, 14)

# %% padding_mode chooses the numbers of the padding
# A kernel of one pixel, with the weight 1, changes nothing. So its result shows the
# padding. The picture is one row, with two pixels of padding on the left and two on the
# right.
pixels = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 1, 4)
print("the pixels:", pixels.int().flatten().tolist())
# -> the pixels: [1, 2, 3, 4]
for mode in ("zeros", "reflect", "replicate", "circular"):
    layer = nn.Conv2d(1, 1, 1, padding=(0, 2), padding_mode=mode, bias=False)
    layer.weight = nn.Parameter(torch.ones(1, 1, 1, 1))
    padded = layer(pixels)    # (1, 1, 1, 4) -> (1, 1, 1, 8)
    print(f"padding_mode {mode}:", padded.int().flatten().tolist())
# -> padding_mode zeros: [0, 0, 1, 2, 3, 4, 0, 0]
#    padding_mode reflect: [3, 2, 1, 2, 3, 4, 3, 2]
#    padding_mode replicate: [1, 1, 1, 2, 3, 4, 4, 4]
#    padding_mode circular: [3, 4, 1, 2, 3, 4, 1, 2]

# "reflect" mirrors the row at its first and its last pixel, and does not repeat them.
# "replicate" repeats these two, and "circular" takes the pixels from the row's other end.

# %% groups=3 gives each colour a kernel of its own
together = nn.Conv2d(3, 3, kernel_size=3, bias=False)
apart = nn.Conv2d(3, 3, kernel_size=3, bias=False, groups=3)

# The shape of a weight is (out_channels, in_channels / groups, height, width).
print("groups=1, weight:", tuple(together.weight.shape))
# -> groups=1, weight: (3, 3, 3, 3)
print("groups=3, weight:", tuple(apart.weight.shape))
# -> groups=3, weight: (3, 1, 3, 3)

# numel says how many numbers a tensor has.
print("groups=1, weights to learn:", together.weight.numel())
# -> groups=1, weights to learn: 81
print("groups=3, weights to learn:", apart.weight.numel())
# -> groups=3, weights to learn: 27

# With groups=3, the first kernel sees only the first channel, red. So its map stays the
# same when the two other channels change.
only_red = noise.clone()
only_red[:, 1:3] = 0    # no green, no blue
same = torch.equal(together(noise)[0, 0], together(only_red)[0, 0])
print("groups=1: the first map is the same without green and blue:", same)
# -> groups=1: the first map is the same without green and blue: False
same = torch.equal(apart(noise)[0, 0], apart(only_red)[0, 0])
print("groups=3: the first map is the same without green and blue:", same)
# -> groups=3: the first map is the same without green and blue: True

# With groups, a layer has less to learn and to compute. Networks for phones use them.
# These lessons do not need them again.

# %% A new kernel is random, until training changes it
# Nobody writes the numbers of a kernel. They start at random, and training (lesson 10)
# changes them step by step. The first numbers do not depend on the pictures.
#
# A kernel covers 3 * 3 * 3 values here. This number is called the fan-in. PyTorch chooses
# each weight at random between -bound and bound, all numbers equally likely, and bound is
# 1 / sqrt(fan_in). The more values a kernel adds up, the smaller its weights start. (Else a
# kernel with many weights would give much larger numbers than one with few.)
fan_in = 3 * 3 * 3    # channels x height x width of a kernel
bound = 1 / math.sqrt(fan_in)
print(f"bound of the weights: {bound:.4f}")
# -> bound of the weights: 0.1925
print(f"smallest weight: {conv.weight.min():.4f}, largest: {conv.weight.max():.4f}")
# -> smallest weight: -0.1924, largest: 0.1922

# The sum of a kernel's weights says what the kernel makes of an even area, where all
# pixels are the same grey. The result is this sum times the brightness (plus the bias).
# An example: with the weights 1, -2 and 0, whose sum is -1, three pixels of 0.5 give
# 0.5 - 1 + 0 = -0.5.
# - The sum is far above 0: bright areas give large numbers, and the feature map is bright
#   there.
# - The sum is far below 0: bright areas give numbers far below 0, and the feature map is
#   dark there.
# - The sum is near 0, say between -0.25 and 0.25: bright and dark areas give nearly the
#   same number. Only edges stand out.
for number, kernel in enumerate(conv.weight, start=1):
    print(f"kernel {number}: the sum of its weights is {kernel.sum():5.2f}")
# -> kernel 1: the sum of its weights is -0.20
#    kernel 2: the sum of its weights is -0.78
#    kernel 3: the sum of its weights is  0.05
#    kernel 4: the sum of its weights is -1.25
#    kernel 5: the sum of its weights is  1.34
#    kernel 6: the sum of its weights is  0.38

# %% A number of the second layer depends on more pixels
# Take a part of a picture that is just large enough for two layers. Then each kernel of
# the second layer gives one number.
part = torch.rand(1, 3, 5, 5)
first = nn.Conv2d(3, 6, kernel_size=3)
second = nn.Conv2d(6, 12, kernel_size=3)    # takes the six feature maps of the first
maps = first(part)            # (1, 3, 5, 5) -> (1, 6, 3, 3)
print("after the first layer:", tuple(maps.shape))
# -> after the first layer: (1, 6, 3, 3)
deeper_maps = second(maps)    # (1, 6, 3, 3) -> (1, 12, 1, 1)
print("after the second layer:", tuple(deeper_maps.shape))
# -> after the second layer: (1, 12, 1, 1)

# So a number after the first layer depends on 3x3 pixels, and a number after the second
# layer on 5x5 pixels. This is one reason why deeper layers can find more complex
# features (lesson 6): the first layer an edge, a later one a wheel, the next one a car.

# %% Max pooling keeps the largest number of each window
picture = torch.tensor([[1.0, 2.0, 1.0, 0.0],
                        [0.0, 1.0, 2.0, 3.0],
                        [3.0, 0.0, 1.0, 2.0],
                        [2.0, 4.0, 0.0, 1.0]])

# By hand: four windows of 2x2 numbers, side by side.
by_hand = torch.zeros(2, 2)
for row in range(2):
    for column in range(2):
        window = picture[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]    # (2, 2)
        by_hand[row, column] = window.max()
print("max pooling by hand:", by_hand.tolist())
# -> max pooling by hand: [[2.0, 3.0], [4.0, 2.0]]

pool = nn.MaxPool2d(kernel_size=2)
print("the layer:", pool)    # the stride is the kernel_size, so windows do not overlap
# -> the layer: MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)

picture = picture.reshape(1, 1, 4, 4)    # (batch, channels, height, width)
same = torch.equal(pool(picture)[0, 0], by_hand)
print("max pooling by hand equals PyTorch:", same)
# -> max pooling by hand equals PyTorch: True

# A convolution adds up over all channels. Pooling does not: it works in each channel by
# itself, so the number of channels stays the same.
pooled = pool(noise)    # (1, 3, 32, 32) -> (1, 3, 16, 16)
print("three channels, after pooling:", tuple(pooled.shape))
# -> three channels, after pooling: (1, 3, 16, 16)

# %% After pooling there is less to compute, and a feature may move a little
# A pooling layer has no weights, so it has nothing to learn. It is useful in two ways.
# First, the layers after it have only a quarter of the numbers to work on:
print("numbers before pooling:", noise.numel(), "after:", pooled.numel())
# -> numbers before pooling: 3072 after: 768

# Second, the exact place of a feature often does not matter. In a row of four pixels, a
# bright pixel moves one pixel to the right. If it stays in its window, the result stays
# the same. If it moves into the next window, the result changes.
pool_row = nn.MaxPool2d(kernel_size=(1, 2))    # windows of 1x2 pixels
for place in range(3):
    pixels = torch.zeros(1, 1, 1, 4)
    pixels[0, 0, 0, place] = 1
    pooled = pool_row(pixels)    # (1, 1, 1, 4) -> (1, 1, 1, 2)
    print(f"bright pixel {place}, after pooling:", pooled.flatten().tolist())
# -> bright pixel 0, after pooling: [1.0, 0.0]
#    bright pixel 1, after pooling: [1.0, 0.0]
#    bright pixel 2, after pooling: [0.0, 1.0]

# %% nn.MaxPool2d has arguments like those of nn.Conv2d
# - kernel_size: 2 for a window of 2x2, or a pair (height, width).
# - stride: from one window to the next. By default it is kernel_size, not 1.
# - padding: pixels that are added on each side, at most half of kernel_size. They are
#   minus infinity, not 0, so they are never the largest.
# - dilation: the distance between the pixels of a window, by default 1.
# - return_indices: by default False. With True, it also says where each maximum was.
# - ceil_mode: by default False. With True, windows may be partly outside (see below).
#
# An example of padding: a picture of 2x2 pixels, all of them -5. With a border of 1 it
# becomes 4x4, so there are four windows. In each are one pixel of -5 and three of the
# border. If the border were 0, each maximum would be 0.
negative = torch.full((1, 1, 2, 2), -5.0)
pooled = nn.MaxPool2d(2, padding=1)(negative)    # (1, 1, 2, 2) -> (1, 1, 2, 2)
print("all pixels -5, padding=1:", pooled.flatten().tolist())    # no 0
# -> all pixels -5, padding=1: [-5.0, -5.0, -5.0, -5.0]

spread = nn.MaxPool2d(2, stride=1, dilation=2)
pooled = spread(picture)    # (1, 1, 4, 4) -> (1, 1, 2, 2)
print("max pooling with dilation=2:", pooled.flatten().tolist())
# -> max pooling with dilation=2: [3.0, 2.0, 2.0, 4.0]
# The first window has the pixels 0 and 2 of the rows 0 and 2. They are 1, 1 and 3, 1.

# %% ceil_mode also uses windows that are partly outside
# A row of 5 pixels, and windows of 2: pixels 0 and 1, then pixels 2 and 3. Pixel 4 is
# alone, and is left out. With ceil_mode=True, it makes a window of its own.
pixels = torch.arange(5.0).reshape(1, 1, 1, 5)
pooled = nn.MaxPool2d((1, 2))(pixels)
print("5 pixels, without ceil_mode:", pooled.flatten().tolist())
# -> 5 pixels, without ceil_mode: [1.0, 3.0]
pooled = nn.MaxPool2d((1, 2), ceil_mode=True)(pixels)
print("5 pixels, with ceil_mode:", pooled.flatten().tolist())
# -> 5 pixels, with ceil_mode: [1.0, 3.0, 4.0]

# In the formula: after the first window, 5 - 2 pixels remain. This is enough for 1.5
# further windows. By default PyTorch rounds down (floor), with ceil_mode up (ceil).
further = (5 - 2) / 2
print("5 pixels, formula rounded down:", 1 + math.floor(further), "windows")
# -> 5 pixels, formula rounded down: 2 windows
print("5 pixels, formula rounded up:", 1 + math.ceil(further), "windows")
# -> 5 pixels, formula rounded up: 3 windows

# There is one exception, which is rare. PyTorch leaves out a window that would start after
# the last pixel. An example: 3 pixels, windows of 2, stride 3. The first window has the
# pixels 0 and 1. The second one would start at pixel 3, which does not exist.
pixels = torch.arange(3.0).reshape(1, 1, 1, 3)
print("3 pixels, formula rounded up:", 1 + math.ceil((3 - 2) / 3), "windows")
# -> 3 pixels, formula rounded up: 2 windows
layer = nn.MaxPool2d((1, 2), stride=(1, 3), ceil_mode=True)
print("3 pixels, PyTorch with ceil_mode:", layer(pixels).numel(), "window")
# -> 3 pixels, PyTorch with ceil_mode: 1 window

# %% return_indices tells where each maximum was
# Some networks make small maps large again, for example to say of each pixel what it
# shows. They can use these places. The other lessons do not need it.
pool_and_tell = nn.MaxPool2d(2, return_indices=True)
pooled, indices = pool_and_tell(picture)
print("return_indices, the largest numbers:", pooled.flatten().tolist())
# -> return_indices, the largest numbers: [2.0, 3.0, 4.0, 2.0]

# The places are counted row by row: 0 to 3 in row 0, 4 to 7 in row 1, and so on.
print("return_indices, their places:", indices.flatten().tolist())
# -> return_indices, their places: [1, 7, 13, 11]

# nn.MaxUnpool2d puts them back into these places. All other numbers are lost: there
# it writes 0.
put_back = nn.MaxUnpool2d(2)
print("put back by MaxUnpool2d:", put_back(pooled, indices))    # again (1, 1, 4, 4)
# -> put back by MaxUnpool2d: tensor([[[[0., 2., 0., 0.],
#              [0., 0., 0., 3.],
#              [0., 0., 0., 2.],
#              [0., 4., 0., 0.]]]])

# %% Average pooling keeps the mean of each window
average = nn.AvgPool2d(kernel_size=2)
print("mean of the first window, by hand:", (1 + 2 + 0 + 1) / 4)
# -> mean of the first window, by hand: 1.0
print("means of the four windows, PyTorch:", average(picture).flatten().tolist())
# -> means of the four windows, PyTorch: [1.0, 1.5, 2.25, 1.0]

# With the maximum, a thin bright line stays bright. With the mean, it becomes darker.
line = torch.zeros(1, 1, 4, 4)
line[:, :, :, 1] = 1    # a vertical line, in the second column
print("a row of the line:", line[0, 0, 0].tolist())
# -> a row of the line: [0.0, 1.0, 0.0, 0.0]
print("the same after max pooling:", pool(line)[0, 0, 0].tolist())
# -> the same after max pooling: [1.0, 0.0]
print("the same after average pooling:", average(line)[0, 0, 0].tolist())
# -> the same after average pooling: [0.5, 0.0]

# %% TensorBoard shows what the layers make of real pictures
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
test_data = cifar10(train=False, transform=to_tensor)
loader = DataLoader(test_data, batch_size=PICTURES_SHOWN)


def black_to_white(maps):
    """In each map, the smallest number becomes 0 (black), the largest 1 (white)."""
    # amin with dim=(2, 3) gives the smallest number of each map.
    smallest = maps.amin(dim=(2, 3), keepdim=True)    # (8, 6, 30, 30) -> (8, 6, 1, 1)
    largest = maps.amax(dim=(2, 3), keepdim=True)
    # clamp turns what is below min into min. So we never divide by 0, not even if all numbers
    # of a map are equal.
    span = (largest - smallest).clamp(min=1e-6)
    return (maps - smallest) / span


def rows_of_maps(pictures, maps):
    """A row of pictures and, for each kernel, a row of their feature maps."""
    frame = nn.ConstantPad2d(1, 1.0)    # a white border: (..., 30, 30) -> (..., 32, 32)
    rows = [pictures]
    # torch.cat needs the same number of channels in all. So a map is repeated three times,
    # as red, green and blue, which together are grey.
    for kernel in range(maps.shape[1]):    # 6 kernels
        grey = frame(maps[:, kernel : kernel + 1])    # (8, 6, 30, 30) -> (8, 1, 32, 32)
        rows.append(grey.repeat(1, 3, 1, 1))          # -> (8, 3, 32, 32)
    return torch.cat(rows)    # 7 rows of (8, 3, 32, 32) -> (56, 3, 32, 32)


run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer, torch.no_grad():    # nothing is trained here
    writer.add_text("0 look at", LOOK_AT)

    # A kernel has 3 channels, as a colour picture has. So it can be shown as one.
    kernels = enlarge(conv.weight / (2 * bound) + 0.5, 32)    # -bound...bound -> 0...1
    frame = nn.ConstantPad2d(4, 1.0)    # a white border around each
    writer.add_images("7 convolution/1 the six kernels", frame(kernels))

    for step, (pictures, _) in enumerate(loader):    # pictures: (8, 3, 32, 32)
        if step == STEPS_SHOWN:
            break

        # add_images takes pictures of 1 or 3 channels, not of 6. So each feature map is
        # shown as a grey picture of its own.
        maps = black_to_white(conv(pictures))    # (8, 3, 32, 32) -> (8, 6, 30, 30)
        rows = rows_of_maps(pictures, maps)      # -> (56, 3, 32, 32)
        writer.add_images("7 convolution/2 pictures and feature maps", enlarge(rows), step)

        pooled, indices = pool_and_tell(pictures)    # (8, 3, 32, 32) -> (8, 3, 16, 16)
        rows = torch.cat([
            pictures,
            enlarge(pooled, 2),               # as large as the pictures: (8, 3, 32, 32)
            enlarge(average(pictures), 2),
            put_back(pooled, indices),        # (8, 3, 16, 16) -> (8, 3, 32, 32)
        ])
        tag = "7 pooling/1 pictures, largest, mean, put back"
        writer.add_images(tag, enlarge(rows), step)    # 4 rows of 8 pictures
print_where_to_look(run, LOOK_AT)

# Try next:
# - `print("pooled:", nn.MaxPool2d(2, stride=1)(picture))`: how many numbers come out?
#   Predict it with output_size first.
# - `print("weight:", nn.Conv2d(3, 6, 3, groups=3).weight.shape)`: which shape is it, and
#   why? And what happens with groups=2?
# - `SEED = 26`: which kernel shows almost only edges now? Guess from the sums first.
