"""Downloads from a server that misbehaves on order, archives that attack. Only 127.0.0.1 is ever asked."""

import hashlib
import io
import os
import pickle
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest
from misbehaving_server import MisbehavingServer

from shared import LessonError, download
from shared.download import DownloadError, File, fetch, unpack

BODY = random.Random(0).randbytes(200_000)
NAME = "file.bin"
ROOT = Path(__file__).parents[1]
QUICK = {"min_speed": 0, "timeout": 10}
posix_only = pytest.mark.skipif(os.name == "nt", reason="signals, limits and terminals of POSIX")


def file_at(*urls: str, body: bytes = BODY, name: str = NAME, folder: str = "") -> File:
    return File(name, len(body), hashlib.sha256(body).hexdigest(), urls, folder)


class Watcher(threading.Thread):
    """Reads the final name all the time: it may only ever hold the verified file."""

    def __init__(self, target: Path):
        super().__init__(daemon=True)
        self.target = target
        self.looks = 0
        self.wrong = []
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            try:
                content = self.target.read_bytes()
            except OSError:
                time.sleep(0.0005)
            else:
                if content != BODY:
                    self.wrong.append(len(content))
            self.looks += 1


@pytest.fixture(autouse=True)
def nothing_but_this_computer(monkeypatch):
    for name in ("LESSONS_MIRROR", "LESSONS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    connect = socket.create_connection

    def connect_here(address, *args, **kwargs):
        assert address[0] == "127.0.0.1", address
        return connect(address, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", connect_here)


@pytest.fixture
def server():
    with MisbehavingServer(BODY) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    """A folder with a Chinese name and a space, watched during the test."""
    watcher = Watcher(tmp_path / "数据 data" / NAME)
    watcher.start()
    yield tmp_path / "数据 data"
    watcher.over.set()
    watcher.join()
    assert watcher.looks > 0
    assert watcher.wrong == []


def check_complete(folder: Path) -> None:
    assert (folder / NAME).read_bytes() == BODY
    assert not (folder / f"{NAME}.part").exists()


def closed_port() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/{NAME}"


# The first mirror misbehaves, the second is right: what they are asked for, and what is said of the first.

@pytest.mark.parametrize(("first", "asked", "line"), [
    ("ok", ["ok"], ""),
    ("chunked", ["chunked"], ""),
    ("noranges", ["noranges"], ""),
    ("status:403", ["status:403", "ok"], "HTTP Error 403: Forbidden"),
    ("status:404", ["status:404", "ok"], "HTTP Error 404: Not Found"),
    ("status:503", ["status:503", "ok"], "HTTP Error 503: Service Unavailable"),
    ("drop", ["drop", "ok"], "Remote end closed connection"),
    ("garbage", ["garbage", "ok"], "SSH-2.0"),
    ("hang", ["hang", "ok"], "timed out"),
    ("stall:60000", ["stall:60000", *(f"stall:60000 from {at}" for at in (60000, 120000, 180000))], ""),
    ("cut:0", ["cut:0", "ok"], "broke off after 0 of 200000 bytes"),
    ("cut:9000", ["cut:9000", *(f"cut:9000 from {9000 * i}" for i in range(1, 20)), "ok from 180000"],
     "it broke off 20 times"),
    ("cut:70000", ["cut:70000", "cut:70000 from 70000", "cut:70000 from 140000"], ""),
    ("noranges-cut:70000", ["noranges-cut:70000", "noranges-cut:70000 from 70000", "ok from 70000"],
     "broke off after 70000 of 200000 bytes"),
    ("changed:70000", ["changed:70000", "changed:70000 from 70000"], ""),
    ("poisoned:70000", ["poisoned:70000", "poisoned:70000 from 70000", "ok from 70000", "ok"],
     "HTTP Error 404"),
    ("wrong", ["wrong", "ok"], "it sends another file, the SHA-256 differs"),
    ("page", ["page", "ok"], "it sends 41 bytes, not 200000"),
    ("long", ["long", "ok"], "it sends 201000 bytes, not 200000"),
    ("endless", ["endless", "ok"], "it sends another file, the SHA-256 differs"),
    ("loop", ["loop"] * 5 + ["ok"], "HTTP Error 302: The HTTP server returned a redirect error"),
    ("to:ftp://127.0.0.1/x", ["to:ftp://127.0.0.1/x", "ok"], "it redirects to ftp://127.0.0.1/x"),
])
def test_the_right_file_arrives_in_the_end(server, folder, capsys, first, asked, line):
    timeout = 0.5 if first in ("hang", "stall:60000") else QUICK["timeout"]
    path = fetch(file_at(server.url(first), server.url("ok")), folder, min_speed=0, timeout=timeout)
    assert path == folder / NAME
    check_complete(folder)
    assert server.log() == asked
    said = capsys.readouterr().err
    assert line in said
    assert said.count("Fetching file.bin") == len({each.how for each in server.asked})


# What an earlier run left behind in `file.bin.part`, and how it is gone on from.

@pytest.mark.parametrize(("left", "urls", "asked"), [
    (BODY[:1], ["ok"], ["ok from 1"]),
    (BODY[:-1], ["ok"], ["ok from 199999"]),
    (BODY, ["ok"], []),
    (b"x" * 1000, ["ok"], ["ok from 1000", "ok"]),
    (b"x" * len(BODY), ["ok"], ["ok"]),
    (BODY + b"x", ["ok"], ["ok"]),
    (BODY[:50_000], ["noranges"], ["noranges from 50000"]),
    (BODY[:50_000], ["status416"], ["status416 from 50000", "status416"]),
    (BODY[:50_000], ["shifted", "ok"], ["shifted from 50000", "ok from 50000"]),
    (BODY[:50_000], ["longer", "ok"], ["longer from 50000", "ok from 50000"]),
    (BODY[:50_000], ["page", "ok"], ["page from 50000", "ok from 50000"]),
    (BODY[:50_000], ["endless", "ok"], ["endless from 50000", "endless", "ok"]),
    (BODY[:50_000], ["wrong", "ok"], ["wrong from 50000", "wrong", "ok"]),
    (BODY[:50_000], ["status:404", "ok"], ["status:404 from 50000", "ok from 50000"]),
])
def test_what_is_there_is_gone_on_from(server, folder, left, urls, asked):
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(left)
    fetch(file_at(*map(server.url, urls)), folder, **QUICK)
    check_complete(folder)
    assert server.log() == asked


def test_if_range_asks_for_the_rest_of_the_same_file_only(server, folder):
    fetch(file_at(server.url("changed:70000")), folder, **QUICK)
    assert [asked.if_range for asked in server.asked] == [None, '"older"']


def test_a_file_that_torchvision_left_cut_short_is_gone_on_with(server, tmp_path):
    (tmp_path / NAME).write_bytes(BODY[:50_000])
    fetch(file_at(server.url("ok")), tmp_path, **QUICK)
    check_complete(tmp_path)
    assert server.log() == ["ok from 50000"]


def test_a_file_that_is_there_is_not_fetched_again(server, folder):
    for _ in range(2):
        fetch(file_at(server.url("ok")), folder)
    assert server.log() == ["ok"]


def test_nobody_listens(server, folder):
    fetch(file_at(closed_port(), server.url("ok")), folder, **QUICK)
    check_complete(folder)


@pytest.mark.parametrize("location", ["same bytes", "file:///etc/passwd"])
def test_no_redirect_leads_to_a_file_of_this_computer(server, folder, tmp_path, location):
    if location == "same bytes":
        (tmp_path / NAME).write_bytes(BODY)    # what it leads to is even the right file, and yet is not read
        location = (tmp_path / NAME).as_uri()
    with pytest.raises(DownloadError, match="is not allowed"):
        fetch(file_at(server.url(f"to:{location}")), folder, **QUICK)
    assert not (folder / NAME).exists()


def test_a_redirect_to_another_server_is_followed_and_keeps_the_range(server, folder):
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(BODY[:50_000])
    with MisbehavingServer(BODY) as other:
        fetch(file_at(server.url(f"to:{other.url('ok')}")), folder, **QUICK)
        assert other.log() == ["ok from 50000"]
    check_complete(folder)


def test_when_no_mirror_has_it_the_message_says_how_to_bring_it_by_hand(server, folder):
    file = file_at(server.url("status:404"), server.url("wrong"))
    with pytest.raises(DownloadError) as caught:
        fetch(file, folder, **QUICK)
    assert isinstance(caught.value, LessonError)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "HTTP Error 404" in lines[0]
    assert "SHA-256 differs" in lines[0]
    for needed in (file.urls[0], str(folder / NAME), file.sha256):
        assert needed in lines[1]
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == []


# Slow mirrors. 200 kB arrive in 2 s at 100 kB/s.

def test_a_slow_mirror_is_left_for_the_next(server, folder, capsys):
    fetch(file_at(server.url("drip:100000"), server.url("ok")), folder, min_speed=200_000, window=0.3)
    check_complete(folder)
    assert [asked.how for asked in server.asked] == ["drip:100000", "ok"]
    assert 20_000 < int(server.asked[1].range[6:-1]) < 60_000    # what 0.3 s of it brought is kept
    assert re.search(r"127.0.0.1:\d+: slow, \d\d+ kB/s", capsys.readouterr().err)


def test_a_mirror_that_becomes_slow_is_left_too(server, folder):
    fetch(file_at(server.url("slowing:50000"), server.url("ok")), folder, min_speed=200_000, window=0.3)
    check_complete(folder)
    assert 150_000 < int(server.asked[1].range[6:-1]) < 185_000    # in the second 0.3 s


def test_the_fastest_of_the_slow_is_taken_if_none_is_fast(server, folder):
    hows = ["drip:100000", "status:404", "drip:400000", "drip:50000"]
    fetch(file_at(*map(server.url, hows)), folder, min_speed=1e9, window=0.15)
    check_complete(folder)
    assert [asked.how for asked in server.asked] == [*hows, "drip:400000"]


def test_a_mirror_that_is_fast_enough_is_kept(server, folder):
    fetch(file_at(server.url("drip:400000"), server.url("ok")), folder, min_speed=100_000, window=0.1)
    check_complete(folder)
    assert [asked.how for asked in server.asked] == ["drip:400000"]


# Other processes, and the end of this one.

CHILD = """
import sys
from pathlib import Path
from shared.download import File, fetch
name, size, sha256, url, folder = sys.argv[1:]
fetch(File(name, int(size), sha256, (url,)), Path(folder), min_speed=0)
"""
CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"    # off in background jobs
INTERRUPTED = CTRL_C + CHILD.replace("fetch", "fetch_if_possible").replace(", min_speed=0", "") + """
print("going on")
"""
FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))" + CHILD


def child(url: str, folder: Path, code: str = CHILD, stderr: int = subprocess.PIPE) -> subprocess.Popen:
    file = file_at(url)
    return subprocess.Popen([sys.executable, "-c", code, NAME, str(file.size), file.sha256, url, str(folder)],
                            cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True)


def wait_for(part: Path, size: int) -> None:
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size >= size):
        assert time.monotonic() < deadline, "the download does not start"
        time.sleep(0.002)


@posix_only
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_bytes_it_goes_on_where_it_stopped(server, folder, seed):
    part, stopped_at = folder / f"{NAME}.part", [0]
    for more in random.Random(seed).sample(range(1, 60_000), 2):
        with child(server.url("drip:200000"), folder) as process:
            wait_for(part, stopped_at[-1] + more)
            process.kill()
        assert not (folder / NAME).exists()
        assert part.read_bytes() == BODY[:part.stat().st_size]
        stopped_at.append(part.stat().st_size)
    fetch(file_at(server.url("ok")), folder, **QUICK)
    check_complete(folder)
    assert server.ranges() == [None, *(f"bytes={size}-" for size in stopped_at[1:])]


@posix_only
def test_after_ctrl_c_a_lesson_goes_on_and_what_has_arrived_is_kept(server, folder):
    part = folder / f"{NAME}.part"
    with child(server.url("drip:100000"), folder, INTERRUPTED) as process:
        wait_for(part, 20_000)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "going on\n")
    assert "Stopped the download: going on without it." in said
    size = part.stat().st_size
    assert part.read_bytes() == BODY[:size]
    fetch(file_at(server.url("ok")), folder, **QUICK)
    assert server.ranges() == [None, f"bytes={size}-"]


def test_two_processes_at_once_fetch_it_once(server, folder):
    processes = [child(server.url("drip:150000"), folder) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert server.log() == ["drip:150000"]
    assert sum("waiting for it" in each for each in said) == 1
    assert not any("damaged" in each for each in said)
    check_complete(folder)


@posix_only
def test_a_process_that_waits_takes_over_when_the_first_is_killed(server, folder):
    with child(server.url("drip:20000"), folder) as first:    # takes longer than the second needs to start
        wait_for(folder / f"{NAME}.part", 1)
        with child(server.url("ok"), folder) as second:
            assert "waiting for it" in second.stderr.readline()
            size = (folder / f"{NAME}.part").stat().st_size
            first.kill()
            second.communicate(timeout=20)
    assert second.returncode == 0
    check_complete(folder)
    assert int(server.asked[1].range[6:-1]) >= size


@posix_only
def test_a_disk_that_runs_full_is_two_lines_and_gets_its_room_back(server, folder):
    with child(server.url("ok"), folder, FULL_DISK) as process:
        _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    lines = said.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r"Error: cannot fetch file.bin \(0 MB\): File too large\.", lines[1])
    assert [path for path in folder.iterdir() if not path.name.endswith(".lock")] == []
    fetch(file_at(server.url("ok")), folder, **QUICK)
    check_complete(folder)


def test_a_disk_without_room_is_not_begun_on(server, folder, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**6, 10**6 - 199_999, 199_999))
    with pytest.raises(DownloadError, match="No space left on device"):
        fetch(file_at(server.url("ok")), folder, **QUICK)
    assert server.asked == []


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_two_lines(server, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(DownloadError, match="Permission denied"):
        fetch(file_at(server.url("ok")), tmp_path / "locked")


def test_a_file_in_place_of_the_folder_is_two_lines(server, tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(DownloadError, match=r"cannot fetch file.bin .*\n.*by hand"):
        fetch(file_at(server.url("ok")), tmp_path / "data")


def test_a_lesson_goes_on_without_what_cannot_be_had(server, folder, capsys):
    assert download.fetch_if_possible(file_at(server.url("status:404")), folder) is None
    assert re.search(r"cannot fetch file.bin .*\n.*by hand.*\nGoing on without it", capsys.readouterr().err)


def test_a_lesson_goes_on_offline_without_a_word(server, folder, monkeypatch, capsys):
    monkeypatch.setenv("LESSONS_OFFLINE", "1")
    assert download.fetch_if_possible(file_at(server.url("ok")), folder) is None
    assert (server.asked, capsys.readouterr().err) == ([], "")


# Somebody changed the file: a pickle that runs code, under the name of the weights.

class Trap:
    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def tampered(tmp_path):
    (tmp_path / "hub").mkdir()
    weights = tmp_path / "hub" / NAME
    weights.write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    pickle.loads(weights.read_bytes())
    (tmp_path / "ran").unlink()    # it runs when it is loaded, so the tests below can fail
    with weights.open("ab") as opened:
        opened.write(bytes(len(BODY) - weights.stat().st_size))    # and is as long as the right one
    yield weights
    assert not (tmp_path / "ran").exists()


def test_a_tampered_file_is_replaced(server, tampered):
    fetch(file_at(server.url("ok")), tampered.parent, **QUICK)
    assert tampered.read_bytes() == BODY


@pytest.mark.parametrize("offline", [False, True])
def test_a_tampered_file_is_refused_when_the_right_one_cannot_be_had(server, tampered, monkeypatch, offline):
    monkeypatch.setenv("LESSONS_OFFLINE", str(int(offline)))
    with pytest.raises(DownloadError):
        fetch(file_at(server.url("status:404")), tampered.parent, **QUICK)
    assert len(server.asked) == (0 if offline else 1)


# Settings of the environment.

def test_offline_asks_nobody_and_takes_what_is_there(server, tmp_path, monkeypatch):
    monkeypatch.setenv("LESSONS_OFFLINE", "1")
    monkeypatch.setenv("LESSONS_MIRROR", server.url("ok"))
    with pytest.raises(DownloadError, match=r"LESSONS_OFFLINE=1 is set\.\nTo bring it by hand: http"):
        fetch(file_at(server.url("ok")), tmp_path)
    assert server.asked == []
    (tmp_path / NAME).write_bytes(BODY)
    assert fetch(file_at(server.url("ok")), tmp_path) == tmp_path / NAME
    assert server.asked == []


def test_the_mirror_of_a_classroom_is_asked_first(server, folder, monkeypatch):
    monkeypatch.setenv("LESSONS_MIRROR", server.url("ok").removesuffix(NAME))
    fetch(file_at(server.url("drip:1")), folder)
    assert server.log() == ["ok"]


def test_the_mirror_of_a_classroom_may_have_a_chinese_name(server, folder, monkeypatch):
    monkeypatch.setenv("LESSONS_MIRROR", server.url("ok:数据 data").removesuffix(NAME))
    fetch(file_at(server.url("drip:1")), folder)
    assert server.log() == ["ok:%E6%95%B0%E6%8D%AE%20data"]


def test_without_the_file_the_mirror_of_a_classroom_is_not_the_last(server, folder, monkeypatch):
    monkeypatch.setenv("LESSONS_MIRROR", server.url("status:404").removesuffix(f"/{NAME}"))
    fetch(file_at(server.url("ok")), folder)
    assert server.log() == ["status:404", "ok"]


@pytest.mark.parametrize("quoted", [False, True])
def test_the_mirror_can_be_a_folder(server, folder, tmp_path, monkeypatch, quoted):
    mirror = tmp_path / "镜像 mirror"
    mirror.mkdir()
    (mirror / NAME).write_bytes(BODY)
    monkeypatch.setenv("LESSONS_MIRROR", mirror.as_uri() if quoted else f"file://{mirror.as_posix()}")
    fetch(file_at(server.url("status:404")), folder)
    assert server.asked == []


def test_a_mirror_that_is_no_url_is_said_and_passed_over(server, folder, monkeypatch, capsys):
    monkeypatch.setenv("LESSONS_MIRROR", "/srv/mirror")
    fetch(file_at(server.url("ok")), folder)
    check_complete(folder)
    assert "/srv/mirror/file.bin: unknown url type" in capsys.readouterr().err


# Archives.

def tar_of(path: Path, *members: tuple[str, bytes | None] | tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            entry = tarfile.TarInfo(member[0])
            entry.type = tarfile.DIRTYPE if member[1] is None else tarfile.REGTYPE
            entry.size = len(member[1] or b"")
            archive.addfile(entry, io.BytesIO(member[1] or b""))
    return path


def tar_special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


def zip_of(path: Path, *members: tuple[str, bytes | None], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            entry.filename = name    # as it is: ZipInfo would make it harmless on some systems
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            archive.writestr(entry, content or b"")
    return path


def replaced(archive: Path, old: bytes, new: bytes) -> Path:
    content = archive.read_bytes()
    assert old in content
    archive.write_bytes(content.replace(old, new))
    return archive


GOOD = (("top/", None), ("top/a.txt", b"a"), ("top/蚂蚁 ants/b.bin", BODY))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and not path.name.endswith(".lock")}


@pytest.fixture(params=["tar.gz", "zip"])
def good(request, tmp_path) -> Path:
    return (zip_of if request.param == "zip" else tar_of)(tmp_path / f"good.{request.param}", *GOOD)


def test_an_archive_is_unpacked(good, tmp_path):
    assert unpack(good, tmp_path / "to") == tmp_path / "to"
    assert contents(tmp_path / "to") == {"top/a.txt": b"a", "top/蚂蚁 ants/b.bin": BODY}
    assert [path.name for path in (tmp_path / "to").iterdir() if path.suffix != ".lock"] == ["top"]


def test_unpacking_repairs_a_folder_and_leaves_ones_own_files(good, tmp_path):
    unpack(good, tmp_path)
    (tmp_path / "top/a.txt").write_bytes(b"b")
    (tmp_path / "top/蚂蚁 ants/b.bin").unlink()
    (tmp_path / "top/蚂蚁 ants/mine.jpg").write_bytes(b"mine")
    unpack(good, tmp_path)
    assert contents(tmp_path / "top") == {
        "a.txt": b"a", "蚂蚁 ants/b.bin": BODY, "蚂蚁 ants/mine.jpg": b"mine"}


def test_unpacking_what_is_whole_touches_nothing(good, tmp_path):
    unpack(good, tmp_path)
    os.utime(tmp_path / "top/a.txt", (1, 1))
    unpack(good, tmp_path)
    assert (tmp_path / "top/a.txt").stat().st_mtime == 1


OUTSIDE = ["../outside.txt", "top/../../outside.txt", "{tmp}/outside.txt", "..\\outside.txt",
           "\\outside.txt", "C:\\outside.txt", "C:outside.txt", "top/a.txt:stream"]
LEAVES, LINK, BOMB, DAMAGED = "leaves the folder", "is a link or a device", "it unpacks to more than 1 MB", ""
ATTACKS = {
    **{f"{make.__name__} {name}": (LEAVES, lambda path, make=make, name=name: make(
        path, *GOOD, (name.replace("{tmp}", str(path.parent)), b"evil")))
       for name in OUTSIDE for make in (tar_of, zip_of)},
    "a link out": (LINK, lambda path: tar_of(path, *GOOD, tar_special("top/link", tarfile.SYMTYPE, "../.."))),
    "a file through a link": (LINK, lambda path: tar_of(
        path, tar_special("new", tarfile.SYMTYPE, ".."), ("new/outside.txt", b"evil"))),
    "a hard link": (LINK, lambda path: tar_of(
        path, *GOOD, tar_special("top/link", tarfile.LNKTYPE, "top/a.txt"))),
    "a device": (LINK, lambda path: tar_of(path, *GOOD, tar_special("top/null", tarfile.CHRTYPE))),
    "a pipe": (LINK, lambda path: tar_of(path, *GOOD, tar_special("top/pipe", tarfile.FIFOTYPE))),
    "a link in a zip": (LINK, lambda path: zip_of(path, ("top/link", b".."), mode=stat.S_IFLNK | 0o777)),
    "a tar bomb": (BOMB, lambda path: tar_of(path, *GOOD, ("top/bomb", bytes(30_000_000)))),
    "a zip bomb": (BOMB, lambda path: zip_of(path, *GOOD, ("top/bomb", bytes(30_000_000)))),
    "a zip bomb of empty files": (BOMB, lambda path: zip_of(path, *((f"top/{i}", b"") for i in range(300)))),
    "a zip that lies about a size": ("Bad CRC-32", lambda path: replaced(
        zip_of(path, *GOOD, ("top/bomb", bytes(30_000_000))), (30_000_000).to_bytes(4, "little"),
        (1000).to_bytes(4, "little"))),
    "the same name twice": ("exists", lambda path: tar_of(path, *GOOD, ("top/a.txt", b"evil"))),
    "a tar cut short": (DAMAGED, lambda path: path.write_bytes(tar_of(path, *GOOD).read_bytes()[:-1000])),
    "a zip cut short": (DAMAGED, lambda path: path.write_bytes(zip_of(path, *GOOD).read_bytes()[:-1000])),
    "a zip with a wrong bit": (DAMAGED, lambda path: replaced(
        zip_of(path, *GOOD), BODY[1000:1100], bytes(100))),
    "no archive (tar)": (DAMAGED, lambda path: path.write_bytes(b"<html>")),
    "no archive (zip)": (DAMAGED, lambda path: path.write_bytes(b"<html>")),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_archive_that_attacks_or_is_damaged_leaves_nothing(tmp_path, attack):
    why, make = ATTACKS[attack]
    archive = tmp_path / ("evil.zip" if "zip" in attack else "evil.tar.gz")
    make(archive)
    (tmp_path / "to" / "top").mkdir(parents=True)
    (tmp_path / "to" / "top" / "a.txt").write_bytes(b"mine")
    before = contents(tmp_path)
    with pytest.raises(DownloadError, match=rf"cannot unpack .*evil.*: .*{why}.*\n.*--check") as caught:
        unpack(archive, tmp_path / "to", max_bytes=1_000_000)
    assert len(str(caught.value).splitlines()) == 2
    assert contents(tmp_path) == before
    assert [path.name for path in (tmp_path / "to").rglob("*") if path.suffix != ".lock"] == ["top", "a.txt"]


UNPACK = """
import sys
from pathlib import Path
from shared.download import unpack
unpack(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@posix_only
def test_killed_while_unpacking_there_is_all_or_nothing(tmp_path):
    archive = tar_of(tmp_path / "many.tar.gz", *((f"top/{i}.bin", BODY) for i in range(60)))
    for seed in range(4):
        with subprocess.Popen([sys.executable, "-c", UNPACK, archive, tmp_path / "to"], cwd=ROOT) as process:
            growing = tmp_path / "to" / ".many.tar.gz.unpacking" / "top"
            while process.poll() is None and len(list(growing.glob("*"))) <= 12 * seed:
                time.sleep(0.001)
            process.kill()
        if (tmp_path / "to" / "top").exists():
            assert len(list((tmp_path / "to" / "top").iterdir())) == 60
            shutil.rmtree(tmp_path / "to" / "top")
        else:
            assert growing.is_dir()    # it was killed in the middle, so this test tests something
    unpack(archive, tmp_path / "to")
    assert len(list((tmp_path / "to" / "top").iterdir())) == 60
    assert not growing.parent.exists()


# make data

@pytest.fixture
def make_data(server, tmp_path, monkeypatch):
    """`make data` with two small files in place of the real ones."""
    archive = tar_of(tmp_path / "pictures.tar.gz", *GOOD)
    with MisbehavingServer(archive.read_bytes()) as pictures:
        files = [file_at(pictures.url("ok"), body=pictures.body, name="pictures.tar.gz", folder="top"),
                 file_at(server.url("ok"), name="weights.pth")]
        monkeypatch.setattr(download, "FILES", {file.name: file for file in files})
        monkeypatch.setattr(download, "DATA", tmp_path / "data")
        monkeypatch.setattr(download, "MODELS", tmp_path / "models")

        def run(*arguments: str) -> int:
            pictures.asked.clear()
            server.asked.clear()
            with pytest.raises(SystemExit) as exit_:
                download.main(list(arguments))
            return exit_.value.code

        run.pictures, run.weights = pictures, server
        run.files = {"top/a.txt": b"a", "top/蚂蚁 ants/b.bin": BODY, "pictures.tar.gz": pictures.body}
        yield run


def test_make_data_fetches_everything_and_says_how_much_first(make_data, tmp_path, capsys):
    assert make_data() == 0
    assert contents(tmp_path / "data") == make_data.files
    assert (tmp_path / "models/hub/checkpoints/weights.pth").read_bytes() == BODY
    out = capsys.readouterr().out
    assert 0 <= out.index("0 MB, 0 MB of it there: ") < out.index("pictures.tar.gz: verified")
    assert make_data() == 0
    assert make_data.pictures.asked + make_data.weights.asked == []


def test_make_data_goes_on_without_what_it_cannot_have(make_data, monkeypatch, capsys):
    files = dict(download.FILES)
    files["pictures.tar.gz"] = file_at(closed_port(), name="pictures.tar.gz", folder="top")
    monkeypatch.setattr(download, "FILES", files)
    assert make_data() == 2
    out, err = capsys.readouterr()
    assert "weights.pth: verified" in out
    assert "Error: cannot fetch pictures.tar.gz" in err


def test_check_repairs_what_is_there_and_fetches_nothing_else(make_data, tmp_path, capsys):
    assert make_data("--check") == 0
    assert make_data.pictures.asked + make_data.weights.asked == []
    assert not (tmp_path / "data").exists()
    make_data()
    (tmp_path / "data/top/a.txt").write_bytes(b"b")
    assert make_data("--check") == 0
    assert contents(tmp_path / "data") == make_data.files
    assert make_data.pictures.asked + make_data.weights.asked == []
    with (tmp_path / "data/pictures.tar.gz").open("r+b") as damaged:
        damaged.write(b"x")
    weights = tmp_path / "models/hub/checkpoints/weights.pth"
    weights.write_bytes(bytes(len(BODY)))
    assert make_data("--check") == 0
    assert contents(tmp_path / "data") == make_data.files
    assert weights.read_bytes() == BODY
    assert (make_data.pictures.log(), make_data.weights.log()) == (["ok"], ["ok"])
    assert "pictures.tar.gz is damaged or not the official file" in capsys.readouterr().err


def test_the_help_of_make_data():
    done = subprocess.run([sys.executable, "-m", "shared.download", "--help"], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode == 0
    assert "--check" in done.stdout


@posix_only
def test_ctrl_c_during_make_data(server, tmp_path):
    code = CTRL_C + f"""
from shared import download
file = download.File("weights.pth", {len(BODY)}, "0" * 64, ({server.url("drip:50000")!r},))
download.FILES = {{file.name: file}}
download.main([])
"""
    home = {**os.environ, "LESSONS_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=home, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        wait_for(tmp_path / "models/hub/checkpoints/weights.pth.part", 1000)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Stopped. Kept: what has arrived" in said
    assert "Traceback" not in said


# What is shown, and the table.

@posix_only
def test_a_progress_bar_on_a_terminal_only(server, folder):
    import fcntl
    import pty
    import struct
    import termios
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with child(server.url("drip:200000"), folder, stderr=theirs) as process:
        process.communicate(timeout=20)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert re.search(r"\rfile.bin: +\d+%", shown)
    (folder / NAME).unlink()
    with child(server.url("ok"), folder) as process:
        _, said = process.communicate(timeout=20)
    assert said == f"Fetching file.bin (0 MB) from {server.url('ok').split('/')[2]}\n"


@pytest.mark.parametrize("file", download.FILES.values(), ids=lambda file: file.name)
def test_the_table(file):
    assert re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert file.size > 40_000_000
    for url in file.urls:
        assert re.fullmatch(rf"https://[^?#]+/{re.escape(file.name)}", url)
    assert len(set(file.urls)) == len(file.urls)


def test_the_table_agrees_with_torchvision():
    from torchvision.datasets import CIFAR10
    from torchvision.models import VGG16_Weights
    assert (download.CIFAR10.name, download.CIFAR10.folder) == (CIFAR10.filename, CIFAR10.base_folder)
    assert CIFAR10.url in download.CIFAR10.urls
    url = VGG16_Weights.IMAGENET1K_V1.url
    assert download.VGG16.urls[0] == url
    assert download.VGG16.sha256.startswith(re.search("-([0-9a-f]{8})[.]pth$", url)[1])
