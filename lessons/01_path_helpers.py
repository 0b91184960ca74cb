"""01. Find your way: files on the disk, names in a package

Every training starts with a list of files, and every new library with the question what is in it. Here are the two
functions that list a folder and join a path, and the two that answer questions about Python itself.

    python lessons/01_path_helpers.py

This is the one lesson without TensorBoard. The lines that start with `# ->` show what the line above prints.
"""

# %% os.listdir gives names in no particular order, so sort them
import os

from shared.datasets import ants_and_bees

folder, _ = ants_and_bees()    # photographs of ants and bees, or drawings where there are none

train = os.path.join(folder, "train")
classes = sorted(name for name in os.listdir(train) if not name.startswith("."))    # .DS_Store is listed, too
print(len(classes), "classes:", classes)
# -> 2 classes: ['ants...', 'bees...']

ants = os.path.join(train, classes[0])
names = sorted(os.listdir(ants))
print(names[:2])
# -> ['0013035.jpg', '...jpg']

# %% os.path.join writes the separator that this machine uses
path = os.path.join(ants, names[0])
print(path)
# -> ...0013035.jpg

# `\` on Windows, `/` elsewhere; both may be mixed in a path on Windows, only `/` works everywhere.
print(path == ants + os.sep + names[0])
# -> True

# %% pathlib says the same with objects, and reads better
from pathlib import Path

print(Path(ants) / names[0] == Path(path))
# -> True
print(Path(path).name, Path(path).suffix, Path(path).parent.parent.name)
# -> 0013035.jpg .jpg train
print(sorted(child.name for child in Path(ants).iterdir()) == names)
# -> True

# %% dir() lists the names inside a thing
import torch

print("AVG" in dir(torch), "AggregationType" in dir(torch), "cuda" in dir(torch), "is_available" in dir(torch.cuda))
# -> True True True True

# Without an argument it lists the names that exist here, which are the ones made above.
print("names" in dir(), "path" in dir(), "bananas" in dir())
# -> True True False

# %% help() explains a function, if you pass the function and do not call it
import contextlib
import io

# In a terminal help() opens a pager that waits for the key q. Caught as text, it cannot hold up the script.
with contextlib.redirect_stdout(io.StringIO()) as text:
    help(torch.cuda.is_available)
print(text.getvalue().strip())
# -> Help on function is_available in module torch.cuda:
#
#    is_available() -> bool
#        Return a bool indicating if CUDA is currently available.
#        ...

# %% This is what you are running on
import platform

import torchvision

# An accelerator is an NVIDIA or AMD card (cuda), Apple's GPU (mps), Intel's (xpu)... None means that there is none.
device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
print("Python     ", platform.python_version())
print("torch      ", torch.__version__)
print("torchvision", torchvision.__version__)
print("Lesson 12 would train on:", device)
# -> Lesson 12 would train on: ...

# Try next:
# - `bees = os.path.join(train, classes[1])`: how many pictures does that folder hold?
# - `print(dir(names))`: which of these can sort a list in place?
# - `help(os.path.join)` in a Python prompt, where the pager is welcome.
