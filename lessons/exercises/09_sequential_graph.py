"""Exercises to lesson 9: Sequential, the shapes in a network, and its parameters

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=9`.
"""

from collections import OrderedDict

import torch
from torch import nn

from shared.exercises import calls, exercise, main


def numbers(*shape):
    """Numbers in no order, below and above 0, the same each time."""
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).mul(7).cos().reshape(shape)


def fixed(network):
    """Gives a network the same first weights each time."""
    for parameter in network.parameters():
        parameter.data = numbers(*parameter.shape)
    return network


# 1


@exercise(
    look=calls(([(3, 32, 5)],), ([(1024, 64)],), ([(1, 2, 3), (2, 5, 4), (45, 7)],),
               ([(6, 4), (4, 6), (6, 1)],)),
    hint="How many numbers does one kernel have, and its bias? Multiply by the number of kernels. "
         "len(layer) is 3 for a convolution and 2 for a linear layer.")
def count_parameters(layers):
    """The number of parameters of a network, counted by hand.

    layers: a list with a tuple of whole numbers for each layer that has parameters. A convolution
        is (in_channels, out_channels, kernel_size): its kernels are squares. A linear layer is
        (in_features, out_features). Each layer has biases.

    Returns a whole number. For example, [(3, 32, 5)] gives 2432: each of 32 kernels has 3 * 5 * 5
    weights and a bias.
    """
    total = 0
    for layer in layers:
        inputs, outputs = layer[:2]
        if len(layer) == 3:
            inputs *= layer[2] ** 2    # the numbers that a kernel covers
        total += (inputs + 1) * outputs
    return total


count = "(inputs + 1) * outputs"
count_parameters.mistake("the biases are not counted", {count: "inputs * outputs"})
count_parameters.mistake("each layer has a single bias: each kernel has one, and each neuron",
                         {count: "inputs * outputs + 1"})
count_parameters.mistake("there is a bias for each input, and not for each kernel or neuron",
                         {count: "inputs * outputs + layer[0]"})
count_parameters.mistake("a convolution has a bias for each channel that goes in: it has one for "
                         "each kernel",
                         {count: "inputs * outputs + (layer[0] if len(layer) == 3 else outputs)"})
count_parameters.mistake("each channel of a kernel has a bias of its own: a kernel has one",
                         {count: "(inputs + layer[0] ** (len(layer) - 2)) * outputs"})
count_parameters.mistake("the biases of the convolutions are not counted",
                         {count: "(inputs + (len(layer) < 3)) * outputs"})
count_parameters.mistake("the biases of the linear layers are not counted",
                         {count: "(inputs + (len(layer) == 3)) * outputs"})
count_parameters.mistake("the kernels have one row only: they are squares", {"** 2": "** 1"})
count_parameters.mistake("the kernels have twice kernel_size weights: they are squares",
                         {"layer[2] ** 2": "2 * layer[2]"})
count_parameters.mistake("each kernel sees a single channel: it has as many as its input",
                         {"inputs *= layer[2] ** 2": "inputs = layer[2] ** 2"})
count_parameters.mistake("the kernels of a layer are counted as one: there are out_channels",
                         {count: "(inputs + 1) * outputs ** (len(layer) == 2)"})
count_parameters.mistake("the kernel_size of the convolutions is left out", {" ** 2": " ** 0"})
count_parameters.mistake("only the first layer is counted",
                         {"    return total": "        return total"})
count_parameters.mistake("only the last layer is counted", {"total +=": "total ="})


# 2


def look_at_output_of(output_of):
    tiny = nn.Sequential(OrderedDict([("relu", nn.ReLU()), ("pool", nn.MaxPool2d(2))]))
    alike = nn.Sequential(OrderedDict([("prelu", nn.PReLU(init=0.5)), ("relu", nn.ReLU())]))
    plain = fixed(nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3), nn.Linear(3, 3)))
    small = fixed(nn.Sequential(OrderedDict([
        ("conv2", nn.Conv2d(2, 2, kernel_size=3, padding=1)), ("relu2", nn.ReLU()),
        ("pool2", nn.MaxPool2d(2)), ("conv1", nn.Conv2d(2, 2, kernel_size=1)),
        ("relu1", nn.ReLU()), ("flatten", nn.Flatten())])))
    few, pixels = torch.tensor([[[[-1.0, 2.0], [3.0, -4.0]]]]), numbers(3, 2, 4, 6)
    seen = {}
    for network, name, pictures in [
            (tiny, "relu", few), (tiny, "pool", few), (alike, "relu", few),
            (plain, "0", numbers(2, 3)), (plain, "2", numbers(2, 3)), (plain, "3", numbers(2, 3)),
            (small, "conv1", pixels), (small, "pool2", pixels), (small, "relu1", pixels),
            (small, "flatten", pixels)]:
        label = f"(network of {', '.join(dict(network.named_children()))}; {name!r}, pictures)"
        try:
            seen[label] = output_of(network, name, pictures.clone())
        except Exception as error:
            seen[label] = error
    return seen


@exercise(
    look_at_output_of,
    hint="Loop over network.named_children(), as the lesson does. The result of a layer is the "
         "input of the next one. Where do you have to ask if this was the layer with that name?")
def output_of(network, name, pictures):
    """What comes out of the layer called name, when pictures go through a network.

    network: an nn.Sequential. Its layers have different names: in an OrderedDict, or "0", "1", ...
    name: the name of one of its layers, a str
    pictures: what the network takes, a float tensor (batch, ...)

    Returns a tensor: the result of this layer, after all layers before it. Later layers play no
    part. For example, take a network of a ReLU called "relu" and an nn.MaxPool2d(2) called "pool".
    Of the picture [[[[-1.0, 2.0], [3.0, -4.0]]]], the name "relu" gives
    [[[[0.0, 2.0], [3.0, 0.0]]]], and the name "pool" gives [[[[3.0]]]].
    """
    x = pictures
    for layer_name, layer in network.named_children():
        x = layer(x)
        if layer_name == name:
            break
    return x


call = "        x = layer(x)\n"
output_of.mistake("the layer is called with the pictures: the layers before it come first",
                  {"layer(x)": "layer(pictures)"})
output_of.mistake("it stops one layer too early, with the input of the layer",
                  {call: "", "            break\n": "            break\n" + call})
output_of.mistake("it stops one layer too late", {
    "    x = pictures\n": "    x, stop = pictures, False\n",
    "        if layer_name == name:\n            break": "        if stop:\n            break\n"
                                                         "        stop = layer_name == name"})
output_of.mistake("the result of the whole network is returned", {"break": "pass"})
output_of.mistake("only the first layer is called: look at the name before you return",
                  {"if layer_name == name": "if True"})
output_of.mistake('it stops where the name is only a part of another one, as "relu" of "prelu": ==',
                  {"layer_name == name": "name in layer_name"})
output_of.mistake("the pictures come back as they were", {"x = layer(x)": "layer(pictures)"})
output_of.mistake("layers without parameters are skipped: named_children has all layers",
                  {"x = layer(x)": "x = layer(x) if list(layer.parameters()) else x"})
output_of.mistake("the layers are called from the last to the first",
                  {"network.named_children()": "reversed(list(network.named_children()))"})
output_of.mistake("the layer is called once more with its own result",
                  {"break": "return layer(x)"})


# 3


def look_at_answer(answer):
    colours = nn.Sequential(nn.Conv2d(3, 2, kernel_size=2), nn.Flatten(), nn.Linear(4, 5))
    grey = nn.Sequential(nn.Flatten(), nn.Linear(6, 4))
    names = ["cat", "deer", "dog", "frog", "horse"]
    seen = {}
    for says, network, picture, classes in [
            ("nn.Flatten(), [[[2, 1, 0]]], ['ant', 'bee', 'cat']", nn.Flatten(),
             torch.tensor([[[2.0, 1.0, 0.0]]]), ["ant", "bee", "cat"]),
            ("nn.Flatten(), [[[-1, -3, -0.5]]], ['ant', 'bee', 'cat']", nn.Flatten(),
             torch.tensor([[[-1.0, -3.0, -0.5]]]), ["ant", "bee", "cat"]),
            ("network, colours, 5 classes", fixed(colours), numbers(3, 3, 2) / 2, names),
            ("network, grey, 4 classes", fixed(grey), -numbers(1, 2, 3), names[:4])]:
        try:
            seen[f"({says})"] = answer(network, picture, classes)
        except Exception as error:
            seen[f"({says})"] = error
    return seen


@exercise(
    look_at_answer,
    hint="picture[None] is a batch of one picture. The lesson makes probabilities of its logits. "
         "probabilities.argmax().item() is the number of the largest one.")
def answer(network, picture, classes):
    """Which class a network takes a picture for, and how sure it is.

    network: takes a batch of pictures (batch, channels, height, width), and gives logits (batch,
        classes): there was no Softmax yet
    picture: a single picture, a float tensor (channels, height, width)
    classes: a list with the names of the classes, in the order of the logits

    Returns a pair: the name of the most probable class, and its probability in percent, not
    rounded. For example, if the network is only nn.Flatten(), the logits are the pixels. Then the
    picture [[[2.0, 1.0, 0.0]]] and the classes ["ant", "bee", "cat"] give ("ant", 66.524...).
    """
    logits = network(picture[None])    # (1, channels, height, width) -> (1, classes)
    probabilities = nn.Softmax(dim=1)(logits)[0]
    best = probabilities.argmax().item()
    return classes[best], 100 * probabilities[best].item()


softmax = "nn.Softmax(dim=1)(logits)"
answer.mistake("100 times the logit is taken for the percentage: Softmax is left out",
               {softmax: "logits"})
answer.mistake("the logit itself is returned. Softmax makes a probability of it, and times 100, it "
               "is in percent", {softmax: "logits", "100 * ": ""})
answer.mistake("Softmax goes over the batch, and each class has 100 %: dim=1 are the classes",
               {"dim=1": "dim=0"})
answer.mistake("Softmax is applied twice", {softmax: f"nn.Softmax(dim=1)({softmax})"})
answer.mistake("Sigmoid is taken, which looks at each logit by itself",
               {softmax: "nn.Sigmoid()(logits)"})
answer.mistake("the probability is between 0 and 1: times 100, it is in percent", {"100 * ": ""})
answer.mistake("the least probable class is returned", {"argmax": "argmin"})
answer.mistake("the class is returned as a number: look up its name in classes",
               {"classes[best]": "best"})
answer.mistake("the numbers of the classes are taken to begin with 1: they begin with 0",
               {"classes[best]": "classes[best - 1]"})
answer.mistake("the picture has no batch dimension: nn.Flatten takes its channels for a batch",
               {"[None]": ""})
answer.mistake("the mean of all probabilities is returned, not that of the class",
               {"probabilities[best]": "probabilities.mean()"})
answer.mistake("the name and the probability have changed places",
               {"return classes[best], 100 * probabilities[best].item()":
                "return 100 * probabilities[best].item(), classes[best]"})


# 4


def look_at_make_network(make_network):
    seen = {}
    for size, channels, classes in [(8, [3, 4], 10), (14, [2, 3, 5, 4], 6), (7, [1, 6, 2], 3)]:
        label = f"({size}, {channels}, {classes})"
        network = make_network(size, list(channels), classes)
        seen[label] = None if network is None else type(network).__name__
        if not isinstance(network, nn.Sequential):
            continue
        named = dict(network._modules)    # named_children leaves out what comes twice
        seen[f"{label}, the names of its layers"] = list(named)
        x = numbers(2, channels[0], size, size)
        try:
            network(x)
        except Exception as error:
            seen[f"{label}, if it is called"] = error
        if isinstance(network[-1], nn.Linear):
            seen[f"{label}, the inputs of its last layer"] = network[-1].in_features
        fixed(network)
        for name, layer in named.items():
            try:
                x = layer(x)
            except Exception as error:
                seen[f"{label}, after {name}"] = error
                break
            seen[f"{label}, the shape after {name}"] = tuple(x.shape)
        else:
            seen[f"{label}, its logits"] = x.detach()
    return seen


@exercise(
    look_at_make_network,
    hint="Begin with `layers = OrderedDict()`. In a loop over the blocks, "
         'layers[f"conv{block}"] = ... adds a layer with its name. Halve the size in each '
         "block, with // 2: after the loop, it says how many inputs the linear layer has.")
def make_network(size, channels, classes):
    """A network for square pictures, whose layers have names.

    size: the height and the width of a picture, a whole number. It need not be even.
    channels: a list of whole numbers: the channels of a picture, then those after each block. So
        there is one block fewer than there are numbers.
    classes: the number of classes

    Block 1 has the layers conv1, relu1 and pool1, in this order: a convolution with 3x3 kernels,
    which keeps the size, a ReLU, and max pooling with 2x2 windows. Block 2 has conv2, relu2 and
    pool2, and so on. After the last block come the layers flatten and linear, a linear layer that
    gives the logits.

    Returns an nn.Sequential. For example, make_network(32, [3, 8], 10) has the layers conv1, relu1,
    pool1, flatten and linear. linear has 8 * 16 * 16 = 2048 inputs and 10 outputs.
    """
    layers = OrderedDict()
    for n in range(1, len(channels)):
        layers[f"conv{n}"] = nn.Conv2d(channels[n - 1], channels[n], kernel_size=3, padding=1)
        layers[f"relu{n}"] = nn.ReLU()
        layers[f"pool{n}"] = nn.MaxPool2d(2)
        size = size // 2
    layers["flatten"] = nn.Flatten()
    layers["linear"] = nn.Linear(channels[-1] * size * size, classes)
    return nn.Sequential(layers)


inputs, halved = "channels[-1] * size * size", "size = size // 2"
make_network.mistake("linear has as many inputs as if no pooling halved the size", {halved: "pass"})
make_network.mistake("linear has as many inputs as if the size were halved only once",
                     {halved: "pass", inputs: "channels[-1] * (size // 2) ** 2"})
make_network.mistake("the size is divided by twice the number of blocks: each block halves it",
                     {halved: "pass",
                      inputs: "channels[-1] * (size // (2 * len(channels) - 2)) ** 2"})
make_network.mistake("each convolution has as many channels in as out: those of the block before "
                     "go in", {"channels[n - 1]": "channels[n]"})
make_network.mistake("the channels of the picture go into each convolution: those of the block "
                     "before do", {"channels[n - 1]": "channels[0]"})
make_network.mistake("linear has an input for each channel: there are channels * height * width "
                     "numbers", {inputs: "channels[-1]"})
make_network.mistake("linear has channels * width inputs: the height is left out",
                     {inputs: "channels[-1] * size"})
make_network.mistake("linear has height * width inputs: the channels are left out",
                     {inputs: "size * size"})
make_network.mistake("a half is rounded up: pooling drops what is left over",
                     {halved: "size = (size + 1) // 2"})
make_network.mistake("the size becomes a float: // gives a whole number, and drops what is left "
                     "over", {halved: "size = size / 2"})
make_network.mistake("a half is kept: pooling drops what is left over, as // does",
                     {halved: "size = size / 2", inputs: f"int({inputs})"})
make_network.mistake("the convolutions have no padding, but linear has as many inputs as if they "
                     "kept the size: padding=1", {", padding=1": ""})
make_network.mistake("the convolutions have no padding, so the pictures become smaller: padding=1",
                     {", padding=1": "", halved: "size = (size - 2) // 2"})
make_network.mistake("the pooling has a stride of 1", {"MaxPool2d(2)": "MaxPool2d(2, stride=1)"})
make_network.mistake("the mean of each window is kept, not the largest number",
                     {"MaxPool2d": "AvgPool2d"})
make_network.mistake("the layers have numbers in the place of names",
                     {"Sequential(layers)": "Sequential(*layers.values())"})
make_network.mistake("the blocks are counted from 0: the first one is block 1",
                     {'conv{n}': 'conv{n - 1}', 'relu{n}': 'relu{n - 1}', 'pool{n}': 'pool{n - 1}'})
make_network.mistake("all blocks have the same names. An OrderedDict keeps one layer of each name",
                     {'f"conv{n}"': '"conv"', 'f"relu{n}"': '"relu"', 'f"pool{n}"': '"pool"'})
make_network.mistake("the ReLUs are left out", {'        layers[f"relu{n}"] = nn.ReLU()\n': ""})
make_network.mistake("the pooling comes before the ReLU",
                     {'f"relu{n}"] = nn.ReLU()': 'f"pool{n}"] = nn.MaxPool2d(2)',
                      'f"pool{n}"] = nn.MaxPool2d(2)': 'f"relu{n}"] = nn.ReLU()'})
make_network.mistake("flatten is left out: linear would get feature maps, not rows of numbers",
                     {'    layers["flatten"] = nn.Flatten()\n': ""})
make_network.mistake("the last block is left out", {"len(channels))": "len(channels) - 1)"})
make_network.mistake("a layer softmax follows: logits are asked for",
                     {", classes)": ', classes)\n    layers["softmax"] = nn.Softmax(dim=1)'})


if __name__ == "__main__":
    main(__file__)
