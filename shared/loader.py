"""Whole batches at once: a data set in the memory of the training device, cropped, mirrored and normalised there.

DataLoader opens, crops and converts one picture after another. All of CIFAR-10 as bytes is a table of 61 million
pixels, small enough for every device, and a batch is one look-up in that table: which pixel goes where says how a
picture is cropped and whether it is mirrored. After CifarLoader of https://github.com/KellerJordan/cifar10-airbench.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Subset
from torchvision import transforms

from shared import LessonError


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 by itself, which is then faster than float32; others imitate it slowly.

    Known of NVIDIA's and AMD's GPUs and of x86 processors (AVX-512 BF16); False for all others.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False)


class Batches:
    """Batches of pictures, to be iterated over as a DataLoader is, an epoch at a time.

    To train with, an epoch shuffles the pictures, drops the last short batch, and does to each picture what
    `transforms.RandomCrop(padding=padding)` and `RandomHorizontalFlip` do, but for one thing: a picture that one epoch
    mirrors comes as it is in the next (alternating flip, https://arxiv.org/abs/2404.00498). To test with, all pictures
    come in order and as they are.

    Args:
        data: with `data`, uint8 (N, H, W, 3), and `targets`, N class numbers, such as `shared.datasets.Pictures`.
        count: how many of its pictures to take, from the first on.
        batch_size: pictures in a batch, those of all processes together.
        device: where the pictures are kept and the batches are made.
        mean, std: of each channel, on a scale of 0 to 1.
        train: shuffle, crop and mirror.
        padding: width in pixels of the black border that is added before the crop.
        seed: for a generator of its own. The same seed and epoch make the same batches, on every device.
        rank, world_size: this process gets the pictures rank, rank + world_size, ... of each batch.

    Yields:
        Pictures, float32 (batch, 3, H, W), normalised by mean and std, in channels-last memory format; and their class
        numbers, int64 (batch,). Both on the device.

    Raises:
        LessonError: there are fewer pictures to train with than make a batch.
    """

    def __init__(self, data: Dataset, count: int, batch_size: int, device: torch.device, mean: Sequence[float],
                 std: Sequence[float], *, train: bool, padding: int = 0, seed: int = 0, rank: int = 0,
                 world_size: int = 1):
        if train and count < batch_size:
            raise LessonError(f"{count} pictures do not make a batch of {batch_size}.\nTake more, or fewer processes.")
        self.batch_size, self.train, self.padding, self.seed = batch_size, train, padding, seed
        self.share = slice(rank, None, world_size)
        self.epoch = 0
        self.targets = torch.tensor(data.targets[:count], device=device)
        _, self.height, self.width, _ = data.data.shape
        # For a whole row of pixels, as longer loops are faster
        self.mean = 255 * torch.tensor(mean, device=device).repeat(self.width)
        self.std = 255 * torch.tensor(std, device=device).repeat(self.width)
        pictures = F.pad(torch.from_numpy(data.data[:count]), (0, 0, padding, padding, padding, padding))
        self.pixels = pictures.reshape(-1, 3).to(device)    # (N, H + 2 * padding, W + 2 * padding, 3) -> (pixels, 3)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        whole, rest = divmod(len(self.targets), self.batch_size)
        return whole if self.train or not rest else whole + 1

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch comes next, as `DistributedSampler.set_epoch` does."""
        self.epoch = epoch

    def first_batch(self) -> Tensor:
        """The pictures of the next epoch's first batch."""
        return next(iter(self))[0]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        device = self.pixels.device
        order, top, left, mirrored = (numbers.to(device) for numbers in self._deal())
        rows, columns = torch.arange(self.height, device=device), torch.arange(self.width, device=device)
        row_length = self.width + 2 * self.padding
        picture_length = row_length * (self.height + 2 * self.padding)
        for batch in order.split(self.batch_size)[:len(self)]:
            batch = batch[self.share]
            y = top[batch, None] + rows                                                                 # (B, H)
            x = left[batch, None] + torch.where(mirrored[batch, None], columns.flip(0), columns)        # (B, W)
            pixel = batch[:, None, None] * picture_length + y[:, :, None] * row_length + x[:, None]     # (B, H, W)
            pictures = self.pixels.index_select(0, pixel.flatten()).view(len(batch), self.height, -1)   # (B, H, W * 3)
            pictures = ((pictures - self.mean) / self.std).view(*pixel.shape, 3)                        # (B, H, W, 3)
            # Moving the channels to the front, where PyTorch expects them, changes no byte: that is channels-last.
            yield pictures.permute(0, 3, 1, 2), self.targets[batch]

    def _deal(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The order of the pictures, and for each where its crop begins, and whether it is mirrored: all (N,).

        Drawn on the CPU, whose generator every machine has, and for a whole epoch, so that it moves to a GPU at once.
        """
        count = len(self.targets)
        if not self.train:
            zeros = torch.zeros(count, dtype=torch.int64)
            return torch.arange(count), zeros, zeros, zeros.bool()
        generator = torch.Generator().manual_seed(self.seed)
        mirrored = torch.rand(count, generator=generator) < 0.5
        generator.manual_seed((self.seed + 1) * 10**6 + self.epoch)    # nothing is carried over from epoch to epoch
        top, left = torch.randint(2 * self.padding + 1, (2, count), generator=generator)
        return torch.randperm(count, generator=generator), top, left, mirrored ^ bool(self.epoch % 2)


class PictureByPicture(DataLoader):
    """The tutorial's way, for comparison: a DataLoader, with transforms of pictures by Pillow, not normalised.

    Args: as of `Batches`, and
        padding: as of `transforms.RandomCrop`, one number or (left, top, right, bottom).
        workers: processes that read.

    Yields:
        Pictures, float32 (batch, 3, H, W) in 0...1, and their class numbers, int64 (batch,), both on the CPU.
    """

    def __init__(self, data: Dataset, count: int, batch_size: int, *, padding: int | tuple, seed: int, rank: int,
                 world_size: int, workers: int):
        data.transform = transforms.Compose([transforms.RandomCrop(32, padding=padding),
                                             transforms.RandomHorizontalFlip(), transforms.ToTensor()])
        part = Subset(data, range(count))
        sampler = DistributedSampler(part, world_size, rank, seed=seed)    # of one process: shuffles, epoch by epoch
        super().__init__(part, batch_size // world_size, sampler=sampler, num_workers=workers)

    def set_epoch(self, epoch: int) -> None:
        self.sampler.set_epoch(epoch)

    def first_batch(self) -> Tensor:
        """The pictures of the next epoch's first batch, read by this process: workers, once started, should end."""
        return torch.stack([self.dataset[index][0] for index in list(self.sampler)[:self.batch_size]])
