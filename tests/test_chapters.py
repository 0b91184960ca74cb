"""The table of chapters in lessons/README.md, held against the titles of the lessons' cells."""

import itertools
import re

import pytest
from conftest import LESSONS, ROOT

GUIDE = ROOT / "lessons" / "README.md"


def table(*header):
    """The rows of the guide's table with this header: a list of cells each."""
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    first = lines.index(f"| {' | '.join(header)} |") + 2    # after the header and | --- | --- |
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[first:])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def listed_cells(lesson):
    """The titles that the table lists for a lesson."""
    titles = set()
    for _, link, cells in table("section", "lesson", "cells"):
        if f"({lesson.name})" in link:
            titles |= set(re.sub(r"\\([_*])", r"\1", cells).split(" · "))
    return titles


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_the_table_lists_each_cell_by_its_title(lesson):
    titles = re.findall(r"^ *# %% (.+)$", lesson.read_text(encoding="utf-8"), re.MULTILINE)

    assert listed_cells(lesson) == set(titles) - {"Setup"}


def test_each_row_links_a_lesson():
    links = {link for _, link, _ in table("section", "lesson", "cells")}

    assert links == {f"[{lesson.name[:2]}]({lesson.name})" for lesson in LESSONS}
