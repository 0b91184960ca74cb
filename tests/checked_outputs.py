"""The comments `# -> …` of a lesson, held against what it printed."""

import doctest
import io
import tokenize
from pathlib import Path

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
CHECKER = doctest.OutputChecker()


def expected_outputs(lesson: Path) -> list[tuple[int, str]]:
    """The checked outputs in a lesson's source: (number of the line, text).

    `# -> text` under a print, or behind it on its line, begins one (behind anything else it speaks of a shape).
    Comments on the lines that follow, indented by `#    `, continue it.
    """
    outputs = []
    last_row = None
    for token in tokenize.generate_tokens(io.StringIO(lesson.read_text(encoding="utf-8")).readline):
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
    """Looks for the expected outputs in what was printed, in order; lines that no comment speaks of may stand between.

    Each begins at the start of a line and ends at the end of one. Returns None if all are there, else which is not.
    """
    lines = printed.splitlines(keepends=True)
    position = 0
    for number, text in expected:
        want = text + "\n"
        ends = (end for start in range(position, len(lines)) for end in range(start + 1, len(lines) + 1)
                if CHECKER.check_output(want, "".join(lines[start:end]), OPTIONS))
        end = next(ends, None)
        if end is None:
            return f"line {number} says it prints\n{text}\nbut from there on it printed\n{''.join(lines[position:])}"
        position = end
    return None
