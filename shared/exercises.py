"""Exercises that check themselves, and know the usual mistakes.

A file in lessons/exercises has, for each exercise: a solution; a look, which says what is observed
of a function; and the usual mistakes, most of them edits of the solution. The learner's function,
the solution and the mistakes are looked at alike. What looks like the solution is right. What looks
like a mistake is explained: "That is what comes out if ...".
"""

import copy
import faulthandler
import inspect
import io
import json
import math
import os
import re
import signal
import sys
import threading
import time
import traceback
import types
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from shared.checking import draw, main  # noqa: F401 (the files in lessons/exercises import main)


class Exercise:
    """A solution and its usual mistakes. It can be called, as the solution can."""

    def __init__(self, solution, look, hint, draw):
        self.solution, self.look, self.hint, self.draw = solution, look, hint, draw
        self.name = solution.__name__
        source = inspect.getsource(solution)
        self.source = source[re.search(r"^(class|def) ", source, re.MULTILINE).start():]
        self.mistakes = []    # pairs: what was done wrong, a function that does it

    def __call__(self, *arguments, **named):
        return self.solution(*arguments, **named)

    def mistake(self, says, edits=None):
        """Names a usual mistake. `says` goes on after "That is what comes out if ".

        edits: {old: new, ...}, what to replace in the solution below its docstring, each wherever
            it occurs. Without edits, the function or class that follows is the mistake.
        """
        if edits is None:
            return lambda function: self.mistakes.append((says, function))
        head, end_of_docstring, body = self.source.partition('"""\n')
        for old in edits:
            if old not in body:
                raise ValueError(f"{self.name} has no {old!r} below its docstring")
        pattern = "|".join(re.escape(old) for old in sorted(edits, key=len, reverse=True))
        body = re.sub(pattern, lambda found: edits[found[0]], body)    # at once: two may swap
        scope = dict(vars(sys.modules[self.solution.__module__]))
        exec(head + end_of_docstring + body, scope)
        self.mistakes.append((says, scope[self.name]))

    def look_at_own(self):
        """Looks at the solution and at the mistakes, before any code of the learner's runs."""
        self.right = without_clues(observe(self.look, self.solution)[0])
        self.wrong = [(says, observe(self.look, mistake)[0]) for says, mistake in self.mistakes]

    def judge(self, function):
        """What to say about a function of the learner's; "" if it is right."""
        seen, printed = observe(self.look, function)
        if isinstance(seen, dict):
            label, text = first_difference(self.right, without_clues(seen))
            given = seen.get(label)
        else:
            label, text, given = "", name_and_text(seen), seen
        if not text:
            return ""
        if given is None and label.startswith("(") and label in seen:
            text = "it returns None. Is there a `return`?"
            if printed:
                text = "it prints, but returns None. Write `return` in the place of print"
        name = self.name if label[:1] in ("", "(") else ""
        lines = [f"{name}{label}: {text}", last_line(given)]
        known = [says for says, looks in self.wrong if not difference(looks, seen)]
        lines += [f"That is what comes out if {says}." for says in known[:1]]
        if printed:
            lines.append(f"It printed: {printed}")
        return "\n".join(line for line in lines if line)


def exercise(look, hint, draw=None):
    """Makes an exercise of the solution that follows, a function or a class with a docstring.

    look: `look(function)` returns {label: value, ...}, what is observed of a function. If all
        values are those of the solution, the exercise is solved. Labels that begin with "clue"
        only tell mistakes apart: there, what is right may differ.
    hint: a sentence or two, for `--hint`.
    draw: optional. `draw(function)` returns a picture, (3, height, width), values 0 to 1.
        TensorBoard shows the learner's beside the solution's.
    """
    return lambda solution: Exercise(solution, look, hint, draw)


def calls(*cases):
    """A look at what a function returns, or raises, for each tuple of arguments.

    A function that changes its arguments is wrong. They are numbers, text, tensors or lists.
    """
    def look(function):
        seen = {}
        for case in cases:
            label = f"({', '.join(brief(argument) for argument in case)})"
            arguments = copy.deepcopy(case)
            try:
                seen[label] = function(*arguments)
            except (Exception, SystemExit) as error:
                seen[label] = error
            if difference(case, arguments):
                seen[label] = Remark("it changes what it was given. Work on a copy: x.clone()")
        return seen
    return look


class Remark(Exception):
    """What the checker says, in the place of what a function returns."""


# How two values differ, in words


def difference(right, given):
    """Says where `given` is not what is `right`; "" if it is the same, but for rounding."""
    try:
        return _difference(right, given)
    except Exception as error:    # of a tensor that is sparse, of an object with an odd __eq__
        return f"it cannot be compared with what is right ({type(error).__name__}: {error})"


def _difference(right, given):
    if isinstance(given, BaseException):
        return "" if repr(right) == repr(given) else name_and_text(given)
    if is_single_number(right) and is_single_number(given):    # a tensor may stand for a number
        return tensor_difference(right, given, ("device",))
    kind = next((k for k in (list, tuple, dict) if isinstance(right, k)), type(right))
    if not isinstance(given, kind):
        return f"it is of type {type(given).__name__}, not {kind.__name__}"
    if hasattr(right, "shape"):
        return tensor_difference(right, given, ("device", "shape", "dtype"))
    if kind in (list, tuple, dict):
        label, text = first_difference(right, given)
        return text and f"at [{label!r}]: {text}"
    return "" if right == given else f"yours is {brief(given)}, right is {brief(right)}"


def first_difference(right, given):
    """The first index or key at which two lists or dicts differ, and how they do there."""
    if not isinstance(right, dict):
        right, given = dict(enumerate(right)), dict(enumerate(given))
    errors = [key for key in given if isinstance(given[key], BaseException)]
    for key in [key for key in errors if key not in right]:    # what stopped the look goes first
        return key, name_and_text(given[key])
    for key in [*right, *given]:
        if key not in given or key not in right:
            return key, "there is nothing" if key in right else "there should be nothing"
        if text := difference(right[key], given[key]):
            return key, text
    return "", ""


def tensor_difference(right, given, must_be_equal):
    """As `difference`, for tensors, arrays or numbers. Floats of any precision may be compared."""
    import torch
    right, given = torch.as_tensor(right).detach(), torch.as_tensor(given).detach()
    tolerance = 1e-4 if right.is_floating_point() else 0
    for what in must_be_equal:
        a, b = getattr(right, what), getattr(given, what)
        if a != b and not (what == "dtype" and tolerance and given.is_floating_point()):
            return re.sub(r"torch.Size|[][]", "", f"its {what} is {b}, not {a}")

    a, b = right.double(), given.double()
    wrong = ~torch.isclose(b, a, rtol=tolerance, atol=tolerance / 100, equal_nan=True)
    if not wrong.any():
        return ""
    if right.numel() <= 8:
        return f"yours is {brief(given)}, right is {brief(right)}"
    place = tuple(wrong.nonzero()[0].tolist())
    text = f"{int(wrong.sum())} of {wrong.numel()} values are wrong: "
    text += f"at {list(place)} yours is {b[place]:.6g}, right is {a[place]:.6g}"
    times = (b / a).flatten()
    if times[0] != 0 and torch.allclose(times, times[:1], rtol=1e-3):
        text += f". Each is {times[0]:.4g} times what it should be"
    return text


def name_and_text(error):
    return str(error) if isinstance(error, Remark) else f"{type(error).__name__}: {error}"


def is_single_number(value):
    return isinstance(value, bool | int | float) or getattr(value, "shape", None) == ()


def brief(value):
    if math.prod(getattr(value, "shape", ())) > 16:
        return f"<{type(value).__name__} of shape {tuple(value.shape)}>"
    if hasattr(value, "detach"):
        value = value.item() if value.dim() == 0 else value.detach()
    text = f"{value + 0:.6g}" if isinstance(value, float) else repr(value)    # + 0: no "-0"
    if isinstance(value, float) and text.lstrip("-").isdecimal():
        text += ".0"
    return re.sub(r"\s+", " ", text)[:300]


def without_clues(seen):
    return {label: value for label, value in seen.items() if not label.startswith("clue")}


# The process that runs the learner's code


class Printed(io.StringIO):
    """Keeps the first 300 letters of what is printed."""

    def write(self, text):
        super().write(text[:max(0, 300 - self.tell())])
        return len(text)


def observe(look, function):
    """What a look sees of a function, or the exception that it comes to; and what it printed."""
    if torch := sys.modules.get("torch"):    # other code may have left something else
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_grad_enabled(True)
        torch.manual_seed(0)
    printed = Printed()
    with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", "Initializing zero-element")    # the label says it
        try:
            return look(function), printed.getvalue().strip()
        except BaseException as error:
            return error, printed.getvalue().strip()


def last_line(error, frames=()):
    """The last line of a file in lessons/mine that led to an error; "" if there is none."""
    frames = frames or traceback.extract_tb(getattr(error, "__traceback__", None))
    lines = [f"in line {frame.lineno}: {frame.line}" for frame in frames
             if Path(frame.filename).parent.name == "mine"]
    return lines[-1] if lines else ""


def load(file):
    """Runs a file. Returns it as a module, which `inspect` and `pickle` find."""
    module = types.ModuleType(f"{file.parent.name}_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module
    exec(compile(file.read_text(encoding="utf-8-sig"), file, "exec"), vars(module))
    return module


def check(file, mine, run, seconds, *names):
    """Judges exercises, and prints what there is to say: of the learner's file, then of each.

    `shared.checking` starts it in a process of its own. It ends early if something takes too long.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # Ctrl-C is for the other process
    own = load(Path(file))
    exercises = [getattr(own, name) for name in names]
    for x in exercises:
        x.look_at_own()
    said = []
    threading.Thread(target=end_if_late, args=(said, float(seconds)), daemon=True).start()
    module, _ = observe(load, Path(mine))
    if isinstance(module, BaseException):
        end([f"{name_and_text(module)}\n{last_line(module)}"])
    said.append("")
    for x in exercises:
        said.append(x.judge(getattr(module, x.name, None)))
    for x, text in zip(exercises, said[1:], strict=True):
        if x.draw and (text or not any(said)):    # what is wrong; if nothing is, everything
            draw(run, x, getattr(module, x.name))
    end(said)


def end_if_late(said, seconds):
    """In a thread: ends this process if what is to be said next takes too long."""
    learner, count = threading.main_thread().ident, None
    while True:
        if count != len(said):
            count, idle, started = len(said), 0, time.process_time()
            # The last resort, for a call that lets no other thread of Python's run.
            faulthandler.dump_traceback_later(12 * seconds, exit=True, file=sys.__stderr__)
        before = time.process_time()
        time.sleep(0.1)
        now = time.process_time()
        idle += 0.1 * (now - before < 0.01)    # a busy machine does not count as idle
        if now - started > seconds or idle > 2 * seconds:
            text = "runs" if now - started > seconds else "waits"
            frames = traceback.extract_stack(sys._current_frames()[learner])
            end([*said, f"it {text} for more than {seconds:g} seconds\n{last_line(None, frames)}"])


def end(said):
    sys.__stdout__.write(f"\n{json.dumps(said)}")
    sys.__stdout__.flush()
    os._exit(0)    # whatever threads still run
