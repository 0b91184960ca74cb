"""Exercises to lesson 3: TensorBoard

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=3`.
"""
# ruff: noqa: PTH118 (lesson 1 is about os.path, too)

import os

import numpy as np
import torch

from shared.exercises import exercise, main


class Recorder:
    """Stands in for a SummaryWriter. It keeps what it is told to write, in the place of a file."""

    def __init__(self, log_dir=None, **_):
        self.log_dir, self.steps, self.values, self.closed = log_dir, {}, {}, False

    def add(self, tag, step, value):
        self.steps.setdefault(tag, []).append(step)
        self.values.setdefault(tag, []).append(value)
        self.closed = False

    def add_scalar(self, tag, scalar_value, global_step=None, *_, **__):
        self.add(tag, global_step, float(scalar_value))

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, *_):
        for name, value in tag_scalar_dict.items():
            self.add(f"{main_tag}, curve {name}", global_step, float(value))

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        """Keeps what TensorBoard would show, as HWC and fractions."""
        picture = np.asarray(img_tensor)
        assert picture.dtype.kind != "U", "the name of a file is no picture"
        assert picture.ndim == len(dataformats), (
            f"the picture has {picture.ndim} dimensions, and {dataformats} has {len(dataformats)}")
        picture = picture.transpose([dataformats.index(letter) for letter in "HWC"])
        if picture.shape[2] > 4:    # as PIL says it
            raise TypeError(f"Cannot handle this data type: (1, 1, {picture.shape[2]}), |u1")
        fractions = picture / 255.0 if picture.dtype == np.uint8 else picture.astype(float)
        self.add(tag, global_step, torch.tensor(fractions.clip(0, 1)))

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        """Keeps several pictures as one, side by side."""
        pictures = np.moveaxis(np.asarray(img_tensor), dataformats.index("N"), 0)
        one = dataformats.replace("N", "")
        side_by_side = np.concatenate(list(pictures), axis=one.index("W"))
        self.add_image(tag, side_by_side, global_step, dataformats=one)

    def flush(self):
        self.closed = True    # all is in the file, too

    close = flush

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def seen(self, where=""):
        """What TensorBoard would show: the tags, and of each tag the steps and the values."""
        seen = {f"the tags{where}": sorted(self.steps)}
        for tag in self.steps:
            seen[f"the steps of '{tag}'{where}"] = self.steps[tag]
            seen[f"the values of '{tag}'{where}"] = self.values[tag]
        return seen


# 1


def look_at_losses(write_losses):
    seen = {}
    for losses in ([[2.5, 1.5], [1.25]], [[0.9, 0.6, 0.7], [0.5, 0.8, 0.3], [0.4], [0.2, 0.1]]):
        writer = Recorder()
        write_losses(writer, losses)
        seen |= writer.seen(f", for the losses {losses}")
    return seen


@exercise(
    look_at_losses,
    hint="Two loops, over the epochs and over the losses of an epoch. Set step = 0 before both, "
         "and count in the inner one: so it goes on from epoch to epoch.")
def write_losses(writer, losses):
    """Writes the losses of a training run as one curve with the tag "training/loss".

    A loss is a number that says how wrong the answers of a network are. Lesson 10 is about it.

    writer: an open SummaryWriter, which need not be closed here
    losses: a list with a list for each epoch, and in that the losses of its iterations, as floats.
        An epoch may have fewer iterations than the one before.

    The step counts the iterations from 1, and goes on from epoch to epoch. Returns nothing.
    For example, [[2.5, 1.5], [1.25]] makes the points 2.5 at step 1, 1.5 at step 2, 1.25 at step 3.
    """
    step = 0
    for epoch in losses:
        for loss in epoch:
            step += 1
            writer.add_scalar("training/loss", loss, step)


inner, call = "for loss in epoch:", 'add_scalar("training/loss", loss, step)'
write_losses.mistake("the step is left out: TensorBoard draws all points at step 0",
                     {"loss, step)": "loss)"})
write_losses.mistake("the step begins anew in each epoch, and the curve goes back: count on",
                     {inner: f"step = 0\n        {inner}"})
write_losses.mistake("the step begins with 0, not with 1", {"step = 0": "step = -1"})
write_losses.mistake("the step begins anew in each epoch, and with 0: count on, from 1",
                     {inner: f"step = -1\n        {inner}"})
write_losses.mistake("the step is the number of the epoch: it should count the iterations",
                     {"step += 1": "step = losses.index(epoch) + 1"})
write_losses.mistake("the step is the number of the epoch, from 0: it should count the iterations, "
                     "from 1", {"step += 1": "step = losses.index(epoch)"})
write_losses.mistake("the step is computed as if all epochs had as many iterations as this one",
                     {inner: f"step = losses.index(epoch) * len(epoch)\n        {inner}"})
write_losses.mistake("value and step have changed places: the value is the second argument",
                     {"loss, step": "step, loss"})
write_losses.mistake("each epoch has a tag of its own, so TensorBoard shows several charts",
                     {'"training/loss"': 'f"training/loss {losses.index(epoch) + 1}"'})
write_losses.mistake("only the last loss of each epoch is written",
                     {f"    writer.{call}": f"writer.{call}"})
write_losses.mistake("the mean of each epoch is written: each iteration has a point of its own",
                     {f"writer.{call}": "pass",
                      inner: 'writer.add_scalar("training/loss", sum(epoch) / len(epoch), '
                             f"losses.index(epoch) + 1)\n        {inner}"})
write_losses.mistake("only the first epoch is written", {"in losses": "in losses[:1]"})


# 2


def look_at_chart(write_chart):
    seen = {}
    for curves in ({"fast": [2.0, 0.5], "slow": [2.5, 1.5, 1.0]},
                   {"large": [0.9, 0.7, 0.75, 0.6], "none at all": [0.8, 0.2], "small": [0.95]}):
        writer = Recorder()
        write_chart(writer, "compare/loss", curves)
        seen |= writer.seen(f", for the curves {curves}")
    return seen


@exercise(
    look_at_chart,
    hint="writer.add_scalars(tag, {name: value, ...}, global_step=...) writes the points of one "
         "step. The dict need not have all curves: {name: value} is enough for one.")
def write_chart(writer, tag, curves):
    """Writes several curves into one chart, so that one can compare them.

    writer: an open SummaryWriter, which need not be closed here
    tag: the tag of the chart, as text, such as "compare/loss"
    curves: a dict with the name of each curve and the list of its values, floats. The lists may
        differ in length: then a curve ends where its list ends.

    The first value of each list is at step 1. Returns nothing. For example, {"fast": [2.0, 0.5],
    "slow": [2.5, 1.5, 1.0]} makes two curves: the one called "fast" has a point 2.0 at step 1 and a
    point 0.5 at step 2, the one called "slow" has three points.
    """
    for name, values in curves.items():
        for step, value in enumerate(values, start=1):
            writer.add_scalars(tag, {name: value}, step)


write_chart.mistake("each curve has a chart of its own: add_scalars puts them into one",
                    {"scalars(tag, {name: value}": 'scalar(f"{tag}/{name}", value'})
write_chart.mistake("each curve has a chart of its own, and the tag is only its name: add_scalars "
                    "puts them into one", {"scalars(tag, {name: value}": "scalar(name, value"})
write_chart.mistake("all points are in a single curve: add_scalars keeps curves apart by their "
                    "names", {"scalars(tag, {name: value}": "scalar(tag, value"})
write_chart.mistake("the step is left out: TensorBoard draws all points at step 0",
                    {"}, step": "}"})
write_chart.mistake("the first step is 0, not 1", {", start=1": ""})
write_chart.mistake("all curves end where the shortest one ends, as zip does it",
                    {"enumerate(values, start=1)":
                     "enumerate(values[:min(map(len, curves.values()))], start=1)"})
write_chart.mistake("the short curves go on with 0 after their end",
                    {"enumerate(values, start=1)": "enumerate(values + [0] * (max(map(len, "
                                                   "curves.values())) - len(values)), start=1)"})
write_chart.mistake("the short curves go on with their last value after their end",
                    {"enumerate(values, start=1)": "enumerate(values + values[-1:] * (max(map(len, "
                                                   "curves.values())) - len(values)), start=1)"})
write_chart.mistake("the step goes on from one curve to the next: each begins with 1",
                    {"for name": "count = 0\n    for name",
                     "writer.": "count += 1; step = count; writer."})
write_chart.mistake("only the last value of each curve is written",
                    {"enumerate(values, start=1)": "[*enumerate(values, start=1)][-1:]"})
write_chart.mistake("only the first curve is written", {"curves.items()": "[*curves.items()][:1]"})
write_chart.mistake("all curves have the values of the first one",
                    {"{name: value}": "{name: value for name in curves}",
                     "curves.items()": "[*curves.items()][:1]"})


# 3


def look_at_slider(write_slider):
    six = [[[255, 0, 0], [0, 200, 0], [0, 0, 102]], [[0, 0, 0], [1, 128, 51], [255, 255, 0]]]
    seen = {}
    for height, width in ((2, 3), (3, 5), (4, 2)):
        scrambled = np.arange(height * width * 3).reshape(height, width, 3) * 37 % 256
        pictures = [np.array(six, dtype=np.int64), 255 - np.array(six, dtype=np.int64)]
        if (height, width) != (2, 3):
            pictures = [scrambled, scrambled // 3, scrambled[::-1] // 2]
        writer = Recorder()
        write_slider(writer, "ants/closer", [picture.copy() for picture in pictures])
        seen |= writer.seen(f", for {len(pictures)} pictures, {height} high and {width} wide")
    return seen


@exercise(
    look_at_slider,
    hint="The order of the dimensions is HWC: say so with dataformats. The type of the numbers is "
         "int64, which add_image takes for fractions: divide by 255.")
def write_slider(writer, tag, pictures):
    """Writes pictures as one card with a slider: the first one is step 1, the next is step 2, ...

    writer: an open SummaryWriter, which need not be closed here
    tag: the tag of the card, as text, such as "ants/closer"
    pictures: a list of NumPy arrays (height, width, 3), with numbers from 0 to 255. Their type is
        int64, and add_image would take such numbers for fractions.

    TensorBoard should show the pictures as they are. Returns nothing. For example, for a list with
    one array, [[[255, 0, 0], [0, 0, 0]]], it shows at step 1 a red pixel and, on its right, a black
    one.
    """
    for step, picture in enumerate(pictures, start=1):
        writer.add_image(tag, picture / 255, step, dataformats="HWC")


picture, order = "picture / 255", ', dataformats="HWC"'
write_slider.mistake("the numbers are taken for fractions, because their type is not uint8: "
                     "all from 1 on is as bright as can be", {picture: "picture"})
write_slider.mistake("all is black but what was 255: // makes whole numbers, / makes fractions",
                     {picture: "picture // 255"})
write_slider.mistake("the numbers are divided by 255 twice, so that the picture is nearly black: "
                     "once is enough", {picture: "picture / 255 / 255"})
write_slider.mistake("the picture is nearly black: fractions were made whole numbers from 0 to 1",
                     {picture: "(picture / 255).astype(np.uint8)"})
write_slider.mistake("the first dimension is taken for the channels, the order that add_image "
                     "expects, but here it is the height", {order: ""})
write_slider.mistake("the first dimension is taken for the channels, and the numbers, as they are "
                     "not uint8, for fractions", {picture: "picture", order: ""})
write_slider.mistake("all pictures are in one, at one step, as add_images does it: add_image for "
                     "each of them makes a slider",
                     {"writer.": 'writer.add_images(tag, np.stack(pictures) / 255, 1, '
                                 'dataformats="NHWC"); return; writer.'})
write_slider.mistake("reshape makes the shape right and scrambles the numbers: transpose, or "
                     "dataformats, changes the order",
                     {picture: "picture.reshape(3, *picture.shape[:2]) / 255", order: ""})
write_slider.mistake("rows and columns have changed places: the height comes first",
                     {"HWC": "WHC"})
write_slider.mistake("red and blue have changed places", {picture: "picture[:, :, ::-1] / 255"})
write_slider.mistake("the pictures become grey", {
    "writer.": "picture = picture.mean(2, keepdims=True).repeat(3, axis=2); writer."})
write_slider.mistake("the step is left out, so there is no slider", {", step, ": ", None, "})
write_slider.mistake("the first step is 0, not 1", {", start=1": ""})
write_slider.mistake("all pictures have the step 1, so there is no slider", {", step, ": ", 1, "})
write_slider.mistake("each picture has a tag of its own: cards side by side, and no slider",
                     {"(tag,": '(f"{tag} {step}",'})
write_slider.mistake("only the first picture is written", {"(pictures,": "(pictures[:1],"})


# 4


def look_at_runs(write_runs):
    seen = {}
    for runs in ({"lr 0.1": [2.0, 0.5], "lr 0.01": [2.5, 1.5, 1.25]},
                 {"small": [0.75, 0.7], "large": [0.9, 0.5, 0.6], "new": [0.3]}):
        writers = []

        def make_writer(log_dir=None, *arguments, writers=writers, **named):
            writers.append(Recorder(log_dir, **named))
            return writers[-1]

        write_runs(make_writer, os.path.join("logs", "all"), runs)
        where = f", for the runs {runs}"
        folders = {}    # the points of one folder, even if several writers have written there
        for writer in writers:
            folder = os.path.relpath(writer.log_dir or "runs").replace(os.sep, "/")
            points = folders.setdefault(folder, {})
            for tag, steps in writer.steps.items():
                pairs = points.setdefault(f"{tag} in {folder}{where}", ([], []))
                pairs[0].extend(steps)
                pairs[1].extend(writer.values[tag])
        seen[f"the folders{where}"] = sorted(folders)
        for points in folders.values():
            for label, (steps, values) in points.items():
                seen |= {f"the steps of {label}": steps, f"the values of {label}": values}
        seen[f"whether all writers are closed{where}"] = all(x.closed for x in writers)
    return seen


@exercise(
    look_at_runs,
    hint="A loop over runs.items(). In it, `with make_writer(os.path.join(folder, name)) as "
         "writer:` opens a folder for the run, and closes it.")
def write_runs(make_writer, folder, runs):
    """Writes the losses of several runs so that TensorBoard shows them as curves of one chart.

    make_writer: SummaryWriter, or what stands in for it: make_writer(path) is a writer for a folder
    folder: the path of the folder for all of them, as text, such as "logs/all"
    runs: a dict with the name of each run and the list of its losses, floats

    Each run gets a folder of its own, in `folder`, with the name of the run. In each, the losses
    have the tag "loss", and their steps count from 1. At the end all is written: no writer is left
    open. Returns nothing. For example, {"small": [0.75, 0.7]} writes two points into the folder
    logs/all/small.
    """
    for name, losses in runs.items():
        with make_writer(os.path.join(folder, name)) as writer:
            for step, loss in enumerate(losses, start=1):
                writer.add_scalar("loss", loss, step)


path, call = "os.path.join(folder, name)", 'writer.add_scalar("loss", loss, step)'
write_runs.mistake("all runs are in one folder: TensorBoard takes their points for one curve",
                   {path: "folder"})
write_runs.mistake("no separator is between the folder and the name of the run: os.path.join "
                   "writes one", {path: "folder + name"})
write_runs.mistake("the name of the run is there without the folder in front", {path: "name"})
write_runs.mistake("the writers get no folder, and choose one themselves", {path: ""})
write_runs.mistake("a writer is not closed: what is in memory may not be written",
                   {"with make_writer(os.path.join(folder, name)) as writer":
                    "if writer := make_writer(os.path.join(folder, name))"})
write_runs.mistake("each run has a tag of its own, so TensorBoard shows several charts",
                   {'"loss"': "name"})
write_runs.mistake("each run has a tag of its own, with loss in it, so TensorBoard shows several "
                   "charts", {'"loss"': 'f"loss/{name}"'})
write_runs.mistake("all runs are in one folder, and their tags differ: each run has its own folder",
                   {path: "folder", '"loss"': "name"})
write_runs.mistake("add_scalars makes a folder for each curve, inside the folder of the run: "
                   "add_scalar is enough", {call: 'writer.add_scalars("loss", {name: loss}, step)'})
write_runs.mistake("all runs are in one folder, as curves of add_scalars: each run has a folder of "
                   "its own", {path: "folder", call:
                               'writer.add_scalars("loss", {name: loss}, step)'})
write_runs.mistake("the step is left out: TensorBoard draws all points at step 0",
                   {"loss, step)": "loss)"})
write_runs.mistake("the first step is 0, not 1", {", start=1": ""})
write_runs.mistake("the step goes on from run to run: each begins with 1",
                   {"for name": "count = 0\n    for name",
                    "writer.": "count += 1; step = count; writer."})
write_runs.mistake("only the last loss of each run is written",
                   {"enumerate(losses, start=1)": "[*enumerate(losses, start=1)][-1:]"})
write_runs.mistake("only the first run is written", {"runs.items()": "[*runs.items()][:1]"})


if __name__ == "__main__":
    main(__file__)
