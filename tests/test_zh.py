"""The Chinese lessons say what the English ones say, line for line; and nothing is left in English."""

import ast
import json
import re
import subprocess
import sys
import unicodedata

import pytest
from conftest import LESSONS, ROOT, environment
from test_exercises import EXERCISES
from tools import zh

from shared import checking, language
from shared.language import translated

HAN = re.compile("[\u4e00-\u9fff]")
each_lesson = pytest.mark.parametrize("english", LESSONS, ids=lambda path: path.stem)


def chinese_of(english):
    return zh.CHINESE / english.name


# The lessons


def difference(english, chinese):
    """The first line in which they differ, prose left aside; None if there is none."""
    pairs = zip(zh.without_prose(english), zh.without_prose(chinese), strict=False)
    differ = [f"line {row}: {left!r} is {right!r}" for row, (left, right) in enumerate(pairs, 1)
              if left != right]
    lengths = [len(zh.without_prose(path)) for path in (english, chinese)]
    return differ[0] if differ else None if lengths[0] == lengths[1] else f"{lengths} lines"


@each_lesson
def test_code_and_outputs_are_those_of_the_english_lesson(english):
    assert difference(english, chinese_of(english)) is None


@each_lesson
def test_the_chinese_is_of_the_english_prose_as_it_is_now(english):
    assert zh.changed(english) == [], f"lines of {english.name}: `make zh N=...`, then translate"


@each_lesson
def test_no_remark_is_left_in_english(english):
    assert zh.left_in_english(english, chinese_of(english)) == []


@each_lesson
def test_chinese_lines_are_short_and_have_chinese_punctuation(english):
    for row, line in enumerate(chinese_of(english).read_text(encoding="utf-8").splitlines(), 1):
        assert sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in line) <= 100, row
        assert not re.search("[\u4e00-\u9fff][,;:?!]|[,;:?!][\u4e00-\u9fff]", line), row


@pytest.fixture
def copies(tmp_path, monkeypatch):
    """A small English lesson and its Chinese one, in step."""
    english, chinese = tmp_path / "01_small.py", tmp_path / "zh" / "01_small.py"
    chinese.parent.mkdir()
    english.write_text('"""01. Small"""\n\n# %% One is added\nx = 1 + 1    # the sum of two\n'
                       'print("x:", x)\n# -> x: 2\n', encoding="utf-8")
    chinese.write_text('"""01. 小课"""\n\n# %% 加一\nx = 1 + 1    # 两个数的和\n'
                       'print("x:", x)\n# -> x: 2\n', encoding="utf-8")
    monkeypatch.setattr(zh, "CHINESE", chinese.parent)
    monkeypatch.setattr(zh, "LEDGER", chinese.parent / "in_step.json")
    zh.confirm(english)
    assert difference(english, chinese) is None
    assert zh.changed(english) == zh.left_in_english(english, chinese) == []
    return english, chinese


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(("old", "new", "line"), [
    ("1 + 1", "1 + 2", 4),                 # code
    ("# -> x: 2", "# -> x: 3", 6),         # what it prints
    ("    # 两个数", "     # 两个数", 4),    # a place
    ("# %% 加一", "# 加一", 3),              # a cell
])
def test_a_change_of_code_or_output_is_found(copies, old, new, line):
    replace(copies[1], old, new)
    assert difference(*copies).startswith(f"line {line}: ")


def test_a_line_more_or_less_is_found(copies):
    for path, more in ((copies[1], "y = 1\n"), (copies[0], "y = 1\ny = 2\n")):
        path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
        assert difference(*copies) is not None


@pytest.mark.parametrize(("old", "new", "lines"), [
    ("the sum of two", "the sum of both", [4]), ("One is added", "Two is", [3]),
    ("Small", "Large", [1])])
def test_a_remark_whose_english_changed_is_named(copies, old, new, lines):
    replace(copies[0], old, new)
    assert zh.changed(copies[0]) == lines


def test_an_english_remark_that_is_gone_is_found(copies):
    replace(copies[0], "    # the sum of two", "")
    assert difference(*copies) is not None
    assert zh.changed(copies[0])


def make_zh(monkeypatch, english, *arguments):
    monkeypatch.setattr(sys, "argv", ["zh.py", str(english), *arguments])
    zh.main()


def test_make_zh_carries_code_over_and_lists_what_is_new(copies, monkeypatch, capsys):
    english, chinese = copies
    replace(english, "x = 1 + 1    # the sum of two\n",
            "# Two of the numbers\nx = 1 + 1 + 0    # the sum of two\n")
    make_zh(monkeypatch, english)
    assert chinese.read_text(encoding="utf-8") == (
        '"""01. 小课"""\n\n# %% 加一\n# Two of the numbers\nx = 1 + 1 + 0    # 两个数的和\n'
        'print("x:", x)\n# -> x: 2\n')
    assert capsys.readouterr().out == f"{chinese}:4: # Two of the numbers\n"
    assert difference(english, chinese) is None
    assert zh.left_in_english(english, chinese) == [4]

    replace(chinese, "# Two of the numbers", "# 其中两个数")
    make_zh(monkeypatch, english)    # what was translated meanwhile stays
    assert "# 其中两个数\n" in chinese.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_a_remark_whose_chinese_stays_right_can_be_confirmed(copies, monkeypatch):
    replace(copies[0], "the sum of two", "the sum of both")
    before = copies[1].read_text(encoding="utf-8")
    make_zh(monkeypatch, copies[0], "--confirm")
    assert copies[1].read_text(encoding="utf-8") == before
    assert zh.changed(copies[0]) == []


# The READMEs


def shape(readme):
    """Headings, fences, tables, links and numbers of a README, without what language changes."""
    text = readme.read_text(encoding="utf-8").partition("\n## 术语表")[0].partition("\n")[2]
    links = [re.sub(r"#.*|(\.\./)+|\b(lessons/)?(zh/)?|\.zh", "", link)
             for link in re.findall(r"\]\(([^)]+)\)", text)]
    rows = [line.count(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {"headings": re.findall("^#+ ", text, re.MULTILINE), "fences": text.count("```"),
            "details": text.count("<details>"), "rows": rows, "links": links}


def numbers(readme):
    """The figures with a decimal point or of three digits, which nobody writes out in words."""
    text = readme.read_text(encoding="utf-8").partition("\n## 术语表")[0]
    return sorted(re.findall(r"\d+\.\d+|\d{1,3}(?:,\d{3})+|\d{3,}", text))


@pytest.mark.parametrize(("english", "chinese"), [
    ("README.md", "README.zh.md"), ("lessons/README.md", "lessons/zh/README.md")])
def test_the_readmes_have_the_same_form_and_the_same_figures(english, chinese):
    english, chinese = ROOT / english, ROOT / chinese
    assert shape(chinese) == shape(english)
    assert numbers(chinese) == numbers(english)
    for one, other in ((english, chinese), (chinese, english)):    # linked in the first line
        link = re.search(r"\]\(([^)]+)\)", one.read_text(encoding="utf-8").partition("\n")[0])[1]
        assert (one.parent / link).resolve() == other
    for link in re.findall(r"\]\(([^)#:]+\.\w+)", chinese.read_text(encoding="utf-8")):
        assert (chinese.parent / link).exists(), link


@each_lesson
def test_the_chinese_table_of_chapters_lists_each_cell_by_its_title(english):
    lines = (zh.CHINESE / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ")[2] for line in lines if f"]({english.name}) | " in line]
    listed = {title.removesuffix(" |").replace("\\_", "_") for row in rows
              for title in row.split(" · ")}
    titles = re.findall("^ *# %% (.+)$", chinese_of(english).read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == set(titles) - {"准备"}


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md", "lessons/README.md", "lessons/zh/README.md"])
def test_links_to_headings_lead_somewhere(readme):
    readme = ROOT / readme

    def anchors(file):
        headings = re.findall("^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    for file, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", readme.read_text(encoding="utf-8")):
        assert anchor in anchors(readme.parent / file if file else readme), anchor


# Messages


@pytest.fixture
def in_chinese(monkeypatch):
    monkeypatch.setenv("LESSONS_LANG", "zh")


def templates():
    """What `shared` tells a learner: each text that it raises or prints, with 17 for its parts."""
    tellers = ("LessonError", "DownloadError", "_say", "_end", "translated", "Remark")
    for path in sorted((ROOT / "shared").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in tellers and node.args:
                text = "".join(
                    part.value if isinstance(part, ast.Constant) else "17"
                    for part in getattr(node.args[0], "values", [node.args[0]])
                    if isinstance(part, ast.Constant | ast.FormattedValue))
                if text:
                    yield text


def test_each_message_of_shared_has_its_chinese(in_chinese):
    found = list(templates())
    assert len(found) > 60
    assert [text for text in found if not HAN.search(translated(text))] == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_each_text_of_the_exercises_has_its_chinese(lesson, in_chinese):
    of_lesson = checking.Lesson(lesson.name)
    texts = [ast.get_docstring(of_lesson.tree).splitlines()[0]]
    for name, node in of_lesson.exercises.items():
        exercise = EXERCISES[f"{lesson.stem[:2]}-{name}"][1]
        texts += [exercise.hint, *(says for says, _ in exercise.mistakes)]
        texts += [ast.get_docstring(part) for part in ast.walk(node)
                  if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part)]
    assert [text for text in texts if not HAN.search(translated(text))] == []


def test_the_tables_fit_their_placeholders():
    for table in language.TABLES:
        for english, chinese in json.loads(table.read_text(encoding="utf-8")).items():
            if count := english.count("{}") + english.count("{n}"):
                parts = [f"<{number}>" for number in range(count)]
                said = chinese.format(*parts)
                assert all(part in said for part in parts), english


@pytest.mark.parametrize(("text", "expected"), [
    ("Data: drawn stand-in, not CIFAR-10, 5,000 training pictures",
     "数据：程序画的替代图，不是 CIFAR-10，5,000 张训练图片"),
    ("f(1): 9 of 10 values are wrong: at [1] yours is 1, right is 2",
     "f(1): 10 个值里有 9 个不对：在 [1] 处，你的是 1，应当是 2"),
    ("f(1): yours is 1, right is 2", "f(1): 你的结果是 1，应当是 2"),
    ("what nobody has translated", "what nobody has translated")])
def test_messages_and_their_parts_are_translated(text, expected, in_chinese, monkeypatch):
    assert translated(text) == expected
    monkeypatch.setenv("LESSONS_LANG", "zh_CN")
    assert translated(text) == expected
    monkeypatch.setenv("LESSONS_LANG", "en")
    assert translated(text) == text


# What a person starts


def test_the_chinese_exercises_of_a_new_learner(tmp_path):
    process = subprocess.run(
        [sys.executable, "-m", "shared.checking", "07_conv_pool.py", "--hint"], cwd=ROOT,
        env=environment(tmp_path) | {"LESSONS_LANG": "zh"}, capture_output=True, text=True,
        encoding="utf-8", check=True)
    assert "未做" in process.stdout
    assert "提示：" in process.stdout
    mine = (tmp_path / "lessons" / "mine" / "07_conv_pool.py").read_text(encoding="utf-8")
    assert mine.startswith('"""第 7 课练习')
    functions = [node for node in ast.parse(mine).body if isinstance(node, ast.FunctionDef)]
    english = checking.Lesson("07_conv_pool.py").exercises
    assert [node.name for node in functions] == list(english)
    for node in functions:
        assert HAN.search(ast.get_docstring(node))
        assert ast.unparse(node.args) == ast.unparse(english[node.name].args)
        assert ast.unparse(node.body[-1]) == "..."
