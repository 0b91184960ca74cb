"""Right answers to the exercises of lesson 9, in other words than the solutions."""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import nn


def count_with_modules(layers):
    total = 0
    for layer in layers:
        module = nn.Conv2d(*layer) if len(layer) == 3 else nn.Linear(*layer)
        for parameter in module.parameters():
            total += parameter.numel()
    return total


def count_in_two_sums(layers):
    weights, biases = 0, 0
    for layer in layers:
        if len(layer) == 2:
            into, out = layer
            weights += into * out
        else:
            into, out, k = layer
            weights += k * k * into * out
        biases += out
    return weights + biases


def count_as_tensor(layers):
    return torch.tensor([out * (1 + into * (size[0] ** 2 if size else 1))
                         for into, out, *size in layers]).sum()


def output_of_slice(network, name, pictures):
    names = [child for child, _ in network.named_children()]
    return network[: names.index(name) + 1](pictures)


def output_by_hook(network, name, pictures):
    kept = []
    hook = getattr(network, name).register_forward_hook(lambda *all_: kept.append(all_[2].clone()))
    network(pictures)
    hook.remove()
    return kept[0]


@torch.no_grad()
def output_from_dict(network, name, pictures):
    results = {}
    for child in dict(network.named_children()):
        pictures = network.get_submodule(child)(pictures)
        results[child] = pictures
    return results[name]


def answer_without_gradient(network, picture, classes):
    with torch.no_grad():
        scores = network(picture.unsqueeze(0)).softmax(dim=-1).squeeze()
    percent, index = scores.max(dim=0)
    return classes[index], percent * 100


def answer_by_sorting(network, picture, classes):
    probabilities = torch.softmax(network(torch.stack([picture])), dim=1).tolist()[0]
    pairs = sorted(zip(probabilities, classes, strict=True))
    return pairs[-1][1], pairs[-1][0] * 100


def answer_in_a_loop(network, picture, classes):
    channels, height, width = picture.shape
    powers = network(picture.reshape(1, channels, height, width)).exp()
    percent = 100 * powers / powers.sum()
    best = 0
    for i in range(len(classes)):
        if percent[0, i] > percent[0, best]:
            best = i
    return (classes[best], float(percent[0, best].detach()))


def network_of_pairs(size, channels, classes):
    pairs = []
    for i, (before, after) in enumerate(pairwise(channels), start=1):
        pairs += [(f"conv{i}", nn.Conv2d(before, after, 3, 1, 1)),
                  (f"relu{i}", nn.ReLU(inplace=True)),
                  (f"pool{i}", nn.MaxPool2d(kernel_size=2, stride=2))]
    side = size // 2 ** (len(channels) - 1)
    pairs += [("flatten", nn.Flatten(start_dim=1)), ("linear", nn.Linear(channels[-1] * side**2, classes))]
    return nn.Sequential(OrderedDict(pairs))


def network_by_trying(size, channels, classes):
    relu, pool = nn.ReLU(), nn.MaxPool2d(2)    # without parameters: each may be used again
    network = nn.Sequential()
    x = torch.zeros(1, channels[0], size, size)
    for i in range(len(channels) - 1):
        conv = nn.Conv2d(channels[i], channels[i + 1], (3, 3), padding="same")
        network.add_module(f"conv{i + 1}", conv)
        network.add_module(f"relu{i + 1}", relu)
        network.add_module(f"pool{i + 1}", pool)
        x = pool(relu(conv(x)))
    network.add_module("flatten", nn.Flatten())
    network.add_module("linear", nn.Linear(x.numel(), classes))
    return network


def network_with_a_lazy_layer(size, channels, classes):
    layers = OrderedDict()
    block = 0
    while block + 1 < len(channels):
        name = str(block + 1)
        layers["conv" + name] = nn.Conv2d(channels[block], channels[block + 1], 3, padding=(1, 1))
        layers["relu" + name] = nn.ReLU()
        layers["pool" + name] = nn.MaxPool2d((2, 2))
        block += 1
    layers["flatten"] = nn.Flatten()
    layers["linear"] = nn.LazyLinear(classes)
    return nn.Sequential(layers)


RIGHT = {
    "count_parameters": [count_with_modules, count_in_two_sums, count_as_tensor],
    "output_of": [output_of_slice, output_by_hook, output_from_dict],
    "answer": [answer_without_gradient, answer_by_sorting, answer_in_a_loop],
    "make_network": [network_of_pairs, network_by_trying, network_with_a_lazy_layer],
}
# Changes of a solution that are as right as it is, as the test writes them.
EQUALLY_RIGHT = {
    "answer": {"0 -> -1",    # the first picture of a batch of one is also its last
               "nn.Softmax(dim=1) -> without dim"},    # PyTorch guesses dim=1, and warns
    "make_network": {"earlier size = size // 2"},    # the pooling does not ask for the size
}
