"""Exercises to lesson 2: Dataset and DataLoader

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=2`.
"""

import torch
from PIL import Image
from torch.utils.data import Dataset

from shared.exercises import Remark, calls, exercise, main


class Pack(Dataset):
    """A data set that remembers which samples were asked for. It has no slices, as a list has."""

    def __init__(self, *samples):
        self.samples, self.asked_for = samples, []

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        self.asked_for.append(index)
        if index not in range(-len(self), len(self)):
            raise IndexError(f"there is no sample {index}")
        return self.samples[index]


# 1


@exercise(
    look=calls((10, 4, False, 2), (12, 4, False, 3), (13, 4, False, 3), (13, 4, True, 3),
               (23, 8, True, 2), (23, 8, False, 4), (3, 8, False, 5), (3, 8, True, 5)),
    hint="samples // batch_size is the number of full batches, and samples % batch_size is the "
         "number of samples that are left. First the iterations of one epoch.")
def count_iterations(samples, batch_size, drop_last, epochs):
    """How many iterations (batches) there are when a DataLoader is gone through.

    samples: how many samples the data set has, a whole number
    batch_size: samples in a batch, a whole number
    drop_last: True or False: whether the last batch of an epoch is left out if it is smaller
    epochs: how many times one goes through all samples, a whole number

    Returns a whole number. For example, count_iterations(10, 4, False, 2) is 6: each of the two
    epochs has batches of 4, 4 and 2 samples.
    """
    batches = samples // batch_size
    if samples % batch_size > 0 and not drop_last:
        batches += 1
    return batches * epochs


count_iterations.mistake("the smaller batch is never counted, as with drop_last=True",
                         {"and not drop_last": "and False"})
count_iterations.mistake("the smaller batch is always counted, even with drop_last=True",
                         {" and not drop_last": ""})
count_iterations.mistake("drop_last is taken the wrong way round: True leaves the smaller batch "
                         "out", {"not drop_last": "drop_last"})
count_iterations.mistake("there is one more batch, even if no samples are left for it",
                         {"samples % batch_size > 0 and ": ""})
count_iterations.mistake("only one epoch is counted", {"batches * epochs": "batches"})
count_iterations.mistake("the epochs are put together before the batches are made: each epoch has "
                         "a last batch of its own",
                         {"batches = samples": "samples *= epochs; batches = samples",
                          "batches * epochs": "batches"})
count_iterations.mistake("the smaller batch is counted once for all epochs: each epoch has one",
                         {"batches += 1": "return batches * epochs + 1"})
count_iterations.mistake("the smaller batch counts as a part of one: it is a whole batch, or is "
                         "left out",
                         {"//": "/", "batches += 1": "pass"})
count_iterations.mistake("a part of a batch is rounded to the nearest whole number",
                         {"samples // batch_size": "round(samples / batch_size)",
                          "batches += 1": "pass"})
count_iterations.mistake("samples are counted, not batches",
                         {"samples // batch_size": "samples", "batches += 1": "pass"})


# 2


def look_at_pictures(Pictures):
    import warnings
    from pathlib import Path
    from tempfile import TemporaryDirectory

    warnings.simplefilter("ignore", ResourceWarning)    # PIL closes a file once it has read it

    def readable(value):
        if isinstance(value, Image.Image):
            pixels = torch.tensor(list(value.convert("RGB").tobytes()))
            return {"mode": value.mode, "pixels": pixels}
        if isinstance(value, tuple | list):
            return [readable(part) for part in value]
        return Path(value).name if isinstance(value, str | Path) else value

    def sample(dataset, index):
        value = dataset[index]
        if not isinstance(value, tuple | list) or len(value) != 2:
            return Remark("it is no pair of a picture and a label")
        return readable(value)

    def transform(picture):
        got.append(readable(picture))
        mode = got[-1]["mode"] if isinstance(picture, Image.Image) else type(picture).__name__
        return f"what the transform makes of a picture in {mode}"

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        samples = [(str(Path(folder, f"{name}.png")), label)
                   for name, label in (("grey", 4), ("colour", 0), ("clear", 4))]
        Image.frombytes("L", (2, 3), bytes(range(90, 96))).save(samples[0][0])
        Image.frombytes("RGB", (3, 1), bytes(range(9))).save(samples[1][0])
        Image.frombytes("RGBA", (1, 2), bytes(range(40, 48))).save(samples[2][0])

        label, seen, got = "making an object, while the file of a picture is missing", {}, []
        try:
            Pictures([(str(Path(folder, "missing.png")), 1)])
        except FileNotFoundError as error:
            return {label: error}
        seen[label] = "no error"
        data = Pictures(list(samples))
        seen["len(data) of 3 samples"] = len(data)
        for i in range(3):
            try:
                seen[f"data[{i}]"] = sample(data, i)
            except Exception as error:
                seen[f"data[{i}]"] = error
        seen["len(data) of 2 samples"] = len(Pictures(samples[:2]))
        seen["data[2] with a transform"] = sample(Pictures(samples, transform), 2)
        return seen | {"clue: what the transform got": got}


@exercise(
    look_at_pictures,
    hint="__init__ keeps samples and transform in self. __getitem__ takes path and label out of "
         "self.samples[index], then opens the picture, as MyData does in lesson 2.")
class Pictures(Dataset):
    """A Dataset of pictures that are in any folders, each with the number of its class.

    samples: a list of pairs, such as ("photos/ants/7.png", 0): path and number of the class. (The
        last exercise of lesson 1 makes such a list.) Samples need not be of the same class.
    transform: None, or what to call with each picture, such as a v2.Compose

    len() gives the number of samples. [index] gives a pair: the picture, which is a PIL picture in
    RGB or what the transform makes of that, and the number of its class. A picture is opened only
    when it is asked for, so that a data set may be larger than the memory. For example,
    Pictures([("a.png", 3)])[0] is the picture in a.png and 3.
    """

    def __init__(self, samples, transform=None):
        self.samples, self.transform = samples, transform

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        path, label = self.samples[index]
        picture = Image.open(path).convert("RGB")
        if self.transform is not None:
            picture = self.transform(picture)
        return picture, label


Pictures.mistake("len() gives the number of classes, not of samples",
                 {"len(self.samples)": "len({label for _, label in self.samples})"})
Pictures.mistake("len() is one too small: it is the number of samples, not the last index",
                 {"len(self.samples)": "len(self.samples) - 1"})
Pictures.mistake("len() does not depend on the samples", {"len(self.samples)": "3"})
Pictures.mistake("pictures keep their own mode: convert makes them RGB", {'.convert("RGB")': ""})
Pictures.mistake("pictures become grey", {'"RGB"': '"L"'})
Pictures.mistake("the transform is never called", {"= self.transform(picture)": "= picture"})
Pictures.mistake("the transform is called, but what it gives back is not used: `picture = ...`",
                 {"picture = self.transform": "self.transform"})
Pictures.mistake("the transform is called although there is none: it may be None",
                 {"if self.transform is not None": "if True"})
Pictures.mistake("the transform gets the picture before it is RGB: first convert",
                 {'.convert("RGB")': "", "self.transform(picture)":
                  'self.transform(picture); return picture, label\n        picture = '
                  'picture.convert("RGB")'})
Pictures.mistake("a sample is the picture only: return picture, label",
                 {"return picture, label": "return picture"})
Pictures.mistake("label and picture have changed places",
                 {"return picture, label": "return label, picture"})
Pictures.mistake("a sample has the path, and nobody opens it: Image.open",
                 {'Image.open(path).convert("RGB")': "path"})
Pictures.mistake("the name of the file is the label", {"return picture, label":
                                                       "return picture, path"})
Pictures.mistake("the index is the label", {"return picture, label": "return picture, index"})
Pictures.mistake("samples are counted from 1: the first one has the index 0",
                 {"samples[index]": "samples[index - 1]"})
Pictures.mistake("every sample is the first one", {"samples[index]": "samples[0]"})
Pictures.mistake("pictures are opened when the data set is made, not when they are asked for",
                 {"transform = samples, transform":
                  "transform = [(Image.open(path), path) for path, _ in samples], transform"})


# 3


def look_at_joined(Joined):
    from itertools import islice

    def sample(index):
        try:
            return joined[index]
        except IndexError as error:
            return error

    ants = Pack(("ant 0", 7), ("ant 1", 7), ("ant 2", 7))
    bees = Pack(("bee 0", 8), ("bee 1", 8))
    joined = Joined(ants, bees)
    seen = {
        "how many samples are read when it is made": len(ants.asked_for + bees.asked_for),
        "len() of 3 ants and 2 bees": len(joined),
    }
    for i in range(5):
        seen[f"joined[{i}] of 3 ants and 2 bees"] = sample(i)
    seen["whether joined[5] is an IndexError"] = isinstance(sample(5), IndexError)

    joined = Joined(bees, Pack(("wasp 0", 9), ("wasp 1", 9), ("wasp 2", 9), ("wasp 3", 9)))
    seen["len() of 2 bees and 4 wasps"] = len(joined)
    seen["a loop over 2 bees and 4 wasps"] = list(islice(joined, 10))
    return seen


@exercise(
    look_at_joined,
    hint="If the index is smaller than the length of the first data set, the sample is in it. If "
         "not, how many samples are in front of the second data set?")
class Joined(Dataset):
    """Two data sets as one, as ConcatDataset([first, second]) makes it.

    first, second: two Datasets. They have len() and [index], with an index from 0, and raise an
        IndexError if there is no such sample. They need not have anything else.

    len() gives the number of all samples. [index] gives first the samples of `first`, then those of
    `second`, and raises an IndexError behind the last. A sample of a data set is asked for only
    when it is needed. For example, if `first` has 3 samples, Joined(first, second)[3] is second[0].
    """

    def __init__(self, first, second):
        self.first, self.second = first, second

    def __len__(self):
        return len(self.first) + len(self.second)

    def __getitem__(self, index):
        if index < len(self.first):
            return self.first[index]
        return self.second[index - len(self.first)]


both = "len(self.first) + len(self.second)"
Joined.mistake("len() counts the first data set only", {both: "len(self.first)"})
Joined.mistake("len() counts the second data set only", {both: "len(self.second)"})
Joined.mistake("len() is the number of data sets, not of samples", {both: "2"})
Joined.mistake("len() is one too small: it is the number of samples, not the last index",
               {both: f"{both} - 1"})
Joined.mistake("the second data set gets the whole index: its samples begin with 0 again",
               {"[index - len(self.first)]": "[index]"})
Joined.mistake("the first sample of the second data set never comes: it has the index 0 there",
               {"[index - len(self.first)]": "[index - len(self.first) + 1]"})
Joined.mistake("the index of the second data set is one too small, and -1 is its last sample",
               {"[index - len(self.first)]": "[index - len(self.first) - 1]"})
Joined.mistake("the first data set is asked for one sample more than it has: write <, not <=",
               {"index <": "index <="})
Joined.mistake("the last sample of the first data set never comes",
               {"if index < len(self.first)": "if index < len(self.first) - 1"})
Joined.mistake("the data sets have changed places",
               {"self.first, self.second =": "self.second, self.first ="})
Joined.mistake("the samples of the data sets take turns: all of the first come first",
               {"if index < len(self.first)": "if index % 2 == 0",
                "self.first[index]": "self.first[index // 2]",
                "self.second[index - len(self.first)]": "self.second[index // 2]"})
Joined.mistake("[index] gives a sample of each data set: it should give one sample",
               {"if index < len(self.first)": "if True",
                "return self.first[index]": "return self.first[index], self.second[index]"})
Joined.mistake("all samples are read when the object is made: memory may be too small for them",
               {"= first, second": "= list(first), list(second)"})
Joined.mistake("it begins anew behind the last sample: an IndexError is missing",
               {"index - len(self.first)]": "(index - len(self.first)) % len(self.second)]"})


# 4


def look_at_batches(make_batches):
    numbers = torch.tensor([[1.0, 0.5, -2.0], [3.0, 8.0, 0.0], [-1.0, 4.0, 6.0], [7.0, 2.0, 5.0],
                            [-3.0, 0.2, 9.0], [0.1, -6.0, 2.5], [4.5, 1.5, -0.5]])

    def batches_of(samples, shape, order, batch_size, drop_last):
        data = Pack(*[(numbers[i].reshape(shape).clone(), 10 * i % 7) for i in range(samples)])
        batches = make_batches(data, order, batch_size, drop_last)
        if isinstance(batches, list | tuple):
            return [list(x) if isinstance(x, list | tuple) else x for x in batches]
        return batches

    return {
        "(data, [1, 0, 2], 2, False)": batches_of(3, (3,), [1, 0, 2], 2, False),
        "(data, [1, 0, 2], 2, True)": batches_of(3, (3,), [1, 0, 2], 2, True),
        "(data, [3, 6, 0, 4, 2, 5], 3, True)":
            batches_of(7, (1, 3), [3, 6, 0, 4, 2, 5], 3, True),
        "(data, [6, 5, 0, 3, 1, 2, 4], 3, False)":
            batches_of(7, (3, 1, 1), [6, 5, 0, 3, 1, 2, 4], 3, False),
    }


@exercise(
    look_at_batches,
    hint="range(0, len(order), batch_size) gives where each batch begins in `order`. Get the "
         "samples of one batch into a list, then use torch.stack for the pictures and "
         "torch.tensor for the labels.")
def make_batches(data, order, batch_size, drop_last):
    """What a DataLoader makes of a Dataset in one epoch, once it has shuffled the indices.

    data: a Dataset. data[i] is a pair: a picture, a float tensor (channels, height, width) or of
        any other shape, the same for all; and the number of its class, a whole number.
    order: a list of whole numbers: the index of the sample that comes first, of the second, ...
    batch_size: samples in a batch, a whole number
    drop_last: True or False: whether the last batch is left out if it is smaller

    Returns a list of batches. Each is a pair: the pictures, a float tensor (samples, channels,
    height, width), and the numbers of the classes, a tensor (samples,) of whole numbers (int64,
    as torch.tensor makes it). For example, with the order [1, 0, 2], batch_size 2 and drop_last
    True, it gives one batch, of samples 1 and 0.
    """
    batches = []
    for start in range(0, len(order), batch_size):
        samples = [data[index] for index in order[start : start + batch_size]]
        if len(samples) == batch_size or not drop_last:
            batches.append((torch.stack([picture for picture, _ in samples]),
                            torch.tensor([label for _, label in samples])))
    return batches


begin, keep = "range(0, len(order), batch_size)", "len(samples) == batch_size or not drop_last"
stack, label = "torch.stack([picture for picture, _ in samples])", "[label for _, label in samples]"
make_batches.mistake("the smaller batch is always left out, even with drop_last=False",
                     {keep: "len(samples) == batch_size"})
make_batches.mistake("the smaller batch is never left out, even with drop_last=True",
                     {keep: "True"})
make_batches.mistake("drop_last leaves out the last batch even if it is full",
                     {keep: "start + batch_size < len(order) or not drop_last"})
make_batches.mistake("drop_last is taken the wrong way round: True leaves the smaller batch out",
                     {"not drop_last": "drop_last"})
make_batches.mistake("the samples come in the order of the data set: `order` says which is next",
                     {"index in order[": "index in range(len(order))["})
make_batches.mistake("the pictures come in the right order, and the labels in that of the data set",
                     {label: "[data[start + i][1] for i in range(len(samples))]"})
make_batches.mistake("the labels come in the right order, and the pictures in that of the data set",
                     {stack: "torch.stack([data[start + i][0] for i in range(len(samples))])"})
make_batches.mistake("the pictures are joined along their first dimension, as torch.cat does it: "
                     "torch.stack makes a new dimension", {"stack": "cat"})
make_batches.mistake("the dimension of the samples is the last one: it comes first",
                     {"picture, _ in samples]": "picture, _ in samples], dim=-1"})
make_batches.mistake("the pictures of a batch are a list, not a tensor: torch.stack",
                     {"torch.stack([picture for picture, _ in samples])":
                      "[picture for picture, _ in samples]"})
make_batches.mistake("the labels of a batch are a list, not a tensor: torch.tensor",
                     {f"torch.tensor({label})": label})
make_batches.mistake("the labels are floats, not whole numbers", {label: f"{label}).float("})
make_batches.mistake("the batches overlap: each begins one sample after the one before, not "
                     "batch_size samples", {begin: "range(len(order))"})
make_batches.mistake("there are batch_size batches, not batches of batch_size samples",
                     {begin: "range(0, len(order), -(-len(order) // batch_size))",
                      "start + batch_size]": "start - (-len(order) // batch_size)]",
                      keep: "True"})
make_batches.mistake("every batch is the first one", {"order[start : start +": "order[0 : 0 +"})
make_batches.mistake("only the first batch is there, as if the loop ended after it",
                     {"    return batches": "        return batches"})
make_batches.mistake("a batch is a list of samples: put their pictures into one tensor, and their "
                     "labels into another", {f"({stack},": "samples)",
                                             f"torch.tensor({label})))": ""})


if __name__ == "__main__":
    main(__file__)
