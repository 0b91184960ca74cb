"""Exercises to lesson 11: change a network, freeze it, save it, load it

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=11`.
"""

import torch
from torch import nn

from shared.exercises import exercise, main


def numbers(*shape):
    """Numbers in no order, below and above 0, the same each time."""
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).mul(7).cos().reshape(shape)


def fixed(network, factor=1):
    """Gives a network the same weights each time."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(factor * numbers(*parameter.shape))
    return network


# 1


def look_at_replacing(replace_last_layer):
    two_layers = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 5))
    inner = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
    three_layers = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), inner, nn.Linear(6, 2))
    seen = {}
    for name, network, classes in [("two", two_layers, 3), ("three", three_layers, 7)]:
        name = f"a network with {name} linear layers"
        old = fixed(network)[-1].weight.detach().clone()
        replace_last_layer(network, classes)
        seen[f"{name}: its layers"] = [str(layer) for layer in network]
        seen[f"{name}: the shapes of its parameters"] = {
            name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
        seen[f"{name}: requires_grad"] = {
            name: parameter.requires_grad for name, parameter in network.named_parameters()}
        first, last = next(network.parameters()), list(network.parameters())[-2]
        seen[f"{name}: the first layer's weights"] = first.detach().clone()
        seen[f"{name}: the last layer still has its old weights"] = torch.equal(
            last[:2], old[:2])
    return seen


@exercise(
    look_at_replacing,
    hint="network.requires_grad_(False) freezes all that is in the network at that moment. "
         "network[-1] is its last layer, and you can assign another one to it. The layer that is "
         "there knows its in_features.")
def replace_last_layer(network, classes):
    """Freezes a network, and gives it a new last layer that can be trained.

    network: an nn.Sequential. Its last layer is an nn.Linear, and nothing in it is frozen.
    classes: how many scores the new last layer gives, an int

    The new nn.Linear takes the place of the last layer, with random weights. All other layers keep
    their weights, and are frozen. Changes the network itself, and returns nothing. For example,
    with classes 3, the network of Linear(2, 4), Tanh() and Linear(4, 5) becomes Linear(2, 4),
    Tanh() and Linear(4, 3). Only the Linear(4, 3) can be trained.
    """
    network.requires_grad_(False)
    network[-1] = nn.Linear(network[-1].in_features, classes)


freeze, new = "network.requires_grad_(False)", "nn.Linear(network[-1].in_features, classes)"
replace = f"network[-1] = {new}"
replace_last_layer.mistake(
    "nothing is frozen. `network.requires_grad = False` does not do it: network.requires_grad_ "
    "does, with a _ at its end", {freeze: ""})
replace_last_layer.mistake("the new layer is frozen, too: freeze first, then replace",
                           {freeze: replace, replace: freeze})
replace_last_layer.mistake("only weights are frozen, and not the biases", {
    freeze: "[p.requires_grad_('bias' in n) for n, p in network.named_parameters()]"})
replace_last_layer.mistake("only the first layer is frozen",
                           {freeze: "network[0].requires_grad_(False)"})
replace_last_layer.mistake(
    "the new layer is added behind the last one. Here it has to replace it",
    {replace: "network.append(nn.Linear(network[-1].out_features, classes))"})
replace_last_layer.mistake(
    "the last layer only says that it has another out_features: its weights are as many as before, "
    "and frozen", {replace: "network[-1].out_features = classes"})
replace_last_layer.mistake(
    "the last layer says that it has another out_features, but its weights are as many as before",
    {replace: "network[-1].out_features = classes; network[-1].requires_grad_(True)"})
replace_last_layer.mistake(
    "the new layer takes as many numbers as the old one gave. It has to take as many as the old "
    "one took: in_features", {"in_features": "out_features"})
replace_last_layer.mistake("in_features and out_features of the new layer are exchanged",
                           {new: "nn.Linear(classes, network[-1].in_features)"})
replace_last_layer.mistake("the new layer has no bias", {"classes)": "classes, bias=False)"})
replace_last_layer.mistake(
    "the last layer is frozen as the others are, and not replaced. Making another network does not "
    "help: give network[-1] another layer", {replace: ""})


# 2


def two_networks():
    """One whose last layer is not frozen, and one of which two layers are not, with names."""
    from collections import OrderedDict
    plain = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2))
    named = nn.Sequential(OrderedDict([("first", nn.Linear(2, 3)), ("second", nn.Linear(3, 1)),
                                       ("third", nn.Linear(1, 2)), ("fourth", nn.Linear(2, 3))]))
    plain[0].requires_grad_(False)
    named.first.requires_grad_(False)
    named.third.requires_grad_(False)
    return {"a network whose last layer is not frozen": plain,
            "a network whose second and fourth layers are not frozen": named}


def look_at_saving(save_trained):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        seen = {}
        for number, (name, network) in enumerate(two_networks().items()):
            fixed(network)
            for file in [Path(folder, f"models {number}", "run", "trained.pt"),
                         Path(folder, f"models {number}", "run", "again.pt")]:
                try:
                    save_trained(network, file)
                except (OSError, RuntimeError) as error:    # without the folder's own name
                    text = str(error).replace(folder, "...")
                    raise type(error)(text).with_traceback(error.__traceback__) from None
                saved = torch.load(file, weights_only=False) if file.exists() else None
                kind = "dict" if isinstance(saved, dict) else type(saved).__name__
                kind = kind if file.exists() else "no such file"
                seen[f"{name}: the type of what is in {file.name}"] = kind
                saved = dict(saved) if kind == "dict" else {}
                seen[f"{name}: the names in {file.name}"] = sorted(saved)
                seen[f"{name}: the tensors in {file.name}"] = saved
        return seen


@exercise(
    look_at_saving,
    hint="file.parent.mkdir(...) makes the folder. parents=True also makes those above it, and "
         "with exist_ok=True it may be there already. A loop over network.named_parameters() finds "
         "what is not frozen.")
def save_trained(network, file):
    """Saves the parameters of a network that are not frozen, and no others.

    network: an nn.Module, of which some parameters are frozen
    file: a pathlib.Path. Its folder may be there already. If not, make it, and also the
        folders above it that are missing.

    The file holds a dict: the name of each such parameter, as in network.state_dict(), and its
    tensor. Returns nothing. For example, of Linear(3, 4), Tanh() and Linear(4, 2), where the first
    is frozen, the dict has "2.weight", of the shape (2, 4), and "2.bias", of the shape (2,).
    """
    state = network.state_dict()
    trained = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            trained[name] = state[name]
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(trained, file)


mkdir, write = "file.parent.mkdir(parents=True, exist_ok=True)", "torch.save(trained, file)"
save_trained.mistake("everything is saved, also what is frozen",
                     {write: "torch.save(state, file)"})
save_trained.mistake("what is frozen is saved, and what was trained is not",
                     {"if parameter": "if not parameter"})
save_trained.mistake("the network itself is saved, as a pickle: save a dict of names and tensors",
                     {write: "torch.save(network, file)"})
save_trained.mistake("the tensors are saved without their names",
                     {write: "torch.save(list(trained.values()), file)"})
save_trained.mistake(
    "only the last layer is saved, and its names are 'weight' and 'bias': in the network's "
    "state_dict they begin with the layer's place", {write:
                                                     "torch.save(network[-1].state_dict(), file)"})
save_trained.mistake("only the weights are saved, and not the biases",
                     {"requires_grad": "requires_grad and name.endswith('weight')"})
save_trained.mistake("the folder is not made first", {mkdir: ""})
save_trained.mistake("the folders above are not made: parents=True", {"parents=True, ": ""})
save_trained.mistake("a folder that is there already is an error: exist_ok=True",
                     {", exist_ok=True": ""})
save_trained.mistake("a folder is made that has the name of the file: file.parent is its folder",
                     {".parent": ""})


# 3


class RunsCode:
    def __reduce__(self):
        return eval, ("{}",)    # loading it calls eval("{}"), which is harmless


def look_at_loading(load_trained):
    import pickle
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trained.pt")
        seen = {}
        for name, network in two_networks().items():
            fixed(network)
            torch.save({key: 10 + numbers(*parameter.shape)
                        for key, parameter in network.named_parameters()
                        if parameter.requires_grad}, file)
            result = load_trained(network, file)
            seen[f"{name}: what it returns"] = type(result).__name__
            seen[f"{name}: it returns the network that it was given"] = result is network
            state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
            seen |= {f"{name}: {key}": tensor for key, tensor in state.items()}
            seen[f"{name}: network.training"] = network.training
            seen[f"{name}: requires_grad"] = [p.requires_grad for p in network.parameters()]

        torch.save(RunsCode(), file)
        try:
            load_trained(two_networks().popitem()[1], file)
            seen["a file that runs code"] = "loaded"
        except pickle.UnpicklingError:
            seen["a file that runs code"] = "refused"
        return seen


@exercise(
    look_at_loading,
    hint="torch.load gives the dict of the file. It lacks what was frozen, and load_state_dict "
         "wants everything. network.state_dict() has everything: update() it with what is in the "
         "file.")
def load_trained(network, file):
    """Loads what save_trained has saved, and makes the network ready to test with.

    network: an nn.Module with the same layers as the network that was saved, in train mode
    file: a pathlib.Path. The file holds a dict, the names and tensors of some of the parameters;
        the others keep their numbers. A file that would run code is refused, as in the lesson.

    Changes the network itself, and returns it. Its Dropout is switched off. For example, if the
    file holds {"2.bias": tensor([5.0, 6.0])}, the layer 2 of the network gets the bias [5.0, 6.0],
    and all other parameters stay as they are.
    """
    state = network.state_dict()
    state.update(torch.load(file, map_location="cpu", weights_only=True))
    network.load_state_dict(state)
    network.eval()
    return network


update = 'state.update(torch.load(file, map_location="cpu", weights_only=True))'
load = "network.load_state_dict(state)"
load_trained.mistake(
    "the network has kept its own numbers. state_dict() is a new dict each time: give the changed "
    "one to load_state_dict", {load: ""})
load_trained.mistake(
    "load_state_dict gets only what is in the file, and misses the frozen parameters",
    {load: "network.load_state_dict(torch.load(file))"})
load_trained.mistake("Dropout is still on: network.eval()", {"network.eval()": ""})
load_trained.mistake("a file can run code: leave weights_only as it is, True",
                     {"weights_only=True": "weights_only=False"})
load_trained.mistake(
    "what load_state_dict returns is returned. It changes the network, and returns a message",
    {load: f"message = {load}", "return network": "return message"})
load_trained.mistake(
    "what load_state_dict returns is returned, and Dropout is still on. load_state_dict changes "
    "the network, and returns a message", {load: f"return {load}"})
load_trained.mistake("the dict is returned, not the network", {"return network": "return state"})
load_trained.mistake(
    "a copy of the network is changed. The network that was given should be changed itself",
    {"state =": "import copy; network = copy.deepcopy(network); state ="})
load_trained.mistake("only the weights are loaded, and not the biases", {
    "torch.load(": "(k, v) for k, v in torch.load(", "=True))": "=True).items() if 'weight' in k)"})
load_trained.mistake("only the first tensor of the file is loaded", {
    "torch.load(": "list(torch.load(", "=True))": "=True).items())[:1])"})


# 4


class CountedLinear(nn.Linear):
    """Counts how often it runs."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


def look_at_training(train_last_layer):
    counted = CountedLinear(3, 4)
    network = fixed(nn.Sequential(counted, nn.Dropout(0.5), nn.Tanh(), nn.Linear(4, 2)))
    losses = train_last_layer(network, numbers(5, 3), torch.tensor([0, 1, 1, 0, 1]), 3)
    return {"the losses": losses,
            "how often the first layer runs": counted.calls,
            "the first layer's weights": counted.weight.detach().clone(),
            "the last layer's weights": network[-1].weight.detach().clone(),
            "the last layer's bias": network[-1].bias.detach().clone()}


@exercise(
    look_at_training,
    hint="network[:-1] is the network without its last layer. Call it once, in eval mode and in "
         "`with torch.no_grad():`. In each step, only network[-1] runs, with the features.")
def train_last_layer(network, pictures, targets, steps):
    """Trains the last layer of a network, and no other, with all pictures in one batch.

    network: an nn.Sequential. Nothing in it is frozen. It is in train mode, and may have Dropout.
    pictures: a float tensor (pictures, ...), what the network takes
    targets: an int64 tensor (pictures,)
    steps: how many steps the optimizer makes

    The layers before the last one run only once, with Dropout switched off, and keep their weights.
    The loss is cross entropy. The optimizer is torch.optim.Adam with lr=0.1, for the parameters of
    the last layer. Returns the losses, a list of floats: of each step, the loss before it.
    For example, with steps 3 it makes three steps, and returns three losses.
    """
    network.eval()
    with torch.no_grad():
        features = network[:-1](pictures)
    optimizer = torch.optim.Adam(network[-1].parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(network[-1](features), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


make = "optimizer = torch.optim.Adam(network[-1].parameters(), lr=0.1)"
loss = "loss = nn.functional.cross_entropy(network[-1](features), targets)"
again = {"network[-1](features)": "network(pictures)"}
only_again = {**again, "features = network[:-1](pictures)": "pass"}
train_last_layer.mistake("Dropout is on: network.eval() first", {"network.eval()": ""})
train_last_layer.mistake(
    "the layers before the last one run again in each step: they always give the same features",
    again)
train_last_layer.mistake(
    "the layers before the last one run in each step, and only there",
    only_again)
train_last_layer.mistake(
    "the layers before the last one run in each step, and Dropout is on",
    {**only_again, "network.eval()": ""})
train_last_layer.mistake(
    "the whole network is trained: the optimizer should get the parameters of the last layer only",
    {**only_again, "network[-1].parameters": "network.parameters"})
train_last_layer.mistake(
    "the whole network is trained, and Dropout is on",
    {**only_again, "network.eval()": "", "network[-1].parameters": "network.parameters"})
train_last_layer.mistake(
    "the features keep notes for backward, which can be used only once: compute them inside "
    "no_grad", {"torch.no_grad": "torch.enable_grad"})
train_last_layer.mistake("gradients of the steps before are not cleared: zero_grad",
                         {"optimizer.zero_grad()": ""})
train_last_layer.mistake("a new optimizer is made in each step, so it forgets its momentum",
                         {loss: f"{make}; {loss}"})
train_last_layer.mistake("there is no step, so all losses are equal", {"optimizer.step()": ""})
train_last_layer.mistake("only the last loss is returned", {"return losses": "return losses[-1]"})
train_last_layer.mistake("the optimizer is SGD, not Adam", {"Adam": "SGD"})
train_last_layer.mistake("the learning rate is Adam's default, 0.001", {", lr=0.1": ""})


if __name__ == "__main__":
    main(__file__)
