"""06. 网络就是 Module：传入张量就能调用的对象

在 PyTorch 里，网络是 Module，网络的每个部分也是 Module。
（这里的 Module 和 Python 的模块不是一回事：Python 的模块是一个文件。）
Module 做两件事：保存网络要学习的数，并规定怎样由输入算出结果。
只完成一步计算的 Module，也叫层。

先写几个只有一行的 Module，再用 torch.nn 的六种容器把 Module 组合起来：
Module、Sequential、ModuleList、ModuleDict、ParameterList 和 ParameterDict。
后半课讲处理图片时最重要的层：卷积。
卷积先手算一遍，用的数在纸上就能跟着算。

运行大约需要 5 秒。

    python lessons/zh/06_nn_module.py           运行本课
    tensorboard --logdir logs/06_nn_module      查看本课写下的内容
"""

# %% 准备
from shared.errors import begin_lesson

begin_lesson()    # 从这里起，遇到磁盘已满之类的问题，只打印两行说明

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms import v2

from shared.datasets import AntsBees, ants_and_bees, enlarge
from shared.paths import new_run, print_where_to_look

LOOK_AT = """
- Images 标签页，分组“6 edges”：图片 2 和图片 3 里的每条亮线，
  都对应图片 1 里的一条边缘。图片 2 里有哪些边缘，图片 3 里又有哪些？
  把竖直的线和水平的线比一比。
- 图片 4 由图片 2 和图片 3 相加而成。
  蚂蚁身上还看得到什么，什么不见了？
- 分组“6 kernels”：两个卷积核。-2 是黑色，0 是灰色，2 是白色。
  怎样由第一个卷积核得到第二个？
"""


# %% Module 怎样处理输入，写在 forward 里
class AddOne(nn.Module):
    def forward(self, x):
        return x + 1


add_one = AddOne()
x = torch.tensor(2.0)    # 下面用 .item() 把结果变成 Python 的数
print("AddOne: 2 + 1 =", add_one(x).item())
# -> AddOne: 2 + 1 = 3.0

# 你写的是 forward，调用时却用 Module 本身：add_one(x)，forward 会随之运行。
# 不要调用 add_one.forward(x)。有些工具要知道每一次调用，例如为了测量用时：
# add_one(x) 会通知这些工具，add_one.forward(x) 不会。


# %% Module 保存参数，也就是网络要学习的数
class Multiply(nn.Module):
    def __init__(self, factor):
        super().__init__()    # 总是写在最前面：让 Module 做好保存参数的准备
        # float：PyTorch 学习的是浮点数，不是整数。
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x):
        return x * self.factor


triple = Multiply(3.0)
print("Multiply: 3 * 2 =", triple(x).item())
# -> Multiply: 3 * 2 = 6.0

# Parameter 是训练会改变的张量，这里的初始值是 3。运行 `self.factor = ...` 时，
# Module 看到这个值是 Parameter，就用这个名字把它记下来。
# （如果值是另一个 Module，也这样记下来。）你不用自己列清单。
for name, parameter in triple.named_parameters():
    print(f"parameter {name}: {parameter.item()}")
# -> parameter factor: 3.0


# %% Module 里可以放别的 Module，其中的参数也找得到
# 最通用的容器就是 Module 本身：forward 由你自己写，
# 只要 Python 写得出来，就做得到。
class Line(nn.Module):
    """计算 slope * x + 1。"""

    def __init__(self, slope):
        super().__init__()
        self.multiply = Multiply(slope)
        self.add_one = AddOne()

    def forward(self, x):
        x = self.multiply(x)
        return self.add_one(x)


line = Line(3.0)
print("Line: 3 * 2 + 1 =", line(x).item())
# -> Line: 3 * 2 + 1 = 7.0
for name, parameter in line.named_parameters():
    print(f"parameter {name}: {parameter.item()}")
# -> parameter multiply.factor: 3.0

# %% Sequential 依次调用里面的 Module
# 如果前一个 Module 的结果就是后一个的输入，就用 Sequential，不必再写类。
chain = nn.Sequential(Multiply(3.0), AddOne())
print("Sequential: 3 * 2 + 1 =", chain(x).item())
# -> Sequential: 3 * 2 + 1 = 7.0

chain = nn.Sequential(AddOne(), Multiply(3.0))    # 顺序很重要
print("Sequential: (2 + 1) * 3 =", chain(x).item())
# -> Sequential: (2 + 1) * 3 = 9.0


# %% ModuleList 把 Module 放进列表，由你用循环遍历
# 如果 Module 的个数到创建时才定，或者每个 Module 的结果都要用到，就用 ModuleList。
class Products(nn.Module):
    """输入分别乘以每个因数，再把乘积加起来。"""

    def __init__(self, factors):
        super().__init__()
        self.layers = nn.ModuleList()
        for factor in factors:
            self.layers.append(Multiply(factor))

    def forward(self, x):
        total = 0
        for layer in self.layers:
            total = total + layer(x)
        return total


products = Products([1.0, 10.0, 100.0])
print("ModuleList: 1 * 2 + 10 * 2 + 100 * 2 =", products(x).item())
# -> ModuleList: 1 * 2 + 10 * 2 + 100 * 2 = 222.0
print("parameters in the ModuleList:", len(list(products.parameters())))
# -> parameters in the ModuleList: 3

# 为什么不用 Python 的普通列表？算出的结果是一样的。但普通列表既不是 Parameter，
# 也不是 Module，所以 Products 不会记下列表里的东西，
# 训练时也就不会改变这些数。

# %% ModuleDict 按名字存放 Module
# 要用名字指明调用哪个 Module，就用 ModuleDict。这里的名字是时间单位。
# （x 仍然是 2。）
to_seconds = nn.ModuleDict({"minutes": Multiply(60.0), "hours": Multiply(3600.0)})
print("ModuleDict: seconds in 2 minutes:", to_seconds["minutes"](x).item())
# -> ModuleDict: seconds in 2 minutes: 120.0
print("ModuleDict: seconds in 2 hours:", to_seconds["hours"](x).item())
# -> ModuleDict: seconds in 2 hours: 7200.0


# %% ParameterList 和 ParameterDict 存放不属于任何层的参数
# 自己的参数如果只有一个，存成属性就行，就像 Multiply 里的 self.factor。
# 如果有好几个，就用 ParameterList；要起名字，就用 ParameterDict。
# 不要用普通列表：参数和 Module 一样，放在普通列表里，训练时就找不到了。
class Polynomial(nn.Module):
    """计算 1 + 2 x + 3 x^2，或其他任何多项式。"""

    def __init__(self, coefficients):
        super().__init__()
        self.coefficients = nn.ParameterList()
        for coefficient in coefficients:
            self.coefficients.append(nn.Parameter(torch.tensor(float(coefficient))))

    def forward(self, x):
        total = 0
        for power, coefficient in enumerate(self.coefficients):
            total = total + coefficient * x ** power
        return total


polynomial = Polynomial([1.0, 2.0, 3.0])
print("ParameterList: 1 + 2 * 2 + 3 * 4 =", polynomial(x).item())
# -> ParameterList: 1 + 2 * 2 + 3 * 4 = 17.0

# ParameterDict 也一样，只是参数有名字。
numbers = nn.ParameterDict({
    "slope": nn.Parameter(torch.tensor(3.0)),
    "start": nn.Parameter(torch.tensor(1.0)),
})
y = numbers["slope"] * x + numbers["start"]
print("ParameterDict: 3 * 2 + 1 =", y.item())
# -> ParameterDict: 3 * 2 + 1 = 7.0

# %% 卷积：窗口和卷积核里的数逐个相乘，再加起来
# 现在来看图片，先看一张 4x4 像素、只有 1 个通道的。只有一个通道时，
# 卷积核就是由数排成的小方阵，叠放在图片中同样大小的一块区域上。
# 这块区域就是窗口。
image = torch.tensor([[1, 2, 3, 0],
                      [0, 1, 2, 3],
                      [3, 0, 1, 2],
                      [2, 3, 0, 1]])

kernel = torch.tensor([[2, 0, 1],
                       [0, 1, 2],
                       [1, 0, 2]])
window = image[0:3, 0:3]    # 第 0 到 2 行，第 0 到 2 列：左上角的窗口

# 在纸上算：卷积核叠在窗口上，上下重叠的数两两相乘。
#
#     卷积核    窗口       乘积
#     2 0 1     1 2 3      2*1  0*2  1*3      2 0 3
#     0 1 2     0 1 2      0*0  1*1  2*2  =   0 1 4
#     1 0 2     3 0 1      1*3  0*0  2*1      3 0 2
#
# 然后把九个乘积加起来：2 + 0 + 3 + 0 + 1 + 4 + 3 + 0 + 2 = 15。
products = kernel * window
print(f"products:\n{products}")
# -> products:
#    tensor([[2, 0, 3],
#            [0, 1, 4],
#            [3, 0, 2]])
print("sum of the products:", products.sum().item())
# -> sum of the products: 15

# %% 卷积核在图片上滑动，得到的和组成特征图
# 3x3 的卷积核，在 4x4 的图片上有 2x2 个位置可放，每个位置得到一个和。
feature_map = torch.zeros(2, 2, dtype=torch.long)    # long：整数
for row in range(2):
    for column in range(2):
        window = image[row:row + 3, column:column + 3]
        feature_map[row, column] = (kernel * window).sum()
print(f"feature map by hand:\n{feature_map}")
# -> feature map by hand:
#    tensor([[15, 16],
#            [ 6, 15]])

# 为什么叫“特征图”（feature map）？特征是要在图片里找的东西，例如边缘。
# 图（map）标出特征在图片的什么位置。找的是哪种特征，由卷积核决定。
# （数学里的卷积，要先把卷积核上下颠倒、左右翻转，
# PyTorch 不这样做。）

# %% F.conv2d 对整批图片做同样的计算
# 它要两样东西：图片和卷积核。卷积核里的每个数叫作一个权重，
# 是网络要学习的数。PyTorch 把装着所有卷积核的张量也叫 `weight`。
# 形状如下：
#
#     pictures：（批次，in_channels，高，宽）
#     kernels： （out_channels，in_channels，卷积核的高，卷积核的宽）
#
# in_channels：图片的通道数。一个卷积核里有同样多的方阵，每个通道对应一个，
# 见下面两个通道的例子。
# out_channels：输出的特征图的张数。每张特征图对应一个卷积核。
pictures = image.reshape(1, 1, 4, 4)    # 一张图片，一个通道
kernels = kernel.reshape(1, 1, 3, 3)    # 一个卷积核，用于一个通道
maps = F.conv2d(pictures, kernels)      # (1, 1, 4, 4) -> (1, 1, 2, 2)
print(f"F.conv2d:\n{maps}")
# -> F.conv2d:
#    tensor([[[[15, 16],
#              [ 6, 15]]]])
print("by hand equals F.conv2d:", torch.equal(feature_map, maps[0, 0]))
# -> by hand equals F.conv2d: True

# （整数更容易看懂，但 F.conv2d 只在 CPU 上接受整数。
# 网络里的数全是浮点数。）

# 如果图片有两个通道呢？那么卷积核也有两个方阵，每个通道对应一个。
# 两个方阵的所有乘积加成一个数，所以特征图仍然只有一张。
# 这里两个通道都是上面的图片，两个方阵都是上面的卷积核，
# 所以每个和都是原来的两倍：15 + 15 = 30。
two_channels = torch.cat([pictures, pictures], dim=1)    # 沿第 1 维拼接
two_squares = torch.cat([kernels, kernels], dim=1)       # (1, 1, 3, 3) -> (1, 2, 3, 3)
maps = F.conv2d(two_channels, two_squares)               # (1, 2, 4, 4) -> (1, 1, 2, 2)
print("two channels, one feature map:", maps[0].tolist())
# -> two channels, one feature map: [[[30, 32], [12, 30]]]

# 只有一张图片时，可以不带批次这一维，结果也就没有这一维。
maps = F.conv2d(image.reshape(1, 4, 4), kernels)    # (1, 4, 4) -> (1, 2, 2)
print("shape without a batch:", tuple(maps.shape))
# -> shape without a batch: (1, 2, 2)

# 偏置是加到每个和上的数，每张特征图有一个。
# F.conv2d 默认 bias=None：什么也不加。
maps = F.conv2d(pictures, kernels, bias=torch.tensor([3]))
print(f"with a bias of 3:\n{maps}")
# -> with a bias of 3:
#    tensor([[[[18, 19],
#              [ 9, 18]]]])

# %% 步幅决定卷积核每次移动多远
# 默认是 1，也就是一个像素。步幅为 2 时，这张小图片上只有一个位置可放。
maps = F.conv2d(pictures, kernels, stride=2)    # (1, 1, 4, 4) -> (1, 1, 1, 1)
print("stride 2:", maps[0, 0].tolist())
# -> stride 2: [[15]]

# 两个数表示（竖直，水平）：向下移动多远，向右移动多远。
maps = F.conv2d(pictures, kernels, stride=(2, 1))    # (1, 1, 4, 4) -> (1, 1, 1, 2)
print("stride (2, 1), only one row remains:", maps[0, 0].tolist())
# -> stride (2, 1), only one row remains: [[15, 16]]
maps = F.conv2d(pictures, kernels, stride=(1, 2))    # (1, 1, 4, 4) -> (1, 1, 2, 1)
print("stride (1, 2), only one column remains:", maps[0, 0].tolist())
# -> stride (1, 2), only one column remains: [[15], [6]]

# %% 填充就是在图片四周加一圈 0
# 默认是 0，也就是不加边。这时特征图比图片小，前面就是这样。
# padding=1 在每一侧各加一个像素。于是 3x3 的卷积核有 4x4 个位置可放，
# 特征图和图片一样大。
maps = F.conv2d(pictures, kernels, padding=1)    # (1, 1, 4, 4) -> (1, 1, 4, 4)
print("shape with padding 1:", tuple(maps.shape))
# -> shape with padding 1: (1, 1, 4, 4)

# F.pad 只负责加边。四个数是各边的宽度，
# 依次是左、右、上、下。
bordered = F.pad(pictures, (1, 1, 1, 1))    # (1, 1, 4, 4) -> (1, 1, 6, 6)
print(f"the picture with its border:\n{bordered[0, 0]}")
# -> the picture with its border:
#    tensor([[0, 0, 0, 0, 0, 0],
#            [0, 1, 2, 3, 0, 0],
#            [0, 0, 1, 2, 3, 0],
#            [0, 3, 0, 1, 2, 0],
#            [0, 2, 3, 0, 1, 0],
#            [0, 0, 0, 0, 0, 0]])
bordered_maps = F.conv2d(bordered, kernels)    # (1, 1, 6, 6) -> (1, 1, 4, 4)
print("F.pad, then F.conv2d, equals padding=1:", torch.equal(bordered_maps, maps))
# -> F.pad, then F.conv2d, equals padding=1: True

# （F.conv2d 加的边总是 0。用下面的 nn.Conv2d，
# 还可以填别的数，见第 7 课。）

# %% 空洞（dilation）把卷积核撑开，看到更大的窗口
# dilation=2 时，卷积核的数每隔一个像素放一个，中间的像素跳过，
# 就好像卷积核在那些位置上是 0：
spread = torch.zeros(1, 1, 5, 5, dtype=torch.long)
spread[:, :, ::2, ::2] = kernels    # 隔行隔列放入
print(f"the spread kernel:\n{spread[0, 0]}")
# -> the spread kernel:
#    tensor([[2, 0, 0, 0, 1],
#            [0, 0, 0, 0, 0],
#            [0, 0, 1, 0, 2],
#            [0, 0, 0, 0, 0],
#            [1, 0, 0, 0, 2]])

# 撑开的卷积核需要 5x5 个像素，所以放到加了边的图片上。
by_hand = F.conv2d(bordered, spread)                 # (1, 1, 6, 6) -> (1, 1, 2, 2)
maps = F.conv2d(bordered, kernels, dilation=2)       # (1, 1, 6, 6) -> (1, 1, 2, 2)
print("the spread kernel gives the same as dilation=2:", torch.equal(by_hand, maps))
# -> the spread kernel gives the same as dilation=2: True


# %% nn.Conv2d 是 Module，卷积核作为参数保存在里面
# 在网络里，卷积核不用你写：一开始是随机数，再由训练来改变。
# 偏置也一样。nn.Conv2d 默认带偏置，
# 不想要就写 bias=False。
#
# 下面的网络有两个卷积，用于 28x28 像素的灰度图片。5x5 的卷积核，
# 在一行 28 个像素里有 28 - 5 + 1 = 24 个位置可放，在一行 24 个数里有 20 个。
# （每个卷积也有 20 个卷积核，这只是碰巧，换成别的个数也行。）
# N 是图片的张数。F.relu 把小于 0 的数都变成 0（第 8 课）。
class TwoConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels=1, out_channels=20, kernel_size=5)
        self.conv2 = nn.Conv2d(in_channels=20, out_channels=20, kernel_size=5)

    def forward(self, x):
        x = F.relu(self.conv1(x))       # (N, 1, 28, 28) -> (N, 20, 24, 24)
        return F.relu(self.conv2(x))    # -> (N, 20, 20, 20)


network = TwoConvolutions()
for name, parameter in network.named_parameters():
    print(f"parameter {name}: {tuple(parameter.shape)}")
# -> parameter conv1.weight: (20, 1, 5, 5)
#    parameter conv1.bias: (20,)
#    parameter conv2.weight: (20, 20, 5, 5)
#    parameter conv2.bias: (20,)
maps = network(torch.zeros(2, 1, 28, 28))    # 两张 28x28 像素的黑色图片
print("two pictures become:", tuple(maps.shape))
# -> two pictures become: (2, 20, 20, 20)

# 在训练好的网络里，第一个卷积能找到简单的特征：边缘、线条、角。
# 第二个卷积看不到图片，只看得到第一个卷积输出的特征图，
# 于是把简单的特征组合成更复杂的特征，
# 例如把边缘组合成轮廓。
# 层越深（前面的层越多），能找到的特征就越复杂。


# %% 两个卷积核找出蚂蚁的边缘
# 在边缘处，暗像素挨着亮像素。这个卷积核用右边的像素减去左边的像素，
# 中间一行按两倍算，因为这一行离正中的像素最近。
# （不按两倍算，也能找出边缘。）
vertical = torch.tensor([[-1.0, 0.0, 1.0],
                         [-2.0, 0.0, 2.0],
                         [-1.0, 0.0, 1.0]])
edge = torch.tensor([[0.0, 0.0, 1.0],
                     [0.0, 0.0, 1.0],
                     [0.0, 0.0, 1.0]])
no_edge = torch.tensor([[1.0, 1.0, 1.0],
                        [1.0, 1.0, 1.0],
                        [1.0, 1.0, 1.0]])
total = (vertical * edge).sum().item()
print("window with an edge, 1 + 2 + 1 =", total)
# -> window with an edge, 1 + 2 + 1 = 4.0
total = (vertical * no_edge).sum().item()
print("window without an edge, 1 + 2 + 1 - 1 - 2 - 1 =", total)
# -> window without an edge, 1 + 2 + 1 - 1 - 2 - 1 = 0.0


class Edges(nn.Module):
    """灰度图片的三张特征图：竖直边缘、水平边缘、两者合起来。"""

    def __init__(self, vertical):
        super().__init__()
        self.conv = nn.Conv2d(in_channels=1, out_channels=2, kernel_size=3, bias=False)
        # .T 把行变成列。这样得到的卷积核 `horizontal`，
        # 用下面的像素减去上面的像素。
        horizontal = vertical.T
        kernels = torch.stack([vertical, horizontal])    # (2, 3, 3)
        self.conv.weight = nn.Parameter(kernels.reshape(2, 1, 3, 3))

    def forward(self, x):
        # 由亮到暗的边缘，算出来的数小于 0。abs() 去掉正负号。
        maps = self.conv(x).abs()                # (N, 1, H, W) -> (N, 2, H - 2, W - 2)
        # dim=1 沿着通道相加。keepdim=True 保留这一维，大小为 1。
        both = maps.sum(dim=1, keepdim=True)     # -> (N, 1, H - 2, W - 2)
        return torch.cat([maps, both], dim=1)    # -> (N, 3, H - 2, W - 2)


to_grey = v2.Compose([
    v2.ToImage(),
    v2.ToDtype(torch.float32, scale=True),
    v2.Grayscale(),    # 形状：(3, H, W) -> (1, H, W)
])
folder, drawn = ants_and_bees()
ants = AntsBees(folder / "train", "ants", to_grey)
ant, label = ants[0]    # (1, 512, 768) 和 "ants"

find_edges = Edges(vertical)

# 只要 Module 有参数，PyTorch 就会记住每个结果是怎么算出来的（第 4 课）。
# 训练要用到这些记录（第 10 课）。这里什么也不学，所以用 no_grad 停掉记录。
# 不写 no_grad 也可以：结果一样，只是多占内存。
with torch.no_grad():
    batch = ant.unsqueeze(0)     # 只有一张图片的批次：(1, 512, 768) -> (1, 1, 512, 768)
    maps = find_edges(batch)     # -> (1, 3, 510, 766)
print("feature maps of the ant:", tuple(maps.shape))
# -> feature maps of the ant: (1, 3, 510, 766)

# %% 在 TensorBoard 里看蚂蚁、边缘和卷积核
run = new_run(__file__, drawn=drawn)
with SummaryWriter(run) as writer:
    writer.add_text("0 look at", LOOK_AT)
    writer.add_image("6 edges/1 ant", ant)

    # maps[0, 0] 的形状是 (510, 766)，但 add_image 还要有通道这一维。
    # 把 0 写成 0:1，这一维就保留下来：(1, 510, 766)。
    writer.add_image("6 edges/2 feature map of kernel 1", maps[0, 0:1])
    writer.add_image("6 edges/3 feature map of kernel 2", maps[0, 1:2])
    writer.add_image("6 edges/4 both together", maps[0, 2:3])

    for number, kernel in enumerate(find_edges.conv.weight, start=1):    # (1, 3, 3)
        grey = enlarge((kernel + 2) / 4, 32)    # 从 -2...2 变到 0...1：-> (1, 96, 96)
        writer.add_image(f"6 kernels/{number} kernel", grey)
print_where_to_look(run, LOOK_AT)

# 试一试：
# - 在 Products 里，不写 `nn.ModuleList()`，改写 `self.layers = []`。
#   结果还是 222 吗？能找到几个参数？
# - 删掉 Multiply 里的 `super().__init__()`。报错信息怎么说？
# - 删掉 Edges 里的 `.abs()`。图片 2 会少掉哪些边缘？
#   （TensorBoard 把小于 0 的数显示成黑色。）
