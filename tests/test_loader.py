"""Whole batches against what the transforms do to one picture at a time."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms import v2

from shared import LessonError
from shared.datasets import Pictures
from shared.loader import Batches, PictureByPicture, has_bfloat16

CPU = torch.device("cpu")
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
AS_THEY_ARE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def some_pictures(count: int, height: int = 32, width: int = 32) -> Pictures:
    """Random ones; the class of a picture is its number, and so are its first pixels: no two are alike."""
    data = np.random.default_rng(0).integers(1, 256, (count, height, width, 3), np.uint8)
    return Pictures(data, list(range(count)), [str(number) for number in range(count)], "random")


def epoch_of(loader, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All that an epoch yields: pictures and targets."""
    loader.set_epoch(epoch)
    pictures, targets = zip(*loader, strict=True)
    return torch.cat(pictures), torch.cat(targets)


def all_crops(picture: np.ndarray, padding: int) -> dict[bytes, tuple[int, int, bool]]:
    """What RandomCrop and RandomHorizontalFlip can make of a picture: bytes -> (top, left, mirrored)."""
    bordered = F.pad(torch.from_numpy(picture).permute(2, 0, 1), (padding,) * 4)
    crops = {}
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            crop = v2.functional.crop(bordered, top, left, *picture.shape[:2])
            crops[crop.numpy().tobytes()] = top, left, False
            crops[v2.functional.horizontal_flip(crop).contiguous().numpy().tobytes()] = top, left, True
    return crops


@pytest.mark.parametrize(("height", "width", "padding"), [(32, 32, 2), (8, 12, 4), (5, 3, 0)])
def test_each_picture_is_one_of_its_crops(height, width, padding):
    data = some_pictures(40, height, width)
    pictures, targets = epoch_of(Batches(data, 40, 8, CPU, *AS_THEY_ARE, train=True, padding=padding), 3)
    assert sorted(targets.tolist()) == list(range(40))
    for picture, target in zip(pictures, targets, strict=True):
        assert (255 * picture).round().byte().numpy().tobytes() in all_crops(data.data[target], padding)


def test_crops_and_mirror_images_are_equally_frequent():
    """As often as by chance: 50 kinds, each expected 400 times in 20,000, so 20 is one standard deviation."""
    data = some_pictures(500, 6, 6)
    kinds = [all_crops(picture, 2) for picture in data.data]
    loader = Batches(data, 500, 100, CPU, *AS_THEY_ARE, train=True, padding=2)
    seen = Counter(kinds[target][(255 * picture).round().byte().numpy().tobytes()]
                   for epoch in range(40) for picture, target in zip(*epoch_of(loader, epoch), strict=True))
    assert len(seen) == 50
    chi_squared = sum((count - 400) ** 2 / 400 for count in seen.values())
    assert chi_squared < 85    # 49 on average, and over 85 once in 1,000 seeds; ours is fixed
    assert max(seen.values()) < 500
    assert sum(count for (_, _, mirrored), count in seen.items() if mirrored) == 10_000    # by turns, so exactly half


def test_what_one_epoch_mirrors_the_next_does_not():
    data = some_pictures(64, 6, 6)
    kinds = [all_crops(picture, 1) for picture in data.data]
    loader = Batches(data, 64, 16, CPU, *AS_THEY_ARE, train=True, padding=1, seed=5)

    def mirrored(epoch: int) -> dict[int, bool]:
        pictures, targets = epoch_of(loader, epoch)
        return {target: kinds[target][(255 * picture).round().byte().numpy().tobytes()][2]
                for picture, target in zip(pictures, targets.tolist(), strict=True)}

    first, second, third = mirrored(0), mirrored(1), mirrored(2)
    assert all(first[target] != second[target] for target in range(64))
    assert first == third
    assert 16 < sum(first.values()) < 48


def test_pictures_are_normalised_as_the_transform_does_it():
    data = some_pictures(10)
    loader = Batches(data, 10, 4, CPU, MEAN, STD, train=False)
    by_transform = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    pictures, targets = epoch_of(loader, 0)
    torch.testing.assert_close(pictures, torch.stack([by_transform(picture) for picture, _ in data]))
    assert targets.tolist() == data.targets    # in order, the last short batch among them
    assert [len(batch) for batch, _ in loader] == [4, 4, 2]
    assert len(loader) == 3


def test_shapes_and_types_are_as_promised():
    loader = Batches(some_pictures(11, 6, 7), 10, 4, CPU, MEAN, STD, train=True, padding=1)
    batches = list(loader)
    assert len(loader) == len(batches) == 2    # the short one is dropped, and the 11th picture was not asked for
    for pictures, targets in batches:
        assert (pictures.shape, pictures.dtype) == ((4, 3, 6, 7), torch.float32)
        assert pictures.is_contiguous(memory_format=torch.channels_last)
        assert (targets.shape, targets.dtype) == ((4,), torch.int64)
        assert targets.max() < 10


def test_the_seed_and_the_epoch_decide():
    def dealt(seed: int, epoch: int) -> torch.Tensor:
        return epoch_of(Batches(some_pictures(32), 32, 8, CPU, MEAN, STD, train=True, padding=2, seed=seed), epoch)[0]

    torch.manual_seed(1)
    first = dealt(1, 4)
    torch.manual_seed(2)
    assert torch.equal(first, dealt(1, 4))    # a generator of its own
    assert not torch.equal(first, dealt(1, 5))
    assert not torch.equal(first, dealt(2, 4))


def test_processes_share_each_batch():
    def dealt(**share) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return list(Batches(some_pictures(40), 40, 10, CPU, MEAN, STD, train=True, padding=2, **share))

    parts = [dealt(rank=rank, world_size=3) for rank in range(3)]
    for number, (pictures, targets) in enumerate(dealt()):
        for rank in range(3):
            assert torch.equal(parts[rank][number][0], pictures[rank::3])
            assert torch.equal(parts[rank][number][1], targets[rank::3])


def test_too_few_pictures_for_a_batch():
    with pytest.raises(LessonError, match="3 pictures do not make a batch of 4"):
        Batches(some_pictures(9), 3, 4, CPU, MEAN, STD, train=True)
    assert len(Batches(some_pictures(9), 3, 4, CPU, MEAN, STD, train=False)) == 1


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")    # two workers on one core
@pytest.mark.parametrize("workers", [0, 2])
def test_picture_by_picture_is_the_tutorials_way(workers):
    data = some_pictures(20)
    loader = PictureByPicture(data, 18, 8, padding=(0, 2, 3, 4), seed=1, rank=0, world_size=1, workers=workers)
    crops = {}
    for number in range(18):
        bordered = F.pad(torch.from_numpy(data.data[number]).permute(2, 0, 1), (0, 3, 2, 4))    # left right top bottom
        for top in range(7):
            for left in range(4):
                crop = bordered[:, top:top + 32, left:left + 32].contiguous()
                crops[crop.numpy().tobytes()] = crops[crop.flip(2).contiguous().numpy().tobytes()] = number
    pictures, targets = epoch_of(loader, 0)
    assert [crops[(255 * picture).round().byte().numpy().tobytes()] for picture in pictures] == targets.tolist()
    assert sorted(targets.tolist()) == list(range(18))
    assert targets.tolist() != epoch_of(loader, 1)[1].tolist()
    assert targets.tolist() == epoch_of(loader, 0)[1].tolist()
    assert [len(batch) for batch, _ in loader] == [8, 8, 2]


def test_the_first_batch_can_be_looked_at():
    batches = Batches(some_pictures(20), 20, 8, CPU, *AS_THEY_ARE, train=True, padding=2, seed=3)
    assert torch.equal(batches.first_batch(), epoch_of(batches, 0)[0][:8])

    loader = PictureByPicture(some_pictures(20), 20, 8, padding=0, seed=3, rank=0, world_size=1, workers=1)

    def without_mirroring(pictures: torch.Tensor) -> list:    # which is by chance
        return [sorted([picture.flatten().tolist(), picture.flip(2).flatten().tolist()]) for picture in pictures]

    assert without_mirroring(loader.first_batch()) == without_mirroring(epoch_of(loader, 0)[0][:8])


def test_arrays_that_are_laid_out_in_another_way():
    """As of torchvision's CIFAR10, which stores channels first."""
    data = some_pictures(9)
    other = some_pictures(9)
    other.data = np.ascontiguousarray(data.data.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    assert not other.data.flags.c_contiguous
    for options in ({"train": False}, {"train": True, "padding": 2}):
        expected, found = (epoch_of(Batches(each, 9, 3, CPU, MEAN, STD, **options), 0)[0] for each in (data, other))
        assert torch.equal(expected, found)


def test_picture_by_picture_in_two_processes():
    halves = [PictureByPicture(some_pictures(20), 20, 8, padding=1, seed=1, rank=rank, world_size=2, workers=0)
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
