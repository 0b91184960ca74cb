"""Lessons as notebooks: every cell is there, and they run from top to bottom and print what their comments claim."""

import ast
import re
import subprocess
import sys

import nbformat
import pytest
from checked_outputs import expected_outputs, first_mismatch
from conftest import LESSONS, ROOT, environment, find_lesson
from nbclient import NotebookClient
from to_notebook import to_notebook


def write_notebook(lesson):
    """Runs what `make notebook` runs."""
    process = subprocess.run([sys.executable, ROOT / "tests" / "to_notebook.py", lesson], capture_output=True,
                             encoding="utf-8", check=True, env=environment(lesson.parent))
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
    assert texts[0] == f"# {docstring}"
    assert [text.replace("\\_", "_").removeprefix("## ") for text in texts[1:-1]] == re.findall(
        r"^ *# %% (.*)", source, flags=re.MULTILINE)
    assert texts[-1].startswith("## Try next\n- ")

    code = "\n".join(cell.source for cell in notebook.cells[2:] if cell.cell_type == "code")
    assert [ast.dump(statement) for statement in ast.parse(code).body] == list(statements(source))


@pytest.mark.parametrize(("number", "flags"), [
    (2, []),     # what stands in main(), and worker processes
    (8, []),     # flat
    (12, ["--epochs", "1", "--limit", "500"]),
])
def test_notebook_runs_from_top_to_bottom(number, flags, home, tmp_path):
    # As on Windows and macOS: workers are started afresh, and import the lesson.
    (tmp_path / "sitecustomize.py").write_text(
        "import multiprocessing\nmultiprocessing.set_start_method('spawn', force=True)\n")
    notebook = to_notebook(find_lesson(number))
    setup = notebook.cells[1]
    assert "sys.argv = [__file__]" in setup.source
    setup.source += f"\nsys.argv += {flags}"

    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute(env=environment(home) | {"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "execute_result"}
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}    # no warnings
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert first_mismatch(expected_outputs(find_lesson(number)), printed) is None


def test_make_notebook_keeps_a_notebook_that_is_there(tmp_path):
    lesson = tmp_path / find_lesson(7).name
    lesson.write_bytes(find_lesson(7).read_bytes())
    file, printed = write_notebook(lesson)
    assert printed.startswith(f"Written: {file}\n")
    assert sys.executable in printed
    assert nbformat.read(file, as_version=4).cells[1].source.endswith("flags go here: [__file__, \"--epochs\", \"3\"]")

    file.write_text("changed")
    _, printed = write_notebook(lesson)
    assert printed.startswith(f"{file} is there already")
    assert file.read_text() == "changed"
