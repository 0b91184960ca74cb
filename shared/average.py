"""The mean of the weights that a network had after several epochs: https://arxiv.org/abs/1803.05407 (SWA)."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn


class WeightAverage(AveragedModel):
    """A network of the same kind, `module`, whose weights are the mean of those taken.

    While its rates are high, a network wanders about a good place and never rests there; the mean of where it was is
    closer. (Rates that fall to zero bring it there as well, but then it has also learnt more of the noise by heart.)
    """

    @torch.no_grad()
    def take(self, network: nn.Module, loader: Iterable, autocast: torch.autocast, *, anew: bool) -> None:
        """Adds a network's weights to the mean.

        Args:
            network: of the same shapes as the one given to the constructor; it stays as it is.
            loader: yields what the network is trained on, (pictures, ...), and is read once, for batch normalisation.
            autocast: how the network computes.
            anew: forget all weights taken before; `module` is then equal to the network.
        """
        if anew:
            self.n_averaged.zero_()
        self.update_parameters(network)
        if self.n_averaged > 1:    # what the mean weights make of pictures has a mean and variance of its own
            with autocast:
                update_bn(loader, self, next(self.parameters()).device)
