"""The README's pictures: that `make pictures` draws them from runs, and that those which are there can be shown."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from conftest import ROOT, environment
from PIL import Image

pytest.importorskip("termios", reason="a terminal is recorded on Linux and macOS only")
import terminal

PICTURES = ROOT / "lessons" / "pictures"
NAMES = ["07_feature_maps.png", "09_graph.png", "12_curves.png", "12_mistakes.png", "12_terminal.svg"]


def texts(svg: str) -> list[str]:
    """The lines of text on the last screen, which is what an SVG that does not move shows."""
    root = ElementTree.fromstring(svg)
    return [text.text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("opacity") == "1"]


def test_pictures_are_drawn_from_runs(home, tmp_path):
    process = subprocess.run(
        [sys.executable, ROOT / "tests" / "pictures.py", "--epochs", "2", "--limit", "300", "--to", tmp_path / "new"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False, env=environment(home))
    assert process.returncode == 0, process.stderr
    assert [path.name for path in sorted((tmp_path / "new").iterdir())] == NAMES
    for name in NAMES[:-1]:
        with Image.open(tmp_path / "new" / name) as picture:
            assert picture.width == 1760
            assert picture.getpixel((0, 0))[3] == 0                   # a rounded corner, and on the card something
            assert len(picture.crop((60, 100, 1700, picture.height - 60)).convert("RGB").getcolors(1 << 24)) > 50
    last_screen = texts((tmp_path / "new" / "12_terminal.svg").read_text(encoding="utf-8"))
    assert last_screen[0] == "$ python lessons/12_train_gpu.py --epochs 2 --limit 300"
    assert sum(line.startswith("epoch   ") for line in last_screen) == 2
    assert last_screen[-1].endswith("(drawn stand-in, not CIFAR-10)")
    assert not any(str(home) in line for line in last_screen)


def test_a_recording_is_played_as_a_terminal_shows_it(tmp_path):
    (tmp_path / "a.cast").write_text('{"version": 2, "command": "run"}\n'
                                     '[1, "o", "one\\r\\n10%"]\n[2, "o", "\\r55%"]\n[4, "o", "\\r   \\r<end>\\r\\n"]\n')
    screens = dict(terminal.play(tmp_path / "a.cast"))
    halfway = terminal.TYPING + terminal.RUNNING / 2
    assert list(screens.values())[:4] == [["$ "], ["$ r"], ["$ ru"], ["$ run"]]
    assert screens[halfway] == ["$ run", "one", "55%"]
    assert screens[terminal.TYPING + terminal.RUNNING] == ["$ run", "one", "<end>", ""]

    svg = terminal.animate(tmp_path / "a.cast")
    assert texts(svg) == ["$ run", "one", "<end>"]
    overwritten = re.search(r'keyTimes="(.*?)" values="(.*?)"', svg[svg.index(">55%<"):]).groups()
    begin, end = halfway / terminal.SECONDS, (terminal.TYPING + terminal.RUNNING) / terminal.SECONDS
    assert overwritten == (f"0;{begin:.4g};{end:.4g}", "0;1;0")


def test_long_lines_break_and_paths_are_short():
    assert terminal.wrap(["a" * (terminal.COLUMNS + 1), ""]) == ["a" * terminal.COLUMNS, "a", ""]
    assert "".join(terminal.wrap(["ab  c " * 50])) == ("ab  c " * 50).rstrip()
    assert terminal.wrap([f"kept in {terminal.HOME}/models"]) == ["kept in models"]


def test_readme_shows_the_pictures_that_there_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"!\[([^\]]*)\]\((lessons/pictures/[^)]*)\)", readme))
    assert sorted(shown.values()) == [f"lessons/pictures/{name}" for name in NAMES]
    assert all(len(text.split()) > 8 for text in shown)    # the text for those who do not see them
    assert sorted(path.name for path in PICTURES.iterdir()) == NAMES
    for path in PICTURES.iterdir():
        assert path.stat().st_size < 300_000
