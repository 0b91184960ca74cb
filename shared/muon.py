"""An optimizer for the weights of convolutions and linear layers: Muon, https://kellerjordan.github.io/posts/muon/"""

from collections.abc import Iterable

import torch
from torch import Tensor


class Muon(torch.optim.Optimizer):
    """SGD with Nesterov momentum, whose every step is made orthogonal: no direction is learnt faster than another.

    A weight is taken as a matrix with a row for each output: the kernels of a convolution, flattened. Each step also
    gives the weight the length of a matrix whose rows have length 1, so that the learning rate says how far it turns.
    (Where batch normalisation follows, the length makes little difference.) So does Muon for the convolutions of
    https://github.com/KellerJordan/cifar10-airbench, while `torch.optim.Muon` takes matrices only, decays the weights
    instead, and computes in bfloat16 also on processors that have no instructions for it.

    Args:
        weights: float32 parameters of two or more dimensions.
        lr: the length of a step, as a share of the weight's.
        momentum: how much of the steps before goes on.
    """

    def __init__(self, weights: Iterable[Tensor], lr: float, momentum: float = 0.6):
        super().__init__(weights, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].mul_(group["momentum"]).add_(weight.grad)
                direction = weight.grad + group["momentum"] * state["momentum"]
                weight.mul_(len(weight) ** 0.5 / weight.norm())
                weight.sub_(group["lr"] * orthogonal(direction.flatten(1)).view_as(weight))


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Roughly the nearest matrix with orthonormal rows (or columns, if these are fewer), by Newton-Schulz iteration.

    For a matrix of shape (rows, columns), float32, that is U @ V.T of its singular value decomposition U @ S @ V.T.
    The coefficients are Muon's: they bring singular values into 0.7...1.2 in five steps, faster than to exactly 1.

    A step turns x into (a + b * x @ x.T + c * (x @ x.T) @ (x @ x.T)) @ x. As all that stands before x is made of
    x @ x.T, it suffices to work on that small square, and to multiply by x once, in the end.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.T if matrix.size(0) > matrix.size(1) else matrix
    x = x / (x.norm() + 1e-7)
    square = x @ x.T
    factor = one = torch.eye(len(x), device=x.device, dtype=x.dtype)
    for _ in range(steps):
        step = a * one + b * square + c * square @ square
        factor = step @ factor
        square = step @ square @ step    # is now (step @ x) @ (step @ x).T, as step is symmetric
    x = factor @ x
    return x.T if matrix.size(0) > matrix.size(1) else x
