"""03. TensorBoard shows what a program wrote down

A SummaryWriter writes numbers and pictures into a folder while the program runs; TensorBoard reads that folder and
draws it in the browser, while the program runs or long after.

    python lessons/03_tensorboard.py
    tensorboard --logdir logs/03_tensorboard

Then open http://localhost:6006. If the port is taken: `tensorboard --logdir logs --port 6007`. If the program ran on
another machine: `ssh -L 6006:localhost:6006 user@machine`, start tensorboard there, and open the same address here.
(TensorBoard asks nobody for a password, so leave `--bind_all` alone.)
"""

# %% add_scalar puts one point onto a chart
from torch.utils.tensorboard import SummaryWriter

from shared.datasets import AntsBees, ants_and_bees
from shared.paths import new_run, tensorboard_command

folder, drawn = ants_and_bees()
run = new_run(__file__, drawn=drawn)    # a new folder each time: two runs in one folder draw a zigzag
writer = SummaryWriter(run)
writer.add_text("0 look at", "Set **Smoothing** to 0: then y = x ends at 99. Move the slider above the third ant.")

for x in range(100):
    writer.add_scalar("3 charts/1 y = x", scalar_value=x, global_step=x)    # tag: group/title; step: horizontal axis
# TensorBoard draws a smoothed curve, which lags behind: this one ends at 97.5. In its settings, set Smoothing to 0.

# %% add_scalars puts several curves into one chart
for x in range(100):
    writer.add_scalars("3 charts/2 powers of x", {"x": x / 100, "x^2": (x / 100) ** 2, "x^3": (x / 100) ** 3}, x)

# %% A picture is an array of height x width x channels
import numpy as np

picture = AntsBees(folder / "train", "ants")[0][0]
array = np.array(picture)
print(type(array), array.shape, array.dtype)
# -> <class 'numpy.ndarray'> (512, 768, 3) uint8

# %% add_image expects channels x height x width, unless it is told otherwise
writer.add_image("3 pictures/1 ant, HWC", array, global_step=1, dataformats="HWC")

channels_first = array.transpose(2, 0, 1)    # (512, 768, 3) -> (3, 512, 768)
writer.add_image("3 pictures/2 ant, CHW", channels_first, global_step=1)

# %% What add_image does not take: the wrong order, and a file's name
# Without dataformats the array's 512 rows are taken for 512 channels; and a file's name is no array.
for wrong in (array, "0013035.jpg"):
    try:
        writer.add_image("3 pictures/wrong", wrong)
    except (TypeError, AssertionError) as error:
        print(type(wrong).__name__, "->", type(error).__name__)
# -> ndarray -> TypeError
#    str -> AssertionError

# %% The slider above a picture goes through its steps
for step, margin in enumerate((0, 48, 96)):
    writer.add_image("3 pictures/3 ant, closer", channels_first[:, margin:512 - margin, margin:768 - margin], step)

# %% Closing writes what is still in memory
writer.close()    # the next lessons write `with SummaryWriter(run) as writer:`, which closes by itself
print("See it with:", tensorboard_command(run))

# Try next:
# - Run the lesson again: both runs appear, each with a colour and a tick box of its own.
# - Give y = x the steps `x * 10`, and look at the horizontal axis.
# - `dataformats="WHC"` for the ant: what happens to it?
