"""What a lesson prints, held against its comments `# -> ...`, and against the rule that each line
says what it is.
"""

import doctest
import io
import re
import tokenize
from pathlib import Path

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
CHECKER = doctest.OutputChecker()

# Letters that say nothing about what a value is.
VALUES = re.compile(r"\b(True|False|None|nan|inf|tensor|array|torch\.\w+|\d[\d.]*e[+-]?\d+)\b"
                    r"|\b(dtype|device|grad_fn|requires_grad)=|<\w+>|'(cpu|cuda:\d+)'")


def expected_outputs(lesson: Path) -> list[tuple[int, str]]:
    """The checked outputs in a lesson's source: (number of the line, text).

    One begins with `# -> `, on a line of its own or behind a print. (Behind anything else it is a
    shape.) It goes on in comments on the lines that follow, which begin with `#    `.
    """
    outputs = []
    last_row = None
    for token in tokenize.generate_tokens(io.StringIO(lesson.read_text("utf-8")).readline):
        if token.type != tokenize.COMMENT:
            continue
        row = token.start[0]
        code = token.line[:token.start[1]].strip()
        if token.string.startswith("# -> ") and (not code or code.startswith("print(")):
            outputs.append((row, token.string.removeprefix("# -> ")))
            last_row = row
        elif last_row == row - 1 and (token.string.startswith("#    ") or token.string == "#"):
            number, text = outputs[-1]
            outputs[-1] = (number, f"{text}\n{token.string[1:]}")
            last_row = row
    return outputs


def first_mismatch(expected: list[tuple[int, str]], printed: str) -> str | None:
    """Looks for the expected outputs in what was printed, in their order.

    Each begins at the start of a line and ends at the end of one. Between them there may be lines
    of which no comment speaks.

    Returns None if all are there. Else it says which one is not.
    """
    lines = printed.splitlines(keepends=True)
    position = 0
    for number, text in expected:
        want = text + "\n"
        ends = (end for start in range(position, len(lines))
                for end in range(start + 1, len(lines) + 1)
                if CHECKER.check_output(want, "".join(lines[start:end]), OPTIONS))
        end = next(ends, None)
        if end is None:
            return (f"line {number} says it prints\n{text}\nbut from there on it printed\n"
                    f"{''.join(lines[position:])}")
        position = end
    return None


def unlabelled_lines(printed: str) -> list[str]:
    """The lines that hold values and do not say what they are: `True`, `3.0`, `tensor([1, 2])`.

    A line says what it is if it has letters besides those of values. Two kinds of lines need none:
    the one after a line that ends with a colon, and those inside brackets that an earlier line has
    opened.
    """
    found = []
    open_brackets = 0
    before = ""
    for line in printed.splitlines():
        says = re.search(r"[^\W\d_]", VALUES.sub("", line))
        if line.strip() and not says and not open_brackets and not before.endswith(":"):
            found.append(line)
        change = len(re.findall(r"[(\[{]", line)) - len(re.findall(r"[)\]}]", line))
        open_brackets = max(0, open_brackets + change)
        before = line.rstrip()
    return found
