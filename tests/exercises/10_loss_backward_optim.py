"""Right answers to the exercises of lesson 10, in other words than the solutions."""

import torch
from torch import nn
from torch.nn import functional as F


def entropy_by_exp(scores, targets):
    p = scores.exp() / scores.exp().sum(dim=1, keepdim=True)
    return -torch.log(p[torch.arange(len(targets)), targets]).mean()


def entropy_in_a_loop(scores, targets):
    total = 0
    for row, target in zip(scores, targets, strict=True):
        total = total - torch.log(torch.softmax(row, 0)[target])
    return total / len(targets)


def entropy_one_hot(scores, targets):
    one_hot = F.one_hot(targets, scores.shape[1])
    return -(one_hot * scores.log_softmax(1)).sum().item() / len(targets)


def entropy_gathered(scores, targets):
    return (scores.logsumexp(1) - scores.gather(1, targets[:, None])[:, 0]).mean()


def step_by_data(parameters, lr):
    for p in parameters:
        if p.grad is not None:
            p.data -= lr * p.grad


def step_by_copy(parameters, lr):
    with torch.no_grad():
        for p in parameters:
            if p.grad is None:
                continue
            p.copy_(p - p.grad * lr)


@torch.no_grad()
def step_decorated(parameters, lr):
    for p in filter(lambda p: p.grad is not None, parameters):
        p.add_(p.grad, alpha=-lr)


def train_first_zero(network, loss_function, optimizer, pictures, targets):
    optimizer.zero_grad()
    scores = network(pictures)
    loss = loss_function(scores, targets)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def train_last_zero(network, loss_function, optimizer, pictures, targets):
    loss = loss_function(network(pictures), targets)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return loss.detach().numpy().item()


def train_zero_of_network(network, loss_function, optimizer, pictures, targets):
    network.train()
    network.zero_grad()
    loss = loss_function(network.forward(pictures), targets)
    value = loss.item()
    loss.backward()
    optimizer.step()
    return value


PYTORCH = {
    "cross_entropy": nn.CrossEntropyLoss(),
    "sgd_step": lambda parameters, lr: torch.optim.SGD(parameters, lr).step(),
}
RIGHT = {
    "cross_entropy": [entropy_by_exp, entropy_in_a_loop, entropy_one_hot, entropy_gathered],
    "sgd_step": [step_by_data, step_by_copy, step_decorated],
    "train_step": [train_first_zero, train_last_zero, train_zero_of_network],
}
# Changes of a solution that are as right as it is, as the test writes them.
EQUALLY_RIGHT = {"train_step": {"earlier optimizer.zero_grad()"}}
# What changes nothing and returns nothing looks like a mistake: one that says so.
LIKE_NOTHING = {"sgd_step"}
