"""How the project is built: what imports what, how large it is, and how its lines look."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LESSONS, ROOT, environment

SHARED = sorted((ROOT / "shared").rglob("*.py"))
CODE = [*SHARED, *sorted((ROOT / "lessons").rglob("*.py"))]
FOR_LESSONS = ["shared", "shared.errors", "shared.language", "shared.paths", "shared.datasets",
               "shared.networks"]


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(tree: ast.AST, inside_functions: bool = True) -> set[str]:
    """The modules that a file imports; of `from a import b`, both `a` and `a.b`."""
    names, waiting = set(), [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif inside_functions or not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)
    return names


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def below(names: set[str], *packages: str) -> set[str]:
    return {name for name in names for package in packages
            if name == package or name.startswith(f"{package}.")}


def lines(paths: list[Path]) -> list[str]:
    return [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def run(script: str, *arguments: str) -> str:
    ended = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True,
                           text=True, check=False, cwd=ROOT, env=environment(""))
    assert ended.stderr == ""
    assert ended.returncode == 0
    return ended.stdout


IMPORT_IN_A_THREAD = """
import importlib, os, signal, sys, threading, warnings

def state():
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    return (sys.excepthook, threading.excepthook, handlers, dict(os.environ),
            list(warnings.filters))

def import_all(names):
    for name in names:
        importlib.import_module(name)

others, ours = (argument.split() for argument in sys.argv[1:])
import_all(others)    # PyTorch, for example, has warning filters of its own
failed = []
threading.excepthook = lambda args: failed.append(args.exc_value)
before = state()
thread = threading.Thread(target=import_all, args=(ours,))
thread.start()
thread.join()
assert not failed, failed
for what, then, now in zip(("excepthook", "threading.excepthook", "signals", "environ",
                            "warnings.filters"), before, state()):
    assert now == then, what
"""


def test_importing_all_of_shared_in_a_thread_changes_nothing():
    others = set()
    for path in SHARED:
        names = imported(tree(path))
        others |= {name.partition(".")[0] for name in names - below(names, "shared")}
    run(IMPORT_IN_A_THREAD, " ".join(sorted(others)), " ".join(map(module, SHARED)))


def test_what_lessons_import_is_small_and_loads_neither_torchvision_nor_the_sources():
    script = ("import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
              "print(*sys.modules)")
    loaded = set(run(script, *FOR_LESSONS).split())
    assert below(loaded, "shared") == set(FOR_LESSONS)
    assert below(loaded, "torchvision", "cv2", "tensorboard", "filelock") == set()
    assert len(lines([path for path in SHARED if module(path) in FOR_LESSONS])) < 600


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_what_a_lesson_imports(lesson):
    allowed = [*FOR_LESSONS[1:]]
    if lesson.name.startswith("11"):    # the weights of VGG16
        allowed.append("shared.sources.download")
    if lesson.name.startswith("12"):
        allowed.append("shared.training")
    names = imported(tree(lesson))
    assert not below(names, "lessons")
    assert below(names, "shared") - below(names, *allowed) <= {"shared", "shared.sources"}


@pytest.mark.parametrize("path", SHARED, ids=module)
def test_arrows_go_down(path):
    everywhere, at_the_top = imported(tree(path)), imported(tree(path), inside_functions=False)
    assert not below(everywhere, "lessons", "tests")
    package = path.parent.name
    if package == "sources":
        allowed = below(everywhere, "shared.errors", "shared.language", "shared.paths",
                        "shared.sources")
        assert below(everywhere, "shared") - allowed <= {"shared"}
    if package == "shared":
        assert not below(everywhere, "shared.training")
        assert not below(at_the_top, "shared.sources", "torchvision")


def test_shared_is_small():
    """Without what checks the exercises. What makes it grow should be worth it."""
    exercises = ("exercises.py", "checking.py")
    assert len(lines([path for path in SHARED if path.name not in exercises])) < 2700


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_takes_more_than_five_parameters(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            of = node.args
            names = [each.arg for each in (*of.posonlyargs, *of.args, *of.kwonlyargs,
                                           of.vararg, of.kwarg) if each]
            if names and names[0] in ("self", "cls"):
                del names[0]
            assert len(names) <= 5, f"line {node.lineno}"


def test_lines_are_short():
    widths = [len(line) for line in lines(CODE)]
    too_long = [f"{path}:{number}" for path in CODE
                for number, line in enumerate(lines([path]), start=1) if len(line) > 100]
    assert too_long == []
    assert sum(width >= 100 for width in widths) <= 0.04 * len(widths)
