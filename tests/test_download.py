"""Downloads from a server that misbehaves on order. Only 127.0.0.1 is ever asked."""

import base64
import hashlib
import io
import os
import pickle
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest
from misbehaving_server import Handler, MisbehavingServer

from shared.errors import LessonError
from shared.sources import download
from shared.sources.download import DownloadError, File, fetch, unpack

BODY = random.Random(0).randbytes(200_000)
NAME = "file.bin"
ROOT = Path(__file__).parents[1]
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
    for name in ("http", "https", "all"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "MIN_SPEED", 0)    # the tests of slow mirrors set their own
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


# The first mirror misbehaves, the second is right: what they are asked for, and what is printed.

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
    ("stall:60000", ["stall:60000", *(f"stall:60000 from {at}" for at in (60000, 120000, 180000))],
     ""),
    ("cut:0", ["cut:0", "ok"], "broke off after 0 of 200000 bytes"),
    ("cut:9000", ["cut:9000", *(f"cut:9000 from {9000 * i}" for i in range(1, 20)),
                  "ok from 180000"], "it broke off 20 times"),
    ("cut:70000", ["cut:70000", "cut:70000 from 70000", "cut:70000 from 140000"], ""),
    ("noranges-cut:70000", ["noranges-cut:70000", "noranges-cut:70000 from 70000",
                            "ok from 70000"], "broke off after 70000 of 200000 bytes"),
    ("changed:70000", ["changed:70000", "changed:70000 from 70000", "changed:70000"], ""),
    ("poisoned:70000", ["poisoned:70000", "poisoned:70000 from 70000", "ok from 70000", "ok"],
     "HTTP Error 404"),
    ("wrong", ["wrong", "ok"], "it sends another file, the SHA-256 differs"),
    ("page", ["page", "ok"], "it sends 41 bytes, not 200000"),
    ("long", ["long", "ok"], "it sends 201000 bytes, not 200000"),
    ("endless", ["endless", "ok"], "it sends another file, the SHA-256 differs"),
    ("loop", ["loop"] * 5 + ["ok"], "HTTP Error 302: The HTTP server returned a redirect error"),
])
def test_the_right_file_arrives_in_the_end(server, folder, capsys, monkeypatch, first, asked, line):
    if first in ("hang", "stall:60000"):
        monkeypatch.setattr(download, "TIMEOUT", 0.5)
    assert fetch(file_at(server.url(first), server.url("ok")), folder) == folder / NAME
    check_complete(folder)
    assert server.log() == asked
    printed = capsys.readouterr().err
    assert line in printed
    assert printed.count("Downloading file.bin") == len({how for how, _ in server.asked})


# What an earlier run left behind in `file.bin.part`, and how the download goes on from there.

@pytest.mark.parametrize(("left", "urls", "asked"), [
    (BODY[:1], ["ok"], ["ok from 1"]),
    (BODY[:-1], ["ok"], ["ok from 199999"]),
    (BODY, ["ok"], []),
    (b"x" * 1000, ["ok"], ["ok from 1000", "ok"]),
    (b"x" * len(BODY), ["ok"], ["ok"]),
    (BODY + b"x", ["ok"], ["ok"]),
    (BODY[:50_000], ["noranges"], ["noranges from 50000"]),
    (BODY[:50_000], ["page", "ok"], ["page from 50000", "ok from 50000"]),
    (BODY[:50_000], ["endless", "ok"], ["endless from 50000", "endless", "ok"]),
    (BODY[:50_000], ["wrong", "ok"], ["wrong from 50000", "wrong", "ok"]),
    (BODY[:50_000], ["status:416", "ok"], ["status:416 from 50000", "ok from 50000"]),
])
def test_a_part_is_continued(server, folder, left, urls, asked):
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(left)
    fetch(file_at(*map(server.url, urls)), folder)
    check_complete(folder)
    assert server.log() == asked


def test_a_file_that_torchvision_left_cut_short_is_continued(server, tmp_path):
    (tmp_path / NAME).write_bytes(BODY[:50_000])
    fetch(file_at(server.url("ok")), tmp_path)
    check_complete(tmp_path)
    assert server.log() == ["ok from 50000"]


@posix_only
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
@pytest.mark.parametrize("ending", ["", ".part"])
@pytest.mark.parametrize("content", [BODY[:50_000], b"my diary"], ids=["cut short", "another"])
def test_a_link_is_not_written_through(server, tmp_path, link, ending, content):
    (tmp_path / "data").mkdir()
    mine = tmp_path / "mine.txt"
    mine.write_bytes(content)
    link(tmp_path / "data" / (NAME + ending), mine)
    fetch(file_at(server.url("ok")), tmp_path / "data")
    check_complete(tmp_path / "data")
    assert not (tmp_path / "data" / NAME).is_symlink()
    assert mine.read_bytes() == content


@posix_only
def test_a_link_to_the_right_file_is_kept(server, tmp_path):
    (tmp_path / "elsewhere").write_bytes(BODY)
    (tmp_path / NAME).symlink_to("elsewhere")
    fetch(file_at(server.url("ok")), tmp_path)
    assert (tmp_path / NAME).is_symlink()
    assert server.asked == []


@posix_only
def test_a_link_that_leads_nowhere_makes_no_file_elsewhere(server, tmp_path):
    (tmp_path / f"{NAME}.part").symlink_to("made by the download")
    fetch(file_at(server.url("ok")), tmp_path)
    check_complete(tmp_path)
    assert not (tmp_path / "made by the download").exists()


def test_a_file_that_is_there_is_not_downloaded_again(server, folder):
    for _ in range(2):
        fetch(file_at(server.url("ok")), folder)
    assert server.log() == ["ok"]


@pytest.mark.parametrize("how", ["endless-status", "endless-chunk"])
def test_what_drips_for_ever_ends_in_time(server, folder, capsys, monkeypatch, how):
    """Each byte comes in time, and never one of the file."""
    monkeypatch.setattr(download, "LIMIT", 0.5)
    begun = time.monotonic()
    fetch(file_at(server.url(how), server.url("ok")), folder)
    assert time.monotonic() - begun < 8
    check_complete(folder)
    assert server.log() == [how, "ok"]
    assert "nothing of the file came for 0 s" in capsys.readouterr().err


def test_nobody_listens(server, folder):
    fetch(file_at(closed_port(), server.url("ok")), folder)
    check_complete(folder)


def test_a_redirect_to_another_server_is_followed_and_keeps_the_range(server, folder):
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(BODY[:50_000])
    with MisbehavingServer(BODY) as other:
        fetch(file_at(server.url(f"to:{other.url('ok')}")), folder)
        assert other.log() == ["ok from 50000"]
    check_complete(folder)


def test_when_no_mirror_has_it_the_message_says_how_to_get_it_by_hand(server, folder):
    file = file_at(server.url("status:404"), server.url("wrong"))
    with pytest.raises(DownloadError) as caught:
        fetch(file, folder)
    assert isinstance(caught.value, LessonError)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "HTTP Error 404" in lines[0]
    assert "SHA-256 differs" in lines[0]
    for needed in (file.urls[0], str(folder / NAME), file.sha256):
        assert needed in lines[1]
    assert [path.name for path in folder.iterdir() if path.suffix != ".lock"] == []


# Slow mirrors. 200 kB arrive in 2 s at 100 kB/s.

def patience(monkeypatch, min_speed: float, window: float) -> None:
    monkeypatch.setattr(download, "MIN_SPEED", min_speed)
    monkeypatch.setattr(download, "WINDOW", window)


def test_a_slow_mirror_is_left_for_the_next(server, folder, capsys, monkeypatch):
    patience(monkeypatch, 200_000, 0.3)
    fetch(file_at(server.url("drip:100000"), server.url("ok")), folder)
    check_complete(folder)
    assert [how for how, _ in server.asked] == ["drip:100000", "ok"]
    assert 5_000 < server.asked[1][1] < 150_000    # what the slow one brought is kept
    assert re.search(r"127.0.0.1:\d+: slow, \d\d+ kB/s", capsys.readouterr().err)


def test_a_mirror_that_becomes_slow_is_left_too(server, folder, monkeypatch):
    patience(monkeypatch, 200_000, 0.3)
    fetch(file_at(server.url("slowing:50000"), server.url("ok")), folder)
    check_complete(folder)
    assert 150_000 < server.asked[1][1] < 200_000    # not in the first 0.3 s


def test_the_fastest_of_the_slow_is_taken_if_none_is_fast(server, folder, monkeypatch):
    patience(monkeypatch, 1e9, 0.15)
    hows = ["drip:100000", "status:404", "drip:400000", "drip:50000"]
    fetch(file_at(*map(server.url, hows)), folder)
    check_complete(folder)
    assert [how for how, _ in server.asked] == [*hows, "drip:400000"]


def test_a_mirror_that_is_fast_enough_is_kept(server, folder, monkeypatch):
    patience(monkeypatch, 100_000, 0.1)
    fetch(file_at(server.url("drip:400000"), server.url("ok")), folder)
    check_complete(folder)
    assert [how for how, _ in server.asked] == ["drip:400000"]


# Other processes, and the end of this one.

CHILD = """
import sys
from pathlib import Path
from shared.errors import begin_lesson
from shared.sources import download
begin_lesson()
download.MIN_SPEED = 0
name, size, sha256, url, folder = sys.argv[1:]
download.fetch(download.File(name, int(size), sha256, (url,)), Path(folder))
"""
# Ctrl-C is off in a job that runs in the background.
CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
STOPPED = f"{CTRL_C}{CHILD.replace('fetch', 'fetch_if_possible')}print('going on')"
FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"


def child(url: str, folder: Path, code: str = CHILD, stderr: int = subprocess.PIPE):
    file = file_at(url)
    return subprocess.Popen(
        [sys.executable, "-c", code, NAME, str(file.size), file.sha256, url, str(folder)],
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
    fetch(file_at(server.url("ok")), folder)
    check_complete(folder)
    assert [start for _, start in server.asked] == stopped_at


@posix_only
@pytest.mark.parametrize(("number", "status", "printed", "words"), [
    (signal.SIGINT, 0, "going on\n", "Stopped the download. Going on without it."),
    (signal.SIGTERM, 143, "", "Stopped. Kept: ")])
def test_ctrl_c_stops_the_download_and_kill_the_lesson(server, folder, number, status, printed,
                                                       words):
    part = folder / f"{NAME}.part"
    with child(server.url("drip:100000"), folder, STOPPED) as process:
        wait_for(part, 20_000)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (status, printed)
    assert words in err
    size = part.stat().st_size
    assert part.read_bytes() == BODY[:size]
    fetch(file_at(server.url("ok")), folder)
    assert server.log() == ["drip:100000", f"ok from {size}"]


def test_two_processes_at_once_download_it_once(server, folder):
    processes = [child(server.url("drip:150000"), folder) for _ in range(2)]
    printed = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    assert server.log() == ["drip:150000"]
    assert sum("waiting for it" in each for each in printed) == 1
    assert not any("damaged" in each for each in printed)
    check_complete(folder)


@posix_only
def test_a_process_that_waits_takes_over_when_the_first_is_killed(server, folder):
    with child(server.url("drip:20000"), folder) as first:    # slower than the second's start
        wait_for(folder / f"{NAME}.part", 1)
        with child(server.url("ok"), folder) as second:
            assert "waiting for it" in second.stderr.readline()
            size = (folder / f"{NAME}.part").stat().st_size
            first.kill()
            second.communicate(timeout=20)
    assert second.returncode == 0
    check_complete(folder)
    assert server.asked[1][1] >= size


@posix_only
def test_a_disk_that_runs_full_is_two_lines_and_gets_its_room_back(server, folder):
    with child(server.url("ok"), folder, FULL_DISK + CHILD) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    lines = err.splitlines()
    assert len(lines) == 3
    assert lines[1] == "Error: cannot download file.bin (0 MB): File too large."
    assert [path for path in folder.iterdir() if path.suffix != ".lock"] == []
    fetch(file_at(server.url("ok")), folder)
    check_complete(folder)


def test_without_room_on_the_disk_no_download_begins(server, folder, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**6, 10**6 - 199_999, 199_999))
    with pytest.raises(DownloadError, match="No space left on device"):
        fetch(file_at(server.url("ok")), folder)
    assert server.asked == []


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_two_lines(server, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(DownloadError, match="Permission denied"):
        fetch(file_at(server.url("ok")), tmp_path / "locked")


def test_a_file_in_place_of_the_folder_is_two_lines(server, tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(DownloadError, match=r"cannot download file.bin .*\nBy hand"):
        fetch(file_at(server.url("ok")), tmp_path / "data")


def test_a_lesson_goes_on_without_what_cannot_be_downloaded(server, folder, capsys):
    assert download.fetch_if_possible(file_at(server.url("status:404")), folder) is None
    assert re.search(r"cannot download file.bin .*\nBy hand: .*\nGoing on without it",
                     capsys.readouterr().err)


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
        opened.write(bytes(len(BODY) - weights.stat().st_size))    # as long as the right one
    yield weights
    assert not (tmp_path / "ran").exists()


def test_a_tampered_file_is_replaced(server, tampered):
    fetch(file_at(server.url("ok")), tampered.parent)
    assert tampered.read_bytes() == BODY


@pytest.mark.parametrize("offline", [False, True])
def test_a_tampered_file_is_refused_if_there_is_no_other(server, tampered, monkeypatch, offline):
    monkeypatch.setenv("LESSONS_OFFLINE", str(int(offline)))
    with pytest.raises(DownloadError):
        fetch(file_at(server.url("status:404")), tampered.parent)
    assert len(server.asked) == (0 if offline else 1)


# LESSONS_OFFLINE and LESSONS_MIRROR

@pytest.mark.parametrize(("value", "expected"), [
    ("1", True), ("true", True), ("YES", True), ("on", True), (" True ", True), ("2", True),
    ("", False), ("0", False), ("false", False), ("No", False), ("off", False), (" ", False)])
def test_what_is_offline(monkeypatch, value, expected):
    assert not download.offline()    # without the variable
    monkeypatch.setenv("LESSONS_OFFLINE", value)
    assert download.offline() == expected


@pytest.mark.parametrize("value", ["1", "true"])
def test_offline_asks_nobody_and_takes_what_is_there(server, tmp_path, monkeypatch, capsys, value):
    monkeypatch.setenv("LESSONS_OFFLINE", value)
    monkeypatch.setenv("LESSONS_MIRROR", server.url("ok"))
    with pytest.raises(DownloadError, match=r"LESSONS_OFFLINE is set\.\nBy hand: download http"):
        fetch(file_at(server.url("ok")), tmp_path)
    assert download.fetch_if_possible(file_at(server.url("ok")), tmp_path) is None
    assert capsys.readouterr().err == ""    # a lesson says nothing
    (tmp_path / NAME).write_bytes(BODY)
    assert fetch(file_at(server.url("ok")), tmp_path) == tmp_path / NAME
    assert download.fetch_if_possible(file_at(server.url("ok")), tmp_path) == tmp_path / NAME
    assert server.asked == []


@pytest.mark.parametrize(("how", "asked"), [
    ("ok", ["ok"]), ("ok:数据 data", ["ok:%E6%95%B0%E6%8D%AE%20data"]),
    ("status:404", ["status:404", "drip:400000"])])
def test_the_mirror_of_a_classroom_is_asked_first(server, folder, monkeypatch, how, asked):
    for ending in ("", "/"):
        monkeypatch.setenv("LESSONS_MIRROR", server.url(how).removesuffix(f"/{NAME}") + ending)
        fetch(file_at(server.url("drip:400000")), folder)
        (folder / NAME).unlink()
    assert server.log() == 2 * asked


@pytest.mark.parametrize("quoted", [False, True])
def test_the_mirror_can_be_a_folder(server, folder, tmp_path, monkeypatch, quoted):
    mirror = tmp_path / "镜像 mirror"
    mirror.mkdir()
    (mirror / NAME).write_bytes(BODY)
    url = mirror.as_uri() if quoted else f"file://{mirror.as_posix()}"
    monkeypatch.setenv("LESSONS_MIRROR", url)
    fetch(file_at(server.url("status:404")), folder)
    assert server.asked == []


def test_a_mirror_that_is_no_url_is_named_and_passed_over(server, folder, monkeypatch, capsys):
    monkeypatch.setenv("LESSONS_MIRROR", "/srv/mirror")
    fetch(file_at(server.url("ok")), folder)
    check_complete(folder)
    assert "/srv/mirror/file.bin: unknown url type" in capsys.readouterr().err


@pytest.mark.parametrize("mirror", [
    "http://[::1", "http://127.0.0.1:port", "http://127.0.0.1:99999", "http://", "nothing",
    os.fsdecode(b"http://\xb9\xb7"), "http://a b:c"])
def test_a_mirror_that_is_no_address_is_one_line_and_passed_over(server, folder, monkeypatch,
                                                                  capsys, mirror):
    monkeypatch.setenv("LESSONS_MIRROR", mirror)
    monkeypatch.setattr(download, "TIMEOUT", 2)
    connect = socket.create_connection

    def no_such_name(address, *args, **kwargs):
        if address[0] != "127.0.0.1":
            raise socket.gaierror("no such name")
        return connect(address, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", no_such_name)
    fetch(file_at(server.url("ok")), folder)
    check_complete(folder)
    assert len(capsys.readouterr().err.splitlines()) <= 3


@pytest.mark.parametrize(("mirror", "sent"), [
    ("http://me:se%2Fcret@{}/ok", "me:se/cret"), ("http://me:sécret#1@{}/ok", "me:sécret#1"),
    ("http://me@{}/ok", "me"), ("http://me:se/cret@{}/ok", None), ("http://me:s?cret@{}/ok", None),
    ("http://me:1/cret@{}/ok", None), ("me:secret@{}/ok", None), ("//me:secret@{}/ok", None),
    ("ftps://me:secret@{}/ok", None), ("http://me:secret@[{}/ok", None)])
def test_a_password_of_the_mirror_is_used_and_never_printed(server, folder, monkeypatch, capsys,
                                                           mirror, sent):
    monkeypatch.setenv("LESSONS_MIRROR", mirror.format(f"127.0.0.1:{server.server_address[1]}"))
    fetch(file_at(server.url("drip:400000")), folder)
    assert server.log() == (["ok"] if sent else ["drip:400000"])
    expected = "Basic " + base64.b64encode(sent.encode()).decode() if sent else None
    assert server.logins == [expected]
    printed = capsys.readouterr().err
    assert "cret" not in printed
    assert "me:" not in printed
    with pytest.raises(DownloadError) as caught:
        (folder / NAME).unlink()
        fetch(file_at(server.url("status:404"), body=b"other"), folder)
    assert "cret" not in str(caught.value) + capsys.readouterr().err


def test_a_password_is_not_handed_on_by_a_redirect(server, folder, monkeypatch):
    with MisbehavingServer(BODY) as other:
        monkeypatch.setenv("LESSONS_MIRROR", server.url(f"to:{other.url('ok')}").replace(
            "http://", "http://me:secret@", 1).removesuffix(f"/{NAME}"))
        fetch(file_at(server.url("status:404")), folder)
        assert (len(server.logins), other.logins) == (1, [None])


# Proxies

@pytest.fixture
def proxy(server, monkeypatch):
    """`proxy("https", "http")` sets https_proxy to the server, with a password."""
    monkeypatch.delenv("no_proxy")
    monkeypatch.setattr(urllib.request, "_opener", None)    # it remembers the proxies

    def use(of: str, kind: str) -> str:
        host = f"127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv(f"{of}_proxy", f"{kind}://me:secret@{host}")
        return host

    return use


def printed_and_raised(capsys, url: str, folder: Path) -> str:
    with pytest.raises(DownloadError) as caught:
        fetch(file_at(url), folder)
    assert len(str(caught.value).splitlines()) == 2
    printed = capsys.readouterr().err + str(caught.value)
    assert "secret" not in printed
    return printed


def test_a_proxys_refusal_is_told_as_the_proxys(server, folder, capsys, proxy):
    host = proxy("https", "http")
    printed = printed_and_raised(capsys, "https://example.invalid/file.bin", folder)
    assert f"example.invalid (through the proxy {host}): the proxy refuses: 501 " in printed


def test_an_error_that_came_through_a_proxy_names_it(folder, capsys, proxy, monkeypatch):
    host = proxy("http", "http")
    monkeypatch.setattr(Handler, "do_GET", lambda self: self.send_error(407))
    printed = printed_and_raised(capsys, "http://example.invalid/file.bin", folder)
    assert f"example.invalid (through the proxy {host}): HTTP Error 407: Proxy" in printed


@pytest.mark.parametrize("kind", ["socks5", "SOCKS5h", "socks4"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_socks_proxy_is_said_and_nobody_is_asked(server, folder, capsys, proxy, kind, scheme):
    host = proxy(scheme, kind)
    printed = printed_and_raised(capsys, f"{scheme}://example.invalid/file.bin", folder)
    assert f"(through the SOCKS proxy {host}): Python cannot use such a proxy" in printed
    assert "set HTTPS_PROXY" in printed
    assert server.asked == []


def test_a_proxy_for_all_is_not_used_and_that_is_said(server, folder, capsys, proxy):
    proxy("all", "socks5")
    fetch(file_at(server.url("ok")), folder)
    assert "without the proxy in ALL_PROXY" in capsys.readouterr().err


# Archives

CONTENTS = {"top/a.txt": b"a", "top/蚂蚁 ants/b.bin": BODY}


def archive(path: Path, contents: dict[str, bytes] = CONTENTS) -> File:
    """Writes a .zip or .tar.gz, and says what `unpack` needs to know of it."""
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, content in contents.items():
                opened.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as opened:
            for name, content in contents.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                opened.addfile(entry, io.BytesIO(content))
    return file_at(body=path.read_bytes(), name=path.name, folder="top")


def contents(folder: Path) -> dict[str, bytes]:
    """The files in a folder, but for archives and locks."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.suffix not in (".lock", ".gz", ".zip")}


@pytest.fixture(params=["good.tar.gz", "good.zip"])
def good(request, tmp_path) -> File:
    return archive(tmp_path / "data" / request.param)


def test_an_archive_is_unpacked_and_repaired(good, tmp_path):
    data = tmp_path / "data"
    unpack(good, data)
    assert contents(data) == CONTENTS
    assert sorted(path.name for path in data.iterdir()) == [good.name, "top"]

    (data / "top" / "a.txt").write_bytes(b"b")
    (data / "top" / "蚂蚁 ants" / "b.bin").unlink()
    (data / "top" / "蚂蚁 ants" / "mine.jpg").write_bytes(b"mine")
    unpack(good, data)
    assert contents(data) == CONTENTS | {"top/蚂蚁 ants/mine.jpg": b"mine"}
    assert sorted(path.name for path in data.iterdir()) == [good.name, "top"]


@posix_only
def test_an_archive_for_which_there_is_no_room_leaves_nothing(good, tmp_path):
    code = FULL_DISK + f"""
from pathlib import Path
from shared.errors import begin_lesson
from shared.sources.download import File, unpack
begin_lesson()
unpack({good!r}, Path(sys.argv[1]))"""
    ended = subprocess.run([sys.executable, "-c", f"import sys; {code}", tmp_path / "data"],
                           cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert re.fullmatch(r"Error: cannot unpack .*File too large.*\n.*make data ARGS=--check\n",
                        ended.stderr)
    assert [path.name for path in (tmp_path / "data").iterdir()] == [good.name]


@posix_only
def test_killed_while_unpacking_there_is_all_or_nothing(tmp_path):
    many = archive(tmp_path / "many.tar.gz", {f"top/{i}.bin": BODY for i in range(60)})
    code = f"""
from pathlib import Path
from shared.sources.download import File, unpack
unpack({many!r}, Path())"""
    stopped = 0
    for seed in range(4):
        with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path,
                              env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
            while process.poll() is None and len(list(tmp_path.glob(".top.*/*/*"))) <= 12 * seed:
                time.sleep(0.001)
            process.kill()
        stopped += not (tmp_path / "top").exists()
        if (tmp_path / "top").exists():
            assert len(list((tmp_path / "top").iterdir())) == 60
            shutil.rmtree(tmp_path / "top")
    assert stopped    # it was killed in the middle at least once
    unpack(many, tmp_path)
    assert len(list((tmp_path / "top").iterdir())) == 60


# make data

@pytest.fixture
def make_data(server, tmp_path, monkeypatch):
    """`make data` with two small files in place of the real ones."""
    pictures_file = archive(tmp_path / "pictures.tar.gz")
    with MisbehavingServer((tmp_path / "pictures.tar.gz").read_bytes()) as pictures:
        files = [file_at(pictures.url("ok"), body=pictures.body, name=pictures_file.name,
                         folder="top"),
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
        yield run


def test_make_data_downloads_everything_and_says_how_much_first(make_data, tmp_path, capsys):
    assert make_data() == 0
    assert contents(tmp_path / "data") == CONTENTS
    assert (tmp_path / "models/hub/checkpoints/weights.pth").read_bytes() == BODY
    out = capsys.readouterr().out
    assert 0 <= out.index("0 MB in all") < out.index("pictures.tar.gz: verified")
    assert make_data() == 0
    assert make_data.pictures.asked + make_data.weights.asked == []


def test_make_data_goes_on_without_what_it_cannot_have(make_data, monkeypatch, capsys):
    files = dict(download.FILES)
    files["pictures.tar.gz"] = file_at(closed_port(), name="pictures.tar.gz", folder="top")
    monkeypatch.setattr(download, "FILES", files)
    assert make_data() == 2
    out, err = capsys.readouterr()
    assert "weights.pth: verified" in out
    assert "Error: cannot download pictures.tar.gz" in err


def test_check_repairs_what_is_there_and_downloads_nothing_else(make_data, tmp_path, capsys):
    assert make_data("--check") == 0
    assert make_data.pictures.asked + make_data.weights.asked == []
    assert not (tmp_path / "data").exists()
    make_data()
    (tmp_path / "data/top/a.txt").write_bytes(b"b")
    assert make_data("--check") == 0
    assert contents(tmp_path / "data") == CONTENTS
    assert make_data.pictures.asked + make_data.weights.asked == []
    with (tmp_path / "data/pictures.tar.gz").open("r+b") as damaged:
        damaged.write(b"x")
    weights = tmp_path / "models/hub/checkpoints/weights.pth"
    weights.write_bytes(bytes(len(BODY)))
    assert make_data("--check") == 0
    assert (tmp_path / "data/pictures.tar.gz").read_bytes() == make_data.pictures.body
    assert contents(tmp_path / "data") == CONTENTS
    assert weights.read_bytes() == BODY
    assert (make_data.pictures.log(), make_data.weights.log()) == (["ok"], ["ok"])
    assert "pictures.tar.gz is damaged or not the official file" in capsys.readouterr().err


def test_the_help_of_make_data():
    done = subprocess.run([sys.executable, "-m", "shared.sources.download", "--help"], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--check" in done.stdout


@posix_only
def test_ctrl_c_during_make_data(server, tmp_path):
    code = CTRL_C + f"""
from shared.errors import begin_lesson
from shared.sources import download
begin_lesson()
file = download.File("weights.pth", {len(BODY)}, "0" * 64, ({server.url("drip:50000")!r},))
download.FILES = {{file.name: file}}
download.main([])
"""
    home = {**os.environ, "LESSONS_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=home, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for(tmp_path / "models/hub/checkpoints/weights.pth.part", 1000)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Stopped. Kept: what has arrived" in err
    assert "Traceback" not in err


# What is shown, and the table

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
        _, err = process.communicate(timeout=20)
    assert err == f"Downloading file.bin (0 MB) from {server.url('ok').split('/')[2]}\n"


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
