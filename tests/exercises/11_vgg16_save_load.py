"""Right answers to the exercises of lesson 11, in other words than the solutions."""

import torch
from torch import nn


def replace_freezing_one_by_one(network, classes):
    inputs = network[len(network) - 1].weight.shape[1]
    network[len(network) - 1] = nn.Linear(inputs, classes)
    for layer in network[:-1]:
        for parameter in layer.parameters():
            parameter.requires_grad = False


def replace_with_pop(network, classes):
    old = network.pop(-1)
    network.requires_grad_(False)
    network.append(nn.Linear(old.in_features, classes))


def replace_and_thaw(network, classes):
    n = network[-1].in_features
    network[-1] = nn.Linear(in_features=n, out_features=classes)
    for p in network.parameters():
        p.requires_grad = False
    network[-1].weight.requires_grad = True
    network[-1].bias.requires_grad = True


def save_by_comprehension(network, file):
    file.parents[1].mkdir(exist_ok=True)
    file.parents[0].mkdir(exist_ok=True)
    torch.save({n: p for n, p in network.named_parameters() if p.requires_grad}, str(file))


def save_with_data(network, file):
    if not file.parent.exists():
        file.parent.mkdir(parents=True)
    result = {}
    for name, p in network.named_parameters():
        if not p.requires_grad:
            continue
        result[name] = p.data.clone()
    torch.save(result, file)


def save_without_frozen(network, file):
    state = network.state_dict()
    for name, p in network.named_parameters():
        if not p.requires_grad:
            del state[name]
    file.parent.mkdir(exist_ok=True, parents=True)
    with file.open("wb") as opened:
        torch.save(state, opened)


def load_not_strict(network, file):
    network.load_state_dict(torch.load(file), strict=False)
    return network.eval()


def load_joined(network, file):
    saved = torch.load(file, weights_only=True)
    network.load_state_dict(network.state_dict() | saved)
    network.train(False)
    return network


def load_by_copy(network, file):
    network.eval()
    saved = torch.load(str(file))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name in saved:
                parameter.copy_(saved[name])
    return network


def load_into_state(network, file):
    for name, tensor in torch.load(file).items():
        network.state_dict()[name].copy_(tensor)    # the tensors are the network's own
    network.eval()
    return network


def train_layer_by_layer(network, pictures, targets, steps):
    network.eval()
    x = pictures
    for layer in list(network)[:-1]:
        x = layer(x)
    x = x.detach()
    last = network[-1]
    optimizer = torch.optim.Adam(last.parameters(), lr=0.1)
    loss_function = nn.CrossEntropyLoss()
    losses = []
    while len(losses) < steps:
        optimizer.zero_grad()
        loss = loss_function(last(x), targets)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def train_frozen(network, pictures, targets, steps):
    network.requires_grad_(False)
    network[-1].requires_grad_(True)
    network.eval()
    features = network[:-1](pictures)
    trainable = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trainable, lr=0.1)
    losses = []
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(network[-1](features), targets)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
        optimizer.zero_grad()
    return losses


def train_with_all_parameters(network, pictures, targets, steps):
    """Those of the other layers have no gradients, so the optimizer leaves them alone."""
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    network = network.eval()
    with torch.no_grad():
        features = network[0:len(network) - 1](pictures)
    losses = torch.zeros(steps)
    for step in range(steps):
        scores = network[-1](features)
        loss = -scores.log_softmax(dim=1)[range(len(targets)), targets].mean()
        network.zero_grad()
        loss.backward()
        optimizer.step()
        losses[step] = loss.detach()
    return losses.tolist()


RIGHT = {
    "replace_last_layer": [replace_freezing_one_by_one, replace_with_pop, replace_and_thaw],
    "save_trained": [save_by_comprehension, save_with_data, save_without_frozen],
    "load_trained": [load_not_strict, load_joined, load_by_copy, load_into_state],
    "train_last_layer": [train_layer_by_layer, train_frozen, train_with_all_parameters],
}
# Changes of a solution that are as right as it is, as the test writes them.
EQUALLY_RIGHT = {
    "save_trained": {"earlier trained = {}",
                     "earlier file.parent.mkdir(parents=True, exist_ok=True)"},
    "load_trained": {
        "earlier network.eval()",
        # weights_only is True by default. Without map_location, the same on a CPU.
        "torch.load(file, map_location='cpu', weights_only=True) -> without weights_only",
        "torch.load(file, map_location='cpu', weights_only=True) -> without map_location"},
    "train_last_layer": {
        "earlier optimizer = torch.optim.Adam(network[-1].parameters(), lr=0.1)",
        "earlier losses = []", "earlier optimizer.zero_grad()",
        "earlier losses.append(loss.item())"},
}
