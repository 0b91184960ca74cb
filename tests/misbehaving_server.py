"""A web server on 127.0.0.1 that serves one body and misbehaves on order: the URL says how."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MisbehavingServer(ThreadingHTTPServer):
    """`with MisbehavingServer(body) as server:` serves `server.url("ok")` and so on.

    ok             everything right, ranges too
    status:404     that status
    drop           closes the connection without an answer
    garbage        an answer that is not HTTP
    hang           takes the request and never answers
    stall:N        the first N bytes, then nothing; the connection stays open
    cut:N          closes the connection after N bytes, each time
    drip:N         N bytes/s
    slowing:N      all but the last N bytes at once, those at N bytes/s
    noranges       ignores Range
    noranges-cut:N both
    changed:N      the first time N bytes of an older body; from then on the right one
    poisoned:N     closes the connection after N bytes of another body; 404 to a range
    wrong          another body of the same size
    page           a short HTML page, as the login page of a network
    long           the body and a kilobyte more, and says so
    endless        the body and then more, without end and without Content-Length
    chunked        the right body in chunks, without Content-Length
    endless-status a status line without end, a few bytes a second
    endless-chunk  the size of the first chunk, and then an extension of it without end
    loop           redirects to itself
    to:URL         redirects to the URL
    """

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, body: bytes):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = body
        self.asked: list[tuple[str, int]] = []    # how, and from which byte
        self.logins: list[str | None] = []        # what each request had as Authorization
        self.stopping = threading.Event()

    def url(self, how: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{how}/file.bin"

    def log(self) -> list[str]:
        return [f"{how} from {start}" if start else how for how, start in self.asked]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01},
                         daemon=True).start()
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
        start = int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "bytes=0-")[1])
        first = order not in [asked for asked, _ in self.server.asked]
        self.server.asked.append((order, start))
        self.server.logins.append(self.headers["Authorization"])

        if how == "status" or (how == "poisoned" and start):
            self.send_error(404 if how == "poisoned" else int(argument))
        elif how in ("loop", "to"):
            self.send_response(302)
            self.send_header("Location", argument or self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif how == "garbage":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        elif how.startswith("endless-"):
            self.wfile.write(b"HTTP/1.1 200 " + b"OK\r\nTransfer-Encoding: chunked\r\n\r\n10;"
                             * (how == "endless-chunk"))
            while not self.server.stopping.wait(0.05):
                self.wfile.write(b"x")
        elif how == "hang":
            self.server.stopping.wait(30)
        elif how != "drop":
            self.send_body(how, argument, start, first)

    def send_body(self, how: str, argument: str, start: int, first: bool) -> None:
        body, size = self.server.body, len(self.server.body)
        if how in ("wrong", "poisoned") or (how == "changed" and first):
            body = bytes(byte ^ 255 for byte in body)
        elif how == "page":
            body = b"<html>Please log in to the network</html>"
        elif how == "long":
            body += bytes(1000)

        if start and how not in ("page", "noranges", "noranges-cut"):
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            body = body[start:]
        else:
            self.send_response(200)
        if how == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif how != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()

        pace = 0
        if how == "slowing":
            pace = int(argument)
            self.wfile.write(body[:-pace])
            body = body[-pace:]
        elif how == "drip":
            pace = int(argument)
        elif how in ("cut", "noranges-cut", "stall", "poisoned") or (how == "changed" and first):
            body = body[:int(argument)]

        if how == "chunked":
            for at in range(0, len(body), 10_000):
                piece = body[at:at + 10_000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        elif pace:
            begun, piece = time.monotonic(), max(pace // 100, 1)
            for at in range(0, len(body), piece):
                # By the clock, so that the pace stays what it is on a busy machine.
                time.sleep(max(0, begun + at / pace - time.monotonic()))
                self.wfile.write(body[at:at + piece])
        else:
            self.wfile.write(body)
        while how == "endless":
            self.wfile.write(bytes(100_000))
        if how == "stall":
            self.server.stopping.wait(30)
