"""Pictures drawn by our own code, for when the real ones cannot be had.

Two stand-ins: one with CIFAR-10's ten classes, one with ants and bees. A picture follows from a
seed through integer arithmetic alone, so that every machine draws the same pixels (with Pillow
from 11.3: before, it filled the sharp corners of polygons differently).

    python -c "from pathlib import Path; from shared import drawn; drawn.cifar10(Path('drawn'))"
"""

import math
import random
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

SEED = 10
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# Pictures of each class, and the labels that CIFAR-10 itself begins with: picture 0 is a frog here too.
CIFAR10_SPLITS = {
    "train": (500, (6, 9, 9, 4, 1, 1, 2, 7, 8, 3)),
    "test": (100, (3, 8, 8, 0, 6, 6, 1, 6, 3, 1)),
}
INSECT_SPLITS = {"train": 24, "val": 12}

# A drawing is a list of parts, the lowest first, with a slash between two. Numbers are hundredths of
# the drawing's size, x to the right and y down from its middle. The plurals (ovals, areas, lines) are
# painted a second time, mirrored: a cat has two ears.
#   oval COLOUR x y, rx ry[, lean]     lean: how far its lower end goes to the right, in hundredths of ry
#   area COLOUR x y, x y, ...          a filled polygon
#   line COLOUR width, x y, x y, ...
DRAWINGS = {
    "airplane": """area light 10 -4, -8 -4, -22 -30, -12 -30 / area body -26 -4, -38 -28, -48 -28, -46 2 /
        oval body 0 0, 48 10 / area shade 12 2, -10 2, -30 34, -18 34 /
        area shade -32 0, -44 0, -50 12, -42 12 / line glass 4, -26 -3, 28 -3 /
        area dark 36 -7, 44 -3, 34 -2""",
    "automobile": """area body -48 16, -48 2, -32 -2, -18 -19, 14 -19, 30 -2, 46 3, 48 16 /
        area glass -26 -2, -15 -15, -3 -15, -3 -2 / area glass 2 -2, 2 -15, 12 -15, 23 -2 /
        area shade -48 10, 48 10, 48 17, -48 17 / ovals dark 27 17, 11 11 / ovals grey 27 17, 5 5 /
        oval yellow 45 6, 3 3""",
    "bird": """area shade -18 0, -50 -12, -48 8, -18 14 / oval body -2 6, 26 19 / oval body 20 -16, 14 13 /
        area orange 31 -22, 50 -14, 31 -9 / oval light 6 12, 13 11 /
        area shade 8 0, -14 -12, -38 -34, -24 12, -6 16 / lines orange 4, 5 24, 7 40 /
        oval white 24 -19, 5 5 / oval dark 25 -19, 3 3""",
    "cat": """areas body 34 6, 34 -44, 2 -16 / areas pink 28 -10, 29 -32, 14 -18 / oval body 0 10, 36 30 /
        ovals yellow 15 4, 8 7 / ovals dark 15 4, 3 7 / oval light 0 24, 13 9 / area pink -6 16, 6 16, 0 23 /
        lines white 2, 12 22, 48 14 / lines white 2, 12 26, 48 30""",
    "deer": """line horn 4, 24 -26, 10 -36, 6 -50 / line horn 3, 15 -33, -1 -40 /
        line horn 4, 30 -26, 38 -36, 40 -50 / line horn 3, 36 -34, 48 -40 / line shade 4, -26 12, -26 48 /
        line body 4, -18 14, -20 48 / line shade 4, 4 12, 4 48 / line body 4, 12 12, 12 48 /
        area body 4 2, 20 -22, 32 -16, 20 14 / oval body -8 8, 27 12 / oval white -35 2, 6 7 /
        area body 18 -26, 32 -28, 46 -12, 40 -8, 22 -12 / area shade 22 -24, 10 -30, 14 -22 /
        oval white -20 3, 3 3 / oval white -8 1, 3 3 / oval white -14 9, 3 3 / oval dark 30 -21, 3 3""",
    "dog": """oval body 0 2, 30 33 / ovals shade 33 6, 11 28, -12 / ovals dark 13 -6, 6 6 /
        ovals white 13 -8, 2 2 / oval red 0 38, 8 12 / oval light 0 20, 19 15 / oval dark 0 13, 9 6 /
        lines dark 2, 0 16, 0 26, 10 28""",
    "frog": """ovals shade 36 24, 13 17 / ovals body 22 -16, 15 15 / oval body 0 8, 44 24 /
        oval light 0 24, 28 15 / ovals white 22 -18, 10 10 / ovals dark 22 -17, 5 6 /
        line dark 3, -32 6, -16 13, 16 13, 32 6 / areas body 24 22, 14 22, 12 42, 30 42""",
    "horse": """area hair -30 -4, -44 2, -50 36, -40 34, -34 10 / area shade -30 4, -18 4, -20 48, -28 48 /
        area body -22 6, -10 6, -13 48, -21 48 / area shade 6 6, 14 6, 14 48, 7 48 /
        area body 14 4, 24 4, 24 48, 17 48 / oval body -4 4, 31 15 / area body 4 2, 18 -38, 34 -36, 26 10 /
        area body 18 -42, 30 -42, 48 -20, 42 -12, 20 -24 / area body 20 -36, 22 -50, 28 -40 /
        area hair 22 -44, 14 -42, -4 -8, 6 -4, 18 -22 / oval dark 32 -32, 3 3""",
    "ship": """line dark 3, 30 6, 30 -40 / area red 30 -40, 46 -34, 30 -28 /
        area accent -14 -10, -14 -38, 2 -38, 2 -10 / area dark -14 -30, -14 -38, 2 -38, 2 -30 /
        area white -32 6, -28 -14, 18 -14, 18 6 / line glass 5, -24 -5, 14 -5 /
        area body -48 4, 50 4, 36 30, -38 30 / line light 4, -46 8, 46 8 / line water 9, -50 35, 50 35 /
        line white 3, -50 31, -38 27, -26 32, -12 27, 0 32, 14 27, 26 32, 38 27, 50 31""",
    "truck": """area dark -48 12, 46 12, 46 20, -48 20 / area accent -50 -34, 14 -34, 14 13, -50 13 /
        line light 4, -48 -6, 12 -6 / area body 17 -18, 36 -18, 48 0, 48 16, 17 16 /
        area glass 23 -13, 34 -13, 42 0, 23 0 / ovals dark 33 20, 11 11 / ovals grey 33 20, 4 4 /
        oval dark -10 20, 11 11 / oval grey -10 20, 4 4""",
    "ants": """lines shade 2, 4 4, 22 4, 36 26 / lines shade 2, 4 -6, 24 -8, 42 -4 /
        lines shade 2, 4 -10, 20 -20, 32 -36 / lines shade 1, 4 -32, 14 -38, 12 -50 / oval body 0 30, 13 19 /
        oval shade 0 9, 3 4 / oval body 0 -5, 7 12 / areas shade 1 -33, 5 -33, 4 -42 / oval body 0 -27, 9 10 /
        ovals dark 7 -29, 2 2 / oval shine -5 26, 3 8 / oval shine -3 -6, 2 5""",
    "bees": """lines dark 2, 8 -6, 24 -4, 30 4 / lines dark 2, 8 -14, 24 -22, 28 -18 /
        lines dark 1, 3 -34, 10 -42, 9 -48 / area dark -3 44, 0 50, 3 44 / oval yellow 0 20, 16 27 /
        oval dark 0 36, 13 4 / oval dark 0 24, 16 4 / oval dark 0 12, 15 4 / oval body 0 -11, 14 14 /
        oval light -3 -13, 6 7 / oval dark 0 -29, 9 8 / ovals shine 5 -31, 3 2 / ovals wing 26 4, 22 9, 30 /
        ovals wing 19 17, 14 6, 60""",
    "leaf": """area body 0 -50, 17 -34, 26 -8, 22 18, 0 46, -22 18, -26 -8, -17 -34 /
        line light 1, 0 -46, 0 54 / lines light 1, 0 -18, 16 -30 / lines light 1, 0 -2, 21 -14 /
        lines light 1, 0 14, 20 2""",
    "petal": """oval body 0 -32, 12 20 / oval light 0 -36, 6 14""",
    "heart": """oval orange 0 0, 15 15 / oval yellow -1 -1, 11 11 / ovals orange 4 -4, 1 1 /
        ovals orange 4 4, 1 1""",
}

COLOURS = {
    "dark": (28, 26, 30), "grey": (150, 150, 155), "white": (248, 248, 244), "glass": (178, 214, 236),
    "horn": (120, 84, 50), "hair": (52, 36, 28), "pink": (236, 150, 160), "red": (214, 48, 44),
    "orange": (240, 140, 30), "yellow": (246, 200, 50), "water": (40, 110, 170),
    "wing": (235, 242, 250, 150), "shine": (255, 255, 255, 70),    # the fourth number: opacity, of 255
}

# All classes share one paint box and one set of scenes, so that a colour alone does not say which it is.
PAINTS = (
    (196, 52, 46), (232, 182, 60), (70, 120, 200), (84, 160, 60), (150, 98, 56), (226, 220, 206),
    (92, 90, 98), (222, 130, 60), (120, 80, 150), (60, 150, 150), (200, 160, 116), (44, 44, 52),
)
SCENES = (
    (140, 190, 235), (200, 222, 240), (240, 190, 150), (110, 170, 80), (60, 110, 60), (50, 120, 180),
    (214, 190, 140), (150, 150, 150), (236, 236, 240), (90, 80, 120), (150, 110, 70),
)
# As in photographs, each has its habits, which half of the pictures follow: its paint, its sky, its ground.
USUAL = {
    "airplane": ((226, 220, 206), (140, 190, 235), (140, 190, 235)),
    "automobile": ((196, 52, 46), (236, 236, 240), (150, 150, 150)),
    "bird": ((232, 182, 60), (200, 222, 240), (60, 110, 60)),
    "cat": ((92, 90, 98), (240, 190, 150), (150, 110, 70)),
    "deer": ((176, 116, 62), (60, 110, 60), (110, 170, 80)),
    "dog": ((226, 220, 206), (240, 190, 150), (110, 170, 80)),
    "frog": ((84, 160, 60), (60, 110, 60), (50, 120, 180)),
    "horse": ((150, 98, 56), (140, 190, 235), (214, 190, 140)),
    "ship": ((44, 44, 52), (200, 222, 240), (50, 120, 180)),
    "truck": ((222, 130, 60), (90, 80, 120), (150, 150, 150)),
}

# Ants and bees: where they live, the paints they come in, their sizes in pixels (of 1536x1024).
INSECTS = {
    "ants": (("leaf", "sand", "bark"), ((70, 36, 26), (150, 62, 34), (44, 38, 42)), (560, 860)),
    "bees": (("meadow",), ((176, 120, 44), (140, 96, 50)), (480, 700)),
}
# The ground they live on: its colour, then how many spots it has, their widths and their heights.
GROUNDS = {
    "leaf": ((62, 96, 52), 90, (40, 200), (40, 200)),
    "sand": ((222, 196, 146), 900, (4, 18), (4, 14)),
    "bark": ((124, 92, 66), 320, (4, 14), (60, 400)),
    "meadow": ((90, 146, 70), 500, (4, 12), (60, 240)),
}
PETALS = ((222, 218, 236), (236, 130, 170), (150, 120, 210), (244, 150, 90), (226, 80, 90))

# The unit circle in thousandths, every 15 degrees: rounded here once, and integers from then on.
CIRCLE = [tuple(round(1000 * f(step * math.pi / 12)) for f in (math.cos, math.sin)) for step in range(24)]


def _parse(drawing):
    """Yields the parts: is it painted twice, its colour, the line's width or 0, its points times 1,000."""
    for part in drawing.split("/"):
        shape, colour, *numbers = part.replace(",", " ").split()
        numbers = [int(number) for number in numbers]
        width = numbers.pop(0) if shape.startswith("line") else 0
        if shape.startswith("oval"):
            x, y, rx, ry, lean = (*numbers, 0)[:5]
            points = [(1000 * x + rx * c + ry * lean * s // 100, 1000 * y + ry * s) for c, s in CIRCLE]
        else:
            points = [(1000 * x, 1000 * y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        yield shape.endswith("s"), colour, width, points


PARTS = {name: list(_parse(drawing)) for name, drawing in DRAWINGS.items()}


def _oval(pen, centre, width, height, colour):
    (x, y), rx, ry = centre, width // 2, height // 2
    pen.ellipse((x - rx, y - ry, x + rx, y + ry), colour)


def _stamp(pen, name, colours, centre, size, right=(1000, 0), side=1, wobble=None):
    """Paints a drawing, `size` pixels large, around `centre`.

    `right` is the direction, in thousandths, in which its right lies; `side` is -1 for its mirror
    image; `wobble`, a random.Random, moves every part by up to 2 hundredths, as a hand would.
    """
    left, top = centre
    ax, ay = size * right[0] // 1000, size * right[1] // 1000
    for twice, colour, width, points in PARTS[name]:
        dx, dy = (wobble.randint(-2000, 2000), wobble.randint(-2000, 2000)) if wobble else (0, 0)
        for flip in (side, -side) if twice else (side,):
            moved = [(flip * (x + dx), y + dy) for x, y in points]
            placed = [(left + (ax * x - ay * y) // 10**5, top + (ay * x + ax * y) // 10**5) for x, y in moved]
            if width:
                thick = max(1, width * size // 100)
                pen.line(placed, colours[colour], thick)
                for knee in placed[1:-1]:    # Pillow's own way to round a bend takes angles, hence floats
                    _oval(pen, knee, thick, thick, colours[colour])
            else:
                pen.polygon(placed, colours[colour])


def _tint(colour, percent):
    """The colour on its way to black (-100) or to white (100)."""
    goal = 255 if percent > 0 else 0
    return tuple(channel + (goal - channel) * abs(percent) // 100 for channel in colour)


def _apart(one, other):
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def _palette(paint, accent=None):
    return COLOURS | {"body": paint, "shade": _tint(paint, -35), "light": _tint(paint, 45), "accent": accent}


def _canvas(width, height, colour, fade):
    """A picture of one colour, which is `fade` percent lighter or darker at the lower end."""
    canvas = Image.new("RGB", (width, height))
    for y in range(0, height, 4):
        canvas.paste(_tint(colour, fade * y // height), (0, y, width, y + 4))
    return canvas


def _spots(canvas, rng, count, colours, widths, heights):
    """Scatters ovals: pebbles, blades of grass, things in the way."""
    pen = ImageDraw.Draw(canvas)
    for _ in range(count):
        x, y = rng.randint(0, canvas.width), rng.randint(0, canvas.height)
        w, h = rng.randint(*widths), rng.randint(*heights)
        colour = _tint(rng.choice(colours), rng.randint(-30, 25))
        _oval(pen, (x, y), w, h, colour)


def draw(class_name: str, rng: random.Random) -> Image.Image:
    """Draws a picture of a CIFAR-10 class: RGB, 32x32 pixels, the same for the same state of `rng`.

    Raises KeyError when there is no drawing of that name.
    """
    usual_paint, *usual_scene = USUAL[class_name]
    sky, ground = usual_scene if rng.randint(0, 1) else rng.sample(SCENES, 2)
    # Four times too large: the averages of 4x4 pixels make smooth edges.
    canvas = _canvas(128, 128, sky, rng.randint(-30, 30))
    canvas.paste(ground, (0, rng.randint(40, 128), 128, 128))
    _spots(canvas, rng, rng.randint(3, 8), PAINTS + SCENES, (6, 60), (6, 60))

    visible = [paint for paint in PAINTS if min(_apart(paint, sky), _apart(paint, ground)) > 100]
    paint, accent = rng.sample(visible, 2)
    if rng.randint(0, 1):
        paint = usual_paint
    centre, size = (rng.randint(46, 82), rng.randint(46, 82)), rng.randint(46, 104)
    tilt, side = (1000, rng.randint(-300, 300)), rng.choice((1, -1))
    pen = ImageDraw.Draw(canvas)
    _stamp(pen, class_name, _palette(paint, accent), centre, size, tilt, side, wobble=rng)
    # Spots in front hide a part of it: without them a network names nearly every picture.
    _spots(canvas, rng, rng.randint(1, 6), PAINTS + SCENES, (8, 38), (8, 38))

    # Averaged here, not by Pillow: whole numbers come out the same everywhere.
    large = np.asarray(canvas, np.uint16)
    rows = sum(large[row::4] for row in range(4))    # (128, 128, 3) -> (32, 128, 3)
    pixels = sum(rows[:, column::4] for column in range(4)) // 16    # (32, 128, 3) -> (32, 32, 3)
    # RandomState's numbers are frozen by NumPy's compatibility policy; default_rng's are not.
    noise = np.random.RandomState(rng.getrandbits(32)).randint(-18, 19, pixels.shape, np.int64)
    pixels = pixels * rng.randint(75, 110) // 100 + noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def draw_insect(class_name: str, rng: random.Random) -> Image.Image:
    """Draws "ants" on a leaf, sand or bark, or "bees" on flowers, from above: RGB, 768x512 pixels.

    Raises KeyError for any other name.
    """
    places, paints, sizes = INSECTS[class_name]
    place = rng.choice(places)
    colour, count, widths, heights = GROUNDS[place]
    canvas = _canvas(1536, 1024, colour, -20)    # twice too large, for smooth edges
    _spots(canvas, rng, count, (colour,), widths, heights)
    pen = ImageDraw.Draw(canvas, "RGBA")    # in this mode what is under a wing shines through

    centre = rng.randint(600, 936), rng.randint(440, 584)
    corner = rng.choice((180, 1356)), rng.choice((120, 904))
    if place == "leaf":
        green = _palette((rng.randint(70, 130), rng.randint(140, 180), 60))
        _stamp(pen, "leaf", green, centre, rng.randint(1500, 1900), rng.choice(CIRCLE))
    if place == "meadow":
        for spot in (corner, centre):
            petals, size = _palette(rng.choice(PETALS)), rng.randint(800, 1100)
            for direction in CIRCLE[:: rng.choice((2, 3))]:
                _stamp(pen, "petal", petals, spot, size, direction)
            _stamp(pen, "heart", COLOURS, spot, size)

    for x, y in (centre, corner)[: rng.randint(1, 2)]:
        colours, size, direction = _palette(rng.choice(paints)), rng.randint(*sizes), rng.choice(CIRCLE)
        x, y = x + rng.randint(-60, 60), y + rng.randint(-60, 60)
        shadow = Image.new("L", canvas.size)
        _stamp(ImageDraw.Draw(shadow), class_name, defaultdict(lambda: 80), (x + 14, y + 18), size, direction)
        canvas.paste((20, 20, 30), mask=shadow)
        _stamp(pen, class_name, colours, (x, y), size, direction)
    return canvas.reduce(2)


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """Gives an empty folder to write to, which becomes `folder` once everything in it is written."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    draft = scratch / folder.name    # a folder inside, because nobody else may read mkdtemp's own
    try:
        draft.mkdir()
        yield draft
        try:
            draft.replace(folder)
        except OSError:
            if not any(folder.glob("*")):    # else another process was faster, with the same pictures
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _bar(total):
    return tqdm(total=total, desc="Drawing", unit=" pictures", disable=None)    # None: no terminal, no bar


def cifar10(folder: Path) -> None:
    """Draws 5,000 training and 1,000 test pictures of CIFAR-10's ten classes, as many of each.

    Writes folder/train.npz and folder/test.npz: `data`, uint8 (N, 32, 32, 3), RGB from 0 to 255, and
    `targets`, int64 (N,), indices into CLASSES. The folder appears when both are whole; one that
    already holds something is left as it is. Raises OSError when it cannot be written.
    """
    with _whole(folder) as draft, _bar(6000) as bar:
        for split, (each, first) in CIFAR10_SPLITS.items():
            rest = [label for label in range(10) for _ in range(each - first.count(label))]
            random.Random(f"{SEED} {split}").shuffle(rest)
            targets = np.array([*first, *rest], np.int64)
            data = np.empty((len(targets), 32, 32, 3), np.uint8)
            for index, label in enumerate(targets):
                data[index] = draw(CLASSES[label], random.Random(f"{SEED} {split} {index}"))
                bar.update()
            np.savez(draft / f"{split}.npz", data=data, targets=targets)


def ants_and_bees(folder: Path) -> None:
    """Draws 24 pictures of ants and 24 of bees to train with, and 12 of each to validate with.

    Writes folder/{train,val}/{ants,bees}/0013035.jpg and so on: RGB JPEG, 768x512 pixels. The folder
    appears when all are whole; one that already holds something is left as it is. Raises OSError
    when it cannot be written.
    """
    with _whole(folder) as draft, _bar(2 * sum(INSECT_SPLITS.values())) as bar:
        for split, count in INSECT_SPLITS.items():
            for name in INSECTS:
                (draft / split / name).mkdir(parents=True)
                for number in range(count):
                    picture = draw_insect(name, random.Random(f"{SEED} {split} {name} {number}"))
                    # Counted from the name of the picture that the tutorial opens, so that its path is there
                    picture.save(draft / split / name / f"{13035 + number:07}.jpg", quality=85)
                    bar.update()
