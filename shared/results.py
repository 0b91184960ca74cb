"""What a trained network says: where it is wrong, for TensorBoard and in a report, and what it sees on photos."""

import json
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from shared import LessonError
from shared.datasets import enlarge, open_rgb, to_32x32
from shared.paths import whole_file

REPORT = "report.json"

SHOWN = 32             # pictures of the first batch, and mistakes: rows of eight
FALSE_ALARMS = 0.05    # the share of pictures of the classes that may be said to be of none of them
INK, RED = (31, 35, 40), (207, 34, 46)


def begin_board(writer: SummaryWriter, pictures: Tensor, mean: Sequence[float], std: Sequence[float]) -> None:
    """Begins the run's page in TensorBoard: what to look at, training beside testing, and the first batch.

    Args:
        writer: of the run.
        pictures: the first batch, float32 (N, 3, 32, 32), cropped and mirrored.
        mean, std: of each channel, by which it was normalised; shown is what it was before.
    """
    writer.add_text("0 look at", "**Scalars** (set Smoothing to 0): does the test accuracy still rise in the end? "
                    "**Custom scalars**: training beside testing, do they move apart? **Images**: which classes does "
                    "it confuse? **PR curves**: which class is hardest? **HPARAMS**: all runs of this lesson.")
    writer.add_custom_scalars({"training beside testing": {
        "loss": ["Multiline", ["train_loss", "test_loss"]], "accuracy": ["Multiline", ["train_acc", "test_acc"]]}})
    pictures = pictures[:SHOWN].cpu() * torch.tensor(std)[:, None, None] + torch.tensor(mean)[:, None, None]
    writer.add_images("12 pictures/1 first batch, cropped and mirrored", enlarge(pictures.clamp(0, 1)), 0)


def write_results(writer: SummaryWriter, data: np.ndarray, targets: Tensor, scores: Tensor,
                  classes: Sequence[str]) -> None:
    """Shows in TensorBoard what a network makes of pictures: the confusion matrix, its most confident mistakes, and a
    precision-recall curve for each class.

    Args:
        writer: of the run.
        data: the pictures, uint8 (N, 32, 32, 3).
        targets: the numbers of their classes, int64 (N,).
        scores: what the network gave each, float32 (N, classes).
        classes: the names of the classes.
    """
    shares = scores.softmax(dim=1)
    surest, said = shares.max(dim=1)
    writer.add_image("12 pictures/2 confusion matrix", draw_confusion(targets, said, classes), dataformats="HWC")
    wrong = torch.nonzero(said != targets)[:, 0]
    wrong = wrong[surest[wrong].argsort(descending=True)][:SHOWN].tolist()
    captions = [(classes[targets[i]], classes[said[i]], f"{surest[i]:.0%}") for i in wrong]
    writer.add_image("12 pictures/3 most confident mistakes", draw_mistakes(data[wrong], captions), dataformats="HWC")
    for number, name in enumerate(classes):
        writer.add_pr_curve(f"12 precision and recall/{name}", targets == number, shares[:, number])


def draw_confusion(targets: Tensor, said: Tensor, classes: Sequence[str]) -> np.ndarray:
    """Draws how often pictures of each class (a row) were taken for each class (a column).

    Args:
        targets, said: numbers of classes, int64 (N,): the true ones, and those that a network gave.
        classes: their names.

    Returns:
        uint8 (height, width, 3). The darker a field, the larger its share of its row. Beyond twenty classes the fields
        are too small for names and counts.
    """
    count = len(classes)
    counts = torch.bincount(targets * count + said, minlength=count**2).view(count, count)
    shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    blue = torch.tensor([[255, 255, 255], [9, 105, 218]]).float()
    colors = torch.lerp(blue[0], blue[1], shares[..., None]).byte()    # (classes, classes, 3)
    if count > 20:
        return np.asarray(Image.fromarray(colors.numpy()).resize((960, 960), Image.Resampling.NEAREST))

    field, left, top = 72, 136, 36    # pixels; TensorBoard shows the whole at half the size
    picture = Image.new("RGB", (left + count * field, top + count * field), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(24)
    for row, name in enumerate(classes):
        y = top + row * field
        draw.text((left - 8, y + field // 2), name[:10], INK, font, anchor="rm")
        draw.text((left + (row + 0.5) * field, top // 2), name[:5], INK, font, anchor="mm")
        for column in range(count):
            x = left + column * field
            draw.rectangle((x, y, x + field - 2, y + field - 2), tuple(colors[row, column].tolist()))
            draw.text((x + field // 2, y + field // 2), str(counts[row, column].item()),
                      "white" if shares[row, column] > 0.5 else INK, font, anchor="mm")
    return np.asarray(picture)


def draw_mistakes(data: np.ndarray, captions: Sequence[tuple[str, str, str]]) -> np.ndarray:
    """Draws pictures in rows of eight, enlarged, each over its true class and, in red, what was said of it.

    Args:
        data: the pictures, uint8 (N, 32, 32, 3).
        captions: for each the true class, the class that was said, and how surely.

    Returns:
        uint8 (height, width, 3).
    """
    size, below, columns = 96, 70, 8
    sheet = Image.new("RGB", (columns * (size + 8), max(1, -(-len(data) // columns)) * (size + below)), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(18)
    for number, (pixels, (true, said, surely)) in enumerate(zip(data, captions, strict=True)):
        x, y = number % columns * (size + 8), number // columns * (size + below)
        sheet.paste(Image.fromarray(pixels).resize((size, size), Image.Resampling.NEAREST), (x, y))
        draw.text((x, y + size + 2), true[:10], INK, font)
        draw.text((x, y + size + 22), said[:10], RED, font)
        draw.text((x, y + size + 42), surely, RED, font)
    return np.asarray(sheet)


def write_hparams(writer: SummaryWriter, settings: dict[str, bool | int | float | str], metrics: Sequence[str]) -> None:
    """Puts a run into the HPARAMS tab, where runs compare, with scalars that it wrote by itself as its metrics.

    What `SummaryWriter.add_hparams` writes, but into the run, where add_hparams makes a second, empty one beside it.
    """
    for summary in hparams(settings, dict.fromkeys(metrics, 0.0)):
        writer.file_writer.add_summary(summary)


def none_of_these(scores: Tensor) -> tuple[float, float]:
    """Calibrates when to say "probably none of these classes", after https://arxiv.org/abs/1610.02136.

    Args:
        scores: of test pictures, float32 (N, classes). The even ones set the limit, the odd ones check it.

    Returns:
        The limit for the largest share: below it lies `FALSE_ALARMS` of the even pictures. And the false-alarm rate:
        the share of the odd pictures that lie below it.
    """
    surest = scores.softmax(dim=1).max(dim=1).values
    limit = surest[::2].quantile(FALSE_ALARMS).item()
    checked = surest[1::2] if len(surest) > 1 else surest
    return limit, (checked < limit).float().mean().item()


def write_report(report: dict, scores: Tensor, data: Dataset, writer: SummaryWriter, folder: Path) -> None:
    """Writes all that can be said of a trained network: pictures and curves for TensorBoard, and `report.json`.

    Args:
        report: what the lesson knows of the run: "accuracy", "epochs", ...
        scores: what the network gave the test pictures, float32 (N, classes).
        data: the test pictures, with `data`, `targets` and `classes`, as `shared.datasets.Pictures` has them.
        writer: of the run.
        folder: for the report, which gets in addition: "per_class", the accuracy for each class; "none_of_these", see
            there; "versions".
    """
    targets = torch.tensor(data.targets)
    write_results(writer, data.data, targets, scores, data.classes)
    settings = {name: report[name] for name in ("recipe", "epochs", "seed", "data", "device")} | report["settings"]
    write_hparams(writer, {name: str(value) if isinstance(value, tuple) else value for name, value in settings.items()},
                  ["test_acc", "test_loss", "images_per_second"])
    right = scores.argmax(dim=1) == targets
    below, false_alarms = none_of_these(scores)
    report |= {
        "per_class": {name: right[targets == number].float().mean().item() for number, name in enumerate(data.classes)},
        "none_of_these": {"below": below, "false_alarms": false_alarms},
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "torchvision": torchvision.__version__},
    }
    with whole_file(folder / REPORT) as file:
        file.write(json.dumps(report, indent=2, ensure_ascii=False).encode())


def predict(make_network: Callable[[int], nn.Module], photos: Sequence[Path], runs: Path) -> None:
    """Prints for each photo the three likeliest classes, and whether it is probably none of them.

    Args:
        make_network: makes a network for a number of classes: float32 (N, 3, 32, 32) -> (N, classes).
        photos: files of any size and mode.
        runs: has a folder for each run, `models/12_train_gpu`; the one that ended last has the weights.

    Raises:
        LessonError: no run has come to its end, its weights are of another network, or a photo cannot be decoded.
    """
    reports = sorted(runs.glob(f"*/{REPORT}"), key=lambda path: path.stat().st_mtime)
    if not reports:
        raise LessonError(f"there are no trained weights in {runs}.\nTrain first: python lessons/{runs.name}.py")
    folder = reports[-1].parent
    try:
        report = json.loads(reports[-1].read_text(encoding="utf-8"))
        classes = list(report["per_class"])
        network = make_network(len(classes)).eval()
        network.load_state_dict(torch.load(folder / "weights.pt", map_location="cpu", weights_only=True))
    except Exception as error:    # damaged files make torch stumble in many ways
        reason = str(error).partition("\n")[0]
        raise LessonError(f"the weights in {folder} cannot be used: {reason}\nTrain again, or delete them.") from None
    print(f"Weights: {folder}, trained on {report['data']}, test accuracy {report['accuracy']:.4f}")

    mean, std = torch.tensor(report["mean"]), torch.tensor(report["std"])
    below, false_alarms = report["none_of_these"].values()
    for photo in photos:
        pixels = torch.from_numpy(np.array(to_32x32(open_rgb(photo))))       # (32, 32, 3)
        normalized = ((pixels / 255 - mean) / std).permute(2, 0, 1)[None]    # -> (1, 3, 32, 32)
        with torch.inference_mode():
            shares = network(normalized).softmax(dim=1)[0]                   # -> (classes,)
        print(photo)
        for number in shares.argsort(descending=True)[:3].tolist():
            print(f"  {classes[number]:12} {shares[number]:4.0%} {'#' * round(40 * shares[number].item())}")
        if shares.max() < below:
            print(f"  Probably none of the {len(classes)}: it is less sure than of all but {false_alarms:.1%} of the "
                  "test pictures.")
