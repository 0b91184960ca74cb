"""The messages of the lessons in Chinese, where LESSONS_LANG=zh asks for them; else as they are.

messages_zh.json is a table, English -> Chinese. Its first entry that fits is taken. {n} stands for
a number, {} for anything: a path, or a part with an entry of its own. {0} is the first of these.
"""

import json
import os
import re
from functools import cache
from pathlib import Path

TABLES = (Path(__file__).with_name("messages_zh.json"),
          Path(__file__).parents[1] / "lessons" / "exercises" / "messages_zh.json")


def translated(text: str) -> str:
    """A message in the language of LESSONS_LANG. What the tables lack stays in English."""
    if not os.environ.get("LESSONS_LANG", "").startswith("zh"):    # zh_CN, too
        return text
    exact, patterns = _tables()
    if text in exact:
        return exact[text]
    for pattern, chinese in patterns:
        if found := pattern.fullmatch(text):
            return chinese.format(*map(translated, found.groups()))
    return text


@cache
def _tables() -> tuple[dict[str, str], list[tuple[re.Pattern, str]]]:
    entries = {}
    for table in TABLES:
        entries |= json.loads(table.read_text(encoding="utf-8"))
    exact, patterns = {}, []
    for english, chinese in entries.items():
        pattern = re.escape(english).replace(r"\{\}", "(.+?)").replace(r"\{n\}", r"([\d,.]+)")
        if pattern == re.escape(english):
            exact[english] = chinese
        else:
            patterns.append((re.compile(pattern, re.DOTALL), chinese))
    return exact, patterns
