"""The mean of a network's weights after several epochs: SWA, https://arxiv.org/abs/1803.05407."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn
from tqdm import tqdm


class WeightAverage(AveragedModel):
    """A network of the same kind, `module`, whose weights are the mean of those that were added.

    While the learning rate is high, a network moves around a good place and does not settle there.
    The mean of where it was is closer to it.
    """

    def add(self, network: nn.Module, loader: Iterable, autocast: torch.autocast,
            start_again: bool) -> None:
        """Adds a network's weights to the mean, or, with `start_again`, forgets those before.

        Batch normalisation needs the mean and variance of what the averaged weights make of the
        training pictures: for that, `loader` is read once. `autocast` says how to compute.
        """
        if start_again:
            self.n_averaged.zero_()
        self.update_parameters(network)
        if self.n_averaged > 1:
            with autocast:
                batches = tqdm(loader, "averaging", disable=None, leave=False)
                update_bn(batches, self, next(self.parameters()).device)
