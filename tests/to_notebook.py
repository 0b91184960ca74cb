"""Writes a lesson as a notebook: its cells, their titles as headings, and what a script has but a notebook lacks.

    make notebook N=7
"""

import re
import sys
import textwrap
from pathlib import Path

import jupytext

# Worker processes import `__file__` again to find the lesson's classes, so it is the lesson and not the notebook.
SETUP = '''\
# %%
# What Python gives to a script and a notebook lacks: where it lies, and the flags behind it on the command line.
import sys

__file__ = {path!r}
sys.argv = [__file__]    # flags go here: [__file__, "--epochs", "3"]

# %%
'''


def heading(title: re.Match) -> str:
    return "# %% [markdown]\n# ## " + title[1].replace("_", r"\_") + "\n\n# %%\n"    # else __len__ would be a bold len


def to_notebook(lesson: Path):
    """The lesson as a notebook, a `NotebookNode` without outputs.

    The body of `main()` becomes cells like all others: workers are given the lesson's file, whose own guard holds.
    """
    source = lesson.read_text(encoding="utf-8")
    # The guard goes, with the comment above it; what stands in main() moves to the left.
    source = re.sub(r'^(#.*\n)*if __name__ == "__main__":\n    main\(\)\n', "", source, flags=re.MULTILINE)
    source = re.sub(r"^def main\(\):\n((?:    .*\n|\n)*)", lambda main: "# %%\n" + textwrap.dedent(main[1]), source,
                    flags=re.MULTILINE)
    # The docstring, the titles of the cells and the suggestions at the end are text.
    source = re.sub(r'\A"""(.*?)"""\n',
                    lambda text: f'# %% [markdown]\n"""\n# {text[1]}"""\n\n{SETUP.format(path=str(lesson))}',
                    source, flags=re.DOTALL)
    source = re.sub(r"^# %% (?!\[markdown\])(.+)\n", heading, source, flags=re.MULTILINE)
    source = source.replace("# Try next:\n", "# %% [markdown]\n# ## Try next\n")

    notebook = jupytext.reads(source, fmt="py:percent")
    for cell in notebook.cells:
        cell.source = cell.source.strip()
    notebook.cells = [cell for cell in notebook.cells if cell.source]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def main():
    lesson = Path(sys.argv[1]).resolve()
    file = lesson.with_suffix(".ipynb")
    if file.exists():
        print(f"{file} is there already, and yours: delete it to have it written afresh.")
    else:
        jupytext.write(to_notebook(lesson), file)
        print(f"Written: {file}")
    print(f"Open it in VS Code or PyCharm, or with `jupyter lab`; its kernel is {sys.executable}")


if __name__ == "__main__":
    main()
