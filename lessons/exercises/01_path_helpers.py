"""Exercises to lesson 1: files in a folder, names in a package

The solutions and the usual mistakes. Write your own in lessons/mine: `make exercise N=1`.
"""

import os
from pathlib import Path

import torch

from shared.exercises import calls, exercise, main


def as_text(value, root="."):
    """A path as text, from `root` on, with / between the names; also those in a list."""
    if isinstance(value, list | tuple):
        return type(value)(as_text(part, root) for part in value)
    if isinstance(value, str | Path):
        return Path(value).as_posix().removeprefix(f"{Path(root).as_posix()}/")
    return value


# 1


def look_at_path(text_path):
    look = calls(("train/ants/7.jpg", "texts"), ("bees.2.small.png", "notes/of val"),
                 ("val/bees/20.jpg.jpg", "texts"), ("val/bees/big.jpeg", "texts"))
    return look(lambda *paths: as_text(text_path(*paths)))


@exercise(
    look_at_path,
    hint="Path(picture).suffix has some characters, with the dot. Take off as many from the end of "
         "Path(picture).name, and add .txt. Then os.path.join.")
def text_path(picture, folder):
    """Where to write a note about a picture: in another folder, under the same name, with .txt.

    picture: the path of a picture, as text. Its name has a suffix, and may have other dots, too.
    folder: the path of the folder for the notes, as text

    Returns the path of the note, as text or as a Path. The suffix .txt takes the place of that of
    the picture. For example, text_path("train/ants/7.jpg", "texts") gives "texts/7.txt".
    """
    path = Path(picture)
    name = path.name.removesuffix(path.suffix) + ".txt"
    return os.path.join(folder, name)


text_path.mistake("the suffix of the picture is still there, in front of .txt",
                  {".removesuffix(path.suffix)": ""})
text_path.mistake("the name ends at its first dot: only the part from the last dot on is the "
                  "suffix", {"removesuffix(path.suffix)": "split('.')[0]"})
text_path.mistake("the dot in front of txt is missing", {".txt": "txt"})
text_path.mistake("the file still has the suffix of a picture: .txt takes its place",
                  {".removesuffix(path.suffix) + \".txt\"": ""})
text_path.mistake("the folders of the picture are still in the path: only the name of the file "
                  "belongs behind the new folder",
                  {"path.name.removesuffix": "picture.removesuffix"})
text_path.mistake("there is no separator between folder and name: os.path.join writes one",
                  {"os.path.join(folder, name)": "folder + name"})
text_path.mistake("the folder is left out", {"os.path.join(folder, name)": "name"})
text_path.mistake("the note is in the folder of the picture, not in the new one",
                  {"os.path.join(folder, name)": "path.parent / name"})
text_path.mistake("only .jpg is replaced, wherever it is in the name: a picture may have another "
                  "suffix", {"removesuffix(path.suffix) + \".txt\"": "replace('.jpg', '.txt')"})
text_path.mistake("the suffix is replaced wherever it is in the name, not only at its end",
                  {"removesuffix(path.suffix) + \".txt\"": "replace(path.suffix, '.txt')"})
text_path.mistake("all letters of the suffix are stripped from the end of the name, as strip and "
                  "rstrip do: big.jpeg loses its g, too", {"removesuffix": "rstrip"})


# 2


def look_at_names(find_names):
    return {
        "(str, 'lower')": find_names(str, "lower"),
        "(torch.cuda, 'available')": find_names(torch.cuda, "available"),
        "(torch.nn, 'relu')": find_names(torch.nn, "relu"),
        "(list, 're')": find_names(list, "re"),
        "(list, 'RE')": find_names(list, "RE"),
        "(bool, 'bytes')": find_names(bool, "bytes"),
    }


@exercise(
    look_at_names,
    hint="A loop over dir(thing). To find capital and small letters alike, compare word.lower() "
         "with name.lower().")
def find_names(thing, word):
    """The names in a module, or in whatever dir() can look into, that contain a word.

    thing: a module, such as torch.cuda, or something else, such as str
    word: a part of the names that are wanted, as text. Capital and small letters count as equal:
        "pool" and "POOL" are both in "MaxPool2d".

    Returns a list of the names, in the order of dir(). Names that begin with _ are left out: they
    are not meant for others. For example, find_names(str, "lower") gives ["islower", "lower"].
    """
    found = []
    for name in dir(thing):
        if word.lower() in name.lower() and not name.startswith("_"):
            found.append(name)
    return found


find_names.mistake("capital and small letters count as different",
                   {"word.lower() in name.lower()": "word in name"})
find_names.mistake("only the name is written in small letters: the word may have capital ones, too",
                   {"word.lower()": "word"})
find_names.mistake("only the word is written in small letters: names may have capital ones, too",
                   {"name.lower()": "name"})
find_names.mistake("only names that begin with the word are found",
                   {"word.lower() in name.lower()": "name.lower().startswith(word.lower())"})
find_names.mistake("only names that end with the word are found",
                   {"word.lower() in name.lower()": "name.lower().endswith(word.lower())"})
find_names.mistake("only a name that is the word, and nothing more, is found",
                   {"word.lower() in name": "word.lower() == name"})
find_names.mistake("names that begin with _ are there, too", {' and not name.startswith("_")': ""})
find_names.mistake("names that begin with _ are there, too, and capital and small letters count as "
                   "different", {' and not name.startswith("_")': "",
                                 "word.lower() in name.lower()": "word in name"})
find_names.mistake("names with a _ in the middle are left out, too",
                   {'name.startswith("_")': '"_" in name'})
find_names.mistake("all names are there that do not contain the word",
                   {"word.lower() in": "word.lower() not in"})
find_names.mistake("only what the thing itself defines is searched; dir() knows more",
                   {"dir(thing)": "sorted(vars(thing))"})
find_names.mistake("the names of a text are searched: dir(thing), without quotation marks or str()",
                   {"dir(thing)": "dir(str(thing))"})
find_names.mistake("only the first name that is found is returned: a list of all is wanted",
                   {"found.append(name)": "return name"})
find_names.mistake("the names are counted, and not listed", {"return found": "return len(found)"})


# 3


def in_no_order(function):
    """A function that lists files, but never in the order of the alphabet. On some machines they
    come in that order by chance."""
    def list_files(*arguments, **named):
        return sorted(function(*arguments, **named), key=lambda path: str(path)[::-1])
    return list_files


def look_into(cases):
    """A look at what a function makes of folders: {label: names of the files in a folder}."""
    from contextlib import ExitStack
    from tempfile import TemporaryDirectory
    from unittest.mock import patch

    def look(function):
        seen = {}
        for label, names in cases.items():
            with TemporaryDirectory() as root, ExitStack() as stack:
                folder = Path(root).resolve() / "photos"
                for path in map(folder.joinpath, names):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.touch()
                for owner, name in ((os, "listdir"), (Path, "iterdir"), (Path, "glob")):
                    listing = in_no_order(getattr(owner, name))
                    stack.enter_context(patch.object(owner, name, listing))
                try:
                    seen[label] = as_text(function(str(folder)), folder.parent)
                except (Exception, SystemExit) as error:
                    seen[label] = error
        return seen
    return look


@exercise(
    look_into({
        "(a folder with 7.jpg, 13.jpg, 20.png)": ["7.jpg", "13.jpg", "20.png"],
        "(a folder with .20.jpg, 20.jpg, 13.jpg, jpg, notes.txt)":
            [".20.jpg", "20.jpg", "13.jpg", "jpg", "notes.txt"],
        "(a folder with 9.png, 13.jpg.txt, bee.13.jpg, 20.gif, my_jpg)":
            ["9.png", "13.jpg.txt", "bee.13.jpg", "20.gif", "my_jpg"],
    }),
    hint="A loop over sorted(os.listdir(folder)). Path(name).suffix says what kind of file it is. "
         "os.path.join makes the path.")
def picture_paths(folder):
    """The paths of the pictures in a folder, in alphabetical order, as `sorted` makes it.

    folder: the path of a folder, as text, such as "photos"

    Returns a list of paths, as text or as Paths: of the files with the suffix .jpg or .png only,
    without hidden files. For example, if the files in the folder photos are 20.png, 7.jpg and
    notes.txt, it gives ["photos/20.png", "photos/7.jpg"].
    """
    paths = []
    for name in sorted(os.listdir(folder)):
        if Path(name).suffix in (".jpg", ".png") and not name.startswith("."):
            paths.append(os.path.join(folder, name))
    return paths


suffix, both = "Path(name).suffix in", '(".jpg", ".png")'
picture_paths.mistake("the names are there without the folder in front: that is what os.listdir "
                      "gives", {"os.path.join(folder, name)": "name"})
picture_paths.mistake("the files are in the order of os.listdir or iterdir: sort them",
                      {"sorted(os.listdir(folder))": "os.listdir(folder)"})
picture_paths.mistake("hidden files are there, too", {' and not name.startswith(".")': ""})
picture_paths.mistake("files of all kinds are there, not only .jpg and .png",
                      {f"{suffix} {both} and": ""})
picture_paths.mistake("all visible files with a suffix are there, not only .jpg and .png",
                      {f"{suffix} {both}": '"." in name'})
picture_paths.mistake("only the files with .jpg are there", {', ".png")': ",)"})
picture_paths.mistake("there is no separator between folder and name: os.path.join writes one",
                      {"os.path.join(folder, name)": "folder + name"})
picture_paths.mistake("a name counts if .jpg or .png is anywhere in it: the suffix is its end",
                      {f"{suffix} {both}": '(".jpg" in name or ".png" in name)'})
picture_paths.mistake("a name counts if it ends in jpg or png, even without a dot",
                      {f"{suffix} {both}": 'name.endswith(("jpg", "png"))'})
picture_paths.mistake("what comes behind the first dot is taken for the suffix: it begins at the "
                      "last dot", {f"{suffix} {both}":
                                   'name.partition(".")[2] in ("jpg", "png")'})
picture_paths.mistake("only the first file is looked at, as if `return` were in the loop",
                      {"    return paths": "        return paths"})


# 4


@exercise(
    look_into({
        "(a folder with bees/8.jpg, ants/20.jpg, ants/13.jpg)":
            ["bees/8.jpg", "ants/20.jpg", "ants/13.jpg"],
        "(a folder with wasps/8.jpg, .DS_Store, bees/.2.jpg, bees/11.jpg, ants/3.jpg)":
            ["wasps/8.jpg", ".DS_Store", "bees/.2.jpg", "bees/11.jpg", "ants/3.jpg"],
        "(a folder with ants/5.jpg, ants/31.jpg, bees/.hidden, wasps/3.jpg, .old/4.jpg)":
            ["ants/5.jpg", "ants/31.jpg", "bees/.hidden", "wasps/3.jpg", ".old/4.jpg"],
    }),
    hint="Make a sorted list of the classes without hidden names. enumerate(classes) gives their "
         "numbers. Inside this loop, a second one goes over the pictures of the class.")
def samples_in(folder):
    """The pictures of a data set, each with the number of its class.

    folder: the path of a folder, as text, such as "photos". In it is a folder for each class, such
        as ants, and in that are the pictures of the class. Hidden files and hidden folders do
        not count. A class without pictures has a number, too.

    Returns a list of pairs (tuples): the path of a picture, as text or as a Path, and the number of
    its class. The classes are numbered from 0, in alphabetical order, and the pictures of a class
    are in alphabetical order, too. For example, if there are photos/bees/20.jpg and
    photos/ants/7.jpg, it gives [("photos/ants/7.jpg", 0), ("photos/bees/20.jpg", 1)].
    """
    samples = []
    classes = [name for name in sorted(os.listdir(folder)) if not name.startswith(".")]
    for number, class_name in enumerate(classes):
        for file in sorted(os.listdir(os.path.join(folder, class_name))):
            if not file.startswith("."):
                samples.append((os.path.join(folder, class_name, file), number))
    return samples


path = "os.path.join(folder, class_name, file)"
samples_in.mistake("the classes are in the order of os.listdir or iterdir: sort them, or the "
                   "numbers of the classes differ between machines",
                   {"sorted(os.listdir(folder))": "os.listdir(folder)"})
samples_in.mistake("the pictures are in the order of os.listdir or iterdir: sort them",
                   {"sorted(os.listdir(os.path.join(folder, class_name)))":
                    "os.listdir(os.path.join(folder, class_name))"})
samples_in.mistake("a hidden file counts as a class, and what is in it is asked for",
                   {' if not name.startswith(".")': ""})
samples_in.mistake("a hidden folder counts as a class",
                   {'not name.startswith(".")': "os.path.isdir(os.path.join(folder, name))"})
samples_in.mistake("hidden files count as pictures", {'not file.startswith(".")': "True"})
samples_in.mistake("a class without visible pictures gets no number, so the numbers after it are "
                   "too small",
                   {"    return samples": "    numbers = sorted({n for _, n in samples})\n"
                                          "    return [(p, numbers.index(n)) for p, n in samples]"})
samples_in.mistake("the classes are numbered from 1, not from 0",
                   {"enumerate(classes)": "enumerate(classes, start=1)"})
samples_in.mistake("the pictures are numbered, not the classes", {", number))": ", len(samples)))"})
samples_in.mistake("the pictures of each class are numbered, not the classes",
                   {"for file in sorted(os.listdir(os.path.join(folder, class_name)))":
                    "for number, file in enumerate(sorted(os.listdir(os.path.join(folder, "
                    "class_name))))"})
samples_in.mistake("the name of the class is there, not its number",
                   {", number))": ", class_name))"})
samples_in.mistake("number and path have changed places",
                   {f"({path}, number)": f"(number, {path})"})
samples_in.mistake("the folder of the class is missing in the path",
                   {path: "os.path.join(folder, file)"})
samples_in.mistake("the names are there without any folder in front", {path: "file"})
samples_in.mistake("the folder of the data set is missing in the path",
                   {path: "os.path.join(class_name, file)"})
samples_in.mistake("only the first class is there, as if `return` were in the outer loop",
                   {"    return samples": "        return samples"})
samples_in.mistake("each class has a list of its own: put all pairs into one list",
                   {"    return samples": "    return [[pair for pair in samples if pair[1] == n]"
                                          " for n in range(len(classes))]"})


if __name__ == "__main__":
    main(__file__)
