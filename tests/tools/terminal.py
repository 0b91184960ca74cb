"""A lesson in a terminal: records it as an asciicast, and draws that as an SVG that moves."""

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

from shared.paths import HOME, LOGS

ROOT = Path(__file__).parents[2]
COLUMNS, ROWS = 112, 30
RECORDING = "terminal.cast"

# Seconds of the picture: the command is typed, then the run is shown faster than it was, then its
# end stands still, so that one can read it.
TYPING, RUNNING, RESTING = 1.2, 8.0, 2.8
SECONDS = TYPING + RUNNING + RESTING
FRAMES_A_SECOND = 10

# Pixels: width of a character, height of a line, height of the window's title, side margins.
CHARACTER, LINE, TITLE, MARGIN = 7.4, 18, 44, 20
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg"
     viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>
text {{ font: 12.3px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
        white-space: pre; fill: #d5dbe3 }}
</style>
<rect width="{width}" height="{height}" rx="10" fill="#1c2128"/>
<g fill="#4d5663">
<circle cx="22" cy="20" r="6"/><circle cx="42" cy="20" r="6"/><circle cx="62" cy="20" r="6"/>
</g>
{texts}
</svg>
"""


def record(lesson: Path, flags: list[str]) -> Path:
    """Runs a lesson in a terminal of its own and shows what it prints.

    Returns the folder of the run. What was printed is kept there, beside the TensorBoard files.
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
    text = "\n".join(map(json.dumps, [header, *events])) + "\n"
    (run / RECORDING).write_text(text, encoding="utf-8")
    return run


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:    # how Linux says that the other side is closed
        return b""


def play(recording: Path) -> list[tuple[float, list[str]]]:
    """What a recording shows: the command is typed, then the lesson runs.

    Returns each screen, a list of lines, with the second of the picture in which it appears.
    """
    header, *events = map(json.loads, recording.read_text(encoding="utf-8").splitlines())
    prompt = f"$ {header['command']}"
    screens = [(TYPING * (end - 2) / len(prompt), [prompt[:end]])
               for end in range(2, len(prompt) + 1)]
    lines, column = [""], 0
    for seconds, _, text in events:
        for character in text:
            if character == "\n":
                lines.append("")
            elif character == "\r":    # what comes next overwrites the line: a progress bar
                column = 0
            else:
                lines[-1] = lines[-1][:column].ljust(column) + character + lines[-1][column + 1:]
                column += 1
        screens.append((TYPING + RUNNING * seconds / events[-1][0],
                        [prompt, *wrap(worth_showing(lines))]))
    return screens


def worth_showing(lines: list[str]) -> list[str]:
    """The lines from the first epoch on: before it lesson 12 explains. Those that say what to look
    at in TensorBoard are left out, too: they are up to the next empty line.
    """
    numbers = range(len(lines))
    first = next((n for n in numbers if lines[n].startswith(("training", "epoch"))), len(lines))
    look = next((n for n in numbers if lines[n].startswith("See it in TensorBoard")), len(lines))
    rest = next((n + 1 for n in numbers[look:] if not lines[n].strip()), len(lines))
    return lines[first:look] + lines[rest:]


def wrap(lines: list[str]) -> list[str]:
    """Breaks long lines between words, and shows paths without the folder of LESSONS_HOME."""
    lines = [line.replace(f"{HOME}{os.sep}", "").rstrip() for line in lines]
    return [part for line in lines
            for part in textwrap.wrap(line, COLUMNS, drop_whitespace=False) or [""]]


def animate(recording: Path) -> str:
    """An SVG in which a line appears when it was printed, and goes when it was overwritten.

    Where pictures do not move, it shows the last screen.
    """
    # Of several screens in one frame, the last one remains.
    frames = {int(second * FRAMES_A_SECOND): screen for second, screen in play(recording)}
    rows = max(map(len, frames.values()))
    texts = []
    for row in range(rows):
        changes = [(0, "")]
        for frame, screen in frames.items():
            text = screen[row] if row < len(screen) else ""
            if text != changes[-1][1]:
                changes.append((frame / FRAMES_A_SECOND / SECONDS, text))
        ends = [begin for begin, _ in changes[1:]] + [None]
        texts += [svg_text(text, row, begin, end)
                  for (begin, text), end in zip(changes, ends, strict=True) if text]
    return SVG.format(width=round(COLUMNS * CHARACTER) + 2 * MARGIN,
                      height=TITLE + (rows + 1) * LINE, texts="\n".join(texts))


def svg_text(text: str, row: int, begin: float, end: float | None) -> str:
    """A line that one sees from `begin` to `end`: shares of the whole time. None: to its end."""
    seen = {0: 0} | {begin: 1} | ({end: 0} if end else {})
    times = ";".join(f"{time:.4g}" for time in seen)
    values = ";".join(map(str, seen.values()))
    return (f'<text x="{MARGIN}" y="{TITLE + row * LINE + 14}" '
            f'textLength="{len(text) * CHARACTER:.0f}" opacity="{0 if end else 1}">{escape(text)}'
            f'<animate attributeName="opacity" calcMode="discrete" keyTimes="{times}" '
            f'values="{values}" dur="{SECONDS:g}s" repeatCount="indefinite"/></text>')
