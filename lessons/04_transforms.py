"""04. Transforms turn a picture into a tensor, and into other pictures

A network does not compute with a picture. It computes with a tensor, which is
PyTorch's array of numbers. One transform makes a tensor of a picture; lesson 2 used it.
Other transforms cut a picture, change its size, mirror it, or move its numbers into
another range. At the end you see augmentation: transforms that change a picture at
random, so that you get more training pictures out of those that you have.

A transform is an object. You make it once, with its settings, and then call it like a
function: `crop = CenterCrop(100)`, then `crop(picture)`.

torchvision has two generations of transforms. `torchvision.transforms` is the older
one, here called v1. Most tutorials show it, so you should be able to read it.
`torchvision.transforms.v2` is the newer one, and the one to write today. This lesson
shows one beside the other; the lessons after it use v2 alone.

It takes about 5 seconds.

    python lessons/04_transforms.py              runs it
    tensorboard --logdir logs/04_transforms      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import io

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms
from torchvision.transforms import InterpolationMode, v2

from shared.datasets import AntsBees, ants_and_bees, enlarge
from shared.paths import new_run, print_where_to_look

SEED = 4    # where the random numbers begin; any whole number will do

LOOK_AT = """
- Images tab, group "4 transforms": compare 02 and 03 with 01. Which one has the wrong
  colours, and why?
- 08 and 09 are the picture made 30 pixels high, then enlarged, so that you see its
  pixels. In which of them are the edges rougher?
- 11 is after Normalize. Why is it so dark, and why is 12 not?
- Group "4 augmentation", above the other group: the card shows its last step, 4, at
  first. Move the slider to steps 3, 2 and 1. It is the same ant each time. What changes
  from step to step? In which step is the ant mirrored?
"""

# %% A picture's size is (width, height), an array's shape is (height, width, channels)
folder, drawn = ants_and_bees()    # photographs of ants and bees, or drawings of them
ants = AntsBees(folder / "train", "ants")
picture, label = ants[0]

# PIL is the library that opened the picture. Mind the order: the width comes first.
print("type of the picture:", type(picture).__name__)
# -> type of the picture: Image
print("its label:", label)
# -> its label: ants
print("its size, (width, height):", picture.size)
# -> its size, (width, height): (768, 512)

# In an array the height comes first: the rows. The channels come last: red, green and
# blue, each from 0 (dark) to 255 (bright).
array = np.array(picture)
print("shape of the array, (height, width, channels):", array.shape)
# -> shape of the array, (height, width, channels): (512, 768, 3)

# %% ToTensor puts the channels first and divides by 255
# First a picture that fits on paper: one row of two pixels. The left one has 51 of red,
# 102 of green and 255 of blue. The right one is black.
tiny = Image.fromarray(np.array([[[51, 102, 255], [0, 0, 0]]], dtype=np.uint8))

to_tensor_v1 = transforms.ToTensor()    # v1: make the transform ...
tiny_tensor = to_tensor_v1(tiny)        # ... and call it: 1x2 pixels -> (3, 1, 2)
print("red channel, 51/255 and 0/255:", tiny_tensor[0])
# -> red channel, 51/255 and 0/255: tensor([[0.2000, 0.0000]])
print("green channel, 102/255 and 0/255:", tiny_tensor[1])
# -> green channel, 102/255 and 0/255: tensor([[0.4000, 0.0000]])
print("blue channel, 255/255 and 0/255:", tiny_tensor[2])
# -> blue channel, 255/255 and 0/255: tensor([[1., 0.]])

# Now the ant.
tensor = to_tensor_v1(picture)    # width 768, height 512 -> (3, 512, 768)
print("tensor.shape, (channels, height, width):", tensor.shape)
# -> tensor.shape, (channels, height, width): torch.Size([3, 512, 768])
print("type of its numbers:", tensor.dtype)
# -> type of its numbers: torch.float32

# tensor.size() is another way to write tensor.shape. But for a picture it is
# picture.size, without brackets, and the width comes first.
print("tensor.size():", tensor.size(), "and picture.size:", picture.size)
# -> tensor.size(): torch.Size([3, 512, 768]) and picture.size: (768, 512)

# By hand: permute puts dimension 2 (the channels) first, then come dimensions 0 and 1.
# (torch.from_numpy makes a tensor of an array, as torch.tensor in lesson 3 does. But it
# does not copy the numbers: the array and the tensor share them.)
by_hand = torch.from_numpy(array).permute(2, 0, 1)    # (512, 768, 3) -> (3, 512, 768)
by_hand = by_hand / 255
print("by hand equals ToTensor:", torch.equal(by_hand, tensor))
# -> by hand equals ToTensor: True

# %% A tensor can do what an array cannot: remember how it was computed
# An array and a tensor hold the same numbers. Why make a tensor, then? The reason is
# how a network learns: it changes its numbers a little, again and again. For each of
# them it must know whether the answers get better or worse if this number grows. The
# gradient tells it (lesson 10). To find it, PyTorch has to know how the answer was
# computed. Here you only see that a tensor remembers it, if requires_grad=True asks for it.
weight = torch.tensor(3.0, requires_grad=True)    # a number that a network could learn
print("2 times the weight:", 2 * weight)
# -> 2 times the weight: tensor(6., grad_fn=<MulBackward0>)

# grad_fn is that memory. Mul means that this 6 came out of a multiplication. Backward
# means that PyTorch can go back from the 6 to the weight; lesson 10 does so. A NumPy
# array has no such thing. A tensor can also be moved to a GPU (lesson 12).

# %% In v2 there are two steps: ToImage and ToDtype
# The first step makes a tensor. (The Image in ToImage is not PIL's. It is torchvision's
# own kind of tensor, one that holds a picture.)
image = v2.ToImage()(picture)    # width 768, height 512 -> (3, 512, 768)
print("after ToImage:", tuple(image.shape), image.dtype)
# -> after ToImage: (3, 512, 768) torch.uint8

# uint8 are whole numbers of 8 bits: 0 to 255. A network needs floats, so the second
# step makes floats of them. scale=True also divides them by 255; without it, 255 would
# become 255.0.
scaled = v2.ToDtype(torch.float32, scale=True)(image)    # (3, 512, 768), from 0 to 1
print("after ToDtype:", tuple(scaled.shape), scaled.dtype)
# -> after ToDtype: (3, 512, 768) torch.float32

# The two steps chained into one transform. The later lessons write it like this, too.
to_tensor_v2 = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
print("chained equals one after the other:", torch.equal(to_tensor_v2(picture), scaled))
# -> chained equals one after the other: True

# v1 divides by 255, v2 multiplies by 1/255. So the last digit may differ.
#
# abs() drops the sign of each difference, max() takes the largest of them. item() turns
# a tensor that holds one number into a number of Python.
difference = (tensor - scaled).abs().max().item()
print("v1 and v2 differ by less than a millionth:", difference < 0.000001)
# -> v1 and v2 differ by less than a millionth: True

# (There is a v2.ToTensor as well. It prints a warning: write the two steps instead.)

# %% ToTensor divides only whole numbers of 8 bits
# A wrong range gives no error; the network just learns badly. So you need to know which
# numbers are divided. (np.full makes an array in which all numbers are the same. Here
# it has two rows, two columns and one channel.)
whole_numbers = np.full((2, 2, 1), 255, dtype=np.uint8)
floats = np.full((2, 2, 1), 255.0)
print("ToTensor, from a whole 255:", to_tensor_v1(whole_numbers).max().item())
# -> ToTensor, from a whole 255: 1.0
print("ToTensor, from a float 255.0:", to_tensor_v1(floats).max().item())
# -> ToTensor, from a float 255.0: 255.0

# v2's ToDtype(..., scale=True) does not divide floats either.
print("v2, from a float 255.0:", to_tensor_v2(floats).max().item())
# -> v2, from a float 255.0: 255.0

# Most PIL pictures have 8 bits. Some have more, for example X-ray pictures, whose numbers
# can go up to 65,535 (16 bits). If PIL keeps them in a type with more room, of 32 bits
# (mode "I"), ToTensor does not divide them.
many_bits = Image.fromarray(np.full((2, 2), 60_000, dtype=np.int32))
print("ToTensor, from a picture of 32 bits:", to_tensor_v1(many_bits).max().item())
# -> ToTensor, from a picture of 32 bits: 60000

# v2 does not know about the 65,535. It divides by the largest number that the type of 32
# bits can hold, 2,147,483,647. So this bright picture becomes nearly black.
print(f"v2, from a picture of 32 bits: {to_tensor_v2(many_bits).max().item():.6f}")
# -> v2, from a picture of 32 bits: 0.000028

# So divide such pictures yourself, by the largest number that they can have.
divided = to_tensor_v1(many_bits) / 65_535
print(f"ToTensor, then divided by 65535: {divided.max().item():.6f}")
# -> ToTensor, then divided by 65535: 0.915541

# If PIL keeps them in 16 bits (mode "I;16", as it does with PNG files), it is the other way
# round: v2 divides by 65,535, as it should. But ToTensor makes numbers above 32,767
# negative.
sixteen_bits = Image.fromarray(np.full((2, 2), 60_000, dtype=np.uint16))
print(f"v2, from a picture of 16 bits: {to_tensor_v2(sixteen_bits).max().item():.6f}")
print("ToTensor, from a picture of 16 bits:", to_tensor_v1(sixteen_bits).max().item())
# -> v2, from a picture of 16 bits: 0.915541
#    ToTensor, from a picture of 16 bits: -5536

# %% OpenCV reads blue, green, red
# OpenCV (cv2) is another library that reads pictures, and it gives an array. In most
# programs you see cv2.imread(path). It does two things: it reads the bytes of the file,
# then it makes a picture of them. Here they are written out. (Why? On Windows,
# cv2.imread gives None for a path with letters such as 中. These two lines do not.)
file_bytes = np.fromfile(ants.paths[0], dtype=np.uint8)
bgr = cv2.imdecode(file_bytes, cv2.IMREAD_COLOR)
print("OpenCV gives:", type(bgr).__name__, bgr.shape)
# -> OpenCV gives: ndarray (512, 768, 3)

# The shape is that of PIL's array. But blue is the first channel, and red is the last.
# cvtColor changes that.
rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
reversed_channels = bgr[:, :, ::-1]    # all rows, all columns, channels backwards
print("cvtColor only reverses the channels:", np.array_equal(reversed_channels, rgb))
# -> cvtColor only reverses the channels: True

# ToTensor takes an array as well. OpenCV's colours now equal PIL's, except for small
# differences, because the two libraries round in different ways.
from_opencv = to_tensor_v1(rgb)    # (512, 768, 3) -> (3, 512, 768)
difference = (from_opencv - tensor).abs().mean().item()
print("mean difference to PIL below 0.01:", difference < 0.01)
# -> mean difference to PIL below 0.01: True

# %% PIL raises an error for a damaged file, OpenCV may not
# First a file that is no picture. OpenCV gives None, and your program fails later.
text = b"this is no picture"
text_bytes = np.frombuffer(text, dtype=np.uint8)    # the same bytes as an array
print("OpenCV makes of a text:", cv2.imdecode(text_bytes, cv2.IMREAD_COLOR))
# -> OpenCV makes of a text: None
try:
    Image.open(io.BytesIO(text))    # BytesIO makes a file in memory out of bytes
except OSError as error:
    print("PIL's error for a text:", type(error).__name__)
# -> PIL's error for a text: UnidentifiedImageError

# Then the first 10,000 bytes of a JPEG file, as after a broken download. PIL opens it,
# and raises an error when it needs the pixels.
cut_file = ants.paths[0].read_bytes()[:10_000]
try:
    Image.open(io.BytesIO(cut_file)).load()
except OSError as error:
    print("PIL's error for a file cut short:", error)
# -> PIL's error for a file cut short: image file is truncated (... bytes not processed)

# OpenCV 4.10 makes a picture of the part that is there, and gives no warning. Newer
# versions give None.
cut_bytes = np.frombuffer(cut_file, dtype=np.uint8)
cut_picture = cv2.imdecode(cut_bytes, cv2.IMREAD_COLOR)
print(f"OpenCV {cv2.__version__} gives None for a file cut short:", cut_picture is None)
# -> OpenCV ... gives None for a file cut short: ...

# So use PIL for training pictures, as these lessons do. If you use OpenCV, always check
# for None.

# %% A crop cuts out a part: from the center, or from a random place
# Crops and Resize take a PIL picture or a tensor, and give back the same kind.
#
# Again a "picture" that fits on paper: one channel, four rows, four columns. arange(16)
# gives the numbers from 0 to 15, and reshape lays them into these rows.
numbers = torch.arange(16).reshape(1, 4, 4)
print(f"the numbers:\n{numbers[0]}")
# -> the numbers:
#    tensor([[ 0,  1,  2,  3],
#            [ 4,  5,  6,  7],
#            [ 8,  9, 10, 11],
#            [12, 13, 14, 15]])

# One number as the size means a square.
center = v2.CenterCrop(2)(numbers)    # (1, 4, 4) -> (1, 2, 2)
print("CenterCrop(2):", center[0].tolist())
# -> CenterCrop(2): [[5, 6], [9, 10]]

# Two numbers are (height, width), as in a tensor. PIL has it the other way round!
center = v2.CenterCrop((2, 4))(numbers)    # (1, 4, 4) -> (1, 2, 4)
print("CenterCrop((2, 4)):", center[0].tolist())
# -> CenterCrop((2, 4)): [[4, 5, 6, 7], [8, 9, 10, 11]]

# RandomCrop takes its size in the same way: one number, or (height, width). It cuts out
# a part of that size at a random place. For a part of 2x3 there are six places here:
# three from top to bottom, times two from left to right. Each call chooses one anew.
crop = v2.RandomCrop((2, 3))
for _ in range(4):
    print("RandomCrop((2, 3)):", crop(numbers)[0].tolist())
# -> RandomCrop((2, 3)): [[..., ..., ...], [..., ..., ...]]
#    RandomCrop((2, 3)): [[..., ..., ...], [..., ..., ...]]
#    RandomCrop((2, 3)): [[..., ..., ...], [..., ..., ...]]
#    RandomCrop((2, 3)): [[..., ..., ...], [..., ..., ...]]

# %% The same seed gives the same random crop
# A computer's random numbers come one after the other, as from a long fixed list. The
# seed says where in the list to begin (lesson 2).
torch.manual_seed(SEED)
first_crop = crop(numbers)
print("crop after seed 4:", first_crop[0].tolist())
# -> crop after seed 4: [[4, 5, 6], [8, 9, 10]]
torch.manual_seed(SEED)
print("seed 4 again, same crop:", torch.equal(crop(numbers), first_crop))
# -> seed 4 again, same crop: True

# %% Resize computes new pixels from the old ones
# Half the height and half the width: four old pixels for each new one. The default way
# to compute it is called bilinear. It mixes the nearest pixels, two in each direction:
# 0, 1, 4 and 5 become (0 + 1 + 4 + 5) / 4 = 2.5. (antialias is explained below.)
numbers = numbers.float()
bilinear = v2.Resize((2, 2), antialias=False)
resized = bilinear(numbers)    # (1, 4, 4) -> (1, 2, 2)
print("Resize, bilinear:", resized[0].tolist())
# -> Resize, bilinear: [[2.5, 4.5], [10.5, 12.5]]

# The setting `interpolation` chooses another way. NEAREST_EXACT copies one old pixel
# for each new one and ignores the others. Here 5 stands for 0, 1, 4 and 5. (The older
# NEAREST copies one pixel if the picture is a tensor, and a different one if it is a
# PIL picture.)
nearest = v2.Resize((2, 2), interpolation=InterpolationMode.NEAREST_EXACT)
resized = nearest(numbers)    # (1, 4, 4) -> (1, 2, 2)
print("Resize, nearest:", resized[0].tolist())
# -> Resize, nearest: [[5.0, 7.0], [13.0, 15.0]]

# Both can lose thin things, such as an ant's leg. Here is a picture of one row. The leg
# is the fourth pixel; it is bright, the others are dark. (flatten() makes one row of
# all numbers.)
leg = torch.tensor([[[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]])
print("thin leg, eight pixels:", leg.flatten())
# -> thin leg, eight pixels: tensor([0., 0., 0., 1., 0., 0., 0., 0.])

# Now resize it to two pixels. The first new pixel stands for the first four old ones,
# and the leg is one of them. The middle of the four is between the second and the third.
# NEAREST_EXACT copies the one after the middle, the third: the leg is lost.
nearest = v2.Resize((1, 2), interpolation=InterpolationMode.NEAREST_EXACT)
resized = nearest(leg)    # (1, 1, 8) -> (1, 1, 2)
print("thin leg, nearest, two pixels:", resized.flatten())
# -> thin leg, nearest, two pixels: tensor([0., 0.])

# Bilinear mixes the two beside the middle, the second and the third. (There is only one
# row, so these are two pixels, not four.) So it loses the leg, too.
bilinear = v2.Resize((1, 2), antialias=False)
resized = bilinear(leg)    # (1, 1, 8) -> (1, 1, 2)
print("thin leg, bilinear without antialias:", resized.flatten())
# -> thin leg, bilinear without antialias: tensor([0., 0.])

# antialias=True, which is the default, changes that. Now the eight old pixels count that are
# nearest to the middle of the new one, four on each side. The nearer, the more: their shares
# are 1, 3, 5, 7, 7, 5, 3 and 1. For the first new pixel, the first two would lie to the left
# of the row, where there is nothing. So 5, 7, 7, 5, 3 and 1 remain, together 28. The leg is
# the fourth of these: 5 / 28 = 0.1786. For the second new pixel, the last two are missing:
# 1, 3, 5, 7, 7 and 5 remain. There the leg is the second: 3 / 28 = 0.1071. So it gets pale
# and wide, but it stays.
bilinear = v2.Resize((1, 2))
resized = bilinear(leg)    # (1, 1, 8) -> (1, 1, 2)
print("thin leg, bilinear with antialias:", resized.flatten())
# -> thin leg, bilinear with antialias: tensor([0.1786, 0.1071])

# Now resize the ant, which is (3, 512, 768). Two numbers are (height, width). Here the
# width shrinks more than the height, so the ant looks squeezed.
print("Resize((256, 300)):", v2.Resize((256, 300))(tensor).size())
# -> Resize((256, 300)): torch.Size([3, 256, 300])

# One number is the new length of the shorter side. The other side follows, so that the
# ant keeps its form: 768 / 512 * 30 = 45.
print("Resize(30):", v2.Resize(30)(tensor).size())
# -> Resize(30): torch.Size([3, 30, 45])

# %% The other transforms have the same names in v1 and v2, and give the same results
# RandomHorizontalFlip(p) swaps left and right with the probability p. 1 means always.
old = {
    "CenterCrop(100)": transforms.CenterCrop(100),
    "CenterCrop((100, 150))": transforms.CenterCrop((100, 150)),
    "RandomCrop((200, 300))": transforms.RandomCrop((200, 300)),
    "Resize((256, 300))": transforms.Resize((256, 300)),
    "Resize(30)": transforms.Resize(30),
    "RandomHorizontalFlip(1)": transforms.RandomHorizontalFlip(1),
}
new = {
    "CenterCrop(100)": v2.CenterCrop(100),
    "CenterCrop((100, 150))": v2.CenterCrop((100, 150)),
    "RandomCrop((200, 300))": v2.RandomCrop((200, 300)),
    "Resize((256, 300))": v2.Resize((256, 300)),
    "Resize(30)": v2.Resize(30),
    "RandomHorizontalFlip(1)": v2.RandomHorizontalFlip(1),
}
results = {}    # what v2 makes of the ant, for TensorBoard
for name in old:
    # Both get the same seed, so that both random crops are at the same place.
    torch.manual_seed(SEED)
    by_v1 = old[name](tensor)
    torch.manual_seed(SEED)
    by_v2 = new[name](tensor)
    print(f"{name}: {tuple(by_v2.shape)}, v1 equals v2: {torch.equal(by_v1, by_v2)}")
    results[name] = by_v2
# -> CenterCrop(100): (3, 100, 100), v1 equals v2: True
#    CenterCrop((100, 150)): (3, 100, 150), v1 equals v2: True
#    RandomCrop((200, 300)): (3, 200, 300), v1 equals v2: True
#    Resize((256, 300)): (3, 256, 300), v1 equals v2: True
#    Resize(30): (3, 30, 45), v1 equals v2: True
#    RandomHorizontalFlip(1): (3, 512, 768), v1 equals v2: True

# %% Normalize subtracts a mean and divides by a standard deviation
# A network learns more easily from values around 0. Normalize moves them there, with a
# mean and a standard deviation (std) for each channel, which you give it. The standard
# deviation says how far the values typically are from their mean. Here both are made up;
# further down they come from pictures.
#
# On paper, for a picture of one pixel. Its red is 0.25, its green 0.5 and its blue 1:
#
#             pixel  mean    std
#     red:   (0.25 - 0.25) / 0.25 = 0
#     green: (0.50 - 0.25) / 0.50 = 0.5
#     blue:  (1.00 - 0.50) / 0.50 = 1
#
# For a whole picture, the same is done with each pixel:
#
#     output[channel] = (input[channel] - mean[channel]) / std[channel]
pixel = torch.tensor([0.25, 0.5, 1.0]).reshape(3, 1, 1)    # (channels, height, width)
normalized = v2.Normalize(mean=[0.25, 0.25, 0.5], std=[0.25, 0.5, 0.5])(pixel)
print("one pixel normalized:", normalized.flatten().tolist())
# -> one pixel normalized: [0.0, 0.5, 1.0]

# Many programs take 0.5 everywhere. The range from 0 to 1 then becomes -1 to 1.
halves = [0.5, 0.5, 0.5]
normalize = v2.Normalize(mean=halves, std=halves)
greys = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])
greys = greys.expand(3, 1, 5)    # the same in three channels: five grey pixels in a row

# [0, 0] is row 0 of channel 0.
print("0 to 1 becomes -1 to 1:", normalize(greys)[0, 0].tolist())
# -> 0 to 1 becomes -1 to 1: [-1.0, -0.5, 0.0, 0.5, 1.0]

# Others take the mean and the standard deviation of the pictures themselves. Afterwards
# each channel has the mean 0 and the standard deviation 1. Here we use those of the ant
# alone. For training, use those of all training pictures together.
#
# dim=(1, 2) means over dimensions 1 and 2, height and width. So each channel gets one
# number.
mean = tensor.mean(dim=(1, 2))    # (3, 512, 768) -> (3,)
std = tensor.std(dim=(1, 2))      # (3, 512, 768) -> (3,)
ant = v2.Normalize(mean, std)(tensor)

# torch.allclose compares as torch.equal does, but allows small differences, such as
# those that rounding makes. `atol` says how large they may be.
print("means are 0:", torch.allclose(ant.mean(dim=(1, 2)), torch.zeros(3), atol=0.001))
# -> means are 0: True
print("standard deviations are 1:", torch.allclose(ant.std(dim=(1, 2)), torch.ones(3)))
# -> standard deviations are 1: True

# By hand, one channel after the other.
by_hand = torch.empty(3, 512, 768)    # a tensor of this shape, to be filled
for channel in range(3):
    by_hand[channel] = (tensor[channel] - mean[channel]) / std[channel]
print("by hand equals Normalize:", torch.allclose(by_hand, ant))
# -> by hand equals Normalize: True

same = torch.equal(transforms.Normalize(halves, halves)(tensor), normalize(tensor))
print("Normalize, v1 equals v2:", same)
# -> Normalize, v1 equals v2: True

# Normalize needs the channels first. If the height comes first, it thinks that the 512
# rows are channels. But it has only 3 means. (In the message, tensor a is the picture, b
# the means.)
try:
    normalize(tensor.permute(1, 2, 0))    # (3, 512, 768) -> (512, 768, 3)
except RuntimeError as error:
    print("channels last:", error)
# -> channels last: The size of tensor a (512) must match the size of tensor b (3) ...

# %% ToPILImage is the way back to a picture
to_picture = v2.ToPILImage()
back = to_picture(tensor)    # (3, 512, 768) -> width 768, height 512
print("there and back gives the same picture:", np.array_equal(back, picture))
# -> there and back gives the same picture: True
same = np.array_equal(transforms.ToPILImage()(tensor), back)
print("ToPILImage, v1 equals v2:", same)
# -> ToPILImage, v1 equals v2: True

# PIL calls the kind of a picture its mode. ToPILImage finds the mode from the number of
# channels. L is grey. The A in RGBA is alpha, the fourth channel: 0 is a pixel that one
# can see through, 1 is a solid one.
for channels in (1, 3, 4):
    few_pixels = torch.rand(channels, 2, 2)    # random numbers from 0 to 1
    print(f"channels: {channels}, mode: {to_picture(few_pixels).mode}")
# -> channels: 1, mode: L
#    channels: 3, mode: RGB
#    channels: 4, mode: RGBA

# %% Compose chains transforms, in the order in which they stand
center_v1 = transforms.Compose([transforms.CenterCrop(100), transforms.ToTensor()])
center_v2 = v2.Compose([
    v2.CenterCrop(100),
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
])
result = center_v2(picture)    # width 768, height 512 -> (3, 100, 100)
print("crop, then tensor:", tuple(result.shape))
# -> crop, then tensor: (3, 100, 100)
print("Compose, v1 is close to v2:", torch.allclose(center_v1(picture), result))
# -> Compose, v1 is close to v2: True

# %% Augmentation makes many pictures of one
# A network needs many training pictures. If it sees the same few again and again, it
# learns them by heart and fails on new ones (overfitting, lesson 10). Augmentation
# helps: each time that a picture is used, it is changed a little, at random. A mirrored
# ant is still an ant, so its label stays. Augmentation comes back in lesson 12, where
# it helps a network that really trains.
#
# Only training pictures are changed. The test pictures measure how good the network is,
# so they stay as they are.
#
# (Most programs write v2.RandomResizedCrop in the place of RandomCrop and Resize. It
# also chooses the size of its part at random.)
augment = v2.Compose([
    v2.RandomHorizontalFlip(p=0.5),    # mirrors about half of the pictures, at random
    v2.RandomCrop((400, 600)),         # (3, 512, 768) -> (3, 400, 600)
    v2.Resize(200),                    # -> (3, 200, 300)
])
torch.manual_seed(SEED)
augmented = []
for _ in range(4):    # an epoch is one pass through all training pictures (lesson 2)
    augmented.append(augment(tensor))
print("one ant, four epochs:", len(augmented), "pictures of", tuple(augmented[0].shape))
# -> one ant, four epochs: 4 pictures of (3, 200, 300)
print("the first two are the same:", torch.equal(augmented[0], augmented[1]))
# -> the first two are the same: False

# %% TensorBoard shows what each transform makes of the ant
# If add_image gets floats, they should be from 0 to 1. It shows a number below 0 as 0, one
# above 1 as 1.
nearest = v2.Resize(30, interpolation=InterpolationMode.NEAREST_EXACT)
small_nearest = nearest(tensor)    # (3, 512, 768) -> (3, 30, 45)
shown = {
    "01 the picture": tensor,
    "02 OpenCV, as it is read": to_tensor_v1(bgr),
    "03 OpenCV, channels reversed": from_opencv,
    "04 CenterCrop(100)": results["CenterCrop(100)"],
    "05 CenterCrop((100, 150))": results["CenterCrop((100, 150))"],
    "06 RandomCrop((200, 300))": results["RandomCrop((200, 300))"],
    "07 Resize((256, 300))": results["Resize((256, 300))"],
    "08 Resize(30), nearest": enlarge(small_nearest, 8),    # -> (3, 240, 360)
    "09 Resize(30), bilinear": enlarge(results["Resize(30)"], 8),
    "10 RandomHorizontalFlip(1)": results["RandomHorizontalFlip(1)"],
    "11 Normalize, -1 to 1": normalize(tensor),
    "12 Normalize, moved back to 0 to 1": normalize(tensor) * 0.5 + 0.5,
}
run = new_run(__file__, drawn=drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    for name, result in shown.items():
        writer.add_image(f"4 transforms/{name}", result)
    for step, result in enumerate(augmented, start=1):
        writer.add_image("4 augmentation/1 one ant in four epochs", result, step)
print_where_to_look(run, LOOK_AT)

# Try next:
# - Give both calls of Resize(30) one argument more, in `old` and in `new`:
#   `Resize(30, antialias=False)`. (The names in quotes stay.) Does picture 09 get
#   rougher?
# - Put `v2.ColorJitter(brightness=0.5)` and `v2.RandomRotation(30)` into `augment`.
#   What do they do? And what is in the corners of a rotated picture?
# - Delete the second `torch.manual_seed(SEED)` in the loop over `old`. Which one of the
#   six pairs is no longer equal, and why only that one?
