"""`make tensorboard`: shows the newest run of each lesson, or all runs of one lesson.

TensorBoard reads one folder. With more than 40 runs in it, most tabs show none until you tick them.
So the newest runs are linked into a folder, data/newest-runs, and a thread adds the runs that start
later.
"""

from shared.errors import begin_lesson

if __name__ == "__main__":
    begin_lesson()

import argparse
import contextlib
import sys
import threading
from pathlib import Path

from shared.paths import DATA, LOGS

SECONDS = 5    # between two looks for newer runs. TensorBoard looks as often


def port_number(text: str) -> int:
    """A type for argparse: a number from 0 to 65535.

    Raises:
        argparse.ArgumentTypeError: the text is not one.
    """
    if not text.isdecimal() or int(text) >= 2**16:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a port: a number up to 65535 (0: any that is free)")
    return int(text)


def link_newest(folder: Path) -> None:
    """Links `folder/<lesson>/<run>` to the newest run of each lesson, and removes older links."""
    runs = [run for run in sorted(LOGS.glob("*/*")) if run.is_dir()]
    newest = set({run.parent: run for run in runs}.values())    # the last of each lesson remains
    links = {link.readlink(): link for link in folder.glob("*/*")}
    for run in links.keys() - newest:
        links[run].unlink(missing_ok=True)
    for run in newest - links.keys():
        link = folder / run.parent.name / run.name
        link.parent.mkdir(parents=True, exist_ok=True)    # also if somebody deleted the folder
        with contextlib.suppress(FileExistsError):    # another `make tensorboard` was faster
            link.symlink_to(run)


def main() -> None:
    """Starts TensorBoard. Its other flags are passed on."""
    parser = argparse.ArgumentParser(prog="make tensorboard",
                                     usage="make tensorboard [N=7] [PORT=6007]")
    parser.add_argument("--lesson", help="the folder of its runs, such as 07_conv_pool")
    parser.add_argument("--port", type=port_number, help="default: 6006 or the next free one")
    args, for_tensorboard = parser.parse_known_args()

    written = LOGS / args.lesson if args.lesson else LOGS
    if not any(written.glob("**/events.out.tfevents.*")):
        print(f"There is nothing in {written} yet. Runs appear here as soon as they start.",
              file=sys.stderr)

    from tensorboard.main import run_main  # takes a second; the checks above come first

    folder, ended = DATA / "newest-runs", threading.Event()
    link_newest(folder)

    def keep_linking():
        while not ended.wait(SECONDS):
            link_newest(folder)

    thread = threading.Thread(target=keep_linking)
    thread.start()
    # By default TensorBoard keeps ten pictures of a tag. 0 should keep all, but keeps none.
    sys.argv[1:] = ["--logdir", str(written if args.lesson else folder),
                    "--samples_per_plugin", "images=1000", *for_tensorboard]
    if args.port is not None:    # without it, TensorBoard takes a port that is free
        sys.argv += ["--port", str(args.port)]
    try:
        run_main()    # prints its address, and runs until Ctrl-C
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):    # until TensorBoard handles it, and SIGTERM
        main()
