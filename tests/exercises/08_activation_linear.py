"""Right answers to the exercises of lesson 8, in other words than the solutions."""

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F


def layer_in_loops(pictures, weight, bias):
    result = []
    for picture in pictures:
        values = picture.flatten().tolist()
        row = []
        for neuron in range(len(bias)):
            total = bias[neuron].item()
            for value, factor in zip(values, weight[neuron].tolist(), strict=True):
                total += value * factor
            row.append(max(0.0, total))
        result.append(row)
    return torch.tensor(result)


def layer_of_modules(pictures, weight, bias):
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight = nn.Parameter(weight)
    linear.bias = nn.Parameter(bias)
    return nn.Sequential(nn.Flatten(), linear, nn.ReLU(inplace=True))(pictures)


def layer_of_rows(pictures, weight, bias):
    x = pictures.reshape(pictures.shape[0], -1)
    y = torch.stack([weight @ row for row in x]) + bias
    y[y < 0] = 0
    return y


def layer_in_numpy(pictures, weight, bias):
    x = pictures.numpy().reshape(len(pictures), -1)
    return torch.from_numpy((x @ weight.numpy().T + bias.numpy()).clip(min=0))


def softmax_in_loops(logits):
    rows = []
    for row in logits.tolist():
        powers = [math.exp(number - max(row)) for number in row]
        rows.append([power / sum(powers) for power in powers])
    return torch.tensor(rows)


def softmax_by_rows(logits):
    result = torch.zeros_like(logits)
    for i, row in enumerate(logits):
        power = math.e ** (row - row.max())
        result[i] = power / power.sum()
    return result


def softmax_with_max(logits):
    z = logits.double() - logits.max(dim=-1, keepdim=True).values
    return torch.exp(z) / torch.exp(z).sum(-1)[:, None]


def softmax_of_differences(logits):
    differences = logits[:, None, :] - logits[:, :, None]    # of each class and each other
    return 1 / differences.exp().sum(dim=2)


def merged_by_recursion(layers):
    if len(layers) == 1:
        return copy.deepcopy(layers[0])
    *before, last = layers
    so_far = merged_by_recursion(before)
    one = nn.Linear(so_far.in_features, last.out_features)
    one.weight = nn.Parameter(torch.matmul(last.weight, so_far.weight))
    one.bias = nn.Parameter(last(so_far.bias))
    return one


def merged_by_trying(layers):
    chain = nn.Sequential(*layers)
    inputs = layers[0].in_features
    with torch.no_grad():
        bias = chain(torch.zeros(inputs))
        weight = (chain(torch.eye(inputs)) - bias).T
        one = nn.Linear(inputs, len(bias))
        one.weight.copy_(weight)
        one.bias.copy_(bias)
    return one


@torch.no_grad()
def merged_from_the_end(layers):
    weight = layers[-1].weight.data
    bias = layers[-1].bias.data.clone()
    for layer in layers[-2::-1]:
        bias += weight @ layer.bias
        weight = weight.mm(layer.weight)
    out, into = weight.shape
    one = nn.Linear(in_features=into, out_features=out)
    one.weight.data = weight.detach()
    one.bias.data = bias.detach()
    return one


def hat_of_other_neurons(middle, height):
    first, last = nn.Linear(1, 3), nn.Linear(3, 1)
    first.weight = nn.Parameter(torch.full((3, 1), 2.0))
    first.bias = nn.Parameter(2 * torch.tensor([-(middle + 1), -middle, -(middle - 1)]))
    last.weight = nn.Parameter(torch.tensor([[0.5 * height, -height, 0.5 * height]]))
    last.bias = nn.Parameter(torch.tensor([0.0]))
    return nn.Sequential(first, nn.ReLU(), last)


def hat_from_the_right(middle, height):
    network = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 1, bias=False))
    with torch.no_grad():
        network[0].weight.fill_(-1)
        for i, bend in enumerate([middle - 1, middle, middle + 1]):
            network[0].bias[i] = bend
        network[2].weight[0] = height * torch.tensor([1, -2, 1])
    return network


def hat_in_another_order(middle, height):
    bends = nn.Linear(1, 3)
    bends.weight.data[:] = torch.ones(3, 1)
    bends.bias.data = -torch.tensor([middle, middle + 1, middle - 1])
    total = nn.Linear(3, 1)
    total.weight.data = torch.tensor([-2.0, 1.0, 1.0])[None] * height
    nn.init.zeros_(total.bias)
    layers = [bends, nn.ReLU(inplace=True), total]
    return nn.Sequential(*layers)


PYTORCH = {
    "first_layer": lambda pictures, weight, bias: F.linear(pictures.flatten(1), weight, bias).relu(),
    "softmax": nn.Softmax(dim=1),
}
RIGHT = {
    "first_layer": [layer_in_loops, layer_of_modules, layer_of_rows, layer_in_numpy],
    "softmax": [softmax_in_loops, softmax_by_rows, softmax_with_max, softmax_of_differences],
    "one_layer": [merged_by_recursion, merged_by_trying, merged_from_the_end],
    "hat": [hat_of_other_neurons, hat_from_the_right, hat_in_another_order],
}
# Changes of a solution that are as right as it is, as the test writes them.
EQUALLY_RIGHT = {    # what does not depend on each other, in another order
    "one_layer": {"earlier bias = layer.weight @ bias + layer.bias",
                  "earlier one.bias = nn.Parameter(bias)"},
    "hat": {"earlier add_up = nn.Linear(3, 1, bias=False)",
            "earlier neurons.bias = nn.Parameter(torch.tensor([1.0 - middle, 0.0 - middle, "
            "-1.0 - middle]))"},
}
