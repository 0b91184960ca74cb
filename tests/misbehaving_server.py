"""A web server on 127.0.0.1 that serves one body and misbehaves on order: the URL says how."""

import re
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    how: str
    range: str | None
    if_range: str | None


class MisbehavingServer(ThreadingHTTPServer):
    """`with MisbehavingServer(body) as server:` serves `server.url("ok")`, `server.url("cut:1000")`, ...

    ok             everything right: ranges, ETag, If-Range
    status:404     that status
    drop           closes the connection without an answer
    garbage        an answer that is no HTTP
    hang           takes the request and never answers
    stall:N        the first N bytes, then nothing, the connection stays open
    cut:N          closes the connection after N bytes, each time
    drip:N         N bytes/s
    slowing:N      all but the last N bytes at once, those at N bytes/s
    noranges       ignores Range
    noranges-cut:N both
    shifted        answers a range with one that begins one byte earlier
    longer         answers a range with a Content-Range of a file that is longer
    status416      416 to every range
    changed:N      cuts off after N bytes of an older body; asked again, has the right one with another ETag
    poisoned:N     cuts off after N bytes of another body, and answers 404 to a range
    wrong          another body of the same size
    page           a short HTML page, as the login page of a network
    long           the body and a kilobyte more, and says so
    endless        the body and then more, without end and without Content-Length
    chunked        the right body in chunks, without Content-Length
    loop           redirects to itself
    to:URL         redirects to the URL
    """

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, body: bytes):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = body
        self.other = bytes(byte ^ 255 for byte in body)
        self.asked: list[Asked] = []
        self.stopping = threading.Event()

    def url(self, how: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{how}/file.bin"

    def ranges(self) -> list[str | None]:
        return [asked.range for asked in self.asked]

    def log(self) -> list[str]:
        return [f"{asked.how} from {asked.range[6:-1]}" if asked.range else asked.how for asked in self.asked]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass    # clients of these tests hang up all the time


class Handler(BaseHTTPRequestHandler):
    server: MisbehavingServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        order = self.path[1:].rpartition("/")[0]
        how, _, argument = order.partition(":")
        wanted = self.headers["Range"]
        first = order not in [asked.how for asked in self.server.asked]
        self.server.asked.append(Asked(order, wanted, self.headers["If-Range"]))
        body, size, etag = self.server.body, len(self.server.body), '"right"'
        ranges, pace, stop = True, 0, None

        if how == "status" or (how == "status416" and wanted) or (how == "poisoned" and wanted):
            self.send_error({"status416": 416, "poisoned": 404}.get(how) or int(argument))
            return
        if how in ("loop", "to"):
            self.redirect(argument or self.path)
            return
        if how in ("drop", "garbage", "hang"):
            if how == "garbage":
                self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
            if how == "hang":
                self.server.stopping.wait(30)
            return
        if how == "page":
            body, ranges = b"<html>Please log in to the network</html>", False
        elif how == "long":
            body += bytes(1000)
        elif how == "changed" and first:
            body, etag, stop = self.server.other, '"older"', int(argument)
        elif how in ("wrong", "poisoned"):
            body = self.server.other
        if how in ("cut", "noranges-cut", "stall", "poisoned"):
            stop = int(argument)
        if how == "drip":
            pace = int(argument)
        if how in ("noranges", "noranges-cut"):
            ranges = False

        start = 0
        if wanted and ranges and self.headers["If-Range"] in (None, etag):
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            self.send_response(206)
            first_byte = start - 1 if how == "shifted" else start
            total = size + 1 if how == "longer" else size
            self.send_header("Content-Range", f"bytes {first_byte}-{size - 1}/{total}")
        else:
            self.send_response(200)
        self.send_header("ETag", etag)
        if how == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif how != "endless":
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()

        body = body[start:]
        if how == "slowing":
            pace = int(argument)
            self.wfile.write(body[:-pace])
            body = body[-pace:]
        if how == "chunked":
            for at in range(0, len(body), 10_000):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(body[at:at + 10_000]), body[at:at + 10_000]))
            self.wfile.write(b"0\r\n\r\n")
        elif pace:
            begun, piece = time.monotonic(), max(pace // 100, 1)
            for at in range(0, len(body), piece):
                # By the clock, so that the pace stays what it is on a machine that has much else to do
                time.sleep(max(0, begun + at / pace - time.monotonic()))
                self.wfile.write(body[at:at + piece])
        else:
            self.wfile.write(body[:stop])
        while how == "endless":
            self.wfile.write(bytes(100_000))
        if how == "stall":
            self.server.stopping.wait(30)

    def redirect(self, location: str) -> None:
        self.send_response(302)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()
