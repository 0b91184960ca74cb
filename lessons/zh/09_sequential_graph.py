"""09. 第一个完整的网络，逐层来看

这一课用第 7 课和第 8 课的层组成一个网络，把图片分成十个类别。
你来搭建网络，跟着一批图片逐层走一遍，再数一数有多少参数，也就是训练要改的数。
最后，没训练过的网络第一次作答，题目是一张颜色随机的图片。
TensorBoard 还会把网络画成计算图：
方框是层，箭头是层与层之间的张量。

运行大约需要 3 秒。

    python lessons/zh/09_sequential_graph.py           运行本课
    tensorboard --logdir logs/09_sequential_graph      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import warnings
from collections import OrderedDict

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from shared.networks import CIFAR10Network
from shared.paths import new_run, print_where_to_look

SEED = 0           # 每次运行，随机权重都相同
BATCH_SIZE = 64    # 一起送进网络的图片数

# CIFAR-10 的十个类别，按编号排列（第 5 课）
CLASSES = ["airplane", "automobile", "bird", "cat", "deer",
           "dog", "frog", "horse", "ship", "truck"]

LOOK_AT = """
- Graphs 标签页。双击方框“Sequential”，方框会展开，每一层显示成一个方框。
  用鼠标滚轮缩放；左侧的“Fit to screen”显示整张计算图。
- 箭头朝上，从输入指向输出。
  箭头越粗，传送的数越多。哪个箭头最粗？
  和本课打印的形状对照一下。
- 单击一层的方框，右上角会显示这一层的全名，以及输入和输出的形状。
  再双击最下面的两个方框：Conv2d[conv1] 和 MaxPool2d[pool1]（名字太长，显示不全）。
  Conv2d 里面有两个大方框，分别是什么？
  MaxPool2d 里面为什么没有？
  （小圆圈是设置，例如卷积核的大小。）
"""

# %% chain[0] 是 Sequential 的第一层
# Sequential 依次调用各层（第 6 课）。每一层都有编号，
# 所以你也可以一层一层地调用。
torch.manual_seed(SEED)
chain = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
x = torch.randn(5, 4)

by_hand = chain[0](x)          # (5, 4) -> (5, 3)
by_hand = chain[1](by_hand)    # (5, 3) -> (5, 3)
by_hand = chain[2](by_hand)    # (5, 3) -> (5, 2)
print("layer by layer equals Sequential:", torch.equal(by_hand, chain(x)))
# -> layer by layer equals Sequential: True

# %% 不起名字，层就只有编号
numbered = nn.Sequential(
    nn.Conv2d(1, 20, 5),
    nn.ReLU(),
    nn.Conv2d(20, 64, 5),
    nn.ReLU(),
)
print("with numbers:", numbered)
# -> with numbers: Sequential(
#      (0): Conv2d(1, 20, kernel_size=(5, 5), stride=(1, 1))
#      (1): ReLU()
#      (2): Conv2d(20, 64, kernel_size=(5, 5), stride=(1, 1))
#      (3): ReLU()
#    )

# %% 用 OrderedDict 给层起名字
named = nn.Sequential(OrderedDict([
    ("Conv1", nn.Conv2d(1, 20, 5)),
    ("ReLU1", nn.ReLU()),
    ("Conv2", nn.Conv2d(20, 64, 5)),
    ("ReLU2", nn.ReLU()),
]))
print("with names:", named)
# -> with names: Sequential(
#      (Conv1): Conv2d(1, 20, kernel_size=(5, 5), stride=(1, 1))
#      (ReLU1): ReLU()
#      (Conv2): Conv2d(20, 64, kernel_size=(5, 5), stride=(1, 1))
#      (ReLU2): ReLU()
#    )

# 两个网络都可以按编号取出一层，例如 named[0]。
# 第二个网络还可以按名字取，例如 named.Conv1。
print("Conv1 is layer number 0:", named.Conv1 is named[0])
# -> Conv1 is layer number 0: True

# %% 这个网络先是三个卷积，每个后面一次池化，最后是两个线性层
# 卷积在图片里找特征。每次池化都让特征图的高和宽减半。
# 然后 Flatten 把特征图排成一行数，线性层再把这行数变成十个 logit，
# 也就是每个类别的得分（第 8 课）。
torch.manual_seed(SEED)
network = nn.Sequential(OrderedDict([
    ("conv1", nn.Conv2d(3, 32, kernel_size=5, stride=1, padding=2)),
    ("pool1", nn.MaxPool2d(kernel_size=2)),
    ("conv2", nn.Conv2d(32, 32, kernel_size=5, stride=1, padding=2)),
    ("pool2", nn.MaxPool2d(kernel_size=2)),
    ("conv3", nn.Conv2d(32, 64, kernel_size=5, stride=1, padding=2)),
    ("pool3", nn.MaxPool2d(kernel_size=2)),
    ("flatten", nn.Flatten()),
    ("linear1", nn.Linear(1024, 64)),
    ("linear2", nn.Linear(64, 10)),
]))

# 这个网络出自本课程所对应的中文教程。卷积核取 5x5，个数取 32、32 和 64，
# 神经元取 64 个，这些数都是设计者自己选的，换成别的数也行。
# 但 3 个通道、10 个类别，还有 1024，都是固定的
# （为什么是 1024，见下一个单元格）。
#
# 网络里没有激活函数，所以两个线性层能做的，不比一个多（第 8 课）。
# 教程里有两个，我们就都留着。卷积也只是相乘、相加。
# 但卷积之间有最大池化，它做的是另一回事：保留最大的数。
# 所以三个卷积不能换成一个。第 12 课的网络，
# 每个卷积后面都有 ReLU，两个线性层之间也有一个。

# %% 用第 7 课的公式算出每一层之后的形状
# 在纸上算，图片是 32x32 像素：
print("conv1, height and width:", (32 + 2 * 2 - 5) // 1 + 1)    # 这里 padding=2
# -> conv1, height and width: 32
print("pool1, height and width:", (32 - 2) // 2 + 1)
# -> pool1, height and width: 16

# conv2 和 conv3 同 conv1 一样，不改变高和宽。pool2 把 16 减半为 8，
# pool3 把 8 减半为 4。conv3 有 64 个卷积核，所以最后有 64 个通道，
# 每个通道 4x4 个数。这些数就是 linear1 的输入。
print("flatten:", 64 * 4 * 4)
# -> flatten: 1024

# 在 PyTorch 里，用一个批次来看：64 张颜色随机的图片。形状都是
# （图片，通道，高，宽），Flatten 之后是（图片，数）：
pictures = torch.rand(BATCH_SIZE, 3, 32, 32)
x = pictures
print("before conv1 :", tuple(x.shape))
# -> before conv1 : (64, 3, 32, 32)
for name, layer in network.named_children():    # 每一层，连同名字
    x = layer(x)
    print(f"after {name:7}:", tuple(x.shape))
# -> after conv1  : (64, 32, 32, 32)
#    after pool1  : (64, 32, 16, 16)
#    after conv2  : (64, 32, 16, 16)
#    after pool2  : (64, 32, 8, 8)
#    after conv3  : (64, 64, 8, 8)
#    after pool3  : (64, 64, 4, 4)
#    after flatten: (64, 1024)
#    after linear1: (64, 64)
#    after linear2: (64, 10)

# %% 参数量可以手算
# conv1 的每个卷积核有 3 个通道，每个通道 5x5 个权重，另有一个偏置。卷积核共 32 个。
conv1 = (3 * 5 * 5 + 1) * 32
conv2 = (32 * 5 * 5 + 1) * 32
conv3 = (32 * 5 * 5 + 1) * 64
# linear1 的每个神经元有 1024 个权重，另有一个偏置。神经元共 64 个。
linear1 = (1024 + 1) * 64
linear2 = (64 + 1) * 10
# 池化和 Flatten 没有参数。
print(f"by hand: {conv1 + conv2 + conv3 + linear1 + linear2:,} parameters")
# -> by hand: 145,578 parameters

total = 0
for name, parameter in network.named_parameters():
    total += parameter.numel()
    print(f"{name}: {tuple(parameter.shape)}, {parameter.numel():,} numbers")
print(f"PyTorch: {total:,} parameters")
# -> conv1.weight: (32, 3, 5, 5), 2,400 numbers
#    conv1.bias: (32,), 32 numbers
#    conv2.weight: (32, 32, 5, 5), 25,600 numbers
#    conv2.bias: (32,), 32 numbers
#    conv3.weight: (64, 32, 5, 5), 51,200 numbers
#    conv3.bias: (64,), 64 numbers
#    linear1.weight: (64, 1024), 65,536 numbers
#    linear1.bias: (64,), 64 numbers
#    linear2.weight: (10, 64), 640 numbers
#    linear2.bias: (10,), 10 numbers
#    PyTorch: 145,578 parameters

# %% 同一个网络也写成了类，在 shared/networks.py 里
# 第 10 课和第 11 课会从那里导入它，这样就不会运行本课。打开这个文件，
# 看第一个类 CIFAR10Network 的 __init__ 和 forward。（另一个类给第 12 课用。）
# __init__ 创建的就是这样一个 Sequential，只是没有起名字；
# forward 调用它（第 6 课）。
#
# 随机种子相同，这个类和上面的 `network` 初始权重就相同，得到的 logit 也相同，
# 只差舍入：__init__ 的最后一行把权重按另一种顺序存放，这样训练更快。
# 于是求和时，相加的顺序也就不同了。
torch.manual_seed(SEED)
small = CIFAR10Network()
same = torch.allclose(small(pictures), network(pictures), atol=1e-6)
print("CIFAR10Network gives the same logits as the Sequential:", same)
# -> CIFAR10Network gives the same logits as the Sequential: True

# %% 没训练过的网络，给每个类别的概率都是 10% 左右
# Softmax 把十个 logit 变成概率（第 8 课）。
picture = pictures[:1]    # 一张颜色随机的图片，自成一个批次
logits = network(picture)                       # (1, 3, 32, 32) -> (1, 10)
probabilities = nn.Softmax(dim=1)(logits)[0]    # (1, 10) -> (10,)
print("probabilities by the untrained network, for a picture of random colours:")
for name, probability in zip(CLASSES, probabilities.tolist(), strict=True):
    print(f"{name}: {100 * probability:.1f} %")
# -> probabilities by the untrained network, for a picture of random colours:
#    airplane: 10.9 %
#    automobile: 10.2 %
#    bird: 9.4 %
#    cat: 10.5 %
#    deer: 10.5 %
#    dog: 8.8 %
#    frog: 10.5 %
#    horse: 9.8 %
#    ship: 9.2 %
#    truck: 10.3 %

# 十个类别的概率几乎相同。随机权重的初始值很小（第 7 课），
# 所以 logit 都接近 0。网络还什么都不会，到第 10 课再来训练。

# %% TensorBoard 把网络画成计算图
run = new_run(__file__)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)

    # add_graph 把图片送进网络，记下哪一层收到什么，靠的是 torch.jit.trace。
    # 这个函数已经弃用：PyTorch 以后可能会删掉，所以会给出警告。
    # 这里不显示这个警告。在 Python 3.14 及更新的版本上，add_graph 现在就可能失败。
    # 那样的话，本课照样往下运行，只是没有计算图。
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit")
            writer.add_graph(network, pictures)
    except OSError:    # 例如磁盘已满：由 begin_lesson 来说明
        raise
    except Exception as error:    # 会怎样失败，现在还没人知道
        print(f"No Graphs tab: add_graph failed with {error!r}.")
print_where_to_look(run, LOOK_AT)

# 试一试：
# - 在两个线性层之间加上 `("relu", nn.ReLU()),`：参数量会变吗？
#   两个网络的 logit 还相同吗？
# - 在 conv1 里改成 `padding=0`：哪一层会报错？
#   那一层里要改哪个数？
# - `print("six layers:", network[:6](pictures).shape)`：前六层的结果是什么？
