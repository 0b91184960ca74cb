"""12. 完完整整训练一次，有 GPU 就用 GPU

前面学的内容，这一课全都用上。你要用 CIFAR-10 训练教程里的最后一个网络，
训练图片有 50,000 张。每一轮（epoch）结束后，本课都会测试网络，并保存检查点。
检查点是一个文件，训练如果中断，可以凭这个文件接着训练。最后你会看到，
网络学会了哪些类别，最严重的错误又是哪些。

这是真正的训练，要花多久取决于你的处理器。没有 GPU 时，用 CIFAR-10 训练八轮，
要 9 到 20 分钟；换成程序画的替代图，只要十分之一的时间。
第一轮结束后，本课会告诉你全部训练完要多久。

    python lessons/zh/12_train_gpu.py                            完整训练
    python lessons/zh/12_train_gpu.py --epochs 3 --limit 2000    快速看个大概
    python lessons/zh/12_train_gpu.py --resume                   接着训练中断的那次运行
    tensorboard --logdir logs/12_train_gpu                       查看本课写下的内容

用 make 时，选项写在 ARGS 里：`make lesson N=12 ZH=1 ARGS="--resume"`。

`python -m shared.training` 训练的是同一个网络，长时间训练需要的功能一应俱全：
可以用你自己的图片，可以用多块 GPU，可以训练更多轮。`--help` 列出所有选项。
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
  在分组“12 curves”里，训练和测试各有一种颜色。一开始，往往是测试的准确率更好：
  训练的准确率是边学边测的，用的图片还平移过、裁小过。
  从第几轮起，训练的准确率反而更高？
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
LEARNING_RATE = 0.1    # 最高的学习率：先升到这里，再往下降
DROPOUT = 0.0          # 0 表示不用 Dropout（见下文）；教程里是 0.4。
                       # 只训练八轮，这个网络几乎不过拟合，用不着
CROP_PADDING = 1       # 训练图片最多平移几个像素
SMALL_SHARE = 0.5      # 开头有多大比例的轮用小图片（见下文）
SEED = 1               # 换一个种子，初始权重和图片的顺序都会不同

# 只有这一课带命令行选项。`--epochs 3` 取代 EPOCHS 的值，
# `--limit 2000` 只取前 2,000 张训练图片。`--resume` 接着训练中断的那次运行，
# 轮数和图片都沿用那次运行开始时的设置。
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=positive, help=f"instead of {EPOCHS}")
parser.add_argument("--limit", type=positive, help="how many training pictures to use")
parser.add_argument("--resume", nargs="?", const="latest", metavar="RUN",
                    help="go on with RUN (a folder's name), or with the one stopped last")
in_notebook = "ipykernel" in sys.modules    # 在 notebook 里，命令行是 Jupyter 自己的
args = parser.parse_args([] if in_notebook else None)
if args.resume and (args.epochs or args.limit):
    parser.error("a resumed run keeps its settings: leave --epochs and --limit out")

# %% 准确率：有多大比例的图片，正确类别的得分最高
scores = torch.tensor([[0.3, 0.7],    # 两张虚构的图片，各有两个类别的得分
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

# no_grad 不会切换到测试模式。
# 如果不调用 eval()，BatchNorm 用的还是当前批次的均值。

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
# to() 还可以改变数的类型。这时，网络和张量也有同样的区别，
# 而且没有 GPU 也能看到：
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

# 没有参数的损失函数不用移动，例如 nn.CrossEntropyLoss()。

# %% 带了 --resume，先读出中断的那次运行的设置
# 没带 --resume，这个单元格只是把设置汇总起来。带了的话，checkpoint.find 找到
# 最后中断的那次运行，checkpoint.load 读取它的文件 checkpoint.pt。
# （它就是 torch.load，只是还会检查文件有没有损坏。）现在只需要其中的两样：
# 那次运行有多少轮、多少张图片。权重和其余的东西，后面再放回去。
#
# 已经训练完的运行，不能再接着训练。
saved = None
epochs, limit = args.epochs or EPOCHS, args.limit
if args.resume:
    folder = checkpoint.find(MODELS / "12_train_gpu", args.resume)
    saved = checkpoint.load(folder)
    epochs, limit = saved["settings"]["epochs"], saved["settings"]["limit"]

# 一次运行从开始到结束，设置必须一样，否则结果没有意义。
# 所以，如果你之后改过上面的超参数，就不能接着训练了。
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

# 前一半的轮里（SMALL_SHARE），训练图片还会变小：32x32 像素只留下中间的 24x24，
# 就像第 4 课的 CenterCrop(24)。像素只有原来的一半左右，
# 所以这样的一轮，用时大约是完整图片的 60 %。
# 网络最先学的是边缘、颜色和简单的形状，学这些，图片的中间部分就够了。
# 测试图片始终是完整的。我们比较过：八轮之后的测试准确率，
# 比一直用完整图片时高 0.4 个百分点，
# 其中也可能有偶然的成分（见 lessons/zh/README.md）。
#
# Batches 的用法和 DataLoader 一样。
# 不过，Batches 把所有图片都放在设备上，裁剪、镜像、归一化都是整个批次一起做，
# 比一张一张地做快好多倍。
#
# 网络要走很多步才能学会。图片少的时候，如果一批还是 256 张，一轮就没有几步。
# 所以图片少于 32 * 256 张时，批次变小，一轮仍然有 32 步左右。
# 不过一个批次至少有 16 张，所以图片不到 512 张时，一轮的步数就更少了。
# 图片总共还不到 16 张，就合成一个批次。
batch_size = min(BATCH_SIZE, max(16, len(train_data) // 32), len(train_data))
small_epochs = int(SMALL_SHARE * epochs)    # 8 轮时是 4，3 轮时是 1，1 轮时是 0
augmentation = Augmentation(CROP_PADDING, SEED, small_epochs=small_epochs)
train_batches = Batches(train_data, batch_size, device, CIFAR10_MEAN_STD, augmentation)
test_batches = Batches(test_data, 500, device, CIFAR10_MEAN_STD)
print("pictures in a training batch:", batch_size)
# -> pictures in a training batch: ...

# %% 网络有三个块，每块两个卷积，最后是两个线性层
# 每个卷积后面是 ReLU 和 BatchNorm，每个块后面是池化，高和宽都减半。
# 每个线性层前面是 Dropout，两个线性层之间是 ReLU：
# 没有它，两个线性层的作用和一个一样（第 9 课）。
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
# 图片小的时候，第三个块得到的特征图是 6x6，教程用的 MaxPool2d(2) 会把它变成 3x3，
# 数就不够了。AdaptiveMaxPool2d(4) 得到的总是 4x4。
# 特征图是 8x8 时，它和 MaxPool2d(2) 一样；
# 是 6x6 时，它用 2x2 的窗口，有些窗口互相重叠。
small_pictures = torch.zeros(2, 3, 24, 24, device=device)
print("scores of two small pictures:", tuple(network(small_pictures).shape))
# -> scores of two small pictures: (2, 10)

parameters = sum(parameter.numel() for parameter in network.parameters())
print(f"parameters of the network: {parameters:,}")
# -> parameters of the network: 419,690

# %% 损失函数、优化器，还有先升后降的学习率
loss_function = nn.CrossEntropyLoss()

# Muon 是 2024 年才有的优化器，用法和 SGD 一样，原理不必弄懂。
# 用 Muon 训练这个网络，测试准确率比用 SGD 大约高出两个百分点
# （训练四轮后测的，见 lessons/zh/README.md）。你自己写程序时，先用这一行就好：
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
    return min(1, up, down)                    # 取三者中最小的


for part in (0.25, 0.5, 1):
    share = share_of_highest_rate(part * steps)
    print(f"after {part:.0%} of the steps: {share:.2f} of the highest rate")
# -> after 25% of the steps: 1.00 of the highest rate
#    after 50% of the steps: 0.67 of the highest rate
#    after 100% of the steps: 0.00 of the highest rate

# 学习率调度器负责设定优化器的学习率。
# 这里的学习率，等于最高的学习率乘以上面那个函数的返回值。
scheduler = optim.lr_scheduler.LambdaLR(optimizer, share_of_highest_rate)

# %% bfloat16 的位数只有 float32 的一半，有些设备用它计算能快一倍
# bfloat16 的数只有两三位十进制有效数字，但对大多数层来说够了。
# 在 `with autocast:` 里，每一层用 bfloat16 还是 float32 计算，由 PyTorch 选择。
# 权重本身仍然是 float32。很多处理器计算 bfloat16 并不更快。
# 遇到这样的处理器，下面的 enabled 就是 False，全部用 float32 计算。
use_bfloat16 = has_bfloat16(device)
autocast = torch.autocast(device.type, torch.bfloat16, enabled=use_bfloat16)
print("computes in bfloat16:", use_bfloat16)
# -> computes in bfloat16: ...


# %% 训练一轮，就是把训练图片过一遍
# 最后一个批次如果凑不满，其中的图片就不用了。
# 下一轮换了顺序，用不上的会是另外几张。
def train_epoch(network, batches, optimizer, scheduler):
    """训练一轮。返回平均损失和准确率。"""
    network.train()
    # GPU 在后台计算，Python 同时继续往下走。item() 要拿到结果，
    # 如果每一步都调用，Python 每一步都得停下来等。所以这些总和留在设备上，到最后才取。
    loss_sum = torch.tensor(0.0, device=device)
    correct = torch.tensor(0, device=device)
    count = 0
    # tqdm 在终端里显示进度条，结束后擦掉。
    for pictures, targets in tqdm(batches, "training", disable=None, leave=False):
        # Batches 给的图片已经在设备上，DataLoader 给的还不在。
        pictures, targets = pictures.to(device), targets.to(device)

        with autocast:
            scores = network(pictures)    # (256, 3, 32, 32) 或 (256, 3, 24, 24) -> (256, 10)
        scores = scores.float()           # 转回 float32，好计算损失
        loss = loss_function(scores, targets)

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()

        # 损失是整个批次的平均值，乘以图片的张数，就是总和。
        # detach() 只取出数值，不带计算过程的记录。
        loss_sum += loss.detach() * len(targets)
        correct += (scores.argmax(dim=1) == targets).sum()
        count += len(targets)
    return loss_sum.item() / count, correct.item() / count


# %% 测试时没有 zero_grad、backward 和 step
# 所有的得分都留着，因为最后几个单元格要用；
# 损失和准确率到末尾再由这些得分算出来。
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
# checkpoint.restore 把这些都放回去：依次调用各自的 load_state_dict（第 11 课），
# 并返回已经训练了多少轮。checkpoint.describe 由图片得出一小段文字，图片不同，文字就不同。
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
# 只要这个变量还在，别的进程就不能训练同一次运行。
lock = checkpoint.lock(folder)

# %% 训练和测试交替进行
# 头几轮里，你可能会看到两件怪事。一是测试损失忽高忽低：
# 权重变化太快，BatchNorm 的滑动平均跟不上。
# 二是测试准确率可能比训练准确率好，因为训练的准确率是边学边测的；
# 测试损失却可能更差：只要有少数图片，网络答错了还很自信，
# 平均损失就会变大。
#
# 训练到一半，改用完整的图片，这时两个准确率都可能突然升高：
# 训练的准确率，是因为网络看到了图片更多的部分；
# 测试的准确率，是因为训练用的图片这时才和测试图片一样大。
#
# 两个 writer 写进两个文件夹，在 TensorBoard 里就是两次运行，各有一种颜色。
#
# 运行停下的时候，可能某一轮的点已经写下，检查点却还没保存。
# 接着训练时，这一轮要重新来过，点也会再写一遍。
# 有了 purge_step，TensorBoard 从这一轮起就不要旧的点。
# （第一轮在 TensorBoard 里是 1，在循环里是 0，所以要 + 1。）
training = SummaryWriter(run / "training", purge_step=first_epoch + 1)
testing = SummaryWriter(run / "testing", purge_step=first_epoch + 1)
if first_epoch == 0:
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
        # 用完整图片训练，用时大约是小图片的 1.8 倍。
        whole_epochs = epochs - small_epochs
        more = 0.8 * seconds_of_training if small_epochs else 0
        minutes = (epochs * seconds + whole_epochs * more) / 60
        print(f"{epochs} epochs will take about {minutes:.1f} minutes on this machine")
        if minutes > 10:
            fifth = len(train_data) // 5
            print(f"Too long? Stop with Ctrl-C. A fifth of the pictures: --limit {fifth}")
training.close()
testing.close()

# %% 留下的是最后一轮的权重，不是最好那一轮的
# 如果按测试准确率挑出最好的一轮，就等于变相用测试图片训练：
# 准确率看上去会比真实的高。
# （要选，就得有第三组图片，也就是验证集：见第 10 课。）
#
# 下面的单元格要用到全部测试图片的得分。循环里没有留下这些得分；
# 而且，如果运行在最后一轮之后才停，接着训练时根本不会进入循环。
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
confidence = scores.softmax(dim=1).max(dim=1).values
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
again = CIFAR10NetSimpleV3(classes=10)
again.load_state_dict(state)
again.to(device)
_, accuracy_again, _ = evaluate(again, test_batches)
print("the loaded network has the same test accuracy:", accuracy_again == accuracy)
# -> the loaded network has the same test accuracy: True

print_where_to_look(run, LOOK_AT)
print(f"\n{epochs} epochs of {len(train_data):,} pictures on {device}, weights in {folder}:"
      f" test accuracy {accuracy:.4f} ({train_data.source})")

# %% 自己写一个程序，做同样的事
# 不靠 shared.training，这样的程序你自己也能写：用 DataLoader（第 2 课）、
# 变换（第 4 课）、SGD（第 10 课）和 torch.save（第 11 课）。
# 只有图片和网络取自 `shared`。这个程序没有学习率调度器、Muon 和小图片，用时也更长。
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
