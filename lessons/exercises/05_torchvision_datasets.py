"""Exercises to lesson 5: torchvision's data sets

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=5`.
"""

import numpy as np
import torch
from torch.utils.data import Dataset

from shared.exercises import exercise, main


def pixels(*shape):
    """Whole numbers from 0 to 255 in no order, the same each time."""
    count = torch.Size(shape).numel()
    return (np.arange(11, 11 + 37 * count, 37) % 256).astype(np.uint8).reshape(shape)


def like_cifar10(data, targets, transform=None, target_transform=None):
    """A small data set with the attributes of CIFAR10. It has four classes."""
    from shared.datasets import Pictures

    classes = ["ship", "frog", "truck", "cat"]
    dataset = Pictures(np.array(data, dtype=np.uint8), targets, classes, "pictures of the tests")
    dataset.transform, dataset.target_transform = transform, target_transform
    return dataset


# 1


def look_at_counts(count_by_name):
    data = pixels(7, 2, 3, 3)
    other_numbers = like_cifar10(data, [3, 1, 3, 2, 0, 0, 3], target_transform=lambda n: 3 - n)
    return {
        "(targets: [2, 0, 2, 3, 2, 0, 2])":
            count_by_name(like_cifar10(data, [2, 0, 2, 3, 2, 0, 2])),
        "(targets: [3, 1, 3, 2, 0, 0, 3], with a target_transform)": count_by_name(other_numbers),
    }


@exercise(
    look_at_counts,
    hint="Begin with a dict that has 0 for each of dataset.classes. Then go through "
         "dataset.targets: dataset.classes[target] is the name whose count grows by 1.")
def count_by_name(dataset):
    """How many pictures of each class a data set has.

    dataset: a data set with the attributes classes and targets, such as CIFAR10. It may have
        fewer classes than ten. If it has a target_transform, count the numbers as they are stored.

    Returns a dict with the name of each class and its number of pictures, which may be 0.
    For example, if the classes are ["ship", "frog", "truck", "cat"] and the targets
    [2, 0, 2, 3, 2, 0, 2], it is {"ship": 2, "frog": 0, "truck": 4, "cat": 1}.
    """
    counts = dict.fromkeys(dataset.classes, 0)
    for target in dataset.targets:
        counts[dataset.classes[target]] += 1
    return counts


name = "dataset.classes[target]"
count_by_name.mistake("the keys are the numbers of the classes: their names are in classes",
                      {"dataset.classes, 0": "range(len(dataset.classes)), 0", name: "target"})
count_by_name.mistake("classes without any picture are left out: their count is 0", {
    "return counts": "return {name: count for name, count in counts.items() if count > 0}"})
count_by_name.mistake("the keys are the numbers of the classes, and those without any picture are "
                      "left out: each of classes should be there, by its name",
                      {"return counts":
                       "return {n: dataset.targets.count(n) for n in dataset.targets}"})
count_by_name.mistake("the shares are given: the numbers of pictures are asked for", {
    "return counts": "return {n: count / len(dataset) for n, count in counts.items()}"})
count_by_name.mistake("the counts come without names, as a list",
                      {"return counts": "return list(counts.values())"})
count_by_name.mistake("each count is 0: in targets there are numbers, so no name is found there",
                      {"+= 1": "+= 0"})
count_by_name.mistake("the names are sorted by the alphabet: the number of a class is its place in "
                      "classes, as it is", {name: "sorted(dataset.classes)[target]"})
count_by_name.mistake("each name has the number of its class, not the number of its pictures",
                      {"return counts": "return dict(dataset.class_to_idx)"})
count_by_name.mistake("target_transform has changed the numbers that are counted: targets has them "
                      "as they are stored", {"in dataset.targets": "in [n for _, n in dataset]"})


@count_by_name.mistake("the classes are counted from 1: the first one has the number 0")
def _(dataset):
    numbered = enumerate(dataset.classes, start=1)
    return {name: dataset.targets.count(number) for number, name in numbered}


# 2


def look_at_mean(mean_picture):
    small = [[[[51, 102, 255]]], [[[9, 9, 9]]], [[[153, 0, 255]]]]    # 1x1 pixel each
    large = like_cifar10(pixels(9, 2, 4, 3), [3, 2, 3, 0, 2, 2, 3, 2, 0])
    return {
        "(frogs of one pixel, [51, 102, 255] and [153, 0, 255], and a cat, 'frog')":
            mean_picture(like_cifar10(small, [1, 3, 1]), "frog"),
        "(nine pictures, 'truck')": mean_picture(large, "truck"),
        "(nine pictures, 'cat')": mean_picture(large, "cat"),
    }


def drawn_mean(mean_picture):
    """The mean of three frogs, discs at different places, on TensorBoard."""
    rows, columns = np.meshgrid(np.arange(40), np.arange(60), indexing="ij")
    pictures = []
    for row, column in ((14, 18), (20, 30), (26, 42), (20, 10)):
        disc = (rows - row) ** 2 + (columns - column) ** 2 < 12**2
        pictures.append(np.where(disc[:, :, None], [60, 180, 80], [90, 60, 40]))
    pictures[3] = 255 - pictures[3]    # this one is a cat
    mean = mean_picture(like_cifar10(pictures, [1, 1, 1, 3]), "frog").clamp(0, 1)
    return mean.repeat_interleave(6, dim=1).repeat_interleave(6, dim=2)


@exercise(
    look_at_mean,
    hint="np.array(dataset.targets) == number is True for the pictures of a class, and "
         "dataset.data[...] picks them. mean(axis=0) is the mean over these pictures. Then make "
         "a tensor, as in lesson 4.",
    draw=drawn_mean)
def mean_picture(dataset, name):
    """The mean of all pictures of one class, as a tensor.

    dataset: a data set with the attributes data, targets and class_to_idx, such as CIFAR10, without
        transforms. Its pictures may have any size, but they all have the same one.
    name: the name of the class, such as "frog"

    Returns a float tensor (3, height, width), from 0 (as 0 in data) to 1 (as 255 in data).
    For example, of two frogs of one pixel, [51, 102, 255] and [153, 0, 255], the mean is
    [102, 51, 255], and the tensor is [[[0.4]], [[0.2]], [[1.0]]].
    """
    is_of_class = np.array(dataset.targets) == dataset.class_to_idx[name]
    mean = dataset.data[is_of_class].mean(axis=0)    # (N, height, width, 3) -> (height, width, 3)
    return torch.from_numpy(mean).float().permute(2, 0, 1) / 255    # (3, height, width)


mean, permute = ".mean(axis=0)", ".permute(2, 0, 1)"
mean_picture.mistake("the pictures of all classes are taken", {"[is_of_class]": ""})
mean_picture.mistake("only the first picture of the class is taken", {mean: "[0] / 1.0"})
mean_picture.mistake("the pictures are added up: divide by their number", {mean: ".sum(axis=0)"})
mean_picture.mistake("the pictures are added up as whole numbers of 8 bits, which begin again with "
                     "0 after 255: make floats first",
                     {mean: ".sum(axis=0, dtype=np.uint8) / is_of_class.sum()"})
mean_picture.mistake("the mean is rounded down to whole numbers from 0 to 255",
                     {mean: ".mean(axis=0).astype(np.uint8)"})
mean_picture.mistake("there is one number for each channel, the mean over all pixels: each pixel "
                     "should have its own", {mean: ".mean(axis=(0, 1, 2))", permute: ""})
mean_picture.mistake("the numbers go from 0 to 255: divide them by 255", {" / 255": ""})
mean_picture.mistake("the smallest number is moved to 0 and the largest to 1, as in the lesson: "
                     "here 255 should become 1", {
    "    return": "    mean = (mean - mean.min()) / (mean.max() - mean.min())\n    return",
    " / 255": ""})
mean_picture.mistake("the channels are last, as in data: in a tensor they come first",
                     {permute: ""})
mean_picture.mistake("the numbers stay in their order and only get another shape, which scrambles "
                     "the picture: reshape does so, permute moves the channels",
                     {permute: ".reshape(3, *mean.shape[:2])"})
mean_picture.mistake("height and width have changed places", {permute: ".permute(2, 1, 0)"})


# 3


def look_at_batch(batch_of):
    def negative(picture):    # a transform
        return 1 - torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255

    small = [[[[51, 102, 255]]], [[[9, 9, 9]]], [[[255, 0, 204]]]]    # 1x1 pixel each
    small = like_cifar10(small, [1, 3, 0], negative)
    large = like_cifar10(pixels(6, 2, 4, 3), [3, 2, 1, 0, 2, 2], negative, lambda n: 10 * n + 5)
    seen = {}
    for text, dataset, indices in (
        ("(pictures of one pixel, [2, 0])", small, [2, 0]),
        ("(pictures of 2x4 pixels, with a target_transform, [4, 0, 3])", large, [4, 0, 3]),
        ("(pictures of 2x4 pixels, with a target_transform, [1])", large, [1]),
    ):
        batch = batch_of(dataset, indices)
        if isinstance(batch, tuple | list) and len(batch) == 2:
            seen[f"{text}, the pictures"], seen[f"{text}, the targets"] = batch
        else:
            seen[f"{text}, the pictures"] = batch
    return seen


@exercise(
    look_at_batch,
    hint="dataset[i] is a pair, after both transforms. Collect the pictures in one list and the "
         "targets in another. torch.stack makes one tensor of several, torch.tensor makes one of "
         "numbers.")
def batch_of(dataset, indices):
    """The batch that a DataLoader makes of some samples of a data set.

    dataset: a data set such as CIFAR10. Its transform makes of each picture a float tensor
        (3, height, width). It may have a target_transform, too.
    indices: a list of whole numbers, which samples it should be, in this order

    Returns a pair: the pictures, a float tensor (samples, 3, height, width), and the targets, an
    int64 tensor (samples,), both after the transforms. For example, batch_of(test_data, [2, 0])
    has the pictures of test_data[2] and test_data[0], and their targets.
    """
    pictures = torch.stack([dataset[i][0] for i in indices])
    targets = torch.tensor([dataset[i][1] for i in indices])
    return pictures, targets


stack, tensor = "torch.stack([dataset[i][0] for i in indices])", "torch.tensor("
data = "torch.from_numpy(dataset.data[indices])"
scaled = f"{data}.permute(0, 3, 1, 2) / 255"
batch_of.mistake("the pictures are taken from data. There they are as they are stored, without the "
                 "transform: dataset[i] has it", {stack: scaled})
batch_of.mistake("the targets are taken from targets. There they are as they are stored, without "
                 "the target_transform: dataset[i] has it",
                 {"dataset[i][1]": "dataset.targets[i]"})
batch_of.mistake("pictures and targets are taken from data and targets. There they are as they are "
                 "stored, without the transforms: dataset[i] has them",
                 {stack: scaled, "dataset[i][1]": "dataset.targets[i]"})
batch_of.mistake("the pictures are whole numbers, with the channels last, as they are stored in "
                 "data: dataset[i] gives them after the transform", {stack: data})
batch_of.mistake("pictures and targets are as they are stored in data and targets: dataset[i] "
                 "gives them after the transforms",
                 {stack: data, "dataset[i][1]": "dataset.targets[i]"})
batch_of.mistake("the samples are in the order of the data set, not in that of indices",
                 {"in indices": "in sorted(indices)"})
batch_of.mistake("these are the first samples of the data set, not those of indices",
                 {"in indices": "in range(len(indices))"})
batch_of.mistake("the pictures are joined along their channels: torch.stack makes a new dimension "
                 "for them, torch.cat does not", {"stack": "cat"})
batch_of.mistake("the pictures are a list: torch.stack makes one tensor of them",
                 {"torch.stack(": "list("})
batch_of.mistake("the targets are a list: torch.tensor makes a tensor of them", {tensor: "list("})
batch_of.mistake("pictures and targets are lists: torch.stack and torch.tensor make tensors of "
                 "them", {"torch.stack(": "list(", tensor: "list("})
batch_of.mistake("the targets are floats: torch.Tensor makes floats, torch.tensor keeps whole "
                 "numbers", {tensor: "torch.Tensor("})
batch_of.mistake("the targets come first: the pictures should",
                 {"pictures, targets": "targets, pictures"})
batch_of.mistake("the samples are a list of pairs: pictures and targets should be two tensors",
                 {"return pictures, targets": "return [dataset[i] for i in indices]"})


# 4


def look_at_part(only_classes):
    import itertools

    def negative(picture):    # a transform
        return 1 - torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255

    seen = {}
    small = like_cifar10(pixels(5, 1, 1, 3), [3, 1, 0, 2, 3], negative)
    large = like_cifar10(pixels(9, 1, 2, 3), [1, 0, 3, 3, 2, 1, 1, 0, 2], negative)
    for dataset, names in ((small, ["ship", "cat"]), (large, ["truck", "frog", "ship"])):
        part = only_classes(dataset, names)
        of = f"of {names} from the targets {dataset.targets}"
        samples = list(itertools.islice(part, 20))
        seen |= {f"the length {of}": len(part),
                 f"in a for loop, the targets {of}": [target for _, target in samples],
                 f"in a for loop, the pictures {of}": [picture for picture, _ in samples],
                 f"sample 0 {of}": part[0]}
    return seen


@exercise(
    look_at_part,
    hint="In __init__, make two lists and keep them in self: the old numbers of the names, and "
         "the indices of the samples whose target is one of these. Sample 0 of the part is sample "
         "self.indices[0] of the data set. x.index(7) says where in the list x there is a 7.")
class OnlyClasses(Dataset):
    """The samples of some classes of a data set, and new numbers for these classes.

    dataset: a data set such as CIFAR10, with targets, classes and class_to_idx, with a transform,
        without a target_transform
    names: a list of names of classes. The first one gets the number 0, the next one 1, ...

    It is a Dataset: it has a length, and [i] gives a pair, the picture after the transform of
    dataset, and the new number. After the last sample, [i] raises an IndexError (lesson 2). The
    samples stay in their order. For example, OnlyClasses(train_data, ["ship", "cat"]) has the ships
    and the cats of train_data. The target of a ship is 0, that of a cat is 1.
    """

    def __init__(self, dataset, names):
        self.dataset = dataset
        self.numbers = [dataset.class_to_idx[name] for name in names]
        self.indices = [i for i, n in enumerate(dataset.targets) if n in self.numbers]

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        picture, number = self.dataset[self.indices[index]]
        return picture, self.numbers.index(number)


new, numbers = "self.numbers.index(number)", "[dataset.class_to_idx[name] for name in names]"
OnlyClasses.mistake("the targets are the old numbers: the first of names should be 0, the next 1",
                    {new: "number"})
OnlyClasses.mistake("the targets are names, not numbers", {new: "self.dataset.classes[number]"})
OnlyClasses.mistake("the new numbers begin with 1: the first one should be 0", {new: f"{new} + 1"})
OnlyClasses.mistake("the new numbers are in the order of the data set's classes, not in that of "
                    "names", {numbers: f"sorted({numbers})"})
OnlyClasses.mistake("the length is that of the whole data set: count the samples of the part only",
                    {"len(self.indices)": "len(self.dataset)"})
OnlyClasses.mistake("the length is the number of classes: it should be the number of samples",
                    {"len(self.indices)": "len(self.numbers)"})
OnlyClasses.mistake("the pictures are those with which the whole data set begins: sample i of the "
                    "part is another sample of the data set",
                    {"return picture": "return self.dataset[index][0]"})
OnlyClasses.mistake("the pictures are taken from data, where they are without the transform. "
                    "dataset[i] has it",
                    {"return picture": "return self.dataset.data[self.indices[index]]"})
OnlyClasses.mistake("the samples are sorted by class: they should stay in the order of the data "
                    "set", {"for i, n in enumerate(dataset.targets) if n in self.numbers":
                            "for m in self.numbers for i, n in enumerate(dataset.targets) if n == m"
                            })
OnlyClasses.mistake("there are only the samples of the first of names",
                    {"in self.numbers]": "in self.numbers[:1]]"})
OnlyClasses.mistake("there are only the samples of the last of names",
                    {"in self.numbers]": "in self.numbers[-1:]]"})
OnlyClasses.mistake("each sample is a target and a picture: the picture comes first",
                    {"picture, self.numbers.index(number)": "self.numbers.index(number), picture"})


if __name__ == "__main__":
    main(__file__)
