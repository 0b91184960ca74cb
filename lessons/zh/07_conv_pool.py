"""07. 卷积层和池化层：透过一个小窗口看图片

卷积层给小窗口里的每个像素各乘一个权重，再全部加起来。
权重就是训练要找出来的数。
池化层在每个窗口里只留下一个数，例如最大的那个。
处理图片的网络，主干就是这两种层。

这两种层，你都先手算一遍，再交给 PyTorch 算，核对结果是否相等。
最后在 TensorBoard 里看：真实的图片经过这些层，会变成什么样。

运行大约需要 5 秒。

    python lessons/zh/07_conv_pool.py           运行本课
    tensorboard --logdir logs/07_conv_pool      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2

from shared.datasets import cifar10, enlarge
from shared.paths import new_run, print_where_to_look

SEED = 1259           # 每次运行，卷积核都相同。用这个种子，
                      # 六个卷积核彼此差别明显。
PICTURES_SHOWN = 8    # 每个 step 的图片数：add_images 一行放 8 张图片
STEPS_SHOWN = 4       # 每个滑块有几个 step

LOOK_AT = """
- Images 标签页。先在左侧勾选“Show actual image size”，
  再展开分组“7 convolution”。第一张卡片是六个卷积核，
  每个由 3x3 个方格组成，颜色是随机的。
- 第二张卡片：第 1 行是图片，第 2 行是卷积核 1 的特征图，第 3 行是卷积核 2 的，
  依此类推。拖动滑块，可以看别的图片。
  有两个卷积核的特征图明暗颠倒，另有两个的特征图几乎只剩边缘。
  分别是哪几个卷积核？对照一下本课打印的六个权重之和。
- 展开分组“7 pooling”。第 1 行是图片。第 2 行和第 3 行的像素数只有原来的四分之一：
  每个 2x2 窗口，第 2 行取最大值，第 3 行取平均值。这两行哪一行更亮？
  第 4 行把每个最大值放回原来的位置。
  哪些地方是黑的？为什么会有红、绿、蓝的小点？
"""

# %% 有几个窗口，结果就有几个数
# 第 6 课里，卷积核在图片上滑动，每个窗口得到一个数。
# 那么，一共得到几个数？
#
# 下面是一行 7 个像素。宽 3 个像素的卷积核从上面滑过，每次移动 1 个像素：
#
#     像素          0  1  2  3  4  5  6
#     窗口 1        0  1  2
#     窗口 2           1  2  3
#     窗口 3              2  3  4
#     窗口 4                 3  4  5
#     窗口 5                    4  5  6
#
# 一共 5 个窗口，所以结果有 5 个数。
#
# 步幅为 2 时，只用窗口 1、3、5，所以结果有 3 个数：
pixels = torch.arange(7)
for stride in (1, 2):
    windows = []
    for start in range(0, 5, stride):    # 最后一个起点是 4：像素 4、5、6
        windows.append(pixels[start : start + 3].tolist())
    print(f"stride {stride}: {len(windows)} windows, {windows}")
# -> stride 1: 5 windows, [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]]
#    stride 2: 3 windows, [[0, 1, 2], [2, 3, 4], [4, 5, 6]]

# %% 用公式算出窗口数
# 第一个窗口占去 7 个像素中的 3 个，后面还剩 4 个。之后每移动一个步幅，就多一个窗口：
# 步幅为 1 时，再多 4 // 1 = 4 个；步幅为 2 时，再多 4 // 2 = 2 个。
# 加上第一个窗口，一共是 5 个和 3 个。
print("windows with stride 1:", (7 - 3) // 1 + 1)
# -> windows with stride 1: 5
print("windows with stride 2:", (7 - 3) // 2 + 1)
# -> windows with stride 2: 3

# 还有两项设置会改变公式里的数：
# - padding（填充）在两侧添上像素。padding=1 时，7 个像素变成 9 个。
# - dilation（空洞）是窗口里相邻像素的间距，通常为 1。dilation=2 时，
#   第一个窗口取像素 0、2、4，所以跨度是 5 个像素。


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """图片的一条边上放得下几个窗口。"""
    reach = dilation * (kernel_size - 1) + 1    # 从窗口的第一个像素到最后一个像素
    remaining = size + 2 * padding - reach      # 第一个窗口之后剩下的像素
    return remaining // stride + 1


# 高和宽各算一次。这里两者都是 32。
black = torch.zeros(1, 1, 32, 32)    # （批次里的图片数，通道数，高，宽）

layer = nn.Conv2d(1, 1, kernel_size=5, stride=2, padding=2)
print("convolution, stride 2, formula:", output_size(32, 5, stride=2, padding=2))
# -> convolution, stride 2, formula: 16
print("convolution, stride 2, PyTorch:", tuple(layer(black).shape))
# -> convolution, stride 2, PyTorch: (1, 1, 16, 16)

layer = nn.Conv2d(1, 1, kernel_size=3, dilation=2)
print("convolution, dilation 2, formula:", output_size(32, 3, dilation=2))
# -> convolution, dilation 2, formula: 28
print("convolution, dilation 2, PyTorch:", tuple(layer(black).shape))
# -> convolution, dilation 2, PyTorch: (1, 1, 28, 28)

layer = nn.MaxPool2d(kernel_size=3, stride=2)    # 后面要讲的池化也有窗口
print("pooling, stride 2, formula:", output_size(32, 3, stride=2))
# -> pooling, stride 2, formula: 15
print("pooling, stride 2, PyTorch:", tuple(layer(black).shape))
# -> pooling, stride 2, PyTorch: (1, 1, 15, 15)

# %% nn.Conv2d 是自己保存卷积核的层
# 参数如下：
# - in_channels：输入的通道数。彩色图片有 3 个通道（红、绿、蓝）。
# - out_channels：卷积核的个数。每个卷积核生成结果的一个通道。
# - kernel_size：3 表示 3x3 的卷积核，也可以写一对数（高，宽）。
# - stride：窗口每次移动多远，默认为 1。也可以写一对数（竖直，水平）。
# - padding：每一侧添几个像素，默认为 0。也可以像 stride 那样写一对数。
# - dilation：窗口里相邻像素的间距，默认为 1。也可以写一对数。
# - groups：把通道分成几组，各组互不混合，默认为 1（见后文）。
# - bias：默认为 True，这时每个卷积核的结果还要加上一个数，也就是偏置。
# - padding_mode：填充用什么数，默认用 0（见后文）。
torch.manual_seed(SEED)
conv = nn.Conv2d(in_channels=3, out_channels=6, kernel_size=3, stride=1, padding=0)
print("the layer:", conv)
# -> the layer: Conv2d(3, 6, kernel_size=(3, 3), stride=(1, 1))
# 从 padding 起的几个参数，只有不是默认值时才会打印出来。

# 输入有几个通道，卷积核就有几个通道。这六个卷积核各有 3 个通道，
# 每个通道有 3x3 个权重。
print("weight, (kernels, channels, height, width):", tuple(conv.weight.shape))
# -> weight, (kernels, channels, height, width): (6, 3, 3, 3)
print("bias, one number for each kernel:", tuple(conv.bias.shape))
# -> bias, one number for each kernel: (6,)

# 每个卷积核生成一张特征图。
noise = torch.rand(1, 3, 32, 32)    # 只有一张图片的批次，颜色随机
maps = conv(noise)                  # (1, 3, 32, 32) -> (1, 6, 30, 30)
print("six feature maps:", tuple(maps.shape))
# -> six feature maps: (1, 6, 30, 30)

# 手算第一张特征图的第一个数：相乘，求和，再加偏置。（这里用 torch.allclose 比较，
# 因为相加的顺序不同，舍入误差就可能不同。）
window = noise[0, :, 0:3, 0:3]    # 左上角的窗口：(3, 3, 3)
by_hand = (window * conv.weight[0]).sum() + conv.bias[0]
same = torch.allclose(by_hand, maps[0, 0, 0, 0])
print("one window of the convolution, by hand equals PyTorch:", same)
# -> one window of the convolution, by hand equals PyTorch: True

# 第 6 课的 F.conv2d 做的是同一件事。区别在于：层自己保存权重和偏置。
same = torch.equal(F.conv2d(noise, conv.weight, conv.bias), maps)
print("F.conv2d equals the layer:", same)
# -> F.conv2d equals the layer: True

# %% 成对的数表示（竖直，水平）
layer = nn.Conv2d(1, 1, kernel_size=(3, 5), stride=(1, 2))
height = output_size(32, 3, stride=1)
print("kernel (3, 5), stride (1, 2), height by the formula:", height)
# -> kernel (3, 5), stride (1, 2), height by the formula: 30
width = output_size(32, 5, stride=2)
print("kernel (3, 5), stride (1, 2), width by the formula:", width)
# -> kernel (3, 5), stride (1, 2), width by the formula: 14
maps = layer(black)    # (1, 1, 32, 32) -> (1, 1, 30, 14)
print("kernel (3, 5), stride (1, 2), PyTorch:", tuple(maps.shape))
# -> kernel (3, 5), stride (1, 2), PyTorch: (1, 1, 30, 14)

# %% padding_mode 决定用什么数填充
# 这里的卷积核只有一个像素，权重为 1，什么也不改变，
# 所以从结果里就能看到填充的数。
# 图片只有一行，左右各填充两个像素。
pixels = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 1, 4)
print("the pixels:", pixels.int().flatten().tolist())
# -> the pixels: [1, 2, 3, 4]
for mode in ("zeros", "reflect", "replicate", "circular"):
    layer = nn.Conv2d(1, 1, 1, padding=(0, 2), padding_mode=mode, bias=False)
    layer.weight = nn.Parameter(torch.ones(1, 1, 1, 1))
    padded = layer(pixels)    # (1, 1, 1, 4) -> (1, 1, 1, 8)
    print(f"padding_mode {mode}:", padded.int().flatten().tolist())
# -> padding_mode zeros: [0, 0, 1, 2, 3, 4, 0, 0]
#    padding_mode reflect: [3, 2, 1, 2, 3, 4, 3, 2]
#    padding_mode replicate: [1, 1, 1, 2, 3, 4, 4, 4]
#    padding_mode circular: [3, 4, 1, 2, 3, 4, 1, 2]

# "reflect" 以第一个和最后一个像素为界取镜像，这两个像素本身不重复。
# "replicate" 重复的正是这两个像素，"circular" 从这一行的另一头取像素。

# %% groups=3：每种颜色有自己的卷积核
together = nn.Conv2d(3, 3, kernel_size=3, bias=False)
apart = nn.Conv2d(3, 3, kernel_size=3, bias=False, groups=3)

# 权重的形状是（out_channels，in_channels / groups，高，宽）。
print("groups=1, weight:", tuple(together.weight.shape))
# -> groups=1, weight: (3, 3, 3, 3)
print("groups=3, weight:", tuple(apart.weight.shape))
# -> groups=3, weight: (3, 1, 3, 3)

# numel 返回张量里一共有多少个数。
print("groups=1, weights to learn:", together.weight.numel())
# -> groups=1, weights to learn: 81
print("groups=3, weights to learn:", apart.weight.numel())
# -> groups=3, weights to learn: 27

# groups=3 时，第一个卷积核只看得到第一个通道，也就是红色。
# 所以，另外两个通道怎么变，第一张特征图都不变。
only_red = noise.clone()
only_red[:, 1:3] = 0    # 没有绿色，也没有蓝色
same = torch.equal(together(noise)[0, 0], together(only_red)[0, 0])
print("groups=1: the first map is the same without green and blue:", same)
# -> groups=1: the first map is the same without green and blue: False
same = torch.equal(apart(noise)[0, 0], apart(only_red)[0, 0])
print("groups=3: the first map is the same without green and blue:", same)
# -> groups=3: the first map is the same without green and blue: True

# 分组以后，要学的权重和要做的计算都少了。手机上用的网络常常这样分组。
# 后面的课不再用到。

# %% 卷积核一开始是随机的，由训练来改变
# 卷积核里的数不是人写的：一开始是随机数，与图片无关，
# 训练（第 10 课）时再一步步修改。
#
# 这里，卷积核一次盖住 3 * 3 * 3 个数。这个个数叫 fan-in（扇入）。
# PyTorch 在 -bound 到 bound 之间随机选取每个权重，选到哪个数的可能性都相同，
# bound 等于 1 / sqrt(fan_in)。要相加的数越多，权重的初始值就越小。
# （否则，权重多的卷积核得到的数，会比权重少的大得多。）
fan_in = 3 * 3 * 3    # 卷积核的通道数 x 高 x 宽
bound = 1 / math.sqrt(fan_in)
print(f"bound of the weights: {bound:.4f}")
# -> bound of the weights: 0.1925
print(f"smallest weight: {conv.weight.min():.4f}, largest: {conv.weight.max():.4f}")
# -> smallest weight: -0.1924, largest: 0.1922

# 一块均匀的区域（所有像素灰度相同）经过卷积核，会得到什么？
# 看权重之和就知道：结果等于权重之和乘以亮度（再加偏置）。
# 例如权重是 1、-2 和 0，和是 -1，三个 0.5 的像素就得到
# 0.5 - 1 + 0 = -0.5。
# - 权重之和远大于 0：亮的区域得到很大的数，
#   特征图上也亮。
# - 权重之和远小于 0：亮的区域得到远小于 0 的数，
#   特征图上就暗。
# - 权重之和接近 0，比如在 -0.25 和 0.25 之间：亮的区域和暗的区域得到的数差不多，
#   只有边缘显出来。
for number, kernel in enumerate(conv.weight, start=1):
    print(f"kernel {number}: the sum of its weights is {kernel.sum():5.2f}")
# -> kernel 1: the sum of its weights is -0.20
#    kernel 2: the sum of its weights is -0.78
#    kernel 3: the sum of its weights is  0.05
#    kernel 4: the sum of its weights is -1.25
#    kernel 5: the sum of its weights is  1.34
#    kernel 6: the sum of its weights is  0.38

# %% 第二层的每个数取决于更多的像素
# 从图片上取一小块，大小刚好够两层用。
# 这样，第二层的每个卷积核正好得到一个数。
part = torch.rand(1, 3, 5, 5)
first = nn.Conv2d(3, 6, kernel_size=3)
second = nn.Conv2d(6, 12, kernel_size=3)    # 输入是第一层的六张特征图
maps = first(part)            # (1, 3, 5, 5) -> (1, 6, 3, 3)
print("after the first layer:", tuple(maps.shape))
# -> after the first layer: (1, 6, 3, 3)
deeper_maps = second(maps)    # (1, 6, 3, 3) -> (1, 12, 1, 1)
print("after the second layer:", tuple(deeper_maps.shape))
# -> after the second layer: (1, 12, 1, 1)

# 所以，第一层的每个输出取决于 3x3 个像素，第二层的每个输出取决于 5x5 个像素。
# 层越深，能找到的特征就越复杂（第 6 课），这是原因之一：
# 第一层找到边缘，后面某一层找到车轮，再往后一层找到汽车。

# %% 最大池化保留每个窗口里最大的数
picture = torch.tensor([[1.0, 2.0, 1.0, 0.0],
                        [0.0, 1.0, 2.0, 3.0],
                        [3.0, 0.0, 1.0, 2.0],
                        [2.0, 4.0, 0.0, 1.0]])

# 手算：四个 2x2 的窗口，一个挨着一个。
by_hand = torch.zeros(2, 2)
for row in range(2):
    for column in range(2):
        window = picture[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]    # (2, 2)
        by_hand[row, column] = window.max()
print("max pooling by hand:", by_hand.tolist())
# -> max pooling by hand: [[2.0, 3.0], [4.0, 2.0]]

pool = nn.MaxPool2d(kernel_size=2)
print("the layer:", pool)    # 步幅等于 kernel_size，所以窗口不重叠
# -> the layer: MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)

picture = picture.reshape(1, 1, 4, 4)    # （批次，通道，高，宽）
same = torch.equal(pool(picture)[0, 0], by_hand)
print("max pooling by hand equals PyTorch:", same)
# -> max pooling by hand equals PyTorch: True

# 卷积把所有通道加在一起。池化不同：
# 每个通道单独处理，所以通道数不变。
pooled = pool(noise)    # (1, 3, 32, 32) -> (1, 3, 16, 16)
print("three channels, after pooling:", tuple(pooled.shape))
# -> three channels, after pooling: (1, 3, 16, 16)

# %% 池化之后计算量更小，特征稍微移动也不要紧
# 池化层没有权重，也就没有要学的东西。池化有两个用处。
# 第一，后面的层要处理的数只剩四分之一：
print("numbers before pooling:", noise.numel(), "after:", pooled.numel())
# -> numbers before pooling: 3072 after: 768

# 第二，特征的确切位置往往不重要。下面这一行有四个像素，
# 其中亮的那个每次向右移一格。只要还在原来的窗口里，结果就不变；
# 移到了下一个窗口，结果才会变。
pool_row = nn.MaxPool2d(kernel_size=(1, 2))    # 1x2 像素的窗口
for place in range(3):
    pixels = torch.zeros(1, 1, 1, 4)
    pixels[0, 0, 0, place] = 1
    pooled = pool_row(pixels)    # (1, 1, 1, 4) -> (1, 1, 1, 2)
    print(f"bright pixel {place}, after pooling:", pooled.flatten().tolist())
# -> bright pixel 0, after pooling: [1.0, 0.0]
#    bright pixel 1, after pooling: [1.0, 0.0]
#    bright pixel 2, after pooling: [0.0, 1.0]

# %% nn.MaxPool2d 的参数和 nn.Conv2d 的差不多
# - kernel_size：2 表示 2x2 的窗口，也可以写一对数（高，宽）。
# - stride：窗口每次移动多远。默认等于 kernel_size，不是 1。
# - padding：每一侧添几个像素，最多为 kernel_size 的一半。
#   添的是负无穷，不是 0，所以不可能成为最大值。
# - dilation：窗口里相邻像素的间距，默认为 1。
# - return_indices：默认为 False。设为 True 时，还会返回每个最大值原来的位置。
# - ceil_mode：默认为 False。设为 True 时，窗口可以有一部分在图片外面（见后文）。
#
# 填充的例子：一张 2x2 像素的图片，像素全是 -5。加上宽为 1 的边，变成 4x4，
# 所以有四个窗口。每个窗口里，一个像素是 -5，另外三个都属于加上去的边。
# 假如边上填的是 0，每个窗口的最大值就都成了 0。
negative = torch.full((1, 1, 2, 2), -5.0)
pooled = nn.MaxPool2d(2, padding=1)(negative)    # (1, 1, 2, 2) -> (1, 1, 2, 2)
print("all pixels -5, padding=1:", pooled.flatten().tolist())    # 没有 0
# -> all pixels -5, padding=1: [-5.0, -5.0, -5.0, -5.0]

spread = nn.MaxPool2d(2, stride=1, dilation=2)
pooled = spread(picture)    # (1, 1, 4, 4) -> (1, 1, 2, 2)
print("max pooling with dilation=2:", pooled.flatten().tolist())
# -> max pooling with dilation=2: [3.0, 2.0, 2.0, 4.0]
# 第一个窗口取第 0 行和第 2 行，每行取像素 0 和 2，也就是 1、1 和 3、1。

# %% ceil_mode：有一部分在图片外面的窗口也算数
# 一行 5 个像素，窗口宽 2：先是像素 0 和 1，再是像素 2 和 3。
# 像素 4 落了单，只好舍去。ceil_mode=True 时，像素 4 自成一个窗口。
pixels = torch.arange(5.0).reshape(1, 1, 1, 5)
pooled = nn.MaxPool2d((1, 2))(pixels)
print("5 pixels, without ceil_mode:", pooled.flatten().tolist())
# -> 5 pixels, without ceil_mode: [1.0, 3.0]
pooled = nn.MaxPool2d((1, 2), ceil_mode=True)(pixels)
print("5 pixels, with ceil_mode:", pooled.flatten().tolist())
# -> 5 pixels, with ceil_mode: [1.0, 3.0, 4.0]

# 套进公式：第一个窗口之后还剩 5 - 2 个像素，还能放 1.5 个窗口。
# PyTorch 默认向下取整（floor），用 ceil_mode 则向上取整（ceil）。
further = (5 - 2) / 2
print("5 pixels, formula rounded down:", 1 + math.floor(further), "windows")
# -> 5 pixels, formula rounded down: 2 windows
print("5 pixels, formula rounded up:", 1 + math.ceil(further), "windows")
# -> 5 pixels, formula rounded up: 3 windows

# 有一个例外，很少遇到：如果一个窗口的起点已经过了最后一个像素，
# PyTorch 就不要这个窗口。例如：3 个像素，窗口为 2，步幅为 3。第一个窗口有
# 像素 0 和 1，第二个窗口要从像素 3 开始，而像素 3 并不存在。
pixels = torch.arange(3.0).reshape(1, 1, 1, 3)
print("3 pixels, formula rounded up:", 1 + math.ceil((3 - 2) / 3), "windows")
# -> 3 pixels, formula rounded up: 2 windows
layer = nn.MaxPool2d((1, 2), stride=(1, 3), ceil_mode=True)
print("3 pixels, PyTorch with ceil_mode:", layer(pixels).numel(), "window")
# -> 3 pixels, PyTorch with ceil_mode: 1 window

# %% return_indices 记下每个最大值原来在哪里
# 有的网络要把小特征图再变大，例如为了说出每个像素是什么东西，
# 这时就能用上这些位置。其他课用不到。
pool_and_tell = nn.MaxPool2d(2, return_indices=True)
pooled, indices = pool_and_tell(picture)
print("return_indices, the largest numbers:", pooled.flatten().tolist())
# -> return_indices, the largest numbers: [2.0, 3.0, 4.0, 2.0]

# 位置逐行编号：第 0 行是 0 到 3，第 1 行是 4 到 7，依此类推。
print("return_indices, their places:", indices.flatten().tolist())
# -> return_indices, their places: [1, 7, 13, 11]

# nn.MaxUnpool2d 把最大值放回原来的位置。
# 别的数已经丢了，空出的位置都填 0。
put_back = nn.MaxUnpool2d(2)
print("put back by MaxUnpool2d:", put_back(pooled, indices))    # 又是 (1, 1, 4, 4)
# -> put back by MaxUnpool2d: tensor([[[[0., 2., 0., 0.],
#              [0., 0., 0., 3.],
#              [0., 0., 0., 2.],
#              [0., 4., 0., 0.]]]])

# %% 平均池化保留每个窗口的平均值
average = nn.AvgPool2d(kernel_size=2)
print("mean of the first window, by hand:", (1 + 2 + 0 + 1) / 4)
# -> mean of the first window, by hand: 1.0
print("means of the four windows, PyTorch:", average(picture).flatten().tolist())
# -> means of the four windows, PyTorch: [1.0, 1.5, 2.25, 1.0]

# 取最大值，细细的亮线还是那么亮。取平均值，亮线就变暗了。
line = torch.zeros(1, 1, 4, 4)
line[:, :, :, 1] = 1    # 一条竖线，在第二列
print("a row of the line:", line[0, 0, 0].tolist())
# -> a row of the line: [0.0, 1.0, 0.0, 0.0]
print("the same after max pooling:", pool(line)[0, 0, 0].tolist())
# -> the same after max pooling: [1.0, 0.0]
print("the same after average pooling:", average(line)[0, 0, 0].tolist())
# -> the same after average pooling: [0.5, 0.0]

# %% 在 TensorBoard 里看：真实的图片经过这些层，变成什么样
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
test_data = cifar10(train=False, transform=to_tensor)
loader = DataLoader(test_data, batch_size=PICTURES_SHOWN)


def black_to_white(maps):
    """每张特征图里，最小的数变成 0（黑），最大的数变成 1（白）。"""
    # dim=(2, 3) 的 amin 给出每张特征图里最小的数。
    smallest = maps.amin(dim=(2, 3), keepdim=True)    # (8, 6, 30, 30) -> (8, 6, 1, 1)
    largest = maps.amax(dim=(2, 3), keepdim=True)
    # clamp 把小于 min 的数都变成 min。所以，哪怕一张特征图里的数全都相等，
    # 也绝不会除以 0。
    span = (largest - smallest).clamp(min=1e-6)
    return (maps - smallest) / span


def rows_of_maps(pictures, maps):
    """一行图片，下面每个卷积核一行特征图。"""
    frame = nn.ConstantPad2d(1, 1.0)    # 白边：(..., 30, 30) -> (..., 32, 32)
    rows = [pictures]
    # torch.cat 要求拼接的各个张量通道数相同。所以把一张特征图重复三次，当作红、绿、蓝，
    # 合起来就是灰色。
    for kernel in range(maps.shape[1]):    # 6 个卷积核
        grey = frame(maps[:, kernel : kernel + 1])    # (8, 6, 30, 30) -> (8, 1, 32, 32)
        rows.append(grey.repeat(1, 3, 1, 1))          # -> (8, 3, 32, 32)
    return torch.cat(rows)    # 7 行 (8, 3, 32, 32) -> (56, 3, 32, 32)


run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer, torch.no_grad():    # 这里不训练
    writer.add_text("0 look at", LOOK_AT)

    # 卷积核和彩色图片一样有 3 个通道，所以可以当作彩色图片来显示。
    kernels = enlarge(conv.weight / (2 * bound) + 0.5, 32)    # -bound...bound -> 0...1
    frame = nn.ConstantPad2d(4, 1.0)    # 给每个卷积核加一圈白边
    writer.add_images("7 convolution/1 the six kernels", frame(kernels))

    for step, (pictures, _) in enumerate(loader):    # pictures: (8, 3, 32, 32)
        if step == STEPS_SHOWN:
            break

        # add_images 接受 1 个或 3 个通道的图片，不接受 6 个通道的。
        # 所以每张特征图单独显示成一张灰度图片。
        maps = black_to_white(conv(pictures))    # (8, 3, 32, 32) -> (8, 6, 30, 30)
        rows = rows_of_maps(pictures, maps)      # -> (56, 3, 32, 32)
        writer.add_images("7 convolution/2 pictures and feature maps", enlarge(rows), step)

        pooled, indices = pool_and_tell(pictures)    # (8, 3, 32, 32) -> (8, 3, 16, 16)
        rows = torch.cat([
            pictures,
            enlarge(pooled, 2),               # 放大到和图片一样大：(8, 3, 32, 32)
            enlarge(average(pictures), 2),
            put_back(pooled, indices),        # (8, 3, 16, 16) -> (8, 3, 32, 32)
        ])
        tag = "7 pooling/1 pictures, largest, mean, put back"
        writer.add_images(tag, enlarge(rows), step)    # 4 行，每行 8 张图片
print_where_to_look(run, LOOK_AT)

# 试一试：
# - `print("pooled:", nn.MaxPool2d(2, stride=1)(picture))`：得到几个数？
#   先用 output_size 预测一下。
# - `print("weight:", nn.Conv2d(3, 6, 3, groups=3).weight.shape)`：形状是什么，
#   为什么？groups=2 又会怎样？
# - `SEED = 26`：现在哪个卷积核几乎只显示边缘？先根据权重之和猜一猜。
