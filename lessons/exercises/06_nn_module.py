"""Exercises to lesson 6: nn.Module and convolution

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=6`.
"""

import torch
import torch.nn.functional as F
from torch import nn

from shared.exercises import calls, exercise, main


def numbers(*shape):
    """Numbers in no order, below and above 0, the same each time."""
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).mul(7).cos().reshape(shape)


# For TensorBoard: a bright disc in front of slanted stripes, (3, 40, 60), and a kernel for edges.

rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
stripes = ((columns + rows // 2) // 4 % 2) * torch.tensor([0.2, 0.4, 0.7]).reshape(3, 1, 1)
disc = (rows - 16) ** 2 + (columns - 38) ** 2 < 11**2
PICTURE = torch.where(disc, torch.tensor([0.9, 0.6, 0.2]).reshape(3, 1, 1), stripes)
EDGES = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])


def enlarged(picture):
    """(channels, height, width) -> (3, 6 * height, 6 * width)"""
    picture = picture.detach().clamp(0, 1).expand(3, -1, -1)
    return picture.repeat_interleave(6, dim=1).repeat_interleave(6, dim=2)


# 1


def look_at_module(module_class):
    module = module_class(torch.tensor([2.0, 3.0]), torch.tensor([0.0, 1.0]))
    pixel = torch.tensor([5.0, 1.0]).reshape(1, 2, 1, 1)
    seen = {"with scale [2.0, 3.0] and shift [0.0, 1.0], a pixel [5.0, 1.0] becomes": module(pixel)}
    parameters = list(module.parameters())
    seen["its number of parameters"] = len(parameters)
    seen["how many numbers they hold"] = sum(parameter.numel() for parameter in parameters)
    with torch.no_grad():    # as if by training
        for parameter in parameters:
            parameter.data = parameter.data + 1
    seen["after 1 was added to each parameter, that pixel becomes"] = module(pixel)

    module = module_class(torch.tensor([0.5, -2.0, 3.0]), torch.tensor([-1.0, 0.25, 2.0]))
    seen["clue: parameters before the first call"] = len(list(module.parameters()))
    pictures = numbers(2, 3, 3, 3)
    return seen | {"two pictures of three channels, 3x3 pixels, become": module(pictures)}


@exercise(
    look_at_module,
    hint="In __init__: super().__init__() first, then self.scale = nn.Parameter(...). If it has "
         "the shape (channels, 1, 1), x * self.scale uses each of its numbers for a whole channel: "
         "scale.reshape(-1, 1, 1).")
class ScaleAndShift(nn.Module):
    """Multiplies each channel by a number of its own, and then adds another one.

    scale, shift: two float tensors (channels,), the numbers with which training begins

    It is called with a float tensor (batch, channels, height, width), and returns another of the
    same shape. Training can change all numbers of scale and shift: they are its two parameters.
    For example, with the scale [2.0, 3.0] and the shift [0.0, 1.0], a pixel whose two channels are
    5.0 and 1.0 becomes 10.0 and 4.0.
    """

    def __init__(self, scale, shift):
        super().__init__()
        self.scale = nn.Parameter(scale.reshape(-1, 1, 1))    # (channels,) -> (channels, 1, 1)
        self.shift = nn.Parameter(shift.reshape(-1, 1, 1))

    def forward(self, x):
        return x * self.scale + self.shift


compute, each_channel = "x * self.scale + self.shift", ".reshape(-1, 1, 1)"
ScaleAndShift.mistake("it has no parameters, so training could not change anything: make an "
                      "nn.Parameter of scale and one of shift, in __init__",
                      {"nn.Parameter(": "("})
ScaleAndShift.mistake("shift is no parameter, so training could not change it: nn.Parameter",
                      {"nn.Parameter(shift": "(shift"})
ScaleAndShift.mistake("scale is no parameter, so training could not change it: nn.Parameter",
                      {"nn.Parameter(scale": "(scale"})
ScaleAndShift.mistake("the parameters are made anew at each call, so what training did is lost: "
                      "make them in __init__", {
    "self.scale = nn.Parameter(scale.reshape(-1, 1, 1))": "self.first = scale, shift",
    "self.shift = nn.Parameter(shift.reshape(-1, 1, 1))": "",
    "        return": "        self.scale = nn.Parameter(self.first[0].reshape(-1, 1, 1))\n"
                      "        self.shift = nn.Parameter(self.first[1].reshape(-1, 1, 1))\n"
                      "        return"})
ScaleAndShift.mistake("super().__init__() is missing. It comes first, and prepares the Module to "
                      "keep parameters", {"super().__init__()": "pass"})
ScaleAndShift.mistake("super().__init__() is missing. Besides, an nn.Parameter should be made of "
                      "scale and of shift", {"super().__init__()": "pass", "nn.Parameter(": "("})
ScaleAndShift.mistake("shift is added first: multiply first",
                      {compute: "(x + self.shift) * self.scale"})
ScaleAndShift.mistake("shift is left out", {" + self.shift": ""})
ScaleAndShift.mistake("scale is left out", {" * self.scale": ""})
ScaleAndShift.mistake("scale and shift have changed places",
                      {compute: "x * self.shift + self.scale"})
ScaleAndShift.mistake("the numbers of the first channel are taken for all channels",
                      {compute: "x * self.scale[0] + self.shift[0]"})
ScaleAndShift.mistake("the numbers are laid along the width, not along the channels: reshape them "
                      "to (channels, 1, 1)", {each_channel: ""})
ScaleAndShift.mistake("the numbers are laid along the height, not along the channels: reshape them "
                      "to (channels, 1, 1)", {each_channel: ".reshape(-1, 1)"})
ScaleAndShift.mistake("forward returns nothing", {f"return {compute}": compute})


# 2


@exercise(
    look=calls((torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]),
                torch.tensor([[1.0, 0.0], [0.0, 2.0]]), 1, 0),
               (numbers(5, 7), numbers(3, 2), 2, 0), (numbers(4, 6), numbers(2, 3), 1, 1),
               (numbers(6, 5), numbers(3, 3), 3, 2)),
    hint="F.pad adds the border, with four numbers. The rows at which windows begin are "
         "range(0, height - kernel height + 1, stride), with the height after the border. In two "
         "loops, cut out the window, multiply, add up. Put the sums of a row into a list, and "
         "these lists into another one. torch.tensor makes the result of it.",
    draw=lambda feature_map: enlarged(
        feature_map(PICTURE.mean(dim=0), EDGES, 1, 1).unsqueeze(0) / 3 + 0.5))
def feature_map(picture, kernel, stride, padding):
    """What F.conv2d makes of one picture of one channel, by hand: without F.conv2d.

    picture: a float tensor (height, width)
    kernel: a float tensor (kernel height, kernel width)
    stride: how far the kernel moves to its next place, down and to the right, a whole number
    padding: the width of the border of zeros on each side, a whole number, which may be 0

    Returns a float tensor (rows, columns), a sum for each place. As many places are taken as fit:
    what is left over on the right and at the bottom is dropped. For example, the picture
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]] and the kernel [[1.0, 0.0], [0.0, 2.0]],
    with the stride 1 and the padding 0, give [[11.0, 14.0], [20.0, 23.0]]. The first number is
    1 * 1 + 0 * 2 + 0 * 4 + 2 * 5.
    """
    picture = F.pad(picture, (padding, padding, padding, padding))
    height, width = kernel.shape
    sums = []
    for y in range(0, picture.shape[0] - height + 1, stride):
        sums.append([])
        for x in range(0, picture.shape[1] - width + 1, stride):
            sums[-1].append((picture[y : y + height, x : x + width] * kernel).sum())
    return torch.tensor(sums)


border, down = "(padding, padding, padding, padding)", "- height + 1, stride"
right = "- width + 1, stride"
feature_map.mistake("the kernel is turned around; PyTorch does not turn it",
                    {"* kernel": "* kernel.flip(0, 1)"})
feature_map.mistake("the stride is left out", {down: "- height + 1", right: "- width + 1"})
feature_map.mistake("the stride counts to the right, but not down", {down: "- height + 1"})
feature_map.mistake("the stride counts down, but not to the right", {right: "- width + 1"})
feature_map.mistake("the windows lie side by side, whatever the stride is: the kernel should "
                    "move by the stride",
                    {down: "- height + 1, height", right: "- width + 1, width"})
feature_map.mistake("the windows begin at the rows and columns 0, 1, 2, ...: they should be stride "
                    "apart", {"[y : y + height, x : x + width]":
                              "[y // stride : y // stride + height, "
                              "x // stride : x // stride + width]"})
feature_map.mistake("the places are counted without the border: take height and width after F.pad",
                    {"picture = F.pad": "before = picture.shape; picture = F.pad",
                     "0, picture.shape[0]": "0, before[0]", "0, picture.shape[1]": "0, before[1]"})
feature_map.mistake("the padding is left out", {border: "(0, 0, 0, 0)"})
feature_map.mistake("the border is at the left and at the right only: F.pad takes four numbers",
                    {border: "(padding, padding)"})
feature_map.mistake("the border is at the left and at the top only",
                    {border: "(padding, 0, padding, 0)"})
feature_map.mistake("the border is at the right and at the bottom only",
                    {border: "(0, padding, 0, padding)"})
feature_map.mistake("the border is always one pixel wide", {border: "(1, 1, 1, 1)"})
feature_map.mistake("the last place at which a window fits is missing, at the right and at the "
                    "bottom: range(0, ... + 1, stride)",
                    {"height + 1": "height", "width + 1": "width"})
feature_map.mistake("the sums stand in one row: each row of places should be a row of the result",
                    {"torch.tensor(sums)": "torch.tensor(sums).flatten()"})
feature_map.mistake("the mean of the products is taken, not their sum", {"sum()": "mean()"})
feature_map.mistake("the largest of the products is taken, not their sum", {"sum()": "max()"})


@feature_map.mistake("there is a row and a column too few: the first window counts, too, so there "
                     "are (height - kernel height) // stride + 1 rows")
def _(picture, kernel, stride, padding):
    return feature_map(picture, kernel, stride, padding)[:-1, :-1]


@feature_map.mistake("windows that are partly outside are kept: a window has to fit")
def _(picture, kernel, stride, padding):
    padded = F.pad(picture, (padding, padding + stride - 1, padding, padding + stride - 1))
    return F.conv2d(padded[None, None], kernel[None, None], stride=stride)[0, 0]


# 3


@exercise(
    look=calls((torch.tensor([[[18.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]), 3),
               (numbers(3, 4, 6), 3), (numbers(2, 7, 5), 5)),
    hint="A kernel in which all numbers are 1 / size**2 makes means. F.conv2d adds up over the "
         "channels, but not over the batch: make each channel a picture of its own, "
         "(channels, 1, height, width). padding=1 keeps the size for a kernel of 3x3.",
    draw=lambda blur: enlarged(blur(PICTURE, 5)))
def blur(picture, size):
    """Replaces each number by the mean of the numbers around it, in each channel for itself.

    picture: a float tensor (channels, height, width). There may be any number of channels.
    size: the height and the width of the window whose mean is taken, an odd number, such as 3. The
        window's center is the number itself. Outside of the picture there are zeros.

    Returns a float tensor of the same shape. For example, with the size 3,
    [[[18.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]] becomes
    [[[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0]]]: a window that holds 18 and eight zeros
    has the mean 2, even if five of these zeros are outside.
    """
    kernel = torch.ones(1, 1, size, size) / size**2
    pictures = picture.unsqueeze(1)    # (channels, height, width) -> (channels, 1, height, width)
    return F.conv2d(pictures, kernel, padding=size // 2).squeeze(1)


means, border = " / size**2", "padding=size // 2"
blur.mistake("the numbers of each window are added up: divide by their number, size * size",
             {means: ""})
blur.mistake("the sum is divided by size: a window has size * size numbers", {means: " / size"})
blur.mistake("the zeros outside of the picture are not counted: a window always has size * size "
             "numbers", {"F.conv2d(pictures, kernel, padding=size // 2)":
                         "F.avg_pool2d(pictures, size, 1, size // 2, count_include_pad=False)"})
blur.mistake("there is no border, so the picture gets smaller: padding", {border: "padding=0"})
blur.mistake("the border is too wide, so the picture gets larger: half of size, rounded down",
             {border: "padding=size"})
blur.mistake("the border is always one pixel wide: a window of 5x5 needs two",
             {border: "padding=1"})
blur.mistake("the windows lie side by side: they should be one pixel apart",
             {border: "padding=size // 2, stride=size"})
blur.mistake("the windows lie side by side, and there is no border: they should be one pixel "
             "apart, with a border of zeros",
             {"F.conv2d(pictures, kernel, padding=size // 2)": "F.avg_pool2d(pictures, size)"})
blur.mistake("a dimension of the size 1 is left: (channels, 1, height, width)", {".squeeze(1)": ""})
blur.mistake("only the first channel is returned", {".squeeze(1)": "[0]"})
blur.mistake("the largest number of each window is taken",
             {"F.conv2d(pictures, kernel, padding=size // 2)":
              "F.max_pool2d(pictures, size, 1, size // 2)"})


@blur.mistake("the channels are added up to one: each should stay for itself")
def _(picture, size):
    kernel = torch.ones(1, len(picture), size, size) / size**2
    return F.conv2d(picture, kernel, padding=size // 2)


@blur.mistake("each channel is the sum over all channels: each should stay for itself")
def _(picture, size):
    kernel = torch.ones(len(picture), len(picture), size, size) / size**2
    return F.conv2d(picture, kernel, padding=size // 2)


@blur.mistake("each channel is the mean over all channels: each should stay for itself")
def _(picture, size):
    kernel = torch.ones(len(picture), len(picture), size, size) / size**2 / len(picture)
    return F.conv2d(picture, kernel, padding=size // 2)


# 4


def look_at_convolutions(network_class):
    def result_or_error(network, x):
        try:
            return network(x)
        except RuntimeError as error:    # often, if the channels of two layers do not fit
            return error

    seen = {}
    for channels, shape in (([1, 2, 2], (1, 1, 1, 2)), ([2, 4, 3, 3], (2, 2, 3, 4)),
                            ([3, 2], (1, 3, 4, 2))):
        network, x = network_class(channels), numbers(*shape)
        parameters = list(network.parameters())
        seen[f"its number of parameters, with channels {channels}"] = len(parameters)
        if not parameters:    # its numbers are random
            seen[f"clue: the shape, {channels}"] = list(network(x).shape)
            seen[f"clue: the same twice, {channels}"] = torch.equal(network(x), network(x))
            continue
        with torch.no_grad():
            for parameter in parameters:
                parameter.copy_(numbers(*parameter.shape))
        text = f"with channels {channels}, it makes of a batch {shape}"
        seen |= {f"the shapes of its parameters, with channels {channels}":
                     [tuple(parameter.shape) for parameter in parameters],
                 text: result_or_error(network, x),
                 f"{text}, other numbers": result_or_error(network, -2 * x)}
    return seen


@exercise(
    look_at_convolutions,
    hint="In __init__, append the layers to self.layers = nn.ModuleList() in a loop: layer i goes "
         "from channels[i] to channels[i + 1]. In forward, x = F.relu(layer(x)) for each layer "
         "but the last, which is self.layers[-1].")
class Convolutions(nn.Module):
    """Convolution layers, one after the other, as many as are wanted.

    channels: a list of two or more whole numbers. [3, 8, 4] means a layer that makes 8 channels of
        3, and then one that makes 4 of these 8.

    Each layer is an nn.Conv2d with kernels of 3x3 and a padding of 1, so that height and width stay
    as they are. After each layer but the last one comes F.relu. Training can change all layers.

    It is called with a float tensor (batch, channels[0], height, width). For example,
    Convolutions([3, 8, 4]) makes of the shape (16, 3, 32, 32) the shape (16, 4, 32, 32), and has
    four parameters: two weights and two biases.
    """

    def __init__(self, channels):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(len(channels) - 1):
            self.layers.append(nn.Conv2d(channels[i], channels[i + 1], kernel_size=3, padding=1))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


last = "return self.layers[-1](x)"
Convolutions.mistake("it has no parameters: a Module does not look into a plain list, "
                     "nn.ModuleList is for this", {"nn.ModuleList()": "[]"})
Convolutions.mistake("super().__init__() is missing. It comes first, and prepares the Module to "
                     "keep layers", {"super().__init__()": "pass"})
Convolutions.mistake("there is no F.relu between the layers", {"F.relu(layer(x))": "layer(x)"})
Convolutions.mistake("there is an F.relu after the last layer, too",
                     {last: "return F.relu(self.layers[-1](x))"})
Convolutions.mistake("F.relu comes before each layer but the last, not after it",
                     {"F.relu(layer(x))": "layer(F.relu(x))"})
Convolutions.mistake("there is an F.relu before the first layer, too",
                     {"        for layer": "        x = F.relu(x)\n        for layer"})
Convolutions.mistake("there is only one F.relu, before the last layer",
                     {"F.relu(layer(x))": "layer(x)",
                      last: "return self.layers[-1](F.relu(x) if len(self.layers) > 1 else x)"})
Convolutions.mistake("a layer gets what the whole network was given, not what the layer before "
                     "made: x = F.relu(layer(x))", {"x = F.relu(layer(x))": "F.relu(layer(x))"})
Convolutions.mistake("forward returns nothing", {last: last.removeprefix("return ")})
Convolutions.mistake("the last layer is left out", {last: "return x"})
Convolutions.mistake("the channels have changed places: nn.Conv2d takes those of its input first",
                     {"channels[i], channels[i + 1]": "channels[i + 1], channels[i]"})
Convolutions.mistake("there is no padding, so height and width get smaller", {", padding=1": ""})
Convolutions.mistake("the layers have no biases: nn.Conv2d has them if it is not told otherwise",
                     {"padding=1": "padding=1, bias=False"})


@Convolutions.mistake("the layers are made anew at each call, with new random numbers: make them "
                      "in __init__")
class _(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        layers = [nn.Conv2d(a, b, kernel_size=3, padding=1)
                  for a, b in zip(self.channels[:-1], self.channels[1:], strict=True)]
        for layer in layers[:-1]:
            x = F.relu(layer(x))
        return layers[-1](x)


if __name__ == "__main__":
    main(__file__)
