"""What `make tensorboard` shows: the newest run of each lesson, or all runs of one, so that these compare.

TensorBoard reads one folder, and in most of its tabs ticks no run at all once there are more than 40. So the newest
runs are linked into a folder of their own, which follows what the lessons write in the meantime.
"""

import argparse
import contextlib
import socket
import sys
import tempfile
import threading
from pathlib import Path

from shared.paths import LOGS

SECONDS = 5    # from one look for newer runs to the next; TensorBoard looks as often


def port_number(text: str) -> int:
    """A type for argparse."""
    if not text.isdecimal() or int(text) >= 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, which is a number up to 65535 (0: any that is free)")
    return int(text)


def free_port(first: int) -> int:
    """The first port from `first` on where nothing answers. TensorBoard tries the next only if none is asked for."""
    for port in range(first, 2**16):
        with socket.socket() as caller:
            if caller.connect_ex(("localhost", port)) != 0:
                return port
    return first    # TensorBoard will say that it is taken


def link_newest(folder: Path) -> None:
    """Has `folder/<lesson>/<run>` point to the newest run of each lesson, and removes the links to older ones."""
    newest = set({run.parent: run for run in sorted(LOGS.glob("*/*")) if run.is_dir()}.values())    # the last stays
    links = {link.readlink(): link for link in folder.glob("*/*")}
    for run in links.keys() - newest:
        links[run].unlink()
    for run in newest - links.keys():
        link = folder / run.parent.name / run.name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(run)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make tensorboard", usage="make tensorboard [N=7] [PORT=6007]")
    parser.add_argument("--lesson", help="the folder of its runs, such as 07_conv_pool")
    parser.add_argument("--port", type=port_number, default=6006)    # TensorBoard's own default
    args, for_tensorboard = parser.parse_known_args()

    port = free_port(args.port)
    if port != args.port:
        print(f"Port {args.port} is taken, so it is {port}.", file=sys.stderr)
    written = LOGS / args.lesson if args.lesson else LOGS
    if not any(written.glob("**/events.out.tfevents.*")):
        print(f"Nothing is in {written} yet. What lessons write appears while they run.", file=sys.stderr)

    from tensorboard.main import run_main  # takes a second, and the lines above do without

    ended = threading.Event()
    with tempfile.TemporaryDirectory(prefix="newest-runs-") as folder:
        link_newest(Path(folder))

        def keep_linking():
            while not ended.wait(SECONDS):
                link_newest(Path(folder))

        thread = threading.Thread(target=keep_linking)
        thread.start()
        # On localhost only, as is its default. Of a tag it would keep ten pictures; 0, said to be all, gives none.
        sys.argv[1:] = ["--logdir", str(written if args.lesson else folder), "--port", str(port),
                        "--samples_per_plugin", "images=1000", *for_tensorboard]
        try:
            run_main()    # says where it is, and goes on until Ctrl-C
        finally:
            ended.set()
            thread.join()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):    # Ctrl-C or SIGTERM, until TensorBoard sees to them
        main()
