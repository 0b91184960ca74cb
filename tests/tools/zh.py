"""Keeps the Chinese lessons in step with the English ones: `make zh N=7`.

A Chinese lesson is the English one, line for line. Only its prose differs: docstrings, comments
that are no checked outputs, titles of cells, and LOOK_AT. `make zh` takes all else from the English
lesson. It keeps the Chinese of each remark whose English is as it was, and lists those that are new;
they stand in the Chinese lesson in English, until somebody translates them.

If English remarks changed and their Chinese need not, `make zh N=7 ARGS=--confirm` says so.

lessons/zh/in_step.json remembers for each lesson the English remarks whose Chinese there is.
"""

import argparse
import ast
import io
import json
import re
import sys
import tokenize
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))    # tests/, when this runs as a program
from checked_outputs import expected_outputs

CHINESE = Path(__file__).parents[2] / "lessons" / "zh"
LEDGER = CHINESE / "in_step.json"
HAN = re.compile("[\u4e00-\u9fff]")


def prose(lesson: Path) -> dict[int, tuple[int, str]]:
    """The prose of a lesson: number of the line -> (column where it begins, text)."""
    source = lesson.read_text(encoding="utf-8")
    lines = source.splitlines()
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found[token.start[0]] = token.start[1], token.string
    for first, text in expected_outputs(lesson):
        for row in range(first, first + text.count("\n") + 1):
            found.pop(row)
    for text in docstrings(ast.parse(source)):
        for row in range(text.lineno, text.end_lineno + 1):
            found[row] = 0, lines[row - 1]
    return dict(sorted(found.items()))


def docstrings(tree: ast.Module) -> list[ast.Constant]:
    """The docstrings, and the text of LOOK_AT."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef
    texts = [node.body[0].value for node in ast.walk(tree)
             if isinstance(node, kinds) and ast.get_docstring(node)]
    return texts + [node.value for node in tree.body
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LOOK_AT"]


def without_prose(lesson: Path) -> list[str]:
    """The lines of a lesson, with a mark in the place of each remark."""
    lines = lesson.read_text(encoding="utf-8").splitlines()
    for row, (column, text) in prose(lesson).items():
        mark = "# %%" if text.startswith("# %%") else "#"
        quotes = text.count('"""')
        lines[row - 1] = lines[row - 1][:column] + mark if column or text[:1] == "#" else (
            "a text" + quotes * '"""')
    return lines


def hashes(lesson: Path) -> list[str]:
    """One for each line of prose."""
    return [sha256(text.encode()).hexdigest()[:8] for _, text in prose(lesson).values()]


def changed(lesson: Path) -> list[int]:
    """The lines of an English lesson whose prose is not what its Chinese was made of."""
    rows, known = list(prose(lesson)), read_ledger().get(lesson.stem, [])
    found = []
    for tag, _, _, start, end in opcodes(known, hashes(lesson)):
        if tag != "equal":    # of a remark that is gone, the line of the next one
            found += [rows[min(index, len(rows) - 1)] for index in range(start, max(end, start + 1))]
    return found


def opcodes(before: list[str], now: list[str]) -> list[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, before, now, autojunk=False).get_opcodes()


def left_in_english(english: Path, chinese: Path) -> list[int]:
    """The lines of a Chinese lesson whose prose is the English one, and is no code."""
    pairs = zip(prose(english).values(), prose(chinese).items(), strict=True)
    return [row for (_, text), (row, (_, translated)) in pairs if text == translated
            and re.search("[A-Za-z]{2,},? [a-z]{2,}", text) and not text.startswith("#     ")]


def carry(english: Path, chinese: Path) -> str:
    """The Chinese lesson with the code of the English one, and what there is of its own prose."""
    lines = english.read_text(encoding="utf-8").splitlines()
    rows, texts = list(prose(english).items()), list(prose(chinese).values())
    for tag, start, end, new, _ in opcodes(read_ledger().get(english.stem, []), hashes(english)):
        for index in range(start, end if tag == "equal" else start):
            row, (column, _) = rows[new + index - start]
            lines[row - 1] = lines[row - 1][:column] + texts[index][1]
    return "\n".join(lines) + "\n"


def read_ledger() -> dict[str, list[str]]:
    return json.loads(LEDGER.read_text(encoding="utf-8")) if LEDGER.exists() else {}


def confirm(english: Path) -> None:
    """Remembers that the Chinese says what the English lesson says now."""
    ledger = read_ledger() | {english.stem: hashes(english)}
    lines = [f"{json.dumps(name)}: {json.dumps(ledger[name])}" for name in sorted(ledger)]
    LEDGER.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser("make zh")
    parser.add_argument("lesson", type=Path)
    parser.add_argument("--confirm", action="store_true", help="its Chinese is right as it is")
    args = parser.parse_args()
    english, chinese = args.lesson, CHINESE / args.lesson.name
    if not args.confirm:
        text = carry(english, chinese) if chinese.exists() else english.read_text(encoding="utf-8")
        chinese.write_text(text, encoding="utf-8")
    confirm(english)
    for row in left_in_english(english, chinese):
        print(f"{chinese}:{row}: {prose(chinese)[row][1]}")


if __name__ == "__main__":
    main()
