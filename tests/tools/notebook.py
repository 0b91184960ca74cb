"""Writes a lesson as a notebook: `make notebook N=7`.

Each `# %%` cell becomes a cell with its title as a heading. The docstring and "Try next" become
text. The body of `main()`, which only lesson 2 has, becomes cells like all others.
"""

import re
import sys
import textwrap
from pathlib import Path

import jupytext

SETUP = '''\
# %% {title}
# A notebook does not know this name. Lessons call their folders in logs/ by it, and worker
# processes import this file to find the lesson's classes.
__file__ = {path!r}

'''


def heading(title: re.Match) -> str:
    """A cell of text with the title, and the begin of a cell of code."""
    text = title[1].replace("_", r"\_")    # else __len__ would be a bold "len"
    return f"# %% [markdown]\n# ## {text}\n\n# %%\n"


def to_notebook(lesson: Path):
    """The lesson as a notebook, a `NotebookNode` without outputs."""
    source = lesson.read_text(encoding="utf-8")
    for title in ("Setup", "准备"):
        setup = SETUP.format(title=title, path=str(lesson))
        source = source.replace(f"# %% {title}\n", setup)

    # Comments above main() and above the call of it speak of main(), so they go, too.
    source = re.sub(r'^(#.*\n)*if __name__ == "__main__":\n    main\(\)\n', "", source,
                    flags=re.MULTILINE)
    source = re.sub(r"^(?:#.*\n)*def main\(\):\n((?:    .*\n|\n)*)",
                    lambda main: textwrap.dedent(main[1]), source, flags=re.MULTILINE)

    source = re.sub(r'\A"""(.*?)"""\n', r'# %% [markdown]\n"""\n# \1"""\n', source, flags=re.DOTALL)
    for title in ("Try next:", "试一试："):
        source = source.replace(f"# {title}\n", f"# %% [markdown]\n# ## {title[:-1]}\n")
    source = re.sub(r"^# %% (?!\[markdown\])(.+)\n", heading, source, flags=re.MULTILINE)

    notebook = jupytext.reads(source, fmt="py:percent")
    for cell in notebook.cells:
        cell.source = cell.source.strip()
    notebook.cells = [cell for cell in notebook.cells if cell.source]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3",
                                       "language": "python"}
    return notebook


def main() -> None:
    lesson = Path(sys.argv[1]).resolve()
    file = lesson.with_suffix(".ipynb")
    if file.exists():
        print(f"{file} is there already, perhaps with your changes. "
              "Delete it if it should be written anew.")
    else:
        jupytext.write(to_notebook(lesson), file)
        print(f"Written: {file}")
    print(f"Open it in VS Code, PyCharm or Jupyter. Choose this Python as its kernel: "
          f"{sys.executable}")


if __name__ == "__main__":
    main()
