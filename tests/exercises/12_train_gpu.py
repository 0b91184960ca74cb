"""Right answers to the exercises of lesson 12, in other words than the solutions."""

import torch
from torch import nn
from torch.nn import functional as F


def confusion_with_bincount(scores, targets):
    n = scores.size(1)
    return torch.bincount(n * targets + scores.argmax(1), minlength=n * n).reshape(n, n)


def confusion_by_lists(scores, targets):
    n = len(scores[0])
    table = [[0] * n for _ in range(n)]
    for i in range(len(scores)):
        row = scores[i].tolist()
        table[int(targets[i])][row.index(max(row))] += 1
    return torch.tensor(table)


def confusion_cell_by_cell(scores, targets):
    _, predicted = scores.max(dim=1)
    n = scores.shape[-1]
    result = torch.empty(n, n).long()
    for i in range(n):
        for j in range(n):
            result[i, j] = ((targets == i) & (predicted == j)).sum()
    return result


def confusion_one_hot(scores, targets):
    n = scores.shape[1]
    return F.one_hot(targets, n).T @ F.one_hot(scores.argmax(dim=1), n)


class DropoutWhere(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.probability = p

    def forward(self, x):
        if self.training:
            random = torch.rand(x.shape)
            return torch.where(random < self.probability, 0.0, x / (1 - self.probability))
        return x


class DropoutBernoulli(nn.Module):
    def __init__(self, p=0.5):
        super(DropoutBernoulli, self).__init__()    # noqa: UP008 (as older code has it)
        self.p = p

    def forward(self, inputs):
        if self.training is False:
            return inputs.clone()
        return torch.bernoulli(torch.full_like(inputs, 1 - self.p)) * inputs / (1 - self.p)


class DropoutMasked(nn.Module):
    def __init__(self, p):
        nn.Module.__init__(self)
        self.p = p

    def forward(self, x):
        y = x.clone()
        if self.training:
            y[torch.rand(*x.size()) <= self.p] = 0
            y *= 1 / (1 - self.p)
        return y


class DropoutNumberByNumber(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        drawn = torch.rand(x.numel()).tolist()
        out = [0.0 if r < self.p else v / (1 - self.p)
               for r, v in zip(drawn, x.flatten().tolist(), strict=True)]
        return torch.tensor(out).reshape(x.shape)


def go_on_while(file, network, optimizer, train_epoch, epochs):
    done = 0
    if file.is_file():
        checkpoint = torch.load(file)
        done = checkpoint["epoch"]
        optimizer.load_state_dict(checkpoint["optimizer"])
        network.load_state_dict(checkpoint["network"])
    while done < epochs:
        train_epoch(network, optimizer, done)
        done += 1
        state = {}
        state["network"] = network.state_dict()
        state["optimizer"] = optimizer.state_dict()
        state["epoch"] = done
        torch.save(state, str(file))


def go_on_try(file, network, optimizer, train_epoch, epochs):
    try:
        saved = torch.load(file, weights_only=True)
    except FileNotFoundError:
        saved = {"epoch": 0, "network": network.state_dict(), "optimizer": optimizer.state_dict()}
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    for epoch in range(saved["epoch"], epochs):
        train_epoch(network, optimizer, epoch)
        checkpoint = {}
        checkpoint.update(epoch=epoch + 1, network=network.state_dict())
        checkpoint.update(optimizer=optimizer.state_dict())
        torch.save(checkpoint, file)
    return network


def go_on_skipping(file, network, optimizer, train_epoch, epochs):
    done = -1
    if file.exists():
        saved = torch.load(file)
        done = saved["epoch"] - 1
        for key, what in (("network", network), ("optimizer", optimizer)):
            what.load_state_dict(saved[key])
    for epoch in range(epochs):
        if epoch <= done:
            continue
        train_epoch(network, optimizer, epoch)
        torch.save({"epoch": 1 + epoch, "network": network.state_dict(),
                    "optimizer": optimizer.state_dict()}, file)


def train_with_loss_function(network, optimizer, training_batches, test_batches, epochs):
    loss_function = nn.CrossEntropyLoss()
    result = []
    for _epoch in range(1, epochs + 1):
        network.train()
        for inputs, labels in training_batches:
            optimizer.zero_grad()
            outputs = network(inputs)
            loss = loss_function(outputs, labels)
            loss.backward()
            optimizer.step()
        network.eval()
        right, total = 0, 0
        with torch.inference_mode():
            for inputs, labels in test_batches:
                _, predicted = torch.max(network(inputs), 1)
                right += torch.sum(predicted == labels).item()
                total += labels.size(0)
        result.append(right / total)
    return result


def train_with_helpers(network, optimizer, training_batches, test_batches, epochs):
    def one_epoch():
        for x, y in training_batches:
            F.cross_entropy(network(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()

    @torch.no_grad()
    def test():
        network.eval()
        right = []
        for x, y in test_batches:
            right += (network(x).argmax(1) == y).tolist()
        network.train()
        return sum(right) / len(right)

    network.train()
    accuracies = []
    for _ in range(epochs):
        one_epoch()
        accuracies.append(test())
    return accuracies


def train_at_once(network, optimizer, training_batches, test_batches, epochs):
    accuracies, epoch = [], 0
    while epoch < epochs:
        network.train(True)
        for batch in training_batches:
            loss = -network(batch[0]).log_softmax(1)[range(len(batch[1])), batch[1]].mean()
            network.zero_grad()
            loss.backward()
            optimizer.step()
        network.train(False)
        with torch.no_grad():
            scores = torch.cat([network(pictures) for pictures, _ in test_batches])
        targets = torch.cat([targets for _, targets in test_batches])
        accuracies.append(scores.argmax(dim=1).eq(targets).float().mean().item())
        epoch += 1
    return accuracies


def train_by_zip(network, optimizer, training_batches, test_batches, epochs):
    accuracies = [0.0] * epochs
    for epoch in range(epochs):
        network.train()
        for pictures, targets in training_batches:
            loss = F.cross_entropy(network.forward(pictures), targets, reduction="sum")
            loss = loss / len(pictures)
            for parameter in network.parameters():
                parameter.grad = None
            loss.backward()
            optimizer.step()
        network.eval()
        torch.set_grad_enabled(False)
        count = sum(len(targets) for _, targets in test_batches)
        for pictures, targets in test_batches:
            for scores, target in zip(network(pictures), targets, strict=True):
                accuracies[epoch] += (scores.argmax() == target).item() / count
        torch.set_grad_enabled(True)
    return accuracies


PYTORCH = {"Dropout": nn.Dropout}
RIGHT = {
    "confusion_matrix": [confusion_with_bincount, confusion_by_lists, confusion_cell_by_cell,
                         confusion_one_hot],
    "Dropout": [DropoutWhere, DropoutBernoulli, DropoutMasked, DropoutNumberByNumber],
    "go_on": [go_on_while, go_on_try, go_on_skipping],
    "train": [train_with_loss_function, train_with_helpers, train_at_once, train_by_zip],
}
# Changes of a solution that are as right as it is, as the test writes them.
EQUALLY_RIGHT = {
    "confusion_matrix": {
        "torch.zeros(classes, classes, dtype=torch.int64) -> swapped",    # they are equal
        "zip(targets, scores.argmax(dim=1), strict=True) -> without strict", "True -> not"},
    "Dropout": {"earlier self.p = p", "earlier kept = torch.rand_like(x) > self.p",
                "torch.rand_like(x) > self.p -> GtE"},
    "go_on": {    # weights_only is True by default, and one may load one's own files without it
        "torch.load(file, weights_only=True) -> without weights_only", "True -> not",
        "earlier optimizer.load_state_dict(saved['optimizer'])", "earlier first = saved['epoch']"},
    "train": {"earlier optimizer.zero_grad()", "earlier correct = count = 0",
              "earlier count += len(targets)"},
}
