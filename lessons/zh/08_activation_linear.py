"""08. 激活函数和线性层：网络为什么两样都要

线性层给每个输入各乘一个权重，再全部加起来。
激活函数接着处理一层的结果，例如把负数变成 0。

三种激活函数和一个线性层，你都先手算，再用 PyTorch 算。
然后你会看到网络为什么要有激活函数。拿只有一个输入 x、一个输出 y 的线性层来说，
以 x 为横轴、y 为纵轴画成图表，就是一条直线。两个相连的线性层，
得到的还是一条直线。中间加上激活函数，这条线就能有转折。

运行大约需要 4 秒。

    python lessons/zh/08_activation_linear.py           运行本课
    tensorboard --logdir logs/08_activation_linear      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import math

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2

from shared.datasets import cifar10, enlarge
from shared.paths import new_run, print_where_to_look

SEED = 0              # 每次运行，随机权重都相同
PICTURES_SHOWN = 8    # 每个 step 的图片数：add_images 一行放 8 张图片
STEPS_SHOWN = 4       # 滑块有几个 step

LOOK_AT = """
- Time Series 标签页。先在右侧的 Settings 里把 Smoothing 设为 0，
  否则转折处会变圆滑。再关掉“Ignore outliers in chart scaling”，
  否则看不到 ReLU 曲线的末尾。
- 展开分组“8 curves”。step 是 x 的 10 倍，所以 step 20 就是 x = 2。
  图表 1 里，哪条曲线没有上限？把鼠标移到 step 0 处：Sigmoid 在 0 处是多少？
  0、0、0 的 Softmax 是多少？两者为什么不同？
- 图表 2：两个线性层之间有 ReLU 和没有 ReLU，分别把 x 变成什么？
- 展开分组“8 pictures”。第 1 行是图片。第 2 行经过了 Sigmoid，为什么颜色这么淡？
  第 3 行是图片减去 0.5，再经过 ReLU。哪些地方变成了黑色？
"""

# %% ReLU 把负数换成 0
# ReLU 是“rectified linear unit”（修正线性单元）的缩写。
# 曲线的左边是平的：x 为负时，结果都是 0。右边是直线 y = x。
#
# 层与层之间通常就用 ReLU 作激活函数，计算几乎不花时间。
# （在 PyTorch 里，激活函数也是一层，也就是一个 Module。）
numbers = [1.0, -0.5, -1.0, 3.0]
print("ReLU by hand:", [max(0.0, number) for number in numbers])
# -> ReLU by hand: [1.0, 0.0, 0.0, 3.0]

x = torch.tensor([[1.0, -0.5],
                  [-1.0, 3.0]])
relu = nn.ReLU()                        # 先创建层……
print("nn.ReLU:", relu(x).tolist())     # ……再传入张量来调用，形状不限
# -> nn.ReLU: [[1.0, 0.0], [0.0, 3.0]]

# %% inplace=True 用结果覆盖输入
# 这样不用创建第二个张量，省内存，但输入原来的值就没有了。
# 如果 PyTorch 计算梯度（第 10 课）时还要用到输入，就会报错。
x = torch.tensor([-1.0, 2.0])
result = nn.ReLU(inplace=True)(x)
print("inplace=True, the input is now:", x.tolist())
# -> inplace=True, the input is now: [0.0, 2.0]
print("inplace=True, input and result are one tensor:", result is x)
# -> inplace=True, input and result are one tensor: True

# %% Sigmoid 把每个数压到 0 和 1 之间
# 公式是 1 / (1 + e^-x)。其中 e 是 2.718...，
# e^-x 在 Python 里写成 math.exp(-x)。
# 曲线呈 S 形：左边远处接近 0，x = 0 时是 0.5，右边远处接近 1。
#
# 它用来回答“是或者不是”的问题，例如“这是蚂蚁吗？”。
# 网络给出的数可大可小。Sigmoid 把它变成 0 和 1 之间的数，
# 可以当作概率：0.88 表示“是”的概率为 88%。
for number in (-2.0, 0.0, 2.0):
    print(f"Sigmoid of {number:4} by hand: {1 / (1 + math.exp(-number)):.4f}")
# -> Sigmoid of -2.0 by hand: 0.1192
#    Sigmoid of  0.0 by hand: 0.5000
#    Sigmoid of  2.0 by hand: 0.8808

sigmoid = nn.Sigmoid()
print("nn.Sigmoid:", sigmoid(torch.tensor([-2.0, 0.0, 2.0])))
# -> nn.Sigmoid: tensor([0.1192, 0.5000, 0.8808])

# %% Softmax 把得分变成概率
# 图片属于十个类别中的哪一个？要回答这样的问题，
# 网络的最后一层给每个类别一个得分。这些得分叫 logit，
# 可以是任意的数。Softmax 把得分变成概率，所有概率加起来等于 1。
#
# 手算一遍：三个类别，logit 分别是 2、1、0。
# 先分别求出 e 的 2、1、0 次方，再各自除以总和。
powers = [math.exp(2), math.exp(1), math.exp(0)]    # 不会是负数
print("e to the power of 2, 1, 0:", [round(power, 3) for power in powers])
# -> e to the power of 2, 1, 0: [7.389, 2.718, 1.0]
total = sum(powers)
print("sum of these powers:", round(total, 3))
# -> sum of these powers: 11.107
print("Softmax by hand:", [round(power / total, 4) for power in powers])
# -> Softmax by hand: [0.6652, 0.2447, 0.09]

logits = torch.tensor([[2.0, 1.0, 0.0]])    # （批次大小 1，3 个类别）
softmax = nn.Softmax(dim=1)                 # dim=1：沿着类别这一维，每行单独计算
print("nn.Softmax:", softmax(logits))
# -> nn.Softmax: tensor([[0.6652, 0.2447, 0.0900]])
print("the probabilities add up to:", softmax(logits).sum().item())
# -> the probabilities add up to: 1.0

# logit 最大的类别，概率也最大：这里是类别 0，概率为 67%。

# 训练需要损失函数，用来衡量答案错了多少（第 10 课）。
# 分类通常用 nn.CrossEntropyLoss：传进去的是 logit，Softmax 由损失函数自己做。
# 所以前面不要再放 nn.Softmax，否则就做了两次。

# %% 只有一个输入、一个输出的线性层，就是 y = ax + b
# a 叫权重，b 叫偏置。两者本来由训练找出来，这里由我们自己设定。
# nn.Parameter 把张量标记为可以训练的部分（第 6 课）。
line = nn.Linear(in_features=1, out_features=1)
line.weight = nn.Parameter(torch.tensor([[2.0]]))    # a = 2：每个输出占一行
line.bias = nn.Parameter(torch.tensor([1.0]))        # b = 1：每个输出一个数
print("linear layer: 2 * 3 + 1 =", line(torch.tensor([3.0])).item())
# -> linear layer: 2 * 3 + 1 = 7.0

# %% 每个神经元：每个输入一个权重，外加一个偏置
# nn.Linear 的参数：
# - in_features：输入几个数。
# - out_features：输出几个数。每个数由一个神经元单独算出，
#   所以这也是神经元的个数。
# - bias：默认为 True。设为 False，就没有 b。
#
# 神经元给每个输入乘上各自的权重，加起来，再加上自己的偏置。
# 下面手算两个神经元。两个神经元的输入都是 1、2、3，
# 也就是每个乘积里左边的那个数：
neuron1 = 1 * 1 + 2 * 0 + 3 * -1 + 0.5    # 权重是 1、0、-1，偏置是 0.5
neuron2 = 1 * 2 + 2 * 1 + 3 * 0 + 0       # 权重是 2、1、0，偏置是 0
print("two neurons by hand:", [neuron1, neuron2])
# -> two neurons by hand: [-1.5, 4]

x = torch.tensor([1.0, 2.0, 3.0])
linear = nn.Linear(in_features=3, out_features=2)
linear.weight = nn.Parameter(torch.tensor([[1.0, 0.0, -1.0],     # 每个神经元一行：
                                           [2.0, 1.0, 0.0]]))    # （输出，输入）
linear.bias = nn.Parameter(torch.tensor([0.5, 0.0]))             # （输出，）
print("two neurons, nn.Linear:", linear(x).tolist())
# -> two neurons, nn.Linear: [-1.5, 4.0]

# 写成一行，就是矩阵乘法（在 Python 里是 @），再加上偏置。@ 让 x 和矩阵的每一列
# 对应相乘，再加起来。而神经元在权重里是一行一行的，
# 所以先用 .T 把行变成列。
print("two neurons, matrix product:", (x @ linear.weight.T + linear.bias).tolist())
# -> two neurons, matrix product: [-1.5, 4.0]

# 同样的一行代码，也适用于批次：
batch = torch.stack([x, 10 * x])    # (2, 3)
by_hand = batch @ linear.weight.T + linear.bias    # (2, 3) @ (3, 2) -> (2, 2)
print("a batch, by hand equals nn.Linear:", torch.equal(by_hand, linear(batch)))
# -> a batch, by hand equals nn.Linear: True

# 每个输出都和每个输入有关，所以这种层也叫全连接层。

# %% 图片要先展平，再送进线性层
# 图片有许多行，而神经元要的是一串数。flatten 把各行首尾相接。
# 这个例子里，图片有 3 行，每行 8 个数；神经元有 30 个。
picture = torch.tensor([[1, 2, 3, 0, 1, 2, 3, 0],
                        [0, 1, 2, 3, 0, 1, 2, 3],
                        [3, 0, 1, 2, 3, 0, 1, 2]], dtype=torch.float32)
flat = torch.flatten(picture)    # (3, 8) -> (24,)
print("before flatten:", tuple(picture.shape), "after:", tuple(flat.shape))
# -> before flatten: (3, 8) after: (24,)

linear = nn.Linear(24, 30)
print("after 30 neurons:", tuple(linear(flat).shape))    # (24,) -> (30,)
# -> after 30 neurons: (30,)

# 批次里的每张图片要各成一行。第 0 维是批次，所以不要动，
# 从第 1 维开始展平。nn.Flatten 层就是这样做的。
batch = torch.zeros(64, 3, 32, 32)
print("wrong, all pictures in one row:", tuple(torch.flatten(batch).shape))
# -> wrong, all pictures in one row: (196608,)
print("right, a row for each picture:", tuple(torch.flatten(batch, start_dim=1).shape))
# -> right, a row for each picture: (64, 3072)
flat = nn.Flatten()(batch)    # (64, 3, 32, 32) -> (64, 3072)
print("nn.Flatten:", tuple(flat.shape))
# -> nn.Flatten: (64, 3072)

# %% 输入的形状里，只有最后一维必须等于 in_features
# 前面各维保持不变：可以一维也没有，可以有一维（批次），也可以有更多维。
# 在这里，图片的每一行都单独经过这一层，用的是同样的权重。所以没有哪个神经元
# 能看到整张图片：这就是要展平的原因。
linear = nn.Linear(8, 5)
print("input (3, 8) becomes:", tuple(linear(picture).shape))
# -> input (3, 8) becomes: (3, 5)
x = torch.zeros(2, 7, 3, 8)
print("input (2, 7, 3, 8) becomes:", tuple(linear(x).shape))
# -> input (2, 7, 3, 8) becomes: (2, 7, 3, 5)

# %% 两个相连的线性层可以换成一个
# 先算 y = 2x + 1，再算 z = 3y + 4。
# 合起来，z = 3(2x + 1) + 4 = 6x + 7，还是一条直线。
# 如果两者之间有 ReLU，结果就有一个转折，不再是直线：
for x in (-2, -1, 0, 1):
    two = 3 * (2 * x + 1) + 4
    one = 6 * x + 7
    with_relu = 3 * max(0, 2 * x + 1) + 4
    print(f"x = {x:2}: two layers {two:2}, one layer {one:2}, with ReLU {with_relu:2}")
# -> x = -2: two layers -5, one layer -5, with ReLU  4
#    x = -1: two layers  1, one layer  1, with ReLU  4
#    x =  0: two layers  7, one layer  7, with ReLU  7
#    x =  1: two layers 13, one layer 13, with ReLU 13

# 不管层有多大，都是这样。换成的那一层，权重是原来两层权重的乘积，
# 第二层的写在前面：上面是 3 * 2，这里是 second.weight @ first.weight。
# 偏置在上面是 3 * 1 + 4，在这里也这样计算。（两边的舍入误差不同，
# 所以用 allclose 比较：atol 规定最多可以相差多少。）
torch.manual_seed(SEED)
first, second = nn.Linear(4, 8), nn.Linear(8, 2)
one = nn.Linear(4, 2)
one.weight = nn.Parameter(second.weight @ first.weight)    # (2, 8) @ (8, 4) -> (2, 4)
one.bias = nn.Parameter(second.weight @ first.bias + second.bias)    # (2,)

x = torch.randn(5, 4)    # 五行，每行四个随机数
same = torch.allclose(second(first(x)), one(x), atol=1e-6)
print("two layers equal one layer:", same)
# -> two layers equal one layer: True
same = torch.allclose(second(relu(first(x))), one(x), atol=1e-6)
print("two layers with a ReLU between them equal one layer:", same)
# -> two layers with a ReLU between them equal one layer: False

# %% 有了 ReLU，两个神经元就能画出单个线性层画不出的曲线
# 这条曲线是 x 到 0 的距离：x = 2 时是 2，x = -2 时也是 2。
# 一个神经元给出 x，另一个给出 -x。ReLU 把其中的负数换成 0，
# 最后一层再把两者相加。
two_neurons = nn.Linear(1, 2, bias=False)
two_neurons.weight = nn.Parameter(torch.tensor([[1.0], [-1.0]]))
add_up = nn.Linear(2, 1, bias=False)
add_up.weight = nn.Parameter(torch.tensor([[1.0, 1.0]]))

without_relu = nn.Sequential(two_neurons, add_up)
with_relu = nn.Sequential(two_neurons, relu, add_up)

x = torch.tensor([[-2.0], [-1.0], [0.0], [1.0], [2.0]])    # 五个数组成的批次
print("five numbers x:", x.flatten().tolist())
# -> five numbers x: [-2.0, -1.0, 0.0, 1.0, 2.0]
print("two neurons without ReLU:", without_relu(x).flatten().tolist())    # x + -x
# -> two neurons without ReLU: [0.0, 0.0, 0.0, 0.0, 0.0]
print("two neurons with ReLU:", with_relu(x).flatten().tolist())
# -> two neurons with ReLU: [2.0, 1.0, 0.0, 1.0, 2.0]

# 每个带 ReLU 的神经元都能给曲线添一个转折。神经元多了，
# 网络几乎能逼近任何曲线。这就是激活函数的用处。

# %% 在 TensorBoard 里看曲线，再看激活函数把图片变成什么样
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
test_data = cifar10(train=False, transform=to_tensor)
loader = DataLoader(test_data, batch_size=PICTURES_SHOWN)

run = new_run(__file__, drawn=test_data.drawn)
with SummaryWriter(run) as writer, torch.no_grad():    # 这里不训练
    writer.add_text("0 look at", LOOK_AT)

    for step in range(-50, 51):    # step 是整数，所以 x 是 step 的十分之一
        x = torch.tensor([step / 10])
        logits = torch.tensor([[step / 10, 0.0, 0.0]])    # 只有第一个 logit 在变
        writer.add_scalars("8 curves/1 activations, step = 10 x", {
            "ReLU": relu(x).item(),
            "Sigmoid": sigmoid(x).item(),
            "Softmax of x, 0, 0": softmax(logits)[0, 0].item(),
        }, step)
        writer.add_scalars("8 curves/2 two linear layers, step = 10 x", {
            "without ReLU": without_relu(x).item(),
            "with ReLU": with_relu(x).item(),
        }, step)

    for step, (pictures, _) in enumerate(loader):    # pictures: (8, 3, 32, 32)
        if step == STEPS_SHOWN:
            break
        rows = torch.cat([
            pictures,
            sigmoid(pictures),       # 0...1 变成 0.5...0.73
            relu(pictures - 0.5),    # 小于 0.5 的数变成 0，也就是黑色
        ])                           # 3 x (8, 3, 32, 32) -> (24, 3, 32, 32)
        writer.add_images("8 pictures/1 pictures, Sigmoid, ReLU", enlarge(rows), step)
print_where_to_look(run, LOOK_AT)

# 试一试：
# - 在图表 1（第一个 add_scalars）里加一行 `"Tanh": nn.Tanh()(x).item(),`。
#   再照样试试 nn.LeakyReLU(0.1) 和 nn.GELU()。x 为负时，各得到什么？
# - `print(nn.Softmax(dim=0)(torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]])))`：
#   现在哪些数加起来等于 1？
# - `print(nn.Linear(24, 30, bias=False)(torch.zeros(24)))`：得到什么？
#   如果有偏置呢？
