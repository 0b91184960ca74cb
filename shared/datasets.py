"""The pictures that the lessons use: CIFAR-10, and photographs of ants and bees.

Real pictures are used where they are there or can be downloaded, drawn ones where not. Whatever is
used, one line says so.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from shared.errors import LessonError
from shared.language import translated
from shared.paths import DATA

CIFAR10_SIZE = 50_000, 10_000    # training and test pictures


class AntsBees(Dataset):
    """The tutorial's `MyData`: the pictures of one class, each read when it is asked for.

    They are in `root/<label>`, or in `root/<label>_image` as in the tutorial; root may be
    `data/hymenoptera_data/train`, and label "ants" or "bees". `ants[0]` is a pair: an RGB
    `PIL.Image`, or what `transform` makes of it, and the label, a str.

    Raises LessonError if there is no such folder, it has no pictures, or (from `ants[i]`) a
    picture cannot be decoded.
    """

    def __init__(self, root: str | Path, label: str, transform: Callable | None = None):
        from shared.sources.folders import SUFFIXES, picture_files

        folders = [Path(root) / label, Path(root) / f"{label}_image"]
        folder = next((folder for folder in folders if folder.is_dir()), None)
        if folder is None:
            raise LessonError(f"there is no folder {folders[0]}.\nPut its pictures there, or take "
                              "the data set away: a lesson downloads or draws its own.")
        self.paths = picture_files(folder)
        if not self.paths:
            raise LessonError(f"{folder} has no pictures ({', '.join(SUFFIXES)}).")
        self.label = label
        self.transform = transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int):
        from shared.sources.folders import open_rgb

        picture = open_rgb(self.paths[index])
        if self.transform is not None:
            picture = self.transform(picture)
        return picture, self.label


class Pictures(Dataset):
    """Pictures in memory, with the interface of `torchvision.datasets.CIFAR10`.

    data: uint8 array (N, 32, 32, 3), RGB.
    targets: list of N class numbers.
    classes: the classes' names; `class_to_idx` gives the number of a name.
    source: what these pictures are, to be written beside every figure measured on them.
    drawn: whether they are the drawn stand-in.
    transform, target_transform: called with each picture and with each class number.
    """

    drawn = False
    transform: Callable | None = None
    target_transform: Callable | None = None

    def __init__(self, data: np.ndarray, targets: list[int], classes: list[str], source: str):
        self.data = data
        self.targets = targets
        self.classes = classes
        self.class_to_idx = {name: index for index, name in enumerate(classes)}
        self.source = source

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int):
        picture, target = Image.fromarray(self.data[index]), self.targets[index]
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target


def cifar10(train: bool, transform: Callable | None = None,
            target_transform: Callable | None = None) -> Dataset:
    """CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html), from the first place that has it.

    1. `data/cifar-10-batches-py/`, the official files;
    2. `data/cifar10/{train,test}/<class>/`, folders of pictures;
    3. a verified download of the official files, unless `LESSONS_OFFLINE=1`;
    4. the drawn stand-in, made once and kept in `data/drawn/`: 5,000 training and 1,000 test
       pictures.

    Returns the training pictures, or else the test pictures: pairs (RGB `PIL.Image` 32x32, class
    number), or what the transforms make of them. The attributes are those of `Pictures`.
    Only the whole of CIFAR-10 is called CIFAR-10 in `source`. Other folders in 2 say what they are.
    Raises LessonError if the data set is there, but damaged, or has other classes, or if drawings
    cannot be written.
    """
    from shared.sources import download

    official, folder = DATA / "cifar-10-batches-py", DATA / "cifar10"
    if not official.is_dir() and not folder.is_dir():
        download.fetch_and_unpack(download.CIFAR10, DATA)

    if official.is_dir():
        pictures = _official_cifar10(train)
    elif folder.is_dir():
        pictures = _cifar10_in_folders(folder, train)
    else:
        pictures = _drawn_cifar10(train)
    pictures.transform, pictures.target_transform = transform, target_transform
    use = "training" if train else "test"
    print(translated(f"Data: {pictures.source}, {len(pictures):,} {use} pictures"))
    return pictures


def _official_cifar10(train: bool) -> Dataset:
    """torchvision's class, which checks the official files, with two attributes of `Pictures`."""
    from torchvision.datasets import CIFAR10

    try:
        pictures = CIFAR10(DATA, train)
    except RuntimeError:
        raise LessonError(f"the files in {DATA / 'cifar-10-batches-py'} are damaged.\nDelete that "
                          "folder; the next lesson downloads or draws others.") from None
    pictures.source, pictures.drawn = "CIFAR-10", False
    return pictures


def _cifar10_in_folders(folder: Path, train: bool) -> Pictures:
    """The pictures in `data/cifar10`, called CIFAR-10 if all of CIFAR-10 is there."""
    from shared.sources import drawn
    from shared.sources.folders import class_folders, picture_files

    if not any((folder / name).is_dir() for name in ("train", "test", "val")):
        what = "Move what it holds one level up" if any(folder.glob("cifar-10-*")) else (
            "Put these two into it")
        raise LessonError(f"{folder} has no folders train and test.\n{what}, or delete the folder: "
                          "the next lesson downloads or draws others.")
    pictures = folder_pictures(folder, train)
    if pictures.classes != list(drawn.CLASSES):
        raise LessonError(f"{folder} has other classes than CIFAR-10: {', '.join(drawn.CLASSES)}.\n"
                          "To train on your own pictures: python -m shared.training --data FOLDER")
    other = folder / ("test" if train else "train")
    others = sum(len(picture_files(each)) for each in class_folders(other)) if other.is_dir() else 0
    size = (len(pictures), others) if train else (others, len(pictures))
    if size == CIFAR10_SIZE:
        pictures.source = "CIFAR-10, from folders of pictures"
    else:
        pictures.source += (f" (not the whole of CIFAR-10: {size[0]:,} training and {size[1]:,} "
                            "test pictures)")
    return pictures


def folder_pictures(root: Path, train: bool) -> Pictures:
    """Your own pictures: `root/train/<class>/`, or else `root/test/<class>/` (or `root/val/...`).

    `shared.sources.folders.read_split` says what they may hold, and when it raises LessonError.
    """
    from shared.sources.folders import read_split

    pictures = Pictures(*read_split(root, train), f"the pictures in {root}")
    pictures.drawn = root.resolve().is_relative_to((DATA / "drawn").resolve())
    return pictures


def _drawn_cifar10(train: bool) -> Pictures:
    from shared.sources import drawn

    data, targets = drawn.read_cifar10(DATA / "drawn" / "cifar10", "train" if train else "test")
    pictures = Pictures(data, targets, list(drawn.CLASSES), "drawn stand-in, not CIFAR-10")
    pictures.drawn = True
    return pictures


def ants_and_bees() -> tuple[Path, bool]:
    """The folder with `train/{ants,bees}` and `val/{ants,bees}`, and whether these are drawn.

    They are the pictures of https://pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
    where they are there (`data/hymenoptera_data/`) or can be downloaded, else drawn ones, made once
    and kept in `data/drawn/`. Raises LessonError if the folder is there, but not all of these four,
    or if drawings cannot be written.
    """
    from shared.sources import download, drawn

    folder = DATA / "hymenoptera_data"
    if not folder.is_dir():
        download.fetch_and_unpack(download.HYMENOPTERA, DATA)
    if folder.is_dir():
        for split in ("train", "val"):
            for label in ("ants", "bees"):
                AntsBees(folder / split, label)    # raises LessonError if they are not there
        print(translated(f"Data: ants and bees, {folder}"))
        return folder, False
    folder = DATA / "drawn" / "hymenoptera_data"
    if not folder.is_dir():
        drawn.draw_into(folder, drawn.ants_and_bees)
    print(translated(f"Data: drawn stand-in, not photographs of ants and bees, {folder}"))
    return folder, True


def enlarge(pictures: Tensor, times: int = 4) -> Tensor:
    """Makes each pixel a square of `times` pixels a side: 32x32 is small on today's screens.

    (..., H, W), of any dtype -> (..., times * H, times * W), of the same.
    """
    return pictures.repeat_interleave(times, dim=-1).repeat_interleave(times, dim=-2)
