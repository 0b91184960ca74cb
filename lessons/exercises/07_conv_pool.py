"""Exercises to lesson 7: convolution and pooling

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=7`.
"""

import torch

from shared.exercises import calls, exercise, main


def numbers(*shape):
    """Numbers in no order, below and above 0, the same each time."""
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).mul(7).cos().reshape(shape)


# 1


@exercise(
    look=calls((7, [(3, 1, 0)]), (7, [(3, 2, 0)]), (28, [(5, 1, 2)]), (7, [(3, 3, 0)]),
               (29, [(4, 3, 1)]), (32, [(5, 1, 2), (2, 2, 0), (3, 2, 1)])),
    hint="The formula of lesson 7 counts the windows of one layer. Its result is the size of the "
         "picture for the next layer: `size = ...` in a loop over the layers.")
def size_after(size, layers):
    """The width of a picture after one or several convolution and pooling layers.

    size: the width before, a whole number, such as 32
    layers: a list with a triple for each layer: (kernel_size, stride, padding). There is no
        dilation. Pixels at the end that are too few for one more window are dropped.

    Returns a whole number. For example, size_after(7, [(3, 2, 0)]) is 3: a row of 7 pixels has
    three windows of 3 pixels, 2 pixels apart.
    """
    for kernel_size, stride, padding in layers:
        left = size + 2 * padding - kernel_size    # pixels on the right of the first window
        size = left // stride + 1
    return size


size_after.mistake("the first window is not counted: + 1 at the end", {"stride + 1": "stride"})
size_after.mistake("padding is added on one side only", {"2 * padding": "padding"})
size_after.mistake("padding is left out", {"2 * padding": "0"})
size_after.mistake("the padding is taken away, but it makes the picture larger",
                   {"+ 2 * padding": "- 2 * padding"})
size_after.mistake("the stride is left out", {"left // stride": "left"})
size_after.mistake("the result is not a whole number: // divides and rounds down", {"//": "/"})
size_after.mistake("it rounds up, but what is left over is dropped",
                   {"left // stride": "-(-left // stride)"})
size_after.mistake("the 1 is added before the division",
                   {"left // stride + 1": "(left + 1) // stride"})
size_after.mistake("the size is divided by the stride, and the kernel plays no part",
                   {"- kernel_size": "", "// stride + 1": "// stride"})
size_after.mistake("only the first layer counts", {"    return size": "        return size"})
size_after.mistake("each layer begins with the first size, not with that after the layer before",
                   {"for kernel": "first = size\n    for kernel", "left = size": "left = first"})


# 2


@exercise(
    look=calls((torch.tensor([[1.0, 2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0],
                              [3.0, 0.0, 1.0, 2.0], [2.0, 4.0, 0.0, 1.0]]), 2),
               (numbers(6, 9), 3), (-numbers(5, 7).abs(), 2), (numbers(13, 8), 4)),
    hint="Make a tensor of zeros for the result. In two loops, over its rows y and its columns x, "
         "cut out the window: its first row is y * kernel_size.",
    draw=lambda max_pool: enlarged(max_pool(PICTURE.mean(dim=0), 2)))
def max_pool(picture, kernel_size):
    """The largest number of each window, as nn.MaxPool2d(kernel_size) gives it.

    picture: a float tensor (height, width), any numbers
    kernel_size: the height and the width of a window, a whole number. The windows lie side by side
        and do not overlap. What is left over on the right and at the bottom is dropped.

    Returns a float tensor (height // kernel_size, width // kernel_size). For example, with
    kernel_size 2, [[1.0, 2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0]] gives [[2.0, 3.0]].
    """
    rows, columns = picture.shape[0] // kernel_size, picture.shape[1] // kernel_size
    result = torch.zeros(rows, columns)
    for y in range(rows):
        for x in range(columns):
            top, left = y * kernel_size, x * kernel_size
            window = picture[top : top + kernel_size, left : left + kernel_size]
            result[y, x] = window.max()
    return result


apart, largest = "y * kernel_size, x * kernel_size", "window.max()"
max_pool.mistake("the windows overlap: they should be kernel_size pixels apart, not 1",
                 {apart: "y, x", "shape[0] // kernel_size": "shape[0] - kernel_size + 1",
                  "shape[1] // kernel_size": "shape[1] - kernel_size + 1"})
max_pool.mistake("the windows begin at the rows and columns 0, 1, 2, ...: they should be "
                 "kernel_size apart", {apart: "y, x"})
max_pool.mistake("the mean of each window is taken", {largest: "window.mean()"})
max_pool.mistake("the smallest number of each window is taken", {largest: "window.min()"})
max_pool.mistake("the numbers of each window are added up", {largest: "window.sum()"})
max_pool.mistake("the first pixel of each window is taken", {largest: "window[0, 0]"})
max_pool.mistake("the search begins with 0 as the largest number: all may be below 0",
                 {largest: "window.max().clamp(min=0)"})
max_pool.mistake("rows and columns have changed places", {"return result": "return result.T"})
max_pool.mistake("the largest number of the whole picture is taken",
                 {"return result": "return picture.max()"})


@max_pool.mistake("windows that are partly outside are kept, as with ceil_mode")
def _(picture, kernel_size):
    return torch.nn.functional.max_pool2d(picture[None], kernel_size, ceil_mode=True)[0]


def squares(picture, kernel_size, step, side):
    """The largest number of windows that are `step` pixels apart and have `side` pixels a side."""
    rows, columns = (length // kernel_size for length in picture.shape)
    return torch.stack([picture[y * step:y * step + side, x * step:x * step + side].max()
                        for y in range(rows) for x in range(columns)]).reshape(rows, columns)


@max_pool.mistake("the windows are 2 pixels high and wide, as in the lesson, and not kernel_size")
def _(picture, kernel_size):
    return squares(picture, kernel_size, step=kernel_size, side=2)


@max_pool.mistake("the windows are 2 pixels high and wide, and 2 pixels apart, as in the lesson. "
                  "Both should be kernel_size")
def _(picture, kernel_size):
    return squares(picture, kernel_size, step=2, side=2)


# 3


@exercise(
    look=calls((torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]),
                torch.tensor([[[[0.0, 1.0], [2.0, 0.0]]]]), torch.tensor([0.5])),
               (numbers(1, 4, 5), numbers(2, 1, 2, 3), numbers(2)),
               (numbers(3, 5, 6), numbers(4, 3, 3, 2), numbers(4))),
    hint="Three loops: over the kernels, the rows and the columns of the result. Inside them, cut "
         "out the window from all channels, and write (window * weight[kernel]).sum() + "
         "bias[kernel].",
    draw=lambda convolve: enlarged(convolve(PICTURE, EDGES, torch.zeros(1))[0] / 6 + 0.5))
def convolve(picture, weight, bias):
    """What nn.Conv2d makes of one picture, without padding, with a stride of 1.

    picture: a float tensor (channels in, height, width)
    weight: the kernels, a float tensor (channels out, channels in, kernel height, kernel width)
    bias: a float tensor (channels out,)

    Returns a float tensor (channels out, height - kernel height + 1, width - kernel width + 1).
    For example, a picture [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]], one kernel
    [[[[0.0, 1.0], [2.0, 0.0]]]] and the bias [0.5] give [[[10.5, 13.5]]]. The first number is
    0 * 1 + 1 * 2 + 2 * 4 + 0 * 5 + 0.5.
    """
    height, width = weight.shape[2:]
    rows, columns = picture.shape[1] - height + 1, picture.shape[2] - width + 1
    result = torch.zeros(len(weight), rows, columns)
    for kernel in range(len(weight)):
        for y in range(rows):
            for x in range(columns):
                window = picture[:, y : y + height, x : x + width]
                result[kernel, y, x] = (window * weight[kernel]).sum() + bias[kernel]
    return result


plus_bias, product = " + bias[kernel]", "window * weight[kernel]"
convolve.mistake("the bias is left out", {plus_bias: ""})
convolve.mistake("the bias is added once for each channel of the picture",
                 {plus_bias: " + len(picture) * bias[kernel]"})
convolve.mistake("the bias is added to each product, before they are added up",
                 {plus_bias: " + window.numel() * bias[kernel]"})
convolve.mistake("the kernel is turned around; PyTorch does not turn it",
                 {product: f"{product}.flip(1, 2)"})
convolve.mistake("only the first channel of the picture is used",
                 {product: "window[:1] * weight[kernel, :1]"})
convolve.mistake("the first channel of the picture stands for all its channels",
                 {product: "window[:1] * weight[kernel]"})
convolve.mistake("the mean over the channels is taken, not the sum",
                 {".sum()": ".sum() / len(picture)"})
convolve.mistake("the mean over the window is taken, not the sum", {".sum()": ".mean()"})
convolve.mistake("the last row and column of windows are missing: there are height - kernel height "
                 "+ 1 rows of them", {"height + 1": "height", "width + 1": "width"})
convolve.mistake("every kernel is the first one", {product: "window * weight[0]"})


@convolve.mistake("the windows are 3 pixels high and wide, as in the lesson. They should be as "
                  "large as the kernel, weight.shape[2:]")
def _(picture, weight, bias):
    return (picture[:, :3, :3] * weight[0]).sum() + bias[0]    # fails in the first example


# For TensorBoard: a bright disc in front of slanted stripes, and a kernel for vertical edges.

rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
stripes = ((columns + rows // 2) // 3 % 2) * torch.tensor([0.2, 0.4, 0.7]).reshape(3, 1, 1)
disc = (rows - 24) ** 2 + (columns - 28) ** 2 < 14**2
PICTURE = torch.where(disc, torch.tensor([0.9, 0.6, 0.2]).reshape(3, 1, 1), stripes)
EDGES = torch.tensor([[1.0, 0.0, -1.0]]).repeat(1, 3, 3, 1)    # (1, 3, 3, 3)


def enlarged(grey):
    """(height, width) -> (3, 8 * height, 8 * width), still grey"""
    return grey.clamp(0, 1).repeat_interleave(8, 0).repeat_interleave(8, 1).expand(3, -1, -1)


if __name__ == "__main__":
    main(__file__)
