"""Lesson 7's formula for the size of a result, held against PyTorch on many settings.

The lesson shows three of them. What else the lessons do by hand, they check themselves.
"""

import ast
import math
from itertools import product

import torch
from conftest import find_lesson
from torch import nn

# Size of the picture, then kernel_size, stride, padding and dilation.
SETTINGS = product((7, 8, 32), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2))


def formula_of_lesson_7():
    """The lesson's `output_size`, without running the rest of the lesson."""
    lesson = ast.parse(find_lesson(7).read_text(encoding="utf-8"))
    functions = [node for node in lesson.body
                 if isinstance(node, ast.FunctionDef) and node.name == "output_size"]
    names = {"math": math}
    exec(compile(ast.Module(functions, []), "lesson 7", "exec"), names)
    return names["output_size"]


output_size = formula_of_lesson_7()
# Where the picture is smaller than one window there is no result, and PyTorch raises an error.
FITTING = [setting for setting in SETTINGS if output_size(*setting) > 0]
# nn.MaxPool2d takes a padding of at most half its kernel_size.
POOLING = [setting for setting in FITTING if setting[3] <= setting[1] // 2]


def size_by_pytorch(layer, size):
    return layer.to("meta")(torch.zeros(1, 1, size, size, device="meta")).shape[-1]


def test_formula_for_convolution():
    assert len(FITTING) == 210
    for size, *setting in FITTING:
        assert size_by_pytorch(nn.Conv2d(1, 1, *setting), size) == output_size(size, *setting)


def test_formula_for_pooling():
    for size, *setting in POOLING:
        assert size_by_pytorch(nn.MaxPool2d(*setting), size) == output_size(size, *setting)


def test_ceil_mode_rounds_up_but_drops_a_window_that_begins_beyond_the_picture():
    paddings_when_added, paddings_when_dropped = set(), set()
    for size, *setting in POOLING:
        kernel_size, stride, padding, dilation = setting
        steps = (size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride
        windows = math.ceil(steps) + 1
        if (windows - 1) * stride - padding >= size:
            windows -= 1
            paddings_when_dropped.add(padding)
        elif windows > output_size(size, *setting):
            paddings_when_added.add(padding)
        assert size_by_pytorch(nn.MaxPool2d(*setting, ceil_mode=True), size) == windows
    assert paddings_when_added == {0, 1, 2}
    assert paddings_when_dropped == {0, 1}    # it happens without padding, too
