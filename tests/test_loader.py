"""Whole batches against what the transforms do to one picture at a time."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms import v2

from shared.datasets import Pictures
from shared.training.loader import (
    AS_THEY_ARE,
    CIFAR10_MEAN_STD,
    Augmentation,
    Batches,
    PictureByPicture,
    has_bfloat16,
)
from shared.training.processes import leave_signals_to_the_trainer

CPU = torch.device("cpu")


def some_pictures(count: int, height: int = 32, width: int = 32) -> Pictures:
    """Random ones, no two alike. The class of a picture is its number."""
    generator = np.random.default_rng(0)
    data = generator.integers(1, 256, (count, height, width, 3), np.uint8)
    return Pictures(data, list(range(count)), [str(number) for number in range(count)], "random")


def batches(data: Pictures, batch_size: int, *augmentation: int, mean_std=AS_THEY_ARE) -> Batches:
    """For training, if there is an `augmentation`: padding, seed, rank, world_size."""
    return Batches(data, batch_size, CPU, mean_std,
                   Augmentation(*augmentation) if augmentation else None)


def epoch_of(loader, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All that an epoch yields: pictures and targets."""
    loader.set_epoch(epoch)
    pictures, targets = zip(*loader, strict=True)
    return torch.cat(pictures), torch.cat(targets)


def as_bytes(picture: torch.Tensor) -> bytes:
    return (255 * picture).round().byte().contiguous().numpy().tobytes()


def all_crops(picture: np.ndarray, padding: int) -> dict[bytes, tuple[int, int, bool]]:
    """What RandomCrop and RandomHorizontalFlip can make of a picture: (top, left, mirrored)."""
    bordered = F.pad(torch.from_numpy(picture).permute(2, 0, 1), (padding,) * 4)
    crops = {}
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            crop = v2.functional.crop(bordered, top, left, *picture.shape[:2])
            mirrored = v2.functional.horizontal_flip(crop).contiguous()
            crops[crop.numpy().tobytes()] = top, left, False
            crops[mirrored.numpy().tobytes()] = top, left, True
    return crops


@pytest.mark.parametrize(("height", "width", "padding"), [(32, 32, 2), (8, 12, 4), (5, 3, 0)])
def test_each_picture_is_one_of_its_crops(height, width, padding):
    data = some_pictures(40, height, width)
    pictures, targets = epoch_of(batches(data, 8, padding, 0), 3)
    assert sorted(targets.tolist()) == list(range(40))
    for picture, target in zip(pictures, targets, strict=True):
        assert as_bytes(picture) in all_crops(data.data[target], padding)


def test_crops_and_mirror_images_are_equally_frequent():
    """50 kinds, each expected 400 times in 20,000; 20 is one standard deviation."""
    data = some_pictures(500, 6, 6)
    kinds = [all_crops(picture, 2) for picture in data.data]
    loader = batches(data, 100, 2, 0)
    seen = Counter(kinds[target][as_bytes(picture)] for epoch in range(40)
                   for picture, target in zip(*epoch_of(loader, epoch), strict=True))
    assert len(seen) == 50
    chi_squared = sum((count - 400) ** 2 / 400 for count in seen.values())
    assert chi_squared < 85    # 49 on average, and over 85 for one seed in 1,000; ours is fixed
    assert max(seen.values()) < 500
    mirrored = sum(count for (_, _, is_mirrored), count in seen.items() if is_mirrored)
    assert mirrored == 10_000    # in every other epoch, so exactly half


def test_what_one_epoch_mirrors_the_next_does_not():
    data = some_pictures(64, 6, 6)
    kinds = [all_crops(picture, 1) for picture in data.data]
    loader = batches(data, 16, 1, 5)

    def mirrored(epoch: int) -> dict[int, bool]:
        pictures, targets = epoch_of(loader, epoch)
        return {target: kinds[target][as_bytes(picture)][2]
                for picture, target in zip(pictures, targets.tolist(), strict=True)}

    first, second, third = mirrored(0), mirrored(1), mirrored(2)
    assert all(first[target] != second[target] for target in range(64))
    assert first == third
    assert 16 < sum(first.values()) < 48


def test_test_pictures_are_normalised_as_the_transform_does_it():
    data = some_pictures(10)
    loader = batches(data, 4, mean_std=CIFAR10_MEAN_STD)
    by_transform = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
                               v2.Normalize(*CIFAR10_MEAN_STD)])
    pictures, targets = epoch_of(loader, 0)
    torch.testing.assert_close(pictures, torch.stack([by_transform(picture) for picture, _ in data]))
    assert targets.tolist() == data.targets    # in order, those of the last short batch as well
    assert [len(batch) for batch, _ in loader] == [4, 4, 2]
    assert len(loader) == 3


def test_shapes_and_types_are_as_promised():
    loader = batches(some_pictures(10, 6, 7), 4, 1, 0)
    all_batches = list(loader)
    assert len(loader) == len(all_batches) == 2    # the short one is left out
    for pictures, targets in all_batches:
        assert (pictures.shape, pictures.dtype) == ((4, 3, 6, 7), torch.float32)
        assert pictures.is_contiguous(memory_format=torch.channels_last)
        assert (targets.shape, targets.dtype) == ((4,), torch.int64)


@pytest.mark.parametrize(("height", "width", "cut"), [(32, 32, (4, 4)), (16, 24, (2, 3))])
def test_small_epochs_show_the_middle_of_what_the_others_show(height, width, cut):
    data = some_pictures(12, height, width)
    small = Batches(data, 4, CPU, CIFAR10_MEAN_STD, Augmentation(2, 0, small_epochs=2))
    whole = batches(data, 4, 2, 0, mean_std=CIFAR10_MEAN_STD)
    for epoch in range(4):
        (pictures, targets), (expected, same_targets) = epoch_of(small, epoch), epoch_of(whole, epoch)
        if epoch < 2:
            top, left = cut
            expected = expected[:, :, top:-top, left:-left]
        assert torch.equal(pictures, expected)
        assert torch.equal(targets, same_targets)
    small.set_epoch(0)
    batch, _ = next(iter(small))
    assert batch.is_contiguous(memory_format=torch.channels_last)


def test_the_seed_and_the_epoch_decide():
    def pictures(seed: int, epoch: int) -> torch.Tensor:
        return epoch_of(batches(some_pictures(32), 8, 2, seed), epoch)[0]

    torch.manual_seed(1)
    first = pictures(1, 4)
    torch.manual_seed(2)
    assert torch.equal(first, pictures(1, 4))    # PyTorch's own generator has no part in it
    assert not torch.equal(first, pictures(1, 5))
    assert not torch.equal(first, pictures(2, 4))


def test_processes_share_each_batch():
    parts = [list(batches(some_pictures(40), 10, 2, 0, rank, 3)) for rank in range(3)]
    for number, (pictures, targets) in enumerate(batches(some_pictures(40), 10, 2, 0)):
        for rank in range(3):
            assert torch.equal(parts[rank][number][0], pictures[rank::3])
            assert torch.equal(parts[rank][number][1], targets[rank::3])


def test_arrays_that_are_laid_out_in_another_way():
    """As of torchvision's CIFAR10, which keeps the channels first in memory."""
    data, other = some_pictures(9), some_pictures(9)
    other.data = np.ascontiguousarray(data.data.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    assert not other.data.flags.c_contiguous
    for augmentation in ((), (2, 0)):
        expected, found = (epoch_of(batches(each, 3, *augmentation), 0)[0]
                           for each in (data, other))
        assert torch.equal(expected, found)


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")    # on one core
@pytest.mark.parametrize("workers", [0, 2])
def test_picture_by_picture_is_the_tutorials_way(workers):
    data = some_pictures(18)
    loader = PictureByPicture(data, 8, Augmentation([0, 2, 3, 4], seed=1), workers)
    crops = {}
    for number in range(18):
        picture = torch.from_numpy(data.data[number]).permute(2, 0, 1)
        bordered = F.pad(picture, (0, 3, 2, 4))    # left right top bottom
        for top in range(7):
            for left in range(4):
                crop = bordered[:, top:top + 32, left:left + 32].contiguous()
                crops[crop.numpy().tobytes()] = number
                crops[crop.flip(2).contiguous().numpy().tobytes()] = number
    pictures, targets = epoch_of(loader, 0)
    assert [crops[as_bytes(picture)] for picture in pictures] == targets.tolist()
    assert sorted(targets.tolist()) == list(range(18))
    assert targets.tolist() != epoch_of(loader, 1)[1].tolist()
    assert targets.tolist() == epoch_of(loader, 0)[1].tolist()
    assert [len(batch) for batch, _ in loader] == [8, 8, 2]
    assert loader.worker_init_fn is leave_signals_to_the_trainer


def test_picture_by_picture_in_two_processes():
    halves = [PictureByPicture(some_pictures(20), 8, Augmentation(1, 1, rank, 2), 0)
              for rank in range(2)]
    targets = [epoch_of(half, 0)[1].tolist() for half in halves]
    assert sorted(targets[0] + targets[1]) == list(range(20))
    assert [len(batch) for batch, _ in halves[0]] == [4, 4, 2]


def test_bfloat16_is_used_where_it_is_known_to_be_fast():
    assert not has_bfloat16(torch.device("mps"))
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        pytest.skip("only Linux has /proc/cpuinfo to compare with")
    assert has_bfloat16(CPU) == ("avx512_bf16" in cpuinfo.read_text())
