"""Exercises to lesson 10: losses, backward, optimizers

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=10`.
"""

import torch
from torch import nn

from shared.exercises import calls, exercise, main


def numbers(*shape):
    """Numbers in no order, below and above 0, the same each time."""
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).mul(7).cos().reshape(shape)


def fixed(network):
    """Gives a network the same first weights each time."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(numbers(*parameter.shape))
    return network


# 1


@exercise(
    look=calls((torch.tensor([[0.1, 0.7, 0.2]]), torch.tensor([1])),
               (torch.tensor([[2.0, 1.0, 0.0], [0.5, 3.0, -1.0]]), torch.tensor([0, 2])),
               (torch.tensor([[0.0, 0.0], [1.0, -1.0], [2.0, 0.5]]), torch.tensor([1, 0, 1]))),
    hint="scores.softmax(dim=1) makes probabilities. In each row, take the one whose number is the "
         "target: in a loop, or by probabilities[range(len(targets)), targets].")
def cross_entropy(scores, targets):
    """Minus the logarithm of the probability of the right class, the mean over a batch.

    scores: a float tensor (pictures, classes), what a network gives, before Softmax
    targets: an int64 tensor (pictures,), the numbers of the right classes, from 0

    Returns a number, or a tensor of the shape (). For example, the scores [[0.1, 0.7, 0.2]] and
    the targets [1] give 0.7679: the probability of class 1 is 0.4640.
    """
    probabilities = scores.softmax(dim=1)
    return -probabilities[range(len(targets)), targets].log().mean()


cross_entropy.mistake("the minus is left out", {"-prob": "prob"})
cross_entropy.mistake("the losses of the pictures are added up: take their mean",
                      {"mean()": "sum()"})
cross_entropy.mistake("the mean is over all classes, too: divide by the number of pictures only",
                      {"mean()": "sum() / scores.numel()"})
cross_entropy.mistake("each picture keeps a loss of its own: take their mean", {".mean()": ""})
cross_entropy.mistake("there are two Softmax, one after the other",
                      {"softmax(dim=1)": "softmax(dim=1).softmax(dim=1)"})
cross_entropy.mistake("the scores are taken for probabilities: Softmax comes first",
                      {".softmax(dim=1)": ""})
cross_entropy.mistake("Softmax goes down the columns: each row should add up to 1, with dim=1",
                      {"dim=1": "dim=0"})
cross_entropy.mistake("the logarithm is left out", {".log()": ""})
cross_entropy.mistake("the logarithm has the base 10: torch.log has the right one",
                      {".log()": ".log10()"})
cross_entropy.mistake("the logarithm has the base 2: torch.log has the right one",
                      {".log()": ".log2()"})
cross_entropy.mistake("the class with the highest score is looked at, not the right class",
                      {"targets]": "scores.argmax(1)]"})
cross_entropy.mistake("[:, targets] takes each picture's probability of every picture's target",
                      {"range(len(targets))": ":"})
cross_entropy.mistake("probabilities[targets] takes whole rows. Take one number from each row: its "
                      "column is the right class",
                      {"range(len(targets)), targets": "targets"})
cross_entropy.mistake("the logarithm of the mean is taken, not the mean of the logarithms",
                      {".log().mean()": ".mean().log()"})


# 2


def look_at_step(step):
    used, unused = fixed(nn.Linear(3, 2)), fixed(nn.Linear(2, 1))
    used(numbers(4, 3)).pow(2).mean().backward()    # the gradients of `unused` stay None
    parameters = [*used.parameters(), *unused.parameters()]
    seen = {"what it returns": step(parameters, 0.1)}
    for number, parameter in enumerate(parameters):
        seen[f"parameters[{number}] after the step"] = parameter.detach().clone()
        seen[f"parameters[{number}].grad after the step"] = parameter.grad
    return seen


@exercise(
    look_at_step,
    hint="A loop over the parameters in `with torch.no_grad():`. Leave out those whose .grad is "
         "None. `parameter -= ...` changes the parameter itself.")
def sgd_step(parameters, lr):
    """One step of SGD: each parameter moves against its gradient, by lr times the gradient.

    parameters: a list of float tensors, after backward. If the loss does not depend on a
        parameter, that parameter's .grad is None, and the parameter stays as it is.
    lr: the learning rate, a float

    Changes the parameters themselves, keeps the gradients, and returns nothing. For example,
    with lr 0.1, a parameter 1.0 with the gradient -16.0 becomes 2.6.
    """
    with torch.no_grad():
        for parameter in parameters:
            if parameter.grad is not None:
                parameter -= lr * parameter.grad


sgd_step.mistake("the step goes with the gradient: against it, the loss gets smaller",
                 {"-=": "+="})
sgd_step.mistake("the learning rate is left out", {"lr * parameter": "parameter"})
sgd_step.mistake("the gradient is divided by the learning rate", {"lr * parameter.grad":
                                                                  "parameter.grad / lr"})
sgd_step.mistake("only the sign of the gradient counts, not its size",
                 {"parameter.grad\n": "parameter.grad.sign()\n"})
sgd_step.mistake("no parameter has changed. `p = p - ...` makes a new tensor, and leaves the old "
                 "one as it was: write `p -= ...`", {"-=": "= parameter -"})
sgd_step.mistake("a parameter whose gradient is None is not skipped",
                 {"is not None": "is not False"})
sgd_step.mistake("PyTorch has to remember the step for backward. `with torch.no_grad():` prevents "
                 "this", {"no_grad": "enable_grad"})
sgd_step.mistake("the gradients are cleared, too",
                 {"parameter.grad\n": "parameter.grad; parameter.grad = None\n"})
sgd_step.mistake("the gradients are set to 0, too",
                 {"parameter.grad\n": "parameter.grad; parameter.grad.zero_()\n"})
sgd_step.mistake("the parameter becomes the step, and its old value is lost",
                 {"parameter -= lr * parameter.grad": "parameter.copy_(-lr * parameter.grad)"})
sgd_step.mistake("only the first parameter moves", {"in parameters": "in parameters[:1]"})


# 3


def look_at_training(train_step):
    network = fixed(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))
    happened = []
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    optimizer.register_step_pre_hook(lambda *_: happened.append("step"))
    network[2].weight.register_hook(lambda _: happened.append("backward"))

    seen = {}
    batches = torch.tensor([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
    for batch, targets in enumerate(batches, start=1):
        loss = train_step(network, nn.CrossEntropyLoss(), optimizer, numbers(4, 3) * batch, targets)
        seen[f"the loss of batch {batch}"] = loss
        seen[f"the type of the loss of batch {batch}"] = type(loss).__name__
        seen[f"the last layer's weights after batch {batch}"] = network[2].weight.detach().clone()
    return seen | {"clue: in which order": happened}    # without a step, the weights are the same


@exercise(
    look_at_training,
    hint="Compute the loss of network(pictures). Then optimizer.zero_grad(), loss.backward(), "
         "optimizer.step(), in this order. loss.item() is the loss as a number.")
def train_step(network, loss_function, optimizer, pictures, targets):
    """Trains a network on one batch.

    network: an nn.Module
    loss_function: such as nn.CrossEntropyLoss()
    optimizer: of the network's parameters, such as torch.optim.SGD
    pictures: what the network takes, a float tensor (batch, ...)
    targets: what the loss function takes, an int64 tensor (batch,)

    Returns the loss before the step, as a number of Python (a float). A tensor would still
    carry its notes for backward. For example, the loss of a new network of ten classes is about
    2.3.
    """
    loss = loss_function(network(pictures), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


zero, backward, step = "optimizer.zero_grad()", "loss.backward()", "optimizer.step()"
train_step.mistake("gradients of the batches before are not cleared: zero_grad", {zero: ""})
train_step.mistake("gradients are cleared between backward and step, so the step does nothing",
                   {zero: "", step: f"{zero}; {step}"})
train_step.mistake("the step comes before backward", {zero: step, backward: zero, step: backward})
train_step.mistake("the step comes before backward, right after zero_grad",
                   {backward: step, step: backward})
train_step.mistake("there is no step: backward changes no parameter", {step: ""})
train_step.mistake("there is no backward: a step without gradients changes nothing",
                   {backward: ""})
train_step.mistake("there is neither backward nor step", {backward: "", step: ""})
train_step.mistake("the loss is returned as a tensor, with its notes for backward: .item() gives "
                   "the number", {".item()": ""})
train_step.mistake("the scores go through Softmax. CrossEntropyLoss does that itself",
                   {"network(pictures)": "network(pictures).softmax(dim=1)"})
train_step.mistake("the loss is computed once more after the step: return the one before",
                   {"loss.item()": "loss_function(network(pictures), targets).item()"})
train_step.mistake("there are two steps for one batch", {step: f"{step}; {step}"})


if __name__ == "__main__":
    main(__file__)
