"""The mean of weights, and what batch normalisation has to know of it."""

import copy

import pytest
import torch
from torch import nn

from shared.average import WeightAverage

AS_IT_IS = torch.autocast("cpu", enabled=False)


def make_network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))


@pytest.fixture
def loader() -> list:
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(16, 4, generator=generator), torch.zeros(16, dtype=torch.int64)) for _ in range(3)]


def test_the_first_is_taken_as_it_is(loader):
    network = make_network(1)
    network.train()(loader[0][0])    # moves the statistics of batch normalisation
    average = WeightAverage(make_network(2))
    average.take(network, loader, AS_IT_IS, anew=False)
    for name, value in network.state_dict().items():
        assert torch.equal(average.module.state_dict()[name], value), name


def test_weights_are_averaged_and_statistics_are_of_the_mean(loader):
    networks = [make_network(seed) for seed in range(3)]
    before = [copy.deepcopy(network.state_dict()) for network in networks]
    average = WeightAverage(networks[0])
    average.eval()
    for network in networks:
        average.take(network, loader, AS_IT_IS, anew=False)
    linear, norm = average.module
    torch.testing.assert_close(linear.weight, sum(network[0].weight for network in networks) / 3)
    outputs = torch.stack([linear(pictures) for pictures, _ in loader])    # (batches, 16, 3)
    torch.testing.assert_close(norm.running_mean, outputs.mean(dim=(0, 1)))
    torch.testing.assert_close(norm.running_var, outputs.var(dim=1).mean(dim=0))
    assert not norm.training
    assert norm.momentum == 0.1
    for network, state in zip(networks, before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_anew_forgets_what_came_before(loader):
    first, second, third = (make_network(seed) for seed in range(3))
    average = WeightAverage(first)
    average.take(first, loader, AS_IT_IS, anew=False)
    average.take(second, loader, AS_IT_IS, anew=True)
    assert torch.equal(average.module[0].weight, second[0].weight)
    average.take(third, loader, AS_IT_IS, anew=False)
    torch.testing.assert_close(average.module[0].weight, (second[0].weight + third[0].weight) / 2)


def test_it_goes_on_from_a_state(loader):
    first, second, third = (make_network(seed) for seed in range(3))
    average, resumed = WeightAverage(first), WeightAverage(third)
    for network in (first, second):
        average.take(network, loader, AS_IT_IS, anew=False)
    resumed.load_state_dict(average.state_dict())
    for each in (average, resumed):
        each.take(third, loader, AS_IT_IS, anew=False)
    for name, value in average.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name
