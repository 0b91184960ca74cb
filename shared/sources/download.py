"""Downloads what the lessons use, and verifies its size and SHA-256, which are in files.json.

    make data                  download everything ahead of time; stop it and start it at will
    make data ARGS=--check     verify what is there, and repair it

LESSONS_MIRROR=<url> names a folder to try first, on a server or on this computer (file:///...).
LESSONS_OFFLINE=1 keeps off the internet.
"""

import argparse
import base64
import contextlib
import functools
import json
import os
import queue
import shutil
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit
from urllib.request import Request, getproxies, proxy_bypass, urlopen

from filelock import FileLock, Timeout
from tqdm import tqdm

from shared.errors import LessonError, Terminated, begin_lesson, disk_is_full, kept

if __name__ == "__main__":    # first, because shared.paths refuses what no LESSONS_HOME can be
    begin_lesson()

from shared.language import translated
from shared.paths import DATA, MODELS, whole

MIN_SPEED = 200_000    # bytes/s; a slower mirror is left for the next one
WINDOW = 20.0          # seconds over which the speed is measured
TIMEOUT = 10.0         # seconds to wait for a connection, and for each byte
LIMIT = 30.0           # seconds for a piece of the file, however slowly bytes around it come
CONNECTIONS = 20       # to one mirror, as long as each brings something before it breaks off


class DownloadError(LessonError):
    """A file cannot be downloaded or unpacked. The message says how to get it by hand."""


@dataclass(frozen=True)
class File:
    """What is known of a file before it is downloaded."""

    name: str
    size: int                # bytes
    sha256: str
    urls: tuple[str, ...]    # the mirrors, in the order in which they are tried
    folder: str = ""         # the folder in the archive; empty if the file is no archive


_PINNED = json.loads(Path(__file__).with_name("files.json").read_text(encoding="utf-8"))["files"]
FILES = {each["name"]: File(**each | {"urls": tuple(each["urls"])}) for each in _PINNED}
CIFAR10, HYMENOPTERA, VGG16 = (FILES[name] for name in (
    "cifar-10-python.tar.gz", "hymenoptera_data.zip", "vgg16-397923af.pth"))


def offline() -> bool:
    """Whether LESSONS_OFFLINE is set: to anything but an empty text, 0, false, no or off."""
    value = os.environ.get("LESSONS_OFFLINE", "").strip().lower()
    return value not in ("", "0", "false", "no", "off")


def fetch(file: File, folder: Path) -> Path:
    """Makes sure that the right file is in a folder, and returns its path.

    It is verified each time, because loading a `.pth` that somebody has changed could run their
    code. Raises DownloadError if no mirror has it, LESSONS_OFFLINE is set or it cannot be written.
    What has arrived stays in `<name>.part` and is continued, unless the disk is full.
    """
    target, part = folder / file.name, folder / f"{file.name}.part"
    try:
        if _is_right(file, target):
            return target
        if offline():
            raise OSError("it is missing or damaged, and LESSONS_OFFLINE is set")
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(target):
            if _is_right(file, target):    # another process downloaded it in the meantime
                return target
            if target.exists():
                _say(f"{target} is damaged or not the official file: downloading it again.")
                target.replace(part)    # perhaps only its end is missing
            if part.is_symlink() or (part.is_file() and part.stat().st_nlink > 1):
                part.unlink()    # what it links to belongs to somebody else
            if shutil.disk_usage(folder).free < file.size - _size(part):
                raise OSError("No space left on device")
            if not _is_right(file, part):
                _try_mirrors(file, part)
            return part.replace(target)
    except OSError as error:
        if disk_is_full(error):
            part.unlink(missing_ok=True)
        raise DownloadError(
            f"cannot download {file.name} ({file.size / 1e6:.0f} MB): {error.strerror or error}.\n"
            f"By hand: download {file.urls[0]} to {target} (SHA-256 {file.sha256}).") from None


def fetch_if_possible(file: File, folder: Path) -> Path | None:
    """Calls `fetch`. Where that fails, or Ctrl-C stops it, says so on stderr and returns None."""
    if offline() and not (folder / file.name).exists():
        return None
    try:
        return fetch(file, folder)
    except DownloadError as error:
        _say(f"{error}\nGoing on without it. With LESSONS_OFFLINE=1 no lesson tries.")
    except Terminated:
        raise
    except KeyboardInterrupt:
        _say("\nStopped the download. Going on without it. The next lesson continues.")
    return None


@functools.cache    # a lesson that did not get it once does not try again
def fetch_and_unpack(file: File, folder: Path) -> None:
    """Calls `fetch_if_possible`, and then `unpack` if there is a file. Raises what that raises."""
    if fetch_if_possible(file, folder):
        unpack(file, folder)


def unpack(file: File, folder: Path) -> None:
    """Unpacks `folder / file.name`, which `fetch` has verified, into `folder / file.folder`.

    In a folder that is there, other files stay. Raises DownloadError if it cannot be written.
    """
    archive, target = folder / file.name, folder / file.folder
    opener = zipfile.ZipFile if archive.suffix == ".zip" else tarfile.open
    try:
        with whole(target) as draft, opener(archive) as opened:
            opened.extraction_filter = getattr(tarfile, "data_filter", None)    # from 3.10.12
            opened.extractall(draft)
            shutil.copytree(draft / file.folder, target if target.is_dir() else draft,
                            copy_function=os.replace, dirs_exist_ok=True)
            shutil.rmtree(draft / file.folder)
    except OSError as error:
        raise DownloadError(f"cannot unpack {archive}: {error}.\nMake room for it or make its "
                            "folder writable, then: make data ARGS=--check") from None


def _try_mirrors(file: File, part: Path) -> None:
    """Makes `part` the verified file. Tries each mirror; if all are slow, the fastest again."""
    urls, problems = list(file.urls), []
    if mirror := os.environ.get("LESSONS_MIRROR"):
        mirror = quote(os.fsencode(mirror.rstrip("/")), safe=":/?&=%@[]~")
        urls.insert(0, f"{mirror}/{quote(file.name)}")
    for min_speed in (MIN_SPEED, 0):
        speeds = {}
        for url in urls:
            name = "LESSONS_MIRROR"
            try:
                name = _taken_apart(url)[2]
                _say(f"Downloading {file.name} ({file.size / 1e6:.0f} MB) from {name}")
                if (speed := _from_mirror(file, part, url, min_speed)) is None:
                    return
                speeds[url], problem = speed, f"slow, {speed / 1000:.0f} kB/s"
            except (OSError, ValueError, HTTPException) as error:
                if disk_is_full(error):
                    raise
                problem = str(error).partition("\n")[0].strip("<>") or repr(error)
                problem = problem.removeprefix("urlopen error ").replace(
                    "Tunnel connection failed", "the proxy refuses")
            problems.append(f"{name}: {problem}")
            _say(problems[-1])
        urls = sorted(speeds, key=speeds.get, reverse=True)
    raise OSError("; ".join(problems))


def _taken_apart(url: str) -> tuple[str, str, str]:
    """A URL without user and password; these; and what is printed of it: its server and proxy.

    Raises ValueError if it is no URL.
    """
    try:
        parts = urlsplit(url)
        login, _, server = parts.netloc.rpartition("@")
        if "@" in url and not login and (parts.port or not server):
            raise ValueError
    except ValueError:    # its own text might show a part of a password
        raise ValueError("it is no URL (in a password, write / as %2F and @ as %40)") from None
    by, proxies = "", getproxies()
    if parts.scheme in proxies and not proxy_bypass(server):
        kind, _, proxy = proxies[parts.scheme].rpartition("://")
        socks = "SOCKS " * kind.lower().startswith("socks")
        by = f" (through the {socks}proxy {proxy.rpartition('@')[2]})"
    elif parts.scheme.startswith("http") and "all" in proxies:
        by = " (without the proxy in ALL_PROXY, which Python does not use)"
    return parts._replace(netloc=server).geturl(), login, (server or url) + by


def _from_mirror(file: File, part: Path, url: str, min_speed: float) -> float | None:
    """Makes `part` the verified file, or returns the mirror's speed if it is below min_speed."""
    for _ in range(CONNECTIONS):
        have = _size(part)
        try:
            return _connect(file, part, url, min_speed)
        except (OSError, HTTPException) as error:
            if disk_is_full(error) or _size(part) == have:    # asking again would change nothing
                raise
    raise OSError(f"it broke off {CONNECTIONS} times")


def _connect(file: File, part: Path, url: str, min_speed: float) -> float | None:
    """As `_from_mirror`, over one connection. A complete file with a wrong SHA-256 is deleted."""
    have = _size(part) if _size(part) < file.size else 0
    url, login, name = _taken_apart(url)
    if "SOCKS proxy" in name:
        raise OSError("Python cannot use such a proxy (set HTTPS_PROXY to another, or unset it)")
    request = Request(url, headers={"User-Agent": "pytorch-lessons", "Range": f"bytes={have}-"})
    if login:
        encoded = base64.b64encode(unquote_to_bytes(login)).decode()
        request.add_unredirected_header("Authorization", f"Basic {encoded}")
    pieces = _pieces(request)
    response = next(pieces)
    done = mark = have if response.status == 206 else 0    # 206: a part; 200: the whole file
    length = response.headers.get("Content-Length")
    if length not in (None, str(file.size - done)):    # a login page, for example
        raise ValueError(f"it sends {length} bytes, not {file.size - done}")
    bar = tqdm(desc=file.name, total=file.size, initial=done, unit="B", unit_scale=True,
               disable=None)
    with bar, part.open("ab" if done else "wb") as out:
        since = time.monotonic()
        for piece in pieces:
            done += out.write(piece)
            bar.update(len(piece))
            seconds = time.monotonic() - since
            if seconds >= WINDOW and done < file.size:
                if (speed := (done - mark) / seconds) < min_speed:
                    return speed
                mark, since = done, time.monotonic()
            if done > file.size:
                break
    if done < file.size:
        raise OSError(f"it broke off after {done} of {file.size} bytes")
    if not _is_right(file, part):
        part.unlink()    # its beginning may be another mirror's: this one is asked for all of it
        raise OSError("it sends another file, the SHA-256 differs")
    return None


def _pieces(request: Request) -> Iterator:
    """What a server answers: first the response, then the file piece by piece.

    A thread reads it, because a server might drip what comes before the file, or between its
    pieces, for ever. Raises OSError if there is nothing to yield for LIMIT seconds.
    """
    pieces, errors = queue.Queue(8), []    # 8: not the whole file
    threading.Thread(target=_read, args=(request, pieces, errors), daemon=True).start()
    try:
        while (piece := pieces.get(timeout=LIMIT)) != b"":
            yield piece
    except queue.Empty:
        raise OSError(f"nothing of the file came for {LIMIT:.0f} s") from None
    if errors:
        raise errors.pop()


def _read(request: Request, pieces: queue.Queue, errors: list[Exception]) -> None:
    with contextlib.suppress(queue.Full):    # nobody wants it any more
        try:
            with urlopen(request, timeout=TIMEOUT) as response:
                pieces.put(response)
                while piece := response.read1(1 << 18):
                    pieces.put(piece, timeout=LIMIT)
        except Exception as error:
            errors.append(error)
        pieces.put(b"", timeout=LIMIT)


def _lock(path: Path):
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        _say(f"Another process is busy with {path.name}: waiting for it.")
        return lock.acquire()


def _is_right(file: File, path: Path) -> bool:
    # It may be read at once: whoever wants the file reads it as a whole, too.
    return _size(path) == file.size and sha256(path.read_bytes()).hexdigest() == file.sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _say(line: str) -> None:
    print(translated(line), file=sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """`make data`. Ends with exit status 2 if something could not be downloaded."""
    parser = argparse.ArgumentParser("make data", description="Downloads what the lessons use.")
    parser.add_argument("--check", action="store_true", help="only verify and repair what is there")
    check = parser.parse_args(arguments).check
    total, status = sum(file.size for file in FILES.values()), 0
    print(translated(f"{total / 1e6:.0f} MB in all. Ctrl-C stops it, the same command continues "
                     "it."))
    kept.append("what has arrived")
    for file in FILES.values():
        folder = DATA if file.folder else MODELS / "hub" / "checkpoints"    # as torch.hub does
        if check and not (folder / file.name).exists():
            print(translated(f"{file.name}: not there, nothing to check"))
        elif check or not (file.folder and (DATA / file.folder).is_dir()):
            try:
                fetch(file, folder)
                if file.folder:
                    unpack(file, folder)
                print(translated(f"{file.name}: verified"))
            except DownloadError as error:
                _say(f"Error: {error}")
                status = 2
    sys.exit(status)


if __name__ == "__main__":
    main()
