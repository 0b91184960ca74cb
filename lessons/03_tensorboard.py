"""03. TensorBoard shows what a program wrote down

Training a network takes minutes to days. You want to see how it goes while it runs, and
to compare it with other runs afterwards. Two programs share this work:

- Your program has a SummaryWriter, which writes numbers and pictures into a folder.
- TensorBoard reads this folder and draws its contents in your browser, while your
  program runs or long after.

(TensorBoard comes from TensorFlow, another library for neural networks. PyTorch has
supported it since version 1.2. Before that, people used the package TensorBoardX.)

It takes about 3 seconds.

    python lessons/03_tensorboard.py              runs it
    tensorboard --logdir logs/03_tensorboard      shows what it wrote
"""

# %% Setup
from shared.errors import begin_lesson

begin_lesson()    # problems such as a full disk are told in two plain lines from here on

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

from shared.datasets import AntsBees, ants_and_bees
from shared.paths import new_run, print_where_to_look

POINTS = 100                  # points of each curve
MARGINS = (0, 40, 80, 120)    # pixels to cut off on each side, one number for each step

LOOK_AT = """
- Time Series tab, card "3 charts/1 y = x". The table under the curve says Smoothed 97.5
  and Value 99. Set Smoothing (right side, Settings) to 0. What does it say now?
- Time Series tab, card "3 charts/2 powers of x". Untick the run on the left side whose
  name ends in x^2. What happens to the chart?
- Scalars tab: the same curves. Here, Smoothing is on the left side. Point at a curve to
  see its values.
- Images tab, card "3 pictures/1 six pixels". Which colour is in row 1, column 2? (The
  first row is row 0.)
- Images tab, card "3 pictures/4 ant, closer". It shows its last step, 4, at first. Move
  the slider to the left, to step 1. What happens to the ant?
"""

# %% A SummaryWriter writes into the folder of one run
# A run is everything that a program writes from its start to its end. Each run gets a
# folder of its own. If two runs were in one folder, TensorBoard would take the points
# of both for one curve.
folder, drawn = ants_and_bees()
run = new_run(__file__, drawn=drawn)
print("folder of this run:", run)
# -> folder of this run: ...03_tensorboard...

writer = SummaryWriter(run)
writer.add_text("0 look at", LOOK_AT)    # the Text tab shows it; 0 puts it first there

# %% add_scalar puts one point onto a chart
# A scalar is a single number. Let us draw y = x, point by point.
for x in range(POINTS):
    writer.add_scalar(
        tag="3 charts/1 y = x",    # the name of the curve: group, /, title
        scalar_value=x,            # how high the point is: vertical axis
        global_step=x,             # where it is from left to right: horizontal axis
    )

# TensorBoard shows each tag as a card, and sorts the cards into the groups. In these
# lessons a tag begins with the number of the lesson, here 3.
#
# In training, the step counts the iterations or the epochs. It must grow from point to
# point. If a step is smaller than the one before, TensorBoard thinks that the curve
# starts anew, and it may forget the points so far.
#
# By default, TensorBoard smooths curves: it replaces each value by an average of this
# one and those before it, in which the latest count most. This makes noisy curves easier
# to read. But a smoothed curve lags behind: this one seems to end at 97.5. Set Smoothing
# to 0, and it ends at its last value, 99.

# %% add_scalars puts several curves into one chart
for step in range(POINTS):
    x = step / POINTS
    values = {"x": x, "x^2": x**2, "x^3": x**3}
    writer.add_scalars("3 charts/2 powers of x", values, global_step=step)

# TensorBoard uses the word differently: each folder that something was written into is a
# run. add_scalars makes a folder for each curve, inside the folder of this run. So
# TensorBoard lists four runs on the left side: this run itself (with the name "." under the
# command that this lesson prints), and one for each of the three curves. In a folder's name
# the / of the tag becomes _:
for path in sorted(run.iterdir()):
    if path.is_dir():
        print("folder of a curve:", path.name)
# -> folder of a curve: 3 charts_2 powers of x_x
#    folder of a curve: 3 charts_2 powers of x_x^2
#    folder of a curve: 3 charts_2 powers of x_x^3

# %% A picture is an array of height x width x channels
# A colour picture has three numbers for each pixel: how much red, green and blue, from
# 0 (none) to 255 (all). These are its three channels. An array is NumPy's table of
# numbers, with any number of dimensions. Here is a picture of six pixels:
six = np.array([
    [[255, 0, 0], [0, 255, 0], [0, 0, 255]],          # upper row: red, green, blue
    [[0, 0, 0], [128, 128, 128], [255, 255, 0]],      # lower row: black, grey, yellow
], dtype=np.uint8)    # uint8: whole numbers from 0 to 255

print("shape (height, width, channels):", six.shape)
# -> shape (height, width, channels): (2, 3, 3)
print("pixel in row 0, column 1, which is green:", six[0, 1])
# -> pixel in row 0, column 1, which is green: [  0 255   0]

# The sign : stands for all rows, or all columns.
print("red channel of all pixels:", six[:, :, 0].tolist())
# -> red channel of all pixels: [[255, 0, 0], [0, 128, 255]]

# A photograph is the same with more pixels.
picture, label = AntsBees(folder / "train", "ants")[0]
ant = np.array(picture)
print("the ant:", type(ant), ant.shape, ant.dtype)
# -> the ant: <class 'numpy.ndarray'> (512, 768, 3) uint8

# %% add_image expects channels x height x width, unless it is told otherwise
# The order of the dimensions has a short name. HWC is height, width, channels, as
# above: arrays made of a PIL picture have it. In PyTorch the channels come first: CHW.
# This is what add_image expects, too. If your array is HWC, say so with `dataformats`:
writer.add_image("3 pictures/1 six pixels", six, global_step=1, dataformats="HWC")
writer.add_image("3 pictures/2 ant, HWC", ant, global_step=1, dataformats="HWC")

# Or change the order yourself: dimension 2 comes first, then 0, then 1.
six_chw = six.transpose(2, 0, 1)    # (2, 3, 3) -> (3, 2, 3)
print("channel 0 comes first now:", six_chw[0].tolist())
# -> channel 0 comes first now: [[255, 0, 0], [0, 128, 255]]

ant_chw = ant.transpose(2, 0, 1)
print("HWC -> CHW:", ant.shape, "->", ant_chw.shape)
# -> HWC -> CHW: (512, 768, 3) -> (3, 512, 768)

# %% add_image takes a NumPy array or a tensor
# A tensor is PyTorch's array (lesson 2). In an array as in a tensor, a picture has
# either whole numbers from 0 to 255 (uint8), or fractions from 0 to 1 (float). Do not
# use whole numbers of another type, such as int64, which np.array makes if you leave out
# dtype=np.uint8. add_image would multiply them by 255, as it does with fractions, and the
# picture would come out wrong.
six_tensor = torch.tensor(six_chw) / 255
print("red channel as fractions:", six_tensor[0])
# -> red channel as fractions: tensor([[1.0000, 0.0000, 0.0000],
#            [0.0000, 0.5020, 1.0000]])

ant_tensor = torch.tensor(ant_chw) / 255
writer.add_image("3 pictures/3 ant, CHW tensor", ant_tensor, global_step=1)

# %% What add_image does not take: the wrong order, and the name of a file
# Without dataformats, add_image thinks that the 512 rows of the ant are 512 channels.
# The message ends with "(1, 1, 512), |u1": PIL has no pictures with 512 channels. (The 1, 1
# stand for any height and any width. |u1 is NumPy's short name for uint8.)
try:
    writer.add_image("3 pictures/wrong order", ant)
except TypeError as error:
    print("add_image with the channels last:", type(error).__name__, "-", error)
# -> add_image with the channels last: TypeError - ...512...

# Not every mistake gives an error. With the six pixels, add_image would think that their
# two rows are two channels. Pictures with two channels exist (grey and transparency). So
# there would be no error, only a wrong picture.

# The name of a file is no picture. First make an array of the file:
# np.array(Image.open(path)), with dataformats="HWC".
try:
    writer.add_image("3 pictures/name of a file", "0013035.jpg")
except AssertionError as error:
    print("name of a file in the place of a picture:", type(error).__name__)
# -> name of a file in the place of a picture: AssertionError

# %% Several steps of one tag make a slider
# A larger margin is cut off at each step, so that the ant comes closer.
_, height, width = ant_chw.shape    # 3, 512, 768
for step, margin in enumerate(MARGINS, start=1):
    bottom, right = height - margin, width - margin
    closer = ant_chw[:, margin:bottom, margin:right]    # all channels; rows; columns
    writer.add_image("3 pictures/4 ant, closer", closer, global_step=step)

# %% Closing writes what is still in memory
# Most lessons write `with SummaryWriter(run) as writer:`, which closes by itself.
writer.close()

# %% TensorBoard draws what is in the folder after --logdir
# The next call prints a command and an address. Type the command into a terminal, in the
# folder from which you started this lesson. Then open the address in your browser.
#
# - A port is the number by which your browser finds TensorBoard among the programs of a
#   machine. If TensorBoard says that port 6006 is in use, add `--port 6007` to the
#   command and open http://localhost:6007.
# - Does your program run on another machine? Log in from yours with
#   `ssh -L 6006:localhost:6006 user@machine`, and start TensorBoard there. The address
#   http://localhost:6006 then works on your machine.
# - Never use `--bind_all`. With it, other machines can reach TensorBoard, too. It asks
#   for no password, so other people could see what is in the folder.
print_where_to_look(run, LOOK_AT)

# Try next:
# - Set `scalar_value=2 * x` and run the lesson again. `tensorboard --logdir
#   logs/03_tensorboard` shows all its runs. How do you see which curve is of which run?
# - Set `global_step=POINTS - x` for y = x, so that the step falls. What is left of the
#   curve?
# - Set `dataformats="WHC"` for the six pixels. Where is the green one in TensorBoard?
