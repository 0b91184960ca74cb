"""The mean of weights, and the statistics of batch normalisation that belong to it."""

import copy

import pytest
import torch
from torch import nn

from shared.training.average import WeightAverage

FLOAT32 = torch.autocast("cpu", enabled=False)


def make_network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))


@pytest.fixture
def networks() -> list[nn.Module]:
    return [make_network(seed) for seed in range(3)]


@pytest.fixture
def loader() -> list:
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(16, 4, generator=generator), torch.zeros(16, dtype=torch.int64))
            for _ in range(3)]


def test_the_first_is_taken_as_it_is(networks, loader):
    network = networks[1]
    network.train()(loader[0][0])    # moves the statistics of batch normalisation
    average = WeightAverage(networks[2])
    average.add(network, loader, FLOAT32, start_again=False)
    for name, value in network.state_dict().items():
        assert torch.equal(average.module.state_dict()[name], value), name


def test_weights_are_averaged_and_statistics_are_those_of_the_mean(networks, loader):
    before = [copy.deepcopy(network.state_dict()) for network in networks]
    average = WeightAverage(networks[0])
    average.eval()
    for network in networks:
        average.add(network, loader, FLOAT32, start_again=False)
    linear, norm = average.module
    torch.testing.assert_close(linear.weight, sum(network[0].weight for network in networks) / 3)
    outputs = torch.stack([linear(pictures) for pictures, _ in loader])    # (batches, 16, 3)
    torch.testing.assert_close(norm.running_mean, outputs.mean(dim=(0, 1)))
    torch.testing.assert_close(norm.running_var, outputs.var(dim=1).mean(dim=0))
    assert not norm.training
    assert norm.momentum == 0.1
    for network, state in zip(networks, before, strict=True):    # they stay as they are
        for name, value in network.state_dict().items():
            assert torch.equal(value, state[name])


def test_start_again_forgets_those_before(networks, loader):
    first, second, third = networks
    average = WeightAverage(first)
    average.add(first, loader, FLOAT32, start_again=False)
    average.add(second, loader, FLOAT32, start_again=True)
    assert torch.equal(average.module[0].weight, second[0].weight)
    average.add(third, loader, FLOAT32, start_again=False)
    mean = (second[0].weight + third[0].weight) / 2
    torch.testing.assert_close(average.module[0].weight, mean)


def test_it_goes_on_from_a_state(networks, loader):
    first, second, third = networks
    average, resumed = WeightAverage(first), WeightAverage(third)
    for network in (first, second):
        average.add(network, loader, FLOAT32, start_again=False)
    resumed.load_state_dict(average.state_dict())
    for each in (average, resumed):
        each.add(third, loader, FLOAT32, start_again=False)
    for name, value in average.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name
