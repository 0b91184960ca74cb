"""Says what is on your own photos, by the network that `python -m shared.training` trained last.

    python -m shared.training.predict photo.jpg another.png      or: make predict ARGS="photo.jpg"
"""

from shared.errors import LessonError, begin_lesson

if __name__ == "__main__":
    begin_lesson()

import argparse
import json
import stat
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from shared.networks import CIFAR10NetSimpleV3
from shared.paths import MODELS
from shared.sources.folders import open_rgb, to_32x32
from shared.training import checkpoint


def load_last() -> tuple[CIFAR10NetSimpleV3, dict]:
    """The network that was trained last, ready to predict, and the report of its training.

    To the report are added "below" and "false_alarms", of `report.none_of_these`.

    Raises:
        LessonError: no run has come to its end, or its files are damaged.
    """
    runs = MODELS / "training"
    finished = sorted(runs.glob("*/weights.pt"), key=lambda path: path.stat().st_mtime)
    if not finished:
        raise LessonError(f"there are no trained weights in {runs}.\n"
                          "Train first: python -m shared.training")
    folder = finished[-1].parent
    state = checkpoint.load_whole(finished[-1])
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        network = CIFAR10NetSimpleV3(len(report["per_class"])).eval()
        network.load_state_dict(state)
        report["below"] = report["none_of_these"]["below"]
        report["false_alarms"] = report["none_of_these"]["false_alarms"]
        report["mean"], report["std"] = torch.tensor(report["mean"]), torch.tensor(report["std"])
        print(f"Weights: {folder}, trained on {report['data']}, "
              f"test accuracy {report['accuracy']:.4f}")
        if report.get("drawn"):
            print("Mind that this network has seen only drawings: of photos it knows little.")
    except Exception as error:    # a report that somebody has edited can be wrong in many ways
        reason = str(error).partition("\n")[0]
        raise LessonError(f"the weights in {folder} do not fit its report: {reason}\n"
                          "Train again, or delete that folder.") from None
    return network, report


def open_photo(photo: Path) -> Image.Image:
    """Decodes a photo, as an RGB `PIL.Image`.

    Raises:
        LessonError: it is not there, is no file, or cannot be decoded.
    """
    try:
        mode = photo.stat().st_mode
    except OSError as error:
        raise LessonError(f"there is no photo {photo} ({error.strerror}).\n"
                          "Look for its right name.") from None
    if stat.S_ISDIR(mode):
        raise LessonError(f"{photo} is a folder.\nName the photos in it: {photo / '*.jpg'}")
    if not stat.S_ISREG(mode):    # to open it might wait for ever
        raise LessonError(f"{photo} is no ordinary file.\nName a photo.")
    return open_rgb(photo, "If another program shows it, save it there as a JPEG of less than "
                           "100 megapixels.")


def predict(network: CIFAR10NetSimpleV3, report: dict, photo: Path) -> None:
    """Prints the three most probable classes of a photo, and whether it is probably none of them.

    Args:
        network: ready to predict.
        report: of its training: how to normalise, and which confidence is too little.
        photo: of any size and mode.

    Raises:
        LessonError: the photo cannot be read.
    """
    pixels = torch.from_numpy(np.array(to_32x32(open_photo(photo))))               # (32, 32, 3)
    normalized = ((pixels / 255 - report["mean"]) / report["std"]).permute(2, 0, 1)
    with torch.inference_mode():
        probabilities = network(normalized[None]).softmax(dim=1)[0]    # -> (classes,)

    print(photo)
    classes = list(report["per_class"])
    for number in probabilities.argsort(descending=True)[:3].tolist():
        bar = "#" * round(40 * probabilities[number].item())
        print(f"  {classes[number]:12} {probabilities[number]:4.0%} {bar}")
    if probabilities.max() < report["below"]:
        print(f"  Probably none of the {len(classes)} classes: so little confidence is rare. "
              f"Only {report['false_alarms']:.1%} of the test pictures get less.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m shared.training.predict")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    photos = parser.parse_args().photos
    trained = load_last()
    for photo in photos:
        predict(*trained, photo)
