"""Right answers to the exercises of lesson 3, in other words than the solutions."""

from itertools import chain
from pathlib import Path

import numpy as np
import torch


def losses_joined(writer, losses):
    for i, loss in enumerate(chain(*losses)):
        writer.add_scalar(tag="training/loss", scalar_value=loss, global_step=i + 1)


def losses_with_an_offset(writer, losses):
    done = 0
    for epoch in range(len(losses)):
        for i in range(len(losses[epoch])):
            writer.add_scalar("training/loss", torch.tensor(losses[epoch][i]), done + i + 1)
        done += len(losses[epoch])
    writer.flush()


def losses_in_one_list(writer, losses):
    everything = []
    for epoch in losses:
        everything += epoch
    step = 1
    while step <= len(everything):
        writer.add_scalar("training/loss", np.float32(everything[step - 1]), step)
        step = step + 1


def chart_step_by_step(writer, tag, curves):
    longest = max(len(values) for values in curves.values())
    for i in range(longest):
        points = {name: values[i] for name, values in curves.items() if i < len(values)}
        writer.add_scalars(tag, points, global_step=i + 1)


def chart_by_index(writer, tag, curves):
    for name in curves:
        for i in range(len(curves[name])):
            writer.add_scalars(main_tag=tag, tag_scalar_dict={name: curves[name][i]},
                               global_step=i + 1)


def chart_until_an_error(writer, tag, curves):
    for step in range(1, 1000):
        for name, values in curves.items():
            try:
                writer.add_scalars(tag, {name: torch.tensor(values[step - 1])}, step)
            except IndexError:
                continue


def slider_uint8(writer, tag, pictures):
    for i, picture in enumerate(pictures):
        writer.add_image(tag, picture.astype(np.uint8), global_step=i + 1, dataformats="HWC")


def slider_transposed(writer, tag, pictures):
    step = 1
    for picture in pictures:
        picture = picture.transpose(2, 0, 1).astype("float32") / 255.0
        writer.add_image(tag, picture, step)
        step += 1


def slider_of_tensors(writer, tag, pictures):
    for step in range(len(pictures)):
        tensor = torch.tensor(pictures[step]).permute(2, 0, 1)
        writer.add_image(tag, tensor / 255, step + 1, dataformats="CHW")


def slider_of_bytes(writer, tag, pictures):
    for step, picture in enumerate(pictures, 1):
        rows = np.array(picture.tolist(), dtype=np.uint8)
        writer.add_image(tag, img_tensor=torch.tensor(rows), global_step=step, dataformats="HWC")


def runs_closed(make_writer, folder, runs):
    for name in runs:
        writer = make_writer(f"{folder}/{name}")
        for i in range(len(runs[name])):
            writer.add_scalar("loss", runs[name][i], global_step=i + 1)
        writer.close()


def runs_with_paths(make_writer, folder, runs):
    for name, losses in reversed(runs.items()):
        with make_writer(log_dir=Path(folder) / name) as writer:
            step = 0
            while step < len(losses):
                writer.add_scalar("loss", losses[step], step + 1)
                step += 1


def runs_all_open(make_writer, folder, runs):
    writers = {name: make_writer(str(Path(folder, name))) for name in runs}
    for name, losses in runs.items():
        for step, loss in enumerate(losses):
            writers[name].add_scalar("loss", torch.tensor(loss), step + 1)
    for writer in writers.values():
        writer.flush()
        writer.close()


# At least three for each exercise.
RIGHT = {
    "write_losses": [losses_joined, losses_with_an_offset, losses_in_one_list],
    "write_chart": [chart_step_by_step, chart_by_index, chart_until_an_error],
    "write_slider": [slider_uint8, slider_transposed, slider_of_tensors, slider_of_bytes],
    "write_runs": [runs_closed, runs_with_paths, runs_all_open],
}
