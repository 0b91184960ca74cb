"""Right answers to the exercises of lesson 2, in other words than the solutions."""

import math

import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Dataset


def iterations_rounded(samples, batch_size, drop_last, epochs):
    per_epoch = samples / batch_size
    return epochs * (math.floor(per_epoch) if drop_last else math.ceil(per_epoch))


def iterations_counted(samples, batch_size, drop_last, epochs):
    count = 0
    for _ in range(epochs):
        left = samples
        while left >= batch_size:
            count += 1
            left -= batch_size
        if left and drop_last is False:
            count += 1
    return count


def iterations_in_one_line(samples, batch_size, drop_last, epochs):
    return epochs * ((samples if drop_last else samples + batch_size - 1) // batch_size)


class PicturesInTwoLists(Dataset):
    def __init__(self, samples, transform=None):
        self.paths = [sample[0] for sample in samples]
        self.labels = [sample[1] for sample in samples]
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = Image.open(self.paths[i])
        image = image.convert("RGB")
        if self.transform:
            return self.transform(image), self.labels[i]
        return image, self.labels[i]


class PicturesClosed:
    def __init__(self, samples, transform=None):
        self.data = tuple(samples)
        self.transform = transform or (lambda x: x)

    def __len__(self):
        count = 0
        for _ in self.data:
            count += 1
        return count

    def __getitem__(self, index):
        sample = self.data[index]
        with Image.open(sample[0]) as picture:
            return [self.transform(picture.convert("RGB")), sample[1]]


class PicturesMerged(Dataset):
    def __init__(self, samples, transform=None):
        super().__init__()
        self.samples, self.f = samples, transform

    def __getitem__(self, index):
        picture = Image.open(self.samples[index][0])
        if picture.mode != "RGB":
            picture = picture.convert(mode="RGB")
        return (picture if self.f is None else self.f(picture)), self.samples[index][-1]

    def __len__(self):
        return self.samples.__len__()


class JoinedOtherWay(Dataset):
    def __init__(self, first, second):
        self.a = first
        self.b = second
        self.border = len(first)

    def __len__(self):
        return self.border + len(self.b)

    def __getitem__(self, index):
        return self.b[index - self.border] if index >= self.border else self.a[index]


class JoinedByTrying(Dataset):
    def __init__(self, first, second):
        self.first = first
        self.second = second

    def __len__(self):
        return sum(len(data) for data in (self.first, self.second))

    def __getitem__(self, index):
        try:
            return self.first[index]
        except IndexError:
            return self.second[index - len(self.first)]


class JoinedWithATable:
    def __init__(self, first, second):
        self.table = [(first, i) for i in range(len(first))]
        for i in range(len(second)):
            self.table.append((second, i))

    def __len__(self):
        return len(self.table)

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError("no such sample")
        data, i = self.table[index]
        return data[i]


def batches_sample_by_sample(data, order, batch_size, drop_last):
    result, pictures, labels = [], [], []
    for index in order:
        picture, label = data[index]
        pictures.append(picture)
        labels.append(label)
        if len(labels) == batch_size:
            result.append([torch.stack(pictures), torch.tensor(labels)])
            pictures, labels = [], []
    if labels and not drop_last:
        result.append([torch.stack(pictures), torch.tensor(labels)])
    return result


def batches_from_one_tensor(data, order, batch_size, drop_last):
    pictures = torch.stack([data[i][0] for i in order])
    labels = torch.tensor([data[i][1] for i in order])
    pairs = list(zip(pictures.split(batch_size), labels.split(batch_size), strict=True))
    if drop_last and len(order) % batch_size != 0:
        pairs.pop()
    return pairs


def batches_copied(data, order, batch_size, drop_last):
    batches = []
    count = len(order) // batch_size if drop_last else math.ceil(len(order) / batch_size)
    for batch in range(count):
        indices = order[batch * batch_size : (batch + 1) * batch_size]
        pictures = torch.zeros(len(indices), *data[0][0].shape)
        labels = torch.zeros(len(indices), dtype=torch.int64)
        for place, index in enumerate(indices):
            pictures[place], labels[place] = data[index]
        batches.append((pictures, labels))
    return batches


# PyTorch's own, where there is one.
PYTORCH = {
    "count_iterations": lambda samples, batch_size, drop_last, epochs: epochs * len(
        DataLoader(range(samples), batch_size, drop_last=drop_last)),
    "Joined": lambda first, second: ConcatDataset([first, second]),
    "make_batches": lambda data, order, batch_size, drop_last: list(
        DataLoader(data, batch_size, sampler=order, drop_last=drop_last)),
}
# At least three for each exercise.
RIGHT = {
    "count_iterations": [iterations_rounded, iterations_counted, iterations_in_one_line],
    "Pictures": [PicturesInTwoLists, PicturesClosed, PicturesMerged],
    "Joined": [JoinedOtherWay, JoinedByTrying, JoinedWithATable],
    "make_batches": [batches_sample_by_sample, batches_from_one_tensor, batches_copied],
}
