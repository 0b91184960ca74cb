"""02. A Dataset knows one sample, a DataLoader makes batches of them

A Dataset answers two questions: how many samples are there, and what is sample i? A DataLoader deals them out like a
pack of cards: shuffled, a handful at a time, prepared by several processes if you wish.

    python lessons/02_dataset_dataloader.py
    tensorboard --logdir logs/02_dataset_dataloader
"""

from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms

from shared.datasets import AntsBees, ants_and_bees, cifar10, enlarge
from shared.paths import new_run, tensorboard_command

BATCHES_SHOWN = 10    # of each epoch; TensorBoard's slider keeps about ten pictures of one tag


# %% A Dataset is a class with __len__ and __getitem__
class Ants(Dataset):
    def __init__(self, folder: Path):
        self.paths = sorted(folder.glob("*.jpg"))    # the names only: a picture is opened when it is asked for

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return Image.open(self.paths[index]).convert("RGB"), "ants"


def main():
    # %% len() and [i] call the two methods
    folder, _ = ants_and_bees()
    shared_ants = AntsBees(folder / "train", "ants")    # leaves out odd files, such as the archive's imageNotFound.gif
    ants = Ants(shared_ants.paths[0].parent)            # that folder is called ants, or ants_image in the tutorial
    picture, label = ants[0]
    print(picture.size, label)
    # -> (768, 512) ants
    print(picture == shared_ants[0][0])
    # -> True

    # A for loop asks for 0, 1, 2, ... until IndexError. Subset takes some of a data set: here the first five.
    print({label for _, label in Subset(ants, range(5))})
    # -> {'ants'}

    # %% Two data sets add up to one
    bees = AntsBees(folder / "train", "bees")
    both = ants + bees
    print(len(both) == len(ants) + len(bees), both[0][1], both[len(ants)][1])
    # -> True ants bees

    # %% A DataLoader makes batches, once every picture is a tensor of one size
    to_tensor = transforms.Compose([transforms.Resize((83, 100)), transforms.ToTensor()])
    ants = Subset(AntsBees(folder / "train", "ants", to_tensor), range(24))
    loader = DataLoader(ants, batch_size=10, shuffle=True, num_workers=0, drop_last=False)
    pictures, labels = next(iter(loader))
    print(pictures.shape, labels[0], len(labels))    # 10 x (3, 83, 100) -> (10, 3, 83, 100)
    # -> torch.Size([10, 3, 83, 100]) ants 10

    # %% An epoch is every sample once, an iteration is one batch
    print([len(labels) for _, labels in loader])    # 24 samples, 10 a batch: 3 iterations make 1 epoch
    # -> [10, 10, 4]
    print([len(labels) for _, labels in DataLoader(ants, batch_size=10, drop_last=True)])    # 4 samples are left out
    # -> [10, 10]
    print(len(DataLoader(ants, batch_size=12)), len(DataLoader(ants, batch_size=24)), len(DataLoader(ants)))
    # -> 2 1 24

    # %% shuffle=True deals anew in each epoch, and a seeded generator deals the same on each run
    test_data = cifar10(train=False, transform=transforms.ToTensor())

    def deal_twice():
        """The classes of the first batch in each of two epochs."""
        generator = torch.Generator().manual_seed(0)
        loader = DataLoader(test_data, batch_size=64, shuffle=True, generator=generator)
        return [next(iter(loader))[1].tolist() for _ in range(2)]

    first_run, second_run = deal_twice(), deal_twice()
    print("two epochs alike:", first_run[0] == first_run[1], "two runs alike:", first_run == second_run)
    # -> two epochs alike: False two runs alike: True

    # %% TensorBoard shows that epoch 1 deals in another order than epoch 0
    loader = DataLoader(test_data, batch_size=64, shuffle=True, generator=torch.Generator().manual_seed(0))
    run = new_run(__file__, drawn=test_data.drawn)
    with SummaryWriter(run) as writer:
        writer.add_text("0 look at", "Move both sliders. No batch comes back: each epoch shuffles anew.")
        for epoch in range(2):
            for step, (pictures, _) in enumerate(loader):    # pictures: (64, 3, 32, 32)
                if step == BATCHES_SHOWN:
                    break
                # Half of the batch, 8 x 4 pictures: all 64 would be half as large.
                writer.add_images(f"2 first half of each batch/epoch {epoch}", enlarge(pictures[:32]), step)

    # %% Workers are processes that prepare the next batches; the order stays the same
    few = Subset(test_data, range(256))
    in_order = DataLoader(few, batch_size=64, num_workers=0)    # none: this process does the reading itself
    by_workers = DataLoader(few, batch_size=64, num_workers=2)
    # Both are read to their end, as in training: a worker that is stopped while it hands over a batch may crash.
    pictures = torch.cat([pictures for pictures, _ in in_order])    # 4 x (64, 3, 32, 32) -> (256, 3, 32, 32)
    print(torch.equal(pictures, torch.cat([pictures for pictures, _ in by_workers])))
    # -> True

    print("See it with:", tensorboard_command(run))


# A worker that is started afresh (always on Windows and macOS; on Linux since Python 3.14) imports this file. Without
# this guard the import would run the lesson again, and start workers of its own.
if __name__ == "__main__":
    main()

# Try next:
# - `batch_size=7`: how many iterations is an epoch of 24, and how long is the last batch?
# - transforms.RandomRotation(30, expand=True) in the place of Resize, and read the error: a batch is one tensor, so all
#   of its pictures must have one size.
# - `shuffle=False` in the TensorBoard cell: the two epochs become the same.
