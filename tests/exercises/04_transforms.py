"""Right answers to the exercises of lesson 4, in other words than the solutions."""

import random

import numpy as np
import torch
from torchvision import transforms
from torchvision.transforms import v2


def opencv_by_cvtcolor(array):
    import cv2

    return transforms.ToTensor()(cv2.cvtColor(array, cv2.COLOR_BGR2RGB))


def opencv_by_v2(array):
    rgb = array[:, :, ::-1].copy()
    return v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])(rgb)


def opencv_in_a_loop(array):
    height, width, _ = array.shape
    result = torch.zeros(3, height, width)
    for channel in range(3):
        result[channel] = torch.tensor(array[:, :, 2 - channel]) / 255
    return result


def opencv_in_numpy(array):
    return torch.tensor((array / 255.0).transpose(2, 0, 1)).flip(0)


def statistics_by_lists(pictures):
    means, stds = [], []
    for channel in range(3):
        values = []
        for picture in pictures:
            values.extend(picture[channel].flatten().tolist())
        values = torch.tensor(values)
        means.append(values.mean())
        stds.append(values.std())
    return torch.stack(means), torch.stack(stds)


def statistics_by_sums(pictures):
    count = sum(picture[0].numel() for picture in pictures)
    mean = sum(picture.sum(dim=(1, 2)) for picture in pictures) / count
    squares = sum(((picture - mean.reshape(3, 1, 1)) ** 2).sum(dim=(1, 2)) for picture in pictures)
    return mean, (squares / (count - 1)) ** 0.5


def statistics_in_numpy(pictures):
    rows = np.concatenate([picture.numpy().reshape(3, -1) for picture in pictures], axis=1)
    return torch.tensor(rows.mean(axis=1)), torch.from_numpy(rows.std(axis=1, ddof=1))


def array_in_a_loop(picture, mean, std):
    result = np.zeros((picture.shape[1], picture.shape[2], 3), dtype=np.uint8)
    for c in range(3):
        for y in range(picture.shape[1]):
            for x in range(picture.shape[2]):
                number = round((picture[c, y, x].item() * std[c] + mean[c]) * 255)
                result[y, x, c] = min(max(number, 0), 255)
    return result


def array_by_normalize(picture, mean, std):
    undo_std = v2.Normalize([0.0, 0.0, 0.0], [1 / number for number in std])
    undo_mean = v2.Normalize([-number for number in mean], [1.0, 1.0, 1.0])
    picture = undo_mean(undo_std(picture)).clamp(0, 1)
    return (picture * 255 + 0.5).byte().permute(1, 2, 0).numpy()


def array_in_numpy(picture, mean, std):
    array = picture.numpy().transpose(1, 2, 0) * np.array(std) + np.array(mean)
    return np.clip(np.rint(array * 255), 0, 255).astype(np.uint8)


def transform_v1(train, size):
    halves = (0.5, 0.5, 0.5)
    last = [transforms.ToTensor(), transforms.Normalize(halves, halves)]
    if not train:
        return transforms.Compose([transforms.CenterCrop(size), *last])
    flip = transforms.RandomHorizontalFlip(0.5)
    return transforms.Compose([flip, transforms.RandomCrop(size), *last])


def transform_tensor_first(train, size):
    steps = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [0.5])]
    if train:
        steps.append(v2.RandomCrop(size))
        steps.append(v2.RandomHorizontalFlip(p=0.5))
    else:
        steps.append(v2.CenterCrop(size))
    return v2.Compose(steps)


def transform_by_hand(train, size):
    height, width = size

    def transform(picture):
        array = np.array(picture)
        top, left = (array.shape[0] - height) // 2, (array.shape[1] - width) // 2
        if train:
            top = random.randint(0, array.shape[0] - height)
            left = random.randint(0, array.shape[1] - width)
        array = array[top : top + height, left : left + width]
        if train and random.random() < 0.5:
            array = array[:, ::-1]
        return torch.tensor(array.transpose(2, 0, 1) / 255 * 2 - 1)

    return transform


def transform_of_transforms(train, size):
    to_tensor = transforms.ToTensor()
    crop = v2.RandomCrop(size) if train else v2.CenterCrop(size)
    flip = v2.RandomHorizontalFlip(0.5 if train else 0)
    return lambda picture: (to_tensor(flip(crop(picture))) - 0.5) / 0.5


RIGHT = {
    "from_opencv": [opencv_by_cvtcolor, opencv_by_v2, opencv_in_a_loop, opencv_in_numpy],
    "mean_and_std": [statistics_by_lists, statistics_by_sums, statistics_in_numpy],
    "to_array": [array_in_a_loop, array_by_normalize, array_in_numpy],
    "make_transform": [transform_v1, transform_tensor_first, transform_by_hand,
                       transform_of_transforms],
}
# Changes of a solution that are as right as it is, as the test writes them.
EQUALLY_RIGHT = {
    "to_array": {    # the two 1 that are swapped are equal
        "torch.tensor(mean).reshape(3, 1, 1) -> swapped",
        "torch.tensor(std).reshape(3, 1, 1) -> swapped",
    },
    "make_transform": {"v2.Normalize([0.5] * 3, [0.5] * 3) -> swapped"},    # so are these two
}
