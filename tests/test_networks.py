"""The tutorial's two networks: their layers, the shape after each, their parameter counts, their two modes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from test_by_hand import conv2d, max_pool2d
from torch import nn

from shared.networks import CIFAR10NetSimpleV3, CIFAR10Network

# Layer by layer as the tutorial writes them, with the shape that it notes behind each. It is wrong about the last two
# convolutions of the final network: (128, 16, 16).
SMALL = [
    (nn.Conv2d, (32, 32, 32)), (nn.MaxPool2d, (32, 16, 16)),
    (nn.Conv2d, (32, 16, 16)), (nn.MaxPool2d, (32, 8, 8)),
    (nn.Conv2d, (64, 8, 8)), (nn.MaxPool2d, (64, 4, 4)),
    (nn.Flatten, (1024,)), (nn.Linear, (64,)), (nn.Linear, (10,)),
]
FINAL = [
    *[(layer, (32, 32, 32)) for layer in 2 * [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]], (nn.MaxPool2d, (32, 16, 16)),
    *[(layer, (64, 16, 16)) for layer in 2 * [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]], (nn.MaxPool2d, (64, 8, 8)),
    *[(layer, (128, 8, 8)) for layer in 2 * [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]], (nn.MaxPool2d, (128, 4, 4)),
    (nn.Flatten, (2048,)), (nn.Dropout, (2048,)), (nn.Linear, (64,)), (nn.ReLU, (64,)), (nn.Dropout, (64,)),
    (nn.Linear, (10,)),
]


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.fixture
def batch() -> torch.Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def same_weights_every_time():
    torch.manual_seed(0)


@pytest.mark.parametrize(("network", "expected"), [(CIFAR10Network, SMALL), (CIFAR10NetSimpleV3, FINAL)])
def test_layers_and_shapes_are_the_tutorials(network, expected, batch):
    steps = []
    values = batch
    for layer in network().layers:
        values = layer(values)
        steps.append((type(layer), tuple(values.shape[1:])))
    assert steps == expected


@pytest.mark.parametrize(("network", "kernel"), [(CIFAR10Network, 5), (CIFAR10NetSimpleV3, 3)])
def test_convolutions_keep_the_size(network, kernel):
    for layer in network().modules():
        if isinstance(layer, nn.Conv2d):
            assert (layer.kernel_size, layer.padding, layer.stride) == ((kernel,) * 2, (kernel // 2,) * 2, (1, 1))


def test_parameter_counts():
    assert parameters(CIFAR10Network()) == 145_578
    assert parameters(CIFAR10NetSimpleV3()) == 419_690
    assert parameters(CIFAR10NetSimpleV3(2)) == 419_690 - 8 * (64 + 1)


def test_another_number_of_classes(batch):
    assert CIFAR10NetSimpleV3(classes=2)(batch).shape == (4, 2)


@pytest.mark.parametrize(("arguments", "share"), [({}, 0.4), ({"dropout": 0.1}, 0.1), ({"dropout": 0}, 0)])
def test_dropout_zeroes_the_share_it_was_given(arguments, share):
    dropouts = [layer for layer in CIFAR10NetSimpleV3(**arguments).modules() if isinstance(layer, nn.Dropout)]
    assert len(dropouts) == 2
    for dropout in dropouts:
        assert (dropout(torch.ones(100_000)) == 0).float().mean().item() == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("network", [CIFAR10Network, CIFAR10NetSimpleV3])
def test_in_eval_mode_a_picture_gets_its_scores_whatever_else_is_in_the_batch(network, batch):
    network = network().eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    scores = network(batch)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(network(batch[:1]), scores[:1])
    assert torch.equal(network(batch), scores)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_in_train_mode_dropout_draws_and_batch_norm_learns_from_the_batch(batch):
    network = CIFAR10NetSimpleV3().train()
    before = network.layers[2].running_mean.clone()
    assert not torch.equal(network(batch), network(batch))
    assert not torch.equal(network.layers[2].running_mean, before)

    without_dropout = CIFAR10NetSimpleV3(dropout=0).train()
    assert torch.equal(without_dropout(batch), without_dropout(batch))
    assert not torch.allclose(without_dropout(batch[:2]), without_dropout(batch)[:2])    # other averages


@pytest.mark.parametrize("network", [CIFAR10Network, CIFAR10NetSimpleV3])
def test_every_parameter_gets_a_gradient_and_scores_are_raw(network, batch):
    network = network()
    scores = network(batch)
    assert (scores < 0).any()    # no Softmax or ReLU at the end
    F.cross_entropy(scores, torch.arange(4)).backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


def test_small_network_by_hand():
    # Its convolutions on a picture of 8x8, its linear layers on random features: loops in NumPy take their time.
    network = CIFAR10Network().double()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    rng = np.random.default_rng(0)
    picture, features = rng.random((1, 3, 8, 8)), rng.standard_normal((1, 64, 4, 4))

    by_hand = picture
    for index in (0, 2, 4):
        by_hand = conv2d(by_hand, weights[f"layers.{index}.weight"], weights[f"layers.{index}.bias"], padding=(2, 2))
        by_hand, _ = max_pool2d(by_hand, (2, 2), (2, 2), (0, 0), (1, 1), ceil_mode=False)
    with torch.no_grad():
        np.testing.assert_allclose(network.layers[:6](torch.from_numpy(picture)).numpy(), by_hand, rtol=1e-9)

    by_hand = features.reshape(1, 1024)    # channel by channel, row by row
    for index in (7, 8):
        by_hand = by_hand @ weights[f"layers.{index}.weight"].T + weights[f"layers.{index}.bias"]
    with torch.no_grad():
        np.testing.assert_allclose(network.layers[6:](torch.from_numpy(features)).numpy(), by_hand, rtol=1e-9)
