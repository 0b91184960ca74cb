"""The optimizer Muon, against the singular value decomposition that it approximates, and SGD."""

import copy

import pytest
import torch
from torch import nn

from shared.training.muon import Muon, orthogonal

SHAPES = [(10, 64), (64, 2048), (32, 27), (128, 1152), (6, 6)]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_become_about_one_and_directions_stay(shape):
    matrix = random(*shape)
    found = orthogonal(matrix)
    assert found.shape == shape
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.3    # those that were nearly zero grow more slowly
    assert values.max() < 1.25
    assert values.median() > 0.65
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.cosine_similarity((u @ v).flatten(), found.flatten(), dim=0) > 0.95


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_newton_schulz_iteration(shape):
    """In float64 to the last digits, in float32 to three: five steps multiply the rounding of the
    first, with the tiniest singular values, by up to 3.4445**5, about 500.
    """
    matrix = random(*shape).double() / torch.arange(1, shape[1] + 1)
    x = matrix / (matrix.norm() + 1e-7)
    for _ in range(5):    # as Muon's author writes it, without the shortcuts
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    torch.testing.assert_close(orthogonal(matrix), x, rtol=1e-9, atol=1e-12)
    assert (orthogonal(matrix.float()) - x).norm() < 1e-3 * x.norm()


def test_a_step_changes_a_weight_by_the_share_that_the_learning_rate_says():
    weight = nn.Parameter(random(16, 3, 3, 3))
    before = weight.detach().clone()
    weight.grad = random(16, 3, 3, 3, seed=1)
    Muon([weight], lr=0.1).step()
    of_length_4 = before * 4 / before.norm()    # 16 rows of length 1
    step = of_length_4 - weight.detach()
    assert step.norm() / of_length_4.norm() == pytest.approx(0.1, rel=0.2)
    torch.testing.assert_close(step, 0.1 * orthogonal((1.6 * weight.grad).flatten(1)).view_as(step))


def test_momentum_is_nesterovs():
    first, second = random(2, 4, 8)
    weight = nn.Parameter(torch.ones(4, 8))
    optimizer = Muon([weight], lr=0.0, momentum=0.5)
    for weight.grad in (first, second):
        optimizer.step()
    optimizer.param_groups[0]["lr"] = 1.0
    weight.grad = first
    before = weight.detach() * 2 / weight.detach().norm()
    optimizer.step()
    momentum = 0.5 * (0.5 * first + second) + first
    torch.testing.assert_close(weight.detach(), before - orthogonal(first + 0.5 * momentum))


def test_biases_are_trained_as_sgd_trains_them():
    bias, other = nn.Parameter(random(7)), nn.Parameter(random(7))
    weight = nn.Parameter(random(7, 2))    # one optimizer for both kinds
    ours = Muon([weight, bias], lr=0.1, sgd_momentum=0.8)
    sgd = torch.optim.SGD([other], lr=0.1, momentum=0.8, nesterov=True)
    for step in range(4):
        weight.grad, bias.grad = random(7, 2, seed=step), random(7, seed=step)
        other.grad = bias.grad.clone()
        ours.step()
        sgd.step()
    torch.testing.assert_close(bias, other)


def test_it_goes_on_from_its_state():
    def train(parameters: list, optimizer: Muon, steps: range) -> None:
        for step in steps:
            for parameter in parameters:
                parameter.grad = random(*parameter.shape, seed=step)
            optimizer.step()

    parameters = [nn.Parameter(torch.eye(5, 9)), nn.Parameter(torch.ones(5))]
    optimizer = Muon(parameters, lr=0.1)
    train(parameters, optimizer, range(3))
    others = [nn.Parameter(parameter.detach().clone()) for parameter in parameters]
    resumed = Muon(others, lr=9.0)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(parameters, optimizer, range(3, 6))
    train(others, resumed, range(3, 6))
    for parameter, other in zip(parameters, others, strict=True):
        assert torch.equal(parameter, other)


def test_it_learns():
    torch.manual_seed(0)
    inputs = torch.randn(256, 20)
    wanted = torch.linalg.qr(torch.randn(20, 20)).Q    # rows of length 1
    layer = nn.Linear(20, 20, bias=False)
    optimizer = Muon(layer.parameters(), lr=0.1)
    for step in range(100):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 100)
        optimizer.zero_grad()
        loss = (layer(inputs) - inputs @ wanted.T).square().mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.01
