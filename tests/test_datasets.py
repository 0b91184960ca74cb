"""Pictures as people have them (of every mode, damaged, among other files), and which a lesson gets."""

import hashlib
import io
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import environment
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import CIFAR10

from shared import datasets
from shared.datasets import AntsBees, Pictures, cifar10, folder_pictures
from shared.errors import LessonError
from shared.sources import download, drawn, folders
from shared.sources.folders import open_rgb

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
RED = (255, 0, 0)


def save(path: Path, colour=RED, size=(32, 32)) -> Path:
    """A picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def two_lines(error: LessonError, *words: object) -> bool:
    return len(str(error).splitlines()) <= 2 and all(str(word) in str(error) for word in words)


# Pictures of every mode


def grey(mode):
    return Image.fromarray(PIXELS[:, :, 0]).convert(mode)


def palette():
    picture = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(6, 4))
    picture.putpalette(PIXELS.tobytes())    # each pixel has a colour of its own, number 0 to 23
    assert picture.mode == "P"
    return picture


def with_alpha(picture):
    picture.putalpha(Image.fromarray(PIXELS[:, :, 1]))
    return picture


def over_white(pixels, alpha):
    alpha = np.asarray(alpha)[..., None] / 255
    return np.round(pixels * alpha + 255 * (1 - alpha))


ALPHA = PIXELS[:, :, 1]
SOME_CLEAR = np.array([255, 255, 255, 0] + 20 * [255]).reshape(6, 4)
GREYS = PIXELS[:, :, [0, 0, 0]]


@pytest.mark.parametrize(("picture", "options", "expected"), [
    (Image.fromarray(PIXELS), {}, PIXELS),
    (grey("L"), {}, GREYS),
    (grey("1"), {}, np.asarray(grey("1"))[:, :, None].repeat(3, 2) * np.uint8(255)),
    (with_alpha(grey("L")), {}, over_white(GREYS, ALPHA)),
    (Image.fromarray(PIXELS[:, :, 0].astype(np.uint16) * 257), {}, GREYS),
    (palette(), {}, PIXELS),
    (palette(), {"transparency": 3}, over_white(PIXELS, SOME_CLEAR)),
    (palette(), {"transparency": bytes(range(0, 240, 10))},
     over_white(PIXELS, np.arange(0, 240, 10).reshape(6, 4))),
    (with_alpha(Image.fromarray(PIXELS)), {}, over_white(PIXELS, ALPHA)),
], ids=["RGB", "grey", "black and white", "grey with alpha", "grey of 16 bits", "palette",
        "palette with a clear colour", "palette with clear colours", "RGBA"])
def test_every_mode_becomes_rgb(tmp_path, picture, options, expected):
    picture.save(tmp_path / "a.png", **options)
    opened = open_rgb(tmp_path / "a.png")
    assert opened.mode == "RGB"
    np.testing.assert_allclose(np.asarray(opened, int), expected, atol=1)
    opaque = expected == PIXELS
    np.testing.assert_array_equal(np.asarray(opened)[opaque], expected[opaque])


@pytest.mark.parametrize(("mode", "ink", "expected"), [
    ("L", 200, (200, 200, 200)), ("CMYK", (0, 255, 255, 0), RED), ("CMYK", (255, 0, 0, 0), (0, 255, 255))])
def test_jpegs_of_other_modes_become_rgb(tmp_path, mode, ink, expected):
    Image.new(mode, (16, 16), ink).save(tmp_path / "a.jpg", quality=95)
    decoded = np.asarray(open_rgb(tmp_path / "a.jpg"), int)
    np.testing.assert_allclose(decoded, np.full((16, 16, 3), expected), atol=3)


# What is stored, from what is to be seen: the inverse of what the number in the EXIF data asks for.
ROTATIONS = {
    1: lambda seen: seen,
    2: np.fliplr,
    3: lambda seen: np.rot90(seen, 2),
    4: np.flipud,
    5: lambda seen: seen.swapaxes(0, 1),
    6: lambda seen: np.rot90(seen, 1),
    7: lambda seen: np.rot90(seen, 2).swapaxes(0, 1),
    8: lambda seen: np.rot90(seen, -1),
}


@pytest.mark.parametrize("orientation", ROTATIONS)
def test_exif_rotation_is_undone(tmp_path, orientation):
    stored = Image.fromarray(np.ascontiguousarray(ROTATIONS[orientation](PIXELS)))
    exif = stored.getexif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(open_rgb(tmp_path / "a.png"), PIXELS)


def test_a_photo_taken_upright_is_upright(tmp_path):
    """As telephones store it: lying on its side in a JPEG, with a note to turn it."""
    lying = Image.new("RGB", (64, 32), RED)
    lying.paste((0, 0, 255), (0, 0, 32, 32))    # its left becomes the lower end of the picture
    exif = lying.getexif()
    exif[0x0112] = 8
    lying.save(tmp_path / "IMG_1.JPG", quality=95, exif=exif)
    upright = open_rgb(tmp_path / "IMG_1.JPG")
    assert upright.size == (32, 64)
    np.testing.assert_allclose(upright.getpixel((16, 8)), RED, atol=3)
    np.testing.assert_allclose(upright.getpixel((16, 56)), (0, 0, 255), atol=3)


# Damaged pictures


def exif_data() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x0131] = 6, "the camera's software"
    return exif.tobytes()


def jpeg(exif: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).resize((64, 32)).save(file, "JPEG", exif=exif)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A small file that claims to be a large picture."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))


UNDECODABLE = {
    "truncated.jpg": jpeg(exif_data())[:-300],
    "empty.jpg": b"",
    "a web page.jpg": b"<!DOCTYPE html><title>404 Not Found</title>",
    "truncated.png": png_header(32, 32)[:50],
    "a bomb.png": png_header(60_000, 60_000),
    "half of a large photo.png": png_header(10_000, 10_000),
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_an_undecodable_picture_is_named(tmp_path, name):
    path = tmp_path / "train" / "ants" / name
    save(path.with_name("whole.png"))
    save(tmp_path / "train" / "bees" / "whole.png")
    path.write_bytes(UNDECODABLE[name])
    for read in (lambda: open_rgb(path), lambda: list(AntsBees(tmp_path / "train", "ants")),
                 lambda: folder_pictures(tmp_path, train=True)):
        with pytest.raises(LessonError) as caught:
            read()
        assert two_lines(caught.value, path, "delete it", "decompression bomb" if "bomb" in name else "")


def test_an_undecodable_picture_in_a_worker_process_is_two_lines_too(tmp_path):
    save(tmp_path / "ants" / "a.jpg").write_bytes(b"")
    script = tmp_path / "lesson.py"
    script.write_text("""
import sys
from torch.utils.data import DataLoader
from shared.datasets import AntsBees
from shared.errors import begin_lesson
if __name__ == "__main__":
    begin_lesson()
    next(iter(DataLoader(AntsBees(sys.argv[1], "ants"), num_workers=1)))
""", encoding="utf-8")
    ended = subprocess.run([sys.executable, script, tmp_path], capture_output=True, check=False,
                           encoding="utf-8", env=environment(tmp_path))
    assert ended.returncode == 2
    first, second = ended.stderr.splitlines()
    assert first.startswith(f"Error: cannot read the picture {tmp_path / 'ants' / 'a.jpg'}: ")
    assert second == "Replace it or delete it."


def test_damaged_exif_data_do_not_matter(tmp_path):
    """As in many a collected data set. Pillow warns of them, which is an error here."""
    (tmp_path / "whole.jpg").write_bytes(jpeg(exif_data()))
    (tmp_path / "damaged.jpg").write_bytes(jpeg(exif_data()[:-8]))    # the software's name is cut short
    with pytest.warns(UserWarning), Image.open(tmp_path / "damaged.jpg") as picture:
        picture.getexif()
    damaged = open_rgb(tmp_path / "damaged.jpg")
    assert damaged.size == (32, 64)
    assert np.array_equal(damaged, open_rgb(tmp_path / "whole.jpg"))


def test_whatever_is_damaged_it_is_a_picture_or_a_lesson_error(tmp_path):
    rng = random.Random(0)
    outcomes = Counter()
    for number in range(600):
        data = bytearray(jpeg(exif_data()) if number % 2 else UNDECODABLE["truncated.png"])
        for _ in range(rng.choice((1, 2, 5))):
            data[rng.randrange(min(len(data), 300))] = rng.randrange(256)
        (tmp_path / "a.jpg").write_bytes(data)
        try:
            outcomes[open_rgb(tmp_path / "a.jpg").mode] += 1
        except LessonError as error:
            outcomes["LessonError"] += two_lines(error, "a.jpg")
    assert outcomes.total() == 600
    assert min(outcomes["RGB"], outcomes["LessonError"]) > 100


# Folders


@pytest.fixture
def messy(tmp_path) -> Path:
    """Two classes to train and to test with, three pictures each, among what else lies in such folders."""
    root = tmp_path / "我的 pictures"
    for split in ("train", "test"):
        for name, colour in (("ants", RED), ("蚂蚁 bees", (0, 0, 255))):
            for file in ("2.png", "图片 1.JPG", "10.Jpeg"):
                save(root / split / name / file, colour)
            for junk in (".DS_Store", "._2.png", "Thumbs.db", "notes.txt", ".2.png.swp", "jpg"):
                (root / split / name / junk).write_bytes(b"no picture")
            Image.new("RGB", (8, 8)).save(root / split / name / "imageNotFound.gif")
            save(root / split / name / ".ipynb_checkpoints" / "2-checkpoint.png", (0, 0, 0))
            (root / split / name / "folder.png").mkdir()
            (root / split / name / "lost.png").symlink_to("nowhere")
        save(root / split / ".ipynb_checkpoints" / "a.png")
        (root / split / ".DS_Store").write_bytes(b"")
    return root


def test_only_pictures_are_taken_sorted_by_name(messy):
    bees = AntsBees(messy / "train", "蚂蚁 bees")
    assert [path.name for path in bees.paths] == ["10.Jpeg", "2.png", "图片 1.JPG"]
    assert [(picture.getpixel((9, 9))[2] > 250, label)
            for picture, label in bees] == 3 * [(True, "蚂蚁 bees")]


@pytest.mark.parametrize("train", [True, False])
def test_class_folders_are_read_whatever_lies_around(messy, train):
    pictures = folder_pictures(messy, train)
    assert pictures.classes == ["ants", "蚂蚁 bees"]
    assert pictures.class_to_idx == {"ants": 0, "蚂蚁 bees": 1}
    assert sorted(pictures.targets) == [0, 0, 0, 1, 1, 1]
    assert pictures.data.shape == (6, 32, 32, 3)
    assert pictures.data.dtype == np.uint8
    is_blue = pictures.data[:, 9, 9, 2] > 250
    assert is_blue.tolist() == [target == 1 for target in pictures.targets]    # each with its own label
    assert not pictures.drawn
    assert str(messy) in pictures.source


def test_links_that_lead_in_circles_are_left_out(messy):
    (messy / "train" / "ants" / "again").symlink_to(messy / "train", target_is_directory=True)
    (messy / "train" / "ants" / "3.png").symlink_to(messy / "train" / "ants" / "4.png")
    (messy / "train" / "ants" / "4.png").symlink_to(messy / "train" / "ants" / "3.png")
    (messy / "train" / "wasps").symlink_to(messy / "train" / "wasps", target_is_directory=True)
    assert Counter(folder_pictures(messy, True).targets) == {0: 3, 1: 3}


def test_a_picture_that_goes_while_its_folder_is_read_is_named(messy, monkeypatch):
    def and_then_the_others_are_gone(picture):
        for path in (messy / "train").glob("*/[!.]*.*"):
            if path.is_file():
                path.unlink(missing_ok=True)
        return to_32x32(picture)

    to_32x32 = folders.to_32x32
    monkeypatch.setattr(folders, "to_32x32", and_then_the_others_are_gone)
    monkeypatch.setattr(folders.os, "cpu_count", lambda: 1)    # one after the other
    with pytest.raises(LessonError) as caught:
        folder_pictures(messy, True)
    assert two_lines(caught.value, messy / "train", "No such file")


def test_the_same_order_every_time_with_the_classes_mixed(tmp_path):
    for target in range(10):
        for number in range(5):
            save(tmp_path / "train" / f"class {target}" / f"{number}.png", (target, number, 0))
    files = [(target, number) for target in range(10) for number in range(5)]
    random.Random(folders.ORDER_SEED).shuffle(files)

    for _ in range(2):
        pictures = folder_pictures(tmp_path, train=True)
        assert [tuple(pixel) for pixel in pictures.data[:, 0, 0, :2].tolist()] == files
        assert pictures.targets == [target for target, _ in files]
    assert len(set(pictures.targets[:10])) > 4


def test_as_in_cifar10_a_frog_is_the_first_to_train_with_and_a_cat_to_test_with():
    for each, first in ((5000, "frog"), (1000, "cat")):
        labels = [name for name in drawn.CLASSES for _ in range(each)]
        random.Random(folders.ORDER_SEED).shuffle(labels)
        assert labels[0] == first


def test_other_sizes_become_32_by_32(tmp_path):
    half = Image.new("RGB", (640, 320), RED)
    half.paste((0, 0, 255), (320, 0, 640, 320))
    for name in ("halves", "halves too"):
        (tmp_path / "train" / name).mkdir(parents=True)
        half.save(tmp_path / "train" / name / "a.png")
    row = folder_pictures(tmp_path, train=True).data[0, 16]
    assert row[[0, 14]].tolist() == [[*RED]] * 2
    assert row[[17, 31]].tolist() == [[0, 0, 255]] * 2


def test_test_pictures_may_be_in_a_folder_val(messy):
    (messy / "test").rename(messy / "val")
    assert len(folder_pictures(messy, train=False)) == 6


def test_pictures_are_decoded_once_and_again_when_the_folder_changes(messy, monkeypatch):
    decoded = []
    to_32x32 = folders.to_32x32
    monkeypatch.setattr(folders, "to_32x32",
                        lambda picture: decoded.append(1) or to_32x32(picture))

    def read() -> int:
        decoded.clear()
        ants = list((messy / "train" / "ants").glob("[0-9图]*.*"))
        assert sorted(folder_pictures(messy, train=True).targets) == [0] * len(ants) + [1, 1, 1]
        return len(decoded)

    first = folder_pictures(messy, train=True)
    assert read() == 0
    assert np.array_equal(folder_pictures(messy, train=True).data, first.data)
    assert len(folder_pictures(messy, train=False)) == 6    # another folder has another cache
    assert read() == 0

    save(messy / "train" / "ants" / "4.png", (9, 9, 9))     # one more
    assert read() == 7
    assert read() == 0
    save(messy / "train" / "ants" / "4.png", (200, 100, 9))    # another in its place
    assert read() == 7
    colours = folder_pictures(messy, train=True).data[:, 9, 9]
    assert (colours == (200, 100, 9)).all(axis=1).sum() == 1
    (messy / "train" / "ants" / "4.png").unlink()
    assert read() == 6
    assert np.array_equal(folder_pictures(messy, train=True).data, first.data)


def test_a_damaged_cache_is_made_anew(messy):
    first = folder_pictures(messy, train=True)
    (cache,) = (folders.DATA / "cache").iterdir()
    whole = cache.read_bytes()
    for damaged in (b"", b"no archive", whole[:len(whole) // 2], whole.replace(b"data.npy", b"other.np")):
        cache.write_bytes(damaged)
        assert np.array_equal(folder_pictures(messy, train=True).data, first.data)
        assert cache.read_bytes() != damaged


def test_without_room_for_a_cache_all_goes_on(messy, tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    monkeypatch.setattr(folders, "DATA", tmp_path / "a file" / "data")
    assert len(folder_pictures(messy, train=True)) == 6


@pytest.mark.parametrize(("layout", "label"), [
    ("ants", "ants"), ("ants_image", "ants"), ("bees_image", "bees")])
def test_both_layouts_of_the_tutorial(tmp_path, layout, label):
    save(tmp_path / "train" / layout / "a.jpg", size=(768, 512))
    insects = AntsBees(tmp_path / "train", label, transform=lambda picture: picture.size)
    assert len(insects) == 1
    assert insects[0] == ((768, 512), label)


def test_a_missing_folder_is_named(tmp_path, messy):
    nowhere = tmp_path / "nowhere"
    for root, train in ((nowhere, True), (nowhere, False), (tmp_path, True)):
        with pytest.raises(LessonError, match="there is no folder") as caught:
            folder_pictures(root, train)
        assert two_lines(caught.value, root / ("train" if train else "test"), "train/<class>/")
    with pytest.raises(LessonError) as caught:
        AntsBees(messy / "train", "wasps")
    assert two_lines(caught.value, "there is no folder", messy / "train" / "wasps")


def test_an_empty_folder_is_named(tmp_path, messy):
    empty = messy / "train" / "wasps"
    empty.mkdir()
    (empty / ".DS_Store").touch()
    for read in (lambda: folder_pictures(messy, train=True),
                 lambda: AntsBees(messy / "train", "wasps")):
        with pytest.raises(LessonError, match="has no pictures") as caught:
            read()
        assert two_lines(caught.value, empty, ".jpeg, .jpg, .pgm, .png")

    (tmp_path / "train").mkdir()
    with pytest.raises(LessonError) as caught:
        folder_pictures(tmp_path, train=True)
    assert two_lines(caught.value, tmp_path / "train", "holds no folders")


@pytest.mark.parametrize("split", ["train", "test"])
def test_classes_that_differ_between_training_and_testing_are_named(messy, split):
    """Numbered one by one, the same number would mean two classes."""
    save(messy / split / "aphids" / "a.png")
    with pytest.raises(LessonError) as caught:
        folder_pictures(messy, train=False)
    assert two_lines(caught.value, messy / "train", messy / "test", "(aphids)")


# Which CIFAR-10 a lesson gets


class Sources:
    """A folder `data/` into which each source can be put; each has pictures of a colour of its own."""

    def __init__(self, data: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch):
        self.data, self.elsewhere, self.monkeypatch = data, elsewhere, monkeypatch

    def official(self, root: Path | None = None) -> Path:
        """The layout of the official files, with 20 + 10 pictures and their MD5."""
        folder = (root or self.data) / "cifar-10-batches-py"
        folder.mkdir(parents=True)

        def write(name: str, content: dict) -> tuple[str, str]:
            (folder / name).write_bytes(pickle.dumps(content))
            return name, hashlib.md5((folder / name).read_bytes()).hexdigest()

        def batch(name: str) -> tuple[str, str]:
            return write(name, {"data": np.full((10, 3072), 1, np.uint8),
                                "labels": [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]})

        name, md5 = write("batches.meta", {"label_names": list(drawn.CLASSES)})
        for attribute, value in (
                ("train_list", [batch("data_batch_1"), batch("data_batch_2")]),
                ("test_list", [batch("test_batch")]),
                ("meta", {"filename": name, "key": "label_names", "md5": md5})):
            self.monkeypatch.setattr(CIFAR10, attribute, value)
        return folder

    def folder(self) -> Path:
        for split in ("train", "test"):
            for name in drawn.CLASSES:
                save(self.data / "cifar10" / split / name / "a.png", (2, 2, 2))
        return self.data / "cifar10"

    def archive(self) -> Path:
        """The official files where the download looks for them."""
        archive = self.elsewhere / "cifar.tar.gz"
        with tarfile.open(archive, "w:gz") as opened:
            opened.add(self.official(self.elsewhere), "cifar-10-batches-py")
        self.offer("CIFAR10", archive)
        return archive

    def offer(self, name: str, archive: Path) -> None:
        content = archive.read_bytes() if archive.exists() else b""
        file = download.File(
            archive.name, len(content) or 10**6, hashlib.sha256(content).hexdigest(),
            (archive.as_uri(),), folder=getattr(download, name).folder)
        self.monkeypatch.setattr(download, name, file)


@pytest.fixture(autouse=True)
def data_of_its_own(tmp_path_factory, monkeypatch):
    for module in (datasets, folders):
        monkeypatch.setattr(module, "DATA", tmp_path_factory.mktemp("data"))


@pytest.fixture
def sources(tmp_path, monkeypatch) -> Sources:
    (tmp_path / "elsewhere").mkdir()
    data = tmp_path / "数据 data"
    monkeypatch.setattr(datasets, "DATA", data)
    download.fetch_and_unpack.cache_clear()
    for name in ("LESSONS_OFFLINE", "LESSONS_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    # Small and quick; what is really drawn is test_drawn.py's matter.
    monkeypatch.setattr(drawn, "CIFAR10_SPLITS", {"train": (2, (6, 9)), "test": (1, (3, 8))})
    monkeypatch.setattr(drawn, "INSECT_SPLITS", {"train": 1, "val": 1})
    sources = Sources(data, tmp_path / "elsewhere", monkeypatch)
    for name in ("CIFAR10", "HYMENOPTERA"):    # nobody offers them
        sources.offer(name, tmp_path / "elsewhere" / "nothing.tar.gz")
    return sources


# Least wanted first: what comes later in this list is taken before what comes earlier.
ORDER = ["drawn", "archive", "folder", "official"]
FACTS = {    # what a source says it is; the numbers of training and of test pictures
    "drawn": ("drawn stand-in, not CIFAR-10", 20, 10),
    "archive": ("CIFAR-10", 20, 10),
    "folder": ("the pictures in {data}/cifar10 (not the whole of CIFAR-10: "
               "10 training and 10 test pictures)", 10, 10),
    "official": ("CIFAR-10", 20, 10),
}


@pytest.mark.parametrize("present", [
    ["drawn"], ["drawn", "archive"], ["drawn", "folder"], ["drawn", "official"],
    ["drawn", "archive", "folder"], ["drawn", "folder", "official"],
    ["drawn", "archive", "folder", "official"]], ids="+".join)
def test_the_best_source_that_there_is(sources, capsys, present):
    for name in present[1:]:
        getattr(sources, name)()
    best = present[-1]
    what, training, test = FACTS[best]
    what = what.format(data=sources.data)
    for train, count, use in ((True, training, "training"), (False, test, "test")):
        pictures = cifar10(train)
        assert capsys.readouterr().out == f"Data: {what}, {count} {use} pictures\n"
        assert len(pictures) == count
        assert (pictures.source, pictures.drawn) == (what, best == "drawn")
        assert pictures.classes == list(drawn.CLASSES)
        if best != "drawn":
            assert set(pictures.data.ravel().tolist()) == {2 if best == "folder" else 1}
    # What was not needed was not made or downloaded.
    assert (sources.data / "drawn").exists() == (best == "drawn")
    assert (sources.data / "cifar.tar.gz").exists() == (best == "archive")


def test_offline_nothing_is_downloaded(sources, capsys, monkeypatch):
    archive = sources.archive()
    monkeypatch.setenv("LESSONS_OFFLINE", "1")
    assert cifar10(train=True).drawn
    assert capsys.readouterr() == (
        "Data: drawn stand-in, not CIFAR-10, 20 training pictures\n", "")

    # But an archive that somebody has brought by hand is used: by the next lesson, a process of its own.
    download.fetch_and_unpack.cache_clear()
    (sources.data / archive.name).write_bytes(archive.read_bytes())
    assert not cifar10(train=True).drawn


def test_without_a_network_the_reason_is_said_and_the_lesson_goes_on(sources, capsys):
    assert cifar10(train=True).drawn
    assert "Going on without it" in capsys.readouterr().err
    assert cifar10(train=False).drawn
    assert capsys.readouterr().err == ""    # once is enough


def test_the_stand_in_is_drawn_once(sources, monkeypatch, capsys):
    monkeypatch.setenv("LESSONS_OFFLINE", "1")
    first = cifar10(train=True)
    monkeypatch.setattr(drawn, "draw", None)
    again = cifar10(train=True)
    assert np.array_equal(first.data, again.data)
    assert first.targets == again.targets


@pytest.mark.parametrize("damage", ["cut short", "changed", "missing", "no batches.meta", "empty folder"])
def test_damaged_official_files_are_said_and_not_passed_over(sources, damage):
    folder = sources.official()
    sources.folder()
    batch = folder / "data_batch_2"
    if damage == "cut short":
        batch.write_bytes(batch.read_bytes()[:-10])
    elif damage == "changed":
        batch.write_bytes(batch.read_bytes().replace(b"\1\1\1\1", b"\1\2\1\1", 1))
    elif damage == "missing":
        batch.unlink()
    elif damage == "no batches.meta":
        (folder / "batches.meta").unlink()
    else:
        for path in folder.iterdir():
            path.unlink()
    with pytest.raises(LessonError) as caught:
        cifar10(train=True)
    assert two_lines(caught.value, folder, "damaged", "Delete that folder")


def other_arrays(shape: tuple, dtype: str, targets: list[int]):
    return lambda file: np.savez(file, data=np.zeros(shape, dtype), targets=np.array(targets))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("damage", [
    lambda file: file.unlink(),
    lambda file: file.write_bytes(file.read_bytes()[:99]),
    lambda file: file.write_bytes(b""),
    lambda file: file.write_bytes(bytes(500) + file.read_bytes()[500:]),
    lambda file: np.savez(file, data=np.array([{}], object), targets=np.zeros(20, np.int64)),
    other_arrays((20, 28, 28, 3), "uint8", [*range(10)] * 2),
    other_arrays((20, 32, 32, 3), "float32", [*range(10)] * 2),
    other_arrays((20, 32, 32, 3), "uint8", [*range(1, 11)] * 2),
    other_arrays((3, 32, 32, 3), "uint8", [0, 1, 2]),
], ids=["missing", "cut short", "empty", "zeros", "objects", "28x28", "floats", "class 10", "three"])
def test_damaged_drawings_are_drawn_again(sources, monkeypatch, damage, split):
    monkeypatch.setenv("LESSONS_OFFLINE", "1")
    before = {train: cifar10(train) for train in (True, False)}
    damage(sources.data / "drawn" / "cifar10" / f"{split}.npz")
    for train, pictures in before.items():
        again = cifar10(train)
        assert np.array_equal(again.data, pictures.data)
        assert again.targets == pictures.targets


def test_drawings_that_cannot_be_drawn_again_are_said(sources, monkeypatch):
    monkeypatch.setenv("LESSONS_OFFLINE", "1")
    cifar10(train=True)
    folder = sources.data / "drawn" / "cifar10"
    (folder / "train.npz").write_bytes(b"")
    folder.rename(sources.data / "elsewhere")
    folder.symlink_to(sources.data / "elsewhere")    # a link, which is not for us to delete
    with pytest.raises(LessonError) as caught:
        cifar10(train=True)
    assert two_lines(caught.value, folder, "damaged", "Delete that folder")


WHOLE = "CIFAR-10, from folders of pictures"


@pytest.mark.parametrize(("change", "counts"), [
    (lambda folder: None, None),
    (lambda folder: [save(folder / "train/cat/.b.png"), (folder / "notes.txt").touch()], None),
    (lambda folder: save(folder / "train/cat/b.webp"), "11 training and 10 test pictures"),
    (lambda folder: save(folder / "test/cat/b.png"), "10 training and 11 test pictures"),
], ids=["whole", "hidden files", "one more to train", "one more to test"])
def test_only_the_whole_of_cifar10_is_called_so(sources, capsys, monkeypatch, change, counts):
    """Here the whole has 10 + 10 pictures. Those of the other split are counted, not decoded."""
    monkeypatch.setattr(datasets, "CIFAR10_SIZE", (10, 10))
    folder = sources.folder()
    change(folder)
    decoded = []
    to_32x32 = folders.to_32x32
    monkeypatch.setattr(folders, "to_32x32",
                        lambda picture: decoded.append(1) or to_32x32(picture))
    part = f"the pictures in {folder} (not the whole of CIFAR-10: {counts})"
    for train, use in ((False, "test"), (True, "training")):
        decoded.clear()
        pictures = cifar10(train)
        assert pictures.source == (part if counts else WHOLE)
        assert capsys.readouterr().out == f"Data: {pictures.source}, {len(pictures)} {use} pictures\n"
        assert len(decoded) == len(pictures)


def rename_ships(folder):
    for split in ("train", "test"):
        (folder / split / "ship").rename(folder / split / "boat")


def keep_two_classes(folder):
    for split in ("train", "test"):
        for name in drawn.CLASSES[2:]:
            shutil.rmtree(folder / split / name)


@pytest.mark.parametrize("change", [rename_ships, keep_two_classes])
def test_other_classes_than_those_of_cifar10(sources, change):
    """Lesson 5 asks for class 6, and the networks of 10 to 12 have ten."""
    folder = sources.folder()
    change(folder)
    for train in (True, False):
        with pytest.raises(LessonError) as caught:
            cifar10(train)
        assert two_lines(caught.value, folder, "other classes", "shared.training --data")


def test_training_pictures_alone_are_not_the_whole(sources):
    shutil.rmtree(sources.folder() / "test")
    assert "(not the whole of CIFAR-10: 10 training and 0 test" in cifar10(train=True).source


@pytest.mark.parametrize("inside", [
    "", ".DS_Store", "cifar-10-batches-py/data_batch_1", "cifar-10-python.tar.gz"])
def test_a_folder_without_train_and_test_in_place_of_cifar10(sources, inside):
    """torchvision's own root, for example."""
    folder = sources.data / "cifar10"
    folder.mkdir(parents=True)
    if inside:
        (folder / inside).parent.mkdir(exist_ok=True)
        (folder / inside).touch()
    for train in (True, False):
        with pytest.raises(LessonError) as caught:
            cifar10(train)
        advice = "Move what it holds one level up" if "-" in inside else "Put these two into it"
        assert two_lines(caught.value, folder, advice, "or delete the folder")


def test_ants_and_bees_that_are_there_downloaded_or_drawn(sources, capsys):
    folder, is_drawn = datasets.ants_and_bees()
    assert is_drawn
    assert capsys.readouterr().out == (
        f"Data: drawn stand-in, not photographs of ants and bees, {folder}\n")
    for split in ("train", "val"):
        assert [len(AntsBees(folder / split, name)) for name in ("ants", "bees")] == [1, 1]

    archive = sources.elsewhere / "hymenoptera_data.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for part in ("train/ants", "train/bees", "val/ants", "val/bees"):
            opened.write(save(sources.elsewhere / "a.jpg"), f"hymenoptera_data/{part}/a.jpg")
    sources.offer("HYMENOPTERA", archive)
    downloaded = sources.data / "hymenoptera_data"
    for _ in range(2):    # the second time it is there
        assert datasets.ants_and_bees() == (downloaded, False)
        assert capsys.readouterr().out == f"Data: ants and bees, {downloaded}\n"
        archive.unlink(missing_ok=True)
    assert len(AntsBees(downloaded / "train", "ants")) == 1


@pytest.mark.parametrize("missing", [
    "train", "train/ants", "train/bees", "train/bees/a.jpg", "val", "val/bees"])
def test_ants_and_bees_that_are_there_in_part_are_said(sources, missing):
    folder = sources.data / "hymenoptera_data"
    for part in ("train/ants", "train/bees", "val/ants", "val/bees"):
        save(folder / part / "a.jpg")
    if missing.endswith(".jpg"):
        (folder / missing).unlink()
    else:
        shutil.rmtree(folder / missing)
    with pytest.raises(LessonError) as caught:
        datasets.ants_and_bees()
    assert two_lines(caught.value, folder / missing.partition("/")[0])


@pytest.mark.parametrize("ask", [lambda: cifar10(train=True), datasets.ants_and_bees])
def test_drawings_that_cannot_be_written_are_said(sources, monkeypatch, ask):
    monkeypatch.setenv("LESSONS_OFFLINE", "1")
    sources.data.write_text("a file where the folder should be")
    with pytest.raises(LessonError) as caught:
        ask()
    assert two_lines(caught.value, f"cannot write to {sources.data / 'drawn'}", "LESSONS_HOME")


# One interface


@pytest.fixture(params=["drawn", "folder", "official"])
def source(request, sources, monkeypatch) -> str:
    monkeypatch.setenv("LESSONS_OFFLINE", "1")
    if request.param != "drawn":
        getattr(sources, request.param)()
    return request.param


def test_the_interface_of_torchvisions_class(sources, source, capsys):
    sources_own = cifar10(train=False, transform=transforms.ToTensor(), target_transform=str)
    assert isinstance(sources_own, CIFAR10 if source == "official" else Pictures)
    root = sources.elsewhere / "reference"
    sources.official(root)
    reference = CIFAR10(root, False, sources_own.transform, str)

    for name in ("classes", "class_to_idx", "transform", "target_transform"):
        assert getattr(sources_own, name) == getattr(reference, name)
    for pictures in (sources_own, reference):
        assert isinstance(pictures.data, np.ndarray)
        assert (pictures.data.dtype, pictures.data.shape[1:]) == (np.uint8, (32, 32, 3))
        assert isinstance(pictures.targets, list)
        assert {type(target) for target in pictures.targets} == {int}
        assert len(pictures) == len(pictures.data) == len(pictures.targets)

        picture, target = pictures[4]
        assert torch.equal(picture, transforms.functional.to_tensor(pictures.data[4]))
        assert target == str(pictures.targets[4])
        pictures.transform = pictures.target_transform = None
        picture, target = pictures[4]
        assert (type(picture), picture.mode, picture.size) == (Image.Image, "RGB", (32, 32))
        assert np.array_equal(picture, pictures.data[4])
        assert (type(target), target) == (int, pictures.targets[4])
        assert len(list(pictures)) == len(pictures)    # iteration ends


def test_workers_that_are_spawned_get_the_same(source, capsys):
    """What is sent to them is a pickle. That a lesson runs with them is tested in test_lessons."""
    pictures = cifar10(train=True, transform=transforms.ToTensor(), target_transform=float)
    copy = pickle.loads(pickle.dumps(pictures))
    for name in ("source", "drawn", "classes"):
        assert getattr(copy, name) == getattr(pictures, name)
    for batch, same in zip(DataLoader(pictures, 4), DataLoader(copy, 4), strict=True):
        assert torch.equal(batch[0], same[0])
        assert torch.equal(batch[1], same[1])


def test_ants_and_bees_can_be_sent_to_workers_too(messy):
    ants = AntsBees(messy / "train", "ants", transforms.CenterCrop(8))
    for (picture, _), (same, _) in zip(ants, pickle.loads(pickle.dumps(ants)), strict=True):
        assert np.array_equal(picture, same)
