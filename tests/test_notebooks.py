"""Lessons as notebooks: every cell is there, and they print what their comments say."""

import ast
import re
import subprocess
import sys

import nbformat
import pytest
from checked_outputs import expected_outputs, first_mismatch
from conftest import LESSONS, ROOT, environment, find_lesson
from nbclient import NotebookClient
from tools.notebook import to_notebook


def write_notebook(lesson):
    """Runs what `make notebook` runs."""
    tool = ROOT / "tests" / "tools" / "notebook.py"
    process = subprocess.run([sys.executable, tool, lesson], capture_output=True, check=True,
                             encoding="utf-8", env=environment(lesson.parent))
    return lesson.with_suffix(".ipynb"), process.stdout


def statements(source):
    """What a lesson does, with the body of main() in its place."""
    for statement in ast.parse(source).body[1:]:    # behind the docstring
        match statement:
            case ast.FunctionDef(name="main"):
                yield from map(ast.dump, statement.body)
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                pass
            case _:
                yield ast.dump(statement)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_every_cell_is_there(lesson):
    notebook = to_notebook(lesson)
    nbformat.validate(notebook)
    source = lesson.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source))

    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    titles = re.findall(r"^ *# %% (.*)", source, flags=re.MULTILINE)
    assert texts[0] == f"# {docstring}"
    assert [text.replace("\\_", "_").removeprefix("## ") for text in texts[1:-1]] == titles
    assert texts[-1].startswith("## Try next\n- ")

    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    file, *others = [ast.dump(statement) for statement in ast.parse(code).body]
    assert file == ast.dump(ast.parse(f"__file__ = {str(lesson)!r}").body[0])
    assert others == list(statements(source))
    assert "main()" not in code


@pytest.mark.parametrize("number", [
    2,     # has main(), and worker processes
    8,     # is like all others
    12,    # has flags
])
def test_notebook_runs_from_top_to_bottom(number, home, tmp_path):
    # As on Windows and macOS: workers are started afresh, and import the lesson.
    (tmp_path / "sitecustomize.py").write_text(
        "import multiprocessing\nmultiprocessing.set_start_method('spawn', force=True)\n")
    notebook = to_notebook(find_lesson(number))
    if number == 12:    # a short run
        (cell,) = [cell for cell in notebook.cells if "parse_args([]" in cell.source]
        flags = ["--epochs", "1", "--limit", "500"]
        cell.source = cell.source.replace("parse_args([]", f"parse_args({flags}")

    client = NotebookClient(notebook, timeout=120, kernel_name="python3",
                            resources={"metadata": {"path": tmp_path}})
    client.execute(env=environment(home) | {"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code"
               for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "execute_result"}
    streams = [output for output in outputs if output.output_type == "stream"]
    assert {stream.name for stream in streams} == {"stdout"}    # no warnings
    printed = "".join(stream.text for stream in streams)
    assert first_mismatch(expected_outputs(find_lesson(number)), printed) is None


def test_make_notebook_keeps_a_notebook_that_is_there(tmp_path):
    lesson = tmp_path / find_lesson(7).name
    lesson.write_bytes(find_lesson(7).read_bytes())
    file, printed = write_notebook(lesson)
    assert printed.startswith(f"Written: {file}\n")
    assert sys.executable in printed
    cells = nbformat.read(file, as_version=4).cells
    assert f"__file__ = {str(lesson)!r}\n" in cells[2].source

    file.write_text("changed")
    _, printed = write_notebook(lesson)
    assert printed.startswith(f"{file} is there already")
    assert file.read_text() == "changed"
