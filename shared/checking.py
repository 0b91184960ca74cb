"""`make exercise` and `make exercises`: the learner's files, and what is said of them.

The learner writes in lessons/mine. A file there is made once, with `...` for each body, and then
only added to. It runs in a process of its own, which may hang or crash. What is right or wrong in
it, that process finds out, with `shared.exercises`.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

from tqdm import tqdm

from shared.errors import LessonError, begin_lesson, kept
from shared.language import translated
from shared.paths import HOME, LOGS, tensorboard_command

EXERCISES = Path(__file__).parents[1] / "lessons" / "exercises"
MINE = HOME / "lessons" / "mine"
SECONDS = 5    # of the processor's time for one exercise, because other programs may keep it busy
CHECK = "import sys; from shared.exercises import check; check(*sys.argv[1:])"
HEADER = '''"""{title}

Write your code in the place of each `...`, save, and run this file, or `make exercise N={number}`.
What PyTorch has ready counts as solved, too. You learn more if you write it yourself.
With --hint it gives a hint, with --solution the solution, with --watch it checks at each save
(`make exercise N={number} ARGS=--hint`).
"""

from shared.checking import main

if __name__ == "__main__":    # checks what you wrote below
    main(__file__)
'''


class Lesson:
    """The exercises of one lesson, and the learner's file for them. It runs neither."""

    def __init__(self, file):
        self.file = EXERCISES / Path(file).name
        self.mine = MINE / self.file.name
        self.run = None           # of the last check: where its pictures are, if it drew any
        self.last_lines = {}      # and where each definition in the learner's file ends
        self.lines = self.file.read_text(encoding="utf-8").splitlines()
        self.tree = ast.parse("\n".join(self.lines))
        self.exercises = {name: node for name, node in definitions(self.tree).items()
                          if any(ast.unparse(decorator).startswith("exercise(")
                                 for decorator in node.decorator_list)}

    def source(self, name):
        node = self.exercises[name]
        return "\n".join(self.lines[node.lineno - 1 : node.end_lineno])

    def stub(self, name):
        """The source with `...` for each body."""
        source = self.source(name)
        lines = source.splitlines()
        node = ast.parse(source).body[0]
        for function in reversed(functions_of(node)):
            first = function.body[0]    # its docstring stays
            start = first.end_lineno if ast.get_docstring(function) else first.lineno - 1
            lines[start : function.end_lineno] = [" " * first.col_offset + "..."]
            translate_docstring(function, lines)
        if isinstance(node, ast.ClassDef):
            translate_docstring(node, lines)
        return "\n".join(lines)

    def hint(self, name):
        keywords = self.exercises[name].decorator_list[0].keywords
        return next(ast.literal_eval(x.value) for x in keywords if x.arg == "hint")

    def written(self):
        """The definitions in the learner's file. Raises SyntaxError or ValueError."""
        return definitions(ast.parse(self.mine.read_text(encoding="utf-8-sig")))

    def add_stubs(self):
        """Makes the learner's file, or adds what it lacks. What is there stays as it is."""
        there, text = {}, ""
        if self.mine.exists():
            try:
                there = self.written()
            except (SyntaxError, ValueError):
                return    # `check` tells what is wrong
        else:
            title = ast.get_docstring(self.tree).splitlines()[0]
            number = int(self.file.name[:2])
            text = translated(HEADER).format(title=translated(title), number=number)

        missing = [name for name in self.exercises if name not in there]
        if not missing:
            return
        imports = [ast.unparse(node) for node in self.tree.body
                   if isinstance(node, ast.Import | ast.ImportFrom)]
        text += "\n" + "".join(f"{line}\n" for line in imports if "shared.exercises" not in line)
        text += "".join(f"\n\n{self.stub(name)}\n" for name in missing)
        try:
            self.mine.parent.mkdir(parents=True, exist_ok=True)
            with self.mine.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise LessonError(f"cannot write to {self.mine} ({error.strerror}).\nMake it writable, "
                              "or set LESSONS_HOME to another folder.") from None

    def saved(self):
        """A number that changes with each save. None while an editor replaces the file."""
        with suppress(OSError):
            return self.mine.stat().st_mtime_ns

    def check(self, until=lambda: False):
        """What there is to say of each exercise: {name: text}, "" for solved, None for to do.

        {"": text} if the learner's file cannot be run. If `until()` is true, it stops.
        """
        try:
            nodes = self.written()
        except SyntaxError as error:
            return {"": f"in line {error.lineno}: {(error.text or '').strip()}\n{error.msg}"}
        except ValueError as error:
            return {"": f"The file is not in UTF-8. Save it as UTF-8. ({error})"}

        self.run = LOGS / "exercises" / self.file.stem / time.strftime("%Y%m%d-%H%M%S")
        self.last_lines = {name: node.end_lineno for name, node in nodes.items()}
        said = dict.fromkeys(self.exercises)
        waiting = [name for name in said if name in nodes and not is_stub(nodes[name])]
        while waiting and not until():
            texts = self.run_check(waiting, until)
            if not texts:    # it has crashed. In the first of them?
                texts = self.run_check(waiting[:1], until)
            if not texts:
                texts = ["", "it ends Python, or stops it for a minute"]
            if texts[0]:
                return {"": texts[0]}
            said.update(zip(waiting, texts[1:], strict=False))
            waiting = waiting[len(texts) - 1 :]
        return said

    def run_check(self, names, until):
        """What `shared.exercises.check` says in a process of its own; None if it crashes."""
        words = [sys.executable, "-c", CHECK, self.file, self.mine, self.run, str(SECONDS), *names]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            try:
                while process.poll() is None and not until():
                    time.sleep(0.05)
            finally:
                process.kill()
            last = process.stdout.read().decode("utf-8", "replace").rpartition("\n")[2]
        return json.loads(last) if last else None


def definitions(tree):
    """The functions and classes of a file by name."""
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


def functions_of(node):
    """A function itself, or the methods of a class."""
    nodes = node.body if isinstance(node, ast.ClassDef) else [node]
    return [part for part in nodes if isinstance(part, ast.FunctionDef)]


def translate_docstring(node, lines):
    """Replaces the docstring of a function or class in `lines`, where there is a translation."""
    english = ast.get_docstring(node)
    if english and (text := translated(english)) != english:
        end = "\n" if "\n" in text else ""
        text = textwrap.indent(f'"""{text}{end}"""', " " * node.body[0].col_offset)
        lines[node.body[0].lineno - 1 : node.body[0].end_lineno] = text.splitlines()


def is_stub(node):
    """Whether all its bodies are still `...`."""
    return all(ast.unparse(function.body[-1]) == "..." for function in functions_of(node))


# What a person starts


def main(file):
    """Checks the exercises of one lesson, given a file's name, and ends the program."""
    begin_lesson()
    parser = argparse.ArgumentParser()
    parser.add_argument("--hint", action="store_true", help="for the first that is not solved")
    parser.add_argument("--solution", action="store_true", help="of the first that is not solved")
    parser.add_argument("--watch", action="store_true", help="check again at each save")
    args = parser.parse_args()

    lesson = Lesson(file)
    lesson.add_stubs()
    kept.append(str(lesson.mine))
    if args.watch:
        watch(lesson, args)
    show(lesson, lesson.check(), args)
    sys.exit()    # what follows in the learner's file has been run already


def watch(lesson, args):
    """Checks at once, and again at each save, until Ctrl-C."""
    checked = lesson.saved()

    def saved_again():
        return lesson.saved() not in (checked, None)

    while True:
        said = lesson.check(until=saved_again)
        if not saved_again():
            show(lesson, said, args)
            print(translated("----- waiting for the next save; Ctrl-C ends -----"))
        while not saved_again():
            time.sleep(0.2)
        checked = lesson.saved()


def show(lesson, said, args):
    """Prints the state of each exercise, and explains the first that is not solved."""
    begun = [name for name, text in said.items() if text]
    to_do = [name for name, text in said.items() if text is None]
    path = lesson.mine
    if path.is_relative_to(Path.cwd()):
        path = os.path.relpath(path)
    print(path)
    for name, text in said.items():
        state = "to do" if text is None else "not yet" if text else "Solved"
        print(f"  {translated(state):9}{name}".rstrip())
        if name in [*begun, *to_do][:1]:
            if text is None:
                text = f"Write it here: {path}:{lesson.last_lines.get(name, 'it is missing')}"
            lines = text.splitlines()
            if args.hint and name:
                lines.append(f"Hint: {lesson.hint(name)}")
            lines = [translated(line) for line in lines]
            wrapper = textwrap.TextWrapper(
                width=100, initial_indent=" " * 11, subsequent_indent=" " * 15,
                break_long_words=False, break_on_hyphens=False)    # paths and numbers stay whole
            for line in lines:
                print(wrapper.fill(line))
            if args.solution and name:
                print(f"\n{lesson.source(name)}\n")
    print(translated(f"{list(said.values()).count('')} of {len(lesson.exercises)} solved"))
    if lesson.run and lesson.run.exists():
        print(translated("Yours beside what is right, in TensorBoard's Images tab:"))
        print(f"  {tensorboard_command(lesson.run)}")


def draw(run, exercise, function):
    """Writes pictures for TensorBoard: what the learner's function makes, and what the solution."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(run) as writer:
        for whose, drawn in (("1 yours", function), ("2 right", exercise.solution)):
            with suppress(BaseException):    # whatever the function does, or if it is no picture
                writer.add_image(f"{exercise.name}/{whose}", exercise.draw(drawn))


def check_all():
    """Checks all lessons, and prints a line for each."""
    begin_lesson()
    for file in tqdm(sorted(EXERCISES.glob("*.py")), unit="lesson", disable=None, leave=False):
        lesson = Lesson(file)
        said = lesson.check() if lesson.mine.exists() else {}
        solved, count = list(said.values()).count(""), len(lesson.exercises)
        bar = "#" * solved + "." * (count - solved)
        tqdm.write(f"{file.stem:26}{bar:6}" + translated(f"{solved} of {count} solved"))


if __name__ == "__main__":
    if sys.argv[1:]:    # make exercise N=7
        main(sys.argv.pop(1))
    check_all()    # make exercises
