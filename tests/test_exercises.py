"""Every exercise can be solved, is not solved by chance, knows its mistakes, and accuses nobody."""

import ast
import contextlib
import itertools
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import ROOT, environment
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from shared import checking, exercises

KNOWN = "That is what comes out if "
ANSWERS = {file.stem: runpy.run_path(str(file))
           for file in sorted((ROOT / "tests" / "exercises").glob("*.py"))}
LESSONS = {name: checking.Lesson(name + ".py") for name in ANSWERS}
EXERCISES = {}
for name, lesson in LESSONS.items():
    own = exercises.load(lesson.file)
    EXERCISES |= {f"{name[:2]}-{x}": (name, getattr(own, x)) for x in lesson.exercises}

each_exercise = pytest.mark.parametrize(("lesson", "x"), EXERCISES.values(), ids=EXERCISES)


@pytest.fixture(scope="module", autouse=True)
def looked_at():
    for _, x in EXERCISES.values():
        x.look_at_own()


def test_each_file_of_exercises_has_its_file_of_answers():
    assert {file.stem for file in checking.EXERCISES.glob("*.py")} == set(ANSWERS)


# Each exercise


@each_exercise
def test_the_solution_and_pytorch_and_other_right_answers_solve_it(lesson, x):
    answers = ANSWERS[lesson]
    right = [x.solution, *answers["RIGHT"][x.name]]
    assert len(right) >= 4
    if x.name in answers.get("PYTORCH", {}):
        right.append(answers["PYTORCH"][x.name])
    for function in right:
        assert x.judge(function) == "", function


@each_exercise
def test_each_mistake_is_recognised_and_no_two_look_alike(lesson, x):
    assert len(x.mistakes) >= 6
    for says, function in x.mistakes:
        assert f"{KNOWN}{says}." in x.judge(function)
        assert not says.endswith(".")
    alike = [(one, other) for (one, looks), (other, looks_too) in itertools.combinations(x.wrong, 2)
             if not exercises.difference(looks, looks_too)]
    assert alike == []


JUNK = [None, 0, 1, -1, 1.0, float("nan"), True, "x", "", [], {}, torch.zeros(()), torch.zeros(2, 3),
        torch.ones(1, 2, 3), torch.zeros(4, dtype=torch.int64), torch.zeros(2, device="meta")]


def misuse(*arguments):
    raise ValueError("no")


@each_exercise
def test_junk_is_never_right_and_never_accused(lesson, x):
    like_nothing = ANSWERS[lesson].get("LIKE_NOTHING", ())
    for junk in [*JUNK, object(), Path("x"), print]:
        text = x.judge(lambda *_, junk=junk, **__: junk)
        assert text
        if junk is not None or x.name not in like_nothing:
            assert KNOWN not in text, junk
    for function in [misuse, None, 7, "x", lambda: None, object, torch.nn.Linear]:
        text = x.judge(function)
        assert text
        assert KNOWN not in text, function


@each_exercise
def test_the_docstring_and_the_hint_are_there(lesson, x):
    assert "For example" in x.solution.__doc__
    assert LESSONS[lesson].hint(x.name) == x.hint
    assert x.hint[-1] in ".)?"


# Mutants: a solution with one small change

SWAPS = {ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div, ast.Add],
         ast.Div: [ast.Mult], ast.FloorDiv: [ast.Div, ast.Mult], ast.Mod: [ast.FloorDiv],
         ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt],
         ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
         ast.In: [ast.NotIn], ast.NotIn: [ast.In], ast.And: [ast.Or], ast.Or: [ast.And],
         ast.USub: [ast.UAdd]}
WORDS = {"amax": "amin", "amin": "amax", "max": "min", "min": "max", "argmax": "argmin",
         "mean": "sum", "sum": "mean", "exp": "log", "log": "exp"}


def changes(node):
    """Small changes of a node of a solution: pairs of what they do and a function that does it."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp | ast.UnaryOp):
        for op in SWAPS.get(type(node.op), []):
            yield op.__name__, lambda n, op=op: setattr(n, "op", op())
    if isinstance(node, ast.Compare):
        for op in SWAPS.get(type(node.ops[0]), []):
            yield op.__name__, lambda n, op=op: setattr(n, "ops", [op()])
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "not", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        for by in (-1, 1):
            yield f"{by:+}", lambda n, by=by: setattr(n, "value", n.value + by)
    if isinstance(node, ast.Attribute) and node.attr in WORDS:
        yield WORDS[node.attr], lambda n: setattr(n, "attr", WORDS[n.attr])
    if isinstance(node, ast.Call):
        for i in range(len(node.args) - 1):
            yield "swapped", lambda n, i=i: n.args.insert(i, n.args.pop(i + 1))
        for i, keyword in enumerate(node.keywords):
            yield f"without {keyword.arg}", lambda n, i=i: n.keywords.pop(i)
    if isinstance(node, ast.FunctionDef | ast.For | ast.With | ast.If):
        documented = isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None
        for i in range(documented, len(node.body)):
            text = ast.unparse(node.body[i]).splitlines()[0]
            yield f"without {text}", lambda n, i=i: n.body.__setitem__(i, ast.Pass())
            if i > documented and not isinstance(node.body[i], ast.Return):
                yield f"earlier {text}", lambda n, i=i: n.body.insert(i - 1, n.body.pop(i))


def mutants(source):
    """Pairs: what was changed, and the changed source."""
    nodes = list(ast.walk(ast.parse(source)))
    for i, node in enumerate(nodes):
        for what, change in changes(node):
            mutant = ast.parse(source)
            change(list(ast.walk(mutant))[i])
            if isinstance(node, ast.expr):
                what = f"{ast.unparse(node)} -> {what}"
            yield what, ast.unparse(ast.fix_missing_locations(mutant))


class TooLong(BaseException):
    pass


@contextlib.contextmanager
def interrupted_after(seconds):
    """A mutant may run for ever. The time is the processor's."""
    def interrupt(*_):
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@each_exercise
def test_no_small_change_of_the_solution_is_right(lesson, x):
    solved, count = set(), 0
    for what, source in mutants(x.source):
        scope = dict(vars(sys.modules[x.solution.__module__]))
        exec(source, scope)
        count += 1
        with contextlib.suppress(TooLong), interrupted_after(2):
            if x.judge(scope[x.name]) == "":
                solved.add(what)
    assert count > 5
    # Python 3.10 writes `(a, b) = c`, and later ones `a, b = c`.
    expected = ANSWERS[lesson].get("EQUALLY_RIGHT", {}).get(x.name, set())
    solved, expected = ({re.sub("[()]", "", what) for what in each} for each in (solved, expected))
    assert solved == expected


# The learner's file, whatever is in it


LESSON = '''"""Exercises to lesson 3: of the tests"""

import torch

from shared.exercises import calls, exercise, main


@exercise(look=calls((1,), (5,)), hint="Add 1.")
def plus_one(x):
    """For example, 1 gives 2."""
    return x + 1


plus_one.mistake("nothing is added", {"x + 1": "x"})


@exercise(look=calls((torch.arange(10.0),)), hint="Times 2.")
def twice(x):
    """For example, [1.0] gives [2.0]."""
    return 2 * x
'''
PLUS_ONE = "def plus_one(x):\n    return x + 1\n"
TWICE = "def twice(x):\n    return x + x\n"

# It does not load torch, so that a process for it starts quickly.
HARMLESS = '''"""Exercises to lesson 1: of the tests"""

from shared.exercises import calls, exercise, main

''' + "".join(f'''
@exercise(look=calls(("x",)), hint="Say x.")
def say_{letter}(x):
    """For example, x gives xx."""
    return x + x

''' for letter in "abcde")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(checking, "EXERCISES", tmp_path)
    monkeypatch.setattr(checking, "MINE", tmp_path / "课程 mine" / "mine")
    monkeypatch.setattr(checking, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(checking, "SECONDS", 0.5)
    (tmp_path / "03_of_tests.py").write_text(LESSON, encoding="utf-8")
    (tmp_path / "01_harmless.py").write_text(HARMLESS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def judged(home):
    """What is said of code in the learner's file of LESSON; in this process, so nothing may hang."""
    own = exercises.load(home / "03_of_tests.py")
    own.plus_one.look_at_own()
    own.twice.look_at_own()

    def judge(name, code):
        file = home / "mine" / "03_of_tests.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(code, encoding="utf-8")
        module, _ = exercises.observe(exercises.load, file)
        return getattr(own, name).judge(getattr(module, name))

    return judge


def checked(home, name, code, encoding="utf-8"):
    """What is said of code in the learner's file, by another process."""
    lesson = checking.Lesson(home / name)
    lesson.mine.parent.mkdir(parents=True, exist_ok=True)
    lesson.mine.write_text(code, encoding=encoding)
    return lesson.check()


@pytest.mark.parametrize(("body", "expected"), [
    ("return x", "plus_one(1): yours is 1, right is 2\nThat is what comes out if nothing is added."),
    ("return x - 1", "plus_one(1): yours is 0, right is 2"),
    ("return None", "plus_one(1): it returns None. Is there a `return`?"),
    ("pass", "plus_one(1): it returns None. Is there a `return`?"),
    ("print(x + 1)", "plus_one(1): it prints, but returns None. Write `return` in the place of "
                     "print\nIt printed: 2\n6"),
    ("return str(x + 1)", "plus_one(1): it is of type str, not int"),
    ("return [x + 1]", "plus_one(1): it is of type list, not int"),
    ("return y", "plus_one(1): NameError: name 'y' is not defined\nin line 2: return y"),
    ("raise SystemExit", "plus_one(1): SystemExit: \nin line 2: raise SystemExit"),
    ("import sys; sys.exit(3)", "plus_one(1): SystemExit: 3\nin line 2: import sys; sys.exit(3)"),
    ("raise KeyboardInterrupt", "plus_one: KeyboardInterrupt: \nin line 2: raise KeyboardInterrupt"),
    ("return plus_one(x)", "plus_one(1): RecursionError: maximum recursion depth exceeded"),
])
def test_odd_code_is_explained(judged, body, expected):
    text = judged("plus_one", f"def plus_one(x):\n    {body}\n")
    assert text.startswith(expected)
    assert len(text) < 1000


@pytest.mark.parametrize(("body", "expected"), [
    ("return x", "9 of 10 values are wrong: at [1] yours is 1, right is 2"),
    ("return 1 + 2 * x", "10 of 10 values are wrong: at [0] yours is 1, right is 0"),
    ("return (2 * x).long()", "its dtype is torch.int64, not torch.float32"),
    ("return (2 * x)[None]", "its shape is (1, 10), not (10)"),
    ("return (2 * x).to('meta')", "its device is meta, not cpu"),
    ("return (2 * x).tolist()", "it is of type list, not Tensor"),
    ("return (2 * x).numpy()", "it is of type ndarray, not Tensor"),
    ("return (2 * x).to_sparse()", "it cannot be compared with what is right ("),
    ("x *= 2; return x", "it changes what it was given. Work on a copy: x.clone()"),
    ("return x.nonsense", "AttributeError: 'Tensor' object has no attribute 'nonsense'\nin line 2: "),
    ("return 2 * x / 0", "10 of 10 values are wrong: at [0] yours is nan, right is 0"),
])
def test_wrong_tensors_are_explained(judged, body, expected):
    text = judged("twice", f"def twice(x):\n    {body}\n")
    assert text.startswith(f"twice(tensor([0., 1., 2., 3., 4., 5., 6., 7., 8., 9.])): {expected}")


def test_a_factor_is_noticed():
    right = torch.arange(1.0, 10.0)
    assert exercises.difference(right, 3 * right).endswith("Each is 3 times what it should be")


@pytest.mark.parametrize(("right", "given"), [
    (1, 1.0), (1, torch.tensor(1)), (True, torch.tensor(True)), (0.5, torch.tensor(0.5).double()),
    (torch.tensor(2.0, requires_grad=True), 2), (float("nan"), float("nan")), (1.0, 1.00001),
    (torch.zeros(9), torch.zeros(9).double()), ((1, 2), torch.Size([1, 2])), ("a", "a"), (None, None),
    ({"a": [1]}, {"a": [1]}), (torch.zeros(2).numpy(), torch.zeros(2).numpy()),
])
def test_what_counts_as_equal(right, given):
    assert exercises.difference(right, given) == ""


@pytest.mark.parametrize(("right", "given", "expected"), [
    (145578, 145577, "yours is 145577, right is 145578"), (1.0, 1.01, "yours is 1.01, right is 1.0"),
    ([1, 2], [1], "at [1]: there is nothing"), ([1], [1, 2], "at [1]: there should be nothing"),
    ({"a": [1]}, {"a": [2]}, "at ['a']: at [0]: yours is 2, right is 1"), ([1], (1,), "it is of type tuple, not list"),
    ("a", "b", "yours is 'b', right is 'a'"), (1, "1", "it is of type str, not int"), (None, 1, "it is of type int, not NoneType"),
    (torch.arange(3), torch.arange(3) + 1, "yours is tensor([1, 2, 3]), right is tensor([0, 1, 2])"),
])
def test_what_differs_and_how(right, given, expected):
    assert exercises.difference(right, given) == expected


@pytest.mark.parametrize("code", [
    "import torch\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\n"
    "torch.set_default_device('meta')\n",
    "print('hello')\n", "\ufeff", "# 课程\n",
])
def test_what_else_is_in_the_file_does_not_matter(judged, code):
    assert judged("plus_one", f"{code}{PLUS_ONE}{TWICE}") == ""
    assert judged("twice", f"{code}{PLUS_ONE}{TWICE}") == ""


def test_code_that_hangs_or_ends_python_is_explained_and_the_next_exercise_works(home):
    loop = "while True:\n        try:\n            x.upper()\n        except BaseException:\n            pass"
    bodies = [loop, "import time; time.sleep(60)", "return x + x", "import os; os._exit(0)", "return x * 2"]
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(100,)).start()\n\n\n"
    code += "\n\n".join(f"def say_{letter}(x):\n    {body}\n"
                        for letter, body in zip("abcde", bodies, strict=True))
    said = checked(home, "01_harmless.py", code)
    assert said.pop("say_a").startswith("it runs for more than 0.5 seconds\nin line ")
    assert said == {
        "say_b": "it waits for more than 0.5 seconds\nin line 14: import time; time.sleep(60)",
        "say_c": "", "say_d": "it ends Python, or stops it for a minute", "say_e": ""}


def test_a_warning_is_shown(home):
    code = "import warnings\n\ndef say_a(x):\n    warnings.warn('odd')\n"
    text = checked(home, "01_harmless.py", code)["say_a"]
    assert re.match(r"say_a\('x'\): it prints, .*\nIt printed: .*01_harmless.py:4: UserWarning: odd", text)


@pytest.mark.parametrize(("code", "expected"), [
    ("def say_a(x):\n    return (x +\n", "in line 2: return (x +\n'(' was never closed"),
    ("def say_a(x):\n    return x\n   return 2\n", "in line 3: return 2\nunindent does not match"),
    ("def say_a(x):\n    return x\n1 / 0\n", "ZeroDivisionError: division by zero\nin line 3: 1 / 0"),
    ("def say_a(x):\n    return x\nwhile True: pass\n",
     "it runs for more than 0.5 seconds\nin line 3: while True: pass"),
    ("def say_a(x):\n    return x\nexit()\n", "SystemExit: None\nin line 3: exit()"),
    ("def say_a(x):\n    return x\ninput()\n", "EOFError: EOF when reading a line\nin line 3: input()"),
])
def test_a_file_that_cannot_be_run_is_explained(home, code, expected):
    assert checked(home, "01_harmless.py", code)[""].startswith(expected)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_file_in_another_encoding_is_explained(home, encoding):
    text = checked(home, "01_harmless.py", "# é\ndef say_a(x): return x\n", encoding)[""]
    assert text.startswith("The file is not in UTF-8. Save it as UTF-8.")


def test_a_renamed_function_is_to_do_and_comes_back(home):
    said = checked(home, "01_harmless.py", "def say_aa(x):\n    return x\n")
    assert set(said.values()) == {None}
    lesson = checking.Lesson("01_harmless.py")
    lesson.add_stubs()
    text = lesson.mine.read_text(encoding="utf-8")
    assert text.startswith("def say_aa(x):\n    return x\n\n\n\ndef say_a(x):")
    assert text.count("def say_a(") == 1


def test_the_stub_of_a_class_keeps_its_methods_but_not_their_bodies(home):
    (home / "04_class.py").write_text('''"""Title"""

@exercise(look=look, hint="Two "
                          "parts.")
class Twice(Base):
    """For example."""

    def __init__(self, x: int):    # a comment
        super().__init__()    # gone
        self.x = x

    @property
    def value(self):
        """Twice x."""
        # gone
        def inner(x):
            return x
        return inner(2 * self.x)
''', encoding="utf-8")
    lesson = checking.Lesson("04_class.py")
    assert lesson.hint("Twice") == "Two parts."
    assert lesson.stub("Twice") == '''class Twice(Base):
    """For example."""

    def __init__(self, x: int):    # a comment
        ...

    @property
    def value(self):
        """Twice x."""
        ...'''


def test_the_learners_file_is_made_once_and_only_added_to(home):
    lesson = checking.Lesson("03_of_tests.py")
    lesson.add_stubs()
    first = lesson.mine.read_text(encoding="utf-8")
    assert first.startswith('"""Exercises to lesson 3: of the tests\n')
    assert first.endswith('    """For example, [1.0] gives [2.0]."""\n    ...\n')
    assert "return" not in first.partition("import torch")[2]
    lesson.add_stubs()
    assert lesson.mine.read_text(encoding="utf-8") == first

    written = f"# mine\n{PLUS_ONE}# the end"    # the other one is new, after a `git pull`
    lesson.mine.write_text(written, encoding="utf-8")
    lesson.add_stubs()
    text = lesson.mine.read_text(encoding="utf-8")
    assert text.startswith(f"{written}\n")
    assert "def twice" in text
    assert text.count("def plus_one") == 1

    broken = "def plus_one(x:\n"
    lesson.mine.write_text(broken, encoding="utf-8")
    lesson.add_stubs()
    assert lesson.mine.read_text(encoding="utf-8") == broken


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_the_stubs_are_not_solved_and_the_solutions_are(lesson, tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "mine", tmp_path / "mine" / lesson.file.name)
    lesson.add_stubs()
    text = lesson.mine.read_text(encoding="utf-8")
    assert lesson.check() == dict.fromkeys(lesson.exercises)
    assert max(map(len, text.splitlines())) <= 100

    file = lesson.mine
    header = text.partition("\n\n\n")[0]
    file.write_text("\n\n\n".join([header, *map(lesson.source, lesson.exercises)]), encoding="utf-8")
    module = exercises.load(file)
    for name in lesson.exercises:
        assert EXERCISES[f"{lesson.file.name[:2]}-{name}"][1].judge(getattr(module, name)) == ""


# What a person starts


def start(home, *arguments):
    return subprocess.Popen([sys.executable, *arguments], env=environment(home), cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")


def said(home, *arguments):
    process = start(home, *arguments)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    return text


@pytest.fixture
def solved_max_pool(tmp_path):
    """The learner's file of lesson 7, with one right and one wrong function."""
    file = tmp_path / "lessons" / "mine" / "07_conv_pool.py"
    text = said(tmp_path, "-m", "shared.checking", file.name)
    assert f"\n  to do    size_after\n           Write it here: {file}:27\n  to do    max_pool\n" in re.sub(
        "\n {15}", " ", text)
    text = file.read_text(encoding="utf-8")
    parts = text.split("    ...\n")
    parts[1] += "    return torch.nn.functional.max_pool2d(picture[None], kernel_size)[0]\n"
    parts[2] += "    return torch.nn.functional.conv2d(picture[None], weight)[0]\n"
    file.write_text(parts[0] + "    ...\n" + "".join(parts[1:]), encoding="utf-8")
    return file


def test_running_the_learners_file_explains_one_thing_and_draws_it(tmp_path, solved_max_pool):
    text = said(tmp_path, solved_max_pool, "--hint", "--solution")
    assert re.sub("convolve[(](.|\\n)*?That", "convolve(...) That", text).startswith(
        f"{solved_max_pool}\n  to do    size_after\n  Solved   max_pool\n  not yet  convolve\n"
        "           convolve(...) That is what comes out if the bias is left out.\n"
        "           Hint: Three loops")
    assert f"\n\n{LESSONS['07_conv_pool'].source('convolve')}\n\n1 of 3 solved\nYours beside" in text
    run = Path(re.search(r"--logdir (.*)", text)[1])
    assert run.parent == tmp_path / "logs" / "exercises" / "07_conv_pool"
    events = EventAccumulator(str(run)).Reload()
    assert events.Tags()["images"] == ["convolve/1 yours", "convolve/2 right"]

    assert "07_conv_pool              #..   1 of 3 solved\n" in said(tmp_path, "-m", "shared.checking")


def test_watching_survives_code_that_hangs_and_editors_that_rename(home):
    mine = home / "mine" / "01_harmless.py"
    code = f"""
from pathlib import Path
from shared import checking
checking.EXERCISES = Path({str(home)!r})
checking.MINE = Path({str(mine.parent)!r})
checking.main("01_harmless.py")
"""
    process = start(home, "-c", code, "--watch")

    def read_until(words):
        seen = ""
        while words not in seen:
            line = process.stdout.readline()
            assert line, seen
            seen += line
        return seen

    def save(text):
        draft = mine.with_name("draft")
        draft.write_text(text, encoding="utf-8")
        mine.unlink()
        time.sleep(0.3)
        draft.rename(mine)

    try:
        assert "to do    say_a" in read_until("-----")
        save("def say_a(x):\n    while True: pass\n")
        time.sleep(2)    # it hangs, and is stopped by the next save
        save("def say_a(:\n")
        assert "in line 1: def say_a(:" in read_until("-----")
        save("def say_a(x):\n    return x + x\n")
        assert "1 of 5 solved" in read_until("-----")
        process.send_signal(signal.SIGINT)
        assert f"Stopped. Kept: {mine}\n" in process.communicate(timeout=30)[0]
        assert process.returncode == 130
    finally:
        process.kill()
        process.wait()
