"""What the tutorial says that PyTorch does not do, row by row in the order of lessons/README.md.

Each test shows both sides: the tutorial's way fails or gives another result, and the true way works.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import itertools
import math
import multiprocessing
import ntpath
import os
import pickle
import posixpath
import random
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn, optim
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision import datasets, models, transforms
from torchvision.transforms import v2

from shared.datasets import AntsBees
from shared.networks import CIFAR10NetSimpleV3, CIFAR10Network


def noise_picture(height: int = 24, width: int = 36) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def listdir(folder: Path) -> list[str]:
    return os.listdir(folder)    # noqa: PTH208, because it is what the tutorial uses


def logged(run: Path) -> dict:
    """The tags that TensorBoard finds in a run, by kind."""
    return EventAccumulator(str(run)).Reload().Tags()


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def import_afresh(name: str) -> None:
    """Run a module's lines as its first import does, without touching the copy that other tests use."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.fixture
def tiny_cifar10(tmp_path: Path) -> type[datasets.CIFAR10]:
    """CIFAR-10's class over 40 + 40 pictures of noise: the archive's layout, with checksums of its own."""
    folder = tmp_path / datasets.CIFAR10.base_folder
    folder.mkdir()
    rng = np.random.default_rng(0)

    def write(name: str, content: dict) -> str:
        data = pickle.dumps(content)
        (folder / name).write_bytes(data)
        return hashlib.md5(data).hexdigest()

    def write_batch(name: str) -> str:
        pictures = rng.integers(0, 256, (40, 3 * 32 * 32), dtype=np.uint8)
        return write(name, {"data": pictures, "labels": rng.integers(0, 10, 40).tolist()})

    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]

    meta = {"filename": "batches.meta", "key": "label_names"}
    return type(
        "TinyCIFAR10",
        (datasets.CIFAR10,),
        {
            "train_list": [["data_batch_1", write_batch("data_batch_1")]],
            "test_list": [["test_batch", write_batch("test_batch")]],
            "meta": {**meta, "md5": write("batches.meta", {"label_names": names})},
        },
    )


# Chapter 1


def test_ch01_listdir_is_in_no_order(tmp_path: Path) -> None:
    names = [f"{number:03}.jpg" for number in range(50)]
    folder = tmp_path / "ants"
    folder.mkdir()
    for name in random.Random(0).sample(names, len(names)):
        (folder / name).touch()

    assert "arbitrary order" in (os.listdir.__doc__ or "")
    if sys.platform == "linux":    # elsewhere the file system may sort by itself: NTFS does
        assert listdir(folder) != names
    assert [path.name for path in AntsBees(tmp_path, "ants").paths] == names


def test_ch01_backslash_is_windows_only() -> None:
    folder, name = "dataset/hymenoptera_data/train/ants_image", "0013035.jpg"

    assert ntpath.join(folder, name) == rf"{folder}\{name}"
    assert posixpath.join(folder, name) == f"{folder}/{name}"


# Chapter 2


# Python 3.12 and 3.13 warn of any fork beside threads; a machine with one core, of two workers.
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_ch02_num_workers_counts_processes() -> None:
    with pytest.raises(TypeError, match="num_works"):
        DataLoader(range(4), num_works=True)

    def started_by(loader: DataLoader) -> int:
        before = set(multiprocessing.active_children())
        batches = iter(loader)
        started = set(multiprocessing.active_children()) - before
        assert len(list(batches)) == 4
        return len(started)

    assert started_by(DataLoader(range(4), num_workers=2)) == 2
    assert started_by(DataLoader(range(4), num_workers=0)) == 0


def test_ch02_archive_has_train_ants_and_a_gif_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "ants"
    folder.mkdir()
    for name in ("0013035.jpg", "1030023514.jpg", "imageNotFound.gif"):
        Image.fromarray(noise_picture()).save(folder / name)

    with pytest.raises(FileNotFoundError):
        listdir(tmp_path / "ants_image")
    # The GIF opens like any picture: nothing stops it from being taken for an ant.
    with Image.open(folder / "imageNotFound.gif") as placeholder:
        assert placeholder.convert("RGB").size == (36, 24)
    assert len(listdir(folder)) == 3

    def check(ants: AntsBees) -> None:
        assert len(ants) == 2
        assert [path.name for path in ants.paths] == ["0013035.jpg", "1030023514.jpg"]
        picture, label = ants[0]
        assert (picture.mode, picture.size, label) == ("RGB", (36, 24), "ants")

    check(AntsBees(tmp_path, "ants"))
    folder.rename(tmp_path / "ants_image")
    check(AntsBees(tmp_path, "ants"))


# Chapter 3


def test_ch03_add_image_takes_no_string(tmp_path: Path) -> None:
    path = tmp_path / "ant.png"
    Image.fromarray(noise_picture()).save(path)

    with SummaryWriter(tmp_path / "run") as writer:
        with pytest.raises((AssertionError, NotImplementedError)):
            writer.add_image("path", str(path))
        with Image.open(path) as picture:
            writer.add_image("array", np.array(picture), dataformats="HWC")
    assert logged(tmp_path / "run")["images"] == ["array"]


def test_ch03_add_image_needs_dataformats_for_hwc(tmp_path: Path) -> None:
    hwc = noise_picture()

    with SummaryWriter(tmp_path / "run") as writer:
        with pytest.raises(TypeError, match="Cannot handle this data type"):
            writer.add_image("hwc", hwc)
        writer.add_image("hwc, said so", hwc, dataformats="HWC")
        writer.add_image("chw", hwc.transpose(2, 0, 1))
    assert logged(tmp_path / "run")["images"] == ["hwc, said so", "chw"]


# Chapter 4


def test_ch04_normalize_expects_chw() -> None:
    normalize = transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    chw = torch.rand(3, 24, 36)

    with pytest.raises(RuntimeError, match="size of tensor"):
        normalize(chw.permute(1, 2, 0))
    assert torch.equal(normalize(chw), (chw - 0.5) / 0.5)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_ch04_to_pil_image_infers_the_mode(channels: int, mode: str) -> None:
    picture = torch.rand(channels, 4, 4)

    with pytest.raises(ValueError, match="mode"):
        transforms.ToPILImage(mode=channels)(picture)
    assert transforms.ToPILImage()(picture).mode == mode


def test_ch04_to_tensor_scales_only_uint8_and_pil() -> None:
    pixels = noise_picture()
    chw = torch.from_numpy(pixels).permute(2, 0, 1)
    to_tensor = transforms.ToTensor()

    for dtype in (np.float32, np.float64, np.int32):
        assert torch.equal(to_tensor(pixels.astype(dtype)).double(), chw.double())
    assert torch.equal(to_tensor(pixels), chw / 255)
    assert torch.equal(to_tensor(Image.fromarray(pixels)), chw / 255)


def test_ch04_v2_splits_to_tensor_in_two() -> None:
    pixels = noise_picture()
    unscaled = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32)])(pixels)
    scaled = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])(pixels)

    assert unscaled.max() == 255
    # v2 multiplies by 1/255 where ToTensor divides by 255: the last bit may differ.
    torch.testing.assert_close(torch.Tensor(scaled), transforms.ToTensor()(pixels), rtol=2**-23, atol=0)


def test_ch04_cv2_channels_are_bgr(tmp_path: Path) -> None:
    path = tmp_path / "orange.png"
    Image.new("RGB", (4, 4), (255, 128, 0)).save(path)
    picture = cv2.imread(str(path))

    assert picture is not None
    assert picture[0, 0].tolist() == [0, 128, 255]
    assert cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)[0, 0].tolist() == [255, 128, 0]


def test_ch04_cv2_is_silent_about_bad_files(tmp_path: Path) -> None:
    missing, whole, half = (tmp_path / name for name in ("missing.jpg", "whole.jpg", "half.jpg"))
    Image.fromarray(noise_picture()).save(whole)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    assert cv2.imread(str(missing)) is None
    with pytest.raises(FileNotFoundError):
        Image.open(missing)

    from_half, from_whole = cv2.imread(str(half)), cv2.imread(str(whole))
    assert from_half is not None
    assert from_whole is not None
    assert from_half.shape == from_whole.shape
    assert not np.array_equal(from_half, from_whole)
    with Image.open(half) as picture, pytest.raises(OSError, match="truncated"):
        picture.load()


# Chapter 5


def test_ch05_trained_networks_are_in_models() -> None:
    networks = models.list_models()

    assert "vgg16" in networks
    assert not set(networks) & {name.lower() for name in dir(datasets)}
    assert isinstance(models.VGG16_Weights.DEFAULT, models.WeightsEnum)


def test_ch05_class_to_idx_has_one_plural_less(tiny_cifar10: type[datasets.CIFAR10], tmp_path: Path) -> None:
    data = tiny_cifar10(tmp_path)

    with pytest.raises(AttributeError, match="classes_to_idx"):
        _ = data.classes_to_idx
    assert data.class_to_idx["frog"] == 6
    assert data.classes[6] == "frog"


# Chapter 6


def test_ch06_conv2d_function_has_no_padding_mode() -> None:
    image, kernel = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 3, 3)

    with pytest.raises(TypeError, match="padding_mode"):
        F.conv2d(image, kernel, padding=1, padding_mode="reflect")

    layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect", bias=False)
    layer.weight.data = kernel
    torch.testing.assert_close(layer(image).detach(), F.conv2d(F.pad(image, (1, 1, 1, 1), "reflect"), kernel))


def test_ch06_padding_defaults_to_none_at_all() -> None:
    image, kernel = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 3, 3)

    assert F.conv2d(image, kernel).shape == (1, 1, 2, 2)
    assert nn.Conv2d(1, 1, 3)(image).shape == (1, 1, 2, 2)
    assert F.conv2d(image, kernel, padding=1).shape == image.shape
    assert F.conv2d(image, kernel, padding="same").shape == image.shape


# Chapter 7


def test_ch07_conv_prints_its_own_channels() -> None:
    layer = nn.Conv2d(in_channels=3, out_channels=3, kernel_size=3, stride=1, padding=0)

    assert repr(layer) == "Conv2d(3, 3, kernel_size=(3, 3), stride=(1, 1))"


def test_ch07_add_images_shows_three_channels_at_a_time(tmp_path: Path) -> None:
    features = torch.rand(2, 6, 8, 8)

    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(AssertionError, match="3 channels"):
            writer.add_images("six", features)
        writer.add_images("first three", features[:, :3])
        writer.add_images("last three", features[:, 3:])
    assert logged(tmp_path)["images"] == ["first three", "last three"]


def test_ch07_max_pooling_downsamples_and_max_unpool_partly_inverts() -> None:
    image = torch.randperm(16, generator=torch.Generator().manual_seed(0)).float().reshape(1, 1, 4, 4)
    pooled, indices = F.max_pool2d(image, 2, return_indices=True)    # (1, 1, 4, 4) -> (1, 1, 2, 2)
    unpooled = nn.MaxUnpool2d(2)(pooled, indices)                    # (1, 1, 2, 2) -> (1, 1, 4, 4)

    assert pooled.shape == (1, 1, 2, 2)
    assert unpooled.shape == image.shape
    # The largest of each window is back in its place, the rest is lost.
    is_largest = torch.isin(image, pooled)
    assert is_largest.sum() == 4
    assert torch.equal(unpooled, image * is_largest)
    # The smallest of each window, which the tutorial promises, is another thing.
    assert not torch.isin(-F.max_pool2d(-image, 2), unpooled[unpooled > 0]).any()


def test_ch07_pooling_takes_integers_on_cpu() -> None:
    image = torch.tensor([[1, 2, 1, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 4, 0, 1]]).reshape(1, 1, 4, 4)
    pooled = nn.MaxPool2d(kernel_size=2)(image)

    assert pooled.dtype == torch.int64
    assert pooled.tolist() == [[[[2, 3], [4, 2]]]]
    assert torch.equal(pooled.float(), nn.MaxPool2d(kernel_size=2)(image.float()))


def test_ch07_the_argument_is_called_groups() -> None:
    with pytest.raises(TypeError, match="group"):
        nn.Conv2d(4, 4, 3, group=2)
    assert nn.Conv2d(4, 4, 3, groups=2).weight.shape == (4, 2, 3, 3)


# Chapter 8


def test_ch08_relu_is_built_and_then_called() -> None:
    values = torch.tensor([-1.0, 2.0])

    with pytest.raises(TypeError, match="multiple values for argument 'inplace'"):
        nn.ReLU(values, inplace=True)
    with pytest.raises(TypeError, match="must be Tensor"):
        nn.ReLU(inplace=True)(-1)
    assert nn.ReLU(inplace=True)(values) is values
    assert values.tolist() == [0, 2]


@pytest.mark.parametrize("leading", [(), (3,), (2, 5, 3)])
def test_ch08_linear_takes_any_leading_dimensions(leading: tuple[int, ...]) -> None:
    layer = nn.Linear(8, 30)
    rows = torch.rand(*leading, 8)

    assert layer(rows).shape == (*leading, 30)
    torch.testing.assert_close(layer(rows), rows @ layer.weight.T + layer.bias)


def test_ch08_flatten_merges_the_batch_too() -> None:
    batch = torch.rand(64, 3, 4, 2)
    layer = nn.Linear(24, 30)

    assert torch.flatten(batch).shape == (64 * 24,)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        layer(torch.flatten(batch))
    assert layer(torch.flatten(batch, start_dim=1)).shape == (64, 30)
    assert torch.equal(nn.Flatten()(batch), torch.flatten(batch, start_dim=1))


# Chapter 9


def test_ch09_two_linear_layers_in_a_row_are_one() -> None:
    torch.manual_seed(0)
    first, second = CIFAR10Network().layers[-2:]
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    one = nn.Linear(first.in_features, second.out_features)
    with torch.no_grad():
        one.weight.copy_(second.weight @ first.weight)
        one.bias.copy_(second(first.bias))
    features = torch.randn(16, first.in_features)

    torch.testing.assert_close(nn.Sequential(first, second)(features), one(features), rtol=1e-4, atol=1e-5)
    with_activation = nn.Sequential(first, nn.ReLU(), second)(features)
    assert (with_activation - one(features)).abs().mean() > 0.01


def test_ch09_add_graph_goes_through_a_deprecated_trace(tmp_path: Path) -> None:
    network, batch = nn.Sequential(nn.Flatten(), nn.Linear(12, 10)), torch.rand(2, 3, 2, 2)

    with warnings.catch_warnings(record=True) as caught, SummaryWriter(tmp_path / "loud") as writer:
        warnings.simplefilter("always")
        writer.add_graph(network, batch)
    of_trace = {warning.category for warning in caught if "torch.jit.trace" in str(warning.message)}
    # PyTorch 2.14 made it a FutureWarning, which Python shows; before, it hid a DeprecationWarning.
    assert of_trace == {FutureWarning if torch.__version__ >= "2.14" else DeprecationWarning}

    with warnings.catch_warnings(), SummaryWriter(tmp_path / "quiet") as writer:
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="`torch.jit.trace")
        writer.add_graph(network, batch)
    assert logged(tmp_path / "quiet")["graph"] is True


# Chapter 10


def test_ch10_cross_entropy_takes_raw_scores() -> None:
    loss = nn.CrossEntropyLoss()
    softmax = nn.Softmax(dim=1)
    target = torch.tensor([1])

    sure_and_right = 20 * F.one_hot(target, 10).float()
    assert loss(sure_and_right, target).item() < 1e-6
    # After a Softmax the best scores are a 1 and nine zeros: the loss never falls below ln(e + 9) - 1 = 1.46.
    assert loss(softmax(sure_and_right), target).item() == pytest.approx(math.log(math.e + 9) - 1)

    scores = torch.tensor([[0.1, 0.7, 0.2]])
    assert loss(scores, target).item() == pytest.approx(0.7679, abs=5e-5)
    assert loss(scores, target).item() == pytest.approx(-softmax(scores)[0, 1].log().item())
    assert loss(softmax(scores), target).item() == pytest.approx(0.9724, abs=5e-5)


def test_ch10_train_false_is_the_test_set(tiny_cifar10: type[datasets.CIFAR10], tmp_path: Path) -> None:
    def pictures_and_labels(train: bool) -> tuple[torch.Tensor, torch.Tensor]:
        data = tiny_cifar10(tmp_path, train=train)
        return torch.from_numpy(data.data).double().flatten(1) / 255, torch.tensor(data.targets)

    def tested_after_training_on(train: bool) -> float:
        pictures, labels = pictures_and_labels(train)
        weights = torch.linalg.lstsq(pictures, F.one_hot(labels, 10).double()).solution
        pictures, labels = pictures_and_labels(train=False)
        return ((pictures @ weights).argmax(dim=1) == labels).double().mean().item()

    # The labels are drawn at random: there is nothing to learn, and only a test set learnt by heart hides it.
    assert tested_after_training_on(train=False) == 1.0
    assert tested_after_training_on(train=True) < 0.4


def test_ch10_summed_losses_keep_their_graphs() -> None:
    network, batch = nn.Linear(4, 2), torch.rand(8, 4)

    def nodes_kept(batches: int) -> int:
        total, number = torch.zeros(()), 0.0
        for _ in range(batches):
            loss = network(batch).square().mean()
            total += loss
            number += loss.item()
            loss.backward()
        assert isinstance(number, float)
        assert number == pytest.approx(total.item())
        seen, waiting = set(), [total.grad_fn]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in seen:
                seen.add(node)
                waiting.extend(parent for parent, _ in node.next_functions)
        return len(seen)

    one, two, three = (nodes_kept(batches) for batches in (1, 2, 3))
    assert three - two == two - one > 1


def test_ch10_backward_adds_to_the_gradients() -> None:
    network, batch = nn.Linear(4, 2), torch.rand(8, 4)
    optimizer = optim.SGD(network.parameters(), lr=0.01)

    def gradient() -> torch.Tensor:
        network(batch).square().mean().backward()
        assert network.weight.grad is not None
        return network.weight.grad.clone()

    once = gradient()
    torch.testing.assert_close(gradient(), 2 * once)
    optimizer.zero_grad()
    assert torch.equal(gradient(), once)


# Chapter 11


def test_ch11_weights_move_without_editing_hub_py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "weights.pth"
    torch.save({"bias": torch.ones(3)}, source)
    monkeypatch.setattr(torch.hub, "_hub_dir", None)    # what a set_dir has written; undone after the test
    load = torch.hub.load_state_dict_from_url

    def download() -> None:
        assert torch.equal(load(source.as_uri(), progress=False, weights_only=True)["bias"], torch.ones(3))

    assert inspect.signature(load).parameters["model_dir"].default is None
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    download()
    assert (tmp_path / "home/hub/checkpoints/weights.pth").is_file()
    torch.hub.set_dir(tmp_path / "chosen")
    download()
    assert (tmp_path / "chosen/checkpoints/weights.pth").is_file()


def test_ch11_a_saved_module_does_not_load_by_default(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    whole, state = tmp_path / "whole.pth", tmp_path / "state.pth"
    torch.save(network, whole)
    torch.save(network.state_dict(), state)

    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torch.load(whole)
    # The classes of the layers are needed too, not only the network's own.
    with torch.serialization.safe_globals([nn.Sequential]), pytest.raises(pickle.UnpicklingError):
        torch.load(whole)
    with torch.serialization.safe_globals([nn.Sequential, nn.Linear, nn.ReLU]):
        assert torch.equal(torch.load(whole)[0].weight, network[0].weight)
    assert torch.equal(torch.load(whole, weights_only=False)[0].weight, network[0].weight)

    loaded = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    loaded.load_state_dict(torch.load(state))
    assert torch.equal(loaded[0].weight, network[0].weight)


class MakesFolder:
    """An object whose unpickling makes a folder: it stands for any code that a stranger's file could run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.mkdir, (self.folder,)


def test_ch11_a_pickle_runs_code(tmp_path: Path) -> None:
    file, folder = tmp_path / "stranger.pth", tmp_path / "made by loading"
    torch.save({"weights": MakesFolder(folder)}, file)

    with pytest.raises(pickle.UnpicklingError):
        torch.load(file)
    assert not folder.exists()
    torch.load(file, weights_only=False)
    assert folder.is_dir()


def test_ch11_plain_vgg16_does_not_know_the_added_layer() -> None:
    def plain_vgg16() -> models.VGG:
        with torch.device("meta"):    # shapes without the 528 MB of numbers
            return models.vgg16()

    def changed_vgg16() -> models.VGG:
        network = plain_vgg16()
        network.classifier.add_module("add_linear", nn.Linear(1000, 10, device="meta"))
        return network

    state = changed_vgg16().state_dict()
    with pytest.raises(RuntimeError, match="Unexpected key"):
        plain_vgg16().load_state_dict(state)
    unexpected = plain_vgg16().load_state_dict(state, strict=False).unexpected_keys
    assert unexpected == ["classifier.add_linear.weight", "classifier.add_linear.bias"]
    assert changed_vgg16().load_state_dict(state).unexpected_keys == []


def test_ch11_importing_a_script_that_saves_overwrites_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = tmp_path / "my_network.pth"
    (tmp_path / "script_that_saves.py").write_text(
        "import torch\n"
        "class MyNetwork(torch.nn.Linear): ...\n"
        "torch.save(MyNetwork(4, 2).state_dict(), 'my_network.pth')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    trained.write_bytes(b"after 150 epochs")
    import_afresh("shared.networks")
    assert trained.read_bytes() == b"after 150 epochs"
    assert list(tmp_path.glob("*.pth")) == [trained]
    import_afresh("script_that_saves")
    assert trained.read_bytes() != b"after 150 epochs"


def test_ch11_vgg16_expects_the_pictures_it_was_trained_on() -> None:
    white = Image.new("RGB", (32, 32), "white")
    prepared = models.VGG16_Weights.DEFAULT.transforms()(white)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])

    assert torch.equal(transforms.ToTensor()(white), torch.ones(3, 32, 32))
    assert prepared.shape == (3, 224, 224)
    torch.testing.assert_close(prepared[:, 112, 112], (1 - mean) / std)


@pytest.mark.parametrize("frozen", [True, False])
def test_ch11_frozen_layers_keep_what_they_have_learnt(frozen: bool) -> None:
    body, head = nn.Linear(8, 6), nn.Linear(6, 10)
    body.requires_grad_(not frozen)
    before = body.weight.detach().clone(), head.weight.detach().clone()
    network = nn.Sequential(body, head)
    optimizer = optim.SGD(network.parameters(), lr=0.1)

    F.cross_entropy(network(torch.rand(4, 8)), torch.arange(4)).backward()
    optimizer.step()
    assert torch.equal(body.weight, before[0]) is frozen
    assert not torch.equal(head.weight, before[1])


# Chapter 12


def test_ch12_the_network_is_built_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "models" / "CIFAR10_Net_Simple_v3.pth")

    network = CIFAR10NetSimpleV3()
    assert parameters(network) == 419_690
    assert network(torch.rand(4, 3, 32, 32)).shape == (4, 10)


def test_ch12_random_crop_padding_is_left_top_right_bottom() -> None:
    numbered = torch.arange(32 * 32).reshape(1, 32, 32)    # each pixel holds its own place

    def window_shifts(padding: int | list[int]) -> tuple[set[int], set[int]]:
        torch.manual_seed(0)
        crop = transforms.RandomCrop(32, padding=padding)
        centres = [divmod(int(crop(numbered)[0, 16, 16]), 32) for _ in range(500)]
        return {column - 16 for _, column in centres}, {row - 16 for row, _ in centres}

    # No padding on the left: the window never moves there, so the picture never moves to the right.
    assert window_shifts([0, 2, 3, 4]) == (set(range(0, 4)), set(range(-2, 5)))
    assert window_shifts(4) == (set(range(-4, 5)), set(range(-4, 5)))


def test_ch12_last_convolutions_see_8_by_8() -> None:
    shapes: list[tuple[int, ...]] = []
    features = torch.rand(2, 3, 32, 32)
    for layer in CIFAR10NetSimpleV3().layers:
        features = layer(features)
        if isinstance(layer, nn.Conv2d):
            shapes.append(tuple(features.shape[1:]))

    assert (128, 16, 16) not in shapes
    assert shapes == [(32, 32, 32)] * 2 + [(64, 16, 16)] * 2 + [(128, 8, 8)] * 2


def test_ch12_learning_rate_stays_for_the_last_118_epochs() -> None:
    def rates(schedule: Callable[[optim.Optimizer], lr_scheduler.LRScheduler]) -> list[float]:
        optimizer = optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.01, momentum=0.9)
        scheduler = schedule(optimizer)
        used = []
        for _ in range(150):
            used.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return used

    steps = rates(lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [8, 16, 24, 32], gamma=0.5))
    assert steps[31] == pytest.approx(0.00125)
    assert steps[32:] == pytest.approx([0.000625] * 118)

    cosine = rates(lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, T_max=150))
    assert all(later < earlier for earlier, later in itertools.pairwise(cosine))


def test_ch12_sums_over_batches_do_not_compare() -> None:
    # A network that knows nothing yet: it does equally badly on the training and on the test pictures.
    scores = torch.randn(60_000, 10, generator=torch.Generator().manual_seed(0))
    losses = F.cross_entropy(scores, torch.arange(60_000) % 10, reduction="none")

    def epoch(losses: torch.Tensor) -> tuple[int, float, float]:
        """Number of batches, the tutorial's sum over them, the average per picture."""
        loader = DataLoader(losses, batch_size=32)
        batches = [(batch.mean().item(), len(batch)) for batch in loader]
        average = sum(mean * pictures for mean, pictures in batches) / len(losses)
        return len(loader), sum(mean for mean, _ in batches), average

    train_batches, train_sum, train_average = epoch(losses[:50_000])
    test_batches, test_sum, test_average = epoch(losses[50_000:])
    assert (train_batches, test_batches) == (1563, 313)
    assert train_sum / test_sum == pytest.approx(5, abs=0.1)
    assert train_average == pytest.approx(test_average, rel=0.02)
    # Batches count by their pictures: the last one holds 16.
    assert train_average == pytest.approx(losses[:50_000].mean().item(), rel=1e-6)
    assert train_sum / train_batches != pytest.approx(train_average, rel=1e-6)
