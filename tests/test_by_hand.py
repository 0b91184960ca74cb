"""Convolution, pooling, losses and SGD computed by hand in NumPy, and PyTorch held against them.

The references know nothing of PyTorch: loops over every output, so that they can be read beside the formula.
Inputs are whole numbers in double precision wherever the sums are exact: there the results must be equal.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn, optim

Pair = tuple[int, int]


def output_size(
    n: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False
) -> int:
    """Number of windows along one side."""
    steps = (n + 2 * padding - dilation * (kernel - 1) - 1) / stride
    if not ceil_mode:
        return math.floor(steps) + 1
    size = math.ceil(steps) + 1
    # Rounding up may add a window that would begin in the padding behind the picture: that one is dropped.
    return size - 1 if (size - 1) * stride >= n + padding else size


def conv2d(
    images: np.ndarray,
    kernels: np.ndarray,
    bias: np.ndarray | None = None,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlation of (N, C, H, W) with (O, C / groups, h, w): multiply onto each window and sum."""
    count, _, height, width = images.shape
    out_channels, group_channels, kernel_height, kernel_width = kernels.shape
    padded = np.pad(images, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    rows = output_size(height, kernel_height, stride[0], padding[0], dilation[0])
    columns = output_size(width, kernel_width, stride[1], padding[1], dilation[1])
    out = np.zeros((count, out_channels, rows, columns), images.dtype)
    for n, o, y, x in np.ndindex(*out.shape):
        first_channel = o // (out_channels // groups) * group_channels
        total = 0 if bias is None else bias[o]
        for c, i, j in np.ndindex(group_channels, kernel_height, kernel_width):
            row, column = y * stride[0] + i * dilation[0], x * stride[1] + j * dilation[1]
            total += padded[n, first_channel + c, row, column] * kernels[o, c, i, j]
        out[n, o, y, x] = total
    return out


def max_pool2d(
    images: np.ndarray, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The largest value of each window, and its place counted row by row through the unpadded picture."""
    count, channels, height, width = images.shape
    rows = output_size(height, kernel[0], stride[0], padding[0], dilation[0], ceil_mode)
    columns = output_size(width, kernel[1], stride[1], padding[1], dilation[1], ceil_mode)
    largest = np.full((count, channels, rows, columns), -np.inf)
    places = np.full(largest.shape, -1)
    for n, c, y, x in np.ndindex(*largest.shape):
        for i, j in np.ndindex(*kernel):
            row = y * stride[0] - padding[0] + i * dilation[0]
            column = x * stride[1] - padding[1] + j * dilation[1]
            inside = 0 <= row < height and 0 <= column < width
            if inside and images[n, c, row, column] > largest[n, c, y, x]:
                largest[n, c, y, x] = images[n, c, row, column]
                places[n, c, y, x] = row * width + column
    return largest, places


def cross_entropy(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """For each row, minus the logarithm of the share that its Softmax gives to the right class."""
    losses = np.zeros(len(scores))
    for n, (row, target) in enumerate(zip(scores, targets, strict=True)):
        # Without the largest taken off, exp overflows for scores above 709.
        shifted = [score - max(row) for score in row]
        losses[n] = math.log(sum(math.exp(score) for score in shifted)) - shifted[target]
    return losses


def sgd(
    weights: np.ndarray,
    gradients: np.ndarray,
    lr: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
) -> np.ndarray:
    """The weights after one step for each of the gradients."""
    weights = weights.copy()
    velocity = np.zeros_like(weights)
    for gradient in gradients:
        for i in range(len(weights)):
            slope = gradient[i] + weight_decay * weights[i]
            velocity[i] = momentum * velocity[i] + slope
            weights[i] -= lr * (slope + momentum * velocity[i] if nesterov else velocity[i])
    return weights


def whole_numbers(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(np.float64)


def assert_same(by_torch: torch.Tensor, by_hand: np.ndarray) -> None:
    np.testing.assert_array_equal(by_torch.numpy(), by_hand, strict=True)


# Convolution


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 2), (1, 2)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (0, 2)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (2, 3)])
def test_conv2d(stride: Pair, padding: Pair, dilation: Pair, groups: int) -> None:
    images = whole_numbers(2, 4, 6, 7, seed=0)
    kernels = whole_numbers(4, 4 // groups, 3, 2, seed=1)
    bias = whole_numbers(4, seed=2)
    by_torch = F.conv2d(
        torch.from_numpy(images),
        torch.from_numpy(kernels),
        torch.from_numpy(bias),
        stride,
        padding,
        dilation,
        groups,
    )
    assert_same(by_torch, conv2d(images, kernels, bias, stride, padding, dilation, groups))


@pytest.mark.parametrize(("bias", "expected"), [(None, [[15, 16], [6, 15]]), ([3], [[18, 19], [9, 18]])])
def test_conv2d_of_chapter_6(bias: list[int] | None, expected: list[list[int]]) -> None:
    image = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]])[None, None]
    kernel = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]])[None, None]
    by_hand = conv2d(image, kernel, None if bias is None else np.array(bias))
    by_torch = F.conv2d(
        torch.from_numpy(image), torch.from_numpy(kernel), None if bias is None else torch.tensor(bias)
    )

    assert by_hand.tolist() == [[expected]]
    assert by_torch.tolist() == [[expected]]


# Pooling


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 2), (2, 1)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (0, 1)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 2)])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 2)])
def test_max_pool2d(kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool) -> None:
    # All values differ: which of two equal ones gives the index is not promised.
    images = np.random.default_rng(0).permutation(2 * 3 * 6 * 7).reshape(2, 3, 6, 7).astype(np.float64)
    largest, places = F.max_pool2d(
        torch.from_numpy(images), kernel, stride, padding, dilation, ceil_mode, return_indices=True
    )
    by_hand = max_pool2d(images, kernel, stride, padding, dilation, ceil_mode)
    assert_same(largest, by_hand[0])
    assert_same(places, by_hand[1])


def test_max_pool2d_does_not_take_the_padding() -> None:
    image = np.full((1, 1, 3, 3), -5.0)
    by_hand, _ = max_pool2d(image, (2, 2), (2, 2), (1, 1), (1, 1), ceil_mode=False)

    assert by_hand.tolist() == [[[[-5, -5], [-5, -5]]]]
    assert_same(F.max_pool2d(torch.from_numpy(image), 2, padding=1), by_hand)


def test_max_pool2d_of_chapter_7() -> None:
    image = np.array([[1.0, 2, 1, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 4, 0, 1]])[None, None]
    by_hand, _ = max_pool2d(image, (2, 2), (2, 2), (0, 0), (1, 1), ceil_mode=False)

    assert by_hand.tolist() == [[[[2, 3], [4, 2]]]]
    assert_same(nn.MaxPool2d(kernel_size=2)(torch.from_numpy(image)), by_hand)


# Sizes


def fits(n: int, kernel: int, padding: int, dilation: int) -> bool:
    return n + 2 * padding > dilation * (kernel - 1)


@pytest.mark.parametrize("n", range(3, 10))
def test_output_size(n: int) -> None:
    line = torch.zeros(1, 1, n, 1, device="meta")    # only the shape is asked for
    for kernel, stride, padding, dilation in product((1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2)):
        if not fits(n, kernel, padding, dilation):
            continue
        weight = torch.zeros(1, 1, kernel, 1, device="meta")
        convolved = F.conv2d(line, weight, None, (stride, 1), (padding, 0), (dilation, 1))
        assert convolved.shape[2] == output_size(n, kernel, stride, padding, dilation)
        if padding > kernel // 2:    # PyTorch refuses to pool over more padding than half a window
            continue
        for ceil_mode in (False, True):
            pooled = F.max_pool2d(line, (kernel, 1), (stride, 1), (padding, 0), (dilation, 1), ceil_mode)
            assert pooled.shape[2] == output_size(n, kernel, stride, padding, dilation, ceil_mode)


@pytest.mark.parametrize(("ceil_mode", "size"), [(False, 2), (True, 3)])
def test_ceil_mode_adds_the_window_that_hangs_over(ceil_mode: bool, size: int) -> None:
    assert output_size(5, 2, 2, 0, 1, ceil_mode) == size
    assert F.max_pool2d(torch.zeros(1, 1, 5, 5), 2, ceil_mode=ceil_mode).shape == (1, 1, size, size)


def test_ceil_mode_drops_a_window_beyond_the_picture() -> None:
    assert math.ceil((3 - 1 - 1) / 3 + 1) == 2
    assert output_size(3, 2, 3, 0, 1, ceil_mode=True) == 1
    assert F.max_pool2d(torch.zeros(1, 1, 3, 3), 2, stride=3, ceil_mode=True).shape == (1, 1, 1, 1)


# Losses


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (nn.L1Loss(), 3.0),
        (nn.L1Loss(reduction="sum"), 9.0),
        (nn.MSELoss(), 29 / 3),    # printed as 9.6667
        (nn.MSELoss(reduction="sum"), 29.0),
    ],
)
def test_distances_of_chapter_10(loss: nn.L1Loss | nn.MSELoss, expected: float) -> None:
    outputs, targets = [1.0, 2.0, 3.0], [4.0, -2.0, 5.0]
    power = 1 if isinstance(loss, nn.L1Loss) else 2
    distances = [abs(output - target) ** power for output, target in zip(outputs, targets, strict=True)]
    by_hand = sum(distances) / (len(distances) if loss.reduction == "mean" else 1)

    assert by_hand == pytest.approx(expected)
    assert loss(torch.tensor(outputs), torch.tensor(targets)).item() == pytest.approx(expected)


@pytest.mark.parametrize(("scores", "expected"), [([0.1, 0.7, 0.2], 0.7679), ([0.8, 0.1, 0.1], 1.3897)])
def test_cross_entropy_of_chapter_10(scores: list[float], expected: float) -> None:
    by_hand = cross_entropy(np.array([scores]), np.array([1]))
    by_torch = nn.CrossEntropyLoss()(torch.tensor(scores), torch.tensor(1))

    assert by_hand[0] == pytest.approx(expected, abs=5e-5)
    assert by_torch.item() == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("spread", [0.1, 1.0, 1000.0])
def test_cross_entropy(spread: float) -> None:
    scores = spread * np.random.default_rng(0).standard_normal((16, 10))
    targets = np.random.default_rng(1).integers(0, 10, 16)
    by_hand = cross_entropy(scores, targets)

    for reduction, expected in (("none", by_hand), ("sum", by_hand.sum()), ("mean", by_hand.mean())):
        by_torch = F.cross_entropy(torch.from_numpy(scores), torch.from_numpy(targets), reduction=reduction)
        np.testing.assert_allclose(by_torch.numpy(), expected, rtol=1e-12)


# Stochastic gradient descent


@pytest.mark.parametrize("steps", [1, 3])    # the momentum of the first step is its gradient alone
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd(momentum: float, nesterov: bool, weight_decay: float, steps: int) -> None:
    start = whole_numbers(5, seed=0)
    gradients = whole_numbers(steps, 5, seed=1)

    weights = nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = optim.SGD(
        [weights], lr=0.01, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
    )
    for gradient in gradients:
        weights.grad = torch.from_numpy(gradient.copy())
        optimizer.step()

    by_hand = sgd(start, gradients, 0.01, momentum, nesterov, weight_decay)
    np.testing.assert_allclose(weights.detach().numpy(), by_hand, rtol=1e-12)
