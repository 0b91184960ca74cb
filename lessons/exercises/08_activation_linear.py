"""Exercises to lesson 8: activations and linear layers

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=8`.
"""

import torch
from torch import nn

from shared.exercises import calls, exercise, main


def numbers(*shape):
    """Numbers in no order, below and above 0, the same each time."""
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).mul(7).cos().reshape(shape)


def linear(weight, bias):
    """A linear layer with this weight and this bias."""
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
    return layer


def kind(value):
    """The name of its type, but None stays None."""
    return None if value is None else type(value).__name__


# 1


@exercise(
    look=calls((torch.tensor([[[[1.0, 2.0], [3.0, 0.0]]]]),
                torch.tensor([[1.0, 0.0, -1.0, 2.0], [2.0, 1.0, 0.0, 0.0]]),
                torch.tensor([0.5, 0.0])),
               (numbers(3, 1, 2, 2), numbers(4, 4), numbers(4)),
               (numbers(4, 2, 2, 3), numbers(5, 12), numbers(5))),
    hint="torch.flatten with start_dim=1 gives each picture a row of its own. The lesson has the "
         "linear layer as a matrix product. For ReLU, there is nn.ReLU()(x), or x.clamp(min=0).")
def first_layer(pictures, weight, bias):
    """What a linear layer, and a ReLU after it, make of a batch of pictures.

    pictures: a float tensor (batch, channels, height, width), any numbers
    weight: a float tensor (neurons, channels * height * width), as nn.Linear keeps it
    bias: a float tensor (neurons,)

    Returns a float tensor (batch, neurons). For example, one picture [[[[1.0, 2.0], [3.0, 0.0]]]],
    the weight [[1.0, 0.0, -1.0, 2.0], [2.0, 1.0, 0.0, 0.0]] of two neurons and the bias [0.5, 0.0]
    give [[0.0, 4.0]]. Before the ReLU, the first number was 1 + 0 - 3 + 0 + 0.5 = -1.5.
    """
    flat = torch.flatten(pictures, start_dim=1)
    sums = flat @ weight.T + bias    # (batch, numbers of a picture) -> (batch, neurons)
    return nn.ReLU()(sums)


first_layer.mistake("the bias is left out", {" + bias": ""})
first_layer.mistake("the bias is subtracted", {" + bias": " - bias"})
first_layer.mistake("the ReLU is left out", {"nn.ReLU()(sums)": "sums"})
first_layer.mistake("the ReLU comes before the bias is added",
                    {" + bias": "", "nn.ReLU()(sums)": "nn.ReLU()(sums) + bias"})
first_layer.mistake("the ReLU comes before the linear layer, not after it",
                    {"flat @": "nn.ReLU()(flat) @", "nn.ReLU()(sums)": "sums"})
first_layer.mistake("there is a ReLU before the linear layer, too",
                    {"flat @": "nn.ReLU()(flat) @"})
first_layer.mistake("the positive numbers become 0: ReLU replaces the negative ones",
                    {"nn.ReLU()(sums)": "sums.clamp(max=0)"})
first_layer.mistake("each negative number loses its sign: ReLU makes 0 of it",
                    {"nn.ReLU()(sums)": "sums.abs()"})
first_layer.mistake("Sigmoid is taken, not ReLU", {"nn.ReLU()": "nn.Sigmoid()"})
first_layer.mistake("rows and columns of the weight have changed places: it has a row for each "
                    "neuron, so @ needs weight.T", {"weight.T": "weight"})
first_layer.mistake("the mean of the products is taken, not the sum",
                    {"weight.T": "weight.T / flat.shape[1]"})
first_layer.mistake("each picture is flattened column by column, not row by row",
                    {"pictures, start": "pictures.transpose(2, 3), start"})
first_layer.mistake("the pictures are flattened with the channels last: flatten them as they are",
                    {"pictures, start": "pictures.permute(0, 2, 3, 1), start"})
first_layer.mistake("all pictures of the batch become one row. Leave dimension 0 alone: "
                    "start_dim=1", {"start_dim=1": "start_dim=0"})


# 2


@exercise(
    look=calls((torch.tensor([[2.0, 1.0, 0.0]]),),
               (torch.tensor([[0.0, 0.5, -1.5, 0.1], [2.0, -2.0, 1.0, 3.0]]),),
               (torch.tensor([[0.3, 1.0], [-2.0, 0.0]]),),
               (torch.tensor([[1000.0, 1001.0, 999.0]]),),
               (torch.tensor([[0.0, 1.0, 3.0], [-400.0, -150.0, -151.0]]),)),
    hint="Take .exp() of the logits, then divide each row by its own sum: sum(dim=1, keepdim=True) "
         "has one sum for each row. Against nan, subtract from each row its largest number first: "
         "amax(dim=1, keepdim=True).")
def softmax(logits):
    """The probabilities that Softmax makes of logits, written without PyTorch's own Softmax.

    logits: a float tensor (pictures, classes), any numbers

    Logits may be large, but e to the power of 1000 is infinite for a tensor (inf), and inf / inf is
    no number (nan). So subtract from each row its largest logit first. This does not change the
    probabilities: those of [1002.0, 1001.0, 1000.0] are those of [0.0, -1.0, -2.0].

    Returns a float tensor (pictures, classes). Each row adds up to 1. For example,
    [[2.0, 1.0, 0.0]] gives [[0.6652, 0.2447, 0.0900]].
    """
    logits = logits - logits.amax(dim=1, keepdim=True)
    powers = logits.exp()
    return powers / powers.sum(dim=1, keepdim=True)


largest, total = "logits.amax(dim=1, keepdim=True)", "powers.sum(dim=1, keepdim=True)"
softmax.mistake("each column adds up to 1, not each row: dim=1", {total: "powers.sum(dim=0)",
                                                                   largest: "logits.amax(dim=0)"})
softmax.mistake("each column adds up to 1, not each row: dim=1. And large logits become infinite",
                {total: "powers.sum(dim=0)", f" - {largest}": ""})
softmax.mistake("each column is divided by its sum, and not each row: dim=1",
                {total: "powers.sum(dim=0)"})
softmax.mistake("the rows together add up to 1, not each row by itself", {total: "powers.sum()",
                                                                          largest: "logits.amax()"})
softmax.mistake("the rows together add up to 1, not each row by itself. And large logits become "
                "infinite", {total: "powers.sum()", f" - {largest}": ""})
softmax.mistake("large logits become infinite: subtract the largest logit of the row first",
                {f" - {largest}": ""})
softmax.mistake("the largest logit of all rows is subtracted. In a row of much smaller ones, all "
                "powers become 0, and 0 / 0 is nan: take the largest of each row",
                {largest: "logits.amax()"})
softmax.mistake("the smallest logit of the row is subtracted, not the largest one",
                {"amax": "amin"})
softmax.mistake("the powers are not divided by their sum", {f"powers / {total}": "powers"})
softmax.mistake("the sums of the rows are applied to the columns: keepdim=True gives them the "
                "shape (pictures, 1)",
                {total: "powers.sum(dim=1)"})
softmax.mistake("the sums of the rows are applied to the columns: keepdim=True gives them the "
                "shape (pictures, 1); and large logits become infinite",
                {total: "powers.sum(dim=1)", f" - {largest}": ""})
softmax.mistake("the powers are not divided by their sum, and large logits become infinite",
                {f" - {largest}": "", f"powers / {total}": "powers"})
softmax.mistake("powers of 2 are taken, not powers of e: exp()", {".exp()": ".exp2()"})
softmax.mistake("the largest logit gets the smallest probability: a minus too much",
                {".exp()": ".neg().exp()"})
softmax.mistake("Softmax is applied twice",
                {f"powers / {total}": f"torch.softmax(powers / {total}, dim=1)"})
softmax.mistake("the logarithm of the probabilities comes out, as of nn.LogSoftmax",
                {f"powers / {total}": f"logits - {total}.log()"})


@softmax.mistake("the logits are divided by their sum, without e to the power of each")
def _(logits):
    return logits / logits.sum(dim=1, keepdim=True)


@softmax.mistake("Sigmoid is taken, which looks at each logit by itself")
def _(logits):
    return logits.sigmoid()


# 3


def look_at_one_layer(one_layer):
    from itertools import pairwise

    cases = {"([2x + 1, 3y + 4])": [linear(torch.tensor([[2.0]]), torch.tensor([1.0])),
                                    linear(torch.tensor([[3.0]]), torch.tensor([4.0]))]}
    for sizes in [(3, 3, 3, 3), (4, 5, 2), (2, 3)]:
        label = f"(layers {' -> '.join(map(str, sizes))})"
        cases[label] = [linear(numbers(after, before) + 0.2, numbers(after) - 0.3 * before)
                        for before, after in pairwise(sizes)]
    seen = {}
    for label, layers in cases.items():
        try:
            one = one_layer(layers)
        except Exception as error:
            seen[label] = error
            continue
        seen[label] = kind(one)
        if isinstance(one, nn.Linear):
            seen[f"{label}, its weight"] = one.weight
            seen[f"{label}, its bias"] = one.bias
            seen[f"{label}, (in_features, out_features)"] = (one.in_features, one.out_features)
        seen[f"{label}, the list of layers afterwards"] = [
            parameter.detach().clone() for layer in layers for parameter in layer.parameters()]
    return seen


@exercise(
    look_at_one_layer,
    hint="Begin with the weight and the bias of the first layer. In a loop over the other layers, "
         "put each of them after what you have so far: the lesson does it once, with second and "
         "first.")
def one_layer(layers):
    """One linear layer that does the work of several, without activations between them.

    layers: a list of one or more nn.Linear, in the order in which they are called. Each has a bias.
        The outputs of one are the inputs of the next.

    Returns a new nn.Linear, and leaves the layers of the list as they are. For example, two layers
    that compute y = 2x + 1 and z = 3y + 4 give a layer that computes z = 6x + 7: its weight is
    [[6.0]], its bias [7.0].
    """
    weight, bias = layers[0].weight, layers[0].bias
    for layer in layers[1:]:
        weight = layer.weight @ weight
        bias = layer.weight @ bias + layer.bias
    one = nn.Linear(weight.shape[1], weight.shape[0])
    one.weight = nn.Parameter(weight)
    one.bias = nn.Parameter(bias)
    return one


next_bias = "layer.weight @ bias + layer.bias"
one_layer.mistake("the two factors of the product have changed places: the weight of the later "
                  "layer comes first", {"layer.weight @ weight": "weight @ layer.weight"})
one_layer.mistake("the weights are multiplied number by number: @ is the matrix product",
                  {"layer.weight @ weight": "layer.weight * weight"})
one_layer.mistake("the weights are added up, not multiplied",
                  {"layer.weight @ weight": "layer.weight + weight"})
one_layer.mistake("the biases are only added up. A bias goes through the layers after it, and is "
                  "multiplied by their weights", {next_bias: "bias + layer.bias"})
one_layer.mistake("only the last layer's bias counts", {next_bias: "layer.bias"})
one_layer.mistake("only the first layer's bias counts", {next_bias: "layer.weight @ bias"})
one_layer.mistake("the bias is that of the first layer, as it is: the layers after it change it",
                  {next_bias: "bias"})
one_layer.mistake("each bias is multiplied by the weight of its own layer, too",
                  {next_bias: "layer.weight @ (bias + layer.bias)"})
one_layer.mistake("the bias is multiplied by all weights so far. It needs only the weight of the "
                  "layer that comes next", {next_bias: "weight @ bias + layer.bias"})
one_layer.mistake("the new layer keeps its random bias",
                  {"    one.bias = nn.Parameter(bias)\n": ""})
one_layer.mistake("the new layer has no bias",
                  {"weight.shape[0])": "weight.shape[0], bias=False)",
                   "    one.bias = nn.Parameter(bias)\n": ""})
one_layer.mistake("the first layer is used twice", {"layers[1:]": "layers"})
one_layer.mistake("only the first two layers are used", {"layers[1:]": "layers[1:2]"})
one_layer.mistake("the layers are gone through from the last to the first",
                  {"layers[0]": "layers[-1]", "layers[1:]": "layers[-2::-1]"})
one_layer.mistake("in_features and out_features have changed places: a weight is (out, in)",
                  {"weight.shape[1], weight.shape[0]": "weight.shape[0], weight.shape[1]"})
one_layer.mistake("a layer of the list is changed and returned: make a new nn.Linear",
                  {"nn.Linear(weight.shape[1], weight.shape[0])": "layers[-1]",
                   "    return one": "    one.in_features = weight.shape[1]\n    return one"})


# 4


def look_at_hat(hat):
    seen = {}
    for middle, height in [(0.0, 1.0), (2.0, 3.0), (-1.5, -2.0)]:
        label = f"({middle}, {height})"
        network = hat(middle, height)
        seen[label] = kind(network)
        if not isinstance(network, nn.Sequential):
            continue
        for step in [0, -0.5, 0.5, -1, 1, 0.25, 0.75, -4, 3]:
            x = middle + step
            seen[f"{label}, for x = {x}"] = network(torch.tensor([[x]]))
        seen[f"{label}, its layers"] = [
            f"Linear({layer.in_features}, {layer.out_features})" if isinstance(layer, nn.Linear)
            else kind(layer) for layer in network]
    return seen


@exercise(
    look_at_hat,
    hint="Each neuron with a ReLU adds a bend, at the x for which it computes 0. For (0.0, 1.0), "
         "use the neurons x + 1, x and x - 1. After the first bend the curve should rise by 1, "
         "after the second one fall by 1, after the third one be flat. After its bend, each neuron "
         "rises by 1. With which weights of the last layer does their sum do what the curve does?")
def hat(middle, height):
    """A network whose curve has the form of a pointed hat.

    middle: the x at which the hat has its point, a float
    height: the y of this point, a float, above or below 0

    From middle - 1 to middle, the curve is a straight line from 0 to height. From middle to
    middle + 1, it is a straight line back to 0. Everywhere else it is 0.

    Returns an nn.Sequential of nn.Linear(1, 3), nn.ReLU() and nn.Linear(3, 1). It takes a float
    tensor (batch, 1) and returns one. You set all weights and biases. For example, hat(0.0, 1.0)
    makes [[0.0], [0.5], [-7.0]] into [[1.0], [0.5], [0.0]].
    """
    neurons = nn.Linear(1, 3)
    neurons.weight = nn.Parameter(torch.tensor([[1.0], [1.0], [1.0]]))
    neurons.bias = nn.Parameter(torch.tensor([1.0 - middle, 0.0 - middle, -1.0 - middle]))
    add_up = nn.Linear(3, 1, bias=False)
    add_up.weight = nn.Parameter(torch.tensor([[height, -2.0 * height, height]]))
    return nn.Sequential(neurons, nn.ReLU(), add_up)


weights = "height, -2.0 * height, height"
hat.mistake("there is no ReLU: without it, there is no bend", {"nn.ReLU(), ": ""})
hat.mistake("a ReLU follows the last layer, too, and cuts off what is below 0",
            {"add_up)": "add_up, nn.ReLU())"})
hat.mistake("Sigmoid is taken, not ReLU: its curves are round", {"ReLU": "Sigmoid"})
hat.mistake("the hat has its point at minus middle. A neuron x - middle bends at middle, so its "
            "bias is -middle", {"- middle": "+ middle"})
hat.mistake("all hats have their point at 0: middle belongs into the biases", {" - middle": ""})
hat.mistake("all three neurons bend at the same x, without the + 1 and - 1: they need different "
            "biases", {"1.0 - middle": "0.0 - middle", "-1.0 - middle": "0.0 - middle"})
hat.mistake("on the right of its point, the curve stays at its height: the second bend has to turn "
            "a line that rises into one that falls", {weights: "height, -height, 0.0"})
hat.mistake("the curve is flat from middle to middle + 1 and falls after that: the middle neuron "
            "counts -2 times height", {weights: "height, -height, -height"})
hat.mistake("the curve falls for ever on the right: the third neuron has to bend it back",
            {weights: "height, -2.0 * height, 0.0"})
hat.mistake("the three neurons are added up, and the curve rises ever faster",
            {weights: "height, height, height"})
hat.mistake("the curve rises ever faster: the middle neuron needs a minus",
            {"-2.0 * height": "2.0 * height"})
hat.mistake("the hat is upside down", {weights: "-height, 2.0 * height, -height"})
hat.mistake("all hats have the height 1: height belongs into the weights of the last layer",
            {weights: "1.0, -2.0, 1.0"})
hat.mistake("the last layer keeps its random bias: bias=False", {", bias=False": ""})
hat.mistake("the first layer keeps its random biases",
            {"neurons.bias = nn.Parameter(torch.tensor([1.0 - middle, 0.0 - middle, "
             "-1.0 - middle]))": ""})
hat.mistake("the hat is twice as wide as it should be",
            {"1.0 - middle": "2.0 - middle", "-1.0 - middle": "-2.0 - middle",
             weights: "height / 2, -height, height / 2"})


@hat.mistake("there are only two neurons, as for the distance in the lesson: on both sides, the "
             "curve goes on beyond 0")
def _(middle, height):
    neurons = linear(torch.tensor([[1.0], [-1.0]]), torch.tensor([-middle, middle]))
    add_up = linear(torch.tensor([[-height, -height]]), torch.tensor([height]))
    return nn.Sequential(neurons, nn.ReLU(), add_up)


if __name__ == "__main__":
    main(__file__)
