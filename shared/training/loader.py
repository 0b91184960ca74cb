"""Batches of pictures for training: made whole on the device, or picture by picture.

DataLoader opens, crops and converts one picture after the other. All of CIFAR-10 as bytes is a
table of 61 million pixels, small enough for every device. A batch is then one look-up in that
table: which pixels are looked up decides how each picture is cropped and whether it is mirrored.
After CifarLoader of https://github.com/KellerJordan/cifar10-airbench.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from shared.training.processes import leave_signals_to_the_trainer

# The mean and the standard deviation of each channel of CIFAR-10's training pictures, as 0 to 1.
CIFAR10_MEAN_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
AS_THEY_ARE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16, with which it computes about twice as fast.

    Known of NVIDIA's and AMD's GPUs and of x86 processors (AVX-512 BF16). False for all others,
    where it was not tried. To imitate bfloat16, as many have to, is slower than float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False)


@dataclass
class Augmentation:
    """How training pictures are shuffled and changed.

    `padding`: width in pixels of the black border that a picture gets before it is cropped to its
    old size at a random place; for `PictureByPicture` also (left, top, right, bottom). `seed`: with
    the epoch it decides all random numbers, the same on every device. `rank`, `world_size`: which
    of how many processes this is; it gets the pictures rank, rank + world_size, ... of a batch.
    `small_epochs`: how many epochs, the first ones, have small pictures in `Batches`.
    """

    padding: int | tuple[int, int, int, int]
    seed: int
    rank: int = 0
    world_size: int = 1
    small_epochs: int = 0


class Batches:
    """Batches of pictures. A `for` loop over it is one epoch, as with a DataLoader.

    For training, an epoch shuffles the pictures, leaves out the last short batch, and does to each
    picture what `RandomCrop(padding=padding)` and `RandomHorizontalFlip` do, except that a picture
    which is mirrored in one epoch is not mirrored in the next (alternating flip,
    https://arxiv.org/abs/2404.00498). In small epochs it then cuts an eighth off each side, 24x24
    of 32x32, which saves time. For testing, all pictures come in order and unchanged.

    Args:
        data: with `data`, uint8 (N, H, W, 3), and `targets`, N class numbers.
        batch_size: pictures in a batch, those of all processes together.
        device: where the pictures are kept and the batches are made.
        mean_std: the mean and standard deviation of each channel, as 0 to 1, to normalise by.
        augmentation: for training; None for testing.

    Yields pictures, float32 (batch, 3, H, W) or smaller, in channels-last memory format, and their
    class numbers, int64 (batch,), both on the device.
    """

    def __init__(self, data: Dataset, batch_size: int, device: torch.device,
                 mean_std: tuple[Sequence[float], Sequence[float]] = AS_THEY_ARE,
                 augmentation: Augmentation | None = None):
        self.batch_size, self.augmentation = batch_size, augmentation
        self.epoch = 0
        self.targets = torch.tensor(data.targets, device=device)
        _, self.height, self.width, _ = data.data.shape
        # Repeated for a whole row of pixels, because longer loops are faster.
        mean, std = (torch.tensor(values, device=device) for values in mean_std)
        self.mean, self.std = 255 * mean.repeat(self.width), 255 * std.repeat(self.width)
        self.border = border = augmentation.padding if augmentation else 0
        # (N, H, W, 3) -> (N, H + 2 * border, W + 2 * border, 3) -> (pixels, 3)
        pictures = F.pad(torch.from_numpy(data.data), (0, 0, border, border, border, border))
        self.pixels = pictures.reshape(-1, 3).to(device)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        whole, rest = divmod(len(self.targets), self.batch_size)
        return whole if self.augmentation or not rest else whole + 1

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch comes next, counted from 0, as `DistributedSampler.set_epoch` does."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        device = self.pixels.device
        order, top, left, mirrored = (numbers.to(device) for numbers in self._draw_epoch())
        small = self.augmentation and self.epoch < self.augmentation.small_epochs
        rows, columns = (torch.arange(size // 8, size - size // 8, device=device) if small else
                         torch.arange(size, device=device) for size in (self.height, self.width))
        mean, std = self.mean[:3 * len(columns)], self.std[:3 * len(columns)]
        row_length = self.width + 2 * self.border
        picture_length = row_length * (self.height + 2 * self.border)
        for batch in order.split(self.batch_size)[:len(self)]:
            if self.augmentation:
                batch = batch[self.augmentation.rank::self.augmentation.world_size]
            # Which row (B, H) and column (B, W) of its picture each pixel is taken from, and then
            # (B, H, W) which entry of the table that is.
            y = top[batch, None] + rows
            x = left[batch, None] + torch.where(mirrored[batch, None], columns.flip(0), columns)
            pixel = batch[:, None, None] * picture_length + y[:, :, None] * row_length + x[:, None]
            # (B * H * W, 3) -> (B, H, W * 3) -> (B, H, W, 3)
            pictures = self.pixels.index_select(0, pixel.flatten())
            pictures = pictures.view(len(batch), len(rows), -1)
            pictures = ((pictures - mean) / std).view(*pixel.shape, 3)
            # PyTorch expects the channels in front: (B, 3, H, W). permute moves no byte, so that in
            # memory the channels stay last, with which convolutions are faster.
            yield pictures.permute(0, 3, 1, 2), self.targets[batch]

    def _draw_epoch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The order of the pictures, where each crop begins, and which are mirrored; all (N,).

        Drawn on the CPU, whose random numbers are the same on every machine.
        """
        count = len(self.targets)
        if self.augmentation is None:
            zeros = torch.zeros(count, dtype=torch.int64)
            return torch.arange(count), zeros, zeros, zeros.bool()
        seed = self.augmentation.seed
        generator = torch.Generator().manual_seed(seed)
        mirrored = torch.rand(count, generator=generator) < 0.5
        # Seeded by the number of the epoch, so that a resumed run needs nothing of the ones before.
        generator.manual_seed((seed + 1) * 10**6 + self.epoch)
        top, left = torch.randint(2 * self.border + 1, (2, count), generator=generator)
        order = torch.randperm(count, generator=generator)
        return order, top, left, mirrored ^ bool(self.epoch % 2)


class PictureByPicture(DataLoader):
    """The tutorial's way: a DataLoader with transforms of Pillow pictures, not normalised.

    `data` has pairs (`PIL.Image`, class number), and its `transform` is replaced. `workers` are
    processes that read. Yields float32 (batch, 3, H, W) from 0 to 1 and int64 (batch,), on the CPU.
    """

    def __init__(self, data: Dataset, batch_size: int, augmentation: Augmentation, workers: int):
        from torchvision import transforms

        crop = transforms.RandomCrop(32, padding=augmentation.padding)
        data.transform = transforms.Compose([crop, transforms.RandomHorizontalFlip(),
                                             transforms.ToTensor()])
        world_size = augmentation.world_size
        sampler = DistributedSampler(data, world_size, augmentation.rank, seed=augmentation.seed)
        super().__init__(data, batch_size // world_size, sampler=sampler, num_workers=workers,
                         worker_init_fn=leave_signals_to_the_trainer)

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch comes next, counted from 0."""
        self.sampler.set_epoch(epoch)
