"""The README's pictures: `make pictures` draws them from runs, and the README shows all of them."""

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from conftest import ROOT, environment
from PIL import Image

pytest.importorskip("termios", reason="a terminal is recorded on Linux and macOS only")
from tools import terminal

PICTURES = ROOT / "lessons" / "pictures"
NAMES = ["07_feature_maps.png", "09_graph.png", "12_curves.png", "12_mistakes.png",
         "12_terminal.svg"]


def texts(svg: str) -> list[str]:
    """The lines of text on the last screen. An SVG that does not move shows them."""
    root = ElementTree.fromstring(svg)
    return [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")
            if text.get("opacity") == "1"]


def test_pictures_are_drawn_from_runs(home, tmp_path):
    new = tmp_path / "new"
    process = subprocess.run(
        [sys.executable, ROOT / "tests" / "tools" / "pictures.py", "--epochs", "2",
         "--limit", "300", "--to", new],
        cwd=tmp_path, env=environment(home), capture_output=True, encoding="utf-8", check=False)
    assert process.returncode == 0, process.stderr
    assert [path.name for path in sorted(new.iterdir())] == NAMES
    for name in NAMES[:-1]:
        with Image.open(new / name) as picture:
            assert picture.width == 1760
            assert picture.getpixel((0, 0))[3] == 0    # a rounded corner
            card = picture.crop((60, 100, 1700, picture.height - 60)).convert("RGB")
            assert len(card.getcolors(1 << 24)) > 50    # something is drawn on it

    command, *shown = texts((new / "12_terminal.svg").read_text(encoding="utf-8"))
    assert command == "$ python lessons/12_train_gpu.py --epochs 2 --limit 300"
    assert [line[:11] for line in shown[:3]] == ["epoch  1/2 ", "2 epochs wi", "epoch  2/2 "]
    assert re.search(r"test accuracy 0\.\d{4} \(drawn stand-in, not CIFAR-10\)$", " ".join(
        "\n".join(shown).rpartition("\n2 epochs")[2].split()))
    assert not any("TensorBoard" in line or str(home) in line for line in shown)


@pytest.fixture
def recording(tmp_path):
    """A function that writes a recording: `recording((seconds, text), ...)`."""
    def write(*events):
        lines = [{"version": 2, "command": "run"}, *([at, "o", text] for at, text in events)]
        (tmp_path / "a.cast").write_text("\n".join(map(json.dumps, lines)) + "\n")
        return tmp_path / "a.cast"

    return write


def test_a_recording_is_played_as_a_terminal_shows_it(recording):
    file = recording((1, "epoch 1\r\n10%"), (2, "\r55%"), (4, "\r   \r<end>\r\n"))
    screens = dict(terminal.play(file))
    halfway = terminal.TYPING + terminal.RUNNING / 2
    assert list(screens.values())[:4] == [["$ "], ["$ r"], ["$ ru"], ["$ run"]]
    assert screens[halfway] == ["$ run", "epoch 1", "55%"]
    assert screens[terminal.TYPING + terminal.RUNNING] == ["$ run", "epoch 1", "<end>", ""]

    svg = terminal.animate(file)
    assert texts(svg) == ["$ run", "epoch 1", "<end>"]
    overwritten = re.search(r'keyTimes="(.*?)" values="(.*?)"', svg[svg.index(">55%<"):]).groups()
    begin = halfway / terminal.SECONDS
    end = (terminal.TYPING + terminal.RUNNING) / terminal.SECONDS
    assert overwritten == (f"0;{begin:.4g};{end:.4g}", "0;1;0")


def test_the_picture_begins_with_training_and_leaves_out_where_to_look(recording):
    file = recording(
        (1, "Dropout\r\nData: x\r\n"), (2, "training: 0%"),
        (3, "\r            \repoch 1\r\nby class:\r\n"),
        (4, "\r\nSee it in TensorBoard:\r\n  tensorboard\r\nLook at:\r\n- a\r\n"),
        (5, "\r\ntest accuracy\r\n"))
    shown = [screen for at, screen in terminal.play(file) if at > terminal.TYPING]
    assert shown == [["$ run"], ["$ run", "training: 0%"], ["$ run", "epoch 1", "by class:", ""],
                     ["$ run", "epoch 1", "by class:", ""],
                     ["$ run", "epoch 1", "by class:", "", "test accuracy", ""]]


def test_long_lines_break_and_paths_are_short():
    wide = "a" * terminal.COLUMNS
    assert terminal.wrap([wide + "a", ""]) == [wide, "a", ""]
    assert "".join(terminal.wrap(["ab  c " * 50])) == ("ab  c " * 50).rstrip()
    assert terminal.wrap([f"kept in {terminal.HOME}/models"]) == ["kept in models"]


def test_readme_shows_the_pictures_that_there_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"!\[([^\]]*)\]\((lessons/pictures/[^)]*)\)", readme))
    assert sorted(shown.values()) == [f"lessons/pictures/{name}" for name in NAMES]
    assert all(len(text.split()) > 8 for text in shown)    # for those who do not see them
    assert sorted(path.name for path in PICTURES.iterdir()) == NAMES
    for path in PICTURES.iterdir():
        assert path.stat().st_size < 300_000
