"""Exercises to lesson 12: a whole training run

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=12`.
"""

import torch
from torch import nn

from shared.exercises import Remark, calls, exercise, main


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


@exercise(
    look=calls((torch.tensor([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]]), torch.tensor([0, 0, 0])),
               (numbers(9, 4), torch.tensor([0, 1, 3, 3, 0, 3, 1, 0, 3])),
               (numbers(6, 4), torch.tensor([2, 0, 1, 1, 2, 0]))),
    hint="scores.argmax(dim=1) are the predictions. Begin with torch.zeros(classes, classes, "
         "dtype=torch.int64), and count in a loop over the pictures.")
def confusion_matrix(scores, targets):
    """Counts, for the pictures of each class, how often each class was predicted.

    scores: a float tensor (pictures, classes). The highest one of a row is the prediction.
    targets: an int64 tensor (pictures,), the right classes, from 0. A class may be missing.

    Returns an int64 tensor (classes, classes): a row for each right class, and in it a column for
    each prediction. For example, the scores [[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]] and the targets
    [0, 0, 0] give [[1, 2], [0, 0]]: two pictures of class 0 were taken for class 1.
    """
    classes = scores.shape[1]
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    for target, prediction in zip(targets, scores.argmax(dim=1), strict=True):
        counts[target, prediction] += 1
    return counts


count = "counts[target, prediction] += 1"
confusion_matrix.mistake("rows and columns are exchanged: a row is for a right class",
                         {"[target, prediction]": "[prediction, target]"})
confusion_matrix.mistake(
    "each pair of classes is counted once, however often it occurs. counts[targets, predictions] "
    "+= 1, without a loop, does that, too", {"+= 1": "= 1"})
confusion_matrix.mistake("the counts are floats: dtype=torch.int64", {", dtype=torch.int64": ""})
confusion_matrix.mistake("the counts are divided by the number of pictures",
                         {"return counts": "return counts / len(targets)"})
confusion_matrix.mistake(
    "each row is divided by its sum: numbers of pictures are wanted, not shares",
    {"return counts": "return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)"})
confusion_matrix.mistake("only right predictions are counted",
                         {count: f"{count[:-1]}(target == prediction)"})
confusion_matrix.mistake("only wrong predictions are counted",
                         {count: f"{count[:-1]}(target != prediction)"})
confusion_matrix.mistake("the class with the lowest score is taken", {"argmax": "argmin"})
confusion_matrix.mistake(
    "the highest score of each column is taken, not of each row: argmax(dim=1)",
    {"dim=1": "dim=0", "True": "False"})
confusion_matrix.mistake(
    "the number of classes is taken from the targets, where one may be missing",
    {"scores.shape[1]": "int(targets.max()) + 1"})
confusion_matrix.mistake("there are as many rows as pictures: scores.shape is (pictures, classes)",
                         {"shape[1]": "shape[0]"})


# 2


def look_at_dropout(dropout_class):
    dropout = dropout_class(0.3)
    before = numbers(50, 80)
    seen = {}
    for mode in ("eval", "train"):
        dropout.train(mode == "train")
        x = before.clone()
        result = dropout(x)
        if result is None:
            raise Remark(f"in {mode} mode, forward returns None. Is there a `return`?")
        zero = result == 0
        factors = {round(factor, 3) for factor in (result / before)[~zero].tolist()}
        rows, columns = bool((zero == zero[0]).all()), bool((zero == zero[:, :1]).all())
        share = zero.float().mean().item()
        if rows != columns:    # then the share differs much from call to call
            share = -1
        seen |= {
            f"in {mode} mode, the shape of the result": tuple(result.shape),
            f"in {mode} mode, whole rows become zero": columns and bool(zero.any()),
            f"in {mode} mode, whole columns become zero": rows and bool(zero.any()),
            f"in {mode} mode, the share of numbers that become zero": round(share, 1),
            f"in {mode} mode, by what the others are multiplied": sorted(factors),
            f"in {mode} mode, x itself is changed": not torch.equal(x, before),
            f"in {mode} mode, the zeros are at the same places if it is called again":
                torch.equal(zero, dropout(before.clone()) == 0)}
    return seen


@exercise(
    look_at_dropout,
    hint="A module knows its mode: self.training is True or False. torch.rand_like(x) gives a "
         "number from 0 to 1 for each number of x. It is below p with the probability p.")
class Dropout(nn.Module):
    """A layer that sets some numbers to zero in train mode, as nn.Dropout(p) does.

    p: the probability with which a number becomes zero, a float from 0 up to, but not including, 1

    In train mode, chance decides anew in each call, and for each number of x by itself. The others
    are divided by 1 - p, so that the sum stays about the same. In eval mode, the result is x.
    x is a float tensor of any shape. It is not changed itself, and the result has its shape.
    For example, with p 0.5, a thousand ones become about five hundred 0.0 and five hundred 2.0.
    """
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        kept = torch.rand_like(x) > self.p
        return x * kept / (1 - self.p)


kept, result = "kept = torch.rand_like(x) > self.p", "x * kept / (1 - self.p)"
Dropout.mistake("the numbers that are kept do not get larger: divide by 1 - p",
                {" / (1 - self.p)": ""})
Dropout.mistake("the numbers that are kept get smaller: divide by 1 - p, do not multiply",
                {" / (1 - self.p)": " * (1 - self.p)"})
Dropout.mistake("the numbers that are kept are divided by p, not by 1 - p", {"1 - self": "self"})
Dropout.mistake("p is taken for the probability that a number is kept: it is that of a zero",
                {"> self.p": "< self.p"})
Dropout.mistake("p is taken for the probability that a number is kept, everywhere: it is that of a "
                "zero",
                {"> self.p": "< self.p", "1 - self.p": "self.p"})
Dropout.mistake("numbers become zero in eval mode, too: look at self.training",
                {"not self.training": "False"})
Dropout.mistake("train and eval mode are exchanged", {"not self": "self"})
Dropout.mistake("the layer does nothing in train mode", {"not self.training": "True"})
Dropout.mistake("in eval mode, numbers are multiplied by 1 - p: here they stay as they are",
                {"return x\n": "return x * (1 - self.p)\n"})
Dropout.mistake(
    "the numbers that are kept do not get larger in train mode. Instead, all get smaller in eval "
    "mode, as in older books: PyTorch divides by 1 - p in train mode",
    {"return x\n": "return x * (1 - self.p)\n", " / (1 - self.p)": ""})
Dropout.mistake("whole rows become zero: a random number for each number of x",
                {"rand_like(x)": "rand(len(x), 1)"})
Dropout.mistake("whole columns become zero: a random number for each number of x",
                {"rand_like(x)": "rand(x.shape[1:])"})
Dropout.mistake("all of x becomes zero, or nothing: a random number for each number of x",
                {"rand_like(x)": "rand(1)"})
Dropout.mistake("chance decides only once: draw new random numbers in each call",
                {kept: "torch.manual_seed(0); " + kept})
Dropout.mistake("x itself is changed: make a new tensor",
                {result: f"x.copy_({result})"})
Dropout.mistake(
    "the numbers that are kept do not get larger, and x itself is changed: make a new tensor, and "
    "divide by 1 - p", {result: "x.mul_(kept)"})
Dropout.mistake("super().__init__() is missing", {"super().__init__()": ""})
Dropout.mistake(
    "six of ten numbers become zero for p = 0.3, as with randn. It also gives numbers below 0: "
    "rand gives numbers from 0 to 1", {"rand_like": "randn_like"})


# 3


def look_at_going_on(go_on):
    import tempfile
    from pathlib import Path

    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "checkpoint.pt")

        def saved():
            """What is in the checkpoint, and only what can be compared."""
            checkpoint = torch.load(file, weights_only=False) if file.exists() else {}
            return {key: value if isinstance(value, int | dict) else Remark(
                        f"it is a {type(value).__name__}, and no number or state_dict")
                    for key, value in checkpoint.items()}

        def train_epoch(network, optimizer, epoch):
            epochs.append(epoch)
            found.append(saved().get("epoch", 0))
            loss = network(numbers(3, 2) * (epoch + 1)).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        runs = [("a new run, up to epoch 2", 2), ("going on, up to epoch 5", 5),
                ("going on when 5 of 5 epochs are done", 5)]
        for factor, (name, up_to) in enumerate(runs, start=1):
            epochs, found = [], []
            network = fixed(nn.Linear(2, 2), factor)
            optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
            go_on(file, network, optimizer, train_epoch, up_to)
            seen[f"{name}: epochs that are trained"] = epochs
            seen[f"{name}: the checkpoint's epoch, when each of these epochs begins"] = found
            seen[f"{name}: weights at the end"] = network.weight.detach().clone()
            seen[f"{name}: checkpoint at the end"] = saved()
    return seen


@exercise(
    look_at_going_on,
    hint="Begin with first = 0. If file.exists(), load the dict, give its parts to both "
         "load_state_dict, and take its epoch for first. Then a loop over range(first, epochs).")
def go_on(file, network, optimizer, train_epoch, epochs):
    """Trains a network, with a checkpoint after each epoch, and goes on if the run was stopped.

    file: a pathlib.Path, the checkpoint. If there is none, the run is new.
    network, optimizer: an nn.Module, and its optimizer, such as SGD with momentum. Both are new.
    train_epoch: a function. train_epoch(network, optimizer, epoch) trains for one epoch; the first
        one has the number 0.
    epochs: how many epochs the whole run has, together with those before it was stopped

    The checkpoint is a dict with three keys: "epoch", how many epochs are done, and "network" and
    "optimizer", their state_dicts. Returns nothing. For example, with epochs 5 and a checkpoint
    whose epoch is 2, it trains the epochs 2, 3 and 4, and the last checkpoint has the epoch 5.
    """
    first = 0
    if file.exists():
        saved = torch.load(file, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["epoch"]
    for epoch in range(first, epochs):
        train_epoch(network, optimizer, epoch)
        torch.save({"epoch": epoch + 1, "network": network.state_dict(),
                    "optimizer": optimizer.state_dict()}, file)


train, line = "train_epoch(network, optimizer, epoch)", "\n                    "
save = ('torch.save({"epoch": epoch + 1, "network": network.state_dict(),' + line
        + '"optimizer": optimizer.state_dict()}, file)')
load_network = 'network.load_state_dict(saved["network"])'
load_optimizer = 'optimizer.load_state_dict(saved["optimizer"])'
go_on.mistake("the checkpoint is not looked at: each run begins anew", {"file.exists()": "False"})
go_on.mistake("the optimizer's state is not loaded, so it has lost its momentum",
              {load_optimizer: ""})
go_on.mistake("the network's weights are not loaded", {load_network: ""})
go_on.mistake("the states are loaded, but the epochs begin at 0 again",
              {'first = saved["epoch"]': ""})
go_on.mistake("the number of the last epoch is saved. How many are done is one more: epoch + 1",
              {"epoch + 1": "epoch"})
go_on.mistake("an epoch is left out: the checkpoint's epoch is the number of the next one",
              {'first = saved["epoch"]': 'first = saved["epoch"] + 1'})
go_on.mistake("it trains as many epochs as the whole run has, in addition to those before",
              {"range(first, epochs)": "range(first, first + epochs)"})
go_on.mistake("the checkpoint is saved before the epoch is trained: its weights are those before",
              {train: save, save: train})
go_on.mistake(
    "there is one checkpoint, at the end. If the run is stopped before, all is lost",
    {save: f"if epoch == epochs - 1: {save}"})
go_on.mistake(
    "network and optimizer are saved themselves, as pickles, which torch.load refuses: save their "
    "state_dicts", {".state_dict()": ""})
go_on.mistake("no checkpoint is saved", {save: ""})
go_on.mistake("the state_dict of the optimizer is not in the checkpoint",
              {f',{line}"optimizer": optimizer.state_dict()': "", load_optimizer: ""})
go_on.mistake("only one epoch is trained", {save: f"{save}; break"})


# 4


class Watched(nn.Sequential):
    """Writes down what pictures it gets, and how."""

    def forward(self, x):
        pictures = "test pictures" if x[0, 0] in self.test_pictures[:, 0] else "training pictures"
        mode = "train" if self.training else "eval"
        record = "with" if torch.is_grad_enabled() else "without"
        self.happened.append(f"{pictures} in {mode} mode, {record} gradients")
        return super().forward(x)


def look_at_train(train):
    network = fixed(Watched(nn.Linear(2, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3))).eval()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.2)
    network.happened = happened = []
    optimizer.register_step_pre_hook(lambda *_: happened.append("step"))
    network[3].weight.register_hook(lambda _: happened.append("backward"))

    inputs = numbers(24, 2)
    targets = (inputs > 0).sum(dim=1)    # 0, 1 or 2
    network.test_pictures, sizes = inputs[15:], [4, 5, 2, 4, 6, 3]
    batches = list(zip(inputs.split(sizes), targets.split(sizes), strict=True))
    accuracies = train(network, optimizer, batches[:4], batches[4:], 3)
    modes = [text for text in happened if "mode" in text]
    modes = [text for text, before in zip(modes, [None, *modes], strict=False) if text != before]
    seen = {"what goes through the network, in this order": modes, "the accuracies": accuracies}
    if isinstance(accuracies, list):
        seen["the types of the accuracies"] = [type(accuracy).__name__ for accuracy in accuracies]
    for name, tensor in network.state_dict().items():
        if name in ("0.weight", "3.weight", "3.bias", "1.running_mean"):
            seen[f"at the end, {name}"] = tensor.clone()
    return seen | {"clue: in which order": happened}


@exercise(
    look_at_train,
    hint="A loop over the epochs, and in it two loops: network.train() and a loop over "
         "training_batches as in lesson 10; then network.eval() and, in `with torch.no_grad():`, a "
         "loop over test_batches that counts the right predictions and the pictures.")
def train(network, optimizer, training_batches, test_batches, epochs):
    """Trains a network, and tests it after each epoch: the whole training loop.

    network: an nn.Module with BatchNorm, in eval mode. It gives scores, (pictures, classes).
    optimizer: such as SGD, for the parameters of the network
    training_batches, test_batches: lists (or DataLoaders) of pairs (pictures, targets), a float
        tensor (batch, ...) and an int64 tensor (batch,). The batches may have different sizes.
    epochs: how many times it goes through the training batches, an int

    In training, the loss is cross entropy, and each batch makes one step. The network is in train
    mode then. In testing it is in eval mode, and PyTorch makes no notes for backward. Returns
    the accuracies, a list of floats: after each epoch, the share of all test pictures whose
    highest score is that of the right class. For example, after two epochs with 5 and with 6
    right predictions for 10 test pictures, it returns [0.5, 0.6].
    """
    accuracies = []
    for _ in range(epochs):
        network.train()
        for pictures, targets in training_batches:
            loss = nn.functional.cross_entropy(network(pictures), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        network.eval()
        correct = count = 0
        with torch.no_grad():
            for pictures, targets in test_batches:
                correct += (network(pictures).argmax(dim=1) == targets).sum().item()
                count += len(targets)
        accuracies.append(correct / count)
    return accuracies


start = "accuracies = []"
zero, backward, step = "optimizer.zero_grad()", "loss.backward()", "optimizer.step()"
to_train, to_eval, end = "network.train()", "network.eval()", "accuracies.append(correct / count)"
loop = "for pictures, targets in training_batches:"
train.mistake("the network is in train mode when it is tested: network.eval()", {to_eval: ""})
train.mistake(
    "the network stays in eval mode after the first test: network.train() in each epoch",
    {start: f"{start}; {to_train}", to_train: ""})
train.mistake("the network is in eval mode when it is trained: network.train()", {to_train: ""})
train.mistake("notes for backward are made in testing. eval() does not prevent that: no_grad",
              {"no_grad": "enable_grad"})
train.mistake(
    "the network is in train mode when it is tested, and notes for backward are made: "
    "network.eval() and no_grad", {to_eval: "", "no_grad": "enable_grad"})
train.mistake(
    "the network is in eval mode all the time, and notes for backward are made in testing: "
    "network.train(), network.eval() and no_grad", {to_train: "", "no_grad": "enable_grad"})
train.mistake("gradients of the batches before are not cleared: zero_grad", {zero: ""})
train.mistake("gradients are cleared once in each epoch, and not for each batch",
              {zero: "", to_train: f"{to_train}; {zero}"})
train.mistake("gradients are cleared between backward and step, so the step does nothing",
              {zero: "", step: f"{zero}; {step}"})
train.mistake("the step comes before backward", {zero: step, backward: zero, step: backward})
train.mistake("the step comes right after zero_grad, before backward, so it does nothing",
              {backward: step, step: backward})
train.mistake("there is no step: backward changes no parameter", {step: ""})
train.mistake("there is no backward: a step without gradients changes nothing", {backward: ""})
train.mistake("there is one step in each epoch, not one for each batch",
              {step: "", to_eval: f"{step}; {to_eval}"})
train.mistake("the scores go through Softmax. cross_entropy does that itself",
              {"y(network(pictures)": "y(network(pictures).softmax(dim=1)"})
train.mistake(
    "the mean of the batches' accuracies is taken. A small batch then counts as much as a large "
    "one: divide all right predictions by all pictures",
    {".sum()": ".float().mean()", "len(targets)": "1"})
train.mistake("the right predictions are divided by the number of batches, not of pictures",
              {"len(targets)": "1"})
train.mistake("the right predictions are counted, and not divided by the number of pictures",
              {"correct / count": "correct"})
train.mistake("the accuracy is a percentage, 100 times the share",
              {"correct / count": "100 * correct / count"})
train.mistake("the counts are not set back to 0 after an epoch",
              {"correct = count = 0": "", start: f"{start}; correct = count = 0"})
train.mistake("the accuracies are tensors: .item() makes numbers of them",
              {".sum().item()": ".sum()"})
train.mistake("only the last test batch counts", {"correct +=": "correct =", "count +=": "count ="})
train.mistake("the right ones of the last batch are divided by the number of all test pictures",
              {"correct +=": "correct ="})
train.mistake("the highest score of each column is taken, not of each row: argmax(dim=1)",
              {"dim=1": "dim=0"})
train.mistake("only the accuracy after the last epoch is returned",
              {"return accuracies": "return accuracies[-1]"})
train.mistake("it returns after the first epoch: `return` belongs behind the loop",
              {end: f"{end}; return accuracies"})
train.mistake("it is tested with the training batches", {"in test": "in training"})
train.mistake("it is trained with the test batches, too: it must never learn from them",
              {loop: "for pictures, targets in [*training_batches, *test_batches]:"})
train.mistake("an epoch sees only the first training batch", {step: f"{step}; break"})


if __name__ == "__main__":
    main(__file__)
