"""12. 完完整整训练一次，有 GPU 就用 GPU

前面学的内容，这一课全都用上。你要用 CIFAR-10 训练教程里的最后一个网络，
训练图片有 50,000 张。每一轮（epoch）结束后，本课都会测试网络，并保存检查点。
检查点是一个文件，训练如果中断，可以凭这个文件接着训练。最后你会看到，
网络学会了哪些类别，最严重的错误又是哪些。

这是真正的训练，要花多久取决于你的处理器。没有 GPU 时，用 CIFAR-10 训练八轮，
两个核心要 3 到 20 分钟；换成程序画的替代图，要半分钟到 3 分钟。
第一轮结束后，本课会告诉你全部训练完要多久。

    python lessons/zh/12_train_gpu.py                            完整训练
    python lessons/zh/12_train_gpu.py --epochs 3 --limit 2000    快速看个大概
    python lessons/zh/12_train_gpu.py --resume                   接着训练中断的那次运行
    tensorboard --logdir logs/12_train_gpu                       查看本课写下的内容

用 make 时，选项写在 ARGS 里：`make lesson N=12 ZH=1 ARGS="--resume"`。

`python -m shared.training` 训练的是同一个网络，能做的更多：可以用你自己的图片，
可以用多块 GPU，可以训练更多轮。`python -m shared.training --help` 会列出各个选项。
不加选项时，训练过程和本课完全一样。
"""

# %% 准备
from shared.errors import LessonError, begin_lesson, positive

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import argparse
import math
import sys
import time

import torch
from torch import nn, optim
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from shared.datasets import cifar10, enlarge
from shared.networks import CIFAR10NetSimpleV3
from shared.paths import LOGS, MODELS, models_folder, new_run, print_where_to_look
from shared.training import checkpoint
from shared.training.loader import CIFAR10_MEAN_STD, Augmentation, Batches, has_bfloat16
from shared.training.muon import Muon
from shared.training.processes import keep_freed_memory
from shared.training.report import draw_confusion, draw_mistakes

keep_freed_memory()    # 在 Linux 上能省一成时间，结果不变

LOOK_AT = """
- Scalars 标签页：先把 Smoothing 设为 0，再关掉“Ignore outliers in chart scaling”。
  在分组“12 curves”里，训练和测试各有一种颜色。测试的结果可能看上去更好，
  因为训练的结果是边学边测的，用的图片平移过，前一半的轮里还裁小过。
  到最后，两条曲线会不会越离越远（过拟合，第 10 课）？
- Scalars 标签页，分组“12 learning rate”：最高点在哪里？
- Images 标签页，卡片“12 pictures/3 confusion matrix”：每行是一个类别，每列是一种预测。
  网络最常把哪两个类别弄混？
- Images 标签页，卡片“12 pictures/4 most confident mistakes”：黑字是类别，
  红字是预测。换成你，会答对吗？
"""

# %% 超参数集中放在一处，方便修改
# 超参数是训练之前由你选定的数。
EPOCHS = 8
BATCH_SIZE = 256
LEARNING_RATE = 0.1    # 最高的学习率：训练中先升到这个值，再降到 0
DROPOUT = 0.0          # 0 表示不用 Dropout（见下文）；教程里是 0.4。
                       # 只训练八轮，这个网络几乎不过拟合，用不着
CROP_PADDING = 1       # 训练图片最多平移几个像素
SMALL_SHARE = 0.5      # 前一半的轮里，只用每张图片的中间部分训练
SEED = 1               # 换一个种子，初始权重和图片的顺序都会不同

# 只有这一课带命令行选项。`--epochs 3` 取代 EPOCHS 的值，
# `--limit 2000` 只取前 2,000 张训练图片。`--resume` 接着训练中断的那次运行，
# 轮数和图片都沿用那次运行开始时的设置。--resume 后面可以什么都不写（nargs="?"；
# 这时取 "latest"，即最后那次运行），也可以写运行的名字：`--resume 20261127-081500`。
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=positive, help=f"instead of {EPOCHS}")
parser.add_argument("--limit", type=positive, help="how many training pictures to use")
parser.add_argument("--resume", nargs="?", const="latest", metavar="RUN",
                    help="go on with RUN (a folder's name), or with the one stopped last")
in_notebook = "ipykernel" in sys.modules    # 在 notebook 里，选项是给 Jupyter 的，一个也不取
args = parser.parse_args([] if in_notebook else None)
if args.resume and (args.epochs or args.limit):
    parser.error("a resumed run keeps its settings: leave --epochs and --limit out")

# %% 准确率：有多大比例的图片，正确类别的得分最高
# 下面是虚构的得分：两张图片各占一行，两个类别各占一列。
scores = torch.tensor([[0.3, 0.7],
                       [0.6, 0.4]])
targets = torch.tensor([0, 0])        # 两张图片的正确类别都是 0 号

predicted = scores.argmax(dim=1)      # (2, 2) -> (2,)：每一行里得分最高的是哪个
print("two invented pictures, predicted classes:", predicted)
# -> two invented pictures, predicted classes: tensor([1, 0])

right = predicted == targets
print("which of the two are right:", right)
# -> which of the two are right: tensor([False,  True])

# True 算作 1。
print("number of right predictions:", right.sum().item())
# -> number of right predictions: 1
print("accuracy on these two:", right.float().mean().item())
# -> accuracy on these two: 0.5

# %% train() 和 eval() 改变 Dropout 和 BatchNorm 的行为
# 网络有两种模式：network.train() 用于训练，network.eval() 用于测试。
#
# 训练时，Dropout 从某一层输出的数里随机挑一部分置零；设为 0.5 时，
# 每个数置零的概率都是二分之一。这样，网络就不能依赖个别的数，
# 过拟合也会减轻。Dropout 还把留下来的数放大
# （这里放大到两倍），让总和大致不变。
# 测试时，Dropout 什么也不做。
dropout = nn.Dropout(0.5)
ones = torch.ones(1000)
dropout.train()
different = dropout(ones).unique().tolist()    # unique() 去掉重复的数
print("Dropout in training turns a thousand ones into some of each of:", different)
# -> Dropout in training turns a thousand ones into some of each of: [0.0, 2.0]
dropout.eval()
print("Dropout in testing leaves them as they are:", torch.equal(dropout(ones), ones))
# -> Dropout in testing leaves them as they are: True

# 批归一化（BatchNorm）对每个通道做的事，和第 4 课的 Normalize 一样：减去均值，
# 再除以标准差。如果各层收到的数都在 0 附近，网络就可以用更大的步子训练。
# （之后，每个通道还要乘以一个学出来的数，再加上另一个学出来的数。
# 这里用 affine=False 省去这两个数。）
#
# 训练时，减去的是当前批次的均值。同时，BatchNorm 还记着均值的滑动平均：
# 每过一个批次，就向这个批次的均值靠近十分之一。
# 方差（标准差的平方）的滑动平均也是这样更新。
# 测试时，BatchNorm 用的是这两个滑动平均，而不是当前批次的值：
# 网络对一张图片的判断，不应该取决于同一批次里还有哪些图片。
#
# 下面的批次有 1,000 个样本，每个样本只有一个数，算作一个通道。
# （后面的网络里用的是 BatchNorm2d，它对特征图做同样的事。）
norm = nn.BatchNorm1d(1, affine=False)
batch = torch.tensor([[1.0], [3.0]]).repeat(500, 1)    # 均值 2，标准差 1
norm.train()
for _ in range(100):    # 之后，滑动平均已经非常接近这个批次的值
    normalized = norm(batch)
print(f"1 and 3 after BatchNorm, in training: {normalized[0, 0]:.2f}, {normalized[1, 0]:.2f}")
# -> 1 and 3 after BatchNorm, in training: -1.00, 1.00
norm.eval()
print(f"a single 3 after BatchNorm, in testing: {norm(torch.tensor([[3.0]])).item():.2f}")
# -> a single 3 after BatchNorm, in testing: 1.00

# %% 测试不需要梯度，不算梯度更省时间和内存
# 为了反向传播，PyTorch 会记下每一步计算（第 10 课）。带着这种记录的结果，
# requires_grad 是 True。在 no_grad 里，PyTorch 不做记录。inference_mode 还能再省一点时间，
# 但在其中算出的结果，以后不能用于训练。
weight = torch.ones(1, requires_grad=True)
print("PyTorch makes notes:", (weight * 2).requires_grad)
# -> PyTorch makes notes: True
with torch.no_grad():
    print("inside no_grad:", (weight * 2).requires_grad)
# -> inside no_grad: False

# no_grad 不会切换到测试模式。没有 eval()，BatchNorm 仍然会用整个批次的平均值，
# 滑动平均也会跟着变，在 no_grad 里也不例外。

# %% 设备：有 GPU 就用 GPU，没有就用 CPU
# GPU 能同时做非常多的运算（第 1 课）。
device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
print("this lesson trains on:", device)
# -> this lesson trains on: ...

# 旧代码里写的是下面这一行。"cuda" 指 NVIDIA 或 AMD 的显卡，
# "cuda:0" 是第一块，编号为 0。
#
#     device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")

# 网络和图片必须在同一个设备上。network.to(device) 改变网络本身，并返回这个网络。
# tensor.to(device) 不改变原来的张量，返回的是新张量，
# 所以要接住：tensor = tensor.to(device)。
# （如果张量已经在那个设备上，返回的就是原来的张量。）
#
# to() 还可以改变数的类型。所以就算没有 GPU，
# 也能看到网络和张量的上述区别：
layer, tensor = nn.Linear(1, 1), torch.zeros(1)
layer.to(torch.float64)
moved = tensor.to(torch.float64)
print("the layer itself has changed:", layer.weight.dtype)
# -> the layer itself has changed: torch.float64
print("the tensor has not:", tensor.dtype)
# -> the tensor has not: torch.float32
print("what tensor.to returned:", moved.dtype)
# -> what tensor.to returned: torch.float64

# cuda() 是旧的写法，只能用于 NVIDIA 和 AMD 的显卡。
if torch.cuda.is_available():
    layer = layer.cuda()
    tensor = tensor.cuda()

# nn.CrossEntropyLoss() 里没有张量，所以没有什么要移动。

# %% 带了 --resume，先读出中断的那次运行的设置
# 接下来的单元格要知道，这次运行训练多少轮、用多少张图片。没带 --resume，就看你的选项；
# 带了 --resume，就看那次运行的检查点：后面的训练循环每轮之后都会保存这个文件。
# checkpoint.find 找到最后中断的那次运行，checkpoint.load 读取它的检查点。
# checkpoint.load 做的事和 torch.load 一样，只是还会检查文件有没有损坏。
# 这里只取出其中的设置。权重、优化器和学习率调度器的内容，
# 到后面再放回去。已经训练完的运行，不能再接着训练。
saved = None
epochs, limit = args.epochs or EPOCHS, args.limit
if args.resume:
    folder = checkpoint.find(MODELS / "12_train_gpu", args.resume)
    saved = checkpoint.load(folder)
    epochs, limit = saved["settings"]["epochs"], saved["settings"]["limit"]

# 下面这些设置也会存进检查点。一次运行从开始到结束，设置必须一样，
# 否则结果没有意义。所以，如果这次运行开始之后，你改过超参数，
# 就不能接着训练了。
settings = {"epochs": epochs, "limit": limit, "batch size": BATCH_SIZE, "seed": SEED,
            "learning rate": LEARNING_RATE, "dropout": DROPOUT, "padding": CROP_PADDING,
            "small share": SMALL_SHARE}
if saved and saved["settings"] != settings:
    raise LessonError(f"this run was started with {saved['settings']}.\n"
                      "Set the hyperparameters back, or start a new run without --resume.")

# %% 训练图片要平移、镜像，测试图片一律不动
# 这就是数据增强（第 4 课）。每张训练图片先加一圈黑边，宽一个像素（CROP_PADDING），
# 再随机挑个位置，裁出 32x32 个像素。第一轮把一半图片左右翻转（镜像），第二轮翻转另一半，
# 就这样轮流下去。
# 所以网络很少再看到一模一样的图片，不容易过拟合。
train_data = cifar10(train=True)
train_data.data = train_data.data[:limit]    # [:None] 就是全部
train_data.targets = train_data.targets[:limit]
test_data = cifar10(train=False)

# 为了省时间，前一半的轮里（SMALL_SHARE）用小图片训练：32x32 像素只留下中间的 24x24，
# 就像第 4 课的 CenterCrop(24)。像素只有原来的 56 %，
# 训练用时是原来的一半多一点。
# 网络最先学的是边缘、颜色和简单的形状，学这些，图片的中间部分就够了。
# 测试图片始终是完整的。准确率会不会降低？我们比较过：
# 和每一轮都用完整图片时差不多（见 lessons/zh/README.md）。
#
# Batches 的用法和 DataLoader 一样。
# 不过，Batches 把所有图片都放在设备上，裁剪、镜像、归一化都是整个批次一起做，
# 比一张一张地做快好多倍。
#
# 训练要走很多步，我们希望一轮至少有 32 步。图片少的时候，如果一批还是 256 张，
# 就走不了这么多步，所以批次要变小：程序画的替代图有 5,000 张，一批 5,000 // 32 = 156 张。
# 不过一个批次至少有 16 张；图片总共还不到 16 张，就全都放进一个批次。
batch_size = min(BATCH_SIZE, max(16, len(train_data) // 32), len(train_data))
small_epochs = int(SMALL_SHARE * epochs)    # 8 轮时是 4，3 轮时是 1，1 轮时是 0
augmentation = Augmentation(CROP_PADDING, SEED, small_epochs=small_epochs)
train_batches = Batches(train_data, batch_size, device, CIFAR10_MEAN_STD, augmentation)
test_batches = Batches(test_data, 500, device, CIFAR10_MEAN_STD)    # 一批多少张都行，结果一样
print("pictures in a training batch:", batch_size)
# -> pictures in a training batch: ...

# %% 网络有三个块，每块两个卷积，最后是两个线性层
# 每个卷积后面是 ReLU 和 BatchNorm，每个块后面是池化，特征图随之变小。
# 每个线性层前面是 Dropout。两个线性层之间是 ReLU：
# 中间没有激活函数，两个线性层的作用就和一个一样（第 8 课）。
# 在 shared/networks.py 里，`_block` 负责生成一个块的各层。
torch.manual_seed(SEED)
network = CIFAR10NetSimpleV3(classes=10, dropout=DROPOUT).to(device)

network.eval()    # 否则 BatchNorm 的滑动平均会变
x = torch.zeros(2, 3, 32, 32, device=device)    # 两张全黑的图片
for layer in network.layers:
    x = layer(x)
    if isinstance(layer, nn.MaxPool2d | nn.AdaptiveMaxPool2d | nn.Flatten | nn.Linear):
        print(f"shape after {type(layer).__name__}:", tuple(x.shape))
# -> shape after MaxPool2d: (2, 32, 16, 16)
#    shape after MaxPool2d: (2, 64, 8, 8)
#    shape after AdaptiveMaxPool2d: (2, 128, 4, 4)
#    shape after Flatten: (2, 2048)
#    shape after Linear: (2, 64)
#    shape after Linear: (2, 10)

# 卷积能处理任意大小的图片，但第一个线性层正好要 2,048 个数：128 个 4x4 的特征图。
# 到最后一次池化时，完整图片的特征图是 8x8，小图片的是 6x6。教程在这里用的是
# MaxPool2d(2)，前者会变成 4x4，后者却变成 3x3，数就不够了。
# AdaptiveMaxPool2d(4) 也是最大池化，但会自己选窗口，让结果总是 4x4。
# 特征图是 8x8 时，窗口和 MaxPool2d(2) 的一样。
# 特征图是 6x6 时，窗口也是 2x2，但互相重叠：
# 行（列也一样）取的是 0 和 1、1 和 2、3 和 4、4 和 5。
small_pictures = torch.zeros(2, 3, 24, 24, device=device)
print("scores of two small pictures:", tuple(network(small_pictures).shape))
# -> scores of two small pictures: (2, 10)

parameters = sum(parameter.numel() for parameter in network.parameters())
print(f"parameters of the network: {parameters:,}")
# -> parameters of the network: 419,690

# %% 损失函数、优化器，还有先升后降的学习率
loss_function = nn.CrossEntropyLoss()

# Muon 是 2024 年才有的优化器，用法和 SGD 一样，原理不必弄懂。
# 我们比较过（见 lessons/zh/README.md）：这个网络用 Muon 训练，测试准确率比用 SGD
# 高两个百分点。但 Muon 并不适合所有的网络。你自己写程序时，先用这一行就好：
# optim.SGD(network.parameters(), lr=0.05, momentum=0.9)。
#
# 有一点要提醒：本课的超参数，我们是看着测试准确率选的。
# 这违反了第 10 课的规矩，准确率看上去会比真实的略高一点。
# 你自己做的时候，请用验证集来选。
optimizer = Muon(network.parameters(), lr=LEARNING_RATE)

# 一开始，权重是随机的，梯度每一步都变化很大。这时步子大，就可能走错方向，
# 所以学习率从接近 0 的值开始。到最后，学习率又降到 0：
# 步子小了，才能找到附近最低的损失。
steps = epochs * len(train_batches)


def share_of_highest_rate(step):
    up = (step + 1) / (steps / 4)              # 在前四分之一里，从 0 升到 1
    down = (steps - step) / (steps * 3 / 4)    # 在后四分之三里，从 1 降到 0
    return min(1, up, down)                    # 在两者相交处，两者都可能略大于 1


for part in (0.25, 0.5, 1):
    share = share_of_highest_rate(part * steps)
    print(f"after {part:.0%} of the steps: {share:.2f} of the highest rate")
# -> after 25% of the steps: 1.00 of the highest rate
#    after 50% of the steps: 0.67 of the highest rate
#    after 100% of the steps: 0.00 of the highest rate

# 学习率调度器负责设定优化器的学习率。这里的学习率，等于最高的学习率乘以上面那个函数的
# 返回值。调度器的 step() 每个批次之后调用一次，它自己数着走了几步。
scheduler = optim.lr_scheduler.LambdaLR(optimizer, share_of_highest_rate)

# %% bfloat16 的位数只有 float32 的一半，有些设备用它计算能快一倍
# bfloat16 的数只有两三位十进制有效数字，但对大多数层来说够了。
# 权重本身仍然是 float32。下面用 torch.autocast 生成对象 autocast。在 `with autocast:` 里
# （见下一个单元格），卷积层和线性层用 bfloat16 计算。
# 很多处理器计算 bfloat16 并不更快。遇到这样的处理器，
# 这里的 `enabled` 就是 False，全部用 float32 计算。
use_bfloat16 = has_bfloat16(device)
autocast = torch.autocast(device.type, torch.bfloat16, enabled=use_bfloat16)
print("computes in bfloat16:", use_bfloat16)
# -> computes in bfloat16: ...


# %% 训练一轮，就是把训练图片过一遍
# 训练时，最后一个批次如果凑不满，其中的图片就不用了。
# 下一轮换了顺序，用不上的会是另外几张。
def train_epoch(network, batches, optimizer, scheduler):
    """训练一轮。返回平均损失和准确率。"""
    network.train()
    # GPU 在后台计算，Python 同时继续往下走。但 item() 要拿到算完的数，
    # Python 就得停下来等。为了只等一次，我们在设备上累加，
    # 一轮结束时才调用 item()。
    loss_sum = torch.tensor(0.0, device=device)
    correct = torch.tensor(0, device=device)
    count = 0
    # tqdm 显示进度条。leave=False 表示结束后擦掉；disable=None 表示，
    # 没有终端就不显示，例如输出写进文件的时候。
    for pictures, targets in tqdm(batches, "training", disable=None, leave=False):
        # Batches 给的图片已经在设备上，DataLoader 给的还不在。
        pictures, targets = pictures.to(device), targets.to(device)

        with autocast:
            scores = network(pictures)    # (N, 3, 32, 32) 或 (N, 3, 24, 24) -> (N, 10)
        scores = scores.float()           # 转回 float32，好计算损失
        loss = loss_function(scores, targets)

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()

        # detach() 只取出损失的数值，不带计算过程的记录。
        # 损失是整个批次的平均值，乘以图片的张数，就是总和。
        loss_sum += loss.detach() * len(targets)
        correct += (scores.argmax(dim=1) == targets).sum()
        count += len(targets)
    return loss_sum.item() / count, correct.item() / count


# %% 测试时没有 zero_grad、backward 和 step
# 损失和准确率到末尾再由全部图片的得分算出来。
# 这些得分也一并返回，因为最后几个单元格要用。
def evaluate(network, batches):
    """返回平均损失、准确率和所有图片的得分，得分的形状是 (N, 10)。"""
    network.eval()
    all_scores, all_targets = [], []
    with torch.inference_mode():
        for pictures, targets in tqdm(batches, "testing", disable=None, leave=False):
            with autocast:
                scores = network(pictures.to(device))
            all_scores.append(scores.float())
            all_targets.append(targets.to(device))
    scores, targets = torch.cat(all_scores), torch.cat(all_targets)    # (N, 10), (N,)
    correct = (scores.argmax(dim=1) == targets).sum().item()
    return loss_function(scores, targets).item(), correct / len(targets), scores


# %% 接着训练要用到的一切，都在检查点里
# 光有权重还不够。优化器记着动量，学习率调度器记着走到了第几步。
# 所以每一轮之后，下一个单元格会把这些全都保存到
# models/12_train_gpu/<日期和时间>/checkpoint.pt，覆盖上一轮的检查点。
#
# checkpoint.restore 把这些都放回去：依次调用网络、优化器和学习率调度器的
# load_state_dict（第 11 课），并返回已经训练了多少轮。接着训练时，图片也必须和开始时一样。
# checkpoint.describe 由图片得出一小段文字，好比图片的指纹。
# 如果和检查点里的那段不一样，restore 就报错。
first_epoch = 0
data = checkpoint.describe(train_data, test_data)
if saved:
    parts = {"network": network, "optimizer": optimizer, "scheduler": scheduler}
    first_epoch = checkpoint.restore(parts, saved, data, epochs)
    run = LOGS / "12_train_gpu" / folder.name
    print("going on with the run", folder.name, "after epoch", first_epoch)
else:
    run = new_run(__file__, drawn=train_data.drawn)
    folder = models_folder(run)
# 本程序运行期间，`lock` 不让别的程序训练同一次运行。
lock = checkpoint.lock(folder)

# %% 训练和测试交替进行
# 头几轮里，你可能会看到三件怪事：
#
# - 测试损失忽高忽低。权重变化太快，BatchNorm 的滑动平均跟不上；
#   而且滑动平均是用小图片算出来的，
#   测试图片却是完整的。
# - 测试准确率比训练准确率高，因为训练准确率是边学边测的，
#   用的图片还平移过、裁小过。
# - 测试准确率更高，测试损失却更大：只要有几张图片，网络答错了还很自信，
#   平均损失就会变大。
#
# 训练到一半，改用完整的图片，这时两个准确率都可能突然升高：
# 训练准确率升高，是因为网络这时看到了整张图片；
# 测试准确率升高，是因为训练图片这时和测试图片一样大了。
#
# 两个 writer 写进两个文件夹，在 TensorBoard 里就是两次运行，各有一种颜色。
#
# 假设一次运行在第五轮时停下，TensorBoard 的点已经写下，
# 检查点却还没保存。这时检查点里记着，已经训练了 4 轮，
# 所以 first_epoch 是 4。接着训练时，第五轮要重新训练，它的点也会再写一遍，
# step 还是 5。purge_step = 4 + 1 告诉 TensorBoard：从那里起，旧的点都不要了。
training = SummaryWriter(run / "training", purge_step=first_epoch + 1)
testing = SummaryWriter(run / "testing", purge_step=first_epoch + 1)
if first_epoch == 0:
    # get_last_lr 返回一个列表，每组参数一个学习率；这里各组都一样。
    training.add_scalar("12 learning rate/after each epoch", scheduler.get_last_lr()[0], 0)
total_train_step = first_epoch * len(train_batches)    # 优化器到目前为止走了多少步
for epoch in range(first_epoch, epochs):
    started = time.perf_counter()
    train_batches.set_epoch(epoch)    # 决定图片的顺序、平移和大小
    torch.manual_seed(SEED + epoch)   # 接着训练时，Dropout 用到的随机数也相同
    train_loss, train_accuracy = train_epoch(network, train_batches, optimizer, scheduler)
    seconds_of_training = time.perf_counter() - started
    if not math.isfinite(train_loss):
        raise LessonError("the loss is no longer a number: the learning rate is too high.\n"
                          "Lower LEARNING_RATE, and start a new run.")
    test_loss, test_accuracy, _ = evaluate(network, test_batches)

    total_train_step += len(train_batches)
    total_test_step = epoch + 1    # 从 1 数起：每一轮之后测试一次
    training.add_scalar("12 curves/loss", train_loss, total_test_step)
    testing.add_scalar("12 curves/loss", test_loss, total_test_step)
    training.add_scalar("12 curves/accuracy", train_accuracy, total_test_step)
    testing.add_scalar("12 curves/accuracy", test_accuracy, total_test_step)
    rate = scheduler.get_last_lr()[0]
    training.add_scalar("12 learning rate/after each epoch", rate, total_test_step)
    training.flush()
    testing.flush()

    # checkpoint.save 就是 torch.save，只是文件要么写完整，要么不写，断电时也是如此。
    checkpoint.save({
        "epoch": epoch + 1,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "data": data,
        "settings": settings,
    }, folder)
    seconds = time.perf_counter() - started
    print(f"epoch {epoch + 1:2}/{epochs} ({seconds:.0f} s, {total_train_step} steps so far)  "
          f"training: loss {train_loss:.3f}, accuracy {train_accuracy:.3f}  "
          f"testing: loss {test_loss:.3f}, accuracy {test_accuracy:.3f}")
    if epoch == 0 and epochs > 1:
        seconds_of_testing = seconds - seconds_of_training
        as_this_one = epochs    # 全部训练相当于多少个第一轮
        if small_epochs:        # 用完整图片训练，用时大约是小图片的 1.8 倍
            as_this_one = small_epochs + 1.8 * (epochs - small_epochs)
        minutes = (as_this_one * seconds_of_training + epochs * seconds_of_testing) / 60
        print(f"{epochs} epochs will take about {minutes:.1f} minutes on this machine")
        if minutes > 10:
            fifth = len(train_data) // 5
            print(f"Too long? Stop with Ctrl-C. A fifth of the pictures: --limit {fifth}")
training.close()
testing.close()

# %% 留下的是最后一轮的权重，不是最好那一轮的
# 如果挑出测试准确率最高的那一轮，测试图片就参与了造网络，
# 不能再公平地测试它：准确率看上去会比真实的高。
# （要选，就得有第三组图片，也就是验证集：见第 10 课。）
#
# 下面的单元格要用到全部测试图片的得分。evaluate 会返回得分，但循环里没有留下来，
# 所以再测试一次。（运行也可能在最后一轮之后才中断，
# 接着训练时，循环里已经没有事可做。）
_, accuracy, scores = evaluate(network, test_batches)

# %% 有些类别比别的类别难
scores = scores.cpu()
targets = torch.tensor(test_data.targets)
predicted = scores.argmax(dim=1)    # (N, 10) -> (N,)
print("test accuracy of each class:")
# -> test accuracy of each class:
for number, name in enumerate(test_data.classes):
    of_this_class = targets == number
    share = (predicted[of_this_class] == number).float().mean().item()
    print(f"  {name:10} {share:6.1%}")
# ->   airplane   ...%

# %% 最严重的错误，是网络很自信却答错的那些
# 置信度是 Softmax 给预测的那个类别算出的概率。
confidence = scores.softmax(dim=1).max(dim=1).values    # max 返回最大值和它们的下标
wrong = torch.nonzero(predicted != targets).flatten()    # 答错的是哪些图片：4, 17, 21, ...
order = confidence[wrong].argsort(descending=True)       # 在 wrong 里的位置，置信度最高的在前
print("the most confident mistakes:")
# -> the most confident mistakes:
for index in wrong[order][:3].tolist():
    prediction = test_data.classes[predicted[index]]
    right_class = test_data.classes[targets[index]]
    print(f"  test picture {index}, {right_class}: the network predicts {prediction}, "
          f"with a confidence of {confidence[index]:.0%}")
# ->   test picture ..., ...: the network predicts ..., with a confidence of ...%

# %% 在 TensorBoard 里看图片，也看网络弄混了什么
first_pictures = torch.from_numpy(train_data.data[:32]).permute(0, 3, 1, 2)
train_batches.set_epoch(epochs - 1)
batch, _ = next(iter(train_batches))    # 最后一轮的第一个批次
mean = torch.tensor(CIFAR10_MEAN_STD[0]).reshape(3, 1, 1)    # 每个通道一个数
std = torch.tensor(CIFAR10_MEAN_STD[1]).reshape(3, 1, 1)
batch = (batch[:32].cpu() * std + mean).clamp(0, 1)    # 把归一化还原
confusion = draw_confusion(targets, predicted, test_data.classes)
sheet = draw_mistakes(test_data.data, targets, scores, test_data.classes)

with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    writer.add_images("12 pictures/1 training pictures", enlarge(first_pictures))
    writer.add_images("12 pictures/2 a batch, moved and mirrored", enlarge(batch))
    writer.add_image("12 pictures/3 confusion matrix", confusion, dataformats="HWC")
    writer.add_image("12 pictures/4 most confident mistakes", sheet, dataformats="HWC")

# %% 权重最后才保存：有了 weights.pt，就说明这次运行已经完成
# save_whole 也是 torch.save，只是文件要么写完整，要么不写。这里只保存 state_dict
# （第 11 课），BatchNorm 的滑动平均也在里面。
checkpoint.save_whole(network.state_dict(), folder / "weights.pt")

# 无论权重是在哪里训练的，有了 map_location="cpu"，没有 GPU 的机器也能加载。
state = torch.load(folder / "weights.pt", map_location="cpu", weights_only=True)
again = CIFAR10NetSimpleV3(classes=10)    # dropout 设成多少都行：测试时它不起作用
again.load_state_dict(state)
again.to(device)
_, accuracy_again, _ = evaluate(again, test_batches)
print("the loaded network has the same test accuracy:", accuracy_again == accuracy)
# -> the loaded network has the same test accuracy: True

print_where_to_look(run, LOOK_AT)
print(f"\n{epochs} epochs of {len(train_data):,} pictures on {device}, weights in {folder}:"
      f" test accuracy {accuracy:.4f} ({train_data.source})")

# %% 自己写一个更短的程序
# 不靠 shared.training，这样的程序你自己也能写：用 DataLoader（第 2 课）、
# 变换（第 4 课）、SGD（第 10 课）和 torch.save（第 11 课）。
# 只有图片和网络取自 `shared`。这个程序没有学习率调度器、Muon、小图片和 bfloat16。
# 所以用 CIFAR-10 训练八轮之后，测试准确率是 83 %，而不是 89 %，用时是本课的三倍
# （只跑过一次，用的是一个支持 bfloat16 的核心）。想从它的 checkpoint.pt 接着训练，
# 就加载这个文件，再调用网络和优化器的 load_state_dict。
#
#     import torch
#     from torch import nn, optim
#     from torch.utils.data import DataLoader
#     from torchvision.transforms import v2
#     from shared.datasets import cifar10
#     from shared.networks import CIFAR10NetSimpleV3
#
#     device = torch.accelerator.current_accelerator(check_available=True) or "cpu"
#     for_testing = v2.Compose([
#         v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
#         v2.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))])
#     for_training = v2.Compose([
#         v2.RandomCrop(32, padding=1), v2.RandomHorizontalFlip(), for_testing])
#     loader = DataLoader(cifar10(True, for_training), batch_size=128, shuffle=True)
#     test_loader = DataLoader(cifar10(False, for_testing), batch_size=500)
#     network = CIFAR10NetSimpleV3(dropout=0.0).to(device)
#     optimizer = optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
#     for epoch in range(8):
#         network.train()
#         for pictures, targets in loader:
#             pictures, targets = pictures.to(device), targets.to(device)
#             loss = nn.functional.cross_entropy(network(pictures), targets)
#             optimizer.zero_grad()
#             loss.backward()
#             optimizer.step()
#         network.eval()
#         correct = 0
#         with torch.inference_mode():
#             for pictures, targets in test_loader:
#                 predicted = network(pictures.to(device)).argmax(dim=1)
#                 correct += (predicted == targets.to(device)).sum().item()
#         print(f"epoch {epoch + 1}: test accuracy {correct / len(test_loader.dataset):.3f}")
#         torch.save({"epoch": epoch + 1, "network": network.state_dict(),
#                     "optimizer": optimizer.state_dict()}, "checkpoint.pt")

# 试一试：
# - `DROPOUT = 0.4`，和教程一样：八轮够吗？
# - `LEARNING_RATE = 1.0`：头几轮里，损失会怎样变化？
# - `SMALL_SHARE = 0`，再换成 1：用时和准确率怎么变？
