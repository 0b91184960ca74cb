"""01. Find your way: files in a folder, names in a package

Welcome! These twelve lessons begin with a folder of pictures. They end with a neural
network that you have trained yourself, and that tells what a picture shows. A neural
network, also called a model, is a function with many numbers in it. Training changes
these numbers, a little at a time, until the network's answers to many examples are good.

You need to know Python. You need not know anything about machine learning, and you
need no graphics card.

Each lesson is a script. Read it, run it, and look at what it prints. Then change a
line and run it again. Each lesson ends with questions to try. Their answers are in
lessons/README.md.

`# %%` begins a cell: VS Code and PyCharm can run a script cell by cell. For Jupyter,
`make notebook N=1` writes a notebook of lesson 1.

This first lesson answers two questions that come up every day:

- Which files are in this folder? (os.listdir, os.path.join, pathlib)
- What is in this package, and what does this function do? (dir, help)

It takes about 3 seconds, and longer if it downloads its pictures (47 MB), the first time.

    python lessons/01_path_helpers.py              runs it

Or type `make lesson N=1`. The first time, it installs all that the lessons need into .venv,
an environment: a Python of its own for the lessons. Before you type `python` yourself, run
`source .venv/bin/activate`. (README.md has the line for Windows, and other environments.)
"""

# %% Setup
# `shared` is the folder beside `lessons`. It holds code that several lessons use.
# When you installed the lessons (README.md says how), Python learned where it is.
from shared.errors import begin_lesson

# Every lesson begins with this call. If the disk is full or a folder is missing, you then
# get two plain lines in the place of a long traceback: what is wrong, and what to do.
# A mistake in the code, such as a misspelled variable, still gives Python's usual traceback.
# (The call comes before `import torch`, because it makes a setting that PyTorch reads when
# it starts.)
begin_lesson()

import os
import pydoc
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import torch    # this is PyTorch. The import takes a few seconds

from shared.datasets import ants_and_bees

# %% The pictures of a data set are files in folders
# A data set is a collection of examples. This one has pictures of ants and of bees.
#
# `ants_and_bees` looks for the photographs in the folder data/hymenoptera_data. If they
# are not there, it downloads them (47 MB). Without the internet it draws simple
# pictures instead, so that each lesson works everywhere. These are called the drawn
# stand-in. The function prints which of the two you have got, and where.
folder, drawn = ants_and_bees()    # the path of a folder, and True or False

print("The pictures are drawn, not photographs:", drawn)
# -> The pictures are drawn, not photographs: ...

# A comment with an arrow (# ->) says what the print above it prints. Three dots stand
# for anything: your output may differ there. A test runs all lessons and compares these
# comments with what is printed, so you can rely on them.

# %% os.path.join writes the separator that this machine uses
# The separator stands between the names in a path: the `/` in data/hymenoptera_data.
#
# The folder has two parts: `train` has the pictures to learn from, and `val` (short for
# validation) has others, to test with. The lessons call them test pictures. (Lesson 10 says
# what the difference is.)
train = os.path.join(folder, "train")
print("folder of the pictures to learn from:", train)
# -> folder of the pictures to learn from: ...train

# The separator is `\` on Windows and `/` elsewhere. Python calls it os.sep. (`folder`
# is an object, a Path; it is explained below. str() makes a text of it.)
by_hand = str(folder) + os.sep + "train"
print("joined by hand equals os.path.join:", by_hand == train)
# -> joined by hand equals os.path.join: True


# %% os.listdir gives names in no particular order, so sort them
def visible_names(path):
    """The names of what is in a folder, sorted, without hidden files."""
    # os.listdir gives a list of names, without the folder in front of them. Their order
    # differs between machines. If you want "the first file", sort them.
    names = sorted(os.listdir(path))

    # A file whose name begins with a dot is a hidden file. Programs put such files into
    # folders, for example macOS its .DS_Store. They are not pictures.
    return [name for name in names if not name.startswith(".")]


# `train` has one folder for each class. A class is one of the kinds of things that the
# network has to distinguish: ant or bee. (It is not a class of Python.)
classes = visible_names(train)
print("classes:", classes)
# -> classes: ['ants...', 'bees...']

ants = os.path.join(train, classes[0])
names = visible_names(ants)
print("first two pictures of ants:", names[:2])
# -> first two pictures of ants: ['0013035.jpg', '...jpg']

# os.listdir gave the name only. To open the file you need its path.
path = os.path.join(ants, names[0])
print("path of the first picture:", path)
# -> path of the first picture: ...0013035.jpg

# %% pathlib says the same with objects, and reads better
# A Path is an object that stands for a path. The sign / joins its parts.
print("Path(ants) / name is the same path:", Path(ants) / names[0] == Path(path))
# -> Path(ants) / name is the same path: True

print("name of the file:", Path(path).name)
# -> name of the file: 0013035.jpg

print("suffix, which says what kind of file it is:", Path(path).suffix)
# -> suffix, which says what kind of file it is: .jpg

print("the file is in the folder:", Path(path).parent.name)
# -> the file is in the folder: ants...

# iterdir is pathlib's listdir. It gives whole paths, again in no particular order.
print("iterdir gives this path, too:", Path(path) in list(Path(ants).iterdir()))
# -> iterdir gives this path, too: True

# %% dir() lists the names inside a module or a package
# A module is a file of Python code that one can import. A package is a folder of
# modules. torch is a package, and torch.cuda is a package inside it.
print("torch holds more than 1000 names:", len(dir(torch)) > 1000)
# -> torch holds more than 1000 names: True

# That is too much to read, so search it. CUDA is NVIDIA's software for computing on its
# graphics cards. Does torch have a part for it?
found = [name for name in dir(torch) if name.startswith("cuda")]
print("names in torch that begin with cuda:", found)
# -> names in torch that begin with cuda: [...'cuda'...]

# And can that part tell whether such a card is available?
found = [name for name in dir(torch.cuda) if "available" in name]
print("names in torch.cuda that contain available:", found)
# -> names in torch.cuda that contain available: [...'is_available'...]

# Without an argument, dir() lists the names that exist here: those that you made or
# imported above, and a few that Python makes, such as __name__.
print("the name `classes` exists here:", "classes" in dir())
# -> the name `classes` exists here: True

print("the name `bananas` exists here:", "bananas" in dir())
# -> the name `bananas` exists here: False

# %% help() explains a function
# Start `python` in a terminal, type `import torch`, then help(torch.cuda.is_available).
# Pass the function itself: with () behind its name you would call it.
#
# In a terminal, help() shows a page and waits for the key q. A script would stop there.
# So this one asks pydoc, the module behind help(), for the same text. (It ends with a
# note about `fork`, which you do not need.)
function = torch.cuda.is_available
print(pydoc.render_doc(function, title="Help on %s:", renderer=pydoc.plaintext))
# -> Help on function is_available in module torch.cuda:
#
#    is_available() -> bool
#        Return a bool indicating if CUDA is currently available.
#        ...

# %% torch.cuda.is_available() says whether PyTorch can use a GPU
# A GPU is the processor of a graphics card. It does many calculations at the same time,
# so networks train faster on it. (PyTorch uses the name cuda for AMD's cards as well.)
print("PyTorch can use a GPU of NVIDIA or AMD:", torch.cuda.is_available())
# -> PyTorch can use a GPU of NVIDIA or AMD: ...

# The GPUs of other makers have other names: `mps` is Apple's, `xpu` is Intel's.
# torch.accelerator is newer, and asks about all of them.
print("PyTorch can use a GPU of any maker:", torch.accelerator.is_available())
# -> PyTorch can use a GPU of any maker: ...

# A device is the part of the computer that does the calculations. The CPU is always
# there.
if torch.accelerator.is_available():
    device = torch.accelerator.current_accelerator()
else:
    device = torch.device("cpu")
print("device on which lesson 12 will train:", device)
# -> device on which lesson 12 will train: ...

# If you ask others for help with PyTorch, tell them these two versions. torchvision is
# PyTorch's package for pictures. version("torchvision") need not import it.
print("version of torch:", torch.__version__)
# -> version of torch: ...
print("version of torchvision:", version("torchvision"))
# -> version of torchvision: ...

# %% Look through a data set before you use it
# Now put the first cells to use: list all folders of the data set, and count the files
# in each by their suffix. It is a good habit to do so with every new data set.
for part in ("train", "val"):
    for class_name in visible_names(os.path.join(folder, part)):
        files = visible_names(os.path.join(folder, part, class_name))
        suffixes = Counter(Path(file).suffix for file in files)
        print(f"{part}, {class_name}: {len(files)} files, by suffix:", dict(suffixes))
# -> train, ants...: ... files, by suffix: {'.jpg': ...}
#    train, bees...: ... files, by suffix: {'.jpg': ...}
#    val, ants...: ... files, by suffix: {'.jpg': ...}
#    val, bees...: ... files, by suffix: {'.jpg': ...}

# If you have the photographs, one file among the ants of `train` ends in .gif. Open it
# (imageNotFound.gif): there is no ant in it, only the words "this image could not be
# found". A network must not learn from it, so lesson 2 leaves it out.

# Do you want to write such code yourself? Each lesson has exercises that check themselves.
print("Exercises: make exercise N=1, or python lessons/exercises/01_path_helpers.py")
# -> Exercises: make exercise N=1, or python lessons/exercises/01_path_helpers.py

# Try next:
# - Print `dir(os.path)`. Which of these functions gives the size of a file? How many
#   bytes has the first picture of an ant?
# - Print `dir(names)`. Which of these names sorts the list itself? What does help() of
#   it say, and what is the difference to `sorted(names)`?
# - Print the names in torch that contain "load". What does help(torch.load) say that it
#   does?
