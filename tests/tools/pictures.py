"""Draws the pictures of the README, in lessons/pictures, from runs of lessons 7, 9 and 12.

    make pictures                                    run the three lessons (12 takes minutes), draw
    make pictures ARGS="--epochs 3 --limit 2000"     flags for lesson 12
    make pictures ARGS='--note "JPEG copy"'          add this after the name of the data
    make pictures ARGS=--redraw                      run nothing, draw from the newest runs

Everything comes from what the lessons wrote: the files for TensorBoard, the weights, and the text
in the terminal.
"""

import argparse
import io
import math
import re
import sys
from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon
from matplotlib.ticker import MaxNLocator
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from terminal import RECORDING, ROOT, animate, play, record

from shared.datasets import cifar10
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import LOGS, MODELS
from shared.training.__main__ import evaluate
from shared.training.loader import CIFAR10_MEAN_STD, Batches, has_bfloat16

# A light card with rounded corners: the pictures can be read on a dark page, too.
CARD, INK, GREY, LINES = "#f6f8fa", "#1f2328", "#59636e", "#d1d9e0"
BLUE, RED = "#0969da", "#cf222e"
WIDTH, MARGIN = 880, 28    # pixels of the page; the files have twice as many, for fine screens
matplotlib.rcParams.update({
    "figure.dpi": 200, "font.size": 8, "text.color": INK, "axes.edgecolor": LINES,
    "axes.facecolor": "none", "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": GREY, "ytick.color": GREY, "xtick.major.size": 0, "ytick.major.size": 0})


def canvas(height: int) -> Axes:
    """Axes in pixels of the page, from the top left to (WIDTH, height)."""
    figure = Figure((WIDTH / 100, height / 100), facecolor="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0), autoscale_on=False)
    axes.set_axis_off()
    axes.add_patch(FancyBboxPatch((0, 0), WIDTH, height, color=CARD, lw=0, zorder=-1,
                                  boxstyle="round,pad=0,rounding_size=12"))
    return axes


def show(axes: Axes, x: float, y: float, size: float, pixels: np.ndarray):
    axes.imshow(pixels, extent=(x, x + size, y + size, y), aspect="auto", interpolation="nearest")


def heading(axes: Axes, x: float, title: str, below: str):
    axes.text(x, MARGIN + 8, title, weight="bold")
    axes.text(x, MARGIN + 24, below, color=GREY)


def find_lesson(number: int) -> Path:
    return next((ROOT / "lessons").glob(f"{number:02}_*.py"))


def newest_run(number: int) -> Path:
    """The folder of the newest run of a lesson that was recorded."""
    recordings = sorted((LOGS / find_lesson(number).stem).glob(f"*/{RECORDING}"))
    if not recordings:
        sys.exit(f"Error: no recorded run of lesson {number} in {LOGS}: leave --redraw out")
    return recordings[-1].parent


def events(run: Path) -> EventAccumulator:
    return EventAccumulator(str(run), size_guidance={"images": 0, "scalars": 0}).Reload()


STEP, SHOWN = 1, (6, 7, 3, 5)    # which pictures of lesson 7: clear shapes


def feature_maps(run: Path) -> Axes:
    """Pictures, what six kernels make of each, and what pooling makes of them."""
    board = events(run)
    rows = tiles(board, "7 convolution/2 pictures and feature maps")
    before = rows[0]                                 # (8, 32, 32, 3)
    maps = rows[1:, :, 1:-1, 1:-1].swapaxes(0, 1)    # without their frames: (8, 6, 30, 30, 3)
    rows = tiles(board, "7 pooling/1 pictures, largest, mean, put back")
    pooled = rows[1, :, ::2, ::2]                    # the largest, not enlarged: (8, 16, 16, 3)

    axes = canvas(MARGIN * 2 + 32 + len(SHOWN) * 104 - 8)
    columns = MARGIN, 164, 164 + 6 * 98 + 32
    heading(axes, columns[0], "Picture", "3 × 32 × 32")
    heading(axes, columns[1], "Six feature maps, one for each kernel, before any training",
            "6 × 30 × 30")
    heading(axes, columns[2], "Pooled", "3 × 16 × 16")
    for row, index in enumerate(SHOWN):
        y = MARGIN + 40 + row * 104
        show(axes, columns[0], y, 96, before[index])    # three pixels of the page for each pixel
        for channel in range(6):
            show(axes, columns[1] + channel * 98, y + 3, 90, maps[index, channel])
        show(axes, columns[2], y + 24, 48, pooled[index])
    return axes


def tiles(board: EventAccumulator, tag: str) -> np.ndarray:
    """The pictures of a tag, out of the grid that add_images made of them: eight in each row.

    Returns (rows, 8, 32, 32, 3). On the board each pixel is 4 x 4 pixels; here it is one.
    """
    grid = Image.open(io.BytesIO(board.Images(tag)[STEP].encoded_image_string))
    grid = np.asarray(grid)[::4, ::4]
    return grid.reshape(-1, 32, 8, 32, 3).swapaxes(1, 2)


def graph(run: Path) -> Axes:
    """The layers of lesson 9's network, and between them the shapes of what they pass on."""
    nodes = {node.name: node for node in events(run).Graph().node}
    flow = [nodes["output/output.1"]]
    while flow[-1].input:    # from the output back to the network's input
        flow.append(nodes[flow[-1].input[0]])    # input[0] is the picture, the others are weights

    axes = canvas(216)
    heading(axes, MARGIN, "One picture on its way through the network", "channels × height × width")
    x, middle = MARGIN, 130
    for node in reversed(flow[1:]):
        if "[" in node.name:    # Sequential/Conv2d[conv1]/input.3
            name = re.search(r"\[(.*)\]", node.name)[1]
            axes.text(x + 25, middle - 7, name, ha="center", color=BLUE)
            axes.annotate("", (x + 42, middle), (x + 8, middle),
                          arrowprops={"arrowstyle": "->", "color": BLUE})
            x += 50
        shape = [dim.size for dim in node.attr["_output_shapes"].list.shape[0].dim]
        shape = shape[1:]    # without the batch
        if len(shape) == 3:
            width = height = shape[1] * 2.2
            depth = shape[0] * 0.35
        else:
            width, height, depth = 7, 24 * math.log10(shape[0]), 0
        block(axes, x, middle, (width, height, depth))
        label = " × ".join(map(str, shape))
        axes.text(x + (width + depth) / 2, 188, label, ha="center", color=GREY)
        x += width + depth
    return axes


def block(axes: Axes, x: float, middle: float, size: tuple[float, float, float]):
    """A box, seen from the front and a little from the right and from above."""
    width, height, depth = size
    top, bottom, right = middle - (height - depth) / 2, middle + (height + depth) / 2, x + width
    front = [(x, top), (right, top), (right, bottom), (x, bottom)]
    above = [(x, top), (x + depth, top - depth), (right + depth, top - depth), (right, top)]
    side = [(right, top), (right + depth, top - depth), (right + depth, bottom - depth),
            (right, bottom)]
    for color, corners in (("#b6d7ff", front), ("#d8eaff", above), ("#8fc0fb", side)):
        axes.add_patch(Polygon(corners, facecolor=color, edgecolor=CARD, lw=0.6))


def curve(run: Path, of: str, tag: str) -> tuple[list[int], list[float]]:
    """The steps and the values of one of lesson 12's curves, of "training" or of "testing"."""
    points = events(run / of).Scalars(f"12 {tag}")
    return [point.step for point in points], [point.value for point in points]


def curves(run: Path, source: str) -> Axes:
    """Loss, accuracy and learning rate of lesson 12, epoch by epoch."""
    panels = {"Loss": {of: curve(run, of, "curves/loss") for of in ("training", "testing")},
              "Accuracy": {of: curve(run, of, "curves/accuracy") for of in ("training", "testing")},
              "Learning rate": {"": curve(run, "training", "learning rate/after each epoch")}}
    epochs, accuracies = panels["Accuracy"]["testing"]
    height = 300
    axes = canvas(height)
    heading(axes, MARGIN, f"Test accuracy {accuracies[-1]:.4f} after {epochs[-1]} epochs", source)
    for number, (title, lines) in enumerate(panels.items()):
        left = MARGIN + 26 + number * 282
        panel = axes.figure.add_axes((left / WIDTH, 40 / height, 234 / WIDTH, 158 / height))
        panel.set_title(title, loc="left", fontsize=8, color=INK)
        panel.grid(axis="y", color=LINES, lw=0.6)
        panel.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        for (name, (steps, values)), color in zip(lines.items(), (GREY, BLUE), strict=False):
            panel.plot(steps, values, label=name, color=color, lw=1.6, marker="o", ms=2.5)
        if len(lines) > 1:
            panel.legend(labelcolor="linecolor", handlelength=1.2, facecolor=CARD, edgecolor=CARD,
                         framealpha=1)
    return axes


def mistakes(run: Path, source: str) -> Axes:
    """The wrong predictions of which lesson 12's network was most confident."""
    data, device = cifar10(train=False), torch.device("cpu")
    network = CIFAR10NetSimpleV3(len(data.classes))
    weights = MODELS / run.parent.name / run.name / "weights.pt"
    network.load_state_dict(torch.load(weights, map_location=device, weights_only=True))
    batches = Batches(data, 500, device, CIFAR10_MEAN_STD)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device))
    scores, _, accuracy = evaluate(network, batches, autocast)    # (N, 10)
    _, accuracies = curve(run, "testing", "curves/accuracy")
    if abs(accuracy - accuracies[-1]) > 0.002:
        sys.exit(f"Error: {run} was tested on other pictures than there are now. "
                 "Leave --redraw out")

    confidence, predicted = scores.softmax(dim=1).max(dim=1)
    targets = torch.tensor(data.targets)
    wrong = torch.nonzero(predicted != targets)[:, 0]
    most_confident = wrong[confidence[wrong].argsort(descending=True)].tolist()
    axes = canvas(MARGIN * 2 + 44 + 2 * 164 - 24)
    heading(axes, MARGIN, f"{len(wrong):,} mistakes in {len(data):,} test pictures: the twelve of "
            "which the network was most confident",
            f"{source}. Black: the class. Red: the prediction, and its confidence")
    for number, index in enumerate(most_confident[:12]):
        x, y = MARGIN + number % 6 * 142.4, MARGIN + 44 + number // 6 * 164
        show(axes, x, y, 112, data.data[index])
        axes.text(x, y + 127, data.classes[targets[index]], weight="bold")
        axes.text(x, y + 143, f"{data.classes[predicted[index]]}, {confidence[index]:.0%}",
                  color=RED)
    return axes


def main() -> None:
    parser = argparse.ArgumentParser(prog="make pictures")
    parser.add_argument("--redraw", action="store_true", help="run nothing, take the newest runs")
    parser.add_argument("--note", help="added after the name of the data, such as 'JPEG copy'")
    parser.add_argument("--to", type=Path, default=ROOT / "lessons" / "pictures")
    args, flags = parser.parse_known_args()
    if not args.redraw:
        record(find_lesson(7), [])
        record(find_lesson(9), [])
        record(find_lesson(12), flags)

    run = newest_run(12)
    source = re.search(r"test accuracy \S+ \((.*)\)", "".join(play(run / RECORDING)[-1][1]))[1]
    source += f" ({args.note})" if args.note else ""
    pictures = {"07_feature_maps": feature_maps(newest_run(7)),
                "09_graph": graph(newest_run(9)),
                "12_curves": curves(run, source),
                "12_mistakes": mistakes(run, source)}
    args.to.mkdir(parents=True, exist_ok=True)
    for name, axes in pictures.items():
        axes.figure.savefig(args.to / f"{name}.png")
    (args.to / "12_terminal.svg").write_text(animate(run / RECORDING), encoding="utf-8")
    for file in sorted(args.to.iterdir()):
        print(f"{file}  {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
