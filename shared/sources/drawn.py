"""Pictures drawn by our own code, for when the real ones cannot be had.

There are two stand-ins: one for CIFAR-10's ten classes, one for ants and bees. A picture follows
from its seed through whole numbers alone, so every machine draws the same pixels. (Pillow before
11.3 filled the sharp corners of polygons in another way.) The drawings are in drawings.json.
"""

import functools
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageColor, ImageDraw
from tqdm import tqdm

from shared.errors import LessonError
from shared.paths import whole
from shared.sources.folders import read_arrays

SEED = 10
# What all this is: see "about" in it.
TABLES = json.loads(Path(__file__).with_name("drawings.json").read_text(encoding="utf-8"))
CLASSES, PAINTS, SCENES = tuple(TABLES["classes"]), TABLES["paints"], TABLES["scenes"]
CIFAR10_SPLITS, INSECT_SPLITS = TABLES["cifar10_splits"], TABLES["insect_splits"]
CIRCLE = TABLES["circle"]
getrgb = functools.cache(ImageColor.getrgb)    # "#ff8000" -> (255, 128, 0)


def _part(text):
    """Returns (twice, colour, width, points): whether to paint it twice; of a line, how wide it is,
    else 0; and its points in 1/100,000 of the size.
    """
    shape, colour, *numbers = text.replace(",", " ").split()
    numbers = [int(number) for number in numbers]
    width = numbers.pop(0) if shape.startswith("line") else 0
    if shape.startswith("oval"):
        x, y, rx, ry, lean = (*numbers, 0)[:5]
        points = [(1000 * x + rx * cos + ry * lean * sin // 100, 1000 * y + ry * sin)
                  for cos, sin in CIRCLE]
    else:
        points = [(1000 * x, 1000 * y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    return shape.endswith("s"), colour, width, points


PARTS = {name: [*map(_part, each["parts"])] for name, each in TABLES["drawings"].items()}


class Place(NamedTuple):
    """Where a drawing is painted: around which pixel, how many pixels large, and how turned."""

    centre: tuple[int, int]
    size: int
    right: tuple[int, int] = (1000, 0)    # the direction of its right, in thousandths
    side: int = 1                         # -1: its mirror image


def _stamp(pen, name, colours, place, wobble=None):
    """Paints a drawing. `wobble`, a random.Random, moves each part by up to 2 hundredths."""
    left, top = place.centre
    cos, sin = (place.size * part // 1000 for part in place.right)
    for twice, colour, width, points in PARTS[name]:
        dx, dy = (wobble.randint(-2000, 2000), wobble.randint(-2000, 2000)) if wobble else (0, 0)
        for side in (place.side, -place.side) if twice else (place.side,):
            moved = [(side * (x + dx), y + dy) for x, y in points]
            placed = [(left + (cos * x - sin * y) // 10**5, top + (sin * x + cos * y) // 10**5)
                      for x, y in moved]
            if not width:
                pen.polygon(placed, colours[colour])
                continue
            thick = max(1, width * place.size // 100)
            pen.line(placed, colours[colour], thick)
            r = thick // 2
            for x, y in placed[1:-1]:    # Pillow's own round bends need angles, hence floats
                pen.ellipse((x - r, y - r, x + r, y + r), colours[colour])


def _tint(colour, percent):
    """The colour on its way to black (-100) or to white (100)."""
    goal = 255 if percent > 0 else 0
    return tuple(channel + (goal - channel) * abs(percent) // 100 for channel in getrgb(colour))


def _palette(paint, accent=None):
    shade, light = _tint(paint, -35), _tint(paint, 45)
    return TABLES["colours"] | {"body": paint, "shade": shade, "light": light, "accent": accent}


def _canvas(width, height, colour, fade):
    """A picture of one colour, which is `fade` percent lighter or darker at the lower end."""
    canvas = Image.new("RGB", (width, height))
    for y in range(0, height, 4):
        canvas.paste(_tint(colour, fade * y // height), (0, y, width, y + 4))
    return canvas


def _scatter(canvas, rng, colours, spots):
    """Paints ovals at random places: pebbles, blades of grass, things in the way."""
    pen, (count, widths, heights) = ImageDraw.Draw(canvas), spots
    for _ in range(count):
        x, y = rng.randint(0, canvas.width), rng.randint(0, canvas.height)
        rx, ry = rng.randint(*widths) // 2, rng.randint(*heights) // 2
        colour = _tint(rng.choice(colours), rng.randint(-30, 25))
        pen.ellipse((x - rx, y - ry, x + rx, y + ry), colour)


def draw(class_name: str, rng: random.Random) -> Image.Image:
    """Draws a picture of one of CLASSES: RGB, 32x32, the same for the same state of `rng`."""
    usual_paint, *usual_scene = TABLES["drawings"][class_name]["usual"]
    sky, ground = usual_scene if rng.randint(0, 1) else rng.sample(SCENES, 2)
    # It is drawn four times as large. The averages of 4x4 pixels then make smooth edges.
    canvas = _canvas(128, 128, sky, rng.randint(-30, 30))
    canvas.paste(ground, (0, rng.randint(40, 128), 128, 128))
    _scatter(canvas, rng, PAINTS + SCENES, (rng.randint(3, 8), (6, 60), (6, 60)))

    visible = [paint for paint in PAINTS if all(
        sum(abs(a - b) for a, b in zip(getrgb(paint), getrgb(scene), strict=True)) > 100
        for scene in (sky, ground))]
    paint, accent = rng.sample(visible, 2)
    paint = usual_paint if rng.randint(0, 1) else paint
    place = Place((rng.randint(46, 82), rng.randint(46, 82)), rng.randint(46, 104),
                  (1000, rng.randint(-300, 300)), rng.choice((1, -1)))
    _stamp(ImageDraw.Draw(canvas), class_name, _palette(paint, accent), place, wobble=rng)
    # Spots in front hide a part of it. Without them a network names nearly every picture.
    _scatter(canvas, rng, PAINTS + SCENES, (rng.randint(1, 6), (8, 38), (8, 38)))

    # Averaged here and not by Pillow: whole numbers come out the same everywhere.
    large = np.asarray(canvas, np.uint16)
    rows = sum(large[row::4] for row in range(4))    # (128, 128, 3) -> (32, 128, 3)
    pixels = sum(rows[:, column::4] for column in range(4)) // 16    # -> (32, 32, 3)
    # NumPy promises that RandomState's numbers never change. default_rng's may.
    noise = np.random.RandomState(rng.getrandbits(32)).randint(-18, 19, pixels.shape, np.int64)
    pixels = pixels * rng.randint(75, 110) // 100 + noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def draw_insect(class_name: str, rng: random.Random) -> Image.Image:
    """Draws "ants" or "bees" from above: RGB, 768x512, the same for the same state of `rng`."""
    insect = TABLES["insects"][class_name]
    ground = rng.choice(insect["grounds"])
    colour = TABLES["grounds"][ground]["colour"]
    canvas = _canvas(1536, 1024, colour, -20)    # twice as large, for smooth edges
    _scatter(canvas, rng, [colour], TABLES["grounds"][ground]["spots"])
    pen = ImageDraw.Draw(canvas, "RGBA")    # in this mode one sees through a wing

    centre = rng.randint(600, 936), rng.randint(440, 584)
    corner = rng.choice((180, 1356)), rng.choice((120, 904))
    if ground == "leaf":
        green = _palette(f"rgb({rng.randint(70, 130)}, {rng.randint(140, 180)}, 60)")
        _stamp(pen, "leaf", green, Place(centre, rng.randint(1500, 1900), rng.choice(CIRCLE)))
    if ground == "meadow":
        for flower in (corner, centre):
            petals, size = _palette(rng.choice(TABLES["petals"])), rng.randint(800, 1100)
            for direction in CIRCLE[:: rng.choice((2, 3))]:
                _stamp(pen, "petal", petals, Place(flower, size, direction))
            _stamp(pen, "heart", TABLES["colours"], Place(flower, size))

    for x, y in (centre, corner)[: rng.randint(1, 2)]:
        colours = _palette(rng.choice(insect["paints"]))
        size, direction = rng.randint(*insect["sizes"]), rng.choice(CIRCLE)
        x, y = x + rng.randint(-60, 60), y + rng.randint(-60, 60)
        shadow = Image.new("L", canvas.size)
        _stamp(ImageDraw.Draw(shadow), class_name, dict.fromkeys(colours, 80),
               Place((x + 14, y + 18), size, direction))
        canvas.paste((20, 20, 30), mask=shadow)
        _stamp(pen, class_name, colours, Place((x, y), size, direction))
    return canvas.reduce(2)


def cifar10(folder: Path) -> None:
    """Draws 5,000 training and 1,000 test pictures, as many of each of the ten classes.

    The folder appears when all is drawn; one that is there, and not empty, stays as it is. It
    holds `train.npz` and `test.npz`, each with two arrays: `data`, uint8 (N, 32, 32, 3), RGB, and
    `targets`, int64 (N,), places in CLASSES. Raises OSError if it cannot be written.
    """
    with whole(folder) as draft:
        draft.mkdir()
        for split, (each, first) in CIFAR10_SPLITS.items():
            rest = [label for label in range(10) for _ in range(each - first.count(label))]
            random.Random(f"{SEED} {split}").shuffle(rest)
            targets = np.array([*first, *rest], np.int64)
            bar = tqdm(targets, f"Drawing to {split}", unit=" pictures", disable=None)
            data = np.stack([draw(CLASSES[label], random.Random(f"{SEED} {split} {index}"))
                             for index, label in enumerate(bar)])
            np.savez(draft / f"{split}.npz", data=data, targets=targets)


def ants_and_bees(folder: Path) -> None:
    """Draws 24 training and 12 validation pictures of ants, and as many of bees.

    The folder appears as in `cifar10`. It holds `{train,val}/{ants,bees}/0013035.jpg` and so on,
    RGB, 768x512. The tutorial opens that picture by its name. Raises OSError as `cifar10` does.
    """
    pictures = [(f"{split} {name} {number}", Path(split) / name / f"{13035 + number:07}.jpg")
                for split, count in INSECT_SPLITS.items()
                for name in TABLES["insects"] for number in range(count)]
    with whole(folder) as draft:
        for seed, path in tqdm(pictures, "Drawing", unit=" pictures", disable=None):
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            picture = draw_insect(path.parent.name, random.Random(f"{SEED} {seed}"))
            picture.save(draft / path, quality=85)


def read_cifar10(folder: Path, split: str) -> tuple[np.ndarray, list[int]]:
    """What `cifar10` draws, for the split "train" or "test": the pictures, and their class numbers.

    Draws it first where it is missing or damaged. Raises LessonError if it cannot be written.
    """
    each, _ = CIFAR10_SPLITS[split]
    right = {"data": ("uint8", (10 * each, 32, 32, 3)), "targets": ("int64", (10 * each,))}
    for _ in range(3):    # another process may delete and draw them at the same time
        was_there, arrays = folder.is_dir(), read_arrays(folder / f"{split}.npz")
        found = {name: (array.dtype, array.shape) for name, array in arrays.items()}
        if found == right and sorted(arrays["targets"]) == sorted([*range(10)] * each):
            return arrays["data"], arrays["targets"].tolist()
        if was_there:
            shutil.rmtree(folder, ignore_errors=True)
        draw_into(folder, cifar10)
    raise LessonError(f"the drawings in {folder} are damaged.\n"
                      "Delete that folder; the next lesson draws them again.")


def draw_into(folder: Path, draw: Callable[[Path], None]) -> None:
    """Calls `cifar10` or `ants_and_bees`. Raises LessonError if the folder cannot be written."""
    try:
        draw(folder)
    except OSError as error:
        raise LessonError(f"cannot write to {folder.parent} ({error.strerror}).\nMake it writable "
                          "or make room there, or set LESSONS_HOME to another folder.") from None
