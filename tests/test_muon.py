"""The optimizer Muon, against the singular value decomposition that it approximates."""

import copy

import pytest
import torch
from torch import nn

from shared.muon import Muon, orthogonal

SHAPES = [(10, 64), (64, 2048), (32, 27), (128, 1152), (6, 6)]


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_become_about_one_and_directions_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, values, v = torch.linalg.svd(orthogonal(matrix), full_matrices=False)
    assert orthogonal(matrix).shape == shape
    assert values.min() > 0.3    # those that were nearly zero lag behind
    assert values.max() < 1.25
    assert values.median() > 0.65
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.cosine_similarity((u @ v).flatten(), orthogonal(matrix).flatten(), dim=0) > 0.95


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_newton_schulz_iteration(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0)) / torch.arange(1, shape[1] + 1)
    x = matrix.double() / matrix.double().norm()
    for _ in range(5):    # as Muon's author writes it, but for the transposition, which saves work only
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    torch.testing.assert_close(orthogonal(matrix), x.float(), rtol=1e-3, atol=1e-4)


def test_a_step_turns_a_weight_by_the_learning_rate():
    weight = nn.Parameter(torch.randn(16, 3, 3, 3, generator=torch.Generator().manual_seed(0)))
    before = weight.detach().clone()
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    Muon([weight], lr=0.1).step()
    of_length_4 = before * 4 / before.norm()    # 16 rows of length 1
    step = of_length_4 - weight.detach()
    assert step.norm() / of_length_4.norm() == pytest.approx(0.1, rel=0.2)
    torch.testing.assert_close(step, 0.1 * orthogonal((1.6 * weight.grad).flatten(1)).view_as(step))


def test_momentum_is_nesterovs():
    first, second = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0))
    weight = nn.Parameter(torch.ones(4, 8))
    optimizer = Muon([weight], lr=0.0, momentum=0.5)
    for weight.grad in (first, second):
        optimizer.step()
    torch.testing.assert_close(optimizer.state[weight]["momentum"], 0.5 * first + second)
    optimizer.param_groups[0]["lr"] = 1.0
    weight.grad = first
    before = weight.detach() * 2 / weight.detach().norm()
    optimizer.step()
    buffer = 0.5 * (0.5 * first + second) + first
    torch.testing.assert_close(weight.detach(), before - orthogonal(first + 0.5 * buffer))


def test_it_goes_on_from_its_state():
    def train(weight: nn.Parameter, optimizer: Muon, steps: range):
        for step in steps:
            weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(step))
            optimizer.step()

    weight = nn.Parameter(torch.eye(5, 9))
    optimizer = Muon([weight], lr=0.1)
    train(weight, optimizer, range(3))
    other = nn.Parameter(weight.detach().clone())
    resumed = Muon([other], lr=9.0)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(weight, optimizer, range(3, 6))
    train(other, resumed, range(3, 6))
    assert torch.equal(weight, other)


def test_it_learns():
    torch.manual_seed(0)
    inputs, wanted = torch.randn(256, 20), torch.linalg.qr(torch.randn(20, 20)).Q    # rows of length 1
    layer = nn.Linear(20, 20, bias=False)
    optimizer = Muon(layer.parameters(), lr=0.1)
    for step in range(100):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 100)
        optimizer.zero_grad()
        loss = (layer(inputs) - inputs @ wanted.T).square().mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.01
