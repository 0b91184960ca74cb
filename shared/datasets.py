"""The pictures that the lessons use: CIFAR-10, ants and bees, and folders of one's own.

Real pictures are used where they are at hand or can be fetched, drawn ones (`shared.drawn`) where not. Whatever is
used, one line says so.
"""

import contextlib
import functools
import hashlib
import os
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import datasets
from tqdm import tqdm

from shared import LessonError, download, drawn
from shared.paths import DATA, whole_file

SUFFIXES = {".jpg", ".jpeg", ".png"}

# Folders list their pictures class by class, and the first batch of a lesson should show more than airplanes. Any
# fixed order would do; with this one the first picture of CIFAR-10 is a frog and the first to test with a cat, as in
# the official files.
ORDER_SEED = 49


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a folder, sorted by name; hidden files (`._a.jpg`) and other files (`notes.txt`, `a.gif`) are
    left out."""
    return sorted(path for path in folder.iterdir()
                  if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file())


def open_rgb(path: Path) -> Image.Image:
    """Decodes a picture of any mode, the right way up, as an RGB `PIL.Image`.

    Raises:
        LessonError: it cannot be decoded: truncated, empty, no picture at all, or of so many pixels that Pillow's
            guard against decompression bombs stops it. The message names the file.
    """
    with _strict_about_bombs_only():
        return _open_rgb(path)


@contextlib.contextmanager
def _strict_about_bombs_only() -> Iterator[None]:
    """Pillow's warnings are about damaged EXIF data or lost transparency, where the pixels are whole; but for one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _open_rgb(path: Path) -> Image.Image:
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
        if picture.mode.startswith("I;16"):    # convert would make white of all but the darkest 256 greys
            picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
        return picture.convert("RGB")
    except Exception as error:    # damaged files make Pillow stumble in many ways
        raise LessonError(f"cannot read the picture {path}: {error}\nReplace it or delete it.") from None


def to_32x32(picture: Image.Image) -> Image.Image:
    """A picture of any size as the networks take it: the whole of it, its proportions changed if it is no square."""
    return picture if picture.size == (32, 32) else picture.resize((32, 32), Image.Resampling.BILINEAR)


class AntsBees(Dataset):
    """The tutorial's `MyData`: the pictures of one class, read from a folder when they are asked for.

    Args:
        root: folder that holds one folder a class, such as `data/hymenoptera_data/train`.
        label: "ants" or "bees"; the pictures are in `root/<label>`, or in `root/<label>_image` as in the tutorial.
        transform: called with each `PIL.Image`.

    `ants[0]` is the pair of an RGB `PIL.Image`, or what the transform made of it, and the label, a `str`.

    Raises:
        LessonError: there is no such folder, it has no pictures, or (from `ants[i]`) a picture cannot be decoded.
    """

    def __init__(self, root: str | Path, label: str, transform: Callable | None = None):
        folders = [Path(root) / label, Path(root) / f"{label}_image"]
        folder = next((folder for folder in folders if folder.is_dir()), None)
        if folder is None:
            raise LessonError(f"there is no folder {folders[0]}.\n"
                              "Put its pictures there, or take the data set away: a lesson finds or draws its own.")
        self.paths = picture_files(folder)
        if not self.paths:
            raise LessonError(f"{folder} has no pictures ({', '.join(sorted(SUFFIXES))}).")
        self.label = label
        self.transform = transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int):
        picture = open_rgb(self.paths[index])
        if self.transform is not None:
            picture = self.transform(picture)
        return picture, self.label


class Pictures(Dataset):
    """Pictures in memory, with the interface of `torchvision.datasets.CIFAR10`.

    Attributes:
        data: uint8 array (N, 32, 32, 3), RGB.
        targets: list of N class numbers.
        classes: the classes' names; `class_to_idx` is the way back.
        source: what these pictures are, to be written beside every figure that they lead to.
        drawn: they are the drawn stand-in.
    """

    def __init__(self, data: np.ndarray, targets: list[int], classes: list[str], source: str, *, drawn: bool = False,
                 transform: Callable | None = None, target_transform: Callable | None = None):
        self.data = data
        self.targets = targets
        self.classes = classes
        self.class_to_idx = {name: index for index, name in enumerate(classes)}
        self.source = source
        self.drawn = drawn
        self.transform = transform
        self.target_transform = target_transform

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int):
        picture, target = Image.fromarray(self.data[index]), self.targets[index]
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target


class OfficialCIFAR10(datasets.CIFAR10):
    """torchvision's class, which checks the official files by their MD5, with the two attributes of `Pictures`."""

    source = "CIFAR-10"
    drawn = False


def _class_folders(split: Path) -> list[Path]:
    return sorted(path for path in split.iterdir() if path.is_dir() and not path.name.startswith("."))


def folder_pictures(root: Path, train: bool, source: str | None = None, **transforms) -> Pictures:
    """Reads `root/train/<class>/*.jpg` (or .png), or, to test with, `root/test/…` or `root/val/…`.

    Any number of classes, named by their folders; pictures of any size and mode, resized to 32x32. They are decoded
    once and kept in `data/cache/`, until a name, a size or a time in the folder changes. Decoding 100,000 of
    CIFAR-10's size took 16 s of two cores and 1.2 GB, of which 0.3 GB stay; from the cache they come in 2 s (AMD EPYC,
    Pillow 13, November 2026).

    Raises:
        LessonError: a folder is missing or empty, the classes to train and to test with differ, or a picture cannot be
            decoded.
    """
    splits = ["train"] if train else ["test", "val"]
    split = next((root / name for name in splits if (root / name).is_dir()), None)
    if split is None:
        raise LessonError(f"there is no folder {root / splits[0]}.\n"
                          "A data set is a folder with train/<class>/ and test/<class>/ (or val/<class>/).")
    folders = _class_folders(split)
    if not folders:
        raise LessonError(f"{split} holds no folders.\nMake one for each class and put its pictures into it.")
    if not train and (root / "train").is_dir():    # else class 1 here might be class 2 there
        differing = {path.name for path in folders} ^ {path.name for path in _class_folders(root / "train")}
        if differing:
            raise LessonError(f"{root / 'train'} and {split} have different classes ({', '.join(sorted(differing))}).\n"
                              "Make a folder of the same name in both.")
    files = []
    for target, folder in enumerate(folders):
        paths = picture_files(folder)
        if not paths:
            raise LessonError(f"{folder} has no pictures ({', '.join(sorted(SUFFIXES))}).\nAdd some, or delete it.")
        files += [(path, target) for path in paths]
    random.Random(ORDER_SEED).shuffle(files)

    data = _decoded(split, [path for path, _ in files])
    targets, classes = [target for _, target in files], [folder.name for folder in folders]
    return _announce(Pictures(data, targets, classes, source or f"the pictures in {root}", **transforms), train)


def _decoded(split: Path, paths: list[Path]) -> np.ndarray:
    """The pictures of a folder, uint8 (N, 32, 32, 3), from the cache if the folder is as it was."""
    try:
        listing = [(path.name, path.parent.name, stat.st_size, stat.st_mtime_ns)
                   for path in paths for stat in [path.stat()]]
    except OSError as error:
        raise LessonError(f"cannot read the picture {error.filename}: {error.strerror}\n"
                          "Replace it or delete it.") from None
    fingerprint = hashlib.sha256(repr(listing).encode()).hexdigest()
    cache = DATA / "cache" / f"{hashlib.sha256(repr(split.resolve()).encode()).hexdigest()[:16]}.npz"
    arrays = _read_arrays(cache)
    if arrays.get("fingerprint") == fingerprint and "data" in arrays:
        return arrays["data"]

    # Threads are enough for all cores: Pillow lets go of Python's lock while it decodes. How warnings are treated is
    # one setting for all threads, so it is made here.
    data = np.empty((len(paths), 32, 32, 3), np.uint8)
    with _strict_about_bombs_only(), ThreadPoolExecutor(os.cpu_count()) as pool:
        pictures = pool.map(lambda path: to_32x32(_open_rgb(path)), paths)
        for index, picture in enumerate(
                tqdm(pictures, f"Reading {split}", len(paths), disable=None, leave=False, delay=1)):
            data[index] = picture
    with contextlib.suppress(OSError):    # without room for it, the next run decodes them again
        cache.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(cache) as file:
            np.savez(file, data=data, fingerprint=fingerprint)
    return data


def _read_arrays(file: Path) -> dict[str, np.ndarray]:
    """What `np.savez` wrote; nothing where the file is missing or damaged."""
    try:
        with file.open("rb") as opened, np.load(opened) as arrays:    # np.load alone leaves a damaged file open
            return dict(arrays)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


def cifar10(train: bool, transform: Callable | None = None,
            target_transform: Callable | None = None) -> OfficialCIFAR10 | Pictures:
    """CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html), from the first of these that there is:

    1. `data/cifar-10-batches-py/`, the official files;
    2. `data/cifar10/{train,test}/<class>/`, folders of pictures;
    3. a verified download of the official files, unless `LESSONS_OFFLINE=1`;
    4. the drawn stand-in, made once and kept under `data/drawn/`: 5,000 pictures to train with, 1,000 to test with.

    Args:
        train: the pictures to train with, or those to test with.
        transform: called with each `PIL.Image`.
        target_transform: called with each class number.

    Returns:
        A data set of pairs (RGB `PIL.Image` 32x32, class number), or what the transforms made of them. Its
        attributes are those of `Pictures`, whichever it is.

    Raises:
        LessonError: the data set is there, but damaged; or drawings cannot be written.
    """
    transforms = {"transform": transform, "target_transform": target_transform}
    official, folder = DATA / "cifar-10-batches-py", DATA / "cifar10"
    if not official.is_dir() and not folder.is_dir():
        _download(download.CIFAR10)

    if official.is_dir():
        try:
            pictures = OfficialCIFAR10(DATA, train, **transforms)
        except RuntimeError:
            raise LessonError(f"the files in {official} are damaged.\n"
                              "Delete that folder; the next lesson fetches or draws others.") from None
    elif folder.is_dir():
        return folder_pictures(folder, train, "CIFAR-10, from folders of pictures", **transforms)
    else:
        pictures = _drawn_cifar10(train, **transforms)
    return _announce(pictures, train)


def _announce(pictures: Dataset, train: bool) -> Dataset:
    print(f"Data: {pictures.source}, {len(pictures):,} pictures to {'train' if train else 'test'} with")
    return pictures


def enlarge(pictures: Tensor, times: int = 4) -> Tensor:
    """Pictures (..., H, W) -> (..., times * H, times * W), each pixel a square: 32x32 is small on today's screens."""
    return pictures.repeat_interleave(times, dim=-1).repeat_interleave(times, dim=-2)


def ants_and_bees() -> tuple[Path, bool]:
    """The folder that holds `train/{ants,bees}` and `val/{ants,bees}`, and whether its pictures are drawn.

    The pictures of https://pytorch.org/tutorials/beginner/transfer_learning_tutorial.html where they are at hand
    (`data/hymenoptera_data/`) or can be fetched, else drawn ones, made once and kept under `data/drawn/`.

    Raises:
        LessonError: the folder is there, but not `train/ants` and `train/bees`; or drawings cannot be written.
    """
    folder = DATA / "hymenoptera_data"
    if not folder.is_dir():
        _download(download.HYMENOPTERA)
    if folder.is_dir():
        for label in ("ants", "bees"):
            AntsBees(folder / "train", label)    # raises LessonError if they are not there
        print(f"Data: ants and bees, {folder}")
        return folder, False
    folder = DATA / "drawn" / "hymenoptera_data"
    _draw(drawn.ants_and_bees, folder)
    print(f"Data: drawn stand-in, not photographs of ants and bees, {folder}")
    return folder, True


def _drawn_cifar10(train: bool, **transforms) -> Pictures:
    folder = DATA / "drawn" / "cifar10"
    _draw(drawn.cifar10, folder)
    arrays = _read_arrays(folder / ("train.npz" if train else "test.npz"))
    if not {"data", "targets"} <= arrays.keys():
        raise LessonError(f"the drawings in {folder} are damaged.\n"
                          "Delete that folder; the next lesson draws them again.")
    return Pictures(arrays["data"], arrays["targets"].tolist(), list(drawn.CLASSES), "drawn stand-in, not CIFAR-10",
                    drawn=True, **transforms)


def _draw(draw: Callable[[Path], None], folder: Path) -> None:
    """Draws a stand-in, if it is not there yet."""
    try:
        if not folder.is_dir():
            draw(folder)
    except OSError as error:
        raise LessonError(f"cannot write to {folder.parent} ({error.strerror}).\n"
                          "Make it writable or make room there, or set LESSONS_HOME to another folder.") from None


@functools.cache    # a lesson that could not have it once does not try again
def _download(file: download.File) -> None:
    """Fetches and unpacks into `data/` what can be had; a lesson goes on without what cannot."""
    archive = download.fetch_if_possible(file, DATA)
    if archive is not None:
        download.unpack(archive, DATA)
