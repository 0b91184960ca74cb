"""Right answers to the exercises of lesson 7, in other words than the solutions."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def size_by_layers(size, layers):
    x = torch.zeros(1, 1, size, size)
    for kernel_size, stride, padding in layers:
        x = nn.Conv2d(1, 1, kernel_size, stride, padding)(x)
    return x.shape[-1]


def size_rounded(size, layers):
    for k, s, p in layers:
        size = math.floor((size + 2 * p - k) / s + 1)
    return size


def size_by_counting(size, layers):
    for kernel_size, stride, padding in layers:
        start, count = -padding, 0
        while start + kernel_size <= size + padding:
            count += 1
            start += stride
        size = count
    return size


def size_as_tensor(size, layers):
    size = torch.tensor(size)
    for layer in layers:
        size = (size - layer[0] + 2 * layer[2] + layer[1]) // layer[1]
    return size


def pool_unfolded(picture, kernel_size):
    windows = picture.unfold(0, kernel_size, kernel_size).unfold(1, kernel_size, kernel_size)
    return windows.amax(dim=(2, 3))    # (rows, columns, kernel_size, kernel_size) before


def pool_pixel_by_pixel(picture, kernel_size):
    rows = []
    for top in range(0, len(picture) - kernel_size + 1, kernel_size):
        row = []
        for left in range(0, picture.shape[1] - kernel_size + 1, kernel_size):
            largest = -math.inf
            for y in range(kernel_size):
                for x in range(kernel_size):
                    largest = max(largest, picture[top + y, left + x].item())
            row.append(largest)
        rows.append(row)
    return torch.tensor(rows)


def pool_reshaped(picture, kernel_size):
    height, width = (size // kernel_size for size in picture.shape)
    picture = picture[: height * kernel_size, : width * kernel_size].double()
    return picture.reshape(height, kernel_size, width, kernel_size).amax(3).amax(1)


def convolve_by_einsum(picture, weight, bias):
    height, width = weight.shape[2:]
    windows = picture.unfold(1, height, 1).unfold(2, width, 1)    # (in, rows, columns, y, x)
    return torch.einsum("iabyx,oiyx->oab", windows, weight) + bias[:, None, None]


def convolve_unfolded(picture, weight, bias):
    kernels, _, height, width = weight.shape
    columns = F.unfold(picture[None], (height, width))[0]
    result = weight.reshape(kernels, -1) @ columns + bias[:, None]
    return result.reshape(kernels, picture.shape[1] - height + 1, -1)


def convolve_by_shifting(picture, weight, bias):
    _, channels, kernel_height, kernel_width = weight.shape
    height = picture.shape[1] - kernel_height + 1
    width = picture.shape[2] - kernel_width + 1
    maps = []
    for kernel, number in zip(weight, bias, strict=True):
        total = torch.zeros(height, width) + number
        for channel in range(channels):
            for y in range(kernel_height):
                for x in range(kernel_width):
                    part = picture[channel, y : y + height, x : x + width]
                    total += kernel[channel, y, x] * part
        maps.append(total)
    return torch.stack(maps)


# PyTorch's own function, where there is one.
PYTORCH = {
    "max_pool": lambda picture, kernel_size: nn.MaxPool2d(kernel_size)(picture[None])[0],
    "convolve": lambda picture, weight, bias: F.conv2d(picture[None], weight, bias)[0],
}
# At least three for each exercise.
RIGHT = {
    "size_after": [size_by_layers, size_rounded, size_by_counting, size_as_tensor],
    "max_pool": [pool_unfolded, pool_pixel_by_pixel, pool_reshaped],
    "convolve": [convolve_by_einsum, convolve_unfolded, convolve_by_shifting],
}
