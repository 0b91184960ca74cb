"""What a trained network gets right and wrong: pictures for TensorBoard, and `report.json`."""

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from shared.paths import whole

MISTAKES = 32          # shown, in rows of eight
FALSE_ALARMS = 0.05    # share of the classes' own pictures that may be called none of the classes
INK, RED = (31, 35, 40), (207, 34, 46)


def short_names(classes: Sequence[str], length: int) -> list[str]:
    """Names that fit into a picture, all of them different.

    A name is cut to `length` characters. Its number stands in its place where the cut name is that
    of another class as well, begins with # as such a number does, or has characters beyond ASCII,
    which Pillow's font cannot draw.
    """
    cut = [name[:length].strip() for name in classes]
    return [name if cut.count(name) == 1 and name[:1] not in ("", "#") and name.isascii()
            and name.isprintable() else f"#{number}" for number, name in enumerate(cut)]


def draw_confusion(targets: Tensor, predicted: Tensor, classes: Sequence[str]) -> np.ndarray:
    """Draws the confusion matrix: how often pictures of each class were taken for each class.

    `targets`, `predicted`: class numbers, int64 (N,): the right ones, and the network's. Returns
    uint8 (height, width, 3): a row for each right class, a column for each predicted one. The
    darker a field, the larger its share of its row. With more than twenty classes the fields are
    too small for names and counts.
    """
    count = len(classes)
    counts = torch.bincount(targets * count + predicted, minlength=count**2).view(count, count)
    shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    white, blue = torch.tensor([[255, 255, 255], [9, 105, 218]]).float()
    colors = torch.lerp(white, blue, shares[..., None]).byte()    # (classes, classes, 3)
    if count > 20:
        large = Image.fromarray(colors.numpy()).resize((960, 960), Image.Resampling.NEAREST)
        return np.asarray(large)

    field, left, top = 72, 136, 36    # pixels; TensorBoard shows the picture at half the size
    size = left + count * field, top + count * field
    picture, draw, font = _white_sheet(size, 24)
    row_names, column_names = short_names(classes, 10), short_names(classes, 5)
    for row in range(count):
        y, middle = top + row * field, left + row * field + field // 2
        draw.text((left - 8, y + field // 2), row_names[row], INK, font, anchor="rm")
        draw.text((middle, top // 2), column_names[row], INK, font, anchor="mm")
        for column in range(count):
            x = left + column * field
            color = tuple(colors[row, column].tolist())
            draw.rectangle((x, y, x + field - 2, y + field - 2), color)
            ink = "white" if shares[row, column] > 0.5 else INK
            number = str(counts[row, column].item())
            draw.text((x + field // 2, y + field // 2), number, ink, font, anchor="mm")
    return np.asarray(picture)


def draw_mistakes(data: np.ndarray, targets: Tensor, scores: Tensor,
                  classes: Sequence[str]) -> np.ndarray:
    """Draws the wrong predictions of which the network was most confident, in rows of eight.

    `data`: the pictures, uint8 (N, 32, 32, 3). `targets`: their class numbers, int64 (N,).
    `scores`: what the network gave each, float32 (N, classes). Returns uint8 (height, width, 3).
    Below each picture stand its class and, in red, the prediction and its confidence.
    """
    confidence, predicted = scores.softmax(dim=1).max(dim=1)
    wrong = torch.nonzero(predicted != targets)[:, 0]
    wrong = wrong[confidence[wrong].argsort(descending=True)][:MISTAKES].tolist()

    size, below, columns = 96, 70, 8
    rows = max(1, -(-len(wrong) // columns))
    sheet, draw, font = _white_sheet((columns * (size + 8), rows * (size + below)), 18)
    names = short_names(classes, 10)
    for place, index in enumerate(wrong):
        x, y = place % columns * (size + 8), place // columns * (size + below)
        picture = Image.fromarray(data[index]).resize((size, size), Image.Resampling.NEAREST)
        sheet.paste(picture, (x, y))
        draw.text((x, y + size + 2), names[targets[index]], INK, font)
        draw.text((x, y + size + 22), names[predicted[index]], RED, font)
        draw.text((x, y + size + 42), f"{confidence[index]:.0%}", RED, font)
    return np.asarray(sheet)


def _white_sheet(size: tuple[int, int], font_size: int):
    sheet = Image.new("RGB", size, "white")
    return sheet, ImageDraw.Draw(sheet), ImageFont.load_default(font_size)


def none_of_these(scores: Tensor) -> tuple[float, float]:
    """Finds below which confidence a picture is probably of none of the classes.

    After https://arxiv.org/abs/1610.02136. `scores`: of test pictures, float32 (N, classes).
    Returns the limit, such that `FALSE_ALARMS` of the pictures with even numbers get less
    confidence; and the false-alarm rate, the share of those with odd numbers that get less.
    """
    confidence = scores.softmax(dim=1).max(dim=1).values
    limit = confidence[::2].quantile(FALSE_ALARMS).item()
    checked = confidence[1::2] if len(confidence) > 1 else confidence
    return limit, (checked < limit).float().mean().item()


def write_board(writer: SummaryWriter, scores: Tensor, data: Dataset) -> None:
    """Shows in TensorBoard the confusion matrix, the most confident mistakes, a precision-recall
    curve for each class, and the names of the classes as text.

    `scores`: what the network gave the test pictures, float32 (N, classes). `data`: these, with
    `data`, `targets` and `classes`.
    """
    targets, classes = torch.tensor(data.targets), data.classes
    pictures = {"2 confusion matrix": draw_confusion(targets, scores.argmax(dim=1), classes),
                "3 most confident mistakes": draw_mistakes(data.data, targets, scores, classes)}
    for tag, picture in pictures.items():
        writer.add_image(f"12 pictures/{tag}", picture, dataformats="HWC")
    lines = [f"    #{number} {name}" for number, name in enumerate(classes)]    # as Markdown's code
    writer.add_text("1 classes", "\n".join(lines))
    probabilities = scores.softmax(dim=1)
    for number, name in enumerate(classes):
        tag = f"12 precision and recall/{name}"
        writer.add_pr_curve(tag, targets == number, probabilities[:, number])


def write_hparams(writer: SummaryWriter, settings: dict, metrics: dict[str, float]) -> None:
    """Puts a run into the HPARAMS tab, where TensorBoard compares runs.

    (`add_hparams` would make a second run.) `settings`: name -> bool, int, float or str; anything
    else is written as str. `metrics`: name -> value in the end.
    """
    settings = {name: value if isinstance(value, bool | int | float | str) else str(value)
                for name, value in settings.items()}
    for summary in hparams(settings, metrics):
        writer.file_writer.add_summary(summary)
    for name, value in metrics.items():
        writer.add_scalar(name, value)


def write_report(report: dict, scores: Tensor, data: Dataset, folder: Path) -> dict:
    """Writes `report.json`, and returns what is in it.

    Args:
        report: what the trainer knows of the run: "accuracy", "epochs", ... It gets in addition:
            "test_pictures", how many each class has;
            "per_class", the accuracy of each class;
            "balanced_accuracy", the mean of these, if some class has less than two thirds of the
            test pictures of another;
            "none_of_these", see there; "versions".
        scores: what the network gave the test pictures, float32 (N, classes).
        data: the test pictures, one or more of each class, with `targets` and `classes`.
        folder: where to write it.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    targets = torch.tensor(data.targets)
    right = scores.argmax(dim=1) == targets
    below, false_alarms = none_of_these(scores)
    counts = {name: data.targets.count(number) for number, name in enumerate(data.classes)}
    per_class = {name: right[targets == number].sum().item() / counts[name]
                 for number, name in enumerate(data.classes)}
    if 3 * min(counts.values()) < 2 * max(counts.values()):
        report = report | {"balanced_accuracy": sum(per_class.values()) / len(per_class)}
    report = report | {
        "test_pictures": counts,
        "per_class": per_class,
        "none_of_these": {"below": below, "false_alarms": false_alarms},
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "torchvision": version("torchvision")}}
    with whole(folder / "report.json") as draft:
        draft.write_text(json.dumps(report, indent=2, ensure_ascii=False), encoding="utf-8")
    return report


def print_what_accuracy_hides(report: dict) -> None:
    """Prints the classes that the network never names rightly, and the balanced accuracy if any.

    Args:
        report: what `write_report` returned.
    """
    counts, per_class = report["test_pictures"], report["per_class"]
    if names := [name for name, share in per_class.items() if not share]:
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        print(f"classes without a right answer: {', '.join(names[:10])}{more}")
    if "balanced_accuracy" in report:
        print(f"balanced accuracy {report['balanced_accuracy']:.4f}: the mean over the classes, "
              f"which have {min(counts.values())} to {max(counts.values())} test pictures")
