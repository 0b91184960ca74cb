"""Right answers to the exercises of lesson 5, in other words than the solutions."""

from collections import Counter

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Subset, default_collate
from torchvision.transforms import v2


def counts_in_a_loop(dataset):
    counts = {}
    for number in range(len(dataset.classes)):
        counts[dataset.classes[number]] = dataset.targets.count(number)
    return counts


def counts_by_index(dataset):
    targets = torch.tensor(dataset.targets)
    return {name: (targets == i).sum() for name, i in dataset.class_to_idx.items()}


def counts_by_counter(dataset):
    counter = Counter(dataset.classes[target] for target in dataset.targets)
    return {name: counter[name] for name in dataset.classes}


def counts_in_numpy(dataset):
    numbers = np.bincount(dataset.targets, minlength=len(dataset.classes))
    return dict(zip(dataset.classes, numbers.tolist(), strict=True))


def mean_in_a_loop(dataset, name):
    total, count = 0, 0
    for i in range(len(dataset.data)):
        if dataset.classes[dataset.targets[i]] == name:
            total = total + torch.tensor(dataset.data[i]).permute(2, 0, 1) / 255
            count += 1
    return total / count


def mean_of_samples(dataset, name):
    to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    number = dataset.class_to_idx[name]
    return torch.stack([to_tensor(p) for p, target in dataset if target == number]).mean(dim=0)


def mean_channel_by_channel(dataset, name):
    number = dataset.classes.index(name)
    chosen = [i for i, target in enumerate(dataset.targets) if target == number]
    result = torch.empty(3, *dataset.data.shape[1:3])
    for channel in range(3):
        result[channel] = torch.from_numpy(dataset.data[chosen, :, :, channel].mean(0) / 255.0)
    return result


def batch_by_loader(dataset, indices):
    return next(iter(DataLoader(Subset(dataset, indices), batch_size=len(indices))))


def batch_in_a_loop(dataset, indices):
    pictures, targets = [], []
    for index in indices:
        picture, target = dataset[index]
        pictures.append(picture)
        targets.append(torch.tensor(target))
    return torch.stack(pictures, dim=0), torch.stack(targets)


def batch_by_cat(dataset, indices):
    pictures = torch.cat([dataset[i][0].unsqueeze(0) for i in indices])
    targets = torch.zeros(len(indices), dtype=torch.long)
    for place, i in enumerate(indices):
        targets[place] = dataset[i][1]
    return pictures, targets


def batch_by_transforms(dataset, indices):
    from PIL import Image

    pictures = [dataset.transform(Image.fromarray(dataset.data[i])) for i in indices]
    targets = [dataset.targets[i] for i in indices]
    if dataset.target_transform:
        targets = [dataset.target_transform(target) for target in targets]
    return torch.stack(pictures), torch.LongTensor(targets)


class PartByNames(Dataset):
    def __init__(self, dataset, names):
        self.dataset = dataset
        self.names = names
        self.places = []
        for i in range(len(dataset.targets)):
            if dataset.classes[dataset.targets[i]] in names:
                self.places.append(i)

    def __len__(self):
        return len(self.places)

    def __getitem__(self, i):
        sample = self.dataset[self.places[i]]
        return sample[0], self.names.index(self.dataset.classes[sample[1]])


class PartByDict(Dataset):
    def __init__(self, dataset, names):
        self.new = {dataset.class_to_idx[name]: new for new, name in enumerate(names)}
        targets = enumerate(dataset.targets)
        self.part = Subset(dataset, [i for i, target in targets if target in self.new])

    def __len__(self):
        return len(self.part)

    def __getitem__(self, index):
        picture, target = self.part[index]
        return picture, torch.tensor(self.new[target])


class PartInMemory:
    def __init__(self, dataset, names):
        self.samples = []
        for picture, target in dataset:
            name = dataset.classes[target]
            if name in names:
                self.samples.append((picture, names.index(name)))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


class PartInNumpy(Dataset):
    def __init__(self, dataset, names):
        self.dataset = dataset
        numbers = np.array([dataset.class_to_idx[name] for name in names])
        self.table = np.array(dataset.targets)[:, None] == numbers    # (samples, names)
        self.rows = np.flatnonzero(self.table.any(axis=1))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        row = self.rows[index]
        return self.dataset[row][0], int(self.table[row].argmax())


PYTORCH = {
    "batch_of": lambda dataset, indices: tuple(default_collate([dataset[i] for i in indices])),
}
RIGHT = {
    "count_by_name": [counts_in_a_loop, counts_by_index, counts_by_counter, counts_in_numpy],
    "mean_picture": [mean_in_a_loop, mean_of_samples, mean_channel_by_channel],
    "batch_of": [batch_by_loader, batch_in_a_loop, batch_by_cat, batch_by_transforms],
    "OnlyClasses": [PartByNames, PartByDict, PartInMemory, PartInNumpy],
}
# Changes of a solution that are as right as it is, as the test writes them.
EQUALLY_RIGHT = {    # statements whose order does not matter
    "batch_of": {"earlier targets = torch.tensor([dataset[i][1] for i in indices])"},
    "OnlyClasses": {
        "earlier self.numbers = [dataset.class_to_idx[name] for name in names]",
    },
}
