"""The optimizer of lesson 12: Muon for weights, SGD for biases and batch normalisation.

Muon: https://kellerjordan.github.io/posts/muon/. The form for convolutions:
https://github.com/KellerJordan/cifar10-airbench.
"""

from collections.abc import Iterable

import torch
from torch import Tensor


class Muon(torch.optim.Optimizer):
    """Muon for parameters of two or more dimensions (weights), SGD with momentum for all others.

    Both start as SGD with Nesterov momentum. Of a weight's direction Muon then takes the nearest
    orthogonal matrix: all directions of the gradient, strong or weak, get steps of the same length.
    A weight is taken as a matrix with a row for each output; kernels are flattened.

    Before each step, Muon scales the weight to the length of a matrix whose rows have length 1. So
    a weight changes by about `lr` of its length (less if it has more rows than columns). This suits
    layers before a normalisation, where the length of a weight makes little difference. Others may
    not learn at all: a single `nn.Linear(1, 1)` keeps a weight near 1 or -1. Unlike in airbench,
    linear layers go to Muon, too. `torch.optim.Muon` takes matrices only, and decays weights.

    Args:
        parameters: float32 parameters of a network.
        lr: learning rate of both.
        momentum: of Muon; how much of the steps before goes on.
        sgd_momentum: of SGD.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.6,
                 sgd_momentum: float = 0.9):
        parameters = list(parameters)
        weights = [parameter for parameter in parameters if parameter.ndim > 1]
        others = [parameter for parameter in parameters if parameter.ndim <= 1]
        groups = [{"params": weights, "momentum": momentum, "orthogonal": True},
                  {"params": others, "momentum": sgd_momentum, "orthogonal": False}]
        super().__init__(groups, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        """Changes each parameter by its gradient, which `backward` has put into `.grad`."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:    # it is frozen, or took no part in the loss
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
                direction = parameter.grad + group["momentum"] * state["momentum"]    # Nesterov
                if group["orthogonal"]:
                    parameter.mul_(len(parameter) ** 0.5 / (parameter.norm() + 1e-7))
                    direction = orthogonal(direction.flatten(1)).view_as(parameter)
                parameter.sub_(group["lr"] * direction)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Roughly the nearest matrix with orthonormal rows, or columns if these are fewer.

    For a float32 matrix (rows, columns) with singular value decomposition U @ S @ V.T that is
    U @ V.T. Newton-Schulz iteration with Muon's coefficients brings all but the tiniest of S into
    0.7 to 1.2 in five steps, which is faster than to exactly 1. A step turns x into
    (a + b * x @ x.T + c * (x @ x.T) @ (x @ x.T)) @ x. All that stands before x is made of x @ x.T,
    so it is enough to work on that small square matrix, and to multiply by x once, at the end.
    """
    if matrix.size(0) > matrix.size(1):
        return orthogonal(matrix.T, steps).T
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (matrix.norm() + 1e-7)
    square = x @ x.T
    factor = one = torch.eye(len(x), device=x.device, dtype=x.dtype)
    for _ in range(steps):
        step = a * one + b * square + c * square @ square
        factor = step @ factor
        square = step @ square @ step    # that of the new x, because step is symmetric
    return factor @ x
