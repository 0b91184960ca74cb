"""The tutorial's two networks: layers, shapes, parameter counts, and their two modes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from shared.networks import CIFAR10NetSimpleV3, CIFAR10Network

# Layer by layer as the tutorial writes them, with the shape that it notes behind each. Its note
# on the last two convolutions of the final network, (128, 16, 16), is wrong.
SMALL = [
    (nn.Conv2d, (32, 32, 32)), (nn.MaxPool2d, (32, 16, 16)),
    (nn.Conv2d, (32, 16, 16)), (nn.MaxPool2d, (32, 8, 8)),
    (nn.Conv2d, (64, 8, 8)), (nn.MaxPool2d, (64, 4, 4)),
    (nn.Flatten, (1024,)), (nn.Linear, (64,)), (nn.Linear, (10,)),
]
TWICE = 2 * [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
FINAL = [
    *[(layer, (32, 32, 32)) for layer in TWICE], (nn.MaxPool2d, (32, 16, 16)),
    *[(layer, (64, 16, 16)) for layer in TWICE], (nn.MaxPool2d, (64, 8, 8)),
    *[(layer, (128, 8, 8)) for layer in TWICE], (nn.AdaptiveMaxPool2d, (128, 4, 4)),
    (nn.Flatten, (2048,)), (nn.Dropout, (2048,)), (nn.Linear, (64,)), (nn.ReLU, (64,)),
    (nn.Dropout, (64,)), (nn.Linear, (10,)),
]


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.fixture
def batch() -> torch.Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def same_weights_every_time():
    torch.manual_seed(0)


@pytest.mark.parametrize(("network", "expected"), [
    (CIFAR10Network, SMALL), (CIFAR10NetSimpleV3, FINAL)])
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
            assert (layer.kernel_size, layer.padding, layer.stride) == (
                (kernel, kernel), (kernel // 2, kernel // 2), (1, 1))


def test_parameter_counts():
    assert parameters(CIFAR10Network()) == 145_578
    assert parameters(CIFAR10NetSimpleV3()) == 419_690
    assert parameters(CIFAR10NetSimpleV3(2)) == 419_690 - 8 * (64 + 1)


def test_another_number_of_classes(batch):
    assert CIFAR10NetSimpleV3(classes=2)(batch).shape == (4, 2)


def test_the_last_pooling_is_the_tutorials_and_takes_small_pictures(batch):
    network = CIFAR10NetSimpleV3(dropout=0)
    tutorials = CIFAR10NetSimpleV3(dropout=0)
    (last,) = [number for number, layer in enumerate(tutorials.layers)
               if isinstance(layer, nn.AdaptiveMaxPool2d)]
    tutorials.layers[last] = nn.MaxPool2d(2)
    tutorials.load_state_dict(network.state_dict())
    scores, expected = network(batch), tutorials(batch)
    assert torch.equal(scores, expected)
    scores.sum().backward()
    expected.sum().backward()
    for parameter, same in zip(network.parameters(), tutorials.parameters(), strict=True):
        assert torch.equal(parameter.grad, same.grad)

    assert network(batch[:, :, 4:28, 4:28]).shape == (4, 10)
    with pytest.raises(RuntimeError):
        tutorials(batch[:, :, 4:28, 4:28])


@pytest.mark.parametrize(("arguments", "share"), [
    ({}, 0.4), ({"dropout": 0.1}, 0.1), ({"dropout": 0}, 0)])
def test_dropout_zeroes_the_share_it_was_given(arguments, share):
    layers = CIFAR10NetSimpleV3(**arguments).modules()
    dropouts = [layer for layer in layers if isinstance(layer, nn.Dropout)]
    assert len(dropouts) == 2
    for dropout in dropouts:
        zeros = (dropout(torch.ones(100_000)) == 0).float().mean().item()
        assert zeros == pytest.approx(share, abs=0.01)


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
    # The batch's own mean is subtracted, so what else is in the batch matters.
    assert not torch.allclose(without_dropout(batch[:2]), without_dropout(batch)[:2])


@pytest.mark.parametrize("network", [CIFAR10Network, CIFAR10NetSimpleV3])
def test_every_parameter_gets_a_gradient_and_scores_are_raw(network, batch):
    network = network()
    scores = network(batch)
    assert (scores < 0).any()    # no Softmax or ReLU at the end
    F.cross_entropy(scores, torch.arange(4)).backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


def test_small_network_by_hand():
    network = CIFAR10Network().double()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    by_hand = picture = np.random.default_rng(0).random((1, 3, 32, 32))
    for layer in ("layers.0", "layers.2", "layers.4"):
        padded = np.pad(by_hand, ((0, 0), (0, 0), (2, 2), (2, 2)))
        windows = sliding_window_view(padded, (5, 5), (2, 3))    # (N, C, H, W, 5, 5)
        by_hand = np.einsum("nchwij,ocij->nohw", windows, weights[f"{layer}.weight"])
        by_hand += weights[f"{layer}.bias"][:, None, None]
        _, channels, height, width = by_hand.shape
        by_hand = by_hand.reshape(1, channels, height // 2, 2, width // 2, 2).max((3, 5))
    by_hand = by_hand.reshape(1, 1024)    # channel by channel, row by row
    for layer in ("layers.7", "layers.8"):
        by_hand = by_hand @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]
    with torch.no_grad():
        np.testing.assert_allclose(network(torch.from_numpy(picture)), by_hand, rtol=1e-9)
