"""Draws the pictures of the README, in lessons/pictures, from runs of lessons 7, 9 and 12.

    make pictures                                    run the three, lesson 12 for its minutes, then draw
    make pictures ARGS="--epochs 3 --limit 2000"     flags for lesson 12
    make pictures ARGS='--note "JPEG copy"'          say so beside the data's name
    make pictures ARGS=--redraw                      draw again, from the newest runs

All is taken from what the lessons wrote: TensorBoard's files, the weights, and the text in the terminal.
"""

import argparse
import io
import math
import re
import runpy
import sys
from pathlib import Path

import matplotlib
import numpy as np
import torch
from conftest import ROOT, find_lesson
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon
from matplotlib.ticker import MaxNLocator
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from terminal import RECORDING, animate, play, record

from shared.datasets import cifar10
from shared.loader import Batches, has_bfloat16
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import LOGS, MODELS

# A light card with rounded corners, so that the pictures read on a dark page, too.
CARD, INK, GREY, LINES, BLUE, RED = "#f6f8fa", "#1f2328", "#59636e", "#d1d9e0", "#0969da", "#cf222e"
WIDTH, MARGIN = 880, 28    # pixels of the page; the files have twice as many, for fine screens
matplotlib.rcParams.update({
    "figure.dpi": 200, "font.size": 8, "text.color": INK, "axes.edgecolor": LINES, "axes.facecolor": "none",
    "axes.spines.top": False, "axes.spines.right": False, "xtick.color": GREY, "ytick.color": GREY,
    "xtick.major.size": 0, "ytick.major.size": 0})


def canvas(height: int) -> Axes:
    """Axes in pixels of the page, from the top left to (WIDTH, height)."""
    figure = Figure((WIDTH / 100, height / 100), facecolor="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0), autoscale_on=False)
    axes.set_axis_off()
    axes.add_patch(FancyBboxPatch((0, 0), WIDTH, height, boxstyle="round,pad=0,rounding_size=12", color=CARD, lw=0,
                                  zorder=-1))
    return axes


def show(axes: Axes, x: float, y: float, size: float, pixels: np.ndarray):
    axes.imshow(pixels, extent=(x, x + size, y + size, y), aspect="auto", interpolation="nearest", cmap="gray")


def heading(axes: Axes, x: float, title: str, below: str):
    axes.text(x, MARGIN + 8, title, weight="bold")
    axes.text(x, MARGIN + 24, below, color=GREY)


def newest_run(number: int) -> Path:
    """The folder of a lesson's newest run that was recorded."""
    recordings = sorted((LOGS / find_lesson(number).stem).glob(f"*/{RECORDING}"))
    if not recordings:
        sys.exit(f"Error: no recorded run of lesson {number} in {LOGS}: leave --redraw out")
    return recordings[-1].parent


def events(run: Path) -> EventAccumulator:
    return EventAccumulator(str(run), size_guidance={"images": 0, "scalars": 0}).Reload()


SHOWN = (14, 15, 11, 13)    # of the first batch of lesson 7: clear shapes, among the 16 whose maps it shows


def feature_maps(run: Path) -> Axes:
    """What goes into a convolution with six kernels and into a pooling layer, and what comes out."""
    board = events(run)
    before, maps, pooled = (tiles(board, f"7 {tag}") for tag in (
        "convolution/1 input", "convolution/4 after six kernels", "pooling/2 pooled"))
    maps = maps.transpose(0, 3, 1, 2).reshape(-1, 6, 30, 30)    # two tiles of three channels a picture -> six maps
    axes = canvas(MARGIN * 2 + 32 + len(SHOWN) * 104 - 8)
    columns = MARGIN, 164, 164 + 6 * 98 + 32
    heading(axes, columns[0], "Picture", "3 × 32 × 32")
    heading(axes, columns[1], "Six feature maps, one for each kernel, before any training", "6 × 30 × 30")
    heading(axes, columns[2], "Pooled", "3 × 16 × 16")
    for row, index in enumerate(SHOWN):
        y = MARGIN + 40 + row * 104
        show(axes, columns[0], y, 96, before[index])    # three pixels of the page for each of the picture
        for channel in range(6):
            show(axes, columns[1] + channel * 98, y + 3, 90, maps[index, channel])
        show(axes, columns[2], y + 24, 48, pooled[index])
    return axes


def tiles(board: EventAccumulator, tag: str) -> np.ndarray:
    """The first pictures of a tag, out of the grid that add_images made of them: (N, size, size, 3), not enlarged."""
    grid = np.asarray(Image.open(io.BytesIO(board.Images(tag)[0].encoded_image_string)))[::4, ::4]
    size = grid.shape[1] // 8
    return grid.reshape(-1, size, 8, size, 3).swapaxes(1, 2).reshape(-1, size, size, 3)


def graph(run: Path) -> Axes:
    """The layers of the network, and between them what flows: as high as the picture, as deep as its channels."""
    nodes = {node.name: node for node in events(run).Graph().node}
    flow = [nodes["output/output.1"]]
    while flow[-1].input:    # from the output back to the input; what comes first is what flows, then the weights
        flow.append(nodes[flow[-1].input[0]])

    axes = canvas(216)
    heading(axes, MARGIN, "One picture on its way through the network", "channels × height × width")
    x, middle = MARGIN, 130
    for node in reversed(flow[1:]):
        if "[" in node.name:    # Sequential/Conv2d[conv1]/input.3
            axes.text(x + 25, middle - 7, re.search(r"\[(.*)\]", node.name)[1], ha="center", color=BLUE)
            axes.annotate("", (x + 42, middle), (x + 8, middle), arrowprops={"arrowstyle": "->", "color": BLUE})
            x += 50
        shape = [dim.size for dim in node.attr["_output_shapes"].list.shape[0].dim][1:]    # without the batch
        if len(shape) == 3:
            width = height = shape[1] * 2.2
            depth = shape[0] * 0.35
        else:
            width, height, depth = 7, 24 * math.log10(shape[0]), 0
        block(axes, x, middle, width, height, depth)
        axes.text(x + (width + depth) / 2, 188, " × ".join(map(str, shape)), ha="center", color=GREY)
        x += width + depth
    return axes


def block(axes: Axes, x: float, middle: float, width: float, height: float, depth: float):
    """A box, seen from the front and a little from the right and from above."""
    top, bottom, right = middle - (height - depth) / 2, middle + (height + depth) / 2, x + width
    faces = {"#b6d7ff": [(x, top), (right, top), (right, bottom), (x, bottom)],
             "#d8eaff": [(x, top), (x + depth, top - depth), (right + depth, top - depth), (right, top)],
             "#8fc0fb": [(right, top), (right + depth, top - depth), (right + depth, bottom - depth), (right, bottom)]}
    for color, corners in faces.items():
        axes.add_patch(Polygon(corners, facecolor=color, edgecolor=CARD, lw=0.6))


def curves(run: Path, source: str) -> Axes:
    """How lesson 12 went."""
    board = events(run)
    points = {tag: [point.value for point in board.Scalars(tag)] for tag in board.Tags()["scalars"]}
    epochs = range(1, len(points["test_acc"]) + 1)
    height = 300
    axes = canvas(height)
    heading(axes, MARGIN, f"Test accuracy {points['test_acc'][-1]:.4f} after {len(epochs)} epochs", source)
    panels = {"Loss": {"training": "train_loss", "testing": "test_loss"},
              "Accuracy": {"training": "train_acc", "testing": "test_acc"},
              "Learning rate at each epoch's start": {"": "learning_rate"}}
    for number, (title, lines) in enumerate(panels.items()):
        panel = axes.figure.add_axes(((MARGIN + 26 + number * 282) / WIDTH, 40 / height, 234 / WIDTH, 158 / height))
        panel.set_title(title, loc="left", fontsize=8, color=INK)
        panel.grid(axis="y", color=LINES, lw=0.6)
        panel.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        for (name, tag), color in zip(lines.items(), (GREY, BLUE), strict=False):
            panel.plot(epochs, points[tag], label=name, color=color, lw=1.6, marker="o", ms=2.5)
        if len(lines) > 1:
            panel.legend(labelcolor="linecolor", handlelength=1.2, facecolor=CARD, edgecolor=CARD, framealpha=1)
    return axes


def mistakes(run: Path, source: str) -> Axes:
    """The pictures about which lesson 12's network is surest, and wrong."""
    lesson = runpy.run_path(str(find_lesson(12)))
    data, device = cifar10(train=False), torch.device("cpu")
    network = CIFAR10NetSimpleV3(len(data.classes))
    weights = MODELS / run.parent.name / run.name / "weights.pt"
    network.load_state_dict(torch.load(weights, map_location=device, weights_only=True))
    loader = Batches(data, len(data), 500, device, lesson["MEAN"], lesson["STD"], train=False)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device))
    scores, _, _ = lesson["test"](network, loader, torch.nn.CrossEntropyLoss(), autocast)    # (N, 10)
    surest, said = scores.softmax(dim=1).max(dim=1)
    targets = torch.tensor(data.targets)
    wrong = torch.nonzero(said != targets)[:, 0]
    if abs(1 - len(wrong) / len(data) - events(run).Scalars("test_acc")[-1].value) > 0.002:
        sys.exit(f"Error: {run} was tested on other pictures than there are now: leave --redraw out")

    axes = canvas(MARGIN * 2 + 44 + 2 * 164 - 24)
    heading(axes, MARGIN, f"{len(wrong):,} mistakes in {len(data):,} pictures: the twelve it was surest about",
            f"{source}. Black: the label. Red: what the network said")
    for number, index in enumerate(wrong[surest[wrong].argsort(descending=True)][:12].tolist()):
        x, y = MARGIN + number % 6 * 142.4, MARGIN + 44 + number // 6 * 164
        show(axes, x, y, 112, data.data[index])
        axes.text(x, y + 127, data.classes[targets[index]], weight="bold")
        axes.text(x, y + 143, f"“{data.classes[said[index]]}”, {surest[index]:.0%}", color=RED)
    return axes


def main():
    parser = argparse.ArgumentParser(prog="make pictures")
    parser.add_argument("--redraw", action="store_true", help="run nothing, take the newest runs")
    parser.add_argument("--note", help="what to say about the data behind its name, such as 'JPEG copy'")
    parser.add_argument("--to", type=Path, default=ROOT / "lessons" / "pictures")
    args, flags = parser.parse_known_args()
    if not args.redraw:
        record(find_lesson(7), [])
        record(find_lesson(9), [])
        record(find_lesson(12), flags)

    run = newest_run(12)
    source = re.search(r"test accuracy \S+ \((.*)\)", "".join(play(run / RECORDING)[-1][1]))[1]
    source += f" ({args.note})" if args.note else ""
    pictures = {"07_feature_maps": feature_maps(newest_run(7)), "09_graph": graph(newest_run(9)),
                "12_curves": curves(run, source), "12_mistakes": mistakes(run, source)}
    args.to.mkdir(parents=True, exist_ok=True)
    for name, axes in pictures.items():
        axes.figure.savefig(args.to / f"{name}.png")
    (args.to / "12_terminal.svg").write_text(animate(run / RECORDING), encoding="utf-8")
    for file in sorted(args.to.iterdir()):
        print(f"{file}  {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
