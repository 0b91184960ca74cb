"""A lesson in a terminal: recorded as asciicast, drawn as an SVG that moves."""

import codecs
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import textwrap
import time
from pathlib import Path
from xml.sax.saxutils import escape

from conftest import ROOT

from shared.paths import HOME, LOGS

COLUMNS, ROWS = 112, 30
RECORDING = "terminal.cast"

# Seconds of the picture: the command is typed, the run passes in fast motion, and its end stays to be read.
TYPING, RUNNING, RESTING = 1.2, 8.0, 2.8
SECONDS = TYPING + RUNNING + RESTING
FRAMES_A_SECOND = 10

# Pixels: the width of a character, the height of a line and of the window's title, and what is left free at the sides.
CHARACTER, LINE, TITLE, MARGIN = 7.4, 18, 44, 20
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>
text {{ font: 12.3px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre;
        fill: #d5dbe3 }}
</style>
<rect width="{width}" height="{height}" rx="10" fill="#1c2128"/>
<g fill="#4d5663"><circle cx="22" cy="20" r="6"/><circle cx="42" cy="20" r="6"/><circle cx="62" cy="20" r="6"/></g>
{texts}
</svg>
"""


def record(lesson: Path, flags: list[str]) -> Path:
    """Runs a lesson in a terminal of its own, shows what it prints, and keeps that beside the TensorBoard files.

    Returns the folder of the run.
    """
    command = ["python", str(lesson.relative_to(ROOT)), *flags]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    activated = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs,
                               env=os.environ | {"PATH": activated})
    os.close(theirs)
    events, decoder, started = [], codecs.getincrementaldecoder("utf-8")(), time.monotonic()
    while output := read(ours):
        events.append((round(time.monotonic() - started, 3), "o", decoder.decode(output)))
        print(events[-1][2], end="", flush=True)
    if process.wait():
        sys.exit(f"{' '.join(command)} failed")
    run = max(folder for folder in (LOGS / lesson.stem).iterdir() if folder.is_dir())
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "command": " ".join(command)}
    (run / RECORDING).write_text("\n".join(map(json.dumps, [header, *events])) + "\n", encoding="utf-8")
    return run


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:    # how Linux says that the other side is closed
        return b""


def play(recording: Path) -> list[tuple[float, list[str]]]:
    """The screens of a recording and the second in which each appears: the command is typed, then the lesson runs."""
    header, *events = map(json.loads, recording.read_text(encoding="utf-8").splitlines())
    prompt = f"$ {header['command']}"
    screens = [(TYPING * (end - 2) / len(prompt), [prompt[:end]]) for end in range(2, len(prompt) + 1)]
    lines, column = [""], 0
    for seconds, _, text in events:
        for character in text:
            if character == "\n":
                lines.append("")
            elif character == "\r":    # what comes next is written over the line: a progress bar
                column = 0
            else:
                lines[-1] = lines[-1][:column].ljust(column) + character + lines[-1][column + 1:]
                column += 1
        screens.append((TYPING + RUNNING * seconds / events[-1][0], [prompt, *wrap(lines)]))
    return screens


def wrap(lines: list[str]) -> list[str]:
    """Breaks long lines, between words. Paths are shown from LESSONS_HOME on: what is before that says nothing."""
    lines = [line.replace(f"{HOME}{os.sep}", "").rstrip() for line in lines]
    return [part for line in lines for part in textwrap.wrap(line, COLUMNS, drop_whitespace=False) or [""]]


def animate(recording: Path) -> str:
    """An SVG in which a line of text appears when it was printed and goes when it was overwritten.

    Where pictures do not move, it shows the last screen.
    """
    frames = {int(second * FRAMES_A_SECOND): screen for second, screen in play(recording)}    # the last screen of each
    rows = max(map(len, frames.values()))
    texts = []
    for row in range(rows):
        changes = [(0, "")]
        for frame, screen in frames.items():
            text = screen[row] if row < len(screen) else ""
            if text != changes[-1][1]:
                changes.append((frame / FRAMES_A_SECOND / SECONDS, text))
        ends = [begin for begin, _ in changes[1:]] + [None]
        texts += [svg_text(text, row, begin, end) for (begin, text), end in zip(changes, ends, strict=True) if text]
    return SVG.format(width=round(COLUMNS * CHARACTER) + 2 * MARGIN, height=TITLE + (rows + 1) * LINE,
                      texts="\n".join(texts))


def svg_text(text: str, row: int, begin: float, end: float | None) -> str:
    """A line that is seen from `begin` to `end`, which are shares of the whole time; None is to the end."""
    seen = {0: 0} | {begin: 1} | ({end: 0} if end else {})
    return (f'<text x="{MARGIN}" y="{TITLE + row * LINE + 14}" textLength="{len(text) * CHARACTER:.0f}" '
            f'opacity="{0 if end else 1}">{escape(text)}<animate attributeName="opacity" calcMode="discrete" '
            f'keyTimes="{";".join(f"{time:.4g}" for time in seen)}" values="{";".join(map(str, seen.values()))}" '
            f'dur="{SECONDS:g}s" repeatCount="indefinite"/></text>')
