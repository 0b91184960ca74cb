"""The settings of the trainer, in three recipes; and the optimizer and scheduler of each.

lessons/README.md has the accuracy that each reaches, and what its parts are worth.
"""

from torch import nn, optim
from torch.optim.lr_scheduler import LambdaLR

from shared.training.muon import Muon

# Lesson 12 trains exactly like this.
FAST = {
    "epochs": 8,
    "batch_size": 256,          # of all processes together
    "optimizer": "muon",        # for weights; SGD for biases and batch normalisation
    "learning_rate": 0.1,       # the highest
    "milestones": [],           # none: up for a quarter of the steps, then down to zero
    "small_share": 0.5,         # share of the epochs, at the start, with pictures of 24x24 pixels
    "averaged_epochs": 0.0,     # share of the epochs, at the end, whose weights are averaged
    "dropout": 0.0,
    "crop_padding": 1,          # pad by 1 pixel, then crop 32x32 at a random place
    "whole_batches": True,      # made on the device, normalised, in bfloat16 where it is fast
}

# Eight times as long, on whole pictures moved further, and with the mean of the last weights.
BEST = FAST | {
    "epochs": 64,
    "small_share": 0.0,
    "averaged_epochs": 0.15,    # the last ten; the rate stays at a fifth of the highest meanwhile
    "crop_padding": 2,
}

# The tutorial's own run. Its padding is lopsided, and from epoch 32 on its rate is 0.000625.
TUTORIAL = FAST | {
    "epochs": 150,
    "batch_size": 32,
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "milestones": [8, 16, 24, 32],    # after these epochs the rate is halved
    "small_share": 0.0,
    "dropout": 0.4,
    "crop_padding": [0, 2, 3, 4],     # left, top, right, bottom
    "whole_batches": False,           # picture by picture, by a DataLoader; not normalised
}

RECIPES = {"fast": FAST, "best": BEST, "tutorial": TUTORIAL}


def batch_size_for(recipe: dict, pictures: int) -> int:
    """The batch size of a recipe; less for few pictures, so that an epoch still has 32 steps.

    But a batch has at least 16 pictures, or all if there are fewer. The tutorial's size stays as it
    is, because its learning rate belongs to it.
    """
    if not recipe["whole_batches"]:
        return recipe["batch_size"]
    return min(recipe["batch_size"], max(16, pictures // 32), pictures)


def make_optimizer(network: nn.Module, recipe: dict) -> optim.Optimizer:
    """The optimizer of a recipe, for all parameters of a network."""
    if recipe["optimizer"] == "muon":
        return Muon(network.parameters(), recipe["learning_rate"])
    return optim.SGD(network.parameters(), recipe["learning_rate"], momentum=0.9)


def make_scheduler(optimizer: optim.Optimizer, recipe: dict, steps_per_epoch: int) -> LambdaLR:
    """Changes the learning rate after each step, as the recipe says.

    Without milestones the rate rises for the first quarter of all steps and then falls: to zero, or
    to where it is when averaging begins.
    """
    steps = recipe["epochs"] * steps_per_epoch

    def share_of_highest_rate(step: int) -> float:
        if recipe["milestones"]:
            epoch = step // steps_per_epoch
            return 0.5 ** sum(epoch >= milestone for milestone in recipe["milestones"])
        up = (step + 1) / (steps / 4)
        down = max(steps - step, recipe["averaged_epochs"] * steps) / (steps * 3 / 4)
        return min(1, up, down)

    return LambdaLR(optimizer, share_of_highest_rate)
