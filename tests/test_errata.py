"""What the tutorial says, and what is so: a test for each row of that table in lessons/README.md.

Each test shows both sides: the tutorial's way fails or gives another result, the other way works.
"""

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
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_chapters import table
from torch import nn, optim
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision import datasets, models, transforms
from torchvision.transforms import v2

from shared.datasets import AntsBees
from shared.networks import CIFAR10NetSimpleV3, CIFAR10Network

TESTED = set()    # pairs (chapter, what the tutorial says)


def erratum(chapter, statement):
    """Marks the test of a row of the table: the two strings are its first two cells."""
    TESTED.add((chapter, statement))
    return lambda test: test


def test_each_row_has_a_test_and_each_test_a_row():
    rows = table("chapter", "the tutorial says", "what is so")

    assert {(chapter, statement) for chapter, statement, _ in rows} == TESTED


def noise_picture(height=24, width=36):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def listdir(folder):
    return os.listdir(folder)    # noqa: PTH208, because it is what the tutorial uses


def logged(run):
    """The tags that TensorBoard finds in a run, by kind."""
    return EventAccumulator(str(run)).Reload().Tags()


@pytest.fixture
def tiny_cifar10(tmp_path):
    """CIFAR-10's class over 40 + 40 pictures of noise: its files, with checksums of their own."""
    folder = tmp_path / datasets.CIFAR10.base_folder
    folder.mkdir()
    rng = np.random.default_rng(0)

    def write(name, content):
        data = pickle.dumps(content)
        (folder / name).write_bytes(data)
        return hashlib.md5(data).hexdigest()

    def write_batch(name):
        pictures = rng.integers(0, 256, (40, 3 * 32 * 32), dtype=np.uint8)
        return write(name, {"data": pictures, "labels": rng.integers(0, 10, 40).tolist()})

    names = ["airplane", "automobile", "bird", "cat", "deer",
             "dog", "frog", "horse", "ship", "truck"]
    attributes = {
        "train_list": [["data_batch_1", write_batch("data_batch_1")]],
        "test_list": [["test_batch", write_batch("test_batch")]],
        "meta": {"filename": "batches.meta", "key": "label_names",
                 "md5": write("batches.meta", {"label_names": names})},
    }
    return type("TinyCIFAR10", (datasets.CIFAR10,), attributes)


# Chapter 1


@erratum("1", "`os.listdir(...)[0]` is the first file")
def test_listdir_has_no_order(tmp_path):
    names = [f"{number:03}.jpg" for number in range(50)]
    folder = tmp_path / "ants"
    folder.mkdir()
    for name in random.Random(0).sample(names, len(names)):
        (folder / name).touch()

    assert "arbitrary order" in os.listdir.__doc__
    if sys.platform == "linux":    # elsewhere the file system may sort by itself: NTFS does
        assert listdir(folder) != names
    assert sorted(listdir(folder)) == names
    assert [path.name for path in AntsBees(tmp_path, "ants").paths] == names


@erratum("1", r"`os.path.join` puts a `\` between two names")
def test_join_depends_on_the_system():
    folder, name = "dataset/hymenoptera_data/train/ants_image", "0013035.jpg"

    assert ntpath.join(folder, name) == rf"{folder}\{name}"    # os.path on Windows
    assert posixpath.join(folder, name) == f"{folder}/{name}"    # os.path elsewhere


@erratum("1 to 4", "The pictures of ants are in `train/ants_image`")
def test_folder_of_the_archive(tmp_path):
    folder = tmp_path / "ants"
    folder.mkdir()
    for name in ("0013035.jpg", "1030023514.jpg", "imageNotFound.gif"):
        Image.fromarray(noise_picture()).save(folder / name)

    with pytest.raises(FileNotFoundError):
        listdir(tmp_path / "ants_image")
    # The GIF opens like any picture: nothing stops it from being taken for an ant.
    assert "imageNotFound.gif" in listdir(folder)
    with Image.open(folder / "imageNotFound.gif") as placeholder:
        assert placeholder.convert("RGB").size == (36, 24)

    names = ["0013035.jpg", "1030023514.jpg"]
    assert [path.name for path in AntsBees(tmp_path, "ants").paths] == names
    folder.rename(tmp_path / "ants_image")
    assert [path.name for path in AntsBees(tmp_path, "ants").paths] == names


# Chapter 2


@erratum("2", "`num_works` says whether several processes read")
# Python 3.12 and 3.13 warn of any fork beside threads; a machine with one core, of two workers.
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_num_workers_is_a_number():
    with pytest.raises(TypeError, match="num_works"):
        DataLoader(range(4), num_works=True)

    def started_by(loader):
        before = set(multiprocessing.active_children())
        batches = iter(loader)
        started = set(multiprocessing.active_children()) - before
        assert len(list(batches)) == 4
        return len(started)

    assert started_by(DataLoader(range(4), num_workers=2)) == 2
    assert started_by(DataLoader(range(4), num_workers=0)) == 0


# Chapter 3


@erratum("3", "`add_image` accepts a string")
def test_add_image_accepts_no_string(tmp_path):
    path = tmp_path / "ant.png"
    Image.fromarray(noise_picture()).save(path)

    assert "string/blobname" in SummaryWriter.add_image.__doc__
    with SummaryWriter(tmp_path / "run") as writer:
        with pytest.raises((AssertionError, NotImplementedError)):
            writer.add_image("path", str(path))
        with Image.open(path) as picture:
            writer.add_image("array", np.array(picture), dataformats="HWC")
        writer.add_image("tensor", torch.rand(3, 24, 36))
    assert logged(tmp_path / "run")["images"] == ["array", "tensor"]


# Chapter 4


@erratum("4", "`ToTensor` divides by 255")
def test_to_tensor_divides_only_8_bits():
    pixels = noise_picture()
    chw = torch.from_numpy(pixels).permute(2, 0, 1)
    to_tensor = transforms.ToTensor()

    assert torch.equal(to_tensor(pixels), chw / 255)
    for dtype in (np.float32, np.float64, np.int32, np.int16):
        assert torch.equal(to_tensor(pixels.astype(dtype)).double(), chw.double())

    picture = Image.fromarray(pixels)
    assert torch.equal(to_tensor(picture), chw / 255)
    for mode in ("L", "RGBA", "CMYK"):
        assert to_tensor(picture.convert(mode)).max() <= 1
    grey = picture.convert("L")
    for mode in ("I", "F", "I;16"):    # 32 bits, 32 bits with a fraction, 16 bits
        deep = grey.convert("I").convert(mode)
        assert torch.equal(to_tensor(deep)[0].double(), torch.from_numpy(np.array(grey)).double())


@erratum("4", "`ToTensor` makes a tensor of a picture")
def test_v2_replaces_to_tensor_by_two_steps():
    every_value = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    v1 = transforms.ToTensor()(every_value)
    steps = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])(every_value)

    # One divides by 255, the other multiplies by 1/255.
    torch.testing.assert_close(torch.Tensor(steps), v1, rtol=2**-23, atol=0)
    assert v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32)])(every_value).max() == 255
    with pytest.warns(UserWarning, match="deprecated"):
        v2.ToTensor()


@erratum("4", "`Normalize` expects H×W×C")
def test_normalize_expects_chw():
    normalize = transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    chw = torch.rand(3, 24, 36)

    with pytest.raises(RuntimeError, match="size of tensor"):
        normalize(chw.permute(1, 2, 0))
    assert torch.equal(normalize(chw), (chw - 0.5) / 0.5)


@erratum("4", "`ToPILImage(mode=3)` means three channels, `None` means one")
@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_mode_is_a_name(channels, mode):
    picture = torch.rand(channels, 4, 4)

    to_pil = transforms.ToPILImage(mode=channels)
    with pytest.raises(ValueError, match="mode"):
        to_pil(picture)
    assert transforms.ToPILImage()(picture).mode == mode
    assert transforms.ToPILImage(mode=mode)(picture).mode == mode


@erratum("4", "The default of `interpolation` is `PIL.Image.BILINEAR`")
def test_interpolation_has_an_enum_of_its_own():
    picture = Image.fromarray(noise_picture())
    bilinear = transforms.InterpolationMode.BILINEAR

    default = inspect.signature(transforms.Resize).parameters["interpolation"].default
    assert default is bilinear
    assert default != Image.BILINEAR
    resized = [transforms.Resize(10, interpolation=way)(picture)
               for way in (bilinear, Image.BILINEAR)]
    assert np.array_equal(*resized)


@erratum("4", "A picture from `cv2.imread` is used like one from PIL")
def test_channels_of_opencv_are_bgr(tmp_path):
    path = tmp_path / "orange.png"
    Image.new("RGB", (4, 4), (255, 128, 0)).save(path)
    picture = cv2.imread(str(path))

    assert picture[0, 0].tolist() == [0, 128, 255]
    assert cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)[0, 0].tolist() == [255, 128, 0]


@erratum("4", "`cv2.imread` opens a file as `Image.open` does")
def test_imread_raises_no_error(tmp_path, capfd):
    missing, whole, half = (tmp_path / name for name in ("missing.jpg", "whole.jpg", "half.jpg"))
    Image.fromarray(noise_picture(240, 360)).save(whole)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    assert cv2.imread(str(missing)) is None
    assert "missing.jpg" in capfd.readouterr().err
    with pytest.raises(FileNotFoundError):
        Image.open(missing)

    from_half = cv2.imread(str(half))
    assert "Premature end of JPEG file" in capfd.readouterr().err
    from_whole = cv2.imread(str(whole))
    assert from_half.shape == from_whole.shape
    assert np.array_equal(from_half[:8], from_whole[:8])
    assert not np.array_equal(from_half[-8:], from_whole[-8:])
    with Image.open(half) as picture, pytest.raises(OSError, match="truncated"):
        picture.load()


# Chapter 5


@erratum("5", "`torchvision.datasets` holds trained networks")
def test_trained_networks_are_in_models():
    networks = models.list_models()

    assert "vgg16" in networks
    assert not set(networks) & {name.lower() for name in dir(datasets)}
    assert isinstance(models.VGG16_Weights.DEFAULT, models.WeightsEnum)


@erratum("5", "`classes_to_idx` gives the number of a class")
def test_it_is_called_class_to_idx(tiny_cifar10, tmp_path):
    data = tiny_cifar10(tmp_path)

    with pytest.raises(AttributeError, match="classes_to_idx"):
        _ = data.classes_to_idx
    assert data.class_to_idx["frog"] == 6
    assert data.classes[6] == "frog"


# Chapter 6


@erratum("6", "`F.conv2d` has an argument `padding_mode`")
def test_padding_mode_is_the_layers():
    image, kernel = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 3, 3)

    with pytest.raises(TypeError, match="padding_mode"):
        F.conv2d(image, kernel, padding=1, padding_mode="reflect")
    layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect", bias=False)
    layer.weight.data = kernel
    torch.testing.assert_close(layer(image).detach(),
                               F.conv2d(F.pad(image, (1, 1, 1, 1), "reflect"), kernel))


@erratum("6", "Padding keeps the size of the picture")
def test_the_default_is_no_padding():
    image, kernel = torch.rand(1, 1, 4, 4), torch.rand(1, 1, 3, 3)

    assert F.conv2d(image, kernel).shape == (1, 1, 2, 2)
    assert nn.Conv2d(1, 1, 3)(image).shape == (1, 1, 2, 2)
    assert F.conv2d(image, kernel, padding="same").shape == image.shape
    assert F.conv2d(image, kernel, padding=1).shape == image.shape
    with pytest.raises(ValueError, match="strided"):
        nn.Conv2d(1, 1, 3, stride=2, padding="same")


@erratum("6", "The bias must be a matrix")
def test_bias_has_one_dimension():
    image, kernels = torch.rand(1, 1, 4, 4), torch.rand(2, 1, 3, 3)

    for matrix in (torch.tensor([[3.0], [5.0]]), torch.tensor([[3.0, 5.0]])):
        with pytest.raises(RuntimeError, match="bias to be 1-dimensional"):
            F.conv2d(image, kernels, bias=matrix)
    added = F.conv2d(image, kernels, bias=torch.tensor([3.0, 5.0])) - F.conv2d(image, kernels)
    torch.testing.assert_close(added[0, 0], torch.full((2, 2), 3.0))
    torch.testing.assert_close(added[0, 1], torch.full((2, 2), 5.0))


# Chapter 7


@erratum("7", "Kernels start as samples from the distribution of the data")
@pytest.mark.parametrize("groups", [1, 4])
def test_kernels_start_uniformly(groups):
    torch.manual_seed(0)
    weights = nn.Conv2d(64, 64, 3, groups=groups).weight.detach()    # it has seen no data
    bound = 1 / math.sqrt(64 / groups * 3 * 3)

    assert weights[0].numel() == 64 / groups * 3 * 3
    in_quarters = torch.histc(weights, bins=4, min=-bound, max=bound)    # others are not counted
    assert in_quarters.sum() == weights.numel()
    torch.testing.assert_close(in_quarters / weights.numel(), torch.full((4,), 0.25),
                               rtol=0, atol=0.02)


@erratum("7", "A layer from 3 to 3 channels prints `Conv2d(3, 6, ...)`")
def test_3_and_6_channels(tmp_path):
    layer = nn.Conv2d(in_channels=3, out_channels=3, kernel_size=3, stride=1, padding=0)
    assert repr(layer) == "Conv2d(3, 3, kernel_size=(3, 3), stride=(1, 1))"

    with SummaryWriter(tmp_path) as writer:
        for channels in (2, 4, 6):
            with pytest.raises(AssertionError, match="3 channels"):
                writer.add_images(f"{channels} channels", torch.rand(2, channels, 8, 8))
        for channels in (1, 3):
            writer.add_images(f"{channels} channels", torch.rand(2, channels, 8, 8))
    assert logged(tmp_path)["images"] == ["1 channels", "3 channels"]


@erratum("7", "The argument for groups is `group`")
def test_it_is_called_groups():
    with pytest.raises(TypeError, match="group"):
        nn.Conv2d(4, 4, 3, group=2)
    assert nn.Conv2d(4, 4, 3, groups=2).weight.shape == (4, 2, 3, 3)


@erratum("7", "Max pooling is upsampling. `MaxUnpool` is minimum pooling, and downsampling")
def test_max_pooling_and_max_unpooling():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    pooled, indices = F.max_pool2d(image, 2, return_indices=True)    # -> (1, 1, 2, 2)
    unpooled = nn.MaxUnpool2d(2)(pooled, indices)    # -> (1, 1, 4, 4)

    assert pooled.tolist() == [[[[5, 7], [13, 15]]]]
    assert unpooled.tolist() == [[[[0, 0, 0, 0], [0, 5, 0, 7], [0, 0, 0, 0], [0, 13, 0, 15]]]]
    with pytest.raises(TypeError, match="indices"):
        nn.MaxUnpool2d(2)(pooled)
    minimum = -F.max_pool2d(-image, 2)
    assert minimum.tolist() == [[[[0, 2], [8, 10]]]]


@erratum("7", "`padding` of `MaxPool2d` works as in `Conv2d`")
def test_pooling_pads_with_minus_infinity():
    image = torch.full((1, 1, 2, 2), -5.0)
    copy_a_corner = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])

    assert F.conv2d(image, copy_a_corner, padding=1)[0, 0].tolist() == [
        [0, 0, 0], [0, -5, -5], [0, -5, -5]]
    assert (nn.MaxPool2d(2, stride=1, padding=1)(image) == -5).all()

    image = torch.rand(1, 1, 8, 8)
    assert nn.Conv2d(1, 1, 3, padding=2)(image).shape == (1, 1, 10, 10)
    assert nn.MaxPool2d(3, padding=1)(image).shape == (1, 1, 3, 3)
    with pytest.raises(RuntimeError, match="at most half"):
        nn.MaxPool2d(3, padding=2)(image)


@erratum("7", "The input of pooling must be floats")
def test_pooling_accepts_integers():
    image = torch.tensor([[1, 2, 1, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 4, 0, 1]])[None, None]
    pooled = nn.MaxPool2d(kernel_size=2)(image)

    assert pooled.dtype == torch.int64
    assert pooled.tolist() == [[[[2, 3], [4, 2]]]]
    assert torch.equal(pooled.float(), nn.MaxPool2d(kernel_size=2)(image.float()))


# Chapter 8


@erratum("8", "`nn.ReLU(input, inplace=True)`")
def test_relu_is_made_and_then_called():
    values = torch.tensor([-1.0, 2.0])

    with pytest.raises(TypeError, match="multiple values for argument 'inplace'"):
        nn.ReLU(values, inplace=True)
    with pytest.raises(TypeError, match="must be Tensor"):
        nn.ReLU(inplace=True)(-1)
    assert nn.ReLU(inplace=True)(values) is values
    assert values.tolist() == [0, 2]


@erratum("8", "The input of `Linear` has two dimensions")
@pytest.mark.parametrize("leading", [(), (3,), (2, 5, 3)])
def test_linear_accepts_any_number_of_dimensions(leading):
    layer = nn.Linear(8, 30)
    rows = torch.rand(*leading, 8)

    assert layer(rows).shape == (*leading, 30)
    torch.testing.assert_close(layer(rows), rows @ layer.weight.T + layer.bias)
    with pytest.raises(RuntimeError, match=r"cannot be multiplied|size mismatch"):
        layer(torch.rand(*leading, 9))


@erratum("8", "A convolution requires four dimensions")
def test_convolution_of_a_single_picture():
    layer, picture = nn.Conv2d(3, 6, 3), torch.rand(3, 8, 8)

    assert layer(picture).shape == (6, 6, 6)
    torch.testing.assert_close(layer(picture), layer(picture[None])[0])
    with pytest.raises(RuntimeError, match=r"3D .* or 4D"):
        layer(picture[0])


@erratum("8", "`torch.flatten(input)` prepares pictures for `Linear`")
def test_flatten_merges_the_batch():
    batch = torch.rand(64, 3, 4, 2)
    layer = nn.Linear(24, 30)

    assert torch.flatten(batch).shape == (64 * 24,)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        layer(torch.flatten(batch))
    assert layer(torch.flatten(batch, start_dim=1)).shape == (64, 30)
    assert torch.equal(nn.Flatten()(batch), torch.flatten(batch, start_dim=1))


# Chapter 9


@erratum("9", "The network ends with two `Linear` layers in a row")
def test_two_linear_layers_are_one():
    torch.manual_seed(0)
    first, second = CIFAR10Network().layers[-2:]
    one = nn.Linear(first.in_features, second.out_features)
    with torch.no_grad():
        one.weight.copy_(second.weight @ first.weight)
        one.bias.copy_(second(first.bias))
    features = torch.randn(16, first.in_features)

    two = nn.Sequential(first, second)
    torch.testing.assert_close(two(features), one(features), rtol=1e-4, atol=1e-5)
    with_activation = nn.Sequential(first, nn.ReLU(), second)(features)
    assert (with_activation - one(features)).abs().mean() > 0.01


@erratum("9", "`add_graph` draws the network")
def test_add_graph_uses_a_deprecated_function(tmp_path):
    assert "not supported in Python 3.14+" in inspect.getsource(torch.jit.trace)
    if sys.version_info >= (3, 14):
        pytest.skip("it may break here")
    network, batch = nn.Sequential(nn.Flatten(), nn.Linear(12, 10)), torch.rand(2, 3, 2, 2)

    with warnings.catch_warnings(record=True) as caught, SummaryWriter(tmp_path) as writer:
        warnings.simplefilter("always")
        writer.add_graph(network, batch)
    of_trace = {warning.category for warning in caught if "torch.jit.trace" in str(warning.message)}
    # Python shows a FutureWarning to everybody, a DeprecationWarning to few.
    assert of_trace == {FutureWarning if torch.__version__ >= "2.14" else DeprecationWarning}
    assert logged(tmp_path)["graph"] is True


# Chapter 10


@erratum("10", "`CrossEntropyLoss` is used after a Softmax layer")
def test_cross_entropy_takes_raw_scores():
    loss, softmax = nn.CrossEntropyLoss(), nn.Softmax(dim=1)
    target = torch.tensor([1])

    right_and_certain = 100 * F.one_hot(target, 10).float()
    assert loss(right_and_certain, target) < 1e-6
    # Softmax makes a 1 and nine zeros of it.
    lowest = loss(softmax(right_and_certain), target).item()
    assert lowest == pytest.approx(math.log(math.e + 9) - 1)
    assert lowest > 1.46

    scores = torch.tensor([[0.1, 0.7, 0.2]])
    assert loss(scores, target).item() == pytest.approx(0.7679, abs=5e-5)    # as in the tutorial
    assert loss(scores, target).item() == pytest.approx(-softmax(scores)[0, 1].log().item())


@erratum("10", "`backward()` is called for each picture, without `zero_grad()`")
def test_backward_adds_to_the_gradients():
    network, batch = nn.Linear(4, 2), torch.rand(8, 4)
    optimizer = optim.SGD(network.parameters(), lr=0.01)

    def gradient():
        network(batch).square().mean().backward()
        return network.weight.grad.clone()

    once = gradient()
    torch.testing.assert_close(gradient(), 2 * once)
    optimizer.zero_grad()
    assert torch.equal(gradient(), once)


@erratum("10, 11", "The networks are trained with `train=False`")
def test_train_false_is_the_test_set(tiny_cifar10, tmp_path):
    def pictures_and_labels(train):
        data = tiny_cifar10(tmp_path, train=train)
        return torch.from_numpy(data.data).double().flatten(1) / 255, torch.tensor(data.targets)

    def tested_after_training_on(train):
        pictures, labels = pictures_and_labels(train)
        weights = torch.linalg.lstsq(pictures, F.one_hot(labels, 10).double()).solution
        pictures, labels = pictures_and_labels(train=False)
        return ((pictures @ weights).argmax(dim=1) == labels).double().mean().item()

    # Pictures and labels are random, so there is nothing to learn. Only whoever trains on the
    # test pictures does not notice.
    assert tested_after_training_on(train=False) == 1.0
    assert tested_after_training_on(train=True) < 0.4


@erratum("10, 11", "`total_loss += loss`")
def test_a_sum_of_losses_keeps_their_graphs():
    network, batch = nn.Linear(4, 2), torch.rand(8, 4)

    def nodes_kept(batches):
        total, number = torch.zeros(()), 0.0
        for _ in range(batches):
            loss = network(batch).square().mean()
            total += loss
            number += loss.item()
            loss.backward()
        assert isinstance(number, float)    # which keeps nothing
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


# Chapter 11


@erratum("11", "To choose the folder for downloads, edit `torch/hub.py`")
def test_the_folder_is_a_setting(tmp_path, monkeypatch):
    source = tmp_path / "weights.pth"
    torch.save({"bias": torch.ones(3)}, source)
    monkeypatch.setattr(torch.hub, "_hub_dir", None)    # undoes, after the test, what set_dir does
    load = torch.hub.load_state_dict_from_url

    def download():
        state = load(source.as_uri(), progress=False, weights_only=True)
        assert torch.equal(state["bias"], torch.ones(3))

    assert inspect.signature(load).parameters["model_dir"].default is None
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    download()
    assert (tmp_path / "home/hub/checkpoints/weights.pth").is_file()
    torch.hub.set_dir(tmp_path / "chosen")
    download()
    assert (tmp_path / "chosen/checkpoints/weights.pth").is_file()


@erratum("11", "`DEFAULT` is the newest set of weights")
def test_default_is_neither_the_newest_nor_the_most_accurate():
    def accuracy(weights):
        return weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]

    assert models.VGG16_Weights.DEFAULT is models.VGG16_Weights.IMAGENET1K_V1
    sets = list(models.ViT_B_16_Weights)    # the oldest first
    assert models.ViT_B_16_Weights.DEFAULT is sets[0]
    assert len(sets) > 1
    assert accuracy(models.ViT_B_16_Weights.DEFAULT) < max(map(accuracy, sets))


@erratum("11", "VGG16 gets the pictures as they are")
def test_vgg16_expects_what_it_was_trained_on():
    white = Image.new("RGB", (32, 32), "white")
    prepared = models.VGG16_Weights.DEFAULT.transforms()(white)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])

    assert torch.equal(transforms.ToTensor()(white), torch.ones(3, 32, 32))
    assert prepared.shape == (3, 224, 224)
    torch.testing.assert_close(prepared[:, 112, 112], (1 - mean) / std)


@erratum("11", "All of VGG16 is trained again")
@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_layers_keep_what_they_have_learnt(frozen):
    body, head = nn.Linear(8, 6), nn.Linear(6, 10)
    body.requires_grad_(not frozen)
    before = body.weight.detach().clone(), head.weight.detach().clone()
    network = nn.Sequential(body, head)
    optimizer = optim.SGD(network.parameters(), lr=0.1)

    F.cross_entropy(network(torch.rand(4, 8)), torch.arange(4)).backward()
    optimizer.step()
    assert (body.weight.grad is None) is frozen
    assert torch.equal(body.weight, before[0]) is frozen
    assert not torch.equal(head.weight, before[1])


@erratum("11", "Networks are saved to `models/...`")
def test_save_makes_no_folder(tmp_path):
    state, file = nn.Linear(4, 2).state_dict(), tmp_path / "models" / "network.pth"

    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        torch.save(state, file)
    file.parent.mkdir()
    torch.save(state, file)
    assert torch.equal(torch.load(file)["weight"], state["weight"])

    SummaryWriter(tmp_path / "logs").close()
    assert (tmp_path / "logs").is_dir()


@erratum("11, 12", "`torch.load(path)` loads a whole network")
def test_a_whole_network_does_not_load(tmp_path):
    network = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    whole, state = tmp_path / "whole.pth", tmp_path / "state.pth"
    torch.save(network, whole)
    torch.save(network.state_dict(), state)

    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torch.load(whole)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torch.load(whole, map_location=torch.device("cpu"))
    assert torch.equal(torch.load(whole, weights_only=False)[0].weight, network[0].weight)

    loaded = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    loaded.load_state_dict(torch.load(state))
    assert torch.equal(loaded[0].weight, network[0].weight)


class MakesFolder:
    """Loading this object from a pickle makes a folder. A stranger's file could run any code."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return Path.mkdir, (self.folder,)


@erratum("11, 12", "`torch.load(path)` loads a whole network")
def test_loading_a_pickle_can_run_code(tmp_path):
    file, folder = tmp_path / "stranger.pth", tmp_path / "made by loading"
    torch.save({"weights": MakesFolder(folder)}, file)

    with pytest.raises(pickle.UnpicklingError):
        torch.load(file)
    assert not folder.exists()
    torch.load(file, weights_only=False)
    assert folder.is_dir()


@erratum("11", "Plain `vgg16()` loads the `state_dict` of the changed network")
def test_plain_vgg16_does_not_know_the_added_layer():
    def plain_vgg16():
        with torch.device("meta"):    # shapes without the 553 MB of numbers
            return models.vgg16()

    def changed_vgg16():
        network = plain_vgg16()
        network.classifier.add_module("add_linear", nn.Linear(1000, 10, device="meta"))
        return network

    state = changed_vgg16().state_dict()
    with pytest.raises(RuntimeError, match="Unexpected key"):
        plain_vgg16().load_state_dict(state)
    unexpected = plain_vgg16().load_state_dict(state, strict=False).unexpected_keys
    assert unexpected == ["classifier.add_linear.weight", "classifier.add_linear.bias"]
    assert changed_vgg16().load_state_dict(state).unexpected_keys == []


@erratum("11", "`from test_save import MyNetwork`")
def test_importing_a_script_runs_it(tmp_path, monkeypatch):
    def run_as_an_import_does(name):    # another import may have loaded the module already
        spec = importlib.util.find_spec(name)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))

    (tmp_path / "script_that_saves.py").write_text(
        "import torch\n"
        "class MyNetwork(torch.nn.Linear): ...\n"
        "torch.save(MyNetwork(4, 2).state_dict(), 'my_network.pth')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    trained = tmp_path / "my_network.pth"
    trained.write_bytes(b"after 150 epochs")

    run_as_an_import_does("shared.networks")
    assert trained.read_bytes() == b"after 150 epochs"
    assert list(tmp_path.glob("*.pth")) == [trained]
    run_as_an_import_does("script_that_saves")
    assert trained.read_bytes() != b"after 150 epochs"


# Chapter 12


@erratum("12", "Testing without `no_grad()` disturbs the network")
def test_no_grad_saves_memory_and_eval_matters():
    torch.manual_seed(0)
    network, batch = CIFAR10NetSimpleV3(), torch.rand(8, 3, 32, 32)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    def changed():
        return [name for name, value in network.state_dict().items()
                if not torch.equal(value, before[name])]

    def kept_for_backward():
        """The scores, and the number of bytes that are kept for backward()."""
        sizes = []

        def note_size(tensor):
            sizes.append(tensor.nbytes)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note_size, lambda tensor: tensor):
            return network(batch), sum(sizes)

    network.eval()
    scores, bytes_kept = kept_for_backward()
    with torch.no_grad():
        scores_without, bytes_without = kept_for_backward()
    assert torch.equal(scores, scores_without)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not changed()
    assert bytes_kept > 10 * batch.nbytes
    assert bytes_without == 0

    network.train()
    with torch.no_grad():
        assert not torch.equal(network(batch), network(batch))    # Dropout
    assert "layers.2.running_mean" in changed()    # BatchNorm


@erratum("12", "The loss function is moved to the GPU, too")
def test_the_loss_has_no_tensors():
    # The device "meta" computes shapes only. It stands for a GPU here: tensors on it and on the
    # CPU do not mix.
    scores, targets = torch.rand(4, 3, device="meta"), torch.zeros(4, device="meta").long()
    loss = nn.CrossEntropyLoss()
    weighted = nn.CrossEntropyLoss(weight=torch.ones(3))

    assert loss.state_dict() == {}
    assert loss(scores, targets).device.type == "meta"
    assert list(weighted.state_dict()) == ["weight"]
    with pytest.raises(RuntimeError, match="device"):
        weighted(scores, targets)
    assert weighted.to("meta")(scores, targets).device.type == "meta"


@erratum("12", "The new network is loaded from a file")
def test_the_network_is_built(tmp_path):
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "models" / "CIFAR10_Net_Simple_v3.pth")

    network = CIFAR10NetSimpleV3()
    assert sum(p.numel() for p in network.parameters()) == 419_690
    assert network(torch.rand(4, 3, 32, 32)).shape == (4, 10)


@erratum("12", "`RandomCrop(32, padding=[0, 2, 3, 4])`")
def test_padding_of_random_crop_is_left_top_right_bottom():
    numbered = torch.arange(32 * 32).reshape(1, 32, 32)    # each pixel holds its own place

    def moves_of_the_picture(padding):
        """To the right and down, in pixels: all that occur in 500 crops."""
        torch.manual_seed(0)
        crop = transforms.RandomCrop(32, padding=padding)
        centers = [divmod(int(crop(numbered)[0, 16, 16]), 32) for _ in range(500)]
        return {16 - column for _, column in centers}, {16 - row for row, _ in centers}

    assert moves_of_the_picture([0, 2, 3, 4]) == (set(range(-3, 1)), set(range(-4, 3)))
    assert moves_of_the_picture(4) == (set(range(-4, 5)), set(range(-4, 5)))


@erratum("12", "After the last convolutions the shape is `[128, 16, 16]`")
def test_the_last_convolutions_see_8_by_8():
    shapes = []
    features = torch.rand(2, 3, 32, 32)
    for layer in CIFAR10NetSimpleV3().layers:
        features = layer(features)
        if isinstance(layer, nn.Conv2d):
            shapes.append(tuple(features.shape[1:]))

    assert shapes == [(32, 32, 32)] * 2 + [(64, 16, 16)] * 2 + [(128, 8, 8)] * 2


@erratum("12", "The learning rate is halved after 8, 16, 24 and 32 of 150 epochs")
def test_the_learning_rate_stays_for_118_epochs():
    def rates(schedule, **settings):
        optimizer = optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.01, momentum=0.9)
        scheduler = schedule(optimizer, **settings)
        used = []
        for _ in range(150):
            used.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return used

    steps = rates(lr_scheduler.MultiStepLR, milestones=[8, 16, 24, 32], gamma=0.5)
    assert steps[31] == pytest.approx(0.00125)
    assert steps[32:] == pytest.approx([0.000625] * 118)
    cosine = rates(lr_scheduler.CosineAnnealingLR, T_max=150)    # falls until the end
    assert all(later < earlier for earlier, later in itertools.pairwise(cosine))


@erratum("12", "`train_loss` and `test_loss` are sums over the batches")
def test_sums_over_batches_cannot_be_compared():
    # A network that knows nothing: it is as bad on the training as on the test pictures.
    scores = torch.randn(60_000, 10, generator=torch.Generator().manual_seed(0))
    losses = F.cross_entropy(scores, torch.arange(60_000) % 10, reduction="none")

    def epoch(losses):
        """The number of batches, the tutorial's sum, and the mean loss of a picture."""
        batches = [(batch.mean().item(), len(batch)) for batch in DataLoader(losses, batch_size=32)]
        mean = sum(mean * pictures for mean, pictures in batches) / len(losses)
        return len(batches), sum(mean for mean, _ in batches), mean

    train_batches, train_sum, train_mean = epoch(losses[:50_000])
    test_batches, test_sum, test_mean = epoch(losses[50_000:])
    assert (train_batches, test_batches) == (1563, 313)
    assert train_sum / test_sum == pytest.approx(5, abs=0.1)
    assert train_mean == pytest.approx(test_mean, rel=0.02)
    # The last batch has 16 pictures, so the sum divided by the number of batches is not the mean.
    assert train_mean == pytest.approx(losses[:50_000].mean().item(), rel=1e-6)
    assert train_sum / train_batches != pytest.approx(train_mean, rel=1e-6)
