"""07. Convolution and pooling look at an image through a small window

A convolution multiplies a kernel onto every window and sums. Pooling keeps the largest value of every window. Each is
done by hand first, then by PyTorch on a batch of pictures.

    python lessons/07_conv_pool.py
    tensorboard --logdir logs/07_conv_pool
"""

# %% One formula says how large the result is, for both
import itertools
import math

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms

from shared.datasets import cifar10, enlarge
from shared.paths import new_run, tensorboard_command

BATCHES_SHOWN = 10    # TensorBoard's slider keeps about ten pictures of one tag


def output_size(size, kernel_size, stride=1, padding=0, dilation=1, rounding=math.floor):
    """How many windows fit side by side."""
    reach = dilation * (kernel_size - 1) + 1    # from the first to the last pixel under the kernel
    return rounding((size + 2 * padding - reach) / stride) + 1


wrong = 0
settings = [s for s in itertools.product((7, 8, 32), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2)) if output_size(*s) > 0]
for size, *setting in settings:
    layers = [nn.Conv2d(1, 1, *setting)]
    if setting[2] <= setting[0] // 2:    # nn.MaxPool2d takes no more padding than half of its window
        layers.append(nn.MaxPool2d(*setting))
    wrong += sum(layer(torch.zeros(1, 1, size, size)).shape[-1] != output_size(size, *setting) for layer in layers)
print(len(settings), "settings,", wrong, "wrong")
# -> 210 settings, 0 wrong

# %% nn.Conv2d is F.conv2d with a kernel and a bias that it learns
torch.manual_seed(0)
layer = nn.Conv2d(in_channels=3, out_channels=3, kernel_size=3, stride=1, padding=0)
print(layer)
# -> Conv2d(3, 3, kernel_size=(3, 3), stride=(1, 1))
print(layer.weight.shape, layer.bias.shape)    # (channels out, channels in, height, width), (channels out,)
# -> torch.Size([3, 3, 3, 3]) torch.Size([3])

# Its further arguments: dilation; groups, which splits the channels into groups that do not mix; bias=False; and
# padding_mode, what stands in the border:
row = torch.arange(1.0, 5.0).reshape(1, 1, 1, 4)
for mode in ("zeros", "reflect", "replicate", "circular"):
    keep = nn.Conv2d(1, 1, (1, 3), padding=(0, 2), padding_mode=mode, bias=False)
    keep.weight = nn.Parameter(torch.tensor([[[[1.0, 0.0, 0.0]]]]))    # copies the first pixel of each window
    print(f"{mode:10}", keep(row).int().flatten().tolist())
# -> zeros      [0, 0, 1, 2, 3, 4]
#    reflect    [3, 2, 1, 2, 3, 4]
#    replicate  [1, 1, 1, 2, 3, 4]
#    circular   [3, 4, 1, 2, 3, 4]

# %% Max pooling keeps the largest value of each window: the picture gets smaller
image = torch.tensor([[1.0, 2.0, 1.0, 0.0],
                      [0.0, 1.0, 2.0, 3.0],
                      [3.0, 0.0, 1.0, 2.0],
                      [2.0, 4.0, 0.0, 1.0]]).reshape(1, 1, 4, 4)
windows = image.unfold(2, 2, 2).unfold(3, 2, 2)    # (1, 1, 4, 4) -> (1, 1, 2, 2, 2, 2): 2x2 windows of 2x2
print(windows.amax(dim=(4, 5)))
# -> tensor([[[[2., 3.],
#              [4., 2.]]]])
pool = nn.MaxPool2d(kernel_size=2)    # stride is kernel_size unless given: windows do not overlap
print(pool)
# -> MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
print(torch.equal(pool(image), windows.amax(dim=(4, 5))), pool(image.long()).dtype)    # a CPU pools whole numbers, too
# -> True torch.int64

# %% ceil_mode keeps the windows that stick out at the edge
print(nn.MaxPool2d(3)(image).shape, nn.MaxPool2d(3, ceil_mode=True)(image).shape)
# -> torch.Size([1, 1, 1, 1]) torch.Size([1, 1, 2, 2])
# (A window that would begin in the padding on the far side is dropped: then it is one less than by the formula.)
print(output_size(4, 3, stride=3), output_size(4, 3, stride=3, rounding=math.ceil))
# -> 1 2

# %% return_indices tells where each maximum was, and MaxUnpool puts it back there
pooled, indices = nn.MaxPool2d(2, return_indices=True)(image)
print(indices.flatten().tolist())    # counted row by row: 1 is the second pixel of the first row
# -> [1, 7, 13, 11]
print(nn.MaxUnpool2d(2)(pooled, indices))    # what was not a maximum is lost
# -> tensor([[[[0., 2., 0., 0.],
#              [0., 0., 0., 3.],
#              [0., 0., 0., 2.],
#              [0., 4., 0., 0.]]]])

# %% TensorBoard shows batches of pictures, before and after
test_data = cifar10(train=False, transform=transforms.ToTensor())
six = nn.Conv2d(3, 6, kernel_size=3)
halve, double = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer, torch.inference_mode():
    writer.add_text("0 look at", "What do untrained kernels keep? What does pooling throw away?")
    writer.add_images("7 convolution/2 kernels", enlarge(nn.ZeroPad2d(1)(layer.weight * 2.5 + 0.5), 32))    # 0 is grey
    for step, (pictures, _) in enumerate(itertools.islice(DataLoader(test_data, batch_size=64), BATCHES_SHOWN)):
        pooled, indices = halve(pictures)
        results = {
            "7 convolution/1 input": pictures,                       # (64, 3, 32, 32)
            "7 convolution/3 after the kernels": layer(pictures),    # -> (64, 3, 30, 30)
            "7 convolution/4 after six kernels": six(pictures).reshape(-1, 3, 30, 30),    # 64 of 6 -> 128 of 3: 6 fail
            "7 pooling/1 input": pictures,
            "7 pooling/2 pooled": pooled,                            # -> (64, 3, 16, 16)
            "7 pooling/3 unpooled": double(pooled, indices),         # -> (64, 3, 32, 32)
        }
        for name, result in results.items():
            shown = result[:32]    # 8 x 4: all would be small
            low, high = shown.amin((1, 2, 3), keepdim=True), shown.amax((1, 2, 3), keepdim=True)    # of each picture
            writer.add_images(name, enlarge((shown - low) / (high - low)), step)    # cuts off below 0 and above 1
print("See it with:", tensorboard_command(run))

# Try next:
# - nn.AvgPool2d(2) beside the maximum: which keeps a thin line, which a smooth sky?
# - nn.Conv2d(3, 3, 3, groups=3): how many weights are left, and why?
