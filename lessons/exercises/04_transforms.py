"""Exercises to lesson 4: transforms

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=4`.
"""

import numpy as np
import torch
from torchvision.transforms import v2

from shared.exercises import calls, exercise, main


def pixels(*shape):
    """Whole numbers from 0 to 255 in no order, the same each time."""
    count = torch.Size(shape).numel()
    return (np.arange(11, 11 + 37 * count, 37) % 256).astype(np.uint8).reshape(shape)


def numbers(*shape):
    """Numbers in no order, below and above 0, the same each time."""
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).mul(7).cos().reshape(shape)


# For TensorBoard: a bright disc in front of slanted stripes, as an array (height, width, channels).

rows, columns = np.meshgrid(np.arange(40), np.arange(60), indexing="ij")
stripes = ((columns + rows // 2) // 4 % 2)[:, :, None] * np.array([50, 100, 180])
disc = (rows - 16)[:, :, None] ** 2 + (columns - 38)[:, :, None] ** 2 < 11**2
PICTURE = np.where(disc, [230, 150, 50], stripes).astype(np.uint8)


def enlarged(picture):
    """(3, height, width) -> (3, 6 * height, 6 * width)"""
    return picture.clamp(0, 1).repeat_interleave(6, dim=1).repeat_interleave(6, dim=2)


# 1


@exercise(
    look=calls((np.array([[[255, 102, 51], [0, 0, 0]]], dtype=np.uint8),), (pixels(2, 4, 3),),
               (pixels(5, 3, 3),)),
    hint="array[:, :, [2, 1, 0]] has the last channel first. torch.from_numpy makes a tensor of "
         "it. (It refuses array[:, :, ::-1].) permute puts the channels before the rows and the "
         "columns.",
    draw=lambda from_opencv: enlarged(from_opencv(PICTURE[:, :, ::-1].copy())))
def from_opencv(array):
    """A tensor of a picture that OpenCV has read, for a network that expects red, green, blue.

    array: a uint8 array (height, width, 3), 0 to 255. Its channels are blue, green, red.

    Returns a float tensor (3, height, width), 0 to 1. Its channels are red, green, blue.
    For example, a row of two pixels, [[[255, 102, 51], [0, 0, 0]]], gives
    [[[0.2, 0.0]], [[0.4, 0.0]], [[1.0, 0.0]]].
    """
    rgb = array[:, :, [2, 1, 0]]
    return torch.from_numpy(rgb).permute(2, 0, 1) / 255    # (height, width, 3) -> (3, ...)


reverse, permute, divide = "[:, :, [2, 1, 0]]", ".permute(2, 0, 1)", "/ 255"
from_opencv.mistake("blue is still the first channel: it should be the last, and red the first",
                    {reverse: ""})
from_opencv.mistake("the array is read backwards, with ::-1. torch.from_numpy cannot do that, so "
                    "write [2, 1, 0] instead: this makes a copy", {reverse: "[:, :, ::-1]"})
from_opencv.mistake("the numbers go from 0 to 255: divide them by 255", {divide: "* 1.0"})
from_opencv.mistake("the numbers are still whole numbers from 0 to 255: divide them by 255",
                    {divide: ""})
from_opencv.mistake("the numbers are divided by 255 twice", {divide: "/ 255 / 255"})
from_opencv.mistake("the numbers are divided by 256: the largest one, 255, should become 1",
                    {divide: "/ 256"})
from_opencv.mistake("the division rounds down to whole numbers: / does not", {divide: "// 255"})
from_opencv.mistake("the numbers go from -1 to 1: that is Normalize, a later step",
                    {divide: "/ 127.5 - 1"})
from_opencv.mistake("the channels are reversed, but then the numbers stay in their order and only "
                    "get another shape. That scrambles the picture: permute moves the channels",
                    {permute: ".reshape(3, *array.shape[:2])"})
from_opencv.mistake("the numbers stay in their order and only get another shape. That scrambles "
                    "the picture: permute moves the channels. Besides, nothing is reversed",
                    {reverse: "", permute: ".reshape(3, *array.shape[:2])"})
from_opencv.mistake("the numbers stay in their order and only get another shape, which is then "
                    "reversed. That scrambles the picture: permute moves the channels",
                    {reverse: "", permute: ".reshape(3, *array.shape[:2]).flip(0)"})
from_opencv.mistake("the channels are last, as in an array: in a tensor they come first",
                    {permute: ""})
from_opencv.mistake("height and width have changed places", {permute: ".permute(2, 1, 0)"})
from_opencv.mistake("the rows are reversed, not the channels: the picture is upside down",
                    {reverse: "[::-1].copy()"})
from_opencv.mistake("the columns are reversed, not the channels: the picture is mirrored",
                    {reverse: "[:, ::-1].copy()"})


# 2


@exercise(
    look=calls(([torch.tensor([[[0.0, 0.5, 1.0]], [[0.25, 0.25, 0.25]], [[0.5, 1.0, 0.9]]])],),
               ([numbers(3, 1, 2).abs(), numbers(3, 2, 3).abs() / 2],),
               ([numbers(3, 3, 2).abs(), numbers(3, 1, 4).abs() / 3, numbers(3, 2, 2).abs()],)),
    hint="picture.reshape(3, -1) makes one row of each channel; -1 stands for as many columns as "
         "are needed. torch.cat joins the rows of all pictures. Then each row has a mean.")
def mean_and_std(pictures):
    """The mean and the standard deviation of each channel, for Normalize.

    pictures: a list of float tensors (3, height, width), 0 to 1. Their sizes may differ.

    Returns a pair of two float tensors (3,), the means and the standard deviations: those of all
    pixels of all pictures together, so each pixel counts the same. The standard deviation is the
    one that x.std() gives. For example, one picture of three pixels, whose red is 0.0, 0.5 and
    1.0, has 0.5 as the mean of red, and 0.5 as its standard deviation.
    """
    channels = torch.cat([picture.reshape(3, -1) for picture in pictures], dim=1)
    return channels.mean(dim=1), channels.std(dim=1)    # (3, pixels) -> (3,)


def mean_of_each(pictures):
    return torch.stack([picture.mean(dim=(1, 2)) for picture in pictures]).mean(dim=0)


def std_of_each(pictures):
    return torch.stack([picture.std(dim=(1, 2)) for picture in pictures]).mean(dim=0)


mean, std = "channels.mean(dim=1)", "channels.std(dim=1)"
mean_and_std.mistake("each picture's own mean and standard deviation are computed, and then their "
                     "mean. So a small picture counts as much as a large one",
                     {mean: "mean_of_each(pictures)", std: "std_of_each(pictures)"})
mean_and_std.mistake("the mean of the pictures' means is taken. So a small picture counts as much "
                     "as a large one", {mean: "mean_of_each(pictures)"})
mean_and_std.mistake("the mean of the pictures' standard deviations is taken: it leaves out that "
                     "some pictures are brighter than others", {std: "std_of_each(pictures)"})
mean_and_std.mistake("red, green and blue are mixed: each channel should have its own numbers",
                     {"(dim=1)": "()"})
mean_and_std.mistake("each pixel has a mean, over its three channels: each channel should have one",
                     {"(dim=1)": "(dim=0)"})
mean_and_std.mistake("red, green and blue are mixed. A tensor (3, height, width) has all numbers "
                     "of red first, not three numbers for each pixel",
                     {"reshape(3, -1)": "reshape(-1, 3)", "dim=1": "dim=0"})
mean_and_std.mistake("the variance is returned: the standard deviation is its square root",
                     {"std(": "var("})
mean_and_std.mistake("the standard deviation divides by the number of pixels: that of PyTorch "
                     "divides by this number minus 1", {"std(": "std(correction=0, "})
mean_and_std.mistake("only the first picture counts", {"in pictures": "in pictures[:1]"})
mean_and_std.mistake("only the last picture counts", {"in pictures": "in pictures[-1:]"})
mean_and_std.mistake("the standard deviations come first: the means should",
                     {mean: std, std: mean})


# 3


@exercise(
    look=calls((torch.tensor([[[1.3, -1.0]], [[0.36, 0.3]], [[-0.71, 0.93]]]), [0.5, 0.5, 0.5],
                [0.25, 0.5, 1.0]),
               (numbers(3, 4, 3) * 2, [0.49, 0.48, 0.44], [0.2, 0.21, 0.26]),
               (numbers(3, 2, 5) * 3, [0.4, 0.6, 0.5], [0.3, 0.2, 0.25])),
    hint="Normalize was the last step, so undo it first: times std, plus mean. reshape(3, 1, 1) "
         "gives each channel its own number. x.clamp(0, 255) makes 0 of what is below 0, and 255 "
         "of what is above 255. x.to(torch.uint8) makes whole numbers, x.numpy() makes an array.",
    draw=lambda to_array: enlarged(torch.from_numpy(to_array(
        v2.Normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4])(from_opencv(PICTURE[:, :, ::-1].copy())),
        [0.4, 0.5, 0.6], [0.2, 0.3, 0.4])).permute(2, 0, 1) / 255))
def to_array(picture, mean, std):
    """The way back: makes of a normalized tensor an array that one can look at.

    picture: a float tensor (3, height, width), red, green and blue, after Normalize(mean, std)
    mean, std: lists of three floats, as Normalize takes them

    Returns a uint8 array (height, width, 3), red, green and blue, rounded to the nearest whole
    number. What would be below 0 becomes 0, what would be above 255 becomes 255. For example, if
    mean is 0.5 and std is 0.25 in a channel, 1.3 becomes 210 there: 1.3 * 0.25 + 0.5 is 0.825, and
    0.825 * 255 is 210.375.
    """
    mean, std = torch.tensor(mean).reshape(3, 1, 1), torch.tensor(std).reshape(3, 1, 1)
    picture = (picture * std + mean) * 255
    picture = picture.round().clamp(0, 255).permute(1, 2, 0)    # (3, ...) -> (height, width, 3)
    return picture.to(torch.uint8).numpy()


undo, permute = "(picture * std + mean)", ".permute(1, 2, 0)"
to_array.mistake("the picture is normalized once more: undo it, times std, plus mean",
                 {undo: "((picture - mean) / std)"})
to_array.mistake("the mean is added first: Normalize divides last, so the way back multiplies "
                 "first", {undo: "((picture + mean) * std)"})
to_array.mistake("the mean is subtracted, but Normalize has done that: add it",
                 {"+ mean": "- mean"})
to_array.mistake("the mean is left out", {" + mean": ""})
to_array.mistake("the standard deviation is left out", {" * std": ""})
to_array.mistake("Normalize is not undone: times std, plus mean", {undo: "picture"})
to_array.mistake("the standard deviation and the mean of red are taken for all channels",
                 {"torch.tensor(mean).reshape(3, 1, 1)": "mean[0]",
                  "torch.tensor(std).reshape(3, 1, 1)": "std[0]"})
to_array.mistake("mean and std are laid along the width, not along the channels: reshape(3, 1, 1)",
                 {".reshape(3, 1, 1)": ""})
to_array.mistake("the numbers go from 0 to 1: times 255", {" * 255": ""})
to_array.mistake("numbers below 0 or above 255 are not kept in the range. As whole numbers of 8 "
                 "bits they start again at the other end: 256 becomes 0", {".clamp(0, 255)": ""})
to_array.mistake("numbers are rounded down, not to the nearest: round() before they become whole "
                 "numbers", {".round()": ""})
to_array.mistake("numbers are neither rounded nor kept in the range from 0 to 255: round() and "
                 "clamp(0, 255), before they become whole numbers of 8 bits",
                 {".round()": "", ".clamp(0, 255)": ""})
to_array.mistake("the numbers are still floats: uint8 is asked for",
                 {".to(torch.uint8)": ""})
to_array.mistake("the numbers stay in their order and only get another shape, which scrambles the "
                 "picture: reshape does so, permute moves the channels",
                 {permute: ".reshape(*picture.shape[1:], 3)"})
to_array.mistake("the channels still come first: in an array they are last", {permute: ""})
to_array.mistake("height and width have changed places", {permute: ".permute(2, 1, 0)"})


# 4


def look_at_transform(make_transform):
    from PIL import Image

    one_colour = Image.new("RGB", (4, 3), (51, 102, 255))
    seen = {}
    for train in (False, True):
        label = f"({train}, (1, 2)), called with a picture of the colour (51, 102, 255)"
        transform = make_transform(train, (1, 2))
        seen[label] = result = transform and transform(one_colour)
        if not isinstance(result, torch.Tensor):
            return seen
        seen[label] = result.as_subclass(torch.Tensor)    # v2 makes an Image, a kind of tensor

    # Which parts of a picture come out, in words. Which place a random crop takes may differ.
    array = pixels(4, 6, 3)
    parts = {}
    for top, left in np.ndindex(3, 3):
        part = array[top : top + 2, left : left + 4]
        place = f"row {top}, column {left}"
        for turned, how in ((part, "as it is"), (part[:, ::-1], "mirrored"),
                            (part[::-1], "upside down")):
            parts[turned.astype(np.int32).tobytes()] = place, how
    for train, kind in ((False, "test"), (True, "training")):
        transform = make_transform(train, (2, 4))
        places, ways = set(), set()
        for _ in range(24):
            result = transform(Image.fromarray(array))
            result = result.add(1).mul(127.5).round().int().permute(1, 2, 0).numpy()
            other = "nowhere in it: these are other pixels", "not as a part of it"
            place, how = parts.get(result.tobytes(), other)
            places.add(place)
            ways.add(how)
        where = "at random" if len(places) > 2 else " or ".join(sorted(places))
        seen |= {f"where a {kind} picture of 4x6 pixels is cut out, size (2, 4)": where,
                 f"how a {kind} picture comes out": " or ".join(sorted(ways))}
    return seen


@exercise(
    look_at_transform,
    hint="Make two lists, one for training and one for test pictures: [v2.RandomCrop(size), ...] "
         "or [v2.CenterCrop(size)]. v2.Compose chains the transforms of a list. The steps that "
         "make a tensor, and Normalize, are the same for both.",
    draw=lambda make_transform: enlarged(
        make_transform(False, (30, 40))(v2.ToPILImage()(PICTURE)) * 0.5 + 0.5))
def make_transform(train, size):
    """A transform for training pictures, which are augmented, or for test pictures, which are not.

    train: True for training pictures, False for test pictures
    size: a pair (height, width), not larger than the pictures

    Returns a transform, to be called with a PIL picture. It cuts out a part of that size. Of
    training pictures it takes a part at a random place, and mirrors about half of them, left to
    right. Of test pictures it takes the center, as it is. The result is a float tensor
    (3, height, width): 0 has become -1, and 255 has become 1. For example, with the size (1, 2), a
    picture of the colour (51, 102, 255) gives [[[-0.6, -0.6]], [[-0.2, -0.2]], [[1.0, 1.0]]].
    """
    part = [v2.CenterCrop(size)]
    if train:
        part = [v2.RandomCrop(size), v2.RandomHorizontalFlip()]
    return v2.Compose([
        *part,
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),    # 0 to 1
        v2.Normalize([0.5] * 3, [0.5] * 3),       # -1 to 1
    ])


flip, center = ", v2.RandomHorizontalFlip()", "[v2.CenterCrop(size)]"
augment = "[v2.RandomCrop(size), v2.RandomHorizontalFlip()]"
make_transform.mistake("test pictures are changed at random, too: they should stay the same each "
                       "time", {center: augment})
make_transform.mistake("test pictures are cut out at a random place: take their center",
                       {center: "[v2.RandomCrop(size)]"})
make_transform.mistake("test pictures are mirrored at random: only training pictures should be",
                       {center: "[v2.CenterCrop(size), v2.RandomHorizontalFlip()]"})
make_transform.mistake("training pictures are not changed at random", {augment: center})
make_transform.mistake("training pictures and test pictures have changed places",
                       {"if train": "if not train"})
make_transform.mistake("training pictures are never mirrored: RandomHorizontalFlip", {flip: ""})
make_transform.mistake("all training pictures are mirrored: about half of them should be",
                       {"Flip()": "Flip(1)"})
make_transform.mistake("training pictures are turned upside down: that is a vertical flip",
                       {"HorizontalFlip": "VerticalFlip"})
make_transform.mistake("training pictures are cut out at their center: take a random place",
                       {"RandomCrop": "CenterCrop"})
make_transform.mistake("width and height have changed places: a transform takes (height, width)",
                       {"(size)": "(size[::-1])"})
make_transform.mistake("a square is cut out: a crop takes both numbers, (height, width)",
                       {"(size)": "(size[0])"})
make_transform.mistake("the whole picture is resized, not cut out", {
    "RandomCrop": "Resize", "CenterCrop": "Resize"})
make_transform.mistake("the result is still a picture of PIL: v2.ToImage and v2.ToDtype make a "
                       "tensor",
                       {"*part,": "*part]); list(["})
make_transform.mistake("the numbers are not divided by 255: scale=True", {", scale=True": ""})
make_transform.mistake("the numbers go from 0 to 1: Normalize makes -1 to 1 of it",
                       {"v2.Normalize([0.5] * 3, [0.5] * 3),": ""})
make_transform.mistake("the numbers go from -0.5 to 0.5: Normalize has to divide by 0.5, too",
                       {"[0.5] * 3)": "[1.0] * 3)"})


if __name__ == "__main__":
    main(__file__)
