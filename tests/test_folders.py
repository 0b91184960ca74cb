"""Pictures and folders as people have them: hidden colours, 16 bits, other formats, odd names."""

import os
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, environment
from PIL import Image

from shared import datasets
from shared.datasets import AntsBees, folder_pictures
from shared.errors import LessonError
from shared.sources import folders
from shared.sources.folders import open_rgb

RED = (220, 20, 30)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="names that are bytes, on POSIX only")


@pytest.fixture(autouse=True)
def data_of_its_own(tmp_path_factory, monkeypatch):
    for module in (datasets, folders):
        monkeypatch.setattr(module, "DATA", tmp_path_factory.mktemp("data"))


def save(path: Path, colour=RED, size=(8, 8), **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, **options)
    return path


@pytest.fixture
def root(tmp_path) -> Path:
    """Cats and dogs, two pictures of each to train and to test with."""
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            for number in range(2):
                save(tmp_path / "pets" / split / name / f"{number}.png")
    return tmp_path / "pets"


def is_refused(read, *words: object) -> bool:
    """Whether it raises a LessonError of two lines with these words."""
    with pytest.raises(LessonError) as caught:
        read()
    lines = str(caught.value).splitlines()
    return len(lines) == 2 and all(str(word) in str(caught.value) for word in words)


# Transparent pictures


def disc(hidden: tuple, mode: str) -> Image.Image:
    """A red disc on nothing. `hidden` is the colour under the transparent pixels."""
    y, x = np.mgrid[:64, :64]
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., :3] = hidden
    pixels[(y - 32) ** 2 + (x - 32) ** 2 < 400] = (*RED, 255)
    picture = Image.fromarray(pixels)
    if mode == "palette":
        palette = Image.fromarray(pixels[:, :, 3] // 255)    # 0: the hidden colour, 1: red
        palette.putpalette([*hidden, *RED])
        palette.info["transparency"] = 0
        return palette
    if mode == "RGB":
        picture = picture.convert("RGB")
        picture.info["transparency"] = hidden
        return picture
    return picture.convert(mode)


@pytest.mark.parametrize(("mode", "ending"), [
    ("RGBA", "png"), ("RGBA", "webp"), ("RGBA", "tiff"), ("LA", "png"), ("palette", "png"),
    ("RGB", "png")])
def test_hidden_colours_stay_hidden(tmp_path, mode, ending):
    seen = []
    for number, hidden in enumerate([(0, 0, 0), (255, 255, 255), (0, 255, 0)]):
        picture = disc(hidden, mode)
        options = {"lossless": True} if ending == "webp" else {}
        if "transparency" in picture.info:
            options["transparency"] = picture.info["transparency"]
        picture.save(tmp_path / f"{number}.{ending}", **options)
        seen.append(np.asarray(open_rgb(tmp_path / f"{number}.{ending}")))
    assert seen[0][32, 32].tolist() == ([81, 81, 81] if mode == "LA" else [*RED])    # its grey
    assert (seen[0][0, 0] == 255).all()
    assert np.array_equal(seen[0], seen[1])
    assert np.array_equal(seen[0], seen[2])


def png(bits: int, kind: int, rows: list[bytes], width: int, clear: bytes) -> bytes:
    """A PNG written by hand: Pillow writes neither 2 bits nor 16 with a transparent colour."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(
            ">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, len(rows), bits, kind, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tRNS", clear)
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
            + chunk(b"IEND", b""))


@pytest.mark.parametrize(("bits", "kind", "row", "clear", "seen"), [
    (1, 0, b"\x40", 1, [0, 255, 0, 0]),
    (1, 0, b"\x40", 0, [255, 255, 255, 255]),
    (2, 0, b"\x1b", 2, [0, 85, 255, 255]),
    (4, 0, b"\x05\x1f", 5, [0, 255, 17, 255]),
    (8, 0, b"\x05\x06\x07\x08", 7, [5, 6, 255, 8]),
    (16, 0, bytes.fromhex("0000 0101 6464 6565"), 0x6464, [0, 1, 255, 101]),
    (8, 2, bytes([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]), 3, [1, 2, 255, 4]),
    (16, 2, bytes(x for v in (1, 2, 3, 4) for _ in range(3) for x in (v, 7)), 0x0307,
     [1, 2, 255, 4])])
def test_a_transparent_grey_or_colour_of_any_number_of_bits(tmp_path, bits, kind, row, clear, seen):
    values = struct.pack(">H", clear) * (3 if kind == 2 else 1)
    (tmp_path / "a.png").write_bytes(png(bits, kind, [row], 4, values))
    assert np.asarray(open_rgb(tmp_path / "a.png"))[0, :, 0].tolist() == seen


def test_a_transparent_photo_on_its_side_is_turned(tmp_path):
    picture = Image.new("RGBA", (4, 2), (0, 255, 0, 0))
    picture.putpixel((0, 0), (*RED, 255))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    opened = np.asarray(open_rgb(tmp_path / "a.png"))
    assert opened.shape == (4, 2, 3)
    assert opened[0, 1].tolist() == [*RED]
    assert (opened.reshape(-1, 3) == 255).all(axis=1).sum() == 7


def test_what_an_older_version_decoded_is_decoded_anew(root, monkeypatch):
    read = folder_pictures(root, train=True).data
    monkeypatch.setattr(folders, "DECODER", folders.DECODER + 1)
    monkeypatch.setattr(folders, "to_32x32", lambda picture: Image.new("RGB", (32, 32), "blue"))
    assert (read[0, 0, 0] == RED).all()
    assert (folder_pictures(root, train=True).data == (0, 0, 255)).all()


# More than 8 bits

RAMP = np.linspace(0, 65535, 200).astype(np.uint16)[None].repeat(150, 0)
SHOULD_BE = np.round(RAMP / 257)


def tiff(path: Path, numbers: np.ndarray, **tags: int) -> None:
    """A TIFF of one strip, written by hand, because Pillow does not write all kinds."""
    height, width = numbers.shape
    values = {256: width, 257: height, 258: tags.get("bits", numbers.itemsize * 8), 259: 1,
              262: tags.get("photometric", 1), 273: 8, 277: 1, 278: height,
              279: numbers.nbytes, 339: tags.get("signs", 1)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + numbers.nbytes) + numbers.tobytes()
                     + struct.pack("<H", len(values)) + entries + bytes(4))


def to_12_bits(numbers: np.ndarray) -> np.ndarray:
    first, second = (numbers.reshape(-1, 2) >> 4).astype(np.uint16).T
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], 1)
    return packed.astype(np.uint8).reshape(len(numbers), -1)


def write_12_bits(path: Path) -> None:
    tiff(path, to_12_bits(RAMP), bits=12)
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<HHI", 256, 4, 1)) + 8
    data[at:at + 4] = struct.pack("<I", RAMP.shape[1])    # not the number of bytes
    path.write_bytes(data)


FLOATS = (RAMP / 65535).astype(np.float32)
DEEP = {
    "16 bits.png": lambda path: Image.fromarray(RAMP).save(path),
    "16 bits.pgm": lambda path: Image.fromarray(RAMP).save(path),
    "16 bits.tif": lambda path: Image.fromarray(RAMP).save(path),
    "16 bits, plain.pgm": lambda path: path.write_text(
        f"P2 {RAMP.shape[1]} {RAMP.shape[0]} 65535\n" + " ".join(map(str, RAMP.ravel()))),
    "1000 greys.pgm": lambda path: path.write_bytes(
        b"P5 200 150 1000\n" + np.round(FLOATS * 1000).astype(">u2").tobytes()),
    "12 bits.tif": write_12_bits,
    "white is zero.tif": lambda path: tiff(path, 65535 - RAMP, photometric=0),
    "floats.tif": lambda path: Image.fromarray(FLOATS).save(path),
    "floats, white is zero.tif": lambda path: tiff(path, 1 - FLOATS, photometric=0, signs=3),
}


@pytest.mark.parametrize("name", DEEP)
def test_more_than_8_bits_are_scaled_by_their_range(tmp_path, name):
    DEEP[name](tmp_path / name)
    opened = np.asarray(open_rgb(tmp_path / name), int)
    assert opened.shape == (150, 200, 3)
    assert np.abs(opened - SHOULD_BE[..., None]).max() <= 1
    assert (opened[0, 0].tolist(), opened[0, -1].tolist()) == ([0] * 3, [255] * 3)


UNKNOWN_WHITE = {
    "32 bits.tif": lambda path: Image.fromarray(RAMP.astype(np.int32)).save(path),
    "32 bits without a sign.tif": lambda path: tiff(path, RAMP.astype(np.uint32)),
    "16 bits with a sign.tif": lambda path: tiff(path, (RAMP // 2).astype(np.int16), signs=2),
    "8 bits with a sign.tif": lambda path: tiff(path, (RAMP >> 9).astype(np.int8), signs=2),
    "floats to 255.tif": lambda path: Image.fromarray(FLOATS * 255).save(path),
    "floats from -1.tif": lambda path: Image.fromarray(FLOATS * 2 - 1).save(path),
    "not a number.tif": lambda path: Image.fromarray(FLOATS * np.float32("nan")).save(path),
}


@pytest.mark.parametrize("name", UNKNOWN_WHITE)
def test_pictures_whose_white_is_not_known_are_refused(tmp_path, name):
    UNKNOWN_WHITE[name](tmp_path / name)
    assert is_refused(lambda: open_rgb(tmp_path / name), tmp_path / name, "its white is not known")


def test_16_bits_are_turned_too(tmp_path):
    picture = Image.fromarray(np.array([[0, 65535]], np.uint16))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    assert np.asarray(open_rgb(tmp_path / "a.png"))[:, :, 0].tolist() == [[0], [255]]


# Formats


@pytest.mark.parametrize(("ending", "form"), [
    ("jpg", "JPEG"), ("JPEG", "JPEG"), ("jfif", "JPEG"), ("Png", "PNG"), ("bmp", "BMP"),
    ("WEBP", "WEBP"), ("ppm", "PPM"), ("pgm", "PPM"), ("tif", "TIFF"), ("tiff", "TIFF"),
    ("jpg", "PNG"), ("jpg", "GIF"), ("jpg", "MPO")])
def test_these_formats_are_read(root, capsys, ending, form):
    save(root / "train" / "cat" / f"another.{ending}", format=form)
    assert len(folder_pictures(root, train=True)) == 5
    assert len(AntsBees(root / "train", "cat")) == 3
    pixels = np.asarray(open_rgb(root / "train" / "cat" / f"another.{ending}"), int)
    assert np.abs(pixels - RED).max() < 12
    assert capsys.readouterr().out == ""


def test_what_is_left_out_is_counted_in_one_line(root, capsys):
    for name in ("a.avif", "b.AVIF", "c.gif", "d", ".hidden.gif", "._e.png", "2024/f.png"):
        for split in ("train", "test"):
            save(root / split / "cat" / name, format="PNG")
    (root / "train" / "dog" / "lost.png").symlink_to("nowhere")
    (root / "train" / "notes.txt").touch()
    (root / "train" / ".DS_Store").touch()
    read = ", ".join(sorted(folders.SUFFIXES))
    for _ in range(2):    # also when the pictures come from the cache
        folder_pictures(root, train=True)
        assert capsys.readouterr().out == (
            f"Left out of {root / 'train'}: 2 .avif, 1 .gif, 1 .txt in no class's folder, "
            f"1 broken link, 1 folder, 1 without an ending. Read are {read}.\n")
    folder_pictures(root, train=False)
    assert capsys.readouterr().out.count("\n") == 1


def test_other_formats_are_not_even_tried(tmp_path, monkeypatch):
    """Pillow would start Ghostscript for this one."""
    (tmp_path / "a.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n"
                                     b"%%EndProlog\nshowpage\n%%EOF\n")
    with Image.open(tmp_path / "a.jpg") as opened:
        assert opened.format == "EPS"
    started = []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **_: started.append(args))
    monkeypatch.setattr(subprocess, "check_call", lambda *args, **_: started.append(args))
    assert is_refused(lambda: open_rgb(tmp_path / "a.jpg"), "a.jpg", "no picture of a known format")
    assert started == []


def test_a_heic_under_another_name_is_said(tmp_path):
    (tmp_path / "a.jpg").write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic")
    assert is_refused(lambda: open_rgb(tmp_path / "a.jpg"), "HEIC", "Replace it or delete it.")


@pytest.mark.parametrize(("side", "is_read"), [(9000, True), (13000, True), (14000, False)])
def test_pillows_own_limit_holds_and_its_warning_does_not(tmp_path, monkeypatch, side, is_read):
    """It warns from 89 megapixels on and refuses from 179 on. Here they are a million times fewer."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS // 10**6)
    save(tmp_path / "a.png", size=(side // 1000, side // 1000))
    if is_read:
        assert open_rgb(tmp_path / "a.png").width == side // 1000
    else:
        assert is_refused(lambda: open_rgb(tmp_path / "a.png"), "a.png", "exceeds limit")


# Folders


def test_one_class_is_refused(root, capsys):
    for split in ("train", "test"):
        (root / split / "dog").rename(root / split / ".dog")
        assert is_refused(lambda split=split: folder_pictures(root, split == "train"),
                          f"{root / split} holds one class, cat.", "two or more")


def test_an_empty_class_is_to_be_deleted_on_both_sides(root):
    for path in (root / "test" / "dog").iterdir():
        path.unlink()
    assert is_refused(lambda: folder_pictures(root, train=False), root / "test" / "dog",
                      "training and test pictures")


def test_a_flat_test_folder_beside_val(root, capsys):
    (root / "test").rename(root / "val")
    save(root / "test" / "unknown.png")
    assert folder_pictures(root, train=False).targets.count(1) == 2
    out = capsys.readouterr().out
    assert out == (f"Test pictures: {root / 'val'}, because {root / 'test'} has no folders of "
                   "classes\n")
    save(root / "test" / "cat" / "a.png")
    save(root / "test" / "dog" / "a.png")
    assert len(folder_pictures(root, train=False)) == 2    # test/ where both have classes


def test_a_flat_test_folder_alone(root):
    (root / "test").rename(root.parent / "elsewhere")
    save(root / "test" / "unknown.png")
    assert is_refused(lambda: folder_pictures(root, train=False), root / "test", "holds no folders")


@POSIX
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_class_whose_name_is_not_utf8_is_refused(root, split):
    for each in ("train", "test"):
        (root / each / "cat").rename(os.fsdecode(os.fsencode(root / each) + b"/\xb9\xb7"))
    assert is_refused(lambda: folder_pictures(root, split == "train"), r"'\udcb9\udcb7'",
                      "Rename its folder")
    for each in ("train", "test"):    # a picture may have such a name
        Path(os.fsdecode(os.fsencode(root / each) + b"/\xb9\xb7")).rename(root / each / "猫")
        (root / each / "猫" / "0.png").rename(
            os.fsdecode(os.fsencode(root / each) + "/猫/".encode() + b"\xb9\xb7.png"))
    assert folder_pictures(root, split == "train").classes == ["dog", "猫"]
    assert len(folder_pictures(root, split == "train")) == 4


def test_pictures_in_the_folder_of_drawings_are_drawings(root):
    assert not folder_pictures(root, train=True).drawn
    (datasets.DATA / "drawn").mkdir(parents=True)
    root.rename(datasets.DATA / "drawn" / "pets")
    assert folder_pictures(datasets.DATA / "drawn" / "pets", train=True).drawn


# Damaged caches


def cache_of(root: Path) -> tuple[np.ndarray, Path]:
    data = folder_pictures(root, train=True).data
    (cache,) = (folders.DATA / "cache").iterdir()
    return data, cache


@pytest.mark.parametrize("other", [
    lambda data: data[:3], lambda data: data[:, :16], lambda data: data.astype(np.int8),
    lambda data: data.astype(np.float32), lambda data: data[0, 0, 0, 0],
    lambda data: np.array([{}], object)],
    ids=["three", "half", "int8", "floats", "a number", "objects"])
def test_a_cache_of_another_shape_or_dtype_is_made_anew(root, other):
    data, cache = cache_of(root)
    with np.load(cache) as arrays:
        fingerprint = arrays["fingerprint"]
    np.savez(cache, data=other(data), fingerprint=fingerprint)
    again = folder_pictures(root, train=True).data
    assert (again.dtype, again.shape) == (np.uint8, (4, 32, 32, 3))
    assert np.array_equal(again, data)


def test_a_fingerprint_that_is_no_text_is_made_anew(root):
    data, cache = cache_of(root)
    np.savez(cache, data=data * 0, fingerprint=np.zeros((2, 2)))
    assert np.array_equal(folder_pictures(root, train=True).data, data)


def test_whatever_bits_of_a_cache_are_changed_the_pictures_are_right(root):
    data, cache = cache_of(root)
    whole = cache.read_bytes()
    rng = random.Random(0)
    small = [at for at in range(len(whole)) if not 300 < at < len(whole) - 1000]    # no pixels
    for number in range(200):
        damaged = bytearray(whole)
        damaged[rng.choice(small) if number % 4 else rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        cache.write_bytes(damaged)
        assert np.array_equal(folder_pictures(root, train=True).data, data)


# Folders that a person names: LESSONS_HOME, --data


def home_that_cannot_be(kind: str, tmp_path: Path) -> str:
    if kind == "a circle of links":
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
        return str(tmp_path / "a")
    return {"an unknown user": "~nosuchuser/x", "too long a name": "x" * 300,
            "too long a path": "/" + "x" * 200 + "/x" * 1940,
            "not UTF-8": os.fsdecode(b"/tmp/\xb9\xb7")}[kind]


KINDS = ["an unknown user", "a circle of links", "too long a name", "too long a path", "not UTF-8"]


@POSIX
@pytest.mark.parametrize("kind", KINDS)
def test_a_lessons_home_that_cannot_be_is_two_lines(tmp_path, kind):
    home = home_that_cannot_be(kind, tmp_path)
    ended = subprocess.run([sys.executable, "-m", "shared.sources.download", "--check"], cwd=ROOT,
                           env=environment(home), capture_output=True, encoding="utf-8",
                           check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    first, second = ended.stderr.splitlines()
    assert first.startswith(f"Error: {home!r} cannot be used as a folder: ")
    assert second == "Give LESSONS_HOME another one."
