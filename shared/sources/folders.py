"""Pictures in folders: which files they are, decoding, and a cache of what was decoded."""

import contextlib
import hashlib
import os
import random
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from shared.errors import LessonError
from shared.language import translated
from shared.paths import DATA, whole

SUFFIXES = ".bmp", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"
# Pillow looks at the contents, not at the name. For other formats it may start other programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
TIFF_BITS, TIFF_ZERO_IS, TIFF_SIGNS = 258, 262, 339    # numbers of a TIFF's tags
ADVICE = "Replace it or delete it."
DECODER = 2    # of this file. Another number makes the cache anew

# The pictures are shuffled, so that the first batch shows more than one class. With this seed the
# first training picture of CIFAR-10 is a frog and the first test picture a cat, as officially.
ORDER_SEED = 49


def picture_files(folder: Path, left_out: Counter | None = None) -> list[Path]:
    """The files in a folder whose names end as in SUFFIXES, sorted; hidden ones are left out.

    What else is there is counted by its ending in `left_out`.
    """
    names = []
    with os.scandir(folder) as entries:    # for 60,000 pictures much faster than Path.iterdir
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name.lower().endswith(SUFFIXES) and (
                    entry.is_file(follow_symlinks=False) or Path(entry).is_file()):
                names.append(entry.name)
            elif left_out is not None:
                left_out[_kind(Path(entry))] += 1
    return [folder / name for name in sorted(names)]


def _kind(path: Path) -> str:
    if path.is_dir():
        return "folder"
    return path.suffix.lower() or "without an ending" if path.is_file() else "broken link"


def open_rgb(path: Path, advice: str = ADVICE) -> Image.Image:
    """Decodes a picture of any mode, the right way up, over white, as an RGB `PIL.Image`.

    Raises LessonError, which names the file and ends with `advice`, if it is cut short, empty, not
    a picture, larger than Pillow allows (179 megapixels), or if its file does not say which number
    is white.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")    # damaged EXIF data, for example: the pixels are right
        return _open_rgb(path, advice)


def _open_rgb(path: Path, advice: str = ADVICE) -> Image.Image:
    try:
        with Image.open(path, formats=FORMATS) as file:
            tags = getattr(file, "tag_v2", {})    # of a TIFF
            _correct_transparency(file)
            picture = ImageOps.exif_transpose(file)
        if picture.mode[0] in "IF" or 2 in tags.get(TIFF_SIGNS, ()):
            picture = _eight_bits(picture, tags)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture)
        return picture.convert("RGB")
    except Exception as error:    # damaged files raise errors of many kinds
        reason = str(error)
        if isinstance(error, UnidentifiedImageError):
            with path.open("rb") as opened:
                is_heic = opened.read(8)[4:] == b"ftyp"
            reason = ("it is in the format HEIC, AVIF or MP4" if is_heic else
                      "it is damaged, or no picture of a known format")
        raise LessonError(f"cannot read the picture {path}: {reason}\n{advice}") from None


def _correct_transparency(file: Image.Image) -> None:
    """Scales a PNG's transparent grey or colour to 8 bits, as Pillow does with its pixels."""
    if file.format == "PNG" and "transparency" in file.info:
        bits, clear = file.tile[0][3], file.info["transparency"]
        if bits in ("L;2", "L;4"):
            file.info["transparency"] = clear * (85 if bits == "L;2" else 17)
        elif bits == "RGB;16B":
            file.info["transparency"] = tuple(value >> 8 for value in clear)


def _eight_bits(picture: Image.Image, tags: dict) -> Image.Image:
    """Scales a grey picture of 12 or 16 bits, or of floats from 0 to 1, to 8 bits."""
    white = 1 if picture.mode == "F" else 2 ** tags.get(TIFF_BITS, (16,))[0] - 1
    numbers = np.asarray(picture)
    in_range = 0 <= numbers.min() <= numbers.max() <= white    # False where there is a NaN
    if not in_range or white > 65535 or 2 in tags.get(TIFF_SIGNS, ()):
        raise ValueError("its white is not known (save it with 8 or 16 bits, or floats of 0 to 1)")
    grey = numbers / white
    if tags.get(TIFF_ZERO_IS) == 0:    # white
        grey = 1 - grey
    grey[numbers == picture.info.get("transparency")] = 1
    return Image.fromarray((grey * 255).round().astype(np.uint8))


def to_32x32(picture: Image.Image) -> Image.Image:
    """The whole picture, stretched to the size that the networks take."""
    return picture.resize((32, 32), Image.Resampling.BILINEAR)


def class_folders(split: Path) -> list[Path]:
    """The folders in a folder, one for each class, sorted by name; hidden ones are left out."""
    return sorted(path for path in split.iterdir()
                  if path.is_dir() and not path.name.startswith("."))


def read_split(root: Path, train: bool) -> tuple[np.ndarray, list[int], list[str]]:
    """Reads the pictures in `root/train/<class>/`, or, to test with, in `root/{test,val}/<class>/`.

    There may be two classes or more, named by their folders. The pictures may have any size and
    mode; they are resized to 32x32. They are decoded once and kept in `data/cache/`, until a name,
    a size or a time in the folder changes. What is no picture is left out, and counted in a line.

    Returns the pictures, uint8 (N, 32, 32, 3), their class numbers, and the names of the classes.
    Raises LessonError if a folder is missing or empty, there is one class, the training and the
    test pictures have different classes, a class has a name that is not UTF-8, or a picture cannot
    be decoded.
    """
    splits = [root / name for name in (["train"] if train else ["test", "val"])]
    there = [split for split in splits if split.is_dir()]
    if not there:
        raise LessonError(f"there is no folder {splits[0]}.\nA data set is a folder with "
                          "train/<class>/ and test/<class>/ (or val/<class>/).")
    labelled = [split for split in there if class_folders(split)]
    split = (labelled or there)[0]    # pictures in a test/ without folders have no labels
    if not (folders := class_folders(split)):
        raise LessonError(f"{split} holds no folders.\n"
                          "Make one for each class and put its pictures into it.")
    names = [folder.name for folder in folders]
    for name in names:
        if any("\ud800" <= character <= "\udfff" for character in name):    # bytes not understood
            raise LessonError(f"the name of the class {name!r} in {split} is not UTF-8.\n"
                              "Rename its folder.")
    if len(names) == 1:
        raise LessonError(f"{split} holds one class, {names[0]}.\nA network chooses between "
                          "classes: make a folder for each, two or more.")
    if not train and (root / "train").is_dir():    # else class 1 here might be class 2 there
        trained = {path.name for path in class_folders(root / "train")}
        if differing := trained ^ set(names):
            raise LessonError(
                f"{root / 'train'} and {split} have different classes "
                f"({', '.join(sorted(differing))}).\nMake a folder of the same name in both.")
    files, left_out = [], Counter(f"{_kind(path)} in no class's folder"
                                  for path in split.glob("[!.]*") if not path.is_dir())
    for target, folder in enumerate(folders):
        if not (paths := picture_files(folder, left_out)):
            raise LessonError(f"{folder} has no pictures ({', '.join(SUFFIXES)}).\n"
                              "Add some, or delete this class in the training and test pictures.")
        files += [(path, target) for path in paths]
    random.Random(ORDER_SEED).shuffle(files)
    if split != there[0]:
        print(translated(f"Test pictures: {split}, because {there[0]} has no folders of classes"))
    if left_out:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(left_out.items()))
        print(translated(f"Left out of {split}: {counts}. Read are {', '.join(SUFFIXES)}."))

    data = _decoded(split, [path for path, _ in files])
    return data, [target for _, target in files], names


def _decoded(split: Path, paths: list[Path]) -> np.ndarray:
    """The pictures of a folder, uint8 (N, 32, 32, 3), from the cache if the folder is as it was."""
    listing = [(path.name, path.parent.name, stat.st_size, stat.st_mtime_ns)
               for path in paths for stat in [path.stat()]]
    fingerprint = hashlib.sha256(repr((DECODER, listing)).encode()).hexdigest()
    place = hashlib.sha256(repr(split.resolve()).encode()).hexdigest()[:16]
    cache = DATA / "cache" / f"{place}.npz"
    data = np.empty((len(paths), 32, 32, 3), np.uint8)
    arrays = read_arrays(cache)
    kept = arrays.get("data")
    if (str(arrays.get("fingerprint")) == fingerprint and kept is not None
            and (kept.shape, kept.dtype) == (data.shape, data.dtype)):
        return kept

    # Threads keep all cores busy, because Pillow releases Python's lock while it decodes. How
    # warnings are treated is one setting for all threads, so it is made here.
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        pictures = pool.map(lambda path: to_32x32(_open_rgb(path)), paths)
        bar = tqdm(pictures, f"Reading {split}", len(paths), disable=None, leave=False, delay=1)
        for index, picture in enumerate(bar):
            data[index] = picture
    # Without room for the cache, the next run decodes them again.
    with contextlib.suppress(OSError), whole(cache) as draft, draft.open("wb") as opened:
        np.savez(opened, data=data, fingerprint=fingerprint)
    return data


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays in a `.npz` file; none where it is missing or damaged."""
    try:
        # np.load alone would leave a damaged file open.
        with file.open("rb") as opened, np.load(opened) as arrays:
            return dict(arrays)
    except Exception:    # damaged files raise errors of many kinds
        return {}
