"""05. torchvision has data sets that are ready to use

In lesson 2 you wrote a Dataset of your own. For well-known collections of pictures,
torchvision has one ready: MNIST, FashionMNIST, CIFAR10, ImageNet and many more. Such a
Dataset checks its files and opens them. Most of them also download the files. (For
ImageNet you have to register, and to download the files yourself.)

This lesson takes CIFAR-10, which most of the later lessons use: 60,000 colour pictures
of 32x32 pixels. Each shows a thing of one of ten classes, such as "frog" or "ship".
50,000 of them are training pictures: from these a network learns. 10,000 are test
pictures: they show how good the network is with pictures that it has never seen.

(torchvision also has trained networks. They are in torchvision.models: lesson 11.)

It takes about 5 seconds, with the real CIFAR-10 about 7.

    python lessons/05_torchvision_datasets.py              runs it
    tensorboard --logdir logs/05_torchvision_datasets      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import inspect

import numpy as np
import torch
import torchvision
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2

from shared.datasets import cifar10, enlarge
from shared.paths import DATA, new_run, print_where_to_look

PICTURES_SHOWN = 32    # of each class: four rows of eight
ANIMALS = ["bird", "cat", "deer", "dog", "frog", "horse"]

LOOK_AT = """
- Images tab, group "5 classes": some pictures of each class. Click on those of a card
  to make them larger. Which two classes are the hardest to tell apart?
- Group "5 means": the mean of all pictures of a class. In which of them can you still
  see the thing? What else tells you the class?
"""

# %% torchvision.datasets.CIFAR10 has five arguments
arguments = list(inspect.signature(torchvision.datasets.CIFAR10).parameters)
print("the arguments:", arguments)
# -> the arguments: ['root', 'train', 'transform', 'target_transform', 'download']

# root: the folder on your disk where the files are, or where a download puts them.

# train: True (the default) gives the training pictures, False the test pictures.

# transform: a function. It gets each picture, and you get its result. Usually it makes a
# tensor (lesson 4).

# target_transform: the same for the number of the picture's class. For example, it can
# turn the ten classes into two: animal or vehicle (below).

# download: True downloads the files, 170 MB, if the folder does not have them yet.
# False (the default) never downloads.

# So most programs begin like this:
#
#     train_data = torchvision.datasets.CIFAR10("data", train=True, download=True)
#     test_data = torchvision.datasets.CIFAR10("data", train=False, download=True)
#
# Without the files and without a download there is an error. (DATA is the folder data.)
try:
    torchvision.datasets.CIFAR10(DATA / "no such folder", train=True, download=False)
except RuntimeError as error:
    print("without the files:", error)
# -> without the files: Dataset not found or corrupted. You can use download=True to
#    download it

# %% cifar10() of these lessons works without the internet, too
# You may have no internet, or the download may be slow. So the lessons call a function
# of their own, cifar10() in shared/datasets.py. It takes the pictures from the first of
# these places that has them. Each call says in a line "Data: ..." which one it was:
#
# 1. The official files in data/. Then you get torchvision.datasets.CIFAR10.
# 2. Folders of pictures in data/cifar10/.
# 3. The internet: the official files are downloaded, and it is checked that they are
#    unchanged.
# 4. The drawn stand-in: pictures of the same ten classes, drawn by a program of this
#    project. They are fewer and easier. So they do not show how good a network would be
#    on CIFAR-10.
#
# Wherever the pictures come from, you use them like torchvision's CIFAR10. cifar10()
# has the same arguments train, transform and target_transform. It has no argument `root`
# (the folder is always data/), and none called `download` (see place 3).
#
# It does not download if the environment variable LESSONS_OFFLINE is 1. Set it in a
# terminal, for all lessons that you then start there: `export LESSONS_OFFLINE=1` on
# Linux and macOS, `$env:LESSONS_OFFLINE = 1` on Windows, in PowerShell.
#
# If the download is slow, get cifar-10-python.tar.gz in another way and put it into data/.
# The lesson unpacks it.
train_data = cifar10(train=True)
test_data = cifar10(train=False)
print("training pictures for each test picture:", len(train_data) / len(test_data))
# -> training pictures for each test picture: 5.0

# %% A sample is a picture and the number of its class
picture, target = train_data[0]
print("first picture:", picture)
# -> first picture: <PIL.Image.Image image mode=RGB size=32x32 at 0x...>

# The number is called the target, because it is the answer that a network should reach.
# It is the label of lesson 2, as a number.
print("its target:", target)
# -> its target: 6

# %% classes gives a name for a number, class_to_idx a number for a name
print("classes:", train_data.classes)
# -> classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse',
#    'ship', 'truck']
print("name of target 6:", train_data.classes[6])
# -> name of target 6: frog
print("number of frog:", train_data.class_to_idx["frog"])
# -> number of frog: 6

# Why numbers? A network gives ten numbers, one for each class, and the target says
# which of them should be the largest.

# %% data and targets hold everything at once
# data is one array of whole numbers of 8 bits. Its shape is (number of pictures,
# height, width, channels).
print("one picture in data:", train_data.data[0].shape, train_data.data.dtype)
# -> one picture in data: (32, 32, 3) uint8
same = np.array_equal(train_data.data[0], np.array(picture))
print("data[0] holds the pixels of the first picture:", same)
# -> data[0] holds the pixels of the first picture: True

# targets is a list with the number of each picture's class.
print("as many targets as pictures:", len(train_data.targets) == len(train_data.data))
# -> as many targets as pictures: True
counts = []
for number in range(10):
    counts.append(train_data.targets.count(number))
print("share of each class:", np.array(counts) / len(train_data))
# -> share of each class: [0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1]

# A debugger shows all this without a print. In VS Code or PyCharm, click on the space
# left of a line's number. A red dot appears, a breakpoint. Then start the lesson with
# "Debug" instead of "Run". The program stops at that line, and the window "Variables"
# shows `train_data`. Open it: there are `classes`, `class_to_idx` and `targets`.
#
# Without such an editor, write the line `breakpoint()` into the program. It stops
# there, and the terminal waits for you. `p train_data.classes` prints, `c` continues.

# %% transform changes each picture when you ask for it
# Lesson 4 has explained these two steps.
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
as_tensors = cifar10(train=False, transform=to_tensor)
tensor, target = as_tensors[0]    # width 32, height 32 -> (3, 32, 32)
print("first test picture:", train_data.classes[target])
# -> first test picture: cat
print("the cat is a tensor now:", tuple(tensor.shape), tensor.dtype)
# -> the cat is a tensor now: (3, 32, 32) torch.float32

# as_tensors[0] runs the transform, each time anew. as_tensors.data[0] does not: it gives
# the picture as it is stored, in whole numbers, with the channels last.
print("what is stored has not changed:", as_tensors.data[0].shape, as_tensors.data.dtype)
# -> what is stored has not changed: (32, 32, 3) uint8


# %% target_transform changes the number of the class
def is_animal(target):
    """Turns the ten classes into two: 1 is an animal, 0 is a vehicle."""
    return int(train_data.classes[target] in ANIMALS)


print("a cat (class 3) becomes:", is_animal(3))
# -> a cat (class 3) becomes: 1
print("a ship (class 8) becomes:", is_animal(8))
# -> a ship (class 8) becomes: 0

animals = cifar10(train=False, target_transform=is_animal)
picture, target = animals[0]
print("target of the cat:", target)
# -> target of the cat: 1
print("its target as it is stored:", animals.targets[0])
# -> its target as it is stored: 3

# %% TensorBoard shows pictures of each class, and their mean
# For each place, we take the pixels at this place in all pictures of a class. Their mean is
# the pixel of the mean picture. Such means lie close together, so the picture is pale. So
# we stretch its range: the smallest value becomes 0, the largest 1.
run = new_run(__file__, drawn=train_data.drawn)
targets = np.array(train_data.targets)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    for number, name in enumerate(train_data.classes):
        # All pictures of this class: in NumPy, `targets == number` is an array that has
        # True or False for each picture, and [ ] picks those with True.
        of_class = train_data.data[targets == number]

        # of_class has the shape (pictures, height, width, channels). add_images expects
        # the channels before the height.
        pictures = torch.from_numpy(of_class[:PICTURES_SHOWN])    # 32 of (32, 32, 3)
        pictures = enlarge(pictures.permute(0, 3, 1, 2))          # -> (32, 3, 128, 128)
        writer.add_images(f"5 classes/{number} {name}", pictures)

        # axis=0: the mean over the pictures.
        mean = torch.from_numpy(of_class.mean(axis=0))            # (32, 32, 3)
        mean = (mean - mean.min()) / (mean.max() - mean.min())    # 0 to 1
        mean = enlarge(mean.permute(2, 0, 1))                     # -> (3, 128, 128)
        writer.add_image(f"5 means/{number} {name}", mean)
print_where_to_look(run, LOOK_AT)

# Try next:
# - Write `breakpoint()` above the line that prints "its target". What does
#   `p train_data.targets[:5]` print, and what `p train_data.classes[9]`?
# - Write a target_transform that gives the length of the class's name: 4 for "frog".
#   How many different targets are there then?
# - Make train_data with `cifar10(train=True, transform=v2.RandomVerticalFlip(1))`. It
#   turns pictures upside down. Are those in TensorBoard upside down? Why, or why not?
