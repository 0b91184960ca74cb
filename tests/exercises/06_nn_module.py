"""Right answers to the exercises of lesson 6, in other words than the solutions."""

import itertools

import torch
import torch.nn.functional as F
from torch import nn


class ScaleInForward(nn.Module):
    def __init__(self, scale, shift):
        super().__init__()
        self.shift = nn.Parameter(shift)
        self.scale = nn.Parameter(scale)

    def forward(self, x):
        channels = x.shape[1]
        return self.shift.reshape(1, channels, 1, 1) + self.scale.reshape(1, channels, 1, 1) * x


class ScaleByLoop(nn.Module):
    def __init__(self, scale, shift):
        super().__init__()
        self.a = nn.Parameter(scale.clone())
        self.b = nn.Parameter(shift.clone())

    def forward(self, x):
        result = torch.zeros_like(x)
        for channel in range(len(self.a)):
            result[:, channel] = x[:, channel] * self.a[channel] + self.b[channel]
        return result


class ScaleByDict(nn.Module):
    def __init__(self, scale, shift):
        super().__init__()
        self.numbers = nn.ParameterDict({"scale": scale[:, None, None], "shift": shift[:, None, None]})

    def forward(self, x):
        return self.numbers["scale"] * x + self.numbers["shift"]


class ScaleByConvolution(nn.Module):
    def __init__(self, scale, shift):
        super().__init__()
        self.conv = nn.Conv2d(len(scale), len(scale), 1, groups=len(scale))
        self.conv.weight = nn.Parameter(scale.reshape(-1, 1, 1, 1))
        self.conv.bias = nn.Parameter(shift)

    def forward(self, x):
        return self.conv(x)


def map_into_zeros(picture, kernel, stride, padding):
    height, width = picture.shape
    bordered = torch.zeros(height + 2 * padding, width + 2 * padding)
    bordered[padding : padding + height, padding : padding + width] = picture
    rows = (height + 2 * padding - kernel.shape[0]) // stride + 1
    columns = (width + 2 * padding - kernel.shape[1]) // stride + 1
    result = torch.zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride, column * stride
            window = bordered[top : top + kernel.shape[0], left : left + kernel.shape[1]]
            result[row, column] = (window * kernel).sum()
    return result


def map_without_a_border(picture, kernel, stride, padding):
    rows = []
    for top in range(-padding, picture.shape[0] + padding - kernel.shape[0] + 1, stride):
        row = []
        for left in range(-padding, picture.shape[1] + padding - kernel.shape[1] + 1, stride):
            total = 0.0
            for y in range(kernel.shape[0]):
                for x in range(kernel.shape[1]):
                    inside = 0 <= top + y < picture.shape[0] and 0 <= left + x < picture.shape[1]
                    if inside:
                        total += kernel[y, x].item() * picture[top + y, left + x].item()
            row.append(total)
        rows.append(row)
    return torch.tensor(rows)


def map_every_few(picture, kernel, stride, padding):
    picture = F.pad(picture, (padding,) * 4)
    windows = picture.unfold(0, kernel.shape[0], 1).unfold(1, kernel.shape[1], 1)
    return (windows * kernel).sum(dim=(2, 3))[::stride, ::stride]


def blur_by_loops(picture, size):
    result = torch.zeros_like(picture)
    half = size // 2
    channels, height, width = picture.shape
    for channel in range(channels):
        for y in range(height):
            for x in range(width):
                window = picture[channel, max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]
                result[channel, y, x] = window.sum() / size**2
    return result


def blur_channel_by_channel(picture, size):
    kernel = torch.full((1, 1, size, size), 1 / size**2)
    channels = [F.conv2d(channel.unsqueeze(0), kernel, padding=(size - 1) // 2) for channel in picture]
    return torch.cat(channels)


def blur_by_groups(picture, size):
    kernel = torch.ones(len(picture), 1, size, size)
    return F.conv2d(picture, kernel, padding=size // 2, groups=len(picture)) / (size * size)


def blur_by_large_kernel(picture, size):
    """A kernel for each channel, with zeros for the others."""
    kernel = torch.zeros(len(picture), len(picture), size, size)
    for channel in range(len(picture)):
        kernel[channel, channel] = 1 / size**2
    return F.conv2d(picture[None], kernel, padding=size // 2)[0]


class ConvolutionsInSequential(nn.Module):
    def __init__(self, channels):
        super().__init__()
        layers = []
        for before, after in itertools.pairwise(channels):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        self.network = nn.Sequential(*layers[:-1])

    def forward(self, x):
        return self.network(x)


class ConvolutionsByCounting(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.count = len(channels) - 1
        self.convs = nn.ModuleList(
            [nn.Conv2d(channels[i], channels[i + 1], 3, 1, 1) for i in range(self.count)])

    def forward(self, x):
        for i, conv in enumerate(self.convs):
            x = conv(x)
            if i < self.count - 1:
                x = torch.relu(x)
        return x


class ConvolutionsByDict(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layers = nn.ModuleDict()
        for i in range(1, len(channels)):
            self.layers[f"conv{i}"] = nn.Conv2d(channels[i - 1], channels[i], (3, 3), padding="same")

    def forward(self, x):
        first, *others = self.layers.values()
        x = first(x)
        for layer in others:
            x = layer(x.clamp(min=0))
        return x


PYTORCH = {
    "feature_map": lambda picture, kernel, stride, padding: F.conv2d(
        picture[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0],
    "blur": lambda picture, size: F.avg_pool2d(picture, size, stride=1, padding=size // 2),
}
RIGHT = {
    "ScaleAndShift": [ScaleInForward, ScaleByLoop, ScaleByDict, ScaleByConvolution],
    "feature_map": [map_into_zeros, map_without_a_border, map_every_few],
    "blur": [blur_by_loops, blur_channel_by_channel, blur_by_groups, blur_by_large_kernel],
    "Convolutions": [ConvolutionsInSequential, ConvolutionsByCounting, ConvolutionsByDict],
}
# Changes of a solution that are as right as it is, as the test writes them.
EQUALLY_RIGHT = {    # equal numbers are swapped, or the order of statements does not matter
    "ScaleAndShift": {
        "scale.reshape(-1, 1, 1) -> swapped",
        "shift.reshape(-1, 1, 1) -> swapped",
        "earlier self.shift = nn.Parameter(shift.reshape(-1, 1, 1))",
    },
    "feature_map": {"earlier height, width = kernel.shape", "earlier sums = []"},
    "blur": {"torch.ones(1, 1, size, size) -> swapped", "earlier pictures = picture.unsqueeze(1)"},
}
