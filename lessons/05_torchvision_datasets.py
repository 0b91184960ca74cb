"""05. torchvision brings data sets that are ready to use

CIFAR-10 is 60,000 pictures of 32x32 pixels in ten classes: 50,000 to train with, 10,000 to test with. torchvision has
a class that fetches, checks and opens it. (Trained networks are in torchvision.models: lesson 11.)

    python lessons/05_torchvision_datasets.py
    tensorboard --logdir logs/05_torchvision_datasets
"""

# %% torchvision.datasets.CIFAR10 has five arguments
import inspect
from collections import Counter

import torch
import torchvision
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms

from shared.datasets import cifar10, enlarge
from shared.paths import DATA, new_run, tensorboard_command

print(list(inspect.signature(torchvision.datasets.CIFAR10).parameters))
# -> ['root', 'train', 'transform', 'target_transform', 'download']

# root: the folder that holds cifar-10-batches-py. train: the pictures to train with, else those to test with.
# download=True fetches 170 MB if they are not there; False asks for files that are:
try:
    torchvision.datasets.CIFAR10(root=DATA / "no such folder", train=True, download=False)
except RuntimeError as error:
    print(error)
# -> Dataset not found or corrupted. You can use download=True to download it

# The lessons ask a function of their own. It gives torchvision's class where the official files are, and otherwise
# folders of pictures or drawings with the same interface, so that everything below works without a network, too.
train_data = cifar10(train=True)
test_data = cifar10(train=False)
print(len(train_data) == 5 * len(test_data))
# -> True

# %% A sample is a picture and the number of its class
picture, target = train_data[0]
print(picture)
# -> <PIL.Image.Image image mode=RGB size=32x32 at 0x...>
print(target, train_data.classes[target])
# -> 6 frog

# %% classes gives a name for a number, class_to_idx a number for a name
print(train_data.classes)
# -> ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']
print(train_data.class_to_idx["frog"])
# -> 6

# %% data and targets hold everything at once
print(train_data.data.shape[1:], train_data.data.dtype, len(train_data.targets) == len(train_data.data))
# -> (32, 32, 3) uint8 True
counts = Counter(train_data.targets)    # how many pictures each class has
print(len(counts), "classes, all alike:", max(counts.values()) == min(counts.values()))
# -> 10 classes, all alike: True

# %% transform changes the picture, target_transform its class
ANIMALS = {"bird", "cat", "deer", "dog", "frog", "horse"}


def is_animal(target: int) -> int:
    """Makes two classes of the ten: 1 for an animal, 0 for a vehicle."""
    return int(train_data.classes[target] in ANIMALS)


animals = cifar10(train=False, transform=transforms.ToTensor(), target_transform=is_animal)
tensor, target = animals[0]
print(type(tensor), tensor.shape, target)
# -> <class 'torch.Tensor'> torch.Size([3, 32, 32]) 1

# The transforms run when a picture is asked for; what is stored stays as it is.
print(animals.data.dtype, animals.targets[0])
# -> uint8 3

# %% TensorBoard shows 32 pictures of each class
run = new_run(__file__, drawn=train_data.drawn)
targets = torch.tensor(train_data.targets)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", "32 pictures of each class. Could you tell them apart at 32x32 pixels?")
    for number, name in enumerate(train_data.classes):
        first = torch.nonzero(targets == number)[:32, 0].tolist()
        pictures = torch.from_numpy(train_data.data[first]).permute(0, 3, 1, 2)    # (32, 32, 32, 3) -> (32, 3, 32, 32)
        writer.add_images(f"5 classes/{number} {name}", enlarge(pictures))         # -> (32, 3, 128, 128)
print("See it with:", tensorboard_command(run))

# Try next:
# - `picture.resize((256, 256)).show()` opens the frog in a window.
# - `torchvision.datasets.FashionMNIST(DATA, download=True)`: the same five arguments, other pictures (30 MB).
# - A target_transform that gives the length of the class's name.
