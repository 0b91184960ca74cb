"""Right answers to the exercises of lesson 1, in other words than the solutions."""

import os
from pathlib import Path


def text_by_slicing(picture, folder):
    name = os.path.basename(picture)
    return folder + os.sep + name[: -len(Path(picture).suffix)] + ".txt"


def text_by_stem(picture, folder):
    return Path(folder) / f"{Path(picture).stem}.txt"


def text_by_splitting(picture, folder):
    parts = picture.split("/")[-1].split(".")
    parts[-1] = "txt"
    return os.path.join(folder, ".".join(parts))


def text_with_suffix(picture, folder):
    return Path(folder, Path(picture).with_suffix(".txt").name)


def names_listed(thing, word):
    return [n for n in dir(thing) if word.lower() in n.lower() and n[0] != "_"]


def names_filtered(module, text):
    visible = filter(lambda name: not name.startswith("_"), dir(module))
    return list(filter(lambda name: text.upper() in name.upper(), visible))


def names_removed(thing, word):
    names = dir(thing)
    for name in list(names):
        if name.startswith("_") or name.lower().find(word.lower()) == -1:
            names.remove(name)
    return names


def paths_by_iterdir(folder):
    return sorted(p for p in Path(folder).iterdir()
                  if p.suffix in [".jpg", ".png"] and p.name[0] != ".")


def paths_by_endswith(folder):
    names = os.listdir(folder)
    names.sort()
    result = []
    for name in names:
        if name.startswith("."):
            continue
        if name.endswith(".jpg") or name.endswith(".png"):
            result.append(folder + "/" + name)
    return result


def paths_by_glob(folder):
    paths = [*Path(folder).glob("*.jpg"), *Path(folder).glob("*.png")]
    return sorted(str(path) for path in paths if not path.name.startswith("."))


def samples_by_iterdir(folder):
    samples = []
    number = 0
    for class_folder in sorted(Path(folder).iterdir()):
        if class_folder.is_dir() and not class_folder.name.startswith("."):
            for path in sorted(class_folder.iterdir()):
                if not path.name.startswith("."):
                    samples.append((path, number))
            number += 1
    return samples


def samples_with_a_helper(folder):
    def visible(path):
        return sorted(name for name in os.listdir(path) if name[0] != ".")

    classes = visible(folder)
    return [(os.path.join(folder, c, name), classes.index(c))
            for c in classes for name in visible(os.path.join(folder, c))]


def samples_by_index(folder):
    names = sorted(os.listdir(folder))
    while names[0].startswith("."):
        names.pop(0)
    result = []
    for i in range(len(names)):
        inner = str(folder) + os.sep + names[i]
        for file in sorted(os.listdir(inner)):
            if file[:1] == ".":
                continue
            result += [(inner + os.sep + file, i)]
    return result


# At least three for each exercise.
RIGHT = {
    "text_path": [text_by_slicing, text_by_stem, text_by_splitting, text_with_suffix],
    "find_names": [names_listed, names_filtered, names_removed],
    "picture_paths": [paths_by_iterdir, paths_by_endswith, paths_by_glob],
    "samples_in": [samples_by_iterdir, samples_with_a_helper, samples_by_index],
}
# Changes of a solution that are as right as it is, as the test writes them: the order of two lines.
EQUALLY_RIGHT = {
    "samples_in": {
        "earlier classes = [name for name in sorted(os.listdir(folder)) "
        "if not name.startswith('.')]",
    },
}
